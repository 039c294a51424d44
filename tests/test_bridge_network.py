"""From networks of the core to layers: the same spikes, there and back, and what layers cannot express."""

import numpy as np
import pytest

import neurosim as ns

torch = pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")

from test_bridge_core import GENERATOR, NETS, spikes_in  # noqa: E402

from neurosim import bridge  # noqa: E402
from neurosim.errors import ParameterError, UnsupportedError  # noqa: E402

DT, TICKS = 0.5, 120


def described(model, receptor, weight, *, own=None, later=None):
    """Return a network with two populations behind given spikes, in mV and pA."""
    net = ns.Network()
    spikes = np.random.default_rng(1).random((TICKS, 10)) < 0.2
    source = net.add(ns.SpikeSource(ns.Spikes.from_dense(spikes, DT)), name="source")
    first, second = net.add(model, 12, name="first"), net.add(later or model, 7, name="second")
    net.connect(source, first, ns.FixedProbability(0.6), weight=ns.Normal(weight, 0.3 * weight), delay=DT,
                receptor=receptor)
    net.connect(source[2:5], first[3:9], weight=0.3 * weight, delay=DT, receptor=receptor, name="more")
    if own is not None:
        net.connect(first, first, ns.FixedProbability(0.3), weight=own, delay=DT, receptor=receptor)
    net.connect(first, second, ns.FixedInDegree(6), weight=0.8 * weight, delay=DT, receptor=receptor)
    for cells in (first, second):
        net.record(cells, "spikes" if cells.spiking else "v")
    return net, spikes


CASES = {
    "jumps": lambda: described(ns.LIF(tau_mem=ns.Uniform(8.0, 20.0), t_ref=1.0, v_reset=-72.0), ns.Delta(), 4.0,
                               own=-1.0),
    "subtraction": lambda: described(ns.LIF(reset="subtract"), ns.Delta(), 2.0, own=0.3),
    "currents": lambda: described(ns.LIF(c_mem=250.0), ns.ExponentialCurrent(ns.Uniform(2.0, 8.0)), 150.0, own=-20.0),
    "adaptive": lambda: described(ns.AdaptiveLIF(delta_theta=0.5, tau_theta=50.0), ns.Delta(), 5.0),
    "without units": lambda: described(bridge.UnitlessLIF(reset="subtract", v_step=0.9), ns.Delta(), 0.25),
    "bias": lambda: described(ns.LIF(i_bias=100.0, r=0.1), ns.Delta(), 3.0),
    "integrator": lambda: described(ns.LIF(), ns.Delta(), 4.0, later=ns.LeakyIntegrator(i_bias=30.0)),
}


@pytest.mark.parametrize("name", CASES)
def test_layers_send_the_spikes_of_a_network(name):
    net, given = CASES[name]()
    sim = ns.Simulation(net, dt=DT, seed=3, dtype="float64")
    sim.run(TICKS * DT)
    layers = bridge.from_network(net, dt=DT, seed=3)
    x = torch.from_numpy(given[:, None].astype(float))
    for k, (layer, cells) in enumerate(zip(layers.layers, ("first", "second"), strict=True), 1):
        x, _ = layer(x)
        made = x[:TICKS - k, 0].detach().numpy()  # x[t] was sent at tick t + 1; layer k does step t at t + 1 + k
        if layer.spiking:
            raster = sim.spikes(cells).to_dense().astype(float)[k:]
            assert 0.005 < raster.mean() < 0.7 and np.array_equal(raster, made), cells
        else:
            _, v = sim.trace(cells, "v")
            assert np.allclose(v[-len(made):], made, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", NETS)
def test_layers_come_back_from_the_core(name):
    GENERATOR.manual_seed(3)
    net, x = bridge.Sequential(*NETS[name]()), spikes_in(60, 3)
    core = bridge.to_network(net)
    back = bridge.from_network(core)
    with torch.no_grad():
        found, expected = back(x)[0], net(x)[0]
    assert torch.allclose(found, expected, rtol=0, atol=1e-12) and expected.any()
    for one, other in zip(core.run(x.numpy()), bridge.to_network(back).run(x.numpy()), strict=True):
        assert np.allclose(one, other, rtol=0, atol=1e-12)


def plain(**options):
    net = ns.Network()
    noise = net.add(ns.Poisson(20.0), 4, name="noise")
    cells = net.add(options.pop("model", ns.LIF()), 3, name="cells")
    net.connect(noise, cells, **{"weight": 1.0, "delay": 1.0, "name": "in"} | options)
    return net


def changed(change):
    net = plain()
    change(net, net["noise"], net["cells"])
    return net


@pytest.mark.parametrize(("make", "message"), [
    (lambda: plain(delay=2.0), "projection 'in' must have delays of one tick, 1 ms"),
    (lambda: plain(release=ns.TsodyksMarkram()), "projection 'in' must have no release"),
    (lambda: plain(receptor=ns.AlphaCurrent()), "projection 'in' must have a receptor of Delta"),
    (lambda: plain(model=ns.Izhikevich()), "population 'cells' must be of LIF, AdaptiveLIF"),
    (lambda: plain(model=ns.LIF(i_bias=200.0)), "must rest and start below its threshold"),
    (lambda: plain(model=ns.LeakyIntegrator(), receptor=ns.ExponentialCurrent()), "must take Delta to become a layer"),
    (lambda: changed(lambda net, noise, cells: net.connect(noise, cells, receptor=ns.ExponentialCurrent())),
     "population 'cells' must have one receptor"),
    (lambda: changed(lambda net, noise, cells: net.add(ns.LIF(), 2, name="alone")), "population 'alone' must lie on"),
    (lambda: changed(lambda net, noise, cells: net.add(ns.Poisson(1.0), 2, name="other")),
     "must have one source of spikes to become layers, got 2: 'noise', 'other'"),
    (lambda: changed(lambda net, noise, cells: net.connect(noise, net.add(ns.LIF(), 2, name="more"))),
     "population 'noise' must reach one population besides itself, as layers do, got cells, more"),
    (lambda: changed(lambda net, noise, cells: net.drive(cells, ns.PoissonDrive(rate=10.0, weight=1.0), name="rain")),
     "drive 'rain' must be an InjectedCurrent"),
    (lambda: changed(lambda net, noise, cells: net.couple(cells, cells, ns.Explicit([0], [1]), conductance=1.0,
                                                          name="gap")), "gap junctions 'gap'"),
])
def test_what_layers_cannot_express_is_named(make, message):
    with pytest.raises(UnsupportedError, match=message):
        bridge.from_network(make(), dt=1.0)


def test_plasticity_and_devices_are_named():
    from hardware_models.memristor import Memristor
    from learning_rules import PairSTDP

    for options, message in (({"plasticity": PairSTDP()}, "must have no plasticity"),
                             ({"device": Memristor()}, "must have no device")):
        with pytest.raises(UnsupportedError, match=message):
            bridge.from_network(plain(**options), dt=1.0)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: bridge.from_network(3, dt=1.0), "net must be a Network or what to_network made, got 3"),
    (lambda: bridge.from_network(plain()), "dt must be given in ms"),
    (lambda: bridge.from_network(plain(), dt=0.0), "dt must be a finite number > 0 ms"),
])
def test_bad_input_gets_one_sentence(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
