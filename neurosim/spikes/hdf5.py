"""Spikes as HDF5: the group `spikes` with two datasets, attributes, and a group of labels."""

from typing import Any

import numpy as np

from neurosim.errors import FileError
from neurosim.files import whole_hdf5
from neurosim.growing import looking, read_rows
from neurosim.spikes.checks import checked_metadata
from neurosim.spikes.header import check_header, fields, header, reading_spikes

WHAT = "an HDF5 file of spikes"


def write(spikes, path, metadata=None) -> None:
    """Write spikes to an HDF5 file, whole or not at all, with more labels."""
    labels = checked_metadata({**spikes.metadata, **checked_metadata(metadata)})
    exact = spikes.dt is None
    with whole_hdf5(path) as file:
        group = file.create_group("spikes")
        head = {**header(spikes), "units": "ms" if exact else "tick", "fingerprint": spikes.fingerprint()}
        group.attrs.update({key: value for key, value in head.items() if value is not None})
        group.create_dataset("times" if exact else "ticks", data=spikes.times if exact else spikes.ticks)
        group.create_dataset("ids", data=spikes.ids)
        for name in ("watched", "unit_ids"):
            if getattr(spikes, name) is not None:
                group.create_dataset(name, data=getattr(spikes, name))
        group.create_group("metadata").attrs.update(
            {key: np.uint64(value) if isinstance(value, int) and value >= 2**63 else value
             for key, value in labels.items()})


def read(cls, path):
    """Return the spikes of an HDF5 file as an object of a class, whose constructor is that of `Spikes`."""
    with reading_spikes(path, WHAT), looking(path, WHAT) as file:
        if "spikes" not in file:
            raise FileError(f"{path} must have a group 'spikes', it has none")
        group: Any = file["spikes"]
        attributes = {"dt_ms": None, **_attributes(group)}
        grown = "digest" in attributes  # piece by piece, see neurosim.growing
        head = check_header(path, attributes, "units", *(() if grown else ("fingerprint",)))
        names = ("times" if head["units"] == "ms" else "ticks", "ids")
        stamps, ids = _grown(path, group, names) if grown else _columns(path, group, names)
        spikes = cls(**{names[0]: stamps}, ids=ids, **fields(head),
                     **{name: group[name][:] for name in ("watched", "unit_ids") if name in group},
                     metadata=_attributes(group["metadata"]) if "metadata" in group else None)
        if not grown and spikes.fingerprint() != head["fingerprint"]:
            raise FileError(f"{path} is damaged or was edited: its spikes do not match their fingerprint")
        return spikes


def _attributes(group) -> dict:
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in group.attrs.items()}


def _columns(path, group, names) -> list:
    for name in names:
        if name not in group:
            raise FileError(f"{path} must have a dataset 'spikes/{name}', it has none")
    return [group[name][:] for name in names]


def _grown(path, group, names) -> list:
    return read_rows(path, group, names) or [np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint32)]
