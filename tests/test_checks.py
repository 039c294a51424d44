"""Numbers, seeds and arrays as people give them: one check for all, exact, and nothing shared with what was given."""

import copy
import inspect

import numpy as np
import pytest

import neurosim as ns
from hardware_models.energy.technology import check_bits
from hardware_models.memristor import CrossbarLayer, HopfieldMemory, Memristor, exact_adc_bits
from hardware_models.ramp_adc import RampADC, inl_trials
from hardware_models.sfq.pulse import JTL, Circuit, PulseSimulation
from neurosim.checks import Parameter, check_number, check_seed, check_whole
from neurosim.encoders import EventCamera, PoissonEncoder
from neurosim.readouts import evaluate, ridge
from neurosim.reservoirs import EchoState, Liquid, MaassLattice, RandomInput, brunel

WHOLES = [3, np.int8(3), np.int64(3), np.uint64(3)]
NUMBERS = [*WHOLES, 3.0, np.float32(3.0), np.float64(3.0)]


def network():
    net = ns.Network()
    return net, net.add(ns.Poisson(10.0), 2, name="p"), net.add(ns.LIF(), 3, name="c")


def recorded(every):
    net, _, cells = network()
    net.record(cells, "v", every=every)
    return net.recorders[0].every


TAKE_NUMBERS = {
    "dt": lambda x: ns.Simulation(network()[0], dt=x).dt,
    "every": recorded,
    "TimedArray.every": lambda x: ns.TimedArray([1.0], every=x).every,
    "tau_mem": lambda x: ns.LIF(tau_mem=x).tau_mem,
    "delay": lambda x: _connected(delay=x).delay,
    "weight": lambda x: _connected(weight=x).weight,
    "brunel.g": lambda x: -brunel(x, scale=0.02).projections[1].weight * 0.02 / 0.1,
    "r_word": lambda x: CrossbarLayer(np.ones((2, 2)), r_word=x).r_word,
    "check": lambda x: check_number("x", x, above=0),
}
TAKE_WHOLES = {
    "size": lambda n: ns.Network().add(ns.LIF(), n).size,
    "threads": lambda n: ns.Simulation(network()[0], threads=n).threads,
    "units": lambda n: EchoState(n, density=1.0).units,
    "folds": lambda n: evaluate(ridge(), np.eye(12)[:, :2], np.arange(12) % 2, folds=n, seeds=[0]).n_test // 4,
    "columns": lambda n: RampADC(comparator_offset=0.1).program(columns=n).offsets.size,
    "trials": lambda n: len(inl_trials(RampADC(bits=2), n)),
    "check_bits": lambda n: check_bits("x", n),
    "exact_adc_bits": lambda n: exact_adc_bits(7, n, 1) - 3,
    "array": lambda n: CrossbarLayer(np.ones((2, 2)), array=(n, n)).shape[0] + 1,
    "input_bits": lambda n: CrossbarLayer(np.ones((2, 2)), input_bits=n).input_bits,
    "check": lambda n: check_whole("n", n, at_least=1, at_most=256),
}


def _connected(**given):
    net, source, cells = network()
    return net.connect(source, cells, **given)


@pytest.mark.parametrize("name", TAKE_NUMBERS)
def test_numbers_of_numpy_are_numbers(name):
    for value in NUMBERS:
        assert float(TAKE_NUMBERS[name](value)) == pytest.approx(3.0)
    for value in (True, np.True_, "3", None, 3j, [[3.0]], float("nan"), -np.inf, 10**400):
        left_out = value is None and name in ("dt", "every", "weight")
        if not left_out and not (isinstance(value, list) and name in ("delay", "weight")):  # arrays are welcome there
            with pytest.raises(ns.NeurosimError):
                TAKE_NUMBERS[name](value)


@pytest.mark.parametrize("name", TAKE_WHOLES)
def test_whole_numbers_of_numpy_are_whole_numbers(name):
    for value in WHOLES:
        assert TAKE_WHOLES[name](value) == 3
    for value in (True, np.True_, "3", 2.5, -1, [3]):
        with pytest.raises(ns.NeurosimError):
            TAKE_WHOLES[name](value)


SEEDED = {
    "EchoState": lambda seed: EchoState(5, density=1.0, seed=seed).w,
    "Memristor": lambda seed: Memristor(stuck_on=0.5, seed=seed).program(np.zeros(200), np.random.default_rng(0)),
    "EventCamera": lambda seed: EventCamera(seed=seed).thresholds(4, 4)[0],
    "CrossbarLayer": lambda seed: CrossbarLayer(np.ones((4, 4)), Memristor(programming_noise=0.1), seed=seed).weights,
    "HopfieldMemory": lambda seed: HopfieldMemory(np.ones((1, 20)), seed=seed).flipped(np.ones((4, 20)), 0.5),
    "RampADC": lambda seed: RampADC(programming_error=1.0).program(seed).thresholds[0],
    "Liquid": lambda seed: Liquid(MaassLattice((3, 3, 3)), RandomInput(5, k=2), seed=seed).places,
    "Simulation": lambda seed: _weights(seed),
    "encoder": lambda seed: PoissonEncoder(200.0, duration=20.0, dt=1.0).encode(np.ones(20), seed=seed).counts(),
    "PulseSimulation": lambda seed: _jittered(seed),
}


def _weights(seed):
    net, source, cells = network()
    projection = net.connect(source, cells, weight=ns.Normal(0.0, 1.0))
    return ns.Simulation(net, seed=seed).weights(projection)


def _jittered(seed):
    circuit = Circuit()
    circuit.output("Q", circuit.chain(circuit.input("A"), JTL(jitter=0.5), 2))
    sim = PulseSimulation(circuit, seed=seed)
    sim.send(A=[10.0])
    sim.run()
    return sim.pulses("Q")


