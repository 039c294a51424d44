"""The cells of rapid single flux quantum logic, with published times as defaults.

The defaults are those of the cell library of PyLSE; `library("rsfqlib")` gives cells with the times that were
extracted from RSFQlib layouts. Every time is a parameter, since each depends on process, bias and load.

Source of structure and times: Christensen, Tzimpragos, Kringen, Volk, Sherwood, Hardekopf, "PyLSE: a pulse-transfer
level language for superconductor electronics", PLDI 2022, and the measurements that it cites.
"""

from hardware_models.sfq.pulse.cell import Cell, Transition, ps
from neurosim.aliases import Flag, Real, RealOrNone, Whole
from neurosim.checks import Option, Parameter
from neurosim.errors import ParameterError


def jj(number) -> Parameter:
    """Declare the number of junctions of a cell."""
    return Parameter(number, "", at_least=0, integer=True, per_element=False, doc="number of Josephson junctions")


def delay(value) -> Parameter:
    """Declare the time from the input that fires to the output."""
    return ps(value, "from the pulse that fires to the output", above=0)


def hold(value) -> Parameter:
    """Declare a hold time."""
    return ps(value, "hold: no input may come for so long after the clock")


def setup(value) -> Parameter:
    """Declare a setup time."""
    return ps(value, "setup: no input may have come for so long before the clock")


def clocked(table: dict) -> tuple:
    """Return the transitions of a clocked cell, in order of priority.

    Args:
        table: state -> rows (trigger, next state) or (trigger, next state, outputs); where the trigger is the clock,
            "clk", setup and hold are added.
    """
    rows = []
    for source, entries in table.items():
        for trigger, dest, *fires in entries:
            times = {"dead_time": "hold", "gaps": {"*": "setup"}} if trigger == "clk" else {}
            rows.append(Transition(source, trigger, dest, fires=fires[0] if fires else (), **times))
    return tuple(rows)


class Clocked(Cell):
    """Base of cells with a clock: data that come in the hold time are not lost but wait for the next clock."""

    in_dead_time = "taken"


# ---- without a clock ------------------------------------------------------------------------------


class JTL(Cell):
    """Josephson transmission line, two junctions: passes a pulse on, after a delay.

    >>> JTL(delay=3.94, jitter=0.052)
    JTL(delay=3.94, jitter=0.052)
    """

    inputs, outputs = ("a",), ("q",)
    junctions: Whole = jj(2)
    delay: Real = delay(5.7)
    spacing: Real = ps(0.0, "least time between two pulses")
    transitions = (Transition("idle", "a", "idle", fires="q", dead_time="spacing"),)


class Splitter(Cell):
    """One pulse in, one at each of two outputs; the only way to drive two inputs."""

    inputs, outputs = ("a",), ("l", "r")
    junctions: Whole = jj(3)
    delay: Real = delay(4.3)
    spacing: Real = ps(4.3, "least time between two pulses")
    transitions = (Transition("idle", "a", "idle", fires=("l", "r"), dead_time="spacing"),)


class Merger(Cell):
    """Confluence buffer: a pulse at either input gives one at the output; two that are close give one."""

    inputs, outputs = ("a", "b"), ("q",)
    junctions: Whole = jj(7)
    delay: Real = delay(8.2)
    dead_time: Real = ps(8.2, "during which a pulse at either input is lost")
    spacing: Real = ps(0.0, "least time between two pulses at one input")
    transitions = tuple(Transition("idle", port, "idle", fires="q", dead_time="dead_time", gaps={port: "spacing"})
                        for port in ("a", "b"))


class CElement(Cell):
    """Coincidence: fires when a pulse has come at both inputs, with the later (last arrival, AND of events)."""

    inputs, outputs = ("a", "b"), ("q",)
    junctions: Whole = jj(5)
    delay: Real = delay(8.0)
    dead_time: Real = ps(8.0, "during which no input may come after it fired")
    transitions = (
        Transition("idle", "a", "a"), Transition("idle", "b", "b"),
        Transition("a", "b", "idle", fires="q", dead_time="dead_time"), Transition("a", "a", "a"),
        Transition("b", "a", "idle", fires="q", dead_time="dead_time"), Transition("b", "b", "b"))


