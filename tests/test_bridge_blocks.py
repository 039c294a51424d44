"""Blocks of the bridge beside cases that are worked out by hand, by enumeration, or by their other form."""

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from neurosim import bridge  # noqa: E402
from neurosim.errors import ParameterError, SimulationError  # noqa: E402

DOUBLE = torch.float64


def numbers(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


# ---------------------------------------------------------------------------------------------------------------------
# Stochastic units
# ---------------------------------------------------------------------------------------------------------------------

A = torch.tensor([0.3, -0.8, 1.1], dtype=DOUBLE)
W = torch.tensor([1.0, -2.0, 0.5], dtype=DOUBLE)
ALL = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)), dtype=DOUBLE)


def curved(h):
    return (h @ W + 3.0 * h[:, 0] * h[:, 1] - h[:, 1] * h[:, 2] + 0.5) ** 2


def expected_gradient(estimator, loss):
    """Return the estimator's mean gradient: the sum over all draws of three bits, by their probabilities."""
    p = torch.sigmoid(A)
    threshold = p.sqrt() if estimator == "stochastic_times_smooth" else p
    chances = torch.where(ALL > 0, threshold, 1.0 - threshold).prod(1)
    a = A.expand(8, 3).clone().requires_grad_()
    units = bridge.StochasticBinary(estimator)
    h = units(a, uniform=torch.where(ALL > 0, 0.0, 1.0).to(DOUBLE))
    losses = loss(h)
    if estimator == "reinforce":
        (gradient,) = torch.autograd.grad(units.penalty(losses) * 8, a)
    else:
        (gradient,) = torch.autograd.grad(losses.sum(), a)
    return (chances[:, None] * gradient).sum(0)


def true_gradient(loss):
    a = A.clone().requires_grad_()
    p = torch.sigmoid(a)
    return torch.autograd.grad((torch.where(ALL > 0, p, 1.0 - p).prod(1) * loss(ALL)).sum(), a)[0]


def test_reinforce_is_unbiased():
    assert torch.allclose(expected_gradient("reinforce", curved), true_gradient(curved), rtol=1e-12)


def test_straight_through_is_unbiased_for_linear_losses_alone():
    assert torch.allclose(expected_gradient("straight_through", lambda h: h @ W), true_gradient(lambda h: h @ W))
    assert not torch.allclose(expected_gradient("straight_through", curved), true_gradient(curved), rtol=0.05)


def test_stochastic_times_smooth_gives_half_of_the_gradient_of_a_linear_loss():
    found = expected_gradient("stochastic_times_smooth", lambda h: h @ W)
    assert torch.allclose(found, 0.5 * true_gradient(lambda h: h @ W), rtol=1e-12)


def test_the_noisy_rectifier_is_unbiased():
    uniform = (torch.arange(200_000, dtype=DOUBLE) + 0.5) / 200_000  # all draws, evenly
    a = torch.full((200_000,), 0.4, dtype=DOUBLE, requires_grad=True)
    (bridge.StochasticBinary("noisy_rectifier")(a, uniform) ** 2).mean().backward()
    density, below = math.exp(-0.08) / math.sqrt(2 * math.pi), 0.5 * (1 + math.erf(0.4 / math.sqrt(2)))
    assert a.grad.sum().item() == pytest.approx(2 * (0.4 * below + density), rel=1e-4)  # d/da E[max(0, a + z)^2]


@pytest.mark.parametrize("estimator", ["reinforce", "straight_through", "stochastic_times_smooth"])
def test_the_mean_is_the_probability(estimator):
    units = bridge.StochasticBinary(estimator, generator=torch.Generator().manual_seed(3))
    found = units(A.expand(40_000, 3)).mean(0)
    assert torch.allclose(found, torch.sigmoid(A), atol=4 * 0.5 / 200)


