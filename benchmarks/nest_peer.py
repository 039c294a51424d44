"""The cases in NEST, through its public interface PyNEST."""

import os
import time

import numpy as np

from benchmarks.cases import BRUNEL, COBA, CUBA, IZHIKEVICH, STDP, Case, brunel_background, connection_probability


def measure(case: Case, threads: int, dtype: str = "float64", folder=None, spikes: str = "",
            seed: int = 1) -> dict:
    """Build and run a case; return seconds by phase and the mean rate of each population.

    Building includes what NEST prepares before its first step; a first run of `case.warm` ms is not timed.
    """
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=case.dt, local_num_threads=threads, rng_seed=seed)
    began = time.perf_counter()
    populations = _NETWORKS[case.family](nest, case)
    recorders = []
    for population in populations:
        recorders.append(nest.Create("spike_recorder"))
        nest.Connect(population, recorders[-1])
    nest.Prepare()
    nest.Run(case.dt)
    built = time.perf_counter()
    nest.Run(case.warm)
    before = [recorder.n_events for recorder in recorders]
    started = time.perf_counter()
    nest.Run(case.run)
    ended = time.perf_counter()
    nest.Cleanup()
    counts = [recorder.n_events - first for recorder, first in zip(recorders, before, strict=True)]
    if spikes:
        _write(spikes, case, populations, recorders)
    rates = [count / n / case.run * 1e3 for count, n in zip(counts, case.n, strict=True)]
    return {"build": built - began, "simulate": ended - started, "rates": rates}


def _write(path, case, populations, recorders):
    from neurosim.reservoirs.named.microcircuit_data import POPULATIONS

    arrays = {}
    for name, population, recorder in zip(POPULATIONS, populations, recorders, strict=True):
        events = recorder.events
        order = np.argsort(events["times"], kind="stable")
        order = order[events["times"][order] > case.warm + case.dt]
        arrays |= {f"t_{name}": events["times"][order], f"i_{name}": events["senders"][order] - population[0].global_id}
    np.savez(path, **arrays)


def _vogels_abbott(nest, case, model, p, w_inh):
    e, i = (nest.Create(model, n) for n in case.n)
    for population in (e, i):
        population.V_m = nest.random.uniform(p["v_reset"], p["v_threshold"])
    rule = {"rule": "pairwise_bernoulli", "p": connection_probability(case)}
    for source, weight in ((e, p["w_exc"]), (i, w_inh)):
        nest.Connect(source, e + i, rule, {"synapse_model": "static_synapse_hpc", "weight": weight,
                                           "delay": p["delay"]})
    return [e, i]


def _cuba(nest, case):
    p = CUBA
    nest.SetDefaults("iaf_psc_exp", {
        "tau_m": p["tau_mem"], "C_m": p["tau_mem"], "E_L": p["v_leak"], "V_th": p["v_threshold"],
        "V_reset": p["v_reset"], "t_ref": p["t_ref"], "tau_syn_ex": p["tau_exc"], "tau_syn_in": p["tau_inh"]})
    return _vogels_abbott(nest, case, "iaf_psc_exp", p, p["w_inh"])


def _coba(nest, case):
    p = COBA
    nest.SetDefaults("iaf_cond_exp", {
        "C_m": p["c_mem"], "g_L": p["c_mem"] / p["tau_mem"], "E_L": p["v_leak"], "V_th": p["v_threshold"],
        "V_reset": p["v_reset"], "t_ref": p["t_ref"], "tau_syn_ex": p["tau_exc"], "tau_syn_in": p["tau_inh"],
        "E_ex": p["e_exc"], "E_in": p["e_inh"], "I_e": p["i_bias"]})
    return _vogels_abbott(nest, case, "iaf_cond_exp", p, -p["w_inh"])


