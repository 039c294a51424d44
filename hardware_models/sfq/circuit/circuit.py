"""`Circuit`: a netlist, built from Python or read from a deck, and checked before anything is computed."""

import difflib
from collections import defaultdict
from collections.abc import Iterable

from hardware_models.sfq.circuit.elements import (
    SHORT_L,
    SHORT_R,
    Capacitor,
    Control,
    Controlled,
    Coupling,
    CurrentSource,
    Element,
    Inductor,
    Junction,
    Line,
    PhaseSource,
    Placed,
    Port,
    Resistor,
    Source,
    VoltageSource,
)
from hardware_models.sfq.circuit.waveforms import Constant, Waveform
from neurosim.checks import describe_value, is_number
from neurosim.errors import NetworkError, ParameterError

GROUND = "0"


class Circuit:
    """A netlist of junctions, inductors, resistors, capacitors and sources between named nodes.

    Node "0" (or "gnd") is the ground. Names of elements and nodes do not depend on upper and lower case. Units are mV,
    mA, ps, pH, ohm, pF. A circuit that is included in another gets the prefix `name.`, its ports become nodes of the
    outer circuit.

    Args:
        name: what the circuit is, for messages.
        ports: nodes by which it is connected where it is included in another circuit.
        lenient: whether to take what other simulators run: nodes with one connection, nodes between capacitors only,
            voltages across inductors, whose currents may grow without end.

    Raises:
        NetworkError: a name is taken or unknown.
        ParameterError: a value does not fit.

    >>> circuit = Circuit("one junction")
    >>> circuit.junction("B1", "a", "0", ic=0.1, r=6.86, c=0.07)
    >>> circuit.current("I1", "0", "a", 0.05)
    >>> circuit
    Circuit('one junction': 1 junction, 1 current source, 1 node)
    """

    def __init__(self, name: str = "circuit", ports=(), lenient: bool = False):
        self.name, self.lenient = name, lenient
        if isinstance(ports, str) or not isinstance(ports, Iterable):
            raise ParameterError(f"Circuit.ports must be names of nodes in a list, got {describe_value(ports)}")
        self.ports = [str(port) for port in ports]
        self.placed: dict[str, Placed] = {}
        self.couplings: dict[str, Coupling] = {}
        self.lines: dict[str, Line] = {}
        self.controls: dict[str, Control] = {}
        self._nodes: dict[str, str] = {}
        for port in self.ports:
            self._node(port)

    # ---- building -------------------------------------------------------------------------------------

    def add(self, name: str, plus: str, minus: str, element: Element, where: str = "") -> None:
        """Put an element between two nodes; `where` is said in messages, for example the line of a deck."""
        self._free(name, where)
        if not isinstance(element, Element):
            raise ParameterError(f"{name} must be an element such as Junction or Inductor, "
                                 f"got {describe_value(element)}")
        plus, minus = self._node(plus), self._node(minus)
        if plus == minus:
            raise NetworkError(f"{_at(name, where)}: both ends are at node {plus}; connect it to two nodes")
        self.placed[name.casefold()] = Placed(name, plus, minus, element, where)

    def junction(self, name, plus, minus, *, model=None, area=1.0, **values) -> None:
        """Add a junction, by its own values (see `Junction`) or by a `JunctionModel` and an area."""
        if model is not None and values:
            raise ParameterError(f"{name}: give either model and area, or the values of a Junction")
        self.add(name, plus, minus, model.junction(area) if model is not None else Junction(**values))

    def inductor(self, name, plus, minus, l) -> None:
        """Add an inductor of l pH."""
        self.add(name, plus, minus, Inductor(l))

    def resistor(self, name, plus, minus, r, temperature=None) -> None:
        """Add a resistor of r ohm; its own temperature in K where it is not that of the run."""
        self.add(name, plus, minus, Resistor(r, temperature=temperature))

    def capacitor(self, name, plus, minus, c) -> None:
        """Add a capacitor of c pF."""
        self.add(name, plus, minus, Capacitor(c))

    def current(self, name, plus, minus, waveform) -> None:
        """Add a current source: a `Waveform`, or a number of mA; the current enters the node minus."""
        self.add(name, plus, minus, CurrentSource(_waveform(waveform)))

    def bias(self, name, node, waveform) -> None:
        """Add a current source that feeds a node from the ground; a `Waveform`, or a number of mA."""
        self.current(name, GROUND, node, waveform)

    def voltage(self, name, plus, minus, waveform) -> None:
        """Add a voltage source: a `Waveform`, or a number of mV."""
        self.add(name, plus, minus, VoltageSource(_waveform(waveform)))

    def phase(self, name, plus, minus, waveform) -> None:
        """Add a source of phase: a `Waveform`, or a number of rad."""
        self.add(name, plus, minus, PhaseSource(_waveform(waveform)))

    def line(self, name, plus, minus, far_plus, far_minus, *, z0, delay, where="") -> None:
        """Add a transmission line without losses: impedance in ohm, delay in ps; its ends are `name.1`, `name.2`.

        V1(t) - z0 I1(t) = V2(t - delay) + z0 I2(t - delay), and the same with 1 and 2 exchanged.
        """
        self._free(name, where)
        if not is_number(delay) or not 0.0 < delay < 1e15:
            raise ParameterError(f"{_at(name, where)}: delay must be a finite number > 0 ps, got "
                                 f"{describe_value(delay)}")
        ends = f"{name}.1", f"{name}.2"
        self.add(ends[0], plus, minus, Port(z0), where)
        self.add(ends[1], far_plus, far_minus, Port(z0), where)
        self.lines[name.casefold()] = Line(name, *ends, float(delay), where)

    def controlled(self, name, kind, plus, minus, *, by, gain, where="") -> None:
        """Add a source that follows a voltage (`by`: two nodes) or a current (`by`: a wire or a voltage source).

        A wire is a resistor of 0 ohm. A current flows inside the source from plus to minus.
        """
        if kind in ("F", "H"):
            element = self.element(by)
            if not (isinstance(element, (VoltageSource, PhaseSource)) or (isinstance(element, Resistor)
                                                                         and element.r == 0.0)):
                raise NetworkError(f"{_at(name, where)}: {by} must be a voltage source or a resistor of 0 ohm, whose "
                                   "current is known")
        else:
            if isinstance(by, str) or len(by) != 2:
                raise ParameterError(f"{_at(name, where)}: by must be the two nodes whose voltage is followed, got "
                                     f"{describe_value(by)}")
            by = self._node(by[0]), self._node(by[1])
        self.add(name, plus, minus, Controlled(kind, gain), where)
        self.controls[name.casefold()] = Control(name, by, where)

    def mutual(self, name, first, second, k, where="") -> None:
        """Couple two inductors, M = k sqrt(L1 L2) with -1 < k < 1."""
        self._free(name, where)
        for other in (first, second):
            if not isinstance(self.element(other), Inductor):
                raise NetworkError(f"{_at(name, where)}: {other} must be an inductor")
        if first.casefold() == second.casefold():
            raise NetworkError(f"{_at(name, where)}: {first} cannot be coupled to itself")
        if not is_number(k) or not -1.0 < k < 1.0:
            raise ParameterError(f"{_at(name, where)}: k must be a number > -1 and < 1, got {describe_value(k)}")
        self.couplings[name.casefold()] = Coupling(name, first, second, float(k), where)

    def include(self, name: str, circuit: "Circuit", *nodes, where: str = "", **ports) -> None:
        """Include another circuit; its ports are connected to `nodes` in order, or by name.

        Its elements and inner nodes are then called `name.element` and `name.node`.
        """
        given = dict(zip(circuit.ports, nodes, strict=False)) | ports
        if len(nodes) > len(circuit.ports) or set(given) != set(circuit.ports) or len(given) != len(nodes) + len(ports):
            raise NetworkError(f"{_at(name, where)}: {circuit.name} must be connected at {', '.join(circuit.ports)}, "
                               f"got {len(nodes)} nodes" + (f" and {', '.join(ports)}" if ports else ""))
        outer = {circuit._node(port): node for port, node in given.items()} | {GROUND: GROUND}

        def place(node):
            return outer.get(node) or f"{name}.{node}"

        for each in circuit.placed.values():
            self.add(f"{name}.{each.name}", place(each.plus), place(each.minus), each.element, where or each.where)
        for each in circuit.couplings.values():
            self.mutual(f"{name}.{each.name}", f"{name}.{each.first}", f"{name}.{each.second}", each.k,
                        where or each.where)
        for key, each in circuit.lines.items():
            self.lines[f"{name.casefold()}.{key}"] = Line(
                f"{name}.{each.name}", f"{name}.{each.first}", f"{name}.{each.second}", each.delay, where or each.where)
        for key, each in circuit.controls.items():
            by = f"{name}.{each.by}" if isinstance(each.by, str) else (
                self._node(place(each.by[0])), self._node(place(each.by[1])))
            self.controls[f"{name.casefold()}.{key}"] = Control(f"{name}.{each.name}", by, where or each.where)

    def replace(self, name: str, **values) -> "Circuit":
        """Return a copy in which an element has other values; for a source, another `waveform`."""
        old = self.find(name)
        if isinstance(old.element, Source):
            element = type(old.element)(_waveform(values.pop("waveform", old.element.waveform)))
            if values:
                raise ParameterError(f"{name} is a source and has a waveform only, got {', '.join(values)}")
        else:
            element = old.element.replace(**values)
        copy = Circuit(self.name, self.ports, self.lenient)
        copy.placed = self.placed | {name.casefold(): old._replace(element=element)}
        copy.couplings, copy._nodes = dict(self.couplings), dict(self._nodes)
        copy.lines, copy.controls = dict(self.lines), dict(self.controls)
        return copy

    # ---- looking --------------------------------------------------------------------------------------

    def find(self, name: str) -> Placed:
        """Return an element with its place; raise NetworkError where there is none of that name."""
        try:
            return self.placed[name.casefold()]
        except KeyError:
            near = difflib.get_close_matches(name.casefold(), self.placed, 3, 0.5)
            hint = f"; did you mean {', '.join(self.placed[key].name for key in near)}?" if near else ""
            raise NetworkError(f"{self.name} has no element {name!r}{hint}") from None

    def element(self, name: str) -> Element:
        """Return an element by its name."""
        return self.find(name).element

    def names(self, kind: type = Element) -> list[str]:
        """Return the names of all elements of a kind, in the order in which they were added."""
        return [each.name for each in self.placed.values() if isinstance(each.element, kind)]

    @property
    def nodes(self) -> list[str]:
        """All nodes but the ground."""
        return [node for node in self._nodes.values() if node != GROUND]

    def touching(self) -> dict[str, list[str]]:
        """Return the names of the elements at each node, and of the sources that follow its voltage."""
        found = defaultdict(list)
        for each in self.placed.values():
            found[each.plus].append(each.name)
            found[each.minus].append(each.name)
        for each in self.controls.values():
            for node in () if isinstance(each.by, str) else each.by:
                found[node].append(each.name)
        return found

    def loose(self) -> list[tuple[str, str]]:
        """Return the nodes that have one connection only, each with the element there."""
        return [(node, names[0]) for node, names in self.touching().items() if len(names) == 1 and node != GROUND]

    def has_node(self, name: str) -> bool:
        """Return whether there is a node of that name."""
        return str(name).casefold() in self._nodes or str(name).casefold() in (GROUND, "gnd")

    def node(self, name: str) -> str:
        """Return a node as it was first written; raise NetworkError where there is none."""
        key = str(name).casefold()
        if key not in self._nodes and key not in ("0", "gnd"):
            near = difflib.get_close_matches(key, self._nodes, 3, 0.5)
            hint = f"; did you mean {', '.join(self._nodes[each] for each in near)}?" if near else ""
            raise NetworkError(f"{self.name} has no node {name!r}{hint}")
        return self._node(name)

    def __repr__(self):
        kinds = {Junction: "junction", Inductor: "inductor", Resistor: "resistor", Capacitor: "capacitor",
                 CurrentSource: "current source", VoltageSource: "voltage source", PhaseSource: "phase source",
                 Port: "line end", Controlled: "controlled source"}
        counts = [(len(self.names(kind)), word) for kind, word in kinds.items()] + [(len(self.nodes), "node")]
        parts = ", ".join(f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count)
        return f"Circuit({self.name!r}: {parts or 'empty'})"

    # ---- inside ---------------------------------------------------------------------------------------

    def _node(self, node) -> str:
        text = str(node)
        key = text.casefold()
        return self._nodes.setdefault(key, GROUND if key in ("0", "gnd") else text)

    def _free(self, name, where):
        if not isinstance(name, str) or not name:
            raise ParameterError(f"the name of an element must be a text, got {describe_value(name)}")
        taken = self.placed.get(name.casefold()) or self.couplings.get(name.casefold())
        if taken:
            before = f" ({taken.where})" if taken.where else ""
            raise NetworkError(f"{_at(name, where)}: there is an element of this name already{before}; "
                               "choose another name")


