"""The tables of a methods section: what they are, in their order."""

from neurosim.checks import Label, describe_value
from neurosim.describe import latex, markdown
from neurosim.describe.docstrings import paragraphs
from neurosim.describe.overview import coupling_line, headline, initial_text, recorded_lines
from neurosim.describe.table import Name, Table, Unit
from neurosim.describe.values import drive_units, part_text, rule_text, value_text, weight_text
from neurosim.errors import ParameterError
from neurosim.reprs import Markdown
from neurosim.sources import Source, SpikeSource

_FORMATS = {"markdown": markdown, "latex": latex}


def describe(net, format: str = "markdown") -> str:
    """Return tables of a network in the manner of Nordlie, Gewaltig and Plesser (2009).

    Args:
        net: the network.
        format: "markdown" or "latex"; the LaTeX needs the package booktabs.
    """
    if format not in _FORMATS:
        raise ParameterError(f"format must be 'markdown' or 'latex', got {describe_value(format)}")
    sections = [
        ("Model summary", [_model_summary(net)]), ("Populations", [_populations(net)]),
        ("Connectivity", [_connectivity(net)]), ("Neuron models", _models(net)),
        ("Synapse models", _synapse_models(net)), ("Input", _inputs(net)), ("Recordings", [_recordings(net)])]
    written = _FORMATS[format]
    lines = [written.PREAMBLE] if written.PREAMBLE else []
    letters = iter("ABCDEFG")
    for title, tables in sections:
        tables = [each for each in tables if each.rows or each.text]
        if tables:
            lines += [written.heading(f"{next(letters)}. {title}"),
                      *(line for each in tables for line in written.table_lines(each))]
    text = "\n".join(lines).rstrip() + "\n"
    return Markdown(text) if format == "markdown" else text


def _model_summary(net):
    def kinds(parts):
        return ", ".join(dict.fromkeys(type(part).__name__ for part in parts if part is not None)) or "none"

    projections = net.projections
    rows = [("Populations", f"{len(net.populations)}: " + ", ".join(p.name for p in net.populations)),
            ("Size", headline(net).removeprefix("Network: ")),
            ("Connectivity", kinds(p.rule for p in projections)),
            ("Neuron models", kinds(p.model for p in net.populations if not isinstance(p.model, Source))),
            ("Receptors", kinds([*(p.receptor for p in projections), *(d.receptor for d in net.drives)])),
            ("Release", kinds(p.release for p in projections)),
            ("Plasticity", kinds(rule for p in projections for rule in p.plasticity)),
            ("Devices", kinds(p.device for p in projections)),
            ("Input", kinds([*(p.model for p in net.populations if isinstance(p.model, Source)),
                             *(d.drive for d in net.drives)])),
            *([("Gap junctions", "; ".join(map(coupling_line, net.couplings)))] if net.couplings else []),
            ("Recordings", "; ".join(line.split(": ", 1)[1] for line in recorded_lines(net)) or "none")]
    return Table({"": 1, " ": 4}, rows)


def _populations(net):
    rows = [(p.name, type(p.model).__name__, f"{p.size:,}", initial_text(p).removeprefix(", initially ")
             or ("-" if isinstance(p.model, Source) else "of the model")) for p in net.populations]
    return Table({"Name": 2, "Elements": 2, "Size": 1, "Initial state": 3}, rows)


def _connectivity(net):
    columns = {
        "Name": (2, lambda p: p.name),
        "Source": (1.5, lambda p: p.source.name), "Target": (1.5, lambda p: p.target.name),
        "Rule": (3, lambda p: rule_text(p, whole=True)), "Weight": (2, weight_text),
        "Delay": (2, lambda p: value_text(p.delay, "ms")), "Receptor": (2, lambda p: part_text(p.receptor, whole=True))}
    for name in ("release", "plasticity", "device"):
        if any(getattr(p, name) for p in net.projections):
            columns[name.capitalize()] = (1.5, lambda p, name=name: _kind(getattr(p, name)))
    if all(p.name == f"{p.source.name} -> {p.target.name}" for p in net.projections):
        del columns["Name"]
    rows = [tuple(text(p) for _, text in columns.values()) for p in net.projections]
    return Table({title: width for title, (width, _) in columns.items()}, rows)


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
        tables += _parameter_tables([(d.drive, d.target.name)], drive_units(d))
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
        rows.append((Name(name), value_text(value), Unit(unit or "-"), parameter.doc))
    if isinstance(part, SpikeSource):
        value = f"{len(part.spikes):,} spikes in {part.spikes.duration:g} ms"
        rows = [(Name("spikes"), value, Unit("-"), "given spikes")]
    columns = {"Parameter": 1.5, "Value": 2, "Unit": 0.7, "Description": 4}
    return Table(columns, rows, f"{type(part).__name__} ({', '.join(dict.fromkeys(users))})", paragraphs(part))


def _recordings(net):
    rows = [(r.what.name, r.variable, "all" if r.ids is None else f"{r.ids.size:,} chosen",
             "every spike" if r.variable == "spikes" else "every tick" if r.every is None else f"every {r.every:g} ms")
            for r in net.recorders]
    return Table({"Of": 2, "Variable": 1, "Elements": 1, "When": 1.5}, rows)
