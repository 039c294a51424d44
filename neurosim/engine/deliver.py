"""Generates the kernels that bring spikes to their targets.

Spikes are delivered at the tick at which they arrive: for each delay d, the segment of that delay
in the rows of the neurons that spiked d ticks ago is added to one buffer, that of the target
population's port. The order of the sums for a target is (projection, emission tick, source), the
same for any number of threads.

Where a projection has release, plasticity or a device, their scalar bodies stand in the loop over
the synapses of a row. `arrived[row, delay]` is the tick of the last arrival there; source traces
are kept beside it.
"""

import textwrap

import numpy as np

from neurosim.engine.kernel import INT, REAL, Array, Kernel
from neurosim.engine.learn import Learner
from neurosim.engine.wiring import Wiring, decayed, synapse_field

MOST_SEGMENTS = 1 << 16  #: segments that are listed at once
AHEAD_WHOLE, AHEAD_SEGMENT = 2, 6  #: how many turns before its own a row, or its segment of one delay, is asked for


_NEXT = """\
taken = fitting
if taken == found:  # on to the list of the next part, or of the next delay
    taken = 0
    part += 1
if part == parts:
    part = 0
    column -= 1
"""


def deliver(wiring: Wiring) -> Kernel:
    """Return the kernel that delivers what arrives at a tick."""
    return _Deliver(wiring).kernel()


