"""Structural plasticity: a random projection finds out which groups belong together.

    python examples/rewiring.py [--out FOLDER]

Four groups of inputs are active one at a time, and so are four groups of cells, driven by a teacher. A projection
connects a tenth of all pairs at random and learns by pair STDP. Every two seconds it is rewired: the tenth of its
synapses that have become weakest go, and as many grow, where the spike counts of a pair are most correlated. There are
always as many synapses. Two controls: growth at random, and growth by correlation with weights that do not learn, so
that it says nothing which synapses are weakest.

Chance is a quarter of the synapses within groups of one number.
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from learning_rules import BlockMask, PairSTDP, Rewiring

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--turns", type=int, default=20, help="number of turns (20)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for rewiring.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
GROUPS, N_IN, N, TURN, SLOT = 4, 100, 60, 2000.0, 100  # a turn and a slot in ms
STDP = PairSTDP(a_plus=0.02, a_minus=0.022, w_max=1.0)
MEMBERS = BlockMask(groups=GROUPS).mask(N_IN, N)  # which pairs are of groups of one number


def activity(size, rate, rng, active):
    """Return spikes of a population whose groups are active in turn: 3 Hz, or `rate` in a group's slots."""
    member = np.arange(size) * GROUPS // size
    rates = np.where(active[:, None] == member, rate, 3.0).repeat(SLOT, axis=0)
    return ns.Spikes.from_dense(rng.random(rates.shape) < rates * 1e-3, 1.0)


def network(seed, plasticity):
    """Return the network and the name of the projection that is rewired."""
    rng = np.random.default_rng(seed)
    active = rng.integers(0, GROUPS, round(options.turns * TURN / SLOT))
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(activity(N_IN, 40.0, rng, active)), name="inputs")
    teacher = net.add(ns.SpikeSource(activity(N, 40.0, rng, active)), name="teacher")
    cells = net.add(ns.LIF(tau_mem=10.0, t_ref=2.0), N, name="cells")
    net.connect(teacher, cells, ns.OneToOne(), weight=30.0, delay=5.0)
    net.connect(inputs, cells, ns.FixedProbability(0.1), weight=ns.Uniform(0.3, 0.7), delay=1.0, plasticity=plasticity,
                name="rewired")
    net.record(inputs)
    net.record(cells)
    return net


def rewired(rule, plasticity, seed=0):
    """Return the share of synapses within groups after each turn, the number of synapses, and the last weights."""
    sim = ns.Simulation(network(seed, plasticity), dt=1.0, seed=seed)
    shares, counts = [], []
    for turn in range(options.turns):
        synapses = sim.synapses("rewired")
        shares.append(MEMBERS[synapses.source, synapses.target].mean())
        counts.append(synapses.source.size)
        if turn == 0:
            first = sim.weights("rewired", sparse=True).toarray()
        sim.run(TURN)
        sim = rule.go_on(sim, "rewired", bin=50.0, since=sim.time - TURN, seed=turn)
    return np.array(shares), set(counts), first, sim.weights("rewired", sparse=True).toarray()


WAYS = {"STDP, growth by correlation": (Rewiring(fraction=0.1, weight=0.5, grow="positive"), STDP),
        "fixed weights, growth by correlation": (Rewiring(fraction=0.1, weight=0.5, grow="positive"), None),
        "STDP, growth at random": (Rewiring(fraction=0.1, weight=0.5, grow="random"), STDP)}
print(f"{'':<38}{'synapses':>9}{'within groups: before':>23}{'after':>7}{'seconds':>9}")
found = {}
for name, way in WAYS.items():
    began = time.perf_counter()
    found[name] = rewired(*way)
    shares, counts, _, _ = found[name]
    print(f"{name:<38}{'/'.join(map(str, counts)):>9}{shares[0]:>23.1%}{shares[-1]:>7.1%}"
          f"{time.perf_counter() - began:>9.1f}")
print(f"{'chance':<38}{'':>9}{MEMBERS.mean():>23.1%}")

# Look: the weights before and after, and the share of synapses within groups.
figure, panels = plt.subplots(1, 3, figsize=(12, 4), layout="constrained", width_ratios=[1, 1, 1.3])
_, _, first, last = found["STDP, growth by correlation"]
for axes, weights, title in ((panels[0], first, "Before"), (panels[1], last, f"After {options.turns} turns")):
    image = axes.imshow(np.ma.masked_equal(weights, 0.0), cmap="viridis", vmin=0, vmax=1, aspect="auto",
                        interpolation="none")
    axes.set(title=title, xlabel="Cell", ylabel="Input")
figure.colorbar(image, ax=panels[1], label="Weight (mV)")
for (name, (shares, *_)), color in zip(found.items(), ns.plot.COLORS, strict=False):
    panels[2].plot(100 * shares, "o-", color=color, markersize=3, label=name)
panels[2].axhline(100 * MEMBERS.mean(), color="0.6", linestyle=":", label="chance")
panels[2].set(xlabel="Turn", ylabel="Synapses within groups (%)", ylim=(0, 105))
panels[2].legend(frameon=False, fontsize="small", loc="upper left")
panels[2].spines[["top", "right"]].set_visible(False)
path = ns.plot.save(figure, options.out / f"rewiring.{options.format}")
print(f"\nwrote {path}")
