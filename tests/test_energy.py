"""Energies against sums done by hand, and the events of a network against counting them one by one."""

import numpy as np
import pytest

import neurosim as ns
from hardware_models.energy import (
    Budget,
    EventCosts,
    Technology,
    converter,
    layer,
    read_energy,
    run_energy,
    write_energy,
)
from hardware_models.ramp_adc import RampADC
from neurosim.errors import ParameterError

# ---- numbers and their sources ----------------------------------------------------------------------


def test_every_number_has_a_source():
    technology = Technology()
    assert set(technology.sources) == set(technology.parameters)
    for name in technology.parameters:
        source = technology.source(name)
        assert source.text and source.basis in ("read", "memory", "computed", "assumed")
        assert source.text in technology.table()
    changed = technology.replace(clock=2.0)
    assert changed.source("clock").basis == "given" and changed.source("v_read") == technology.source("v_read")
    for costs in (EventCosts.loihi(), EventCosts.digital_45nm(), EventCosts.crossbar(50.0)):
        assert costs.source.text and costs.source.basis in ("read", "computed")
    assert EventCosts.loihi().replace(spike=3.0).source.basis == "given"


def test_sar_numbers_that_are_published():
    for bits, energy, area in ((4, 0.79, 361.04), (5, 0.99, 476.91), (6, 1.20, 626.91), (8, 1.67, 1200.0)):
        assert Technology().sar(bits)[::2] == (energy, area)
    assert Technology().sar(8)[1] == pytest.approx(1 / 1.2)
    assert Technology().sar(8)[0] == pytest.approx(16 / (1.2 * 8), rel=0.01)  # 16 mW, eight converters of 1.2 GS/s
    energies, areas = ([Technology().sar(bits)[k] for bits in range(1, 13)] for k in (0, 2))
    assert (np.diff(energies) > 0).all() and (np.diff(areas) > 0).all()


# ---- crossbars --------------------------------------------------------------------------------------


def test_read_energy_is_that_of_each_device():
    assert read_energy([[50.0]]) == pytest.approx(0.2**2 * 50e-6 * 10e-9 * 1e12)
    generator = np.random.default_rng(0)
    g, x = generator.uniform(1, 100, (5, 7)), generator.uniform(-1, 1, 5)
    expected = sum((x[i] * 0.3) ** 2 * g[i, j] * 1e-6 * 20e-9 for i in range(5) for j in range(7)) * 1e12
    assert read_energy(g, Technology(v_read=0.3, t_read=20.0), x) == pytest.approx(expected)


def test_write_energy_is_that_of_each_pulse():
    technology = Technology(v_write=3.0, t_write=100.0, wire_capacitance=0.0)
    assert write_energy([[10.0, 1.0]], [[30.0, 1.0]], [[4, 0]], technology) == pytest.approx(
        9.0 * 20e-6 * 100e-9 * 4 * 1e12)
    lines = Technology(t_write=0.0)  # charging lines alone: (1 + 2) cells of wire at 2 V
    assert write_energy([[10.0, 1.0]], [[30.0, 1.0]], [[1, 0]], lines) == pytest.approx(3 * 0.2 * 0.13 * 4.0 * 1e-3)


def test_converters_by_hand():
    t = Technology()
    sar = converter("sar", 5, 100, activation=False)
    assert sar.energy == pytest.approx({"converter": 99.0, "buffer": 100 * 5 * t.sram_energy})
    assert sar.latency == pytest.approx({"converter": 100 * 5 / 8 / 1.2}) and sar.total_area == pytest.approx(476.91)
    two = converter("sar", 5, 256, t, activation=False)  # two converters for 128 columns each
    assert two.total_area == pytest.approx(2 * 476.91) and two.total_latency == pytest.approx(128 * 5 / 8 / 1.2)
    conductances = RampADC("sigmoid", bits=5).branches[0].conductances
    nladc = converter("nladc", 5, 100, t, ramp_conductances=conductances)
    assert nladc.total_latency == 32.0
    assert nladc.energy["converter"] == pytest.approx(100 * (32 * t.comparator_energy + 5 * t.register_energy))
    assert nladc.energy["ramp"] == pytest.approx(
        conductances.sum() * 0.04 * 1e-3 + 50.0 * 32 * 1e-3 + 64 * t.register_energy)


def test_the_ramp_that_bends_saves_the_activation_and_the_traffic():
    linear, bent = converter("ramp", 5, 128), converter("nladc", 5, 128)
    t = Technology()
    assert linear.total_energy - bent.total_energy == pytest.approx(
        128 * (2 * 5 * t.sram_energy + t.activation_energy))
    assert converter("ramp", 5, 128, activation=False).energy == bent.energy


def test_ramps_lose_to_sar_where_there_are_many_bits():
    """2^n decisions against n: the trade is in time and energy, and it turns."""
    gains = [converter("sar", bits, 128).total_energy / converter("nladc", bits, 128).total_energy
             for bits in range(3, 11)]
    assert gains[0] > 2.0 and gains[-1] < 0.5 and (np.diff(gains) < 0).all()


