"""The cases in Brian2, in C++ standalone mode or with Cython, through its public interface.

Brian2 counts the step of a spike as the first refractory one, the others count from the next: it gets one step more.
"""

import re
import time
from pathlib import Path

import numpy as np

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

THREAD = 1  #: its loops with OpenMP are slower on these networks


def measure(case: Case, threads: int, dtype: str = "float32", folder=None, spikes: str = "") -> dict:
    """Build, compile and run a case in C++ standalone mode; the program times its simulation itself.

    Args:
        case, threads, dtype: what to run, and how.
        folder: where the program is; one that is there already and has not changed is not compiled again.
        spikes: unused.
    """
    import brian2 as b

    b.set_device("cpp_standalone", build_on_run=False, directory=str(folder))
    _prefer(b, dtype)
    if threads > 1:
        b.prefs.devices.cpp_standalone.openmp_threads = threads
    began = time.perf_counter()
    monitor, more = _describe(b, case)
    described = time.perf_counter() - began
    began = time.perf_counter()
    b.device.build(directory=str(folder), compile=True, run=False, debug=False)
    compiled = time.perf_counter()
    b.device.run(str(folder), with_output=False, run_args=[])
    whole = time.perf_counter() - compiled
    simulate = float(re.match(r"\s*(\S+)", (Path(folder) / "results" / "last_run_info.txt").read_text()).group(1))
    return {"build": described + max(0.0, whole - simulate), "compile": compiled - began, "simulate": simulate,
            "rates": _rates(b, case, monitor)} | more


def measure_cython(case: Case, threads: int, dtype: str = "float32", folder=None, spikes: str = "") -> dict:
    """Build and run a case in Brian2's ordinary mode, where Python calls compiled pieces."""
    import brian2 as b

    _prefer(b, dtype)
    b.prefs.codegen.target = "cython"
    b.prefs.codegen.runtime.cython.cache_dir = str(folder)
    began = time.perf_counter()
    net, group = _NETWORKS[case.family](b, case)
    monitor = b.SpikeMonitor(group)
    net.add(monitor)
    net.run(max(case.warm, 1.0) * b.ms)  # compiles
    built = time.perf_counter()
    net.run(case.run * b.ms)
    return {"build": built - began, "simulate": time.perf_counter() - built, "rates": _rates(b, case, monitor)}


def _prefer(b, dtype):
    b.prefs.core.default_float_dtype = np.float32 if dtype == "float32" else np.float64
    b.seed(1)
    b.BrianLogger.log_level_error()


def _describe(b, case):
    """Describe network and run; return the monitor of spikes, and what else there is to report."""
    b.defaultclock.dt = case.dt * b.ms
    made = _NETWORKS[case.family](b, case)
    net, group, more = made if len(made) == 3 else (*made, {})
    monitor = b.SpikeMonitor(group)
    net.add(monitor)
    if case.warm:
        net.run(case.warm * b.ms)
    net.run(case.run * b.ms)
    return monitor, more


def _rates(b, case, monitor):
    """Return the mean rate of each population, Hz."""
    measured = np.asarray(monitor.i)[np.asarray(monitor.t / b.ms) >= case.warm - 1e-6]
    counts = np.histogram(measured, np.concatenate([[0], np.cumsum(case.n)]) - 0.5)[0]
    return [float(count) / n / case.run * 1e3 for count, n in zip(counts, case.n, strict=True)]


def _vogels_abbott(b, case, p, group, ge, gi):
    n = case.n[0]
    b.defaultclock.dt = case.dt * b.ms
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
        refractory=(p["t_ref"] + case.dt) * b.ms, method="exact", dt=case.dt * b.ms)
    return _vogels_abbott(b, case, p, group, f"ge += {p['w_exc']}", f"gi += {p['w_inh']}")


def _coba(b, case):
    p = COBA
    leak = p["c_mem"] / p["tau_mem"]
    group = b.NeuronGroup(
        sum(case.n), f"""dv/dt = ({leak} * ({p['v_leak']} - v) + ge * ({p['e_exc']} - v) + gi * ({p['e_inh']} - v)
                                  + {p['i_bias']}) / ({p['c_mem']}*ms) : 1 (unless refractory)
        dge/dt = -ge / ({p['tau_exc']}*ms) : 1
        dgi/dt = -gi / ({p['tau_inh']}*ms) : 1""", threshold=f"v > {p['v_threshold']}", reset=f"v = {p['v_reset']}",
        refractory=(p["t_ref"] + case.dt) * b.ms, method="exponential_euler", dt=case.dt * b.ms)
    return _vogels_abbott(b, case, p, group, f"ge += {p['w_exc']}", f"gi += {p['w_inh']}")


