"""Networks from explicit arrays, run by Brian2 and by neurosim; this file also makes the golden spikes.

    python tests/brian2_reference.py golden     # needs Brian2: run it and write tests/golden/brian2.npz
    python tests/brian2_reference.py report     # needs Brian2: run both and print how they compare
    python tests/brian2_reference.py settings   # needs Brian2: what a setting does that is left as Brian2 has it

docs/comparison_brian2.md tells what came of it.

What must be set in Brian2 so that both mean the same:

* The schedule is start, groups, synapses, thresholds, resets, end: integrate, add what arrives, compare.
* Brian2 labels what happens in the step from t to t + dt with t, neurosim with t + dt: one tick is added.
* With that schedule Brian2 sees a spike in the step after its own, so its delays are one step shorter than ours.
* Brian2 counts the step of the spike as the first refractory one, we count from the next: one step longer there.
* Pulses act on the integration of the tick at which they arrive: that pathway runs in the slot "start".

The first two networks are benchmarks 2 and 1 of Brette et al., J. Computational Neuroscience 23 (2007) 349, with a
delay of one tick where those have none; COBA has a constant current in place of the external drive. The third has
the neurons, the synapses per neuron and the delays of Izhikevich, Neural Computation 18 (2006) 245, with uniform
weights, and the thalamic noise of Izhikevich, IEEE Trans. Neural Networks 14 (2003) 1569. A fourth one has jumps of v,
many of which meet a refractory neuron and are lost, and delays of 0.1 .. 2 ms in ticks of 0.1 ms.
"""

import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

import neurosim as ns
from neurosim.neurons import LIF, Izhikevich

GOLDEN = Path(__file__).parent / "golden" / "brian2.npz"
SCHEDULE = ["start", "groups", "synapses", "thresholds", "resets", "end"]
NETWORKS = ("cuba", "coba", "delta", "izhikevich")
SETTINGS = ("schedule", "time stamps", "delays", "refractory period", "slot of the pulses")
STATES = range(5)  #: the initial states
IDENTICAL = 100.0  #: ms over which every spike must agree
MEASURED = 1000.0  #: ms after that, over which rates and CVs are taken
MEASURES = ("rate E (Hz)", "rate I (Hz)", "ISI CV E", "ISI CV I")


# ---- the networks as arrays -----------------------------------------------------------------------


@dataclass(frozen=True)
class Synapses:
    """One entry per synapse: numbers of source and target, weight, delay in ticks."""

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray


@dataclass(frozen=True)
class Wired:
    """A network in plain arrays: its first `n_exc` neurons excite, the others inhibit.

    Args:
        name: which of `NETWORKS`.
        dt: ms.
        n_exc, n_inh: numbers of neurons.
        exc, inh: what leaves the excitatory and the inhibitory neurons; sources count from 0 in each.
        initial: initial values by variable: v and u, or v, ge and gi.
        parameters: those that differ from neuron to neuron.
        current: injected current for each tick and neuron, or None.
    """

    name: str
    dt: float
    n_exc: int
    n_inh: int
    exc: Synapses
    inh: Synapses
    initial: dict
    parameters: dict = field(default_factory=dict)
    current: np.ndarray | None = None

    @property
    def size(self):
        return self.n_exc + self.n_inh


def uniform(seed, *shape):
    """Numbers in [0, 1), the same with every version of numpy, which guarantees the raw stream of a bit generator."""
    raw = np.random.PCG64(seed).random_raw(int(np.prod(shape)))
    return ((raw >> np.uint64(11)) * 2.0**-53).reshape(shape)


def build(name, state) -> Wired:
    """Return one of the networks with one of its initial states."""
    return {"cuba": _cuba, "coba": _coba, "delta": _delta, "izhikevich": _izhikevich}[name](state)


@cache
def _random_pairs(seed, n_source, n_target, probability, weight, longest=1):
    """Each pair with a probability, the delays drawn from 1 .. longest ticks."""
    source, target = np.nonzero(uniform((seed, 0), n_source, n_target) < probability)
    delay = 1 + (longest * uniform((seed, 1), source.size)).astype(np.int64)
    return Synapses(source, target, np.full(source.size, weight), delay)


