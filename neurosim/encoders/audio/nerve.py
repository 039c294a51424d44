"""Inner hair cells, their nerve fibres and bushy cells: from the velocity of a place to the spikes of a channel."""

from functools import cache

import numpy as np

from neurosim.aliases import Real, Whole
from neurosim.checks import Parameter, Parametrised
from neurosim.encoders.base import own
from neurosim.engine.loader import load_function
from neurosim.random import philox

# The state of a channel: transmitter q, c and w; potential and current of its bushy cell, steps for which that is still
# held, how many fibres are refractory, and the place in the ring of how many fired in each of the last `dead` steps.
STATES = 8
DRAWS = 0x656E630A  #: stream of the random numbers

# A fibre that is ready fires with probability p, so as many do as a binomial number of all that are ready. One uniform
# number u is enough for it: mostly u < 1 - n p <= (1 - p)^n, which is no fibre. Four steps share a draw of Philox, made
# at the first of them, so the first step of a call is a multiple of four.
_NERVE = """
import numpy as np


def main(velocity, first, first_channel, cell, bushy, fibres, dead, held, sample, k0, k1, state, ring, steps, channels):
    release, a, b, replenishment, loss, recovery, reprocessing, total, firing = cell
    keep_v, keep_i, gain = bushy
    count = 0
    for row in range(velocity.shape[0]):
        q, c, w, v, current = state[row, 0], state[row, 1], state[row, 2], state[row, 3], state[row, 4]
        rest, busy, place = np.int64(state[row, 5]), np.int64(state[row, 6]), np.int64(state[row, 7])
        channel = np.uint64(first_channel + row)
        for group in range(0, velocity.shape[1], 4):
            words = draw(np.uint64((first + group) >> 2), channel, sample, k0, k1)
            for i in range(group, min(group + 4, velocity.shape[1])):
                u = words[i & 3]
                drive = velocity[row, i] + a
                k = release * drive / (drive + b) if drive > 0.0 else 0.0
                filled = replenishment * (total - q) if q < total else 0.0
                ejected, back, done = k * q, recovery * c, reprocessing * w
                q = max(q + filled - ejected + done, 0.0)
                c = max(c + ejected - loss * c - back, 0.0)
                w = max(w + back - done, 0.0)
                p = firing * c
                ready = fibres - busy
                fired = 0
                if u >= 1.0 - ready * p:
                    fired = binomial(u, ready, p)
                if dead > 0:
                    busy += fired - ring[row, place]
                    ring[row, place] = fired
                    place = place + 1 if place + 1 < dead else 0
                current = current * keep_i + fired
                if rest > 0:
                    rest -= 1
                else:
                    v = v * keep_v + gain * current
                    if v >= 1.0:
                        steps[count] = first + i + 1
                        channels[count] = first_channel + row
                        count += 1
                        v = 0.0
                        rest = held
        state[row, 0], state[row, 1], state[row, 2], state[row, 3], state[row, 4] = q, c, w, v, current
        state[row, 5], state[row, 6], state[row, 7] = rest, busy, place
    return count
"""


def _draw(step, channel, sample, k0, k1):
    """Scalar body: four uniform numbers in (0, 1) of a channel, for four steps."""
    w0, w1, w2, w3 = philox(channel, step & np.uint64(0xFFFFFFFF), np.uint64(DRAWS) ^ (step >> np.uint64(32)),
                            np.uint64(sample), np.uint64(k0), np.uint64(k1))
    scale = 2.3283064365386963e-10  # 2^-32
    return ((np.float64(w0) + 0.5) * scale, (np.float64(w1) + 0.5) * scale, (np.float64(w2) + 0.5) * scale,
            (np.float64(w3) + 0.5) * scale)


def binomial(u, n, p):
    """Scalar body: the number of n that happen, each with probability p, at which the distribution reaches u."""
    if p >= 1.0:
        return n
    share = (1.0 - p) ** n
    below = share
    k = 0
    while u >= below and k < n:
        k += 1
        share *= (n - k + 1) / k * (p / (1.0 - p))
        below += share
    return k


@cache
def nerve():
    """Return the compiled loop."""
    return load_function("cochlea_nerve", _NERVE, {"draw": _draw, "binomial": binomial})


