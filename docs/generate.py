"""Writes docs/models/: one page for each model, from its declarations and its docstring, and lists.

    python docs/generate.py [--text | --only NAME ...]

With --text the pictures are left as they are. Every page shows one: simulations, which docs/pictures/ makes.
"""

import argparse
import importlib
import inspect
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pictures

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
    caption = pictures.of(family, name).caption
    lines += [f"![{escaped(caption)}]({name}.png)", "", f"*{escaped(caption)}*", ""]
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


# ---- writing ----------------------------------------------------------------------------------------


def write_pictures(only=()):
    """Draw the pictures of all pages, or of those with some names."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for family in FAMILIES:
        for name, cls in members(family).items():
            if not only or name in only:
                figure = pictures.of(family, name).draw(cls, plt)
                figure.savefig(FOLDER / family / f"{name}.png", dpi=80, metadata={"Software": None})
                plt.close(figure)


def main():
    """Write the pages, and the pictures unless told otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", action="store_true", help="leave the pictures as they are")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="draw the pictures of these pages alone")
    arguments = parser.parse_args()
    found = pages()
    for old in (*FOLDER.rglob("*.md"), *FOLDER.rglob("*.rst")):
        if old.relative_to(FOLDER).as_posix() not in found:
            old.unlink()
    for path, text in found.items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")
    if not arguments.text:
        write_pictures(arguments.only)


if __name__ == "__main__":
    main()
