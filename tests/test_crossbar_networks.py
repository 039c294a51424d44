"""Devices in spiking networks: pulses of learning rules in the core, and what examples on crossbars compute with."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from hardware_models.memristor import Converter, Memristor, NonlinearPulses
from learning_rules import Hebb
from neurosim.readouts import evaluate, ridge

EXAMPLES = str(Path(__file__).resolve().parent.parent / "examples")


def example(name):
    """Return an example as a module; one may import another."""
    pytest.importorskip("matplotlib")
    sys.path.insert(0, EXAMPLES)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(EXAMPLES)


# Pulses that a rule asks for ------------------------------------------------------------------------------------------

def after_one_spike(device, n_cells, start=0.4, eta=0.105, seed=0):
    """Two sources, of which the first spikes; then all cells do, once; return weights, shape (2, cells).

    At that spike Hebb's rule asks for eta (exp(-1 / 20) - 0.5) of the first device and for -eta / 2 of the second.
    """
    net = ns.Network()
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=[10], ids=[0], size=2, dt=0.1, duration=5.0)))
    push = net.add(ns.SpikeSource(ns.Spikes(ticks=[20], ids=[0], size=1, dt=0.1, duration=5.0)))
    cells = net.add(ns.LIF(tau_mem=10.0, v_leak=0.0, v_reset=0.0, v_threshold=20.0), n_cells, name="cells")
    sources, targets = np.divmod(np.arange(2 * n_cells), n_cells)
    net.connect(given, cells, ns.Explicit(sources, targets), weight=start, delay=0.1, name="p", device=device,
                plasticity=Hebb(eta=eta, x_0=0.5, tau_x=20.0, w_min=-5.0, w_max=5.0))
    net.connect(push, cells, weight=40.0, delay=0.1)
    net.record(cells)
    sim = ns.Simulation(net, 0.1, dtype="float64", seed=seed)
    sim.run(5.0)
    assert len(sim.spikes(cells)) == n_cells
    return sim.weights("p").reshape(2, n_cells)


@pytest.mark.slow
def test_each_device_moves_along_its_own_curve():
    rng = np.random.default_rng(1)
    device = NonlinearPulses.labelled(rng.uniform(0, 6, 60), rng.uniform(-6, 0, 60), pulses_up=rng.uniform(90, 200, 60),
                                      pulses_down=rng.uniform(90, 200, 60), weight_low=0.0,
                                      weight_high=rng.uniform(0.8, 2.0, 60), weight_max=2.0, rounding="down")
    found = after_one_spike(device, 30).ravel()
    wanted = np.repeat([0.105 * (np.exp(-0.05) - 0.5), -0.105 * 0.5], 30)
    most = np.where(wanted > 0, device.pulses_up, device.pulses_down)
    pulses = np.sign(wanted) * np.floor(np.abs(wanted) / device.weight_high * most)
    np.testing.assert_allclose(found, device.pulse(np.full(60, 0.4), pulses), rtol=1e-12)
    assert (found[:30] >= 0.4).all() and (found[30:] <= 0.4).all() and (pulses != 0).sum() > 50


@pytest.mark.slow
def test_numbers_of_pulses_are_right_in_the_mean_and_their_noise_adds_up():
    linear = {"pulses_up": 100.0, "pulses_down": 100.0, "weight_low": 0.0, "weight_high": 1.0}
    up, down = after_one_spike(NonlinearPulses(**linear), 4000)
    wanted = 0.105 * (np.exp(-0.05) - 0.5)
    assert set(np.rint((up - 0.4) * 100)) == {4.0, 5.0} and set(np.rint((0.4 - down) * 100)) == {5.0, 6.0}
    assert up.mean() - 0.4 == pytest.approx(wanted, rel=0.01) and 0.4 - down.mean() == pytest.approx(0.0525, rel=0.01)
    noisy, _ = after_one_spike(NonlinearPulses(**linear, cycle_noise=0.02), 4000)
    share = 100 * wanted % 1  # of the devices that get one pulse more
    variance = 100 * wanted * 0.02**2 + share * (1 - share) * 0.01**2
    assert noisy.std() == pytest.approx(np.sqrt(variance), rel=0.05)


# The liquid on crossbars ----------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_one_number_for_a_column_has_the_noise_of_its_devices():
    """Three devices of a column are read at one tick: one by one in the core, and as one variance."""
    liquid, w, n = example("crossbar_liquid"), np.array([1.0, -2.0, 0.5]), 4000
    device = Memristor(read_noise=0.2, weight_max=2.0)
    spread = []
    for together in (False, True):
        net = ns.Network()
        given = net.add(ns.SpikeSource(ns.Spikes(ticks=[2, 2, 2], ids=[0, 1, 2], size=3, dt=1.0, duration=4.0)))
        cells = net.add((liquid.Noisy if together else ns.LIF)(**liquid.NEURON), n, name="cells")
        matrix = np.repeat(w[:, None], n, axis=1)
        net.connect(given, cells, weight=matrix, delay=1.0, device=None if together else device)
        if together:
            net.connect(given, cells, weight=device.read_moments(matrix)[1], delay=1.0, receptor=ns.Pulse())
        sim = ns.Simulation(net, 1.0, seed=3)
        sim.run(3.0)
        v = sim.get(cells, "v")
        assert v.mean() == pytest.approx(w.sum(), abs=0.03)
        spread.append(v.std())
    np.testing.assert_allclose(spread, 0.2 * np.sqrt((w**2).sum()), rtol=0.05)


def test_a_neuron_behind_a_converter_gets_its_levels():
    liquid, sums = example("crossbar_liquid"), np.array([0.0, 0.3, 0.7, -0.6, 3.9, -4.2, 9.0, -9.0])
    net = ns.Network()
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=[1], ids=[0], size=1, dt=1.0, duration=3.0)))
    cells = net.add(liquid.Converted(**liquid.NEURON, step_adc=0.5, half=8.0), sums.size, name="cells")
    net.connect(given, cells, weight=sums[None], delay=1.0, receptor=ns.Pulse())
    sim = ns.Simulation(net, 1.0)
    sim.run(2.0)
    np.testing.assert_allclose(sim.get(cells, "v"), Converter(4, low=-4.0, high=3.5)(sums), atol=1e-6)


def test_tiles_hold_the_matrix_and_smaller_ones_lose_less():
    liquid = example("crossbar_liquid")
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 1, (24, 20)), rng.normal(0, 1, (20, 20))]
    for held, matrix in zip(liquid.hardware(weights, 0, Memristor(), tiles=4), weights, strict=True):
        np.testing.assert_array_equal(held, matrix)
    lost = []
    for tiles in (1, 2, 4):
        held, _ = liquid.hardware(weights, 0, Memristor(), wires=100.0, tiles=tiles)
        lost.append(1 - np.abs(held).sum() / np.abs(weights[0]).sum())
    assert lost[0] > 2 * lost[1] > 4 * lost[2] > 0


def test_readouts_are_those_of_evaluate_and_may_be_used_elsewhere():
    liquid = example("crossbar_liquid")
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 30)
    features = rng.poisson(2 + 3 * rng.random((4, 12))[labels]).astype(np.float32)
    readouts = liquid.Readouts(features, labels, 7)
    right = evaluate(ridge(liquid.ALPHAS, scale=False, root=True), features, labels, folds=liquid.FOLDS, seeds=[7])
    assert readouts.used_on(features) == pytest.approx(right.accuracy)
    assert readouts.trained_on(features) == pytest.approx(right.accuracy)
    mixed = features[:, ::-1]
    assert readouts.used_on(mixed) < 0.6 * right.accuracy
    assert readouts.trained_on(mixed) == pytest.approx(right.accuracy)


# The astrocyte's liquid on devices ------------------------------------------------------------------------------------

@pytest.mark.slow
def test_a_learning_liquid_of_devices_moves_by_whole_pulses():
    astrocyte = example("astrocyte_devices")
    chip = astrocyte.Chip((3, 3, 3), 0, (0.0,) * 6)
    sim = ns.Simulation(chip.network(0.05), 1.0, dtype="float64", seed=1)
    before = {name: sim.weights(name) for name in astrocyte.RANGES}
    sim.give("input", astrocyte.spikes(np.ones(64), 100, np.random.default_rng(0)))
    sim.run(100.0)
    assert len(sim.spikes("liquid")) > 30
    for name, (low, high) in astrocyte.RANGES.items():
        after, pulse = sim.weights(name), (high - low) / astrocyte.PULSES
        assert after.min() >= low and after.max() <= high
        inside = (after > low) & (after < high) & (before[name] > low)
        steps = (after - before[name])[inside] / pulse
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)  # the straight curve bends by 1e-5
        assert (steps != 0).any()
