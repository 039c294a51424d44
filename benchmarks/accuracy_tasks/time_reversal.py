"""A task in which time is everything: was a saccade of N-MNIST played forwards or backwards?

    NEUROSIM_DATA=FOLDER python -m benchmarks.accuracy_tasks.time_reversal

The first saccade (105 ms) of every recording is shown as it is and with its times mirrored, polarity kept, so that
every channel has the same number of events in both. Five folds by recording: both versions of one are trained on, or
neither. In every fold the training recordings alone choose the liquid, by the accuracy on a fifth of them, and the
penalty of the ridge readout; each seed makes other liquids and other folds.
"""

import argparse
import time

import numpy as np
from sklearn.model_selection import StratifiedKFold

from benchmarks.accuracy_tasks import SplitRidge, data, row
from neurosim.datasets import NMNIST, to_spikes
from neurosim.reservoirs import Counts, Liquid, NalsmLattice, OrientedInput, Traces

SENSOR = (34, 34, 2)
WINDOW = 105.0  #: ms
TAUS = (5.0, 20.0, 50.0, 100.0)  #: ms, of the traces of the input
LIQUID_TAUS = (10.0, 20.0, 40.0)  #: ms
CANDIDATES = ((40.0, 0.0), (40.0, 0.5), (80.0, 0.5))  #: weights of the input and within the liquid, mV


def recordings():
    """Return the spikes forwards, the spikes backwards, and the digits."""
    path, = data("nmnist/N-MNIST_subset.zip")
    parts = [NMNIST(path, train=train, saccade=0) for train in (True, False)]
    forwards = [to_spikes(events, SENSOR, dt=1.0, duration=WINDOW) for part in parts for events, _ in part]
    backwards = [spikes.replace(ticks=round(WINDOW) + 1 - np.asarray(spikes.ticks, np.int64), ids=spikes.ids)
                 for spikes in forwards]
    return forwards, backwards, np.concatenate([part.labels for part in parts])


def cross_validated(choices, digits, seed: int) -> tuple[float, list]:
    """Return the accuracy in five folds, and the choice made in each.

    Args:
        choices: feature matrices, among which the training recordings choose; the first half of the rows of each is
            forwards, the other half the same recordings backwards.
        digits: one for each recording; folds have the same share of each.
        seed: of the folds.
    """
    n, right, chosen = len(digits), [], []
    labels = np.repeat([0, 1], n)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(digits, digits):
        both = np.concatenate([train, train + n])
        held_out = np.tile(np.random.default_rng(seed).permutation(len(train)) % 5 == 0, 2)
        fits = [SplitRidge().fit(X[both], labels[both], held_out) for X in choices]
        best = int(np.argmax([fit.held_out_accuracy for fit in fits]))
        for which in (test, test + n):
            right.extend(fits[best].predict(choices[best][which]) == labels[which])
        chosen.append(best)
    return float(np.mean(right)), chosen


def liquid_features(samples, seed: int) -> list:
    """Return counts and square roots of traces of every candidate for the liquid."""
    found = []
    for weight, recurrence in CANDIDATES:
        liquid = Liquid(NalsmLattice(), OrientedInput(SENSOR, weight=weight), excitation=recurrence,
                        inhibition=-recurrence, seed=seed)
        states = liquid.states(samples, WINDOW, [Counts(), Traces(LIQUID_TAUS)])
        found.append((states[:, :liquid.size], np.sqrt(states[:, liquid.size:])))
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, default=5, help="how many seeds (default 5)")
    options.add_argument("--input-seeds", type=int, default=2, help="how many for the controls, in which nothing but "
                         "the folds is random (default 2)")
    seeds = options.parse_args()
    began = time.perf_counter()
    forwards, backwards, digits = recordings()
    samples, n = forwards + backwards, len(digits)
    print(f"{n} recordings, each forwards and backwards; n_test {2 * n}, chance 50 %; {seeds.seeds} seeds, controls "
          f"{seeds.input_seeds}\n\n| features | accuracy | 95 % interval | seeds |\n|---|---|---|---|")
    # the two versions of a recording are not independent of each other: intervals are those for n recordings
    controls = {"input counts, no liquid": Counts().matrix(samples)}
    for tau in TAUS:
        controls[f"leaky traces of the input, tau {tau:g} ms, no liquid"] = Traces(tau).matrix(samples)
    whole = Traces((5.0, 20.0, 50.0, 100.0)).matrix(samples).reshape(2 * n, -1, SENSOR[0] * SENSOR[1])
    controls["traces of all events of a polarity together, four tau"] = whole.sum(axis=2)
    for name, X in controls.items():
        found = [cross_validated([X], digits, seed)[0] for seed in range(seeds.input_seeds)]
        print(row(name, found, n), flush=True)
    results, chosen, spent = {}, [], 0.0
    for seed in range(seeds.seeds):
        before = time.perf_counter()
        features = liquid_features(samples, seed)
        spent += time.perf_counter() - before
        size = features[0][0].shape[1]
        kinds = {"liquid counts": [counts for counts, _ in features]}
        for k, tau in enumerate(LIQUID_TAUS):
            kinds[f"liquid traces, tau {tau:g} ms"] = [traces[:, k * size:(k + 1) * size] for _, traces in features]
        kinds["liquid traces, all three tau"] = [traces for _, traces in features]
        for name, choices in kinds.items():
            accuracy, best = cross_validated(choices, digits, seed)
            results.setdefault(name, []).append(accuracy)
        chosen += best
    for name, found in results.items():
        print(row(name, found, n))
    names = [f"{weight:g} and {recurrence:g} mV" for weight, recurrence in CANDIDATES]
    print("\nliquid chosen for all three tau (input, recurrence): "
          + ", ".join(f"{name} {chosen.count(k)} times" for k, name in enumerate(names)))
    runs = seeds.seeds * len(CANDIDATES) * len(samples)
    print(f"liquid and features: {1e3 * spent / runs:.2f} ms a saccade; {time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
