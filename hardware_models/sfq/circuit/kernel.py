"""The compiled loop over time: many variants of one circuit side by side, in groups of `width` lanes.

One step of length h takes the trapezoidal rule. In the flux lam of a branch (its phase times Phi0 / 2 pi), with
v = dlam/dt, the current through conductance G, capacitance C and junction at the end of the step is

    g0 lam' - (g0 lam + a1 v + i_C) + Ic sin(2 pi lam' / Phi0),   g0 = 4 C / h^2 + 2 G / h,   a1 = 4 C / h + G

so that the fluxes of the nodes solve a linear system with a matrix that depends on h alone, and a right-hand side
with the sines. These are taken at an extrapolated flux, and again at the result, by the same factors, in those lanes
where that matters. All arrays are flat, with the lanes of a branch or node side by side.

The text is generated: lines that begin with `@` are written once for each lane (`#` stands for its number), all
loads before all stores, so that the compiler makes vectors of them.
"""

import numpy as np

from hardware_models.sfq.circuit.bodies import crossing, louder, signal, sin_turns
from neurosim.random import philox

BLOCK = 256  #: numbers of a row that are worked on at a time, so that all rows of a block stay in the fastest cache

_FACTOR = """
import numpy as np


def main(n, lp, ops, op_dest, op_p, op_q, values, worst):
    W = {W}
    for k in range(n):
        @d# = values[k * W + #]
        @worst[#] = min(worst[#], d#)
        @d# = 1.0 / d#
        for o in range(ops[k], ops[k + 1]):
            p, q, t = op_p[o] * W, op_q[o] * W, op_dest[o] * W
            @a# = values[p + #] * values[q + #] * d#
            @b# = values[t + #]
            @values[t + #] = b# - a#
        for o in range(lp[k], lp[k + 1]):
            @values[(n + o) * W + #] *= d#
        @values[k * W + #] = d#
"""

_SOLVE = """
{i}for p in range(entries):
{i}    at, j, low = li[p] * W, lj[p] * W, f0 + (n + p) * W
{i}    @x# = {x}[j + #]
{i}    @a# = fac[low + #]
{i}    @b# = {x}[at + #]
{i}    @{x}[at + #] = b# - a# * x#
{i}for k in range(n * W):
{i}    {x}[k] *= fac[f0 + k]
{i}for back in range(entries):
{i}    p = entries - one - back
{i}    at, j, low = li[p] * W, lj[p] * W, f0 + (n + p) * W
{i}    @x# = {x}[at + #]
{i}    @a# = {upper}[low + #]
{i}    @b# = {x}[j + #]
{i}    @{x}[j + #] = b# - a# * x#
"""

_SCATTER = """
{i}for b in range(nb):
{i}    p, k = rp[b] * W, b * W
{i}    @a# = {current}[k + #]
{i}    @b# = {x}[p + #]
{i}    @{x}[p + #] = b# + a#
{i}for at in range(nm):
{i}    m, k = rm[at] * W, between[at] * W
{i}    @a# = {current}[k + #]
{i}    @b# = {x}[m + #]
{i}    @{x}[m + #] = b# - a#
"""

_GATHER = """
{i}for b in range(nb):
{i}    p, k = bp[b] * W, b * W
{i}    @a# = {x}[p + #]
{i}    @{lam}[k + #] = a#
{i}for at in range(nm):
{i}    m, k = bm[at] * W, between[at] * W
{i}    @a# = {lam}[k + #]
{i}    @b# = {x}[m + #]
{i}    @{lam}[k + #] = a# - b#
"""

