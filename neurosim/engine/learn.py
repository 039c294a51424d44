"""Generates the kernels that keep plastic synapses up to date.

What a target does is noted in a ring of its last spikes, and touches no synapse. When a spike next
arrives at a synapse, or when weights are asked for, the events since are handled in their order:
spikes of the target and of modulating populations, each with the traces and signals of its time.
"""

import numpy as np

from neurosim.checks import check_ticks
from neurosim.engine.kernel import INT, REAL, Array, Kernel
from neurosim.engine.slots import EMIT
from neurosim.engine.wiring import (
    BODIES,
    DECAYS,
    EVENTS,
    LATELY,
    PAST,
    RECENT,
    RING,
    Synapse,
    Wiring,
    decay_field,
    decayed,
    history_fields,
    late_reads,
    modulation_fields,
    modulator_field,
    synapse_field,
)
from neurosim.errors import UnsupportedError

FOREVER = 1 << 60


class Learner(Synapse):
    """Writes what happens to a plastic synapse: `since` is the tick from which on nothing was handled yet."""

    passed = "(tick - 1) // period * period"  #: the last end of a period that was handled

    @property
    def lag(self) -> str:
        """What is added to the tick of a target's spike until the synapse has it."""
        return " + lag" if self.wiring.lagged else ""

    def before(self) -> list[str]:
        """What all synapses of a row and delay share: q is their cell."""
        w, lines = self.wiring, ["since = max(arrived[q], settled[0] + 1)"]
        if w.dendritic:
            lines = ["since = max(arrived[q], settled[0]) + 1"] + ["lag = 2 * delays[k]"] * w.lagged
        if w.has("on_modulator"):
            first = "max(arrived[q], settled[0] + 1)" if w.dendritic else "since"
            lines += [f"g0 = events[0] - min(events[0], {EVENTS})",
                      f"while g0 < events[0] and event_tick[g0 % {EVENTS}] < {first}:", "    g0 += 1"]
        return lines

    def catch_up(self, last_event: str) -> list[str]:
        """Handle what happened since; `last_event` is the last tick whose modulators count."""
        w, lines = self.wiring, []
        spikes, events = w.has("on_target") or self._traces_late(), w.has("on_modulator")
        if spikes and not (events or w.timed or w.lagged or self._traces_late() or late_reads(w)):
            return self._catch_up_with_few()
        if spikes:
            lines += ["newest = noted[j]", "h = newest",
                      f"if recent[{RECENT} * j]{self.lag} >= since:", f"    oldest = newest - min(newest, {RING})",
                      f"    while h > oldest and ring_tick[{_place('h - 1')}]{self.lag} >= since:",
                      "        h -= 1"]
        if events:
            lines.append("g = g0")
        if w.timed:
            passed = [self.passed if w.periodic else "np.int64(0)", *["advanced[0]"] * w.has("between")]
            lines.append(f"last = max(arrived[q], {', '.join(passed)})")
            if w.has("on_target"):
                lines += [f"if h > 0 and newest - h < {RING}:",
                          f"    last = max(last, ring_tick[{_place('h - 1')}]{self.lag})"]
            if events:
                lines += ["if g > 0:", f"    last = max(last, event_tick[(g - 1) % {EVENTS}])"]
        on_target = [f"at = {_place('h')}", f"then = ring_tick[at]{self.lag}", *self._target(), "h += 1"]
        upto = f" and ring_tick[{_place('h')}] + lag <= tick" if w.lagged else ""
        if not events:
            return [*lines, f"while h < newest{upto}:", *_in(on_target)] if spikes else lines
        lines += ["while True:", f"    next_event = np.int64({FOREVER})",
                  f"    if g < events[0] and event_tick[g % {EVENTS}] <= {last_event}:",
                  f"        next_event = event_tick[g % {EVENTS}]"]
        if spikes:
            lines += [f"    if h < newest{upto} and ring_tick[{_place('h')}]{self.lag} <= next_event:",
                      *_in(on_target, 2), "        continue"]
        return [*lines, f"    if next_event == {FOREVER}:", "        break", "    then = next_event",
                *_in(self._modulator()), "    g += 1"]

    def where_few_taught(self, then: list[str], otherwise: list[str]) -> list[str]:
        """Catch up with those in the row that spiked since its last arrival, each once, and go on with `then`.

        Where more spiked since than are kept in their order, do what `otherwise` does, which asks each of the row.
        """
        kept = f"{LATELY - 1}"
        synapse = [f"j = spiked_target[seen & {kept}]", f"again = recent[{RECENT} * j] != spiked_tick[seen & {kept}]",
                   "seen += 1", "if again or j < begin or j >= begin + high - low:", "    continue",
                   "e = low + j - begin", *self.catch_up("tick")]
        return ["seen = spiked[0]", f"oldest = max(seen - {LATELY}, 0)",
                f"while seen > oldest and spiked_tick[(seen - 1) & {kept}] >= since:", "    seen -= 1",
                "if seen > oldest or oldest == 0:", "    begin = np.int64(target[low]) if low < high else 0",
                "    while seen < spiked[0]:", *_in(synapse, 2), *_in(then), "else:", *_in(otherwise)]

    def _catch_up_with_few(self) -> list[str]:
        """The same where spikes of the target are all that happens: mostly there is none since, or one.

        Where only targets teach there is none by far the most times, and a branch is predicted.
        """
        each = [f"at = {_place('h')}", "then = ring_tick[at]", *self._target(), "h += 1"]
        one = [f"then = recent[{RECENT} * j]", *self._target()]
        if any(self.wiring.takes(name, ["on_target"]) for name in self.wiring.traces("target")):
            one = [f"at = {_place('noted[j] - 1')}", *one]
        all_of_them = ["h = noted[j]", f"oldest = h - min(h, {RING})",
                       f"while h > oldest and ring_tick[{_place('h - 1')}] >= since:", "    h -= 1",
                       "while h < noted[j]:", *_in(each)]
        if self._simple() and self.wiring.has("on_source"):
            return [f"if recent[{RECENT} * j + 2] >= since:", *_in(all_of_them), "else:", *_in(self._last_two())]
        return [f"if recent[{RECENT} * j] >= since:", f"    if recent[{RECENT} * j + 1] < since:", *_in(one, 2),
                "    else:", *_in(all_of_them, 2)]

    def _simple(self) -> bool:
        """Whether the answer to a target's spike is a new weight from the old one and the source's traces alone."""
        w = self.wiring
        learns = w.device is not None and w.device.update is not None
        return not (learns or len(w.rules) > 1 or any(rule.state for rule in w.rules) or w.modulators
                    or any(w.takes(name, ["on_target"]) for name in w.traces("target")))

    def _last_two(self) -> list[str]:
        """Work out both answers, and take them where there was a spike: a choice of values mispredicts no branch."""
        w, rule = self.wiring, self.wiring.rules[0]
        known = {name: f"({decayed(w, trace, f'{synapse_field(name)}[q]', 'gap')})"
                 for name, trace in w.traces("source").items()}
        call = self.call("on_target_0", rule, rule.on_target, known | {"weight": "held"})
        lines = ["held = weight[e]"]
        for number in (1, 0):
            lines += [f"then = recent[{RECENT} * j + {number}]", "gap = max(then - arrived[q], 0)", f"asked = {call}",
                      "if then >= since:", f"    held = {_real(w)}(asked)"]
        return [*lines, "weight[e] = held"]

    def _traces_late(self) -> bool:
        """Whether the target's traces are taken from its ring of spikes."""
        w = self.wiring
        return any(w.takes(name, ["on_modulator"] + ["on_source"] * w.lagged) for name in w.traces("target"))

    def _target(self) -> list[str]:
        w = self.wiring
        if not w.has("on_target"):
            return []
        known = self._source_traces("then") | {name: f"ring_{name}[at]" for name in w.traces("target")}
        known |= {name: f"read_{name}[at]" for name, _ in late_reads(w)}
        return self._event("on_target", known, "then")

    def _modulator(self) -> list[str]:
        known = self._source_traces("then") | {name: f"past_{name}" for name in self.wiring.traces("target")}
        return [*self._past_traces("on_modulator", "then"), *self._event("on_modulator", known, "then")]

    def arrival(self) -> list[str]:
        """Handle the arrival of the source's spike."""
        w, lines = self.wiring, []
        known = {name: f"now_{name}" for name in (*w.traces("source"), *w.traces("target"))}
        if w.lagged:
            lines += self._past_traces("on_source", "tick")
            known |= {name: f"past_{name}" for name in w.traces("target")}
        elif w.has("on_source"):
            lines += self._target_traces("on_source")
        return lines + self._event("on_source", known, "tick")

    def end_of_period(self) -> list[str]:
        """Handle the end of a period."""
        w = self.wiring
        known = self._source_traces("tick")
        known |= {} if w.lagged else {name: f"now_{name}" for name in w.traces("target")}
        return [*([] if w.lagged else self._target_traces("on_period")), *self._event("on_period", known, "tick")]

    def _target_traces(self, body) -> list[str]:
        w = self.wiring
        taken = {name: trace for name, trace in w.traces("target").items() if w.takes(name, [body, "on_change"])}
        lines = [f"gap = tick - recent[{RECENT} * j]"] * bool(taken) + [
            f"now_{name} = {decayed(w, trace, f'trace_{name}[j]', 'gap')}" for name, trace in taken.items()]
        if w.dendritic and body == "on_source" and taken:  # a spike that meets the arrival counts as later
            lines += ["if gap == 0:", *(f"    now_{name} = ring_{name}[{_place('noted[j] - 1')}]" for name in taken)]
        return lines

    def _past_traces(self, body, when) -> list[str]:
        """Traces of the target from the last of its spikes that the synapse had by then, the h-th but one."""
        lines = []
        for name, trace in self.wiring.traces("target").items():
            if self.wiring.takes(name, [body, "on_change"]):
                after = "1" if trace.nearest else f"ring_{name}[at] + 1"
                lines += [f"past_{name} = {_real(self.wiring)}(0)", "if h > 0:", f"    at = {_place('h - 1')}",
                          f"    gap = {when} - ring_tick[at]{self.lag.replace('+', '-')}",
                          f"    past_{name} = {decayed(self.wiring, trace, f'({after})', 'gap')}"]
                if body == "on_source":
                    lines += ["    if gap == 0:", f"        past_{name} = ring_{name}[at]"]
        return lines

    def _source_traces(self, when) -> dict:
        return {name: f"({decayed(self.wiring, trace, f'{synapse_field(name)}[q]', f'({when} - arrived[q])')})"
                for name, trace in self.wiring.traces("source").items()}

    def _event(self, body, known, when) -> list[str]:
        """What all rules do at an event, first of themselves and then in answer to it."""
        w, lines = self.wiring, []
        known = known | {name: f"m_{name}[{when} % {PAST}]" for name in w.modulators}
        if w.timed:
            lines += [f"elapsed = {_real(w)}(({when} - last) * dt)", f"last = {when}"]
        for name in ("between", body):
            for number, rule in enumerate(w.rules):
                if getattr(rule, name, None) is not None:
                    apply = self._apply(number, name, {} if name == "between" else known, when)
                    when_so = {"on_period": f"tick % period_{number} == 0", "between": "elapsed > 0"}.get(name)
                    lines += [f"if {when_so}:", *_in(apply)] if when_so else apply
        return lines

    def _apply(self, number, body, known, when) -> list[str]:
        """A call of a rule's body whose result is put into the weight, past the gates and through the device."""
        w = self.wiring
        rule, device = w.rules[number], w.device
        learns = device is not None and device.update is not None
        call = self.call(f"{body}_{number}", rule, getattr(rule, body), known | {"weight": "weight[e]"})
        lines = [f"{', '.join(['asked', *(f'{synapse_field(name)}[e]' for name in rule.state)])} = {call}"]
        gates = [(n, gate) for n, gate in enumerate(w.rules)
                 if n > number and gate.on_change is not None and body != "between"]
        if not gates and not learns:
            return [*lines, "weight[e] = asked"]
        lines.append(f"change = {_real(w)}(asked - weight[e])")
        for n, gate in gates:
            taken = known | {"weight": "weight[e]", "change": "change"}
            call = self.call(f"on_change_{n}", gate, gate.on_change, taken)
            lines.append(f"{', '.join(['change', *(f'{synapse_field(name)}[e]' for name in gate.state)])} = {call}")
        if device is None or not learns:
            lines.append(f"changed = {_real(w)}(weight[e] + change)")
            if rule.keep is None:
                return [*lines, "weight[e] = changed"]
            return [*lines, f"weight[e] = {self.call(f'keep_{number}', rule, rule.keep, {'weight': 'changed'})}"]
        call = self.call("update", device, device.update, {"weight": "weight[e]", "change": "change"})
        which = 1 + BODIES.index(body) + len(BODIES) * number
        turn = "turn" if body == "on_source" else "0"
        return [*lines, *self.draw("update", when, which, turn), f"weight[e] = {call}"]


