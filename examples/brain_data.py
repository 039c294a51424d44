"""Where a rat is and which state it is in, from spikes of its hippocampus, through Neo and Elephant.

    NEUROSIM_DATA=FOLDER python examples/brain_data.py [--shuffles 20] [--out FOLDER]

Two recordings (hippocampus/: a linear track with 31 units, a W-maze with 25). Spikes become Neo's trains
(`spikes.to_neo()`), Elephant counts them in bins. Place: bins of 250 ms in which the rat moves, five folds of
contiguous time; Bayes' rule with place fields on a grid, beside a ridge regression of the counts, the mean place, and
chance: counts shifted against positions by a minute or more. Errors are medians in pixels of the camera, with 95 %
intervals by bootstrap over pieces of 10 s. State: Poisson regressions (GLM) on place and speed, which switch with
hidden states or do not; learnt on every other piece of 100 s of the linear track, bins of 200 ms; log-likelihood of
the pieces between, over that of constant rates, from the best of a few starts by the likelihood of what was learnt.
(Learnt on the first half and judged on the second, place and speed are worse than constant rates by 2.9 nats/s: the
recording drifts, so that the pieces take turns.)

Source: Zhang et al., J. Neurophysiology 79 (1998) 1017; Escola et al., Neural Computation 23 (2011) 1071. Data: nelpy.
"""

import argparse
import os
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

import neurosim as ns
from neurosim.readouts import PlaceDecoder, SwitchingPoisson

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--shuffles", type=int, default=20, help="shifts for the chance level (20)")
arguments.add_argument("--starts", type=int, default=2, help="starts of each model with states (2)")
arguments.add_argument("--quick", action="store_true", help="a fifth of the linear track, for a test")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for brain_data.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
folder = Path(os.environ.get("NEUROSIM_DATA") or "missing") / "hippocampus"
if not (folder / "w-maze.npz").exists():
    print("brain_data.py needs hippocampus/linear-track.npz and w-maze.npz and did not find them: set NEUROSIM_DATA to "
          "their folder. Nothing was done.")
    sys.exit(0)
from elephant.conversion import BinnedSpikeTrain
from quantities import ms

ns.plot.style()


