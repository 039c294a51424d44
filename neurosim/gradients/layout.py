"""From a network to the tables and flat arrays of the two loops; what has no exact gradient is refused by name."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neurosim.engine.plan import Plan
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.event import loop
from neurosim.event.exponentials import CHAINS, SHARE, THRESHOLD, V
from neurosim.event.planner import EventPlan, EventPlanner, changed
from neurosim.gradients.backward import CHAIN_NAMES
from neurosim.gradients.forward import POPULATION, PROJECTION, SILENT, SOURCE, SPIKING
from neurosim.gradients.mathematics import TOP
from neurosim.network import Network
from neurosim.sources import InjectedCurrent, Poisson, SpikeSource

INSTEAD = "use the surrogate gradients of ns.bridge"


class Layout:
    """The tables of a network.

    Args:
        net: the network.
        seed: of everything that is drawn when it is laid out.

    Attributes:
        pops, projs: a row for each population and projection, by the columns of `forward`.
        outs, out_list: the projections of each population.
        rows, targets, weights, delays: of all projections, one behind the other.
        c: coefficients of all populations; drift: constant part of v' of each neuron; start: states at t = 0.
        neurons, states, outputs: how many neurons, variables and derivatives of numbers there are.
    """

    def __init__(self, net: Network, seed: int):
        refuse_parts(net)
        self.plan: EventPlan = EventPlanner(net, seed).plan()
        refuse_forms(self.plan)
        self.index = {p: number for number, p in enumerate(self.plan.populations)}
        self.orders = {}
        self.unseen: frozenset[str] = frozenset()  # arrays that no run has been given, which may be written over
        self._projections()
        self._neurons()

    def _neurons(self):
        rows, tables, starts, drifts = [], [], [], []
        at = SimpleNamespace(x=0, n=0, c=0, out=0)
        for population, plan in self.plan.populations.items():
            row = dict.fromkeys(POPULATION, 0) | {"size": population.size, "x_at": at.x, "n_at": at.n, "c_at": at.c,
                                                  "out_at": at.out, "kind": SOURCE}
            if not isinstance(population.model, SpikeSource):
                form, table = plan.form, plan.form.table()
                chains = len(form.chains)
                row |= {"kind": SPIKING if form.family == loop.LINEAR else SILENT, "chains": chains,
                        "stride": form.stride, "c_step": 0 if len(table) == 1 else table.shape[1],
                        "fastest_at": at.c + table.size, "width": TOP + len(CHAIN_NAMES) * chains}
                tables += [table.ravel(), [self._fastest(form)]]
                starts.append(self._start(population, plan))
                drifts.append(self._drift(population, form))
                at.x, at.n, at.c = at.x + starts[-1].size, at.n + population.size, at.c + table.size + 1
                at.out += population.size * row["width"]
            rows.append([row[name] for name in POPULATION])
        self.pops = np.array(rows, np.int64).reshape(-1, len(POPULATION))
        self.c, self.start, self.drift = (np.concatenate([np.zeros(0), *each]) for each in (tables, starts, drifts))
        self.neurons, self.states, self.outputs = at.n, at.x, at.out

    def column(self, population, name: str) -> int:
        """Return an entry of a population's row."""
        return int(self.pops[self.index[population], POPULATION.index(name)])

    @staticmethod
    def _fastest(form):
        rates = [form.values[0], *(chain[place] for chain in form.chains for place in (0, 1))]
        return max(float(np.max(rate)) for rate in rates)

    @staticmethod
    def _start(population, plan):
        form = plan.form
        start = np.zeros((1 + len(form.chains) * form.stride, population.size))
        for name, place in form.columns.items():
            if name in plan.initial:
                start[0 if place == V else 1 + place - CHAINS] = plan.initial[name]
        if form.family == loop.LINEAR and (start[0] > form.values[THRESHOLD]).any():
            raise ParameterError(f"initial v of {population.name!r} must not be above v_threshold, as there is no "
                                 f"spike at t = 0, got {start[0].max():g} mV")
        return start.ravel()

    def _drift(self, population, form):
        drift = np.zeros(population.size) + form.drift
        for drive, plan in self.plan.drives.items():
            if drive.target.base is population:
                part = drive.target.inside
                drift[part] += np.broadcast_to(form.gain, population.size)[part] * plan.form[1][0]
        return drift

    def _projections(self):
        parts = {name: [] for name in ("rows", "targets", "weights", "delays")}
        at, table = dict.fromkeys(parts, 0), []

        def put(name, array):
            parts[name].append(np.ravel(array))
            at[name] += np.size(array)
            return at[name] - np.size(array)

        for projection, plan in self.plan.projections.items():
            source, target = projection.source, projection.target
            form = self.plan.populations[target.base].form
            place = form.ports[plan.port][0]
            chain, behind = (-1, 0) if place == V else divmod(place - CHAINS, form.stride)
            weight, delay = plan.values["weight"], plan.values["delay"]
            row = {"source": self.index[source.base], "source_first": source.start, "n_source": source.span,
                   "target": self.index[target.base], "rows_at": put("rows", plan.start),
                   "synapses_at": put("targets", plan.target + np.uint32(target.start)),
                   "weight_at": put("weights", weight), "weight_step": int(np.ndim(weight) > 0),
                   "delay_at": put("delays", delay), "delay_step": int(np.ndim(delay) > 0),
                   "chain": chain, "behind": behind}
            table.append([row[name] for name in PROJECTION])
        self.projs = np.array(table, np.int64).reshape(-1, len(PROJECTION))
        kinds = {"rows": np.int64, "targets": np.uint32}
        self.rows, self.targets, self.weights, self.delays = (
            np.concatenate([np.zeros(0), *each]).astype(kinds.get(name, np.float64)) for name, each in parts.items())
        sent = self.projs[:, PROJECTION.index("source")]
        self.out_list = np.argsort(sent, kind="stable").astype(np.int64)
        self.outs = np.searchsorted(sent[self.out_list], np.arange(len(self.index) + 1)).astype(np.int64)

    def _row(self, projection) -> dict[str, int]:
        number = list(self.plan.projections).index(projection)
        return dict(zip(PROJECTION, self.projs[number].tolist(), strict=True))

    def place(self, projection, name: str) -> slice:
        """Return where the weights or delays of a projection stand: one for all, or one for each synapse."""
        row = self._row(projection)
        count = self.plan.projections[projection].n_synapses if row[f"{name}_step"] else 1
        return slice(row[f"{name}_at"], row[f"{name}_at"] + count)

    def stored(self, projection, name: str) -> bool:
        """Return whether each synapse has a weight, or a delay, of its own."""
        number = list(self.plan.projections).index(projection)
        return bool(self.projs[number, PROJECTION.index(f"{name}_step")])

    def order(self, projection) -> "np.ndarray | slice":
        """Return where the synapses of a projection, sorted by source and target, stand in the layout; a slice of all
        where they lie so, as to pick a hundred thousand one by one takes a millisecond."""
        if projection not in self.orders:
            plan = self.plan.projections[projection]
            order = np.lexsort((plan.target, plan.source))
            sorted_ = np.array_equal(order, np.arange(order.size))
            self.orders[projection] = slice(None) if sorted_ else order
        return self.orders[projection]

    def count(self, projection, name: str) -> int:
        """Return how many weights or delays a projection has: one for each synapse, or one for all."""
        at = self.place(projection, name)
        return at.stop - at.start

    def values(self, projection, name: str) -> np.ndarray:
        """Return the weights or delays of a projection by source and target, or the one for all."""
        values = (self.weights if name == "weight" else self.delays)[self.place(projection, name)]
        return np.array(values[self.order(projection)]) if self.stored(projection, name) else values.copy()

    def with_values(self, projection, name: str, values: np.ndarray) -> "Layout":
        """Return the layout with other weights or delays, given by source and target; runs keep the one they had."""
        made, flat = copy.copy(self), "weights" if name == "weight" else "delays"
        if flat not in self.unseen:
            setattr(made, flat, getattr(self, flat).copy())
            made.unseen = self.unseen | {flat}
        at = self.place(projection, name)
        if not self.stored(projection, name):
            getattr(made, flat)[at] = values
            return made
        getattr(made, flat)[at][self.order(projection)] = values
        return made._sorted(projection) if name == "delay" else made

    def _sorted(self, projection):
        """Bring the synapses of a projection into the order of delays, as each row is delivered from the shortest "
          "on."""
        plan, at = self.plan.projections[projection], self.place(projection, "delay")
        order = np.lexsort((plan.target, self.delays[at], plan.source))
        row = self._row(projection)
        targets = slice(row["synapses_at"], row["synapses_at"] + order.size)
        self.targets = self.targets.copy()
        self.targets[targets] = self.targets[targets][order]
        self.delays[at] = self.delays[at][order]
        if self.stored(projection, "weight"):
            self.weights = self.weights.copy()
            self.weights[self.place(projection, "weight")] = self.weights[self.place(projection, "weight")][order]
        moved = replace(plan, source=plan.source[order], target=plan.target[order])
        self.plan = replace(self.plan, projections={**self.plan.projections, projection: moved})
        self.orders = {each: kept for each, kept in self.orders.items() if each is not projection}
        return self

    def with_parameters(self, owner, values: dict) -> "Layout":
        """Return the layout with other parameters of a population's neurons."""
        made = copy.copy(self)
        made.plan = changed(self.plan, {(owner, key): value for key, value in values.items()})
        refuse_forms(made.plan)
        made._neurons()
        return made


