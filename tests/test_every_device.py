"""Every exported device layer: ideal where all is off, reproducible, within its range, the same in every engine."""

import inspect
import pickle
import sys

import numpy as np
import pytest
from scipy.stats import norm

import hardware_models
import neurosim as ns
from hardware_models import BitFlips, HfO2, Memristor, StuckAt
from hardware_models.memristor import CrossbarLayer, HopfieldMemory, preset
from hardware_models.ramp_adc import RampADC
from learning_rules import PairSTDP
from neurosim.checks import Parameter
from neurosim.contracts import Device, State
from neurosim.reservoirs import EchoState
from tests.shares import quick

#: For every device layer: what makes it imperfect. A device that is exported must be here.
IMPERFECT = {
    "BitFlips": {"rate": 0.002, "format": "Q3.12"},
    "ConstantStep": {"programming_noise": 0.05, "read_noise": 0.1},
    "ExponentialStep": {"programming_noise": 0.05, "read_noise": 0.1},
    "HfO2": {"programming_noise": 1.0, "read_noise": 0.1},
    "LinearStep": {"programming_noise": 0.05, "read_noise": 0.1},
    "MeasuredErrors": {"levels": (0.0, 5.0, 25.0), "programming_sigma": (0.2, 1.0, 0.5), "read_sigma": (0.1, 0.5, 1.0),
                       "programming_noise": 1.0, "read_noise": 1.0},
    "MeasuredPulses": {"programming_noise": 0.05, "read_noise": 0.1},
    "Memristor": {"programming_noise": 0.05, "stuck_on": 0.02, "stuck_off": 0.05, "conductance_dtod": 0.1,
                  "read_noise": 0.1, "flicker_noise": 0.02, "drift": 0.05, "drift_dtod": 0.3},
    "NonlinearPulses": {"programming_noise": 0.05, "read_noise": 0.1},
    "PCM": {"programming_noise": 1.0, "flicker_noise": 1.0, "drift": 1.0},
    "PiecewiseStep": {"programming_noise": 0.05, "read_noise": 0.1},
    "PowerStep": {"programming_noise": 0.05, "read_noise": 0.1},
    "ReRAM": {"programming_noise": 1.0, "read_noise": 0.1},
    "SFQSynapses": {"bias_spread": 0.002, "stochastic": True},
    "SoftBounds": {"programming_noise": 0.05, "read_noise": 0.1},
    "StuckAt": {"off": 0.05, "on": 0.05},
    "VerifiedReRAM": {"programming_noise": 0.02, "write_tolerance": 0.002, "relaxation": 1.0, "flicker_noise": 1.0},
}
DEVICES = {name: value for name in hardware_models.__all__
           if isinstance(value := getattr(hardware_models, name), type) and issubclass(value, Device)}
FORWARD = [name for name, device in DEVICES.items() if issubclass(device, Memristor)]
WEIGHTS = np.random.default_rng(0).uniform(-1, 1, (40, 30))


def imperfect(name):
    return DEVICES[name](**IMPERFECT[name])


def ideal(name):
    """The same device with all switches off, as it comes."""
    return DEVICES[name]()


def test_every_device_is_in_the_table():
    assert set(DEVICES) == set(IMPERFECT)


@pytest.mark.parametrize("name", DEVICES)
def test_off_is_ideal_bit_for_bit(name):
    device, x = ideal(name), np.random.default_rng(1).normal(size=(5, 40))
    np.testing.assert_array_equal(device.program(WEIGHTS.copy(), np.random.default_rng(2)), WEIGHTS)
    np.testing.assert_array_equal(device.age(WEIGHTS.copy(), 1e9), WEIGHTS)
    if name in FORWARD:
        assert device.read is None
        np.testing.assert_array_equal(device.matmul(x, WEIGHTS), x @ WEIGHTS)


@pytest.mark.parametrize("name", DEVICES)
def test_programming_follows_the_seed_and_does_something(name):
    device = imperfect(name)
    first, again, other = (np.asarray(device.program(WEIGHTS.copy(), np.random.default_rng(s))) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != WEIGHTS).any() and np.isfinite(first).all()
    if IMPERFECT[name].get("programming_noise"):
        assert (first != other).any()


