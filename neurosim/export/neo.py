"""Neo, which Elephant, Viziphant and SpikeInterface take: trains of spikes with their window, silent ones too.

A train is a view of one array, in ms like its window: Neo compares the two, and rounds where they are in other units.
"""

import shutil
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.errors import ParameterError
from neurosim.export import runs
from neurosim.export.assemble import TEXT, Found, Wanted, assemble, header_of, header_text, spacing
from neurosim.export.extra import need
from neurosim.export.trains import known, trains
from neurosim.files import reading, whole_file
from neurosim.spikes import Spikes

WHAT = "Neo objects"


def to_neo(spikes: Spikes, **annotations: Any):
    """Return a `neo.SpikeTrainList`, one train for each watched neuron, in the order of their numbers."""
    lists = need("neo.core.spiketrainlist", WHAT, "neo")
    return lists.SpikeTrainList(items=spike_trains(spikes, **annotations))


def spike_trains(spikes: Spikes, **annotations: Any) -> list:
    """Return a list of `neo.SpikeTrain` with the annotations `channel_id`, `population` and our header."""
    neo, pq = need("neo", WHAT, "neo"), need("quantities", WHAT, "neo")
    spikes = known(spikes)
    by_neuron = trains(spikes)
    times = pq.Quantity(by_neuron.times, pq.ms)
    start, stop = pq.Quantity(spikes.start, "ms"), pq.Quantity(spikes.stop, "ms")
    rate = {} if spikes.dt is None else {"sampling_rate": pq.Quantity(1 / spikes.dt, "kHz")}
    labels = {"population": spikes.name, TEXT: header_text(spikes, counted=False), **annotations}
    begin, made = 0, []
    for unit, end in zip(by_neuron.units.tolist(), by_neuron.ends.tolist(), strict=True):
        made.append(neo.SpikeTrain(times[begin:end], t_stop=stop, t_start=start, name=f"{spikes.name}[{unit}]",
                                   channel_id=unit, **rate, **labels))
        begin = end
    return made


def from_neo(cls, trains_given: Any, wanted: Wanted, population: str | None = None):
    """Return the spikes of a train, a list of trains, a segment, or a block of one segment."""
    given = list(_flat(trains_given))
    if population is not None:
        given = [train for train in given if train.annotations.get("population") == population]
    if not given:
        raise ParameterError("neo objects must hold a spike train" + (
            "" if population is None else f" of the population {population!r}") + ", they hold none")
    names = {train.annotations.get("population") for train in given}
    if len(names) > 1:
        raise ParameterError(f"population must be one of {', '.join(map(repr, sorted(map(str, names))))}, whose trains "
                             "these are, got None")
    times = [_ms(train) for train in given]
    listed = np.array([_id(train, place) for place, train in enumerate(given)])
    starts, stops = (np.array([_in_ms(getattr(train, name)) for train in given]) for name in ("t_start", "t_stop"))
    if starts.min() != starts.max() or stops.min() != stops.max():
        raise ParameterError("spike trains must all have one t_start and one t_stop, got several; cut them with "
                             "train.time_slice first")
    head = header_of("Neo's spike trains", given[0].annotations.get(TEXT))
    stop = None if head is None else head["start_ms"] + head["duration_ms"]
    if head is not None and (starts[0] != head["start_ms"] or stops[0] != stop):  # cut by Neo
        head = {**head, "start_ms": float(starts[0]), "duration_ms": float(stops[0] - starts[0])}
    joined = np.concatenate(times)
    found = Found(joined, np.repeat(listed, [len(each) for each in times]), listed, head,
                  {"start": float(starts[0]), "duration": float(stops[0] - starts[0])},
                  max(map(_spacing, given)))
    return assemble(cls, "Neo's spike trains", found, wanted)


def _flat(given) -> Iterable:
    neo = need("neo", WHAT, "neo")
    if isinstance(given, neo.SpikeTrain):
        yield given
    elif isinstance(given, neo.Block):
        if len(given.segments) != 1:
            raise ParameterError(f"a neo.Block must have one segment, got {len(given.segments)}; give one of them")
        yield from given.segments[0].spiketrains
    elif isinstance(given, neo.Segment):
        yield from given.spiketrains
    else:
        try:
            given = list(given)
        except TypeError:
            given = [given]
        for train in given:
            if not isinstance(train, neo.SpikeTrain):
                raise ParameterError("neo objects must be a Block, a Segment, a SpikeTrain or a list of these, got "
                                     f"{type(train).__name__}")
            yield train


