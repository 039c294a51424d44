"""Sums of exponentials: how a linear neuron moves between events, and when it first crosses its threshold.

Between two events a membrane with current receptors obeys

    v' = -m v + drift + sum_j gain_j i_j,    i_j' = -s_j i_j + rise_j,    rise_j' = -r_j rise_j,

a chain of decays. All that is needed are convolutions of exponentials, written so that nothing cancels where two
rates are nearly or exactly equal.

The distance from the threshold, f = v - theta - v_threshold, is a sum of exponentials. Take its rates r_0 = m, r_1 =
0, r_2, ... in some order and let L_0 = f, L_k+1 = L_k' + r_k L_k. Each step takes one term away, so the last L has
one sign; and exp(r_k t) L_k is monotone between two zeros of L_k+1 (Rolle). So the zeros of every L are found from
those of the next one, one in each interval with a change of sign, and none is missed: that is what `first_crossing`
does, with Newton's method inside brackets. L_1 is the current above what holds the neuron at its threshold, and no L
needs coefficients that cancel. The last L, made of fast exponentials, is long too small for a number when the slow ones
end; so each is computed times exp(q t), q being the slowest rate left in it, which has its sign at any time. A bound of
f without exponentials sorts out most cases first.

The bodies here are scalar; `loop` compiles them. A neuron is a row of numbers in `x` from `at` on, its coefficients
one in `c` from `ca` on; the names of their places stand below.
"""

from math import exp, expm1, log, log1p

import numpy as np

# a row of state
NOW, UNTIL, NEXT, V, DRIFT = 0, 1, 2, 3, 4  #: of the state, the hold's end, the next event; v; constant of v'
SURE = 5  #: whether the next event is a spike, or the earliest time at which there may be one
CHAINS = 6  #: where the chains of a linear neuron begin, `stride` numbers each: i and, where the stride is 2, rise

# a row of coefficients
RATE, THRESHOLD, RESET, DOWN, HOLD, HORIZON = 0, 1, 2, 3, 4, 5
HEAD = 6
S, R, GAIN, PULL, SHARE, MOST, MOST_RISE, SPIKE, FACTOR, APART = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
BLOCK = 10  #: length of the coefficients of one chain

FOREVER = float("inf")
NOTHING = 1e-200  #: what has decayed to this is gone
NEAR_ZERO = 0.01  #: below this 1 - exp(-x) is not computed as a difference
CAUTION = 1.0 - 1e-9  #: so that rounding makes no bound too late
ENOUGH = 100  #: steps of Newton's method or bisection, many more than ever needed


def two(a, b, t):
    """Return the convolution of exp(-a t) and exp(-b t), (exp(-a t) - exp(-b t)) / (b - a), which is never negative."""
    low = min(a, b)
    gap = max(a, b) - low
    if gap * t < 1e-290:
        return t * exp(-low * t)
    return -exp(-low * t) * expm1(-gap * t) / gap


def three(a, b, c, t):
    """Return the convolution of exp(-a t), exp(-b t) and exp(-c t)."""
    low = min(a, b, c)
    high = max(a, b, c)
    middle = a + b + c - low - high
    middle = min(max(middle, low), high)
    q = (high - low) * t
    if q > 0.5:
        return (two(low, middle, t) - two(middle, high, t)) / (high - low)
    p = (middle - low) * t
    total = 0.0
    power = 1.0  # p to the n
    mixed = 1.0  # sum of p^i q^(n - i)
    factor = 0.5  # (-1)^n / (n + 2)!
    for n in range(16):
        total += factor * mixed
        power *= p
        mixed = q * mixed + power
        factor /= -(n + 3.0)
    return t * t * exp(-low * t) * total