class Settle(Learner):
    """Handles what happened up to now at every synapse, and then what `end` says.

    Args:
        wiring: what decides the text.
        end: "" for nothing else, "period" for the end of a period, or "look" for what weights and variables have
            become of themselves since; such a look is taken at copies of them.
    """

    def __init__(self, wiring: Wiring, end: str = ""):
        super().__init__(wiring)
        self.end = end

    def kernel(self) -> Kernel:
        """Return the kernel."""
        if self.end == "look":
            self.passed = "tick // period * period"
        synapse = self.catch_up("tick")
        if self.end:
            synapse += self.end_of_period() if self.end == "period" else self._event("look", {}, "tick")
        each = ["for e in range(low, high):", "    j = np.int64(target[e])", *_in(synapse or ["pass"])]
        if self.wiring.few_teach and not self.end:
            each = self.where_few_taught(["pass"], each)
        row = [*self.row(), "q = source * n_delays + k", *self.before(), *each]
        when = "tick % period == 0" if self.end == "period" else "True"
        done = ["settled[0] = tick", "for j in range(n_target):", "    noted_before[j] = noted[j]"]
        done = [] if self.end == "look" else done
        body = (f"if {when}:\n    for source in range(n_source):\n"
                "        for k in range(n_delays):\n" + "".join(f"            {line}\n" for line in row)
                + "".join(f"    {line}\n" for line in done))
        return Kernel("settle", self.fields(), body, self.leaves, self.wiring.real)


