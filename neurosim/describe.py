"""A network as a person reads it: a summary of one screenful, and tables for a methods section.

It reads a description and nothing else, so that it knows no dt, no seed and no arrays of synapses;
numbers of synapses are those that the rules expect. The tables follow Nordlie, Gewaltig, Plesser,
Towards reproducible descriptions of neuronal network models, PLoS Comput. Biol. 5 (2009) e1000456.
"""

import inspect
import re
from dataclasses import dataclass

import numpy as np

from neurosim.checks import Label, Samples, Timed, describe_value
from neurosim.errors import ParameterError
from neurosim.precision import shortest_tick
from neurosim.reprs import Markdown
from neurosim.sources import Source, SpikeSource

MOST_LINES = 20  #: populations and projections that a summary lists
MOST_ROWS = 40  #: rows of a LaTeX table, which cannot break across pages
_WORTH_TELLING = 10e6  #: bytes of synapses from which a summary tells the memory
_SHORT_TICK = 0.01  #: ms, the shortest tick that need not be told
_WIDE_TARGETS = 65536  #: from here on a target takes four bytes instead of two

# -- values as text -----------------------------------------------------------------------------------


def value_text(value, unit: str = "") -> str:
    """Return a value with its unit, arrays and distributions shortened.

    >>> value_text(np.array([1.0, 3.0, 2.0]), "mV")
    '3 values, 1 to 3 mV'
    """
    if value is None:
        return "-"
    if isinstance(value, Timed):
        return f"{_range(value.values)}{_after(unit)}, a value for {value.every:g} ms, then {value.after}" + (
            f", from {value.start:g} ms on" if value.start else "")
    if isinstance(value, Samples):
        return f"{value}{_after(unit)}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float, np.number)):
        return f"{value:.8g}{_after(unit)}"
    if isinstance(value, (list, tuple, np.ndarray)):
        array = np.asarray(value)
        if array.ndim == 1 and array.size <= 4 and isinstance(value, tuple):
            return f"({', '.join(f'{x:.8g}' for x in array)}){_after(unit)}"
        return f"{_range(array)}{_after(unit)}"
    return describe_value(value)


def _after(unit):
    return f" {unit}" if unit else ""


def _range(array):
    shape = " x ".join(f"{n:,}" for n in array.shape)
    low, high = (array.min(), array.max()) if array.size else (np.nan, np.nan)
    return f"{shape} values, " + (f"all {low:.6g}" if low == high else f"{low:.6g} to {high:.6g}")


def part_text(part, left_out=(), *, whole: bool = False, units=None) -> str:
    """Return a model, rule, receptor ... with its parameters and their units.

    Args:
        part: what has declared parameters.
        left_out: names of parameters that do not matter here.
        whole: whether parameters that have their default value are shown too.
        units: units by name of parameters that declare none.
    """
    name = type(part).__name__
    if isinstance(part, SpikeSource):
        return f"{name}({len(part.spikes):,} spikes)"
    shown = []
    for key, parameter in part.parameters.items():
        value = getattr(part, key)
        if key not in left_out and value is not None and (whole or not _is(value, parameter.default)):
            shown.append(f"{key} = {value_text(value, (units or {}).get(key) or parameter.unit)}")
    return f"{name}({', '.join(shown)})" if shown else name


def _is(value, default):
    return type(value) is type(default) and not isinstance(value, np.ndarray) and value == default


def _rule_text(projection, whole=False):
    own = projection.source.base is projection.target.base
    return part_text(projection.rule, () if own else ("self_connections",), whole=whole)


def _weight_text(projection):
    unit = projection.receptor.weight_unit(projection.target.model)
    if projection.weight is None:
        own = projection.rule.weights()
        return "not given" if own is None else value_text(own, unit)
    return value_text(projection.weight, unit)


def _drive_units(drive):
    return {} if drive.receptor is None else {"weight": drive.receptor.weight_unit(drive.target.model)}


# -- sizes --------------------------------------------------------------------------------------------


def _expected(projection) -> float:
    source, target = projection.source, projection.target
    return projection.rule.expected(source.size, target.size, projection.shift)


def _synapses_text(projections) -> str:
    total = sum(map(_expected, projections))
    exact = all(p.rule.exact for p in projections)
    return ("" if exact else "about ") + _number(total, exact) + " synapse" + "s" * (round(total) != 1)


