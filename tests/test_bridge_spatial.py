"""Convolutions and pooling: as sparse matrices, as layers, and the same spikes in the core and in snnTorch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from torch import nn  # noqa: E402

from neurosim import bridge  # noqa: E402
from neurosim.bridge.spatial import linear_map  # noqa: E402
from neurosim.errors import ParameterError, UnsupportedError  # noqa: E402

SHAPE = (4, 9, 8)
CHAINS = {
    "plain": lambda: [nn.Conv2d(4, 6, 3)],
    "stride, padding, dilation": lambda: [nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2))],
    "groups": lambda: [nn.Conv2d(4, 8, 3, groups=2, bias=False)],
    "depth-wise": lambda: [nn.Conv2d(4, 4, 3, groups=4)],
    "same": lambda: [nn.Conv2d(4, 5, (4, 3), padding="same")],
    "average": lambda: [nn.AvgPool2d((3, 2), stride=(2, 3), padding=1)],
    "all of them": lambda: [nn.Conv2d(4, 6, 3, padding=1), nn.AvgPool2d(2), nn.Dropout(0.5), nn.Flatten(),
                            nn.Linear(96, 7)],
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("name", CHAINS)
def test_the_matrix_does_what_the_modules_do(name):
    torch.manual_seed(1)
    chain = nn.Sequential(*CHAINS[name]()).double().eval()
    x = torch.randn(3, *SHAPE, dtype=torch.float64)
    matrix, constant = linear_map(chain, SHAPE)
    assert np.allclose(x.flatten(1).numpy() @ matrix + constant, chain(x).detach().flatten(1), rtol=0, atol=1e-13)


def spikes_in(ticks, samples, shape, seed=3, share=0.3):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(ticks, samples, *shape, generator=generator) < share).double()


def net_of(cells, **options):
    torch.manual_seed(2)
    conv, later = nn.Conv2d(2, 6, 3).double(), nn.Conv2d(6, 4, 2).double()
    with torch.no_grad():
        conv.weight.mul_(2.5)
        later.weight.mul_(8.0)
        later.bias.fill_(0.05)
    first = bridge.StructuredLayer([conv], (2, 10, 10), cells, **options)
    pool = bridge.MaxPoolLayer(first.shape_out, 2)
    second = bridge.StructuredLayer([later, nn.AvgPool2d((3, 1))], pool.shape_out, tau_mem=8.0)
    dense = bridge.LIFLayer(second.n_out, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        dense.weight.mul_(10.0)
    return bridge.Sequential(first, pool, second, dense)


@pytest.mark.parametrize(("cells", "options"), [
    (bridge.LIFLayer, {"reset": "subtract", "tau_mem": np.linspace(5.0, 20.0, 6), "v_initial": 0.2}),
    (bridge.AdaptiveLIFLayer, {"theta_initial": 0.1, "t_ref": 1.0}),
    (bridge.CurrentLIFLayer, {"r": 14.0}),
    (bridge.SynapticLayer, {"i_initial": 0.1}),
], ids=lambda each: getattr(each, "__name__", ""))
def test_the_core_sends_the_spikes_of_convolutions(cells, options):
    net, x = net_of(cells, **options), spikes_in(50, 2, (2, 10, 10))
    found = bridge.to_network(net).run(x.flatten(2).numpy())
    with torch.no_grad():
        for one, made in zip(net.layers, found, strict=True):
            x, _ = one(x)
            assert 0.005 < x.mean() < 0.95
            assert np.array_equal(made, x.numpy())


def test_a_place_is_a_neuron_of_its_own():
    """A convolution whose kernel is as large as the picture is a full matrix."""
    torch.manual_seed(3)
    conv = nn.Conv2d(2, 5, (4, 3)).double()
    one = bridge.StructuredLayer([conv], (2, 4, 3), tau_mem=7.0)
    other = bridge.LIFLayer(24, 5, tau_mem=7.0, bias=True, dtype=torch.float64)
    with torch.no_grad():
        conv.weight.mul_(4.0)
        other.weight.copy_(conv.weight.flatten(1).T)
        other.bias.copy_(conv.bias)
    x, lengths = spikes_in(30, 4, (2, 4, 3)), [30, 12, 0, 7]
    (spikes, state), (expected, final) = one(x, lengths=lengths), other(x.flatten(2), lengths=lengths)
    assert torch.equal(spikes, expected) and torch.allclose(state.v, final.v, atol=1e-14) and spikes.any()
    first, between = one(x[:11])
    second, _ = one(x[11:], between)
    assert torch.equal(torch.cat([first, second]), one(x)[0])
    spikes.sum().backward()
    expected.sum().backward()
    assert torch.allclose(conv.weight.grad.flatten(1).T, other.weight.grad, atol=1e-12)
    assert conv.weight.grad.any() and one.cells.weight.grad is None


@pytest.mark.parametrize(("cells", "trainable"), [
    (bridge.LIFLayer, ["tau_mem", "v_threshold", "v_initial"]), (bridge.AdaptiveLIFLayer, ["tau_theta", "delta_theta"]),
    (bridge.CurrentLIFLayer, ["tau_syn", "r"]), (bridge.SynapticLayer, ["tau_syn", "i_initial"]),
    (bridge.LeakyIntegratorLayer, ["tau_mem"])], ids=lambda each: getattr(each, "__name__", ""))
@pytest.mark.parametrize("last", [[], [nn.AvgPool2d(2)], [nn.Sigmoid()]], ids=["", "AvgPool2d", "Sigmoid"])
def test_places_have_the_gradients_of_samples_of_one_place(cells, trainable, last):
    """Every place is a neuron with its channel's parameters: as many samples of one place each have the same sums."""
    torch.manual_seed(5)
    conv = nn.Conv2d(2, 4, 3).double()
    with torch.no_grad():
        conv.weight.mul_(3.0)
    layer = bridge.StructuredLayer([conv, *last], (2, 6, 6), cells, trainable=trainable)
    alone = cells(4, 4, dtype=torch.float64, trainable=trainable)
    with torch.no_grad():
        alone.weight.copy_(torch.eye(4))
    x, lengths = spikes_in(20, 3, (2, 6, 6)), torch.tensor([20, 11, 0])
    out, state = layer(x, lengths=lengths)
    places = layer.places
    sums = layer.chain(x.flatten(0, 1)).reshape(20, 3, 4, places).transpose(2, 3).reshape(20, 3 * places, 4)
    expected, final = alone(sums, lengths=lengths.repeat_interleave(places))
    goal = torch.randn(20, 3, 4, places, dtype=torch.float64)
    assert torch.equal(out.reshape(20, 3, 4, places), expected.reshape(20, 3, places, 4).transpose(2, 3))
    assert torch.equal(state.v.reshape(3, 4, places), final.v.reshape(3, places, 4).transpose(1, 2)) and out.any()
    (out.reshape(20, 3, 4, places) * goal).sum().backward()
    kernel, conv.weight.grad = conv.weight.grad, None
    (expected.reshape(20, 3, places, 4).transpose(2, 3) * goal).sum().backward()
    assert torch.allclose(kernel, conv.weight.grad, rtol=1e-10, atol=1e-10) and kernel.any()
    for (name, one), other in zip(layer.cells.named_parameters(), alone.parameters(), strict=True):
        assert name == "weight" or torch.allclose(one.grad, other.grad, rtol=1e-10, atol=1e-10)


