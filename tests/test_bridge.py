"""The layers of the PyTorch bridge: gradients beside PyTorch's own, masks, states, what is refused."""

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from neurosim import bridge  # noqa: E402
from neurosim.bridge.arrivals import weighted  # noqa: E402
from neurosim.bridge.kernels import CURRENT, JUMP, SAME_TICK, Kind  # noqa: E402
from neurosim.bridge.sequence import Coefficients, State, compiled, plain  # noqa: E402
from neurosim.errors import ParameterError  # noqa: E402

TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-5}
SURROGATES = [bridge.FastSigmoid(5.0), bridge.ATan(), bridge.Triangle(), bridge.StraightThrough(0.2), bridge.BiPer()]
#            spiking adaptive subtract detach refractory recurrent
FORMS = [(True, False, False, True, 0, False), (True, True, True, False, 0, True), (True, True, False, False, 2, True),
         (False, False, False, True, 0, False)]
KINDS = [Kind(on, *form, SURROGATES[(3 * j + k) % 5])
         for (j, on), (k, form) in itertools.product(enumerate((JUMP, CURRENT, SAME_TICK)), enumerate(FORMS))]
NAMES = "x weight bias recurrent beta alpha gain threshold down gamma rise v i theta spikes".split()


def drawn(kind, dtype):
    generator = torch.Generator().manual_seed(1)

    def uniform(low, high, *shape):
        return low + (high - low) * torch.rand(*shape, generator=generator, dtype=dtype)

    ticks, samples, inputs, n = 12, 4, 6, 5
    x = (uniform(0, 1, ticks, samples, inputs) < 0.3).to(dtype)
    state = [uniform(0, 0.5, samples, n), uniform(0, 0.3, samples, n), uniform(0, 0.2, samples, n),
             (uniform(0, 1, samples, n) < 0.3).to(dtype)]
    held = torch.randint(0, 2 if kind.refractory else 1, (samples, n), generator=generator)
    bounds = [(0.8, 0.9), (0.6, 0.8), (0.5, 0.7), (0.8, 1.1), (0.3, 0.7), (0.9, 0.95), (0.2, 0.3)]
    coefficients = [uniform(*each, n) for each in bounds]
    weights = [uniform(-0.2, 1.0, inputs, n), uniform(0.0, 0.1, n), uniform(-0.1, 0.1, n, n)]  # gradients stay small
    leaves = [each.requires_grad_() for each in (x, *weights, *coefficients, *state)]
    return leaves, held, torch.tensor([12, 7, 0, 10])


def results(run, kind, leaves, held, lengths):
    """Return what a sequence gives, and the gradients of a random sum of all of it."""
    sums = weighted(*leaves[:2]) if run is compiled else leaves[0] @ leaves[1]
    out, after = run(kind, sums, *leaves[2:4], Coefficients(*leaves[4:11]), State(*leaves[11:], held), lengths)
    given, generator = [out, *after[:4]], torch.Generator().manual_seed(2)
    loss = sum((each * torch.rand(each.shape, generator=generator, dtype=each.dtype)).sum() for each in given)
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    none = [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, gradients, strict=True)]
    return [each.detach() for each in given] + [after.held], none


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.input}-{KINDS.index(kind) % 4}")
def test_gradients_are_those_of_pytorch_on_the_plain_loop(kind, dtype):
    case = drawn(kind, dtype)
    (found, gradients), (expected, right) = results(compiled, kind, *case), results(plain, kind, *case)
    assert not kind.spiking or 0.05 < float(found[0].mean()) < 0.7
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=TOLERANCES[dtype])
    for name, one, other in zip(NAMES, gradients, right, strict=True):
        error = float((one - other).abs().max()) / max(1.0, float(other.abs().max()))
        assert error < TOLERANCES[dtype], f"{name}: {error}"


@pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda each: type(each).__name__)
def test_the_gradient_of_one_tick_is_the_slope(surrogate):
    layer = bridge.LIFLayer(1, 1, surrogate=surrogate, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.fill_(0.9)
    layer(torch.ones(1, 1, 1, dtype=torch.float64))[0].sum().backward()
    assert layer.weight.grad.item() == pytest.approx(type(surrogate).slope(-0.1, surrogate.sharpness), rel=1e-12)


@pytest.mark.parametrize("surrogate", [bridge.ATan(3.0), bridge.BiPer(3.0), bridge.FastSigmoid(3.0)],
                         ids=lambda each: type(each).__name__)
def test_slopes_are_derivatives_of_their_steps(surrogate):
    steps = {"ATan": lambda x: math.atan(math.pi / 2 * 3.0 * x) / math.pi, "BiPer": lambda x: math.sin(3.0 * x) / 2,
             "FastSigmoid": lambda x: x / (1 + 3.0 * abs(x))}
    step = steps[type(surrogate).__name__]
    for x in (-0.7, -0.1, 0.2, 1.5):
        assert surrogate.slope(x, 3.0) == pytest.approx((step(x + 1e-6) - step(x - 1e-6)) / 2e-6, rel=1e-6)


def small(**options):
    net = bridge.Sequential(bridge.LIFLayer(6, 7, generator=torch.Generator().manual_seed(1), **options),
                            bridge.LeakyIntegratorLayer(7, 2, generator=torch.Generator().manual_seed(2)))
    with torch.no_grad():
        net.layers[0].weight.mul_(4.0)
    return net


def spikes_in(ticks, samples, n=6, seed=3):
    return (torch.rand(ticks, samples, n, generator=torch.Generator().manual_seed(seed)) < 0.4).float()


def test_nothing_leaks_from_what_lies_beyond_a_sample():
    net, x, lengths = small(recurrent=True), spikes_in(20, 3), torch.tensor([20, 8, 0])
    out, states = net(x, lengths=lengths)
    alone, after = net(x[:8, 1:2])
    assert torch.equal(out[:8, 1:2], alone) and not out[8:, 1].any() and not out[:, 2].any()
    for state, own in zip(states, after, strict=True):
        assert all(torch.equal(one[1:2], other) for one, other in zip(state[:5], own[:5], strict=True))
    out.sum().backward()
    gradient = net.layers[0].weight.grad.clone()
    net.zero_grad()
    other = torch.where(bridge.mask(lengths, 20)[:, :, None], x, 1.0 - x)
    net(other, lengths=lengths)[0].sum().backward()
    assert torch.equal(net.layers[0].weight.grad, gradient) and gradient.any()


def test_a_cut_sequence_goes_on_from_its_state():
    net, x = small(recurrent=True, t_ref=2.0, reset="subtract"), spikes_in(20, 3)
    whole, states = net(x)
    first, between = net(x[:7])
    second, after = net(x[7:], between)
    assert torch.equal(torch.cat([first, second]), whole)
    for one, other in zip(states, after, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one[:5], other[:5], strict=True))
    truncated, _ = net(x[7:], [state.detach() for state in between])
    assert torch.equal(truncated, second)


@pytest.mark.parametrize("shape", [(0, 3), (5, 0)])
def test_nothing_comes_of_nothing(shape):
    net = small(recurrent=True)
    out, states = net(spikes_in(*shape))
    assert out.shape == (*shape, 2) and states[0].v.shape == (shape[1], 7)
    (out.sum() + states[0].v.sum()).backward()
    assert not net.layers[0].weight.grad.any() and not net.layers[0].recurrent.grad.any()


