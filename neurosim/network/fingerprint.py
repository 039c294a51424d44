"""A description as text that is the same in any process, to be hashed."""

import hashlib
from collections.abc import Iterator

import numpy as np

from neurosim.checks import Parametrised
from neurosim.sources import SpikeSource


def _text(value) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, SpikeSource):
        return value.spikes.fingerprint()
    if isinstance(value, Parametrised):
        return f"{type(value).__name__}({', '.join(f'{k}={_text(v)}' for k, v in value.values().items())})"
    if hasattr(value, "values") and isinstance(value.values, np.ndarray):
        return f"{value!r}{_text(value.values)}"
    if hasattr(value, "tocsr"):
        matrix = value.tocoo()
        return "".join(map(_text, (matrix.row, matrix.col, matrix.data)))
    return repr(value)


def signature(net) -> Iterator[str]:
    """Yield a line for each part of a network that a run depends on."""
    for p in net.populations:
        yield f"population {p.name} {p.size} {_text(p.model)} {[(k, _text(v)) for k, v in sorted(p.initial.items())]}"
    for p in net.projections:
        parts = [p.rule, p.weight, p.delay, p.receptor, p.release, *(p.plasticity or [None]), p.device]
        signals = "".join(f" {name}={who.name}.{what}" for name, (who, what) in sorted(p.modulators.items()))
        yield f"projection {p.name} {p.source.name} {p.target.name} {[_text(part) for part in parts]}{signals}"
    for c in net.couplings:
        yield f"gap junctions {c.name} {c.one.name} {c.other.name} {_text(c.rule)} {_text(c.conductance)}"
    for d in net.drives:
        yield f"drive {d.name} {d.target.name} {_text(d.drive)} {_text(d.receptor)}"
