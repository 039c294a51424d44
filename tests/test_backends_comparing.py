"""Faults that are other simulators' own settings: Brian2's, NEST's and snnTorch's are named rightly."""

import numpy as np
import pytest

import neurosim as ns

DT, DURATION, SEED = 0.1, 60.0, 1
pytestmark = [pytest.mark.filterwarnings("ignore::neurosim.errors.NeurosimWarning"),
              pytest.mark.filterwarnings("ignore::DeprecationWarning:(brian2|pyparsing)")]


def network(receptors=None, **model):
    net, given = ns.Network(), receptors or (ns.Delta(), ns.Delta())
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=-45.0, v_reset=-60.0, v_threshold=-50.0, t_ref=2.0, **model), 200,
                    name="cells", initial={"v": ns.Uniform(-60.0, -50.0)})
    scale = 12.0 if receptors else 1.0
    for part, weight, receptor in ((cells[:160], 0.7, given[0]), (cells[160:], -1.2, given[1])):
        net.connect(part, cells, ns.FixedProbability(0.1), weight=weight * scale, delay=ns.Uniform(0.2, 2.0),
                    receptor=receptor)
    net.record(cells)
    return net


def ours(net):
    sim = ns.Simulation(net, dt=DT, seed=SEED, dtype="float64")
    sim.run(DURATION)
    return sim


def by_hand(net, forget, currents=False) -> ns.Spikes:
    """Return the spikes of a network written for Brian2 by hand, with some of its settings left as Brian2 has them."""
    b2 = pytest.importorskip("brian2", reason="Brian2 is not installed: pip install -e '.[brian2]'")
    b2.prefs.codegen.target = "numpy"
    numbers = ns.resolve(net, DT, SEED)
    cells = numbers.populations["cells"]
    flag, dt = " (unless refractory)", DT * b2.ms
    on_currents = flag if "currents that are flagged" in forget else ""
    equations = f"dv/dt = (-45 - v) / (20*ms) : 1{'' if 'v that is flagged' in forget else flag}"
    if currents:
        equations = f"""dv/dt = (-45 - v + 0.1 * (g0 + g1)) / (20*ms) : 1{flag}
            dg0/dt = -g0 / (4*ms) : 1{on_currents}
            dg1/dt = -g1 / (9*ms) : 1{on_currents}"""
    held = 2.0 if "refractory" in forget else 2.0 + DT
    group = b2.NeuronGroup(200, equations, threshold="v > -50", reset="v = -60", refractory=held * b2.ms, dt=dt,
                           method="exact")
    group.v = cells.initial["v"]
    net_of_brian2 = b2.Network(group)
    for number, each in enumerate(numbers.projections.values()):
        variable = f"g{number}" if currents else "v"
        synapses = b2.Synapses(group, group, "w : 1", on_pre=f"{variable}_post += w", dt=dt)
        synapses.connect(i=each.source.astype(int), j=each.target.astype(int))
        synapses.w = each.values["weight"]
        synapses.delay = (np.asarray(each.delay) - (0.0 if "delay" in forget else DT)) * b2.ms
        net_of_brian2.add(synapses)
    monitor = b2.SpikeMonitor(group)
    net_of_brian2.add(monitor)
    if "schedule" not in forget:
        net_of_brian2.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    net_of_brian2.run(DURATION * b2.ms, namespace={})
    ticks = np.rint(monitor.t / dt).astype(int) + (0 if "labels" in forget else 1)
    return ns.Spikes(ticks=ticks[ticks > 0], ids=np.asarray(monitor.i)[ticks > 0], size=200, dt=DT, duration=DURATION)


@pytest.mark.parametrize(("forget", "kinds"), [
    ([], []), (["labels"], ["time stamps"]), (["delay"], ["delays"]), (["refractory"], ["refractory time"]),
    (["schedule", "delay"], ["order within a tick"]), (["schedule"], ["order within a tick", "delays"]),
    (["v that is flagged"], ["arrivals during refractoriness"]),
    (["schedule", "delay", "refractory", "labels"], ["time stamps", "order within a tick", "refractory time"])])
def test_settings_of_brian2_that_were_forgotten_are_named(forget, kinds):
    net = network()
    found = ns.compare(ours(net), by_hand(net, forget), names=("neurosim", "Brian2"))
    assert [cause.name for cause in found.causes[1]] == kinds and found.causes[0] == () and found.why == ""
    assert found.equal == (not kinds)