@pytest.mark.parametrize("name", FORWARD)
def test_weights_out_of_range_are_refused_and_what_is_held_can_be_had(name):
    device = imperfect(name)
    held = device.program(WEIGHTS, np.random.default_rng(3))
    assert np.abs(held).max() < 1.6 * device.weight_max
    with pytest.raises(ns.ParameterError, match=r"must be given weights within -1 .. 1, got 1.5; set weight_max"):
        device.program(np.array([0.5, 1.5]), np.random.default_rng(3))
    assert device.fitted(3 * WEIGHTS).weight_max == np.abs(3 * WEIGHTS).max()


@pytest.mark.parametrize("name", FORWARD)
def test_reads_on_arrays_are_the_reads_of_the_compiled_loop(name):
    """The body that the core compiles, called on numbers, and the forward of arrays are one equation."""
    device, rng = imperfect(name), np.random.default_rng(5)
    draws, others = np.random.default_rng(6).standard_normal((2, *WEIGHTS.shape))
    names = list(inspect.signature(device.read).parameters)[3:]
    one_by_one = [device.read(w, z, u, *(getattr(device, n) for n in names))
                  for w, z, u in zip(WEIGHTS.flat, draws.flat, norm.cdf(others).flat, strict=True)]
    np.testing.assert_allclose(device.read_array(WEIGHTS, np.random.default_rng(6)).ravel(), one_by_one, rtol=1e-9)
    x = rng.normal(size=(4000, 40))
    mean, variance = device.read_moments(WEIGHTS)
    error = device.matmul(x, WEIGHTS, rng) - x @ mean
    assert (error / np.sqrt((x**2) @ variance)).std() == pytest.approx(1.0, rel=0.02)
    x = x[:60]
    one_by_one = Device.matmul(device, x, WEIGHTS, rng)  # reads every device anew for every row
    ratio = (one_by_one - x @ mean) / np.sqrt((x**2) @ variance)
    assert abs(ratio.mean()) < 0.1 and ratio.std() == pytest.approx(1.0, rel=0.07)


@pytest.mark.parametrize("device", [Memristor(read_noise=0.5), Memristor(read_noise=0.5, g_min=5.0),
                                    Memristor(read_noise=0.5, mapping="offset"),
                                    preset("pcm", weight_max=1.0), HfO2(read_noise=0.4)], ids=str)
def test_no_read_takes_a_conductance_below_zero(device):
    """Reads of arrays and in products have the moments of pairs of devices that are read one by one."""
    n = 100_000
    for w in (0.5, 0.02, -0.3):
        targets = [(share.target + np.zeros(n), share.gain) for share in device.shares(np.array(w))]
        singles = sum(gain * (device.read_conductance(g, np.random.default_rng([1, part])) - g[0])
                      for part, (g, gain) in enumerate(targets)) + w
        mean, variance = (float(each) for each in device.read_moments(np.array(w)))
        assert singles.mean() == pytest.approx(mean, abs=5 * singles.std() / np.sqrt(n))
        assert singles.var() == pytest.approx(variance, rel=0.04)
        reads = device.read_array(np.full(n, w), np.random.default_rng(2))
        assert reads.mean() == pytest.approx(mean, abs=5 * reads.std() / np.sqrt(n))
        assert reads.var() == pytest.approx(variance, rel=0.04)
        if device.mapping == "offset":
            assert reads.min() == -1.0  # 0 uS, less the middle
        elif device.g_min == 0.0:
            assert (np.sign(w) * reads).min() >= 0.0
        product = device.matmul(np.ones((n, 1)), np.array([[w]]), np.random.default_rng(3))
        assert product.mean() == pytest.approx(mean, abs=5 * product.std() / np.sqrt(n))


def test_reads_of_the_core_stop_at_zero_conductance():
    """Delta arrivals of one read each on cells that keep them: no weight changes its sign, and the mean is moved."""
    device, n = Memristor(read_noise=0.8), 20_000
    net = ns.Network()
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=[1], ids=[0], size=1, duration=1.0, dt=0.1)))
    cells = net.add(ns.LIF(tau_mem=1e9, v_leak=0.0, v_threshold=1e9, v_reset=0.0), n)
    net.connect(given, cells, weight=-0.5, delay=0.1, device=device)
    sim = ns.Simulation(net, 0.1, dtype="float64")
    sim.run(0.5)
    v, (mean, variance) = sim.get(cells, "v"), device.read_moments(np.array(-0.5))
    assert v.max() <= 0.0 and (v == 0.0).mean() == pytest.approx(norm.cdf(-1 / 0.8), abs=0.012)
    assert v.mean() == pytest.approx(float(mean), abs=5 * np.sqrt(variance / n))
    assert v.var() == pytest.approx(float(variance), rel=0.04)


