"""Energy of a run at the pulse level: junctions that switched, and the bias that flows all the time."""

from dataclasses import dataclass

from hardware_models.sfq.circuit.units import PHI0
from neurosim.checks import check_number, check_whole
from neurosim.reprs import with_unit


@dataclass(frozen=True, repr=False)
class PulseEnergy:
    """Energy of a run.

    Args:
        switching: aJ, Ic Phi0 for every junction that switched.
        static: aJ, bias current times bias voltage times time.
        power: nW, the static part.
        junctions: of the circuit.
        pulses: that cells sent.
        duration: ps.
        samples: inferences in the run.
    """

    switching: float
    static: float
    power: float
    junctions: int
    pulses: int
    duration: float
    samples: int = 1

    @property
    def per_inference(self) -> float:
        """Energy of one inference in aJ, with the static part."""
        return (self.switching + self.static) / self.samples

    @property
    def switching_per_inference(self) -> float:
        """Energy of one inference in aJ without the static part, as where bias resistors are avoided (ERSFQ)."""
        return self.switching / self.samples

    def __repr__(self):
        return (f"<energy of a run: switching {with_unit(self.switching, 'aJ')}, static "
                f"{with_unit(self.static, 'aJ')}; {self.pulses:,} pulses of {self.junctions:,} junctions in "
                f"{with_unit(self.duration, 'ps')}, {self.samples} sample{'' if self.samples == 1 else 's'}>")


def pulse_energy(sim, *, ic: float = 0.25, bias: float = 0.7, voltage: float = 2.6, duration: float | None = None,
                 samples: int = 1) -> PulseEnergy:
    """Return the energy of a `PulseSimulation` since it was made or reset.

    E = n Ic Phi0 + N (bias Ic) V t: n junctions have switched, those of a cell for each time that it
    has fired; N junctions are biased through resistors from a voltage V for the time t. A pulse that a synapse
    stops counts like one that passes; what it costs a loop to take in a fluxon without firing is left out.

    Args:
        sim: has run.
        ic: mean critical current, mA.
        bias: as a part of it.
        voltage: of the bias line, mV.
        duration: ps; by default the time that was run.
        samples: inferences in the run.

    >>> from hardware_models.sfq.pulse import JTL, Circuit, PulseSimulation
    >>> line = Circuit("line"); line.output("q", line.add(JTL(), line.input("a")))
    >>> sim = PulseSimulation(line); sim.send(a=[10.0]); sim.run()
    >>> energy = pulse_energy(sim)
    >>> round(energy.switching, 3), round(energy.power, 0)
    (1.034, 910.0)

    Source: Likharev, Semenov, IEEE Transactions on Applied Superconductivity 1 (1991) 3.
    """
    samples = check_whole("pulse_energy: samples", samples, at_least=1)
    for name, value in (("ic", ic), ("bias", bias), ("voltage", voltage)):
        check_number(f"pulse_energy: {name}", value, above=0, below=1e9)
    fired = {name: count for name, count in sim.firings().items() if name in sim.circuit.nodes}
    switched = sum(count * sim.circuit.nodes[name].cell.junctions for name, count in fired.items())
    time = sim.time if duration is None else duration
    junctions = sim.circuit.junctions
    power = junctions * bias * ic * voltage
    return PulseEnergy(switched * ic * PHI0, power * time, 1e3 * power, junctions, sum(fired.values()), time, samples)

