"""Devices in training: forward as the device, backward straight through, and what it buys on a crossbar."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from sklearn.datasets import load_digits  # noqa: E402

from hardware_models import BitFlips, Memristor, StuckAt  # noqa: E402
from hardware_models.faults import clipped_relu  # noqa: E402
from hardware_models.ramp_adc import RampADC  # noqa: E402
from neurosim import bridge  # noqa: E402
from neurosim.errors import ParameterError, UnsupportedError  # noqa: E402

DOUBLE = torch.float64
pytestmark = pytest.mark.usefixtures("one_thread_of_torch")


def layer(n_in=8, n_out=6, seed=1, **options):
    made = bridge.LIFLayer(n_in, n_out, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed), **options)
    with torch.no_grad():
        made.weight.mul_(2.5)
    return made


def spikes_in(ticks, samples, n=8, seed=3):
    return (torch.rand(ticks, samples, n, generator=torch.Generator().manual_seed(seed)) < 0.3).double()


def test_an_ideal_device_changes_nothing():
    one, x = layer(recurrent=True), spikes_in(30, 4)
    held = bridge.OnDevice(one, Memristor().fitted)
    assert torch.equal(held(x)[0], one(x)[0])
    assert np.array_equal(bridge.to_network(held).run(x.numpy())[0], one(x)[0].detach().numpy())


@pytest.mark.parametrize("device", [
    Memristor(weight_max=2.0, programming_noise=0.2, read_noise=0.1), Memristor(weight_max=2.0, slice_bits=2),
    StuckAt(off=0.3, w_max=2.0), BitFlips(rate=0.02, format="Q2.5"),
], ids=["noise", "levels", "stuck", "bits"])
def test_the_gradient_is_that_of_a_layer_with_the_weights_held(device):
    one, x = layer(), spikes_in(30, 4)
    held = bridge.OnDevice(one, device, seed=5).eval()
    generator = np.random.default_rng(5)
    weights = device.program(one.weight.detach().numpy(), generator)
    weights = weights if device.read is None else device.read_array(weights, generator)
    other = layer()
    with torch.no_grad():
        other.weight.copy_(torch.from_numpy(np.asarray(weights)))
    assert not torch.equal(other.weight, one.weight)
    (found, _), (expected, _) = held(x), other(x)
    assert torch.equal(found, expected) and not torch.equal(found, one(x)[0])
    found.sum().backward()
    expected.sum().backward()
    assert torch.allclose(one.weight.grad, other.weight.grad, atol=1e-14) and one.weight.grad.any()


def test_weights_beyond_the_range_are_held_at_it_and_have_no_gradient():
    one = layer()
    held = bridge.OnDevice(one, Memristor(weight_max=0.5, slice_bits=1))
    held(spikes_in(30, 4))[0].sum().backward()
    beyond = one.weight.detach().abs() > 0.5
    assert beyond.any() and not one.weight.grad[beyond].any() and one.weight.grad[~beyond].any()
    weights, _ = held.incoming()
    assert np.abs(weights).max() == 0.5


def test_training_sees_other_errors_in_each_pass_and_evaluation_the_same():
    one, x = layer(), spikes_in(30, 4)

    def sums(held):
        return [held(x)[1].v.sum().item() for _ in range(4)]

    noisy = bridge.OnDevice(one, Memristor(programming_noise=0.1).fitted)
    assert len(set(sums(noisy))) == 4 and len(set(sums(noisy.eval()))) == 1
    stuck = Memristor(stuck_off=0.3, seed=7).fitted
    assert len(set(sums(bridge.OnDevice(one, stuck)))) == 4
    assert len(set(sums(bridge.OnDevice(one, stuck, chips="this")))) == 1


def test_the_core_runs_the_chip_that_was_trained_for():
    """Stuck cells belong to the device: with no other error, evaluation and the core send the same spikes."""
    net = bridge.layers_on(bridge.Sequential(layer(recurrent=True), layer(6, 5, 2)),
                           Memristor(stuck_off=0.2, stuck_on=0.1, seed=3).fitted, chips="this").eval()
    x = spikes_in(40, 3)
    with torch.no_grad():
        expected = net(x)[0]
    found = bridge.to_network(net).run(x.numpy())[-1]
    assert expected.any() and np.array_equal(found, expected.numpy())


def test_kernels_of_convolutions_are_held():
    torch.manual_seed(2)
    conv = torch.nn.Conv2d(2, 4, 3).double()
    one = bridge.StructuredLayer([conv, torch.nn.AvgPool2d(2)], (2, 6, 6), tau_mem=8.0)
    held = bridge.OnDevice(one, Memristor(programming_noise=0.3).fitted)
    x = spikes_in(20, 2, 72)
    held(x)[1].v.sum().backward()
    assert conv.weight.grad.any() and not torch.equal(held(x)[1].v, one(x)[1].v)
    assert bridge.to_network(held).network.projections[0].device is not None


def test_a_ramp_converter_has_the_gradient_of_its_function():
    ramp = RampADC(function="tanh", bits=4, programming_error=2.67).program(seed=1)
    x = torch.linspace(-2.0, 2.0, 41, dtype=DOUBLE, requires_grad=True)
    y = bridge.Activation(ramp)(x)
    assert torch.equal(y.detach(), ramp(x.detach())) and y.unique().numel() <= 16
    y.sum().backward()
    assert torch.allclose(x.grad, 1.0 - torch.tanh(x.detach()) ** 2, atol=1e-12)


def test_bounds_are_trained_through_the_smooth_form():
    bounded = bridge.BoundedActivation(clipped_relu, torch.tensor([1.0, 2.0]))
    x = torch.tensor([[0.9, 5.0]])
    bounded(x).sum().backward()
    step = 1e-3
    smooth = [clipped_relu(x, torch.tensor([1.0 + by, 2.0]), "smooth").sum().item() for by in (step, -step)]
    assert bounded.bound.grad[0].item() == pytest.approx((smooth[0] - smooth[1]) / (2 * step), rel=1e-2)
    assert bounded.eval()(x).tolist() == [[pytest.approx(0.9), 0.0]]


# ---------------------------------------------------------------------------------------------------------------------
# A chip in the loop
# ---------------------------------------------------------------------------------------------------------------------

def test_a_chip_in_the_loop_sends_its_spikes_and_learns_by_the_ideal_gradient():
    net, x = bridge.Sequential(layer(), layer(6, 5, 2)), spikes_in(30, 3)
    device = Memristor(programming_noise=0.1, stuck_off=0.1).fitted
    loop = bridge.ChipInTheLoop(net, device, seed=4).eval()
    sent = bridge.to_network(net, device=device).run(x.numpy(), seed=4)
    out = loop(x)
    assert np.array_equal(out.detach().numpy(), sent[-1]) and not torch.equal(out.detach(), net(x)[0])
    out.sum().backward()
    found = [each.weight.grad.clone() for each in net.layers]
    net.zero_grad()
    given = torch.from_numpy(sent[0]).requires_grad_()  # what the second layer was given by the chip
    net.layers[1](given)[0].sum().backward()
    (net.layers[0](x)[0] * given.grad).sum().backward()
    assert all(torch.allclose(each.weight.grad, grad, atol=1e-13) and grad.any() for each, grad in
               zip(net.layers, found, strict=True))


def test_training_with_the_chip_in_the_loop_mends_a_bad_chip():
    x, goal = spikes_in(25, 12), None
    teacher = bridge.Sequential(layer(), bridge.LeakyIntegratorLayer(6, 2, dtype=DOUBLE,
                                generator=torch.Generator().manual_seed(2)))
    with torch.no_grad():
        goal = teacher(x)[0]
    loop = bridge.ChipInTheLoop(teacher, lambda w: Memristor(weight_max=2.0, stuck_off=0.3, seed=1))
    adam = torch.optim.Adam(loop.parameters(), lr=0.08)
    losses = []
    for _ in range(15):
        adam.zero_grad()
        loss = ((loop(x) - goal) ** 2).mean()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert min(losses[-5:]) < 0.6 * losses[0]


# ---------------------------------------------------------------------------------------------------------------------
# What it buys
# ---------------------------------------------------------------------------------------------------------------------

CELL = Memristor(programming_noise=0.1, stuck_on=0.025, stuck_off=0.025)


def narrow(weights):
    """The range of the crossbar: two standard deviations of the weights, the few larger ones are clipped."""
    return CELL.replace(weight_max=float(2.0 * np.sqrt(np.mean(weights**2))))


def trained(x, y, *, aware):
    generator = torch.Generator().manual_seed(1)
    net = bridge.Sequential(
        bridge.LIFLayer(64, 40, tau_mem=10.0, surrogate=bridge.FastSigmoid(5.0), generator=generator),
        bridge.LeakyIntegratorLayer(40, 10, generator=generator))
    with torch.no_grad():
        net.layers[0].weight.mul_(2.0)
    used = bridge.layers_on(net, narrow) if aware else net
    adam = torch.optim.Adam([each for each in net.parameters() if each.requires_grad], lr=5e-3)
    for _ in range(12):
        for rows in torch.randperm(len(y), generator=generator).split(64):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(4.0 * used(x[:, rows])[0].mean(0), y[rows]).backward()
            adam.step()
    return net


def cells(device, chip):
    """The devices of one chip: others are stuck on another one."""
    return lambda weights: device(weights).replace(seed=chip)


def right(made, y):
    return float((made.mean(0).argmax(1) == y).mean())


def test_an_aware_network_loses_less_on_a_crossbar():
    X, y = load_digits(return_X_y=True)
    x = torch.from_numpy((np.random.default_rng(1).random((12, 900, 64)) < X[:900] / 32).astype(np.float32))
    y = torch.from_numpy(y[:900])
    lost = {}
    for aware in (False, True):
        net = trained(x[:, :600], y[:600], aware=aware)
        with torch.no_grad():
            ideal = right(net(x[:, 600:])[0].numpy(), y[600:].numpy())
        assert ideal > 0.75
        chips = [bridge.to_network(bridge.layers_on(net, cells(narrow if aware else CELL.fitted, chip))).run(
            x[:, 600:].numpy(), dtype="float32", seed=chip)[-1] for chip in range(2)]
        lost[aware] = ideal - np.mean([right(made, y[600:].numpy()) for made in chips])
    assert lost[False] > 0.1 and lost[True] < 0.5 * lost[False], lost


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: bridge.OnDevice(torch.nn.Linear(2, 2), Memristor()), ParameterError, "must be a layer with weights"),
    (lambda: bridge.OnDevice(layer(), 3), ParameterError, "must be a device layer or a function that makes one"),
    (lambda: bridge.OnDevice(layer(), Memristor(), chips="some"), ParameterError, "must be 'any' or 'this', got"),
    (lambda: bridge.OnDevice(layer(), lambda w: 3)(spikes_in(3, 1)), ParameterError, "one of an array of weights"),
    (lambda: bridge.OnDevice(layer(80, 60), BitFlips(rate=0.5))(spikes_in(3, 1, 80)), UnsupportedError,
     "BitFlips made weights infinite or undefined"),
    (lambda: bridge.Activation(3), ParameterError, "must be callable, got 3"),
    (lambda: bridge.BoundedActivation(clipped_relu, -1.0), ParameterError, "must be a finite number > 0"),
    (lambda: bridge.to_network(bridge.Sequential(bridge.Activation(torch.tanh), layer())), UnsupportedError,
     "the core has no Activation"),
])
def test_bad_input_gets_one_sentence(make, error, message):
    with pytest.raises(error, match=message):
        make()
