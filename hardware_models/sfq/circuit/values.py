"""The values of a circuit's elements, for one lane or for many variants of it side by side."""

from fnmatch import fnmatchcase

import numpy as np

from hardware_models.sfq.circuit.assembly import Assembly
from hardware_models.sfq.circuit.elements import Capacitor, Controlled, Inductor, Junction, Port, Resistor, Source
from neurosim.checks import describe_value
from neurosim.errors import ParameterError

KINDS = {Junction: ("ic", "r", "c", "area"), Inductor: ("l",), Resistor: ("r",), Capacitor: ("c",),
         Source: ("scale", "delay"), Port: (), Controlled: ()}


class Values:
    """Arrays of values with shape (elements, lanes).

    Attributes:
        ic, g, c: of the branches, mA, 1/ohm, pF.
        shift: phase without supercurrent of the branches, turns.
        gap: low and high end of the rise (mV), added conductance within and above it (1/ohm), shape
            (4, branches, lanes).
        l, k: of inductors (pH) and couplings.
        scale, delay: of current sources, then voltage sources.
        temperature: K of each branch, NaN where it is that of the run.
    """

    def __init__(self, assembly: Assembly, vary=None, lanes: int = 1):
        self.lanes = lanes
        factors = Factors(assembly.circuit, vary or {}, lanes)
        branches = len(assembly.branches)
        self.ic, self.g, self.c, self.shift = (np.zeros((branches, lanes)) for _ in range(4))
        self.gap = np.zeros((4, branches, lanes))
        self.gap[:2] = 1e30
        self.temperature = np.full(branches, np.nan)
        for at, each in enumerate(assembly.placed):
            element = each.element
            if isinstance(element, Junction):
                self._junction(at, each, factors)
            elif isinstance(element, Resistor):
                self.g[at] = 1.0 / (element.r * factors(each.name, "r"))
            elif isinstance(element, Port):
                self.g[at] = 1.0 / element.z0
            elif isinstance(element, Capacitor):
                self.c[at] = element.c * factors(each.name, "c")
            own = 0.0 if isinstance(element, Port) else getattr(element, "temperature", None)
            self.temperature[at] = np.nan if own is None else own
        self.l = _rows([each.element.l * factors(each.name, "l") for each in assembly.inductors
                         if isinstance(each.element, Inductor)], lanes)
        self.k = _rows([each.k * factors(each.name, "k") for _, _, each in assembly.couplings], lanes)
        driven = [*assembly.sources, *assembly.voltages]
        self.scale = _rows([factors(each.name, "scale") for each in driven], lanes)
        self.delay = _rows([factors(each.name, "delay", 0.0) for each in driven], lanes)
        if (abs(self.k) >= 1.0).any():
            raise ParameterError("vary makes a coupling k reach 1; use smaller factors")

    def _junction(self, at, each, factors):
        junction = each.element
        area = factors(each.name, "area")
        self.ic[at] = junction.ic * area * factors(each.name, "ic")
        self.c[at] = junction.c * area * factors(each.name, "c")
        self.shift[at] = junction.phi0 / (2.0 * np.pi)
        if junction.r is not None:
            ohmic = area / factors(each.name, "r")
            self.g[at] = ohmic / junction.r
            if junction.r_normal is not None:
                low, high = junction.v_gap - 0.5 * junction.delta_v, junction.v_gap + 0.5 * junction.delta_v
                rise = (high / junction.r_normal - low / junction.r) / (high - low)
                self.gap[:2, at] = np.array([low, high])[:, None]
                self.gap[2, at] = (rise - 1.0 / junction.r) * ohmic
                self.gap[3, at] = (1.0 / junction.r_normal - 1.0 / junction.r) * ohmic


def _rows(rows, lanes):
    table = np.empty((len(rows), lanes))
    for k, row in enumerate(rows):
        table[k] = row
    return table


class Factors:
    """What `vary` says about each parameter of each element; called with a name and a parameter."""

    def __init__(self, circuit, vary, lanes):
        self.found = {}
        offered = {each.name.casefold(): next(p for kind, p in KINDS.items() if isinstance(each.element, kind))
                   for each in circuit.placed.values()}
        offered |= {each.name.casefold(): ("k",) for each in circuit.couplings.values()}
        for key, values in vary.items():
            values = _checked(key, values, lanes)
            pattern, _, parameter = str(key).rpartition(".")
            pattern = pattern.casefold()
            some = [pattern] if pattern in offered else offered if set(pattern) & set("*?[") else ()
            names = [name for name in some
                     if parameter in offered[name] and (name == pattern or fnmatchcase(name, pattern))]
            if not names:
                raise ParameterError(
                    f"vary: {key!r} must name elements and a parameter of theirs, such as 'B1.ic', 'L*.l', 'I1.scale' "
                    "(junctions: ic, r, c, area; inductors: l; resistors: r; capacitors: c; couplings: k; sources: "
                    f"scale, delay); nothing in {circuit.name} fits")
            for name in names:
                old = self.found.get((name, parameter), 0.0 if parameter == "delay" else 1.0)
                self.found[name, parameter] = old + values if parameter == "delay" else old * values

    def __call__(self, name, parameter, default=1.0):
        return self.found.get((name.casefold(), parameter), default)


def _checked(key, values, lanes):
    array = np.asarray(values, dtype=float)
    if array.ndim > 1 or (array.ndim == 1 and array.size != lanes) or not np.isfinite(array).all():
        raise ParameterError(f"vary[{key!r}] must be a finite number or one for each of the {lanes} lanes, "
                             f"got {describe_value(values)}")
    signed = str(key).rpartition(".")[2] in ("scale", "delay", "k")
    if not signed and (array <= 0.0).any():
        raise ParameterError(f"vary[{key!r}] must hold factors > 0, got {array.min():g}")
    return array


def lanes_of(vary, keys) -> int | None:
    """Return how many lanes are asked for by `vary` and `keys`, or None where it is one single run."""
    sizes = {np.size(values) for values in (vary or {}).values() if np.ndim(values) == 1}
    if keys is not None:
        sizes.add(len(keys))
    if len(sizes) > 1:
        raise ParameterError(f"vary and keys must give one value for each lane, all as many; got {sorted(sizes)}")
    return sizes.pop() if sizes else None
