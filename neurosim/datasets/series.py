"""Series that reservoirs are judged by: NARMA, Mackey-Glass, and flows that are chaotic."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurosim.checks import check_number, check_numbers, check_seed, check_whole, describe_value
from neurosim.errors import ParameterError


def narma(inputs, order: int = 10) -> np.ndarray:
    r"""Return the nonlinear autoregressive moving average of an input, which a reservoir is to reproduce.

    y(t + 1) = 0.3 y(t) + 0.05 y(t) sum_{i<n} y(t - i) + 1.5 u(t - n + 1) u(t) + 0.1,   from y = u = 0.

    Args:
        inputs: u, uniform in [0, 0.5], shape (times,).
        order: n, whole, >= 1. For n > 10 the source takes tanh of the right side, and so is done here.

    Returns:
        y, shape (times,): y[t] is what follows u[t], y(t + 1) above.

    Raises:
        ParameterError: inputs are no 1-D array of finite numbers, or y grows without bound for them.

    >>> narma([0.1, 0.2, 0.3], order=2).round(6).tolist()
    [0.1, 0.1605, 0.240241]

    Source: Atiya, Parlos, IEEE Transactions on Neural Networks 11 (2000) 697; tanh: Rodan, Tino, IEEE Transactions on
    Neural Networks 22 (2011) 131.
    """
    order = check_whole("narma.order", order, at_least=1)
    u = check_numbers("narma.inputs", inputs)
    if u.ndim != 1 or not u.size or not np.isfinite(u).all():
        raise ParameterError(f"narma.inputs must be finite numbers of shape (times,), got {describe_value(inputs)}")
    before = np.concatenate([np.zeros(order - 1), u])
    y = np.zeros(u.size + order)  # y(t) is at t + order - 1
    for t in range(u.size):
        last = y[t + order - 1]
        value = 0.3 * last + 0.05 * last * y[t:t + order].sum() + 1.5 * before[t] * u[t] + 0.1
        y[t + order] = np.tanh(value) if order > 10 else value
        if not abs(y[t + order]) < 1e6:
            raise ParameterError(f"narma.inputs must keep the series bounded; it has left 10^6 at time {t}: take "
                                 "inputs in [0, 0.5], or others of these")
    return y[order:]


def mackey_glass(steps: int, *, tau: float = 17.0, beta: float = 0.2, gamma: float = 0.1, power: float = 10.0,
                 every: float = 1.0, substeps: int = 10, start: float = 1.2, washout: float = 0.0) -> np.ndarray:
    r"""Return the Mackey-Glass series, a delay equation that is chaotic for tau > 16.8.

    x'(t) = beta x(t - tau) / (1 + x(t - tau)^power) - gamma x(t),   x(t <= 0) = start,

    by the classical Runge-Kutta method; x(t - tau) is interpolated by cubic Hermite polynomials, so that the error
    falls as the fourth power of the step.

    Args:
        steps: how many values.
        tau: delay.
        beta, gamma, power: of the equation.
        every: time between two values.
        substeps: steps of the integration between two values; a step may be no longer than tau.
        start: history before time 0.
        washout: time at the beginning that is left out.

    Returns:
        x(washout + every), x(washout + 2 every), ..., shape (steps,).

    Raises:
        ParameterError: an argument does not fit.

    >>> mackey_glass(3).round(4).tolist()
    [1.1176, 1.043, 0.9755]

    Source: Mackey, Glass, Science 197 (1977) 287.
    """
    steps = check_whole("mackey_glass.steps", steps, at_least=1)
    substeps = check_whole("mackey_glass.substeps", substeps, at_least=1)
    numbers = {name: check_number(f"mackey_glass.{name}", value, above=0) for name, value in (
        ("tau", tau), ("beta", beta), ("gamma", gamma), ("power", power), ("every", every))}
    start = check_number("mackey_glass.start", start, at_least=0)
    washout = check_number("mackey_glass.washout", washout, at_least=0)
    h = numbers["every"] / substeps
    if h > numbers["tau"]:
        raise ParameterError(f"mackey_glass.substeps must be so many that a step is no longer than tau = {tau:g}, got "
                             f"{substeps} for every = {every:g}")
    first = round(washout / h)
    return _delayed(first + steps * substeps, h, start, **{k: v for k, v in numbers.items() if k != "every"})[
        first + substeps::substeps]


def _delayed(count, h, start, tau, beta, gamma, power):
    """Integrate the delay equation in `count` steps of h; return x at all of them, the start included."""
    x, slope = [start], [0.0]  # the slope at 0 is that of the history as long as only that is looked at

    def gain(y):
        return beta * y / (1.0 + y ** power)

    def past(where):  # at a place in steps, which may lie between two
        k = int(np.floor(where))
        if where <= 0:
            return start
        s = where - k
        if s < 1e-9 or k + 1 >= len(x):
            return x[k]
        right = slope[k + 1]
        left = first if k == 0 else slope[k]
        return ((1 + 2 * s) * (1 - s) ** 2 * x[k] + s * (1 - s) ** 2 * h * left + s * s * (3 - 2 * s) * x[k + 1]
                - s * s * (1 - s) * h * right)

    first = gain(start) - gamma * start  # the slope to the right of 0
    for t in range(count):
        now, delayed = x[-1], [gain(past(t + part - tau / h)) for part in (0.0, 0.5, 1.0)]
        a = delayed[0] - gamma * now
        b = delayed[1] - gamma * (now + 0.5 * h * a)
        c = delayed[1] - gamma * (now + 0.5 * h * b)
        d = delayed[2] - gamma * (now + h * c)
        x.append(now + h * (a + 2 * b + 2 * c + d) / 6)
        slope.append(delayed[2] - gamma * x[-1])
    return np.array(x)


@dataclass(frozen=True)
class Flow:
    """A chaotic flow x' = f(x).

    Args:
        slope: f, of arrays whose last axis is that of the variables.
        start: a point near the attractor.
        every: a time between two samples that suits it.
        lyapunov: its largest Lyapunov exponent, per unit of time.
    """

    slope: Callable[[np.ndarray], np.ndarray]
    start: tuple[float, ...]
    every: float
    lyapunov: float


def _flow(f):
    return lambda x: np.stack(f(*np.moveaxis(x, -1, 0)), axis=-1)


#: Flows by name, with their usual parameters; exponents of Sprott, Chaos and Time-Series Analysis, Oxford 2003.
FLOWS = {
    "lorenz": Flow(_flow(lambda x, y, z: (10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z)), (0.0, -0.01, 9.0), 0.02,
                   0.9056),
    "rossler": Flow(_flow(lambda x, y, z: (-y - z, x + 0.2 * y, 0.2 + z * (x - 5.7))), (-9.0, 0.0, 0.0), 0.2, 0.0714),
    "chen": Flow(_flow(lambda x, y, z: (35 * (y - x), -7 * x - x * z + 28 * y, x * y - 3 * z)), (-10.0, 0.0, 37.0),
                 0.01, 2.0272),
    "halvorsen": Flow(_flow(lambda x, y, z: (-1.27 * x - 4 * y - 4 * z - y * y, -1.27 * y - 4 * z - 4 * x - z * z,
                                             -1.27 * z - 4 * x - 4 * y - x * x)), (-5.0, 0.0, 0.0), 0.02, 0.7899),
    "thomas": Flow(_flow(lambda x, y, z: (-0.18 * x + np.sin(y), -0.18 * y + np.sin(z), -0.18 * z + np.sin(x))),
                   (0.1, 0.0, 0.0), 0.4, 0.0349),
    "sprott_b": Flow(_flow(lambda x, y, z: (y * z, x - y, 1 - x * y)), (0.05, 0.05, 0.05), 0.1, 0.2101),
}


def flow(name: str, steps: int, *, samples: int | None = None, every: float | None = None, substeps: int = 10,
         washout: int = 1000, seed: int = 0) -> np.ndarray:
    """Return a chaotic flow, sampled at fixed times, by the classical Runge-Kutta method.

    Args:
        name: "lorenz", "rossler", "chen", "halvorsen", "thomas" or "sprott_b": one of `FLOWS`, which tells their
            Lyapunov exponents.
        steps: how many points.
        samples: how many trajectories; None for one without an axis of its own.
        every: time between two points; by default one that suits the flow.
        substeps: steps of the integration between two points.
        washout: points at the beginning that are left out.
        seed: of the starts, which lie about 0.01 from each other before the washout.

    Returns:
        points, shape (steps, variables) or (samples, steps, variables).

    Raises:
        ParameterError: an argument does not fit.

    >>> flow("lorenz", 500).shape
    (500, 3)

    Source: Lorenz, J. Atmospheric Sciences 20 (1963) 130; Roessler, Physics Letters A 57 (1976) 397; Chen, Ueta,
    Int. J. Bifurcation and Chaos 9 (1999) 1465; Thomas, the same, 1889; Sprott, Physical Review E
    50 (1994) R647; Halvorsen's is in Sprott's book of 2003.
    """
    if not isinstance(name, str) or name not in FLOWS:
        raise ParameterError(f"flow.name must be one of {', '.join(FLOWS)}, got {describe_value(name)}")
    made = FLOWS[name]
    steps, substeps = check_whole("flow.steps", steps, at_least=1), check_whole("flow.substeps", substeps, at_least=1)
    washout = check_whole("flow.washout", washout, at_least=0)
    count = 1 if samples is None else check_whole("flow.samples", samples, at_least=1)
    h = (made.every if every is None else check_number("flow.every", every, above=0)) / substeps
    generator = np.random.default_rng(check_seed("flow.seed", seed))
    x = np.array(made.start) + 0.01 * generator.normal(size=(count, len(made.start)))
    found = np.empty((count, steps, x.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(washout + steps):
            for _ in range(substeps):
                x = _runge_kutta(made.slope, x, h)
            if t >= washout:
                found[:, t - washout] = x
    if not np.isfinite(found).all():
        raise ParameterError(f"flow.substeps must be so many that the integration of {name} is stable, got {substeps}")
    return found[0] if samples is None else found


def _runge_kutta(slope, x, h):
    a = slope(x)
    b = slope(x + 0.5 * h * a)
    c = slope(x + 0.5 * h * b)
    return x + h / 6 * (a + 2 * b + 2 * c + slope(x + h * c))


__all__ = ["FLOWS", "Flow", "flow", "mackey_glass", "narma"]
