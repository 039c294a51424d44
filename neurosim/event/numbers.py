"""From the parameters of a population to the rows of coefficients that the compiled loop reads.

What the loop cannot solve exactly is refused here by name.
"""

from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from neurosim.bodies import changed_below
from neurosim.contracts import Crossing
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.event import adaptive, exponentials
from neurosim.event.exponentials import (
    APART,
    BLOCK,
    DOWN,
    FACTOR,
    GAIN,
    HOLD,
    HORIZON,
    MOST,
    MOST_RISE,
    PULL,
    RATE,
    RESET,
    SHARE,
    SPIKE,
    THRESHOLD,
    R,
    S,
)
from neurosim.event.loop import LINEAR, QUADRATIC, SILENT

NEAR = 0.05  #: rates that are closer than this share are handled without a difference of exponentials
REACH = 64.0  #: slowest time constants after which only what is constant counts
MARGIN = 1.0 + 1e-9


@dataclass
class Numbers:
    """How a population is computed.

    Attributes:
        family: which formulas.
        head: length of the part of a row of coefficients before the chains.
        first: where the chains begin in a row of state.
        chains: for each chain, its coefficients by place.
        values: the other coefficients, by place.
        drift: the constant part of v'.
        gain: what a current adds to v'.
        ports: for each receptor (place in the row of state, place of its factor or -1).
        columns: variable -> place in the row of state.
    """

    family: int
    head: int
    first: int
    values: dict
    drift: object
    gain: object
    chains: list = field(default_factory=list)
    ports: list = field(default_factory=list)
    columns: dict = field(default_factory=dict)
    stride: int = 1

    @property
    def width(self) -> int:
        """Length of a row of state."""
        return self.first + len(self.chains) * self.stride

    def table(self) -> np.ndarray:
        """Return the coefficients, one row for each neuron, or one row where all are alike."""
        places = self.values | {self.head + BLOCK * j + place: value for j, chain in enumerate(self.chains)
                                for place, value in chain.items()}
        size = max((np.size(value) for value in places.values()), default=1)
        table = np.zeros((size, self.head + BLOCK * len(self.chains)))
        for place, value in places.items():
            table[:, place] = value
        return table


def numbers(population, plan) -> Numbers:
    """Return the numbers of a population of neurons.

    Args:
        population: the population.
        plan: its layout, with `parameters` and `ports`.

    Raises:
        UnsupportedError: the model or a receptor has no exact form.
        ParameterError: a spike would not take v below the threshold.
    """
    model, p = population.model, plan.parameters
    parabola = model.parabola(p)
    if parabola is not None:
        found = _quadratic(population, model, parabola)
    else:
        found = _linear(population, model, p)
    found.columns["v"] = exponentials.V
    _add_ports(found, population, plan.ports)
    _finish(found)
    return found


def _stated(model, form, bodies):
    """Refuse a class that changes a body of its base without saying the exact form anew."""
    changed = changed_below(model, form, bodies)
    if changed:
        raise UnsupportedError(f"{type(model).__name__} cannot be run in the mode 'event': it changes {changed[0]} "
                               f"and does not say "
                               f"its {form}(p) anew; use mode='clocked'")


def _refuse(what) -> NoReturn:
    raise UnsupportedError(f"{what} in the mode 'event'; use mode='clocked'")


def _quadratic(population, model, form) -> Numbers:
    _stated(model, "parabola", ("fires", "after_spike", "step"))
    if getattr(model, "scheme", "fine") != "fine":
        raise UnsupportedError(f"{type(model).__name__}.scheme of {population.name!r} must be 'fine' in the mode "
                               f"'event', which "
                               f"has no ticks, got {model.scheme!r}")
    a = adaptive
    values = {a.SQUARE: form.square, a.SLOPE: form.slope, a.SHARE_U: form.share, a.A: form.a, a.B: form.b,
              a.OFFSET: form.offset,
              a.PEAK: form.peak, a.BACK: form.reset, a.RAISE: form.up}
    return Numbers(QUADRATIC, a.TOP, a.BEHIND, values, form.drift, form.gain, columns={"u": a.U})


