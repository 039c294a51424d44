"""Generates the kernels that bring spikes to their targets, and that keep plastic synapses up to date.

Spikes are delivered at the tick at which they arrive: for each delay d, the segment of that delay
in the rows of the neurons that spiked d ticks ago is added to one buffer, that of the target
population's port. The order of the sums for a target is (projection, emission tick, source), the
same for any number of threads.

Where a projection has release, plasticity or a device, their scalar bodies stand in the loop over
the synapses of a row. `arrived[row, delay]` is the tick of the last arrival there; source traces
are kept beside it. What the target did since then is read from a short ring of its last spikes, and
handled before the arrival itself.
"""

import inspect
import textwrap
from dataclasses import dataclass

import numpy as np

from neurosim.distributions import normal_quantile
from neurosim.engine.kernel import INT, REAL, Array, Kernel
from neurosim.errors import UnsupportedError
from neurosim.random import philox, uniform53

NEVER = -(1 << 40)  #: tick of an arrival that has not been
OFFERED = ("weight", "change", "elapsed", "normal", "uniform")
AHEAD_WHOLE, AHEAD_SEGMENT = 2, 6  #: how many turns before its own a row, or its segment of one delay, is asked for
RING = 64  #: target spikes kept between two settlements


def synapse_field(name: str) -> str:
    """Return the name of a synapse's quantity in the arrays and the text, where it can clash with no other."""
    return name if name == "weight" else f"u_{name}"


@dataclass(frozen=True)
class Wiring:
    """What decides the text of a delivery kernel.

    Args:
        target: dtype of the target indices.
        offsets: dtype of the table of delay segments, or None for a single delay.
        shared: names of the synapse quantities that are one number for the whole projection.
        stored: names of those that are arrays.
        release, plasticity, device: the parts, or None; their classes matter, not their numbers.
        read_units: dtypes of the target variables that the plasticity rule reads.
        real: float type.
    """

    target: object
    offsets: object
    shared: tuple
    stored: tuple
    release: object
    plasticity: object
    device: object
    reads: tuple
    real: type

    @property
    def history(self) -> bool:
        """Whether the ticks of the last arrivals must be kept."""
        return self.release is not None or self.plasticity is not None

    @property
    def random(self) -> bool:
        """Whether a body asks for a random number."""
        bodies = [] if self.device is None else [self.device.read, self.device.update]
        return any({"normal", "uniform"} & set(inspect.signature(body).parameters) for body in bodies if body)

    def state(self) -> dict:
        """Return the synapse variables of all parts, by name."""
        parts = [part for part in (self.release, self.plasticity, self.device) if part is not None]
        return {name: state for part in parts for name, state in part.state.items()}

    def deliver(self) -> Kernel:
        """Return the kernel that delivers what arrives at a tick."""
        return _Deliver(self).kernel()

    def settle(self, periodic: bool) -> Kernel:
        """Return the kernel that handles the target spikes since each synapse's last arrival.

        Where `periodic`, it does so at every so many ticks, and then calls the rule's `on_period`.
        """
        return _Settle(self, periodic).kernel()

    def note(self) -> Kernel:
        """Return the kernel that notes the target's spikes of a tick."""
        return _note(self)


