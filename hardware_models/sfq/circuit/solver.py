"""`simulate`: a circuit over time, alone or in many variants side by side."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hardware_models.sfq.circuit.assembly import Assembly
from hardware_models.sfq.circuit.circuit import Circuit
from hardware_models.sfq.circuit.group import Group
from hardware_models.sfq.circuit.recorded import to_keep
from hardware_models.sfq.circuit.run import Run
from hardware_models.sfq.circuit.units import PHI0
from hardware_models.sfq.circuit.values import Values, lanes_of
from neurosim.checks import check_is, describe_value, is_number, is_whole
from neurosim.errors import ParameterError, warn
from neurosim.units import doubt

LANES = 8  #: lanes that the compiled loop takes side by side
CONTRACTION = 0.1  #: how much of an error of the phase may be left when the sines are taken again


def simulate(circuit: Circuit, duration: float, *, h: float = 0.05, h_max: float | None = None,
             accuracy: float = 1e-4, temperature: float = 0.0, seed: int = 0, keys=None, vary=None, record=(), nodes=(),
             every: int = 1, start: str = "zero", energy: bool = False, threads: int | None = None) -> Run:
    """Simulate a circuit from t = 0 by the trapezoidal rule and return its pulses and what was recorded.

    The sum of the currents into every node is 0, where for a junction I = Ic sin(phi) + V/R + C dV/dt and
    V = (Phi0 / 2 pi) dphi/dt. Every resistance at a temperature T carries white noise of spectral density 4 k T / R.

    Args:
        circuit: what is simulated.
        duration: ps, a multiple of h.
        h: step, ps; the smallest one where steps adapt.
        h_max: the largest step, ps, 2, 4, 8, ... times h: steps then adapt to the phases; None keeps them at h.
        accuracy: of a phase in one adaptive step, rad.
        temperature: K, of everything that has none of its own; 0 is without noise.
        seed: of the noise.
        keys: numbers of noise realisations, one per lane: run k of seed s is the same alone and among others.
        vary: values that differ from lane to lane, by "element.parameter" (wildcards allowed): factors of ic, r, c,
            area, l, k and of the scale of a source; ps that are added for its delay. A number, or one per lane.
        record: names of elements whose phase, voltage and current are kept over time.
        nodes: names of nodes whose voltage and phase are kept.
        every: keep every so many steps.
        start: "zero", all currents and fluxes 0, or "operating_point", the solution for the sources at t = 0.
        energy: whether to add up what each element dissipates and each current source delivers.
        threads: processor threads that take the lanes, all of them by default.

    Returns:
        The run; its lanes are one where neither `keys` nor `vary` gives several.

    Raises:
        NetworkError: the circuit cannot be solved (floating node, loop of ideal sources), or a name is unknown.
        ParameterError: a value does not fit, or h is too large for a junction.
        SimulationError: a solution diverged, with the element, the time and the lane.

    >>> from hardware_models.sfq.circuit import Circuit, ramp, triangles
    >>> jtl = Circuit("two junctions")
    >>> for k in (1, 2):
    ...     jtl.junction(f"B{k}", f"n{k}", "0", ic=0.25, r=2.744, c=0.175)
    ...     jtl.bias(f"I{k}", f"n{k}", ramp(0.175))
    >>> jtl.inductor("L1", "n1", "n2", 4.0)
    >>> jtl.bias("IN", "n1", triangles([30.0], height=0.5, width=3.0))
    >>> simulate(jtl, 60.0).pulses("B2").round(1)
    array([34.1])

    Source: Likharev, Semenov, IEEE Transactions on Applied Superconductivity 1 (1991) 3 (equations); Delport, Jackman,
    le Roux, Fourie, same journal 29 (2019) 1300905 (phase as the unknown).
    """
    check_is("simulate.circuit", circuit, Circuit, "a Circuit, such as read_deck(file).circuit or build('jtl')")
    lanes = lanes_of(vary, keys)
    steps = _steps(duration, h)
    rungs = _rungs(h, h_max, steps, temperature, every)
    probes, wanted = to_keep(circuit, record, nodes)
    assembly = Assembly(circuit, probes)
    values = Values(assembly, vary, lanes or 1)
    if not is_number(temperature) or not 0.0 <= temperature < np.inf:
        raise ParameterError(f"temperature must be a finite number >= 0 K, got {describe_value(temperature)}")
    heat = np.where(np.isnan(values.temperature), temperature, values.temperature)
    if rungs > 1 and (heat[:, None] * values.g > 0.0).any():
        raise ParameterError("h_max must be None where there is noise: the noise belongs to a fixed step")
    if rungs > 1 and (circuit.lines or circuit.controls):
        raise ParameterError("h_max must be None where there are transmission lines or controlled sources, which need "
                             "equal steps")
    for each in circuit.lines.values():
        if each.delay < h:
            raise ParameterError(f"h must be <= {each.delay:g} ps, the delay of line {each.name}, got {h:g}")
    if energy and circuit.controls:
        raise ParameterError("energy must be False where there are controlled sources")
    if start not in ("zero", "operating_point"):
        raise ParameterError(f"start must be 'zero' or 'operating_point', got {describe_value(start)}")
    if not is_whole(every) or every < 1:
        raise ParameterError(f"every must be a whole number >= 1, got {describe_value(every)}")
    check_step(assembly, values, h * 2 ** (rungs - 1), "h" if rungs == 1 else "h_max")
    if threads is not None and not (is_whole(threads) and threads >= 1):
        raise ParameterError(f"threads must be a whole number >= 1 or None, got {describe_value(threads)}")
    keys = np.arange(values.lanes) if keys is None else keys
    job = _Job(assembly, values, steps, h, rungs, accuracy, heat, seed, keys, wanted, every, start, energy)
    width = 1 if values.lanes == 1 or rungs > 1 else LANES
    groups = [np.minimum(np.arange(k, k + width), values.lanes - 1) for k in range(0, values.lanes, width)]
    with ThreadPoolExecutor(min(int(threads or os.cpu_count() or 1), len(groups))) as pool:
        done = list(pool.map(lambda group: Group(job, group).run(), groups))
    return Run(job, done, lanes, duration)


def _steps(duration, h):
    for name, value in (("duration", duration), ("h", h)):
        if not is_number(value) or not 0.0 < value < 1e15:
            raise ParameterError(f"{name} must be a finite number > 0 ps, got {describe_value(value)}")
    steps = round(duration / h)
    for name, value in (("duration", duration), ("h", h)):
        if found := doubt(name, "ps", value):
            warn(f"simulate.{name} {found}")
    if steps < 1 or abs(duration / h - steps) > 1e-6 + 1e-14 * steps:
        raise ParameterError(f"duration must be a multiple of h = {h:g} ps, got {duration!r}")
    return steps


def _rungs(h, h_max, steps, temperature, every):
    if h_max is None:
        return 1
    rungs = 1 + round(float(np.log2(h_max / h))) if h_max >= h else 0
    if rungs < 1 or abs(h_max / (h * 2.0 ** (rungs - 1)) - 1.0) > 1e-9:
        raise ParameterError(f"h_max must be h times 1, 2, 4, 8, ..., with h = {h:g} ps, got {h_max!r}")
    if every != 1:
        raise ParameterError("every must be 1 where steps adapt: each step is kept")
    return rungs


def check_step(assembly: Assembly, values: Values, h: float, name: str = "h") -> None:
    """Raise ParameterError where a step, ps, is too large for a junction: it must resolve the plasma oscillation."""
    limit, at = largest_step(assembly, values)
    if h > limit:
        speed = np.sqrt(2.0 * np.pi * at.element.ic / (PHI0 * at.element.c)) if at.element.c else np.inf
        raise ParameterError(f"{name} must be <= {_floor(limit):g} ps for junction {at.name} (plasma frequency "
                             f"{speed:.3g} rad/ps), got {h:g}")


def largest_step(assembly: Assembly, values: Values) -> tuple:
    """Return the largest step that resolves every junction's plasma oscillation, ps, and the junction that sets it."""
    many = assembly.junctions
    if not many:
        return np.inf, None
    ends = np.sort(np.stack([assembly.plus, assembly.minus], axis=1), axis=1)
    _, pair = np.unique(ends[:, 0] * (assembly.n + 1) + ends[:, 1], return_inverse=True)
    g, c = (np.zeros((pair.max() + 1, each.shape[1])) for each in (values.g, values.c))
    np.add.at(g, pair, values.g)
    np.add.at(c, pair, values.c)
    g, c, need = g[pair[:many]], c[pair[:many]], values.ic[:many] * 2.0 * np.pi / PHI0 / CONTRACTION
    most = ((g + np.sqrt(g * g + 4.0 * c * need)) / need).min(axis=1)
    at = int(np.argmin(most))
    return float(most[at]), assembly.placed[at]


