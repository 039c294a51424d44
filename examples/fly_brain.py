"""A whole fly brain: neurons that taste are driven, and each of those that answer is silenced in turn.

    python examples/fly_brain.py [--full] [--flywire FILE] [--driven ID ...] [--trials N] [--out FOLDER]

The model of Shiu and others (2024) has one kind of neuron, weights that count synapses, and nothing fitted. Twenty
neurons fire at 150 Hz as sugar-sensing ones would. Each of the others that fire is silenced in one trial of a batch,
and what is lost tells who carries the answer: of all spikes but its own, and of those of one neuron that is watched,
the most active that the driven ones do not reach themselves. Without --flywire the connectome is random with
heavy-tailed degrees, a sixth of the published size, and with --full all of it: 138,639 neurons and 15.1 million
connections, 300 trials of a second. It shows what the code does, and nothing of a fly. --flywire takes
`connections.csv.gz` of FlyWire's Codex or `Connectivity_783.parquet` of the paper, and --driven the numbers of the
neurons to drive.
"""

import argparse
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from neurosim.datasets import random_connectome, read_flywire
from neurosim.reservoirs import fly_brain

ns.plot.style()
RATE, JUMP = 150.0, 68.75  # Hz, and mV of an event, which makes a neuron fire
NEVER = 1e3  #: mV, a threshold that no v reaches
KEY = 1  #: of the random numbers that all trials share


def brain(options):
    """Return the network, the driven neurons, and what all neurons are called."""
    if options.flywire is not None:
        found = read_flywire(options.flywire)
        driven = np.flatnonzero(np.isin(found.ids, options.driven))
        if driven.size < len(options.driven) or not driven.size:
            sys.exit(f"--driven must list neurons of {options.flywire.name}; {len(options.driven)} were given, "
                     f"{driven.size} of them are in it")
        return fly_brain(found, driven=driven), driven, found.ids
    found = random_connectome(seed=1) if options.full else random_connectome(23_000, 2_500_000, seed=1)
    reach = np.bincount(found.source[found.count > 0], minlength=found.ids.size)
    driven = np.sort(np.argsort(reach)[-400:-380])  # that reach many
    return fly_brain(found, driven=driven), driven, found.ids


def screen(sim, cells, silenced, duration):
    """Return spike counts of all neurons, with nobody silenced and with each of some neurons silenced."""
    changes = [{}] + [{cells[[k]]: {"v_threshold": NEVER}} for k in silenced]
    results = sim.run_batch(len(changes), duration, changes=changes, keys=[KEY] * len(changes))
    return results[0].spikes(cells), np.array([each.spikes(cells).counts() for each in results])


def plot(spikes, driven, watched, lost, silenced, called, path):
    """Draw the raster of those that fire, how often they do, and what the watched neuron loses."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4.5), layout="constrained", width_ratios=(3, 2, 2))
    counts = spikes.counts()
    order = np.argsort(-counts)[:150]
    row = np.full(counts.size, -1)
    row[order] = np.arange(order.size)
    shown = row[spikes.ids] >= 0
    is_driven = np.isin(spikes.ids, driven)
    for mask, label in ((shown & is_driven, "driven"), (shown & ~is_driven, "others")):
        left.plot(spikes.times[mask], row[spikes.ids[mask]], ".", ms=2, label=label)
    left.set(xlabel="time (ms)", ylabel="neuron, the most active first")
    left.legend(loc="upper right", markerscale=4)
    rates = np.sort(counts[counts > 0])[::-1] / spikes.duration * 1e3
    middle.loglog(np.arange(1, rates.size + 1), rates)
    middle.set(xlabel="rank of a neuron", ylabel="rate (Hz)", title=f"{rates.size} of {counts.size} neurons fire")
    most = np.argsort(-lost[0])[:12][::-1]
    for k, label in enumerate(("of all others", f"of neuron {called[watched]}")):
        right.barh(np.arange(most.size) + 0.2 - 0.4 * k, 100 * lost[k][most], 0.4, label=label)
    right.set_yticks(range(most.size), [str(called[silenced[k]]) for k in most], fontsize=7)
    right.set(xlabel="loss of spikes (%)", ylabel="silenced neuron")
    right.legend(loc="lower right")
    return ns.plot.save(figure, path)


def main():
    """Build, drive, silence, print and plot."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--full", action="store_true", help="the published size, and 300 trials of a second")
    arguments.add_argument("--flywire", type=Path, help="connections.csv(.gz) or Connectivity_783.parquet of FlyWire")
    arguments.add_argument("--driven", type=int, nargs="*", default=[], help="neurons of FlyWire to drive, by number")
    arguments.add_argument("--trials", type=int, help="neurons to silence, one in each trial (60; 300 if --full)")
    arguments.add_argument("--out", type=Path, default=Path("."), help="folder for fly_brain.png")
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    trials, duration = options.trials or (300 if options.full else 60), 1000.0 if options.full else 500.0
    began = time.perf_counter()
    net, driven, called = brain(options)
    cells = net["neurons"]
    net.drive(cells[driven], ns.PoissonDrive(rate=RATE, weight=JUMP))
    net.record(cells)
    sim = ns.Simulation(net, dt=0.1, seed=1)
    print(net)
    print(f"built in {time.perf_counter() - began:.1f} s")
    spikes = sim.run_batch(1, duration, keys=[KEY])[0].spikes(cells)
    counts = spikes.counts()
    fire = np.setdiff1d(np.flatnonzero(counts), driven)
    if not fire.size:
        sys.exit(f"none but the {driven.size} driven neurons fires, so that nobody can be silenced")
    fire = fire[np.argsort(-counts[fire], kind="stable")]
    synapses = sim.synapses("connections")
    reached = np.unique(synapses.target[np.isin(synapses.source, driven)])
    watched = next((k for k in fire if k not in reached), fire[0])
    silenced = fire[fire != watched][:trials]
    began = time.perf_counter()
    spikes, found = screen(sim, cells, silenced, duration)
    took = time.perf_counter() - began
    of_all = [1 - np.delete(row, k).sum() / np.delete(found[0], k).sum()
              for k, row in zip(silenced, found[1:], strict=True)]
    lost = np.array([of_all, 1 - found[1:, watched] / found[0, watched]])
    print(f"{driven.size} neurons driven at {RATE:g} Hz: {fire.size} others fire, {counts[fire].sum()} spikes in "
          f"{duration:g} ms; neuron {called[watched]} is watched: {found[0, watched]} spikes")
    print(f"{len(found)} trials of {duration:g} ms, {len(found) - 1} with one neuron silenced: {took:.1f} s, "
          f"{took / len(found) / duration * 1e3:.3f} of the time of the brain")
    for k in np.argsort(-lost[0])[:5]:
        print(f"  without neuron {called[silenced[k]]}: all others spike {100 * lost[0, k]:.1f} % less, and "
              f"{called[watched]} {found[k + 1, watched]} times")
    print(f"wrote {plot(spikes, driven, watched, lost, silenced, called, options.out / 'fly_brain.png')}")


if __name__ == "__main__":
    main()
