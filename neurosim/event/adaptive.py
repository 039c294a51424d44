"""Neurons whose v follows a parabola (Izhikevich), integrated in steps of adaptive length.

    v' = square v^2 + slope v + drift - share u + gain I(t),    u' = a (b v + offset - u)

The pair of orders 5(4) of Dormand and Prince, whose error estimate sets the length of a step. Currents are known in
closed form within a step, since nothing arrives meanwhile; no step is longer than the fastest of those that can still
move v, which a longer one might not see at any of its stages. A state within a step, also that of an arrival and that
at the peak, is the step of that length taken anew: as accurate as its end, unlike an interpolation of lower order.

Source: Dormand, Prince, J. Computational and Applied Mathematics 6 (1980) 19-26.
"""

from math import exp, inf

from neurosim.event.exponentials import BLOCK, DRIFT, GAIN, NOW, R, S, V, two

# a row of state, where it differs from that of a linear neuron
U, STEP, PEAKED = 5, 6, 7  #: recovery; length of the next step; whether the predicted event is a spike
BEHIND = 8  #: where the chains begin

# a row of coefficients
SQUARE, SLOPE, SHARE_U, A, B, OFFSET, PEAK, BACK, RAISE = 0, 1, 2, 3, 4, 5, 6, 7, 8
TOP = 9  #: where the coefficients of the chains begin

TOLERANCE = 1e-10  #: error of a step, mV in v and as a share of u
LONGEST, SHORTEST = 4.0, 1e-12  #: ms


def flow(v, u, s, x, at, c, ca, n_chains, stride, first):
    """Return v' and u' at s ms after the time of the state."""
    current = 0.0
    place, block = at + first, ca + TOP
    for _ in range(n_chains):
        i = x[place]
        rise = x[place + 1] if stride == 2 else 0.0
        if i != 0.0 or rise != 0.0:
            i *= exp(-c[block + S] * s)
            if rise != 0.0:
                i += rise * two(c[block + R], c[block + S], s)
            current += c[block + GAIN] * i
        place += stride
        block += BLOCK
    dv = (c[ca + SQUARE] * v + c[ca + SLOPE]) * v + x[at + DRIFT] - c[ca + SHARE_U] * u + current
    return dv, c[ca + A] * (c[ca + B] * v + c[ca + OFFSET] - u)


def leap(h, x, at, c, ca, n_chains, stride, first):
    """Return v, u and the error of one step of h ms from the state, and v' at its end."""
    v, u = x[at + V], x[at + U]
    a1, b1 = flow(v, u, 0.0, x, at, c, ca, n_chains, stride, first)
    a2, b2 = flow(v + h * a1 / 5.0, u + h * b1 / 5.0, h / 5.0, x, at, c, ca, n_chains, stride, first)
    a3, b3 = flow(v + h * (3.0 / 40.0 * a1 + 9.0 / 40.0 * a2), u + h * (3.0 / 40.0 * b1 + 9.0 / 40.0 * b2), 0.3 * h,
                  x, at, c, ca, n_chains, stride, first)
    a4, b4 = flow(v + h * (44.0 / 45.0 * a1 - 56.0 / 15.0 * a2 + 32.0 / 9.0 * a3),
                  u + h * (44.0 / 45.0 * b1 - 56.0 / 15.0 * b2 + 32.0 / 9.0 * b3), 0.8 * h,
                  x, at, c, ca, n_chains, stride, first)
    a5, b5 = flow(v + h * (19372.0 / 6561.0 * a1 - 25360.0 / 2187.0 * a2 + 64448.0 / 6561.0 * a3 - 212.0 / 729.0 * a4),
                  u + h * (19372.0 / 6561.0 * b1 - 25360.0 / 2187.0 * b2 + 64448.0 / 6561.0 * b3 - 212.0 / 729.0 * b4),
                  8.0 / 9.0 * h, x, at, c, ca, n_chains, stride, first)
    a6, b6 = flow(v + h * (9017.0 / 3168.0 * a1 - 355.0 / 33.0 * a2 + 46732.0 / 5247.0 * a3 + 49.0 / 176.0 * a4
                           - 5103.0 / 18656.0 * a5),
                  u + h * (9017.0 / 3168.0 * b1 - 355.0 / 33.0 * b2 + 46732.0 / 5247.0 * b3 + 49.0 / 176.0 * b4
                           - 5103.0 / 18656.0 * b5), h, x, at, c, ca, n_chains, stride, first)
    v = v + h * (35.0 / 384.0 * a1 + 500.0 / 1113.0 * a3 + 125.0 / 192.0 * a4 - 2187.0 / 6784.0 * a5 + 11.0 / 84.0 * a6)
    u = u + h * (35.0 / 384.0 * b1 + 500.0 / 1113.0 * b3 + 125.0 / 192.0 * b4 - 2187.0 / 6784.0 * b5 + 11.0 / 84.0 * b6)
    a7, b7 = flow(v, u, h, x, at, c, ca, n_chains, stride, first)
    wrong = abs(h * (71.0 / 57600.0 * a1 - 71.0 / 16695.0 * a3 + 71.0 / 1920.0 * a4 - 17253.0 / 339200.0 * a5
                     + 22.0 / 525.0 * a6 - a7 / 40.0))
    wrong_u = abs(h * (71.0 / 57600.0 * b1 - 71.0 / 16695.0 * b3 + 71.0 / 1920.0 * b4 - 17253.0 / 339200.0 * b5
                       + 22.0 / 525.0 * b6 - b7 / 40.0))
    return v, u, max(wrong, wrong_u / (1.0 + abs(u))), a7


