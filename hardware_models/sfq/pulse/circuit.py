"""Circuits of cells: every output drives one input, every input is driven once, and a circuit serves as a cell."""

from hardware_models.sfq.pulse.cell import Cell
from hardware_models.sfq.pulse.cells import Merger, Splitter
from neurosim.checks import check_whole, describe_value
from neurosim.errors import NetworkError, ParameterError


class Port:
    """One input or output of a node; `circuit.connect` joins an output to an input."""

    __slots__ = ("node", "name", "is_output")

    def __init__(self, node, name, is_output):
        self.node, self.name, self.is_output = node, name, is_output

    @property
    def key(self):
        """What identifies it in its circuit."""
        return self.node, self.name

    def __repr__(self):
        return f"{self.node.name}.{self.name}" if self.node.cell is not None else self.name


class Node:
    """A cell, or a circuit that serves as one, in a circuit: ports are attributes (`node.q`) or items (`node["q"]`).

    Unpacking gives the outputs in order; a node with one output stands for it.
    """

    def __init__(self, circuit, name, cell, inputs, outputs):
        self.circuit, self.name, self.cell = circuit, name, cell
        self.ports = {port: Port(self, port, False) for port in inputs} | {
            port: Port(self, port, True) for port in outputs}

    def __getattr__(self, name):
        if name.startswith("__") or name == "ports":
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name) -> Port:
        if name not in self.ports:
            raise NetworkError(f"{self.name} has the ports {', '.join(self.ports)}, got {name!r}")
        return self.ports[name]

    def __iter__(self):
        return (port for port in self.ports.values() if port.is_output)

    def __repr__(self):
        return f"{self.name}: {type(self.cell).__name__}"


