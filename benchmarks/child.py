"""Every measurement is a process of its own, so that nobody inherits another's threads, memory or caches.

`python -m benchmarks.child JOB` runs one job, a JSON object, and prints its result as the last line.
"""

import importlib
import json
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 1800  #: seconds that a job may take


class Failed(Exception):
    """A job that did not end well; the message says which and shows the end of what it wrote."""


def run(function: str, /, *, environment=None, root: Path = ROOT, **arguments):
    """Call a function, "module:name", in a new process and return its result, with "memory_mb" in it if it is a dict.

    Args:
        function: where it is.
        environment: of the process; that of this one by default.
        root: folder of the checkout whose packages are called; this one by default.
        arguments: what it is called with; JSON must be able to say it.
    """
    command = [sys.executable, "-m", "benchmarks.child", json.dumps({"function": function, "arguments": arguments})]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, timeout=LONGEST)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{function} {arguments} did not end within {LONGEST} s") from error
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise Failed(f"{function} {arguments} ended with {done.returncode}:\n{done.stderr[-1500:]}")
    return json.loads(lines[-1])


def measure(peer: str, case: str, scale: float, fraction: float, threads: int, dtype: str, **more) -> dict:
    """Measure a case in this process."""
    from benchmarks.cases import CASES
    from benchmarks.peers import peer_of

    found = peer_of(peer)
    chosen = CASES[case].scaled(scale).shortened(fraction)
    chosen = replace(chosen, run=min(chosen.run, chosen.peer_run.get(peer, chosen.run)))
    module = importlib.import_module(found.module)
    with PeakOfChildren() as peak:
        result = getattr(module, more.pop("function", found.function))(chosen, threads, dtype, **more)
    return result | {"run": chosen.run, "versions": module.versions(),
                     "memory_mb": max(peak.mb, resident_mb("VmHWM") if peak.mb == 0 else 0)}


class PeakOfChildren:
    """Watches the memory of programs named `main` that this process starts: Brian2's, and not its compiler's."""

    mb = 0.0

    def __enter__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.02):
            for listed in Path("/proc/self/task").glob("*/children"):
                try:
                    for child in listed.read_text().split():
                        if Path(f"/proc/{child}/comm").read_text().strip() == "main":
                            self.mb = max(self.mb, resident_mb("VmHWM", child))
                except OSError:
                    continue


def resident_mb(what: str, process: str = "self") -> float:
    """Return a line of a process's memory, MB: VmRSS now, VmHWM at most; 0 where the system does not say."""
    try:
        found = re.search(what + r":\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        found = None
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    """Run the job of the command line."""
    job = json.loads(sys.argv[1])
    module, name = job["function"].split(":")
    result = getattr(importlib.import_module(module), name)(**job["arguments"])
    print("\n" + json.dumps(result))


if __name__ == "__main__":
    main()
