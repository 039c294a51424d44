"""A storage loop as a neuron, on both levels: its circuit, and after how many pulses within which time it fires."""

import numpy as np

from hardware_models.sfq.circuit.circuit import Circuit
from hardware_models.sfq.circuit.stochastic import L
from hardware_models.sfq.network.circuits import drive, junction, sink
from hardware_models.sfq.pulse.cell import Transition
from hardware_models.sfq.pulse.cells import LoopNeuron
from neurosim.aliases import Real, RealOrNone, Whole
from neurosim.checks import Parameter, Parametrised
from neurosim.errors import ParameterError


def one(default, unit, doc, **bounds):
    """Return a parameter that is one number."""
    return Parameter(default, unit, per_element=False, doc=doc, **bounds)


class StorageLoop(LoopNeuron):
    """A `LoopNeuron` from which one flux quantum leaves when it fires, as in the circuit, in place of all of them.

    Once it holds N - 1 quanta it fires with every further one, until a leak or inhibition takes some away.

    >>> StorageLoop(threshold=3).transitions[-1].dest
    '2'
    """

    @property
    def transitions(self) -> tuple:
        """Those of a `LoopNeuron`, but for what is left after firing."""
        left = str(self.threshold - 1)
        return tuple(Transition(row.source, row.trigger, left, fires=row.fires, dead_time=row.dead_time)
                     if row.fires else row for row in super().transitions)


class Loop(Parametrised):
    """A storage loop as a neuron: every pulse at its input adds Phi0 / L to the current through the output junction.

    L dI/dt + R I = V_in - V_out. The output junction switches, and sends a pulse, when its bias and I reach its
    critical current (0.25 mA): so the bias current sets after how many pulses the neuron fires. A resistance in the
    loop is a leak with the time constant L / R; without one the loop keeps what it holds. A pulse that leaves takes one
    flux quantum out of the loop.

    Args:
        inductance, resistance, bias: of the circuit.
        threshold, window: what the pulse level is to take: pulses with which it fires, and the time within which they
            must follow each other (None: no leak). `measured` finds them from the circuit.

    >>> Loop(bias=0.1, inductance=40.0).circuit()
    Circuit('loop': 5 junctions, 6 inductors, 5 current sources, 7 nodes)
    >>> Loop(bias=0.1, inductance=40.0).measured().threshold
    5
    """

    inductance: Real = one(15.0, "pH", "of the loop", above=0)
    resistance: Real = one(0.0, "ohm", "in the loop: the leak", at_least=0)
    bias: Real = one(0.19, "mA", "bias of the output junction: sets the threshold", at_least=-0.25, at_most=0.25)
    threshold: Whole = one(1, "", "pulses with which it fires", at_least=1, integer=True)
    window: RealOrNone = one(None, "ps", "time within which pulses must follow each other", above=0, optional=True)

    def circuit(self) -> Circuit:
        """Return the circuit, with ports "a" and "q"; "B2" ends the input, "B3" is the output junction."""
        circuit = Circuit("loop", ["a", "q"])
        for k in (1, 2):
            junction(circuit, k, f"n{k}")
        junction(circuit, 3, "n3", self.bias)
        for k in (4, 5):
            junction(circuit, k, f"n{k}")
        circuit.inductor("L1", "a", "n1", L / 2)
        circuit.inductor("L2", "n1", "n2", L)
        if self.resistance:
            circuit.resistor("RLEAK", "n2", "leak", self.resistance)
        circuit.inductor("LLOOP", "leak" if self.resistance else "n2", "n3", self.inductance)
        circuit.inductor("L4", "n3", "n4", L)
        circuit.inductor("L5", "n4", "n5", L)
        circuit.inductor("L6", "n5", "q", L / 2)
        return circuit

    def cell(self, **times) -> StorageLoop:
        """Return the cell of the pulse level; `times` are parameters of the cell."""
        return StorageLoop(threshold=self.threshold, leak=self.window, **times)

    def measured(self, *, most: int = 8, spacing: float = 8.0, longest: float = 120.0, h: float = 0.1,
                 threads: int | None = None) -> "Loop":
        """Return the loop with threshold and window as its circuit has them, without noise.

        Args:
            most: pulses that are tried.
            spacing: between them, ps.
            longest: window that is tried, ps, to 1 ps; without a resistance there is none.
            h: step, ps.
            threads: processor threads.

        Raises:
            ParameterError: the circuit fires with no pulses, or not with `most`.
        """
        from hardware_models.sfq.circuit import simulate

        def fired(times):
            duration = h * np.ceil((max(times, default=0.0) + 60.0) / h)
            circuit = Circuit("bench of a loop")
            drive(circuit, "IN", times, "x")
            circuit.include("N", self.circuit(), "x", "y")
            sink(circuit, "OUT", "y")
            return int(simulate(circuit, duration, h=h, threads=threads).fluxons("N.B5"))

        if fired([]):
            raise ParameterError(f"Loop.bias must be lower: the neuron fires by itself at {self.bias:g} mA")
        threshold = next((n for n in range(1, most + 1) if fired(30.0 + spacing * np.arange(n))), None)
        if threshold is None:
            raise ParameterError(f"Loop.bias must be higher: the neuron does not fire with {most} pulses "
                                 f"{spacing:g} ps apart, got {self.bias:g} mA")
        if not self.resistance or threshold == 1:
            return self.replace(threshold=threshold, window=None)
        low, high = spacing, longest
        while high - low > 1.0:
            gap = 0.5 * (low + high)
            low, high = (gap, high) if fired(30.0 + gap * np.arange(threshold)) else (low, gap)
        return self.replace(threshold=threshold, window=round(0.5 * (low + high), 1))


#: Fires where two pulses come within 22 ps of each other, and forgets a lone one.
COINCIDENCE = Loop(resistance=1.0, bias=0.2, threshold=2, window=22.4)
#: Fires with every pulse.
RELAY = Loop(resistance=1.0, bias=0.243, threshold=1)
