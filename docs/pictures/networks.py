"""Pictures of what networks are made of: neurons, receptors, releases, inputs, connection rules, distributions."""

import numpy as np

import neurosim as ns
from pictures.base import Picture, simulate, stacked

RESPONSE = "Response to a step of current, with the default parameters."
ARRIVAL = "One spike arrives at a leaky integrate-and-fire neuron (tau_mem = 10 ms, r = 0.1 GOhm) after 10 ms."
CONNECTED = "Who connects to whom between 30 sources and 30 targets"
BELL = np.exp(-0.5 * (np.subtract.outer(np.arange(30), np.arange(30)) / 3.0) ** 2)
BLUR = [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]
RULES = {"AllToAll": {"self_connections": False}, "FixedProbability": {"p": 0.1}, "FixedInDegree": {"k": 3},
         "FixedOutDegree": {"k": 3}, "FixedTotal": {"n": 90}, "SmallWorld": {"k": 4, "rewiring": 0.1}, "OneToOne": {},
         "DistanceDependent": {"c": 1.0, "lam": 4.0, "source_shape": (30,)},
         "Blocks": {"source_blocks": [20, 10], "target_blocks": [20, 10], "probability": [[0.05, 0.2], [0.3, 0.0]]},
         "Convolution": {"kernel": [[BLUR]], "shape": (1, 5, 6), "padding": 1},
         "Explicit": {"sources": np.arange(30), "targets": np.arange(30)[::-1]},
         "Sparse": {"matrix": np.where(BELL > 0.1, BELL, 0.0)}}
GIVEN = {"Convolution": "Convolution(kernel, shape=(1, 5, 6), padding=1) of a kernel of 3 x 3; grey: the weight",
         "Explicit": "Explicit(np.arange(30), np.arange(30)[::-1])",
         "Sparse": "Sparse(matrix) of a bell-shaped matrix; grey: the weight"}  #: what is too long to be written out
DISTRIBUTIONS = {"Normal": (0.0, 1.0), "Uniform": (0.0, 1.0), "Integers": (1, 6), "LogNormal": (0.0, 0.5),
                 "Exponential": (5.0,)}
STEPS = ns.TimedArray([0.0, 100.0, 40.0], every=50.0)
CURRENTS = {"InjectedCurrent": {"amplitude": STEPS}, "StepCurrent": {"amplitude": 100.0, "start": 50.0, "stop": 150.0},
            "SineCurrent": {"amplitude": 100.0, "frequency": 10.0},
            "OUCurrent": {"mean": 0.0, "std": 50.0, "tau": 5.0}, "WhiteNoiseCurrent": {"mean": 50.0, "sigma": 20.0}}
BOOKKEEPING = {"due", "rest"}  # states of schemes that no picture shows


def of(family, name) -> Picture:
    """Return the picture of a page; raise LookupError where nobody has made one."""
    if family == "neurons":
        return Picture(draw_neuron, RESPONSE)
    if family == "receptors":
        return Picture(draw_receptor, ARRIVAL)
    if family == "connectivity" and name in RULES:
        called = GIVEN.get(name) or (name + signature(RULES[name]) if RULES[name] else "")
        return Picture(draw_rule, f"{CONNECTED}{', ' * bool(called)}{called}.")
    if family == "distributions" and name in DISTRIBUTIONS:
        return Picture(draw_distribution, f"Histogram of 20,000 draws of {name}{signature(DISTRIBUTIONS[name])}.")
    if family == "sources" and name in CURRENTS:
        return Picture(draw_current, f"{name}{signature(CURRENTS[name])}.")
    if name in OTHERS:
        return OTHERS[name]
    raise LookupError(f"docs/pictures/networks.py must draw {name}: give OTHERS, or the table of its family, an entry")


def signature(values) -> str:
    """Return values as the arguments of a call."""
    if isinstance(values, dict):
        return "(" + ", ".join(f"{name}={value}" for name, value in values.items()) + ")"
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"