def _number(count, exact):
    if exact or count < 1e4:
        return f"{round(count):,}"
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if count >= size:
            return f"{count / size:.3g}{word}"
    return f"{float(f'{count:.3g}'):,.0f}"


def synapse_bytes(projections) -> float:
    """Return about how many bytes the synapses of projections take, in float32."""
    return sum(_expected(p) * _bytes_of_one(p) + 8 * p.source.base.size for p in projections)


def _bytes_of_one(projection):
    parts = [part for part in (projection.release, *projection.plasticity, projection.device) if part is not None]
    changing = projection.plasticity or projection.device is not None
    given = [getattr(part, name) for part in parts for name in part.parameters]
    stored = sum(isinstance(value, Samples) or np.ndim(value) > 0 for value in given)
    stored += bool(changing) or projection.weight is None or isinstance(projection.weight, Samples) or np.ndim(
        projection.weight) > 0
    states = sum(8 if state.slow else 4 for part in parts for state in part.state.values())
    return (2 if projection.target.size <= _WIDE_TARGETS else 4) + 4 * stored + states


def _memory_text(projections):
    size = synapse_bytes(projections)
    if size < _WORTH_TELLING:
        return ""
    return f", about {size / 1e9:.1f} GB" if size >= 1e8 else f", about {size / 1e6:.0f} MB"


# -- the summary --------------------------------------------------------------------------------------


def summary(net) -> str:
    """Return a network in one screenful: sizes, one line for each part, what is recorded."""
    names = [p.name for p in net.populations]
    sizes = [f"{p.size:,}" for p in net.populations]
    wide = max(map(len, names), default=0), max(map(len, sizes), default=0)
    lines = [f"{name:<{wide[0]}}  {size:>{wide[1]}} x {part_text(p.model)}{_initial_text(p)}"
             for name, size, p in zip(names, sizes, net.populations, strict=True)]
    return "\n".join([_headline(net), *_listed(lines, "populations"),
                      *_listed(map(_projection_line, net.projections), "projections"),
                      *_listed(map(_coupling_line, net.couplings), "couplings"),
                      *_listed(map(_drive_line, net.drives), "drives"), *_recorded_lines(net), *_precision_lines(net)])


def _headline(net):
    if not net.populations:
        return "Network: empty; add a population with net.add(model, size)"
    sources = sum(p.size for p in net.populations if isinstance(p.model, Source))
    neurons = sum(p.size for p in net.populations) - sources
    sizes = [_plural(count, word) for count, word in ((neurons, "neuron"), (sources, "source")) if count]
    parts = [f"{' and '.join(sizes)} in {_plural(len(net.populations), 'population')}"]
    if net.projections:
        parts.append(f"{_plural(len(net.projections), 'projection')}, {_synapses_text(net.projections)}")
    return f"Network: {', '.join(parts)}{_memory_text(net.projections)}"


def _plural(count, word):
    return f"{count:,} {word}" + "s" * (count != 1)


def _listed(lines, what):
    lines = [f"  {line}" for line in lines]
    more = len(lines) - MOST_LINES
    return lines if more <= 0 else [*lines[:MOST_LINES], f"  ... and {more} more {what}"]


def _initial_text(population):
    if not population.initial:
        return ""
    units = population.model.state
    return ", initially " + ", ".join(
        f"{name} = {value_text(value, units[name].unit)}" for name, value in population.initial.items())


def _projection_line(p):
    parts = [_rule_text(p), f"weight {_weight_text(p)}", f"delay {value_text(p.delay, 'ms')}", part_text(p.receptor)]
    parts += [part_text(part) for part in (p.release, *p.plasticity, p.device) if part is not None]
    parts += [f"{name} from {who.name}.{what}" for name, (who, what) in p.modulators.items()]
    return f"{_named(p.name, f'{p.source.name} -> {p.target.name}')}: {', '.join(parts)}"


def _coupling_line(c):
    conductance = "" if c.conductance is None else f" of {value_text(c.conductance, 'nS')}"
    return f"{_named(c.name, f'{c.one.name} = {c.other.name}')}: {part_text(c.rule)}, gap junctions{conductance}"


def _drive_line(d):
    parts = [part_text(part, units=_drive_units(d)) for part in (d.drive, d.receptor) if part is not None]
    name = _named(d.name, f"{type(d.drive).__name__} on {d.target.name}")
    return f"{name}: {', '.join(parts)}"


