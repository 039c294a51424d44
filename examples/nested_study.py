"""A study of a liquid's parameters by Optuna, nested inside the folds: what is chosen never sees the test fold.

    python examples/nested_study.py [--digits 300] [--trials 24] [--folds 5] [--jobs N] [--out FOLDER]

Whoever tries many liquids and reports the accuracy of the best one reports a maximum of chance. So each of the outer
folds has a study of its own, which sees the other folds alone: it looks for the liquid whose readout is best in a
cross-validation within them. Only that liquid meets the test fold, once. Beside it stand the liquid that nobody has
tuned, a readout of the event counts, and chance; and what the studies themselves believed of their best.

States are shared by all studies: how a recording drives a liquid depends on no label and on no other recording. They
are in the folder nested_study, with all trials; called again, the script goes on.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

import neurosim as ns
from neurosim.readouts import evaluate, interval, ridge
from neurosim.reservoirs import BinnedCounts, Liquid, NalsmLattice, OrientedInput
from neurosim.sweep import Points, Range, Study, sweep

SENSOR, DURATION, SIDE, INNER = (34, 34, 2), 316.0, 5, 3
SACCADES = BinnedCounts(edges=(105.0, 210.0, DURATION))
SPACE = {"tau_mem": Range(5.0, 80.0, log=True), "drive": Range(10.0, 300.0, log=True),
         "excitation": Range(0.05, 5.0, log=True), "inhibition": Range(0.05, 5.0, log=True)}
UNTUNED = {"tau_mem": 20.0, "drive": 80.0, "excitation": 0.5, "inhibition": 0.5}


def recordings(n, seed=0):
    """Return digits moved before an event camera, as spikes, and what they are."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(labels))[:n]
    events = ns.encoders.saccade_recordings(images[order].reshape(-1, 8, 8) / 16.0, seed=seed, keys=order)
    return [ns.datasets.to_spikes(each, SENSOR, dt=1.0, duration=DURATION) for each in events], labels[order]


def states(tau_mem, drive, excitation, inhibition, samples):
    """Return the states of all recordings in one liquid; they are made once for all folds."""
    liquid = Liquid(NalsmLattice((SIDE, SIDE, SIDE)), OrientedInput(SENSOR, weight=drive), dt=1.0, seed=0,
                    neuron=ns.LIF(tau_mem=tau_mem, v_leak=0.0, v_reset=0.0, v_threshold=20.0, t_ref=2.0),
                    excitation=excitation, inhibition=-inhibition)
    return liquid.states(samples, DURATION, SACCADES, threads=1)


def readout():
    """Return a readout that chooses its regularisation in what it is trained on."""
    return ridge(np.logspace(-1, 4, 6), scale=False, root=True)


def within(states, labels, train):
    """Return the accuracy in a cross-validation within the training folds; the test fold is not looked at."""
    right = evaluate(readout(), states[train], labels[train], folds=INNER, seeds=[0])
    return {"within": right.accuracy, "rate": float(states.sum() / states.shape[0] / SIDE**3 / DURATION * 1000)}


def tested(states, fold, labels, folds):
    """Return the accuracy in the test fold of a readout that was trained on the other folds."""
    train, test = folds[fold]
    return float(np.mean(readout().fit(states[train], labels[train]).predict(states[test]) == labels[test]))


def studies(samples, labels, folds, trials, **options):
    """Return the study of each fold; all begin with the same liquids, whose states are shared."""
    return [sweep(within, Study(trials, highest="within", seed=0, **SPACE), name=f"fold-{fold}",
                  data={"samples": samples, "labels": labels, "train": train}, shared={"states": states}, **options)
            for fold, (train, _) in enumerate(folds)]


def main():
    """Study, test, print and plot."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--digits", type=int, default=300, help="recordings, at least 100 (300)")
    arguments.add_argument("--trials", type=int, default=24, help="liquids that each study tries (24)")
    arguments.add_argument("--folds", type=int, default=5, help="outer folds (5)")
    arguments.add_argument("--jobs", type=int, help="processes; by default one for each core")
    arguments.add_argument("--out", type=Path, default=Path("."), help="folder for results and nested_study.png")
    given = arguments.parse_args()
    samples, labels = recordings(given.digits)
    folds = list(StratifiedKFold(given.folds, shuffle=True, random_state=0).split(labels, labels))
    of = f"{given.digits}-{given.folds}-{given.trials}"
    options = {"jobs": given.jobs, "folder": given.out / "nested_study" / of}
    found = studies(samples, labels, folds, given.trials, **options)
    best = [result.best() for result in found]
    points = [{name: point[name] for name in SPACE} | {"fold": fold} for fold, point in enumerate(best)]
    points += [UNTUNED | {"fold": fold} for fold in range(given.folds)]
    right = [row["value"] for row in sweep(tested, Points(points), name="test", shared={"states": states}, **options,
                                           data={"samples": samples, "labels": labels, "folds": folds}).rows]
    sizes = [len(test) for _, test in folds]
    counts = SACCADES.matrix(samples)
    show = {"tuned in the other folds": right[:given.folds], "untuned": right[given.folds:],
            "event counts, no liquid": [tested(counts, fold, labels, folds) for fold in range(given.folds)]}
    print(f"{len(samples)} recordings; {given.folds} folds, n_train {len(folds[0][0])} each, n_test {sum(sizes)} "
          f"together; {given.trials} trials a study, one seed of liquid and folds; chance "
          f"{np.bincount(labels).max() / len(labels):.1%}\n")
    for name, each in show.items():
        mean = np.average(each, weights=sizes)
        low, high = interval(mean, sum(sizes))
        print(f"{name:<26}{mean:>7.1%}   95 % interval {low:.1%} to {high:.1%}; folds "
              + ", ".join(f"{value:.1%}" for value in each))
    believed = np.average([point["within"] for point in best], weights=sizes)
    print(f"\nwhat the studies believed of their best, from fewer recordings: {believed:.1%}")
    for fold, point in enumerate(best):
        print(f"fold {fold}: {point['rate']:.0f} Hz, " + ", ".join(f"{name} {point[name]:.3g}" for name in SPACE))
    plot(found, show, given.out / "nested_study.png")
    print(f"\nwrote {given.out / 'nested_study.png'}")


def plot(found, show, path):
    """Draw a study, how all studies went, and the test folds."""
    ns.plot.style()
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained",
                                                 width_ratios=(1.5, 1, 1))
    found[0].plot("within", left, kind="parallel")
    left.set_title("the study of fold 0")
    for fold, result in enumerate(found):
        values = [row["within"] for row in result.rows]
        middle.plot(np.arange(1, len(values) + 1), np.maximum.accumulate(values), color=ns.plot.COLORS[fold % 7],
                    label=f"fold {fold}")
    middle.set(xlabel="trial", ylabel="best accuracy within the other folds")
    middle.legend(frameon=False)
    for place, each in enumerate(show.values()):
        right.plot(np.full(len(each), place), each, "o", color=ns.plot.COLORS[place])
        right.plot([place - 0.2, place + 0.2], [np.mean(each)] * 2, color=ns.plot.COLORS[place])
    right.set_xticks(range(len(show)), [name.replace(" in", "\nin").replace(", ", ",\n") for name in show])
    right.set_ylabel("accuracy in the test fold")
    ns.plot.save(figure, path, lettered=False, dpi=90)


if __name__ == "__main__":
    main()
