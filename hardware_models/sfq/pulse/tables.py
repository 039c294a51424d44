"""A circuit as tables for the compiled loop: hierarchy taken apart, one row for each cell, input and output.

Cells of one kind share the rows of their transitions, so the tables of a circuit of a million cells are those of its
few kinds and some numbers for each cell.
"""

import math
from dataclasses import dataclass

import numpy as np

from hardware_models.sfq.pulse.cell import EMISSION, GAP, PS, TRANSITION, Cell, Transition, check_jitter, machine
from hardware_models.sfq.pulse.circuit import Circuit
from neurosim.errors import NetworkError

# 64 and 32 bytes: a cell is one line of the cache, and a port half of one
CELL = np.dtype([("state", np.int32), ("table", np.int32), ("columns", np.int32), ("first_port", np.int32),
                 ("first_wire", np.int32), ("taken", np.int32), ("busy", np.float64), ("window", np.float64),
                 ("arrivals", np.int64), ("firings", np.int64), ("cause", np.int64)])
PORT = np.dtype([("seen", np.float64), ("turn", np.int64), ("cell", np.int32), ("before", np.int32),
                 ("record", np.int32), ("unused", np.int32)])
WIRE = np.dtype([("port", np.int32), ("cell", np.int32)])
MOST_NAMED = 8  # unconnected inputs that a message names


class _Sink(Cell):
    """Where a recorded wire ends that drives nothing."""

    inputs = ("a",)
    transitions = (Transition("idle", "a", "idle"),)


class _Scope:
    """A circuit at its place in the hierarchy."""

    def __init__(self, circuit, prefix: str = "", parent: "_Scope | None" = None, node=None):
        self.circuit, self.prefix, self.parent, self.node = circuit, prefix, parent, node
        self.children = {name: _Scope(each.cell, f"{prefix}{name}.", self, each)
                         for name, each in circuit.nodes.items() if isinstance(each.cell, Circuit)}

    def leaves(self):
        """Yield (scope, node) of the cells in here and below."""
        for name, node in self.circuit.nodes.items():
            if name in self.children:
                yield from self.children[name].leaves()
            else:
                yield self, node

    def probes(self):
        """Yield (name, scope, port) of the probes in here and below."""
        for name, port in self.circuit.probes.items():
            yield self.prefix + name, self, port
        for child in self.children.values():
            yield from child.probes()

    def origin(self, port):
        """Follow an output-like port to (scope, node, output) of the cell that fires it.

        For an input of the whole circuit that is (None, None, name); where nothing drives it, None.
        """
        scope, visited = self, set()
        while port is not None:
            if (scope, port.key) in visited:
                raise NetworkError(f"{scope.prefix}{port} drives itself through wires alone; put a cell between")
            visited.add((scope, port.key))
            node = port.node
            if node.cell is None:
                outer = scope.parent
                if outer is None:
                    return None, None, port.name
                scope, port = outer, outer.circuit.drivers.get((scope.node, port.name))
            elif isinstance(node.cell, Circuit):
                scope = scope.children[node.name]
                port = scope.circuit.outputs[port.name]
            else:
                return scope, node, port.name
        return None


@dataclass
class Tables:
    """Everything that the loop reads, and the names that go with the numbers."""

    cells: np.ndarray
    ports: np.ndarray
    wires: np.ndarray  #: the input that each output drives and its cell, or -1
    transitions: np.ndarray
    emissions: np.ndarray
    gaps: np.ndarray
    names: list  #: names of the cells
    kinds: list  #: the cells
    records: dict  #: name of what is recorded -> its number
    inputs: dict  #: name of an input of the circuit -> the port that it drives
    most_inputs: int
    most_emissions: int


