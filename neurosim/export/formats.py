"""Which format a file is of, by its name and its first bytes; one way in and one way out for all of them."""

from pathlib import Path
from typing import Any

from neurosim.aliases import Number, Numbers
from neurosim.checks import describe_value
from neurosim.errors import FileError, ParameterError
from neurosim.export import neo, nest, nwb, sonata, vcd
from neurosim.export.assemble import Wanted
from neurosim.files import as_path, h5py, reading
from neurosim.spikes import Spikes
from neurosim.spikes.header import FORMAT

ENDS = {".csv": "csv", ".npz": "npz", ".nwb": "nwb", ".vcd": "vcd", ".gdf": "gdf", ".dat": "nest", ".nix": "nix",
        ".h5": "h5", ".hdf5": "h5", ".sonata": "sonata"}
OWN = {"csv": Spikes.from_csv, "npz": Spikes.from_npz, "h5": Spikes.load}  #: they say all themselves
READERS = {"nwb": nwb.read, "sonata": sonata.read, "nix": neo.read, "vcd": vcd.read, "gdf": nest.from_gdf,
           "nest": nest.from_nest}
WRITERS = {"csv": Spikes.to_csv, "npz": Spikes.to_npz, "h5": Spikes.save, "nwb": Spikes.to_nwb,
           "sonata": Spikes.to_sonata, "vcd": Spikes.to_vcd, "nix": neo.write}
SEVERAL = ("nwb", "sonata", "nix")  #: files of several populations


def read_spikes(path: str | Path, *, format: str | None = None, population: str | None = None,
                ids: Numbers | None = None, dt: Number | None = None, start: Number | None = None,
                duration: Number | None = None, name: str | None = None) -> Spikes:
    """Return the spikes of a file of any format that is known.

    Args:
        path: name of the file.
        format: "csv", "h5" and "npz" (of neurosim), "nwb", "sonata", "nix" (Neo), "vcd", "gdf" or "nest"; by default
            what the end of the name says, .h5 by what is in the file.
        population: its name, where a file holds several.
        ids: what all neurons are called in the file, in the order of their numbers; by default all that it lists, or
            that spiked.
        dt: ms of a tick; by default exact times, or what neurosim wrote.
        start, duration: ms of the window; by default what the file says, or up to the last spike.
        name: of the population.

    Raises:
        FileError: the file is missing, damaged, of another version or format.
        ParameterError: an argument does not fit.

    Warns:
        NeurosimWarning: times are rounded to the grid, or the window opens earlier than was said.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "spikes.h5"
    >>> spikes = Spikes(ticks=[1, 3], ids=[1, 0], size=2, duration=1.0, dt=0.1)
    >>> spikes.to_sonata(path)
    >>> read_spikes(path) == spikes
    True
    """
    path = as_path("read_spikes.path", path)
    kind = _format(path, format, (*OWN, *READERS))
    if kind == "h5":
        kind = _kind_of_hdf5(path)
    wanted = Wanted(ids, dt, start, duration, name)
    if kind in OWN:
        given = [key for key, value in {**vars(wanted), "population": population}.items() if value is not None]
        if given:
            raise ParameterError(f"{given[0]} must be left out for {path}, which neurosim wrote and which says it; "
                                 "change what was read, as with spikes.on_grid or spikes.between")
        return OWN[kind](path)
    if kind in SEVERAL:
        return READERS[kind](Spikes, path, wanted, population)
    if population is not None:
        raise ParameterError(f"population must be left out for {path}, a file of one population, got "
                             f"{describe_value(population)}")
    return READERS[kind](Spikes, path, wanted)


def write_spikes(spikes: Spikes, path: str | Path, format: str | None = None) -> None:
    """Write spikes to a file, whole or not at all.

    Args:
        spikes: of one population.
        path: name of the file.
        format: "csv", "h5", "npz", "nwb", "sonata", "vcd" or "nix"; by default what the end of the name says.

    Raises:
        FileError: the file cannot be written.
        ParameterError: the format is not known.
    """
    if not isinstance(spikes, Spikes):
        raise ParameterError(f"spikes must be Spikes, got {describe_value(spikes)}")
    WRITERS[_format(Path(path), format, WRITERS)](spikes, path)


def _format(path: Path, format: Any, known) -> str:
    found = ENDS.get(path.suffix.lower()) if format is None else format
    if found is not None and found in known:
        return found
    ends = [end for end, kind in ENDS.items() if kind in known]
    if format is None:
        raise ParameterError(f"the name of {path.name} must end in one of {', '.join(ends)}, or format= must say what "
                             "it is")
    raise ParameterError(f"format must be one of {', '.join(known)}, got {describe_value(format)}")


def _kind_of_hdf5(path) -> str:
    """Whose spikes an HDF5 file holds."""
    with reading(path, "an HDF5 file of spikes"), h5py().File(path, "r") as file:
        if "nwb_version" in file.attrs:
            return "nwb"
        if "spikes" not in file:
            raise FileError(f"{path} must have a group 'spikes', of neurosim or of SONATA, it has none")
        return "h5" if file["spikes"].attrs.get("format") == FORMAT else "sonata"


__all__ = ["read_spikes", "write_spikes"]
