"""What every file of spikes states of them beside times and neurons."""

from contextlib import contextmanager

from neurosim.errors import FileError, ParameterError
from neurosim.files import reading

FORMAT = "neurosim.spikes"
VERSION = 1


def header(spikes) -> dict:
    """Return what a file states of some spikes."""
    return {"format": FORMAT, "version": VERSION, "size": spikes.size, "dt_ms": spikes.dt,
            "duration_ms": spikes.duration, "start_ms": spikes.start, "name": spikes.name}


def check_header(path, head, *more) -> dict:
    """Return the header of a file if it is of this format and version and has all its entries."""
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise FileError(f"{path} is not a file of spikes: its header has no format {FORMAT!r}")
    if head.get("version") != VERSION:
        raise FileError(f"{path} must be of version {VERSION}, it is of version {head.get('version')!r}")
    for name in ("size", "dt_ms", "duration_ms", "start_ms", "name", *more):
        if name not in head:
            raise FileError(f"{path} must state {name!r} in its header, it does not")
    return head


def fields(head) -> dict:
    """Return the arguments of the constructor that a header holds."""
    return {"size": head["size"], "dt": head["dt_ms"], "duration": head["duration_ms"], "start": head["start_ms"],
            "name": head["name"]}


@contextmanager
def reading_spikes(path, what):
    """As `reading`, and spikes that do not fit are a fault of the file."""
    with reading(path, what):
        try:
            yield
        except ParameterError as error:
            raise FileError(f"{path} does not hold valid spikes: {error}") from None
