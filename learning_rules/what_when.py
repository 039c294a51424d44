"""A readout of two parts: when something comes is learned while it comes, how probable it is afterwards."""

from collections import deque

import numpy as np

from neurosim.checks import check_number, check_numbers, check_seed, check_whole, describe_value
from neurosim.errors import ParameterError


class WhatAndWhen:
    r"""Linear readouts of a network that expect stimuli at their time, as strongly as they are probable.

    In a trial x(t) is the state of the network, less its mean over the last trials, and s_k(t) the strength with which
    stimulus k is seen, 1 at its peak.

    - *When*: u_k = v_k . x, taught online towards s_k by three factors, state, error and gate:
      v_k <- v_k + rate (s_k - u_k) g_k x / (1 + x . x). The gate of attention g_k is open while k is seen
      (s_k > threshold) or expected (u_k > threshold). What changes before k is seen is a tag, which acts from the first
      sight of k on, and is dropped where k does not come: a trial without k tells nothing of when k comes.
    - *What*: a_k = w_k . c within 0 .. 1, c being the mean state within `context` steps. After each trial (c, which
      stimuli came) goes to a memory of the last trials, of which some, chosen at random, are replayed:
      w_k <- w_k + rate_what (came_k - w_k . c) c / (1 + c . c). So a_k goes to the probability of k.
    - Output: z_k = a_k u_k, from the end of the context on; 0 before.

    Nothing is reset when times or probabilities change: an error opens the gate, and the memory forgets.

    Args:
        units: number of features of a state.
        outputs: number of stimuli.
        rate: of the readouts of when, > 0 and < 2.
        rate_what: of the readouts of what, > 0 and < 2.
        context: first step of those whose mean state says which trial it is, and the step after the last.
        threshold: of u and s, at which the gate opens, > 0.
        memory: how many trials are remembered.
        replays: how many of them are replayed after a trial.
        seed: of the choice among them.

    Attributes:
        mean: of the states, shape (units,): each trial counts 1 / memory, the first ones more.
        trials: how many were learned.
        when: v, shape (units, outputs).
        what: w, shape (units, outputs).

    Raises:
        ParameterError: an argument does not fit.

    >>> rng = np.random.default_rng(0)
    >>> states, model = np.eye(12), WhatAndWhen(12, 1, context=(0, 2))  # one unit for each step
    >>> for _ in range(300):
    ...     came = rng.random() < 0.7
    ...     z = model.trial(states, came * (np.arange(12) == 8)[:, None])
    >>> int(z.argmax()), bool(abs(z.max() - 0.7) < 0.15)
    (8, True)

    Source: Yamada, Chao, arXiv 2510.14382 (2025), of whose abstract this is a reading.
    """

    def __init__(self, units: int, outputs: int, *, rate: float = 0.5, rate_what: float = 0.1,
                 context: tuple[int, int] = (2, 10), threshold: float = 0.2, memory: int = 100, replays: int = 60,
                 seed: int = 0):
        self.units = check_whole("WhatAndWhen.units", units, at_least=1)
        self.outputs = check_whole("WhatAndWhen.outputs", outputs, at_least=1)
        self.rate = check_number("WhatAndWhen.rate", rate, above=0, below=2)
        self.rate_what = check_number("WhatAndWhen.rate_what", rate_what, above=0, below=2)
        self.context = _context(context)
        self.threshold = check_number("WhatAndWhen.threshold", threshold, above=0)
        self.replays = check_whole("WhatAndWhen.replays", replays, at_least=0)
        self._past = deque(maxlen=check_whole("WhatAndWhen.memory", memory, at_least=1))
        self._generator = np.random.default_rng(check_seed("WhatAndWhen.seed", seed))
        self.when = np.zeros((self.units, self.outputs))
        self.what = np.zeros((self.units, self.outputs))
        self.mean, self.trials = np.zeros(self.units), 0

    def trial(self, states, seen, learn: bool = True) -> np.ndarray:
        """Go through one trial, learning; return z at each step, shape (steps, outputs), as it was before it learned.

        Args:
            states: x, shape (steps, units).
            seen: s, shape (steps, outputs).
            learn: whether anything changes.
        """
        x, s = self._checked("states", states, self.units), self._checked("seen", seen, self.outputs)
        if len(x) != len(s) or len(x) < self.context[1]:
            raise ParameterError("WhatAndWhen.trial: states and seen must have as many steps each, "
                                 f"{self.context[1]} or more, got {len(x)} and {len(s)}")
        if learn:
            self.trials += 1
            self.mean += (x.mean(axis=0) - self.mean) / min(self.trials, self._past.maxlen or 1)
        x = x - self.mean
        context = x[self.context[0]:self.context[1]].mean(axis=0)
        amplitude = np.clip(context @ self.what, 0.0, 1.0)
        z, came, later = np.zeros(s.shape), np.zeros(self.outputs, bool), self.when.copy()
        for t, (here, strength) in enumerate(zip(x, s, strict=True)):
            u = here @ self.when
            if t >= self.context[1]:
                z[t] = amplitude * u
            if learn:
                came |= strength > self.threshold
                gate = (strength > self.threshold) | (u > self.threshold)
                later += np.outer(self.rate / (1.0 + here @ here) * here, (strength - here @ later) * gate)
                self.when[:, came] = later[:, came]
        if learn:
            self._past.append((context, came.astype(np.float64)))
            self._replay()
        return z

    def _replay(self):
        for k in self._generator.integers(0, len(self._past), self.replays):
            context, came = self._past[k]
            self.what += np.outer(self.rate_what / (1.0 + context @ context) * context, came - context @ self.what)

    def _checked(self, name, given, columns) -> np.ndarray:
        array = check_numbers(f"WhatAndWhen.trial.{name}", given)
        if array.ndim != 2 or array.shape[1] != columns or not np.isfinite(array).all():
            raise ParameterError(f"WhatAndWhen.trial: {name} must be finite, of shape (steps, {columns}), "
                                 f"got {describe_value(given)}")
        return array


def subspace_angle(a, b) -> float:
    """Return the smallest principal angle between the spaces that the columns of two matrices span, degrees.

    Args:
        a, b: shapes (units, n) and (units, m).

    Raises:
        ParameterError: the matrices have not as many rows each.

    >>> subspace_angle([[1.0], [0.0]], [[1.0], [1.0]])
    45.0

    Source: Bjorck, Golub, Mathematics of Computation 27 (1973) 579.
    """
    a, b = check_numbers("subspace_angle.a", a), check_numbers("subspace_angle.b", b)
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        raise ParameterError(f"subspace_angle: a and b must be matrices with as many rows each, got "
                             f"{describe_value(a)} and {describe_value(b)}")
    (q, _), (p, _) = np.linalg.qr(a), np.linalg.qr(b)
    return float(np.degrees(np.arccos(min(np.linalg.svd(q.T @ p, compute_uv=False)[0], 1.0))).round(9))


def _context(given):
    try:
        first, last = given
    except (TypeError, ValueError):
        raise ParameterError("WhatAndWhen.context must be two steps, the first and the one after the last, "
                             f"got {describe_value(given)}") from None
    first = check_whole("WhatAndWhen.context[0]", first, at_least=0)
    return first, check_whole("WhatAndWhen.context[1]", last, at_least=first + 1)


__all__ = ["WhatAndWhen", "subspace_angle"]