def draw_neuron(cls, plt):
    """The potential and the other variables under a step of current that gives a handful of spikes."""
    model, before, length, dt = cls(), 20.0, 200.0, 0.1
    if getattr(model, "scheme", None) == "published":
        dt = 1.0
    amplitudes = np.geomspace(1e-3, 5e3, 120)
    net = ns.Network()
    cells = net.add(model, amplitudes.size)
    net.drive(cells, ns.StepCurrent(amplitudes, start=before, stop=before + length))
    others = [name for name in model.state if name not in ("v", *BOOKKEEPING)][:2]
    for name in ("v", *others):
        net.record(cells, name)
    if model.spiking:
        net.record(cells)
    sim = ns.Simulation(net, dt=dt, seed=1)
    sim.run(before + length + 60.0, allow_infinite=True)
    v = sim.trace(cells)[1]
    chosen = chosen_amplitude(sim.spikes(cells).counts() if model.spiking else None, v)
    figure, panels = plt.subplots(2 + len(others), 1, figsize=(6, 2.9 + 0.9 * len(others)), sharex=True,
                                  height_ratios=[3, *[1.2] * len(others), 0.8], layout="constrained")
    times = sim.trace(cells)[0]
    spikes = sim.spikes(cells).select([chosen], renumber=True) if model.spiking else None
    ns.plot.traces(times, v[:, chosen], ax=panels[0], unit=model.unit, label="v", spikes=spikes, colors=["black"])
    for name, axes in zip(others, panels[1:], strict=False):
        ns.plot.traces(times, sim.trace(cells, name)[1][:, chosen], ax=axes, unit=model.state[name].unit, label=name,
                       colors=[ns.plot.COLORS[0]])
    current = amplitudes[chosen] * ((times >= before) & (times < before + length))
    ns.plot.traces(times, current, ax=panels[-1], unit=model.current_unit, label="I", colors=[ns.plot.COLORS[1]])
    stacked(panels)
    return figure


def chosen_amplitude(counts, v) -> int:
    """Return the weakest current with a handful of spikes; without spikes, one that moves v by about 10."""
    if counts is not None and (counts >= 6).any():
        return int(np.flatnonzero(counts >= 6)[0])
    return int(np.argmin(abs(np.abs(v - v[0]).max(axis=0) - 10.0)))


def draw_receptor(cls, plt):
    """The receptor's own variable and the potential after one spike."""
    receptor = cls()
    weight = {"jump": 5.0, "pulse": 1000.0, "current": 150.0, "conductance": 5.0}[receptor.effect]
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes.from_times([10.0], [0], size=1, duration=60.0)))
    cell = net.add(ns.LeakyIntegrator(tau_mem=10.0, r=0.1), 1)
    net.connect(source, cell, weight=weight, delay=0.1, receptor=receptor)
    variables = [name for name in ("i_syn", "g_syn") if name in receptor.state]
    for name in (*variables, "v"):
        net.record(cell, name)
    sim = simulate(net, 60.0)
    unit = net.populations[1].model.unit if receptor.effect == "jump" else receptor.unit
    figure, panels = plt.subplots(1 + len(variables), 1, figsize=(6, 1.9 + 1.3 * len(variables)), sharex=True,
                                  squeeze=False, layout="constrained")
    panels = panels[:, 0]
    for name, axes in zip(variables, panels, strict=False):
        ns.plot.traces(*sim.trace(cell, name), ax=axes, unit=receptor.state[name].unit, label=name,
                       colors=[ns.plot.COLORS[0]])
    ns.plot.traces(*sim.trace(cell), ax=panels[-1], label="v", colors=["black"])
    panels[0].set_title(f"weight {weight:g} {unit}", fontsize="small")
    stacked(panels)
    return figure


def draw_release(cls, plt, tau_syn=3.0):
    """The potential for a train of spikes, beside that of a synapse without release."""
    release = cls(tau_syn=tau_syn) if "tau_syn" in cls.parameters else cls()
    net = ns.Network()
    times = np.append(50.0 + 50.0 * np.arange(8), 800.0)
    source = net.add(ns.SpikeSource(ns.Spikes.from_times(times, np.zeros(9, int), size=1, duration=900.0)))
    cells = [net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0), 1, name=name) for name in ("with", "without")]
    for cell, given in zip(cells, (release, None), strict=True):
        net.connect(source, cell, weight=250.0, delay=0.1, receptor=ns.ExponentialCurrent(tau_syn), release=given)
        net.record(cell, "v")
    sim = simulate(net, 900.0)
    figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
    ns.plot.traces(*sim.trace(cells[1]), ax=axes, colors=["0.75"], label="v")
    ns.plot.traces(*sim.trace(cells[0]), ax=axes, colors=["black"], label="v")
    return figure


