"""Three published connectomes as networks: a larval fly, a worm, the visual system of a fly.

    NEUROSIM_DATA=FOLDER python examples/connectomes.py [--out FOLDER] [--columns N]

FOLDER/connectomes holds `larva_edges.csv.gz` and `larva_neurons.csv.gz` (Winding et al. 2023),
`celegans_NeuronConnect.csv` (Varshney et al. 2011) and `flyvis_fib25-fib19_v2.2.json.gz` (Lappalainen et al. 2024).
What is not in them is stated: the larva and the worm come without signs, so all their synapses excite here, and
activity says what follows from the wiring alone. Neurons are leaky integrators that fire, which those of the worm and
of the fly's lamina are not. All get some noise; after 150 ms sensory neurons are driven, and the others answer.
"""

import argparse
import csv
import gzip
import json
import os
import sys
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import neurosim as ns

JUMP = 0.05  #: mV for each synapse of an edge
CELL = ns.LIF(tau_mem=20.0, v_leak=-52.0, v_reset=-52.0, v_threshold=-45.0, t_ref=2.2)  #: as Shiu et al. 2024 have it


def larva(folder):
    """Return the network of the larval brain, and its sensory neurons; edges have no signs."""
    with gzip.open(folder / "larva_neurons.csv.gz", "rt") as file:
        neurons = list(csv.DictReader(file))
    edges = np.loadtxt(folder / "larva_edges.csv.gz", delimiter=",", skiprows=1, dtype=np.int64)
    ids = np.array([int(row["id"]) for row in neurons])
    net = ns.Network.from_edges(edges[:, 0], edges[:, 1], CELL, ids=ids, weight=JUMP * edges[:, 2], delay=1.8)
    return net, [k for k, row in enumerate(neurons) if row["simple_group"] == "sensories"], "none: all excite"


def worm(folder):
    """Return the network of C. elegans, chemical synapses and gap junctions, and its sensory neurons; no signs.

    The file lists a synapse with the sender first (S, Sp) and again with the receiver first (R, Rp), and a gap junction
    (EJ) from both sides; each is taken once.
    """
    with open(folder / "celegans_NeuronConnect.csv", newline="") as file:
        rows = [(row["Neuron 1"], row["Neuron 2"], row["Type"], int(row["Nbr"])) for row in csv.DictReader(file)]
    chemical = [row for row in rows if row[2] in ("S", "Sp")]
    gaps = [row for row in rows if row[2] == "EJ" and row[0] <= row[1]]
    ids = sorted({name for one, other, *_ in (*chemical, *gaps) for name in (one, other)})
    source, target, _, many = zip(*chemical, strict=True)
    net = ns.Network.from_edges(source, target, CELL, ids=ids, weight=5 * JUMP * np.array(many), delay=1.0)
    place = {name: k for k, name in enumerate(ids)}
    joined = ns.Explicit([place[one] for one, *_ in gaps], [place[other] for _, other, *_ in gaps])
    net.couple("neurons", "neurons", joined, conductance=0.05 * np.array([many for *_, many in gaps], dtype=float))
    sensory = [place[name] for name in ("ASEL", "ASER", "ASHL", "ASHR", "AWCL", "AWCR", "PLML", "PLMR", "ALML", "ALMR")]
    return net, sensory, "none: all excite"