def _named(name, default):
    """A name that somebody chose does not say what it stands for."""
    return name if name.startswith(default) else f"{name} ({default})"


def _recorded_lines(net):
    found = {}
    for recorder in net.recorders:
        found.setdefault((recorder.variable, recorder.every), []).append(recorder)
    texts = []
    for (variable, every), recorders in found.items():
        each = "" if every is None else f" every {every:g} ms"
        texts.append(f"{variable} of {', '.join(map(_recorded, recorders))}{each}")
    return [f"  recorded: {'; '.join(texts)}"] if texts else []


def _recorded(recorder):
    return recorder.what.name if recorder.ids is None else f"{recorder.ids.size} of {recorder.what.name}"


def _precision_lines(net):
    """From which tick on float32 will do, where somebody might take a shorter one."""
    tick, which = shortest_tick(net)
    return [] if tick < _SHORT_TICK else [f"  float64 for ticks below {tick:.2g} ms, because of {which}"]


# -- the tables ---------------------------------------------------------------------------------------


class _Name(str):
    """The name of a parameter: code in Markdown, a symbol in LaTeX."""


class _Unit(str):
    """A unit."""


@dataclass
class _Table:
    """A table: titles and relative widths of the columns, rows of texts, and what stands above it."""

    columns: dict
    rows: list
    title: str = ""
    text: tuple = ()


def describe(net, format: str = "markdown") -> str:
    """Return tables of a network in the manner of Nordlie, Gewaltig and Plesser (2009).

    Args:
        net: the network.
        format: "markdown" or "latex"; the LaTeX needs the package booktabs.
    """
    if format not in _RENDERERS:
        raise ParameterError(f"format must be 'markdown' or 'latex', got {describe_value(format)}")
    sections = [
        ("Model summary", [_model_summary(net)]), ("Populations", [_populations(net)]),
        ("Connectivity", [_connectivity(net)]), ("Neuron models", _models(net)),
        ("Synapse models", _synapse_models(net)), ("Input", _inputs(net)), ("Recordings", [_recordings(net)])]
    heading, table = _RENDERERS[format]
    lines = [_PREAMBLE] if format == "latex" else []
    letters = iter("ABCDEFG")
    for title, tables in sections:
        tables = [each for each in tables if each.rows or each.text]
        if tables:
            lines += [heading(f"{next(letters)}. {title}"), *(line for each in tables for line in table(each))]
    text = "\n".join(lines).rstrip() + "\n"
    return Markdown(text) if format == "markdown" else text


def _model_summary(net):
    def kinds(parts):
        return ", ".join(dict.fromkeys(type(part).__name__ for part in parts if part is not None)) or "none"

    projections = net.projections
    rows = [("Populations", f"{len(net.populations)}: " + ", ".join(p.name for p in net.populations)),
            ("Size", _headline(net).removeprefix("Network: ")),
            ("Connectivity", kinds(p.rule for p in projections)),
            ("Neuron models", kinds(p.model for p in net.populations if not isinstance(p.model, Source))),
            ("Receptors", kinds([*(p.receptor for p in projections), *(d.receptor for d in net.drives)])),
            ("Release", kinds(p.release for p in projections)),
            ("Plasticity", kinds(rule for p in projections for rule in p.plasticity)),
            ("Devices", kinds(p.device for p in projections)),
            ("Input", kinds([*(p.model for p in net.populations if isinstance(p.model, Source)),
                             *(d.drive for d in net.drives)])),
            *([("Gap junctions", "; ".join(map(_coupling_line, net.couplings)))] if net.couplings else []),
            ("Recordings", "; ".join(line.split(": ", 1)[1] for line in _recorded_lines(net)) or "none")]
    return _Table({"": 1, " ": 4}, rows)


def _populations(net):
    rows = [(p.name, type(p.model).__name__, f"{p.size:,}", _initial_text(p).removeprefix(", initially ")
             or ("-" if isinstance(p.model, Source) else "of the model")) for p in net.populations]
    return _Table({"Name": 2, "Elements": 2, "Size": 1, "Initial state": 3}, rows)