def _cuba(state):
    exc, inh = _random_pairs(1, 3200, 4000, 0.02, 1.62), _random_pairs(2, 800, 4000, 0.02, -9.0)  # mV
    v = -60.0 + 10.0 * uniform((11, state), 4000)
    return Wired("cuba", 0.1, 3200, 800, exc, inh, {"v": v, "ge": np.zeros(4000), "gi": np.zeros(4000)})


def _coba(state):
    exc, inh = _random_pairs(3, 3200, 4000, 0.02, 6.0), _random_pairs(4, 800, 4000, 0.02, 67.0)  # nS
    draws = uniform((12, state), 3, 4000)
    return Wired("coba", 0.1, 3200, 800, exc, inh,
                 {"v": -60.0 + 10.0 * draws[0], "ge": 80.0 * draws[1], "gi": 400.0 * draws[2]})


def _delta(state):
    exc, inh = _random_pairs(5, 1600, 2000, 0.1, 0.2, 20), _random_pairs(6, 400, 2000, 0.1, -1.2, 20)  # mV
    return Wired("delta", 0.1, 1600, 400, exc, inh, {"v": -60.0 + 10.0 * uniform((15, state), 2000)})


@cache
def _izhikevich_synapses():
    pick, weight, delay = uniform(7, 3, 1000, 100)
    target = (pick * 1000).astype(np.int64)
    source = np.repeat(np.arange(1000), 100)
    target, weight, delay = target.ravel(), weight.ravel(), 1 + (20 * delay.ravel()).astype(np.int64)
    exc = source < 800
    return (Synapses(source[exc], target[exc], 5.0 * weight[exc], delay[exc]),
            Synapses(source[~exc] - 800, target[~exc], -8.0 * weight[~exc], delay[~exc]))


def _izhikevich(state):
    exc, inh = _izhikevich_synapses()
    r = uniform(8, 1000)
    is_exc = np.arange(1000) < 800
    parameters = {"a": np.where(is_exc, 0.02, 0.02 + 0.08 * r), "b": np.where(is_exc, 0.2, 0.25 - 0.05 * r),
                  "c": np.where(is_exc, -65.0 + 15.0 * r * r, -65.0), "d": np.where(is_exc, 8.0 - 6.0 * r * r, 2.0)}
    v = -75.0 + 20.0 * uniform((13, state), 1000)
    ticks = int(IDENTICAL + MEASURED)
    noise = (uniform((14, state), 4, ticks, 1000).sum(axis=0) - 2.0) * np.sqrt(3.0)  # nearly normal, variance 1
    current = noise * np.where(is_exc, 5.0, 2.0)
    return Wired("izhikevich", 1.0, 800, 200, exc, inh, {"v": v, "u": parameters["b"] * v}, parameters, current)


# ---- run by Brian2 --------------------------------------------------------------------------------


@dataclass(frozen=True)
class InBrian2:
    """A network's neurons in Brian2, and what its synapses do.

    Args:
        group: the neurons.
        unit: name of the unit of a weight.
        scale: that unit, by which plain numbers are multiplied.
        on_pre: statements for excitation and inhibition.
        slot: slot of the schedule in which they act.
    """

    group: object
    unit: str
    scale: object
    on_pre: tuple
    slot: str = "synapses"


def run_brian2(wired, duration, target="numpy", forget=()) -> ns.Spikes:
    """Return the spikes of a network run by Brian2 in runtime mode.

    Args:
        wired: the network.
        duration: ms.
        target: "numpy" or "cython".
        forget: which of `SETTINGS` are left as Brian2 has them.
    """
    import brian2 as b2

    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = target
    try:
        net, monitor = _in_brian2(b2, wired, forget)
        net.run(duration * b2.ms, namespace={})
    finally:
        b2.prefs.codegen.target = before
    later = 0 if "time stamps" in forget else 1  # it labels a step by its beginning
    ticks = np.rint(np.asarray(monitor.t / b2.ms) / wired.dt).astype(np.int64) + later
    inside = ticks > 0
    return ns.Spikes(ticks=ticks[inside], ids=np.asarray(monitor.i)[inside], size=wired.size, duration=duration,
                     dt=wired.dt)


