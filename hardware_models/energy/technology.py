"""What each operation costs, with where the number comes from."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neurosim.aliases import Real, Whole
from neurosim.checks import Parameter, Parametrised, check_is, check_whole
from neurosim.errors import ParameterError


@dataclass(frozen=True)
class Source:
    """Where a number comes from.

    Args:
        text: the publication, or the reasoning.
        basis: "read": read in the publication or in a public table made from it; "memory": known but not looked up,
            confirm before relying on it; "computed": follows from other numbers as the text says; "assumed": a choice.
    """

    text: str
    basis: str


ISAAC = "Shafiee and others, ISAAC, ISCA 2016 (32 nm), in the tables of hwcomponents-library"
HOROWITZ = "Horowitz, ISSCC 2014 (45 nm, 0.9 V)"
NEUROSIM = "the default of DNN+NeuroSim V1.4 (Param.cpp)"
PUMA = "of ISAAC's unit for sigmoid or tanh, in the constants of the PUMA simulator, which names ISAAC"
ALADDIN = "of Aladdin (40 nm), in the tables of hwcomponents-library"
KULL = ("Kull and others, ISSCC 2013 (3.1 mW, 8 bits, 1.2 GS/s, 32 nm), as used by ISAAC; 4 to 10 bits scaled after "
        "Saberi and others 2011, in the tables of hwcomponents-library; fewer and more bits extrapolated here")

#: pJ and um^2 of a SAR converter at 32 nm by bits; 4 to 10 are from `KULL`, the others continue the line or the factor.
SAR_BITS = np.arange(1, 13)
SAR_ENERGY = np.array([0.20, 0.40, 0.59, 0.79, 0.99, 1.20, 1.42, 1.67, 1.97, 2.38, 2.88, 3.48])
SAR_AREA = np.array([100.0, 187.0, 274.0, 361.04, 476.91, 626.91, 845.18, 1200.0, 1827.9, 3002.0, 4930.0, 8096.0])


def _cost(default, unit, doc):
    return Parameter(default, unit, at_least=0, doc=doc, per_element=False)


class Technology(Parametrised):
    """Costs of the parts of a crossbar tile at about 32 nm, each with its source in `sources`.

    Another number is given by name; `source("name")` says where the default comes from, `table()` lists all.

    >>> Technology(comparator_energy=0.05).source("sram_energy").basis
    'read'

    Source: see `table()`.
    """

    v_read: Real = _cost(0.2, "V", "voltage of a read")
    t_read: Real = _cost(10.0, "ns", "length of a read, for which all inputs are applied")
    v_write: Real = _cost(2.0, "V", "voltage of a programming pulse")
    t_write: Real = _cost(50.0, "ns", "length of a programming pulse")
    cell_pitch: Real = _cost(0.13, "um", "distance of neighbouring devices")
    wire_capacitance: Real = _cost(0.2, "fF/um", "of word and bit lines")
    dac_energy: Real = _cost(0.41667, "pJ", "drive one row with one bit")
    dac_area: Real = _cost(0.166, "um^2", "driver of one row")
    sar_scale: Real = _cost(1.0, "-", "factor on energy and area of SAR converters")
    sar_rate: Real = Parameter(1.2, "GS/s", above=0, per_element=False, doc="of a SAR of 8 bits; of n bits 8/n of it")
    sar_columns: Whole = Parameter(128, "", at_least=1, integer=True, per_element=False,
                                   doc="columns that share one SAR")
    clock: Real = Parameter(1.0, "GHz", above=0, per_element=False, doc="of ramp and counter")
    comparator_energy: Real = _cost(0.023, "pJ", "one clocked decision")
    comparator_area: Real = _cost(20.0, "um^2", "one comparator")
    register_energy: Real = _cost(0.0072, "pJ", "one bit of a register is read and written")
    register_area: Real = _cost(3.83, "um^2", "one bit of a register")
    integrator_power: Real = _cost(50.0, "uW", "integrator that sums up the ramp")
    integrator_area: Real = _cost(350.0, "um^2", "integrator that sums up the ramp")
    activation_energy: Real = _cost(0.217, "pJ", "one digital sigmoid or tanh")
    activation_area: Real = _cost(300.0, "um^2", "one digital unit for sigmoid or tanh")
    activation_rate: Real = Parameter(1.2, "GS/s", above=0, per_element=False, doc="of one digital unit")
    activation_units: Whole = Parameter(2, "", at_least=1, integer=True, per_element=False,
                                        doc="digital units of a tile")
    sram_energy: Real = _cost(0.156, "pJ", "read or write one bit of a buffer of 8 kB")

    sources: ClassVar[dict[str, Source]] = {
        "v_read": Source("within the 0.15 to 0.25 V swept in doi 10.1038/s41467-025-56254-6, figure 3", "read"),
        "t_read": Source(f"{NEUROSIM}; ISAAC's cycle is 100 ns", "read"),
        "v_write": Source(NEUROSIM, "read"),
        "t_write": Source(NEUROSIM, "read"),
        "cell_pitch": Source("4 F at F = 32 nm, one transistor and one device; DNN+NeuroSim has 4 x 12 widths of wire",
                             "assumed"),
        "wire_capacitance": Source("the value of DNN+NeuroSim (SubArray.cpp) for all nodes", "read"),
        "dac_energy": Source(ISAAC, "read"),
        "dac_area": Source(ISAAC, "read"),
        "sar_scale": Source(KULL, "read"),
        "sar_rate": Source(KULL, "read"),
        "sar_columns": Source("ISAAC: eight converters for eight arrays of 128 x 128, in the tables of "
                              "hwcomponents-library", "read"),
        "clock": Source("doi 10.1038/s41467-025-56254-6, figure 4: 16 nm, 1 GHz", "read"),
        "comparator_energy": Source("67 fJ at 65 nm and 1.2 V (Satapathy, Kaur, Circuits, Systems, and Signal "
                                    "Processing 42 (2023) 5108, read), times 32/65 (1.0/1.2)^2", "computed"),
        "comparator_area": Source("a few tens of transistors", "assumed"),
        "register_energy": Source(f"9 fJ a bit {ALADDIN}, times 32/40", "computed"),
        "register_area": Source(f"5.98 um^2 a bit {ALADDIN}, times (32/40)^2", "computed"),
        "integrator_power": Source("an amplifier that settles in 1 ns", "assumed"),
        "integrator_area": Source("350 um^2 in Wan and others, Nature 608 (2022) 504, at 130 nm, in the tables of "
                                  "hwcomponents-library; capacitors do not shrink", "read"),
        "activation_energy": Source(f"0.26 mW {PUMA}, at 1.2 GS/s", "computed"),
        "activation_area": Source(f"0.0003 mm^2 {PUMA}", "read"),
        "activation_rate": Source("that of the converters", "assumed"),
        "activation_units": Source("ISAAC: two in a tile", "memory"),
        "sram_energy": Source(f"10 pJ for 64 bits of 8 kB, {HOROWITZ}", "read"),
    }

    def source(self, name: str) -> Source:
        """Return where a number comes from; a number that was changed is the user's.

        Raises:
            ParameterError: if there is no such number.
        """
        if name not in self.sources:
            raise ParameterError(f"Technology.source: name must be one of {', '.join(self.sources)}, got {name!r}")
        if getattr(self, name) != self.parameters[name].default:
            return Source("given by the user", "given")
        return self.sources[name]

    def table(self) -> str:
        """Return all numbers with units and sources as text, a line for each."""
        return "\n".join(f"{name:<18}{getattr(self, name):>9.4g} {parameter.unit:<6} {self.source(name).basis:<9}"
                         f"{parameter.doc}; {self.source(name).text}" for name, parameter in self.parameters.items())

    def sar(self, bits: int) -> tuple[float, float, float]:
        """Return energy (pJ), time (ns) and area (um^2) of a SAR converter."""
        k = check_bits("Technology.sar", bits) - 1
        return (self.sar_scale * float(SAR_ENERGY[k]), bits / 8 / self.sar_rate, self.sar_scale * float(SAR_AREA[k]))


def check_bits(owner, bits) -> int:
    """Return a resolution; refuse what is no whole number from 1 to 12."""
    return check_whole(f"{owner}: bits", bits, at_least=1, at_most=12)


def as_technology(owner: str, given: Technology | None) -> Technology:
    """Return the costs that were given, or the defaults for None; refuse anything else."""
    if given is None:
        return Technology()
    check_is(f"{owner}: technology", given, Technology, "a Technology or None")
    return given
