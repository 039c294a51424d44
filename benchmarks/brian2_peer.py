"""The cases in Brian2, in C++ standalone mode or with Cython, through its public interface.

Brian2 counts the step of a spike as the first refractory one, the others count from the next: it gets one step more.
"""

import re
import time
from pathlib import Path

import numpy as np

from benchmarks import cases, recordings
from benchmarks.cases import Case, brunel_background, connection_probability
from neurosim.reservoirs.named.fly import WEIGHT

THREAD = 1  #: its loops with OpenMP are slower on these networks
TRACES = f"""
    dx/dt = -x / ({cases.STDP['tau_plus']}*ms) : 1
    dy/dt = -y / ({cases.STDP['tau_minus']}*ms) : 1"""


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
    b.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]
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
    p = cases.CUBA
    group = b.NeuronGroup(
        sum(case.n), f"""dv/dt = (ge + gi - (v - ({p['v_leak']}))) / ({p['tau_mem']}*ms) : 1 (unless refractory)
        dge/dt = -ge / ({p['tau_exc']}*ms) : 1
        dgi/dt = -gi / ({p['tau_inh']}*ms) : 1""", threshold=f"v > {p['v_threshold']}", reset=f"v = {p['v_reset']}",
        refractory=(p["t_ref"] + case.dt) * b.ms, method="exact", dt=case.dt * b.ms)
    return _vogels_abbott(b, case, p, group, f"ge += {p['w_exc']}", f"gi += {p['w_inh']}")


def _coba(b, case):
    p = cases.COBA
    leak = p["c_mem"] / p["tau_mem"]
    group = b.NeuronGroup(
        sum(case.n), f"""dv/dt = ({leak} * ({p['v_leak']} - v) + ge * ({p['e_exc']} - v) + gi * ({p['e_inh']} - v)
                                  + {p['i_bias']}) / ({p['c_mem']}*ms) : 1 (unless refractory)
        dge/dt = -ge / ({p['tau_exc']}*ms) : 1
        dgi/dt = -gi / ({p['tau_inh']}*ms) : 1""", threshold=f"v > {p['v_threshold']}", reset=f"v = {p['v_reset']}",
        refractory=(p["t_ref"] + case.dt) * b.ms, method="exponential_euler", dt=case.dt * b.ms)
    return _vogels_abbott(b, case, p, group, f"ge += {p['w_exc']}", f"gi += {p['w_inh']}")


def _brunel(b, case, plastic=False):
    """Arrivals at neurons that are refractory are discarded, as elsewhere."""
    p, n_e = cases.BRUNEL, case.n[0]
    b.defaultclock.dt = case.dt * b.ms
    group = b.NeuronGroup(
        sum(case.n), f"dv/dt = -v / ({p['tau_mem']}*ms) : 1 (unless refractory)" + TRACES * plastic,
        threshold=f"v > {p['v_threshold']}", reset=f"v = {p['v_reset']}", refractory=(p["t_ref"] + case.dt) * b.ms,
        method="exact")
    exc, inh, parts, rng = group[:n_e], group[n_e:], [group], np.random.default_rng(1)
    delay = _early(b, p["delay"], case)
    for source, target, k, weight in ((inh, group, p["k_inh"], -p["g"] * p["weight"]),
                                      (exc, inh if plastic else group, p["k_exc"], p["weight"])):
        on_pre = f"v_post += {weight} * int(not_refractory_post)"
        parts.append(b.Synapses(source, target, on_pre=on_pre, delay=delay))
        _connect_in_degree(parts[-1], k, rng)
    if plastic:
        parts += learning(b, case, exc, lambda made: _connect_in_degree(made, p["k_exc"], rng))
    parts.append(b.PoissonInput(group, "v", 1000, brunel_background() / 1000 * b.Hz, weight=p["weight"]))
    return counting_at_once(b, parts), group


def counting_at_once(b, parts):
    """Return a network where arrivals count in their own tick, as elsewhere; a spike is then sent in the next one."""
    net = b.Network(*parts)
    net.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    return net


