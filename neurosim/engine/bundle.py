"""Synapses of several projections from one population in one array of rows.

A spike reaches the targets of all projections from its neuron at once: with one row for all of
them instead of one for each, its synapses of one delay lie side by side, and there is one segment to look
up and fetch instead of many. It concerns what does not change while the network runs; for a target, the
order of the sums is the same.

A bundle may be packed: target and weight share 32 bits. A weight is then rounded to a multiple of 1/32767 of
the largest of the bundle.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neurosim.engine import loader
from neurosim.engine.build import Connectivity, Part

REACH = 1 << 16  #: targets that 16 bits tell apart
MOST = 32767  #: the largest packed weight

_COUNT = '''
def main(start, offsets, columns, first, counts):
    for source in range(start.size - 1):
        for k in range(columns.size):
            counts[first + source, columns[k]] += size_of(start, offsets, source, k)
'''

_LAY = '''
def main(counts, start, offsets):
    at = 0
    for source in range(counts.shape[0]):
        start[source] = at
        inside = 0
        for k in range(counts.shape[1]):
            offsets[source, k] = inside
            size = counts[source, k]
            counts[source, k] = inside
            inside += size
        offsets[source, counts.shape[1]] = inside
        at += inside
    start[counts.shape[0]] = at
'''

_FILL = '''
import numpy as np


def main(start, offsets, columns, first, target, weight, shift, factor, to_start, cursor, to_target, to_weight, words):
    for source in range(start.size - 1):
        e = start[source]
        for k in range(columns.size):
            row = first + source
            at = to_start[row] + np.int64(cursor[row, columns[k]])
            size = size_of(start, offsets, source, k)
            cursor[row, columns[k]] += size
            for n in range(size):
                number = np.int64(target[e + n]) + shift
                if words.size:
                    rounded = np.int64(np.rint(weight[e + n] * factor))
                    words[at + n] = np.uint32(number) | (np.uint32(rounded & 0xFFFF) << np.uint32(16))
                else:
                    to_target[at + n] = number
                    if to_weight.size:
                        to_weight[at + n] = weight[e + n]
            e += size
'''

_TAKE = '''
import numpy as np


def main(start, offsets, columns, first, low, high, target, weight, words, scale, counting, counts, to_start, to_target,
         to_weight):
    at = 0
    for source in range(counts.shape[0]):
        if counting:
            to_start[source] = at
        for c in range(columns.size):
            k = columns[c]
            begin = start[first + source] + np.int64(offsets[first + source, k])
            end = start[first + source] + np.int64(offsets[first + source, k + 1])
            for e in range(begin, end):
                number = np.int64(words[e] & np.uint32(0xFFFF)) if words.size else np.int64(target[e])
                if number < low or number >= high:
                    continue
                if counting:
                    counts[source, c + 1] += 1
                else:
                    to_target[at] = number - low
                    if to_weight.size:
                        to_weight[at] = np.int16(words[e] >> np.uint32(16)) * scale if words.size else weight[e]
                at += 1
        if counting:
            for c in range(columns.size):
                counts[source, c + 1] += counts[source, c]
    if counting:
        to_start[counts.shape[0]] = at
    return at
'''


def _size_of(start, offsets, source, k):
    """How many synapses a row has of one delay; an empty table of offsets stands for a single delay."""
    if offsets.shape[0] == 0:
        return start[source + 1] - start[source]
    return np.int64(offsets[source, k + 1]) - np.int64(offsets[source, k])


def _compiled(name, text):
    return loader.load_function(name, text, {"size_of": _size_of} if "size_of" in text else {})


class Bundle:
    """The synapses of some projections from one population.

    Args:
        plans: the layouts of the projections.
        reach: for each plan and thread, where its targets begin in the thread's buffer of arrivals.
        packed: whether target and weight share 32 bits.
        threads: how many parts are made at once.

    Attributes:
        parts: one `Part` for each thread, whose targets count from `begin` in the buffer of arrivals.
        begin: where the targets of each thread begin.
        delays: all that occur, in ticks.
        wiring: what decides the kernel that delivers them.
    """

    def __init__(self, plans: list, reach: list, packed: bool, threads: int):
        self.plans, self.packed, first = plans, packed, plans[0]
        self.n_source = first.projection.source.base.size
        self.real = first.wiring.real
        self.stored = "weight" in first.wiring.stored
        self.delays = np.unique(np.concatenate([plan.connectivity.delays for plan in plans]))
        n_parts = len(first.connectivity.parts)
        self.begin = [min(each[t] for each in reach) for t in range(n_parts)]
        self.reach = [[each[t] - self.begin[t] for t in range(n_parts)] for each in reach]
        self.scale = self._largest() / MOST if packed else 1.0
        room = max(self._room(thread) for thread in range(n_parts))
        self.target = np.dtype(np.uint16 if room <= REACH else np.uint32)
        with ThreadPoolExecutor(threads) as pool:
            self.parts = list(pool.map(self._part, range(n_parts)))
        for part in self.parts:
            part.offsets = None if self.delays.size == 1 else part.offsets.astype(
                np.result_type(*(each.offsets.dtype for each in self.parts)), copy=False)
        offsets = self.parts[0].offsets
        self.wiring = replace(first.wiring, target=np.dtype(np.uint32) if packed else self.target, packed=packed,
                              stored=() if packed else first.wiring.stored,
                              offsets=None if offsets is None else offsets.dtype)
        for number, plan in enumerate(plans):
            plan.bundle, plan.rows = self, None
            plan.connectivity = Bundled(self, number, plan.connectivity)

    def _largest(self) -> float:
        parts = [part for plan in self.plans for part in plan.connectivity.parts if part.target.size]
        return max((float(np.abs(part.values["weight"]).max()) for part in parts), default=0.0) or 1.0

    def _columns(self, delays) -> np.ndarray:
        return np.searchsorted(self.delays, delays)

    def _part(self, thread: int) -> Part:
        members = [(plan, plan.connectivity.parts[thread]) for plan in self.plans]
        counts = np.zeros((self.n_source, self.delays.size), dtype=np.int64)
        for plan, part in members:
            _compiled("bundle_count", _COUNT)(*self._rows(plan, part), counts)
        longest = int(counts.sum(axis=1).max(initial=0))
        start = np.empty(self.n_source + 1, dtype=np.int64)
        offsets = np.empty((self.n_source, self.delays.size + 1), dtype=np.uint16 if longest < REACH else np.uint32)
        _compiled("bundle_lay", _LAY)(counts, start, offsets)
        size = int(start[-1])
        target = np.empty(0 if self.packed else size, dtype=self.target)
        weight = np.empty(size if self.stored and not self.packed else 0, dtype=self.real)
        words = np.empty(size if self.packed else 0, dtype=np.uint32)
        for number, (plan, part) in enumerate(members):
            given = part.values["weight"] if self.stored else weight
            _compiled("bundle_fill", _FILL)(
                *self._rows(plan, part), part.target, given, self.reach[number][thread], 1.0 / self.scale, start,
                counts, target, weight, words)
        values = {"weight": weight if self.stored else members[0][1].values["weight"]}
        return Part(0, start, offsets, words if self.packed else target, values)

    def _rows(self, plan, part):
        offsets = np.empty((0, 0), dtype=np.uint16) if part.offsets is None else part.offsets
        return part.start, offsets, self._columns(plan.connectivity.delays), plan.projection.source.start

    def _room(self, thread) -> int:
        """How far the targets of a thread reach."""
        return max(self.reach[number][thread] + int(plan.bounds[thread + 1] - plan.bounds[thread])
                   for number, plan in enumerate(self.plans))

    @property
    def source(self):
        """The whole population that the projections come from."""
        return self.plans[0].projection.source.base

    def values(self, thread: int) -> dict:
        """Return the arguments of the kernel that describe the synapses of a thread."""
        part = self.parts[thread]
        values = {"n_source": self.n_source, "n_target": self._room(thread), "n_delays": self.delays.size,
                  "n_synapses": part.target.size, "delays": self.delays, "start": part.start, "target": part.target}
        values |= {} if part.offsets is None else {"offsets": part.offsets.reshape(-1)}
        return values | ({"scale": self.scale} if self.packed else {}) | (
            {} if self.packed else {"weight": part.values["weight"]})

    def take(self, number: int, thread: int, own: SimpleNamespace) -> Part:
        """Return the synapses of one projection on one thread as they were before."""
        plan, part = self.plans[number], self.parts[thread]
        columns, source = self._columns(own.delays), plan.projection.source
        low = self.reach[number][thread]
        high = low + int(plan.bounds[thread + 1] - plan.bounds[thread])
        counts = np.zeros((source.size, columns.size + 1), dtype=np.int64)
        start, none = np.empty(source.size + 1, dtype=np.int64), np.empty(0, dtype=self.real)
        target, words = (none.astype(np.uint16), part.target) if self.packed else (part.target, none.astype(np.uint32))
        weight = part.values["weight"] if self.stored else none
        take = _compiled("bundle_take", _TAKE)
        table = part.offsets
        if table is None:
            table = np.stack([np.zeros(self.n_source, dtype=np.int64), np.diff(part.start)], axis=1)
        fixed = (part.start, table, columns, source.start, low, high, target, weight, words, self.scale)
        size = take(*fixed, True, counts, start, np.empty(0, dtype=own.target), none)
        taken, weights = np.empty(size, dtype=own.target), np.empty(size if self.stored else 0, dtype=self.real)
        take(*fixed, False, counts, start, taken, weights)
        offsets = counts.astype(own.offsets) if own.offsets is not None else None
        values = {"weight": weights if self.stored else part.values["weight"]}
        return Part(own.first[thread], start, offsets, taken, values)

    def dissolve(self) -> None:
        """Give every projection its own synapses back."""
        for plan in self.plans:
            plan.connectivity = plan.connectivity.alone()
            plan.bundle = None


class Bundled:
    """The synapses of a projection that lie in a bundle; they are taken out when they are asked for."""

    def __init__(self, bundle: Bundle, number: int, before: Connectivity):
        parts = before.parts
        self.bundle, self.number, self.delays = bundle, number, before.delays
        self.n_source, self.n_target, self.n_synapses = before.n_source, before.n_target, before.n_synapses
        self._own = SimpleNamespace(
            delays=before.delays, first=[part.first for part in parts], target=parts[0].target.dtype,
            offsets=None if parts[0].offsets is None else parts[0].offsets.dtype)

    @property
    def parts(self) -> list[Part]:
        """The synapses of each range of targets."""
        return [self.bundle.take(self.number, thread, self._own) for thread in range(len(self._own.first))]

    def alone(self) -> Connectivity:
        """Return the same synapses in arrays of their own."""
        return Connectivity(self.parts, self.delays, self.n_source, self.n_target, self.n_synapses)


def may_join(first, plan) -> bool:
    """Return whether the synapses of two projections may lie in one bundle."""
    if first.wiring.parts or plan.wiring.parts or plan.projection.source.base is not first.projection.source.base:
        return False
    if (set(first.wiring.shared), set(first.wiring.stored)) != (set(plan.wiring.shared), set(plan.wiring.stored)):
        return False
    weights = {float(part.values["weight"]) for p in (first, plan) for part in p.connectivity.parts
               if "weight" in p.wiring.shared}
    return len(weights) <= 1 and plan.connectivity.n_synapses > 0 and first.connectivity.n_synapses > 0
