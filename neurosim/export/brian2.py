"""Monitors of Brian2, which label a spike with the beginning of its step; neurosim's label is the end."""

from typing import Any

import numpy as np

from neurosim.checks import check_number, describe_value
from neurosim.errors import ParameterError
from neurosim.export.assemble import Found, Wanted, assemble


def from_brian2(cls, monitor: Any, wanted: Wanted):
    """Return the spikes of a SpikeMonitor, or of what its `get_states()` gives, as an object of a class."""
    said: dict[str, Any] = {"start": 0.0}
    listed = None
    if isinstance(monitor, dict):
        if not {"i", "t"} <= set(monitor) or wanted.dt is None:
            raise ParameterError("monitor must be a SpikeMonitor, or the dict of its get_states() with i and t "
                                 "together with dt, the step of Brian2's clock in ms")
        i, t = monitor["i"], monitor["t"]
    elif not all(hasattr(monitor, name) for name in ("i", "t", "source", "clock")):
        raise ParameterError(f"monitor must be a SpikeMonitor, got {describe_value(monitor)}")
    else:
        i, t = monitor.i, monitor.t
        listed = np.arange(len(monitor.source))
        said.update(dt=_ms(monitor.clock.dt), name=str(monitor.source.name))
        said["duration"] = round(_ms(monitor.clock.t) / said["dt"]) * said["dt"]
    dt = check_number("dt", said.get("dt") if wanted.dt is None else wanted.dt, "ms", above=0)
    times = np.asarray(t, dtype=np.float64) * 1000  # SI, with or without its unit
    steps = np.rint(times / dt)
    if (np.abs(times / dt - steps) > 1e-3).any():
        raise ParameterError(f"dt must be the step of Brian2's clock, got {dt:g} ms and a spike at "
                             f"{times[np.abs(times / dt - steps) > 1e-3][0]:.10g} ms")
    found = Found((steps + 1) * dt, np.asarray(i, dtype=np.int64), listed, None, {**said, "dt": dt})
    return assemble(cls, "Brian2's monitor", found, wanted)


def _ms(quantity) -> float:
    """A time of Brian2 in ms, without the digits that the division by 1000 left."""
    return float(f"{float(np.asarray(quantity)) * 1000:.14g}")
