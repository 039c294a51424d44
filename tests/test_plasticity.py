"""Every part of the plasticity contract, in any composition, against an event-by-event reference in plain Python."""

import inspect

import numpy as np
import pytest
from shares import quick

import neurosim as ns
from neurosim.checks import Option, Parameter
from neurosim.contracts import Plasticity, Trace
from neurosim.maths import exp
from neurosim.neurons import State

DT = 0.1


class Pair(Plasticity):
    """Additive, with both traces."""

    tau_plus = Parameter(15.0, "ms", above=0, per_element=False)
    tau_minus = Parameter(25.0, "ms", above=0, per_element=False)
    a = Parameter(0.02, per_element=False)
    delay = Option("axonal", ("axonal", "dendritic"))
    source_traces = {"x": Trace("tau_plus")}
    target_traces = {"y": Trace("tau_minus")}

    @staticmethod
    def on_source(weight, y, a):
        return weight - a * y

    @staticmethod
    def on_target(weight, x, y, a):
        return weight + a * x + 0.1 * a * y


class Eligibility(Plasticity):
    """Keeps the changes of the rules before it, and hands them out when a population spikes."""

    tau_c = Parameter(40.0, "ms", above=0, per_element=False)
    state = {"c": State(0.0)}
    modulators = ("reward",)

    @staticmethod
    def between(elapsed, weight, c, tau_c):
        return weight, c * exp(-elapsed / tau_c)

    @staticmethod
    def on_change(change, c):
        return 0.0 * change, c + change

    @staticmethod
    def on_modulator(weight, c, reward):
        return weight + 0.3 * reward * c, c


class Scaling(Plasticity):
    """A slow pull, by the target's trace, gated by a continuous signal; with a memory of how long it waited."""

    tau_rate = Parameter(50.0, "ms", above=0, per_element=False)
    target_traces = {"rate": Trace("tau_rate")}
    modulators = ("level",)
    state = {"waited": State(0.0)}
    period = 5.0

    @staticmethod
    def on_period(weight, waited, rate, level, elapsed):
        return weight + 0.01 * level * (1.0 - rate), waited + elapsed


class Gate(Plasticity):
    """Lets changes through by a continuous signal."""

    modulators = ("level",)

    @staticmethod
    def on_change(change, weight, level):
        return change * (0.5 + 0.02 * level) * (2.0 - weight)


class Voltage(Plasticity):
    """Reads its target at its own spikes and at those of the source; counts the time between all events."""

    reads = ("v", "w")
    state = {"seen": State(0.0), "total": State(0.0)}

    @staticmethod
    def on_source(weight, seen, total, v, elapsed):
        return weight + 1e-4 * v, seen + 1.0, total + elapsed

    @staticmethod
    def on_target(weight, seen, total, w, elapsed):
        return weight + 1e-4 * w, seen, total + elapsed


class LateVoltage(Voltage):
    """The same with what one of the two variables was some time ago, at spikes and at the end of a period."""

    ago = Parameter(3.7, "ms", per_element=False)
    lags = {"v": "ago"}
    period = 2.5

    @staticmethod
    def on_target(weight, seen, total, v, w, elapsed):
        return weight + 1e-4 * (w + v), seen, total + elapsed

    @staticmethod
    def on_period(weight, seen, total, v, w):
        return weight + 1e-5 * (v - w), seen, total


class ModulatedTraces(Plasticity):
    """Takes both traces when a population spikes, and at the end of a period."""

    tau_plus = Parameter(15.0, "ms", above=0, per_element=False)
    tau_y = Parameter(30.0, "ms", above=0, per_element=False)
    source_traces = {"x": Trace("tau_plus")}
    target_traces = {"late": Trace("tau_y", nearest=True)}
    modulators = ("reward",)
    period = 2.5

    @staticmethod
    def on_modulator(weight, x, late, reward):
        return weight + 0.01 * reward * (x - late)

    @staticmethod
    def on_period(weight, x, late):
        return weight * 0.999 + 1e-3 * (x - late)