def test_what_is_trainable_learns():
    teacher = small(tau_mem=6.0, v_threshold=0.8)
    student = small(tau_mem=12.0, v_threshold=1.1, trainable=["tau_mem", "v_threshold", "v_initial"],
                    surrogate=bridge.FastSigmoid(5.0))
    student.layers[1].load_state_dict(teacher.layers[1].state_dict())
    x = spikes_in(40, 8)
    goal = teacher(x)[0].detach()
    names = {name for name, _ in student.layers[0].named_parameters()}
    assert names == {"weight", "v_initial", "log_tau_mem", "v_threshold"}
    adam = torch.optim.Adam(student.layers[0].parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        adam.zero_grad()
        loss = ((student(x)[0] - goal) ** 2).mean()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert not torch.equal(student.layers[0].value("tau_mem"), torch.full((7,), 12.0))


def test_the_current_of_equal_time_constants_is_the_limit():
    near = bridge.CurrentLIFLayer(1, 1, tau_mem=10.0, tau_syn=10.0 + 1e-4, dtype=torch.float64).coefficients().gain
    equal = bridge.CurrentLIFLayer(1, 1, tau_mem=10.0, tau_syn=10.0, dtype=torch.float64).coefficients().gain
    assert equal.item() == pytest.approx(0.1 * math.exp(-0.1), rel=1e-14)
    assert near.item() == pytest.approx(equal.item(), rel=1e-5)
    apart = bridge.CurrentLIFLayer(1, 1, tau_mem=20.0, tau_syn=5.0, r=3.0, dtype=torch.float64).coefficients().gain
    assert apart.item() == pytest.approx(3.0 / 20 * (math.exp(-0.05) - math.exp(-0.2)) / (1 / 5 - 1 / 20), rel=1e-12)


def test_dense_inputs_give_the_same():
    layer = bridge.LIFLayer(6, 5, generator=torch.Generator().manual_seed(1))
    x = torch.rand(9, 3, 6, generator=torch.Generator().manual_seed(2)).requires_grad_()
    found = layer(x)[0]
    state = layer.initial(3)
    expected = plain(layer.kind, x @ layer.weight, layer.bias, layer.recurrent, layer.coefficients(), state,
                     torch.full((3,), 9))[0]
    assert torch.equal(found, expected)
    one, other = (torch.autograd.grad(out.sum(), [x, layer.weight]) for out in (found, expected))
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(one[:5], other[:5], strict=True))


def test_penalties():
    spikes = torch.tensor([[[1.0, 0.0]], [[1.0, 0.0]], [[0.0, 0.0]]])
    assert bridge.rate_penalty(spikes, low=0.1, high=0.5).item() == pytest.approx(((2 / 3 - 0.5) ** 2 + 0.01) / 2)
    assert bridge.rate_penalty(spikes, high=0.5, lengths=[2]).item() == pytest.approx(0.125)
    assert bridge.activity_penalty(spikes).item() == 2.0


@pytest.mark.parametrize(("make", "message"), [
    (lambda: bridge.LIFLayer(0, 2), "LIFLayer.n_in must be a whole number >= 1, got 0"),
    (lambda: bridge.LIFLayer(2, 2, tau_mem=-1.0), "LIFLayer.tau_mem must be a finite number > 0 ms, or 2 of them"),
    (lambda: bridge.LIFLayer(2, 2, tau_syn=1.0),
     "LIFLayer takes tau_mem, v_initial, v_threshold, v_reset, got 'tau_syn'"),
    (lambda: bridge.LIFLayer(2, 2, surrogate="atan"), "must be a Surrogate such as FastSigmoid"),
    (lambda: bridge.LIFLayer(2, 2, reset="hard"), "reset must be 'to_value' or 'subtract', got 'hard'"),
    (lambda: bridge.LIFLayer(2, 2)(torch.zeros(3, 2)), r"a tensor of shape \(ticks, samples, 2\), got a tensor"),
    (lambda: bridge.LIFLayer(2, 2)(torch.zeros(3, 1, 2, dtype=torch.float64)), "must be of torch.float32 as"),
    (lambda: bridge.LIFLayer(2, 2)(torch.full((3, 1, 2), math.nan)), "inputs must be finite numbers, got infinite"),
    (lambda: bridge.LIFLayer(2, 2)(torch.zeros(3, 1, 2), lengths=[4]), "lengths must be 1 whole numbers from 0 to 3"),
    (lambda: bridge.LIFLayer(2, 2)(torch.zeros(3, 1, 2), torch.zeros(1, 2)), r"must be a State of shape \(1, 2\)"),
    (lambda: bridge.LeakyIntegratorLayer(2, 2, recurrent=True), "recurrent must be False, since the layer never"),
    (lambda: bridge.Sequential(bridge.LIFLayer(2, 3), bridge.LIFLayer(4, 2)), "must take 3 inputs and ticks of 1 ms"),
])
def test_bad_input_gets_one_sentence(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_on_any_number_of_threads():
    net, x = small(), spikes_in(15, 5)
    before, found = torch.get_num_threads(), []
    try:
        for n in (1, 3):
            torch.set_num_threads(n)
            net.zero_grad()
            out = net(x)[0]
            out.sum().backward()
            found.append((out.detach(), net.layers[0].weight.grad.clone()))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0][0], found[1][0])
    assert np.allclose(found[0][1], found[1][1], rtol=1e-5, atol=1e-6)