class InvertedC(Cell):
    """Inverted C element: fires with the earlier of two pulses; the later one sets it back (first arrival)."""

    inputs, outputs = ("a", "b"), ("q",)
    junctions: Whole = jj(3)
    delay: Real = delay(9.0)
    dead_time: Real = ps(5.0, "during which no input may come after it was set back")
    transitions = (
        Transition("idle", "a", "a", fires="q"), Transition("idle", "b", "b", fires="q"),
        Transition("a", "a", "a"), Transition("a", "b", "idle", dead_time="dead_time"),
        Transition("b", "b", "b"), Transition("b", "a", "idle", dead_time="dead_time"))


class TFF(Cell):
    """T flip-flop: divides by two. Pulses 2, 4, ... leave at q, pulses 1, 3, ... at qnot."""

    inputs, outputs = ("a",), ("q", "qnot")
    junctions: Whole = jj(8)
    delay: Real = delay(6.0)
    spacing: Real = ps(0.0, "least time between two pulses")
    transitions = (Transition("0", "a", "1", fires="qnot", dead_time="spacing"),
                   Transition("1", "a", "0", fires="q", dead_time="spacing"))


class PTL(Cell):
    """Passive transmission line with its driver and receiver: `delay = driver + length / velocity + receiver`.

    Any number of pulses may be under way. About a third of the speed of light, 0.1 mm/ps, is usual for niobium
    microstrips; driver and receiver are those of RSFQlib.

    >>> PTL(length=2.0).delay
    28.6
    """

    inputs, outputs = ("a",), ("q",)
    junctions: Whole = jj(5)
    length: Real = Parameter(1.0, "mm", at_least=0, per_element=False, doc="length of the line")
    velocity: Real = Parameter(0.1, "mm/ps", above=0, per_element=False, doc="speed of a pulse on the line")
    driver: Real = ps(3.3, "delay of the driver")
    receiver: Real = ps(5.3, "delay of the receiver")
    spacing: Real = ps(5.4, "least time between two pulses, of the receiver")
    transitions = (Transition("idle", "a", "idle", fires="q", dead_time="spacing"),)

    @property
    def delay(self) -> float:
        """From input to output in ps."""
        return self.driver + self.length / self.velocity + self.receiver


class DCSFQ(Cell):
    """Converts a current level to pulses: one pulse for each rise; a rise counts again only after a fall."""

    inputs, outputs = ("rise", "fall"), ("q",)
    junctions: Whole = jj(4)
    delay: Real = delay(5.0)
    transitions = (Transition("low", "rise", "high", fires="q"), Transition("low", "fall", "low"),
                   Transition("high", "fall", "low"), Transition("high", "rise", "high"))


# ---- storage --------------------------------------------------------------------------------------


class DRO(Clocked):
    """Destructive read-out, or D flip-flop: a pulse at a is kept until the clock takes it out."""

    inputs, outputs = ("a", "clk"), ("q",)
    junctions: Whole = jj(6)
    delay: Real = delay(5.1)
    setup: Real = setup(2.3)
    hold: Real = hold(0.0)
    transitions = clocked({
        "empty": (("a", "full"), ("clk", "empty")),
        "full": (("a", "full"), ("clk", "empty", "q"))})


class DRO_SR(Clocked):
    """Destructive read-out with set and reset."""

    inputs, outputs = ("set", "rst", "clk"), ("q",)
    junctions: Whole = jj(13)
    delay: Real = delay(5.1)
    setup: Real = setup(1.2)
    hold: Real = hold(0.0)
    transitions = clocked({
        "empty": (("clk", "empty"), ("rst", "empty"), ("set", "full")),
        "full": (("set", "full"), ("rst", "empty"), ("clk", "empty", "q"))})


class DRO_C(Clocked):
    """Destructive read-out with complementary outputs: each clock gives a pulse at q or at qnot."""

    inputs, outputs = ("a", "clk"), ("q", "qnot")
    junctions: Whole = jj(13)
    delay: Real = delay(5.1)
    setup: Real = setup(1.2)
    hold: Real = hold(0.0)
    transitions = clocked({
        "empty": (("a", "full"), ("clk", "empty", "qnot")),
        "full": (("a", "full"), ("clk", "empty", "q"))})