@pytest.mark.parametrize(("forget", "kinds"), [
    (["schedule", "delay"], []), (["currents that are flagged"], ["arrivals during refractoriness"]),
    (["refractory", "labels"], ["time stamps", "refractory time"])])
def test_the_same_of_currents(forget, kinds):
    net = network((ns.ExponentialCurrent(4.0), ns.ExponentialCurrent(9.0)))
    found = ns.compare(ours(net), by_hand(net, forget, currents=True))
    assert [cause.name for cause in found.causes[1]] == kinds and found.why == ""


def test_order_and_delay_are_told_together_where_they_are_the_same():
    net = network((ns.ExponentialCurrent(4.0), ns.ExponentialCurrent(9.0)))
    found = ns.compare(ours(net), by_hand(net, ["schedule"], currents=True))
    assert {found.cause, *(cause.name for cause in found.also)} == {"order within a tick", "delays"}


@pytest.mark.parametrize(("change", "kind"), [
    ({"refractory_input": True}, "arrivals during refractoriness"), ({"t_ref": 2.1}, "refractory time"),
    ({"V_reset": -45.0 - 20.0}, "unknown"), ({}, "")])
def test_options_of_nest_are_named(change, kind):
    nest = pytest.importorskip("nest", reason="NEST is not installed: pip install -e '.[nest]'")
    net = network()
    numbers = ns.resolve(net, DT, SEED)
    nest.ResetKernel()
    nest.resolution = DT
    cells = nest.Create("iaf_psc_delta", 200, {"tau_m": 20.0, "E_L": -45.0, "V_reset": -60.0, "V_th": -50.0,
                                               "t_ref": 2.0, **change})
    cells.V_m = numbers.populations["cells"].initial["v"].tolist()
    for each in numbers.projections.values():
        nest.Connect(cells[0].global_id + each.source, cells[0].global_id + each.target, "one_to_one",
                     {"weight": np.broadcast_to(each.values["weight"], each.source.size), "delay": each.delay})
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Simulate(DURATION + DT)
    ticks = np.rint(recorder.events["times"] / DT).astype(int)
    inside = ticks <= round(DURATION / DT)
    other = ns.Spikes(ticks=ticks[inside], ids=recorder.events["senders"][inside] - cells[0].global_id, size=200,
                      dt=DT, duration=DURATION)
    found = ns.compare(ours(net), other, names=("neurosim", "NEST"))
    assert found.cause == kind, str(found)


@pytest.mark.parametrize(("options", "tau", "kinds"), [
    ({"reset_delay": False}, None, []), ({}, None, ["reset"]),
    ({"reset_delay": False}, "1 - dt / tau", ["tau from 1 - beta"]),
    ({"reset_delay": False, "reset_mechanism": "zero"}, None, ["reset"])])
def test_layers_of_snntorch_are_named(options, tau, kinds):
    snntorch = pytest.importorskip("snntorch", reason="snnTorch is not installed: pip install -e '.[snntorch]'")
    import torch

    rng, ticks = np.random.default_rng(2), 300
    raster, weights = rng.random((ticks, 30)) < 0.1, rng.uniform(0.0, 0.2, (30, 40))
    given = ns.Spikes.from_dense(raster, 1.0)
    net = ns.Network()
    source = net.add(ns.SpikeSource(given), name="source")
    cells = net.add(ns.LIF(tau_mem=8.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, reset="subtract"), 40, name="cells")
    net.connect(source, cells, ns.AllToAll(), weight=weights, delay=1.0)
    net.record(cells)
    sim = ns.Simulation(net, dt=1.0, dtype="float64")
    sim.run(float(ticks))
    beta = 1.0 - 1.0 / 8.0 if tau else float(np.exp(-1.0 / 8.0))
    layer = snntorch.Leaky(beta=torch.tensor(beta, dtype=torch.float64), **options)
    membrane, out = torch.zeros(40, dtype=torch.float64), []
    for row in torch.tensor(raster, dtype=torch.float64) @ torch.tensor(weights):
        spikes, membrane = layer(row, membrane)
        out.append(spikes.numpy() > 0)
    late = np.concatenate([np.zeros((1, 40), bool), np.array(out)[:-1]])  # our source takes a tick, a torch layer none
    found = ns.compare(sim, ns.Spikes.from_dense(late, 1.0), names=("neurosim", "snnTorch"))
    assert [cause.name for cause in found.causes[1]] == kinds and found.equal == (not kinds), str(found)
