"""e-prop: its gradients against PyTorch, a backward pass, and the equations read literally; what it learns."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from learning_rules.eprop import Eprop
from learning_rules.eprop_descent import Adam, GradientDescent
from learning_rules.eprop_tasks import EvidenceAccumulation, pattern_generation
from neurosim.errors import ParameterError, SimulationError

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "eprop.json").read_text())["cases"]
WEIGHTS = ("w_in", "w_rec", "w_out")


def arrays(case, dtype="float64"):
    """Return weights, input, target and mask of a golden case."""
    weights = {name: np.array(value, dtype) for name, value in case["weights"].items()}
    return weights, np.array(case["x"]), np.array(case["target"]), np.array(case["mask"])


def close(found, expected, tolerance):
    assert found.loss == pytest.approx(expected["loss"], rel=tolerance)
    assert found.rate_loss == pytest.approx(expected["rate_loss"], rel=tolerance)
    for name in WEIGHTS:
        value = np.array(expected[name])
        assert np.abs(value).max() > 0.01
        np.testing.assert_allclose(getattr(found, name), value, atol=tolerance * np.abs(value).max())


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_automatic_differentiation(name, dtype, tolerance):
    golden = CASES[name]
    model = Eprop(4, len(golden["case"]["beta"]), 2, **golden["case"])
    found = model.gradients(*arrays(golden, dtype))
    assert found.counts.sum() == golden["found"]["spikes"] > 50
    close(found, golden["found"], tolerance)


def test_gradients_are_those_of_torch_as_it_is_installed():
    pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location("eprop_torch", GOLDEN / "eprop_torch.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for seed, case in enumerate(script.CASES.values()):
        case = script.COMMON | case
        problem = script.problem(case, 100 + seed, samples=5, ticks=70)
        found = Eprop(4, len(case["beta"]), 2, **case).gradients(*problem)
        close(found, script.gradients(case, *problem), 1e-12)


def forward(model, weights, x):
    """Return v, b, z and psi of every tick (samples, ticks, n), from the equations."""
    alpha, rho = np.exp(-model.dt / model.tau_mem), np.exp(-model.dt / model.tau_adapt)
    samples, ticks, _ = x.shape
    z, psi = np.zeros((2, samples, ticks, model.n))
    v, b, before, left = np.zeros((4, samples, model.n))
    for t in range(ticks):
        current = x[:, t] @ weights["w_in"] + before @ weights["w_rec"]
        v = alpha * v + model.gain * current - model.v_threshold * before
        b = rho * b + before
        above = (v - model.v_threshold - model.beta * b) / model.v_threshold
        free = left <= 0
        psi[:, t] = free * model.dampening / model.v_threshold * np.maximum(0, 1 - abs(above))
        before = z[:, t] = (above > 0) & free
        left = np.where(before > 0, model.t_ref / model.dt, left - 1)
    return z, psi


def low_pass(values, keep, gain=1.0):
    """Return y(t) = keep y(t - 1) + gain values(t) along axis 1."""
    out, y = np.empty_like(values), 0.0
    for t in range(values.shape[1]):
        y = out[:, t] = keep * y + gain * values[:, t]
    return out


def backward(model, weights, x, target, mask):
    """Return the gradients by going backward in time, through v, b and zbar but not from spike to spike."""
    alpha, rho, kappa = (np.exp(-model.dt / tau) for tau in (model.tau_mem, model.tau_adapt, model.tau_out))
    z, psi = forward(model, weights, x)
    zbar = low_pass(z, kappa)
    error = (zbar @ weights["w_out"] - target) * mask[:, None]
    samples, ticks, _ = x.shape
    over = z.mean((0, 1)) - model.rate_target * model.dt * 1e-3
    pre = np.concatenate([x, np.concatenate([np.zeros_like(z[:, :1]), z[:, :-1]], axis=1)], axis=2)
    to_zbar, to_v, to_b = np.zeros((3, samples, model.n))
    gradient = 0.0
    for t in reversed(range(ticks)):
        to_zbar = kappa * to_zbar + error[:, t] @ weights["w_out"].T / samples
        to_z = to_zbar + model.rate_weight * over / (samples * ticks) + to_b  # b(t + 1) holds z(t)
        to_v = alpha * to_v + to_z * psi[:, t]
        to_b = rho * to_b - model.beta * to_z * psi[:, t]
        gradient = gradient + model.gain * pre[:, t].T @ to_v
    recurrent = gradient[model.n_in:] * (1 - np.eye(model.n))
    return gradient[:model.n_in], recurrent, np.einsum("stj,stk->jk", zbar, error) / samples


def literal(model, weights, x, target, mask):
    """Return the gradient of the input and recurrent weights from the traces, tick by tick, as in the documentation."""
    alpha, rho, kappa = (np.exp(-model.dt / tau) for tau in (model.tau_mem, model.tau_adapt, model.tau_out))
    z, psi = forward(model, weights, x)
    error = (low_pass(z, kappa) @ weights["w_out"] - target) * mask[:, None]
    samples, ticks, _ = x.shape
    pre = np.concatenate([x, np.concatenate([np.zeros_like(z[:, :1]), z[:, :-1]], axis=1)], axis=2)
    low = low_pass(pre, alpha, model.gain)
    over = z.mean((0, 1)) - model.rate_target * model.dt * 1e-3
    slow, filtered = np.zeros((2, samples, pre.shape[2], model.n))
    gradient = np.zeros((pre.shape[2], model.n))
    for t in range(ticks):
        e = psi[:, t, None, :] * (low[:, t, :, None] - model.beta * slow)
        slow, filtered = rho * slow + e, kappa * filtered + e
        signal = error[:, t] @ weights["feedback"].T
        gradient += (signal[:, None, :] * filtered + model.rate_weight * over / ticks * e).mean(axis=0)
    return gradient


@pytest.mark.parametrize("name", ["lif", "alif"])
def test_gradients_are_those_of_a_backward_pass(name):
    golden = CASES[name]
    model = Eprop(4, len(golden["case"]["beta"]), 2, **golden["case"])
    problem = arrays(golden)
    found = model.gradients(*problem)
    for name, expected in zip(WEIGHTS, backward(model, *problem), strict=True):
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-9, atol=1e-12)


def test_skipping_ticks_without_pseudo_derivative_changes_nothing():
    golden = CASES["random"]
    model = Eprop(4, len(golden["case"]["beta"]), 2, **golden["case"])
    problem = arrays(golden)
    assert 0.1 < (forward(model, problem[0], problem[1])[1] == 0).mean() < 0.9
    found = model.gradients(*problem)
    expected = literal(model, *problem)
    np.testing.assert_allclose(found.w_in, expected[:4], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.w_rec, expected[4:] * (1 - np.eye(model.n)), rtol=1e-9, atol=1e-12)


def test_readout_gradient_is_that_of_finite_differences():
    golden = CASES["classes"]
    model = Eprop(4, len(golden["case"]["beta"]), 2, **golden["case"])
    weights, *rest = arrays(golden)
    found = model.gradients(weights, *rest)
    for index in np.ndindex(weights["w_out"].shape):
        losses = []
        for step in (1e-6, -1e-6):
            moved = {**weights, "w_out": weights["w_out"].copy()}
            moved["w_out"][index] += step
            losses.append(model.gradients(moved, *rest).loss)
        assert found.w_out[index] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-6)


def test_threads_and_order_change_no_bit():
    model = Eprop(5, 30, 2, feedback="random", beta=np.linspace(0.0, 0.1, 30), v_threshold=0.5, rate_weight=1.0)
    weights = model.initial(3)
    x = np.random.default_rng(1).random((11, 60, 5)) < 0.2
    target = np.ones((11, 60, 2))
    one, many = (model.gradients(weights, x, target, threads=threads) for threads in (1, 3))
    alone = model.run(weights, x[7:8])
    for name in (*WEIGHTS, "outputs", "counts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name))
    np.testing.assert_array_equal(alone.outputs[0], one.outputs[7])
    assert one.loss == many.loss and one.counts.sum() > 100


@pytest.mark.slow
def test_adaptive_feedback_aligns_with_the_readout():
    model = Eprop(20, 60, 2, tau_mem=30.0, tau_out=30.0, v_threshold=0.03, gain=0.033, feedback="adaptive",
                  feedback_decay=0.5, rate_weight=1e6)
    weights = model.initial(0, "float64")
    x, target = pattern_generation(0, n_in=20, n_out=2, duration=300.0)

    def cosine():
        a, b = weights["w_out"].ravel(), weights["feedback"].ravel()
        return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    before, rule = cosine(), GradientDescent(1e-5)
    gap = weights["feedback"] - weights["w_out"]
    for _ in range(20):
        rule.step(weights, model.gradients(weights, x, target))
    np.testing.assert_allclose(weights["feedback"] - weights["w_out"], gap * (1 - 0.5e-5) ** 20, rtol=1e-9)
    rule = Adam(5e-3)
    for _ in range(60):
        rule.step(weights, model.gradients(weights, x, target))
    assert abs(before) < 0.3 and cosine() > before + 0.3


def generated(feedback, seed, iterations):
    """Return the normalised mean squared error after so many iterations of pattern generation."""
    x, target = pattern_generation(seed, n_in=20, n_out=3)
    model = Eprop(20, 100, 3, tau_mem=30.0, tau_out=30.0, v_threshold=0.03, gain=1 - np.exp(-1 / 30), feedback=feedback,
                  rate_weight=3e5)
    weights, rule = model.initial(seed), Adam(2e-3)
    for _ in range(iterations):
        rule.step(weights, model.gradients(weights, x, target))
    return ((model.run(weights, x).outputs - target) ** 2).mean() / target.var()


def test_a_pattern_is_learned():
    assert generated("symmetric", 0, 60) < 0.5


@pytest.mark.slow
def test_pattern_generation():
    random, symmetric = (np.median([generated(kind, seed, 600) for seed in range(5)]) for kind in
                         ("random", "symmetric"))
    assert symmetric < random < 0.2


def test_evidence_is_drawn_as_described():
    task = EvidenceAccumulation(cues=5, pause=200.0)
    x, labels = task.draw(np.random.default_rng(0), 400)
    assert x.shape == (400, 1100, 40) and set(labels) == {0, 1} and abs(labels.mean() - 0.5) < 0.1
    cues = x[:, :750, :20].reshape(400, 5, 150, 2, 10)
    assert not cues[:, :, 100:].any() and not x[:, :950, 20:30].any()
    seen = cues.sum((2, 4)).argmax(axis=2)  # the side of each cue, as far as spikes tell
    assert ((seen.sum(axis=1) > 2) == labels).mean() > 0.99
    assert x[:, :, 30:].mean() == pytest.approx(0.01, rel=0.05)
    assert x[:, 950:, 20:30].mean() == pytest.approx(0.04, rel=0.05)
    outputs = np.zeros((2, 1100, 2))
    outputs[1, 950:, 1] = outputs[0, :950, 1] = outputs[0, 950:, 0] = 1.0
    assert task.decide(outputs).tolist() == [0, 1]


def test_a_short_accumulation_is_learned():
    task = EvidenceAccumulation(cues=1, pause=0.0)
    model = Eprop(40, 40, 2, v_threshold=0.6, t_ref=5.0, feedback="random", loss="softmax", tau_adapt=500.0,
                  beta=np.repeat([0.0, 0.05], 20))
    weights, rule, generator = model.initial(0), Adam(1e-2), np.random.default_rng(0)
    for _ in range(40):
        x, labels = task.draw(generator, 16)
        rule.step(weights, model.gradients(weights, x, labels, task.mask))
    x, labels = task.draw(generator, 100)
    assert (task.decide(model.run(weights, x).outputs) == labels).mean() > 0.9


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Eprop(2, 3, 1, beta=[0.1, 0.2]), "Eprop.beta must have one value per neuron, 3, got 2"),
    (lambda: Eprop(2, 3, 1, tau_mem=-1.0), "Eprop.tau_mem must be a finite number > 0 ms, got -1.0"),
    (lambda: Eprop(2, 3, 1, feedback="none"), "Eprop.feedback must be 'symmetric' or 'random' or 'adaptive'"),
    (lambda: Eprop(0, 3, 1), "Eprop.n_in must be a whole number >= 1"),
    (lambda: Eprop(2, 3, 1, t_ref=1.5), "Eprop.t_ref must be a multiple of dt"),
    (lambda: EvidenceAccumulation(pause=0.5), "EvidenceAccumulation.pause must be a multiple of dt"),
    (lambda: EvidenceAccumulation(p=1.5), "EvidenceAccumulation.p must be a finite number >= 0 and <= 1, got 1.5"),
    (lambda: EvidenceAccumulation(4), "EvidenceAccumulation.cues must be an odd whole number, got 4"),
    (lambda: pattern_generation(duration=0.3), "duration must be a multiple of dt"),
])
def test_bad_parameters(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


@pytest.mark.parametrize(("change", "message"), [
    ({"x": np.ones((2, 9, 3))}, r"Eprop: x must be finite numbers of shape \(samples, ticks, 2\)"),
    ({"x": np.full((2, 9, 2), np.nan)}, "Eprop: x must be finite"),
    ({"target": np.ones((2, 9))}, r"Eprop: target must be finite numbers of shape \(2, 9, 1\)"),
    ({"target": None}, "target must be given"),
    ({"mask": np.ones(8)}, r"Eprop: mask must be finite numbers of shape \(9\)"),
    ({"weights": {"w_in": 1}}, "Eprop: weights must be a dict of w_in, w_rec, w_out"),
])
def test_bad_input(change, message):
    model = Eprop(2, 3, 1)
    given = {"weights": model.initial(), "x": np.ones((2, 9, 2)), "target": np.ones((2, 9, 1)), "mask": None} | change
    with pytest.raises(ParameterError, match=message):
        model.gradients(**given)


def test_self_connections_labels_and_explosions_are_refused():
    model = Eprop(2, 3, 2, loss="softmax")
    weights = model.initial()
    for labels in ([0, 2], [0.5, 1.0], [0]):
        with pytest.raises(ParameterError, match="target must be 2 labels in 0 .. 1"):
            model.gradients(weights, np.ones((2, 9, 2)), labels)
    weights["w_rec"][1, 1] = 1.0
    with pytest.raises(ParameterError, match="w_rec must be 0 on its diagonal"):
        model.run(weights, np.ones((2, 9, 2)))
    large = Eprop(2, 3, 1).initial()
    large["w_out"] *= np.float32(1e38)
    large["w_in"] = np.abs(large["w_in"]) * np.float32(10.0)
    with pytest.raises(SimulationError, match="loss or a gradient became infinite"):
        Eprop(2, 3, 1).gradients(large, np.ones((2, 9, 2)), np.ones((2, 9, 1)))
