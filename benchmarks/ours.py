"""The cases in neurosim."""

import importlib.util
import time
from contextlib import nullcontext

import numpy as np

import neurosim as ns
from benchmarks import cases, recordings
from benchmarks.cases import Case, brunel_background, connection_probability
from benchmarks.child import ROOT


def network(case: Case):
    """Return the network of a case and its populations, whose spikes are recorded."""
    net, populations = _NETWORKS[case.family](case)
    for population in populations:
        if net.recorder(population, "spikes") is None:
            net.record(population)
    return net, populations


def _vogels_abbott(case, p, model, exc, inh):
    net = ns.Network()
    start = {"v": ns.Uniform(p["v_reset"], p["v_threshold"])}
    e = net.add(model, case.n[0], name="exc", initial=start)
    i = net.add(model, case.n[1], name="inh", initial=start)
    rule = ns.FixedProbability(connection_probability(case))
    for target in (e, i):
        net.connect(e, target, rule, weight=p["w_exc"], delay=p["delay"], receptor=exc)
        net.connect(i, target, rule, weight=p["w_inh"], delay=p["delay"], receptor=inh)
    return net, [e, i]


def _cuba(case):
    p = cases.CUBA
    model = ns.LIF(tau_mem=p["tau_mem"], v_leak=p["v_leak"], v_threshold=p["v_threshold"], v_reset=p["v_reset"],
                   t_ref=p["t_ref"], r=1.0)
    return _vogels_abbott(case, p, model, ns.ExponentialCurrent(p["tau_exc"]), ns.ExponentialCurrent(p["tau_inh"]))


def _coba(case):
    p = cases.COBA
    model = ns.LIF(tau_mem=p["tau_mem"], c_mem=p["c_mem"], v_leak=p["v_leak"], v_threshold=p["v_threshold"],
                   v_reset=p["v_reset"], t_ref=p["t_ref"], i_bias=p["i_bias"])
    return _vogels_abbott(case, p, model, ns.ExponentialConductance(p["tau_exc"], p["e_exc"]),
                          ns.ExponentialConductance(p["tau_inh"], p["e_inh"]))


def _brunel(case, rule=None):
    p, net = cases.BRUNEL, ns.Network()
    model = ns.LIF(tau_mem=p["tau_mem"], v_leak=p["v_leak"], v_threshold=p["v_threshold"], v_reset=p["v_reset"],
                   t_ref=p["t_ref"])
    e = net.add(model, case.n[0], name="exc")
    i = net.add(model, case.n[1], name="inh")
    for target in (e, i):
        net.connect(e, target, ns.FixedInDegree(p["k_exc"]), weight=p["weight"], delay=p["delay"],
                    plasticity=rule if target is e else None)
        net.connect(i, target, ns.FixedInDegree(p["k_inh"]), weight=-p["g"] * p["weight"], delay=p["delay"])
        net.drive(target, ns.PoissonDrive(rate=brunel_background(), weight=p["weight"]))
    return net, [e, i]


def pairs():
    """Return the rule: the delay lies behind the synapse, and a spike carries the weight that it left, as in NEST."""
    from learning_rules import PairSTDP

    class Dendritic(PairSTDP):
        delay, transmits = "dendritic", "after"

    p = cases.STDP
    change = p["rate"] * p["w_max"]
    return Dendritic(a_plus=change, a_minus=p["alpha"] * change, tau_plus=p["tau_plus"], tau_minus=p["tau_minus"],
                     w_min=0.0, w_max=p["w_max"])


def _izhikevich(case):
    p, net = cases.IZHIKEVICH, ns.Network()
    e, i = (net.add(ns.Izhikevich(*p[name], scheme="published"), n, name=name)
            for name, n in zip(("exc", "inh"), case.n, strict=True))
    pulse = ns.Pulse()
    for target in (e, i):
        net.connect(e, target, ns.FixedProbability(min(1.0, p["k"] / sum(case.n))), weight=p["w_exc"],
                    delay=ns.Integers(1, p["longest"]), receptor=pulse)
        net.drive(target, ns.PoissonDrive(rate=p["background"], weight=p["jump"]), receptor=pulse)
    net.connect(i, e, ns.FixedProbability(min(1.0, p["k"] / case.n[0])), weight=p["w_inh"], delay=1.0, receptor=pulse)
    return net, [e, i]