def relax(x, at, c, ca, n_chains, stride, first, dt, free):
    """Let a linear neuron's chains, and its v where `free`, go on for dt ms."""
    m = c[ca + RATE]
    decay = exp(-m * dt)
    v = 0.0
    if free:
        v = x[at + V] * decay
        if m * dt > NEAR_ZERO:
            v += x[at + DRIFT] * (1.0 - decay) / m
        else:
            v += x[at + DRIFT] * two(0.0, m, dt)
    place, block = at + first, ca + HEAD
    for _ in range(n_chains):
        i, s = x[place], c[block + S]
        if stride == 1 or x[place + 1] == 0.0:
            if i != 0.0:
                kept = exp(-s * dt)
                if c[block + APART] != 0.0:
                    v += c[block + GAIN] * i * (kept - decay) * c[block + APART]
                else:
                    v += c[block + GAIN] * i * two(s, m, dt)
                i *= kept
                x[place] = i if abs(i) > NOTHING else 0.0
        else:
            rise, r = x[place + 1], c[block + R]
            v += c[block + GAIN] * (i * two(s, m, dt) + rise * three(r, s, m, dt))
            x[place] = i * exp(-s * dt) + rise * two(r, s, dt)
            rise *= exp(-r * dt)
            x[place + 1] = rise if abs(rise) > NOTHING else 0.0
        place += stride
        block += BLOCK
    if free:
        x[at + V] = v


def advance_linear(x, at, c, ca, n_chains, stride, first, t):
    """Bring a linear neuron to time t: chains go on always, v from the end of the hold."""
    start = x[at + NOW]
    if t <= start:
        return
    x[at + NOW] = t
    until = x[at + UNTIL]
    if until > start:
        relax(x, at, c, ca, n_chains, stride, first, min(until, t) - start, False)
        start = until
    if t > start:
        relax(x, at, c, ca, n_chains, stride, first, t - start, True)


def arrive(at, ca, port, factor, effect, x, c):
    """Add what arrives to a state that is that of now; return whether it changed anything: a jump of v does not
    during a hold."""
    if factor < 0:
        if x[at + UNTIL] >= x[at + NOW]:
            return False
        x[at + port] += effect
    else:
        x[at + port] += c[ca + factor] * effect
    return True


def quiet(x, at, c, ca, n_chains, stride, first):
    """Return whether a bound without exponentials shows that f stays below zero, whatever the neuron does on its
    own."""
    f = x[at + V] - c[ca + THRESHOLD]
    most = 0.0
    place, block = at + first, ca + HEAD
    for _ in range(n_chains):
        i, pull = x[place], c[block + PULL]
        f += c[block + SHARE] * i
        most += max(pull * i, 0.0) * c[block + MOST]
        if stride == 2:
            most += max(pull * x[place + 1], 0.0) * c[block + MOST_RISE]
        place += stride
        block += BLOCK
    m = c[ca + RATE]
    constant = x[at + DRIFT] - m * c[ca + THRESHOLD]
    if constant <= m * f:
        return not f + most > 0.0
    return m > 0.0 and not constant + m * most > 0.0


def earliest(x, at, c, ca, n_chains, stride, first):
    """Return a time in ms before which no crossing can be, by a bound; `SURE` says whether it is the crossing.

    Currents are taken to stay at their largest: then f' = strongest - m f.
    """
    m, threshold = c[ca + RATE], c[ca + THRESHOLD]
    f, constant = x[at + V] - threshold, x[at + DRIFT] - m * threshold
    more, active = 0.0, False
    place, block = at + first, ca + HEAD
    for _ in range(n_chains):
        i, pull = x[place], c[block + PULL]
        f += c[block + SHARE] * i
        more += max(pull * i, 0.0)
        active = active or i != 0.0
        if stride == 2 and x[place + 1] != 0.0:
            more += max(pull * x[place + 1], 0.0) / max(c[block + S], c[block + R])
            active = True
        place += stride
        block += BLOCK
    x[at + SURE] = 1.0
    if f > 0.0:
        return 0.0
    if not active and f < 0.0:
        return leave(f, constant, m)
    if quiet(x, at, c, ca, n_chains, stride, first):
        return FOREVER
    x[at + SURE] = 0.0
    return 0.0 if f == 0.0 else leave(f, constant + more, m) * CAUTION