class Circuit:
    """A circuit of cells; it costs nothing until it is simulated.

    Args:
        name: for messages and as a prefix where it is part of another circuit.

    >>> from hardware_models.sfq.pulse import DRO, Circuit, PulseSimulation
    >>> circuit = Circuit("one bit")
    >>> data, clock = circuit.input("data", "clock")
    >>> circuit.output("q", circuit.add(DRO(), data, clock))
    >>> sim = PulseSimulation(circuit)
    >>> sim.send(data=[10.0], clock=[50.0, 100.0])
    >>> sim.run()
    >>> sim.pulses("q")
    array([55.1])
    """

    def __init__(self, name: str = "circuit"):
        self.name = name
        self.nodes: dict[str, Node] = {}
        self.inputs: dict[str, Port] = {}
        self.outputs: dict[str, Port] = {}
        self.probes: dict[str, Port] = {}
        self.drivers: dict[tuple, Port] = {}  #: (node, input) -> the output that drives it
        self.readers: dict[tuple, object] = {}  #: (node, output) -> the input, or the name of the circuit's output

    # ---- parts ------------------------------------------------------------------------------------

    def input(self, *names: str):
        """Declare inputs of the circuit; return one output-like port for each, or the one itself."""
        for name in names:
            self._check_name("input", name)
            self.inputs[name] = Port(Node(self, name, None, (), (name,)), name, True)
        ports = tuple(self.inputs[name] for name in names)
        return ports[0] if len(ports) == 1 else ports

    def output(self, name: str, source) -> None:
        """Declare an output of the circuit, which is recorded, and what drives it."""
        self._check_name("output", name)
        port = self._source(source)
        self._check_free(port, f"the output {name} of {self.name}")
        self.outputs[name] = port
        self.readers[port.key] = f"the output {name} of {self.name}"

    def probe(self, name: str, source) -> None:
        """Record the pulses of a wire inside the circuit under a name, without changing anything."""
        self._check_name("probe", name)
        self.probes[name] = self._source(source)

    def add(self, cell, *sources, name: str | None = None, **named) -> Node:
        """Add a cell, or a circuit that serves as one, and connect its inputs.

        Args:
            cell: a `Cell` or a `Circuit`, which may be added many times.
            sources: what drives its inputs, in their order: ports, or nodes with one output.
            name: name of the node; by default made from the kind.
            named: what drives inputs, by name. Inputs that are left out are connected later, with `connect`.
        """
        if not isinstance(cell, (Cell, Circuit)):
            raise ParameterError(f"Circuit.add takes a Cell or a Circuit, such as JTL(), got {describe_value(cell)}")
        if isinstance(cell, Circuit) and cell._contains(self):
            raise NetworkError(f"{cell.name} contains {self.name} and cannot be a part of it")
        if name is None:
            kind = cell.name if isinstance(cell, Circuit) else type(cell).__name__.lower()
            name = f"{kind}_{len(self.nodes)}"
        if name in self.nodes:
            raise NetworkError(f"{self.name} has a node called {name} already; give each its own name")
        node = Node(self, name, cell, tuple(cell.inputs), tuple(cell.outputs))
        if len(sources) > len(cell.inputs):
            raise NetworkError(f"{name} has the inputs {', '.join(cell.inputs)}, got {len(sources)} sources")
        given = dict(zip(cell.inputs, sources, strict=False))
        twice = [port for port in named if port in given]
        if twice:
            raise NetworkError(f"the input {name}.{twice[0]} is given twice, by place and by name")
        self.nodes[name] = node
        for port, source in {**given, **named}.items():
            self.connect(source, node[port])
        return node

    def connect(self, source, target: Port) -> None:
        """Let an output drive an input; raise NetworkError if one of them is taken.

        Args:
            source: an output port, an input of the circuit, or a node with one output.
            target: the input port of a node.
        """
        port = self._source(source)
        if not isinstance(target, Port) or target.is_output or target.node.circuit is not self:
            raise NetworkError(f"Circuit.connect: the target must be an input of a node of {self.name}, such as "
                               f"node.a, got {describe_value(target)}")
        before = self.drivers.get(target.key)
        if before is not None:
            raise NetworkError(f"the input {target} is driven by {before} and cannot be driven by {port} too; join "
                               "them with a Merger (Circuit.merge)")
        self._check_free(port, target)
        self.drivers[target.key] = port
        self.readers[port.key] = target

    # ---- groups of cells --------------------------------------------------------------------------

    def split(self, source, n: int, cell: Cell | None = None) -> tuple:
        """Return n ports that carry the pulses of one, from a balanced tree of n - 1 splitters."""
        n = check_whole("Circuit.split: n", n, at_least=1)
        if n == 1:
            return (self._source(source),)
        left, right = self.add(cell or Splitter(), source)
        return self.split(left, n // 2, cell) + self.split(right, n - n // 2, cell)

    def merge(self, *sources, cell: Cell | None = None) -> Port:
        """Return a port that carries the pulses of all, from a balanced tree of mergers."""
        if not sources:
            raise ParameterError("Circuit.merge needs at least one source, got none")
        if len(sources) == 1:
            return self._source(sources[0])
        half = (len(sources) + 1) // 2
        left, right = (self.merge(*part, cell=cell) for part in (sources[:half], sources[half:]))
        return next(iter(self.add(cell or Merger(), left, right)))

    def chain(self, source, cell: Cell, n: int) -> Port:
        """Return the end of a chain of n cells with one input and one output."""
        port = self._source(source)
        for _ in range(n):
            port = self._source(self.add(cell, port))
        return port

    @property
    def junctions(self) -> int:
        """Number of Josephson junctions of all cells."""
        return sum(node.cell.junctions for node in self.nodes.values())

    # ---- checks -----------------------------------------------------------------------------------

    def _check_name(self, what, name):
        if not isinstance(name, str) or not name.isidentifier():
            raise ParameterError(f"the name of an {what} must be a Python identifier, got {describe_value(name)}")
        if name in self.inputs or name in self.outputs or name in self.probes:
            raise NetworkError(f"{self.name} has an input, output or probe called {name} already")

    def _source(self, source) -> Port:
        if isinstance(source, Node):
            outputs = list(source)
            if len(outputs) != 1:
                raise NetworkError(f"{source.name} has the outputs {', '.join(port.name for port in outputs)}; say "
                                   f"which, as in node.{outputs[0].name}" if outputs else
                                   f"{source.name} has no outputs")
            source = outputs[0]
        if not isinstance(source, Port) or not source.is_output or source.node.circuit is not self:
            raise NetworkError(f"a source must be an output of a node, or an input, of {self.name}, got "
                               f"{describe_value(source)}")
        return source

    def _check_free(self, port, wanted):
        taken = self.readers.get(port.key)
        if taken is not None:
            raise NetworkError(f"{port} drives {taken} and cannot drive {wanted} too: a pulse is one flux quantum; "
                               "add a Splitter (Circuit.split)")

    def _contains(self, other) -> bool:
        return self is other or any(isinstance(node.cell, Circuit) and node.cell._contains(other)
                                    for node in self.nodes.values())

    def __repr__(self):
        return f"Circuit({self.name!r}: {len(self.nodes)} nodes, inputs {', '.join(self.inputs) or 'none'})"
