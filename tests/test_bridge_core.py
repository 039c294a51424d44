"""Trained layers and snnTorch's modules in the core: the same spikes at the same steps, in float64 all of them."""

import warnings

import numpy as np
import pytest

import neurosim as ns

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from neurosim import bridge  # noqa: E402
from neurosim.errors import ParameterError, UnsupportedError  # noqa: E402

GENERATOR = torch.Generator()


def layer(cls, n_in, n_out, *, bias=False, **options):
    made = cls(n_in, n_out, dtype=torch.float64, bias=bias, generator=GENERATOR, **options)
    with torch.no_grad():
        made.weight.mul_(2.5)
        if bias:
            made.bias.uniform_(-0.05, 0.1, generator=GENERATOR)
    return made


NETS = {
    "jumps": lambda: [layer(bridge.LIFLayer, 8, 12, bias=True, recurrent=True, v_initial=0.4),
                      layer(bridge.LIFLayer, 12, 10, reset="subtract", t_ref=2.0),
                      layer(bridge.LIFLayer, 10, 9, bias=True, reset="subtract", reset_by=1.05, v_initial=0.3,
                            tau_mem=np.linspace(5.0, 20.0, 9)),
                      layer(bridge.LeakyIntegratorLayer, 9, 2, bias=True, v_initial=0.1)],
    "adaptive": lambda: [layer(bridge.AdaptiveLIFLayer, 8, 12, bias=True, recurrent=True, theta_initial=0.2,
                               tau_theta=30.0),
                         layer(bridge.AdaptiveLIFLayer, 12, 10, reset="subtract", reset_by=0.9)],
    "currents": lambda: [layer(bridge.CurrentLIFLayer, 8, 12, bias=True, recurrent=True, i_initial=0.2, v_initial=0.1,
                               r=8.0),
                         layer(bridge.CurrentLIFLayer, 12, 10, reset="subtract", reset_by=1.2, r=12.0, tau_syn=20.0,
                               tau_mem=20.0, t_ref=1.0)],
    "same tick": lambda: [layer(bridge.SynapticLayer, 8, 12, bias=True, recurrent=True, i_initial=0.2, v_initial=0.1),
                          layer(bridge.SynapticLayer, 12, 10, reset="subtract", reset_by=1.1, t_ref=1.0)],
}


def spikes_in(ticks, samples, n=8, seed=3):
    return (torch.rand(ticks, samples, n, generator=torch.Generator().manual_seed(seed)) < 0.3).double()


@pytest.mark.parametrize("name", NETS)
def test_the_core_sends_the_spikes_of_the_layers(name):
    GENERATOR.manual_seed(3)
    net, x = bridge.Sequential(*NETS[name]()), spikes_in(60, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = bridge.to_network(net).run(x.numpy())
    with torch.no_grad():
        for one, made in zip(net.layers, found, strict=True):
            x, _ = one(x)
            if one.spiking:
                assert 0.02 < x.mean() < 0.5
                assert np.array_equal(made, x.numpy())
            else:
                assert np.allclose(made, x.numpy(), rtol=1e-13, atol=1e-13)


def test_the_network_can_be_run_by_hand():
    GENERATOR.manual_seed(3)
    one = layer(bridge.LIFLayer, 8, 5)
    x = spikes_in(30, 1)
    core = bridge.to_network(one)
    sim = ns.Simulation(core.network, dt=core.dt, dtype="float64")
    (result,) = sim.run_batch([core.sample(x[:, 0].numpy())], core.ticks(30) * core.dt)
    steps = result.spikes("layer1").ticks - 3  # layer k does step t at tick t + 2 + k
    assert np.array_equal(np.unique(steps), np.flatnonzero(one(x)[0][:, 0].detach().numpy().any(axis=1)))


def test_the_event_driven_mode_takes_the_amount_of_the_reset():
    def spikes(**options):
        net = ns.Network()
        cell = net.add(bridge.UnitlessLIF(tau_mem=10.0, reset="subtract", **options), 1, name="cell")
        net.drive(cell, ns.InjectedCurrent(15.0))  # rest at 1.5: from v0 it takes 10 ln((1.5 - v0) / 0.5) ms
        net.record(cell)
        sim = ns.Simulation(net, mode="event")
        sim.run(60.0)
        return np.diff(sim.spikes(cell).times)

    assert np.allclose(spikes(v_step=0.5), 10 * np.log((1.5 - 0.5) / 0.5), rtol=1e-9)
    assert np.allclose(spikes(), 10 * np.log(1.5 / 0.5), rtol=1e-9)


def test_weights_on_a_device_are_what_the_device_holds():
    from hardware_models.memristor import Memristor

    GENERATOR.manual_seed(3)
    one, x = layer(bridge.LIFLayer, 8, 12), spikes_in(40, 2).numpy()
    ideal = bridge.to_network(one).run(x)[0]
    core = bridge.to_network(one, device=Memristor(programming_noise=0.3))
    held = ns.Simulation(core.network, dt=1.0, dtype="float64", seed=1)
    weights = held.weights(core.network.projections[0])
    assert not np.array_equal(weights, one.weight.detach().numpy())
    assert not np.array_equal(core.run(x)[0], ideal)


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: bridge.to_network(torch.nn.Linear(2, 2)), ParameterError, "net must be a Layer or a Sequential of them"),
    (lambda: bridge.to_network(bridge.Sequential(torch.nn.Linear(2, 2))), UnsupportedError, "the core has no Linear"),
    (lambda: bridge.to_network(bridge.Sequential(bridge.LeakyIntegratorLayer(2, 2), bridge.LIFLayer(2, 2))),
     UnsupportedError, "a LeakyIntegratorLayer must be the last one"),
    (lambda: bridge.to_network(bridge.LIFLayer(2, 2, v_initial=2.0)), ParameterError, "would spike before the first"),
    (lambda: bridge.to_network(bridge.LIFLayer(2, 2)).run(np.full((3, 1, 2), 0.5)), ParameterError,
     "x must be whole numbers of spikes >= 0"),
    (lambda: bridge.from_snntorch(torch.nn.ReLU()), UnsupportedError, "module must hold"),
    (lambda: bridge.from_snntorch(torch.nn.Sequential(torch.nn.ReLU())), UnsupportedError,
     "ReLU '0' has no counterpart"),
    (lambda: bridge.from_snntorch("net"), ParameterError, "module must be a torch.nn.Module, got 'net'"),
])
def test_bad_input_gets_one_sentence(make, error, message):
    with pytest.raises(error, match=message):
        make()


