"""What all tests need."""

import signal

import pytest

collect_ignore_glob = ["typing/*", "golden/*"]  # scripts that tests read or run; none of them is a module with examples


@pytest.fixture(autouse=True, scope="session")
def _small_networks_have_threads():
    """What holds for any number of threads is tested with networks that would otherwise have one."""
    from neurosim.engine import partition

    partition.SMALLEST_PART = 1


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_can_be_tested():
    """A shell that starts the tests in the background lets them, and what they start, ignore Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Processes that share the tests must find the same names; an address in one would end the run before it begins."""
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid} has an address in its name; give its parameters other ids")


@pytest.fixture
def one_thread_of_torch():
    """Small tensors: threads of PyTorch that share a core with other tests only wait for each other."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