def _microcircuit(case):
    from neurosim.reservoirs import potjans_diesmann

    net = potjans_diesmann(case.scale, initial="optimised")
    return net, net.populations


def _lsm(case):
    inputs, weights = cases.liquid_weights()
    p, net = cases.LSM, ns.Network()
    source = _given(net, [], p["inputs"], case)
    liquid = net.add(ns.LIF(tau_mem=p["tau_mem"], v_leak=0.0, v_reset=0.0, v_threshold=p["v_threshold"],
                            t_ref=p["t_ref"]), case.n[0], name="liquid")
    net.connect(source, liquid, ns.Sparse(inputs), delay=1.0)
    net.connect(liquid, liquid, ns.Sparse(weights), delay=1.0)
    return net, [liquid]


def _fly(case):
    net, driven, _ = cases.fly_network(case)
    net.drive(net["neurons"][driven], ns.PoissonDrive(rate=cases.FLY["rate"], weight=cases.FLY["jump"]))
    return net, [net["neurons"]]


def _given(net, samples, inputs, case):
    """Add inputs that are given the spikes of samples, one after another."""
    times, ids = recordings.one_after_another(samples, case.sample_ms)
    return net.add(ns.SpikeSource(ns.Spikes.from_times(times, ids, size=inputs, dt=case.dt,
                                                       duration=max(1, len(samples)) * case.sample_ms)), name="input")


def _diehl_cook(case, samples=()):
    from learning_rules import Hebb

    p, net = cases.DIGITS, ns.Network()
    names = ("tau_mem", "v_leak", "v_reset", "v_threshold", "t_ref", "tau_theta", "delta_theta")
    pixels = _given(net, samples, p["inputs"], case)
    cells = net.add(ns.AdaptiveLIF(**{name: p[name] for name in names}), case.n[0], name="cells")
    net.connect(pixels, cells, weight=cases.digit_weights(), delay=1.0, name="learning",
                plasticity=Hebb(eta=p["eta"], x_0=p["x_0"], tau_x=p["tau_x"]))
    net.connect(cells, cells, ns.AllToAll(self_connections=False), weight=p["inhibition"], delay=1.0)
    return net, [cells]


def _nalsm(case):
    net = _example("nalsm").Wiring((10, 10, 10), cases.LSM["inputs"], 1).network(w_astro=0.01)
    return net, [net.population("liquid")]


def _example(name):
    """Return an example as a module."""
    found = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


_NETWORKS = {"cuba": _cuba, "coba": _coba, "brunel": _brunel, "brunel_stdp": lambda case: _brunel(case, pairs()),
             "izhikevich": _izhikevich, "microcircuit": _microcircuit, "lsm": _lsm,
             "diehl_cook": _diehl_cook, "fly": _fly, "nalsm": _nalsm}


def measure(case: Case, threads: int, dtype: str = "float32", folder=None, spikes: str = "",
            seed: int = 1) -> dict:
    """Build and run a case; return seconds by phase and the mean rate of each population.

    Args:
        case, threads, dtype: what to run, and how; the type "packed" is float32 with packed weights.
        folder: unused; for the peers that compile.
        spikes: a file to which the spikes of the measured time are written.
        seed: of everything random.
    """
    if case.sample:
        return (_measure_digits if case.family == "diehl_cook" else _measure_batch)(case, threads, dtype)
    result, measured = timed(*network(case), case, threads, dtype, seed)
    if spikes:
        np.savez(spikes, **{f"{kind}_{name}": value for name, found in measured.items()
                            for kind, value in (("t", found.times), ("i", found.ids))})
    return result


