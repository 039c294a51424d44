"""Generates the kernel that adds a whole row when its spike is sent, to sums for the ticks to come.

Where delays cut rows into segments of a few synapses, looking these up costs more than adding them. Here a row is gone
through once, when the first of its synapses is reached, and each synapse adds to the sum of its target at its own
tick, which is added to the arrivals when that tick comes. For a target and a tick the order is that of `deliver`.

The sums are no state: where the state was moved, they are made anew from the spikes that are under way.
"""

import textwrap

import numpy as np

from neurosim.engine.deliver import AHEAD_WHOLE
from neurosim.engine.kernel import INT, Array, Kernel, aligned
from neurosim.engine.wiring import NEVER, Synapse, Wiring

SHORT = 12  #: synapses of a row and delay, on average, below which it pays
MOST_SUMS = 1 << 18  #: targets times ticks: the sums stay in the second cache
FEWEST, MOST = 1 << 14, 1 << 26  #: synapses; with fewer it does not matter, of more the places take much memory

_SEND = """\
emitted = tick - delays[0]
if summed[0] != tick - 1:  # the state was moved
    for e in range(sums.size):
        sums[e] = 0
    emitted = tick - delays[n_delays - 1]
while emitted <= tick - delays[0]:
    k_first = 0
    while emitted + delays[k_first] < tick:
        k_first += 1
    turn = (emitted + delays[0]) % ring
    k_wrapped = k_first
    while k_wrapped < n_delays and turn + delays[k_wrapped] - delays[0] < ring:
        k_wrapped += 1
    shift, back = np.uint64(turn * n_target), np.uint64((ring - turn) * n_target)
    slot = emitted % slots * stride
    for part in range(parts):
        marks = array_int64(marks_at[part], slots * stride)
        found = marks[slot + 1]
        ids = array_uint32(ids_at[part] + 4 * marks[slot], found)
        for n in range(found):
            if n + {ahead} < found:
                soon = np.int64(ids[n + {ahead}])
                for e in range(start[soon], start[soon + 1], 16):
                    prefetch(place, e)
            source = np.int64(ids[n])
{rows}
    emitted += 1
first = tick % ring * n_target
now = sums[first:first + n_target]
for j in range(n_target):
    arrivals[j] += now[j]
    now[j] = 0
summed[0] = tick
"""


def may_send_ahead(wiring: Wiring, connectivity, n_source: int, n_target: int, synapses: float) -> bool:
    """Return whether a projection adds to the sums of later ticks; it does not depend on the number of threads.

    Args:
        wiring: of the projection.
        connectivity: its synapses, drawn or to be drawn.
        n_source, n_target: sizes of the two populations, or ranges of them.
        synapses: their expected number.
    """
    ticks = connectivity.ticks
    if wiring.parts or ticks.size < 2 or not FEWEST <= synapses <= MOST:
        return False
    return synapses < SHORT * n_source * ticks.size and n_target * int(ticks[-1] - ticks[0] + 1) <= MOST_SUMS


def ahead(wiring: Wiring) -> Kernel:
    """Return the kernel."""
    return _Ahead(wiring).kernel()


def kept(part, delays: np.ndarray, n_target: int, real) -> dict:
    """Return what the kernel needs beside rows: where in the sums each synapse adds, and sums that are to be made.

    Places count from the shortest delay on; `summed` is the last tick whose sums were taken.
    """
    late = np.zeros(part.target.size, dtype=np.uint32)
    if part.offsets is not None:
        sizes = np.diff(part.offsets.astype(np.int64), axis=1)
        late = np.repeat(np.tile((delays - delays[0]) * n_target, len(sizes)), sizes.ravel()).astype(np.uint32)
    ring = int(delays[-1] - delays[0]) + 1
    return {"place": late + part.target, "ring": ring, "sums": aligned(0, ring * n_target, real),
            "summed": np.array([NEVER])}


class _Ahead(Synapse):
    def kernel(self) -> Kernel:
        w = self.wiring
        fields = {"parts": INT, "slots": INT, "stride": INT, "ids_at": Array(np.int64, "parts"),
                  "marks_at": Array(np.int64, "parts"), "ring": INT}
        fields |= self.fields() | {"place": Array(np.uint32, "n_synapses"), "summed": Array(np.int64, 1),
                                   "sums": Array(w.real, "ring * n_target"), "arrivals": Array(w.real, "n_target")}
        fields |= {"born": Array(np.int64, "n_synapses")} if w.young else {}
        del fields["target"]
        rows = textwrap.indent("\n".join([*self._bounds(), *self._add("low", "middle", "+ shift"),
                                          *self._add("middle", "high", "- back")]), " " * 12)
        return Kernel("ahead", fields, _SEND.format(ahead=AHEAD_WHOLE, rows=rows), self.leaves, w.real)

    def _bounds(self) -> list[str]:
        """A row from the first delay on that is yet to come, up to `middle` before the ring turns, then after."""
        if self.wiring.offsets is None:
            return ["low, high = start[source], start[source + 1]", "middle = high"]
        return ["at = source * (n_delays + 1)", "low = start[source] + np.int64(offsets[at + k_first])",
                "middle = start[source] + np.int64(offsets[at + k_wrapped])", "high = start[source + 1]"]

    def _add(self, low, high, shift) -> list[str]:
        stored = "weight" in self.wiring.stored
        add = f"sums[np.uint64(row[e]) {shift}] += {'weights[e]' if stored else 'weight'}"
        lines = [f"row = place[{low}:{high}]", *[f"weights = weight[{low}:{high}]"] * stored]
        if self.wiring.young:
            return [*lines, f"births = born[{low}:{high}]", "for e in range(row.size):", "    if emitted > births[e]:",
                    f"        {add}"]
        return [*lines, "for e in range(row.size):", f"    {add}"]