def draw_rule(cls, plt):
    """The matrix of connections within one population of 30."""
    net = ns.Network()
    cells = net.add(ns.LIF(), 30)
    net.connect(cells, cells, cls(**RULES[cls.__name__]), delay=0.1)
    matrix = ns.Simulation(net, seed=1).weights(net.projections[0], sparse=True).toarray()
    figure, axes = plt.subplots(figsize=(3.2, 3.2), layout="constrained")
    axes.imshow(matrix if cls in (ns.Convolution, ns.Sparse) else matrix > 0, cmap="Greys", interpolation="nearest")
    axes.set(xlabel="Target neuron", ylabel="Source neuron")
    return figure


def draw_distribution(cls, plt):
    """A histogram of draws, taken as the initial values of a population."""
    net = ns.Network()
    cells = net.add(ns.LIF(), 20_000, initial={"v": cls(*DISTRIBUTIONS[cls.__name__])})
    values = ns.Simulation(net, seed=1, dtype="float64").get(cells, "v")
    bins = np.arange(values.min(), values.max() + 2) - 0.5 if cls.__name__ == "Integers" else 60
    figure, axes = plt.subplots(figsize=(6, 2.2), layout="constrained")
    axes.hist(values, bins, color=ns.plot.COLORS[0], rwidth=0.8 if cls.__name__ == "Integers" else None)
    axes.set(xlabel="Value", ylabel="Draws")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_current(cls, plt):
    """The current over time; a membrane with a negligible time constant and 1 GOhm shows it in mV."""
    net = ns.Network()
    cell = net.add(ns.LeakyIntegrator(tau_mem=1e-3, v_leak=0.0, r=1.0), 1)
    net.drive(cell, cls(**CURRENTS[cls.__name__]))
    net.record(cell, "v")
    times, v = simulate(net, 200.0).trace(cell)
    figure, axes = plt.subplots(figsize=(6, 1.9), layout="constrained")
    ns.plot.traces(times[1:], v[1:], ax=axes, unit="pA", label="I", colors=[ns.plot.COLORS[1]])
    return figure


def draw_timed(cls, plt):
    """A constant current whose amplitude is the array."""
    return draw_current(ns.InjectedCurrent, plt)


def draw_drive(cls, plt):
    """The potentials of two neurons that events reach."""
    net = ns.Network()
    cells = net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0), 2)
    net.drive(cells, cls(rate=100.0, weight=1.0))
    net.record(cells, "v")
    figure, axes = plt.subplots(figsize=(6, 2.2), layout="constrained")
    ns.plot.traces(*simulate(net, 300.0).trace(cells), ax=axes, label="v", colors=["black", ns.plot.COLORS[0]])
    return figure


def draw_source(cls, plt):
    """A raster of given spikes: each neuron begins a little later than the one before."""
    ids = np.repeat(np.arange(20), 10)
    times = 20.0 + 15.0 * ids + 15.0 * np.tile(np.arange(10), 20)
    return draw_raster(plt, cls(ns.Spikes.from_times(times, ids, size=20, duration=500.0)))


def draw_poisson(cls, plt):
    """A raster of 20 neurons."""
    return draw_raster(plt, cls(20.0), 20)


def draw_raster(plt, source, *size):
    """A raster."""
    net = ns.Network()
    cells = net.add(source, *size, name="noise")
    net.record(cells)
    sim = simulate(net, 500.0)
    figure, axes = plt.subplots(figsize=(6, 2.2), layout="constrained")
    ns.plot.raster(sim.spikes(cells), ax=axes, colors=["black"])
    return figure


TRAIN = "Membrane potential for a train of spikes at 20 Hz; grey: the whole weight at each spike"
OTHERS = {
    "TsodyksMarkram": Picture(draw_release, f"{TRAIN}."),
    "Fixed": Picture(draw_release, "Membrane potential for a train of spikes at 20 Hz, each with the whole weight."),
    "Poisson": Picture(draw_poisson, "Spikes of 20 sources at 20 Hz."),
    "SpikeSource": Picture(draw_source, "20 sources that spike at the times that were given, each 15 ms later than the "
                                        "one before."),
    "PoissonDrive": Picture(draw_drive, "Membrane potentials of two leaky integrators under PoissonDrive(rate=100, "
                                        "weight=1)."),
    "TimedArray": Picture(draw_timed, "InjectedCurrent(TimedArray([0, 100, 40], every=50))."),
}
