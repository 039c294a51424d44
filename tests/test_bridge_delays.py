"""Delays that learn: sums and gradients beside PyTorch's own on a plain loop, states, the same spikes in the core."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from neurosim import bridge  # noqa: E402
from neurosim.bridge import delayed  # noqa: E402
from neurosim.errors import ParameterError  # noqa: E402

TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-5}
LATE, TICKS, SAMPLES, INPUTS, N = 4, 30, 5, 6, 3
FORMS = {"synaptic": (INPUTS, N), "axonal": (INPUTS, 1), "dendritic": (1, N)}


def drawn(dtype=torch.float64, low=0.0, seed=1):
    generator = torch.Generator().manual_seed(seed)
    x = (torch.rand(LATE + TICKS, SAMPLES, INPUTS, generator=generator) < 0.3).to(dtype).requires_grad_()
    weight = torch.randn(INPUTS, N, generator=generator, dtype=dtype).requires_grad_()
    taps = torch.rand(LATE + 1, INPUTS, N, generator=generator, dtype=dtype).requires_grad_()
    return x, weight, taps


def plain(x, taps):
    """Return the sum over taps, tick by tick and tap by tap."""
    late = len(taps) - 1
    return torch.stack([sum(x[t + late - d] @ taps[d] for d in range(late + 1)) for t in range(len(x) - late)])


def agree(found, expected, leaves, dtype):
    share = torch.randn(expected.shape, generator=torch.Generator().manual_seed(3), dtype=dtype)
    pairs = zip([found, *torch.autograd.grad((found * share).sum(), leaves, retain_graph=True)],
                [expected, *torch.autograd.grad((expected * share).sum(), leaves, retain_graph=True)], strict=True)
    for one, other in pairs:
        error, size = (float(each.detach().abs().max()) for each in (one - other, other))
        assert error < TOLERANCES[dtype] * max(1.0, size)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("block", [1, 2, 8])
def test_sums_over_taps(monkeypatch, block, dtype):
    monkeypatch.setattr(delayed, "BLOCK", block)
    monkeypatch.setattr(delayed, "SAMPLES", 2)
    x, _, taps = drawn(dtype)
    agree(delayed.spread(x, taps), plain(x, taps), [x, taps], dtype)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("of", FORMS)
def test_whole_ticks(of, dtype):
    x, weight, _ = drawn(dtype)
    delay = torch.randint(0, LATE + 1, FORMS[of], generator=torch.Generator().manual_seed(4))
    expected = plain(x, delayed.one_tap(delay, LATE + 1).to(dtype) * weight)
    agree(delayed.shifted(x, weight, delay, LATE), expected, [x, weight], dtype)
    scaled = 0.5 * x  # values other than 0 and 1
    agree(delayed.shifted(scaled, weight, delay, LATE), 0.5 * expected, [x, weight], dtype)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("of", FORMS)
@pytest.mark.parametrize("kernel", ["gaussian", "triangular"])
def test_a_layer_while_its_delays_learn(kernel, of, dtype):
    x, weight, _ = drawn(dtype)
    lines = bridge.DelayLines(bridge.Delays(2.0 * LATE, of=of, kernel=kernel, sigma_start=3.0), INPUTS, N, dt=2.0,
                              dtype=dtype, generator=torch.Generator().manual_seed(5))
    n = torch.arange(LATE + 1, dtype=dtype)[:, None, None]
    away = n - lines.delay / 2.0
    shares = torch.exp(-0.5 * (away / 1.5) ** 2) if kernel == "gaussian" else torch.relu(1.0 - away.abs() / 2.5)
    expected = plain(x, shares / shares.sum(0) * weight)
    agree(lines(x, weight), expected, [x, weight, lines.delay], dtype)


@pytest.mark.parametrize("kernel", ["gaussian", "triangular"])
def test_shares_sum_to_one_and_narrow_to_one_tap(kernel):
    lines = bridge.DelayLines(bridge.Delays(10.0, kernel=kernel), 40, 30, dt=1.0, dtype=torch.float64)
    for share in (0.0, 0.3, 1.0):
        lines.anneal(share)
        assert torch.allclose(lines.taps().sum(0), torch.ones(40, 30, dtype=torch.float64), rtol=1e-12)
    with torch.no_grad():
        lines.delay.copy_(lines.ticks())
    assert torch.allclose(lines.taps(), delayed.one_tap(lines.ticks(), 11).double(), atol=1e-3)
    with torch.no_grad():
        lines.delay.fill_(10.7)  # an optimiser's step beyond the range
    assert (lines.taps()[10] > 0.99).all() and (lines.delay == 10.0).all()


def layer(cls, n_in, n_out, of="synaptic", **options):
    made = cls(n_in, n_out, dtype=torch.float64, delays=bridge.Delays(6.0, of=of), **options)
    with torch.no_grad():
        made.weight.mul_(2.5)
    return made


@pytest.mark.parametrize("training", [True, False])
def test_a_cut_sequence_goes_on_from_its_state(training):
    torch.manual_seed(1)
    net = bridge.Sequential(layer(bridge.LIFLayer, INPUTS, 8), layer(bridge.LeakyIntegratorLayer, 8, 2)).train(training)
    x = drawn()[0].detach()
    whole, states = net(x)
    first, between = net(x[:2])
    second, after = net(x[2:], between)
    assert torch.allclose(torch.cat([first, second]), whole, rtol=1e-9, atol=1e-12)
    assert torch.equal(after[0].past, states[0].past) and torch.equal(after[0].past, x[-6:])
    cut, _ = net(x[2:], [state.detach() for state in between])
    assert torch.equal(cut, second)
    net.block = 7
    assert torch.allclose(net(x)[0], whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_nothing_leaks_from_what_lies_beyond_a_sample(training):
    torch.manual_seed(2)
    net, x = layer(bridge.LIFLayer, INPUTS, 8).train(training), drawn()[0].detach()[:20, :3]
    lengths = torch.tensor([20, 8, 0])
    other = torch.where(bridge.mask(lengths, 20)[:, :, None], x, 7.0 - x)
    (out, state), (same, too) = net(x, lengths=lengths), net(other, lengths=lengths)
    assert torch.equal(out, same) and not out[8:, 1].any() and not out[:, 2].any()
    assert torch.equal(state.past, too.past)
    alone, after = net(x[:8, 1:2])
    assert torch.equal(out[:8, 1:2], alone) and torch.equal(state.past[:, 1:2], after.past)
    gradients = [torch.autograd.grad(each.sum(), net.weight)[0] for each in (out, same)]
    assert torch.equal(*gradients)


@pytest.mark.parametrize("learn", [True, False])
@pytest.mark.parametrize("of", FORMS)
def test_the_core_sends_the_spikes_of_rounded_delays(of, learn):
    torch.manual_seed(3)
    delays = bridge.Delays(8.0, of=of, learn=learn)
    shared = {"dtype": torch.float64, "delays": delays, "dt": 0.5}
    net = bridge.Sequential(bridge.LIFLayer(INPUTS, 12, recurrent=True, bias=True, **shared),
                            bridge.CurrentLIFLayer(12, 10, reset="subtract", r=20.0, **shared),
                            bridge.LeakyIntegratorLayer(10, 2, **shared)).eval()
    with torch.no_grad():
        for each in net.layers:
            each.weight.mul_(3.0)
    x = (torch.rand(80, 4, INPUTS) < 0.3).double()
    made, given = bridge.to_network(net).run(x.numpy()), x
    for one, found in zip(net.layers, made, strict=True):
        given = one(given)[0].detach()
        if one.spiking:
            assert 0.01 < given.mean() < 0.6 and np.array_equal(found, given.numpy())
        else:
            assert np.allclose(found, given.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: bridge.Delays(-1.0), "Delays.longest must be a finite number > 0 ms, got -1.0"),
    (lambda: bridge.Delays(9.0, of="axon"), "Delays.of must be 'synaptic' or 'axonal' or 'dendritic', got 'axon'"),
    (lambda: bridge.LIFLayer(2, 2, delays=9.0), r"delays must be Delays\(longest\), or None, got 9.0"),
    (lambda: bridge.LIFLayer(2, 2, delays=bridge.Delays(2.5)), "Delays.longest must be a multiple of dt = 1 ms"),
    (lambda: bridge.LIFLayer(2, 2, delays=bridge.Delays(2.0))(torch.zeros(3, 1, 2), bridge.LIFLayer(2, 2).initial(1)),
     r"with a past of shape \(2, 1, 2\), as a call returns it"),
    (lambda: bridge.anneal(bridge.LIFLayer(2, 2, delays=bridge.Delays(2.0)), 1.5), "share must be a finite number >="),
])
def test_bad_input_gets_one_sentence(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


@pytest.mark.parametrize("values", [(0.0, 1.0, 3.0, 255.0), (0.0, 1.0, 256.0), (0.0, -1.0, 1.0), (0.0, 0.5, 1.0)])
def test_taps_made_again_on_the_way_back_and_inputs_kept_as_bytes_change_no_gradient(values):
    from neurosim.bridge.delayed import spread_over

    generator = torch.Generator().manual_seed(1)
    x = torch.tensor(values, dtype=torch.float64)[torch.randint(0, len(values), (30, 3, 4), generator=generator)]
    weight, delay = torch.rand(2, 4, 2, generator=generator, dtype=torch.float64).requires_grad_()
    x.requires_grad_()

    def taps(weight, delay):
        return weight * torch.exp(-(torch.arange(5.0, dtype=torch.float64)[:, None, None] - 4.0 * delay).square())

    plain = sum(x[4 - d:30 - d] @ taps(weight, delay)[d] for d in range(5))
    made = spread_over(x, taps, weight, delay)
    g = torch.rand(made.shape, generator=generator, dtype=torch.float64)
    assert torch.allclose(made, plain, rtol=0.0, atol=1e-10)
    for one, other in zip(torch.autograd.grad(made, (x, weight, delay), g),
                          torch.autograd.grad(plain, (x, weight, delay), g), strict=True):
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-10)
