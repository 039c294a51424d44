"""The compiled loops of a layer's neurons: the ticks forward, the ticks backward.

One text serves every layer. A `Kind` says which variables a neuron has and what a spike does; it becomes constants in
front of the text, so that what a kind does not have costs nothing.
"""

from dataclasses import dataclass
from typing import Any

from neurosim.bridge.surrogates import Surrogate
from neurosim.engine.loader import load_function

JUMP, CURRENT, SAME_TICK = "jump", "current", "same_tick"


@dataclass(frozen=True)
class Kind:
    """What decides the text of a layer's loops.

    Args:
        input: what arrives does: "jump" of v, "current" that acts from the next tick on, or "same_tick", a current that
            acts at once.
        spiking: whether there is a threshold at all.
        adaptive: whether a spike raises the threshold.
        subtract: whether a spike lowers v by an amount instead of setting it to a value.
        detach: whether the gradient leaves out the reset's way through the spike.
        refractory: for how many ticks v is held after a spike.
        recurrent: whether the layer's spikes come back a tick later.
        surrogate: what stands for the derivative of a spike.
    """

    input: str
    spiking: bool
    adaptive: bool
    subtract: bool
    detach: bool
    refractory: int
    recurrent: bool
    surrogate: Surrogate

    @property
    def flags(self) -> str:
        """The constants in front of the text."""
        values = {"JUMP": self.input == JUMP, "SAME_TICK": self.input == SAME_TICK, "SPIKING": self.spiking,
                  "ADAPTIVE": self.adaptive, "SUBTRACT": self.subtract, "DETACH": self.detach,
                  "REFRACTORY": self.refractory > 0, "RECURRENT": self.recurrent}
        return "import numpy as np\n\n" + "".join(f"{name} = {value}\n" for name, value in values.items())

    def forward(self, real: Any) -> Any:
        """Return the compiled loop over ticks; it turns sums of arrivals into membranes in their place."""
        return load_function("bridge_forward", self.flags + FORWARD, {}, real)

    def backward(self, real: Any) -> Any:
        """Return the compiled loop over ticks from the last to the first."""
        return load_function("bridge_backward", self.flags + BACKWARD, {"slope": type(self.surrogate).slope}, real)


# Each loop over neurons writes one or two arrays and reads few: only such loops become vector instructions, as the
# compiler compares the places of all arrays of a loop before it, and gives up where these are many.

# u holds the sums of arrivals and becomes v before the reset; v, i, a, last and held go from the state before to that
# after. A spike is compared, and v reset, exactly as the core does it.
FORWARD = """
def main(u, s, i_all, a_all, free, lengths, bias, recurrent, v, i, a, last, held, beta, alpha, gain, threshold, down,
         gamma, rise, n_ref, begin, end):
    ticks, _, n = u.shape
    zero, one = u.dtype.type(0), u.dtype.type(1)
    for b in range(begin, end):
        now, vb, ib, ab, heldb = last[b], v[b], i[b], a[b], held[b]
        for t in range(lengths[b], ticks):
            u[t, b] = zero
            if SPIKING:
                s[t, b] = zero
        for t in range(lengths[b]):
            x = u[t, b]
            for k in range(n):
                x[k] += bias[k]
            if RECURRENT:
                for j in range(n):
                    if now[j] != 0:
                        row = recurrent[j]
                        for k in range(n):
                            x[k] += row[k]
            if JUMP:
                for k in range(n):
                    x[k] = beta[k] * vb[k] + x[k]
            elif SAME_TICK:
                kept = i_all[t, b]
                for k in range(n):
                    ib[k] = alpha[k] * ib[k] + x[k]
                for k in range(n):
                    x[k] = beta[k] * vb[k] + ib[k]
                for k in range(n):
                    kept[k] = ib[k]
            else:
                kept = i_all[t, b]
                for k in range(n):
                    kept[k] = alpha[k] * ib[k] + x[k]
                for k in range(n):
                    x[k] = beta[k] * vb[k] + gain[k] * ib[k]
                for k in range(n):
                    ib[k] = kept[k]
            if REFRACTORY:
                for k in range(n):
                    x[k] = vb[k] if heldb[k] > 0 else x[k]
            if SPIKING:
                now = s[t, b]
                if ADAPTIVE:
                    raised = a_all[t, b]
                    for k in range(n):
                        raised[k] = gamma[k] * ab[k]
                    for k in range(n):
                        now[k] = one if x[k] > threshold[k] + raised[k] else zero
                else:
                    for k in range(n):
                        now[k] = one if x[k] > threshold[k] else zero
                if REFRACTORY:
                    able = free[t, b]
                    for k in range(n):
                        able[k] = one if heldb[k] == 0 else zero
                        now[k] = now[k] * able[k]
                        heldb[k] = n_ref if now[k] != 0 else max(heldb[k] - 1, 0)
                if ADAPTIVE:
                    for k in range(n):
                        ab[k] = raised[k] + (rise[k] if now[k] != 0 else zero)
                if SUBTRACT:
                    for k in range(n):
                        vb[k] = x[k] - down[k] if now[k] != 0 else x[k]
                else:
                    for k in range(n):
                        vb[k] = down[k] if now[k] != 0 else x[k]
            else:
                for k in range(n):
                    vb[k] = x[k]
        if SPIKING:
            for k in range(n):
                last[b, k] = now[k]
"""

