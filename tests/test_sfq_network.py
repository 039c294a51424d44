"""SFQ networks: escape curves of the network's synapse, loops, layers on both levels, XOR, devices, hidden layers."""

import numpy as np
import pytest
from scipy.stats import binom, chi2, norm

import neurosim as ns
from hardware_models.sfq import circuit as junctions
from hardware_models.sfq.network import (
    COINCIDENCE,
    RELAY,
    TIMES,
    BiasSynapse,
    HiddenLayer,
    Loop,
    SFQLayer,
    SFQSynapses,
    StorageLoop,
    XORNetwork,
    junction_circuit,
    margin,
    measure_curves,
    pulse_circuit,
    pulse_energy,
)
from hardware_models.sfq.network.circuits import drive, sink
from hardware_models.sfq.pulse import Circuit, PulseSimulation

# ---- synapse --------------------------------------------------------------------------------------


def test_the_table_is_what_the_circuit_does():
    """A fresh measurement, other noise, against the erf of the table: a joint chi-square."""
    curve, = measure_curves([4.2], runs=60, seed=777, h=0.1)
    p = BiasSynapse(temperature=4.2).passing(np.array(curve.bias))
    runs = np.array(curve.runs)
    statistic = ((np.array(curve.passed) - runs * p) ** 2 / (runs * p * (1 - p))).sum()
    assert chi2.sf(statistic, runs.size) > 0.001


def test_probability_and_bias_are_inverse_and_the_width_grows_with_the_root_of_the_temperature():
    for temperature in (0.3, 1.0, 4.2, 9.0):
        synapse = BiasSynapse(temperature=temperature)
        p = np.linspace(0.01, 0.99, 21)
        np.testing.assert_allclose(synapse.probability(synapse.bias(p)), p, rtol=1e-9)
        assert synapse.curve[1] == pytest.approx(2.34e-3 * temperature**0.5, rel=0.03)
    np.testing.assert_array_equal(BiasSynapse(temperature=0).probability([0.1416, 0.1418]), [0, 1])


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda s: s.bias(1.2), r"probability must be within 0 .. 1, got 1.2"),
    (lambda s: s.bias([0.5, np.nan]), r"probability must be within 0 .. 1, got nan"),
    (lambda s: s.probability(150.0), r"bias must be within 0.1 .. 0.19 mA.*got 150; give mA, not uA"),
    (lambda s: s.replace(temperature=0).bias(0.5), r"only the probabilities 0 and 1"),
    (lambda s: s.bias(1e-25), r"no bias within"),
    (lambda s: BiasSynapse(temperature=77), r"BiasSynapse.temperature must be"),
])
def test_bad_synapses_are_refused(call, sentence):
    with pytest.raises(ns.ParameterError, match=sentence):
        call(BiasSynapse())


# ---- loops ----------------------------------------------------------------------------------------


def test_the_bias_current_sets_after_how_many_pulses_the_circuit_fires_and_the_cell_does_the_same():
    """Six pulses into a loop without leak: junctions against cells, pulse for pulse."""
    thresholds = []
    for bias in (0.1, 0.15, 0.2, 0.22):
        loop = Loop(inductance=40.0, bias=bias).measured(h=0.1)
        solved = junctions.Circuit("bench")
        drive(solved, "IN", 30.0 + 12.0 * np.arange(6), "x")
        solved.include("N", loop.circuit(), "x", "y")
        sink(solved, "OUT", "y")
        cells = Circuit("bench")
        cells.output("q", cells.add(loop.cell(), cells.input("a")))
        sim = PulseSimulation(cells)
        sim.send(a=30.0 + 12.0 * np.arange(6))
        sim.run()
        assert sim.pulses("q").size == junctions.simulate(solved, 160.0, h=0.1).fluxons("N.B5") == 7 - loop.threshold
        thresholds.append(loop.threshold)
    assert thresholds == sorted(thresholds, reverse=True) and len(set(thresholds)) >= 3


def test_the_presets_have_the_thresholds_of_their_circuits():
    found = COINCIDENCE.measured(h=0.1)
    assert found.threshold == 2 and found.window == pytest.approx(COINCIDENCE.window, abs=1.0)
    assert RELAY.measured(h=0.1).threshold == 1
    with pytest.raises(ns.ParameterError, match=r"Loop.bias must be higher"):
        Loop(bias=-0.2, resistance=1.0).measured(most=2)


def test_a_leaky_loop_fires_on_coincidence_only():
    cells = Circuit("bench")
    cells.output("q", cells.add(COINCIDENCE.cell(), cells.input("a")))
    sim = PulseSimulation(cells)
    sim.send(a=[100.0, 110.0, 200.0, 300.0, 330.0])
    sim.run()
    assert sim.pulses("q").size == 1
    assert StorageLoop(threshold=3, inhibition=True).transitions[0].dest == "1"


# ---- both levels ----------------------------------------------------------------------------------


