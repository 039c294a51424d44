"""Writes docs/models/: one page for each model, from its declarations and its docstring, and lists.

    python docs/generate.py [--text]

With --text the pictures are left as they are. A page shows a picture wherever its family has one; the pictures are
simulations, made by the functions at the end.
"""

import argparse
import importlib
import inspect
import re
from pathlib import Path

import numpy as np

import neurosim as ns
from neurosim.checks import REQUIRED, Label, Option
from neurosim.connectivity import Array, Matrix, Vector
from neurosim.describe import is_equation, value_text

FOLDER = Path(__file__).resolve().parent / "models"
FAMILIES = {  # folder: (title, module, what they are, in a sentence)
    "neurons": ("Neuron models", "neurosim.neurons", "What is integrated, when it fires, and what a spike does."),
    "receptors": ("Receptors", "neurosim.receptors", "What an arriving spike does to its target, and how that decays."),
    "releases": ("Release", "neurosim.releases", "How much of its weight a synapse transmits at each spike."),
    "sources": ("Inputs", "neurosim.sources", "Populations that only emit spikes, and drives by events or currents."),
    "connectivity": ("Connection rules", "neurosim.connectivity", "Which neuron connects to which."),
    "distributions": ("Distributions", "neurosim.distributions",
                      "Values that differ from element to element: parameters, initial states, weights, delays."),
    "learning_rules": ("Learning rules", "learning_rules", "How weights change while the network runs."),
    "hardware_models": ("Device layers", "hardware_models",
                        "What holds the weights, and how it falls short of the ideal."),
}
SECTIONS = r"(Args|Raises|Returns|Attributes|Source|Warns):"


# ---- members ----------------------------------------------------------------------------------------


def members(family) -> dict:
    """Return the public classes of a family by name."""
    module = importlib.import_module(FAMILIES[family][1])
    names = set(getattr(module, "__all__", [])) | set(ns._WHERE.get(module.__name__.removeprefix("neurosim."), []))
    found = {name: getattr(module, name) for name in sorted(names)}
    return {name: each for name, each in found.items() if inspect.isclass(each)}


def pages() -> dict:
    """Return the text of every page by its path below docs/models/, with the lists of the families."""
    found = {"index.md": index()}
    for family in FAMILIES:
        found[f"{family}.rst"] = navigation(family)
        found |= {f"{family}/{name}.md": page(family, name, cls) for name, cls in members(family).items()}
    return found


def index() -> str:
    """Return the page that lists all pages."""
    lines = ["# Models", "", "Each page is made from the code by `python docs/generate.py`."]
    for family, (title, _, sentence) in FAMILIES.items():
        found = members(family)
        if found:
            lines += ["", f"## {title}", "", sentence, "", "| | |", "|---|---|"]
            lines += [f"| [{name}]({family}/{name}.md) | {escaped(first_sentence(cls))} |"
                      for name, cls in found.items()]
    return "\n".join(lines) + "\n"


def navigation(family) -> str:
    """Return the page that lists a family beside all pages of the site; GitHub's readers have the index."""
    title, _, sentence = FAMILIES[family]
    return f"{title}\n{'=' * len(title)}\n\n{sentence}\n\n.. toctree::\n   :maxdepth: 1\n   :glob:\n\n   {family}/*\n"


def first_sentence(cls) -> str:
    """Return the first sentence of a docstring."""
    return " ".join(inspect.cleandoc(cls.__doc__).split("\n\n")[0].split())


# ---- one page ---------------------------------------------------------------------------------------


def page(family, name, cls) -> str:
    """Return the text of the page of one class."""
    module = ns if hasattr(ns, name) else importlib.import_module(FAMILIES[family][1])
    lines = [f"# {name}", "", f"`{'ns' if module is ns else module.__name__}.{name}`, {kind(family, cls)}", "",
             *description(cls)]
    if picture(family, name) is not None:
        lines += [f"![{caption(family, name)}]({name}.png)", "", f"*{caption(family, name)}*", ""]
    lines += parameter_table(cls) + state_table(cls)
    return "\n".join(lines).rstrip() + "\n"