_RUN = """
import numpy as np


def main(clock, ticks, h_tick, tolerance, accuracy, n, lj, li, factors, above, bp, rp, between, bm, rm, ic, shift, g, c,
         elastance, rigid, g0s, a1s, weights, gap_weights, wn, lam, v, ci, acc, x, dx, used, new, cur, sine,
         sp, sm, fed, fed_by, fed_sign, scale, srow, kinds, firsts, lasts, places, cycles, straight, bent, sv,
         nzb, amp, keys, key0, key1, stream, nz,
         ob, ok, osign, boff, dn, dk, dc, vrow, turned, wv,
         line_branch, line_z, line_delay, waves, incoming,
         held, held_row, held_rate,
         gap_low, gap_high, gap_s1, gap_s2,
         nw, turns, upper, lower, phase_state, since, ev_time, ev_branch, ev_sign, ev_count,
         rec, every, rec_time, rec_lam, rec_v, fault, gapped, energetic, diss, drive):
    W = np.uint64({W})
    zero, one, block = np.uint64(0), np.uint64(1), np.uint64(BLOCK)
    nb, ns, nr, nn = np.uint64(bp.size), np.uint64(srow.size // W), np.uint64(rec.size), np.uint64(nzb.size)
    nm, nf, entries = np.uint64(between.size), np.uint64(fed.size), np.uint64(li.size)
    nk, nx, nd, no, nv = nb * W, np.uint64(x.size), np.uint64(dn.size), np.uint64(ob.size), np.uint64(wn.size)
    rungs = g0s.shape[0]
    room = ev_time.shape[1] - 2 * np.int64(nw)
    ports, depth = np.uint64(line_branch.size), np.int64(waves.shape[0])
    per = np.uint64(factors.size // g0s.shape[0])
    tick, rung, samples = clock[0], clock[1], 0
    end = tick + ticks
    flags, swapped = np.zeros({W}, dtype=np.bool_), False
    while tick < end:
        span = 1
        if rungs > 1:
            span = 1 << rung
            while rung > 0 and (tick % span != 0 or tick + span > end):
                rung -= 1
                span = 1 << rung
        h = h_tick * span
        time = (tick + span) * h_tick
        fac, f0 = factors, per * np.uint64(rung)
        g0, a1, weight = g0s[rung], a1s[rung], weights[rung]
        # what the branches remember, and the sines at extrapolated fluxes
        square, rate, per_h = h * h, 2.0 / h, 1.0 / h
        for lo in range(zero, nk, block):
            hi = min(lo + block, nk)
            for k in range(lo, hi):
                bend = elastance[k] * ci[k] + rigid[k] * acc[k]  # the second derivative of the flux
                used[k] = lam[k] + h * v[k] + square * (bend - 0.5 * acc[k])
            for k in range(lo, hi):
                sine[k] = ic[k] * sin_turns(used[k] * PER_PHI0 - shift[k])
            if gapped:
                for k in range(lo, hi):
                    new[k] = rate * (used[k] - lam[k]) - v[k]
                for k in range(lo, hi):
                    size = abs(new[k])
                    rise = gap_s1[k] * (min(max(size, gap_low[k]), gap_high[k]) - gap_low[k])
                    rise += gap_s2[k] * max(size - gap_high[k], 0.0)
                    sine[k] += np.copysign(rise, new[k])
            for k in range(lo, hi):
                cur[k] = g0[k] * lam[k] + a1[k] * v[k] + ci[k] - sine[k]
                new[k] = 0.0
        if nn > 0:
            if tick & 3 == 0:
                for i in range(nn):
                    for l in range(W):
                        w0, w1, w2, w3 = philox(i, np.uint64(tick >> 2), stream, keys[l], key0, key1)
                        r = np.sqrt(-2.0 * np.log((np.float64(w0) + 0.5) * 2.3283064365386963e-10))
                        s = np.sqrt(-2.0 * np.log((np.float64(w1) + 0.5) * 2.3283064365386963e-10))
                        a = np.float64(w2) * 2.3283064365386963e-10
                        e = np.float64(w3) * 2.3283064365386963e-10
                        at = i * W + l
                        nz[0, at], nz[1, at] = r * sin_turns(a), r * sin_turns(a + 0.25)
                        nz[2, at], nz[3, at] = s * sin_turns(e), s * sin_turns(e + 0.25)
            draws = nz[tick & 3]
            for i in range(nn):
                k, at = nzb[i] * W, i * W
                @a# = amp[at + #] * draws[at + #]
                if gapped:
                    @a# *= louder(k + #, v, g, gap_low, gap_high, gap_s1, gap_s2)
                @b# = cur[k + #]
                @cur[k + #] = b# - a#
        if ports > 0:  # the waves that left the other ends of the lines some time ago
            for i in range(ports):
                other, k = i ^ one, line_branch[i] * W
                back = line_delay[i] / h_tick
                whole = np.int64(back)
                part = back - whole
                one_ago, two_ago = (tick + 1 - whole) % depth, (tick - whole) % depth
                for l in range(W):
                    wave = (1.0 - part) * waves[one_ago, other * W + l] + part * waves[two_ago, other * W + l]
                    incoming[i * W + l] = wave
                    cur[k + l] += wave * line_z[i * W + l]
        # sources
        for r in range(kinds.size):
            sv[r], places[r] = signal(kinds[r], firsts[r], lasts[r], places[r], time, cycles[r], straight, bent)
        for k in range(nx):
            x[k] = 0.0
            dx[k] = 0.0
        for s in range(nf):
            m, k, sign = fed[s] * W, fed_by[s] * W, fed_sign[s]
            @a# = sign * scale[k + #] * sv[srow[k + #]]
            @b# = dx[m + #]
            @dx[m + #] = b# + a#
        if nv > 0:
            for k in range(nv):
                wv[3, k] = wn[k] * sv[vrow[k]]
                wv[2, k] = wv[3, k] if turned[k] else wv[0, k] + 0.5 * h * (wv[1, k] + wv[3, k])
            for k in range(nk):
                boff[k] = 0.0
            for e in range(no):
                for l in range(W):
                    boff[ob[e] * W + l] += osign[e] * wv[2, ok[e] * W + l]
            for k in range(nk):
                cur[k] -= g0[k] * boff[k]
                new[k] = boff[k]
            for e in range(nd):
                for l in range(W):
                    dx[dn[e] * W + l] -= dc[e * W + l] * wv[2, dk[e] * W + l]
{memory}        # solve; and again with the sines at the result, where the extrapolation was too far off
        for attempt in range(MOST):
{scatter}
            for k in range(n * W, nx):
                dx[k] = 0.0
{solve}
            for k in range(nx):
                x[k] += dx[k]
{gather}
            bad, wild = 0, 0
            for lo in range(zero, nk, block):
                hi = min(lo + block, nk)
                for k in range(lo, hi):
                    new[k] += cur[k]
                for k in range(lo, hi):
                    cur[k] = abs(new[k] - used[k]) * weight[k]
                if gapped:
                    for k in range(lo, hi):
                        size = max(abs(rate * (new[k] - lam[k]) - v[k]), abs(rate * (used[k] - lam[k]) - v[k]))
                        cur[k] += abs(new[k] - used[k]) * gap_weights[rung, k] if size > gap_low[k] else 0.0
                for k in range(lo, hi):
                    bad += 1 if cur[k] > tolerance else 0
                    wild += 0 if cur[k] < 0.5 else 1
            if wild > 0 or (bad > 0 and attempt == MOST - 1):
                fault[0] = 1 if wild > 0 else 2
                worst = -1.0
                for k in range(nk):
                    if not cur[k] <= worst:
                        worst, fault[1], fault[2] = cur[k], k // W, k % W
                    if not cur[k] < 0.5:
                        break
                clock[0], clock[1] = tick, rung
                return samples
            if bad == 0:
                break
            for l in range(W):
                flags[l] = False
            for b in range(nb):
                for l in range(W):
                    k = b * W + l
                    if cur[k] > tolerance:
                        flags[l] = True
            for k in range(nk):
                cur[k] = ic[k] * sin_turns(new[k] * PER_PHI0 - shift[k])
            if gapped:
                for k in range(nk):
                    now = rate * (new[k] - lam[k]) - v[k]
                    size = abs(now)
                    rise = gap_s1[k] * (min(max(size, gap_low[k]), gap_high[k]) - gap_low[k])
                    rise += gap_s2[k] * max(size - gap_high[k], 0.0)
                    cur[k] += np.copysign(rise, now)
            for b in range(nb):
                for l in range(W):
                    k = b * W + l
                    change = sine[k] - cur[k]
                    sine[k] = cur[k] if flags[l] else sine[k]
                    cur[k] = change if flags[l] else 0.0
                    used[k] = new[k]
            for k in range(nx):
                dx[k] = 0.0
        error = 0.0
        if rungs > 1:
            for k in range(nw * W):  # the rule's own error, a twelfth of h^3 times the third derivative
                dv = rate * (new[k] - lam[k]) - 2.0 * v[k]
                bend = elastance[k] * (rate * c[k] * dv - 2.0 * ci[k]) + rigid[k] * (dv / h - acc[k])
                error = max(error, abs(bend))
            error *= square * PER_PHI0 * 6.283185307179586 / 12.0
            if error > accuracy and rung > 0:
                rung -= 1
                continue
        # new voltages and currents of capacitances
        if energetic:
            for k in range(nk):
                cur[k] = rate * (new[k] - lam[k]) - v[k]
            for k in range(nk):
                diss[k] += 0.5 * h * g[k] * (v[k] * v[k] + cur[k] * cur[k])
            for k in range(nk):
                rise = sine[k] - ic[k] * sin_turns(new[k] * PER_PHI0 - shift[k])  # current above the gap
                diss[k] += h * rise * cur[k]
            for s in range(ns):
                for l in range(W):
                    k = s * W + l
                    p, m = sp[s] * W + l, sm[s] * W + l
                    now, flux = scale[k] * sv[srow[k]], x[m] - x[p]
                    drive[0, k] += 0.5 * (now + drive[1, k]) * (flux - drive[2, k])
                    drive[1, k], drive[2, k] = now, flux
        for lo in range(zero, nk, block):
            hi = min(lo + block, nk)
            for k in range(lo, hi):
                now = rate * (new[k] - lam[k]) - v[k]
                dv = now - v[k]
                cur[k] = now
                ci[k] = rate * c[k] * dv - ci[k]
                acc[k] = dv * per_h
            # pulses: a phase passes an odd multiple of pi, see `PHASES`
            hits = 0
            for k in range(lo, max(lo, min(hi, nw * W))):
                hits += 1 if new[k] >= upper[k] or new[k] <= lower[k] else 0
            if hits > 0:
                for b in range(lo // W, min(hi // W, nw)):
                    for l in range(W):
                        k = b * W + l
                        found, moves = 0, 0
                        while (new[k] >= upper[k] or new[k] <= lower[k]) and found < 2 and moves < 6:
                            moves += 1
                            rising = new[k] >= upper[k]
                            sign = 1.0 if rising else -1.0
                            state = phase_state[k]
                            toward = state * sign  # > 0: away from the level that was passed, < 0: back to it
                            if state == 0 or (abs(state) == 2 and toward < 0.0):
                                e = ev_count[l]
                                level = upper[k] if rising else lower[k]
                                ev_time[l, e] = since[k] if state != 0 else (
                                    time - h + crossing(lam[k], v[k], new[k], cur[k], h, level))
                                ev_branch[l, e], ev_sign[l, e] = b, sign
                                ev_count[l] = e + 1
                                turns[k] += sign
                                phase_state[k] = sign if state == 0 else 0.0
                                found += 1
                            elif abs(state) == 1 and toward > 0.0:
                                phase_state[k] = 0.0
                            elif abs(state) == 1:
                                phase_state[k] = 2.0 * state
                                level = upper[k] if rising else lower[k]
                                since[k] = time - h + crossing(lam[k], v[k], new[k], cur[k], h, level)
                            else:
                                phase_state[k] = 0.5 * state
                            state = phase_state[k]
                            up, down = turns[k] + 0.5, turns[k] - 0.5
                            if state > 0.0:
                                up, down = (down + HYST, down) if state == 1.0 else (down, down - HYST)
                            elif state < 0.0:
                                up, down = (up, up - HYST) if state == -1.0 else (up + HYST, up)
                            upper[k], lower[k] = up / PER_PHI0, down / PER_PHI0
        if ports > 0:
            for i in range(ports):
                k = line_branch[i] * W
                for l in range(W):
                    waves[(tick + span) % depth, i * W + l] = 2.0 * cur[k + l] - incoming[i * W + l]
        for k in range(nv):
            wv[0, k], wv[1, k] = wv[2, k], wv[3, k]
        lam, new = new, lam  # what is old now is written over in the next step
        v, cur = cur, v
        swapped = not swapped
        tick += span
        if nr > 0 and (every == 0 or tick % every == 0):
            rec_time[samples] = time
            for i in range(nr):
                for l in range(W):
                    rec_lam[samples, i * W + l] = lam[rec[i] * W + l]
                    rec_v[samples, i * W + l] = v[rec[i] * W + l]
            samples += 1
        if rungs > 1:
            if error < 0.1 * accuracy and rung < rungs - 1 and tick % (2 * span) == 0:
                rung += 1
        full = False
        for l in range(W):
            full = full or ev_count[l] > room
        if full:
            break
    if swapped:  # the arrays that the caller knows as `lam` and `v` are the other ones
        for k in range(nk):
            new[k] = lam[k]
            cur[k] = v[k]
    clock[0], clock[1] = tick, rung
    return samples
"""