def _linear(population, model, p) -> Numbers:
    name = type(model).__name__
    linear = model.linear(p)
    crossing = model.crossing(p) if model.spiking else Crossing(np.inf, reset=0.0)
    if linear is None or crossing is None:
        _refuse(f"{name} of {population.name!r} cannot be run")
    if model.spiking:
        _stated(model, "crossing", ("fires", "after_spike", "linear"))
    known = {("v", "v"), *((own, own) for own in crossing.decays)}
    if not set(linear.matrix) <= known or set(linear.constant) | set(linear.current) > {"v"}:
        _refuse(f"{name} of {population.name!r} couples its variables in a way that cannot be solved")
    rate = -_array(linear.matrix.get(("v", "v"), 0.0))
    if (rate < 0.0).any():
        _refuse(f"{name} of {population.name!r} must not grow on its own")
    down = 0.0 if crossing.down is None else crossing.down
    reset = 0.0 if crossing.reset is None else crossing.reset
    if crossing.down is not None and not (_array(down) > 0.0).all():
        raise ParameterError(f"a spike of {population.name!r} must lower v in the mode 'event', got a step of "
                             f"{np.min(down):g} mV")
    if crossing.down is None and not (_array(reset) < crossing.threshold).all():
        raise ParameterError(f"{name}.v_reset of {population.name!r} must be below v_threshold in the mode 'event', "
                             f"got "
                             f"{np.max(reset):g} mV")
    values = {RATE: rate, THRESHOLD: crossing.threshold, RESET: reset, DOWN: down, HOLD: getattr(p, "t_ref", 0.0)}
    found = Numbers(LINEAR if model.spiking else SILENT, exponentials.HEAD, exponentials.CHAINS, values,
                    linear.constant.get("v", 0.0), linear.current.get("v", 0.0))
    for own, raised in crossing.decays.items():
        found.columns[own] = len(found.chains)
        found.chains.append({S: -_array(linear.matrix[own, own]), GAIN: 0.0, SHARE: -1.0, SPIKE: raised})
    return found


def _add_ports(found, population, ports):
    """Add a chain for each receptor that is a current; note where each one's arrivals go."""
    for number, (receptor, q) in enumerate(ports):
        name = f"{type(receptor).__name__} on {population.name!r}"
        if receptor.on != "v":
            _refuse(f"{name} acts on {receptor.on!r} and cannot be used")
        if receptor.effect == "jump":
            found.ports.append((None, 0))
            continue
        if receptor.effect != "current":
            _refuse(f"{name} cannot be used")
        if receptor.cleared:
            _refuse(f"{name} with refractory='cleared' cannot be used")
        equations, (out, *rest) = receptor.linear(q), receptor.state
        matrix = dict(equations.matrix)
        chain = {S: -_array(matrix.pop((out, out))), SHARE: 0.0, SPIKE: 0.0,
                 GAIN: _array(found.gain) * equations.output.get(out, np.nan)}
        entry = (len(found.chains), 0)
        if rest:
            (rise,) = rest if len(rest) == 1 else (None,)
            chain[R] = -_array(matrix.pop((rise, rise), np.nan))
            if rise is None or np.any(matrix.pop((out, rise), 0.0) != 1.0):
                _refuse(f"{name} has equations that cannot be solved and cannot be used")
            entry = (len(found.chains), 1)
        target = rest[0] if rest else out
        if matrix or set(equations.arrival) != {target} or set(equations.output) != {out} or not all(
                np.all(_array(rate) > 0.0) for rate in (chain[S], chain.get(R, 1.0))):
            _refuse(f"{name} has equations that cannot be solved and cannot be used")
        chain[FACTOR] = equations.arrival[target]
        found.columns[f"p{number}_{out}"] = (len(found.chains), 0)
        if rest:
            found.columns[f"p{number}_{rest[0]}"] = (len(found.chains), 1)
        found.chains.append(chain)
        found.ports.append(entry)


def _finish(found):
    """Fill in what follows from the rates, and the places in the rows."""
    found.stride = 2 if any(R in chain for chain in found.chains) else 1
    m = found.values.get(RATE, 1.0) if found.family != QUADRATIC else 1.0
    slowest = 1.0 / np.where(_array(m) > 0.0, m, np.inf)
    for chain in found.chains:
        s = _array(chain[S])
        r = chain.setdefault(R, s)
        apart = np.abs(m - s) > NEAR * np.maximum(m, s)
        chain[APART] = np.where(apart, 1.0 / np.where(apart, m - s, 1.0), 0.0)
        chain[PULL] = chain[GAIN] + _array(chain[SHARE]) * (m - s)
        chain[MOST] = _peak(s, m) * MARGIN
        chain[MOST_RISE] = np.minimum(_peak(s, m) / r, _peak(r, m) / s) * MARGIN
        slowest = np.maximum(slowest, np.maximum(1.0 / s, 1.0 / r))
    if found.family != QUADRATIC:
        found.values[HORIZON] = REACH * np.where(slowest > 0.0, slowest, 1.0)
    for name, place in found.columns.items():
        if isinstance(place, tuple) or (place < found.first and name not in ("v", "u")):
            chain, behind = place if isinstance(place, tuple) else (place, 0)
            found.columns[name] = found.first + found.stride * chain + behind
    found.ports = [(exponentials.V, -1) if chain is None else
                   (found.first + found.stride * chain + behind, found.head + BLOCK * chain + FACTOR)
                   for chain, behind in found.ports]


def _peak(a, b):
    """Return the largest value of the convolution of exp(-a t) and exp(-b t)."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    low, high = np.minimum(a, b), np.maximum(a, b)
    gap = np.where(high - low > 1e-6 * high, high - low, 1.0)
    positive = np.where(low > 0.0, low, 1.0)
    when = np.where(high - low > 1e-6 * high, np.log(high / positive) / gap, 1.0 / high)
    return np.where(low > 0.0, np.exp(-positive * when) / high * (1.0 + 1e-5), 1.0 / high)


def _array(value):
    return np.asarray(value, dtype=np.float64)