def kind(family, cls) -> str:
    """Return what a class is, with the units that follow from it."""
    base = {"neurons": "a neuron model", "receptors": "a receptor", "releases": "a release model",
            "connectivity": "a connection rule", "distributions": "a distribution", "learning_rules": "a learning rule",
            "hardware_models": "a device layer"}.get(family) or _kind_of_input(cls)
    if family == "neurons":
        return f"{base}; v in {cls.unit or 'plain numbers'}, currents in {cls.current_unit or 'plain numbers'}."
    if family == "receptors":
        unit = {"jump": "the unit of v", "pulse": "the unit of the model's current"}.get(cls.effect, cls.unit)
        return f"{base}; weights in {unit}."
    return base + "."


def _kind_of_input(cls) -> str:
    from neurosim import sources

    for parent, text in ((sources.Source, "a population of sources, for `net.add`"),
                         (sources.Current, "an injected current, for `net.drive`"),
                         (sources.Drive, "a drive, for `net.drive`")):
        if issubclass(cls, parent):
            return text
    return "values that change in time, for parameters that accept them"


def description(cls) -> list:
    """Return the docstring as Markdown: prose, equations as they stand, the example, the source."""
    lines = []
    declared = bool(getattr(cls, "parameters", {}))
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(cls.__doc__)):
        heading = re.match(SECTIONS, paragraph)
        if paragraph.startswith(">>>"):
            lines += ["```pycon", paragraph, "```", ""]
        elif is_equation(paragraph):
            lines += ["```text", paragraph, "```", ""]
        elif heading and heading[1] == "Args":
            lines += [] if declared else [*arguments_of(paragraph), ""]
        elif heading:
            body = " ".join(paragraph[heading.end():].split())
            lines += [f"**{heading[1]}.** {escaped(body)}", ""]
        elif paragraph.startswith("* "):
            lines += [*(f"* {escaped(' '.join(item.split()))}" for item in paragraph[2:].split("\n* ")), ""]
        else:
            lines += [escaped(" ".join(paragraph.split())), ""]
    return lines


def arguments_of(paragraph) -> list:
    """Return the Args section of a docstring as a list."""
    items = re.findall(r"^ {4}(\w[\w, ]*): (.*(?:\n {5,}.*)*)", paragraph, re.MULTILINE)
    return [f"* `{name}`: {escaped(' '.join(text.split()))}" for name, text in items]