def note(wiring: Wiring) -> Kernel:
    """Return the kernel that notes the target's spikes of a tick."""
    fields = {"n_target": INT, "dt": REAL, **EMIT, "behind": INT}
    fields |= history_fields(wiring)
    fields |= {f"target_{name}": Array(dtype, "n_target") for name, dtype in late_reads(wiring)}
    lines = [f"gap = tick - recent[{RECENT} * j]"]
    for name, trace in wiring.traces("target").items():
        fields |= {synapse_field(trace.tau): REAL, decay_field(trace.tau): Array(wiring.real, DECAYS)}
        lines += [f"now = {decayed(wiring, trace, f'trace_{name}[j]', 'gap')}",
                  f"ring_{name}[at] = now", f"trace_{name}[j] = 1" if trace.nearest else f"trace_{name}[j] = now + 1"]
    lines += [f"read_{name}[at] = target_{name}[j]" for name, _ in late_reads(wiring)]
    if wiring.only_targets_teach:
        lines += [f"spiked_tick[spiked[0] & {LATELY - 1}] = tick", f"spiked_target[spiked[0] & {LATELY - 1}] = j",
                  "spiked[0] += 1"]
    body = ("slot = (tick - behind) % slots * stride\nbegin = marks[slot]\nfor n in range(marks[slot + 1]):\n"
            "    j = np.int64(ids[begin + n]) - first\n"
            "    if j < 0 or j >= n_target:\n        continue\n"
            f"    at = {_place('noted[j]')}\n    ring_tick[at] = tick\n    latest[0] = tick\n"
            + "".join(f"    {line}\n" for line in lines)
            + f"    for k in range({RECENT} * j + {RECENT - 1}, {RECENT} * j, -1):\n        recent[k] = recent[k - 1]\n"
            f"    recent[{RECENT} * j] = tick\n    noted[j] += 1\n")
    return Kernel("note", fields, body, {}, wiring.real)


