"""Neurons one by one, driven by the spikes that a result itself holds: would they have spiked when they did?

Each neuron gets what arrives according to a result, and after each tick the result's own spikes decide who is reset. So
one wrong guess about a simulator's rules makes errors at some ticks, and does not carry them on: the right guess makes
none, however chaotic the network is.
"""

import re
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from neurosim.backends.brian2_groups import same
from neurosim.backends.handing import Handed
from neurosim.engine.planner import formed


@dataclass(frozen=True)
class Rules:
    """How a simulator goes from tick to tick; the defaults are neurosim's.

    Attributes:
        order: "add, compare", "add, integrate", "compare, add" or "compare, reset, add".
        equal: whether v that is equal to the threshold spikes, or where the model says so, does not.
        held: ticks by which a neuron is refractory for longer.
        later: ticks by which what synapses deliver arrives later.
        rounding: of delays: "nearest", "down", "up" or "half to even".
        tau: "exact", "too long" (dt / (1 - exp(-dt / tau))) or "too short" (a factor of 1 - dt / tau for each tick).
        whose: whose time constants: "membrane", "synapses" or "all".
        refractory: what arrives meanwhile: "jumps are lost", "jumps act", "jumps wait", "jumps fade",
            "currents are lost", "currents stand still", "currents are cleared" or "v goes on".
        reset: "", or what v is instead: "to v_reset", "to v_leak", "to 0", or lowered by "v_threshold - v_leak",
            "v_threshold - v_reset" or "v_threshold".
        late_reset: whether it happens in the step after the spike.
        stamp: ticks by which the times of spikes are too early.
    """

    order: str = "add, compare"
    equal: bool = False
    held: int = 0
    later: int = 0
    rounding: str = "nearest"
    tau: str = "exact"
    whose: str = "membrane"
    refractory: str = "jumps are lost"
    reset: str = ""
    late_reset: bool = False
    stamp: int = 0


@dataclass(frozen=True, eq=False)
class Outcome:
    """How well rules predict the spikes of a result.

    Attributes:
        wrong: how often a spike is predicted and there is none, or the other way round; ticks in a row count once.
        ties: how many of these lie within rounding of the threshold.
        predicted: who should spike, shape (ticks + 1, neurons).
        v: potential before the reset, `after` afterwards, `arrived` what arrives, shape (ticks + 1, neurons).
        distance: of v from the threshold.
    """

    wrong: int
    ties: int
    predicted: np.ndarray
    v: np.ndarray
    after: np.ndarray
    arrived: np.ndarray
    distance: np.ndarray


