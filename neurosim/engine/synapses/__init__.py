"""Builds the synapses of a projection: from a rule and its values to arrays that the loops read.

Each part owns a range of targets and holds, for every source, a row of synapses sorted by delay. A by-source rule is
drawn some rows at a time, which are laid at once where they belong. Of a by-target rule, the pairs of some sources are
gathered from the rows of all targets, and laid likewise.
"""

import numpy as np

from neurosim.connectivity import Rule
from neurosim.engine.synapses.connectivity import (
    Connectivity,
    Part,
    checksum,
    in_parts,
    set_values,
    to_coo,
    with_values,
)
from neurosim.engine.synapses.drawing import Draft
from neurosim.engine.synapses.estimate import estimate_bytes
from neurosim.engine.synapses.quantities import delay_ticks, quantity
from neurosim.errors import ParameterError
from neurosim.random import Streams, seed_words

__all__ = ["Connectivity", "Draft", "Part", "build", "checksum", "draft", "estimate_bytes", "in_parts", "set_values",
           "to_coo", "with_values"]


def draft(rule: Rule, n_source: int, n_target: int, shift: int | None, *, quantities: dict, delay, bounds, seed: int,
          streams: Streams, label: str, dt: float, real, sort: bool = False, threads: int = 1) -> Draft:
    """Return the synapses that a rule makes between two populations before any is drawn.

    Args:
        rule: who connects to whom.
        n_source, n_target: sizes of the populations.
        shift: source i is target i + shift; None between two populations.
        quantities: name -> a number (kept as one), a distribution, an array (n_source, n_target), or, for
            rules that list their synapses, a 1-D array with one value each. None: what the rule brings.
        delay: the same, in ms.
        bounds: boundaries of the parts over the targets, from 0 to n_target.
        seed: seed of the simulation, up to 64 bits.
        streams: takes one stream for the rule, one for the delay and one for each quantity.
        label: what the projection is called, for messages.
        dt: tick in ms.
        real: float type of the values.
        sort: whether synapses of a row with the same delay are sorted by target.
        threads: how many parts are built at once.

    Raises:
        ParameterError: for impossible rules, values of the wrong shape, or a delay that rounds to 0.
    """
    label = f"{label}: " if label else ""
    bounds = np.asarray(bounds, np.int64)
    if bounds.size < 2 or bounds[0] != 0 or bounds[-1] != n_target or (np.diff(bounds) < 0).any():
        raise ParameterError(f"{label}bounds must ascend from 0 to {n_target}, got {bounds.tolist()}")
    rule.check(n_source, n_target, shift)
    stream = streams.new(f"{label}connections")
    rows = rule.prepare(n_source, n_target, shift, np.random.default_rng([seed, stream]))
    shape = n_source, n_target
    ticks, low, high = delay_ticks(delay, shape, rows, dt, label, streams.new(f"{label}delay"))
    values = {}
    for name, given in quantities.items():
        given = rule.weights() if given is None and name == "weight" else given
        values[name] = quantity(given, shape, rows, f"{label}{name}", streams.new(f"{label}{name}"), real)
    return Draft(rule, rows, shape, shift, bounds, seed_words(seed), stream, ticks, low, high, values, dt,
                 np.dtype(real), sort, threads, label)


def build(rule: Rule, n_source: int, n_target: int, shift: int | None, **options) -> Connectivity:
    """Return the synapses that a rule makes between two populations; takes what `draft` takes.

    >>> from neurosim.connectivity import FixedInDegree
    >>> made = build(FixedInDegree(3), 10, 4, None, quantities={"weight": 0.5}, delay=1.5, bounds=[0, 4], seed=1,
    ...              streams=Streams(), label="", dt=0.1, real=np.float32)
    >>> made.n_synapses, made.delays
    (12, array([15]))
    """
    return draft(rule, n_source, n_target, shift, **options).made()