def test_the_running_mean_lowers_the_variance_of_reinforce():
    def spread(follow):
        units = bridge.StochasticBinary("reinforce", follow=follow, generator=torch.Generator().manual_seed(4))
        found = []
        for _ in range(300):
            a = A.expand(16, 3).clone().requires_grad_()
            found.append(torch.autograd.grad(units.penalty(10.0 + curved(units(a))), a)[0].sum(0))
            if not follow:
                units = bridge.StochasticBinary("reinforce", generator=units.generator)
        return torch.stack(found[50:]).var(0).sum().item()

    assert spread(0.1) < 0.5 * spread(0.0)


# ---------------------------------------------------------------------------------------------------------------------
# Memories
# ---------------------------------------------------------------------------------------------------------------------

def test_elm_beside_its_equations():
    elm = bridge.ELM(4, 2, memories=3, branches=2, tau_memory=(2.0, 50.0), dtype=DOUBLE,
                     generator=torch.Generator().manual_seed(1))
    x = (numbers(9, 1, 4) > 0).double()
    b, m, k = np.zeros(2), np.zeros(3), np.exp(-1 / np.array([2.0, 10.0, 50.0]))
    first, second = (np.asarray(layer.weight.detach()) for layer in (elm.network[0], elm.network[2]))
    c1, c2 = (np.asarray(layer.bias.detach()) for layer in (elm.network[0], elm.network[2]))
    for now in x[:, 0].numpy():
        b = np.exp(-1 / 5) * b + 0.5 * np.array([now[0] + now[2], now[1] + now[3]])
        hidden = np.maximum(first @ np.concatenate([b, k * m]) + c1, 0.0)
        m = k * m + (1 - k ** 5.0) * 1.7159 * np.tanh(2 / 3 * (second @ hidden + c2))
    out, (branch, memory) = elm(x)
    assert np.allclose(branch[0].detach(), b) and np.allclose(memory[0].detach(), m)
    assert torch.allclose(out[-1], elm.readout(memory))
    half, state = elm(x[:4])
    assert torch.allclose(torch.cat([half, elm(x[4:], state)[0]]), out)


def test_the_memories_of_elm_leak_with_their_time_constants():
    elm = bridge.ELM(1, 1, memories=4, branches=1, dtype=DOUBLE)
    with torch.no_grad():
        for part in (elm.network[2].weight, elm.network[2].bias):
            part.zero_()
    _, (_, after) = elm(torch.zeros(7, 1, 1, dtype=DOUBLE), (torch.zeros(1, 1).double(), torch.ones(1, 4).double()))
    taus = torch.logspace(0, math.log10(500.0), 4, dtype=DOUBLE)
    assert torch.allclose(after[0], torch.exp(-7 / taus), rtol=1e-12)


def test_both_forms_of_the_legendre_memory():
    memory, u = bridge.LegendreMemory(6, 20.0, dtype=DOUBLE), numbers(57, 2, 3)
    (one, after), (other, too) = memory(u), memory(u, form="recurrent")
    assert torch.allclose(one, other, rtol=1e-9, atol=1e-10) and torch.allclose(after, too, atol=1e-10)
    first, state = memory(u[:20])
    assert torch.allclose(torch.cat([first, memory(u[20:], state)[0]]), one, atol=1e-10)


def test_the_legendre_memory_knows_its_window():
    memory, t = bridge.LegendreMemory(12, 50.0, dt=0.1, dtype=DOUBLE), np.arange(0, 200, 0.1)
    u = np.sin(2 * np.pi * t / 60.0)
    m = memory(torch.from_numpy(u)[:, None, None])[0][:, 0].numpy()
    for back in (0, 130, 480):  # ticks, of 500
        found = np.polynomial.legendre.legval(2 * back * 0.1 / 50.0 - 1, m[1000:].T)
        assert np.allclose(found, u[1000 - back:len(u) - back], atol=0.02)


def test_the_spiking_legendre_layer_sends_the_same_spikes_in_both_forms():
    torch.manual_seed(1)
    layer = bridge.SpikingLegendreLayer(5, 8, channels=2, order=4, theta=20.0, tau_mem=2.0, dtype=DOUBLE)
    with torch.no_grad():
        layer.encoder.weight.mul_(4.0)
        layer.reader.weight.mul_(4.0)
    x = (numbers(80, 3, 5) > 0.5).double()
    (one, _), (other, _) = layer(x), layer(x, form="recurrent")
    assert torch.equal(one, other) and 0.02 < one.mean() < 0.8
    first, state = layer(x[:30])
    assert torch.equal(torch.cat([first, layer(x[30:], state)[0]]), one)


