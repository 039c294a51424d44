"""What holds for every learning rule on any projection: bounds, threads, cuts, checkpoints, receptors, refusals, and
that it works without ticks or says why not."""

import inspect
from functools import cache

import numpy as np
import pytest

import learning_rules
import neurosim as ns
from learning_rules import PairSTDP, SynapticScaling
from neurosim.checks import REQUIRED, Option, Parameter
from neurosim.contracts import Plasticity, Release
from neurosim.neurons import Neuron
from tests.shares import quick

DT, SIZE, DURATION = 0.5, 300, 120.0  # SIZE: more than two groups of 128, so that two threads share the population


def public(kind):
    found = (getattr(learning_rules, name) for name in learning_rules.__all__)
    return [each for each in found if inspect.isclass(each) and issubclass(each, kind)]


RULES = public(Plasticity)
#: parameters that make a rule work hard within 120 ms, where its defaults would hardly move a weight
STRONG = {"PairSTDP": {"a_plus": 0.05, "a_minus": 0.05}, "TripletSTDP": {"a3_plus": 0.1, "a2_minus": 0.1},
          "InhibitorySTDP": {"eta": 0.05}, "Hebb": {"eta": 0.02}, "Oja": {"eta": 0.1}, "BCM": {"eta": 0.5},
          "SoftWinnerTakeAll": {"eta": 0.05}, "SlowSTDP": {"period": 20.0, "w_max": 1.0},
          "SynapticScaling": {"period": 10.0, "eta": 0.2}, "Reward": {"step": 0.02}, "ThreeFactor": {"period": 5.0},
          "ClopathSTDP": {"period": DT, "a_ltd": 5e-3, "a_ltp": 5e-4}, "AstrocyteSTDP": {"w_max": 1.0}}


def options(cls):
    """Every value of every option, one at a time."""
    yield {}
    for name, parameter in cls.parameters.items():
        if isinstance(parameter, Option):
            yield from ({name: choice} for choice in parameter.choices if choice != parameter.default)


def composed(cls, **choice):
    """The rule, behind a pair rule where it waits for the changes of others."""
    rule = cls(**{**STRONG.get(cls.__name__, {}), **choice})
    asks = any(getattr(rule, body) is not None for body in ("on_source", "on_target"))
    return [rule] if asks or rule.on_change is None else [PairSTDP(a_plus=0.05, a_minus=0.05), rule]


#: one of each family is quick: every other, and what is no default, compiles loops of its own
QUICK = ("PairSTDP", "Hebb", "SynapticScaling")
CASES = [pytest.param(cls, choice, marks=[pytest.mark.slow] * (bool(choice) or cls.__name__ not in QUICK))
         for cls in RULES for choice in options(cls)]
CASE = pytest.mark.parametrize("cls, choice", CASES, ids=lambda each: each.__name__ if inspect.isclass(each) else
                               "-".join(f"{k}={v}" for k, v in each.items()) or "default")


def target_of(cls):
    """A population that the rule can learn on: `target` of the rule where it reads special variables."""
    model = getattr(cls, "target", None)
    if model is None:
        return ns.LIF(tau_mem=20.0, t_ref=2.0, i_bias=ns.Uniform(140.0, 260.0))
    return model(i_bias=ns.Uniform(900.0, 1600.0))


def network(rules, model, receptor=None, weight=None, delay=None, release=None):
    net = ns.Network()
    rng = np.random.default_rng(4)
    ticks = np.sort(rng.integers(1, round(DURATION / DT), 700))
    ids = rng.integers(0, 40, ticks.size).astype(np.uint32)
    given = net.add(ns.SpikeSource(ns.Spikes(ticks=ticks, ids=ids, size=40, duration=DURATION, dt=DT)), name="given")
    cells = net.add(model, SIZE, name="cells")
    rewards = net.add(ns.SpikeSource(ns.Spikes.from_times(np.arange(7.0, DURATION, 11.0), np.zeros(11, int), size=1,
                                                          dt=DT, duration=DURATION)), name="rewards")
    level = net.add(ns.LeakyIntegrator(tau_mem=30.0, v_leak=0.01), 1, name="level")
    net.connect(rewards, level, weight=0.05, delay=DT)
    signals = {name: rewards if any(rule.on_modulator is not None for rule in rules) else (level, "v")
               for rule in rules for name in rule.modulators}
    low, high = bounds(rules)
    net.connect(given, cells, ns.FixedProbability(0.2), weight=ns.Uniform(low, high) if weight is None else weight,
                delay=ns.Uniform(0.5, 4.0) if delay is None else delay, plasticity=rules, modulators=signals, name="p",
                receptor=receptor, release=ns.TsodyksMarkram(tau_rec=100.0, tau_facil=50.0))
    net.record(cells)
    return net