def spikes(device, weights=WEIGHTS, seed=1):
    net = ns.Network()
    rng = np.random.default_rng(7)
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=np.sort(rng.integers(1, 1000, 3000)), ids=rng.integers(0, 40, 3000),
                                             size=40, dt=0.1, duration=100.0)))
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_threshold=3.0, v_reset=0.0), 30, name="cells")
    net.connect(given, cells, ns.Sparse(weights), delay=0.5, device=device, name="p")
    net.record(cells)
    sim = ns.Simulation(net, 0.1, seed=seed)
    sim.run(100.0)
    return sim.spikes(cells), sim.weights("p")


@pytest.mark.parametrize("name", quick(("Memristor", "PCM", "LinearStep", "SFQSynapses", "StuckAt"), DEVICES))
def test_runs_in_the_core(name):
    plain, _ = spikes(None)
    off, weights = spikes(ideal(name))
    assert off == plain and len(plain) > 100
    found, held = spikes(imperfect(name))
    again, _ = spikes(imperfect(name))
    assert found == again and found != plain
    assert (held != weights).any()


@pytest.mark.parametrize("name", DEVICES)
def test_holds_the_weights_of_an_echo_state_network(name):
    plain, u = EchoState(40, 2, density=0.5, seed=1), np.random.default_rng(8).normal(size=(50, 2))
    states = plain.transform(u)
    off, device = (each.fitted(plain.matrix) if hasattr(each, "fitted") else each for each in (ideal(name),
                                                                                              imperfect(name)))
    np.testing.assert_array_equal(plain.replace(device=off).transform(u), states)
    np.testing.assert_array_equal(plain.replace(device=off, age=1e9).transform(u), states)
    network = plain.replace(device=device)
    found = network.transform(u)
    assert np.isfinite(found).all() and (found != states).any() and network.not_finite == 0
    again = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(again.transform(u), found)
    held = device.program(plain.matrix, np.random.default_rng([1, 1]))
    np.testing.assert_array_equal(network.matrix, held)
    other = network.transform(u, generator=np.random.default_rng(9))
    assert (other == found).all() == (device.read is None)
    aged = plain.replace(device=device, age=1e8)
    np.testing.assert_array_equal(aged.matrix, device.age(held, 1e8))
    off = {"read_noise": 0.0, "flicker_noise": 0.0, "stochastic": False}
    quiet = device.replace(**{name: value for name, value in off.items() if name in device.parameters})
    network, state = plain.replace(device=quiet), np.zeros(40)
    for row, expected in zip(u, network.transform(u), strict=True):
        state = network.step(state, row)
        np.testing.assert_allclose(state, expected, atol=1e-12)


def test_reads_of_an_echo_state_network_have_the_noise_of_the_device():
    """Without recurrence and with the identity, states are one product each: x W_in with the variance of its reads."""
    plain = EchoState(30, 5, spectral_radius=0.0, density=1.0, activation="identity", seed=2)
    device, u = Memristor(read_noise=0.2), np.random.default_rng(3).normal(size=(4000, 5))
    network = plain.replace(device=device)
    error = network.transform(u) - u @ network.w_in.T
    expected = np.sqrt(u**2 @ device.read_moments(network.w_in.T)[1])
    assert (error / expected).std() == pytest.approx(1.0, rel=0.02)