def _in_brian2(b2, wired, forget):
    model = _BRIAN2_MODELS[wired.name](b2, wired, 0.0 if "refractory period" in forget else wired.dt)
    group, pathways = model.group, []
    sources = (group[:wired.n_exc], group[wired.n_exc:])
    for synapses, source, statement in zip((wired.exc, wired.inh), sources, model.on_pre, strict=True):
        pathway = b2.Synapses(source, group, f"w : {model.unit}", on_pre=statement, dt=wired.dt * b2.ms)
        pathway.connect(i=synapses.source, j=synapses.target)
        pathway.w = synapses.weight * model.scale
        early = 0 if "delays" in forget else 1  # it sees a spike one step late
        pathway.pre.delay = (synapses.delay - early) * wired.dt * b2.ms
        pathway.pre.when = "synapses" if "slot of the pulses" in forget else model.slot
        pathways.append(pathway)
    monitor = b2.SpikeMonitor(group)
    net = b2.Network(group, *pathways, monitor)
    if "schedule" not in forget:
        net.schedule = SCHEDULE
    return net, monitor


def _brian2_cuba(b2, wired, longer):
    group = b2.NeuronGroup(wired.size, """
        dv/dt = (ge + gi - (v - v_leak)) / tau_m : volt (unless refractory)
        dge/dt = -ge / tau_e : volt
        dgi/dt = -gi / tau_i : volt
        """, method="exact", **_brian2_spiking(b2, wired, longer), namespace={
            "tau_m": 20 * b2.ms, "tau_e": 5 * b2.ms, "tau_i": 10 * b2.ms, "v_leak": -49 * b2.mV})
    group.v = wired.initial["v"] * b2.mV
    group.ge, group.gi = wired.initial["ge"] * b2.mV, wired.initial["gi"] * b2.mV
    return InBrian2(group, "volt", b2.mV, ("ge_post += w", "gi_post += w"))


def _brian2_coba(b2, wired, longer):
    group = b2.NeuronGroup(wired.size, """
        dv/dt = (g_leak * (v_leak - v) + current) / c_mem : volt (unless refractory)
        current = ge * (e_exc - v) + gi * (e_inh - v) + i_bias : amp
        dge/dt = -ge / tau_e : siemens
        dgi/dt = -gi / tau_i : siemens
        """, method="exponential_euler", **_brian2_spiking(b2, wired, longer), namespace={
            "c_mem": 200 * b2.pF, "g_leak": 10 * b2.nS, "tau_e": 5 * b2.ms, "tau_i": 10 * b2.ms, "v_leak": -60 * b2.mV,
            "e_exc": 0 * b2.mV, "e_inh": -80 * b2.mV, "i_bias": 200 * b2.pA})
    group.v = wired.initial["v"] * b2.mV
    group.ge, group.gi = wired.initial["ge"] * b2.nS, wired.initial["gi"] * b2.nS
    return InBrian2(group, "siemens", b2.nS, ("ge_post += w", "gi_post += w"))


def _brian2_delta(b2, wired, longer):
    group = b2.NeuronGroup(wired.size, "dv/dt = (v_leak - v) / tau_m : volt (unless refractory)", method="exact",
                           **_brian2_spiking(b2, wired, longer), namespace={"tau_m": 20 * b2.ms, "v_leak": -45 * b2.mV})
    group.v = wired.initial["v"] * b2.mV
    return InBrian2(group, "volt", b2.mV, ("v_post += w", "v_post += w"))


def _brian2_spiking(b2, wired, longer):
    """What the three integrate-and-fire groups share; the step of the spike counts as a refractory one in Brian2."""
    return {"threshold": "v > -50 * mV", "reset": "v = -60 * mV", "refractory": (5.0 + longer) * b2.ms,
            "dt": wired.dt * b2.ms}