def refuse_parts(net: Network) -> None:
    """Raise UnsupportedError for what has no exact gradient here."""
    for population in net.populations:
        if isinstance(population.model, Poisson):
            raise UnsupportedError(f"Poisson of {population.name!r} has no gradient: draw its spikes and give them "
                                   f"to a SpikeSource")
    for projection in net.projections:
        for what in (*projection.plasticity, projection.release, projection.device):
            if what is not None:
                raise UnsupportedError(f"{type(what).__name__} of projection {projection.name!r} has no exact "
                                       f"gradient; leave it out, or {INSTEAD}")
    for drive in net.drives:
        if type(drive.drive) is not InjectedCurrent or np.ndim(drive.drive.amplitude) > 1:
            raise UnsupportedError(f"{type(drive.drive).__name__} {drive.name!r} has no exact gradient; give its "
                                   f"events to a SpikeSource, or use a constant InjectedCurrent")


def refuse_forms(plan: Plan) -> None:
    """Raise UnsupportedError for neurons that are not linear, or whose threshold moves."""
    for population, each in plan.populations.items():
        if each.form is None:
            continue
        name = f"{type(population.model).__name__} of {population.name!r}"
        if each.form.family not in (loop.LINEAR, loop.SILENT):
            raise UnsupportedError(f"{name} has no closed form and so no exact gradient; use LIF, or {INSTEAD}")
        if any(np.any(chain[SHARE]) for chain in each.form.chains):
            raise UnsupportedError(f"{name} has a threshold that spikes raise, whose gradient is not there; use LIF, "
                                   f"or {INSTEAD}")
