"""Seven chaotic systems foreseen by reservoirs: for how long, and what time scales are good for.

    python examples/chaos_forecast.py [--seeds 10] [--full] [--out FOLDER]

Each seed has a trajectory and a network of its own. 4,000 points are learnt, and the reservoir then goes on alone; the
forecast holds until its error exceeds 0.4 of the spread of the attractor, in Lyapunov times. Reservoirs: an echo state
network whose units share one leak; the same with leaks from 0.03 to 1 (multi-scale), with a state that turns (ES2N) and
of five groups with a ring of eigenvalues each (onion; 300 units each; --full: 1,000); NVAR, products of past inputs.
Input scaling and penalty of each system are chosen for the first of these, on other trajectories; the others have the
same. Baseline: the last point, for ever. Medians with a 95 % interval by bootstrap. Last: a memory task with two time
scales, the product of means of a noise over about 2 and 50 steps; NRMSE of 200 units with one leak, the best of six for
each seed on the data that is reported, and with leaks from 0.01 to 1.

Source: Jaeger, Haas, Science 304 (2004) 78; Tanaka et al., Physical Review Research 4 (2022) L032014; Ceni, Gallicchio,
IEEE TNNLS 36 (2025) 7555; Tortorella, Micheli, ICANN 2024, LNCS 15025, 117; Gauthier et al., Nature Communications 12
(2021) 5564.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import lfilter
from sklearn.linear_model import RidgeCV

from neurosim import plot
from neurosim.datasets import FLOWS, flow, mackey_glass
from neurosim.reservoirs import NVAR, EchoState, Forecaster, valid_time

plot.style()
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--seeds", type=int, default=10, help="trajectories and networks (10)")
arguments.add_argument("--full", action="store_true", help="1,000 units, 20 seeds")
arguments.add_argument("--quick", action="store_true", help="100 units and two systems, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for chaos_forecast.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
options.seeds = max(options.seeds, 20) if options.full else options.seeds
UNITS = 1000 if options.full else 100 if options.quick else 300
LEARN, AHEAD = 4000, {"mackey_glass": 1400}  # as long as some forecasts hold; 700 for the others
#: input scaling, leak and penalty, chosen on other trajectories by the median valid time
CHOSEN = {"lorenz": (0.1, 1.0, 1e-9), "mackey_glass": (0.3, 0.3, 1e-9), "rossler": (0.3, 0.3, 1e-7),
          "chen": (0.1, 1.0, 1e-9), "halvorsen": (0.1, 1.0, 1e-9), "thomas": (1.0, 1.0, 1e-7),
          "sprott_b": (0.1, 1.0, 1e-9)}
SYSTEMS = list(CHOSEN)[:2] if options.quick else list(CHOSEN)


def trajectories(name):
    """Return one trajectory for each seed, and the points in a Lyapunov time."""
    times = LEARN + AHEAD.get(name, 700)
    if name != "mackey_glass":
        made = FLOWS[name]
        return flow(name, times, samples=options.seeds, seed=7), 1 / made.lyapunov / made.every
    series = mackey_glass(options.seeds * (times + 300), washout=1000.0, substeps=4)
    return series.reshape(options.seeds, -1, 1)[:, :times], 1 / 0.0058


def reservoirs(name, inputs, seed):
    """Return the reservoirs by name."""
    scaling, leak, _ = CHOSEN[name]
    shared = {"spectral_radius": 0.9, "input_scaling": scaling, "bias_scaling": 0.5, "density": 6 / UNITS, "seed": seed}
    return {"one time scale": EchoState(UNITS, inputs, leak=leak, **shared),
            "multi-scale": EchoState(UNITS, inputs, leak=np.logspace(-1.5, 0, UNITS), **shared),
            "ES2N": EchoState(UNITS, inputs, leak=0.5, carry="orthogonal", **shared),
            "onion": EchoState(UNITS, inputs, leak=leak, weights="onion", **shared),
            "NVAR": NVAR(inputs, lags=2) if inputs > 1 else NVAR(inputs, lags=6, stride=3, order=3)}


def median(values):
    """Return the median and its 95 % interval by bootstrap."""
    drawn = np.random.default_rng(0).choice(values, (2000, len(values)))
    return np.median(values), *np.quantile(np.median(drawn, axis=1), (0.025, 0.975))


found, shown = {}, {}
for name in SYSTEMS:
    data, lyapunov = trajectories(name)
    spread = np.sqrt(((data - data.mean(axis=(0, 1))) ** 2).sum(axis=-1).mean())
    for seed, series in enumerate(data):
        truth = series[LEARN:]
        still = np.broadcast_to(series[LEARN - 1], truth.shape)
        found.setdefault((name, "last point"), []).append(valid_time(still, truth, spread=spread) / lyapunov)
        for kind, reservoir in reservoirs(name, series.shape[1], seed).items():
            forecast = Forecaster(reservoir, ridge=CHOSEN[name][2]).fit(series[:LEARN]).forecast(len(truth))
            found.setdefault((name, kind), []).append(valid_time(forecast, truth, spread=spread) / lyapunov)
            if seed == 0 and kind == "one time scale":
                shown[name] = np.arange(len(truth)) / lyapunov, truth[:, 0], forecast[:, 0]
KINDS = ["one time scale", "multi-scale", "ES2N", "onion", "NVAR", "last point"]
print(f"valid time in Lyapunov times, median of {options.seeds} seeds (95 % interval), {UNITS} units")
print(f"{'':<14}" + "".join(f"{kind:>22}" for kind in KINDS))
for name in SYSTEMS:
    cells = ["{:.2f} ({:.2f} - {:.2f})".format(*median(found[name, kind])) for kind in KINDS]
    print(f"{name:<14}" + "".join(f"{cell:>22}" for cell in cells))

LEAKS = (0.02, 0.05, 0.1, 0.3, 0.6, 1.0)


def two_scales(seed, leak):
    """Return the error of a readout for the product of a fast and a slow mean of the input."""
    u = np.random.default_rng([seed, 5]).uniform(-1, 1, 4000)
    target = np.prod([lfilter([1 / tau], [1, 1 / tau - 1], u) for tau in (2.0, 50.0)], axis=0)[200:]
    x = EchoState(200, leak=leak, input_scaling=0.5, bias_scaling=0.5, density=0.05, seed=seed).transform(u[:, None])
    x, target = x[200:], target / target.std()
    read = RidgeCV(np.logspace(-8, 0, 5)).fit(x[:1900], target[:1900])
    return np.sqrt(np.mean((read.predict(x[1900:]) - target[1900:]) ** 2))


single = np.array([[two_scales(seed, leak) for leak in LEAKS] for seed in range(options.seeds)])
many = np.array([two_scales(seed, np.logspace(-2, 0, 200)) for seed in range(options.seeds)])
print("\ntwo time scales, NRMSE: best leak {:.3f} ({:.3f} - {:.3f}), multi-scale {:.3f} ({:.3f} - {:.3f}), ratio "
      "{:.2f} ({:.2f} - {:.2f})".format(*median(single.min(axis=1)), *median(many), *median(many / single.min(axis=1))))

# Look: a forecast of each system, and the medians.
figure = plt.figure(figsize=(11, 1.1 * len(SYSTEMS) + 0.6), layout="constrained")
grid = figure.add_gridspec(len(SYSTEMS), 2, width_ratios=[1.4, 1])
for row, name in enumerate(SYSTEMS):
    panel = figure.add_subplot(grid[row, 0])
    times, truth, forecast = shown[name]
    panel.plot(times, truth, color="0.6", label="truth")
    panel.plot(times, forecast, color=plot.COLORS[1], lw=1, label="forecast")
    panel.set(ylabel=name.replace("_", "\n"), yticks=[], xlim=(0, min(10, times[-1])),
              ylim=(truth.min() * 1.2, truth.max() * 1.2))
    if row == 0:
        panel.legend(loc="upper right", ncols=2)
panel.set_xlabel("Time (Lyapunov times)")
half = (len(SYSTEMS) + 1) // 2
panel = figure.add_subplot(grid[:half, 1])
for k, kind in enumerate(KINDS):
    middle, low, high = np.array([median(found[name, kind]) for name in SYSTEMS]).T
    panel.errorbar(middle, np.arange(len(SYSTEMS)) + 0.13 * (k - 2.5), xerr=[middle - low, high - middle],
                   fmt="oDs^v*"[k], ms=4, label=kind)
panel.set(yticks=range(len(SYSTEMS)), yticklabels=SYSTEMS, xlabel="Valid time (Lyapunov times)")
panel.invert_yaxis()
panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
panel = figure.add_subplot(grid[half:, 1])
panel.errorbar(LEAKS, single.mean(axis=0), single.std(axis=0), marker="o", label="one leak")
panel.axhline(many.mean(), color=plot.COLORS[1], label="leaks 0.01 to 1")
panel.set(xscale="log", yscale="log", xlabel="Leak", ylabel="NRMSE", title="Two time scales")
panel.legend()
print(f"\nwrote {plot.save(figure, options.out / f'chaos_forecast.{options.format}')}")
