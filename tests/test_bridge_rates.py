"""Leaky rate units: the equation by hand, gradients by differences, time constants that learn, and both curricula."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from neurosim import bridge  # noqa: E402
from neurosim.errors import ParameterError  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread_of_torch")


def layer(n_in=2, n_out=3, **options):
    return bridge.LeakyRates(n_in, n_out, generator=torch.Generator().manual_seed(1), dtype=torch.float64, **options)


def test_the_equation_tick_by_tick():
    net, x = layer(tau=[1.0, 2.0, 8.0], dt=0.5), torch.randn(6, 4, 2, dtype=torch.float64)
    w, recurrent, tau = (each.detach().numpy() for each in (net.weight, net.recurrent, net.tau))
    r, made = np.zeros((4, 3)), net(x).detach().numpy()
    for t in range(6):
        u = x[t].numpy() @ w + r @ recurrent
        r = (1 - 0.5 / tau) * r + 0.5 / tau * np.where(u > 0, u, 0.1 * u)
        assert np.allclose(made[t], r, atol=1e-14)
    halves = torch.cat([net(x[:2]), net(x[2:], net(x[:2])[-1])]).detach().numpy()
    assert np.allclose(halves, made, atol=1e-14)


def test_a_unit_alone_forgets_with_its_time_constant():
    net = layer(1, 2, tau=[1.0, 10.0], function=lambda u: u)
    with torch.no_grad():
        net.recurrent.zero_()
    x = torch.zeros(5, 1, 1, dtype=torch.float64)
    x[0] = 1.0
    made = net(x).detach().numpy()[:, 0]
    assert np.allclose(made[1:, 0], 0) and np.allclose(made[1:, 1] / made[:-1, 1], 0.9)


def test_gradients_are_those_of_differences():
    net, x = layer(tau=[1.5, 2.0, 8.0]), torch.randn(6, 4, 2, dtype=torch.float64)

    def loss(tau):
        return (torch.func.functional_call(net, {"tau": tau}, (x,)) ** 2).sum()

    assert torch.autograd.gradcheck(loss, net.tau.detach().clone().requires_grad_())


def test_time_constants_learn_where_they_may_and_never_fall_below_a_tick():
    x = torch.randn(6, 4, 2, dtype=torch.float64)
    for trainable in (True, False):
        net = layer(tau=1.01, trainable=trainable)
        sgd = torch.optim.SGD([each for each in net.parameters() if each.requires_grad], lr=1.0)
        for _ in range(3):
            sgd.zero_grad()
            (net(x) ** 2).sum().backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            sgd.step()
        net(x)
        assert net.tau.min() >= 1.0 and (net.tau != 1.01).any() == trainable


def test_what_must_be_held_makes_time_constants_grow():
    """One unit without a way back to itself, which is to hold the first input, finds a longer time constant."""
    net = layer(1, 1, tau=2.0, function=lambda u: u)
    net.recurrent = torch.nn.Parameter(torch.zeros(1, 1, dtype=torch.float64), requires_grad=False)
    adam = torch.optim.Adam([net.weight, net.bias, net.tau], lr=0.1)
    x = torch.zeros(10, 50, 1, dtype=torch.float64)
    x[0, :, 0] = torch.randn(50, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for _ in range(200):
        adam.zero_grad()
        ((net(x)[:, :, 0] - x[0, :, 0]) ** 2).mean().backward()
        adam.step()
    assert net.tau.item() > 8.0


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layer(tau=0.5), r"LeakyRates.tau must be a finite number >= dt, 1 ms, or 3 of them, got 0.5"),
    (lambda: layer(tau=[1.0, 2.0]), r"LeakyRates.tau must be a finite number >= dt, 1 ms, or 3 of them, got \[1"),
    (lambda: layer(n_out=0), "LeakyRates.n_out must be a whole number >= 1, got 0"),
    (lambda: layer(function=3), "LeakyRates.function must be a function of a tensor, got 3"),
    (lambda: layer()(torch.zeros(5, 4, 3)), r"LeakyRates must be a tensor of shape \(ticks, samples, 2\), got a"),
])
def test_bad_input_gets_one_sentence(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
