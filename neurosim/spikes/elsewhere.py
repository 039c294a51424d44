"""Spikes to the tools and files of others, and back; each format is a module of `neurosim.export`, imported then."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from neurosim.aliases import Number, Numbers


class Elsewhere:
    """What `Spikes`, which derives from this, is in other tools.

    Only watched neurons are written, silent ones too, as nothing is known of the others; what comes back is equal, to
    the tick. Times and windows are those of [time](time.md): a window is open on its left, and where another tool has a
    spike at the very beginning, the window opens a tick earlier, with a warning.
    """

    # ---- Neo, NWB, SONATA -----------------------------------------------------------------------

    def to_neo(self, **annotations: Any) -> Any:
        """Return a `neo.SpikeTrainList`, in ms, one train for each watched neuron; Elephant takes it as it is.

        Each train has the annotations `channel_id` (the neuron, or its unit_id) and `population`.

        Args:
            annotations: more of them, the same for each train.

        Raises:
            UnsupportedError: Neo is not installed (extra `neo`).
        """
        from neurosim.export import neo

        spikes: Any = self
        return neo.to_neo(spikes, **annotations)

    @classmethod
    def from_neo(cls, trains: Any, *, population: str | None = None, ids: Numbers | Sequence[int] | None = None,
                 dt: Number | None = None, start: Number | None = None, duration: Number | None = None,
                 name: str | None = None) -> Self:
        """Return the spikes of Neo's trains.

        Args:
            trains: a `neo.SpikeTrain`, a list of them, a segment, or a block of one segment.
            population: takes the trains with this annotation alone.
            ids: what all neurons are called, in the order of their numbers; by default all that are there, silent ones
                as far as it lists them.
            dt: ms of a tick; by default the exact times, or the ticks of what neurosim wrote.
            start, duration: ms of the window; by default what it says.
            name: of the population; by default what it says.

        Raises:
            ParameterError: something does not fit; windows differ.

        Warns:
            NeurosimWarning: times are rounded, or the window opens earlier than was said.
        """
        from neurosim.export import neo

        return neo.from_neo(cls, trains, _wanted(ids, dt, start, duration, name), population)

    def to_nwb(self, path: str | Path, **fields: Any) -> None:
        """Write an NWB file with a table of units in seconds; it appears whole or not at all.

        Every watched neuron has a row with `spike_times`, `obs_intervals`, `population` and `neuron`; `resolution` is
        dt. The rest of the session says that it is a simulation.

        Args:
            path: name of the file; one that exists is replaced.
            fields: of `pynwb.NWBFile`, such as `experimenter`, `institution`, `subject` or `session_description`.

        Raises:
            FileError: the file cannot be written.
            UnsupportedError: PyNWB is not installed (extra `nwb`).

        Warns:
            NeurosimWarning: a neuron has several spikes at one tick, which inspectors of NWB take for a fault.
        """
        from neurosim.export import nwb

        spikes: Any = self
        nwb.write(path, [spikes], fields)

    @classmethod
    def from_nwb(cls, path: str | Path, *, population: str | None = None, ids: Numbers | Sequence[int] | None = None,
                 dt: Number | None = None, start: Number | None = None, duration: Number | None = None,
                 name: str | None = None) -> Self:
        """Return the units of an NWB file; what they are called in it is in `unit_ids`. PyNWB is not needed.

        Args:
            path: name of the file.
            population: takes the rows with this value in the column `population` alone.
            ids, dt, start, duration, name: as for `from_neo`.

        Raises:
            FileError: the file is missing, damaged, of another version, or has no units.
            ParameterError: an argument does not fit.

        Warns:
            NeurosimWarning: as `from_neo`; also where units were observed in several intervals.
        """
        from neurosim.export import nwb

        return nwb.read(cls, path, _wanted(ids, dt, start, duration, name), population)

    def to_sonata(self, path: str | Path) -> None:
        """Write a SONATA file of spikes, in ms, sorted by time, not compressed; it appears whole or not at all.

        libsonata, bmtk and NEST read it. The population has the name of the spikes, or "spikes".

        Raises:
            FileError: the file cannot be written.
        """
        from neurosim.export import sonata

        spikes: Any = self
        sonata.write(path, [spikes])

    @classmethod
    def from_sonata(cls, path: str | Path, *, population: str | None = None,
                    ids: Numbers | Sequence[int] | None = None, dt: Number | None = None, start: Number | None = None,
                    duration: Number | None = None, name: str | None = None) -> Self:
        """Return the spikes of one population of a SONATA file.

        Others' files say neither who was silent nor how long it took: give `ids`, such as `range(1000)`, and
        `duration`.

        Args:
            path: name of the file.
            population: its name; needed where there are several.
            ids, dt, start, duration, name: as for `from_neo`.

        Raises, Warns:
            as `from_nwb`.
        """
        from neurosim.export import sonata

        return sonata.read(cls, path, _wanted(ids, dt, start, duration, name), population)

    # ---- arrays and tables ------------------------------------------------------------------------

    def to_tonic(self) -> np.ndarray:
        """Return a structured array as Tonic has them for cochleas: t in microseconds, x the neuron, p = 1.

        Its `sensor_size` is `(spikes.size, 1, 1)`.

        Warns:
            NeurosimWarning: times are no whole microseconds and were rounded.

        >>> from neurosim.spikes import Spikes
        >>> Spikes(ticks=[1, 3], ids=[1, 0], size=2, duration=1.0, dt=0.1).to_tonic()["t"]
        array([100, 300])
        """
        from neurosim.export import tonic

        return tonic.to_tonic(self)

    def to_pandas(self) -> Any:
        """Return a `pandas.DataFrame` with the columns `time_ms`, `neuron` and, where there is a grid, `tick`.

        Raises:
            UnsupportedError: pandas is not installed (extra `pandas`).
        """
        from neurosim.export import frame

        return frame.to_frame(self)

    @classmethod
    def from_pandas(cls, frame: Any, *, ids: Numbers | Sequence[int] | None = None, dt: Number | None = None,
                    start: Number | None = None, duration: Number | None = None, name: str | None = None) -> Self:
        """Return the spikes of a DataFrame with the columns `time_ms` and `neuron` (or `times` and `senders`, as NEST).

        Args:
            frame: the table; of one that `to_pandas` made, also a selection of rows.
            ids, dt, start, duration, name: as for `from_neo`.

        Raises, Warns:
            as `from_neo`.
        """
        from neurosim.export import frame as frames

        return frames.from_frame(cls, frame, _wanted(ids, dt, start, duration, name))

    def to_npz(self, path: str | Path) -> None:
        """Write an .npz file with the arrays `ticks` (or `times`, ms) and `ids`; it appears whole or not at all.

        Raises:
            FileError: the file cannot be written.

        >>> import tempfile, pathlib
        >>> from neurosim.spikes import Spikes
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "spikes.npz"
        >>> spikes = Spikes(ticks=[1, 3], ids=[1, 0], size=2, duration=1.0, dt=0.1)
        >>> spikes.to_npz(path)
        >>> Spikes.from_npz(path) == spikes
        True
        """
        from neurosim.export import npz

        npz.write(self, path)

    @classmethod
    def from_npz(cls, path: str | Path) -> Self:
        """Return the spikes of a file that `to_npz` wrote.

        Raises:
            FileError: the file is missing, damaged, or not such a file.
        """
        from neurosim.export import npz

        return npz.read(cls, path)

    # ---- hardware ---------------------------------------------------------------------------------

    def to_vcd(self, path: str | Path) -> None:
        """Write a value change dump for waveform viewers: each neuron is an event variable. It appears whole or not.

        Raises:
            UnsupportedError: times are exact, a neuron has several spikes at one tick, or dt is no whole number of fs.
            FileError: the file cannot be written.
        """
        from neurosim.export import vcd

        vcd.write(self, path)

    @classmethod
    def from_vcd(cls, path: str | Path, *, ids: Numbers | Sequence[int] | None = None, dt: Number | None = None,
                 start: Number | None = None, duration: Number | None = None, name: str | None = None) -> Self:
        """Return the events, and the rising edges of signals of one bit, of a value change dump.

        Signals are numbered in the order in which they are declared; wider ones are not read.

        Args:
            path: name of the file.
            ids, dt, start, duration, name: as for `from_neo`.

        Raises, Warns:
            as `from_nwb`.
        """
        from neurosim.export import vcd

        return vcd.read(cls, path, _wanted(ids, dt, start, duration, name))

    # ---- other simulators -------------------------------------------------------------------------

    @classmethod
    def from_nest(cls, source: Any, *, ids: Numbers | Sequence[int] | None = None, dt: Number | None = None,
                  start: Number | None = None, duration: Number | None = None, name: str | None = None) -> Self:
        """Return the spikes of a recorder of NEST.

        Args:
            source: a `spike_recorder`, its `events` (a dict with `senders` and `times`), or the names of its files, one
                for each thread.
            ids: the recorded nodes, as a NodeCollection gives them, such as `population.tolist()`: neuron 0 is the
                first. By default those that spiked.
            dt: NEST's resolution in ms; needed where the recorder counts steps (`time_in_steps`). By default times are
                exact.
            start, duration, name: as for `from_neo`; a recorder says none of them.

        Raises, Warns:
            as `from_nwb`.

        >>> from neurosim.spikes import Spikes
        >>> events = {"senders": [12, 11], "times": [1.5, 2.0]}
        >>> Spikes.from_nest(events, ids=[11, 12, 13], dt=0.1, duration=10.0).ids
        array([1, 0], dtype=uint32)
        """
        from neurosim.export import nest

        return nest.from_nest(cls, source, _wanted(ids, dt, start, duration, name))

    @classmethod
    def from_gdf(cls, path: str | Path, *, ids: Numbers | Sequence[int] | None = None,
                 others: Literal["refuse", "leave out"] = "refuse", dt: Number | None = None,
                 start: Number | None = None, duration: Number | None = None, name: str | None = None) -> Self:
        """Return the spikes of a text file of lines `neuron time_ms`, as NEST 2 and recordings in .gdf have them.

        Args:
            path: name of the file.
            ids, dt, start, duration, name: as for `from_neo`.
            others: what happens to lines with other numbers than `ids`, such as those of stimuli: "refuse" or "leave
                out".

        Raises, Warns:
            as `from_nwb`.
        """
        from neurosim.export import nest

        return nest.from_gdf(cls, path, _wanted(ids, dt, start, duration, name), others)

    @classmethod
    def from_brian2(cls, monitor: Any, *, ids: Numbers | Sequence[int] | None = None, dt: Number | None = None,
                    start: Number | None = None, duration: Number | None = None, name: str | None = None) -> Self:
        """Return the spikes of a SpikeMonitor of Brian2.

        Brian2 labels a spike with the beginning of its step, neurosim with the end: a spike at t is one at t + dt here.

        Args:
            monitor: the SpikeMonitor, or the dict of its `get_states()`.
            ids, name: as for `from_neo`.
            dt: ms of a step; by default that of the monitor's clock, and needed with a dict.
            start, duration: ms of the window; by default from 0 to the present of the clock.

        Raises:
            ParameterError: something does not fit.
        """
        from neurosim.export import brian2

        return brian2.from_brian2(cls, monitor, _wanted(ids, dt, start, duration, name))


def _wanted(ids, dt, start, duration, name):
    from neurosim.export.assemble import Wanted

    return Wanted(ids, dt, start, duration, name)
