"""What this process may use of its machine, within the limits that a container or a batch system sets."""

import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import resource

GROUPS_OF_THIS, MOUNTED = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def cores() -> int:
    """Return how many cores this process may use: those it is bound to, or as much time as its control group has.

    >>> cores() >= 1
    True
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shares = [int(quota) / int(period) for quota, period in
              [*map(str.split, _limits("cpu.max", "")), *zip(_limits("cpu.cfs_quota_us", "cpu"),
                                                             _limits("cpu.cfs_period_us", "cpu"), strict=False)]
              if quota.isdigit()]
    return max(1, int(min([bound, *shares])))


def memory() -> int | None:
    """Return how many bytes this process may use, or None where that is not known.

    That is what the machine has, or what a control group or `ulimit -v` allows, if that is less.

    >>> memory() is None or memory() > 1e6
    True
    """
    found = [int(text) for text in [*_limits("memory.max", ""), *_limits("memory.limit_in_bytes", "memory")]
             if text.isdigit()]
    if sys.platform != "win32":
        found += [limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit != resource.RLIM_INFINITY]
    if hasattr(os, "sysconf"):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=None)


def _limits(name, controller) -> list[str]:
    """Return what a file of limits says in this process's control group and in those around it; "" is version 2."""
    found = []
    for root, group in _groups(controller):
        for folder in [group, *group.parents]:
            try:
                found.append((root / folder.relative_to("/") / name).read_text().strip())
            except OSError:
                continue
    return found


def _groups(controller):
    """Yield the folder of the hierarchy of a controller, and this process's group in it."""
    try:
        lines = GROUPS_OF_THIS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controller in controllers.split(","):
            yield MOUNTED / controllers, Path(group)
