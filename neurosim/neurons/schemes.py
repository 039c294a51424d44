"""Scalar bodies that several models share: what integrates a tick in sub-steps."""

from math import nan

from neurosim.maths import exp

LONGEST = 0.05  #: ms, no sub-step of a quadratic model is longer
CHANGE = 1.0  #: mV, by which v may change in a sub-step
SHORTEST = 1.0 / 512.0  #: shortest sub-step, as a share of the tick
MOST = 16384  #: sub-steps of a tick, after which v becomes undefined so that the run stops with a message


def phi(z):
    """Return (exp(z) - 1) / z without cancellation; z above 30 counts as 30."""
    z = min(z, 30.0)
    near = 1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0 * (1.0 + z / 5.0 * (1.0 + z / 6.0 * (1.0 + z / 7.0 * (
        1.0 + z / 8.0))))))
    return near if abs(z) < 0.25 else (exp(z) - 1.0) / z


def quadratic_tick(v, u, due, square, slope, drive, share, a, b, offset, v_peak, v_reset, d, dt, longest):
    """Integrate v' = square v^2 + slope v + drive - share u and u' = a (b v + offset - u) over a tick.

    For a given u the equation of v has an exact solution, a ratio of two linear functions of v; u is
    taken at the middle of a sub-step for v, and v as a mean for u: second order. The crossing of
    v_peak is solved for, v and u are reset there, and the rest of the tick follows. A sub-step is at
    most `longest`, and shorter where v changes fast.

    Returns:
        v, u, and `due` raised by the number of spikes.
    """
    left = dt
    for _ in range(MOST):
        rate = (square * v + slope) * v + drive - share * u
        h = min(left, longest)
        if abs(rate) * h > CHANGE:
            h = min(h, max(CHANGE / abs(rate), dt * SHORTEST))
        x = a * h
        constant, bend, below, after = _moved(v, u, h, x, square, slope, drive, share, b, offset)
        if v >= v_peak or below <= 0.0 or after >= v_peak:
            w = (v_peak - v) / (square * v * v_peak + 0.5 * slope * (v + v_peak) + constant)
            z = bend * w * w
            h = min(max(w * (945.0 + z * (735.0 + 64.0 * z)) / (945.0 + z * (1050.0 + 225.0 * z)), 0.0), h)
            x = a * h
            u = u + d + (x - 0.5 * x * x) * (0.5 * b * (v + v_peak) + offset - u)
            v = v_reset
            due = due + 1.0
        else:
            u = u + (x - 0.5 * x * x) * (0.5 * b * (v + after) + offset - u)
            v = after
        left = left - h
        if not left > 0.0:
            return v, u, due
    return v * nan, u, due


def quadratic_at_once(v, u, due, square, slope, drive, share, a, b, offset, v_peak, dt, longest):
    """Do what `quadratic_tick` does in a tick of one or two sub-steps in which v neither crosses nor changes fast.

    Returns:
        whether the tick is of that kind, v, u, and `due`.
    """
    calm, once, u_once = _calm(v, u, min(dt, longest), square, slope, drive, share, a, b, offset, v_peak)
    left = dt - min(dt, longest)
    second = min(left, longest)
    still, twice, u_twice = _calm(once, u_once, second, square, slope, drive, share, a, b, offset, v_peak)
    whole = left > 0.0
    done = calm & (still | (not whole)) & (left - second <= 0.0)
    return done, twice if whole else once, u_twice if whole else u_once, due


def _calm(v, u, h, square, slope, drive, share, a, b, offset, v_peak):
    """A sub-step, and whether v neither crosses nor changes fast in it."""
    rate = (square * v + slope) * v + drive - share * u
    x = a * h
    _, _, below, after = _moved(v, u, h, x, square, slope, drive, share, b, offset)
    rough = (abs(rate) * h > CHANGE) | (v >= v_peak) | (below <= 0.0) | (after >= v_peak)
    return not rough, after, u + (x - 0.5 * x * x) * (0.5 * b * (v + after) + offset - u)


def _moved(v, u, h, x, square, slope, drive, share, b, offset):
    """v after h, where u is that of the middle; and what it follows from."""
    constant = drive - share * (u + 0.5 * x * (b * v + offset - u))
    bend = square * constant - 0.25 * slope * slope
    z = bend * h * h
    cosine = 1.0 - z / 2.0 * (1.0 - z / 12.0 * (1.0 - z / 30.0 * (1.0 - z / 56.0)))
    sine = h * (1.0 - z / 6.0 * (1.0 - z / 20.0 * (1.0 - z / 42.0 * (1.0 - z / 72.0))))
    below = cosine - sine * (square * v + 0.5 * slope)
    return constant, bend, below, v + sine * ((square * v + slope) * v + constant) / below