def build(circuit: Circuit, jitter: float = 0.0) -> Tables:
    """Return the tables of a circuit; raise NetworkError where an input is not driven or drives nothing.

    Args:
        circuit: the circuit.
        jitter: standard deviation added to every delay, as a share of it.
    """
    top = _Scope(circuit)
    leaves = list(top.leaves())
    cells = [node.cell for _, node in leaves]
    names = [scope.prefix + node.name for scope, node in leaves]
    first_port = _starts(len(cell.inputs) for cell in cells)
    first_wire = _starts(len(cell.outputs) for cell in cells)
    wire_of = {(scope, node, output): first_wire[index] + place for index, (scope, node) in enumerate(leaves)
               for place, output in enumerate(node.cell.outputs)}
    wire_of |= {(None, None, name): -1 - place for place, name in enumerate(circuit.inputs)}
    target = dict.fromkeys(wire_of.values(), -1)  # wire -> port; wires below 0 are the inputs of the circuit
    missing = []
    for index, (scope, node) in enumerate(leaves):
        for place, name in enumerate(node.cell.inputs):
            found = scope.origin(scope.circuit.drivers.get((node, name)))
            if found is None:
                missing.append(f"{names[index]}.{name}")
            else:
                target[wire_of[found]] = first_port[index] + place
    if missing:
        more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
        raise NetworkError(f"every input must be driven; nothing drives {', '.join(missing[:MOST_NAMED])}{more}")

    records = {}
    observed = [(name, top, port) for name, port in {**circuit.inputs, **circuit.outputs}.items()]
    for name, scope, port in [*observed, *top.probes()]:
        found = scope.origin(port)
        if found is None:
            raise NetworkError(f"nothing drives what is recorded as {name}")
        wire = wire_of[found]
        if target[wire] < 0:
            if name in circuit.inputs:
                continue
            target[wire] = first_port[-1] + len(cells) - len(leaves)  # a sink has one port
            cells.append(_Sink())
            names.append(name)
        records[name] = target[wire]
    idle = [name for name in circuit.inputs if target[wire_of[None, None, name]] < 0]
    if idle:
        raise NetworkError(f"the input {idle[0]} of {circuit.name} drives nothing; connect it or leave it out")
    for name in circuit.inputs:
        records[name] = target[wire_of[None, None, name]]
    inputs = {name: target[wire_of[None, None, name]] for name in circuit.inputs}
    driven = np.array([target[wire] for wire in range(first_wire[-1])], dtype=np.int32)
    return _assemble(names, cells, driven, inputs, records, jitter)


def _starts(lengths) -> list:
    return [0, *np.cumsum(list(lengths), dtype=np.int64).tolist()]


def _assemble(names, cells, driven, inputs, records, jitter):
    kinds = {}  # cell -> (first row, its machine)
    rows, emissions, gaps = [], [], []
    sizes = [0, 0, 0]
    for cell in cells:
        if cell in kinds:
            continue
        made = machine(cell)
        kinds[cell] = sizes[0], made
        part = made.transitions.copy()
        for start, by in (("first_emission", 1), ("end_emission", 1), ("first_gap", 2), ("end_gap", 2)):
            part[start] += sizes[by]
        rows.append(part)
        emissions.append(_with_jitter(type(cell).__name__, made.emissions, jitter))
        gaps.append(made.gaps)
        sizes = [sizes[0] + part.size, sizes[1] + made.emissions.size, sizes[2] + made.gaps.size]

    made_of = [kinds[cell] for cell in cells]
    table = np.zeros(len(cells), dtype=CELL)
    table["table"] = [first for first, _ in made_of]
    table["window"] = [made.window for _, made in made_of]
    table["columns"] = [len(cell.inputs) + 1 for cell in cells]
    table["first_port"] = _starts(len(cell.inputs) for cell in cells)[:-1]
    table["first_wire"] = _starts(len(cell.outputs) for cell in cells)[:-1]
    table["taken"] = [cell.in_dead_time == "taken" for cell in cells]
    table["busy"] = -math.inf
    ports = np.zeros(int(table["columns"].sum()) - len(cells), dtype=PORT)
    ports["seen"], ports["record"] = -math.inf, -1
    ports["cell"] = np.repeat(np.arange(len(cells)), [len(cell.inputs) for cell in cells])
    wires = np.zeros(driven.size, dtype=WIRE)
    wires["port"], wires["cell"] = driven, ports["cell"][driven]
    record_names = _number_records(records, ports)
    return Tables(
        table, ports, wires, _joined(rows, TRANSITION), _joined(emissions, EMISSION), _joined(gaps, GAP), names, cells,
        record_names, inputs, int(table["columns"].max(initial=1)) - 1, max((len(cell.outputs) for cell in cells),
                                                                           default=0))


def _number_records(records, ports) -> dict:
    """Give each recorded port a number; return name -> number (two names of one wire share it)."""
    numbers = {port: number for number, port in enumerate(dict.fromkeys(records.values()))}
    ports["record"][list(numbers)] = list(numbers.values())
    return {name: numbers[port] for name, port in records.items()}


def _with_jitter(kind, emissions, share):
    made = emissions.copy()
    made["jitter"] = np.hypot(emissions["jitter"], share * emissions["delay"])
    for row in made:
        check_jitter(f"{kind}.jitter", row["jitter"] / PS, row["delay"] / PS)
    return made


def _joined(parts, dtype):
    return np.concatenate([np.zeros(0, dtype), *parts])