def test_wkv_by_hand_and_in_both_forms():
    k, v, w, u = numbers(20, 2, 3), numbers(20, 2, 3, seed=2), numbers(3, seed=3).exp(), numbers(3, seed=4)
    (one, after), (other, too) = bridge.wkv(k, v, w, u), bridge.wkv(k, v, w, u, form="parallel")
    assert torch.allclose(one, other, rtol=1e-10)
    for t in (0, 1, 7):
        weights = [torch.exp(-(t - 1 - i) * w + k[i]) for i in range(t)] + [torch.exp(u + k[t])]
        assert torch.allclose(one[t], sum(a * b for a, b in zip(weights, v[:t + 1], strict=True)) / sum(weights))
    for form in ("parallel", "recurrent"):
        first, state = bridge.wkv(k[:8], v[:8], w, u, form=form)
        assert torch.allclose(torch.cat([first, bridge.wkv(k[8:], v[8:], w, u, state, form)[0]]), one, rtol=1e-10)
    assert torch.allclose(after[0] / after[1], too[0] / too[1], rtol=1e-10)
    assert torch.isfinite(bridge.wkv(1e3 * k, v, w, u)[0]).all()


def test_the_spiking_rwkv_block():
    torch.manual_seed(2)
    block, x = bridge.SpikingRWKV(6, dtype=DOUBLE), numbers(25, 2, 6)
    with torch.no_grad():
        for part in block.linear.values():
            part.weight.mul_(4.0)
    (one, _), (other, _) = block(x), block(x, form="parallel")
    spikes = one - x
    assert torch.allclose(one, other) and torch.allclose(spikes, spikes.round(), atol=1e-12) and spikes.any()
    changed = x.clone()
    changed[15:] += 1.0
    assert torch.equal(block(changed)[0][:15], one[:15])  # the future is not known
    first, state = block(x[:9])
    assert torch.allclose(torch.cat([first, block(x[9:], state)[0]]), one)
    one.sum().backward()
    assert all(part.weight.grad.any() for part in block.linear.values())


# ---------------------------------------------------------------------------------------------------------------------
# Probe, dendrites, layers
# ---------------------------------------------------------------------------------------------------------------------

def ones(cls, n=1, **options):
    layer = cls(1, n, dtype=DOUBLE, **options)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    return layer


def test_the_probe_finds_the_gain_of_a_leak():
    frequencies = np.array([1.0, 7.0, 40.0, 220.0])
    layer = ones(bridge.LeakyIntegratorLayer, tau_mem=10.0)
    found = bridge.frequency_response(layer, frequencies, mean=0.2, amplitude=0.5, dtype=DOUBLE, settle=12)
    expected = 1 / np.abs(1 - np.exp(-0.1) * np.exp(-2j * np.pi * frequencies / 1e3))
    assert np.allclose(found, expected, rtol=1e-3)


def test_membranes_without_leak_pass_less_of_what_is_fast():
    def kept(layer):
        slow, fast = bridge.frequency_response(layer, [5.0, 50.0], mean=0.0, amplitude=0.1, dtype=DOUBLE, settle=12)
        return fast / slow

    leaky, none = ones(bridge.LIFLayer, tau_mem=5.0), ones(bridge.IFLayer)
    for layer in (leaky, none):
        layer.v_threshold.fill_(1e9)
    membrane = [lambda x, layer=layer: torch.stack(_membranes(layer, x)) for layer in (leaky, none)]
    assert kept(membrane[1]) == pytest.approx(0.1, abs=0.02) and kept(membrane[0]) > 4 * kept(membrane[1])
    spiking = bridge.frequency_response(ones(bridge.IFLayer, reset="subtract"), [5.0], mean=0.3, amplitude=0.1,
                                        dtype=DOUBLE, samples=400)
    assert spiking == pytest.approx(1.0, abs=0.05)  # its rate follows slow inputs


