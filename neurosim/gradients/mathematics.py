"""Scalar bodies of linear neurons for gradients: how states go forward, adjoints go back, and what depends on what.

A neuron obeys  v' = -m v + drift + sum_j gain_j i_j,  i_j' = -s_j i_j + rise_j,  rise_j' = -r_j rise_j.  Its adjoint
(a, b_j, d_j) is the derivative of the loss with respect to (v, i_j, rise_j); going back by dt it is multiplied by the
transpose of the same propagator, so that it decays as the states do. All entries are convolutions of exponentials.

Variables lie one behind the other, each for all neurons: v, then for every chain i and, where the stride is 2, rise.
These functions work on the neurons from `lo` to `hi`, which share the coefficients from `ca` on.
"""

from math import exp, inf, log

import numpy as np

from neurosim.event.exponentials import (
    APART,
    BLOCK,
    CHAINS,
    DRIFT,
    ENOUGH,
    GAIN,
    HEAD,
    PULL,
    RATE,
    SURE,
    THRESHOLD,
    R,
    S,
    V,
    three,
    two,
)

NODES = 6  #: most exponentials that are convolved
TOP = 6  #: derivatives of a neuron before those of its chains


def convolved(a, n, t, table):
    """Return the convolution of exp(-a[0] t), ..., exp(-a[n - 1] t), of any rates, near or equal ones included.

    It is a divided difference of exp(-x t), taken as a series where the rates lie close together.

    Args:
        a: rates, 1/ms; sorted here.
        n: how many.
        t: ms.
        table: room for n numbers.
    """
    for k in range(1, n):
        for j in range(k, 0, -1):
            if a[j - 1] > a[j]:
                a[j - 1], a[j] = a[j], a[j - 1]
    for k in range(n):
        table[k] = exp(-a[k] * t)
    for order in range(1, n):
        for k in range(n - order):
            wide = (a[k + order] - a[k]) * t
            if wide > 0.5:
                table[k] = (table[k] - table[k + 1]) / (a[k + order] - a[k])
                continue
            low, factor = a[k], 1.0
            for j in range(1, order + 1):
                factor *= t / j
            total = factor
            h1 = h2 = h3 = h4 = h5 = 1.0  # complete symmetric polynomials of the first 1, 2, ... gaps
            p1 = (a[k + 1] - low) * t
            p2 = (a[k + 2] - low) * t if order > 1 else 0.0
            p3 = (a[k + 3] - low) * t if order > 2 else 0.0
            p4 = (a[k + 4] - low) * t if order > 3 else 0.0
            p5 = (a[k + 5] - low) * t if order > 4 else 0.0
            for term in range(1, 17):
                factor /= -(term + order)
                h1 = p1 * h1
                h2 = p2 * h2 + h1
                h3 = p3 * h3 + h2
                h4 = p4 * h4 + h3
                h5 = p5 * h5 + h4
                total += factor * h5
            table[k] = exp(-low * t) * total
    return table[0]


def forth(x, at, n, lo, hi, chains, stride, c, ca, drift, da, dt):
    """Let neurons go on freely for dt ms."""
    m = c[ca + RATE]
    em, flat = exp(-m * dt), two(0.0, m, dt)
    count = np.uint64(hi - lo)  # what is counted without a sign vectorises: nobody has to look for a negative index
    v, d = x[at + lo:at + hi], drift[da + lo:da + hi]
    for k in range(count):
        v[k] = v[k] * em + d[k] * flat
    for j in range(chains):
        block = ca + HEAD + j * BLOCK
        s, gain, begin = c[block + S], c[block + GAIN], at + n * (1 + stride * j) + lo
        es, ks = exp(-s * dt), gain * two(s, m, dt)
        i = x[begin:begin + hi - lo]
        if stride == 1:
            for k in range(count):
                now = i[k]
                v[k] += ks * now
                i[k] = now * es
        else:
            r, rise = c[block + R], x[begin + n:begin + n + hi - lo]
            er, kr, kd = exp(-r * dt), two(r, s, dt), gain * three(r, s, m, dt)
            for k in range(count):
                now, more = i[k], rise[k]
                v[k] += ks * now + kd * more
                i[k] = now * es + kr * more
                rise[k] = more * er


def approach(row, c, ca, chains, stride, most):
    """Return in how many ms a neuron crosses its threshold, or, beyond `most` ms, a time before which it does not.

    row[SURE] tells which. With one current that excites, and while f = v - v_threshold < 0,
    f' = constant + pull i exp(-s t) - m f falls as long as it is positive, so that f is concave: each of Newton's steps
    ends before the crossing. Where f' is not positive any more there is no crossing.

    Args:
        row, c, ca: state of now and coefficients, see `exponentials`.
        chains, stride: of the neuron.
        most: ms, finite: towards a rest below the threshold the steps grow without end.

    Returns:
        The time, inf for never, or -1 where f is not known to be concave.
    """
    block = ca + HEAD
    drive, apart, m, s = c[block + PULL] * row[CHAINS], c[block + APART], c[ca + RATE], c[block + S]
    if chains != 1 or stride != 1 or not drive > 0.0 or apart == 0.0 or not m > 0.0:
        return -1.0
    start, constant = row[V] - c[ca + THRESHOLD], row[DRIFT] - m * c[ca + THRESHOLD]
    level, t, f, kept, decay = constant / m, 0.0, start, 1.0, 1.0
    row[SURE] = 1.0
    for _ in range(ENOUGH):
        slope = constant + drive * kept - m * f
        if not slope > 0.0:
            return inf
        step = -f / slope
        if not step > 3e-16 * t:
            return t
        t += step
        if t > most:
            row[SURE] = 0.0
            return t
        kept, decay = exp(-s * t), exp(-m * t)
        f = start * decay + level * (1.0 - decay) + drive * (kept - decay) * apart
        if not f < 0.0:
            return t
    return t


