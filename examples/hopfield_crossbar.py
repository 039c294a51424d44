"""An associative memory on a crossbar: how many patterns it holds, against the noise of its devices.

    python examples/hopfield_crossbar.py [--size 600] [--repeats 1] [--out FOLDER]
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from hardware_models.memristor import PCM, HopfieldMemory, Memristor, capacity
from neurosim import plot

plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--size", type=int, default=600, help="units (600)")
arguments.add_argument("--repeats", type=int, default=1, help="sets of patterns to average over (1)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for hopfield_crossbar.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()

DEVICES = {
    "ideal": Memristor(),
    "programming noise 10 %": Memristor(programming_noise=0.1),
    "programming noise 20 %": Memristor(programming_noise=0.2),
    "programming noise 40 %": Memristor(programming_noise=0.4),
    "read noise 50 %": Memristor(read_noise=0.5),
    "5 % stuck": Memristor(stuck_on=0.01, stuck_off=0.04),
    "phase change": PCM.measured(drift=0.0),
}
loads = np.array([0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.13, 0.14, 0.15, 0.16, 0.18])
print(f"{options.size} units; the load (patterns / units) at which the mean overlap falls below 0.9; ideal: 0.138")
figure, (left, right) = plt.subplots(1, 2, figsize=(12.5, 4.2), layout="constrained")
for name, device in DEVICES.items():
    edge, _, overlaps = capacity(options.size, device, loads=loads, repeats=options.repeats)
    print(f"{name:<26}{edge:.3f}")
    left.plot(loads, overlaps, marker=".", label=f"{name}: {edge:.3f}")
left.axvline(0.138, color="grey", ls="--", label="theory: 0.138")
left.set(xlabel="patterns / units", ylabel="overlap after recall")
left.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), title="falls below 0.9 at", frameon=False)

# Recall of one pattern from more and more wrong bits, at a load of 0.05
patterns = np.random.default_rng(0).choice([-1.0, 1.0], (round(0.05 * options.size), options.size))
shares = np.linspace(0, 0.5, 11)
for name in ("ideal", "programming noise 20 %", "phase change"):
    memory = HopfieldMemory(patterns, DEVICES[name])
    right.plot(100 * shares, [memory.overlap(share) for share in shares], marker=".", label=name)
right.set(xlabel="bits that are wrong at the start (%)", ylabel="overlap after recall", title="load 0.05")
right.legend()
path = plot.save(figure, options.out / f"hopfield_crossbar.{options.format}")
print(f"wrote {path}")
