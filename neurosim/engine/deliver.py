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

from neurosim.engine.kernel import INT, Array, Kernel
from neurosim.engine.learn import Learner
from neurosim.engine.wiring import Wiring, decayed, synapse_field

AHEAD_WHOLE, AHEAD_SEGMENT = 2, 6  #: how many turns before its own a row, or its segment of one delay, is asked for


def deliver(wiring: Wiring) -> Kernel:
    """Return the kernel that delivers what arrives at a tick."""
    return _Deliver(wiring).kernel()


class _Deliver(Learner):
    def kernel(self) -> Kernel:
        fields = {"parts": INT, "slots": INT, "stride": INT, "ids_at": Array(np.int64, "parts"), "count_at": Array(np.int64, "parts"),
                  "capacity": Array(np.int64, "parts")} | self.fields()
        fields["arrivals"] = Array(self.wiring.real, "n_target")
        body = """\
            for k in range(n_delays - 1, -1, -1):
                slot = (tick - delays[k]) % slots
                for p in range(parts):
                    found = carray(pointer(count_at[p]), slots * stride, np.int32)[slot * stride]
                    ids = carray(pointer(ids_at[p] + 4 * slot * capacity[p]), found, np.uint32)
                    for n in range(found):
            """
        row = [*self._prefetch(), "source = np.int64(ids[n])", *self.row(),
               *(self._full() if self.wiring.parts else self._scatter())]
        body = textwrap.dedent(body).rstrip() + "\n" + "".join(f"            {line}\n" for line in row)
        return Kernel("deliver", fields, body, self.leaves, self.wiring.real)

    def _prefetch(self) -> list[str]:
        """Rows lie anywhere in memory: the lines of one that is needed soon are asked for now."""
        stored = ["target", *(["weight"] if "weight" in self.wiring.stored else [])]
        ahead = AHEAD_WHOLE if self.wiring.offsets is None else AHEAD_SEGMENT
        lines = [f"if n + {ahead} < found:", f"    source = np.int64(ids[n + {ahead}])",
                 *(f"    {line}" for line in self.row())]
        for name in stored:
            size = np.dtype(self.wiring.target if name == "target" else self.wiring.real).itemsize
            lines += [f"    for e in range(low, high, {64 // size}):", f"        prefetch({name}, e)"]
        return lines

    def _scatter(self) -> list[str]:
        """The loop that matters most: slices begin at 0, so that no index is checked for its sign."""
        if "weight" in self.wiring.shared:
            return ["row = target[low:high]", "for e in range(row.size):", "    arrivals[row[e]] += weight"]
        return ["row = target[low:high]", "weights = weight[low:high]", "for e in range(row.size):",
                "    arrivals[row[e]] += weights[e]"]

    def _full(self) -> list[str]:
        return [*self._row_begins(), "for e in range(low, high):", *(f"    {line}" for line in self._synapse()),
                *self._row_ends()]

    def _row_begins(self) -> list[str]:
        w, lines = self.wiring, []
        if w.history or w.random:
            lines.append("q = source * n_delays + k")
        if w.history:
            lines += ["gap = tick - arrived[q]", f"past = np.{np.dtype(w.real).name}(dt * gap)"]
        if w.rules:
            lines += [*self.before(), *(f"now_{name} = {decayed(w, trace, f'{synapse_field(name)}[q]', 'gap')}"
                                        for name, trace in w.traces("source").items())]
        return lines

    def _synapse(self) -> list[str]:
        w = self.wiring
        weight = "weight[e]" if "weight" in w.stored else "weight"
        lines = ["j = np.int64(target[e])"] + (self.draw() if w.random else [])
        if w.rules:
            lines += self.catch_up("tick - 1")
        learn = self.arrival() if w.has("on_source") or w.has("between") else []
        after = learn and any(rule.transmits == "after" for rule in w.rules)
        lines += learn if after else []
        lines.append(f"effect = {weight}")
        lines += [] if after else learn
        if w.device is not None and w.device.read is not None:
            lines.append(f"effect = {self.call('read', w.device, w.device.read, {'weight': 'effect'})}")
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
