"""The cases in Brian2, in C++ standalone mode, through its public interface."""

import re
import tempfile
import time
from pathlib import Path

from benchmarks.cases import BRUNEL, COBA, CUBA, Case, brunel_background, connection_probability


def measure(case: Case, threads: int, dtype: str = "float32") -> dict:
    """Build, compile and run a case; the simulation alone is timed by the program itself."""
    import brian2 as b
    import numpy as np

    b.prefs.core.default_float_dtype = np.float32 if dtype == "float32" else np.float64
    with tempfile.TemporaryDirectory() as folder:
        b.set_device("cpp_standalone", build_on_run=False, directory=folder)
        b.defaultclock.dt = case.dt * b.ms
        if threads > 1:
            b.prefs.devices.cpp_standalone.openmp_threads = threads
        net, group = {"cuba": _cuba, "cuba40k": _cuba, "coba": _coba, "brunel": _brunel}[case.name](b, case)
        spikes = b.SpikeMonitor(group)
        net.add(spikes)
        net.run(case.warm * b.ms)
        net.run(case.run * b.ms)
        began = time.perf_counter()
        b.device.build(directory=folder, compile=True, run=False)
        compiled = time.perf_counter()
        b.device.run(folder, with_output=False, run_args=[])
        whole = time.perf_counter() - compiled
        simulate = _last_run(Path(folder))
        times = spikes.t / b.ms
        rate = float((times >= case.warm).sum()) / sum(case.n) / case.run * 1e3
        return {"build": whole - simulate, "compile": compiled - began, "simulate": simulate, "rate": rate}


def _last_run(folder: Path) -> float:
    """Return the seconds of the last run, the measured one, as the program itself timed it."""
    text = (folder / "results" / "last_run_info.txt").read_text()
    return float(re.match(r"\s*(\S+)", text).group(1))


def _vogels_abbott(b, case, p, group, ge, gi):
    n = case.n[0]
    group.v = f"({p['v_reset']} + ({p['v_threshold']} - ({p['v_reset']})) * rand())"
    probability = connection_probability(case)
    e = b.Synapses(group[:n], group, on_pre=ge)
    e.connect(p=probability)
    i = b.Synapses(group[n:], group, on_pre=gi)
    i.connect(p=probability)
    for synapses in (e, i):
        synapses.delay = p["delay"] * b.ms
    return b.Network(group, e, i), group


def _cuba(b, case):
    p = CUBA
    group = b.NeuronGroup(
        sum(case.n), f"""dv/dt = (ge + gi - (v - ({p['v_leak']}))) / ({p['tau_mem']}*ms) : 1 (unless refractory)
        dge/dt = -ge / ({p['tau_exc']}*ms) : 1
        dgi/dt = -gi / ({p['tau_inh']}*ms) : 1""", threshold=f"v > {p['v_threshold']}", reset=f"v = {p['v_reset']}",
        refractory=p["t_ref"] * b.ms, method="exact")
    return _vogels_abbott(b, case, p, group, f"ge += {p['w_exc']}", f"gi += {p['w_inh']}")


def _coba(b, case):
    p = COBA
    leak = p["c_mem"] / p["tau_mem"]
    group = b.NeuronGroup(
        sum(case.n), f"""dv/dt = ({leak} * ({p['v_leak']} - v) + ge * ({p['e_exc']} - v) + gi * ({p['e_inh']} - v)
                                  + {p['i_bias']}) / ({p['c_mem']}*ms) : 1 (unless refractory)
        dge/dt = -ge / ({p['tau_exc']}*ms) : 1
        dgi/dt = -gi / ({p['tau_inh']}*ms) : 1""", threshold=f"v > {p['v_threshold']}", reset=f"v = {p['v_reset']}",
        refractory=p["t_ref"] * b.ms, method="exponential_euler")
    return _vogels_abbott(b, case, p, group, f"ge += {p['w_exc']}", f"gi += {p['w_inh']}")


def _brunel(b, case):
    """Each neuron draws its sources with replacement, as NEST's example does."""
    p, (n_e, n_i) = BRUNEL, case.n
    group = b.NeuronGroup(
        n_e + n_i, f"dv/dt = -v / ({p['tau_mem']}*ms) : 1 (unless refractory)", threshold=f"v > {p['v_threshold']}",
        reset=f"v = {p['v_reset']}", refractory=p["t_ref"] * b.ms, method="exact")
    parts = [group]
    for first, n, k, weight in ((0, n_e, p["k_exc"], p["weight"]), (n_e, n_i, p["k_inh"], -p["g"] * p["weight"])):
        synapses = b.Synapses(group[first:first + n], group, on_pre=f"v_post += {weight} * int(not_refractory_post)")
        synapses.connect(p=k / n)
        synapses.delay = p["delay"] * b.ms
        parts.append(synapses)
    parts.append(b.PoissonInput(group, "v", 1000, brunel_background() / 1000 * b.Hz, weight=p["weight"]))
    return b.Network(*parts), group


def versions() -> str:
    """Return what was run."""
    import brian2

    return f"Brian2 {brian2.__version__}, C++ standalone"