class OpenLoop:
    """Some neurons of a population under the spikes of a result.

    Args:
        handed: the network.
        population: whose neurons.
        neurons: their numbers.
        spikes: population name -> (ticks, ids) of the result; sources that are left out send what they were given.
        ticks: how many are looked at.
        tolerance: mV within which v is at the threshold.
    """

    def __init__(self, handed: Handed, population, neurons, spikes, ticks: int, tolerance: float):
        self.handed, self.population, self.neurons = handed, population, np.asarray(neurons)
        self.spikes, self.ticks, self.tolerance = spikes, ticks, tolerance
        self.plan = handed.run.plan.populations[population]
        self._arrivals, self._groups = {}, {}
        current = handed.currents.get(population)
        rows = np.zeros((ticks, 1)) if current is None else current.rows(handed.ticks)[:ticks]
        self.injected = rows if rows.shape[1] == 1 else rows[:, self.neurons]

    def smaller(self, neurons: int, ticks: int) -> "OpenLoop":
        """Return the same for the first few neurons and ticks."""
        return OpenLoop(self.handed, self.population, self.neurons[:neurons], self.spikes, min(ticks, self.ticks),
                        self.tolerance)

    def run(self, rules: Rules) -> Outcome:
        """Return how well rules predict the spikes of the result."""
        return _Loop(self, rules).outcome()

    def actual(self, stamp: int) -> np.ndarray:
        """Return who spiked, shape (ticks + 1, neurons)."""
        found = np.zeros((self.ticks + 1, self.neurons.size), bool)
        ticks, ids = self.spikes[self.population.name]
        place = _places(self.neurons, self.population.size)[ids]
        inside = (ticks + stamp >= 1) & (ticks + stamp <= self.ticks) & (place >= 0)
        found[ticks[inside] + stamp, place[inside]] = True
        return found

    def arrivals(self, rules: Rules) -> list[np.ndarray]:
        """Return what arrives at each receptor, shape (ticks + 1, neurons)."""
        key = rules.later, rules.rounding, rules.stamp
        if key not in self._arrivals:
            self._arrivals[key] = self._arrive(rules)
        return self._arrivals[key]

    def _arrive(self, rules):
        found = [np.zeros((self.ticks + 1, self.neurons.size)) for _ in self.plan.ports]
        for projection in self.handed.net.projections:
            if projection.target.base is not self.population:
                continue
            numbers = self.handed.numbers.projections[projection.name]
            place = _places(self.neurons, self.population.size)[numbers.target]
            mine = place >= 0
            delay = self._delays(projection, numbers, rules)[mine] + rules.later
            weight = np.broadcast_to(numbers.values["weight"], mine.size)[mine]
            _deliver(found[numbers.receptor], *self._sent(projection.source.base, rules), numbers.source[mine],
                     place[mine], delay, weight)
        for drive, train in self.handed.events.items():
            if drive.target.base is not self.population:
                continue
            plan = self.handed.run.plan.drives[drive]
            place = _places(self.neurons, self.population.size)[train.ids]
            inside = (place >= 0) & (train.ticks <= self.ticks)
            weight = np.asarray(plan.parameters.weight)
            weight = weight if weight.ndim == 0 else weight[drive.target.places(train.ids[inside])]
            np.add.at(found[plan.events_to], (train.ticks[inside], place[inside]), train.counts[inside] * weight)
        return found

    def _sent(self, source, rules):
        """Return ticks, ids and numbers of the spikes of a population; given ones have the times that they have."""
        train = self.handed.trains.get(source)
        if train is not None:
            return train.ticks, train.ids, train.counts
        ticks, ids = self.spikes[source.name]
        lost = self._lost(source, rules) if rules.stamp > 0 else np.zeros(0, np.int64)
        return (np.concatenate([np.ones(lost.size, np.int64), ticks + rules.stamp]), np.concatenate([lost, ids]),
                np.ones(lost.size + ticks.size))

    def _lost(self, source, rules) -> np.ndarray:
        """Return who spiked at the first tick, which a result that labels it by 0 does not hold."""
        nothing = {name: (np.zeros(0, np.int64),) * 2 for name in self.spikes}
        loop = OpenLoop(self.handed, source, np.arange(source.size), nothing, 1, self.tolerance)
        return np.nonzero(loop.run(replace(rules, stamp=0)).predicted[1])[0]

    def _delays(self, projection, numbers, rules) -> np.ndarray:
        grid = np.rint(numbers.delay / self.handed.dt).astype(np.int64)
        if rules.rounding == "nearest" or not isinstance(projection.delay, (int, float)):
            return grid
        exact = projection.delay / self.handed.dt
        rounded = {"down": np.floor(exact + 1e-9), "up": np.ceil(exact - 1e-9), "half to even": np.rint(exact)}
        return np.full(grid.size, max(1, int(rounded[rules.rounding])))

    def group(self, rules: Rules):
        """Return the statements of a tick, with the time constants that rules give."""
        key = rules.tau, rules.whose
        if key not in self._groups:
            self._groups[key] = same(self._planned(rules), "injected")
        return self._groups[key]

    def _planned(self, rules):
        """Return the plan with other time constants, cut down to the neurons that are looked at."""
        plan = self.plan
        if rules.tau == "exact":
            return plan
        if rules.whose in ("membrane", "all"):
            plan = replace(plan, parameters=_wrong_tau(plan.parameters, "tau_mem", rules.tau, self.handed.dt))
        if rules.whose in ("synapses", "all"):
            plan = replace(plan, ports=tuple((receptor, _wrong_tau(q, "tau_syn", rules.tau, self.handed.dt))
                                             for receptor, q in plan.ports))
        return formed(plan, self.handed.run.plan)


def _wrong_tau(parameters, name, how, dt):
    values = dict(vars(parameters))
    if name in values:
        share = dt / np.asarray(values[name])
        if how == "too short" and np.any(share >= 1.0):
            return parameters
        values[name] = dt / -np.expm1(-share) if how == "too long" else -dt / np.log1p(-share)
        values[name] = float(values[name]) if np.ndim(values[name]) == 0 else values[name]
    return SimpleNamespace(**values)


def _places(neurons, size) -> np.ndarray:
    """Return for each member of a population its place among some, or -1."""
    place = np.full(size, -1)
    place[neurons] = np.arange(neurons.size)
    return place


