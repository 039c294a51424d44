"""Layers trained each for itself: gradients by hand, black boxes that count their calls, and what training brings."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from sklearn.base import clone  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

from hardware_models.memristor import CrossbarLayer, Memristor  # noqa: E402
from neurosim.bridge import CounterCurrent, ForwardForward  # noqa: E402
from neurosim.errors import ParameterError, UnsupportedError  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread_of_torch")


def rings(seed=1, n=400):
    """Return two classes that no line parts: a disc and a ring around it, in four dimensions with a constant."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    angle, radius = rng.uniform(0, 2 * np.pi, n), 0.5 + y + 0.15 * rng.normal(size=n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.ones(n)], 1), y


def boxes(inputs, width, count=2, noise=0.0, gain=2.0):
    """Return crossbars with random weights and the tanh of their currents."""
    made = []
    for k in range(count):
        weights = np.random.default_rng([5, k]).normal(0.0, gain, (inputs if k == 0 else width, width))
        layer = CrossbarLayer(weights, Memristor(programming_noise=noise, read_noise=noise).fitted(weights), seed=k)
        reads = np.random.default_rng([6, k])
        made.append(lambda x, layer=layer, reads=reads: np.tanh(layer.forward(x, generator=reads)))
    return made


@pytest.mark.parametrize(("kind", "extra"), [(CounterCurrent, 0), (ForwardForward, 2)])
def test_both_learn_through_noisy_crossbars_what_no_line_parts(kind, extra):
    X, y = rings()
    test, truth = rings(2)
    linear = LogisticRegression().fit(X, y).score(test, truth)
    learner = kind(boxes(3 + extra, 24, noise=0.05), hidden=24, batch_size=50, epochs=25, seed=1).fit(X, y)
    assert linear < 0.65 and learner.score(test, truth) > 0.9


def test_trained_layers_beat_frozen_ones():
    X, y = rings()
    test, truth = rings(2)
    frozen, trained = (CounterCurrent(boxes(3, 8), hidden=8, batch_size=50, epochs=25, trained=count, seed=2).fit(X, y)
                       for count in (1, None))
    assert trained.score(test, truth) > frozen.score(test, truth) + 0.03
    assert not np.array_equal(trained.weights_[0], frozen.weights_[0])
    first = CounterCurrent(boxes(3, 8), hidden=8, batch_size=50, epochs=1, trained=1, seed=2).fit(X, y)
    assert torch.equal(first.weights_[0], frozen.weights_[0])  # as they were drawn


def test_the_gradient_of_a_layer_is_that_of_its_own_loss():
    """The gradient of the first matrix by differences, of the cosines that the text of the class states."""
    X, y = rings(n=30)
    made = boxes(3, 5, count=2)
    learner = CounterCurrent(made, hidden=5, epochs=1, batch_size=30, learning_rate=1e-12, seed=3).fit(X, y)
    up, down = learner.weights_[0].double().numpy(), learner.down_[0].double().numpy()
    given = X.astype(np.float32) / np.linalg.norm(X.astype(np.float32), axis=1, keepdims=True)
    out = made[0](given)

    def loss(first):
        h, g = np.maximum(out @ first, 0), np.maximum(down, 0)
        h, g = h - h.mean(0), g - g.mean(0)
        cosines = (h / np.linalg.norm(h, axis=1, keepdims=True)) @ (g / np.linalg.norm(g, axis=1, keepdims=True)).T
        scores = cosines / 0.2
        return np.mean(np.log(np.exp(scores).sum(1)) - scores[np.arange(30), y])

    by_hand = np.zeros_like(up)
    for i in np.ndindex(*up.shape):
        step = np.zeros_like(up)
        step[i] = 1e-6
        by_hand[i] = (loss(up + step) - loss(up - step)) / 2e-6
    first = learner.weights_[0].requires_grad_()
    learner._loss(torch.from_numpy(X.astype(np.float32)), torch.from_numpy(y), range(2)).backward()
    assert np.allclose(first.grad, by_hand, atol=2e-3 * np.abs(by_hand).max())


def test_a_box_is_called_forward_only_with_inputs_of_length_one():
    calls = []

    def box(x):
        calls.append((type(x), x.shape, np.linalg.norm(x, axis=1)))
        return x @ np.eye(x.shape[1], 6)

    X, y = rings(n=40)
    CounterCurrent([box, box], hidden=5, batch_size=20, epochs=1).fit(X, y)
    assert [shape for _, shape, _ in calls] == [(1, 3), (1, 5)] + [(20, 3), (20, 5)] * 2
    assert all(kind is np.ndarray for kind, _, _ in calls)
    assert all(np.allclose(lengths, 1, atol=1e-4) for _, _, lengths in calls if len(lengths) > 1)


def test_estimators_are_cloned_and_repeat_themselves():
    X, y = rings(n=60)
    learner = ForwardForward(boxes(5, 8, count=1), hidden=6, epochs=2, batch_size=20, seed=4)
    again = clone(learner)
    names = np.array(["disc", "ring"])[y]
    one, other = learner.fit(X, names), again.fit(X, names)
    assert torch.equal(one.weights_[0], other.weights_[0]) and set(one.predict(X)) <= {"disc", "ring"}


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda X, y: CounterCurrent([], hidden=4).fit(X, y), ParameterError, "CounterCurrent.boxes must be a list of"),
    (lambda X, y: CounterCurrent([3], hidden=4).fit(X, y), ParameterError, "CounterCurrent.boxes must be a list of"),
    (lambda X, y: ForwardForward([lambda x: x[:, 0]]).fit(X, y), ParameterError,
     r"boxes\[0\] must return an array of shape \(1, outputs\) for one of shape \(1, 5\), got one of shape \(1,\)"),
    (lambda X, y: CounterCurrent([lambda x: x * np.inf]).fit(X, y), UnsupportedError, r"boxes\[0\] returned infinite"),
    (lambda X, y: CounterCurrent([np.tanh], trained=2).fit(X, y), ParameterError, "CounterCurrent.trained must be"),
    (lambda X, y: CounterCurrent([np.tanh], temperature=0).fit(X, y), ParameterError, "Current.temperature must"),
    (lambda X, y: CounterCurrent([np.tanh]).fit(X, np.zeros(len(X))), ParameterError, "two classes or more, got one"),
])
def test_bad_input_gets_one_sentence(make, error, message):
    with pytest.raises(error, match=message), np.errstate(invalid="ignore"):
        make(*rings(n=20))
