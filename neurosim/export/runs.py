"""All that a run recorded, as every format of whole runs takes it: spikes of whole populations, traces, the network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError, warn
from neurosim.files import as_path
from neurosim.network import DriveOn, Network, Population, Projection, Recorder
from neurosim.spikes import Spikes

ENDS = {".nwb": "nwb", ".nix": "neo", "": "sonata"}
SI = {"mV": ("volts", 1e-3), "pA": ("amperes", 1e-12), "nS": ("siemens", 1e-9), "pF": ("farads", 1e-12),
      "ms": ("seconds", 1e-3), "Hz": ("hertz", 1.0)}  #: unit -> name in SI, and how much of it one is


class Trace(NamedTuple):
    """What was recorded of a variable.

    Attributes:
        name: its name in files.
        of, variable: the population, part of one, projection or drive, and what of it.
        population: the whole population; None for a projection.
        unit: of the values, "" where they have none.
        times: ms, shape (samples,).
        values: shape (samples, neurons or synapses).
        neurons: their numbers in the whole population; None for synapses.
    """

    name: str
    of: str
    variable: str
    population: str | None
    unit: str
    times: np.ndarray
    values: np.ndarray
    neurons: np.ndarray | None

    @property
    def every(self) -> float | None:
        """ms between two samples, None where they are not regular."""
        if len(self.times) < 2:
            return None
        step = (self.times[-1] - self.times[0]) / (len(self.times) - 1)
        regular = np.abs(np.diff(self.times) - step).max() <= 1e-6 * step
        return float(f"{step:.12g}") if regular else None


def export(sim: Any, path: str | Path, format: str | None, fields: dict) -> None:
    """Write everything that a simulation recorded, and what it is, whole or not at all; `Simulation.export` tells."""
    path = as_path("export.path", path)
    kind = ENDS.get(path.suffix.lower()) if format is None else format
    if kind not in ENDS.values():
        raise ParameterError(f'format must be "nwb" (.nwb), "neo" (.nix) or "sonata" (a folder), got '
                             f"{describe_value(path.suffix if format is None else format)}")
    if not sim.net.recorders:
        raise ParameterError("a run must have recorded something before it is exported; call net.record(...) before "
                             "the simulation is made")
    if fields and kind != "nwb":
        raise ParameterError(f"fields are those of an NWB file, {kind!r} has none, got {', '.join(fields)}")
    from neurosim.export import circuit, neo, nwb

    if kind == "nwb":
        nwb.write_run(sim, path, fields)
    elif kind == "neo":
        neo.write_block(neo.run_block(sim), path)
    else:
        circuit.write_run(sim, path)


# ---- what was recorded ------------------------------------------------------------------------------


def recorded_spikes(sim: Any) -> list[Spikes]:
    """Return the spikes of each whole population of which some were recorded, by parts or not, none twice."""
    found: dict[Population, Spikes] = {}
    for recorder in sim.net.recorders:
        what = recorder.what
        if recorder.variable != "spikes":
            continue
        spikes = _of_whole(sim.spikes(what), what)
        if what.base in found:
            known = _watched(found[what.base])
            spikes = spikes.select(np.setdiff1d(_watched(spikes), known))
            found[what.base] = found[what.base].merge(spikes)
        else:
            found[what.base] = spikes
    return list(found.values())


def _of_whole(spikes: Spikes, part: Population) -> Spikes:
    if part.whole is None:
        return spikes
    return spikes.replace(ids=part.ids[spikes.ids], size=part.base.size, name=part.base.name,
                          watched=part.ids[_watched(spikes)])


def _watched(spikes) -> np.ndarray:
    return np.arange(spikes.size) if spikes.watched is None else spikes.watched.astype(np.int64)


def traces(sim: Any) -> list[Trace]:
    """Return what was recorded of variables, in the order of the recorders."""
    found = []
    for recorder in sim.net.recorders:
        if recorder.variable != "spikes":
            times, values = sim.trace(recorder.what, recorder.variable)
            what, name = recorder.what, f"{recorder.what.name} {recorder.variable}"
            population = None if isinstance(what, Projection) else _of(what).base.name
            found.append(Trace(name, what.name, recorder.variable, population, _unit(sim.net, recorder),
                               np.asarray(times), values, _neurons(recorder)))
    return found


def _neurons(recorder: Recorder) -> np.ndarray | None:
    what = recorder.what
    if isinstance(what, Projection):
        return None
    ids = np.arange(what.size) if recorder.ids is None else np.asarray(recorder.ids, dtype=np.int64)
    return _of(what).ids[ids]


def _of(what: Population | DriveOn) -> Population:
    """Return the population of what is recorded."""
    return what.target if isinstance(what, DriveOn) else what


def _unit(net: Network, recorder: Recorder) -> str:
    what = recorder.what
    if isinstance(what, Projection):
        return (what.receptor.weight_unit(what.target.model) or "") if recorder.variable == "weight" else ""
    if isinstance(what, DriveOn):
        return "pA"
    port, variable = net.variables(what.base)[recorder.variable]
    owner: Any = what.model if port is None else net.ports(what.base)[port]
    return getattr(owner.state[variable], "unit", "") or ""


def unwritten(kind: str, what: list[str], where: str) -> None:
    """Warn of parts of a network that a format has no place for."""
    if what:
        warn(f"{kind} has no place for {', '.join(what)}; {where}")


def unique_names(names: list[str], plain: Callable[[str], str]) -> list[str]:
    """Return names as a format allows them, all different.

    >>> unique_names(["a/b", "a_b"], lambda name: name.replace("/", "_"))
    ['a_b', 'a_b_2']
    """
    made: list[str] = []
    for name in map(plain, names):
        number, free = 2, name
        while free in made:
            number, free = number + 1, f"{name}_{number}"
        made.append(free)
    return made