def test_a_layer_without_modules_leaves_its_input_as_it_is():
    x = spikes_in(10, 2, (2, 3, 3)).requires_grad_()
    before = x.detach().clone()
    out, _ = bridge.StructuredLayer([], (2, 3, 3), tau_mem=5.0, v_threshold=0.5, dtype=torch.float64)(x)
    out.sum().backward()
    assert torch.equal(x.detach(), before) and out.any() and x.grad.any()


def test_modules_that_give_infinite_numbers_are_named():
    conv = nn.Conv2d(2, 2, 2)
    with torch.no_grad():
        conv.weight.fill_(3e38)  # finite, and the sum of eight is not
    with pytest.raises(ParameterError, match="what the modules of StructuredLayer give must be finite numbers"):
        bridge.StructuredLayer([conv], (2, 3, 3))(torch.ones(4, 1, 18))


def test_max_pooling_keeps_a_spike_of_the_window():
    x = spikes_in(20, 3, (3, 7, 7), share=0.1)
    layer = bridge.MaxPoolLayer((3, 7, 7), 3, stride=2, padding=1)
    expected = nn.functional.max_pool2d(x.flatten(0, 1), 3, 2, 1).reshape(20, 3, -1)
    assert torch.equal(layer(x)[0], expected)
    assert np.array_equal(bridge.to_network(layer).run(x.flatten(2).numpy())[0], expected.numpy())
    with pytest.raises(ParameterError, match="x must be 0 or 1 where the first layer is a MaxPoolLayer, got 2"):
        bridge.to_network(layer).run(2.0 * x.flatten(2).numpy())


