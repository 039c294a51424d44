"""`neurosim demo`: digits past an event camera, through a liquid, to a readout; it leaves a folder."""

from pathlib import Path

import numpy as np

import neurosim as ns
from neurosim.files import whole_file
from neurosim.jobs import classify, recordings
from neurosim.jobs.phases import Phases
from neurosim.jobs.summary import write_summary

SHOWN = 10  #: recordings, one of each digit, whose spikes are kept and drawn


def run(out: Path, *, seed: int = 0, n: int | None = None, quiet: bool = False) -> dict:
    """Run the demo, write its folder, and return the summary.

    Args:
        out: the folder.
        seed: of everything random.
        n: number of digits; all 1,797 by default.
        quiet: whether to show nothing.
    """
    phases = Phases(quiet)
    with phases("events"):
        found = recordings.digits(seed, n)
        samples = found.spikes()
    settings = classify.Settings()
    with phases("liquid"):
        liquid = classify.liquid(settings, seed)
        states = liquid.states(samples, found.duration, classify.features(found.duration), progress=not quiet)
    with phases("readout"):
        result = classify.split_score(states, found)
        raw = classify.split_score(classify.event_counts(found), found)
        binned = classify.split_score(classify.binned_events(samples, found.duration), found)
    with phases("pictures"):
        out.mkdir(parents=True, exist_ok=True)
        _draw(out, liquid, samples, found, result, seed)
    summary = _summary(found, liquid, states, (result, raw, binned), seed, phases)
    write_summary(out, summary)
    return summary


def _summary(found, liquid, states, results, seed, phases) -> dict:
    result, raw, binned = results
    spikes = float(states.sum())
    return {
        "what": found.source, "accuracy": result.accuracy, "interval": list(result.interval), "chance": result.chance,
        "accuracy_on_event_counts": raw.accuracy, "accuracy_on_event_counts_by_saccade": binned.accuracy,
        "n_train": result.n_train, "n_test": result.n_test, "seed": seed,
        "neurons": liquid.size, "input_events": int(sum(map(len, found.events))), "spikes": int(spikes),
        "rate_hz": spikes / (len(states) * liquid.size * found.duration * 1e-3), "wall_s": phases.seconds,
        "version": ns.__version__,
    }


def _draw(out, liquid, samples, found, result, seed):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    tests = np.arange(found.n_train, len(samples))
    shown = [tests[found.labels[tests] == digit][0] for digit in np.unique(found.labels[tests])][:SHOWN]
    results = liquid.simulation().run_batch([samples[k] for k in shown], found.duration, keys=[int(k) for k in shown])
    responses = [each.spikes("liquid") for each in results]
    labels = [int(found.labels[k]) for k in shown]
    _one_after_the_other(responses, found.duration).save(
        out / "spikes.h5", metadata={"seed": seed, "network": liquid.network.fingerprint(), "digits": str(labels)})
    figure = plt.figure(figsize=(10, 7), layout="constrained")
    few = min(4, len(shown))
    ns.plot.activity({"input": _one_after_the_other([samples[k] for k in shown[:few]], found.duration),
                      "liquid": _one_after_the_other(responses[:few], found.duration)}, figure=figure,
                     marks={k * found.duration: f"digit {labels[k]}" for k in range(few)})
    with whole_file(out / "raster.png") as file:
        figure.savefig(file, dpi=110)
    plt.close(figure)
    figure, ax = plt.subplots(figsize=(6, 5.4), layout="constrained")
    ns.plot.confusion(found.labels[found.n_train:], result.predictions[0], ax=ax)
    ax.set_title(f"accuracy {result.accuracy:.1%}, chance {result.chance:.1%}, n = {result.n_test}")
    with whole_file(out / "confusion.png") as file:
        figure.savefig(file, dpi=110)
    plt.close(figure)


def _one_after_the_other(parts, duration):
    """Join recordings in time."""
    whole = parts[0]
    for k, part in enumerate(parts[1:], 1):
        whole = whole.merge(part.shift(k * duration))
    return whole


def table(summary: dict) -> str:
    """Return the short table with which the demo ends."""
    low, high = summary["interval"]
    lines = [
        ("readout on the liquid", f"{summary['accuracy']:.1%}   (95 % interval {low:.1%} to {high:.1%})"),
        ("same readout on event counts", f"{summary['accuracy_on_event_counts']:.1%}"),
        ("same, counts by saccade", f"{summary['accuracy_on_event_counts_by_saccade']:.1%}"),
        ("chance", f"{summary['chance']:.1%}"),
        ("recordings", f"{summary['n_train']} to train, {summary['n_test']} to test, seed {summary['seed']}"),
        ("liquid", f"{summary['neurons']} neurons, {summary['spikes']:,} spikes, {summary['rate_hz']:.1f} Hz"),
        ("seconds", ", ".join(f"{name} {seconds:.1f}" for name, seconds in summary["wall_s"].items())),
    ]
    return "\n".join(f"{name:30s}{value}" for name, value in lines)
