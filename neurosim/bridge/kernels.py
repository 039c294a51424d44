"""The compiled loops of a layer: the sums that spikes bring, the ticks forward, the ticks backward.

One text serves every layer. A `Kind` says which variables a neuron has and what a spike does; it becomes constants in
front of the text, so that what a kind does not have costs nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

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


def active(x: np.ndarray, in_parts: Callable[..., None]) -> tuple[np.ndarray, np.ndarray]:
    """Return where the inputs of each row are not zero: where each row's list begins, and the list.

    Args:
        x: inputs, shape (rows, inputs).
        in_parts: calls a function (part, begin, end) for all rows, in one part or several at the same time.

    >>> active(np.array([[0.0, 1.0], [1.0, 1.0]]), lambda work, n: work(0, 0, n))
    (array([0, 1, 3]), array([1, 0, 1], dtype=int32))
    """
    first = np.zeros(len(x) + 1, dtype=np.int64)
    count, enlist = load_function("bridge_count", COUNT, {}), load_function("bridge_list", LIST, {})
    in_parts(lambda part, *rows: count(x, first, *rows), len(x))
    np.cumsum(first, out=first)
    listed = np.empty(first[-1], dtype=np.int32)
    in_parts(lambda part, *rows: enlist(x, first, listed, *rows), len(x))
    return first, listed


def add_rows(x: np.ndarray, first: np.ndarray, listed: np.ndarray, weight: np.ndarray, out: np.ndarray,
             begin: int, end: int) -> None:
    """Put x @ weight into rows begin .. end - 1 of out: in order, the rows of weights whose input is not zero."""
    load_function("bridge_add", ADD, {}, weight.dtype.type)(x, first, listed, weight, out, begin, end)


def gather(x: np.ndarray, first: np.ndarray, listed: np.ndarray, gradient: np.ndarray, out: np.ndarray,
           begin: int, end: int) -> None:
    """Add x.T @ gradient of rows begin .. end - 1 to out, looking only at inputs that are not zero."""
    load_function("bridge_gather", GATHER, {}, out.dtype.type)(x, first, listed, gradient, out, begin, end)


COUNT = """import numpy as np

def main(x, first, begin, end):
    for r in range(begin, end):
        n = np.int32(0)
        for j in range(x.shape[1]):
            n += np.int32(x[r, j] != 0)
        first[r + 1] = n
"""

LIST = """import numpy as np

def main(x, first, listed, begin, end):
    row = np.empty(x.shape[1] + 1, dtype=np.int32)
    for r in range(begin, end):
        if first[r + 1] > first[r]:
            n = 0
            for j in range(x.shape[1]):  # without a branch that nobody could predict
                row[n] = j
                n += x[r, j] != 0
            for q in range(n):
                listed[first[r] + q] = row[q]
"""

ADD = """
def main(x, first, listed, weight, out, begin, end):
    for r in range(begin, end):
        out[r] = 0
        for q in range(first[r], first[r + 1]):
            j = listed[q]
            value = x[r, j]
            for k in range(weight.shape[1]):
                out[r, k] += value * weight[j, k]
"""

GATHER = """
def main(x, first, listed, gradient, out, begin, end):
    for r in range(begin, end):
        for q in range(first[r], first[r + 1]):
            j = listed[q]
            value = x[r, j]
            for k in range(out.shape[1]):
                out[j, k] += value * gradient[r, k]