def _early(b, delay, case):
    """Return the delay of a spike that is sent in the tick after its own."""
    return (delay - case.dt) * b.ms


def _connect_in_degree(synapses, k, rng):
    """Connect each target to k sources; synapses in the order of their sources are what spikes find fastest."""
    n_source, n_target = len(synapses.source), len(synapses.target)
    sources = rng.integers(n_source, size=n_target * k, dtype=np.uint16)
    order = np.argsort(sources, kind="stable")
    synapses.connect(i=sources[order].astype(np.int32), j=(order // k).astype(np.int32))


def learning(b, case, exc, connect):
    """Return synapses with additive STDP and a dendritic delay, and what keeps the traces of their neurons.

    A synapse sees spikes of its source at once and those of its target after the delay, and transmits the weight
    from after the change, which arrives after the delay. All is done a delay later here: then arrival and change are
    one event, and a synapse has no variable but its weight. Spikes at one time do not make a pair.

    Args:
        exc: the neurons, with traces x and y.
        connect: a function that makes the synapses.
    """
    p, rule = cases.BRUNEL, cases.STDP
    up, most = rule["rate"] * rule["w_max"], rule["w_max"]
    once, twice = (_early(b, times * p["delay"], case) for times in (1, 2))
    synapses = b.Synapses(exc, exc, "w : 1", delay={"pre": once, "post": twice},
                          on_pre=f"""w = clip(w - y_post, 0, {most})
                          v_post += w * int(not_refractory_post)""",
                          on_post=f"w = clip(w + x_pre, 0, {most})")
    synapses.pre.order, synapses.post.order = 1, 0
    connect(synapses)
    synapses.w = p["weight"]
    traces = [b.Synapses(exc, exc, on_pre=change, delay=late)
              for change, late in ((f"x_post += {up}", once), (f"y_post += {rule['alpha'] * up}", twice))]
    for trace in traces:
        trace.connect(j="i")
        trace.pre.order = 2
    return [synapses, *traces]


def _izhikevich(b, case):
    """The numerics of the published script: two half steps for v, one step for u, the input held."""
    p, (n_e, n_i) = cases.IZHIKEVICH, case.n
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
    i.connect(p=min(1.0, p["k"] / n_e))
    i.delay = 1.0 * b.ms
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
    """All recordings one after another; the state is set back where one ends."""
    p, samples, (inputs, weights) = cases.LSM, recordings.samples(case), cases.liquid_weights()
    source = _given(b, case, samples, p["inputs"])
    group = b.NeuronGroup(case.n[0], f"dv/dt = -v / ({p['tau_mem']}*ms) : 1 (unless refractory)",
                          threshold=f"v > {p['v_threshold']}", reset="v = 0", refractory=(p["t_ref"] + case.dt) * b.ms,
                          method="exact")
    group.run_regularly("v = 0", dt=case.sample_ms * b.ms, when="start")
    parts = [source, group]
    for origin, matrix in ((source, inputs), (group, weights)):
        rows, columns = np.nonzero(matrix)
        parts.append(b.Synapses(origin, group, "w : 1 (constant)", on_pre="v_post += w * int(not_refractory_post)"))
        parts[-1].connect(i=rows, j=columns)
        parts[-1].w = matrix[rows, columns]
    reached = np.count_nonzero(inputs, axis=1)
    return counting_at_once(b, parts), group, {"input_events": recordings.events_of(samples, reached)}


def _fly(b, case):
    """The published equations, in which a spike clears g and what arrives while refractory is lost; the mean rates
    are those of neurosim's network, whose connections it has."""
    _, driven, found = cases.fly_network(case)
    b.defaultclock.dt = case.dt * b.ms
    group = b.NeuronGroup(case.n[0], """dv/dt = (-52 - v + g) / (20*ms) : 1 (unless refractory)
        dg/dt = -g / (5*ms) : 1 (unless refractory)
        held : second (constant)""", threshold="v > -45", reset="v = -52; g = 0", refractory="held", method="exact",
                          dt=case.dt * b.ms)
    held = np.full(case.n[0], 2.2 + case.dt)
    held[driven] = 0.0
    group.v, group.held = -52.0, held * b.ms
    synapses = b.Synapses(group, group, "w : 1 (constant)", on_pre="g_post += w", delay=1.8 * b.ms)
    synapses.connect(i=found.source, j=found.target)
    synapses.w = WEIGHT * found.count
    events = b.PoissonGroup(driven.size, rates=cases.FLY["rate"] * b.Hz)
    fed = b.Synapses(events, group, on_pre=f"v_post += {cases.FLY['jump']}")
    fed.connect(i=np.arange(driven.size), j=driven)
    return b.Network(group, synapses, events, fed), group


def _given(b, case, samples, inputs, late=0.0):
    """Return inputs that are given the spikes of samples, one after another."""
    b.defaultclock.dt = case.dt * b.ms
    times, ids = recordings.one_after_another(samples, case.sample_ms)
    return b.SpikeGeneratorGroup(inputs, ids, (times + late) * b.ms)


def _diehl_cook(b, case):
    """Inputs are neurons that keep the traces and are fired by the given spikes, which come a tick early for that.

    Brian2 handles a spike of a target a tick late, before it raises the traces of the arrivals of that tick.
    """
    p, samples, weights, last = cases.DIGITS, recordings.digits(case), cases.digit_weights(), case.sample_ms * b.ms
    given = _given(b, case, samples, p["inputs"], -case.dt)
    pixels = b.NeuronGroup(p["inputs"], f"""dx/dt = -x / ({p['tau_x']}*ms) : 1
        given : 1""", threshold="given > 0", reset="given = 0", method="exact")
    fire = b.Synapses(given, pixels, on_pre="given_post = 1")
    trace = b.Synapses(pixels, pixels, on_pre=f"x_post += {np.exp(case.dt / p['tau_x'])}")
    trace.pre.order = 2
    for synapses in (fire, trace):
        synapses.connect(j="i")
    cells = b.NeuronGroup(case.n[0], f"""dv/dt = ({p['v_leak']} - v) / ({p['tau_mem']}*ms) : 1 (unless refractory)
        dtheta/dt = -theta / ({p['tau_theta']}*ms) : 1
        total : 1""", threshold=f"v > {p['v_threshold']} + theta", method="exact",
        reset=f"v = {p['v_reset']}\ntheta += {p['delta_theta']}", refractory=(p["t_ref"] + case.dt) * b.ms)
    cells.v = p["v_leak"]
    learning = b.Synapses(pixels, cells, "w : 1", on_pre="v_post += w * int(not_refractory_post)",
                          on_post=f"w = clip(w + {p['eta']} * (x_pre - {p['x_0']}), 0, 1)")
    learning.connect()
    learning.w = weights.ravel()
    # before each image, the weights of a neuron are given their sum
    cells.run_regularly("total = 0", dt=last, when="start", order=0)
    learning.run_regularly("total_post += w", dt=last, when="start", order=1)
    learning.run_regularly(f"w *= {p['total']} / total_post", dt=last, when="start", order=2)
    inhibition = b.Synapses(cells, cells, on_pre=f"v_post += {p['inhibition']} * int(not_refractory_post)")
    inhibition.connect(condition="i != j")
    net = counting_at_once(b, [given, pixels, fire, trace, cells, learning, inhibition])
    return net, cells, {"input_events": float(sum(len(sample) for sample in samples) * len(cells))}


_NETWORKS = {"cuba": _cuba, "coba": _coba, "brunel": _brunel, "brunel_stdp": lambda b, case: _brunel(b, case, True),
             "izhikevich": _izhikevich, "microcircuit": _microcircuit, "lsm": _lsm, "diehl_cook": _diehl_cook,
             "fly": _fly}


def versions() -> str:
    """Return what was run."""
    import brian2

    return f"Brian2 {brian2.__version__}"
