"""The summary of a network: one screenful."""

from neurosim.describe.sizes import memory_text, synapses_text
from neurosim.describe.values import drive_units, part_text, rule_text, value_text, weight_text
from neurosim.precision import shortest_tick
from neurosim.sources import Source

MOST_LINES = 20  #: populations and projections that a summary lists
_SHORT_TICK = 0.01  #: ms, the shortest tick that need not be told


def summary(net) -> str:
    """Return a network in one screenful: sizes, one line for each part, what is recorded."""
    names = [p.name for p in net.populations]
    sizes = [f"{p.size:,}" for p in net.populations]
    wide = max(map(len, names), default=0), max(map(len, sizes), default=0)
    lines = [f"{name:<{wide[0]}}  {size:>{wide[1]}} x {part_text(p.model)}{initial_text(p)}"
             for name, size, p in zip(names, sizes, net.populations, strict=True)]
    return "\n".join([headline(net), *_listed(lines, "populations"),
                      *_listed(map(_projection_line, net.projections), "projections"),
                      *_listed(map(coupling_line, net.couplings), "couplings"),
                      *_listed(map(_drive_line, net.drives), "drives"), *recorded_lines(net), *_precision_lines(net)])


def headline(net):
    """Return the sizes of a network in one line."""
    if not net.populations:
        return "Network: empty; add a population with net.add(model, size)"
    sources = sum(p.size for p in net.populations if isinstance(p.model, Source))
    neurons = sum(p.size for p in net.populations) - sources
    sizes = [_plural(count, word) for count, word in ((neurons, "neuron"), (sources, "source")) if count]
    parts = [f"{' and '.join(sizes)} in {_plural(len(net.populations), 'population')}"]
    if net.projections:
        parts.append(f"{_plural(len(net.projections), 'projection')}, {synapses_text(net.projections)}")
    return f"Network: {', '.join(parts)}{memory_text(net.projections)}"


def _plural(count, word):
    return f"{count:,} {word}" + "s" * (count != 1)


def _listed(lines, what):
    lines = [f"  {line}" for line in lines]
    more = len(lines) - MOST_LINES
    return lines if more <= 0 else [*lines[:MOST_LINES], f"  ... and {more} more {what}"]


def initial_text(population):
    """Return how a population begins, after a comma, or nothing."""
    if not population.initial:
        return ""
    units = population.model.state
    return ", initially " + ", ".join(
        f"{name} = {value_text(value, units[name].unit)}" for name, value in population.initial.items())


def _projection_line(p):
    parts = [rule_text(p), f"weight {weight_text(p)}", f"delay {value_text(p.delay, 'ms')}", part_text(p.receptor)]
    parts += [part_text(part) for part in (p.release, *p.plasticity, p.device) if part is not None]
    parts += [f"{name} from {who.name}.{what}" for name, (who, what) in p.modulators.items()]
    return f"{_named(p.name, f'{p.source.name} -> {p.target.name}')}: {', '.join(parts)}"


def coupling_line(c):
    """Return what gap junctions are in one line."""
    conductance = "" if c.conductance is None else f" of {value_text(c.conductance, 'nS')}"
    return f"{_named(c.name, f'{c.one.name} = {c.other.name}')}: {part_text(c.rule)}, gap junctions{conductance}"


def _drive_line(d):
    parts = [part_text(part, units=drive_units(d)) for part in (d.drive, d.receptor) if part is not None]
    name = _named(d.name, f"{type(d.drive).__name__} on {d.target.name}")
    return f"{name}: {', '.join(parts)}"


def _named(name, default):
    """A name that somebody chose does not say what it stands for."""
    return name if name.startswith(default) else f"{name} ({default})"


def recorded_lines(net):
    """Return a line that says what is recorded, or none."""
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