class _Synapse:
    """What the texts that touch synapses share."""

    name = ""

    def __init__(self, wiring: Wiring):
        self.wiring = wiring
        self.leaves = {}

    def _synapse_fields(self) -> dict:
        w, n = self.wiring, "n_synapses"
        fields = {"n_source": INT, "n_target": INT, "n_delays": INT, "n_synapses": INT, "dt": REAL,
                  "delays": Array(np.int64, "n_delays"), "start": Array(np.int64, "n_source + 1"),
                  "target": Array(w.target, n)}
        if w.offsets is not None:
            fields["offsets"] = Array(w.offsets, "n_source * (n_delays + 1)")
        fields |= {synapse_field(name): REAL for name in w.shared}
        fields |= {synapse_field(name): Array(w.real, n) for name in w.stored}
        for name, state in w.state().items():
            fields[synapse_field(name)] = Array(np.float64 if state.slow else w.real, n)
        if w.history:
            fields["arrived"] = Array(np.int64, "n_source * n_delays")
        if w.plasticity is not None:
            fields |= {synapse_field(name): Array(w.real, "n_source * n_delays") for name in w.plasticity.source_traces}
            fields |= history_fields(w) | {"settled": Array(np.int64, 1)}
            fields |= {f"target_{name}": Array(dtype, "n_target") for name, dtype in w.reads}
        if w.random:
            fields |= {"base": Array(np.int64, "n_source * n_delays"), "key0": INT, "key1": INT, "stream": INT,
                       "sample": INT}
            self.leaves |= {"philox": philox, "uniform53": uniform53, "normal_quantile": normal_quantile}
        return fields

    def _row(self) -> list[str]:
        """The part of a source's row that has delay number k."""
        if self.wiring.offsets is None:
            return ["low = start[source]", "high = start[source + 1]"]
        return ["at = source * (n_delays + 1) + k", "low = start[source] + np.int64(offsets[at])",
                "high = start[source] + np.int64(offsets[at + 1])"]

    def _call(self, alias, part, body, renamed=()) -> str:
        self.leaves[alias] = body
        renamed, arguments = dict(renamed), []
        for name in inspect.signature(body).parameters:
            if name in renamed:
                arguments.append(renamed[name])
            elif name in part.state or name in self.wiring.stored:
                arguments.append(f"{synapse_field(name)}[e]")
            elif name in getattr(part, "reads", ()):
                arguments.append(f"target_{name}[j]")
            elif name in self.wiring.shared:
                arguments.append(synapse_field(name))
            elif name in OFFERED:
                arguments.append(name)
            else:
                raise UnsupportedError(f"{type(part).__name__}.{body.__name__} takes {name!r}, which is neither a "
                                       f"variable, a trace, a parameter, nor one of {', '.join(OFFERED)}")
        return f"{alias}({', '.join(arguments)})"

    def _apply(self, alias, renamed) -> list[str]:
        """A call of a rule's body whose result is put into the weight, through the device where it learns."""
        rule = self.wiring.plasticity
        call = self._call(alias, rule, getattr(rule, alias), renamed)
        lines = [f"{', '.join(['asked', *(f'{synapse_field(name)}[e]' for name in rule.state)])} = {call}"]
        device = self.wiring.device
        if device is None or device.update is None:
            return [*lines, "weight[e] = asked"]
        change = {"weight": "weight[e]", "change": "asked - weight[e]"}
        return [*lines, f"weight[e] = {self._call('update', device, device.update, change)}"]

    def _draw(self) -> list[str]:
        return ["word = base[q] + (e - low)",
                "w0, w1, w2, w3 = philox(np.uint64(word), np.uint64(tick), np.uint64(stream), np.uint64(sample),"
                " np.uint64(key0), np.uint64(key1))",
                "normal = normal_quantile(uniform53(w0, w1))", "uniform = uniform53(w2, w3)"]

    def _catch_up(self) -> list[str]:
        """Handle the target spikes from the last arrival on that were not handled yet."""
        rule = self.wiring.plasticity
        if rule.on_target is None:
            return []
        traces = [f"then_{name} = {synapse_field(name)}[q] * exp(-gap / {synapse_field(trace.tau)})"
                  for name, trace in rule.source_traces.items()]
        renamed = {name: f"then_{name}" for name in rule.source_traces}
        renamed |= {name: f"ring_{name}[at]" for name in rule.target_traces} | {"weight": "weight[e]"}
        return ["newest = noted[j]",
                f"h = newest - min(newest, {RING})",
                f"while h < newest and ring_tick[j * {RING} + h % {RING}] < since:",
                "    h += 1",
                "while h < newest:",
                f"    at = j * {RING} + h % {RING}",
                "    gap = (ring_tick[at] - arrived[q]) * dt",
                *(f"    {line}" for line in [*traces, *self._apply("on_target", renamed)]),
                "    h += 1"]