def test_a_device_holds_the_weights_of_convolutions_and_not_the_pools():
    from hardware_models.memristor import Memristor

    core = bridge.to_network(net_of(bridge.LIFLayer), device=Memristor(programming_noise=0.1))
    assert [each.device is None for each in core.network.projections if "clock" not in each.source.name] == [
        False, True, False, False]


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: bridge.StructuredLayer([nn.Conv2d(3, 2, 3)], (2, 5, 5)), ParameterError, "must take a sample of shape"),
    (lambda: bridge.StructuredLayer([nn.Conv2d(2, 2, 3)], (2, 5, 5), bias=True), ParameterError, "left to its modules"),
    (lambda: bridge.StructuredLayer([nn.Conv2d(2, 2, 3)], (2, 5, 5), delays=bridge.Delays(5.0)), ParameterError,
     "StructuredLayer.delays must be None"),
    (lambda: bridge.StructuredLayer([nn.Conv2d(2, 2, 3)], (2, 5, 5))(torch.zeros(3, 1, 9)), ParameterError,
     r"must be a tensor of shape \(ticks, samples, 50\) or \(ticks, samples, 2, 5, 5\), got a tensor of"),
    (lambda: bridge.StructuredLayer([nn.Conv2d(2, 2, 3)], (2, 5, 5), dtype=torch.float64), ParameterError,
     "must be of one float type"),
    (lambda: bridge.to_network(bridge.StructuredLayer([nn.Conv2d(2, 2, 2), nn.MaxPool2d(2)], (2, 5, 5))),
     UnsupportedError, "put MaxPool2d after the neurons"),
    (lambda: linear_map([nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")], (2, 5, 5)), UnsupportedError,
     "must have padding_mode='zeros'"),
    (lambda: linear_map([nn.AvgPool2d(2, ceil_mode=True)], (2, 5, 5)), UnsupportedError, "must have ceil_mode=False"),
    (lambda: linear_map([nn.BatchNorm2d(2)], (2, 5, 5)), UnsupportedError, "BatchNorm2d has no counterpart"),
])
def test_bad_input_gets_one_sentence(make, error, message):
    with pytest.raises(error, match=message):
        make()


# ---------------------------------------------------------------------------------------------------------------------
# snnTorch
# ---------------------------------------------------------------------------------------------------------------------

def stepped(modules, x):
    """Return what each of snnTorch's neurons sends, step by step, as (ticks, samples, neurons)."""
    snn = pytest.importorskip("snntorch", reason="snnTorch is not installed; the extra snntorch has it")
    states, sent = {}, {}
    for now in x:
        for module in modules:
            kind = type(module).__name__
            if not isinstance(module, snn.SpikingNeuron):
                now = module(now)
                continue
            old = states.setdefault(module, [torch.zeros_like(now)] * {"Leaky": 1}.get(kind, 2))
            now, *states[module] = module(now, *old)
            now = now.to(x.dtype)
            if kind == "RLeaky":
                states[module] = [now, *states[module]]
            sent.setdefault(module, []).append(now.flatten(1))
    return [torch.stack(each).detach().numpy() for each in sent.values()]


