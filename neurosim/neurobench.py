"""NeuroBench's metrics, under its names and by its definitions, from exact counts of spikes.

A population that spikes is an activation layer, a projection a connection layer: a matrix of source by target, in
which a pair without a synapse is a zero weight. A tick is a time step. A metric that is not defined for a network
raises an error; it is never 0 for that.

Source: Yik et al., The neurobench framework for benchmarking neuromorphic computing algorithms and systems, Nature
Communications 16 (2025) 1545; the definitions are those of neurobench 2.3.0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurosim.batch import Result
from neurosim.calls import arguments_listed, meant
from neurosim.checks import describe_value
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.simulation import Simulation
from neurosim.sources import PoissonDrive, Source
from neurosim.spikes import Spikes

STATIC = ("Footprint", "ParameterCount", "ConnectionSparsity")
WORKLOAD = ("ActivationSparsity", "ActivationSparsityByLayer", "SynapticOperations", "ClassificationAccuracy")
ELSEWHERE = {  #: what NeuroBench has and a count of spikes does not give
    "MembraneUpdates": "it counts changes of the membrane of torch modules, whose every step it sees",
    "NeuronOperations": "it is defined by a table of snnTorch's classes", "MSE": "it compares values, not spikes",
    "SMAPE": "it compares values, not spikes", "R2": "it compares values, not spikes",
    "CocoMap": "it compares boxes in pictures"}


@arguments_listed
def measure(sim: Simulation, samples: Sequence[Result] | None = None, *, metrics: Sequence[str] | None = None,
            predictions: Any = None, labels: Any = None) -> dict[str, Any]:
    """Return NeuroBench's metrics of a network and of what it did, by name.

    * Footprint: bytes of all weights, of delays that differ, and of the parameters of neurons and receptors, each
      number as large as the simulation's float type.
    * ParameterCount: number of weights.
    * ConnectionSparsity: zero weights / weights over all projections, rounded to four decimals.
    * ActivationSparsity: share of neurons and ticks without a spike, over all populations of neurons and all samples;
      ActivationSparsityByLayer: the same by population.
    * SynapticOperations: per sample, {"Effective_MACs", "Effective_ACs", "Dense"}. Effective is a spike times a weight
      that is not zero, dense every weight at every tick. A projection's operations at a tick are accumulations (ACs),
      or multiplications (MACs) where a source sends several spikes at that tick. NeuroBench decides this by the batch;
      here it is decided by the sample, as in a batch of one.
    * ClassificationAccuracy: share of predictions that are the labels.

    Args:
        sim: the simulation, whose weights are taken as they are now.
        samples: what `run_batch` returned, one result for each sample; by default the simulation's own recording is
            one. Spikes of all populations must be recorded, those of sources included.
        metrics: which; by default all that the arguments allow.
        predictions, labels: of the samples, whole numbers.

    Raises:
        UnsupportedError: a metric is not defined for this network, or from counts of spikes.
        ParameterError: an argument does not fit.
        NetworkError: spikes that are needed were not recorded.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> touch = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0, 2.0], [0, 1], size=2, duration=5.0)), name="touch")
    >>> cells = net.add(ns.LIF(), 3, name="cells")
    >>> synapses = net.connect(touch, cells, weight=20.0)
    >>> net.record(touch), net.record(cells)
    (None, None)
    >>> sim = ns.Simulation(net, dt=1.0)
    >>> sim.run(5.0)
    >>> ns.neurobench.measure(sim, metrics=["SynapticOperations", "ActivationSparsity"])
    {'SynapticOperations': {'Effective_MACs': 0.0, 'Effective_ACs': 6.0, 'Dense': 30.0}, 'ActivationSparsity': 0.6}
    """
    if not isinstance(sim, Simulation):
        raise ParameterError(f"sim must be a Simulation, got {describe_value(sim)}")
    if sim.dt is None:
        raise UnsupportedError("NeuroBench counts time steps, which the mode 'event' has none of; use mode='clocked'")
    held = [sim] if samples is None else list(samples)
    if not held or not all(isinstance(each, (Simulation, Result)) for each in held):
        raise ParameterError(f"samples must be results of run_batch, one or more, got {describe_value(samples)}")
    if metrics is None:
        metrics = [name for name in (*STATIC, *WORKLOAD) if name != WORKLOAD[-1] or labels is not None]
    return {name: _checked(name)(_Counts(sim, held, predictions, labels)) for name in metrics}


def _checked(name: str):
    if name in ELSEWHERE:
        raise UnsupportedError(f"{name} cannot be had from counts of spikes: {ELSEWHERE[name]}; run NeuroBench's "
                               "harness")
    if name not in _METRICS:
        raise ParameterError(f"metrics must be of {', '.join(_METRICS)}, got {describe_value(name)}"
                             f"{meant(str(name), _METRICS)}")
    return _METRICS[name]


class _Counts:
    """A network and its samples, as counts."""

    def __init__(self, sim, samples, predictions, labels):
        self.sim, self.samples, self.predictions, self.labels = sim, samples, predictions, labels

    def layers(self) -> list:
        """Return the populations that are activation layers."""
        found = [p for p in self.sim.net.populations if p.spiking and not isinstance(p.model, Source)]
        if not found:
            raise UnsupportedError("the sparsity of activations is not defined for a network without neurons that "
                                   "spike")
        return found

    def projections(self, what) -> list:
        """Return the projections, which must be some."""
        if not self.sim.net.projections:
            raise UnsupportedError(f"{what} is not defined for a network without projections")
        return self.sim.net.projections

    def spikes(self, population) -> list[Spikes]:
        """Return what each sample recorded of a population."""
        return [sample.spikes(population) for sample in self.samples]

    def steps(self, spikes: Spikes) -> int:
        """Return how many ticks a recording has."""
        return round(spikes.duration / self.sim.dt)


def _footprint(counts) -> int:
    size = np.dtype(counts.sim.dtype).itemsize
    numbers = 0
    for projection in counts.sim.net.projections:
        synapses = counts.sim.synapses(projection)
        numbers += len(synapses) * (1 + bool(len(synapses) and (synapses.delay != synapses.delay[0]).any()))
    for population in counts.sim.net.populations:
        if not isinstance(population.model, Source):
            parts = [population.model, *_receptors(counts.sim.net, population)]
            numbers += sum(np.size(value) for part in parts for name, value in part.values().items()
                           if part.parameters[name].per_element and value is not None)
    return numbers * size


def _receptors(net, population) -> list:
    users = [*net.projections, *net.drives]
    return list(dict.fromkeys(user.receptor for user in users
                              if user.receptor is not None and user.target.base is population))


def _parameter_count(counts) -> int:
    return sum(len(counts.sim.synapses(p)) for p in counts.projections("ParameterCount"))


def _connection_sparsity(counts) -> float:
    weights = zeros = 0
    for projection in counts.projections("ConnectionSparsity"):
        synapses = counts.sim.synapses(projection)
        there = synapses.weight != 0.0
        pairs = np.unique(synapses.source[there].astype(np.int64) * projection.target.size + synapses.target[there])
        dense = projection.source.size * projection.target.size
        weights, zeros = weights + dense, zeros + dense - pairs.size
    return round(zeros / weights, 4)


def _active(spikes: Spikes) -> int:
    """Return the number of neurons and ticks with a spike."""
    return np.unique(spikes.ticks.astype(np.int64) * spikes.size + spikes.ids).size


def _activation_sparsity_by_layer(counts) -> dict[str, float]:
    return {layer.name: _silent([layer], counts) for layer in counts.layers()}


def _activation_sparsity(counts) -> float:
    return _silent(counts.layers(), counts)


def _silent(layers, counts) -> float:
    all_, active = 0, 0
    for layer in layers:
        for spikes in counts.spikes(layer):
            all_, active = all_ + counts.steps(spikes) * spikes.size, active + _active(spikes)
    if not all_:
        raise UnsupportedError("the sparsity of activations is not defined where no tick was run")
    return (all_ - active) / all_


def _synaptic_operations(counts) -> dict[str, float]:
    for drive in counts.sim.net.drives:
        if isinstance(drive.drive, PoissonDrive):
            raise UnsupportedError(f"SynapticOperations is not defined for the events of the drive {drive.name!r}, "
                                   "which come from no layer; connect a population, ns.Poisson, instead")
    several = once = dense = 0
    for projection in counts.projections("SynapticOperations"):
        synapses = counts.sim.synapses(projection)
        fan_out = np.bincount(synapses.source[synapses.weight != 0.0], minlength=projection.source.size)
        for spikes in counts.spikes(projection.source):
            steps = counts.steps(spikes)
            dense += steps * projection.source.size * projection.target.size
            pairs, many = np.unique(np.stack([spikes.ticks, spikes.ids.astype(np.int64)]), axis=1, return_counts=True)
            graded = np.isin(pairs[0], pairs[0][many > 1])
            several += int(fan_out[pairs[1][graded]].sum())
            once += int(fan_out[pairs[1][~graded]].sum())
    n = len(counts.samples)
    return {"Effective_MACs": several / n, "Effective_ACs": once / n, "Dense": dense / n}


def _classification_accuracy(counts) -> float:
    if counts.predictions is None or counts.labels is None:
        raise UnsupportedError("ClassificationAccuracy is not defined without predictions and labels; give both")
    predictions, labels = np.asarray(counts.predictions), np.asarray(counts.labels)
    if predictions.shape != labels.shape or labels.shape != (len(counts.samples),):
        raise ParameterError(f"predictions and labels must be one for each of {len(counts.samples)} samples, got "
                             f"{predictions.shape} and {labels.shape}")
    return float(np.mean(predictions == labels))


_METRICS = {"Footprint": _footprint, "ParameterCount": _parameter_count, "ConnectionSparsity": _connection_sparsity,
            "ActivationSparsity": _activation_sparsity, "ActivationSparsityByLayer": _activation_sparsity_by_layer,
            "SynapticOperations": _synaptic_operations, "ClassificationAccuracy": _classification_accuracy}

__all__ = ["measure"]