class Plain(Pair):
    """Without the target's trace in the answer to its spike, so that the short way is taken."""

    @staticmethod
    def on_target(weight, x, a):
        return weight + a * x


CASES = {
    "plain": [Plain()],
    "plain dendritic": [Plain(delay="dendritic")],
    "dendritic": [Pair(delay="dendritic")],
    "one dendritic": [Pair(delay="dendritic")],
    "eligibility": [Pair(), Eligibility()],
    "dendritic eligibility": [Pair(delay="dendritic"), Eligibility()],
    "scaling": [Pair(), Scaling()],
    "gated": [Pair(), Gate(), Scaling()],
    "voltage": [Voltage()],
    "late voltage": [LateVoltage()],
    "modulated": [ModulatedTraces(), Pair()],
    "three": [Pair(), Eligibility(), Gate(), Scaling()],
}


DELAYS = {"plain dendritic": 1.5, "one dendritic": 2.5}  #: of one delay; the others have many


def network(rules, n=120, delay=None):
    net = ns.Network()
    rng = np.random.default_rng(4)
    ticks, ids = np.divmod(np.unique(rng.integers(40, 3000 * 40, 1500)), 40)
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=ticks, ids=ids.astype(np.uint32), size=40, duration=300.0, dt=DT)),
                    name="given")
    cells = net.add(ns.AdaptiveLIF(tau_mem=20.0, t_ref=2.0, i_bias=ns.Uniform(140.0, 260.0)) if
                    all("w" not in rule.reads for rule in rules) else
                    ns.AdExIF(i_bias=ns.Uniform(600.0, 900.0)), n, name="cells")
    reward = net.add(ns.Poisson(rate=2.0), 30, name="reward")
    level = net.add(ns.LeakyIntegrator(tau_mem=30.0), 1, name="level", initial={"v": 3.0})
    net.connect(reward, level, weight=2.0, delay=1.0)
    signals = {"reward": reward, "level": (level, "v")}
    wanted = {name: signals[name] for rule in rules for name in rule.modulators}
    net.connect(given, cells, ns.FixedProbability(0.2), weight=ns.Uniform(0.4, 0.6),
                delay=ns.Uniform(0.5, 4.0) if delay is None else delay, plasticity=rules, modulators=wanted, name="p")
    for population in (given, cells, reward):
        net.record(population)
    net.record(level, "v")
    for name in ("v", "w") if rules and any(rule.reads for rule in rules) else ():
        net.record(cells, name)
    return net


def called(body, known):
    result = body(**{name: known[name] for name in inspect.signature(body).parameters})
    return list(result) if isinstance(result, tuple) else [result]


class Reference:
    """One synapse, event by event, in Python's own floats."""

    def __init__(self, rules, weight):
        self.rules, self.weight, self.last = rules, weight, 0
        self.state = [{name: s.initial for name, s in rule.state.items()} for rule in rules]
        self.traces = {(side, name): [0.0, 0, trace, rule] for rule in rules for side in ("source", "target")
                       for name, trace in getattr(rule, f"{side}_traces").items()}

    def known(self, tick, extra, elapsed):
        values = {"weight": self.weight, "elapsed": elapsed, **extra}
        for (_, name), (value, since, trace, rule) in self.traces.items():
            values[name] = value * np.exp((since - tick) * DT / getattr(rule, trace.tau))
        return values

    def event(self, body, tick, extra):
        elapsed, self.last = (tick - self.last) * DT, tick
        for name in ("between", body):
            for number, rule in enumerate(self.rules):
                if getattr(rule, name, None) is None or (name == "on_period" and tick % round(rule.period / DT)):
                    continue
                self.ask(number, rule, getattr(rule, name), tick, extra, elapsed)

    def ask(self, number, rule, body, tick, extra, elapsed):
        known = self.known(tick, extra, elapsed)
        asked, *state = called(body, {**rule.values(), **known, **self.state[number]})
        self.state[number].update(zip(rule.state, state, strict=True))
        change = asked - self.weight
        for gate, owner in list(enumerate(self.rules))[number + 1:]:
            if owner.on_change is not None and body is not rule.between:
                known = self.known(tick, extra, elapsed) | {"change": change}
                change, *state = called(owner.on_change, {**owner.values(), **known, **self.state[gate]})
                self.state[gate].update(zip(owner.state, state, strict=True))
        self.weight += change

    def spike(self, side, tick):
        for (whose, _), entry in self.traces.items():
            if whose == side:
                value, since, trace, rule = entry
                decayed = value * np.exp((since - tick) * DT / getattr(rule, trace.tau))
                entry[:2] = [1.0 if trace.nearest else decayed + 1.0, tick]