def _brian2_izhikevich(b2, wired, longer):
    group = b2.NeuronGroup(wired.size, """
        v : 1
        u : 1
        arriving : 1
        a : 1
        b : 1
        c : 1
        d : 1
        """, threshold="v >= 30", reset="v = c; u += d", dt=wired.dt * b2.ms,
        namespace={"injected": b2.TimedArray(wired.current, dt=wired.dt * b2.ms)})
    group.run_regularly("""
        current = arriving + injected(t, i)
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + current)
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + current)
        u = u + a * (b * v - u)
        arriving = 0
        """, when="groups")
    for name, values in {**wired.parameters, **wired.initial}.items():
        setattr(group, name, values)
    return InBrian2(group, "1", 1, ("arriving_post += w", "arriving_post += w"), "start")


_BRIAN2_MODELS = {"cuba": _brian2_cuba, "coba": _brian2_coba, "delta": _brian2_delta, "izhikevich": _brian2_izhikevich}


# ---- run by neurosim ------------------------------------------------------------------------------


def run_neurosim(wired, duration, dtype="float64", threads=None) -> ns.Spikes:
    """Return the spikes of a network run by neurosim.

    Args:
        wired: the network.
        duration: ms.
        dtype: "float64" or "float32".
        threads: as for a `Simulation`.
    """
    net = ns.Network()
    model, receptors, gain = _neurosim_model(wired)
    states = {name: values for name, values in wired.initial.items() if name in ("v", "u")}
    cells = net.add(model, wired.size, name="cells", initial=states)
    for synapses, source, receptor in ((wired.exc, cells[:wired.n_exc], receptors[0]),
                                       (wired.inh, cells[wired.n_exc:], receptors[1])):
        net.connect(source, cells, ns.Explicit(synapses.source, synapses.target), weight=synapses.weight * gain,
                    delay=synapses.delay * wired.dt, receptor=receptor)
    if wired.current is not None:
        net.drive(cells, ns.InjectedCurrent(ns.TimedArray(wired.current, every=wired.dt)))
    net.record(cells)
    sim = ns.Simulation(net, dt=wired.dt, dtype=dtype, threads=threads)
    for port, name in enumerate(("ge", "gi")):
        if name in wired.initial:
            variable = {"cuba": "i_syn", "coba": "g_syn"}[wired.name]
            sim.set(cells, **{f"{variable}[{port}]": wired.initial[name] * gain})
    sim.run(duration)
    return sim.spikes(cells)


def _neurosim_model(wired):
    """The model, the receptors of excitation and inhibition, and what turns the weights into their unit."""
    common = {"tau_mem": 20.0, "v_threshold": -50.0, "v_reset": -60.0, "t_ref": 5.0}
    if wired.name == "cuba":
        model = LIF(**common, v_leak=-49.0, r=0.1)  # 1 mV is 10 pA
        return model, (ns.ExponentialCurrent(5.0), ns.ExponentialCurrent(10.0)), 10.0
    if wired.name == "coba":
        model = LIF(**common, v_leak=-60.0, c_mem=200.0, i_bias=200.0)
        return model, (ns.ExponentialConductance(5.0, 0.0), ns.ExponentialConductance(10.0, -80.0)), 1.0
    if wired.name == "delta":
        return LIF(**common, v_leak=-45.0), (ns.Delta(), ns.Delta()), 1.0
    return Izhikevich(**wired.parameters, scheme="published"), (ns.Pulse(), ns.Pulse()), 1.0


# ---- comparing ------------------------------------------------------------------------------------


def measures(spikes, n_exc) -> np.ndarray:
    """Return mean rate and mean ISI CV of the excitatory and the inhibitory neurons, as `MEASURES` names them."""
    rates, cvs = spikes.rates(), spikes.cv()
    return np.array([rates[:n_exc].mean(), rates[n_exc:].mean(), np.nanmean(cvs[:n_exc]), np.nanmean(cvs[n_exc:])])