def _connectivity(net):
    columns = {
        "Name": (2, lambda p: p.name),
        "Source": (1.5, lambda p: p.source.name), "Target": (1.5, lambda p: p.target.name),
        "Rule": (3, lambda p: _rule_text(p, whole=True)), "Weight": (2, _weight_text),
        "Delay": (2, lambda p: value_text(p.delay, "ms")), "Receptor": (2, lambda p: part_text(p.receptor, whole=True))}
    for name in ("release", "plasticity", "device"):
        if any(getattr(p, name) for p in net.projections):
            columns[name.capitalize()] = (1.5, lambda p, name=name: _kind(getattr(p, name)))
    if all(p.name == f"{p.source.name} -> {p.target.name}" for p in net.projections):
        del columns["Name"]
    rows = [tuple(text(p) for _, text in columns.values()) for p in net.projections]
    return _Table({title: width for title, (width, _) in columns.items()}, rows)


def _kind(part):
    parts = part if isinstance(part, tuple) else (part,)
    return " + ".join(type(each).__name__ for each in parts if each is not None) or "-"


def _models(net):
    return _parameter_tables((p.model, p.name) for p in net.populations if not isinstance(p.model, Source))


def _synapse_models(net):
    pairs = [(part, p.name) for p in net.projections
             for part in (p.receptor, p.release, *p.plasticity, p.device)]
    pairs += [(d.receptor, d.name) for d in net.drives]
    return _parameter_tables(pairs)


def _inputs(net):
    tables = _parameter_tables((p.model, p.name) for p in net.populations if isinstance(p.model, Source))
    for d in net.drives:
        tables += _parameter_tables([(d.drive, d.target.name)], _drive_units(d))
    return tables


def _parameter_tables(pairs, units=None):
    """Return one table for each different model, with the names of those that use it."""
    users = []
    for part, user in pairs:
        for known, names in users:
            if known == part:
                names.append(user)
                break
        else:
            users.append((part, [user])) if part is not None else None
    return [_parameter_table(part, names, units or {}) for part, names in users]


def _parameter_table(part, users, units):
    rows, acting = [], part.acting()
    for name, parameter in getattr(part, "parameters", {}).items():
        if isinstance(parameter, Label) and getattr(part, name) is None:
            continue
        unit = units.get(name, "") or parameter.unit
        value = acting.get(name) if getattr(part, name) is None else getattr(part, name)
        rows.append((_Name(name), value_text(value), _Unit(unit or "-"), parameter.doc))
    if isinstance(part, SpikeSource):
        value = f"{len(part.spikes):,} spikes in {part.spikes.duration:g} ms"
        rows = [(_Name("spikes"), value, _Unit("-"), "given spikes")]
    columns = {"Parameter": 1.5, "Value": 2, "Unit": 0.7, "Description": 4}
    return _Table(columns, rows, f"{type(part).__name__} ({', '.join(dict.fromkeys(users))})", paragraphs(part))


def _recordings(net):
    rows = [(r.what.name, r.variable, "all" if r.ids is None else f"{r.ids.size:,} chosen",
             "every spike" if r.variable == "spikes" else "every tick" if r.every is None else f"every {r.every:g} ms")
            for r in net.recorders]
    return _Table({"Of": 2, "Variable": 1, "Elements": 1, "When": 1.5}, rows)


def paragraphs(part) -> tuple:
    """Return what a docstring says before its arguments, example and source, by paragraphs."""
    text = inspect.cleandoc(type(part).__doc__ or "")
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        if re.match(r"(>>>|Args:|Raises:|Source:|Attributes:|Returns:)", paragraph.strip()):
            break
        found.append(paragraph)
    return tuple(found)


def is_equation(paragraph: str) -> bool:
    """Return whether a paragraph of a docstring is set line by line, as equations are.

    >>> is_equation("tau dv/dt = -v;  spike where v > v_threshold"), is_equation("Both start rested, at u = 0.")
    (True, False)
    """
    return re.match(r"[^.,;]{1,28}? = |[^.,;]{1,28}? -> ", paragraph) is not None and not re.match(
        r"[A-Z][a-z]+ [a-z]+ [a-z]+", paragraph)


# -- Markdown -----------------------------------------------------------------------------------------


def _markdown_escape(text):
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", " ".join(str(text).split()))


def _markdown_cell(cell):
    return f"`{cell}`" if isinstance(cell, _Name) else _markdown_escape(cell)


def _markdown_heading(title):
    return f"## {title}\n"