def back(y, at, n, lo, hi, chains, stride, c, ca, dt):
    """Bring adjoints dt ms back."""
    m, count = c[ca + RATE], np.uint64(hi - lo)
    v = y[at + lo:at + hi]
    for j in range(chains):
        block = ca + HEAD + j * BLOCK
        s, gain, begin = c[block + S], c[block + GAIN], at + n * (1 + stride * j) + lo
        es, ks = exp(-s * dt), gain * two(s, m, dt)
        i = y[begin:begin + hi - lo]
        if stride == 1:
            for k in range(count):
                i[k] = i[k] * es + ks * v[k]
        else:
            r, rise = c[block + R], y[begin + n:begin + n + hi - lo]
            er, kr, kd = exp(-r * dt), two(r, s, dt), gain * three(r, s, m, dt)
            for k in range(count):
                rise[k] = rise[k] * er + kr * i[k] + kd * v[k]
                i[k] = i[k] * es + ks * v[k]
    em = exp(-m * dt)
    for k in range(count):
        v[k] *= em


def fed_back(y, at, n, lo, hi, chains, stride, c, ca, dt, rho, ra, a, table):
    """Add to adjoints what rho, the derivative with respect to the integral of v over the last dt ms, brings."""
    m = c[ca + RATE]
    flat = two(0.0, m, dt)
    for k in range(lo, hi):
        y[at + k] += rho[ra + k] * flat
    for j in range(chains):
        block = ca + HEAD + j * BLOCK
        s, gain, i = c[block + S], c[block + GAIN], at + n * (1 + stride * j)
        ks = gain * three(0.0, s, m, dt)
        for k in range(lo, hi):
            y[i + k] += rho[ra + k] * ks
        if stride == 2:
            a[0], a[1], a[2], a[3] = 0.0, c[block + R], s, m
            kd = gain * convolved(a, 4, dt, table)
            for k in range(lo, hi):
                y[i + n + k] += rho[ra + k] * kd


def area(x, at, n, lo, hi, chains, stride, c, ca, drift, da, dt, total, ta, a, table):
    """Add the integral of v over the next dt ms to a total."""
    m = c[ca + RATE]
    kv, flat = two(0.0, m, dt), three(0.0, 0.0, m, dt)
    for k in range(lo, hi):
        total[ta + k] += kv * x[at + k] + flat * drift[da + k]
    for j in range(chains):
        block = ca + HEAD + j * BLOCK
        s, gain, i = c[block + S], c[block + GAIN], at + n * (1 + stride * j)
        ks = gain * three(0.0, s, m, dt)
        for k in range(lo, hi):
            total[ta + k] += ks * x[i + k]
        if stride == 2:
            a[0], a[1], a[2], a[3] = 0.0, c[block + R], s, m
            kd = gain * convolved(a, 4, dt, table)
            for k in range(lo, hi):
                total[ta + k] += kd * x[i + n + k]