def late(values, rules, name):
    """What a variable was, tick by tick from the start, as long ago as the rules read it."""
    ago = max(round(getattr(rule, rule.lags[name]) / DT) if name in rule.lags else 0 for rule in rules)
    return np.concatenate([np.repeat(values[:1], ago, axis=0), values])[:len(values)]


def expected(sim, rules):
    """Weights and synapse variables by the order of events that the contract states."""
    s, given, cells = sim.synapses("p"), sim.spikes("given"), sim.spikes("cells")
    reward = sim.spikes("reward").ticks
    level = np.concatenate([[3.0], sim.trace("level", "v")[1][:, 0][-sim.tick:]])
    read = {name: late(sim.trace("cells", name)[1], rules, name) for name in ("v", "w")} if any(
        r.reads for r in rules) else {}
    start = ns.Simulation(sim.net, DT, dtype="float64", seed=5).weights("p")
    dendritic = any(rule.delay == "dendritic" for rule in rules)
    periods = {t for rule in rules if rule.on_period for t in range(0, sim.tick + 1, round(rule.period / DT)) if t}
    found = []
    for k in range(s.source.size):
        delay = round(s.delay[k] / DT)
        lag = 2 * delay if dendritic else 0
        events = [(t + delay, 1, "on_source") for t in given.ticks[given.ids == s.source[k]]]
        events += [(t + lag, 0 if dendritic else 2, "on_target") for t in cells.ticks[cells.ids == s.target[k]]]
        if any(rule.on_modulator for rule in rules):
            events += [(t + 1, 3, "on_modulator") for t in np.unique(reward)]
        events += [(t, 4, "on_period") for t in periods]
        synapse = Reference(rules, start[k])
        met = None
        for tick, _, body in sorted(events):
            if tick > sim.tick:
                continue
            extra = {"level": level[tick - 1], "reward": float((reward == tick - 1).sum())}
            extra |= {name: values[tick - (body == "on_source"), s.target[k]] for name, values in read.items()}
            if body == "on_target" and not any(rule.on_target for rule in rules):
                synapse.spike("target", tick)
                continue
            if body == "on_target":
                synapse.event(body, tick, extra)
                met = tick if dendritic else None  # one that meets an arrival counts after it for the traces
                if not dendritic or (tick, 1, "on_source") not in events:
                    synapse.spike("target", tick)
            else:
                if any(getattr(rule, body) for rule in rules) or body == "on_source":
                    synapse.event(body, tick, extra)
                if body == "on_source":
                    synapse.spike("source", tick)
                    if met == tick:
                        synapse.spike("target", tick)
        synapse.event("look", sim.tick, {})
        found.append([synapse.weight, *(v for state in synapse.state for v in state.values())])
    return np.array(found).T


@pytest.mark.parametrize("name", quick(("plain",), CASES))
def test_any_composition_does_what_a_plain_reference_does(name):
    rules = CASES[name]
    sim = ns.Simulation(network(rules, delay=DELAYS.get(name)), DT, dtype="float64", seed=5)
    sim.run(110.0)
    sim.run(70.0)
    assert len(sim.spikes("cells")) > 300 and len(sim.spikes("reward")) > 3
    synapses = sim.synapses("p")
    names = ["weight", *(name for rule in rules for name in rule.state)]
    assert np.std(synapses.weight) > 0.05 / 3
    for variable, values in zip(names, expected(sim, rules), strict=True):
        np.testing.assert_allclose(getattr(synapses, variable), values, rtol=1e-9, atol=1e-9, err_msg=variable)


