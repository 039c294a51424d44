"""Networks run by Brian2, at run time or as a program in C++.

What must be set so that both mean the same (docs/comparison_brian2.md): the schedule is integrate, add what arrives,
compare; Brian2 labels a step by its beginning, neurosim by its end; with that schedule it sees a spike one step after
its own, so delays are a tick shorter; and it counts the step of the spike as the first refractory one.
"""

import contextlib
import tempfile
import warnings
from importlib import import_module
from typing import Any

import numpy as np

from neurosim.backends import brian2_equations, brian2_groups, brian2_synapses
from neurosim.backends.handing import Handed, checked_values
from neurosim.backends.result import Result
from neurosim.checks import describe_value
from neurosim.engine.update import state_field
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.network import Population

SCHEDULE = ["start", "groups", "synapses", "thresholds", "resets", "end"]
TARGETS = ("numpy", "cython", "cpp_standalone")


def run(handed: Handed, target: str | None = None, folder: str | None = None, threads: int = 1) -> Result:
    """Run a network that was handed over.

    Args:
        handed: the network.
        target: "numpy", "cython" or "cpp_standalone"; by default what Brian2 prefers at run time.
        folder: where a program in C++ is built; by default a temporary folder.
        threads: of a program in C++, with OpenMP.

    Raises:
        UnsupportedError: Brian2 is not installed, or cannot express a part of the network.
        ParameterError: an argument does not fit.
    """
    if target not in (None, *TARGETS):
        raise ParameterError(f"target must be one of {', '.join(TARGETS)}, got {describe_value(target)}")
    b2 = _imported()
    with _device(b2, target, folder, threads) as build, warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="(brian2|pyparsing)")
        made = _Built(b2, handed)
        made.net.run((handed.ticks + made.late) * handed.dt * b2.ms, namespace={})
        build()
        return made.result()


def _imported() -> Any:
    try:
        return import_module("brian2")
    except ImportError:
        raise UnsupportedError("the backend 'brian2' must have Brian2, which is not installed; get it with pip install "
                               '"neurosim-toolkit[brian2]"') from None


@contextlib.contextmanager
def _device(b2, target, folder, threads):
    """Choose how Brian2 runs, and leave it as it was found; gives what builds and runs a program in C++."""
    names = ("codegen.target", "codegen.loop_invariant_optimisations", "codegen.runtime.numpy.discard_units",
             "core.default_float_dtype", "devices.cpp_standalone.openmp_threads")
    before = {name: b2.prefs[name] for name in names}
    b2.prefs["core.default_float_dtype"] = np.float64
    b2.prefs["codegen.loop_invariant_optimisations"] = False  # takes long for the statements of a long step
    b2.prefs["codegen.runtime.numpy.discard_units"] = True  # else arguments of clip are written out at every call
    with contextlib.ExitStack() as stack:
        try:
            if target == "cpp_standalone":
                where = folder or stack.enter_context(tempfile.TemporaryDirectory())
                b2.set_device("cpp_standalone", build_on_run=False, directory=str(where))
                b2.prefs["devices.cpp_standalone.openmp_threads"] = threads if threads > 1 else 0
                yield lambda: b2.device.build(directory=str(where), compile=True, run=True, with_output=False)
            else:
                if target is not None:
                    b2.prefs["codegen.target"] = target
                yield lambda: None
        finally:
            if target == "cpp_standalone":
                b2.device.reinit()
                b2.device.activate()
                b2.set_device("runtime")
            for name, value in before.items():
                b2.prefs[name] = value