class HairCell(Parametrised):
    """An inner hair cell with adaptation: transmitter goes round between three pools, some is lost, some made anew.

    With s the velocity of the membrane and k = g (s + A) / (s + A + B), 0 where s + A <= 0:

        dq/dt = y (M - q) + x w - k q,   dc/dt = k q - (l + r) c,   dw/dt = r c - x w;

    nothing is made where q > M. A nerve fibre fires with the rate h c. A step is explicit (Euler), and no pool becomes
    negative; the cell begins where it comes to in silence.

    Args:
        release: g, Hz, > 0.
        threshold: A, > 0.
        saturation: B, > 0.
        replenishment: y, Hz, > 0.
        loss: l, Hz, >= 0.
        recovery: r, Hz, >= 0.
        reprocessing: x, Hz, > 0.
        total: M, of transmitter, > 0.
        firing: h, Hz, > 0.

    Raises:
        ParameterError: a parameter does not fit.

    >>> round(HairCell().spontaneous_rate(), 1)
    64.8

    Source: Meddis, J. Acoust. Soc. Am. 79 (1986) 702-711 and 83 (1988) 1056-1063.
    """

    release: Real = own(2000.0, "Hz", above=0, doc="g, of transmitter into the cleft")
    threshold: Real = own(5.0, "", above=0, doc="A, permeability in silence")
    saturation: Real = own(300.0, "", above=0, doc="B, velocity at which half the permeability is reached")
    replenishment: Real = own(5.05, "Hz", above=0, doc="y")
    loss: Real = own(2500.0, "Hz", at_least=0, doc="l, from the cleft")
    recovery: Real = own(6580.0, "Hz", at_least=0, doc="r, from the cleft")
    reprocessing: Real = own(66.3, "Hz", above=0, doc="x")
    total: Real = own(1.0, "", above=0, doc="M, of free transmitter")
    firing: Real = own(50_000.0, "Hz", above=0, doc="h, of a fibre for each unit in the cleft")

    def rest(self) -> tuple[float, float, float]:
        """Return q, c and w where they come to in silence."""
        k = self.release * self.threshold / (self.threshold + self.saturation)
        gone = self.loss + self.recovery
        c = self.total * self.replenishment * k / (self.loss * k + self.replenishment * gone)
        return c * gone / k, c, c * self.recovery / self.reprocessing

    def spontaneous_rate(self) -> float:
        """Return the rate of a fibre in silence, Hz."""
        return self.firing * self.rest()[1]

    def per_step(self, dt: float) -> tuple:
        """Return what the loop needs, for steps of dt s."""
        return (self.release * dt, self.threshold, self.saturation, self.replenishment * dt, self.loss * dt,
                self.recovery * dt, self.reprocessing * dt, self.total, self.firing * dt)


class BushyCell(Parametrised):
    """A bushy cell that many fibres of one place meet in: an LIF neuron, which fires where they fire together.

        dv/dt = -v / tau_mem + weight / fibres * I,   dI/dt = -I / tau_syn + spikes of the fibres,

    with the threshold 1 and the reset 0. A fibre and the cell are refractory for t_ref.

    Args:
        fibres: how many fibres meet, >= 1.
        tau_mem: ms, > 0.
        tau_syn: ms, > 0.
        t_ref: ms, >= 0, of fibres and cell.
        weight: of all fibres together, per ms, > 0.

    Raises:
        ParameterError: a parameter does not fit.

    Source: Rothman, Young, Manis, J. Neurophysiol. 70 (1993) 2562-2583; as in Cramer and others (2022).
    """

    fibres: Whole = Parameter(40, at_least=1, at_most=200, integer=True, per_element=False, doc="that meet")
    tau_mem: Real = own(1.0, "ms", above=0, doc="membrane time constant")
    tau_syn: Real = own(0.5, "ms", above=0, doc="synaptic time constant")
    t_ref: Real = own(1.0, "ms", at_least=0, doc="refractory time of fibres and cell")
    weight: Real = own(13.0, "", above=0, doc="of all fibres together, per ms")

    def per_step(self, dt: float) -> tuple:
        """Return what the loop needs, for steps of dt s: numbers, steps without a fibre's, and without the cell's."""
        ms = 1e3 * dt
        held = int(np.ceil(self.t_ref / ms - 1e-9))
        return ((float(np.exp(-ms / self.tau_mem)), float(np.exp(-ms / self.tau_syn)),
                 self.weight / self.fibres * ms), max(0, held - 1), held)


__all__ = ["DRAWS", "STATES", "BushyCell", "HairCell", "binomial", "nerve"]
