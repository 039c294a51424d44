"""The parts of a network as circuits of junctions: stochastic synapse, storage loop, and lines between them.

Every part is a `Circuit` with the ports "a" and "q", to be included in a larger one. Junctions are those of the escape
curve (0.25 mA, beta_c = 1), links have 4 pH and biases are 0.7 of the critical current; the merger is that of RSFQlib.
"""

from hardware_models.sfq.circuit.cells import build
from hardware_models.sfq.circuit.circuit import GROUND, Circuit
from hardware_models.sfq.circuit.stochastic import IC, C, L, R
from hardware_models.sfq.circuit.waveforms import ramp, triangles

BIAS = 0.7 * IC  #: mA, of every junction that has no bias of its own
CALM = 0.6  #: of it, for the junction before a synapse


def junction(circuit, k, node, bias=BIAS):
    """Add junction number k with its bias at a node."""
    circuit.junction(f"B{k}", node, GROUND, ic=IC, r=R, c=C)
    circuit.bias(f"I{k}", node, ramp(bias))


def line(junctions: int) -> Circuit:
    """Return a JTL; half a link at each end.

    >>> line(3)
    Circuit('line': 3 junctions, 4 inductors, 3 current sources, 5 nodes)
    """
    circuit = Circuit("line", ["a", "q"])
    for k in range(1, junctions + 1):
        junction(circuit, k, f"n{k}")
        circuit.inductor(f"L{k}", "a" if k == 1 else f"n{k - 1}", f"n{k}", L / 2 if k == 1 else L)
    circuit.inductor(f"L{junctions + 1}", f"n{junctions}", "q", L / 2)
    return circuit


def synapse_line(bias: float, series: float = 0.7, before: int = 4, after: int = 3) -> Circuit:
    """Return a line with a stochastic synapse in it: a series junction, and the node behind it biased by `bias` mA.

    A pulse that does not pass may be thrown back as by the open end of a line, up to 5 % of all pulses near the
    threshold, and would make the neuron before the synapse fire again. The junction before the series junction has 0.6
    of the bias of the others: then none of 1,200 came back.

    >>> synapse_line(0.15)
    Circuit('synapse': 9 junctions, 9 inductors, 8 current sources, 11 nodes)
    """
    circuit = Circuit("synapse", ["a", "q"])
    last = before + 1 + after
    for k in range(1, last + 1):
        if k == before + 1:
            circuit.junction("BS", "series", f"n{k}", ic=series * IC, r=R / series, c=series * C)
            circuit.junction(f"B{k}", f"n{k}", GROUND, ic=IC, r=R, c=C)
            circuit.bias("ISYN", f"n{k}", ramp(bias))
        else:
            junction(circuit, k, f"n{k}", CALM * BIAS if k == before else BIAS)
        circuit.inductor(f"L{k}", "a" if k == 1 else f"n{k - 1}", "series" if k == before + 1 else f"n{k}",
                         L / 2 if k == 1 else L)
    circuit.inductor(f"L{last + 1}", f"n{last}", "q", L / 2)
    return circuit


def drive(circuit: Circuit, name: str, times, node: str) -> None:
    """Add a line of four junctions that sends a pulse to a node for each of some times, ps; there may be none."""
    circuit.include(name, line(4), f"{name}_in", node)
    circuit.bias(f"I_{name}", f"{name}_in", triangles(times, height=0.5, width=3.0) if len(times) else 0.0)


def sink(circuit: Circuit, name: str, node: str) -> None:
    """End a node in a line of two junctions and a resistor."""
    circuit.include(name, line(2), node, f"{name}_end")
    circuit.resistor(f"R_{name}", f"{name}_end", GROUND, 2.0)


def split(circuit: Circuit, name: str, source: str, targets: list) -> None:
    """Lead a node to several others by a tree of splitters."""
    if len(targets) == 1:
        circuit.include(name, line(1), source, targets[0])
        return
    half = (len(targets) + 1) // 2
    ends = [targets[0] if half == 1 else f"{name}.left", targets[-1] if len(targets) == 2 else f"{name}.right"]
    circuit.include(name, build("splitter"), source, *ends)
    for part, end, side in ((targets[:half], ends[0], "l"), (targets[half:], ends[1], "r")):
        if len(part) > 1:
            split(circuit, f"{name}{side}", end, part)


def merge(circuit: Circuit, name: str, sources: list, target: str) -> None:
    """Lead several nodes to one by a tree of mergers."""
    if len(sources) == 1:
        circuit.include(name, line(1), sources[0], target)
        return
    half = (len(sources) + 1) // 2
    ends = []
    for part, side in ((sources[:half], "l"), (sources[half:], "r")):
        ends.append(part[0] if len(part) == 1 else f"{name}.{side}")
        if len(part) > 1:
            merge(circuit, f"{name}{side}", part, ends[-1])
    circuit.include(name, build("merger"), *ends, target)
