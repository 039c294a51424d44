"""How much memory synapses will take."""

import math
import warnings

import numpy as np

from neurosim.checks import Samples
from neurosim.connectivity import Rows, Rule
from neurosim.engine.synapses.drawing import FEW_TICKS, target_type
from neurosim.engine.synapses.quantities import delay_ticks
from neurosim.errors import NeurosimWarning


def estimate_bytes(rule: Rule, n_source: int, n_target: int, shift: int | None, *, quantities: dict, delay, bounds,
                   dt: float, real, packed: bool = False) -> int:
    """Return about how much memory `build` takes at its peak, without building anything.

    Takes what `build` takes, and whether a target and its weight are to share 32 bits.

    >>> from neurosim.connectivity import FixedTotal
    >>> estimate_bytes(FixedTotal(1000000), 1000, 1000, None, quantities={"weight": 0.1}, delay=1.0,
    ...                bounds=[0, 1000], dt=0.1, real=np.float32)
    2008008
    """
    parts = len(bounds) - 1
    widest = int(np.max(np.diff(bounds), initial=0))
    n = rule.expected(n_source, n_target, shift)
    arrays = sum(isinstance(given, Samples) or given is None or np.ndim(given) > 0 for given in quantities.values())
    each = np.dtype(target_type(widest)).itemsize + arrays * np.dtype(real).itemsize
    each = 4 if packed and arrays and widest <= 65536 else each
    total = n * each + parts * 8 * (n_source + 1)
    if isinstance(delay, Samples) or np.ndim(delay):
        n_delays = _count_delays(delay, (n_source, n_target), n, dt)
        total += parts * n_source * (n_delays + 1) * 2 + (n // 2 if rule.by == "target" else 0)  # a window
    return int(total)


def _count_delays(delay, shape, n, dt):
    """Return about how many columns the tables of offsets will have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)
        value, low, high = delay_ticks(delay, shape, Rows(0, np.empty(0), starts=np.array([np.size(delay)])), dt, "", 0)
    if high - low < FEW_TICKS:
        return high - low + 1
    if value.kind != "drawn":
        return np.unique(np.asarray(value.data)).size
    edges = np.unique(np.geomspace(1, high - low + 2, 20_000).astype(np.int64)) - 1  # of groups of ticks
    below = np.array([delay.probability((low + edge - 0.5) * dt) for edge in edges])
    below[0], below[-1] = 0.0, 1.0
    first, last = delay.uniform_range()
    share = np.diff(np.clip((below - first) / max(last - first, 1e-300), 0.0, 1.0)) / np.diff(edges)
    return math.ceil((np.diff(edges) * -np.expm1(n * np.log1p(-np.minimum(share, 0.999)))).sum())