def bounds(rules):
    """The bounds that all rules of a projection keep."""
    found = [limits for rule in rules if (limits := rule.weight_bounds(rule)) is not None]
    return max((float(low) for low, _ in found), default=0.0), min((float(high) for _, high in found), default=1.0)


def run(cls, choice, pieces, threads=1, other_threads=None, dtype="float32", receptor=None):
    """Run in pieces; after the first, go on in a simulation with other threads where such are given."""
    net = network(composed(cls, **choice), target_of(cls), receptor)
    sim = ns.Simulation(net, DT, seed=5, threads=threads, dtype=dtype)
    for piece in pieces:
        sim.run(piece)
        if other_threads is not None:
            other = ns.Simulation(net, DT, seed=5, threads=other_threads, dtype=dtype)
            other.restore(sim.state())
            sim, other_threads = other, None
    return sim.get("cells", "v"), vars(sim.synapses("p")), sim


@cache
def whole(cls, choice):
    return run(cls, dict(choice), [DURATION])


def outcome(cls, choice):
    return whole(cls, tuple(choice.items()))


@CASE
def test_weights_move_and_stay_in_bounds(cls, choice):
    _, synapses, sim = outcome(cls, choice)
    low, high = bounds(composed(cls, **choice))
    weight = synapses["weight"]
    assert 500 < len(sim.spikes("cells")) < 30_000
    assert np.isfinite(weight).all() and weight.min() >= low - 1e-6 and weight.max() <= high + 1e-6
    start = ns.Simulation(network(composed(cls, **choice), target_of(cls)), DT, seed=5).weights("p")
    assert np.mean(weight != start) > 0.5 and np.abs(weight - start).max() > 1e-3 * (high - low)


@CASE
@pytest.mark.parametrize("how", [{"pieces": [DURATION], "threads": 2}, {"pieces": [0.5, 57.5, 20.0, 42.0]},
                                 {"pieces": [33.0, 87.0], "threads": 2, "other_threads": 1}],
                         ids=["threads", "pieces", "checkpoint"])
def test_threads_pieces_and_checkpoints_change_no_bit(cls, choice, how):
    v, synapses, _ = outcome(cls, choice)
    other_v, others, _ = run(cls, choice, **how)
    np.testing.assert_array_equal(v, other_v)
    for name, values in synapses.items():
        np.testing.assert_array_equal(values, others[name], err_msg=name)


@pytest.mark.parametrize("cls", quick(QUICK, RULES), ids=lambda cls: cls.__name__)
def test_what_is_set_is_there_and_setting_what_is_there_changes_nothing(cls):
    """Also where weights change of themselves between events, so that those now are not those of the last event."""
    rules, sims = composed(cls), []
    for touched in (False, True):
        sim = ns.Simulation(network(rules, target_of(cls)), DT, seed=3)
        sim.run(40.0)
        if touched:
            before = sim.synapses("p")
            number = next(iter(name for rule in rules for name, each in rule.parameters.items()
                               if isinstance(each, Parameter) and name in vars(before)))
            sim.set("p", weight=before.weight, **{number: float(getattr(before, number)[0])})
            sim.scale("p", np.ones(SIZE))
            np.testing.assert_allclose(sim.sums("p"), np.bincount(before.target, before.weight, SIZE), rtol=1e-12)
            np.testing.assert_array_equal(sim.weights("p"), before.weight)
        sim.run(40.0)
        sims.append(sim)
    of_itself = any(rule.between is not None for rule in rules)  # cut in two, which rounds otherwise
    np.testing.assert_allclose(sims[1].weights("p"), sims[0].weights("p"), rtol=2e-5 if of_itself else 0.0)
    half = np.float32(0.5 * np.add(*bounds(rules)))
    sims[1].set("p", weight=half)
    assert (sims[1].weights("p") == half).all()