def modulate(wiring: Wiring) -> Kernel:
    """Return the kernel that fetches the signals of the tick before, first thing in a tick."""
    fields, lines = modulation_fields(wiring), ["before = tick - 1", "fired = np.int64(0)"]
    for name in wiring.modulators:
        if name in wiring.spiking:
            fields |= {f"parts_{name}": INT, f"slots_{name}": INT, f"stride_{name}": INT,
                       f"marks_at_{name}": Array(np.int64, f"parts_{name}")}
            lines += ["found = np.int64(0)", f"for p in range(parts_{name}):",
                      f"    marks = array_int64(marks_at_{name}[p], slots_{name} * stride_{name})",
                      f"    found += marks[before % slots_{name} * stride_{name} + 1]",
                      f"{modulator_field(name)}[tick % {PAST}] = found", "fired += found"]
        else:
            fields[f"past_{name}"] = Array(np.float64, PAST)
            lines.append(f"{modulator_field(name)}[tick % {PAST}] = past_{name}[before % {PAST}]")
    if wiring.has("on_modulator"):
        lines += ["if fired > 0:", f"    event_tick[events[0] % {EVENTS}] = tick", "    events[0] += 1"]
    return Kernel("modulate", fields, "\n".join(lines) + "\n", {}, wiring.real)


