"""Random networks of everything there is: parts, pieces, state and new settings change no bit, and no index is wrong.

`random_networks.py` makes a hundred of another kind, and says what must not change a bit of them.

`make test-checked` runs them with NEUROSIM_CHECK=1, where each index of each compiled loop is checked; every model,
receptor and rule occurs in one of them.
"""

import numpy as np
import pytest
from random_networks import broken
from test_every_device import DEVICES, IMPERFECT
from test_every_model import RECEPTORS, SCHEMES, WEIGHTS
from test_every_rule import RULES, bounds, composed, target_of

import neurosim as ns
from learning_rules import PairSTDP

DT, SIZE, DURATION = 0.5, 300, 25.0  # SIZE: more than two groups of 128, so that three parts share a population
NETWORKS = 8
CONNECTIONS = (ns.AllToAll(), ns.FixedProbability(0.1), ns.FixedInDegree(7), ns.FixedOutDegree(5), ns.FixedTotal(400))


def dealt(items, number):
    """A share of the items, in another order for each of the networks, so that all networks together have all."""
    order = np.random.default_rng(len(items)).permutation(len(items))
    return [items[k] for k in order[number::NETWORKS]]


def given_spikes(rng, size, n=200):
    return ns.Spikes(ticks=rng.integers(1, round(DURATION / DT) + 1, n), ids=rng.integers(0, size, n), size=size, dt=DT,
                     duration=DURATION)


def scale_of(model):
    return 0.05 if model.current_unit == "mV/ms" else 1.0


def network(number):
    """Populations that drive each other, one for each model of this share, learning and devices between them."""
    rng = np.random.default_rng(number)
    net = ns.Network()
    source = net.add(ns.SpikeSource(given_spikes(rng, 50)), name="source")
    noise = net.add(ns.Poisson(rate=80.0), SIZE, name="noise")
    rewards = net.add(ns.Poisson(rate=60.0), 2, name="rewards")
    level = net.add(ns.LeakyIntegrator(tau_mem=30.0, v_leak=0.01), 1, name="level")
    net.connect(rewards, level, weight=0.05, delay=DT)
    groups = [noise]
    for turn, model in enumerate(dealt(SCHEMES, number)):
        cells = net.add(model, int(rng.integers(3, SIZE)) if turn else SIZE, name=f"cells {turn}")
        net.drive(cells, ns.OUCurrent(mean=20.0 if scale_of(model) < 1 else 800.0, std=2.0, tau=5.0))
        receptor = RECEPTORS[(number + 2 * turn) % len(RECEPTORS)]
        weight = WEIGHTS[receptor.effect] * (1.0 if receptor.effect == "jump" else scale_of(model))
        for group in groups[-2:]:
            net.connect(group, cells, CONNECTIONS[rng.integers(1, len(CONNECTIONS))],
                        weight=ns.Normal(weight, 0.2 * weight, low=0.0), delay=ns.Uniform(0.5, 6.0), receptor=receptor,
                        release=ns.TsodyksMarkram(tau_rec=50.0) if turn == 1 else None)
        if model.spiking:
            net.record(cells)
            groups.append(cells)
        net.record(cells, "v", every=2.0, ids=[0, cells.size - 1])
    for turn, cls in enumerate(dealt(RULES, number)):
        rules = composed(cls)
        low, high = bounds(rules)
        cells = net.add(target_of(cls), SIZE if turn else 7, name=f"taught {turn}")
        signals = {name: rewards if any(rule.on_modulator is not None for rule in rules) else (level, "v")
                   for rule in rules for name in rule.modulators}
        net.connect(source, cells, CONNECTIONS[rng.integers(len(CONNECTIONS))], weight=ns.Uniform(low, high),
                    delay=ns.Uniform(0.5, 6.0), plasticity=rules, modulators=signals, name=f"learning {turn}",
                    device=device_of(2 * number + turn, rules) if high <= 1.0 else None)
        net.record(cells)
    return net


def device_of(number, rules):
    """One of all devices that have a single weight and no parameter of a name that the rules have."""
    taken = {name for rule in rules for name in rule.parameters}
    names = [name for name, device in DEVICES.items() if name != "SFQSynapses" and not taken & set(device.parameters)]
    name = names[number % len(names)]
    return DEVICES[name](**IMPERFECT[name])


def seen(sim):
    found = {name: array.tobytes() for name, array in sim.state().arrays.items()}
    return found | {cells.name: sim.spikes(cells).fingerprint() for cells in sim.net.populations
                    if cells.spiking and cells.name.startswith(("cells", "taught"))}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::neurosim.errors.NeurosimWarning")
@pytest.mark.parametrize("number", range(NETWORKS))
def test_parts_pieces_and_state_change_no_bit(number):
    net, half = network(number), 13 * DT
    settings = {"dt": DT, "seed": number, "dtype": ["float32", "float64"][number % 2]}
    settings |= {"packed": True} if number % 4 == 2 else {}
    whole, sim = ns.Simulation(net, threads=1, **settings), ns.Simulation(net, threads=3, **settings)
    whole.run(DURATION)
    sim.run(half)
    state = sim.state()
    sim.run(DURATION - half)
    assert seen(sim) == seen(whole)
    sim.restore(state)
    sim.run(DURATION - half)
    assert seen(sim) == seen(whole)
    for each in (sim, whole):  # more spikes in a tick than there was room for
        each.give("source", given_spikes(np.random.default_rng(number), 50, n=4000))
        each.run(DURATION)
    assert seen(sim) == seen(whole)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 100, 10))
def test_promises_are_kept_by_a_hundred_networks(first):
    assert {number: found for number in range(first, first + 10) if (found := broken(number))} == {}


def test_all_there_is_occurs():
    nets = [network(number) for number in range(NETWORKS)]
    projections = [projection for net in nets for projection in net.projections]
    assert {type(cells.model) for net in nets for cells in net.populations} >= {type(model) for model in SCHEMES}
    assert {type(p.receptor) for p in projections} >= {type(receptor) for receptor in RECEPTORS}
    assert {type(rule) for p in projections for rule in p.plasticity} >= set(RULES)


@pytest.mark.slow
@pytest.mark.parametrize("release, rule", [(ns.TsodyksMarkram(tau_rec=50.0), None), (None, PairSTDP())],
                         ids=["release", "rule"])
def test_without_ticks_pieces_state_and_spikes_given_later_change_no_bit(release, rule):
    rng = np.random.default_rng(5)
    net = ns.Network()
    source = net.add(ns.SpikeSource(given_spikes(rng, 50)), name="source")
    cells = net.add(ns.LIF(tau_mem=15.0, t_ref=1.0, i_bias=ns.Uniform(100.0, 220.0)), 60, name="cells")
    net.connect(source, cells, ns.FixedProbability(0.3), weight=0.4, delay=ns.Uniform(0.5, 6.0), release=release,
                plasticity=rule)
    net.connect(cells, cells, ns.FixedInDegree(5), weight=0.1, delay=1.5, receptor=ns.ExponentialCurrent(3.0))
    net.record(cells)
    whole, sim = ns.Simulation(net, mode="event", seed=1), ns.Simulation(net, mode="event", seed=1)
    whole.run(DURATION)
    sim.run(6.3)
    state = sim.state()
    for _ in range(2):
        sim.restore(state)
        sim.run(DURATION - 6.3)
        assert seen(sim) == seen(whole)
    for each in (sim, whole):
        each.give("source", given_spikes(np.random.default_rng(6), 50, n=4000))
        each.run(DURATION)
    assert seen(sim) == seen(whole) and len(whole.spikes("cells")) > 50