@pytest.mark.parametrize("signal", [8.0, -8.0])
@pytest.mark.parametrize("rule", quick(("PairSTDP",), [PairSTDP(a_plus=0.1, a_minus=0.1),
                                                      learning_rules.InhibitorySTDP(eta=0.1)],
                                       name=lambda rule: type(rule).__name__),
                         ids=lambda rule: type(rule).__name__)
def test_what_a_gate_makes_of_a_change_stays_within_the_bounds_of_the_rule(rule, signal):
    net, rng = ns.Network(), np.random.default_rng(3)
    spikes = ns.Spikes(ticks=rng.integers(1, 200, 300), ids=rng.integers(0, 20, 300), size=20, dt=DT, duration=100.0)
    level = net.add(ns.LeakyIntegrator(v_leak=signal), 1)
    cells = net.add(ns.LIF(i_bias=ns.Uniform(160.0, 300.0)), 20)
    net.connect(net.add(ns.SpikeSource(spikes)), cells, weight=0.5, delay=1.0, name="p",
                plasticity=[rule, learning_rules.Gated()], modulators={"signal": (level, "v")})
    sim = ns.Simulation(net, DT)
    sim.run(100.0)
    weight = sim.weights("p")
    assert weight.min() >= 0.0 and weight.max() <= 1.0 and (weight.min() == 0.0 or weight.max() == 1.0)
    sim.set("p", weight=weight)


RECEPTORS = [ns.ExponentialCurrent(5.0), ns.AlphaCurrent(2.0), ns.ExponentialConductance(e_rev=0.0), ns.Pulse()]


