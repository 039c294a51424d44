"""The connectome of an adult fly as FlyWire publishes it: `read_flywire`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import FileError, ParameterError
from neurosim.export.extra import need
from neurosim.files import as_path

#: what a neuron does to others, by its transmitter, as Shiu and others (2024) take it
SIGNS = {"ACH": 1, "GABA": -1, "GLUT": -1, "DA": 1, "SER": 1, "OCT": 1}
CODEX = ("pre_root_id", "post_root_id", "syn_count", "nt_type")
TABLE = ("Presynaptic_Index", "Postsynaptic_Index", "Excitatory x Connectivity")
EXTRA = "connectome"


@dataclass(frozen=True, eq=False)
class Connectome:
    """Neurons and who reaches whom.

    Attributes:
        ids: what the publisher calls each neuron, shape (neurons,).
        source, target: the two neurons of each connection, by their places in `ids`, shape (connections,).
        count: synapses of each connection, negative where they inhibit, shape (connections,).

    >>> import numpy as np
    >>> Connectome(np.array([10, 20]), np.array([0]), np.array([1]), np.array([-7]))
    <connectome of 2 neurons, 1 connection, 7 synapses>
    """

    ids: np.ndarray
    source: np.ndarray
    target: np.ndarray
    count: np.ndarray

    def __repr__(self):
        many = len(self.source)
        return (f"<connectome of {len(self.ids)} neurons, {many} connection{'s' * (many != 1)}, "
                f"{int(np.abs(self.count).sum())} synapses>")


def read_flywire(path: str | Path, *, neurons: str | Path | None = None,
                 signs: Mapping[str, int] = SIGNS) -> Connectome:
    """Return the connectome in a file of FlyWire's, or in that of Shiu and others.

    A connection in several neuropils is one, with all its synapses.

    Args:
        path: `connections.csv` or `connections.csv.gz` of Codex, with the columns pre_root_id, post_root_id, syn_count
            and nt_type; or `Connectivity_783.parquet`, with Presynaptic_Index, Postsynaptic_Index and
            Excitatory x Connectivity.
        neurons: `Completeness_783.csv`, which lists the neurons that the second file numbers; by default the file of
            that name, with the same ending number, beside it. For the first file one whose first column lists all
            neurons; by default those that have a connection, sorted.
        signs: what a transmitter of the first file does, 1 or -1. A connection without one is refused unless there is
            a sign for "".

    Raises:
        FileError: a file is missing, cut short, or has other columns.
        ParameterError: a transmitter has no sign.
        UnsupportedError: pandas or pyarrow are not installed (extra `connectome`).

    >>> read_flywire("flywire/connections.csv.gz")  # and where the file is there, <connectome of ... neurons, ...>
    Traceback (most recent call last):
    neurosim.errors.FileError: flywire/connections.csv.gz must be a file of a connectome; there is none of that name

    Source: Dorkenwald and others, Nature 634 (2024) 124-138; Shiu and others, Nature 634 (2024) 210-219, with the files
    at github.com/philshiu/Drosophila_brain_model.
    """
    path = as_path("path", path)
    if path.suffix == ".parquet":
        return _of_table(path, neurons)
    return _of_codex(path, neurons, signs)


def _read(path, columns, **options) -> Any:
    """Return some columns of a table; raise FileError for what is none."""
    if not path.exists():
        raise FileError(f"{path} must be a file of a connectome; there is none of that name")
    what = f"reading {path.name}"
    pandas = need("pandas", what, EXTRA)
    if path.suffix == ".parquet":
        need("pyarrow", what, EXTRA)
    try:
        table = pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_csv(path, **options)
    except Exception as error:  # of pandas, pyarrow and gzip, each with its own
        raise FileError(f"{path} is cut short, damaged or not a table: {error}") from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise FileError(f"{path} must have the columns {', '.join(columns)}; it lacks {', '.join(missing)}, and has "
                        f"{', '.join(map(str, table.columns[:12]))}")
    return table


def _whole(path, table, name) -> np.ndarray:
    """Return a column of whole numbers; raise FileError where one is missing."""
    column = table[name]
    if column.isna().any() or column.dtype.kind not in "iu":
        row = int(np.flatnonzero(column.isna())[0]) + 2 if column.isna().any() else 2
        raise FileError(f"{path} must have whole numbers in {name}; line {row} has {column.iloc[row - 2]}, as where a "
                        "file is cut short")
    return column.to_numpy(np.int64)


def _listed(path) -> np.ndarray:
    """Return the first column of a list of neurons."""
    table = _read(path, ())
    return _whole(path, table, table.columns[0])


def _of_codex(path, neurons, signs) -> Connectome:
    table = _read(path, CODEX, dtype={"nt_type": str}, keep_default_na=True)
    source, target, count = (_whole(path, table, name) for name in CODEX[:3])
    ids = _listed(as_path("neurons", neurons)) if neurons is not None else np.unique(np.concatenate([source, target]))
    order = np.argsort(ids)
    source, target = (_places(path, ids, order, each) for each in (source, target))
    sign = _signs(path, table["nt_type"].fillna(""), signs)
    pairs, inverse = np.unique(source * len(ids) + target, return_inverse=True)
    total = np.bincount(inverse, weights=sign * count).astype(np.int64)
    return Connectome(ids, pairs // len(ids), pairs % len(ids), total)


def _places(path, ids, order, called):
    places = order[np.minimum(np.searchsorted(ids, called, sorter=order), len(ids) - 1)]
    if (ids[places] != called).any():
        raise FileError(f"{path} names neuron {called[ids[places] != called][0]}, which is not in the list of neurons")
    return places


def _signs(path, transmitters, signs):
    unknown = sorted(set(transmitters.unique()) - set(signs))
    if unknown:
        many = int(transmitters.isin(unknown).sum())
        raise ParameterError(f"signs must have a sign for each transmitter in {path.name}; {many} connections have "
                             f"{describe_value(unknown[0])}, so give signs={{**SIGNS, {unknown[0]!r}: 1}} or -1")
    return transmitters.map(dict(signs)).to_numpy(np.int64)


def _of_table(path, neurons) -> Connectome:
    listed = as_path("neurons", neurons) if neurons is not None else path.with_name(
        path.name.replace("Connectivity", "Completeness").replace("connectivity", "completeness")).with_suffix(".csv")
    ids, table = _listed(listed), _read(path, TABLE)
    source, target, count = (_whole(path, table, name) for name in TABLE)
    most = max(source.max(initial=-1), target.max(initial=-1))
    if most >= len(ids) or min(source.min(initial=0), target.min(initial=0)) < 0:
        raise FileError(f"{path} numbers neurons up to {most}, but {listed} lists {len(ids)}; one of them is cut short "
                        "or of another version")
    return Connectome(ids, source, target, count)


__all__ = ["SIGNS", "Connectome", "read_flywire"]
