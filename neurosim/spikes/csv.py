"""Spikes as CSV: a line "# " with a JSON object, a line with the names of the columns, a line for each spike."""

import json

import numpy as np

from neurosim.errors import FileError
from neurosim.files import whole_file
from neurosim.spikes.checks import nearest_ticks, number
from neurosim.spikes.header import check_header, fields, header, reading_spikes

COLUMNS = "time_ms,neuron"
WHAT = "a CSV file of spikes"


def write(spikes, path) -> None:
    """Write spikes to a CSV file, whole or not at all."""
    head = {**header(spikes), "spikes": len(spikes), "metadata": dict(spikes.metadata)}
    if spikes.watched is not None:
        head["watched"] = spikes.watched.tolist()
    if spikes.unit_ids is not None:
        head["unit_ids"] = spikes.unit_ids.tolist()
    row = ("{!r},{}\n" if spikes.dt is None else "{:.15g},{}\n").format
    with whole_file(path, encoding="utf-8") as file:
        file.write(f"# {json.dumps(head)}\n{COLUMNS}\n")
        file.writelines(map(row, spikes.times.tolist(), spikes.ids.tolist()))


def read(cls, path):
    """Return the spikes of a CSV file as an object of a class, whose constructor is that of `Spikes`."""
    with reading_spikes(path, WHAT):
        with open(path, encoding="utf-8") as file:
            head, body = _head(path, file), file.read()
        times, ids = _columns(path, body)
        if len(ids) != head.get("spikes", len(ids)):
            raise FileError(f"{path} must hold {head['spikes']} spikes as its first line says, it holds {len(ids)}")
        stamps = {"times": times}
        if head["dt_ms"] is not None:
            ticks, worst = nearest_ticks(times, number("dt", head["dt_ms"], "ms", above=0))
            if worst:
                raise FileError(f"{path} must hold times on the grid of dt = {head['dt_ms']:g} ms, "
                                f"they are off by up to {worst:.2g} tick")
            stamps = {"ticks": ticks}
        return cls(**stamps, ids=ids, **fields(head), watched=head.get("watched"), unit_ids=head.get("unit_ids"),
                   metadata=head.get("metadata"))


def _head(path, file) -> dict:
    first, second = file.readline(), file.readline()
    if not first.startswith("# {") or second.strip() != COLUMNS:
        raise FileError(f"{path} must begin with a line '# {{...}}' and a line {COLUMNS!r}; read other files "
                        "yourself and use Spikes.from_times")
    return check_header(path, json.loads(first[2:]))


def _columns(path, body) -> tuple:
    if body and not body.endswith("\n"):
        raise FileError(f"{path} ends in the middle of a line; it was cut short")
    lines = body.splitlines()
    if not lines:
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2)
    if table.shape != (len(lines), 2):
        raise FileError(f"{path} must have two columns {COLUMNS!r} in every line, it has {table.shape[1]} columns "
                        f"and {len(table)} of {len(lines)} lines")
    times, ids = table.T
    if not (np.abs(ids) <= 2**32).all() or (ids != np.floor(ids)).any():
        raise FileError(f"{path} must have whole numbers in the column 'neuron', it has others")
    return times, ids.astype(np.int64)