class _Deliver(_Synapse):
    def kernel(self) -> Kernel:
        fields = {"parts": INT, "slots": INT, "ids_at": Array(np.int64, "parts"), "count_at": Array(np.int64, "parts"),
                  "capacity": Array(np.int64, "parts")} | self._synapse_fields()
        fields["arrivals"] = Array(self.wiring.real, "n_target")
        row = [*self._row(), *(self._scatter() if self._plain() else self._full())]
        body = """\
            for k in range(n_delays - 1, -1, -1):
                slot = (tick - delays[k]) % slots
                for p in range(parts):
                    found = carray(pointer(count_at[p]), slots, np.int32)[slot]
                    ids = carray(pointer(ids_at[p] + 4 * slot * capacity[p]), found, np.uint32)
                    for n in range(found):
            """
        row = [*self._prefetch(), "source = np.int64(ids[n])", *row]
        body = textwrap.dedent(body).rstrip() + "\n" + "".join(f"            {line}\n" for line in row)
        return Kernel("deliver", fields, body, self.leaves, self.wiring.real)

    def _prefetch(self) -> list[str]:
        """Rows lie anywhere in memory: the lines of one that is needed soon are asked for now."""
        stored = ["target", *(["weight"] if "weight" in self.wiring.stored else [])]
        ahead = AHEAD_WHOLE if self.wiring.offsets is None else AHEAD_SEGMENT
        lines = [f"if n + {ahead} < found:", f"    source = np.int64(ids[n + {ahead}])",
                 *(f"    {line}" for line in self._row())]
        for name in stored:
            size = np.dtype(self.wiring.target if name == "target" else self.wiring.real).itemsize
            lines += [f"    for e in range(low, high, {64 // size}):", f"        prefetch({name}, e)"]
        return lines

    def _plain(self) -> bool:
        w = self.wiring
        return w.release is None and w.plasticity is None and w.device is None

    def _scatter(self) -> list[str]:
        """The loop that matters most: slices begin at 0, so that no index is checked for its sign."""
        if "weight" in self.wiring.shared:
            return ["row = target[low:high]", "for e in range(row.size):", "    arrivals[row[e]] += weight"]
        return ["row = target[low:high]", "weights = weight[low:high]", "for e in range(row.size):",
                "    arrivals[row[e]] += weights[e]"]

    def _full(self) -> list[str]:
        return [*self._before(), "for e in range(low, high):", *(f"    {line}" for line in self._synapse()),
                *self._afterwards()]

    def _before(self) -> list[str]:
        w, lines = self.wiring, []
        if w.history or w.random:
            lines.append("q = source * n_delays + k")
        if w.history:
            lines.append(f"elapsed = np.{np.dtype(w.real).name}(dt * (tick - arrived[q]))")
        if w.plasticity is not None:
            lines.append("since = max(arrived[q], settled[0] + 1)")
            lines += [f"now_{name} = {synapse_field(name)}[q] * exp(-elapsed / {synapse_field(trace.tau)})"
                      for name, trace in w.plasticity.source_traces.items()]
        return lines

    def _synapse(self) -> list[str]:
        w = self.wiring
        weight = "weight[e]" if "weight" in w.stored else "weight"
        lines = ["j = np.int64(target[e])"] + (self._draw() if w.random else [])
        if w.plasticity is not None:
            lines += self._catch_up()
        learn = self._learn() if w.plasticity is not None and w.plasticity.on_source is not None else []
        after = learn and w.plasticity.transmits == "after"
        lines += learn if after else []
        lines.append(f"effect = {weight}")
        lines += [] if after else learn
        if w.device is not None and w.device.read is not None:
            lines.append(f"effect = {self._call('read', w.device, w.device.read, {'weight': 'effect'})}")
        if w.release is not None:
            names = ", ".join(["amount", *(f"{synapse_field(name)}[e]" for name in w.release.state)])
            lines += [f"{names} = {self._call('release', w.release, w.release.release)}", "effect = effect * amount"]
        return [*lines, "arrivals[j] += effect"]

    def _learn(self) -> list[str]:
        rule = self.wiring.plasticity
        traces = [f"now_{name} = trace_{name}[j] * exp((spiked_at[j] - tick) * dt / {synapse_field(trace.tau)})"
                  for name, trace in rule.target_traces.items()]
        renamed = {name: f"now_{name}" for name in (*rule.source_traces, *rule.target_traces)}
        return traces + self._apply("on_source", renamed | {"weight": "weight[e]"})

    def _afterwards(self) -> list[str]:
        w, lines = self.wiring, []
        if w.plasticity is not None:
            lines += [f"{synapse_field(name)}[q] = " + ("1" if trace.nearest else f"now_{name} + 1")
                      for name, trace in w.plasticity.source_traces.items()]
        return [*lines, "arrived[q] = tick"] if w.history else lines