def test_budgets_add_up():
    one = layer(72, 128, 5)
    twice = 2 * one + layer(32, 10, 5, "sar")
    assert twice.total_energy == pytest.approx(2 * one.total_energy + layer(32, 10, 5, "sar").total_energy)
    assert twice.total_area == pytest.approx(one.total_area + layer(32, 10, 5, "sar").total_area)
    assert (2 * one).total_area == one.total_area and (Budget() + one) == one
    assert "total" in str(one) and "comparator" not in str(one)
    assert layer(72, 128, 5).energy["read"] == pytest.approx(read_energy(np.full((72, 256), 50.0), inputs=0.5))


# ---- spiking networks -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run():
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes.from_times(
        np.arange(1.0, 60.0), np.arange(59) % 10, size=10, duration=60.0)), name="in")
    cells = net.add(ns.LIF(), 40, name="cells")
    net.connect(source, cells, ns.FixedProbability(0.5), weight=8.0, delay=1.0, name="feed")
    net.connect(cells[5:25], cells[:30], ns.FixedInDegree(6), weight=0.5, delay=2.0, name="part")
    net.record(source)
    net.record(cells)
    sim = ns.Simulation(net, dt=0.5, seed=2, threads=1)
    sim.run(60.0)
    return sim


def test_events_are_spikes_times_synapses(run):
    found = run_energy(run, EventCosts(synaptic_event=2.0, spike=5.0, neuron_update=0.5, t_update=2.0), samples=4)
    events = {}
    for projection in run.net.projections:
        begin = projection.source.start
        ids = run.spikes(projection.source.base).ids - begin
        sources = run.synapses(projection).source
        events[projection.name] = sum(int((sources == i).sum()) for i in ids)
    assert found.events == events and events["feed"] > 0 and events["part"] > 0
    n_spikes = len(run.spikes("in")) + len(run.spikes("cells"))
    assert found.spikes == n_spikes
    assert found.parts == pytest.approx({"synaptic events": 2.0 * sum(events.values()), "spikes": 5.0 * n_spikes,
                                         "neuron updates": 40 * 30 * 0.5})
    assert found.per_inference == pytest.approx(found.total / 4)
    assert found.per_event == pytest.approx(found.total / sum(events.values()))


def test_counts_take_the_place_of_recordings(run):
    counts = {name: run.spikes(name).counts() for name in ("in", "cells")}
    costs = EventCosts.loihi()
    assert run_energy(run, costs, counts=counts) == run_energy(run, costs)
    double = run_energy(run, costs, counts={name: 2 * each for name, each in counts.items()}, duration=120.0, samples=2)
    assert double.per_inference == pytest.approx(run_energy(run, costs).per_inference)


def test_a_crossbar_event_is_a_read_of_one_device():
    costs = EventCosts.crossbar(50.0, columns=128)
    assert costs.synaptic_event == pytest.approx(read_energy([[50.0]]))
    assert costs.neuron_update == 0.0


def test_what_is_not_recorded_is_named():
    net = ns.Network()
    cells = net.add(ns.LIF(), 3, name="cells")
    net.connect(cells, cells, weight=1.0, delay=1.0)
    sim = ns.Simulation(net, dt=1.0)
    sim.run(3.0)
    with pytest.raises(ParameterError, match="spikes of 'cells' are not known; record them"):
        run_energy(sim, EventCosts())
    assert np.isnan(run_energy(sim, EventCosts(), counts={"cells": [0, 0, 0]}).per_event)
    with pytest.raises(ParameterError, match="counts of 'cells' must be 3 whole numbers"):
        run_energy(sim, EventCosts(), counts={"cells": [1, 2]})
    with pytest.raises(ParameterError, match="counts must be of populations of the network, got 'cell'"):
        run_energy(sim, EventCosts(), counts={"cell": [1, 2, 3]})


# ---- bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make, text", [
    (lambda: Technology(v_read=-1), "Technology.v_read must be a finite number >= 0 V"),
    (lambda: Technology(clock=0), "Technology.clock must be"),
    (lambda: Technology().source("cost"), "name must be one of"),
    (lambda: Technology().sar(13), "bits must be a whole number >= 1 and <= 12, got 13"),
    (lambda: converter("flash", 5, 10), "kind must be 'sar' or 'ramp' or 'nladc', got 'flash'"),
    (lambda: converter("sar", 0, 10), "bits must be"),
    (lambda: converter("sar", 5, 0), "columns must be a whole number"),
    (lambda: read_energy([[-1.0]]), "conductances must be finite numbers >= 0 uS"),
    (lambda: read_energy([1.0]), "conductances must be"), (lambda: read_energy([[1.0]], inputs=2.0), "inputs must be"),
    (lambda: read_energy([[1.0]], inputs=[0.1, 0.2]), "inputs must be"),
    (lambda: write_energy([[1.0]], [[1.0]], -1), "pulses must be >= 0"),
    (lambda: layer(0, 5, 5), "rows must be"), (lambda: layer(5, 5, 5, conductance=-1.0), "conductance must be"),
    (lambda: layer(5, 5, 5, activity=2.0), "activity from 0 to 1"),
    (lambda: EventCosts(spike=-1.0), "EventCosts.spike must be"),
    (lambda: run_energy(None, EventCosts(), samples=0), "samples must be a whole number >= 1"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ParameterError, match=text):
        make()
