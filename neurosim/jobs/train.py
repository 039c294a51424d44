"""`neurosim train nmnist`: the same liquid on real N-MNIST recordings, by cross-validation, with its controls."""

from dataclasses import replace
from pathlib import Path

import numpy as np

import neurosim as ns
from neurosim.files import whole_file
from neurosim.jobs import classify, recordings
from neurosim.jobs.phases import Phases
from neurosim.jobs.summary import write_summary
from neurosim.readouts import interval
from neurosim.readouts.evaluation import gathered

CURVE = (100, 300, 720)  #: numbers of training recordings for which the accuracy is told


def run(root: str, out: Path, *, seeds: int = 5, layers: int = 10, quiet: bool = False) -> dict:
    """Cross-validate over all recordings, evaluate the test recordings alone, and return the summary.

    Every seed makes other liquids and other folds. Among the candidates for the liquid the training part of
    each fold chooses, by an inner cross-validation; so do the 800 training recordings for the 100 test ones.

    Args:
        root: folder or zip file of N-MNIST.
        out: folder for summary.json and confusion.png, written anew after each seed, and features_seed*.npz.
        seeds: how many seeds.
        layers: layers of 100 neurons of the liquid.
        quiet: whether to show nothing.
    """
    names = [f"{what}, seed {seed}" for seed in range(seeds) for what in ("liquids", "readouts")]
    phases = Phases(quiet, ["events", *names])
    out.mkdir(parents=True, exist_ok=True)
    with phases("events"):
        found = recordings.nmnist(root)
        samples = found.spikes()
        binned = classify.binned_events(samples, found.duration)
    results = {name: [] for name in ("liquid", "liquid, test recordings", "static rectifier", "binned input spikes")}
    curve = {n: [] for n in CURVE if n <= 0.8 * len(samples)}
    readout_of_events = classify.choosing_readout([binned])
    summary = {}
    for seed in range(seeds):
        with phases(f"liquids, seed {seed}"):
            states, controls = _states(found, samples, binned, layers, seed)
            _keep(out / f"features_seed{seed}.npz", states, found)
        with phases(f"readouts, seed {seed}"):
            _judge(results, curve, found, states, controls, readout_of_events, seed)
        summary = _summary(found, results, curve, seed + 1, 100 * layers, phases)  # each seed as it is done
        write_summary(out, summary)
        _draw(out / "confusion.png", found, results["liquid"])
    return summary


def _states(found, samples, binned, layers, seed):
    """Return the features of each candidate: of the liquid, and of the rectifier behind its inputs."""
    states, controls = [], []
    for settings in classify.CANDIDATES:
        liquid = classify.liquid(replace(settings, layers=layers), seed)
        states.append(liquid.states(samples, found.duration, classify.features(found.duration)))
        controls.append(classify.rectified(liquid, binned))
    return states, controls


def _keep(path, states, found):
    """Write the counts of the liquids, whole numbers, with the label of each recording."""
    with whole_file(path) as file:
        np.savez_compressed(file, states=np.stack(states).astype(np.uint32), labels=found.labels,
                            n_train=found.n_train, candidates=[str(each) for each in classify.CANDIDATES])


def _draw(path, found, evaluations):
    """Draw which digit was taken for which, over all seeds so far."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    whole = gathered(found.labels, evaluations)
    figure, ax = plt.subplots(figsize=(6, 5.4), layout="constrained")
    ns.plot.confusion(np.tile(found.labels, len(whole.predictions)), whole.predictions.ravel(), ax=ax)
    ax.set_title(f"accuracy {whole.accuracy:.1%}, chance {whole.chance:.1%}, n = {whole.n_test}, "
                 f"{len(whole.by_seed)} seed{'s' if len(whole.by_seed) > 1 else ''}")
    with whole_file(path) as file:
        figure.savefig(file, dpi=110)
    plt.close(figure)


def _judge(results, curve, found, states, controls, readout_of_events, seed):
    """Add one evaluation to each list."""
    labels, everything = found.labels, classify.numbers(len(found.labels))
    choosing = classify.choosing_readout(states)
    results["liquid"].append(classify.cross_validated(everything, labels, seed, choosing))
    results["liquid, test recordings"].append(classify.split_score(everything, found, choosing))
    rectifier = classify.choosing_readout(controls)
    results["static rectifier"].append(classify.cross_validated(everything, labels, seed, rectifier))
    results["binned input spikes"].append(classify.cross_validated(everything, labels, seed, readout_of_events))
    order = np.random.default_rng(seed).permutation(len(labels))
    for size in curve:
        model = choosing.fit(everything[order[:size]], labels[order[:size]])
        right = model.predict(everything[order[size:]]) == labels[order[size:]]
        curve[size].append(float(right.mean()))


def _summary(found, results, curve, seeds, neurons, phases) -> dict:
    n = len(found.labels)
    sizes = {"liquid, test recordings": n - found.n_train}
    rows = {}
    for name, evaluations in results.items():
        accuracies = [each.accuracy for each in evaluations]
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
