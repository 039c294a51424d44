"""What a circuit is made of: elements with two terminals, couplings, and the model of a junction."""

from typing import TYPE_CHECKING, Literal, NamedTuple

from hardware_models.sfq.circuit.waveforms import Waveform, number
from neurosim.aliases import Choice, Real, RealOrNone
from neurosim.checks import Option, Parametrised, describe_value, required
from neurosim.errors import ParameterError


class Placed(NamedTuple):
    """An element in a circuit: its name, its two nodes, what it is, and where it was written, for messages."""

    name: str
    plus: str
    minus: str
    element: "Element"
    where: str = ""


class Element(Parametrised):
    """Base of everything with two terminals; a positive current flows inside it from plus to minus."""


class Junction(Element):
    """A resistively and capacitively shunted Josephson junction.

    I = Ic sin(phi - phi0) + I_R(V) + C dV/dt,  V = (Phi0 / 2 pi) dphi/dt

    I_R is V / r; with a gap it is V / r below `v_gap - delta_v / 2`, V / r_normal above `v_gap + delta_v / 2`, and a
    straight line between the two.

    Args:
        ic: critical current, mA, > 0.
        r: resistance (below the gap), ohm, or None for none.
        c: capacitance, pF.
        r_normal: resistance above the gap, ohm, or None where there is no gap.
        v_gap: gap voltage, mV.
        delta_v: width of the rise at the gap, mV.
        phi0: phase at which it carries no supercurrent, rad: pi for a pi junction.
        temperature: of its resistance, K, or None for that of the run.

    >>> Junction(ic=0.25, r=2.74, c=0.175)
    Junction(ic=0.25, r=2.74, c=0.175)

    Source: Stewart, Applied Physics Letters 12 (1968) 277; McCumber, Journal of Applied Physics 39 (1968) 3113.
    """

    ic: Real = required(number(unit="mA", above=0, doc="critical current"))
    r: RealOrNone = number(None, "ohm", above=0, optional=True, doc="resistance, below the gap where there is one")
    c: Real = number(0.0, "pF", at_least=0, doc="capacitance")
    r_normal: RealOrNone = number(None, "ohm", above=0, optional=True, doc="resistance above the gap")
    v_gap: Real = number(2.8, "mV", above=0, doc="gap voltage")
    delta_v: Real = number(0.1, "mV", above=0, doc="width of the rise at the gap")
    phi0: Real = number(0.0, "rad", doc="phase at which it carries no supercurrent")
    temperature: RealOrNone = number(None, "K", at_least=0, optional=True,
                                     doc="temperature; None takes that of the run")

    def validate(self):
        """Check that the junction has dynamics and that its gap is one."""
        if self.r is None and self.c == 0.0:
            raise ParameterError("Junction.c must be > 0 pF where there is no r: without either the phase can jump; "
                                 "give c, or r")
        if self.r_normal is not None and (self.r is None or self.r < self.r_normal):
            raise ParameterError("Junction.r must be given and be >= r_normal: it is the resistance below the gap")


SHORT_L = 1e-9  #: pH, below which an inductor is a wire
SHORT_R = 1e-6  #: ohm, below which a resistor is a wire


class Inductor(Element, kw_only=False):
    """An inductor, V = L dI/dt; `l` in pH. One below 1e-9 pH is a wire."""

    positional = 1
    l: Real = required(number(unit="pH", at_least=0, doc="inductance"))


class Resistor(Element, kw_only=False):
    """A resistor, V = R I, with thermal noise where it is warm; `r` in ohm, `temperature` in K.

    One below 1e-6 ohm is a wire: a loop of 1 pH loses its flux through it in more than a microsecond.
    """

    positional = 1
    r: Real = required(number(unit="ohm", at_least=0, doc="resistance"))
    temperature: RealOrNone = number(None, "K", at_least=0, optional=True,
                                     doc="temperature; None takes that of the run")


class Capacitor(Element, kw_only=False):
    """A capacitor, I = C dV/dt; `c` in pF."""

    positional = 1
    c: Real = required(number(unit="pF", at_least=0, doc="capacitance"))


class Source(Element):
    """Base of ideal sources; `waveform` is what they give over time."""

    if TYPE_CHECKING:
        waveform: Waveform

    def __init__(self, waveform):
        if not isinstance(waveform, Waveform):
            raise ParameterError(f"{type(self).__name__}.waveform must be a Waveform (Constant, ramp, PiecewiseLinear, "
                                 f"Pulse, Sine), got {describe_value(waveform)}")
        super().__init__()
        self.__dict__["waveform"] = waveform

    def __repr__(self):
        return f"{type(self).__name__}({self.waveform!r})"