def outcome(name, pieces, threads, restore_at=None):
    sim = ns.Simulation(network(CASES[name], n=300, delay=DELAYS.get(name)), DT, seed=5, threads=threads)
    for k, piece in enumerate(pieces):
        sim.run(piece)
        if k == restore_at:
            other = ns.Simulation(sim.net, DT, seed=5, threads=3 - threads)
            other.restore(sim.state())
            sim = other
    return sim.synapses("p")


@pytest.mark.parametrize("name", quick(("plain dendritic",), CASES))
def test_threads_pieces_and_checkpoints_change_no_bit(name):
    synapses = outcome(name, [150.0], 1)
    for pieces, threads, restore_at in (([0.1, 50.3, 74.1, 25.5], 2, None), ([33.3, 66.7, 50.0], 2, 1),
                                        ([90.0, 60.0], 1, 0)):
        other = outcome(name, pieces, threads, restore_at)
        for variable, values in vars(synapses).items():
            np.testing.assert_array_equal(values, getattr(other, variable), err_msg=f"{variable} {pieces} {threads}")


class Drift(Plasticity):
    """w' = c, c' = -c / tau, from c = 1 at each arrival."""

    tau = Parameter(20.0, "ms", above=0, per_element=False)
    state = {"c": State(0.0)}

    @staticmethod
    def between(elapsed, weight, c, tau):
        left = c * exp(-elapsed / tau)
        return weight + (c - left) * tau, left

    @staticmethod
    def on_source(weight, c):
        return weight, c * 0.0 + 1.0


@pytest.mark.slow
def test_a_look_sees_what_goes_on_by_itself_and_changes_no_bit():
    sims = []
    for looks in (True, False):
        net = ns.Network()
        given = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0, 50.0], [0, 0], size=1, duration=60.0, dt=DT)))
        cell = net.add(ns.LIF(), 1)
        p = net.connect(given, cell, weight=2.0, delay=1.0, plasticity=Drift(), name="p")
        if looks:
            net.record(p, "weight", every=10.0)
        sim = ns.Simulation(net, DT, dtype="float64")
        for _ in range(6):
            sim.run(5.0)
            if looks:
                grown = 20.0 * (1 - np.exp(-(sim.time - 2.0) / 20.0))
                assert sim.weights("p")[0] == pytest.approx(2.0 + grown, rel=1e-12)
        sim.run(40.0)
        sims.append(sim)
    assert sims[0].trace("p", "weight")[1][:2, 0] == pytest.approx([2.0, 2.0 + 20.0 * (1 - np.exp(-8.0 / 20.0))])
    assert sims[0].weights("p")[0] == sims[1].weights("p")[0] != 2.0


