"""How many synapses there are, and how much memory they take."""

import numpy as np

from neurosim.checks import Samples

_WORTH_TELLING = 10e6  #: bytes of synapses from which a summary tells the memory
_WIDE_TARGETS = 65536  #: from here on a target takes four bytes instead of two


def _expected(projection) -> float:
    source, target = projection.source, projection.target
    return projection.rule.expected(source.size, target.size, projection.shift)


def synapses_text(projections) -> str:
    """Return how many synapses projections have, "about" where it is drawn."""
    total = sum(map(_expected, projections))
    exact = all(p.rule.exact for p in projections)
    return ("" if exact else "about ") + _number(total, exact) + " synapse" + "s" * (round(total) != 1)


def _number(count, exact):
    if exact or count < 1e4:
        return f"{round(count):,}"
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if count >= size:
            return f"{count / size:.3g}{word}"
    return f"{float(f'{count:.3g}'):,.0f}"


def synapse_bytes(projections) -> float:
    """Return about how many bytes the synapses of projections take, in float32."""
    return sum(_expected(p) * _bytes_of_one(p) + 8 * p.source.base.size for p in projections)


def _bytes_of_one(projection):
    parts = [part for part in (projection.release, *projection.plasticity, projection.device) if part is not None]
    changing = projection.plasticity or projection.device is not None
    given = [getattr(part, name) for part in parts for name in part.parameters]
    stored = sum(isinstance(value, Samples) or np.ndim(value) > 0 for value in given)
    stored += bool(changing) or projection.weight is None or isinstance(projection.weight, Samples) or np.ndim(
        projection.weight) > 0
    states = sum(8 if state.slow else 4 for part in parts for state in part.state.values())
    return (2 if projection.target.size <= _WIDE_TARGETS else 4) + 4 * stored + states


def memory_text(projections):
    """Return how much memory synapses take, after a comma, or nothing where it is little."""
    size = synapse_bytes(projections)
    if size < _WORTH_TELLING:
        return ""
    return f", about {size / 1e9:.1f} GB" if size >= 1e8 else f", about {size / 1e6:.0f} MB"