def weigh(x, xa, y, ya, n, lo, hi, chains, stride, c, ca, drift, da, dt, rho, ra, out, oa, width, a, table):
    """Add to `out` the derivatives with respect to rates, gains and drift of the dt ms between x and y.

    Args:
        x, xa: states at the beginning.
        y, ya: adjoints at the end.
        rho, ra: derivatives with respect to the integral of v.
        out, oa, width: rows of `width` numbers, see `backward.NUMBER_NAMES`.
    """
    m = c[ca + RATE]
    a[0] = a[1] = m
    mm = convolved(a, 2, dt, table)
    a[0], a[1], a[2] = 0.0, m, m
    om = convolved(a, 3, dt, table)
    a[0], a[1], a[2], a[3] = 0.0, 0.0, m, m
    oom = convolved(a, 4, dt, table)
    flat, flatter = two(0.0, m, dt), three(0.0, 0.0, m, dt)
    for k in range(lo, hi):
        v, g, b, e = x[xa + k], drift[da + k], y[ya + k], rho[ra + k]
        out[oa + k * width] -= b * (v * mm + g * om) + e * (v * om + g * oom)
        out[oa + k * width + 1] += b * flat + e * flatter
    for j in range(chains):
        block, place = ca + HEAD + j * BLOCK, oa + TOP + 4 * j
        s, gain, off = c[block + S], c[block + GAIN], n * (1 + stride * j)
        sm, osm = two(s, m, dt), three(0.0, s, m, dt)
        a[0], a[1], a[2] = s, m, m
        smm = convolved(a, 3, dt, table)
        a[0], a[1], a[2] = s, s, m
        ssm = convolved(a, 3, dt, table)
        a[0], a[1], a[2], a[3] = 0.0, s, m, m
        osmm = convolved(a, 4, dt, table)
        a[0], a[1], a[2], a[3] = 0.0, s, s, m
        ossm = convolved(a, 4, dt, table)
        a[0] = a[1] = s
        ss = convolved(a, 2, dt, table)
        for k in range(lo, hi):
            i, b, e = x[xa + off + k], y[ya + k], rho[ra + k]
            out[oa + k * width] -= gain * i * (b * smm + e * osmm)
            out[place + k * width] -= gain * i * (b * ssm + e * ossm) + y[ya + off + k] * i * ss
            out[place + k * width + 2] += i * (b * sm + e * osm)
        if stride == 1:
            continue
        r, rise = c[block + R], off + n
        rsm = three(r, s, m, dt)
        a[0], a[1], a[2], a[3] = r, s, m, m
        rsmm = convolved(a, 4, dt, table)
        a[0], a[1], a[2], a[3] = r, s, s, m
        rssm = convolved(a, 4, dt, table)
        a[0], a[1], a[2], a[3] = r, r, s, m
        rrsm = convolved(a, 4, dt, table)
        a[0], a[1], a[2], a[3] = 0.0, r, s, m
        orsm = convolved(a, 4, dt, table)
        a[0], a[1], a[2], a[3], a[4] = 0.0, r, s, m, m
        orsmm = convolved(a, 5, dt, table)
        a[0], a[1], a[2], a[3], a[4] = 0.0, r, s, s, m
        orssm = convolved(a, 5, dt, table)
        a[0], a[1], a[2], a[3], a[4] = 0.0, r, r, s, m
        orrsm = convolved(a, 5, dt, table)
        a[0], a[1], a[2] = r, s, s
        rss = convolved(a, 3, dt, table)
        a[0], a[1], a[2] = r, r, s
        rrs = convolved(a, 3, dt, table)
        a[0] = a[1] = r
        rr = convolved(a, 2, dt, table)
        for k in range(lo, hi):
            d, b, e = x[xa + rise + k], y[ya + k], rho[ra + k]
            bi, bd = y[ya + off + k], y[ya + rise + k]
            out[oa + k * width] -= gain * d * (b * rsmm + e * orsmm)
            out[place + k * width] -= gain * d * (b * rssm + e * orssm) + bi * d * rss
            out[place + k * width + 1] -= gain * d * (b * rrsm + e * orrsm) + bi * d * rrs + bd * d * rr
            out[place + k * width + 2] += d * (b * rsm + e * orsm)


def summits(x, at, n, lo, hi, chains, c, ca, drift, da, now, until, largest, latest, leaning):
    """Note the largest v of readouts between now and until, when, and its slope there where that is not 0: < 0 where v
    has just jumped there, > 0 where it rises to the end."""
    dt = until - now
    m = c[ca + RATE]
    s = c[ca + HEAD + S] if chains > 0 else 0.0
    gain = c[ca + HEAD + GAIN] if chains > 0 else 0.0
    em, es, flat, ks = exp(-m * dt), exp(-s * dt), two(0.0, m, dt), two(s, m, dt)
    for k in range(lo, hi):
        v, pull, place = x[at + k], 0.0, da + k
        if chains > 0:
            pull = gain * x[at + n + k]
        rest = drift[place] - m * v
        slope = rest + pull
        if v > largest[place]:
            largest[place], latest[place], leaning[place] = v, now, min(slope, 0.0)
        if slope <= 0.0:
            continue
        # slope(u) = rest exp(-m u) + pull (exp(-s u) - m conv(s, m, u)), which has one zero at most
        end = rest * em + pull * (es - m * ks)
        then, at_then = dt, v * em + drift[place] * flat + pull * ks
        if end < 0.0:
            then = min(max(turning(rest, pull, m, s, dt), 0.0), dt)
            at_then = v * exp(-m * then) + drift[place] * two(0.0, m, then) + pull * two(s, m, then)
        if at_then > largest[place]:
            # now + dt may be another number than until, and the way back asks which arrival was at that very instant
            largest[place], leaning[place] = at_then, max(end, 0.0)
            latest[place] = now + then if then < dt else until


def turning(rest, pull, m, s, dt):
    """Return when v, which rises at first and falls dt ms later, stands still; see `summits`."""
    gap = s - m
    if abs(gap) > 0.01 * s:  # exp(m u) slope(u) = (rest - m q) + s q exp(-gap u), with q = pull / gap
        return -log((m * pull / gap - rest) / (s * pull / gap)) / gap
    low, high = 0.0, dt
    for _ in range(200):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if rest * exp(-m * middle) + pull * (exp(-s * middle) - m * two(s, m, middle)) > 0.0:
            low = middle
        else:
            high = middle
    return low