class DRO_2R1W(Clocked):
    """Destructive read-out with one write and two read ports: what is kept leaves where it is read first."""

    inputs, outputs = ("a", "clk1", "clk2"), ("q1", "q2")
    junctions: Whole = jj(12)
    delay: Real = delay(5.1)
    setup: Real = setup(2.3)
    hold: Real = hold(0.0)
    transitions = tuple(
        Transition(state, trigger, "full" if trigger == "a" else "empty",
                   fires=trigger.replace("clk", "q") if state == "full" and trigger != "a" else (),
                   **({} if trigger == "a" else {"dead_time": "hold", "gaps": {"a": "setup"}}))
        for state in ("empty", "full") for trigger in ("a", "clk1", "clk2"))


class NDRO(Clocked):
    """Non-destructive read-out: set by a, reset by b; while it is set, every clock gives a pulse."""

    inputs, outputs = ("a", "b", "clk"), ("q",)
    junctions: Whole = jj(11)
    delay: Real = delay(5.5)
    setup: Real = ps(0.0, "no set or reset may have come for so long before the clock")
    spacing: Real = ps(9.1, "least time between two clocks that read a pulse")
    transitions = (
        Transition("reset", "b", "reset"), Transition("reset", "a", "set"),
        Transition("reset", "clk", "reset", gaps={"a": "setup", "b": "setup"}),
        Transition("set", "b", "reset"), Transition("set", "a", "set"),
        Transition("set", "clk", "set", fires="q", gaps={"clk": "spacing", "a": "setup", "b": "setup"}))


# ---- clocked logic --------------------------------------------------------------------------------


class INV(Clocked):
    """Inverter: a clock gives a pulse unless one came at a."""

    inputs, outputs = ("a", "clk"), ("q",)
    junctions: Whole = jj(10)
    delay: Real = delay(9.6)
    setup: Real = setup(1.2)
    hold: Real = hold(5.0)
    transitions = clocked({
        "0": (("clk", "0", "q"), ("a", "1")),
        "1": (("clk", "0"), ("a", "1"))})


class AND(Clocked):
    """A clock gives a pulse if one came at both inputs."""

    inputs, outputs = ("a", "b", "clk"), ("q",)
    junctions: Whole = jj(11)
    delay: Real = delay(9.2)
    setup: Real = setup(2.8)
    hold: Real = hold(3.0)
    transitions = clocked({
        "none": (("clk", "none"), ("a", "a"), ("b", "b")),
        "a": (("b", "both"), ("a", "a"), ("clk", "none")),
        "b": (("a", "both"), ("clk", "none"), ("b", "b")),
        "both": (("clk", "none", "q"), ("a", "both"), ("b", "both"))})


class OR(Clocked):
    """A clock gives a pulse if one came at any input."""

    inputs, outputs = ("a", "b", "clk"), ("q",)
    junctions: Whole = jj(12)
    delay: Real = delay(8.0)
    setup: Real = setup(5.8)
    hold: Real = hold(0.0)
    transitions = clocked({
        "none": (("a", "some"), ("b", "some"), ("clk", "none")),
        "some": (("a", "some"), ("b", "some"), ("clk", "none", "q"))})


class NOR(Clocked):
    """A clock gives a pulse if none came at any input."""

    inputs, outputs = ("a", "b", "clk"), ("q",)
    junctions: Whole = jj(12)
    delay: Real = delay(5.0)
    setup: Real = setup(5.0)
    hold: Real = hold(0.0)
    transitions = clocked({
        "none": (("a", "some"), ("b", "some"), ("clk", "none", "q")),
        "some": (("a", "some"), ("b", "some"), ("clk", "none"))})


class XOR(Clocked):
    """A clock gives a pulse if one came at one input only; a pulse at the other takes the first one back."""

    inputs, outputs = ("a", "b", "clk"), ("q",)
    junctions: Whole = jj(11)
    delay: Real = delay(6.5)
    setup: Real = setup(3.7)
    hold: Real = hold(4.1)
    transitions = clocked({
        "none": (("a", "a"), ("b", "b"), ("clk", "none")),
        "a": (("a", "a"), ("b", "none"), ("clk", "none", "q")),
        "b": (("b", "b"), ("a", "none"), ("clk", "none", "q"))})


def _of_both(fires) -> tuple:
    """Transitions of a gate that knows which inputs came; `fires` names the states in which the clock fires."""
    def clock(state):
        return ("clk", "none", "q") if state in fires else ("clk", "none")

    return clocked({
        "none": (("a", "a"), ("b", "b"), clock("none")),
        "a": (("a", "a"), ("b", "both"), clock("a")),
        "b": (("b", "b"), ("a", "both"), clock("b")),
        "both": (("b", "both"), ("a", "both"), clock("both"))})


