"""Event arrays as Tonic has them for cochleas: t in microseconds, x, p."""


import numpy as np

from neurosim.errors import warn
from neurosim.export.trains import known, unit_of

#: With 64-bit p: transforms of Tonic compute with it, and a bool or an unsigned number comes out wrong.
EVENT = np.dtype([("t", np.int64), ("x", np.int64), ("p", np.int64)])


def to_tonic(spikes) -> np.ndarray:
    """Return one event for each spike, in order of time, with p = 1."""
    spikes = known(spikes)
    events = np.empty(len(spikes), dtype=EVENT)
    exact = spikes.times * 1000
    events["t"] = np.rint(exact)
    worst = np.abs(exact - events["t"]).max(initial=0)
    if worst > 1e-6 + 1e-14 * np.abs(exact).max(initial=0):
        warn(f"times were rounded to whole microseconds, in which Tonic counts; the worst error is "
             f"{worst:.2g} us")
    events["x"] = spikes.ids if spikes.unit_ids is None else unit_of(spikes)[spikes.ids]
    events["p"] = 1
    return events
