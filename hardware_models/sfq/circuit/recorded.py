"""What has to be kept over time so that the phases, voltages and currents that a user asks for can be worked out."""

from hardware_models.sfq.circuit.circuit import GROUND, Circuit, is_wire
from hardware_models.sfq.circuit.elements import (
    Controlled,
    CurrentSource,
    Element,
    Inductor,
    PhaseSource,
    VoltageSource,
)


def is_rigid(element: Element) -> bool:
    """Return whether the current of an element only follows from those of its neighbours."""
    return is_wire(element) or isinstance(element, (VoltageSource, PhaseSource)) or (
        isinstance(element, Controlled) and element.kind in "EH")


def to_keep(circuit: Circuit, record, nodes) -> tuple[list, list]:
    """Return the probes to add, pairs of nodes, and what is kept: (kind, name), in the order of their places.

    The kinds are "branch" (junctions, resistors, capacitors and ends of lines have a place of their own), "probe" (an
    element between two nodes) and "node".
    """
    names, nodes = [], [circuit.node(node) for node in nodes]
    for name in record:
        for needed in _needed(circuit, circuit.find(name).name, nodes):
            if needed not in names:
                names.append(needed)
    probes, kept = [], []
    for name in names:
        placed = circuit.find(name)
        follows = isinstance(placed.element, (Inductor, CurrentSource, Controlled)) or is_rigid(placed.element)
        kept.append(("probe" if follows else "branch", placed.name))
        probes += [(placed.plus, placed.minus)] if follows else []
    nodes = list(dict.fromkeys(nodes))
    return probes + [(node, GROUND) for node in nodes], kept + [("node", node) for node in nodes]


def _needed(circuit, name, nodes):
    """Return the elements whose currents the current of an element follows from, itself first; add to the nodes."""
    found = [name]
    for each in found:
        placed = circuit.find(each)
        if isinstance(placed.element, Inductor) and not is_wire(placed.element):
            more = _coupled(circuit, placed.name)
        elif is_rigid(placed.element):
            _, others = neighbours(circuit, placed)
            more = [other.name for other in others]
        elif isinstance(placed.element, Controlled):
            by = circuit.controls[placed.name.casefold()].by
            more = [circuit.find(by).name] if isinstance(by, str) else []
            nodes += [] if isinstance(by, str) else [node for node in by if node not in nodes and node != GROUND]
        else:
            more = []
        found += [other for other in more if other not in found]
    return found


def neighbours(circuit: Circuit, placed):
    """Return the rigid elements that hang together with one, and all others at their nodes but the ground."""
    at = {}
    for each in circuit.placed.values():
        for node in (each.plus, each.minus):
            if node != GROUND:
                at.setdefault(node, []).append(each)
    rigid, others = {placed.name: placed}, {}
    queue = [placed]
    while queue:
        each = queue.pop()
        for other in (o for node in (each.plus, each.minus) for o in at.get(node, ())):
            if not is_rigid(other.element):
                others[other.name] = other
            elif other.name not in rigid:
                rigid[other.name] = other
                queue.append(other)
    return list(rigid.values()), list(others.values())


def _coupled(circuit, name):
    """Return an inductor and all that are coupled to it, directly or through others."""
    found = [name]
    for each in found:
        for c in circuit.couplings.values():
            pair = [circuit.find(c.first).name, circuit.find(c.second).name]
            if each in pair:
                found += [other for other in pair if other not in found]
    return found