def _brunel(b, case, plastic=False):
    """A probability instead of in-degrees; arrivals at neurons that are refractory are discarded, as elsewhere."""
    p, (n_e, n_i) = BRUNEL, case.n
    b.defaultclock.dt = case.dt * b.ms
    group = b.NeuronGroup(
        n_e + n_i, f"dv/dt = -v / ({p['tau_mem']}*ms) : 1 (unless refractory)", threshold=f"v > {p['v_threshold']}",
        reset=f"v = {p['v_reset']}", refractory=(p["t_ref"] + case.dt) * b.ms, method="exact")
    whole = slice(0, n_e + n_i)
    groups = [(slice(n_e, n_e + n_i), n_i, p["k_inh"], -p["g"] * p["weight"], whole)]
    exc = (slice(0, n_e), n_e, p["k_exc"], p["weight"])
    groups.append((*exc, slice(n_e, n_e + n_i) if plastic else whole))
    parts = [group]
    for sources, n, k, weight, targets in groups:
        parts.append(b.Synapses(group[sources], group[targets],
                                on_pre=f"v_post += {weight} * int(not_refractory_post)"))
        _connect(b, parts[-1], k / n, p["delay"])
    if plastic:
        parts.append(_learning(b, group[:n_e], p["weight"]))
        _connect(b, parts[-1], p["k_exc"] / n_e, p["delay"])
        parts[-1].w = p["weight"]
    parts.append(b.PoissonInput(group, "v", 1000, brunel_background() / 1000 * b.Hz, weight=p["weight"]))
    return b.Network(*parts), group


def _connect(b, synapses, p, delay):
    synapses.connect(p=min(1.0, p))
    synapses.delay = delay * b.ms


def _learning(b, group, weight):
    """Return synapses with additive STDP; the delay is axonal, which spares Brian2 a third pathway."""
    up = STDP["rate"] * STDP["w_max"]
    return b.Synapses(
        group, group, f"""w : 1
        dx/dt = -x / ({STDP['tau_plus']}*ms) : 1 (event-driven)
        dy/dt = -y / ({STDP['tau_minus']}*ms) : 1 (event-driven)""",
        on_pre=f"""v_post += w * int(not_refractory_post)
        x += {up}
        w = clip(w - y, 0, {STDP['w_max']})""",
        on_post=f"""y += {STDP['alpha'] * up}
        w = clip(w + x, 0, {STDP['w_max']})""")


def _izhikevich(b, case):
    """The numerics of the published script: two half steps for v, one step for u, the input held."""
    p, (n_e, n_i) = IZHIKEVICH, case.n
    b.defaultclock.dt = case.dt * b.ms
    group = b.NeuronGroup(n_e + n_i, """v : 1
        u : 1
        current : 1
        a : 1 (constant)
        d : 1 (constant)""", threshold="v >= 30", reset="v = -65\nu += d")
    group.v, group.u = -65.0, -13.0
    for name, part in (("exc", group[:n_e]), ("inh", group[n_e:])):
        part.a, part.d = p[name][0], p[name][3]
    group.run_regularly("""v += 0.5 * (0.04 * v * v + 5.0 * v + 140.0 - u + current)
        v += 0.5 * (0.04 * v * v + 5.0 * v + 140.0 - u + current)
        u += a * (0.2 * v - u)
        current = 0""", dt=case.dt * b.ms, when="groups")
    e = b.Synapses(group[:n_e], group, on_pre=f"current_post += {p['w_exc']}")
    e.connect(p=min(1.0, p["k"] / (n_e + n_i)))
    e.delay = f"(1 + int({p['longest']} * rand())) * ms"
    i = b.Synapses(group[n_e:], group[:n_e], on_pre=f"current_post += {p['w_inh']}")
    _connect(b, i, p["k"] / n_e, 1.0)
    noise = b.PoissonInput(group, "current", 1, p["background"] * b.Hz, weight=p["jump"])
    return b.Network(group, e, i, noise), group