"""

# u holds the sums of arrivals and becomes v before the reset; v, i, a, last and held go from the state before to that
# after. A spike is compared, and v reset, exactly as the core does it.
FORWARD = """
def main(u, s, i_all, a_all, free, lengths, bias, recurrent, v, i, a, last, held, beta, alpha, gain, threshold, down,
         gamma, rise, n_ref, begin, end):
    ticks, _, n = u.shape
    zero, one = u.dtype.type(0), u.dtype.type(1)
    for b in range(begin, end):
        for t in range(lengths[b], ticks):
            u[t, b] = zero
        for t in range(lengths[b]):
            x = u[t, b]
            for k in range(n):
                x[k] += bias[k]
            if RECURRENT:
                for j in range(n):
                    if last[b, j] != 0:
                        for k in range(n):
                            x[k] += recurrent[j, k]
            for k in range(n):
                if JUMP:
                    y = beta[k] * v[b, k] + x[k]
                elif SAME_TICK:
                    i[b, k] = alpha[k] * i[b, k] + x[k]
                    y = beta[k] * v[b, k] + i[b, k]
                else:
                    y = beta[k] * v[b, k] + gain[k] * i[b, k]
                    i[b, k] = alpha[k] * i[b, k] + x[k]
                if REFRACTORY:
                    y = v[b, k] if held[b, k] > 0 else y
                x[k] = y
                if not JUMP:
                    i_all[t, b, k] = i[b, k]
                if SPIKING:
                    over = y > threshold[k]
                    if ADAPTIVE:
                        a[b, k] = gamma[k] * a[b, k]
                        over = y > threshold[k] + a[b, k]
                        a_all[t, b, k] = a[b, k]
                    if REFRACTORY:
                        free[t, b, k] = one if held[b, k] == 0 else zero
                        over = over and held[b, k] == 0
                        held[b, k] = n_ref if over else max(held[b, k] - 1, 0)
                    if ADAPTIVE:
                        a[b, k] += rise[k] if over else zero
                    s[t, b, k] = one if over else zero
                    last[b, k] = s[t, b, k]
                    if SUBTRACT:
                        y = y - down[k] if over else y
                    else:
                        y = down[k] if over else y
                v[b, k] = y
"""

# gv, gi, ga and gl go from the gradients of the state after to those of the state before; gx becomes that of the sums.
BACKWARD = """
def main(gs, gx, u, s, i_all, a_all, free, lengths, back, v0, i0, a0, last0, gv, gi, ga, gl, beta, alpha, gain,
         threshold, down, gamma, rise, sharpness, g_beta, g_alpha, g_gain, g_threshold, g_down, g_gamma, g_rise,
         begin, end):
    n = u.shape[2]
    zero, one = u.dtype.type(0), u.dtype.type(1)
    for b in range(begin, end):
        for t in range(lengths[b] - 1, -1, -1):
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
                gu = gv[b, k]
                if not SPIKING:
                    gu += gs[t, b, k]
                if SPIKING:
                    y = u[t, b, k]
                    fired = s[t, b, k]
                    g = gs[t, b, k] + gl[b, k]
                    limit = threshold[k]
                    if ADAPTIVE:
                        limit += a_all[t, b, k]
                        g += rise[k] * ga[b, k]
                        g_rise[k] += fired * ga[b, k]
                    if SUBTRACT:
                        g_down[k] -= gu * fired
                        if not DETACH:
                            g -= gu * down[k]
                    else:
                        g_down[k] += gu * fired
                        if not DETACH:
                            g += gu * (down[k] - y)
                        gu = gu * (one - fired)
                    through = g * slope(y - limit, sharpness)
                    if REFRACTORY:
                        through = through * free[t, b, k]
                    gu += through
                    g_threshold[k] -= through
                    if ADAPTIVE:
                        g = ga[b, k] - through
                        a = a0[b, k]
                        if t > 0:
                            a = a_all[t - 1, b, k] + rise[k] * s[t - 1, b, k]
                        g_gamma[k] += g * a
                        ga[b, k] = gamma[k] * g
                stays = zero
                if REFRACTORY:
                    stays = gu * (one - free[t, b, k])
                    gu = gu - stays
                g_beta[k] += gu * before
                gv[b, k] = beta[k] * gu + stays
                if JUMP:
                    gx[t, b, k] = gu
                else:
                    i = i0[b, k] if t == 0 else i_all[t - 1, b, k]
                    g = gi[b, k]
                    if SAME_TICK:
                        g += gu
                    gx[t, b, k] = g
                    g_alpha[k] += g * i
                    gi[b, k] = alpha[k] * g
                    if not SAME_TICK:
                        gi[b, k] += gain[k] * gu
                        g_gain[k] += gu * i
            if SPIKING:
                for k in range(n):
                    gl[b, k] = zero
            if RECURRENT:
                for j in range(n):
                    for k in range(n):
                        gl[b, k] += gx[t, b, j] * back[j, k]
"""