class _Built:
    """The objects of Brian2 that stand for a network."""

    def __init__(self, b2, handed: Handed):
        self.b2, self.handed = b2, handed
        self.dt = handed.dt * b2.ms
        self.groups: dict[Population, Any] = {}
        self.codes: dict[Population, brian2_groups.Group] = {}
        self.monitors: dict[Population, Any] = {}
        self.traces: dict[tuple, Any] = {}
        self.synapses: dict[Any, Any] = {}
        self.objects: list = []
        self.notes: list[str] = []
        for population in handed.neurons():
            self._neurons(population)
        for population, train in handed.trains.items():
            self.groups[population] = self._given(train, population.size, "thresholds", 0)
        for projection in handed.net.projections:
            self._projection(projection)
        for drive, train in handed.events.items():
            self._drive(drive, train)
        self.late = self._late()
        self.net = b2.Network(*self.objects)
        self.net.schedule = SCHEDULE

    # -- neurons -----------------------------------------------------------------------------------------

    def _neurons(self, population):
        b2, handed, plan = self.b2, self.handed, self.handed.run.plan.populations[population]
        namespace, injected = {}, ""
        if population in handed.currents:
            rows = handed.currents[population].rows(handed.ticks + 1)
            injected = "injected(t)" if rows.shape[1] == 1 else "injected(t, i)"
            namespace["injected"] = b2.TimedArray(rows[:, 0] if rows.shape[1] == 1 else rows, dt=self.dt)
        code = self._code(plan, injected)
        equations = list(code.equations)
        options = {"threshold": code.threshold, "reset": "\n".join(code.reset)} if population.spiking else {}
        n_ref = plan.n_ref if population.spiking else None
        if n_ref is not None:
            equations.append("held : second (constant)")
            options["refractory"] = "held"
        group = b2.NeuronGroup(population.size, "\n".join(equations), dt=self.dt, method=code.method,
                               namespace={**code.numbers, **namespace}, **options)
        if code.update:
            group.run_regularly("\n".join(code.update), when="groups", order=1, dt=self.dt)
        for name, value in code.arrays.items():
            setattr(group, name, value)
        if n_ref is not None:
            group.held = (n_ref + 1) * self.dt
        self.groups[population], self.codes[population] = group, code
        self.objects.append(group)
        self._watch(population, group)

    def _code(self, plan, injected):
        population, handed = plan.population, self.handed
        what = f"population {population.name!r}"
        try:
            brian2_groups.check_draws(plan)
            if handed.scheme == "same":
                return brian2_groups.same(plan, injected)
            code, notes = brian2_equations.own(plan, injected)
        except UnsupportedError as error:
            instead = ("scheme='own' integrates its equations Brian2's way" if handed.scheme == "same"
                       and brian2_equations.known(population.model) else "")
            raise handed.refuse(what, str(error), instead) from error
        self.notes += [f"{what}: {note}" for note in notes]
        return code

    def _watch(self, population, group):
        b2 = self.b2
        if population.spiking:
            self.monitors[population] = b2.SpikeMonitor(group)
            self.objects.append(self.monitors[population])
        for recorded, variable in self.handed.recorded():
            key = recorded, variable
            if variable == "spikes" or key in self.traces or recorded is not population:
                continue
            name = self._variable(population, variable)
            self.traces[key] = name, b2.StateMonitor(group, name, record=True, when="end", order=1, dt=self.dt)
            self.objects.append(self.traces[key][1])

    def _variable(self, population, variable):
        """Return the name that a variable of a population has in its group."""
        port, own = self.handed.net.variables(population)[variable]
        name = state_field(own) if port is None else f"p{port}_{own}"
        if name not in self.codes[population].arrays:
            raise self.handed.refuse(f"the recording of {variable!r} of {population.name!r}",
                                     "its equations have no such variable")
        return name

    def _given(self, train, size, when, order):
        """Return a group that is given spikes; the second of several at one tick is sent by a copy of its source."""
        copies = np.repeat(np.arange(train.ticks.size), train.counts)
        turn = np.arange(copies.size) - np.repeat(np.cumsum(train.counts) - train.counts, train.counts)
        ids = train.ids[copies] + turn * size
        group = self.b2.SpikeGeneratorGroup(size * train.several, ids, (train.ticks[copies] - 1) * self.dt, dt=self.dt,
                                            when=when, order=order)
        self.objects.append(group)
        return group

    # -- synapses ----------------------------------------------------------------------------------------

    def _projection(self, projection):
        handed = self.handed
        found = handed.numbers.projections[projection.name]
        if not found.source.size:
            return
        source, target = projection.source.base, projection.target.base
        delay, code = np.rint(found.delay / handed.dt).astype(np.int64), self.codes[target]
        arrival, early = code.arrivals[found.receptor], found.receptor in code.early
        train = handed.trains.get(source)
        copies = 1 if train is None else train.several
        if not projection.plasticity:
            wires = brian2_synapses.static(found.values, delay, arrival)
        else:
            rule = projection.plasticity[0]
            if early:
                raise handed.refuse(f"projection {projection.name!r}", "its pulses act before Brian2 has learned from "
                                    "the tick before", "use another receptor")
            if copies > 1:
                raise handed.refuse(f"projection {projection.name!r}", f"{source.name!r} sends several spikes at one "
                                    "tick to synapses that learn", "lower its rate or dt")
            try:
                wires = brian2_synapses.plastic(rule, found.values, delay, arrival, handed.dt)
            except UnsupportedError as error:
                raise handed.refuse(f"projection {projection.name!r}", f"of {type(rule).__name__}, {error}") from error
        self._wire(projection, wires, found, copies, early)

    def _wire(self, projection, wires, found, copies, early):
        b2, source, target = self.b2, projection.source.base, projection.target.base
        codes = {side: {p.name: p.code for p in wires.pathways if p.side == side} for side in ("pre", "post")}
        synapses = b2.Synapses(self.groups[source], self.groups[target], "\n".join(wires.equations) or None,
                               on_pre=codes["pre"] or None, on_post=codes["post"] or None,
                               namespace={**self.codes[target].numbers, **wires.numbers}, dt=self.dt)
        again = _copied(found.source, copies, self.handed.trains.get(source), source.size)
        synapses.connect(i=np.concatenate([found.source[rows].astype(np.int64) + turn * source.size
                                           for turn, rows in enumerate(again)]),
                         j=np.concatenate([found.target[rows] for rows in again]).astype(np.int64))
        for name, values in wires.arrays.items():
            values = np.broadcast_to(values, found.source.size)
            setattr(synapses, name, np.concatenate([values[rows] for rows in again]))
        for pathway in wires.pathways:
            path = getattr(synapses, pathway.name)
            delay = np.broadcast_to(pathway.delay, found.source.size)
            path.delay = np.concatenate([delay[rows] for rows in again]) * self.dt
            path.order = pathway.order
            path.when = "start" if early else "synapses"
        self.objects.append(synapses)
        self.synapses[projection] = synapses, wires

    def _drive(self, drive, train):
        """Let the events of a drive arrive at their own tick, in the step in which they are sent."""
        if not train.ticks.size:
            return
        population = drive.target.base
        plan, code = self.handed.run.plan.drives[drive], self.codes[population]
        group = self._given(train, population.size, "start", -1)
        weight = np.asarray(plan.parameters.weight)
        values = {"weight": float(weight) if weight.ndim == 0 else np.tile(_on_whole(drive, weight), train.several)}
        wires = brian2_synapses.static(values, np.ones(1, np.int64), code.arrivals[plan.events_to])
        synapses = self.b2.Synapses(group, self.groups[population], "\n".join(wires.equations) or None,
                                    on_pre=wires.pathways[0].code, namespace={**code.numbers, **wires.numbers},
                                    dt=self.dt)
        senders = np.arange(population.size * train.several)
        synapses.connect(i=senders, j=senders % population.size)
        for name, value in wires.arrays.items():
            setattr(synapses, name, value)
        synapses.pre.when = "start" if plan.port in code.early else "synapses"
        self.objects.append(synapses)

    def _late(self) -> int:
        """Return how many more steps are run, for rules that see all a step late."""
        rules = [p.plasticity[0] for p in self.synapses if p.plasticity]
        late = {wires.late for projection, (_, wires) in self.synapses.items() if projection.plasticity}
        if len(late) > 1:
            raise self.handed.refuse("a network with rules of both delays, axonal and dendritic",
                                     "their weights are there after different steps",
                                     f"give {type(rules[0]).__name__} the delay of the others")
        return int(late == {True})

    # -- what it leaves ------------------------------------------------------------------------------------

    def result(self) -> Result:
        """Return spikes, traces and weights in neurosim's terms."""
        handed, b2 = self.handed, self.b2
        spikes = {population: (np.repeat(train.ticks, train.counts), np.repeat(train.ids, train.counts))
                  for population, train in handed.trains.items()}
        for population, monitor in self.monitors.items():
            ticks = np.rint(np.asarray(monitor.t / b2.ms) / handed.dt).astype(np.int64) + 1
            inside = ticks <= handed.ticks
            spikes[population] = ticks[inside], np.asarray(monitor.i)[inside].astype(np.int64)
        for population, code in self.codes.items():  # a neuron whose v is undefined is silent
            for name in code.arrays:
                checked_values(handed, f"{name} of {population.name!r}", getattr(self.groups[population], name))
        traces = {}
        for (population, variable), (name, monitor) in self.traces.items():
            rows = np.asarray(getattr(monitor, name)).T[:handed.ticks]
            start = np.broadcast_to(self.codes[population].arrays[name], population.size)
            traces[population, variable] = checked_values(
                handed, f"{variable} of {population.name!r}", np.concatenate([start[None], rows]))
        synapses = {projection: self._synapses(projection) for projection in handed.net.projections}
        return Result(handed.net, f"Brian2 {b2.__version__}", handed.dt, handed.run.settings.seed,
                      handed.ticks * handed.dt, tuple(self.notes), spikes, traces, synapses)

    def _synapses(self, projection):
        found = self.handed.numbers.projections[projection.name]
        values = dict(found.values)
        if projection.plasticity and projection in self.synapses:
            values["weight"] = checked_values(self.handed, f"the weights of {projection.name!r}",
                                              np.asarray(self.synapses[projection][0].w))
        return (projection.source.places(found.source), projection.target.places(found.target), found.delay, values)


def _copied(sources, copies, train, size) -> list:
    """Return for each copy of the sources which synapses it needs: all for the first, then those of who needs it."""
    rows = [np.arange(sources.size)]
    for turn in range(1, copies):
        needs = np.zeros(size, bool)
        needs[train.ids[train.counts > turn]] = True
        rows.append(np.nonzero(needs[sources])[0])
    return rows


def _on_whole(drive, weight) -> np.ndarray:
    """Return the weights of a drive on a part, one for each neuron of the whole."""
    full = np.zeros(drive.target.base.size)
    full[drive.target.inside] = weight
    return full
