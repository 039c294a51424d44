"""Two liquids judged on the same recordings, the same folds and, where they are made from seeds, the same seeds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.reservoirs.features import Counts, as_features
from neurosim.reservoirs.liquid import Liquid


@dataclass(frozen=True, eq=False)
class Comparison:
    """What two liquids reached on the same samples, and by how much the first is better.

    Args:
        first, second: an `Evaluation` each.
        raw: of the same readout of the features of the input itself.
        difference: accuracy of the first less that of the second.
        interval: 95 % interval of the difference, by Student's t over `pairs`.
        pairs: "seeds" where the liquids were made from them, else "samples".
        by_seed: difference for each seed.
    """

    first: Any
    second: Any
    raw: Any
    difference: float
    interval: tuple[float, float]
    pairs: str
    by_seed: tuple[float, ...]

    def __str__(self):
        low, high = (100 * bound for bound in self.interval)
        return (f"first {self.first}\nsecond {self.second}\nreadout of the input, no liquid, {self.raw.accuracy:.1%}\n"
                f"first less second: {100 * self.difference:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f} "
                f"(paired over {self.pairs}, {len(self.by_seed)} seed{'s' * (len(self.by_seed) > 1)})")


def compare(first: Liquid | Callable[[int], Liquid], second: Liquid | Callable[[int], Liquid], samples, labels,
            duration: float | None = None, features=None, *, model=None, folds: int = 5,
            seeds: Iterable[int] = range(5), threads: int | None = None) -> Comparison:
    """Return a paired comparison of two liquids as inputs of a readout.

    difference = mean over samples and seeds of [first right] - [second right]

    Both see the same recordings and folds, so what is hard for both does not blur the difference. Its interval is over
    seeds where a liquid is made from each (it then holds for other liquids of the kind, on these samples), and
    otherwise over samples (it holds for other samples, with these two liquids).

    Args:
        first, second: liquids, or functions that make one from a seed.
        samples: `Spikes` over the input channels, one recording each.
        labels: of the samples.
        duration: ms that each runs; by default as long as the samples are, all the same.
        features: feature maps of the spikes; by default `Counts()`.
        model: a scikit-learn classifier; by default `readouts.ridge()`.
        folds: number of stratified folds, >= 2.
        seeds: of the folds and of the liquids that are made.
        threads: how many samples run at once; by default one for each core.

    Raises:
        ParameterError: an argument does not fit, or there is one seed to compare liquids that are made from seeds.

    >>> import neurosim as ns
    >>> from neurosim.reservoirs import Liquid, RandomGraph, RandomInput, compare
    >>> rng = np.random.default_rng(0)
    >>> samples = [ns.Spikes(ticks=np.sort(rng.integers(1, 31, 40)), ids=rng.integers(0, 8, 40) + 8 * (k % 2), size=16,
    ...                      dt=1.0, duration=30.0) for k in range(20)]
    >>> kinds = [lambda seed, n=n: Liquid(RandomGraph(n, 0.1), RandomInput(16, k=4, weight=9.0), seed=seed)
    ...          for n in (30, 3)]
    >>> print(compare(*kinds, samples, np.arange(20) % 2, seeds=range(2)).pairs)
    seeds
    """
    from neurosim.readouts import ridge

    seeds, y, samples = list(seeds), np.asarray(labels), list(samples)
    made = [callable(each) and not isinstance(each, Liquid) for each in (first, second)]
    for name, each, make in zip(("first", "second"), (first, second), made, strict=True):
        if not make and not isinstance(each, Liquid):
            raise ParameterError(f"compare.{name} must be a Liquid or a function that makes one from a seed, got "
                                 f"{describe_value(each)}")
    if not seeds or (any(made) and len(seeds) < 2):
        raise ParameterError(f"compare.seeds must be {'two at least' if seeds else 'given'}, got {seeds}")
    features = as_features(Counts() if features is None else features)
    span = samples[0].duration if duration is None and samples else duration
    model = ridge() if model is None else model
    judged = [_judged(each, make, samples, y, span, features, model, folds, seeds, threads)
              for each, make in zip((first, second), made, strict=True)]
    plain = [feature for feature in features if not feature.variable] or [Counts()]
    raw = _evaluated(model, [np.concatenate([f.matrix(samples) for f in plain], axis=1)] * len(seeds), y, folds, seeds)
    right = [each.predictions == y for each in judged]
    better = right[0].astype(float) - right[1]
    pairs = better.mean(axis=1) if any(made) else better.mean(axis=0)
    first_found, second_found = judged
    return Comparison(first_found, second_found, raw, float(better.mean()), _interval(pairs),
                      "seeds" if any(made) else "samples", tuple(better.mean(axis=1).tolist()))


def _judged(liquid, make, samples, y, duration, features, model, folds, seeds, threads):
    liquids = [liquid(seed) for seed in seeds] if make else [liquid]
    tables = [each.states(samples, duration, features, threads=threads) for each in liquids]
    return _evaluated(model, tables if make else tables * len(seeds), y, folds, seeds)


def _evaluated(model, tables, y, folds, seeds):
    from neurosim.readouts import evaluate
    from neurosim.readouts.evaluation import gathered

    return gathered(y, [evaluate(model, table, y, folds=folds, seeds=[seed])
                        for table, seed in zip(tables, seeds, strict=True)])


def _interval(pairs) -> tuple[float, float]:
    from scipy.stats import t

    half = t.ppf(0.975, len(pairs) - 1) * pairs.std(ddof=1) / np.sqrt(len(pairs))
    return float(pairs.mean() - half), float(pairs.mean() + half)


__all__ = ["Comparison", "compare"]
