"""Pictures of rules that change synapses, delays and neurons while a network runs."""

from functools import partial

import numpy as np

import learning_rules as rules
import neurosim as ns
from pictures import networks
from pictures.base import Picture, legend, panels, pictured, simulate, stacked

COLORS = ns.plot.COLORS
DELTAS = np.concatenate([np.arange(-60.0, 0.0), np.arange(1.0, 61.0)])  # ms from an arrival to the target's spike
ONE = np.full((DELTAS.size, 1), 100.0)  # one arrival at each synapse
SILENT = {"tau_mem": 1e-3, "v_leak": 0.0, "v_reset": 0.0, "v_threshold": 1e6}  # spikes when forced to, and only then


def given(trains, dt, duration):
    """Return a source for each row of times."""
    ids = np.repeat(np.arange(len(trains)), trains.shape[1])
    return ns.SpikeSource(ns.Spikes.from_times(trains.ravel() - dt, ids, size=len(trains), dt=dt, duration=duration))


# ---- one synapse, spikes at given times -------------------------------------------------------------


def paired(rule, arrivals, deltas, weight=0.5, level=None, cell=None, force=2e6, dt=1.0, atleast=0.0):
    """Return the change of each synapse, whose target spikes some ms after each arrival.

    Args:
        arrivals: shape (synapses, pairs); deltas: shape (synapses,).
        level: of the modulator, if the rule has one.
        cell: the target's model, and force: the weight that makes it spike.
        atleast: ms that the run lasts.
    """
    targets = arrivals + np.reshape(deltas, (-1, 1))
    duration = max(targets.max(), arrivals.max(), atleast - 50.0) + 50.0
    net = ns.Network()
    cells = net.add(cell or ns.LIF(**SILENT), len(arrivals))
    net.connect(net.add(given(targets, dt, duration)), cells, ns.OneToOne(), weight=force, delay=dt)
    modulators = {} if level is None else {name: (net.add(ns.LeakyIntegrator(v_leak=0.0, r=1.0, i_bias=level), 1), "v")
                                           for name in rule.modulators}
    net.connect(net.add(given(arrivals, dt, duration)), cells, ns.OneToOne(), weight=weight, delay=dt, plasticity=rule,
                modulators=modulators, name="p")
    return simulate(net, duration, dt, dtype="float64").weights("p") - weight


def draw_window(cls, plt, curves, unit="mV", **how):
    """The change by one pair against the time between its spikes, for some rules."""
    figure, (axes,) = panels(plt)
    axes.axhline(0.0, color="0.8", linewidth=0.8)
    for color, (label, changes, more) in zip(COLORS, curves, strict=False):
        found = paired(cls(**changes), ONE, DELTAS, **how, **more)
        for side in (DELTAS < 0, DELTAS > 0):
            axes.plot(DELTAS[side], found[side], color=color, label=label if side[0] else None)
    axes.set(xlabel="Target's spike - arrival (ms)", ylabel="Change by one pair")
    if len(curves) > 1:
        legend(axes)
    return figure


def draw_frequency(cls, plt, pairs, rates, dt=1.0, **how):
    """The change by some pairs against their frequency, for arrivals 10 ms before and after the target's spikes."""
    figure, (axes,) = panels(plt)
    axes.axhline(0.0, color="0.8", linewidth=0.8)
    begins = 100.0 + np.arange(pairs) * np.round(1000.0 / np.reshape(rates, (-1, 1)), 1 if dt < 1 else 0)
    for color, delta in zip(COLORS, (10.0, -10.0), strict=False):
        found = paired(cls(w_min=-9.0, w_max=9.0), begins, np.full(len(rates), delta), dt=dt, **how)
        axes.plot(rates, found, "o-", color=color, markersize=4,
                  label=f"arrival 10 ms {'before' if delta > 0 else 'after'} the target's spike")
    axes.set(xlabel="Frequency of pairs (Hz)", ylabel=f"Change by {pairs} pairs")
    legend(axes)
    return figure


# ---- two groups of inputs ---------------------------------------------------------------------------