def test_a_ramp_converter_is_the_activation_of_an_echo_state_network():
    u = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    exact = EchoState(60, seed=3)
    states = exact.transform(u)
    errors = []
    for bits in (4, 8, 12):
        ramp = RampADC("tanh", bits=bits, rounding="nearest")
        made = exact.replace(activation=ramp).transform(u)
        levels = np.round((made + 1.0) / ramp.lsb, 9)
        assert (levels == np.rint(levels)).all()
        errors.append(np.abs(made - states).max())
        np.testing.assert_array_equal(exact.replace(activation=ramp.program(0)).transform(u), made)
    assert errors[0] > 8 * errors[1] > 64 * errors[2] and errors[2] < 0.002
    chip = exact.replace(activation=RampADC("tanh", programming_error=5.0).program(1))
    assert (chip.transform(u) != exact.replace(activation=RampADC("tanh")).transform(u)).any()
    assert "Ramp" in repr(chip) and chip == chip.replace() and isinstance(hash(chip), int)
    noisy = exact.replace(activation=RampADC("tanh", noise=0.05))
    np.testing.assert_array_equal(noisy.transform(u), noisy.transform(u))
    assert (noisy.transform(u, generator=np.random.default_rng(0)) != noisy.transform(u)).any()
    with pytest.raises(ns.UnsupportedError, match="must know the derivative"):
        chip.jacobian(np.zeros(60), [0.0])


def test_infinite_weights_of_an_echo_state_network_are_recorded_where_the_device_says_so():
    plain, u = EchoState(60, 2, seed=4, activation="identity"), np.ones((20, 2))
    network = plain.replace(device=BitFlips(rate=0.01))
    bad = ~np.isfinite(network.matrix)
    assert network.not_finite == bad.sum() > 0
    states = network.transform(u)  # warnings are errors here
    assert not np.isfinite(states).all() and np.isfinite(states[0]).any()
    bounded = plain.replace(device=BitFlips(rate=0.01), activation="tanh")  # whose units saturate
    assert bounded.not_finite == network.not_finite and (np.abs(bounded.transform(u)) <= 1.0).all()
    kept = plain.replace(device=BitFlips(rate=0.01, infinite="zero"))
    assert kept.not_finite == 0 and np.isfinite(kept.transform(u)).all()

    class Broken(Device):
        def program(self, weights, generator):
            return weights + np.inf

    with pytest.raises(ns.ParameterError, match="Broken.program must return one finite weight for each entry"):
        plain.replace(device=Broken())


@pytest.mark.parametrize("given, text", [
    ({"device": 3}, "EchoState.device must be a device layer or None, got 3"),
    ({"device": Memristor}, "EchoState.device must be a device layer or None, got the class Memristor"),
    ({"device": Memristor(weight_max=0.01)}, "Memristor must be given weights within -0.01 .. 0.01, got"),
    ({"activation": "relu"}, "EchoState.activation must be 'tanh' or 'identity', or a function of an array"),
    ({"activation": RampADC}, "EchoState.activation must be 'tanh'"),
    ({"activation": lambda x: x.sum()}, r"one finite number for each of 10 inputs, got an array of shape \(\)"),
    ({"activation": lambda x: x / 0.0 * 0.0}, "one finite number for each of 10 inputs"),
    ({"activation": lambda x, y: x}, "one finite number for each of 10 inputs, got TypeError"),
    ({"activation": RampADC("tanh", comparator_offset=0.1).program(0, columns=3)}, "must be given inputs of 3 columns"),
    ({"age": -1.0}, "EchoState.age must be a finite number >= 0 ms"),
])
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_an_echo_state_network_refuses_what_is_no_device_or_activation(given, text):
    with pytest.raises(ns.ParameterError, match=text):
        EchoState(10, **given)


def test_a_device_of_the_user_is_read_everywhere_or_refused_by_name():
    """A device that gives the scalar body alone: products read it entry by entry, with the numbers of its equation."""

    class Failing(Device):
        share = Parameter(0.25, at_least=0, at_most=1, per_element=False, doc="of the reads that give nothing")

        @staticmethod
        def read(weight, uniform, share):
            return 0.0 if uniform < share else weight

    device, u = Failing(), np.random.default_rng(0).normal(size=(3000, 4))
    plain = EchoState(6, 4, spectral_radius=0.0, density=1.0, activation="identity", seed=2)
    error = plain.replace(device=device).transform(u) - 0.75 * u @ plain.w_in.T
    assert error.std() == pytest.approx(np.sqrt(4 * 0.75 * 0.25), rel=0.05) and abs(error.mean()) < 0.03
    found, _ = spikes(device)
    assert len(found) > 0 and found != spikes(None)[0]

    class Worn(Device):
        state = {"reads": State(0.0)}

        @staticmethod
        def read(weight, reads):
            return weight / (1.0 + reads)

    with pytest.raises(ns.UnsupportedError, match=r"Worn.read takes 'reads'.*give it a read_array"):
        EchoState(6, device=Worn())
    with pytest.raises(ns.UnsupportedError, match="PerSynapse.read takes 'share'"):

        class PerSynapse(Failing):
            share = Parameter(0.25, at_least=0, at_most=1, doc="one for each synapse")

        EchoState(6, device=PerSynapse(share=np.array([0.1, 0.2])))
    for make in (lambda: HopfieldMemory(np.ones((1, 4)), Failing()), lambda: CrossbarLayer(np.ones((2, 2)), Failing())):
        with pytest.raises(ns.ParameterError, match="device must be a Memristor.*got Failing"):
            make()


