"""The cases in neurosim."""

import time

import numpy as np

import neurosim as ns
from benchmarks import recordings
from benchmarks.cases import (
    BRUNEL,
    COBA,
    CUBA,
    IZHIKEVICH,
    LSM,
    STDP,
    Case,
    brunel_background,
    connection_probability,
    liquid_weights,
)


def network(case: Case):
    """Return the network of a case and its populations, whose spikes are recorded."""
    net, populations = _NETWORKS[case.family](case)
    for population in populations:
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
    p = CUBA
    model = ns.LIF(tau_mem=p["tau_mem"], v_leak=p["v_leak"], v_threshold=p["v_threshold"], v_reset=p["v_reset"],
                   t_ref=p["t_ref"], r=1.0)
    return _vogels_abbott(case, p, model, ns.ExponentialCurrent(p["tau_exc"]), ns.ExponentialCurrent(p["tau_inh"]))


def _coba(case):
    p = COBA
    model = ns.LIF(tau_mem=p["tau_mem"], c_mem=p["c_mem"], v_leak=p["v_leak"], v_threshold=p["v_threshold"],
                   v_reset=p["v_reset"], t_ref=p["t_ref"], i_bias=p["i_bias"])
    return _vogels_abbott(case, p, model, ns.ExponentialConductance(p["tau_exc"], p["e_exc"]),
                          ns.ExponentialConductance(p["tau_inh"], p["e_inh"]))


def _brunel(case, rule=None):
    p, net = BRUNEL, ns.Network()
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


def _brunel_stdp(case):
    from learning_rules import PairSTDP

    class Dendritic(PairSTDP):
        """The delay lies behind the synapse, and a spike carries the weight that it left, as in NEST."""

        delay, transmits = "dendritic", "after"

    change = STDP["rate"] * STDP["w_max"]
    return _brunel(case, Dendritic(a_plus=change, a_minus=STDP["alpha"] * change, tau_plus=STDP["tau_plus"],
                                   tau_minus=STDP["tau_minus"], w_min=0.0, w_max=STDP["w_max"]))


def _izhikevich(case):
    p, net = IZHIKEVICH, ns.Network()
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
    inputs, weights = liquid_weights()
    net = ns.Network()
    silence = ns.Spikes(ticks=[], ids=[], size=LSM["inputs"], dt=case.dt, duration=case.dt)
    source = net.add(ns.SpikeSource(silence), name="input")
    liquid = net.add(ns.LIF(tau_mem=LSM["tau_mem"], v_leak=0.0, v_reset=0.0, v_threshold=LSM["v_threshold"],
                            t_ref=LSM["t_ref"]), case.n[0], name="liquid")
    net.connect(source, liquid, ns.Sparse(inputs), delay=1.0)
    net.connect(liquid, liquid, ns.Sparse(weights), delay=1.0)
    return net, [liquid]


_NETWORKS = {"cuba": _cuba, "coba": _coba, "brunel": _brunel, "brunel_stdp": _brunel_stdp, "izhikevich": _izhikevich,
             "microcircuit": _microcircuit, "lsm": _lsm}


def measure(case: Case, threads: int, dtype: str = "float32", folder=None, spikes: str = "",
            seed: int = 1) -> dict:
    """Build and run a case; return seconds by phase and the mean rate of each population.

    Args:
        case, threads, dtype: what to run, and how.
        folder: unused; for the peers that compile.
        spikes: a file to which the spikes of the measured time are written.
        seed: of everything random.
    """
    if case.family == "lsm":
        return _measure_batch(case, threads, dtype)
    net, populations = network(case)
    began = time.perf_counter()
    sim = ns.Simulation(net, case.dt, seed=seed, threads=threads, dtype=dtype)
    built = time.perf_counter()
    sim.run(case.warm)
    before = [len(sim.spikes(p)) for p in populations]
    started = time.perf_counter()
    sim.run(case.run)
    ended = time.perf_counter()
    counts = np.array([len(sim.spikes(p)) for p in populations]) - before
    if spikes:
        measured = {p.name: sim.spikes(p).between(case.warm) for p in populations}
        np.savez(spikes, **{f"{kind}_{name}": value for name, found in measured.items()
                            for kind, value in (("t", found.times), ("i", found.ids))})
    return {"build": built - began, "simulate": ended - started, "rates": _rates(case, counts, case.run)}


def _rates(case, counts, ms):
    return [float(count) / n / ms * 1e3 for count, n in zip(counts, case.n, strict=True)]


def _measure_batch(case, threads, dtype):
    samples = recordings.samples(round(case.run / LSM["ms"]))
    net, (liquid,) = network(case)
    began = time.perf_counter()
    sim = ns.Simulation(net, case.dt, seed=1, dtype=dtype)
    sim.run_batch(samples[:1], LSM["ms"], threads=1)
    started = time.perf_counter()
    results = sim.run_batch(samples, LSM["ms"], threads=threads)
    ended = time.perf_counter()
    counts = sum(len(result.spikes(liquid)) for result in results)
    ms = len(samples) * LSM["ms"]
    return {"build": started - began, "simulate": ended - started, "rates": _rates(case, [counts], ms),
            "recordings": len(samples), "input_events": recordings.events_of(samples)}


def measure_compile(case: Case, threads: int, dtype: str = "float32", **_) -> dict:
    """Return the seconds of a first build with kernels compiled, less those of a second one."""
    net, _ = network(case)

    def build():
        began = time.perf_counter()
        ns.Simulation(net, case.dt, seed=1, threads=threads, dtype=dtype).run(case.dt)
        return time.perf_counter() - began

    first = build()
    return {"compile": first - build()}


def versions() -> str:
    """Return what was run."""
    import numba

    return f"neurosim {ns.__version__}, numba {numba.__version__}, numpy {np.__version__}"
