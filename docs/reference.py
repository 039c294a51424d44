"""Writes docs/reference/ when the pages are built: every public name, from its signature and its docstring.

Which names are public is what the packages themselves say: `__all__`, which the tables of lazily imported names fill.
Sphinx's autodoc reads signatures; `docstring` turns our docstrings into its language.
"""

import importlib
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parent))

import generate
from sphinx.util.typing import stringify_annotation

from neurosim import aliases
from neurosim.checks import REQUIRED
from neurosim.describe import is_equation

FOLDER = Path(__file__).resolve().parent / "reference"
#: pages in their order; of a package that lists modules among its names, these follow it
ROOMS = ["neurosim", *(module for _, module, _ in list(generate.FAMILIES.values())[:6]),
         *(f"neurosim.{room}" for room in (
             "network", "contracts", "aliases", "reservoirs", "readouts", "encoders", "datasets", "analysis", "plot",
             "export", "sweep", "gradients", "bridge", "backends", "comparing", "neurobench")),
         "learning_rules", "hardware_models"]
#: of modules that have no list of public names
NAMES = {"neurosim.aliases": ["Number", "Numbers", "Values", "Weights", "Seed"],
         "neurosim.network": ["Population", "Projection", "DriveOn", "GapJunctions", "Recorder"],
         "neurosim.contracts": ["Device", "Linear", "Parabola", "Plasticity", "Release", "State", "Trace", "Crossing"]}
#: whose members are not ours to document
FOREIGN = "object, Module, Function, BaseEstimator, TransformerMixin, tuple, dict, Dataset, Parametrised"
#: what our names of types stand for, as autodoc writes it
ALIASES = {name: stringify_annotation(getattr(aliases, name), "smart") for name in NAMES["neurosim.aliases"]}


# ---- what is public ---------------------------------------------------------------------------------


def rooms() -> list[str]:
    """Return the names of all packages with a page, in order."""
    found = []

    def visit(name):
        if name not in found:
            found.append(name)
            for each in public(name):
                value = getattr(importlib.import_module(name), each)
                if isinstance(value, ModuleType) and value.__name__ not in ROOMS:
                    visit(value.__name__)

    for name in ROOMS:
        visit(name)
    return found


def public(room) -> list[str]:
    """Return the public names of a package."""
    module = importlib.import_module(room)
    names = NAMES.get(room) or getattr(module, "__all__", [])
    if room in {module for _, module, _ in generate.FAMILIES.values()} and room.startswith("neurosim."):
        names = generate.members(room.removeprefix("neurosim."))
    return sorted(names)


def homes() -> dict:
    """Return on which page each public thing is told, by the thing: the shortest of its names."""
    found = {}
    for room in rooms():
        for name in public(room):
            value = getattr(importlib.import_module(room), name)
            if not isinstance(value, ModuleType) and callable(value):
                found.setdefault(id(value), (room, name))
    # `ns.LIF` is told on the page of the neurons, `hardware_models.PCM` on that of the memristors
    for room in rooms():
        for name in public(room):
            value = getattr(importlib.import_module(room), name)
            if id(value) in found and room.startswith(found[id(value)][0] + "."):
                found[id(value)] = (room, name)
    return found


# ---- pages ------------------------------------------------------------------------------------------


def pages() -> dict:
    """Return the text of every page by its name below docs/reference/."""
    told = homes()
    found = {"index.rst": index()}
    for room in rooms():
        found[f"{room}.rst"] = page(room, told)
    return found


def index() -> str:
    """Return the page that lists the packages."""
    lines = ["Reference", "=========", "", "Every public name, by package; the search finds parameters too.", "",
             ".. list-table::", ""]
    for room in rooms():
        lines += [f"   * - :doc:`{room}`", f"     - {sentence(importlib.import_module(room))}"]
    return "\n".join([*lines, "", ".. toctree::", "   :hidden:", "", *(f"   {room}" for room in rooms()), ""])