def test_a_network_with_fan_out_and_fan_in_gives_the_same_pulses_on_both_levels():
    """No noise, certain synapses: three inputs, each to two neurons, as junctions and as cells."""
    bias = np.array([[0.17, 0.17], [0.17, 0.1], [0.17, 0.17]])
    layers = [SFQLayer(bias, RELAY)]
    trains = [np.array([30.0, 210.0]), np.array([90.0, 270.0]), np.array([150.0])]
    solved = junctions.simulate(junction_circuit(layers, trains), 400.0, h=0.1)
    sim = PulseSimulation(pulse_circuit(layers, temperature=0))
    sim.send(**{f"in_{i}": train for i, train in enumerate(trains)})
    sim.run()
    for j, count in enumerate((5, 3)):
        times = solved.pulses(f"N_0_{j}.B5")
        assert times.size == sim.pulses(f"out_{j}").size == count
        shift = times - sim.pulses(f"out_{j}")  # what the drive needs to make a pulse of a triangle, and no more
        assert np.ptp(shift) < 4.0 and abs(shift.mean()) < 5.0


@pytest.mark.slow
def test_xor_at_both_levels():
    net = XORNetwork()
    fast = net.pulse_rates(clocks=4000)
    slow = net.circuit_rates(clocks=6, runs=24)
    n = 24 * 6
    error = np.sqrt(np.maximum(fast * (1 - fast), 1 / n) * (1 / n + 1 / 4000))
    assert (np.abs(fast - slow) < 3 * error).all()
    assert margin(fast) > 0.9 and margin(slow) > 0.5
    np.testing.assert_allclose(fast[1:3], net.probability**3, atol=3 * np.sqrt(0.123 / 4000))


def test_xor_of_rates_is_the_product_rule():
    net = XORNetwork(probability=0.9)
    rates = net.pulse_rates([(0.3, 0.6)], clocks=20_000, seed=3)
    expected = 0.9**3 * (0.3 * 0.4 + 0.7 * 0.6)
    assert rates[0] == pytest.approx(expected, abs=4 * np.sqrt(expected / 20_000))


def test_the_margin_falls_with_the_spread_and_the_clock():
    net = XORNetwork()
    spread = margin(net.pulse_rates(clocks=200, spread=0.012, circuits=20))
    assert np.median(spread) < 0.9 and spread.min() < margin(net.pulse_rates(clocks=500)) - 0.2
    assert margin(net.replace(period=20.0).circuit_rates(clocks=6, runs=8)) < 0.7


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda: pulse_circuit([SFQLayer([[0.5]], RELAY)]), r"layer 0: bias currents must be within 0.1 .. 0.19 mA"),
    (lambda: pulse_circuit([SFQLayer([[0.15, np.nan]], RELAY)]), r"layer 0: neuron 1 has no synapse"),
    (lambda: pulse_circuit([SFQLayer([[0.15]], RELAY), SFQLayer([[0.15], [0.15]], RELAY)]), r"layer 1 has 2 inputs"),
    (lambda: pulse_circuit([]), r"at least one layer"),
    (lambda: junction_circuit([SFQLayer([[0.15]], RELAY)], []), r"as many trains, got 0"),
    (lambda: XORNetwork(lag=60.0), r"lag must be < period"),
    (lambda: XORNetwork().pulse_rates([(0.5, 2.0)]), r"two rates within 0 .. 1"),
    (lambda: XORNetwork().circuit_rates([(0.5, 1)]), r"patterns must be of 0 and 1"),
])
def test_bad_networks_are_refused(make, sentence):
    with pytest.raises(ns.NeurosimError, match=sentence):
        make()


def test_fan_out_without_a_splitter_is_refused():
    cells = Circuit("c")
    wire = cells.input("a")
    cells.add(RELAY.cell(), wire)
    with pytest.raises(ns.NetworkError, match=r"add a Splitter"):
        cells.add(RELAY.cell(), wire)


# ---- device ---------------------------------------------------------------------------------------

WEIGHTS = np.random.default_rng(0).uniform(-1, 1, (40, 30))


def test_the_device_is_ideal_where_all_is_off_and_follows_the_curve_where_not():
    device = SFQSynapses()
    assert device.program(WEIGHTS, np.random.default_rng(0)) is WEIGHTS and device.read is None
    warm = SFQSynapses(temperature=8.4).program(np.array([0.9]), np.random.default_rng(0))
    cold, hot = BiasSynapse().curve, BiasSynapse(temperature=8.4).curve
    bias = cold[0] + cold[1] * norm.ppf(0.9 * 0.99)
    assert warm[0] == pytest.approx(norm.cdf((bias - hot[0]) / hot[1]) / 0.99)
    np.testing.assert_allclose(BiasSynapse().probability(device.bias(WEIGHTS)), 0.99 * np.abs(WEIGHTS))
    with pytest.raises(ns.ParameterError, match=r"weights within -1 .. 1, got one of size 1.5; set weight_max"):
        device.program(np.array([1.5]), np.random.default_rng(0))