def recording(name, width):
    """Return counts (bins, units), positions (bins, 2) in pixels and speed (pixels/s), in bins of some ms."""
    with np.load(folder / f"{name}.npz") as file:
        data = dict(file)
    begin, end = data["pos_t"][[0, -1]]
    if options.quick:
        end = begin + (end - begin) / 5
    bins = int((end - begin) * 1000 // width)
    units = np.split(data["spike_t"], data["unit_offsets"][1:-1])
    trains = [1000 * (t[(t > begin) & (t < begin + bins * width / 1000)] - begin) for t in units]
    spikes = ns.Spikes.from_trains(trains, duration=bins * width, name=name)
    counts = BinnedSpikeTrain(spikes.to_neo(), bin_size=width * ms, n_bins=bins, t_start=0 * ms).to_array().T
    at = begin + (np.arange(bins) + 0.5) * width / 1000
    place = np.stack([np.interp(at, data["pos_t"], median_filter(data[key].astype(float), 31))
                      for key in ("pos_x", "pos_y")], axis=1)  # unsigned numbers, whose differences would wrap around
    smooth = gaussian_filter1d(place, 500 / width, axis=0)
    return counts, place, np.linalg.norm(np.gradient(smooth, axis=0), axis=1) * 1000 / width


def held_out(model, counts, place):
    """Return the error of each bin, in pixels, by models that have not seen its fold."""
    found = np.empty(place.shape)
    for train, test in KFold(5).split(counts):
        found[test] = model().fit(counts[train], place[train]).predict(counts[test])
    return np.linalg.norm(found - place, axis=1), found


class Middle:
    """The mean place, whatever the counts."""

    def fit(self, _counts, place):
        self.mean = place.mean(axis=0)
        return self

    def predict(self, counts):
        return np.broadcast_to(self.mean, (len(counts), 2))


def median(errors, piece=40):
    """Return the median error and its interval, by bootstrap over pieces of time."""
    rng, pieces = np.random.default_rng(0), np.array_split(errors, max(len(errors) // piece, 2))
    drawn = [np.median(np.concatenate([pieces[k] for k in rng.integers(0, len(pieces), len(pieces))]))
             for _ in range(500)]
    return np.median(errors), *np.quantile(drawn, (0.025, 0.975))


MODELS = {"place fields, Bayes": lambda: PlaceDecoder(30), "ridge regression": lambda: RidgeCV(np.logspace(-2, 5, 15)),
          "mean place": Middle}
figure, panels = plt.subplots(1, 3, figsize=(12.5, 3.8), layout="constrained", width_ratios=[1.4, 1, 1])
results = {}
for name in ("linear-track",) if options.quick else ("linear-track", "w-maze"):
    counts, place, speed = recording(name, 250.0)
    moves = speed > 20
    counts, place = counts[moves], place[moves]
    print(f"\n{name}: {counts.shape[1]} units, n_test {len(counts)} bins; median error in pixels (95 % interval)")
    for kind, model in MODELS.items():
        errors, found = held_out(model, counts, place)
        results[name, kind] = median(errors)
        print("  {:<30}{:6.1f} ({:.1f} - {:.1f})".format(kind, *results[name, kind]))
        if name == "linear-track" and kind.startswith("place"):
            shown = np.arange(400, min(800, len(found)))
            panels[0].set_ylim(place[shown, 0].min() - 20, place[shown, 0].max() + 60)
            panels[0].plot(place[shown, 0], color="0.6", lw=2, label="rat")
            panels[0].plot(found[shown, 0], ".", color=ns.plot.COLORS[1], ms=3, label="decoded")
    rng = np.random.default_rng(1)
    chance = [np.median(held_out(MODELS["place fields, Bayes"], np.roll(counts, shift, axis=0), place)[0])
              for shift in rng.integers(240, len(counts) - 240, options.shuffles)]
    results[name, "chance"] = (np.mean(chance), *np.quantile(chance, (0.025, 0.975)))
    print("  {:<30}{:6.1f} ({:.1f} - {:.1f}, of {} shifts)".format("place fields, shifted", *results[name, "chance"],
                                                                   options.shuffles))
panels[0].set(xlabel="Bin of 250 ms, moving", ylabel="x (pixels)", title="Linear track, held-out bins")
panels[0].legend(ncols=2, loc="upper center")
names = sorted({name for name, _ in results})
for k, kind in enumerate([*MODELS, "chance"]):
    middle, low, high = np.array([results[name, kind] for name in names]).T
    panels[1].bar(np.arange(len(names)) + 0.2 * (k - 1.5), middle, 0.18, yerr=[middle - low, high - middle], label=kind)
panels[1].set(xticks=range(len(names)), xticklabels=names, ylabel="Median error (pixels)",
              ylim=(0, 1.45 * max(high for _, _, high in results.values())))
panels[1].legend()

# States: which regressions, and how many
counts, place, speed = recording("linear-track", 200.0)
known = np.arange(len(counts)) // 500 % 2 == 0
grid = np.stack(np.meshgrid(*[np.quantile(axis, (0.05, 0.35, 0.65, 0.95)) for axis in place.T]), axis=-1).reshape(-1, 2)
bumps = np.exp(-0.5 * (np.linalg.norm(place[:, None] - grid, axis=2) / 60) ** 2)
bumps = bumps[:, bumps[known].std(axis=0) > 0.05]
covariates = np.hstack([bumps, np.log1p(speed)[:, None] / 5])
print(f"\nlinear track, {(~known).sum()} bins of 200 ms between: log-likelihood over constant rates (nats/s)")
base, scores, models = None, {}, {}
for what, given in (("constant", None), ("place and speed", covariates)):
    for states in (1, 2, 3):
        parts = [None, None] if given is None else [given[known], given[~known]]
        fits = [SwitchingPoisson(states, ridge=1.0, iterations=25, seed=seed).fit(parts[0], counts[known])
                for seed in range(1 if states == 1 else options.starts)]
        models[what, states] = max(fits, key=lambda model: model.scores_[-1])
        score = 5 * models[what, states].score(parts[1], counts[~known])
        base = score if base is None else base
        scores[what, states] = score - base
        print(f"  {what:<16} {states} state{'s' if states > 1 else ' '} {scores[what, states]:8.2f}")
chosen = models["place and speed", 2]
probable = chosen.posterior(covariates[~known], counts[~known]).argmax(axis=1)
for state in range(2):
    here = probable == state
    fast = np.median(speed[~known][here]) if here.any() else np.nan
    print(f"  state {state + 1} of 2: {here.mean():.0%} of the time, {5 * counts[~known][here].mean():.2f} Hz a unit, "
          f"median speed {fast:.1f} pixels/s")
for what in ("constant", "place and speed"):
    panels[2].plot((1, 2, 3), [scores[what, states] for states in (1, 2, 3)], marker="o", label=what)
panels[2].set(xticks=(1, 2, 3), xlabel="Hidden states", ylabel="Log-likelihood gained (nats/s)",
              title="Held-out pieces")
panels[2].legend(title="regression on")
print(f"\nwrote {ns.plot.save(figure, options.out / f'brain_data.{options.format}')}")