@pytest.mark.parametrize("name", SEEDED)
def test_a_seed_counts_with_all_its_bits(name):
    """2^53 + 1 and 2^64 - 1 are no float64: whoever takes a seed through one gives equal numbers for two seeds."""
    make = SEEDED[name]
    for one, other in ((2**53, 2**53 + 1), (2**64 - 2, 2**64 - 1)):
        assert not np.array_equal(make(one), make(other))
        np.testing.assert_array_equal(make(np.uint64(other)), make(other))
    for wrong in (-1, 2**64, 1.5, "1", True, None):
        with pytest.raises(ns.ParameterError, match=r"must be a whole number in 0 .. 2\^64 - 1, got"):
            make(wrong)


def test_whole_parameters_are_exact():
    parameter = Parameter(integer=True, per_element=False)
    assert parameter.check("x", 2**53 + 1) == 2**53 + 1 and parameter.check("x", 3.0) == 3
    with pytest.raises(ns.ParameterError, match="x must be a whole number <= 5, got 1000"):
        Parameter(integer=True, per_element=False, at_most=5).check("x", 1000)
    assert check_seed("key", 7, 32) == 7
    with pytest.raises(ns.ParameterError, match=r"key must be a whole number in 0 .. 2\^32 - 1, got 4294967296"):
        check_seed("key", 2**32, 32)


def _described(kind):
    """Return a network or a layer, what to edit, and what tells whether it changed."""
    net, source, cells = network()
    if kind in ("weight", "delay"):
        given = np.full((2, 3), 1.5)
        net.connect(source, cells, **{kind: given})
        return given, lambda: (net.fingerprint(), copy.deepcopy(getattr(net.projections[0], kind)))
    if kind == "list":
        given = [[1.0, 2.0, 3.0]] * 2
        net.connect(source, cells, weight=given)
        return given, lambda: (net.fingerprint(), net.projections[0].weight.copy())
    if kind == "listed":
        given = np.ones(2)
        net.connect(source, cells, ns.Explicit([0, 1], [1, 2]), weight=given, delay=given)
        return given, lambda: (net.fingerprint(), net.projections[0].delay.copy())
    if kind == "explicit":
        given = np.array([0, 1])
        net.connect(source, cells, ns.Explicit(given, given))
        return given, lambda: (net.fingerprint(), net.projections[0].rule.sources.copy())
    if kind == "sparse":
        given = np.ones((2, 3))
        net.connect(source, cells, ns.Sparse(given))
        return given, lambda: (net.fingerprint(), net.projections[0].rule.weights().copy())
    if kind == "parameter":
        given = np.full(3, 10.0)
        net.add(ns.LIF(tau_mem=given), 3, initial={"v": given})
        return given, lambda: (net.fingerprint(), net.populations[-1].model.tau_mem.copy())
    if kind == "drive":
        given = np.full(3, 10.0)
        net.drive(cells, ns.PoissonDrive(rate=given, weight=given))
        net.drive(cells, ns.InjectedCurrent(ns.TimedArray(given, every=1.0)))
        return given, lambda: (net.fingerprint(), net.drives[1].drive.amplitude.values.copy())
    if kind == "ids":
        given = np.array([0, 2])
        net.record(cells, "v", ids=given)
        return given, lambda: (0, net.recorders[0].ids.copy())
    if kind == "spikes":
        given = np.array([1, 2])
        spikes = ns.Spikes(ticks=given, ids=given - 1, size=2, dt=1.0, duration=5.0)
        net.add(ns.SpikeSource(spikes))
        return given, lambda: (spikes.fingerprint(), spikes.ticks.copy())
    given = np.ones((4, 4))
    made = {"layer": lambda: CrossbarLayer(given), "memory": lambda: HopfieldMemory(given)}[kind]()
    return given, lambda: (0, (made.weights if kind == "layer" else made.patterns).copy())


KINDS = ["weight", "delay", "list", "listed", "explicit", "sparse", "parameter", "drive", "ids", "spikes", "layer",
         "memory"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_described_does_not_change_with_what_was_given(kind):
    given, look = _described(kind)
    before = look()
    if isinstance(given, list):
        given[0][0] = -7.0
    else:
        given[...] = 0 if kind in ("explicit", "ids") else given * 0 + 3
    after = look()
    assert after[0] == before[0]
    np.testing.assert_array_equal(after[1], before[1])


def test_what_is_set_does_not_change_with_what_was_given():
    net, source, cells = network()
    p = net.connect(source, cells, weight=np.ones((2, 3)))
    sim = ns.Simulation(net, dtype="float64")
    weights, taus, v = np.full(6, 2.0), np.full(3, 5.0), np.full(3, -60.0)
    sim.set(p, weight=weights)
    sim.set(cells, tau_mem=taus, v=v)
    weights[:], taus[:], v[:] = 9.0, 9.0, 9.0
    assert (sim.weights(p) == 2.0).all() and (sim.get(cells, "v") == -60.0).all()
    net.drive(cells, ns.InjectedCurrent(0.0))
    sim.run(10.0)
    rest = sim.get(cells, "v")
    np.testing.assert_allclose(rest, -70.0 + 10.0 * np.exp(-10.0 / 5.0), rtol=1e-12)


def test_signatures_name_the_parameters():
    """Also of a class whose family has a constructor that hands on what it takes, as editors and pages show it."""
    from learning_rules import PairSTDP

    for cls in (ns.LIF, ns.ExponentialCurrent, ns.TsodyksMarkram, ns.SineCurrent, ns.Normal, PairSTDP, Memristor):
        assert list(inspect.signature(cls).parameters) == list(cls.parameters)
    assert str(inspect.signature(ns.Normal)).startswith("(mean, std, *, ")
