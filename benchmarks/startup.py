"""What it costs to begin: importing, and the first simulation of a process."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time

_SCRIPT = """
import time
began = time.perf_counter()
import neurosim as ns
net = ns.Network()
noise = net.add(ns.Poisson(rate=20.0), 100)
cells = net.add(ns.LIF(tau_mem=20.0), 100)
net.connect(noise, cells, ns.FixedProbability(0.2), weight=4.0, delay=1.5, receptor=ns.ExponentialCurrent(5.0))
net.record(cells)
sim = ns.Simulation(net, dt=0.1)
sim.run(10.0)
print(time.perf_counter() - began)
"""


def _cpu(code: str, **environment) -> tuple[float, float]:
    """Return (CPU seconds, wall seconds) of a Python process that runs some code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env={**os.environ, **environment})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began


def measure(rounds: int) -> dict:
    """Return medians of the CPU time of imports and of the wall time of a first simulation."""
    numpy, ours = [], []
    for _ in range(rounds):
        numpy.append(_cpu("import numpy")[0])
        ours.append(_cpu("import neurosim")[0])
    with tempfile.TemporaryDirectory() as folder:
        cold = _cpu(_SCRIPT, NEUROSIM_CACHE=folder)[1]
        warm = [_cpu(_SCRIPT, NEUROSIM_CACHE=folder)[1] for _ in range(rounds)]
    middle = rounds // 2
    return {"import numpy, CPU s": sorted(numpy)[middle], "import neurosim, CPU s": sorted(ours)[middle],
            "above numpy, CPU s": sorted(ours)[middle] - sorted(numpy)[middle],
            "first simulation of all, wall s": cold, "first simulation of a process, wall s": sorted(warm)[middle]}


def text(measured: dict) -> str:
    """Return the measurement as lines of text."""
    return "\n".join(f"{name:44s} {value:8.3f}" for name, value in measured.items())


if __name__ == "__main__":
    json.dump(measure(5), sys.stdout)