def standard_errors(ours, theirs) -> tuple:
    """Return the difference of the means over the initial states, and its standard error, for each measure."""
    variance = (ours.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / len(ours)
    return ours.mean(axis=0) - theirs.mean(axis=0), np.sqrt(variance)


def first_difference(ours, theirs) -> str:
    """Return a sentence about the first spike that only one of the two has, or nothing if all agree."""
    mine = set(zip(ours.ticks.tolist(), ours.ids.tolist(), strict=True))
    other = set(zip(theirs.ticks.tolist(), theirs.ids.tolist(), strict=True))
    if mine == other:
        return ""
    tick, neuron = min(mine ^ other)
    where = "neurosim" if (tick, neuron) in mine else "Brian2"
    return (f"{len(mine - other)} of {len(mine)} spikes are only in neurosim, {len(other - mine)} of {len(other)} only "
            f"in Brian2; the first is of neuron {neuron} at tick {tick}, in {where}")


def _golden(target):
    """Run Brian2 and write the first spikes of every run, and the measures of the rest."""
    import brian2

    arrays = {"made_by": np.array([f"Brian2 {brian2.__version__}, numpy {np.__version__}, codegen target {target}",
                                   "python tests/brian2_reference.py golden"])}
    for name in NETWORKS:
        rows = []
        for state in STATES:
            wired = build(name, state)
            spikes = run_brian2(wired, IDENTICAL + MEASURED, target)
            rows.append(measures(spikes.between(IDENTICAL), wired.n_exc))
            first = spikes.between(stop=IDENTICAL)
            counts = np.bincount(first.ticks, minlength=round(IDENTICAL / wired.dt) + 1)
            arrays[f"{name}_counts_{state}"] = counts.astype(np.uint16)
            arrays[f"{name}_ids_{state}"] = first.ids.astype(np.uint16)
            print(name, state, spikes, rows[-1], flush=True)
        arrays[f"{name}_measures"] = np.array(rows)
    GOLDEN.parent.mkdir(exist_ok=True)
    np.savez_compressed(GOLDEN, **arrays)


def golden_spikes(golden, wired, state) -> ns.Spikes:
    """Return the first 100 ms that Brian2 made, from the golden file."""
    counts = golden[f"{wired.name}_counts_{state}"]
    return ns.Spikes(ticks=np.repeat(np.arange(counts.size), counts), ids=golden[f"{wired.name}_ids_{state}"],
                     size=wired.size, duration=IDENTICAL, dt=wired.dt)


def _report(target):
    """Run both simulators and print, for every network, how the spikes and the measures compare."""
    for name in NETWORKS:
        rows = {"Brian2": [], "float64": [], "float32": []}
        for state in STATES:
            wired = build(name, state)
            runs = {"Brian2": run_brian2(wired, IDENTICAL + MEASURED, target)}
            runs |= {dtype: run_neurosim(wired, IDENTICAL + MEASURED, dtype) for dtype in ("float64", "float32")}
            for label, spikes in runs.items():
                rows[label].append(measures(spikes.between(IDENTICAL), wired.n_exc))
            print(f"{name}, state {state}: {len(runs['Brian2'].between(stop=IDENTICAL))} spikes by {IDENTICAL:g} ms;",
                  first_difference(runs["float64"], runs["Brian2"]) or f"all {len(runs['Brian2'])} are identical",
                  flush=True)
        for label in ("float64", "float32"):
            _print_measures(label, np.array(rows[label]), np.array(rows["Brian2"]))


def _print_measures(label, ours, theirs):
    difference, error = standard_errors(ours, theirs)
    for k, measure in enumerate(MEASURES):
        print(f"  {label} {measure:12s} Brian2 {theirs[:, k].mean():9.5f}, neurosim {ours[:, k].mean():9.5f}, "
              f"difference {difference[k]:+.2e}, standard error {error[k]:.2e}", flush=True)


def _settings(target):
    """Print how many spikes differ within 100 ms where a setting is left as Brian2 has it."""
    for name in NETWORKS:
        wired = build(name, 0)
        ours = run_neurosim(wired, IDENTICAL)
        for forget in (*((setting,) for setting in SETTINGS), ("schedule", "delays")):
            theirs = run_brian2(wired, IDENTICAL, target, forget)
            found = first_difference(ours, theirs) or "makes no difference"
            print(f"{name}, {' and '.join(forget)}: {found}", flush=True)


if __name__ == "__main__":
    commands = {"golden": _golden, "report": _report, "settings": _settings}
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in commands:
        sys.exit("usage: python tests/brian2_reference.py golden|report|settings [numpy|cython]")
    commands[sys.argv[1]](sys.argv[2] if len(sys.argv) == 3 else "numpy")