SPREAD = [Memristor(programming_noise=0.05), preset("pcm"), Memristor(conductance_dtod=0.1),
          Memristor(temperature=350.0, activation_energy=0.1), StuckAt(on=0.1, off=0.1)]


@pytest.mark.parametrize("device", quick(map(str, SPREAD[:1]), SPREAD, name=str), ids=str)
def test_what_a_device_gets_wrong_is_held_at_the_bounds_of_a_rule(device):
    """Weights all over the range of a rule, in devices whose errors lead beyond it: they begin and stay inside."""
    net = ns.Network()
    source, cells = net.add(ns.Poisson(rate=50.0), 60, name="s"), net.add(ns.LIF(), 5, name="c")
    net.connect(source, cells, weight=ns.Uniform(0.0, 1.0), device=device, plasticity=PairSTDP(), name="p")
    sim = ns.Simulation(net, seed=1)
    begun = sim.weights("p")
    assert begun.min() == 0.0 or begun.max() == 1.0  # an error that was cut off
    assert 0.0 <= begun.min() and begun.max() <= 1.0 and np.unique(begun).size > 100
    sim.run(20.0)
    sim.age("p", 1e6)
    assert 0.0 <= sim.weights("p").min() and sim.weights("p").max() <= 1.0
    with pytest.raises(ns.ParameterError, match="must be within 0 .. 1, the bounds of its PairSTDP, got 2"):
        sim.set("p", weight=2.0)
    net.connect(source, cells, weight=1.5, device=device.replace(**{"weight_max": 2.0} if "weight_max" in
                                                                 device.parameters else {}), plasticity=PairSTDP())
    with pytest.raises(ns.ParameterError, match="must be within 0 .. 1, the bounds of its PairSTDP, got 1.5"):
        ns.Simulation(net, seed=1)  # what a user gives is still refused


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_goes_to_another_process(name):
    device = imperfect(name)
    copy = pickle.loads(pickle.dumps(device))
    assert copy == device and hash(copy) == hash(device)
    np.testing.assert_array_equal(*(each.program(WEIGHTS, np.random.default_rng(1)) for each in (copy, device)))


@pytest.mark.parametrize("name", FORWARD)
def test_tensors_give_the_numbers_of_arrays(name):
    torch = pytest.importorskip("torch")
    device, x = imperfect(name), np.random.default_rng(1).normal(size=(5, 40))
    w, xt = torch.tensor(WEIGHTS), torch.tensor(x)
    for f in (lambda w, x: device.program(w, np.random.default_rng(2)), lambda w, x: device.age(w, 1e8),
              lambda w, x: device.read_array(w, np.random.default_rng(3)),
              lambda w, x: device.matmul(x, w, np.random.default_rng(4))):
        found = f(w, xt)
        assert isinstance(found, torch.Tensor)
        np.testing.assert_allclose(found.numpy(), f(WEIGHTS, x), rtol=1e-12, atol=1e-14)
    w.requires_grad_()
    device.matmul(xt, w, np.random.default_rng(4)).sum().backward()
    assert torch.isfinite(w.grad).all()
    noisy = device.matmul(xt, w.detach(), torch.Generator().manual_seed(0))
    assert noisy.shape == (5, 30)


def test_importing_the_package_loads_numpy_only():
    import subprocess

    code = "import hardware_models, sys; print(*[m for m in ('numba', 'scipy', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "" and not done.stderr
