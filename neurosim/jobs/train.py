"""`neurosim train nmnist`: the same liquid on real N-MNIST recordings, by cross-validation, with its controls."""

import json
from pathlib import Path

import numpy as np

import neurosim as ns
from neurosim.jobs import classify, recordings
from neurosim.jobs.demo import _write
from neurosim.jobs.phases import Phases
from neurosim.readouts import interval

CURVE = (100, 300, 720)  #: numbers of training recordings for which the accuracy is told


def run(root: str, out: Path, *, seeds: int = 5, layers: int = 10, shifts: bool = True, quiet: bool = False) -> dict:
    """Cross-validate over all recordings, evaluate the test recordings alone, and return the summary.

    Every seed makes another liquid and other folds. Nothing is tuned on the test recordings.

    Args:
        root: folder or zip file of N-MNIST.
        out: folder for summary.json.
        seeds: how many seeds.
        layers: layers of 100 neurons of the liquid.
        shifts: whether training recordings are also shown moved by one pixel.
        quiet: whether to show nothing.
    """
    phases, settings = Phases(quiet), classify.Settings(layers=layers)
    with phases("events"):
        found = recordings.nmnist(root)
        samples = found.spikes()
        moved = [found.shifted(dx, dy).spikes() for dx, dy in classify.SHIFTS] if shifts else []
        binned = classify.binned_events(samples, found.duration)
    kept = {"liquid": [], "liquid, test recordings": [], "static rectifier": [], "binned input spikes": []}
    curve = {n: [] for n in CURVE if n < 0.8 * len(samples) + 1}
    for seed in range(seeds):
        with phases("liquid"):
            liquid = classify.liquid(settings, seed)
            states, *variants = [liquid.states(part, found.duration, classify.features(found.duration))
                                 for part in (samples, *moved)]
        with phases("readout"):
            variants = {str(k): part for k, part in enumerate(variants)}
            kept["liquid"].append(classify.cross_validated(states, found.labels, seed, variants).accuracy)
            kept["liquid, test recordings"].append(_test(states, variants, found))
            control = classify.rectified(liquid, binned)
            kept["static rectifier"].append(classify.cross_validated(control, found.labels, seed).accuracy)
            kept["binned input spikes"].append(classify.cross_validated(binned, found.labels, seed).accuracy)
            for n in curve:
                curve[n].append(_with_few(states, found.labels, n, seed))
    summary = _summary(found, kept, curve, seeds, liquid, phases)
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "summary.json", json.dumps(summary, indent=1) + "\n")
    return summary


def _test(states, variants, found) -> float:
    """Accuracy on the test recordings after training on the training recordings."""
    n = found.n_train
    X = np.concatenate([states[:n], *(part[:n] for part in variants.values())])
    model = classify.readout().fit(X, np.tile(found.labels[:n], 1 + len(variants)))
    return float((model.predict(states[n:]) == found.labels[n:]).mean())


def _with_few(states, labels, n, seed) -> float:
    """Accuracy after training on n recordings, on those that remain."""
    order = np.random.default_rng(seed).permutation(len(labels))
    model = classify.readout().fit(states[order[:n]], labels[order[:n]])
    return float((model.predict(states[order[n:]]) == labels[order[n:]]).mean())


def _summary(found, kept, curve, seeds, liquid, phases) -> dict:
    n = len(found.labels)
    chance = float(np.bincount(found.labels).max() / n)
    counts = {"liquid, test recordings": n - found.n_train}
    rows = {}
    for name, accuracies in kept.items():
        mean = float(np.mean(accuracies))
        n_test = counts.get(name, n)
        rows[name] = {"accuracy": mean, "by_seed": accuracies, "interval": list(interval(mean, n_test)), "n_test": n_test}
    return {"what": found.source, "recordings": n, "chance": chance, "neurons": liquid.size, "seeds": seeds, "results": rows,
            "by_training_recordings": {str(k): float(np.mean(v)) for k, v in curve.items()}, "wall_s": phases.seconds,
            "version": ns.__version__}


def table(summary: dict) -> str:
    """Return the results as a short table."""
    lines = [f"{summary['recordings']} recordings, 5 folds, {summary['seeds']} seeds, {summary['neurons']} neurons, chance "
             f"{summary['chance']:.1%}"]
    for name, row in summary["results"].items():
        low, high = row["interval"]
        lines.append(f"{name:28s}{row['accuracy']:.2%}   (95 % interval {low:.1%} to {high:.1%}; seeds "
                     f"{min(row['by_seed']):.1%} to {max(row['by_seed']):.1%}; n_test {row['n_test']})")
    few = ", ".join(f"{n}: {accuracy:.1%}" for n, accuracy in summary["by_training_recordings"].items())
    lines.append(f"liquid, by number of training recordings without shifts   {few}")
    lines.append("seconds   " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in summary["wall_s"].items()))
    return "\n".join(lines)