class CurrentSource(Source, init=False):
    """An ideal current source: the current flows inside it from plus to minus, so that it enters the node minus."""


class VoltageSource(Source, init=False):
    """An ideal voltage source: V(plus) - V(minus) is given."""


class PhaseSource(Source, init=False):
    """An ideal source of phase: the phase from plus to minus is given, in rad."""


class Port(Element, kw_only=False):
    """One end of a transmission line of impedance `z0`, ohm: a resistance without noise, and the waves that arrive."""

    positional = 1
    z0: Real = required(number(unit="ohm", above=0, doc="impedance of the line"))


class Controlled(Element, kw_only=False):
    """A source that follows a voltage or a current elsewhere; which one, its `Control` says.

    Args:
        kind: as in SPICE: "E" voltage by voltage, "F" current by current, "G" current by voltage, "H" voltage by
            current.
        gain: of E and F; of G in 1/ohm, of H in ohm.
    """

    positional = 2
    kind: Choice[Literal["E", "F", "G", "H"]] = Option("E", tuple("EFGH"), doc="what follows what")
    gain: Real = number(1.0, doc="gain; 1/ohm for G, ohm for H")


class Control(NamedTuple):
    """What a `Controlled` source follows: the voltage from the first of two nodes to the second, or, with one name, the
    current through that wire or voltage source.
    """

    name: str
    by: tuple[str, str] | str
    where: str = ""


class Line(NamedTuple):
    """A transmission line without losses between two `Port` elements; `delay` in ps."""

    name: str
    first: str
    second: str
    delay: float
    where: str = ""


class Coupling(NamedTuple):
    """Mutual inductance M = k sqrt(L1 L2) between two inductors."""

    name: str
    first: str
    second: str
    k: float
    where: str = ""


class JunctionModel(Parametrised):
    """A process: what a junction of area 1 is, in the parameters of the `jj` model of SPICE-like decks.

    Args:
        icrit: critical current, mA.
        cap: capacitance, pF.
        r0, rn: resistance below and above the gap, ohm.
        vg, delv: gap voltage and width of its rise, mV.
        rtype: 1 for a rise at the gap, 0 for the resistance rn everywhere.
        phi: phase at which no supercurrent flows, rad.
        vshunt: Ic times the resistance of a shunt, mV, or 0 for none (WRspice).

    >>> JunctionModel(icrit=0.1, cap=0.07, r0=160.0, rn=16.0).junction(area=2.5)
    Junction(ic=0.25, r=64.0, c=0.17500000000000002, r_normal=6.4)

    The rise is a straight line from V / r0 to V / rn, continuous at both ends. JoSIM jumps at the upper one by a few
    per cent of the current.

    Source of names and defaults: JoSIM 2.7, syntax guide.
    """

    icrit: Real = number(1.0, "mA", above=0, doc="critical current of area 1")
    cap: Real = number(2.5, "pF", at_least=0, doc="capacitance of area 1")
    r0: Real = number(30.0, "ohm", above=0, doc="resistance below the gap")
    rn: Real = number(5.0, "ohm", above=0, doc="resistance above the gap")
    vg: Real = number(2.8, "mV", above=0, doc="gap voltage")
    delv: Real = number(0.1, "mV", above=0, doc="width of the rise")
    rtype: Choice[Literal[0, 1]] = Option(1, (0, 1), doc="1: gap; 0: linear resistance rn")
    phi: Real = number(0.0, "rad", doc="phase without supercurrent")
    vshunt: Real = number(0.0, "mV", at_least=0, doc="Ic times the resistance of a shunt")

    def junction(self, area: float = 1.0, temperature: float | None = None) -> Junction:
        """Return the junction with so many times the area, > 0."""
        if not 0.0 < area < float("inf"):
            raise ParameterError(f"the area of a junction must be a finite number > 0, got {describe_value(area)}")
        ic, c, phi0 = self.icrit * area, self.cap * area, self.phi
        if self.rtype == 0:
            return Junction(ic=ic, r=self.rn / area, c=c, phi0=phi0, temperature=temperature)
        return Junction(ic=ic, r=self.r0 / area, c=c, r_normal=self.rn / area, v_gap=self.vg, delta_v=self.delv,
                        phi0=phi0, temperature=temperature)

    def shunt(self, area: float = 1.0) -> float:
        """Return the resistance of the shunt that `vshunt` stands for, ohm, or 0 for none."""
        return self.vshunt / (self.icrit * area)
