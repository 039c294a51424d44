"""Energy of a spiking network's run: what happened, times what it costs."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardware_models.energy.technology import HOROWITZ, Source, Technology, as_technology
from neurosim.aliases import Real
from neurosim.checks import Parameter, Parametrised, check_is, check_number, check_whole, describe_value
from neurosim.errors import NeurosimError, ParameterError
from neurosim.reprs import with_unit

LOIHI = "Davies and others, Loihi, IEEE Micro 38 (2018) 82, table 2 (14 nm, simulated), in public extracts of it"


def _cost(unit, doc):
    return Parameter(0.0, unit, at_least=0, per_element=False, doc=doc)


class EventCosts(Parametrised):
    """What the events of a spiking network cost on some hardware.

    >>> EventCosts.loihi().synaptic_event
    23.6

    Source: of each number in `source`; presets are `loihi`, `digital_45nm` and `crossbar`.
    """

    synaptic_event: Real = _cost("pJ", "a spike acts through one synapse")
    spike: Real = _cost("pJ", "a neuron sends a spike")
    neuron_update: Real = _cost("pJ", "one neuron, one tick")
    t_update: Real = Parameter(1.0, "ms", above=0, per_element=False, doc="length of a tick of the hardware")

    source: ClassVar[Source] = Source("given by the user", "given")

    @classmethod
    def _from(cls, source, **costs):
        made = cls(**costs)
        made.__dict__["source"] = source
        return made

    @classmethod
    def loihi(cls) -> "EventCosts":
        """Return the costs of Loihi: inactive neuron updates, spikes within a tile."""
        return cls._from(Source(LOIHI, "read"), synaptic_event=23.6, spike=1.7, neuron_update=52.0)

    @classmethod
    def digital_45nm(cls) -> "EventCosts":
        """Return the costs of a digital core: an 8-bit weight is read and added to a 32-bit state in 8 kB of SRAM.

        A synaptic event reads 8 and reads and writes 32 bits (10 pJ for 64) and adds; a neuron update does the same
        and multiplies.
        """
        per_bit = 10.0 / 64
        return cls._from(Source("computed from 10 pJ for 64 bits of 8 kB, 0.1 pJ an addition and 3.1 pJ a product of "
                                f"32 bits, {HOROWITZ}", "computed"),
                         synaptic_event=72 * per_bit + 0.1, spike=16 * per_bit, neuron_update=64 * per_bit + 3.3)

    @classmethod
    def crossbar(cls, conductance: float, technology: Technology | None = None, columns: int = 128) -> "EventCosts":
        """Return the costs of a crossbar: a spike drives one row, and each device on it conducts for a read.

        Args:
            conductance: mean of the devices, uS, both devices of a pair together.
            technology: costs; the defaults where it is None.
            columns: of the array, which share the driver and the word line.
        """
        t = as_technology("EventCosts.crossbar", technology)
        device = t.v_read**2 * conductance * t.t_read * 1e-3
        line = t.wire_capacitance * t.cell_pitch * columns * t.v_read**2 * 1e-3
        return cls._from(Source("computed from the costs of `Technology`; neurons are not included", "computed"),
                         synaptic_event=device, spike=t.dac_energy + line)


@dataclass(frozen=True, repr=False)
class RunEnergy:
    """Energy of a run.

    Args:
        parts: pJ of synaptic events, spikes and neuron updates.
        events: synaptic events by projection.
        spikes: number of spikes of all populations together.
        samples: inferences in the run.
        source: where the costs come from.
    """

    parts: dict
    events: dict
    spikes: int
    samples: int
    source: Source

    @property
    def total(self) -> float:
        """Energy of the run in pJ."""
        return float(sum(self.parts.values()))

    @property
    def per_inference(self) -> float:
        """Energy of one inference in pJ."""
        return self.total / self.samples

    @property
    def per_event(self) -> float:
        """Energy of the whole run by synaptic event in pJ; nan where there was none."""
        many = sum(self.events.values())
        return self.total / many if many else float("nan")

    def __repr__(self):
        parts = ", ".join(f"{name} {with_unit(value, 'pJ')}" for name, value in self.parts.items())
        each = f", {with_unit(self.per_inference, 'pJ')} for each of {self.samples} samples" if self.samples > 1 else ""
        return (f"<energy of a run: {with_unit(self.total, 'pJ')} ({parts}){each}; "
                f"{sum(self.events.values()):,} synaptic events, {self.spikes:,} spikes>")


def run_energy(sim, costs: EventCosts, *, counts: dict | None = None, duration: float | None = None,
               samples: int = 1) -> RunEnergy:
    r"""Return the energy of a simulation as it has run: spikes times synapses, ticks times neurons.

    events = sum over neurons of spikes_i x synapses_i,  updates = neurons x duration / t_update

    Spikes that are still under way at the end count as delivered. Drives have no synapses and cost nothing. Spikes of
    `SpikeSource`s are counted as those of neurons, without updates.

    Args:
        sim: a `Simulation` that has run; every population with outgoing synapses must be recorded, or be in `counts`.
        costs: what an event costs.
        counts: spikes of each neuron by name of a population, shape (neurons,), in place of recordings; for a batch
            the sum over its samples.
        duration: simulated time, ms; by default that of the simulation. For a batch, of all samples together.
        samples: how many inferences were run.

    Raises:
        ParameterError: if the spikes of a population are not known, or numbers do not fit.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> source = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0, 2.0], [0, 1], size=2, duration=5.0)), name="in")
    >>> cells = net.add(ns.LIF(), 3, name="cells")
    >>> projection = net.connect(source, cells, weight=1.0, delay=1.0)
    >>> sim = ns.Simulation(net, dt=1.0); sim.run(5.0)
    >>> run_energy(sim, EventCosts(synaptic_event=10.0), counts={"in": [1, 1], "cells": [0, 0, 0]}).total
    60.0
    """
    from neurosim.simulation import Simulation

    samples = check_whole("run_energy: samples", samples, at_least=1)
    check_is("run_energy.sim", sim, Simulation, "a Simulation that has run")
    duration = check_number("run_energy: duration", sim.time if duration is None else duration, "ms", at_least=0)
    counts = dict(counts or {})
    unknown = [name for name in counts if all(name != p.name for p in sim.net.populations)]
    if unknown:
        raise ParameterError(f"run_energy: counts must be of populations of the network, got {unknown[0]!r}")
    found = {p.name: _counts(sim, p, counts) for p in sim.net.populations if p.spiking}
    events = {}
    for projection in sim.net.projections:
        whole, view = projection.source.base, projection.source
        spikes = found[whole.name]
        if spikes is None:
            raise ParameterError(f"run_energy: the spikes of {whole.name!r} are not known; record them with "
                                 f"net.record({whole.name!r}) or give counts={{{whole.name!r}: ...}}")
        degree = np.bincount(sim.synapses(projection).source, minlength=view.size)
        events[projection.name] = int(spikes[view.inside] @ degree)
    spikes = int(sum(each.sum() for each in found.values() if each is not None))
    neurons = sum(p.size for p in sim.net.populations if not _is_source(p))
    parts = {"synaptic events": sum(events.values()) * costs.synaptic_event, "spikes": spikes * costs.spike,
             "neuron updates": neurons * duration / costs.t_update * costs.neuron_update}
    return RunEnergy(parts, events, spikes, int(samples), costs.source)


def _is_source(population) -> bool:
    from neurosim.sources import Source as SpikeSources

    return isinstance(population.model, SpikeSources)


def _counts(sim, population, given):
    """Spikes of each neuron of a population: given, recorded, or those of a source; None where they are not known."""
    if population.name in given:
        counts = np.asarray(given[population.name])
        if counts.shape != (population.size,) or counts.dtype.kind not in "iu" or (counts < 0).any():
            raise ParameterError(f"run_energy: counts of {population.name!r} must be {population.size} whole numbers "
                                 f">= 0, got {describe_value(given[population.name])}")
        return counts.astype(np.int64)
    try:
        spikes = sim.spikes(population)
    except NeurosimError:
        return None
    if spikes.watched is not None:
        raise ParameterError(f"run_energy: all neurons of {population.name!r} must be recorded, but only "
                             f"{spikes.n_watched} of {spikes.size} are; leave out ids=... or give "
                             f"counts={{{population.name!r}: ...}}")
    return spikes.counts()
