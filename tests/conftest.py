"""What all tests need."""

import signal
from functools import cache

import numpy as np
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


@pytest.hookimpl(tryfirst=True)  # before tests are left out by their marks
def pytest_collection_modifyitems(items):
    """Look for odd names, and call the docstrings of `neurosim.gradients` slow, which compile its loops.

    Processes that share the tests must find the same names; an address in one would end the run before it begins.
    """
    for item in items:
        if item.nodeid.startswith("neurosim/gradients/"):
            item.add_marker(pytest.mark.slow)
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid} has an address in its name; give its parameters other ids")


@cache
def _interpreted(way):
    """Return a loop of exact gradients as Python reads it."""
    from neurosim.gradients import compiled

    space = {}
    stub = "def njit(**_):\n    return lambda function: function\n"
    text = compiled.text(way).replace("from numba import njit", stub)
    exec(compile(text, f"{way.__name__}, interpreted", "exec"), space)

    def call(*arguments):
        with np.errstate(all="ignore"):  # as compiled code divides
            return space["main"](*arguments)
    return call


@pytest.fixture(params=["interpreted", pytest.param("compiled", marks=pytest.mark.slow)])
def gradient_loops(request, monkeypatch):
    """Both forms of the loops of exact gradients; the compiled ones are slow, as compiling them takes half a minute."""
    from neurosim.gradients import backward, compiled, forward

    if request.param == "interpreted":
        monkeypatch.setattr(compiled, "forth", lambda: _interpreted(forward))
        monkeypatch.setattr(compiled, "back", lambda: _interpreted(backward))


@pytest.fixture
def one_thread_of_torch():
    """Small tensors: threads of PyTorch that share a core with other tests only wait for each other."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