# gv, gi, ga and gl go from the gradients of the state after to those of the state before; gx becomes that of the sums.
# Several samples are at the same tick where the layer is recurrent, so that its weights are fetched once for all.
BACKWARD = """import numpy as np

def main(gs, gx, u, s, i_all, a_all, free, lengths, back, v0, i0, a0, last0, gv, gi, ga, gl, beta, alpha, gain,
         threshold, down, gamma, rise, sharpness, learns, g_beta, g_alpha, g_gain, g_threshold, g_down, g_gamma, g_rise,
         begin, end):
    n = u.shape[2]
    zero, one = u.dtype.type(0), u.dtype.type(1)
    gu, g, through = np.empty(n, u.dtype), np.empty(n, u.dtype), np.empty(n, u.dtype)
    together = 8 if RECURRENT else 1
    for first in range(begin, end, together):
        behind = min(first + together, end)
        longest = 0
        for b in range(first, behind):
            longest = max(longest, lengths[b])
            for t in range(lengths[b], u.shape[0]):
                gx[t, b] = zero
        for t in range(longest - 1, -1, -1):
            for b in range(first, behind):
                if t >= lengths[b]:
                    continue
                gsb, gxb, y, gvb = gs[t, b], gx[t, b], u[t, b], gv[b]
                if SPIKING:
                    fired, glb = s[t, b], gl[b]
                    if ADAPTIVE:
                        gab, raised = ga[b], a_all[t, b]
                        for k in range(n):
                            through[k] = slope(y[k] - (threshold[k] + raised[k]), sharpness)
                        for k in range(n):
                            g[k] = gsb[k] + glb[k] + rise[k] * gab[k]
                    else:
                        for k in range(n):
                            through[k] = slope(y[k] - threshold[k], sharpness)
                        for k in range(n):
                            g[k] = gsb[k] + glb[k]
                    if not DETACH:
                        if SUBTRACT:
                            for k in range(n):
                                g[k] -= gvb[k] * down[k]
                        else:
                            for k in range(n):
                                g[k] += gvb[k] * (down[k] - y[k])
                    for k in range(n):
                        through[k] *= g[k]
                    if REFRACTORY:
                        able = free[t, b]
                        for k in range(n):
                            through[k] *= able[k]
                    if SUBTRACT:
                        for k in range(n):
                            gu[k] = gvb[k] + through[k]
                    else:
                        for k in range(n):
                            gu[k] = (zero if fired[k] != 0 else gvb[k]) + through[k]
                    if learns:
                        for k in range(n):
                            g_threshold[k] -= through[k]
                            g_down[k] += -gvb[k] * fired[k] if SUBTRACT else gvb[k] * fired[k]
                    if ADAPTIVE:
                        if learns:
                            for k in range(n):
                                before = a0[b, k]
                                if t > 0:
                                    before = a_all[t - 1, b, k] + rise[k] * s[t - 1, b, k]
                                g_rise[k] += fired[k] * gab[k]
                                g_gamma[k] += (gab[k] - through[k]) * before
                        for k in range(n):
                            gab[k] = gamma[k] * (gab[k] - through[k])
                else:
                    for k in range(n):
                        gu[k] = gvb[k] + gsb[k]
                if REFRACTORY:
                    for k in range(n):
                        g[k] = gu[k] * (one - able[k])
                    for k in range(n):
                        gu[k] -= g[k]
                if learns:
                    for k in range(n):
                        before = v0[b, k]
                        if t > 0:
                            before = u[t - 1, b, k]
                            if SPIKING:
                                was = s[t - 1, b, k]
                                if SUBTRACT:
                                    before = before - down[k] if was != 0 else before
                                else:
                                    before = down[k] if was != 0 else before
                        g_beta[k] += gu[k] * before
                for k in range(n):
                    gvb[k] = beta[k] * gu[k]
                if REFRACTORY:
                    for k in range(n):
                        gvb[k] += g[k]
                if JUMP:
                    for k in range(n):
                        gxb[k] = gu[k]
                else:
                    gib = gi[b]
                    if SAME_TICK:
                        for k in range(n):
                            gxb[k] = gib[k] + gu[k]
                    else:
                        for k in range(n):
                            gxb[k] = gib[k]
                    if learns:
                        for k in range(n):
                            current = i0[b, k] if t == 0 else i_all[t - 1, b, k]
                            g_alpha[k] += gxb[k] * current
                            if not SAME_TICK:
                                g_gain[k] += gu[k] * current
                    for k in range(n):
                        gib[k] = alpha[k] * gxb[k]
                    if not SAME_TICK:
                        for k in range(n):
                            gib[k] += gain[k] * gu[k]
                if SPIKING:
                    for k in range(n):
                        glb[k] = zero
            if RECURRENT:
                for j in range(0, n - 3, 4):
                    r0, r1, r2, r3 = back[j], back[j + 1], back[j + 2], back[j + 3]
                    for b in range(first, behind):
                        if t < lengths[b]:
                            x0, x1, x2, x3 = gx[t, b, j], gx[t, b, j + 1], gx[t, b, j + 2], gx[t, b, j + 3]
                            to = gl[b]
                            for k in range(n):
                                to[k] += x0 * r0[k] + x1 * r1[k] + x2 * r2[k] + x3 * r3[k]
                for j in range(n - n % 4, n):
                    for b in range(first, behind):
                        if t < lengths[b]:
                            for k in range(n):
                                gl[b, k] += gx[t, b, j] * back[j, k]
"""
