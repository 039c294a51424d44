"""Currents and conductances that a spike clears, and that are deaf while their neuron is refractory."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import ParameterError, UnsupportedError


def shiu(receptor, n=1000, t_ref=2.2, seed=3):
    """A network with the equations and constants of the fly brain's model, as arrays of edges."""
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, n, (2, 60 * n))
    weight = 0.275 * rng.integers(1, 25, source.size) * np.where(source % 4 == 0, -1.0, 1.0)
    times = np.sort(rng.choice(np.arange(1, 3000), 40_000, replace=True)) * 0.1
    ids = rng.integers(0, n // 10, times.size)
    given = np.unique(np.stack([times, ids]), axis=1)
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times(given[0], given[1].astype(int), size=n, dt=0.1,
                                                         duration=300.0)), n, name="inputs")
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=-52.0, v_reset=-52.0, v_threshold=-45.0, r=1.0, t_ref=t_ref), n,
                    name="cells")
    net.connect(inputs, cells, ns.OneToOne(), weight=68.75, delay=0.1, receptor=receptor)
    net.connect(cells, cells, ns.Explicit(source, target), weight=weight, delay=1.8, receptor=receptor)
    net.record(cells)
    return net, (source, target, weight, given)


def spikes_of(net, **options):
    sim = ns.Simulation(net, dt=0.1, dtype="float64", seed=1, **options)
    sim.run(300.0)
    return sim.spikes("cells")


def test_one_neuron_by_hand():
    net = ns.Network()
    given = ns.Spikes.from_times([1.0, 2.0, 2.5, 6.0], [0] * 4, size=1, dt=0.1, duration=10.0)
    inputs = net.add(ns.SpikeSource(given), 1)
    cell = net.add(ns.LIF(tau_mem=10.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0, t_ref=2.0), 1, name="cell")
    net.connect(inputs, cell, weight=14.0, delay=0.1, receptor=ns.ExponentialCurrent(5.0, refractory="cleared"))
    net.record(cell)
    net.record(cell, "v")
    net.record(cell, "i_syn")
    sim = ns.Simulation(net, dt=0.1, dtype="float64")
    sim.run(10.0)
    t, i = sim.trace("cell", "i_syn")[0], sim.trace("cell", "i_syn")[1][:, 0]
    v = sim.trace("cell", "v")[1][:, 0]
    (spike, *others) = sim.spikes("cell").times
    assert not others or others[0] > 6.0
    start = np.searchsorted(t, 1.1 - 1e-9)
    before = (t >= 1.1 - 1e-9) & (t < spike - 1e-9)
    np.testing.assert_allclose(i[before], 14.0 * np.exp(-(t[before] - t[start]) / 5.0), rtol=1e-12)
    held = (t >= spike - 1e-9) & (t <= spike + 2.0 + 1e-9)
    assert (i[held] == 0.0).all() and (v[held] == 0.0).all()
    assert 2.6 - 1e-9 <= spike + 2.0  # what arrived at 2.6 ms met a neuron that was held
    between = (t > spike + 2.0 + 1e-9) & (t < 6.1 - 1e-9)
    assert between.any() and (i[between] == 0.0).all()
    assert i[np.searchsorted(t, 6.1 - 1e-9)] == 14.0


def test_it_differs_from_a_current_that_is_kept_and_not_between_threads_or_float_types_of_one_run():
    kept, cleared = (spikes_of(shiu(ns.ExponentialCurrent(5.0, refractory=how))[0]) for how in ("kept", "cleared"))
    assert len(kept) > 1.1 * len(cleared) > 500
    net = shiu(ns.ExponentialCurrent(5.0, refractory="cleared"))[0]
    assert spikes_of(net, threads=2) == cleared
    sim = ns.Simulation(net, dt=0.1, dtype="float64", seed=1)
    sim.run(111.1)
    state = sim.state()
    sim.run(188.9)
    assert sim.spikes("cells") == cleared
    sim.restore(state)
    sim.run(188.9)
    assert sim.spikes("cells") == cleared


def test_without_refractory_time_a_spike_still_clears():
    net, _ = shiu(ns.ExponentialCurrent(5.0, refractory="cleared"), t_ref=0.0)
    net.record("cells", "i_syn")
    sim = ns.Simulation(net, dt=0.1, dtype="float64", seed=1)
    sim.run(50.0)
    found = sim.spikes("cells")
    current = sim.trace("cells", "i_syn")[1]
    inside = found.ticks < len(current)
    assert inside.sum() > 100 and (current[found.ticks[inside], found.ids[inside]] == 0.0).all()


@pytest.mark.parametrize("receptor", [
    ns.AlphaCurrent(2.0, refractory="cleared"), ns.DoubleExponentialCurrent(1.0, 4.0, refractory="cleared"),
    ns.ExponentialConductance(5.0, 0.0, refractory="cleared"),
    ns.DoubleExponentialConductance(0.5, 5.0, 0.0, refractory="cleared"), ns.NMDA(refractory="cleared")])
def test_all_variables_are_zero_while_the_neuron_is_held(receptor):
    net = ns.Network()
    noise = net.add(ns.Poisson(2000.0), 20)
    cells = net.add(ns.LIF(t_ref=3.0), 20, name="cells")
    net.connect(noise, cells, weight=40.0, delay=1.0, receptor=receptor)
    net.record(cells)
    for name in receptor.state:
        net.record(cells, name)
    sim = ns.Simulation(net, dt=0.1, seed=2)
    sim.run(200.0)
    found = sim.spikes(cells)
    assert len(found) > 20
    for name in receptor.state:
        values = sim.trace(cells, name)[1]
        assert values.any()
        for after in (0, 1, 15, 30):
            inside = found.ticks + after < len(values)
            assert (values[found.ticks[inside] + after, found.ids[inside]] == 0.0).all()


def test_what_cannot_be_is_said():
    cleared = ns.ExponentialCurrent(5.0, refractory="cleared")
    with pytest.raises(ParameterError, match="refractory must be 'kept' or 'cleared', got 'lost'"):
        ns.ExponentialCurrent(5.0, refractory="lost")
    net = ns.Network()
    cells = net.add(ns.LIF(), 2, name="cells")
    silent = net.add(ns.LeakyIntegrator(), 2, name="silent")
    net.connect(cells, cells, weight=1.0, delay=1.0, receptor=cleared)
    with pytest.raises(UnsupportedError, match="refractory='cleared' cannot be used in the mode 'event'"):
        ns.Simulation(net, mode="event")
    net.connect(cells, silent, weight=1.0, delay=1.0, receptor=cleared)
    with pytest.raises(UnsupportedError, match="needs a target that spikes, and LeakyIntegrator never does"):
        ns.Simulation(net)
