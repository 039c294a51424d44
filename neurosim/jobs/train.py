"""`neurosim train nmnist`: the same liquid on real N-MNIST recordings, by cross-validation, with its controls."""

from dataclasses import replace
from pathlib import Path

import numpy as np

import neurosim as ns
from neurosim.jobs import classify, recordings
from neurosim.jobs.phases import Phases
from neurosim.jobs.summary import write_summary
from neurosim.readouts import interval

CURVE = (100, 300, 720)  #: numbers of training recordings for which the accuracy is told


def run(root: str, out: Path, *, seeds: int = 5, layers: int = 10, quiet: bool = False) -> dict:
    """Cross-validate over all recordings, evaluate the test recordings alone, and return the summary.

    Every seed makes other liquids and other folds. Among the candidates for the liquid the training part of
    each fold chooses, by an inner cross-validation; so do the 800 training recordings for the 100 test ones.

    Args:
        root: folder or zip file of N-MNIST.
        out: folder for summary.json.
        seeds: how many seeds.
        layers: layers of 100 neurons of the liquid.
        quiet: whether to show nothing.
    """
    phases = Phases(quiet)
    with phases("events"):
        found = recordings.nmnist(root)
        samples = found.spikes()
        binned = classify.binned_events(samples, found.duration)
    results = {name: [] for name in ("liquid", "liquid, test recordings", "static rectifier", "binned input spikes")}
    curve = {n: [] for n in CURVE if n <= 0.8 * len(samples)}
    for seed in range(seeds):
        with phases(f"liquids, seed {seed}"):
            states, controls = _states(found, samples, binned, layers, seed)
        with phases(f"readouts, seed {seed}"):
            _judge(results, curve, found, states, controls, binned, seed)
    summary = _summary(found, results, curve, seeds, 100 * layers, phases)
    out.mkdir(parents=True, exist_ok=True)
    write_summary(out, summary)
    return summary


def _states(found, samples, binned, layers, seed):
    """Return the features of every candidate side by side: of the liquid, and of the rectifier behind its inputs."""
    states, controls = [], []
    for settings in classify.CANDIDATES:
        liquid = classify.liquid(replace(settings, layers=layers), seed)
        states.append(liquid.states(samples, found.duration, classify.features(found.duration)))
        controls.append(classify.rectified(liquid, binned))
    return np.concatenate(states, axis=1), np.concatenate(controls, axis=1)


def _judge(results, curve, found, states, controls, binned, seed):
    """Add one accuracy to each list."""
    n, labels = len(classify.CANDIDATES), found.labels
    choosing = classify.choosing_readout(n, states.shape[1] // n)
    results["liquid"].append(classify.cross_validated(states, labels, seed, choosing).accuracy)
    results["liquid, test recordings"].append(classify.split_score(states, found, choosing).accuracy)
    results["static rectifier"].append(classify.cross_validated(controls, labels, seed, choosing).accuracy)
    results["binned input spikes"].append(classify.cross_validated(binned, labels, seed).accuracy)
    order = np.random.default_rng(seed).permutation(len(labels))
    for size in curve:
        model = choosing.fit(states[order[:size]], labels[order[:size]])
        curve[size].append(float((model.predict(states[order[size:]]) == labels[order[size:]]).mean()))


def _summary(found, results, curve, seeds, neurons, phases) -> dict:
    n = len(found.labels)
    sizes = {"liquid, test recordings": n - found.n_train}
    rows = {}
    for name, accuracies in results.items():
        mean, n_test = float(np.mean(accuracies)), sizes.get(name, n)
        rows[name] = {"accuracy": mean, "by_seed": accuracies, "interval": list(interval(mean, n_test)),
                      "n_test": n_test}
    return {"what": found.source, "recordings": n, "chance": float(np.bincount(found.labels).max() / n),
            "neurons": neurons, "seeds": seeds, "results": rows,
            "by_training_recordings": {str(size): float(np.mean(found)) for size, found in curve.items()},
            "wall_s": phases.seconds, "version": ns.__version__}


def table(summary: dict) -> str:
    """Return the results as a short table."""
    lines = [f"{summary['recordings']} recordings, 5 folds, {summary['seeds']} seeds, {summary['neurons']} neurons, "
             f"chance {summary['chance']:.1%}"]
    for name, row in summary["results"].items():
        low, high = row["interval"]
        lines.append(f"{name:28s}{row['accuracy']:.2%}   (95 % interval {low:.1%} to {high:.1%}; seeds "
                     f"{min(row['by_seed']):.1%} to {max(row['by_seed']):.1%}; n_test {row['n_test']})")
    few = ", ".join(f"{size}: {accuracy:.1%}" for size, accuracy in summary["by_training_recordings"].items())
    lines.append(f"liquid, by number of training recordings   {few}")
    lines.append(f"{sum(summary['wall_s'].values()):.0f} s")
    return "\n".join(lines)