def escaped(text) -> str:
    """Return text in which Markdown changes nothing; code in backticks stays."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*|<>\[\]]|(?<!\w)_|_(?!\w))", r"\\\1", part)
                   for part in parts)


def parameter_table(cls) -> list:
    """Return the table of the parameters: name, default, unit, bounds, meaning."""
    parameters = getattr(cls, "parameters", {})
    if not parameters:
        return []
    lines = ["## Parameters", "", "| name | default | unit | must be | meaning |", "|---|---|---|---|---|"]
    for name, parameter in parameters.items():
        default = "required" if parameter.default is REQUIRED else default_text(parameter)
        lines.append(f"| `{name}` | {default} | {parameter.unit or '-'} | {escaped(must_be(parameter))} | "
                     f"{escaped(parameter.doc)} |")
    if any(parameter.per_element for parameter in parameters.values()):
        lines += ["", "Numbers may be given per element: as an array, or as a distribution, unless it says \"one\"."]
    return [*lines, ""]


def default_text(parameter) -> str:
    """Return the default of a parameter."""
    if isinstance(parameter, Option):
        return f"`{parameter.default!r}`"
    return "none" if parameter.default is None else value_text(parameter.default)


def must_be(parameter) -> str:
    """Return what a value must be, in a few words."""
    if isinstance(parameter, Option):
        return " or ".join(f"`{choice!r}`" for choice in parameter.choices)
    bounds = parameter.bounds
    if isinstance(parameter, Label):
        return f"{bounds} or none"
    if isinstance(parameter, Matrix):
        return "matrix"
    if isinstance(parameter, Array):
        text = f"{parameter.ndim}-D array {bounds}".strip()
    elif isinstance(parameter, Vector):
        text = f"numbers {bounds}".strip()
    else:
        text = " ".join(part for part in ("" if parameter.per_element else "one",
                                          "whole number" if parameter.integer else "number", bounds) if part)
    text += " or `TimedArray`" if parameter.timed else ""
    return text + (" or none" if parameter.optional else "")


def state_table(cls) -> list:
    """Return the table of the state variables."""
    state = getattr(cls, "state", {})
    lines = []
    if state:
        lines = ["## State", "", "| variable | starts at | unit | meaning |", "|---|---|---|---|"]
        lines += [f"| `{name}` | {starts_at(each)} | {each.unit or '-'} | {escaped(each.doc)}"
                  f"{', in float64' if each.slow else ''} |" for name, each in state.items()]
        lines.append("")
    for side in ("source", "target"):
        traces = getattr(cls, f"{side}_traces", {})
        if traces:
            lines += [f"Traces of the {side}: " + ", ".join(
                f"`{name}` with time constant `{trace.tau}`{', of the nearest spike' if trace.nearest else ''}"
                for name, trace in traces.items()) + ".", ""]
    return lines


def starts_at(state) -> str:
    """Return the initial value of a variable, for a function the expression in it."""
    if not callable(state.initial):
        return f"{state.initial:g}"
    try:
        text = re.search(r"lambda p: ((?:[^,()]|\([^()]*\))+)", inspect.getsource(state.initial))
    except OSError:
        text = None
    return f"`{text[1].strip().replace('p.', '')}`" if text else "a function of the parameters"


# ---- pictures ---------------------------------------------------------------------------------------

CAPTIONS = {
    "neurons": "Response to a step of current, with the default parameters.",
    "receptors": "One spike arrives at a leaky integrate-and-fire neuron (tau_mem = 10 ms, r = 0.1 GOhm) after 10 ms.",
    "releases": "Membrane potential for a train of spikes at 20 Hz; grey: the whole weight at each spike.",
    "connectivity": "Who connects to whom between 30 sources and 30 targets.",
    "distributions": "Histogram of 20,000 draws.",
}
INPUT_CAPTIONS = {"Poisson": "Spikes of 20 sources at 20 Hz."}
RULES = {"AllToAll": {"self_connections": False}, "FixedProbability": {"p": 0.1}, "FixedInDegree": {"k": 3},
         "FixedOutDegree": {"k": 3}, "FixedTotal": {"n": 90}, "SmallWorld": {"k": 4, "rewiring": 0.1}, "OneToOne": {},
         "DistanceDependent": {"c": 1.0, "lam": 4.0, "source_shape": (30,)},
         "Blocks": {"source_blocks": [20, 10], "target_blocks": [20, 10], "probability": [[0.05, 0.2], [0.3, 0.0]]}}
DISTRIBUTIONS = {"Normal": (0.0, 1.0), "Uniform": (0.0, 1.0), "Integers": (1, 6), "LogNormal": (0.0, 0.5),
                 "Exponential": (5.0,)}
CURRENTS = {"InjectedCurrent": {"amplitude": ns.TimedArray([0.0, 100.0, 40.0], every=50.0)},
            "StepCurrent": {"amplitude": 100.0, "start": 50.0, "stop": 150.0},
            "SineCurrent": {"amplitude": 100.0, "frequency": 10.0},
            "OUCurrent": {"mean": 0.0, "std": 50.0, "tau": 5.0}}
BOOKKEEPING = {"due", "rest"}  # states of schemes that no picture shows


def picture(family, name):
    """Return the function that draws the picture of a page, or None where it has none."""
    if family == "neurons":
        return draw_neuron
    if family == "receptors":
        return draw_receptor
    if family == "releases" and name != "Fixed":
        return draw_release
    if family == "connectivity" and name in RULES:
        return draw_rule
    if family == "distributions" and name in DISTRIBUTIONS:
        return draw_distribution
    if family == "sources" and name in CURRENTS:
        return draw_current
    return draw_poisson if (family, name) == ("sources", "Poisson") else None


def caption(family, name) -> str:
    """Return what a picture shows."""
    if family == "sources":
        return INPUT_CAPTIONS.get(name) or f"{name}{signature(CURRENTS[name])}."
    if family == "connectivity" and RULES[name]:
        return f"{CAPTIONS[family][:-1]}, {name}{signature(RULES[name])}."
    if family == "distributions":
        return f"{CAPTIONS[family][:-1]} of {name}{signature(DISTRIBUTIONS[name])}."
    return CAPTIONS[family]


def signature(values) -> str:
    """Return values as the arguments of a call."""
    if isinstance(values, dict):
        return "(" + ", ".join(f"{name}={value}" for name, value in values.items()) + ")"
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"


def simulate(net, duration, dt=0.1):
    """Return a simulation of a network that has run for some ms."""
    sim = ns.Simulation(net, dt=dt, seed=1)
    sim.run(duration)
    return sim


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
    finish(panels)
    return figure


def chosen_amplitude(counts, v) -> int:
    """Return the weakest current with a handful of spikes; without spikes, one that moves v by about 10."""
    if counts is not None and (counts >= 6).any():
        return int(np.flatnonzero(counts >= 6)[0])
    return int(np.argmin(abs(np.abs(v - v[0]).max(axis=0) - 10.0)))


def finish(panels):
    """Label the time once, below."""
    for axes in panels:
        axes.yaxis.label.set_fontsize("small")
    for axes in panels[:-1]:
        axes.set_xlabel("")
    panels[0].figure.align_ylabels()


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
    finish(panels)
    return figure


def draw_release(cls, plt):
    """The potential for a train of spikes, beside that of a synapse without release."""
    net = ns.Network()
    times = np.append(50.0 + 50.0 * np.arange(8), 800.0)
    source = net.add(ns.SpikeSource(ns.Spikes.from_times(times, np.zeros(9, int), size=1, duration=900.0)))
    cells = [net.add(ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0), 1, name=name) for name in ("with", "without")]
    for cell, release in zip(cells, (cls(), None), strict=True):
        net.connect(source, cell, weight=250.0, delay=0.1, receptor=ns.ExponentialCurrent(3.0), release=release)
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
    axes.imshow(matrix > 0, cmap="Greys", interpolation="nearest")
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


def draw_poisson(cls, plt):
    """A raster."""
    net = ns.Network()
    noise = net.add(cls(20.0), 20, name="noise")
    net.record(noise)
    sim = simulate(net, 500.0)
    figure, axes = plt.subplots(figsize=(6, 2.2), layout="constrained")
    ns.plot.raster(sim.spikes(noise), ax=axes, colors=["black"])
    return figure


# ---- writing ----------------------------------------------------------------------------------------


def write_pictures():
    """Draw the pictures of all pages."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for family in FAMILIES:
        for name, cls in members(family).items():
            draw = picture(family, name)
            if draw is not None:
                figure = draw(cls, plt)
                figure.savefig(FOLDER / family / f"{name}.png", dpi=80, metadata={"Software": None})
                plt.close(figure)


def main():
    """Write the pages, and the pictures unless told otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", action="store_true", help="leave the pictures as they are")
    arguments = parser.parse_args()
    found = pages()
    for old in (*FOLDER.rglob("*.md"), *FOLDER.rglob("*.rst")):
        if old.relative_to(FOLDER).as_posix() not in found:
            old.unlink()
    for path, text in found.items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")
    if not arguments.text:
        write_pictures()


if __name__ == "__main__":
    main()