def test_a_read_passes_or_not():
    device = SFQSynapses(stochastic=True, weight_max=2.0)
    u = np.random.default_rng(1).random(20_000)
    for weight in (-1.5, 0.0, 0.4):
        found = np.array([device.read(weight, each, device.weight_max, device.probability_max) for each in u])
        unit = 2.0 / 0.99
        assert set(np.unique(found)) <= {-unit, 0.0, unit}
        assert found.mean() == pytest.approx(weight, abs=5 * unit / 2 / np.sqrt(u.size))


@pytest.mark.filterwarnings("ignore:.*has never spiked")
def test_the_device_runs_in_a_network_and_counts_are_binomial():
    """Each of 200 spikes adds one unit or nothing to a neuron without a leak."""
    net = ns.Network()
    times = np.arange(1.0, 201.0)
    given = net.add(ns.SpikeSource(ns.Spikes.from_times(times, np.zeros(200, int), size=1, duration=202.0)))
    cells = net.add(ns.LIF(tau_mem=1e9, v_leak=0.0, v_threshold=1e9, v_reset=0.0), 50, name="cells")
    net.connect(given, cells, ns.Sparse(np.full((1, 50), 0.3)), delay=1.0, device=SFQSynapses(stochastic=True))
    sim = ns.Simulation(net, 1.0, seed=3)
    sim.run(203.0)
    passed = sim.get(cells, "v") * 0.99
    np.testing.assert_allclose(passed, np.round(passed), atol=1e-3)
    assert (binom.cdf(passed.round(), 200, 0.297) > 1e-5).all() and passed.std() > 3


def test_forward_has_the_moments_of_counting_and_tensors_give_the_same():
    device, rng = SFQSynapses(stochastic=True), np.random.default_rng(5)
    x = np.broadcast_to(rng.random(40), (20_000, 40))
    y = device.forward(x, WEIGHTS, 10, np.random.default_rng(6))
    q = x[0][:, None] * device.probability(WEIGHTS)
    np.testing.assert_allclose(y.mean(0), x[0] @ WEIGHTS, atol=0.05)
    np.testing.assert_allclose(y.var(0), (q * (1 - q)).sum(0) / 0.99**2 / 10, rtol=0.06)
    torch = pytest.importorskip("torch")
    tensor = device.forward(torch.tensor(x[:5].copy()), torch.tensor(WEIGHTS), 10, np.random.default_rng(6))
    np.testing.assert_allclose(tensor.numpy(), device.forward(x[:5], WEIGHTS, 10, np.random.default_rng(6)), rtol=1e-12)


# ---- hidden layer, energy -------------------------------------------------------------------------


def test_a_hidden_layer_counts_what_the_trained_one_computes():
    rng = np.random.default_rng(2)
    layer = HiddenLayer(rng.normal(size=(6, 4)), rng.normal(size=4))
    x = rng.random((8, 6))
    frames = 800
    error = layer.run(x, frames) - layer.forward(x)
    noise = np.sqrt(7 / 4 / frames) / layer.gain
    assert np.abs(error).max() < 5 * noise + layer.threshold / frames / layer.gain
    assert np.corrcoef(layer.run(x, frames).ravel(), layer.forward(x).ravel())[0, 1] > 0.99


def test_energy_counts_junctions_and_time():
    layer = HiddenLayer([[1.0]], [0.0])
    x = np.ones((2, 1))
    found, energy = layer.run(x, 100, energy=True)
    fired = round(float(found.sum()) * 100 * layer.gain)
    assert 150 < fired <= 200 - 2 * (layer.threshold - 1)  # what the two loops still hold
    switched = 200 * TIMES.synapse.junctions + fired * TIMES.loop.junctions
    assert energy.switching == pytest.approx(switched * 0.25 * 2.067833848)
    assert energy.static == pytest.approx(energy.junctions * 0.175 * 2.6 * 2 * 100 * layer.frame)
    with pytest.raises(ns.ParameterError, match=r"samples must be a whole number >= 1"):
        pulse_energy(None, samples=0)


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: HiddenLayer(np.ones((2, 3)), np.ones(2)), r"weights \(inputs, units\) and bias"),
    (lambda: HiddenLayer(np.ones((2, 2)), np.ones(2), slot=5.0), r"slot must be > 5.876 ps"),
    (lambda: HiddenLayer(np.ones((2, 2)), np.ones(2)).run([[2.0, 0.0]]), r"rates within 0 .. 1"),
    (lambda: HiddenLayer(np.ones((2, 2)), np.ones(2), SFQSynapses(weight_max=0.5)), r"got one of size 1"),
])
def test_bad_hidden_layers_are_refused(call, sentence):
    with pytest.raises(ns.ParameterError, match=sentence):
        call()
