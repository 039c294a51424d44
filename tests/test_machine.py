"""What a process may use: limits of control groups and of `ulimit`, and cores that no other run has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neurosim import machine
from neurosim.engine import loop

resource = pytest.importorskip("resource", reason="limits of processes are of Unix")
AWAY = 100_000 + 16 * os.getpid()  #: numbers of cores that nobody has

linux = pytest.mark.skipif(sys.platform != "linux", reason="control groups and affinity are of Linux")


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Lay control groups out: lines of /proc/self/cgroup, and files by path; this process has no other limits."""
    def lay(lines, files):
        told = tmp_path / "told"
        told.write_text("".join(f"{line}\n" for line in lines))
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text + "\n")
        monkeypatch.setattr(machine, "GROUPS_OF_THIS", told)
        monkeypatch.setattr(machine, "MOUNTED", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda who: set(range(16)), raising=False)
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}[name])
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    return lay


def test_without_groups_it_is_what_the_machine_has(groups):
    groups([], {})
    assert (machine.cores(), machine.memory()) == (16, 4_096_000)
    machine.GROUPS_OF_THIS.unlink()
    assert (machine.cores(), machine.memory()) == (16, 4_096_000)


@pytest.mark.parametrize("quota, cores", [("max 100000", 16), ("250000 100000", 2), ("50000 100000", 1)])
def test_version_2_with_a_limit_of_a_group_around(groups, quota, cores):
    groups(["0::/job/step"], {"job/step/cpu.max": "max 100000", "job/cpu.max": quota, "job/step/memory.max": "max",
                              "job/memory.max": "3000000"})
    assert (machine.cores(), machine.memory()) == (cores, 3_000_000)


def test_version_2_in_a_container_that_sees_its_own_group_as_the_root(groups):
    groups(["0::/"], {"cpu.max": "400000 100000", "memory.max": "2000000"})
    assert (machine.cores(), machine.memory()) == (4, 2_000_000)


def test_version_1(groups):
    groups(["5:cpu,cpuacct:/docker/1", "4:memory:/docker/1", "0::/"], {
        "cpu,cpuacct/cpu.cfs_quota_us": "300000", "cpu,cpuacct/cpu.cfs_period_us": "100000",
        "cpu,cpuacct/docker/1/cpu.cfs_quota_us": "-1", "cpu,cpuacct/docker/1/cpu.cfs_period_us": "100000",
        "memory/memory.limit_in_bytes": "9223372036854771712", "memory/docker/1/memory.limit_in_bytes": "1000000"})
    assert (machine.cores(), machine.memory()) == (3, 1_000_000)


def test_ulimit(groups, monkeypatch):
    groups([], {})
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1_500_000, resource.RLIM_INFINITY))
    assert machine.memory() == 1_500_000


# ---- cores of runs --------------------------------------------------------------------------------------------------


@linux
def test_runs_at_the_same_time_have_different_cores(monkeypatch):
    """Of eight cores, three runs of two threads have six; one that finds too few free is not pinned and takes none."""
    monkeypatch.setattr(loop, "_nearest_cores", lambda: [AWAY + k for k in range(8)])
    with loop.claimed_cores(2) as first, loop.claimed_cores(2) as second, loop.claimed_cores(2) as third:
        assert [*first, *second, *third] == [AWAY + k for k in range(6)]
        with loop.claimed_cores(3) as none:
            assert none == [None] * 3
            with loop.claimed_cores(2) as last:
                assert last == [AWAY + 6, AWAY + 7]
    with loop.claimed_cores(2) as again:
        assert again == first


@linux
def test_another_process_keeps_its_cores_until_it_ends(monkeypatch):
    three = [AWAY + 10, AWAY + 11, AWAY + 12]
    text = (f"from neurosim.engine import loop; loop._nearest_cores = lambda: {three}\n"
            "with loop.claimed_cores(2) as cores: print(cores, flush=True); input()")
    monkeypatch.setattr(loop, "_nearest_cores", lambda: three)
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          cwd=root) as other:
        assert other.stdout.readline() == f"{three[:2]}\n"
        with loop.claimed_cores(2) as cores:
            assert cores == [None, None]
        other.kill()
        other.wait()
    with loop.claimed_cores(2) as cores:
        assert cores == three[:2]


@linux
def test_one_thread_is_not_pinned_and_several_are_where_they_may_be():
    assert sorted(loop._nearest_cores()) == sorted(os.sched_getaffinity(0))
    with loop.claimed_cores(1) as cores:
        assert cores == [None]