def _deliver(out, ticks, ids, counts, source, target, delay, weight):
    """Add what spikes bring through synapses, sorted by source or not."""
    order = np.argsort(source, kind="stable")
    source = source[order]
    first, last = np.searchsorted(source, ids), np.searchsorted(source, ids, "right")
    many = last - first
    spike = np.repeat(np.arange(ids.size), many)
    synapse = order[np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + np.repeat(first, many)]
    at = ticks[spike] + delay[synapse]
    inside = (at >= 1) & (at < len(out))
    np.add.at(out, (at[inside], target[synapse][inside]), (counts[spike] * weight[synapse])[inside])


class _Loop:
    """One pass over the ticks."""

    def __init__(self, owner: OpenLoop, rules: Rules):
        self.owner, self.rules, self.n = owner, rules, owner.neurons.size
        self.group, self.ports = owner.group(rules), owner.plan.form.kind.ports
        self.space = dict(_FUNCTIONS) | self.group.numbers
        for name, value in self.group.arrays.items():
            full = np.broadcast_to(np.asarray(value, float), owner.population.size)
            self.space[name] = full[owner.neurons].copy()
        self.update = _compiled(self.group.update)
        self.threshold = compile(_python(_threshold(self.group.threshold, rules.equal)), "<threshold>", "eval")
        self.limit = compile(_python(_limit(self.group.threshold)), "<limit>", "eval")
        self.assigned = [line.split(" = ")[0] for line in self.group.reset if re.fullmatch(r"(\w+) = z_\1", line)]
        self.resetting = _compiled([line for line in self.group.reset if not re.fullmatch(r"(\w+) = z_\1", line)])
        n_ref = owner.plan.n_ref
        self.n_ref = np.zeros(self.n, int) if n_ref is None else n_ref[owner.neurons] + rules.held
        self.until = np.zeros(self.n, int)
        self.waiting: list[float | np.ndarray] = [0.0] * len(self.ports)
        self.pending = np.zeros(self.n, bool)
        self.currents = [port.name(name) for port in self.ports for name in port.receptor.state]

    def outcome(self) -> Outcome:
        """Go through the ticks."""
        owner, rules, actual = self.owner, self.rules, self.owner.actual(self.rules.stamp)
        arrivals = owner.arrivals(rules)
        shown = {name: np.full((owner.ticks + 1, self.n), np.nan) for name in ("v", "after", "distance")}
        arrived = sum(arrivals, np.zeros((owner.ticks + 1, self.n)))
        shown["after"][0] = self.space["s_v"]
        wrong = ties = 0
        before, predicted = np.zeros(self.n, bool), np.zeros((owner.ticks + 1, self.n), bool)
        with np.errstate(all="ignore"):
            for tick in range(1, owner.ticks + 1):
                fires = self._tick(tick, [each[tick] for each in arrivals], actual[tick], shown)
                predicted[tick] = fires
                missed = (fires != actual[tick]) & (tick > rules.stamp)
                fresh, before = missed & ~before, missed
                if fresh.any():
                    wrong += int(fresh.sum())
                    ties += int((fresh & (np.abs(shown["distance"][tick]) <= owner.tolerance)).sum())
        return Outcome(wrong, ties, predicted, shown["v"], shown["after"], arrived, shown["distance"])

    def _tick(self, tick, arrivals, actual, shown):
        space, order = self.space, self.rules.order
        free = self.until < tick
        space["not_refractory"] = np.ones(self.n, bool) if self.rules.refractory == "v goes on" else free
        space["injected"] = self.owner.injected[tick - 1]
        for port, amount in zip(self.ports, arrivals, strict=True):
            if port.receptor.effect == "pulse":
                space[f"a_{port.index}"] = amount
        if order == "add, integrate":
            self._add(tick, arrivals, free)
        before = {name: space[name] for name in self.currents}
        exec(self.update, space)
        if self.rules.refractory in ("currents stand still", "currents are cleared"):
            for name in self.currents:
                space[name] = np.where(free, space[name], before[name])
        if order == "add, compare":
            self._add(tick, arrivals, free)
        if self.rules.late_reset and self.pending.any():
            self._reset(self.pending)
        fires = np.broadcast_to(eval(self.threshold, space), self.n) & free
        shown["v"][tick] = space["s_v"]
        shown["distance"][tick] = np.where(free, space["s_v"] - eval(self.limit, space), np.inf)
        if order == "compare, add":
            self._add(tick, arrivals, free)
        if tick <= self.rules.stamp:  # what was labelled by 0 is lost
            actual = fires
        self.pending = actual
        if not self.rules.late_reset:
            self._reset(actual)
        self.until = np.where(actual, tick + self.n_ref, self.until)
        if order == "compare, reset, add":
            self._add(tick, arrivals, free & ~(actual & (self.n_ref > 0)))
        shown["after"][tick] = space["s_v"]
        return fires

    def _add(self, tick, arrivals, free):
        space, how = self.space, self.rules.refractory
        for number, (port, amount) in enumerate(zip(self.ports, arrivals, strict=True)):
            effect = port.receptor.effect
            if effect == "jump":
                if how in ("jumps wait", "jumps fade"):
                    kept = amount * (self._faded(tick) if how == "jumps fade" else 1.0)
                    self.waiting[number] = self.waiting[number] + np.where(free, 0.0, kept)
                    amount = amount + np.where(free, self.waiting[number], 0.0)
                    self.waiting[number] = np.where(free, 0.0, self.waiting[number])
                open_ = np.ones(self.n, bool) if how in ("jumps act", "v goes on") or port.target != "s_v" else free
                space[port.target] = space[port.target] + np.where(open_, amount, 0.0)
            elif effect != "pulse":
                lost = how.startswith("currents") or port.receptor.cleared
                amount = np.where(free, amount, 0.0) if lost else amount
                for line in self.group.arrivals[port.index].splitlines():
                    name, product = line.split("_post += w * ")
                    factor = product.split(" ")[0]
                    factor = space[factor.removesuffix("_post")] if factor.endswith("_post") else float(factor)
                    space[name] = space[name] + amount * factor

    def _faded(self, tick):
        """Return what is left of a jump at the end of the refractory time."""
        tau = getattr(self.owner.plan.parameters, "tau_mem", np.inf)
        tau = np.broadcast_to(np.asarray(tau, float), self.owner.population.size)[self.owner.neurons]
        return np.exp(-np.maximum(self.until - tick + 1, 0) * self.owner.handed.dt / tau)

    def _reset(self, who):
        if not who.any():
            return
        space, old = self.space, self.space["s_v"]
        exec(self.resetting, space)
        for name in self.assigned:
            space[name] = np.where(who, space[f"z_{name}"], space[name])
        if self.rules.reset:
            space["s_v"] = np.where(who, self._value(old), old)
        if self.rules.refractory == "currents are cleared":
            for name in self.currents:
                space[name] = np.where(who, 0.0, space[name])

    def _value(self, v):
        """Return what v is after a reset that is another than the model's."""
        owner = self.owner
        p = {name: np.broadcast_to(np.asarray(value, float), owner.population.size)[owner.neurons]
             for name, value in vars(owner.plan.parameters).items() if isinstance(value, (float, np.ndarray))}
        if self.rules.reset.startswith("to "):
            return p.get(self.rules.reset.removeprefix("to "), 0.0) + 0.0 * v
        return v - p["v_threshold"] + p.get(self.rules.reset.partition(" - ")[2], 0.0)