def visual_system(folder, columns):
    """Return the network of the visual system, each type in each column of a hexagon, and its photoreceptors.

    Edges are of types: so many synapses from a column that lies (du, dv) away. Their signs are in the file.
    """
    with gzip.open(folder / "flyvis_fib25-fib19_v2.2.json.gz", "rt") as file:
        found = json.load(file)
    u, v = (axis.ravel() for axis in np.mgrid[-columns:columns + 1, -columns:columns + 1])
    inside = np.abs(u + v) <= columns
    u, v = u[inside], v[inside]
    grid = np.full((4 * columns + 15, 4 * columns + 15), -1)  # with room for the longest offsets
    middle = 2 * columns + 7
    grid[u + middle, v + middle] = np.arange(len(u))
    types = {node["name"]: k for k, node in enumerate(found["nodes"])}
    every = {node["name"]: node["pattern"][1] for node in found["nodes"]}  # some types are not in every column
    there = {name: (u % every[name][0] == 0) & (v % every[name][1] == 0) for name in types}
    parts = []
    for edge in found["edges"]:
        for (du, dv), synapses in edge["offsets"]:
            to = np.flatnonzero(there[edge["tar"]])
            of = grid[u[to] + du + middle, v[to] + dv + middle]
            good = (of >= 0) & there[edge["src"]][of]
            parts.append((types[edge["src"]] * len(u) + of[good], types[edge["tar"]] * len(u) + to[good],
                          np.full(np.count_nonzero(good), edge["alpha"] * synapses)))
    source, target, signed = map(np.concatenate, zip(*parts, strict=True))
    ids = np.concatenate([k * len(u) + np.flatnonzero(there[name]) for name, k in types.items()])
    net = ns.Network.from_edges(source, target, CELL, ids=ids, weight=JUMP * signed, delay=1.8)
    seen = np.isin(ids // len(u), [types[name] for name in found["input_units"]])
    return net, np.flatnonzero(seen), f"{(signed < 0).mean():.0%} of the edges inhibit"


def main():
    """Build all three, drive their inputs, and show what answers."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=Path("."), help="folder for connectomes.png")
    arguments.add_argument("--columns", type=int, default=5, help="radius of the hexagon of columns (5; whole: 15)")
    options = arguments.parse_args()
    folder = Path(os.environ.get("NEUROSIM_DATA") or "nowhere") / "connectomes"
    if not folder.is_dir():
        print("set NEUROSIM_DATA to the folder that has connectomes/ with the files named in this script")
        return
    made = {"larva of Drosophila": larva(folder), "C. elegans": worm(folder),
            "visual system of Drosophila": visual_system(folder, options.columns)}
    ns.plot.style()
    figure, rows = plt.subplots(3, 2, figsize=(9, 8), layout="constrained", width_ratios=[2.4, 1])
    print(f"{'connectome':<29}{'neurons':>8}{'edges':>9}  {'signs':<26}{'before':>8}{'answer':>8} Hz")
    for (title, (net, inputs, signs)), (left, right) in zip(made.items(), rows, strict=True):
        neurons = net["neurons"]
        drive = net.add(ns.Poisson(rate=0.0), len(inputs), name="drive")
        net.connect(drive, neurons, ns.Explicit(np.arange(len(inputs)), inputs), weight=8.0, delay=0.1)
        net.drive(neurons, ns.PoissonDrive(rate=300.0, weight=1.0))
        net.record(neurons)
        sim = ns.Simulation(net, dt=0.1, seed=1)
        sim.run(150.0)
        sim.set(drive, rate=100.0)
        sim.run(150.0)
        spikes = sim.spikes(neurons)
        before, answer = (spikes.between(start, start + 100.0).rates() for start in (50.0, 200.0))
        synapses = sim.synapses("neurons -> neurons")
        rest = np.setdiff1d(np.arange(neurons.size), inputs)
        print(f"{title:<29}{neurons.size:>8}{len(synapses):>9}  {signs:<26}{before[rest].mean():>8.1f}"
              f"{answer[rest].mean():>8.1f}")
        ns.plot.raster(spikes, ax=left)
        left.set_title(title)
        degrees = np.bincount(synapses.source, minlength=neurons.size)
        right.hist(degrees, bins=np.arange(0, np.percentile(degrees, 99) + 2, max(1, degrees.max() // 60)))
        right.set(xlabel="targets of a neuron", ylabel="neurons", yscale="log")
    ns.plot.save(figure, options.out / "connectomes.png", lettered=False, dpi=110)
    print(f"\nwrote {options.out / 'connectomes.png'}")


if __name__ == "__main__":
    sys.exit(main())