def page(room, told) -> str:
    """Return the page of a package: a table of its names, then each."""
    module = importlib.import_module(room)
    lines = [room, "=" * len(room), "", f".. py:module:: {room}", "", *converted(module.__doc__), "", ".. list-table::",
             "   :widths: auto", ""]
    here = []
    for name in public(room):
        value = getattr(module, name)
        if isinstance(value, ModuleType):
            lines += [f"   * - :doc:`{value.__name__}`", f"     - {sentence(value)}"]
            continue
        home, called = told.get(id(value), (room, name))
        lines += [f"   * - :py:obj:`{name} <{home}.{called}>`", f"     - {sentence(value)}"]
        if (home, called) == (room, name):
            here.append(name)
    for name in here:
        lines += ["", *directive(room, name, getattr(module, name))]
    return "\n".join(lines) + "\n"


def sentence(value) -> str:
    """Return the first sentence of what a docstring says, as reStructuredText."""
    if not (isinstance(value, ModuleType | type) or inspect.isroutine(value)):
        return "A name of types." if hasattr(value, "__args__") else "A constant."
    text = " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    return inline(re.sub("::?$", ".", text))


def directive(room, name, value) -> list[str]:
    """Return the lines that tell of one name."""
    if inspect.isclass(value):
        lines = [f".. autoclass:: {room}.{name}"]
        if not declared(value) and not issubclass(value, Exception):
            lines += ["   :members:", f"   :inherited-members: {FOREIGN}"]
        return lines
    if callable(value):
        return [f".. autofunction:: {room}.{name}"]
    if room == "neurosim.aliases":
        return [f".. py:data:: {name}", "", f"   ``{re.sub(r'~(?:[a-z_]+[.])*', '', ALIASES[name])}``"]
    keys = f", with {', '.join(f'``{key!r}``' for key in value)}" if isinstance(value, dict) else ""
    return [f".. py:data:: {name}", "", f"   A ``{type(value).__name__}``{keys}."]


def declared(value) -> dict:
    """Return the declared parameters of a class, which have no need of a docstring."""
    found = getattr(value, "parameters", None) if inspect.isclass(value) else None
    return found if isinstance(found, dict) else {}


def write() -> None:
    """Write the pages, and touch none that stays as it is: Sphinx reads again what has changed."""
    found = pages()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        if old.name not in found:
            old.unlink()
    for name, text in found.items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


# ---- docstrings -------------------------------------------------------------------------------------

SECTION = re.compile(r"(Args|Raises|Returns|Attributes|Warns|Yields):$")
REMARK = re.compile(r"(Source|Populations|Scheme|Network|Returns|Raises): ")


def inline(text) -> str:
    """Return text in which reStructuredText changes nothing but code in backticks."""
    parts = re.split(r"(``[^`]*``|`[^`]*`)", text)
    for k, part in enumerate(parts):
        if k % 2:
            code = part.strip("`")
            after = r"\ " if parts[k + 1][:1].isalnum() else ""
            before = r"\ " if parts[k - 1][-1:].isalnum() else ""
            parts[k] = f"{before}``{code}``{after}"
        else:
            parts[k] = re.sub(r"([\\*|`]|(?<=\w)_(?!\w))", r"\\\1", part)
    return "".join(parts)


def docstring(app, what, name, value, options, lines) -> None:
    """Turn a docstring into reStructuredText, in place, before napoleon reads its sections."""
    found = declared(value)
    made = converted("\n".join(lines), leave_out="Args:" if found else "")
    if found:
        made += parameters(found)
        family = next((family for family in generate.FAMILIES if generate.members(family).get(value.__name__) is value),
                      None)
        if family:
            made += [f"More, and what it looks like: :doc:`/models/{family}/{value.__name__}`.", ""]
    lines[:] = made


