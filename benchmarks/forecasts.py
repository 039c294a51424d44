"""Forecasts of seven chaotic systems beside ReservoirPy's: the same networks, sizes and settings.

Both have 300 units, density 0.02, radius 0.9, biases +-0.5, a readout of input and states that is trained on 4,000
points, and go on alone. ReservoirPy is given our random matrices, so that nothing differs by chance but by method: ours
learns differences of points, as `Forecaster` does; ReservoirPy's `Ridge` the next point, as in its tutorials. Each has
three penalties, and the best median of the valid time over 20 seeds counts, in Lyapunov times. The 95 % interval of our
median minus theirs is by bootstrap over seeds; a median of ours below theirs fails.
"""

import copy
import importlib.util

import numpy as np

UNITS, LEARN, AHEAD, SEEDS = 300, 4000, 700, 20
OURS, THEIRS = (1e-6, 1e-8, 1e-10), (1e-3, 1e-5, 1e-7)  # penalties: ours are for a mean over points, theirs for a sum
#: input scaling and leak, as in examples/chaos_forecast.py
SETTINGS = {"lorenz": (0.1, 1.0), "mackey_glass": (0.3, 0.3), "rossler": (0.3, 0.3), "chen": (0.1, 1.0),
            "halvorsen": (0.1, 1.0), "thomas": (1.0, 1.0), "sprott_b": (0.1, 1.0)}


def trajectories(name):
    """Return one trajectory for each seed, shape (seeds, times, variables), and the points in a Lyapunov time."""
    from neurosim.datasets import FLOWS, flow, mackey_glass

    if name != "mackey_glass":
        return (flow(name, LEARN + AHEAD, samples=SEEDS, seed=7), 1 / FLOWS[name].lyapunov / FLOWS[name].every)
    series = mackey_glass(SEEDS * (LEARN + 2 * AHEAD + 300), washout=1000.0, substeps=4)
    return series.reshape(SEEDS, -1, 1)[:, :LEARN + 2 * AHEAD], 1 / 0.0058


def network(name, series, seed):
    """Return the echo state network that both have."""
    from neurosim.reservoirs import EchoState

    scaling, leak = SETTINGS[name]
    return EchoState(UNITS, series.shape[1], spectral_radius=0.9, leak=leak, input_scaling=scaling, bias_scaling=0.5,
                     density=0.02, seed=seed)


def ours(name, series, seed, ahead):
    """Return the forecasts, one for each penalty."""
    from neurosim.reservoirs import Forecaster

    return [Forecaster(network(name, series, seed), ridge=ridge).fit(series).forecast(ahead) for ridge in OURS]


def reservoirpy(name, series, seed, ahead):
    """Return ReservoirPy's, one for each penalty."""
    from reservoirpy.nodes import Reservoir, Ridge

    shared = network(name, series, seed)
    centre, spread = series.mean(axis=0), series.std(axis=0)
    u, found = (series - centre) / spread, []
    taught = Reservoir(W=shared.w, Win=shared.w_in, bias=shared.bias, lr=SETTINGS[name][1])
    features = np.hstack([u[:-1], taught.run(u[:-1])])[100:]
    for penalty in THEIRS:
        node, read = copy.deepcopy(taught), Ridge(ridge=penalty).fit(features, u[101:])
        y, path = u[-1], np.empty((ahead, u.shape[1]))
        for t in range(ahead):
            y = np.ravel(read.step(np.concatenate([y, np.ravel(node.step(y))])))
            path[t] = y
        found.append(path * spread + centre)
    return found


def main(settings, _out) -> tuple:
    """Measure; return (what was found, whether no median of ours is below ReservoirPy's)."""
    from neurosim.reservoirs import valid_time

    there, found, good = importlib.util.find_spec("reservoirpy") is not None, {}, True
    for name in SETTINGS:
        data, lyapunov = trajectories(name)
        spread = np.sqrt(((data - data.mean(axis=(0, 1))) ** 2).sum(axis=-1).mean())
        medians, best = {}, {}
        for who in (ours, reservoirpy)[:1 + there]:
            times = [[valid_time(one, series[LEARN:], spread=spread) / lyapunov
                      for one in who(name, series[:LEARN], seed, len(series) - LEARN)]
                     for seed, series in enumerate(data)]
            medians[who.__name__] = float(np.median(times, axis=0).max())
            best[who.__name__] = np.array(times)[:, np.median(times, axis=0).argmax()]
        found[name], told = medians, ""
        if there:
            pick = np.random.default_rng(0).integers(0, SEEDS, (2000, SEEDS))
            apart = [np.median(best["ours"][row]) - np.median(best["reservoirpy"][row]) for row in pick]
            low, high = np.quantile(apart, (0.025, 0.975))
            good = good and medians["ours"] >= medians["reservoirpy"]
            told = f"   difference {low:.2f} to {high:.2f}"
        print(f"  {name:<14}" + "".join(f"{who} {value:6.2f}   " for who, value in medians.items())
              + "Lyapunov times" + told, flush=True)
    if not there:
        print("  ReservoirPy is not installed (pip install reservoirpy)")
    return found, good