def timed(net, populations, case: Case, threads: int, dtype: str, seed: int, meter=None) -> tuple[dict, dict]:
    """Build and run a network; return seconds by phase with mean rates, and the spikes of each population by name.

    Args:
        net, populations: the network, and those of it whose spikes are recorded.
        case, threads, dtype, seed: as of `measure`.
        meter: a context around the measured time.
    """
    began = time.perf_counter()
    sim = _simulation(net, case, dtype, threads, seed)
    built = time.perf_counter()
    sim.run(case.warm)
    with meter or nullcontext():
        started = time.perf_counter()
        sim.run(case.run)
        ended = time.perf_counter()
    spikes = {p.name: sim.spikes(p).between(case.warm) for p in populations}
    counts = [len(found) for found in spikes.values()]
    return {"build": built - began, "simulate": ended - started, "rates": _rates(case, counts, case.run)}, spikes


def _simulation(net, case, dtype, threads=1, seed=1):
    packed = dtype == "packed"
    return ns.Simulation(net, case.dt, seed=seed, threads=threads, dtype="float32" if packed else dtype, packed=packed)


def _rates(case, counts, ms):
    return [float(count) / n / ms * 1e3 for count, n in zip(counts, case.n, strict=True)]


def _measure_batch(case, threads, dtype):
    """Show a liquid many recordings at once; one that learns has learnt before from the beginnings of some."""
    samples = recordings.samples(case)
    net, (liquid,) = network(case)
    began = time.perf_counter()
    sim = _simulation(net, case, dtype)
    if case.family == "nalsm":
        _learn(sim, samples)
    sim.run_batch(samples[:1], case.sample_ms, threads=1)
    started = time.perf_counter()
    results = sim.run_batch(samples, case.sample_ms, threads=threads)
    ended = time.perf_counter()
    counts = sum(len(result.spikes(liquid)) for result in results)
    return {"build": started - began, "simulate": ended - started, "rates": _rates(case, [counts], case.run),
            "input_events": recordings.events_of(samples, _reached(net))}


def _learn(sim, samples, short=20.0):
    """Let a liquid with an astrocyte learn from short samples, each from rest; then let learning fade."""
    rest, learning = sim.state(), ["input", "e", "i"]
    for sample in samples:
        sim.give("input", sample.between(100.0, 100.0 + short).shift(-100.0))
        sim.run(short)
        sim.restore(rest, keep=learning)
    sim.set("fading", tau_mem=_example("nalsm").FADING)


def _reached(net):
    """Return how many neurons of the liquid each input reaches."""
    return sum(np.bincount(each.rule.listed()[0], minlength=each.source.size) for each in net.projections
               if (each.source.name, each.target.name) == ("input", "liquid"))


def _measure_digits(case, threads, dtype):
    """Let the network learn images one after another; before each, the weights of a neuron are given their sum."""
    from learning_rules import normalise

    samples = recordings.digits(case)
    net, (cells,) = _diehl_cook(case, samples)
    net.record(cells)
    began = time.perf_counter()
    sim = _simulation(net, case, dtype, threads)
    started = time.perf_counter()
    for _ in samples:
        normalise(sim, "learning", cases.DIGITS["total"])
        sim.run(case.sample_ms)
    ended = time.perf_counter()
    return {"build": started - began, "simulate": ended - started,
            "rates": _rates(case, [len(sim.spikes(cells))], case.run),
            "input_events": float(sum(len(sample) for sample in samples) * cells.size)}


def measure_compile(case: Case, threads: int, dtype: str = "float32", **_) -> dict:
    """Return the seconds of a first build with kernels compiled, less those of a second one."""
    net, _ = network(case)

    def build():
        began = time.perf_counter()
        _simulation(net, case, dtype, threads).run(case.dt)
        return time.perf_counter() - began

    first = build()
    return {"compile": first - build()}


def versions() -> str:
    """Return what was run."""
    import numba

    return f"neurosim {ns.__version__}, numba {numba.__version__}, numpy {np.__version__}"