@pytest.mark.parametrize("kind", ["Leaky", "Synaptic", "RLeaky"])
def test_convolutions_and_pools_of_snntorch(kind):
    snn = pytest.importorskip("snntorch", reason="snnTorch is not installed; the extra snntorch has it")
    torch.manual_seed(4)
    options = {"Leaky": {}, "Synaptic": {"alpha": 0.7}, "RLeaky": {"all_to_all": False, "V": torch.tensor(0.2)}}[kind]
    theirs = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), getattr(snn, kind)(beta=0.8, **options), nn.MaxPool2d(2), nn.Dropout(0.3),
        nn.Conv2d(6, 8, 3), nn.AvgPool2d(2), snn.Leaky(beta=0.9, reset_mechanism="zero"), nn.Flatten(),
        nn.Linear(32, 5), snn.Leaky(beta=0.95)).double().eval()
    with torch.no_grad():
        for k, gain in ((0, 2.0), (4, 4.0), (8, 4.0)):
            theirs[k].weight.mul_(gain)
    x = spikes_in(60, 2, (2, 12, 12), share=0.2)
    expected = stepped(theirs, x)
    net = bridge.from_snntorch(theirs, shape=(2, 12, 12))
    found = bridge.to_network(net).run(x.flatten(2).numpy())
    for made, theirs_made in zip((found[0], found[2], found[3]), expected, strict=True):
        assert 0.01 < theirs_made.mean() < 0.9
        assert np.array_equal(made, theirs_made)
    assert np.array_equal(net(x)[0].detach().numpy(), expected[-1])


def test_max_pooling_of_currents_is_read_as_layers():
    snn = pytest.importorskip("snntorch", reason="snnTorch is not installed; the extra snntorch has it")
    torch.manual_seed(5)
    first = snn.Leaky(beta=torch.linspace(0.7, 0.9, 4)[:, None, None])
    theirs = nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), first, nn.Flatten(), nn.Linear(36, 3),
                           snn.Leaky(beta=0.9)).double()
    x = spikes_in(40, 2, (1, 8, 8))
    expected = stepped(theirs, x)
    net = bridge.from_snntorch(theirs, shape=(1, 8, 8))
    assert np.array_equal(net(x)[0].detach().numpy(), expected[-1]) and expected[-1].any()
    with pytest.raises(UnsupportedError, match="MaxPool2d of currents has no counterpart"):
        bridge.to_network(net)


@pytest.mark.parametrize(("modules", "options", "error", "message"), [
    (lambda snn: [nn.Conv2d(1, 2, 3), snn.Leaky(beta=0.9)], {}, ParameterError,
     r"shape must be given, that of one sample at one step \(channels, rows, columns\), since Conv2d '0'"),
    (lambda snn: [nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), snn.Leaky(beta=0.9)], {}, UnsupportedError,
     "BatchNorm2d '1' has no counterpart"),
    (lambda snn: [snn.Leaky(beta=0.9)], {}, UnsupportedError, "must follow a Linear or Conv2d"),
    (lambda snn: [nn.MaxPool2d(2, ceil_mode=True), nn.Conv2d(1, 2, 2), snn.Leaky(beta=0.9)], {"shape": (1, 6, 6)},
     UnsupportedError, "MaxPool2d '0' must have ceil_mode=False"),
    (lambda snn: [nn.Conv2d(1, 2, 3), snn.Leaky(beta=torch.full((4,), 0.9))], {"shape": (1, 6, 6)}, UnsupportedError,
     "must have one beta, or 2, one for each neuron or channel"),
    (lambda snn: [nn.Conv2d(1, 2, 3), snn.RLeaky(beta=0.9, linear_features=2)], {"shape": (1, 6, 6)},
     UnsupportedError, "after a Conv2d must have all_to_all=False"),
    (lambda snn: [nn.Conv2d(1, 2, 3), snn.Alpha(alpha=0.9, beta=0.8)], {"shape": (1, 6, 6)}, UnsupportedError,
     "Alpha '1' has no counterpart"),
])
def test_what_has_no_counterpart_in_snntorch_is_named(modules, options, error, message):
    snn = pytest.importorskip("snntorch", reason="snnTorch is not installed; the extra snntorch has it")
    with pytest.raises(error, match=message):
        bridge.from_snntorch(nn.Sequential(*modules(snn)), **options)
