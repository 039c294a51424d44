"""Synapses of several projections from one population in one array of rows.

A spike reaches the targets of all projections from its neuron at once: with one row for all of
them instead of one for each, its synapses of one delay lie side by side, and there is one segment to look
up and fetch instead of many. It concerns what does not change while the network runs; for a target, the
order of the sums is the same.

A bundle may be packed: target and weight share 32 bits. A weight is then rounded to a multiple of 1/32767 of
the largest from the population. Where the targets on a thread are too many for 16 bits, weights are rounded all the
same and keep 32 bits of their own, so that no result depends on the number of threads.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial

import numpy as np

from neurosim.engine import loader
from neurosim.engine.partition import REACH
from neurosim.engine.synapses import Connectivity, Part
from neurosim.engine.synapses.lay import Member, drop_columns, lay

MOST = 32767  #: the largest packed weight

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


@cache
def _compiled():
    return loader.load_function("bundle_take", _TAKE, {})


def in_parallel(make, items, threads: int) -> list:
    """Return what a function makes of each item, by some threads at once where there is more than one."""
    if threads == 1 or len(items) == 1:
        return list(map(make, items))
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(make, items))


class Bundle:
    """The synapses of some projections from one population.

    Those that are still to be drawn are drawn some rows at a time and laid at once, so that nothing that is as
    large as the result is ever needed beside it.

    Args:
        plans: the layouts of the projections.
        reach: for each plan and thread, where its targets begin in the thread's buffer of arrivals.
        threads: how many parts are made at once.
        scale: what weights are rounded to multiples of, and packed with the targets where 16 bits tell these apart;
            0 to keep them as they are.

    Attributes:
        plans: those of the projections, whose synapses are now in this bundle.
        parts: one `Part` for each thread, whose targets count from `begin` in the buffer of arrivals.
        begin: where the targets of each thread begin.
        delays: all that occur, in ticks.
        wiring: what decides the kernel that delivers them.
        scale: what weights are multiples of; 0 where they are not rounded.
        packed: whether target and weight share 32 bits.
    """

    def __init__(self, plans: list, reach: list, threads: int, scale: float = 0.0):
        self.plans, first = plans, plans[0]
        self.n_source = first.projection.source.base.size
        self.real = first.wiring.real
        self.stored = "weight" in first.wiring.stored
        n_parts = len(first.bounds) - 1
        self.begin = [min(each[t] for each in reach) for t in range(n_parts)]
        self.reach = [[each[t] - self.begin[t] for t in range(n_parts)] for each in reach]
        room = max(self._room(thread) for thread in range(n_parts))
        self.target = np.dtype(np.uint16 if room <= REACH else np.uint32)
        self.packed, self.scale = bool(scale) and room <= REACH, float(scale)
        ticks = np.unique(np.concatenate([plan.connectivity.ticks for plan in plans]))
        laid = in_parallel(partial(self._part, ticks), range(n_parts), threads)
        self.parts = [part for part, _ in laid]
        members = [Bundled(self, number, [strips[number] for _, strips in laid]) for number in range(len(plans))]
        self.delays = np.unique(np.concatenate([member.delays for member in members]))
        drop_columns(self.parts, np.isin(ticks, self.delays))
        part = self.parts[0]
        for member in members:
            member.types = member.types[0], None if member.delays.size < 2 else part.offsets.dtype
        self.wiring = replace(first.wiring, target=part.target.dtype,
                              offsets=None if part.offsets is None else part.offsets.dtype)
        if self.packed:
            self.wiring = replace(self.wiring, packed=True, stored=())
        self.plans = [replace(plan, bundle=self, rows=None, connectivity=member,
                              wiring=replace(plan.wiring, offsets=member.types[1]))
                      for plan, member in zip(plans, members, strict=True)]

    def _part(self, ticks, thread: int) -> tuple:
        """Return the rows of a part, with a column for each of the ticks, and the strips that they were had from."""
        sources = [plan.projection.source for plan in self.plans]
        strips = [plan.connectivity.strip(thread, ticks) for plan in self.plans]
        members = [Member(strip, source.start, source.span, reach[thread])
                   for strip, source, reach in zip(strips, sources, self.reach, strict=True)]
        part = lay(members, self.n_source, ticks.size, target=self.target, real=self.real,
                   stored=("weight",) if self.stored else (), scale=self.scale if self.packed else 0.0)
        if not self.stored:
            part.values["weight"] = self.plans[0].connectivity.shared["weight"]
        elif self.packed:
            part.packed, part.values["weight"] = True, np.empty(0, self.real)
        elif self.scale:
            self._round(part.values["weight"])
        return part, strips

    def _round(self, weight):
        """Round weights to what the kernel of a packed bundle would make of them."""
        number = np.rint(weight.astype(np.float64) * (1.0 / self.scale)).astype(self.real)
        np.multiply(number, self.real(self.scale), out=weight)

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

    def take(self, number: int, thread: int) -> Part:
        """Return the synapses of one projection on one thread as they were before."""
        plan, part = self.plans[number], self.parts[thread]
        own, source = plan.connectivity, plan.projection.source
        columns, (target_type, offset_type) = np.searchsorted(self.delays, own.delays), own.types
        low = self.reach[number][thread]
        high = low + int(plan.bounds[thread + 1] - plan.bounds[thread])
        counts = np.zeros((source.span, columns.size + 1), dtype=np.int64)
        start, none = np.empty(source.span + 1, dtype=np.int64), np.empty(0, dtype=self.real)
        target, words = (none.astype(np.uint16), part.target) if self.packed else (part.target, none.astype(np.uint32))
        weight = part.values["weight"] if self.stored else none
        take = _compiled()
        table = part.offsets
        if table is None:
            table = np.stack([np.zeros(self.n_source, dtype=np.int64), np.diff(part.start)], axis=1)
        fixed = (part.start, table, columns, source.start, low, high, target, weight, words, self.real(self.scale))
        size = take(*fixed, True, counts, start, np.empty(0, dtype=target_type), none)
        taken, weights = np.empty(size, dtype=target_type), np.empty(size if self.stored else 0, dtype=self.real)
        take(*fixed, False, counts, start, taken, weights)
        offsets = None if offset_type is None else counts.astype(offset_type)
        values = {"weight": weights if self.stored else part.values["weight"]}
        return Part(int(plan.bounds[thread]), start, offsets, taken, values)


class Bundled:
    """The synapses of a projection that lie in a bundle; they are taken out when they are asked for."""

    def __init__(self, bundle: Bundle, number: int, strips: list):
        before = bundle.plans[number].connectivity
        self.bundle, self.number, self.shape = bundle, number, before.shape
        self.delays, self.n_synapses = before.found(strips)
        self.shared = before.shared
        self.types = before.types

    @property
    def parts(self) -> list[Part]:
        """The synapses of each range of targets."""
        return [self.bundle.take(self.number, thread) for thread in range(len(self.bundle.parts))]

    def alone(self) -> Connectivity:
        """Return the same synapses in arrays of their own."""
        n_source, n_target = self.shape
        return Connectivity(self.parts, self.delays, n_source, n_target, self.n_synapses)


def may_join(first, plan) -> bool:
    """Return whether the synapses of two projections may lie in one bundle."""
    if plan.projection.source.base is not first.projection.source.base:
        return False
    if any(each.wiring.parts or each.wiring.young for each in (first, plan)) or first.wiring.ahead != plan.wiring.ahead:
        return False
    if (set(first.wiring.shared), set(first.wiring.stored)) != (set(plan.wiring.shared), set(plan.wiring.stored)):
        return False
    weights = [each.connectivity.shared.get("weight") for each in (first, plan)]
    return weights[0] == weights[1]