def _brunel(nest, case, plastic=False):
    p = BRUNEL
    neuron = {"tau_m": p["tau_mem"], "C_m": p["tau_mem"], "E_L": p["v_leak"], "V_th": p["v_threshold"],
              "V_reset": p["v_reset"], "V_m": p["v_leak"], "t_ref": p["t_ref"], "tau_minus": STDP["tau_minus"]}
    nest.SetDefaults("iaf_psc_delta", neuron)
    e, i = (nest.Create("iaf_psc_delta", n) for n in case.n)
    nest.CopyModel("static_synapse_hpc", "excite", {"weight": p["weight"], "delay": p["delay"]})
    nest.CopyModel("static_synapse_hpc", "inhibit", {"weight": -p["g"] * p["weight"], "delay": p["delay"]})
    nest.CopyModel("stdp_synapse", "learn", {
        "weight": p["weight"], "delay": p["delay"], "Wmax": STDP["w_max"], "lambda": STDP["rate"],
        "alpha": STDP["alpha"], "tau_plus": STDP["tau_plus"], "mu_plus": 0.0, "mu_minus": 0.0})
    for target in (e, i):
        nest.Connect(e, target, {"rule": "fixed_indegree", "indegree": p["k_exc"]},
                     {"synapse_model": "learn" if plastic and target is e else "excite"})
        nest.Connect(i, target, {"rule": "fixed_indegree", "indegree": p["k_inh"]}, {"synapse_model": "inhibit"})
    nest.Connect(nest.Create("poisson_generator", params={"rate": brunel_background()}), e + i,
                 syn_spec={"synapse_model": "excite"})
    return [e, i]


def _izhikevich(nest, case):
    """The numerics of the published script; arrivals are a current over the tick."""
    p = IZHIKEVICH
    nest.SetDefaults("izhikevich", {"consistent_integration": False})
    e, i = (nest.Create("izhikevich", n, dict(zip("abcd", p[name], strict=True)) | {"V_m": -65.0, "U_m": -13.0})
            for name, n in zip(("exc", "inh"), case.n, strict=True))
    nest.Connect(e, e + i, {"rule": "pairwise_bernoulli", "p": min(1.0, p["k"] / sum(case.n))},
                 {"synapse_model": "static_synapse_hpc", "weight": p["w_exc"],
                  "delay": nest.random.uniform_int(p["longest"]) + 1.0})
    nest.Connect(i, e, {"rule": "pairwise_bernoulli", "p": min(1.0, p["k"] / case.n[0])},
                 {"synapse_model": "static_synapse_hpc", "weight": p["w_inh"], "delay": 1.0})
    nest.Connect(nest.Create("poisson_generator", params={"rate": p["background"]}), e + i,
                 syn_spec={"weight": p["jump"], "delay": 1.0})
    return [e, i]


def _microcircuit(nest, case):
    """The parts of the description, read one by one; a copy of the synapse model for each population of sources."""
    from neurosim.reservoirs import potjans_diesmann

    net, found = potjans_diesmann(case.scale, initial="optimised"), {}
    for part in net.populations:
        p, v = part.model, part.initial["v"]
        found[part] = nest.Create("iaf_psc_exp", part.size, {
            "tau_m": p.tau_mem, "C_m": p.c_mem, "E_L": p.v_leak, "V_th": p.v_threshold, "V_reset": p.v_reset,
            "t_ref": p.t_ref, "I_e": p.i_bias, "tau_syn_ex": 0.5, "tau_syn_in": 0.5})
        found[part].V_m = nest.random.normal(v.mean, v.std)
        nest.CopyModel("static_synapse_hpc", f"from_{part.name}")
    for drive in net.drives:
        nest.Connect(nest.Create("poisson_generator", params={"rate": drive.drive.rate}), found[drive.target],
                     syn_spec={"weight": drive.drive.weight, "delay": 1.5})
    for each in net.projections:
        low, high = (0.0, np.inf) if each.weight.mean > 0 else (-np.inf, 0.0)
        nest.Connect(found[each.source], found[each.target], {"rule": "fixed_total_number", "N": each.rule.n}, {
            "synapse_model": f"from_{each.source.name}",
            "weight": nest.math.redraw(nest.random.normal(each.weight.mean, each.weight.std), min=low, max=high),
            # what rounds to a tick in 0.1 .. infinity, as in the description
            "delay": nest.math.redraw(nest.random.normal(each.delay.mean, each.delay.std), min=each.delay.low,
                                      max=np.inf)})
    return list(found.values())


_NETWORKS = {"cuba": _cuba, "coba": _coba, "brunel": _brunel, "izhikevich": _izhikevich,
             "brunel_stdp": lambda nest, case: _brunel(nest, case, plastic=True), "microcircuit": _microcircuit}


def environment(threads: int) -> dict:
    """Return the environment in which NEST is at its best on a machine that is not idle: waiting threads sleep."""
    return {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(threads)}


def threads_for(case: Case, threads: int) -> int:
    """Return the number of threads that suits NEST: on a few thousand neurons a second one makes it slower."""
    return threads if sum(case.n) > 5000 else 1


def versions() -> str:
    """Return what was run."""
    os.environ.setdefault("PYNEST_QUIET", "1")
    import nest

    return f"NEST {nest.__version__}"
