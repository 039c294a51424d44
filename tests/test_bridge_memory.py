"""What saves memory in training changes no number: spikes as lists, and sequences in blocks."""

import numpy as np
import pytest

import neurosim as ns

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from neurosim import bridge  # noqa: E402
from neurosim.errors import ParameterError  # noqa: E402


def two_layers(block=None):
    generator = torch.Generator().manual_seed(1)
    net = bridge.Sequential(
        bridge.LIFLayer(6, 7, recurrent=True, trainable=["tau_mem"], dtype=torch.float64, generator=generator),
        bridge.LeakyIntegratorLayer(7, 2, dtype=torch.float64, generator=generator), block=block)
    with torch.no_grad():
        net.layers[0].weight.mul_(3.0)
    return net


def counts(ticks=20, samples=3, n=6):
    return torch.poisson(torch.full((ticks, samples, n), 0.4), generator=torch.Generator().manual_seed(2)).double()


def trained(net, x, **options):
    """Return output, states and gradients."""
    out, states = net(x, **options)
    (out ** 2).sum().backward()
    return [out.detach(), *(each.detach() for state in states for each in state if each is not None),
            *(parameter.grad for parameter in net.parameters())]


def test_lists_give_the_numbers_of_the_tensor():
    x = counts()
    batch = bridge.SpikeBatch.from_dense(x)
    assert (x > 1).any() and torch.equal(batch.to_dense(torch.float64), x)
    assert torch.equal(batch[3:11].to_dense(torch.float64), x[3:11]) and batch[30:].shape == (0, 3, 6)
    for one, other in zip(trained(two_layers(), x), trained(two_layers(), batch), strict=True):
        assert torch.allclose(one, other, rtol=1e-13, atol=0)


def test_recordings_become_a_batch():
    one = ns.Spikes.from_times([3.0, 1.0, 1.0], [0, 2, 1], size=4, duration=5.0, dt=1.0)
    other = ns.Spikes.from_times([1.0], [3], size=4, duration=5.0, dt=1.0)
    dense = bridge.SpikeBatch.from_spikes([one, other]).to_dense()
    assert dense.shape == (int(one.ticks.max()) + 1, 2, 4)
    for b, spikes in enumerate((one, other)):
        expected = np.zeros((len(dense), 4))
        expected[spikes.ticks, spikes.ids] = 1
        assert np.array_equal(dense[:, b], expected)
    with pytest.raises(ParameterError, match="samples must have their spikes in ticks 0 to 1, got some from 1 to"):
        bridge.SpikeBatch.from_spikes([one, other], ticks=2)


@pytest.mark.parametrize("block", [1, 7, 20])
def test_blocks_change_no_number(block):
    x, lengths = counts(), [20, 9, 0]
    whole = trained(two_layers(), x, lengths=lengths)
    for one, other in zip(whole, trained(two_layers(block), x, lengths=lengths), strict=True):
        assert torch.allclose(one, other, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: two_layers(block=0), "Sequential.block must be a whole number >= 1, got 0"),
    (lambda: bridge.SpikeBatch.from_dense(np.full((1, 1, 1), 0.5)), "x must be whole numbers of spikes >= 0, shape"),
    (lambda: bridge.SpikeBatch.from_spikes([]), "samples must be Spikes, one or more"),
    (lambda: bridge.SpikeBatch.from_dense(counts())[3], r"must be a slice such as \[10:20\], got 3"),
    (lambda: two_layers()(bridge.SpikeBatch.from_dense(counts(n=5))), "must have 6 inputs, got 5"),
])
def test_bad_input_gets_one_sentence(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