def _at(name, where) -> str:
    return f"{where}: {name}" if where else name


def _waveform(given) -> Waveform:
    return given if isinstance(given, Waveform) else Constant(given)


def is_wire(element: Element) -> bool:
    """Return whether an element is a wire: a resistor or inductor so small that its ends are one node."""
    return (isinstance(element, Resistor) and element.r < SHORT_R) or (
        isinstance(element, Inductor) and element.l < SHORT_L)


def _is_rigid(element):
    return isinstance(element, (VoltageSource, PhaseSource)) or (
        isinstance(element, Controlled) and element.kind in "EH")


def _feeds(element):
    return isinstance(element, CurrentSource) or (isinstance(element, Controlled) and element.kind in "FG")


def check(circuit: Circuit) -> None:
    """Raise NetworkError where a circuit cannot be solved: nothing in it, floating nodes, loops of ideal sources.

    A node must have at least two connections and a way to the ground that does not only lead through capacitors and
    current sources. Voltage sources may form no loop, alone, with wires or with inductors.
    """
    if not circuit.placed:
        raise NetworkError(f"{circuit.name} is empty; add elements")
    touching = circuit.touching()
    for port in circuit.ports:
        if port not in touching:
            raise NetworkError(f"{circuit.name}: port {port} is connected to nothing")
    if GROUND not in touching:
        raise NetworkError(f"{circuit.name}: nothing is connected to the ground, node 0")
    for node, name in () if circuit.lenient else circuit.loose():
        raise NetworkError(f"node {node} has one connection only, to {name}: it is floating; connect it to "
                           "something else, or check how it is spelled")
    _check_loops(circuit)
    grounded = _Groups()
    for each in circuit.placed.values():
        empty = isinstance(each.element, Capacitor) and (each.element.c == 0.0 or not circuit.lenient)
        if not empty and not _feeds(each.element):
            grounded.join(each.plus, each.minus)
    for node, names in touching.items():
        if grounded.root(node) != grounded.root(GROUND):
            raise NetworkError(f"node {node} (at {', '.join(names[:4])}) is floating: it has no way to the ground "
                               "through junctions, inductors, resistors or voltage sources; connect it, for example "
                               "by a large resistor")


