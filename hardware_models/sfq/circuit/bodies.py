"""Scalar bodies of the compiled loop: the sine, signals of sources, crossings of a level, noise above a gap."""

import numpy as np

TURN_TAYLOR = [(-1) ** k * (2 * np.pi) ** (2 * k + 1) / float(np.prod(np.arange(1.0, 2 * k + 2))) for k in range(11)]
(_S0, _S1, _S2, _S3, _S4, _S5, _S6, _S7, _S8, _S9, _S10) = map(float, TURN_TAYLOR)
PIECE, WAVE = range(2)  #: kinds of signals: straight pieces only, or others too


def sin_turns(u):
    """Return sin(2 pi u), by folding to a quarter turn and a polynomial; absolute error below 3e-16."""
    r = u - np.floor(u + 0.5)
    a = abs(r)
    a = min(a, 0.5 - a)
    z = a * a
    p = _S0 + z * (_S1 + z * (_S2 + z * (_S3 + z * (_S4 + z * (_S5 + z * (_S6 + z * (_S7 + z * (
        _S8 + z * (_S9 + z * _S10)))))))))
    return np.copysign(a * p, r)


def signal(kind, first, last, place, t, cycle, straight, bent):
    """Return the value of a signal at time t and the place of its piece in the tables (see `waveforms.COLUMNS`)."""
    if cycle > 0.0 and t > straight[0, first]:
        t -= np.floor((t - straight[0, first]) / cycle) * cycle
    while place < last and t >= straight[0, place + 1]:
        place += 1
    while place > first and t < straight[0, place]:
        place -= 1
    tau = max(t - straight[0, place], 0.0)
    value = straight[1, place] + straight[2, place] * tau
    if kind == WAVE:
        square, cube, amplitude, decay, speed, phase, rest, fade = (
            bent[0, place], bent[1, place], bent[2, place], bent[3, place], bent[4, place], bent[5, place],
            bent[6, place], bent[7, place])
        value += tau * tau * (square + cube * tau)
        if amplitude != 0.0:
            value += amplitude * np.exp(-decay * tau) * np.sin(speed * tau + phase)
        if rest != 0.0:
            value += rest * np.exp(-fade * tau)
    return value, place


def crossing(a, va, b, vb, h, level):
    """Return when the cubic with ends a, b and slopes va, vb over a step h passes a level; 0 <= result <= h."""
    low, high = 0.0, 1.0
    s = (level - a) / (b - a) if b != a else 0.5
    for _ in range(60):
        if not low <= s <= high:
            s = 0.5 * (low + high)
        q = 1.0 - s
        value = q * q * ((1.0 + 2.0 * s) * a + s * h * va) + s * s * ((3.0 - 2.0 * s) * b - q * h * vb)
        if (value < level) == (b > a):
            low = s
        else:
            high = s
        slope = 6.0 * s * q * (b - a) + (1.0 - s) * (1.0 - 3.0 * s) * h * va + s * (3.0 * s - 2.0) * h * vb
        step = (level - value) / slope if slope != 0.0 else 0.0
        if abs(step) < 1e-12 or high - low < 1e-12:
            break
        s += step
    return h * min(max(s, 0.0), 1.0)


def louder(k, v, g, low, high, s1, s2):
    """Return by how much the noise of a branch grows above its gap, where its conductance is I / V."""
    size = abs(v[k])
    rise = s1[k] * (min(max(size, low[k]), high[k]) - low[k]) + s2[k] * max(size - high[k], 0.0)
    return np.sqrt(1.0 + rise / (size * g[k])) if rise > 0.0 else 1.0
