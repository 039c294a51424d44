"""The parts of a network as circuits of junctions: stochastic synapse, storage loop, and lines between them.

Every part is a `Circuit` with the ports "a" and "q", to be included in a larger one. Junctions are those of the escape
curve (0.25 mA, beta_c = 1), links have 4 pH and biases are 0.7 of the critical current; the merger is that of RSFQlib.
"""

from hardware_models.sfq.circuit.cells import build
from hardware_models.sfq.circuit.circuit import GROUND, Circuit
from hardware_models.sfq.circuit.stochastic import IC, C, L, R
from hardware_models.sfq.circuit.waveforms import ramp, triangles
from neurosim.checks import Parameter, Parametrised
from neurosim.errors import ParameterError

BIAS = 0.7 * IC  #: mA, of every junction that has no bias of its own


def _junction(circuit, k, node, bias=BIAS, size=1.0):
    circuit.junction(f"B{k}", node, GROUND, ic=size * IC, r=R / size, c=size * C)
    circuit.bias(f"I{k}", node, ramp(bias))


def line(junctions: int) -> Circuit:
    """Return a JTL; half a link at each end.

    >>> line(3)
    Circuit('line': 3 junctions, 4 inductors, 3 current sources, 5 nodes)
    """
    circuit = Circuit("line", ["a", "q"])
    for k in range(1, junctions + 1):
        _junction(circuit, k, f"n{k}")
        circuit.inductor(f"L{k}", "a" if k == 1 else f"n{k - 1}", f"n{k}", L / 2 if k == 1 else L)
    circuit.inductor(f"L{junctions + 1}", f"n{junctions}", "q", L / 2)
    return circuit


def synapse_line(bias: float, series: float = 0.7, before: int = 4, after: int = 3) -> Circuit:
    """Return a line with a stochastic synapse in it: a series junction, and the node behind it biased by `bias` mA.

    The source "ISYN" gives 1 mA times its `scale`, which is what `simulate(vary=...)` changes; here it is `bias`.

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
            _junction(circuit, k, f"n{k}")
        circuit.inductor(f"L{k}", "a" if k == 1 else f"n{k - 1}", "series" if k == before + 1 else f"n{k}",
                         L / 2 if k == 1 else L)
    circuit.inductor(f"L{last + 1}", f"n{last}", "q", L / 2)
    return circuit


class LoopCircuit(Parametrised):
    """A storage loop as a neuron: every pulse at its input adds Phi0 / L to the current through the output junction.

    L dI/dt + R I = V_in - V_out. The output junction switches, and sends a pulse, when its bias and I reach its
    critical current; so its bias current sets after how many pulses it fires. A resistance in the loop is a leak with
    the time constant L / R; without one the loop keeps what it holds. Firing takes one flux quantum out of the loop.

    >>> LoopCircuit(bias=0.05).circuit()
    Circuit('loop': 5 junctions, 5 inductors, 5 current sources, 7 nodes)
    """

    inductance = Parameter(20.0, "pH", above=0, per_element=False, doc="of the loop")
    resistance = Parameter(0.0, "ohm", at_least=0, per_element=False, doc="in the loop: the leak")
    bias = Parameter(0.05, "mA", per_element=False, doc="bias of the output junction: sets the threshold")
    size = Parameter(1.0, "", above=0, per_element=False, doc="critical current of the output junction over 0.25 mA")

    def circuit(self) -> Circuit:
        """Return the circuit, with ports "a" and "q"; "B2" ends the input, "B3" is the output junction."""
        circuit = Circuit("loop", ["a", "q"])
        for k in (1, 2):
            _junction(circuit, k, f"n{k}")
        _junction(circuit, 3, "n3", self.bias, self.size)
        for k in (4, 5):
            _junction(circuit, k, f"n{k}")
        circuit.inductor("L1", "a", "n1", L / 2)
        circuit.inductor("L2", "n1", "n2", L)
        if self.resistance:
            circuit.resistor("RLEAK", "n2", "leak", self.resistance)
        circuit.inductor("LLOOP", "leak" if self.resistance else "n2", "n3", self.inductance)
        circuit.inductor("L4", "n3", "n4", L)
        circuit.inductor("L5", "n4", "n5", L)
        circuit.inductor("L6", "n5", "q", L / 2)
        return circuit


def drive(circuit: Circuit, name: str, times, node: str) -> None:
    """Add a line of four junctions that sends a pulse to a node for each of some times, ps."""
    circuit.include(name, line(4), f"{name}_in", node)
    circuit.bias(f"I_{name}", f"{name}_in", triangles(times, height=0.5, width=3.0))


def sink(circuit: Circuit, name: str, node: str) -> None:
    """End a node in a line of two junctions and a resistor."""
    circuit.include(name, line(2), node, f"{name}_end")
    circuit.resistor(f"R_{name}", f"{name}_end", GROUND, 2.0)


def merged(circuit: Circuit, name: str, first: str, second: str, out: str) -> None:
    """Join two nodes by a merger."""
    circuit.include(name, build("merger"), first, second, out)