def _microcircuit(b, case):
    """The parts of the description, read one by one."""
    from neurosim.reservoirs import potjans_diesmann

    b.defaultclock.dt = case.dt * b.ms
    net = potjans_diesmann(case.scale, initial="optimised")
    p, ends = net.populations[0].model, np.concatenate([[0], np.cumsum(case.n)])
    group = b.NeuronGroup(int(ends[-1]), f"""
        dv/dt = ({p.v_leak} - v) / ({p.tau_mem}*ms) + (current + bias) / ({p.c_mem}*ms) : 1 (unless refractory)
        dcurrent/dt = -current / (0.5*ms) : 1
        bias : 1 (constant)""", threshold=f"v > {p.v_threshold}", reset=f"v = {p.v_reset}",
        refractory=(p.t_ref + case.dt) * b.ms, method="exact")
    slices = {each: slice(int(ends[k]), int(ends[k + 1])) for k, each in enumerate(net.populations)}
    parts = [group]
    for each, where in slices.items():
        group[where].v = f"{each.initial['v'].mean} + {each.initial['v'].std} * randn()"
        group[where].bias = float(each.model.i_bias)
    for drive in net.drives:
        rate = drive.drive.rate
        parts.append(b.PoissonInput(group[slices[drive.target]], "current", 1000, rate / 1000 * b.Hz,
                                    weight=drive.drive.weight))
    sources, targets, weights, delays = _synapses(net, slices)
    synapses = b.Synapses(group, group, "w : 1 (constant)", on_pre="current_post += w")
    synapses.connect(i=sources, j=targets)
    synapses.w, synapses.delay = weights, delays * b.ms
    return b.Network(*parts, synapses), group


def _synapses(net, slices):
    """Return sources, targets, weights and delays of all projections: as one object they compile in a minute less."""
    rng, drawn = np.random.default_rng(1), []
    for each in net.projections:
        ends = [rng.integers(slices[part].start, slices[part].stop, each.rule.n) for part in (each.source, each.target)]
        # ten standard deviations lie between a weight and 0: nothing is drawn again
        drawn.append((*ends, rng.normal(each.weight.mean, each.weight.std, each.rule.n),
                      _delays(rng, each.delay, each.rule.n)))
    return [np.concatenate(column) for column in zip(*drawn, strict=True)]


def _delays(rng, drawn, n):
    """Return normal delays, drawn again where they are too short."""
    found = rng.normal(drawn.mean, drawn.std, n)
    while (short := found < drawn.low).any():
        found[short] = rng.normal(drawn.mean, drawn.std, int(short.sum()))
    return found


def _lsm(b, case):
    """All recordings one after the other; the state is set back where one ends."""
    samples = recordings.samples(round(case.run / LSM["ms"]))
    inputs, weights = liquid_weights()
    p, n = LSM, case.n[0]
    b.defaultclock.dt = case.dt * b.ms
    times = np.concatenate([sample.times + k * p["ms"] for k, sample in enumerate(samples)])
    ids = np.concatenate([sample.ids for sample in samples]).astype(int)
    source = b.SpikeGeneratorGroup(p["inputs"], ids, times * b.ms)
    group = b.NeuronGroup(n, f"dv/dt = -v / ({p['tau_mem']}*ms) : 1 (unless refractory)",
                          threshold=f"v > {p['v_threshold']}", reset="v = 0", refractory=(p["t_ref"] + case.dt) * b.ms,
                          method="exact")
    group.run_regularly("v = 0", dt=p["ms"] * b.ms, when="start")
    parts = [source, group]
    for origin, matrix in ((source, inputs), (group, weights)):
        rows, columns = np.nonzero(matrix)
        parts.append(b.Synapses(origin, group, "w : 1 (constant)", on_pre="v_post += w * int(not_refractory_post)"))
        parts[-1].connect(i=rows, j=columns)
        parts[-1].w = matrix[rows, columns]
        parts[-1].delay = case.dt * b.ms
    net = b.Network(*parts)
    # arrivals count in their own tick, as elsewhere
    net.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    return net, group, {"recordings": len(samples), "input_events": recordings.events_of(samples)}


_NETWORKS = {"cuba": _cuba, "coba": _coba, "brunel": _brunel, "brunel_stdp": lambda b, case: _brunel(b, case, True),
             "izhikevich": _izhikevich, "microcircuit": _microcircuit, "lsm": _lsm}


def versions() -> str:
    """Return what was run."""
    import brian2

    return f"Brian2 {brian2.__version__}"