_FUNCTIONS = {"clip": np.clip, "exp": np.exp, "expm1": np.expm1, "log": np.log, "sqrt": np.sqrt, "sin": np.sin,
              "cos": np.cos, "tanh": np.tanh, "abs": np.abs, "int": lambda x: np.asarray(x) * 1.0}


def _python(text: str) -> str:
    """Return an expression of Brian2 as one of NumPy."""
    return text.replace(" and ", " & ").replace(" or ", " | ").replace("not (", "~(")


def _compiled(lines):
    return compile("\n".join(map(_python, lines)), "<statements>", "exec")


def _comparison(threshold: str) -> tuple[int, int, str]:
    """Return where the first comparison of v has its sign, where its right side ends, and the sign."""
    found = re.search(r"s_v (>=|>) ", threshold)
    if found is None:
        return -1, -1, ""
    depth, end = 0, found.end()
    while end < len(threshold) and depth >= 0:
        depth += {"(": 1, ")": -1}.get(threshold[end], 0)
        end += depth >= 0
    return found.start(1), end, found[1]


def _threshold(text: str, equal: bool) -> str:
    """Return the condition of a spike, with the other sign where asked."""
    at, _, sign = _comparison(text)
    if not equal or at < 0:
        return text
    return text[:at] + {">": ">=", ">=": ">"}[sign] + text[at + len(sign):]


def _limit(text: str) -> str:
    """Return the expression with which v is compared."""
    at, end, sign = _comparison(text)
    return "s_v * nan" if at < 0 else text[at + len(sign):end].strip()


_FUNCTIONS["nan"] = np.nan