def test_what_a_projection_cannot_carry_is_refused_by_name():
    with pytest.raises(ns.ParameterError, match="modulators of projection 'a -> b' must be reward, .* got none"):
        net = ns.Network()
        a, b = (net.add(ns.LIF(), 2, name=name) for name in "ab")
        net.connect(a, b, plasticity=Eligibility())
    with pytest.raises(ns.ParameterError, match="must be none.*got dopamine"):
        net.connect(a, b, plasticity=Pair(), modulators={"dopamine": a})
    with pytest.raises(ns.NetworkError, match=r"one neuron, got 2 of 'b'; take a part such as b\[0:1\]"):
        net.connect(a, b, plasticity=Gate(), modulators={"level": (b, "v")})
    with pytest.raises(ns.NetworkError, match="variable of 'b', one of v.*got 'ca'"):
        net.connect(a, b, plasticity=Gate(), modulators={"level": (b, "ca")})
    with pytest.raises(ns.UnsupportedError, match=r"agree on where its delay lies.*Pair\(delay='axonal'\)"):
        net.connect(a, b, plasticity=[Pair(), Pair(delay="dendritic")])
    with pytest.raises(ns.ParameterError, match="plasticity must be a Plasticity or a list of them, got 3"):
        net.connect(a, b, plasticity=[3])
    net.connect(a, b, plasticity=Pair(delay="dendritic"), delay=20.0, name="late")
    net2 = ns.Network()
    a, b = net2.add(ns.LIF(), 2, name="a"), net2.add(ns.LIF(t_ref=0.0), 2, name="b")
    net2.connect(a, b, plasticity=Pair(delay="dendritic"), delay=ns.Uniform(1.0, 20.0), name="late")
    with pytest.raises(ns.UnsupportedError, match="'late': with a dendritic delay of up to .* ms its target must be"):
        ns.Simulation(net2, DT)


class Bad(Plasticity):
    """Makes weights that are no numbers."""

    @staticmethod
    def on_source(weight):
        return weight * 0.0 / 0.0


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"dt": DT}, {"mode": "event"}], ids=["clocked", "event"])
def test_weights_that_are_no_numbers_stop_the_run_and_name_the_projection(how):
    net = network([Bad()])
    net.recorders.pop()  # of every tick, which the event-driven mode has not
    with pytest.raises(ns.SimulationError, match="a weight of projection 'p' became nan at or before t = "):
        ns.Simulation(net, **how).run(30.0)


def test_rules_that_read_one_variable_at_two_times_are_refused():
    for rules, message in (([Voltage(), Later()], "'p': its rules must read 'v' of the target as it was at one time, "
                            "got 0 and 3.7 ms ago"),
                           ([Voltage(), Later(ago=0.33)], "Later.ago must be a multiple of dt = 0.1 ms and >= 0 ms, "
                            "got 0.33")):
        with pytest.raises(ns.NeurosimError, match=message):
            ns.Simulation(network(rules), DT)


class Later(Plasticity):
    """Reads what v was."""

    reads, lags = ("v",), {"v": "ago"}
    ago = Parameter(3.7, "ms", per_element=False)

    @staticmethod
    def on_source(weight, v):
        return weight + 1e-4 * v


def test_two_rules_may_share_a_parameter_but_not_two_values():
    net = ns.Network()
    a, b = (net.add(ns.LIF(), 2, name=name) for name in "ab")
    reward = net.add(ns.Poisson(rate=1.0), 1)
    net.connect(a, b, plasticity=[Pair(), ModulatedTraces(tau_plus=16.0)], modulators={"reward": reward}, name="p")
    with pytest.raises(ns.UnsupportedError, match="'tau_plus' twice; rules may share it where both have"):
        ns.Simulation(net, DT)


@pytest.mark.slow
def test_synapses_are_settled_once_a_tick_and_not_before_the_first(monkeypatch):
    """Each settlement visits all of them, and weights are looked at often; a part without targets has nothing to do."""
    from neurosim.engine import partition, snapshots

    monkeypatch.setattr(partition, "SMALLEST_PART", 1)
    made, run = [], snapshots.run
    monkeypatch.setattr(snapshots, "run", lambda *args: (made.append(args[1]), run(*args)))
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=100.0), 300, name="noise")
    cells = net.add(ns.LIF(t_ref=1.0), 20, name="cells")
    net.connect(noise, cells, weight=1.0, plasticity=Pair(), name="p")
    sim = ns.Simulation(net, dt=DT, threads=2)
    first = sim.weights("p")
    assert made == [] and sim._run.engine.plan.parts == 2
    for _ in range(3):
        sim.run(200.0)
        last = [sim.weights("p") for _ in range(3)]
        sim.state()
        assert (last[0] == last[2]).all() and (last[0] != first).any()
    assert made.count(2000) == made.count(4000) == made.count(6000) == 1