def remember(dtype) -> Kernel:
    """Return the kernel that keeps the value that a variable of one neuron has at the end of each tick."""
    fields = {"state": Array(dtype, 1), "past": Array(np.float64, PAST)}
    return Kernel("remember", fields, f"past[tick % {PAST}] = state[0]\n", {}, np.float64)


def fall_behind(dtype) -> Kernel:
    """Return the kernel that finds, at the end of a tick, what a variable of each neuron was some ticks ago."""
    fields = {"n": INT, "ticks": INT, "now": Array(dtype, "n"), "was": Array(dtype, "n"),
              "ring": Array(dtype, "n * ticks")}
    body = ("at = tick % ticks\nfor j in range(n):\n    was[j] = ring[j * ticks + at]\n"
            "    ring[j * ticks + at] = now[j]\n")
    return Kernel("fall_behind", fields, body, {}, np.float64)


def lags(projection, dt: float) -> dict[str, int]:
    """Return how many ticks ago the rules of a projection read variables of its target, where that is not now."""
    found = {}
    for rule in projection.plasticity:
        for name in rule.reads:
            ticks = check_ticks(f"{type(rule).__name__}.{rule.lags[name]}", getattr(rule, rule.lags[name]), dt,
                                at_least=0) if name in rule.lags else 0
            if found.setdefault(name, ticks) != ticks:
                raise UnsupportedError(f"projection {projection.name!r}: its rules must read {name!r} of the target as "
                                       f"it was at one time, got {found[name] * dt:g} and {ticks * dt:g} ms ago")
    return {name: ticks for name, ticks in found.items() if ticks}


def late_field(name: str, ticks: int) -> str:
    """Return the name of the array with the values that a variable had some ticks ago."""
    return f"late_{name}_{ticks}"


def check_rules(wiring: Wiring) -> None:
    """Write the texts once, so that a body that asks for what nobody has is refused before a run."""
    writer = Settle(wiring, "period" if wiring.periodic else "")
    writer.kernel()
    writer.arrival()


def _place(h) -> str:
    """Where the h-th spike of target j is in the ring."""
    return f"j * {RING} + (({h}) & {RING - 1})"


def _real(wiring) -> str:
    return f"np.{np.dtype(wiring.real).name}"


def _in(lines, depth: int = 1) -> list[str]:
    return [" " * 4 * depth + line for line in lines]


__all__ = ["Learner", "Settle", "check_rules", "fall_behind", "lags", "late_field", "modulate", "note", "remember"]
