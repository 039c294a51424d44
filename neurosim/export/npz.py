"""Spikes as .npz, which NumPy alone opens: `ticks` (or `times`, ms), `ids`, and our header as text."""

from typing import Any

import numpy as np

from neurosim.errors import FileError
from neurosim.export.assemble import TEXT, header_of, header_text
from neurosim.files import whole_file
from neurosim.spikes.header import fields, reading_spikes

FILE = "an .npz file of spikes"
NAMES = ("watched", "unit_ids")


def write(spikes, path) -> None:
    """Write spikes, whole or not at all; nothing is compressed."""
    exact = spikes.dt is None
    arrays: dict[str, Any] = {"times" if exact else "ticks": spikes.times if exact else spikes.ticks, "ids": spikes.ids,
                              **{name: getattr(spikes, name) for name in NAMES if getattr(spikes, name) is not None},
                              TEXT: np.array(header_text(spikes))}
    with whole_file(path) as file:
        np.savez(file, **arrays)


def read(cls, path):
    """Return the spikes of a file that `write` wrote as an object of a class."""
    with reading_spikes(path, FILE), np.load(path, allow_pickle=False) as file:
        head = header_of(path, str(file[TEXT][()]) if TEXT in file else "")
        if head is None:
            raise FileError(f"{path} must be an .npz file that Spikes.to_npz wrote; read others with numpy.load and "
                            "use Spikes.from_times")
        stamps = "times" if head["dt_ms"] is None else "ticks"
        return cls(**{stamps: file[stamps]}, ids=file["ids"], **fields(head), metadata=head.get("metadata"),
                   **{name: file[name] for name in NAMES if name in file})
