"""Learning one task after another: subspaces against eigenvectors, gradients by hand, and what is left of a task."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from learning_rules import HebbianSubspace, PrincipalSubspace  # noqa: E402
from neurosim import bridge  # noqa: E402
from neurosim.errors import ParameterError, UnsupportedError  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread_of_torch")


def samples(seed, n=400, spread=(4.0, 3.0, 2.0, 0.2, 0.2, 0.1, 0.1, 0.1)):
    """Return samples whose principal directions are known: the first axes, turned."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(len(spread), len(spread))))[0]
    return np.random.default_rng([seed, 1]).normal(size=(n, len(spread))) * spread @ turn.T, turn


def test_lateral_neurons_find_the_principal_subspace_and_then_what_is_left():
    x, _ = samples(1)
    values, vectors = np.linalg.eigh(x.T @ x)
    hebbian, exact = HebbianSubspace(8, rate=0.01, seed=1), PrincipalSubspace(8)
    for count, until in ((2, 2), (1, 3)):
        for subspace in (hebbian, exact):
            subspace.grow(count)
            for _ in range(200 if subspace is hebbian else 1):
                subspace.learn(x)
            subspace.freeze()
        top = vectors[:, ::-1][:, :until]
        for subspace, digits in ((hebbian, 1e-2), (exact, 1e-12)):
            rows = subspace.rows
            assert np.abs(rows @ rows.T - np.eye(until)).max() < digits
            assert np.linalg.svd(rows @ top)[1].min() > 1 - digits  # cosines of the angles between both subspaces
            assert subspace.captured(x) == pytest.approx(values[::-1][:until].sum() / values.sum(), abs=digits)


def test_frozen_rows_stay_and_new_ones_begin_orthogonal_to_them():
    x, _ = samples(1)
    lateral = HebbianSubspace(8, rate=0.01)
    lateral.grow(3)
    lateral.learn(x)
    assert np.array_equal(lateral.remove(x), x)  # rows that still learn protect nothing
    before = lateral.rows.copy()
    lateral.grow(2)
    assert np.abs(np.linalg.qr(before.T)[0].T @ lateral.rows[3:].T).max() < 1e-12
    lateral.learn(x)
    assert np.array_equal(lateral.rows[:3], before) and not np.array_equal(lateral.rows[3:], before[:2])


def network(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return bridge.Sequential(
        bridge.LIFLayer(6, 9, reset="subtract", dtype=torch.float64, generator=generator),
        bridge.LeakyIntegratorLayer(9, 2, dtype=torch.float64, generator=generator))


@pytest.mark.parametrize("block", [None, 4])
def test_the_gradient_is_that_of_inputs_outside_of_the_subspace(block):
    x = torch.rand(10, 5, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    plain, net = network(), network()
    net.block = block
    subspaces = [PrincipalSubspace(6), PrincipalSubspace(9)]
    protected = bridge.OrthogonalLayers(net, subspaces)
    for subspace in subspaces:
        subspace.grow(2)
    protected(x)
    protected.learn()
    with torch.no_grad():
        hidden = plain.layers[0](x)[0]
    for subspace, given in zip(subspaces, (x, hidden), strict=True):
        rates = given.mean(0).numpy()
        assert np.allclose(subspace.moments, rates.T @ rates, atol=1e-12)
        subspace.freeze()
    (plain(x)[0] ** 2).sum().backward()
    (protected(x)[0] ** 2).sum().backward()
    for one, other, subspace in zip(plain.layers, net.layers, subspaces, strict=True):
        assert np.allclose(subspace.remove(one.weight.grad.numpy().T).T, other.weight.grad, atol=1e-12)
        assert np.abs(subspace.rows @ other.weight.grad.numpy()).max() < 1e-12 < one.weight.grad.abs().max()


def accuracy_of_both_tasks(subspaces):
    """Return accuracies of two tasks, the second being learned after the first."""
    net, rng, tasks = network(3), np.random.default_rng(3), []
    protected = bridge.OrthogonalLayers(net, subspaces)
    sgd = torch.optim.SGD(protected.parameters(), lr=0.1)
    for code in ([1.0, 1.0, 2.0, 0.0, 0.0, 0.0], [0.0, 0.0, -2.0, 1.0, 1.0, 1.0]):  # the third input contradicts itself
        y = rng.integers(0, 2, 200)
        tasks.append((torch.from_numpy(np.outer(2 * y - 1, code) + 0.3 * rng.normal(size=(200, 6)) * (
            np.array(code) != 0)), torch.from_numpy(y)))
    for x, y in tasks:
        for subspace, count in zip(subspaces, (3, 3), strict=True):
            if subspace is not None:
                subspace.grow(count)
        for _ in range(60):
            v, _ = protected(x[None].expand(8, -1, -1))
            sgd.zero_grad()
            torch.nn.functional.cross_entropy(v.mean(0), y).backward()
            sgd.step()
            protected.learn()
    with torch.no_grad():
        return [float((protected(x[None].expand(8, -1, -1))[0].mean(0).argmax(1) == y).double().mean())
                for x, y in tasks]


def test_a_task_that_came_before_is_not_forgotten():
    forgotten = accuracy_of_both_tasks([None, None])
    kept = accuracy_of_both_tasks([HebbianSubspace(6, rate=0.02), HebbianSubspace(9, rate=0.02)])
    assert forgotten[1] > 0.9 and kept[1] > 0.9 and kept[0] > forgotten[0] + 0.2 and kept[0] > 0.9


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: HebbianSubspace(0), ParameterError, "HebbianSubspace.inputs must be a whole number >= 1, got 0"),
    (lambda: HebbianSubspace(3, momentum=1.0), ParameterError, "HebbianSubspace.momentum must be"),
    (lambda: PrincipalSubspace(3).grow(4), ParameterError, "count must be at most 3, the directions that 0 frozen"),
    (lambda: PrincipalSubspace(3).learn(np.ones((2, 4))), ParameterError, "x must be finite numbers of shape"),
    (lambda: bridge.OrthogonalLayers(network(), [None]), ParameterError, "subspaces must be 2, one a layer, got 1"),
    (lambda: bridge.OrthogonalLayers(network(), [PrincipalSubspace(5), None]), ParameterError,
     r"subspaces\[0\] must be of 6 inputs, as its layer is, got 5"),
    (lambda: bridge.OrthogonalLayers(bridge.Sequential(bridge.LIFLayer(3, 2, bias=True)), [PrincipalSubspace(3)]),
     UnsupportedError, r"layer 1 \(LIFLayer\) learns bias, which no subspace"),
    (lambda: bridge.OrthogonalLayers(bridge.LIFLayer(3, 2), [None]), ParameterError, "must be a Sequential of layers"),
])
def test_bad_input_gets_one_sentence(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_rows_that_run_away_are_told():
    lateral = HebbianSubspace(8, rate=5.0)
    lateral.grow(2)
    with pytest.raises(ParameterError, match="rate must be small beside 1 over the mean"):
        for _ in range(50):
            lateral.learn(samples(1)[0])