def level(k, tau, shift, own, terms, work, places):
    """Return exp(shift tau) L_k at tau ms from the beginning of the search, L_0 without the factor.

    Args:
        k: which one.
        tau: ms.
        shift: at most the slowest rate that L_k is made of, 1/ms; with that very rate the value keeps its sign however
            late it is, where L_k itself would be too small for a number.
        own: numbers of this search: f at 0, its constant part A = drift - m v_threshold, m.
        terms: how many chains are active.
        work: for each of them (i, rise, s, r), then for each level and chain (p, q), the weights of i and rise.
        places: where the weights of each level begin, and whether it still has the constant.
    """
    m = own[2]
    total = 0.0
    if k == 0:
        total = own[0] * exp(-m * tau) + own[1] * (tau if m == 0.0 else -expm1(-m * tau) / m)
    elif places[k, 1] != 0:
        total = own[1]
    weights = places[k, 0]
    for j in range(terms):
        i, rise, s, r = work[4 * j], work[4 * j + 1], work[4 * j + 2], work[4 * j + 3]
        p, q = work[weights + 2 * j], work[weights + 2 * j + 1]
        if k == 0:
            total += p * (i * two(s, m, tau) + (rise * three(r, s, m, tau) if rise != 0.0 else 0.0))
            continue
        if p != 0.0:  # what was taken away may be slower than the shift
            kept = i * exp((shift - s) * tau)
            if rise != 0.0:
                kept += rise * two(r - shift, s - shift, tau)
            total += p * kept
        if q != 0.0 and rise != 0.0:
            total += q * rise * exp((shift - r) * tau)
    return total


def slowest_left(k, terms, work, places):
    """Return the slowest rate that L_k is made of."""
    if k == 0 or places[k, 1] != 0:
        return 0.0
    slowest, weights = FOREVER, places[k, 0]
    for j in range(terms):
        if work[weights + 2 * j] != 0.0:
            slowest = min(slowest, work[4 * j + 2])
        elif work[weights + 2 * j + 1] != 0.0 and work[4 * j + 1] != 0.0:
            slowest = min(slowest, work[4 * j + 3])
    return slowest if slowest < FOREVER else 0.0


def zero(k, low, high, f_low, f_high, rate, shift, own, terms, work, places):
    """Return the zero of L_k between low and high, whose values there have different signs.

    exp(rate t) L_k is monotone there. The bracket is first drawn close from its lower end, in steps that begin with the
    fastest time constant, then Newton's method runs in it, with bisection wherever a step would leave it or does not
    halve it.
    """
    width = min(high - low, own[3])
    while low + width < high:
        value = level(k, low + width, shift, own, terms, work, places)
        if (value > 0.0) == (f_high > 0.0) and value != 0.0:
            high, f_high = low + width, value
            break
        low += width
        f_low = value
        if value == 0.0:
            return low
        width *= 4.0
    t = low + (high - low) * f_low / (f_low - f_high)
    if not low < t < high:
        t = 0.5 * (low + high)
    before = high - low
    for turn in range(ENOUGH):
        value = level(k, t, shift, own, terms, work, places)
        if value == 0.0:
            return t
        if (value > 0.0) == (f_high > 0.0):
            high = t
        else:
            low = t
        slope = level(k + 1, t, shift, own, terms, work, places) - (rate - shift) * value
        step = t - value / slope
        if turn % 4 == 3:
            if high - low > 0.5 * before:
                step = 0.5 * (low + high)
            before = high - low
        if not low < step < high:
            step = 0.5 * (low + high)
        if abs(step - t) <= 2e-16 * t or not low < step < high:
            return step
        t = step
    return t


