"""`Differentiable`: a network whose spike times can be differentiated by everything that they depend on."""

import weakref
from typing import Any

import numpy as np

from neurosim.checks import check_number, check_whole, describe_value
from neurosim.engine.spans import numbers_within
from neurosim.errors import NetworkError, ParameterError, UnsupportedError
from neurosim.gradients.forward import POPULATION, SILENT
from neurosim.gradients.given import Given
from neurosim.gradients.layout import Layout
from neurosim.gradients.result import Run
from neurosim.gradients.way import Way, shared
from neurosim.machine import cores
from neurosim.network import Network

PARTS = 4  #: workers' shares of a batch: a fixed number, so that sums do not depend on threads
MANY, LEAST = 100_000, 16  #: with so many weights a share has so many samples, as it costs a pass over all of them


class Differentiable:
    r"""A network in the event mode, run for many samples at once and differentiated exactly.

    Between events states are solved in closed form; a spike at t_k, where v crosses its threshold, moves with whatever
    moves v just before: dt_k = -dv(t_k) / v'(t_k). `Run.backward` follows that from the last event to the first, at a
    cost that grows with spikes, not with time. Neurons are `LIF`, `IntegrateAndFire` and `LeakyIntegrator`, and classes
    of one's own that give `linear` and `crossing`; receptors `Delta`, `ExponentialCurrent`, `AlphaCurrent` and
    `DoubleExponentialCurrent`. Inputs are the spikes of `SpikeSource` populations, given anew for each sample.

    Args:
        net: the network; the spikes of its sources do not matter.
        seed: of what is drawn when it is laid out: weights, delays, parameters, connections.

    Raises:
        UnsupportedError: a part has no exact gradient; the message names it and what to use.

    >>> import numpy as np
    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=2, duration=1.0)), 2, name="inputs")
    >>> cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0), 3, name="cells")
    >>> synapses = net.connect(inputs, cells, ns.AllToAll(), weight=9.0, delay=1.0, receptor=ns.ExponentialCurrent(5.0))
    >>> model = Differentiable(net)
    >>> run = model.run(np.array([[1.0, 2.0]]), duration=40.0)
    >>> run.first("cells").round(3)
    array([[3.839, 3.839, 3.839]])

    Source: Wunderlich, Pehle, Scientific Reports 11 (2021) 12829 (adjoint); Meszaros, Knight, Nowotny, Nature
    Communications (2025), s41467-025-65394-8 (delays). Equations for the order of events here: docs/gradients.md.
    """

    def __init__(self, net: Network, *, seed: int = 0):
        if not isinstance(net, Network):
            raise ParameterError(f"net must be a Network, got {describe_value(net)}")
        self.network = net.copy()
        self._layout = Layout(self.network, seed)
        self._ways: list[Way] = []

    def __repr__(self):
        layout = self._layout
        return f"Differentiable({layout.neurons} neurons, {layout.targets.size} synapses)"

    def values(self, owner: str, name: str = "weight") -> np.ndarray:
        """Return weights or delays (ms) of a projection, or a parameter of a population's neurons.

        Of a projection they are by source and target, (synapses,), or (1,) where all synapses share one; a parameter is
        a number, or one for each neuron.
        """
        for population, plan in self._layout.plan.populations.items():
            if population.name == owner and name in vars(plan.parameters):
                return np.array(getattr(plan.parameters, name), np.float64)
        self._check_quantity(owner, name)
        return self._layout.values(self._projection(owner), name)

    def synapses(self, projection: str) -> tuple[np.ndarray, np.ndarray]:
        """Return source and target of each synapse of a projection, in the order of `values` and of gradients."""
        owner = self._projection(projection)
        plan, order = self._layout.plan.projections[owner], self._layout.order(owner)
        return (numbers_within(owner.source, plan.source[order].astype(np.int64)),
                numbers_within(owner.target, plan.target[order].astype(np.int64)))

    def set(self, name: str, **values: Any) -> None:
        """Set weights or delays of a projection, or parameters of a population's neurons.

        Args:
            name: of the projection or population.
            values: `weight`, `delay` (ms, > 0): one for each synapse in the order of `values`, or one for all where
            there
                is one; for a population what its model declares, such as `tau_mem`.
        """
        owners = [p for p in self._layout.plan.populations if p.name == name]
        if owners and set(values) <= set(vars(self._layout.plan.populations[owners[0]].parameters)):
            self._set_neurons(owners[0], values)
            return
        owner = self._projection(name)
        for each, value in values.items():
            self._check_quantity(name, each)
            self._set_synapses(owner, each, value)

    def run(self, inputs: Any, duration: float, *, rates: bool = False, largest: bool = False,
            threads: int | None = None,
            max_spikes: int = 100_000) -> Run:
        """Run samples from t = 0, each on its own.

        Args:
            inputs: of the one source, or a dict by the names of several: an array of one spike time for each sample and
                neuron, (samples, neurons), ms, inf for none; or for each sample a `Spikes`, or (times, ids).
            duration: ms.
            rates: whether gradients by time constants and other parameters of neurons will be wanted; they need the
                states at every event, where weights, delays, thresholds, resets and input times need the spikes alone.
            largest: whether the largest v of readouts will be wanted.
            threads: that share the samples; all cores by default. They change no result.
            max_spikes: of the neurons of one sample, at which the run stops with an error.

        Raises:
            ParameterError: an argument does not fit.
            SimulationError: a sample has too many spikes.
        """
        duration = check_number("duration", duration, "ms", above=0)
        max_spikes = check_whole("max_spikes", max_spikes, at_least=1)
        threads = check_whole("threads", cores() if threads is None else threads, at_least=1)
        if largest:
            self._check_largest()
        given = Given(self._layout, inputs, duration)
        self._layout.unseen = frozenset()
        parts = min(PARTS, max(1, given.count // (LEAST if self._layout.weights.size >= MANY else 2)))
        cuts = np.linspace(0, given.count, parts + 1).astype(int)
        ways = [self._ways.pop() if self._ways else Way(self._layout) for _ in range(parts)]

        def forth(k):
            low, high = cuts[k], cuts[k + 1]
            starts = given.starts[low:high + 1]
            part = slice(starts[0], starts[-1])
            return ways[k].forth(self._layout, starts - starts[0], given.times[part], given.ids[part], given.of[part],
                                 duration,
                                 stacks=rates, largest=largest, most_spikes=max_spikes)

        shared(forth, parts, threads)
        run = Run(self._layout, ways, given, cuts, duration, rates=rates, largest=largest, threads=threads)
        weakref.finalize(run, self._ways.extend, ways)
        return run

    def _projection(self, name):
        found = [p for p in self._layout.plan.projections if p.name == name]
        if not found:
            raise NetworkError(f"{name!r} must be the name of a projection ("
                               f"{', '.join(p.name for p in self._layout.plan.projections)})")
        return found[0]

    @staticmethod
    def _check_quantity(projection, name):
        if name not in ("weight", "delay"):
            raise ParameterError(f"{name!r} must be 'weight' or 'delay' of projection {projection!r}")

    def _set_synapses(self, owner, name, value):
        count = self._layout.count(owner, name)
        value = np.asarray(value, np.float64)
        if value.ndim > 1 or value.size not in (1, count) or not np.isfinite(value).all():
            raise ParameterError(f"{name} of {owner.name!r} must be {count} finite numbers, got "
                                 f"{describe_value(value)}" + ("; all synapses share one: give the network an array "
                                                               "of its values to have one each" if count == 1 else ""))
        if name == "delay" and not (value > 0.0).all():
            raise ParameterError(f"delay of {owner.name!r} must be > 0 ms, got {value.min():g}")
        self._layout = self._layout.with_values(owner, name, np.broadcast_to(value, count))

    def _set_neurons(self, owner, values):
        for key, value in values.items():
            owner.model.replace(**{key: value})
        self._layout = self._layout.with_parameters(owner, values)

    def _check_largest(self):
        chains = POPULATION.index("chains")
        for population, number in self._layout.index.items():
            row = self._layout.pops[number]
            if row[POPULATION.index("kind")] == SILENT and (row[chains] > 1 or row[POPULATION.index("stride")] > 1):
                raise UnsupportedError(f"the largest v of {population.name!r} is found for one receptor with one time "
                                       f"constant at most; use its integral")
