"""Two threads beside one, on an idle machine and while other processes keep cores busy.

Threads that wait for each other by spinning make a simulator many times slower where they share cores with others. So
two threads must never be much slower than one, whatever else runs; this says so with numbers.
"""

import statistics
import subprocess
import sys
import time

from benchmarks import child
from benchmarks.compare import cores
from benchmarks.peers import OURS

CASES = ("cuba", "brunel")
MOST = 2.0  #: times the time of one thread that two may take under load, on a machine that is otherwise quiet
_BUSY = "while True: pass"


class Busy:
    """Processes that keep cores busy while this lasts."""

    def __init__(self, n):
        self.n, self.processes = n, []

    def __enter__(self):
        self.processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(self.n)]
        time.sleep(0.2 * (self.n > 0))

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


def measure(name, settings, busy) -> dict:
    """Return the medians of one and two threads in alternation, with some busy processes."""
    found = {1: [], 2: []}
    with Busy(busy):
        for _ in range(settings.rounds):
            for threads, results in found.items():
                results.append(child.run(
                    "benchmarks.child:measure", environment=OURS.environment(threads), peer=OURS.name, case=name,
                    scale=settings.scale, fraction=settings.fraction, threads=threads,
                    dtype=settings.dtypes[0])["simulate"])
    one, two = (statistics.median(found[threads]) for threads in (1, 2))
    return {"case": name, "busy": busy, "one": one, "two": two, "ratio": two / one}


def judge(rows) -> list[str]:
    """Return a sentence for each case in which two threads were much slower than one."""
    return [f"{row['case']} with {row['busy']} busy processes: two threads must take at most {MOST:g} times as long as "
            f"one, got {row['ratio']:.2f}" for row in rows if row["ratio"] > MOST]


def main(settings, out) -> tuple[list, bool]:
    """Measure, show the table, and return it with whether two threads are never much slower."""
    n = cores()
    rows = [measure(name, settings, busy) for name in CASES for busy in (0, 1, n)]
    print(f"\n{n} cores\n{'case':10s}{'busy processes':>16s}{'1 thread s':>12s}{'2 threads s':>13s}{'2 / 1':>8s}")
    for row in rows:
        print(f"{row['case']:10s}{row['busy']:16d}{row['one']:12.3f}{row['two']:13.3f}{row['ratio']:8.2f}")
    slow = judge(rows)
    print("\n".join(slow))
    return rows, not slow