def _check_loops(circuit):
    """Raise NetworkError for loops of voltage sources, alone, with wires, and with inductors."""
    rigid, wired = _Groups(), _Groups()
    for each in circuit.placed.values():
        if is_wire(each.element):
            rigid.join(each.plus, each.minus)
        if isinstance(each.element, Inductor) or is_wire(each.element):
            wired.join(each.plus, each.minus)
    for each in circuit.placed.values():
        if not _is_rigid(each.element):
            continue
        if not rigid.join(each.plus, each.minus):
            raise NetworkError(f"{_at(each.name, each.where)} closes a loop of voltage sources; put a resistor in "
                               "series with it")
        if not wired.join(each.plus, each.minus) and isinstance(each.element, VoltageSource) and not circuit.lenient:
            raise NetworkError(f"{_at(each.name, each.where)} is in a loop of voltage sources and inductors, where its "
                               "current would grow without end; put a resistor in series with it")


class _Groups:
    """Which nodes hang together."""

    def __init__(self):
        self.parent = {}

    def root(self, node):
        parent = self.parent
        while (above := parent.get(node, node)) != node:
            parent[node] = parent.get(above, above)
            node = above
        return node

    def join(self, a, b) -> bool:
        """Join the groups of two nodes; return False where they are one already."""
        a, b = self.root(a), self.root(b)
        self.parent[a] = b
        return a != b