def briefest(x, at, c, ca, n_chains, stride, first):
    """Return the fastest time constant among the currents that can still move v, in ms."""
    fastest = 0.0
    place, block = at + first, ca + TOP
    for _ in range(n_chains):
        s, r = c[block + S], c[block + R]
        rise = x[place + 1] if stride == 2 else 0.0
        if abs(c[block + GAIN]) * (abs(x[place]) + abs(rise) / r) > TOLERANCE * s:
            fastest = max(fastest, max(s, r) if rise != 0.0 else s)
        place += stride
        block += BLOCK
    return 1.0 / fastest if fastest > 0.0 else LONGEST


def summit(h, x, at, c, ca, n_chains, stride, first):
    """Return when v, which rises at the beginning and falls at the end of h ms, is highest."""
    low, high = 0.0, h
    for _ in range(60):
        middle = 0.5 * (low + high)
        _, _, _, slope = leap(middle, x, at, c, ca, n_chains, stride, first)
        if slope > 0.0:
            low = middle
        else:
            high = middle
    return low


def advance_parabola(x, at, c, ca, n_chains, stride, first, t):
    """Bring the neuron to time t, which lies within the step that was predicted."""
    h = t - x[at + NOW]
    if h <= 0.0:
        return
    x[at + V], x[at + U], _, _ = leap(h, x, at, c, ca, n_chains, stride, first)
    x[at + NOW] = t
    place, block = at + first, ca + TOP
    for _ in range(n_chains):
        s = c[block + S]
        kept = exp(-s * h)
        if stride == 2:
            r = c[block + R]
            x[place] = x[place] * kept + x[place + 1] * two(r, s, h)
            x[place + 1] *= exp(-r * h)
        else:
            x[place] *= kept
        place += stride
        block += BLOCK


def next_parabola(x, at, c, ca, n_chains, stride, first):
    """Return the time of the next internal event: the end of a step, or the peak within it; `PEAKED` says which."""
    peak = c[ca + PEAK]
    x[at + PEAKED] = 1.0
    if x[at + V] >= peak:
        return x[at + NOW]
    h = min(x[at + STEP], briefest(x, at, c, ca, n_chains, stride, first))
    start = x[at + V]
    v = start
    while True:
        v, u, wrong, slope = leap(h, x, at, c, ca, n_chains, stride, first)
        if wrong <= TOLERANCE and v < inf:
            break
        if not h > SHORTEST:  # of a state that is not finite, at which the run will stop
            return inf
        h *= max(0.2, 0.9 * (TOLERANCE / wrong) ** 0.2) if wrong < inf else 0.2
    x[at + STEP] = min(LONGEST, h * min(5.0, 0.9 * (TOLERANCE / max(wrong, 1e-30)) ** 0.2))
    if v < peak:
        end = h
        begun, _ = flow(start, x[at + U], 0.0, x, at, c, ca, n_chains, stride, first)
        if begun > 0.0 > slope and start + h * max(begun, -slope) >= peak:
            h = summit(h, x, at, c, ca, n_chains, stride, first)
            v, u, wrong, slope = leap(h, x, at, c, ca, n_chains, stride, first)
        if v < peak:
            x[at + PEAKED] = 0.0
            return x[at + NOW] + end
    low, high = 0.0, h
    for _ in range(100):
        step = h + (peak - v) / slope
        if not low < step < high:
            step = 0.5 * (low + high)
        if abs(step - h) <= 1e-15 * h or not low < step < high:
            break
        h = step
        v, u, wrong, slope = leap(h, x, at, c, ca, n_chains, stride, first)
        if v < peak:
            low = h
        else:
            high = h
    return x[at + NOW] + h