@pytest.mark.parametrize("receptor", RECEPTORS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("cls", quick(QUICK, RULES), ids=lambda cls: cls.__name__)
def test_every_rule_learns_behind_every_receptor(cls, receptor):
    _, synapses, _ = run(cls, {}, [40.0], receptor=receptor)
    assert np.isfinite(synapses["weight"]).all() and np.ptp(synapses["weight"]) > 0


@pytest.mark.parametrize("cls", RULES, ids=lambda cls: cls.__name__)
def test_a_neuron_that_lacks_what_the_rule_reads_is_refused(cls):
    if not cls.reads:
        pytest.skip("reads nothing of its target")
    with pytest.raises(ns.UnsupportedError, match=rf"{cls.__name__} reads '\w+' of its target, but LIF has v"):
        ns.Simulation(network(composed(cls), ns.LIF()), DT)


@pytest.mark.parametrize("cls", [cls for cls in RULES if cls.modulators], ids=lambda cls: cls.__name__)
def test_a_signal_that_nothing_drives_is_refused(cls):
    net = ns.Network()
    a, b = net.add(ns.Poisson(5.0), 3), net.add(ns.LIF(), 3)
    message = rf"modulators of projection 'here' must be {cls.modulators[0]}, .*none"
    with pytest.raises(ns.ParameterError, match=message):
        net.connect(a, b, plasticity=composed(cls), name="here")


@pytest.mark.parametrize("cls", quick(QUICK, RULES), ids=lambda cls: cls.__name__)
def test_weights_out_of_bounds_are_refused_by_the_name_of_the_projection(cls):
    rules = composed(cls)
    low, high = bounds(rules)
    for weight in (high + 0.5 * abs(high), low - 0.5 * abs(high)):
        with pytest.raises(ns.NeurosimError, match="weights of 'p' must be within .* the bounds of its"):
            ns.Simulation(network(rules, target_of(cls), weight=weight), DT)
    sim = ns.Simulation(network(rules, target_of(cls)), DT)
    with pytest.raises(ns.NeurosimError, match="weights of 'p' must be within .* the bounds of its"):
        sim.set("p", weight=high + 0.5 * abs(high))


#: those that have no amplitude in the weight's unit: a share, or what other rules and signals make of it
WITHOUT_STEPS = {"AstrocyteSTDP", "ClopathSTDP", "Gated", "Reward", "SynapticScaling", "ThreeFactor"}


@pytest.mark.parametrize("cls", RULES, ids=lambda cls: cls.__name__)
def test_a_step_beyond_the_bounds_is_a_warning_that_names_the_projection(cls):
    steps = getattr(cls, "steps", ())
    assert bool(steps) != (cls.__name__ in WITHOUT_STEPS)
    for name in [*steps, *(["a_ltd"] if cls.__name__ == "ClopathSTDP" else [])]:
        net = ns.Network()
        a, b = net.add(ns.Poisson(5.0), 3), net.add(target_of(cls), 3)
        with pytest.warns(ns.NeurosimWarning, match=rf"'here': {cls.__name__}\.{name}.* more than the range"):
            net.connect(a, b, weight=0.0, plasticity=cls(**{name: 100.0}), name="here")


@pytest.mark.parametrize("cls", RULES, ids=lambda cls: cls.__name__)
def test_a_target_that_never_spikes_is_refused_by_the_name_of_the_projection(cls):
    rules = composed(cls)
    if all(rule.on_target is None and not rule.target_traces for rule in rules):
        pytest.skip("does not need spikes of its target")
    net = ns.Network()
    a, b = net.add(ns.Poisson(5.0), 3), net.add(ns.LeakyIntegrator(), 3)
    signals = {name: (b[:1], "v") for rule in rules for name in rule.modulators}
    with pytest.raises(ns.UnsupportedError, match="projection 'here' must end at neurons that spike, as .*Integrator"):
        net.connect(a, b, plasticity=rules, modulators=signals, name="here")


def numbers(rule, rng):
    """Arguments of a body: parameters of any size, weights within their bounds, traces and signals of any size."""
    low, high = bounds([rule])
    return {**{name: getattr(rule, name) for name, each in rule.parameters.items() if isinstance(each, Parameter)},
            **{name: rng.choice([0.0, 1.0, 1e-9, 50.0]) for name in (*rule.source_traces, *rule.target_traces)},
            **{name: rng.choice([0.0, -1.0, 1e3]) for name in (*rule.modulators, *rule.state)},
            **{name: rng.choice([-100.0, -70.6, 0.0, 33.0, 1e3]) for name in rule.reads},
            "weight": rng.choice([low, high, 0.5 * (low + high)]), "elapsed": rng.choice([0.0, 0.1, 1e7])}


@CASE
def test_no_body_lets_a_weight_leave_its_bounds_or_become_nan(cls, choice):
    """The bodies themselves, which are plain functions, with amplitudes up to 1e12."""
    rng = np.random.default_rng(1)
    amplitudes = [*getattr(cls, "steps", ()), *(name for name in ("a_ltd", "a_ltp", "eta", "step") if name in
                                                cls.parameters and cls.__name__ != "SynapticScaling")]
    for scale in (1e-12, 1.0, 1e12):
        rule = cls(**{**choice, **dict.fromkeys(amplitudes, scale)})
        low, high = bounds([rule]) if rule.weight_bounds(rule) is not None else (-np.inf, np.inf)
        for body in filter(None, (getattr(rule, name) for name in ("on_source", "on_target", "on_modulator",
                                                                   "on_period", "between"))):
            for _ in range(50):
                known = numbers(rule, rng)
                result = body(**{name: known[name] for name in inspect.signature(body).parameters})
                weight = result[0] if isinstance(result, tuple) else result
                assert low <= weight <= high, (body.__name__, known)


#: the rules that the event-driven mode runs; the others it refuses
WITHOUT_TICKS = {"BCM", "Hebb", "InhibitorySTDP", "Oja", "PairSTDP", "SoftWinnerTakeAll", "TripletSTDP"}


def forced(rule, grid):
    """Twelve sources and eight targets, all forced to spike at times on a grid, synapses with delays on it."""
    net, rng = ns.Network(), np.random.default_rng(6)

    def given(size, count):
        ticks, ids = np.divmod(np.unique(rng.integers(2 * size, round(DURATION / grid) * size, count)), size)
        return net.add(ns.SpikeSource(ns.Spikes.from_times(ticks * grid, ids, size=size, dt=grid, duration=DURATION)))

    source, force = given(12, 250), given(8, 150)
    cells = net.add(ns.LIF(tau_mem=1e-2, v_leak=0.0, v_reset=0.0, v_threshold=1e6), 8, name="cells")
    net.connect(force, cells, ns.OneToOne(), weight=2e6, delay=grid)
    pairs = np.array([(i, j) for i in range(12) for j in range(8)])
    low, high = bounds([rule])
    net.connect(source, cells, ns.Explicit(*pairs.T), weight=rng.uniform(low, high, 96), plasticity=rule, name="p",
                delay=rng.integers(1, 12, 96) * grid)
    net.record(cells)
    return net


@CASE
def test_every_rule_is_run_without_ticks_or_refused_with_the_reason(cls, choice):
    """With all spikes on the grid of the ticks the two modes agree to rounding."""
    rule = cls(**{**STRONG.get(cls.__name__, {}), **choice})
    if cls.__name__ not in WITHOUT_TICKS or rule.delay != "axonal":
        reason = "must have an axonal delay" if rule.delay != "axonal" else r"(has|reads|takes) \S+ and cannot be used"
        with pytest.raises(ns.UnsupportedError, match=f"{cls.__name__} of projection 'p' {reason} in the mode 'event'"):
            ns.Simulation(network([rule], ns.LIF()), mode="event")
        return
    with pytest.raises(ns.UnsupportedError, match=f"SynapticScaling, {cls.__name__}, of projection 'p' cannot be used"):
        ns.Simulation(network([SynapticScaling(), rule.replace(w_max=1.0)], ns.LIF()), mode="event")
    found = []
    for how in ({"dt": DT, "dtype": "float64"}, {"mode": "event"}):
        sim = ns.Simulation(forced(rule, DT), **how)
        before = sim.weights("p").std()
        sim.run(DURATION)
        assert len(sim.spikes("cells")) > 100
        found.append(sim.weights("p", sparse=True).toarray())
    assert np.isfinite(found[0]).all() and abs(found[0].std() - before) > 1e-3 * before
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cls", public((Neuron, Release)), ids=lambda cls: cls.__name__)
def test_every_neuron_and_release_is_run_without_ticks_or_refused_by_name(cls):
    """What is here besides rules; that those which run agree with the clocked mode is tested with the mode."""
    net = ns.Network()
    a, b = net.add(ns.Poisson(50.0), 3), net.add(cls() if issubclass(cls, Neuron) else ns.LIF(), 3)
    net.connect(a, b, weight=0.1, name="p", release=cls() if issubclass(cls, Release) else None)
    if cls.__name__ == "NonAccumulating":
        ns.Simulation(net, mode="event").run(5.0)
        return
    with pytest.raises(ns.UnsupportedError, match=f"{cls.__name__} .*in the mode 'event'.*; use"):
        ns.Simulation(net, mode="event")


@pytest.mark.parametrize("cls", RULES, ids=lambda cls: cls.__name__)
def test_every_rule_says_what_it_is(cls):
    text = inspect.getdoc(cls)
    assert ">>> " in text and "Source: " in text and text.splitlines()[0].endswith((".", ":", "."))
    for name, parameter in cls.parameters.items():
        assert parameter.doc, name


PARTS = [cls for cls in public(object) if hasattr(cls, "parameters")]


@pytest.mark.parametrize("cls, name", [(cls, name) for cls in PARTS for name in cls.parameters],
                         ids=lambda each: each if isinstance(each, str) else each.__name__)
def test_what_is_out_of_bounds_is_refused(cls, name):
    parameter = cls.parameters[name]
    bad = [np.nan, np.inf, "text", True, [[1.0]], object()]
    if isinstance(parameter, Option):
        bad = ["no such choice", 3.5]
    elif parameter.above is not None:
        bad += [parameter.above, parameter.above - 1.0]
    elif parameter.at_least is not None:
        bad += [parameter.at_least - 1e-6]
    needed = {key: 1.0 for key, each in cls.parameters.items() if each.default is REQUIRED}
    for value in bad:
        with pytest.raises(ns.ParameterError, match=rf"^{cls.__name__}\.{name} must be .+, got .+"):
            cls(**{**needed, name: value})
