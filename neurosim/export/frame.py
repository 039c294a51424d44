"""Spikes as a pandas DataFrame, one row for each: `time_ms`, `neuron`, and `tick` where there is a grid."""

import json

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.export.assemble import TEXT, Found, Wanted, assemble, header_of, header_text, spacing
from neurosim.export.extra import need
from neurosim.export.trains import known, rows_of, unit_of

WHAT = "tables of spikes"
TIMES = ("time_ms", "time")  #: columns, as we write them and NEST's recorders do
NEURONS = ("neuron", "neuron_id", "sender", "senders", "node_id", "unit", "id")


def to_frame(spikes):
    """Return a DataFrame; what else there is to say is in its `attrs`, which `copy` and selections keep."""
    pandas = need("pandas", WHAT, "pandas")
    spikes = known(spikes)
    names = unit_of(spikes)
    columns = {"time_ms": spikes.times, "neuron": spikes.ids if spikes.unit_ids is None else names[spikes.ids]}
    if spikes.dt is not None:
        columns["tick"] = spikes.ticks
    frame = pandas.DataFrame(columns)
    listed = None if spikes.watched is None and spikes.unit_ids is None else names[rows_of(spikes)].tolist()
    frame.attrs[TEXT] = json.dumps({**json.loads(header_text(spikes, counted=False)), "listed": listed})
    return frame


def from_frame(cls, frame, wanted: Wanted):
    """Return the spikes of a DataFrame as an object of a class."""
    pandas = need("pandas", WHAT, "pandas")
    if not isinstance(frame, pandas.DataFrame):
        raise ParameterError(f"frame must be a pandas DataFrame, got {describe_value(frame)}")
    head = header_of("the table", frame.attrs.get(TEXT, ""))
    listed = None if head is None or head.get("listed") is None else np.array(head["listed"])
    times = np.asarray(_column(frame, TIMES))
    if head is not None and "tick" in frame and head["dt_ms"] is not None:
        times = np.asarray(frame["tick"]) * head["dt_ms"]
    units = np.asarray(_column(frame, NEURONS))
    for name, values, kinds in (("times", times, "fiu"), ("neurons", units, "iu")):
        if values.dtype.kind not in kinds and len(values):
            raise ParameterError(f"frame must have {name} that are {'whole ' if kinds == 'iu' else ''}numbers, got "
                                 f"{values.dtype}")
    return assemble(cls, "the table", Found(times, units.astype(np.int64) if not len(units) else units, listed, head,
                                            spacing=spacing(times)), wanted)


def _column(frame, names):
    found = [name for name in names if name in frame]
    if not found:
        raise ParameterError(f"frame must have a column named one of {', '.join(names)}, it has "
                             f"{', '.join(map(str, frame.columns))}")
    return frame[found[0]]