class _Settle(_Synapse):
    """Handles what the targets did up to now; where periodic, then calls the rule's `on_period`."""

    def __init__(self, wiring, periodic):
        super().__init__(wiring)
        self.periodic = periodic

    def kernel(self) -> Kernel:
        fields = self._synapse_fields() | ({"period": INT} if self.periodic else {})
        synapse = self._catch_up()
        if self.periodic:
            synapse += self._apply("on_period", {"weight": "weight[e]"})
        if not synapse:
            synapse = ["pass"]
        draw = self._draw() if self.wiring.random else []
        row = [*self._row(), "q = source * n_delays + k", "since = max(arrived[q], settled[0] + 1)",
               "for e in range(low, high):", "    j = np.int64(target[e])", *(f"    {line}" for line in draw + synapse)]
        when = "tick % period == 0" if self.periodic else "True"
        body = (f"if {when}:\n    for source in range(n_source):\n"
                "        for k in range(n_delays):\n" + "".join(f"            {line}\n" for line in row)
                + "    settled[0] = tick\n")
        return Kernel("settle", fields, body, self.leaves, self.wiring.real)


def history_fields(wiring: Wiring) -> dict:
    """Return the arguments that hold the target's last spikes: a ring of ticks and of traces."""
    n, ring = "n_target", f"n_target * {RING}"
    fields = {"noted": Array(np.int64, n), "ring_tick": Array(np.int64, ring), "spiked_at": Array(np.int64, n)}
    for name, trace in wiring.plasticity.target_traces.items():
        fields |= {synapse_field(trace.tau): REAL, f"trace_{name}": Array(wiring.real, n),
                   f"ring_{name}": Array(wiring.real, ring)}
    return fields


def _note(wiring: Wiring) -> Kernel:
    fields = {"n_target": INT, "dt": REAL, "slots": INT, "capacity": INT, "first": INT,
              "ids": Array(np.uint32, "slots * capacity"), "count": Array(np.int32, "slots")} | history_fields(wiring)
    lines = []
    for name, trace in wiring.plasticity.target_traces.items():
        lines += [f"now = trace_{name}[j] * exp((spiked_at[j] - tick) * dt / {synapse_field(trace.tau)})",
                  f"ring_{name}[at] = now", f"trace_{name}[j] = 1" if trace.nearest else f"trace_{name}[j] = now + 1"]
    body = ("slot = tick % slots\nfor n in range(count[slot]):\n    j = np.int64(ids[slot * capacity + n]) - first\n"
            "    if j < 0 or j >= n_target:\n        continue\n"
            f"    at = j * {RING} + noted[j] % {RING}\n    ring_tick[at] = tick\n"
            + "".join(f"    {line}\n" for line in lines) + "    spiked_at[j] = tick\n    noted[j] += 1\n")
    return Kernel("note", fields, body, {}, wiring.real)
