"""The cases in neurosim."""

import time

import neurosim as ns
from benchmarks.cases import BRUNEL, COBA, CUBA, Case, brunel_background, connection_probability


def network(case: Case):
    """Return the network of a case and its two populations."""
    return {"cuba": _cuba, "cuba40k": _cuba, "coba": _coba, "brunel": _brunel}[case.name](case)


def _vogels_abbott(case, p, model, exc, inh):
    net = ns.Network()
    start = {"v": ns.Uniform(p["v_reset"], p["v_threshold"])}
    e = net.add(model, case.n[0], name="exc", initial=start)
    i = net.add(model, case.n[1], name="inh", initial=start)
    rule = ns.FixedProbability(connection_probability(case))
    for target in (e, i):
        net.connect(e, target, rule, weight=p["w_exc"], delay=p["delay"], receptor=exc)
        net.connect(i, target, rule, weight=p["w_inh"], delay=p["delay"], receptor=inh)
    return net, e, i


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


def _brunel(case):
    p, net = BRUNEL, ns.Network()
    model = ns.LIF(tau_mem=p["tau_mem"], v_leak=p["v_leak"], v_threshold=p["v_threshold"], v_reset=p["v_reset"],
                   t_ref=p["t_ref"])
    e = net.add(model, case.n[0], name="exc")
    i = net.add(model, case.n[1], name="inh")
    for target in (e, i):
        net.connect(e, target, ns.FixedInDegree(p["k_exc"]), weight=p["weight"], delay=p["delay"])
        net.connect(i, target, ns.FixedInDegree(p["k_inh"]), weight=-p["g"] * p["weight"], delay=p["delay"])
        net.drive(target, ns.PoissonDrive(rate=brunel_background(), weight=p["weight"]))
    return net, e, i


def measure(case: Case, threads: int, dtype: str = "float32") -> dict:
    """Build and run a case; return seconds by phase, and the mean rate."""
    net, e, i = network(case)
    net.record(e)
    net.record(i)
    began = time.perf_counter()
    sim = ns.Simulation(net, case.dt, seed=1, threads=threads, dtype=dtype)
    built = time.perf_counter()
    sim.run(case.warm)
    before = sum(len(sim.spikes(p)) for p in (e, i))
    started = time.perf_counter()
    sim.run(case.run)
    ended = time.perf_counter()
    spikes = sum(len(sim.spikes(p)) for p in (e, i)) - before
    return {"build": built - began, "simulate": ended - started, "rate": spikes / sum(case.n) / case.run * 1e3}


def versions() -> str:
    """Return what was run."""
    import numba
    import numpy

    return f"neurosim {ns.__version__}, numba {numba.__version__}, numpy {numpy.__version__}"