def first_crossing(x, at, c, ca, n_chains, stride, first, work, places, rates, roots):
    """Return in how many ms a linear neuron's f first becomes positive, inf if never; nothing arrives meanwhile.

    Args:
        x, at, c, ca: its state, of the present, and its coefficients.
        n_chains, stride, first: how many chains there are and where in the row.
        work, places, rates, roots: room for numbers.
    """
    m, threshold = c[ca + RATE], c[ca + THRESHOLD]
    f, constant = x[at + V] - threshold, x[at + DRIFT] - m * threshold
    place, block = at + first, ca + HEAD
    for _ in range(n_chains):
        f += c[block + SHARE] * x[place]
        place += stride
        block += BLOCK
    if f > 0.0:
        return 0.0
    if quiet(x, at, c, ca, n_chains, stride, first):
        return FOREVER
    none, one = np.int64(0), np.int64(1)  # as plain constants they would be types of their own, and compiled for
    terms = none
    place, block = at + first, ca + HEAD
    places[0, 0] = places[1, 0] = 4 * n_chains
    start = 4 * n_chains
    rates[0], rates[1] = m, 0.0
    count = one
    places[1, 1] = 0
    if constant != 0.0:
        places[1, 1] = 1
        count = one + one
    fastest = m
    for _ in range(n_chains):
        i, pull, rise, s, r = x[place], c[block + PULL], 0.0, c[block + S], c[block + R]
        if stride == 2:
            rise = x[place + 1]
        if pull != 0.0 and (i != 0.0 or rise != 0.0):
            if rise != 0.0 and s > r:  # the same current with s as the slower rate, which must not go first
                rise, s, r = rise + (r - s) * i, r, s
            work[4 * terms], work[4 * terms + 1] = i, rise
            work[4 * terms + 2], work[4 * terms + 3] = s, r
            work[start + 2 * terms], work[start + 2 * terms + 1] = pull, 0.0
            terms += 1
            rates[count] = s
            count += 1
            fastest = max(fastest, s)
            if rise != 0.0:
                rates[count] = r
                count += 1
                fastest = max(fastest, r)
        place += stride
        block += BLOCK
    if terms == 0:
        return leave(f, constant, m)
    own = (f, constant, m, 1.0 / fastest)
    for k in range(1, count - 1):
        origin, goal = places[k, 0], start + 2 * terms * k
        places[k + 1, 0], places[k + 1, 1] = goal, 0
        for j in range(terms):
            p, q = work[origin + 2 * j], work[origin + 2 * j + 1]
            work[goal + 2 * j] = (rates[k] - work[4 * j + 2]) * p
            work[goal + 2 * j + 1] = (rates[k] - work[4 * j + 3]) * q + p
    horizon = c[ca + HORIZON]
    found = none
    for k in range(count - 2, -1, -1):
        shift = slowest_left(k, terms, work, places)
        low, f_low, new = 0.0, level(k, 0.0, shift, own, terms, work, places), none
        if k == 0:
            f_low = f
            if f == 0.0 and level(one, 0.0, 0.0, own, terms, work, places) > 0.0:
                return 0.0
        for n in range(found + 1):
            high = roots[n] if n < found else horizon
            f_high = level(k, high, shift, own, terms, work, places)
            if k == 0:
                if f_high > 0.0:
                    return zero(none, low, high, f_low, f_high, m, shift, own, terms, work,
                                places) if f_low < 0.0 else low
            elif n < found and f_high == 0.0:
                roots[new] = high
                new += 1
            elif (f_low < 0.0 and f_high > 0.0) or (f_low > 0.0 and f_high < 0.0):
                if k == 1 and count == 3 and constant != 0.0:
                    roots[new] = log(-work[start] * work[0] / constant) / work[2]
                else:
                    roots[new] = zero(k, low, high, f_low, f_high, rates[k], shift, own, terms, work, places)
                new += 1
            low, f_low = high, f_high
        found = new
    return horizon + leave(f_high, constant, m)


def leave(f, constant, m):
    """Return when f' = constant - m f first makes f positive, from f <= 0; inf if never."""
    if not constant > 0.0:
        return FOREVER
    return -f / constant if m == 0.0 else log1p(-f * m / constant) / m