def converted(text, leave_out="") -> list[str]:
    """Return a docstring of ours as lines of reStructuredText with sections that napoleon reads."""
    made, literal = [], False
    for paragraph in re.split(r"\n[ ]*\n", text.expandtabs(4).strip("\n")):
        rows = paragraph.split("\n")
        literal = literal and rows[0].startswith("    ")
        if literal or rows[0].lstrip().startswith(">>>"):
            made += [*rows, ""]
        elif SECTION.match(rows[0]):
            made += [*section(rows), ""] if rows[0] != leave_out else []
        elif REMARK.match(rows[0]):
            word, _, rest = paragraph.partition(": ")
            made += [f"**{word}.** {inline(rest)}".replace("\n", " "), ""]
        elif rows[0].startswith("    ") or is_equation(paragraph):
            made += [".. code-block:: text", "", *(f"    {row.replace('`', '')}" for row in rows), ""]
        elif re.match(r"[-*] ", rows[0]):
            made += [*(row[:2] + inline(row[2:]) for row in rows), ""]
        else:
            literal = paragraph.endswith("::")
            made += [*inline(paragraph).split("\n"), ""]
    return made


def section(rows) -> list[str]:
    """Return a section; what is returned is a field of its own, as napoleon takes all before a colon for a type."""
    made = items(rows[1:])
    if rows[0] != "Returns:":
        return [rows[0], *made]
    named = all(re.match(r"    (\w[\w, ]*: |     *)", row) for row in rows[1:])
    text = [re.sub(r"^    (\w[\w, ]*): ", r"    * ``\1``: ", row) if named else row for row in made]
    return [":returns:", *(f"  {row}" if named and not row.startswith("    *") else row for row in text), ""]


def items(rows) -> list[str]:
    """Return the rows of a section; code spans that go over the end of a row are joined before they are escaped."""
    joined = []
    for row in rows:
        if joined and joined[-1].count("`") % 2:
            joined[-1] += " " + row.strip()
        else:
            joined.append(row)
    made = []
    for row in joined:
        indent = row[: len(row) - len(row.lstrip())]
        name = re.match(r"(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*)( \([^)]*\))?: ", row[len(indent):])
        start = name[0] if name and len(indent) == 4 else ""
        made.append(indent + start + inline(row[len(indent) + len(start):]))
    return made


def parameters(found) -> list[str]:
    """Return the section of declared parameters: what each is, its unit, bounds and default."""
    rows = ["Args:"]
    for name, each in found.items():
        must = re.sub(r"\\(.)", r"\1", generate.must_be(each))
        parts = [part for part in (each.doc, each.unit, must) if part]
        parts.append("required" if each.default is REQUIRED else f"default {generate.default_text(each)}")
        rows.append(f"    {name}: {inline('; '.join(parts))}")
    return [*rows, ""]


def signature(app, what, name, value, options, arguments, returned):
    """Show the signature of declared parameters as it is typed, and types by the names that we gave them."""
    if what != "class" or not declared(value):
        return aliased(arguments), aliased(returned)
    shown, star = [], False
    for each in inspect.signature(value).parameters.values():
        if each.kind is each.KEYWORD_ONLY and not star:
            shown.append("*")
            star = True
        default = "" if each.default in (each.empty, REQUIRED) else f"={each.default!r}"
        shown.append(f"{each.name}{default}")
    return f"({', '.join(shown)})", None


def aliased(text):
    """Return a signature in which `Values` stands for all that it stands for."""
    for name in sorted(ALIASES, key=lambda name: -len(ALIASES[name])):
        text = text and text.replace(ALIASES[name], f"~neurosim.aliases.{name}")
    return text


def skip(app, what, name, value, skipped, options):
    """Leave out fields of named tuples, which the docstring of their class tells of."""
    return True if (getattr(value, "__doc__", None) or "").startswith("Alias for field number") else None


def setup(app) -> dict:
    """Make this module an extension of Sphinx."""
    write()
    app.connect("autodoc-process-docstring", docstring, priority=100)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True}