def _id(train, place) -> int:
    """What a train's neuron is called: Neo's channel_id, or the id of its row in NWB, or its place."""
    for name in ("channel_id", "id"):
        value = train.annotations.get(name)
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            return int(value)
    return place


def _ms(train) -> np.ndarray:
    """The times of a train in ms."""
    return np.asarray(train.magnitude) * _ms_of(train.dimensionality.string)


def _spacing(train) -> float:
    """As `spacing`, in ms; what is rescaled is float64 always."""
    return spacing(np.asarray(train.magnitude)) * _ms_of(train.dimensionality.string)


def _in_ms(quantity) -> float:
    return float(quantity.magnitude) * _ms_of(quantity.dimensionality.string)


@cache
def _ms_of(unit: str) -> float:
    """ms of a unit of time; to rescale each train takes longer than all the rest."""
    return float(need("quantities", WHAT, "neo").Quantity(1.0, unit).rescale("ms").magnitude)


# ---- files of Neo -----------------------------------------------------------------------------------


def write(spikes: Spikes, path) -> None:
    """Write a block with the trains of one population as a NIX file, whole or not at all."""
    write_block(block([spike_trains(spikes)], name=spikes.name), path)


def block(populations: list, **labels: Any):
    """Return a `neo.Block` of one segment with the trains of some populations."""
    neo = need("neo", WHAT, "neo")
    made, segment = neo.Block(**labels), neo.Segment(name=labels.get("name"))
    made.segments.append(segment)
    for trains_of in populations:
        for train in trains_of:
            train.segment = segment
            segment.spiketrains.append(train)
    return made


def run_block(sim: Any):
    """Return everything that a simulation recorded as a block of one segment, with a group for each population."""
    neo = need("neo", WHAT, "neo")
    populations = runs.recorded_spikes(sim)
    made = block([spike_trains(spikes) for spikes in populations], name="neurosim", description=str(sim.net),
                 seed=sim.seed, network=sim.net.fingerprint(), **({} if sim.dt is None else {"dt_ms": sim.dt}))
    segment = made.segments[0]
    groups = {spikes.name: neo.Group(name=spikes.name) for spikes in populations}
    for train in segment.spiketrains:
        groups[train.annotations["population"]].add(train)
    for trace in runs.traces(sim):
        signal = _signal(neo, trace)
        signal.segment = segment
        (segment.irregularlysampledsignals if trace.every is None else segment.analogsignals).append(signal)
        groups.setdefault(trace.of, neo.Group(name=trace.of)).add(signal)
    made.groups.extend(groups.values())
    return made


def _signal(neo, trace):
    pq = need("quantities", WHAT, "neo")
    labels = {"name": trace.name, "variable": trace.variable, "of": trace.of}
    units = trace.unit if hasattr(pq, trace.unit or "dimensionless") else "dimensionless"
    if trace.neurons is not None:
        labels["array_annotations"] = {"neuron": trace.neurons}
    if trace.every is None:
        return neo.IrregularlySampledSignal(trace.times, trace.values, units=units or "dimensionless", time_units="ms",
                                            **labels)
    return neo.AnalogSignal(trace.values, units=units or "dimensionless", t_start=pq.Quantity(trace.times[0], "ms"),
                            sampling_period=pq.Quantity(trace.every, "ms"), **labels)


def write_block(made, path) -> None:
    """Write a block as a NIX file, whole or not at all: Neo writes elsewhere, and the bytes are copied."""
    io = need("neo.io", WHAT, "neo")
    need("nixio", "NIX files", "neo")
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / "block.nix"
        file = io.NixIO(str(temporary), mode="ow")
        try:
            file.write_block(made)
        finally:
            file.close()
        with whole_file(path) as target, open(temporary, "rb") as source:
            shutil.copyfileobj(source, target, 1 << 20)


def read(cls, path, wanted: Wanted, population: str | None = None):
    """Return the spikes of the block of a NIX file as an object of a class."""
    io = need("neo.io", WHAT, "neo")
    need("nixio", "NIX files", "neo")
    path = Path(path)
    with reading(path, "a NIX file of Neo"):
        if not path.exists():
            raise FileNotFoundError
        file = io.NixIO(str(path), mode="ro")
        try:
            blocks = file.read_all_blocks()
        finally:
            file.close()
    if len(blocks) != 1:
        raise ParameterError(f"{path} must hold one block, it holds {len(blocks)}; read it with neo.io.NixIO and give "
                             "one of them to Spikes.from_neo")
    return from_neo(cls, blocks[0], wanted, population)