class _Deliver(Learner):
    """First the segments that arrive at this tick are listed, as many as fit, then their synapses are gone through.

    Rows lie anywhere in memory; where the list is known, those that are needed soon can be asked for ahead.
    """

    def kernel(self) -> Kernel:
        w = self.wiring
        fields = {"parts": INT, "slots": INT, "stride": INT, "ids_at": Array(np.int64, "parts"),
                  "marks_at": Array(np.int64, "parts"), "room": INT}
        fields |= {f"segment_{name}": Array(np.int64, "room") for name in ("low", "high", "cell")} | self.fields()
        fields["arrivals"] = Array(w.real, "n_target")
        fields |= {"scale": REAL} if w.packed else {}
        fields |= {"born": Array(np.int64, "n_synapses")} if w.young else {}
        cell = ["segment_cell[listed] = source * n_delays + k"] if w.history or w.random or w.young else []
        add = ["segment_low[listed] = low", "segment_high[listed] = high", *cell, "listed += 1"]
        if not w.history:  # the tick of an arrival is kept where this part has no synapse, too, the same in all parts
            add = ["if low < high:", *(f"    {line}" for line in add)]
        row = [*self.row(), *add]
        body = """\
            column, part, taken = n_delays - 1, 0, 0
            while column >= 0:
                listed = 0
                while column >= 0 and listed < room:
                    k = column
                    slot = (tick - delays[k]) % slots * stride
                    marks = array_int64(marks_at[part], slots * stride)
                    found = marks[slot + 1]
                    ids = array_uint32(ids_at[part] + 4 * marks[slot], found)
                    fitting = min(found, taken + room - listed)
                    for n in range(taken, fitting):
                        source = np.int64(ids[n])
            """
        body = textwrap.dedent(body).rstrip() + "\n" + "".join(f"            {line}\n" for line in row)
        body += textwrap.indent(_NEXT, " " * 8)
        each = [*self._prefetch(), "low = segment_low[n]", "high = segment_high[n]",
                *(self._full() if w.parts or w.young else self._scatter())]
        body = ("turn, before = 0, -1\n" if w.random else "") + body
        body += "    for n in range(listed):\n" + "".join(f"        {line}\n" for line in each)
        return Kernel("deliver", fields, body, self.leaves, w.real)

    def _prefetch(self) -> list[str]:
        stored = ["target"] if not self.wiring.runs or self.wiring.packed else []
        stored += ["weight"] if "weight" in self.wiring.stored else []
        ahead = AHEAD_WHOLE if self.wiring.offsets is None else AHEAD_SEGMENT
        lines = [f"if n + {ahead} < listed:"] if stored else []
        for name in stored:
            size = np.dtype(self.wiring.target if name == "target" else self.wiring.real).itemsize
            lines += [f"    for e in range(segment_low[n + {ahead}], segment_high[n + {ahead}], {64 // size}):",
                      f"        prefetch({name}, e)", f"    prefetch({name}, segment_high[n + {ahead}] - 1)"]
        return lines

    def _scatter(self) -> list[str]:
        """The loop that matters most: slices begin at 0, so that no index is checked for its sign."""
        w, lines = self.wiring, ["row = target[low:high]"]
        number, value = "row[e]", "weight"
        if w.packed:
            number, value = "row[e] & np.uint32(0xFFFF)", (
                f"np.{np.dtype(w.real).name}(np.int16(row[e] >> np.uint32(16))) * scale")
        elif "weight" in w.stored:
            lines, value = [*lines, "weights = weight[low:high]"], "weights[e]"
        if not w.runs:
            return [*lines, "for e in range(row.size):", f"    arrivals[{number}] += {value}"]
        first = number.replace("[e]", "[0]")
        return [*lines, f"begin = np.int64({first}) if row.size else 0", "into = arrivals[begin:begin + row.size]",
                "for e in range(into.size):", f"    into[e] += {value}"]

    def _full(self) -> list[str]:
        w = self.wiring
        each = ["for e in range(low, high):", *(f"    {line}" for line in self._synapse())]
        if w.few_teach:
            each = self.where_few_taught(self._scatter(), each)
        elif w.only_targets_teach and not w.young:  # mostly, no target has spiked since the row's last spike
            each = ["if latest[0] < since:", *(f"    {line}" for line in self._scatter()), "else:",
                    *(f"    {line}" for line in each)]
        return [*self._row_begins(), *each, *self._row_ends()]

    def _row_begins(self) -> list[str]:
        w, lines = self.wiring, []
        if w.history or w.random or w.young:
            lines += ["q = segment_cell[n]", "k = q % n_delays"]
        if w.random:
            lines += ["turn = turn + 1 if q == before else 0", "before = q"]
        if w.history:
            lines += ["gap = tick - arrived[q]", f"past = np.{np.dtype(w.real).name}(dt * gap)"]
        if w.rules:
            lines += [*self.before(), *(f"now_{name} = {decayed(w, trace, f'{synapse_field(name)}[q]', 'gap')}"
                                        for name, trace in w.traces("source").items())]
        return lines

    def _synapse(self) -> list[str]:
        w = self.wiring
        lines = ["j = np.int64(target[e])"]
        if w.rules:
            lines += self.catch_up("tick - 1")
        if not w.young:
            return lines + self._arrives()
        lines += ["if tick - delays[k] > born[e]:", *(f"    {line}" for line in self._arrives())]
        if w.timed:  # what goes on between events goes on
            lines += ["else:", *(f"    {line}" for line in self._event("none", {}, "tick"))]
        return lines

    def _arrives(self) -> list[str]:
        """What the arrival of a spike does at a synapse."""
        w, lines = self.wiring, []
        weight = "weight[e]" if "weight" in w.stored else "weight"
        learn = self.arrival() if w.has("on_source") or w.has("between") else []
        after = learn and any(rule.transmits == "after" for rule in w.rules)
        lines += learn if after else []
        lines.append(f"effect = {weight}")
        lines += [] if after else learn
        if w.device is not None and w.device.read is not None:
            lines += [*self.draw("read", turn="turn"),
                      f"effect = {self.call('read', w.device, w.device.read, {'weight': 'effect'})}"]
        if w.release is not None:
            names = ", ".join(["amount", *(f"{synapse_field(name)}[e]" for name in w.release.state)])
            call = self.call("release", w.release, w.release.release, {"elapsed": "past"})
            lines += [f"{names} = {call}", "effect = effect * amount"]
        return [*lines, "arrivals[j] += effect"]

    def _row_ends(self) -> list[str]:
        w, lines = self.wiring, []
        lines += [f"{synapse_field(name)}[q] = " + ("1" if trace.nearest else f"now_{name} + 1")
                  for name, trace in w.traces("source").items()]
        return [*lines, "arrived[q] = tick"] if w.history else lines