class XNOR(Clocked):
    """A clock gives a pulse if one came at both inputs or at none."""

    inputs, outputs = ("a", "b", "clk"), ("q",)
    junctions: Whole = jj(15)
    delay: Real = delay(6.5)
    setup: Real = setup(3.7)
    hold: Real = hold(0.0)
    transitions = _of_both({"none", "both"})


class NAND(Clocked):
    """A clock gives a pulse unless one came at both inputs."""

    inputs, outputs = ("a", "b", "clk"), ("q",)
    junctions: Whole = jj(16)
    delay: Real = delay(5.0)
    setup: Real = setup(5.0)
    hold: Real = hold(0.0)
    transitions = _of_both({"none", "a", "b"})


# ---- neuromorphic ---------------------------------------------------------------------------------


class Synapse(Cell):
    """Stochastic synapse: passes each pulse with a probability, which a bias current sets through thermal noise.

    `P(pass) = 1/2 (1 + erf((I - I_0) / (sqrt(2) sigma)))` for a bias current I; `Synapse.of_bias` takes the currents.

    Source: Edwards et al., "Harnessing stochasticity for superconductive multi-layer spike-rate-coded neuromorphic
    networks", Neuromorph. Comput. Eng. 4 (2024) 014005.

    >>> Synapse.of_bias(150.0, threshold=146.6, sigma=4.76).probability
    0.7624...
    """

    inputs, outputs = ("a",), ("q",)
    junctions: Whole = jj(3)
    probability: Real = Parameter(0.5, "", at_least=0, at_most=1, per_element=False, doc="that a pulse passes")
    delay: Real = delay(5.7)
    transitions = (Transition("idle", "a", "idle", fires="q", probability="probability"),)

    @classmethod
    def of_bias(cls, bias: float, *, threshold: float, sigma: float, **parameters) -> "Synapse":
        """Return a synapse for a bias current; all currents in the same unit.

        Args:
            bias: bias current I.
            threshold: I_0, at which half of the pulses pass.
            sigma: width of the escape curve, > 0; the grey zone is `sqrt(2 pi) sigma`.
            parameters: the other parameters.
        """
        from neurosim.distributions import normal_probability

        if not sigma > 0:
            raise ParameterError(f"Synapse.of_bias: sigma must be > 0, got {sigma!r}")
        return cls(probability=normal_probability((bias - threshold) / sigma), **parameters)


class LoopNeuron(Cell):
    """Storage loop as a neuron: fires with the N-th fluxon and is empty again; with `leak`, it loses them in time.

    With a leak time, one fluxon is lost whenever so long has passed since the last pulse or loss. With `inhibition`, a
    pulse at the input `b` takes one fluxon away (an empty loop stays empty). A circuit swallows pulses that come in the
    dead time after it fired.

    >>> len(LoopNeuron(threshold=5).transitions)
    5
    """

    junctions: Whole = jj(6)
    threshold: Whole = Parameter(4, "", at_least=1, at_most=100_000, integer=True, per_element=False,
                                 doc="number of fluxons with which it fires")
    leak: RealOrNone = ps(None, "time after which one fluxon is lost; None: never", above=0, optional=True)
    inhibition: Flag = Option(False, (False, True), doc="whether there is an input b that takes fluxons away")
    delay: Real = delay(8.0)
    dead_time: Real = ps(0.0, "during which no input may come after it fired")
    outputs = ("q",)

    @property
    def inputs(self) -> tuple:
        """Names of the inputs."""
        return ("a", "b") if self.inhibition else ("a",)

    @property
    def transitions(self) -> tuple:
        """One state for each number of fluxons."""
        rows = []
        for held in range(self.threshold):
            if held + 1 < self.threshold:
                rows.append(Transition(str(held), "a", str(held + 1)))
            else:
                rows.append(Transition(str(held), "a", "0", fires="q", dead_time="dead_time"))
            if self.inhibition:
                rows.append(Transition(str(held), "b", str(max(held - 1, 0))))
            if self.leak is not None and held:
                rows.append(Transition(str(held), None, str(held - 1), after="leak"))
        return tuple(rows)
