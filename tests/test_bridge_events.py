"""Exact gradients in PyTorch, against automatic differentiation through the closed form of single spikes."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the bridge needs PyTorch: the extra torch")

import neurosim as ns  # noqa: E402
from neurosim import bridge  # noqa: E402
from neurosim.errors import NeurosimWarning, ParameterError  # noqa: E402

TAU = 8.0  #: of synapses; membranes have twice that, for which the first crossing has a closed form
NEVER_AGAIN = 1000.0  #: ms, so that each neuron spikes once


def layers(weights):
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=len(weights[0]), duration=1.0)), len(weights[0]),
                     name="inputs")
    for k, w in enumerate(weights):
        cells = net.add(ns.LIF(tau_mem=2.0 * TAU, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0, t_ref=NEVER_AGAIN),
                        w.shape[1], name=f"layer {k}")
        net.connect(source, cells, ns.AllToAll(), weight=w.numpy(), delay=np.full(w.shape, 0.5), name=f"to {k}",
                    receptor=ns.ExponentialCurrent(TAU))
        source = cells
    return net


def closed_form(times, weights, delays):
    """First spikes of a layer: with x = exp(-t / 2 tau), v = sum of w (exp(-(t - t_k) / 2 tau) - exp(-(t - t_k) /
    tau)) is
    a square polynomial in x, whose larger zero is the crossing; which arrivals come before it is tried in order."""
    first = []
    for n in range(weights.shape[1]):
        arrivals = times[:, None][:, 0] + delays[:, n]
        order = torch.argsort(arrivals.detach())
        found = torch.tensor(np.inf, dtype=torch.float64)
        for count in range(1, len(order) + 1):
            which = order[:count]
            a = (weights[which, n] * torch.exp(arrivals[which] / (2.0 * TAU))).sum()
            b = (weights[which, n] * torch.exp(arrivals[which] / TAU)).sum()
            inside = a * a - 4.0 * b
            if not (b > 0.0 and inside > 0.0):
                continue
            x = (a + torch.sqrt(inside)) / (2.0 * b)
            t = -2.0 * TAU * torch.log(x)
            after = arrivals[order[count]] if count < len(order) else torch.tensor(np.inf)
            if arrivals[which[-1]] <= t <= after:
                found = t
                break
        first.append(found)
    return torch.stack(first)


def test_gradients_are_those_of_the_closed_form_of_two_layers():
    generator = torch.Generator().manual_seed(1)
    compared = 0
    for _ in range(10):
        weights = [1.0 + 3.0 * torch.rand(4, 6, dtype=torch.float64, generator=generator),
                   0.5 + 2.0 * torch.rand(6, 3, dtype=torch.float64, generator=generator)]
        times = 10.0 * torch.rand(1, 4, dtype=torch.float64, generator=generator)
        model = bridge.EventNetwork(layers(weights), train={"to 0": ["weight", "delay"], "to 1": ["weight", "delay"]})
        mine = times.clone().requires_grad_()
        made = model(mine, 60.0, first=["layer 0", "layer 1"]).first
        theirs = [w.clone().requires_grad_() for w in weights]
        delays = [torch.full_like(w, 0.5).requires_grad_() for w in weights]
        t = times[0].clone().requires_grad_()
        hidden = closed_form(t, theirs[0], delays[0])
        last = closed_form(hidden, theirs[1], delays[1])
        if not torch.isfinite(last).all() or not torch.isfinite(hidden).all():
            continue
        compared += 1
        torch.testing.assert_close(made["layer 1"][0], last, rtol=0.0, atol=1e-10)
        factors = torch.rand(3, dtype=torch.float64, generator=generator)
        (made["layer 1"][0] * factors).sum().backward()
        (last * factors).sum().backward()
        for k in (0, 1):
            for name, truth in (("weight", theirs[k]), ("delay", delays[k])):
                torch.testing.assert_close(model.value(f"to {k}", name).grad.reshape(truth.shape), truth.grad,
                                           rtol=1e-10,
                                           atol=1e-10)
        torch.testing.assert_close(mine.grad[0], t.grad, rtol=1e-10, atol=1e-10)
    assert compared >= 5


def test_a_time_constant_learns_as_its_logarithm():
    weights = [2.0 + torch.rand(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))]
    times = torch.tensor([[1.0, 2.0, 3.0, 4.0]], dtype=torch.float64)

    def total(model):
        return model(times, 60.0, first=["layer 0"]).first["layer 0"].sum()

    model = bridge.EventNetwork(layers(weights), train={"layer 0": ["tau_mem", "v_threshold"]})
    total(model).backward()
    for name in ("tau_mem", "v_threshold"):
        value, losses = model.value("layer 0", name), []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                value += step
                losses.append(float(total(model)))
                value -= step
        assert float(value.grad) == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-6)


def test_silent_neurons_are_said_and_brought_back():
    weights = [torch.full((4, 6), 0.05, dtype=torch.float64)]
    model = bridge.EventNetwork(layers(weights), train={"to 0": "weight"})
    times = torch.tensor([[1.0, 2.0, 3.0, 4.0]], dtype=torch.float64)
    adam = torch.optim.Adam(model.parameters(), lr=0.05)
    with pytest.warns(NeurosimWarning, match="no neuron of 'layer 0' spikes"):
        outcome = model(times, 60.0, first=["layer 0"])
    assert (outcome.first["layer 0"] == 60.0).all()
    outcome.first["layer 0"].sum().backward()
    assert (model.value("to 0", "weight").grad == 0.0).all()
    for _ in range(60):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NeurosimWarning)
            outcome = model(times, 60.0, first=["layer 0"])
        adam.zero_grad()
        model.activity(outcome, "layer 0", at_least=1.0).backward()
        adam.step()
        if (outcome.run.counts("layer 0") > 0).all():
            break
    assert (outcome.run.counts("layer 0") > 0).all()


def test_a_silent_layer_is_said_whatever_the_loss_reads():
    net = layers([torch.full((4, 6), 0.05, dtype=torch.float64)])
    out = net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0, r=1.0), 2, name="out")
    net.connect(net["layer 0"], out, ns.AllToAll(), weight=1.0, delay=1.0, name="to out")
    model = bridge.EventNetwork(net, train={"to 0": "weight"})
    with pytest.warns(NeurosimWarning, match="no neuron of 'layer 0' spikes") as seen:
        outcome = model(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 60.0, largest=["out"])
    assert len(seen) == 1 and outcome.run.silent() == ["layer 0"]
    model.learned["0"].data.fill_(5.0)
    assert model(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 60.0, largest=["out"]).run.silent() == []


@pytest.mark.parametrize("seed", [0, 1])
def test_a_hidden_layer_learns_what_is_not_linear_in_times(seed):
    rng = np.random.default_rng(seed)
    net = ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=3, duration=1.0)), 3, name="inputs")
    hidden = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0, t_ref=NEVER_AGAIN), 20,
                     name="hidden")
    out = net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0, r=1.0), 2, name="out")
    for name, source, target, mean, width in (("in", inputs, hidden, 3.5, 1.5), ("to out", hidden, out, 0.0, 1.0)):
        net.connect(source, target, ns.AllToAll(), weight=rng.normal(mean, width, (source.size, target.size)),
                    delay=1.0, receptor=ns.ExponentialCurrent(5.0), name=name)
    late = rng.integers(0, 2, (64, 2))
    times = np.concatenate([2.0 + 10.0 * late + rng.uniform(-1.0, 1.0, late.shape), np.ones((64, 1))], axis=1)
    classes = torch.from_numpy(late[:, 0] ^ late[:, 1])  # exclusive or: a linear classifier has half of them right
    learner = bridge.EventNetwork(net, train={"in": "weight", "to out": "weight"})
    adam, right = torch.optim.Adam(learner.parameters(), lr=0.05), []
    for _ in range(100):
        logits = learner(times, 45.0, largest=["out"]).largest["out"]
        right.append(float((logits.argmax(1) == classes).float().mean()))
        adam.zero_grad()
        torch.nn.functional.cross_entropy(3.0 * logits, classes).backward()
        adam.step()
    assert right[0] < 0.8 and right[-1] > 0.95


def pictures(train, kernel, **options):
    """Return a network of pictures of 2 x 5 x 5 places, spiking neurons behind a kernel, and readouts."""
    rng, net = np.random.default_rng(7), ns.Network()
    inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=50, duration=1.0)), 50, name="inputs")
    rule = ns.Convolution(kernel, (2, 5, 5), stride=2, padding=1)
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0), 27, name="cells")
    out = net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0, r=1.0), 2, name="out")
    net.connect(inputs, cells, rule, delay=1.0, name="in", receptor=ns.ExponentialCurrent(5.0), **options)
    net.connect(cells, out, ns.AllToAll(), weight=rng.normal(0.0, 2.0, (27, 2)), delay=1.0, name="to out")
    return bridge.EventNetwork(net, train=train)


def test_a_kernel_has_the_sum_of_the_gradients_of_its_synapses():
    kernel = np.random.default_rng(6).normal(1.0, 1.5, (3, 2, 3, 3))
    times = 20.0 * torch.rand(4, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    factors, shared = torch.tensor([[1.0, -0.5]] * 4, dtype=torch.float64), pictures({"in": "kernel"}, kernel)

    def loss(model):
        return (model(times, 40.0, integral=["out"]).integral["out"] * factors).sum()

    loss(shared).backward()
    each = pictures({"in": "weight"}, kernel)
    loss(each).backward()
    sources, targets = each.model.synapses("in")
    found = torch.zeros(kernel.size, dtype=torch.float64)
    for s, t, g in zip(sources.tolist(), targets.tolist(), each.value("in", "weight").grad.tolist(), strict=True):
        (c, y, x), (o, row, column) = np.unravel_index(s, (2, 5, 5)), np.unravel_index(t, (3, 3, 3))
        found[np.ravel_multi_index((o, c, y - 2 * row + 1, x - 2 * column + 1), kernel.shape)] += g
    grad = shared.value("in", "kernel").grad
    torch.testing.assert_close(grad, found.reshape(kernel.shape), rtol=1e-12, atol=1e-12)
    checked = 0
    for k in torch.argsort(-grad.abs().reshape(-1))[:8].tolist():
        losses = []
        for step in (1e-4, -1e-4, 2e-4, -2e-4):
            with torch.no_grad():
                shared.value("in", "kernel").view(-1)[k] += step
                losses.append(loss(shared).item())
                shared.value("in", "kernel").view(-1)[k] -= step
        difference = (8.0 * (losses[0] - losses[1]) - (losses[2] - losses[3])) / 12e-4
        checked += float(grad.view(-1)[k]) == pytest.approx(difference, rel=1e-6)  # else a spike came or went
    assert checked >= 6
    kept = shared.values_of()["in", "weight"]
    assert np.array_equal(kept, each.model.values("in"))


def test_activity_brings_neurons_that_never_rest_to_fewer_spikes():
    model = pictures({"in": "kernel"}, np.full((3, 2, 3, 3), 3.0))
    times = 20.0 * torch.rand(4, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    adam, counts = torch.optim.Adam(model.parameters(), lr=0.1), []
    for _ in range(30):
        outcome = model(times, 40.0, first=["cells"])
        counts.append(outcome.run.counts("cells").mean())
        adam.zero_grad()
        model.activity(outcome, "cells", at_most=2.0).backward()
        adam.step()
    assert counts[0] > 5.0 and 0.5 < counts[-1] < 2.0
    assert model.activity(outcome, "cells", at_least=0.0).item() == 0.0
    with pytest.raises(ParameterError, match="0 <= at_least <= at_most, got 2 and 1"):
        model.activity(outcome, "cells", 2, 1)
    with pytest.raises(ParameterError, match="0 <= at_least <= at_most, got 'much' and inf"):
        model.activity(outcome, "cells", "much")


def test_a_kernel_that_cannot_be_trained_is_said():
    with pytest.raises(ParameterError, match="by the rule Convolution, got 'to out' by AllToAll; train its weight"):
        pictures({"to out": "kernel"}, np.ones((3, 2, 3, 3)))
    with pytest.raises(ParameterError, match="must be those of its kernel for it to be trained; leave out `weight`"):
        pictures({"in": "kernel"}, np.ones((3, 2, 3, 3)), weight=2.0)
    with pytest.raises(ParameterError, match="of 'in' either weight or kernel must be trained, got both"):
        pictures({"in": ["weight", "kernel"]}, np.ones((3, 2, 3, 3)))


def test_wrong_calls_get_a_sentence():
    model = bridge.EventNetwork(layers([torch.full((2, 3), 4.0, dtype=torch.float64)]), train={"to 0": "weight"})
    times = torch.zeros(1, 2, dtype=torch.float64)
    with pytest.raises(ParameterError, match="depends on nothing"):
        model(times, 10.0)
    with pytest.raises(ParameterError, match="is not trained; these are: weight of to 0"):
        model.value("to 0", "delay")
    outcome = model(times, 30.0, first=["layer 0"])
    with pytest.raises(ParameterError, match="must be finite"):
        (outcome.first["layer 0"] * torch.nan).sum().backward()
    with torch.no_grad():
        model.value("to 0", "weight").fill_(torch.nan)
    with pytest.raises(ParameterError, match="learning rate"):
        model(times, 30.0, first=["layer 0"])