# ---------------------------------------------------------------------------------------------------------------------
# snnTorch
# ---------------------------------------------------------------------------------------------------------------------

CASES = [(kind, mechanism, late, dense) for kind in ("Leaky", "RLeaky", "Synaptic", "RSynaptic")
         for mechanism, late in (("subtract", True), ("zero", True), ("zero", False))
         for dense in ((True, False) if kind.startswith("R") else (True,)) if late or kind != "RSynaptic"]


def peer(kind, n, dense=True, **options):
    snn = pytest.importorskip("snntorch", reason="snnTorch is not installed; the extra snntorch has it")
    options = {"beta": torch.linspace(0.8, 0.95, n)} | options
    if kind.endswith("Synaptic"):
        options |= {"alpha": 0.7, "beta": 0.9}
    if kind.startswith("R"):
        options |= {"linear_features": n} if dense else {"all_to_all": False, "V": torch.linspace(-0.5, 0.5, n)}
    return getattr(snn, kind)(**options)


def stepped(neuron, x):
    """Return what snnTorch's module sends step by step, its spikes being handed back in its own float type."""
    kind, none = type(neuron).__name__, torch.zeros(x.shape[1:], dtype=x.dtype)
    spikes, current, v, out = none, none, none, []
    for now in x:
        back = (spikes.to(x.dtype),) if kind.startswith("R") else ()
        if kind.endswith("Synaptic"):
            spikes, current, v = neuron(now, *back, current, v)
        else:
            spikes, v = neuron(now, *back, v)
        out.append(spikes.to(x.dtype))
    return torch.stack(out)


@pytest.mark.parametrize(("kind", "mechanism", "late", "dense"), CASES)
def test_snntorch_and_the_core_send_the_same_spikes(kind, mechanism, late, dense):
    pytest.importorskip("snntorch", reason="snnTorch is not installed; the extra snntorch has it")
    torch.manual_seed(5)
    theirs = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 20), peer(
        kind, 20, dense, reset_mechanism=mechanism, reset_delay=late)).double()
    x = spikes_in(120, 3)
    with torch.no_grad():
        theirs[1].weight.mul_(3.0)
        expected = stepped(theirs[2], theirs[1](x))
        net = bridge.from_snntorch(theirs, dt=1.0)
        assert torch.equal(net(x)[0], expected)
    assert 0.05 < expected.mean() < 0.6
    assert np.array_equal(bridge.to_network(net).run(x.numpy())[0], expected.numpy())


def test_two_layers_of_snntorch():
    torch.manual_seed(6)
    theirs = torch.nn.Sequential(torch.nn.Linear(8, 20), peer("Leaky", 20), torch.nn.Dropout(0.5),
                                 torch.nn.Linear(20, 6), peer("Synaptic", 6)).double()
    x = spikes_in(120, 3)
    with torch.no_grad():
        theirs[0].weight.mul_(3.0)
        hidden = stepped(theirs[1], theirs[0](x))
        expected = stepped(theirs[4], theirs[3](hidden))
    found = bridge.to_network(bridge.from_snntorch(theirs)).run(x.numpy())
    assert np.array_equal(found[0], hidden.numpy()) and np.array_equal(found[1], expected.numpy())
    assert expected.any()


@pytest.mark.parametrize(("options", "message"), [
    ({"inhibition": True}, "Leaky '1' must have inhibition=False"),
    ({"reset_delay": False}, "with False, 'subtract' raises the threshold"),
    ({"reset_mechanism": "none"}, "must be reset by 'subtract' or to 'zero'"),
    ({"graded_spikes_factor": 2.0}, "must have graded_spikes_factor=1"),
    ({"state_quant": lambda v: v}, "must have state_quant=False"),
    ({"beta": 1.0}, "must have 0 < beta < 1"),
])
def test_what_has_no_counterpart_is_named(options, message):
    with pytest.raises(UnsupportedError, match=message):
        bridge.from_snntorch(torch.nn.Sequential(torch.nn.Linear(3, 3), peer("Leaky", 3, **options)))


def test_an_option_of_rsynaptic_without_effect_is_refused():
    with pytest.raises(UnsupportedError, match="False is without effect in snnTorch 1.0.0"):
        bridge.from_snntorch(torch.nn.Sequential(torch.nn.Linear(3, 3), peer(
            "RSynaptic", 3, reset_mechanism="zero", reset_delay=False)))
