"""This checkout beside an earlier commit, in alternation: what became slower is seen when it does.

    python -m benchmarks history --against COMMIT [--cases cuba,brunel] [--rounds 5] [--threads 1,2]

The commit is unpacked into a folder of its own, with its own cache of kernels, and runs the case as its own benchmarks
describe it. In each round both take a turn, the first of them in turns; what counts is the median over the rounds of
the ratio of neighbours, which other programs disturb less than a ratio of medians, and the least time of each. Medians
of ratios above 1.05 fail.
"""

import io
import os
import statistics
import subprocess
import tarfile
import tempfile
from pathlib import Path

from benchmarks import child
from benchmarks.peers import OURS

CASES = ("cuba", "brunel", "brunel_stdp", "izhikevich", "lsm")
SLOWER = 1.05  #: median ratio from which a case counts as slower


def unpacked(commit: str, folder: Path) -> str:
    """Unpack a commit into a folder, and return its short name and subject."""
    def git(*arguments):
        return subprocess.run(["git", "-C", str(child.ROOT), *arguments], check=True, capture_output=True).stdout

    try:
        told = git("log", "-1", "--format=%h %s", commit, "--").decode().strip()
        data = git("archive", commit)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        raise SystemExit(f"history: {commit!r} must be a commit of this repository: {said.decode().strip()}") from None
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")
    return told


def one(root: Path, cache: Path, case: str, threads: int, dtype: str, settings) -> dict:
    """Measure a case in a process of some checkout."""
    environment = OURS.environment(threads) | {"NEUROSIM_CACHE": str(cache), "PYTHONPATH": str(root)}
    return child.run("benchmarks.child:measure", environment=environment, root=root, peer=OURS.name, case=case,
                     scale=settings.scale, fraction=settings.fraction, threads=threads, dtype=dtype)


def alternated(sides: dict, case: str, threads: int, dtype: str, settings) -> dict:
    """Return the seconds of each side in each round; a run before them fills the caches."""
    found = {name: [] for name in sides}
    for root, cache in sides.values():
        one(root, cache, case, threads, dtype, settings)
    for turn in range(settings.rounds):
        for name in (list(sides) if turn % 2 == 0 else list(sides)[::-1]):
            found[name].append(one(*sides[name], case, threads, dtype, settings)["simulate"])
    return found


def main(settings, _out) -> tuple[dict, bool]:
    """Print a table; return the ratios, and whether none is slower."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        told = unpacked(settings.against, place / "before")
        sides = {"now": (child.ROOT, place / "now_kernels"), "before": (place / "before", place / "before_kernels")}
        print(f"history: this checkout and {told}; {settings.rounds} rounds, {os.cpu_count()} cores\n"
              f"{'case':14s}{'threads':>8s}{'now s':>9s}{'before s':>10s}{'least':>9s}{'least':>9s}{'ratio':>8s}")
        for case in settings.cases or CASES:
            for threads in settings.threads:
                times = alternated(sides, case, threads, settings.dtypes[0], settings)
                ratio = statistics.median(a / b for a, b in zip(times["now"], times["before"], strict=True))
                found[f"{case}, {threads}"] = {**times, "ratio": ratio}
                middle = [statistics.median(times[name]) for name in sides]
                print(f"{case:14s}{threads:8d}{middle[0]:9.3f}{middle[1]:10.3f}{min(times['now']):9.3f}"
                      f"{min(times['before']):9.3f}{ratio:8.3f}{'  slower' * (ratio > SLOWER)}", flush=True)
    return found, all(each["ratio"] <= SLOWER for each in found.values())