def _membranes(layer, x):
    state, found = layer.initial(x.shape[1]), []
    for t in range(len(x)):
        _, state = layer(x[t:t + 1], state)
        found.append(state.v)
    return found


def test_dendrites_find_what_the_module_cannot():
    torch.manual_seed(3)
    x = torch.randn(400, 2, dtype=DOUBLE)
    goal = torch.tanh(2.0 * (x[:, :1] - x[:, 1:])) + 0.3 * x[:, :1]
    net = bridge.Perforated(torch.nn.Linear(2, 1, dtype=DOUBLE), 2, 1)

    def train():
        adam = torch.optim.Adam(net.parameters(), lr=0.05)
        for _ in range(150):
            adam.zero_grad()
            loss = ((net(x) - goal) ** 2).mean()
            loss.backward()
            adam.step()
        return loss.item()

    before = train()
    y = net(x).detach()
    assert net.grow(x, y - goal, steps=0) < net.grow(x, y - goal, steps=200)
    assert torch.equal(net(x), y) and net.nodes == 2  # they begin without effect
    assert train() < 0.2 * before
    given = x.clone().requires_grad_()
    (through,) = torch.autograd.grad(net(given).sum(), given)
    assert torch.allclose(through, net.module.weight.detach().expand_as(x))  # none goes through the nodes


def test_a_neuron_without_leak_counts():
    layer = ones(bridge.IFLayer, reset="subtract")
    out, state = layer(torch.full((10, 1, 1), 0.35, dtype=DOUBLE))
    assert out.sum() == 3 and state.v.item() == pytest.approx(0.5)


def test_the_core_sends_the_spikes_of_neurons_without_leak():
    torch.manual_seed(5)
    net = bridge.Sequential(bridge.IFLayer(8, 12, bias=True, recurrent=True, v_initial=0.4, dtype=DOUBLE),
                            bridge.IFLayer(12, 10, reset="subtract", reset_by=1.1, t_ref=2.0, dtype=DOUBLE))
    with torch.no_grad():
        for layer in net.layers:
            layer.weight.mul_(2.5)
    x = (torch.rand(60, 3, 8) < 0.3).double()
    made, given = bridge.to_network(net).run(x.numpy()), x
    for layer, found in zip(net.layers, made, strict=True):
        given = layer(given)[0].detach()
        assert 0.02 < given.mean() < 0.8 and np.array_equal(found, given.numpy())


@pytest.mark.parametrize("late", [False, True])
def test_a_gradient_that_is_not_finite_is_named(late):
    net = bridge.Sequential(bridge.LIFLayer(3, 4), bridge.LeakyIntegratorLayer(4, 2))
    out, _ = net(torch.ones(9, 2, 3))
    factor = torch.ones_like(out)
    factor[5, 1, 0] = math.nan
    with pytest.raises(SimulationError, match=r"layer 2 \(LeakyIntegratorLayer\) must be finite, got .* at tick 5 of "
                                              "sample 1, from its output"):
        (out * factor if late else factor * out).sum().backward()


@pytest.mark.parametrize(("make", "message"), [
    (lambda: bridge.StochasticBinary("st"), "StochasticBinary.estimator must be 'reinforce' or"),
    (lambda: bridge.StochasticBinary().penalty(torch.zeros(2)), "penalty must come after a call of StochasticBinary"),
    (lambda: bridge.ELM(3, 1)(torch.zeros(2, 4)), r"must be a tensor of shape \(ticks, samples, 3\), got a tensor of "),
    (lambda: bridge.LegendreMemory(2, 9.0)(torch.zeros(1, 1, 1), form="fast"), "form must be 'fft' or 'recurrent'"),
    (lambda: bridge.frequency_response(lambda x: x, [600.0], mean=0.0, amplitude=1.0), "below 500 Hz, half of one"),
    (lambda: bridge.Perforated(torch.nn.Linear(2, 1), 2, 1).grow(torch.zeros(3, 2), torch.zeros(3, 2)),
     "x and error must be of shapes"),
])
def test_bad_input_gets_one_sentence(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