#: How pulses are found. State 0: the phase was 1 rad beyond the level last passed (or none was passed): the next
#: crossing of pi counts at once, up or down. State +1 (-1): a level has just been passed upwards (downwards). From
#: there, 1 rad beyond it leads to state 0; back through the level leads to +2 (-2), which notes the time. From +2 (-2),
#: through the level again leads back to +1 (-1), and 1 rad beyond, on the other side, counts a pulse of the other sign
#: at the time noted. So a phase that trembles about pi counts once, and every time is that of a crossing of pi.
PHASES = (0, 1, -1, 2, -2)


def _written(text: str, width: int) -> str:
    """Return the text of a kernel for a width, with the lines of lanes written out."""
    out = []
    for line in text.splitlines():
        lanes = range(width) if line.lstrip().startswith("@") else [None]
        out += [line if lane is None else line.replace("@", "", 1).replace("#", str(lane)) for lane in lanes]
    return "\n".join(out) + "\n"


_MEMORY = """
        # what controlled sources remember of the voltages that they follow
        for i in range(held.size):
            k = held[i] * W
            for l in range(W):
                at = held_row[i] * W + l
                dx[at] += held_rate[i] * (rate * lam[k + l] + v[k + l])
"""


def load_run(width: int, general: bool = False):
    """Return the compiled loop over time for groups of `width` lanes; `general`: the matrix is not symmetric."""
    from hardware_models.sfq.circuit.units import PHI0
    from neurosim.engine.loader import load_function

    parts = {"scatter": _SCATTER.format(i=" " * 12, x="dx", current="cur"),
             "solve": _SOLVE.format(i=" " * 12, x="dx", upper="above" if general else "fac"),
             "gather": _GATHER.format(i=" " * 12, x="dx", lam="cur"), "memory": _MEMORY if general else ""}
    constants = f"PER_PHI0 = {1.0 / PHI0!r}\nHYST = {0.5 / np.pi!r}\nMOST = 60\nBLOCK = {BLOCK}\n"
    text = constants + _written(_RUN.format(W=width, **parts), width)
    return load_function("sfq_run", text, {"philox": philox, "sin_turns": sin_turns, "signal": signal,
                                           "crossing": crossing, "louder": louder})


def load_factor(width: int):
    """Return the compiled factorisation L D L^T of `width` matrices of one pattern."""
    from neurosim.engine.loader import load_function

    return load_function("sfq_factor", _written(_FACTOR.format(W=width), width), {})