def _markdown_table(table):
    lines = [f"### {_markdown_escape(table.title)}\n"] if table.title else []
    for paragraph in table.text:
        if is_equation(paragraph):
            lines.append(f"```text\n{paragraph}\n```\n")
        else:
            lines.append(_markdown_escape(paragraph) + "\n")
    if table.rows:
        rows = [list(map(_markdown_cell, row)) for row in table.rows]
        lines += [_row(table.columns), _row("---" for _ in table.columns), *map(_row, rows), ""]
    return lines


def _row(cells):
    return "| " + " | ".join(cells) + " |"


# -- LaTeX --------------------------------------------------------------------------------------------

_PREAMBLE = "% needs \\usepackage{booktabs}"
_LATEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
          "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
          "|": r"\textbar{}", "`": "{`}", "'": "{'}", '"': "{''}", "[": "{[}", "]": "{]}", "*": "{*}", "->": r"$\to$",
          "minus": "$-$", "hyphen": "-{}"}
_LATEX_PARTS = re.compile(r"(?P<arrow>->)|(?P<minus>(?<![\w.-])-(?=[\d.]))|(?P<hyphen>-(?=-))|.", re.DOTALL)
_GREEK = set("tau alpha beta gamma delta epsilon eta theta kappa lam mu nu rho sigma phi omega".split())
_LATEX_UNITS = {"GOhm": r"G$\Omega$", "ohm": r"$\Omega$", "uS": r"$\mu$S"}


def _latex_escape(text):
    """Return text with every character that LaTeX takes for something else replaced.

    Brackets and stars stand in braces, because after the end of a row they would be read as its arguments.
    """
    return _LATEX_PARTS.sub(_latex_part, " ".join(str(text).split()))


def _latex_part(match):
    name = match.lastgroup if match.lastgroup in ("minus", "hyphen") else match.group()
    return _LATEX.get(name, name)


def _symbol(name):
    """Return a parameter's name as a formula: v_threshold is v with the index threshold."""
    head, *rest = name.split("_")
    head = {"lam": r"\lambda"}.get(head, f"\\{head}") if head in _GREEK else (
        head if len(head) == 1 else rf"\mathit{{{head}}}")
    index = ",".join(_latex_escape(part) for part in rest if part)
    return f"${head}_{{\\mathrm{{{index}}}}}$" if index else f"${head}$"


def _latex_cell(cell):
    if isinstance(cell, _Name):
        return _symbol(cell)
    if isinstance(cell, _Unit):
        return _LATEX_UNITS.get(cell, _latex_escape(cell))
    return _latex_escape(cell)


def _latex_heading(title):
    return f"\n\\subsection*{{{_latex_escape(title)}}}"


def _latex_table(table):
    lines = [f"\n\\paragraph{{{_latex_escape(table.title)}}}"] if table.title else []
    for paragraph in table.text:
        if is_equation(paragraph):
            body = " \\\\\n".join(f"\\texttt{{{_latex_escape(line)}}}" for line in paragraph.splitlines())
            lines.append(f"\\begin{{quote}}\\raggedright\\small\n{body}\n\\end{{quote}}")
        else:
            lines.append(_latex_escape(paragraph) + "\n")
    for first in range(0, len(table.rows), MOST_ROWS):
        lines += _latex_tabular(table.columns, table.rows[first:first + MOST_ROWS])
    return lines


def _latex_tabular(columns, rows):
    share = 0.94 - 0.02 * len(columns)
    widths = [share * width / sum(columns.values()) for width in columns.values()]
    layout = "".join(f"p{{{width:.3f}\\linewidth}}" for width in widths)
    head = [_latex_row(rf"\textbf{{{_latex_escape(title)}}}" for title in columns), "\\midrule"]
    return ["\n\\noindent{\\footnotesize\n\\begin{tabular}{@{}" + layout + "@{}}", "\\toprule",
            *(head if any(title.strip() for title in columns) else []),
            *(_latex_row(map(_latex_cell, row)) for row in rows), "\\bottomrule", "\\end{tabular}}\\par\\medskip"]


def _latex_row(cells):
    return " & ".join(rf"\raggedright {cell}" for cell in cells) + r" \tabularnewline"


_RENDERERS = {"markdown": (_markdown_heading, _markdown_table), "latex": (_latex_heading, _latex_table)}