def draw_groups(cls, plt, rates=(40.0, 10.0), weight=0.5, seconds=60.0, **changes):
    """Weights of ten inputs of one rate and ten of another."""
    rng, dt = np.random.default_rng(2), 1.0
    net = ns.Network()
    inputs = net.add(ns.Poisson(np.repeat(rates, 10)), 20)
    cell = net.add(ns.LIF(tau_mem=20.0, t_ref=2.0), 1)
    net.drive(cell, ns.PoissonDrive(rate=800.0, weight=0.5))
    net.connect(inputs, cell, ns.Sparse(np.reshape(weight * rng.uniform(0.8, 1.2, 20), (20, 1))), delay=dt,
                plasticity=cls(**changes), name="p")
    net.record("p", "weight", every=1000.0)
    times, found = simulate(net, 1e3 * seconds, dt).trace("p", "weight")
    figure, (axes,) = panels(plt)
    for group, color in enumerate(COLORS[:2]):
        lines = axes.plot(1e-3 * times, found[:, 10 * group:10 * group + 10], color=color, linewidth=0.8)
        lines[0].set_label(f"{rates[group]:g} Hz")
    axes.set(xlabel="Time (s)", ylabel="Weight", ylim=(0, None))
    legend(axes, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def draw_rates(cls, plt, values=(0.2, 0.4, 0.6)):
    """The change of synapses from sources of 20 Hz, against the rate of the target, for some y_0."""
    rates, copies = np.arange(2.0, 50.0, 4.0), 20
    figure, (axes,) = panels(plt)
    axes.axhline(0.0, color="0.8", linewidth=0.8)
    for color, y_0 in zip(COLORS, values, strict=False):
        net = ns.Network()
        cells = net.add(ns.LIF(**SILENT), rates.size * copies)
        net.drive(cells, ns.PoissonDrive(rate=np.repeat(rates, copies), weight=2e6))
        net.connect(net.add(ns.Poisson(20.0), cells.size), cells, ns.OneToOne(), weight=0.0, delay=1.0, name="p",
                    plasticity=cls(eta=1e-4, y_0=y_0, **BOTH))
        found = simulate(net, 30_000.0, 1.0, dtype="float64").weights("p").reshape(-1, copies).mean(axis=1)
        axes.plot(rates, found, "o-", color=color, markersize=4, label=f"y_0 = {y_0:g}")
    axes.set(xlabel="Rate of the target (Hz)", ylabel="Change in 30 s", ylim=(-0.01, 0.005))
    legend(axes)
    return figure


# ---- what keeps a rate ------------------------------------------------------------------------------


def draw_homeostasis(cls, plt, network, moves, rate, seconds=30.0):
    """Rates of three groups of neurons with different input, and what moves until they are at the target."""
    net, cells, watched = network(cls)
    for each in cells:
        net.record(each)
    for each, name in watched:
        net.record(each, name, every=100.0)
    sim = simulate(net, 1e3 * seconds, 1.0)
    figure, rows = panels(plt, 2, height=3.2, sharex=True)
    for label, color, each, (place, name) in zip(("weak", "middle", "strong"), COLORS, cells, watched, strict=False):
        counts = np.asarray(sim.spikes(each).bin(1000.0), float) / each.size
        rows[0].plot(np.arange(len(counts)) + 0.5, counts, color=color, label=label)
        times, values = sim.trace(place, name)
        rows[1].plot(1e-3 * times, values.mean(axis=1), color=color)
    rows[0].axhline(rate, color="0.6", linestyle=":", zorder=0)
    rows[0].set(ylabel="Rate (Hz)")
    legend(rows[0], ncols=3)
    rows[1].set(ylabel=moves, xlabel="Time (s)")
    stacked(rows)
    return figure


def scaled(cls):
    """Three groups of cells that 40 inputs reach with weak, middle and strong synapses."""
    net = ns.Network()
    inputs = net.add(ns.Poisson(20.0), 40)
    cells, watched = [], []
    for k, weight in enumerate((0.6, 1.0, 1.8)):
        cells.append(net.add(ns.LIF(tau_mem=20.0, t_ref=2.0), 20, name=f"cells{k}"))
        watched.append((net.connect(inputs, cells[-1], weight=weight, delay=1.0, name=f"p{k}", plasticity=cls(
            rate=10.0, eta=0.05, tau_rate=1000.0, w_max=4.0)), "weight"))
    return net, cells, watched


def intrinsic(cls, variable, currents, noise, **changes):
    """Three groups of cells with different constant currents, and noise."""
    net = ns.Network()
    cells = [net.add(cls(i_bias=current, **changes), 20, name=f"cells{k}") for k, current in enumerate(currents)]
    for each in cells:
        net.drive(each, ns.OUCurrent(mean=0.0, std=noise, tau=20.0))
    return net, cells, [(each, variable) for each in cells]


# ---- what a third factor does -----------------------------------------------------------------------


def draw_third(cls, plt, signal, pairs, **changes):
    """A synapse with pairs of spikes, the signal, and what waits for it."""
    dt, duration = 1.0, 2000.0
    net = ns.Network()
    cells = net.add(ns.LIF(**SILENT), 1)
    arrivals = np.reshape(pairs, (1, -1))
    net.connect(net.add(given(arrivals + 10.0, dt, duration)), cells, weight=2e6, delay=dt)
    modulator = signal(net)
    pair = rules.PairSTDP(a_plus=0.1, a_minus=0.105, w_min=-9.0, w_max=9.0)
    synapse = net.connect(net.add(given(arrivals, dt, duration)), cells, weight=0.5, delay=dt, name="p",
                          plasticity=[pair, cls(**changes)], modulators=modulator)
    shown = [(synapse, each) for each in ("c", "n") if each in cls.state]
    shown += [each for each in modulator.values() if isinstance(each, tuple)]
    shown.append((synapse, "weight"))
    for place, name in shown:
        net.record(place, name, every=dt)
    sim = simulate(net, duration, dt, dtype="float64")
    figure, rows = panels(plt, len(shown), height=0.8 + 0.95 * len(shown), sharex=True)
    names = {"c": "Eligibility c", "n": "Reward n (1/ms)", "v": "Signal", "weight": "Weight"}
    for axes, (place, name), color in zip(rows, shown, (*COLORS[:len(shown) - 1], "black"), strict=True):
        times, values = sim.trace(place, name)
        axes.plot(times, values[:, 0], color=color)
        axes.plot(arrivals[0], np.full(arrivals.size, axes.get_ylim()[0]), "^", color="0.5", markersize=4,
                  clip_on=False)
        axes.set(ylabel=names[name], xlabel="Time (ms)")
    stacked(rows)
    return figure


def rewarded(net):
    """A reward at 1,000 ms."""
    return {"reward": net.add(given(np.array([[1000.0]]), 1.0, 2000.0))}


def signalled(net, level, start, stop):
    """A signal that has a level for some ms, and is 0 else."""
    cell = net.add(ns.LeakyIntegrator(tau_mem=1e-3, v_leak=0.0, r=1.0), 1)
    net.drive(cell, ns.StepCurrent(level, start=start, stop=stop))
    return {"signal": (cell, "v")}


# ---- delays -----------------------------------------------------------------------------------------


def draw_coincidence(cls, plt):
    """The change of a delay by one spike of the target, against the time from arrival to spike."""
    gaps = np.linspace(-12.0, 12.0, 241)
    figure, (axes,) = panels(plt)
    axes.axhline(0.0, color="0.8", linewidth=0.8)
    for color, lead in zip(COLORS, (0.0, 3.0), strict=False):
        each = np.arange(gaps.size)
        spikes = np.full(gaps.size, 100.0), each
        found = cls(rate=0.1, lead=lead, width=3.0).change(each, each, np.full(gaps.size, 5.0), spikes,
                                                          (105.0 + gaps, each))
        axes.plot(gaps, found, color=color, label=f"lead = {lead:g} ms")
    axes.set(xlabel="Target's spike - arrival (ms)", ylabel="Change of the delay (ms)")
    legend(axes)
    return figure


def draw_delays(cls, plt):
    """Delays of ten sources that spike at different times before a neuron that fires when enough arrive together."""
    volleys, every = 70, 100.0
    lag = np.linspace(0.0, 13.5, 10)
    times = (10.0 + every * np.arange(volleys))[:, None] + lag
    spikes = ns.Spikes.from_times(times.ravel(), np.tile(np.arange(10), volleys), size=10, duration=volleys * every)
    net = ns.Network()
    source, cell = net.add(ns.SpikeSource(spikes)), net.add(ns.LIF(tau_mem=10.0), 1)
    net.connect(source, cell, weight=5.0, delay=ns.Uniform(2.0, 18.0), name="p")
    for each in (source, cell):
        net.record(each)
    learning = cls(ns.Simulation(net, seed=1), "p", rules.CoincidenceDelays(rate=0.5, width=4.0))
    found = [lag + learning.delay]
    for _ in range(volleys):
        learning.run(every)
        found.append(lag + learning.delay)
    figure, (axes,) = panels(plt)
    axes.plot(np.arange(volleys + 1), found, color=COLORS[0], linewidth=0.9)
    axes.set(xlabel="Volley", ylabel="Arrival after the\nfirst source's spike (ms)")
    return figure


# ---- the table --------------------------------------------------------------------------------------

WINDOW = "Change of a weight by one pair of spikes"
BOTH = {"w_min": -9.0, "w_max": 9.0}
PAIRS = "Triangles: an arrival, 10 ms before a spike of the target"
PICTURES = {
    "PairSTDP": pictured(draw_window, f"{WINDOW}, at weight 0.8 of w_max = 1, additive and multiplicative.", weight=0.8,
                         curves=[("mu = 0", {"a_plus": 0.01, "a_minus": 0.0105}, {}),
                                 ("mu = 1", {"a_plus": 0.01, "a_minus": 0.0105, "mu_plus": 1, "mu_minus": 1}, {})]),
    "SlowSTDP": pictured(draw_window, f"{WINDOW}, at the end of the first period; without spikes it is the drift, "
                         "0.01.",
                         curves=[("", {}, {})], weight=5.0, atleast=1001.0),
    "InhibitorySTDP": pictured(draw_window, f"{WINDOW}, eta = 0.01, for two targets of the rate.", curves=[
        (f"alpha = {alpha:g}", {"eta": 0.01, "alpha": alpha}, {}) for alpha in (0.12, 0.4)]),
    "AstrocyteSTDP": pictured(draw_window, f"{WINDOW} at three activities A of the astrocyte.", weight=1.0, curves=[
        (f"A = {level:g}", {}, {"level": level}) for level in (0.05, 0.15, 0.3)]),
    "TripletSTDP": pictured(draw_frequency, "Change by sixty pairs, against their frequency, with the default "
                            "parameters (visual cortex).", pairs=60,
                            rates=(0.1, 1.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0)),
    "ClopathSTDP": pictured(draw_frequency, "Change by fifteen pairs, against their frequency; the target is a "
                            "ClopathAdEx.", pairs=15, rates=(10.0, 20.0, 30.0, 40.0, 50.0), dt=0.1,
                            cell=rules.ClopathAdEx(), force=150.0),
    "ClopathAdEx": networks.of("neurons", ""),
    "Hebb": pictured(draw_groups, "Weights of twenty inputs of a neuron, ten of them faster: Hebb(eta=1e-3, x_0=0.5).",
                     eta=1e-3, x_0=0.5),
    "Oja": pictured(draw_groups, "Weights of twenty inputs of a neuron, ten of them faster: Oja(eta=3e-3, y_0=0.15).",
                    eta=3e-3, y_0=0.15),
    "BCM": Picture(draw_rates, "Change of weights from sources of 20 Hz, against the rate of a target that spikes by "
                   "itself; the threshold is at y_0 / tau_y, here 10, 20 and 30 Hz."),
    "SoftWinnerTakeAll": pictured(draw_groups, "Weights of twenty inputs of a neuron, ten of them faster: "
                                  "SoftWinnerTakeAll(eta=3e-3).", eta=3e-3, seconds=40.0),
    "SynapticScaling": pictured(draw_homeostasis, "Rates of cells with weak, middle and strong synapses, and their "
                                "mean weights; dotted: the target.", network=scaled, moves="Mean weight", rate=10.0),
    "IntrinsicLIF": pictured(draw_homeostasis, "Rates of cells with a weak, a middle and a strong current, and how far "
                             "their threshold is raised; dotted: the target.", moves="theta (mV)", rate=10.0,
                             network=partial(intrinsic, variable="theta", currents=(150.0, 200.0, 300.0), noise=30.0)),
    "IntrinsicSigmoid": pictured(draw_homeostasis, "Rates of cells with different constant inputs, and their bias; "
                                 "dotted: the target.", moves="Bias", rate=10.0, network=partial(
                                     intrinsic, variable="bias", currents=(-1.0, 0.0, 2.0), noise=1.0, eta=1e-3)),
    "Gated": pictured(draw_third, f"{PAIRS}; pairs count while the signal is on.",
                      pairs=np.arange(100.0, 2000.0, 150.0),
                      signal=partial(signalled, level=1.0, start=600.0, stop=1300.0)),
    "Reward": pictured(draw_third, f"{PAIRS}. The reward comes 800 ms later, and turns what is left of the "
                       "eligibility into weight.", pairs=[200.0], signal=rewarded, ceiling=9.0),
    "ThreeFactor": pictured(draw_third, f"{PAIRS}; the signal comes later, and turns what is left of the eligibility "
                            "into weight.", pairs=[200.0], ceiling=9.0,
                            signal=partial(signalled, level=0.005, start=1000.0, stop=1300.0)),
    "NonAccumulating": pictured(networks.draw_release, "Membrane potential for a train of spikes at 20 Hz and a "
                                "current with tau_syn = 30 ms; grey: the whole weight at each spike.", tau_syn=30.0),
    "CoincidenceDelays": Picture(draw_coincidence, "Change of a delay by one spike of the target, rate = 0.1 ms, width "
                                 "= 3 ms."),
    "DelayLearning": Picture(draw_delays, "Ten sources spike one after the other, in each of 70 volleys: their delays "
                             "learn until they arrive together."),
}
