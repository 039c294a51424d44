"""Faults against the statistics and the bit patterns that they must have; bounds against finite differences."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import neurosim as ns
from hardware_models.faults import (
    BitFlips,
    ClippedReLU,
    StuckAt,
    clipped_relu,
    forward,
    inject,
    knee,
    proact,
    profile,
    relu,
    train_bounds,
)
from hardware_models.faults.formats import parse
from hardware_models.memristor import Memristor
from neurosim.errors import ParameterError


def draws(seed=0):
    return np.random.default_rng(seed)


# ---- formats ----------------------------------------------------------------------------------------


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float32_words_are_those_of_the_standard(x):
    words, scale = parse("float32").encode(np.array([x]))
    assert int(words[0]) == struct.unpack("<I", struct.pack("<f", x))[0]
    assert parse("float32").decode(words, scale)[0] == np.float32(x)


@given(st.integers(0, 15), st.integers(0, 16), st.data())
def test_fixed_point_is_rounded_to_its_grid_and_returns(m, n, data):
    if m + n == 0:
        return
    form = parse(f"Q{m}.{n}")
    x = data.draw(st.floats(-(2.0**m), 2.0**m - 2.0**-n))
    words, scale = form.encode(np.array([x]))
    assert form.bits == 1 + m + n and scale == 2.0**-n and int(words[0]) < 2**form.bits
    assert int(words[0]) == round(x * 2**n) % 2**form.bits  # two's complement
    assert form.decode(words, scale)[0] == round(x * 2**n) / 2**n


def test_int8_spans_the_weights():
    form = parse("int8")
    words, scale = form.encode(np.array([-1.27, 0.5, 1.27]))
    np.testing.assert_allclose(form.decode(words, scale), [-1.27, 0.5, 1.27], atol=1e-12)
    assert form.decode(*form.encode(np.zeros(3))).tolist() == [0, 0, 0]


def test_what_each_bit_of_q15_16_is_worth():
    form = parse("Q15.16")
    words, scale = form.encode(np.full(32, 0.25))
    changed = form.decode(words ^ (np.uint64(1) << np.arange(32, dtype=np.uint64)), scale) - 0.25
    expected = 2.0 ** np.arange(-16, 16)
    expected[14] *= -1  # the bit that was set
    expected[31] *= -1  # the sign
    np.testing.assert_array_equal(changed, expected)


# ---- bit flips --------------------------------------------------------------------------------------


def flipped_bits(before, after, form):
    if form == "float32":  # what is undefined has a pattern too
        words = before.view(np.uint32).astype(np.uint64) ^ after.view(np.uint32)
    else:
        words = parse(form).encode(before)[0] ^ parse(form).encode(after)[0]
    return np.unpackbits(words.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")[:, :parse(form).bits]


@pytest.mark.parametrize("form", ["float32", "Q15.16", "Q3.4"])
def test_flips_are_independent_and_alike_for_all_bits(form):
    weights = draws(1).uniform(-0.9, 0.9, 60_000)  # float64, which holds every fixed-point word of 32 bits
    weights = weights.astype(np.float32) if form == "float32" else weights
    weights = np.asarray(BitFlips(format=form).apply(weights, draws()).values)
    found = BitFlips(rate=0.01, format=form).apply(weights, draws(2))
    bits = flipped_bits(weights, found.values, form)
    assert bits.sum() == found.faults  # none was flipped twice
    counts = bits.sum(axis=0)
    assert stats.chisquare(counts).pvalue > 1e-3
    by_weight = np.bincount(bits.sum(axis=1), minlength=4)[:4]
    expected = stats.binom.pmf(np.arange(4), bits.shape[1], 0.01) * weights.size
    assert stats.chisquare(by_weight, expected * by_weight.sum() / expected.sum()).pvalue > 1e-3


def test_the_number_of_flips_is_binomial():
    """A small layer at a low rate: the mean is below 1, where a rounded number would be 0 always."""
    numbers = [BitFlips(rate=1e-4, format="int8").apply(np.ones(100), draws(k)).faults for k in range(4000)]
    p = stats.binom.pmf(np.arange(3), 800, 1e-4)
    found = np.bincount(numbers, minlength=3)[:3]
    assert stats.chisquare(found, np.array([*p[:2], 1 - p[:2].sum()]) * 4000).pvalue > 1e-3


@pytest.mark.parametrize("rate", [0.5, 0.9, 1.0])
def test_high_rates_flip_as_many_bits(rate):
    weights = draws(0).normal(size=1000).astype(np.float32)
    found = BitFlips(rate=rate).apply(weights, draws(1))
    assert flipped_bits(weights, found.values, "float32").sum() == found.faults
    assert found.faults == pytest.approx(32_000 * rate, abs=400)


def test_float32_makes_infinities_and_counts_them():
    found = BitFlips(rate=0.05).apply(np.full(5000, 1.5, dtype=np.float32), draws())
    assert found.not_finite == (~np.isfinite(found.values)).sum() > 50
    kept = BitFlips(rate=0.05, infinite="zero").apply(np.full(5000, 1.5, dtype=np.float32), draws())
    assert kept.not_finite == found.not_finite and np.isfinite(kept.values).all()
    np.testing.assert_array_equal(kept.values[np.isfinite(found.values)], found.values[np.isfinite(found.values)])


def test_a_layered_network_goes_on_with_infinite_weights_and_tells():
    """The values that are not finite are counted, go on to the scores that hang on them, and warn nobody."""
    layers, x = perceptron(draws(2)), draws(3).normal(size=(20, 6))
    x[:, 3] = 0.0
    w = layers[0][0].copy()
    w[3, 5], w[0, 2] = np.inf, np.nan  # 0 times infinity is undefined
    scores, before = forward([(w, layers[0][1]), *layers[1:]], x, keep=True)
    np.testing.assert_array_equal(np.isnan(before[0]).all(axis=0), np.isin(np.arange(12), [2, 5]))
    assert np.isnan(scores).all()
    bounded = forward([(w, layers[0][1]), *layers[1:]], x, bounds=profile(layers, x))
    w[:, [2, 5]] = 0.0
    b = layers[0][1].copy()
    b[[2, 5]] = -1.0  # neurons that are silent, as those that are undefined are at a bound
    np.testing.assert_array_equal(bounded, forward([(w, b), *layers[1:]], x, bounds=profile(layers, x)))


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_flipped_bits_of_layers_are_counted_and_reach_the_scores(kind):
    make = np.asarray if kind == "numpy" else pytest.importorskip("torch").tensor
    x = draws(3).normal(size=(20, 6)).astype(np.float32)
    layers = [(make(2.0 * w.astype(np.float32)), make(b.astype(np.float32))) for w, b in perceptron(draws(2))]
    found = inject({str(k): w for k, (w, _) in enumerate(layers)}, BitFlips(rate=0.03), seed=2)
    scores = forward([(found[str(k)].values, b) for k, (_, b) in enumerate(layers)], make(x))
    told = [each.not_finite for each in found.values()]
    assert told == [int((~np.isfinite(np.asarray(each.values))).sum()) for each in found.values()] and sum(told) > 0
    assert not np.isfinite(np.asarray(scores)).all()


def test_nothing_is_touched_where_faults_are_off():
    weights = draws().normal(size=50)
    for fault in (BitFlips(), StuckAt()):
        assert fault.program(weights, draws()) is weights
    layers = {"a": weights}
    assert inject(layers, {})["a"].values is weights and inject(layers, BitFlips())["a"].values is weights
    np.testing.assert_array_equal(ClippedReLU()(weights), np.maximum(weights, 0))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_the_seed_and_the_trial_decide_and_layers_are_independent(seed, trial):
    layers = {"a": np.ones((20, 20)), "b": np.ones(50), "c": np.ones(50)}
    first = inject(layers, BitFlips(rate=0.01), seed=seed, trial=trial)
    again = inject(layers, {"b": BitFlips(rate=0.01), "a": BitFlips(rate=0.5)}, seed=seed, trial=trial)
    np.testing.assert_array_equal(first["b"].values, again["b"].values)
    assert again["c"].values is layers["c"] and not np.array_equal(first["b"].values, first["c"].values)
    assert (layers["a"] == 1).all()
    other = inject(layers, BitFlips(rate=0.01), seed=seed, trial=(trial + 1) % 2**32)
    assert not np.array_equal(other["a"].values, first["a"].values)


# ---- stuck devices ----------------------------------------------------------------------------------


@given(st.floats(0, 0.5), st.floats(0, 0.5), st.integers(0, 100))
@settings(max_examples=30)
def test_stuck_devices_are_at_one_end_only_at_the_given_shares(off, on, seed):
    g = np.full(4000, 40.0)
    found = StuckAt(off=off, on=on, g_min=1.0, g_max=100.0).apply(g, draws(seed))
    n_off, n_on = (found.values == 1.0).sum(), (found.values == 100.0).sum()
    assert n_off + n_on == found.faults == (found.values != 40.0).sum()
    for n, p in ((n_off, off), (n_on, on)):
        assert abs(n - 4000 * p) <= 6 * np.sqrt(4000 * p * (1 - p)) + 1e-9


def test_stuck_pairs_make_weights_of_the_end_or_nothing():
    weights = draws().uniform(-1, 1, 2000)
    on = StuckAt(on=0.2, w_max=1.0).program(weights, draws(1))
    off = StuckAt(off=0.2, w_max=1.0).program(weights, draws(1))
    dead = np.abs(off) < 1e-15
    assert set(np.flatnonzero(~np.isclose(off, weights))) == set(np.flatnonzero(dead))
    assert np.mean(dead) == pytest.approx(0.2, abs=0.03)
    w = weights[~np.isclose(on, weights)]  # + 1 on the other side, to the end on its own, or both devices ON
    at = on[~np.isclose(on, weights)]
    assert (np.isclose(at, w - np.sign(w)) | np.isclose(np.abs(at), 1) | np.isclose(at, 0)).all()
    assert len(w) / 2000 == pytest.approx(1 - 0.8**2, abs=0.03)


def test_stuck_devices_are_those_of_a_memristor():
    weights, devices = draws().uniform(-1, 1, (30, 20)), StuckAt(off=0.1, on=0.05, w_max=1.0)
    generator = draws(1)
    same = Memristor(g_max=150.0, stuck_off=0.1, stuck_on=0.05, seed=int(generator.integers(2**53)))
    np.testing.assert_array_equal(devices.program(weights, draws(1)), same.program(weights, generator))
    assert not np.array_equal(devices.program(weights, draws(1)), devices.program(weights, draws(2)))


# ---- in a spiking network ---------------------------------------------------------------------------


def outcome(device, weight=0.5):
    net = ns.Network()
    spikes = ns.Spikes.from_times(np.arange(1.0, 40.0), np.arange(39) % 20, size=20, duration=50.0)
    source = net.add(ns.SpikeSource(spikes))
    cells = net.add(ns.LIF(), 30)
    projection = net.connect(source, cells, ns.AllToAll(), weight=weight, delay=1.0, device=device)
    net.record(cells, "v")
    sim = ns.Simulation(net, dt=0.5, seed=3, threads=1)
    sim.run(50.0)
    return sim.weights(projection), sim.trace(cells)[1]


def test_a_projection_wears_faults():
    plain, v = outcome(None)
    for off in (BitFlips(), StuckAt()):
        weights, same = outcome(off)
        np.testing.assert_array_equal(weights, plain)
        np.testing.assert_array_equal(same, v)
    weights, other = outcome(StuckAt(off=0.25))
    assert np.mean(weights == 0) == pytest.approx(0.25, abs=0.08) and not np.array_equal(other, v)
    weights, _ = outcome(BitFlips(rate=1e-3, format="Q7.8"))
    assert 0 < np.mean(weights != 0.5) < 0.05


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_with_infinite_weights_stops_or_records_them(threads):
    spikes = ns.Spikes.from_times(np.arange(1.0, 40.0), np.arange(39) % 20, size=20, duration=50.0)

    def made(device):
        net = ns.Network()
        source, cells = net.add(ns.SpikeSource(spikes)), net.add(ns.LIF(v_threshold=1e9), 30, name="cells")
        net.connect(source, cells, ns.AllToAll(), weight=1.5, delay=1.0, device=device, name="p")
        net.record(cells, "v")
        return ns.Simulation(net, dt=0.5, seed=3, threads=threads)

    sim, told = made(BitFlips(rate=3e-3)), made(BitFlips(rate=3e-3))
    infinite = ~np.isfinite(sim.weights("p"))
    assert infinite.any() and not infinite.all()
    with pytest.raises(ns.SimulationError, match="v of neuron .* became"):
        sim.run(50.0)
    with pytest.raises(ns.SimulationError, match="v of neuron .* became"):
        told.run_batch([spikes], 50.0)
    (sample,) = told.run_batch([spikes], 50.0, allow_infinite=True)
    told.run(50.0, allow_infinite=True)
    np.testing.assert_array_equal(sample.trace("cells")[1], told.trace("cells")[1])
    told.age("p", 1e6)
    np.testing.assert_array_equal(told.weights("p"), sim.weights("p"))
    v = told.trace("cells")[1]
    assert not np.isfinite(v[-1, infinite.reshape(20, 30).any(axis=0)]).any() and np.isfinite(v[0]).all()
    assert np.isfinite(made(BitFlips(rate=3e-3, infinite="zero")).weights("p")).all()


# ---- clipped activations ----------------------------------------------------------------------------


def test_clipped_activations_by_their_definitions():
    x = np.array([-np.inf, -1.0, 0.0, 1.0, 2.0, 2.5, 1e38, np.inf, np.nan])
    np.testing.assert_array_equal(clipped_relu(x, 2.0, "zero"), [0, 0, 0, 1, 2, 0, 0, 0, 0])
    np.testing.assert_array_equal(clipped_relu(x, 2.0, "saturate"), [0, 0, 0, 1, 2, 2, 2, 2, 0])
    smooth = clipped_relu(x, 2.0, "smooth")
    with np.errstate(over="ignore", invalid="ignore"):
        expected = np.maximum(0.0, x - x / (1 + np.exp(-20 * (x - 2.0))))  # as published
    np.testing.assert_allclose(smooth[1:6], expected[1:6], rtol=1e-9, atol=1e-12)
    assert (smooth[[0, 6, 7, 8]] == 0).all()
    np.testing.assert_array_equal(relu(x)[:8], np.maximum(x[:8], 0))
    assert np.isnan(relu(x)[8])  # without a bound faults are not hidden


def test_bounds_of_a_layer_or_of_each_neuron():
    x = np.tile([1.0, 3.0, 5.0], (2, 1))
    np.testing.assert_array_equal(ClippedReLU([2.0, 4.0, 4.0])(x), np.tile([1.0, 3.0, 0.0], (2, 1)))
    np.testing.assert_array_equal(ClippedReLU([2.0, 4.0, 4.0], kind="saturate")(x), np.tile([1.0, 3.0, 4.0], (2, 1)))


def perceptron(generator, sizes=(6, 12, 8, 3)):
    return [(generator.normal(size=(a, b)) / np.sqrt(a), generator.normal(size=b) / 5)
            for a, b in zip(sizes[:-1], sizes[1:], strict=True)]


def test_the_gradient_of_bounds_agrees_with_finite_differences():
    generator = draws(0)
    layers, x, labels = perceptron(generator), generator.normal(size=(40, 6)), generator.integers(0, 3, 40)
    bounds = [np.array(1.0), generator.uniform(0.3, 1.0, 8)]
    soft = proact._softmax(forward(layers, x))

    def loss(bounds):
        p = proact._softmax(forward(layers, x, bounds, "smooth"))
        return -np.log(p[np.arange(40), labels]).mean() - (soft * np.log(p)).sum(axis=1).mean()

    for k in (0, 1):
        found = np.ravel(proact._gradient(layers, bounds, k, x, labels, soft))
        for i in range(bounds[k].size):
            step = np.zeros(bounds[k].size)
            step[i] = 1e-6
            up, down = ([b if j != k else b + sign * step.reshape(b.shape) for j, b in enumerate(bounds)]
                        for sign in (1, -1))
            assert found[i] == pytest.approx((loss(up) - loss(down)) / 2e-6, abs=1e-7)


def test_profiled_bounds_change_nothing_on_their_own_data():
    generator = draws(1)
    layers, x = perceptron(generator), generator.normal(size=(200, 6))
    for choice, sizes in (("none", [1, 1]), ("last", [1, 8]), ("all", [12, 8])):
        bounds = profile(layers, x, choice)
        assert [b.size for b in bounds] == sizes
        for kind in ("zero", "saturate"):
            np.testing.assert_array_equal(forward(layers, x, bounds, kind), forward(layers, x))


@pytest.fixture(scope="module")
def digits():
    """A trained network for the digits of scikit-learn: layers, train, validation, test."""
    import warnings

    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    x, y = load_digits(return_X_y=True)
    rows = draws(0).permutation(len(y))
    x, y = x[rows] / 16.0, y[rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = MLPClassifier((48, 24), max_iter=50, random_state=0, alpha=1e-3).fit(x[:1000], y[:1000])
    layers = [(w.astype(np.float32), b.astype(np.float32)) for w, b in zip(net.coefs_, net.intercepts_, strict=True)]
    return layers, (x[:1000], y[:1000]), (x[1000:1200], y[1000:1200]), (x[1200:].astype(np.float32), y[1200:])


def accuracy(layers, data, bounds=None):
    scores = forward(layers, data[0], bounds)
    return float((np.where(np.isnan(scores), -np.inf, scores).argmax(axis=1) == data[1]).mean())


@pytest.mark.slow
def test_proact_lowers_bounds_and_keeps_the_accuracy(digits):
    layers, train, validation, test = digits
    start = profile(layers, train[0], "last")
    bounds = train_bounds(layers, *train, validation, seed=1)
    assert [b.size for b in bounds] == [1, 24]
    assert bounds[0] < 0.9 * start[0] and bounds[1].mean() < 0.95 * start[1].mean()
    assert accuracy(layers, validation, bounds) >= accuracy(layers, validation) - 0.01
    assert accuracy(layers, test, bounds) > accuracy(layers, test) - 0.03
    again = train_bounds(layers, *train, validation, seed=1)
    for a, b in zip(bounds, again, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_clipping_moves_the_knee_by_more_than_five_times_in_q15_16(digits):
    layers, train, validation, test = digits
    rates = np.logspace(-5.5, -3, 9)
    knees = {}
    for name, bounds in (("none", None), ("zero", profile(layers, train[0])),
                         ("proact", train_bounds(layers, *train, validation))):
        curve = []
        for rate in rates:
            fault = BitFlips(rate=rate, format="Q15.16")
            parts = {f"{part}{k}": layer[i] for k, layer in enumerate(layers) for i, part in enumerate("wb")}
            parts |= {f"bound{k}": b for k, b in enumerate(bounds or [])}
            found = [inject(parts, fault, seed=5, trial=trial) for trial in range(100)]
            curve.append(np.mean([accuracy(
                [(each[f"w{k}"].values, each[f"b{k}"].values) for k in range(3)], test,
                None if bounds is None else [each[f"bound{k}"].values for k in range(2)]) for each in found]))
        knees[name] = knee(rates, curve, accuracy(layers, test), 0.1)
    assert knees["zero"] > 5 * knees["none"] and knees["proact"] > 5 * knees["none"]


# ---- torch ------------------------------------------------------------------------------------------


def test_torch_tensors_take_the_same_faults_and_bounds():
    torch = pytest.importorskip("torch")
    x = draws(0).normal(size=(50, 4)).astype(np.float32)
    t = torch.tensor(x)
    for fault in (BitFlips(rate=0.01), BitFlips(rate=0.01, format="int8"), StuckAt(off=0.1, on=0.1)):
        found = torch.as_tensor(fault.program(t, draws(1)))
        assert found.dtype == torch.float32
        np.testing.assert_array_equal(found.numpy(), fault.program(x, draws(1)))
    for kind in ("zero", "saturate", "smooth"):
        for bound in (0.7, [0.2, 0.4, 0.8, 1.6]):
            layer = ClippedReLU(bound, kind=kind)
            np.testing.assert_allclose(layer(t).numpy(), layer(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(ClippedReLU()(t).numpy(), ClippedReLU()(x))


# ---- knee and bad input -----------------------------------------------------------------------------


def test_knee_of_a_known_curve():
    rates = np.logspace(-6, -1, 51)
    accuracies = 0.1 + 0.8 / (1 + (rates / 3e-4) ** 2)
    assert knee(rates, accuracies, clean=0.9, chance=0.1) == pytest.approx(3e-4, rel=0.01)
    assert knee(rates, np.full(51, 0.9), 0.9, 0.1) == np.inf
    assert knee(rates, np.full(51, 0.1), 0.9, 0.1) == pytest.approx(1e-6)


@pytest.mark.parametrize("make, text", [
    (lambda: BitFlips(rate=1.5), "BitFlips.rate must be a finite number >= 0 and <= 1, got 1.5"),
    (lambda: BitFlips(rate=-0.1), "BitFlips.rate must be"), (lambda: BitFlips(rate=np.nan), "BitFlips.rate must be"),
    (lambda: BitFlips(format="Q20.20"), r"BitFlips.format must be 'float32', 'int8' .* got 'Q20.20'"),
    (lambda: BitFlips(format="int1"), "BitFlips.format must be"),
    (lambda: BitFlips(format=8), "BitFlips.format must be"),
    (lambda: BitFlips(format="Q1.4").apply(np.array([3.0]), draws()), "weights must fit Q1.4, -2 to 1.9375, got 3"),
    (lambda: BitFlips(format="int8").apply(np.array([np.inf]), draws()), "weights must be finite, got inf"),
    (lambda: BitFlips(rate=0.1).apply(np.array([1e40]), draws()), "weights must be finite in float32, got 1e.40"),
    (lambda: StuckAt(off=0.6, on=0.5), r"StuckAt.on \+ off must be <= 1, .* got 1.1"),
    (lambda: StuckAt(off=-1), "StuckAt.off must be"), (lambda: StuckAt(on=2), "StuckAt.on must be"),
    (lambda: StuckAt(g_min=5.0, g_max=5.0), "StuckAt.g_min must be < g_max"),
    (lambda: StuckAt(g_max=100.0).apply(np.array([120.0]), draws()), "given conductances within 0 .. 100 uS, got 120"),
    (lambda: StuckAt().apply(np.array([np.nan]), draws()), "given conductances within 0 .. 150 uS, got nan"),
    (lambda: StuckAt(off=0.1, w_max=1.0).program(np.array([2.0]), draws()), r"w_max must be >= every \|weight\|"),
    (lambda: inject({"a": np.ones(3)}, {"b": BitFlips()}), "faults must be for layers among a, got 'b'"),
    (lambda: inject({"a": np.ones(3)}, BitFlips(), seed=-1), "inject.seed must be a whole number"),
    (lambda: ClippedReLU(0.0), "ClippedReLU.bound must be a finite number > 0"),
    (lambda: ClippedReLU(1.0, kind="hard"), "ClippedReLU.kind must be"),
    (lambda: knee([1e-3, 1e-4], [0.5, 0.4], 0.9, 0.1), "rates must be numbers > 0 in ascending order"),
    (lambda: knee([1e-4], [0.5], 0.1, 0.1), "chance must be < clean"),
    (lambda: profile([], np.ones((1, 1)), "some"), "neuron_wise must be"),
    (lambda: train_bounds([], np.ones((2, 1)), [0], None), "one label for each sample"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ParameterError, match=text):
        make()