def _floor(value):
    power = 10.0 ** np.floor(np.log10(value) - 1)
    return np.floor(value / power) * power


class _Job:
    """One call of `simulate`: the equations, their values and what is to be kept, for all groups of lanes."""

    def __init__(self, assembly, values, steps, h, rungs, accuracy, heat, seed, keys, wanted, every, start, energy):
        self.assembly, self.values, self.steps, self.h, self.rungs = assembly, values, steps, h, rungs
        self.accuracy, self.heat, self.seed, self.start, self.energy = accuracy, heat, seed, start, bool(energy)
        self.keys = np.asarray(keys)
        if self.keys.ndim != 1 or self.keys.dtype.kind not in "iu" or (self.keys < 0).any() or (
                self.keys >= 2**32).any():
            raise ParameterError("keys must be whole numbers >= 0 and < 2**32, one for each lane")
        self.wanted, self.every = wanted, (0 if rungs > 1 else every)
        self.noisy = np.flatnonzero((heat > 0.0) & (values.g.max(axis=1) > 0.0))
        self.gap = bool((values.gap[2:] != 0.0).any())
        probe = len(assembly.placed)
        self.places = []
        for kind, name in wanted:
            self.places.append(assembly.index[name.casefold()] if kind == "branch" else probe)
            probe += kind != "branch"
