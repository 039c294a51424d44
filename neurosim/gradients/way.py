"""The memory of one run of some samples forth and back: states, queue, log and what is wanted of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from neurosim.errors import SimulationError
from neurosim.event.exponentials import CHAINS
from neurosim.gradients import compiled
from neurosim.gradients.forward import (
    LACKS_LOG,
    LACKS_QUEUE,
    LACKS_SPIKES,
    LACKS_STACK,
    MANY,
    NUMBERS,
    POPULATION,
)
from neurosim.gradients.mathematics import NODES

_LOG = {"g_begin": np.int64, "g_end": np.int64, "g_proj": np.int64, "g_rec": np.int64, "g_time": float,
        "l_kind": np.int8, "l_item": np.int64}
_SPIKES = {"s_time": float, "s_id": np.int64, "s_of": np.int64, "s_slope": float, "s_release": float,
           "s_why": np.int8, "s_cause": np.int64, "s_cause_e": np.int64}
_QUEUE = {"time": float, "order": np.int64, "item": np.int64, "slot_at": np.int64, "slot_of": np.int64,
          "slot_rec": np.int64, "free": np.int64}


def shared(work: Callable[[int], object], parts: int, threads: int) -> list:
    """Return what `work` gives for each part; one thread alone does it here, without waiting for another to wake."""
    if min(threads, parts) == 1:
        return [work(k) for k in range(parts)]
    with ThreadPoolExecutor(min(threads, parts)) as pool:
        return list(pool.map(work, range(parts)))


class Way:
    """One worker's memory; it is used again by later runs of the same network.

    Args:
        layout: the network.
    """

    def __init__(self, layout):
        self.layout = layout
        neurons, count = layout.neurons, len(layout.pops)
        most, stride = (int(layout.pops[:, POPULATION.index(name)].max(initial=1)) for name in ("chains", "stride"))
        self.x, self.y = np.zeros((2, layout.states))
        self.frame, self.least, self.n_held = np.zeros((3, count))
        self.unseen = np.zeros((2, count), np.int64)
        self.held, self.wake, self.carry = np.zeros((3, neurons))
        self.sure, self.why, self.cause, self.cause_e = np.zeros((4, neurons), np.int64)
        levels = 2 * most + 4
        self.row = np.zeros(CHAINS + most * stride)
        self.room = (np.zeros(4 * most + 2 * max(1, most) * levels), np.zeros((levels, 2), np.int64),
                     np.zeros(levels), np.zeros(levels))
        self.numbers = np.zeros(len(NUMBERS), np.int64)
        self.nodes = np.zeros(NODES), np.zeros(NODES), np.zeros(1 + most * stride)
        self.stack = np.zeros(0)
        self.sums: tuple[np.ndarray, ...] = ()
        self.log, self.spikes, self.queue = (
            {name: np.zeros(size, kind) for name, kind in names.items()}
            for names, size in ((_LOG, 1024), (_SPIKES, 512), (_QUEUE, 512)))

    def forth(self, layout, starts, times, ids, of, end: float, *, stacks: bool, largest: bool,
              most_spikes: int) -> "Way":
        """Run samples; their given spikes are `times`, `ids`, `of` (populations), those of sample k from starts[k] "
          "on."""
        self.layout, count = layout, len(starts) - 1
        self.count, self.end = count, float(end)
        self.marks = np.zeros((count + 1, 4), np.int64)
        self.totals, self.largests, self.latests, self.leanings = np.zeros((4, count, layout.neurons))
        self.tails = np.full((count, len(layout.pops)), -1, np.int64)
        self.numbers[NUMBERS.index("STACKS")], self.numbers[NUMBERS.index("LARGEST")] = int(stacks), int(largest)
        samples = np.array([0, count])
        while True:
            code = compiled.forth()(
                samples, starts, times, ids, of, self.end, most_spikes, layout.pops, layout.projs, layout.outs,
                layout.out_list, layout.rows, layout.targets, layout.weights, layout.delays, layout.c, layout.drift,
                layout.start, self.x, self.frame, self.held, self.wake, self.sure, self.why, self.cause, self.cause_e,
                self.least, self.n_held, *self.unseen, self.row, *self.room, *self.queue.values(),
                *self.log.values(), *self.spikes.values(), self.marks, self.totals,
                self.largests, self.latests, self.leanings, self.stack, self.tails, self.numbers, *self.nodes[:2])
            if code == MANY:
                raise SimulationError(f"a sample must not have more than {most_spikes} spikes of neurons, sample "
                                      f"{samples[0]} of its part has; raise max_spikes, or look for a loop that "
                                      f"excites itself")
            if code == 0:
                return self
            self._grow(code)

    def _grow(self, lacking):
        for bit, arrays in ((LACKS_LOG, self.log), (LACKS_SPIKES, self.spikes), (LACKS_QUEUE, self.queue)):
            for name, old in arrays.items() if lacking & bit else ():
                arrays[name] = np.zeros(2 * old.size + len(self.layout.projs), old.dtype)
                arrays[name][:old.size] = old
        if lacking & LACKS_STACK:
            new = np.zeros(2 * self.stack.size + 64 * self.layout.states + 64)
            new[:self.stack.size] = self.stack
            self.stack = new

    def back(self, d_times, rhos, sharps, *, timing: bool) -> tuple:
        """Go back; return derivatives by weights, delays, numbers of neurons, initial states and all spike times.

        All but the last are to be cleared and handed back as `sums`: memory that is new each time is mapped page by
        page.

        Args:
            d_times: of the loss by every spike time of the log.
            rhos, sharps: by integrals and largest values of v, (samples, neurons).
            timing: whether those by delays and times of given spikes are wanted.
        """
        layout = self.layout
        d_times = np.array(d_times, np.float64)
        sizes = layout.weights.size, layout.delays.size, layout.outputs, layout.states
        kept, self.sums = self.sums, ()
        out = kept if tuple(each.size for each in kept) == sizes else tuple(np.zeros(size) for size in sizes)
        self.numbers[NUMBERS.index("TIMES")] = int(timing)
        compiled.back()(
            np.array([0, self.count]), self.marks, self.end, layout.pops, layout.projs, layout.targets, layout.weights,
            layout.c, layout.drift, self.y, self.frame, self.carry, *self.log.values(),
            *self.spikes.values(), rhos, sharps, self.latests, self.leanings, self.stack, self.tails.copy(),
            out[2], out[0], out[1], d_times, out[3], self.numbers, *self.nodes)
        return (*out, d_times)
