"""The program for NEST: text that builds and runs a network, and the numbers that it reads."""

import re
from dataclasses import dataclass, field

import numpy as np

from neurosim.backends.handing import Handed
from neurosim.backends.nest_models import Model, model_of, signed_weights
from neurosim.errors import UnsupportedError
from neurosim.network import Population, Projection

HEAD = '''\
"""A network for NEST: {summary}.

Written by neurosim; it needs NEST 3.10 and NumPy, and the numbers in {numbers} beside it.

    python {name}                        # {duration:g} ms
    python {name} 500                    # so many ms
    NEST_THREADS=8 python {name}         # with threads
    mpirun -np 4 python {name}           # on four processes, of one machine or several

For `mpirun` NEST must have been built with MPI (-Dwith-mpi=ON); that of `pip install nest-simulator` has threads alone.
Each process builds its share of the network, and writes the spikes of its own neurons to {stem}-spikes-RANK.csv, as
lines of population, neuron and time in ms; `cat {stem}-spikes-*.csv` joins them. Everything random was drawn, so the
result depends on neither threads nor processes.
"""

import os
import sys
from pathlib import Path

import nest
import numpy as np


'''
MAIN = '''

def run(duration, populations, start):
    """Run for some ms; what arrives in the first step is sent one step before, so NEST's clock is a step ahead."""
    nest.Simulate({dt!r})
    start()
    nest.Simulate(round(duration + {dt!r}, 9))  # recorders hear of a step in the next one


def main():
    duration = float(sys.argv[1]) if len(sys.argv) > 1 else {duration!r}
    data = np.load(Path(__file__).with_suffix(".npz"))
    populations, recorders, meters, start = build(data, int(os.environ.get("NEST_THREADS", "1")))
    run(duration, populations, start)
    path = Path(__file__).with_name(f"{{Path(__file__).stem}}-spikes-{{nest.Rank()}}.csv")
    with path.open("w") as file:
        file.write("population,neuron,time_ms\\n" * (nest.Rank() == 0))
        for name, recorder in recorders.items():
            events, first = recorder.events, populations[name][0].global_id
            for sender, time in zip(events["senders"], events["times"] - {dt!r}):
                if {half!r} < time < duration + {half!r}:
                    file.write(f"{{name}},{{sender - first}},{{time:.9g}}\\n")
    print(f"{{nest.num_processes}} process(es), {{duration:g}} ms: spikes are in {{path.name}}")


if __name__ == "__main__":
    main()
'''


@dataclass
class Program:
    """A network for NEST.

    Attributes:
        lines: the body of `build`.
        data: the arrays that it reads, by name.
        names: population -> its name in the program.
        models: population -> its model.
        learned: projection -> the synapse model of its own.
        notes: what NEST computes otherwise.
    """

    handed: Handed
    lines: list[str] = field(default_factory=list)
    data: dict[str, np.ndarray] = field(default_factory=dict)
    names: dict[Population, str] = field(default_factory=dict)
    models: dict[Population, Model] = field(default_factory=dict)
    learned: dict[Projection, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def build(self) -> str:
        """Return the function that builds the network, as text."""
        return "\n".join(["def build(data, threads):", '    """Build the network; return its populations, recorders, '
                          'meters, and what sets the state at the start."""',
                          *("    " + line if line else "" for line in self.lines)]) + "\n"

    def text(self, name: str) -> str:
        """Return the whole script."""
        net, handed = self.handed.net, self.handed
        synapses = sum(found.source.size for found in handed.numbers.projections.values())
        summary = (f"{sum(p.size for p in handed.neurons())} neurons in {len(handed.neurons())} populations, "
                   f"{synapses} synapses in {len(net.projections)} projections")
        duration = round(handed.ticks * handed.dt, 9)
        head = HEAD.format(summary=summary, name=name, numbers=name.removesuffix(".py") + ".npz", duration=duration,
                           stem=name.removesuffix(".py"))
        return head + self.build() + MAIN.format(dt=handed.dt, half=handed.dt / 2, duration=duration)

    # -- what the pieces are written with ------------------------------------------------------------------

    def keep(self, name: str, values) -> str:
        """Keep an array and return the text that reads it."""
        self.data[name] = np.asarray(values)
        return f"data[{name!r}]"

    def number(self, name: str, value) -> str:
        """Return the text of a number, or that reads one for each neuron."""
        if isinstance(value, bool):
            return repr(value)
        if np.ndim(value) and (np.asarray(value) == np.asarray(value).flat[0]).all():
            value = np.asarray(value).flat[0]
        return self.keep(name, np.asarray(value, np.float64)) if np.ndim(value) else repr(float(value))

    def rounded(self, ticks) -> np.ndarray:
        """Return ticks as ms that NEST takes for whole steps."""
        return np.round(np.asarray(ticks) * self.handed.dt, 9)


def program(handed: Handed) -> Program:
    """Return the program for a network.

    Raises:
        UnsupportedError: NEST cannot express a part of it, which is named.
    """
    made = Program(handed)
    made.lines += ["nest.ResetKernel()", "nest.verbosity = nest.VerbosityLevel.ERROR",
                   f"nest.set(resolution={handed.dt!r}, local_num_threads=threads, overwrite_files=True)", ""]
    for population in handed.net.populations:
        base = re.sub(r"\W+", "_", population.name).strip("_") or "population"
        made.names[population] = f"{base}_{len(made.names)}" if base in (*made.names.values(), "data", "nest", "np",
                                                                       "threads") or base[0].isdigit() else base
    learning = {p.source.base for p in handed.net.projections if p.plasticity}
    for population in handed.net.populations:
        if population in handed.trains:
            _source(made, population, handed.trains[population], population in learning)
        else:
            _neurons(made, population)
    for population, steps in handed.currents.items():
        _current(made, population, steps)
    for number, projection in enumerate(handed.net.projections):
        _projection(made, number, projection)
    for number, (drive, train) in enumerate(handed.events.items()):
        _drive(made, number, drive, train)
    _finish(made)
    return made


def _neurons(made, population):
    handed, name = made.handed, made.names[population]
    plan = handed.run.plan.populations[population]
    try:
        model = model_of(plan, handed.scheme, handed.dt)
    except UnsupportedError as error:
        raise handed.refuse(f"population {population.name!r}", str(error)) from error
    made.models[population] = model
    made.notes += [f"population {population.name!r}: {note}" for note in model.notes]
    first = handed.currents[population].values[0] if population in handed.currents else None
    if first is not None:  # what is on from the beginning is a constant, the rest is injected on top of it
        model.parameters["I_e"] = model.parameters["I_e"] + (first if first.size > 1 else first[0])
    numbers = {key: made.number(f"{name}/{key}", value) for key, value in model.parameters.items()}
    made.lines.append(f"{name} = nest.Create({model.name!r}, {population.size}, {{")
    apart = [key for key, value in numbers.items() if value.startswith("data[")]  # else lists would be taken apart, too
    made.lines += [f"    {key!r}: {value}," for key, value in numbers.items() if key not in apart]
    for key, values in model.lists.items():
        if all(np.ndim(value) == 0 for value in values):
            made.lines.append(f"    {key!r}: {[float(value) for value in values]!r},")
    made.lines.append("})")
    made.lines += [_each(name, key, numbers[key]) for key in apart]
    for key, values in model.lists.items():
        if any(np.ndim(value) for value in values):
            rows = np.stack([np.broadcast_to(value, population.size) for value in values], axis=1)
            made.lines.append(_each(name, key, f"{made.keep(f'{name}/{key}', rows)}.tolist()"))
    made.lines.append("")


def _each(name, key, text) -> str:
    """Return the line that sets a parameter, to one value or to one for each neuron, as processes with a part can."""
    if not text.startswith("data["):
        return f"{name}.set({{{key!r}: {text}}})"
    return f"{name}.set([{{{key!r}: each}} for each in {text}])"


def _source(made, population, train, learning):
    """Given spikes; synapses that learn must begin at a neuron, a parrot that repeats them a tick later."""
    name = made.names[population]
    given = f"{name}_given" if learning else name
    made.lines += _generators(made, given, train, population.size, 0 if learning else 1)
    if learning:
        made.lines += [f"{name} = nest.Create('parrot_neuron', {population.size})",
                       f"nest.Connect({given}, {name}, 'one_to_one', {{'delay': {made.handed.dt!r}}})"]
    made.lines.append("")


def _generators(made, name, train, size, later) -> list[str]:
    """Return lines that make generators of spikes, `later` ticks after neurosim's clock."""
    order = np.lexsort((train.ticks, train.ids))
    ends = np.searchsorted(train.ids[order], np.arange(1, size))
    times = made.keep(f"{name}/times", made.rounded(train.ticks[order] + later))
    counts = made.keep(f"{name}/counts", train.counts[order])
    ends = made.keep(f"{name}/ends", ends)
    return [f"{name} = nest.Create('spike_generator', {size}, params=[",
            "    {'spike_times': times, 'spike_multiplicities': counts}",
            f"    for times, counts in zip(np.split({times}, {ends}), np.split({counts}, {ends}))])"]


def _current(made, population, steps):
    """What is injected beside the constant part; a generator's current acts from the tick after the next on."""
    if len(steps.since) < 2:
        return
    name, values = made.names[population], steps.values - steps.values[:1]
    times = made.keep(f"{name}/current_times", made.rounded(steps.since[1:] - 1))
    amplitudes = made.keep(f"{name}/current_values", values[1:].T)
    made.lines += [f"{name}_current = nest.Create('step_current_generator', {values.shape[1]}, params=[",
                   f"    {{'amplitude_times': {times}, 'amplitude_values': row}} for row in {amplitudes}])",
                   f"nest.Connect({name}_current, {name}, "
                   f"{'all_to_all' if values.shape[1] == 1 else 'one_to_one'!r}, syn_spec={{'delay': "
                   f"{made.handed.dt!r}}})", ""]


def _projection(made, number, projection):
    handed = made.handed
    found = handed.numbers.projections[projection.name]
    if not found.source.size:
        return
    what, target = f"projection {projection.name!r}", projection.target.base
    weights = _weights(made, target, found.receptor, np.broadcast_to(found.values["weight"], found.source.size), what)
    model = "static_synapse" if not projection.plasticity else _rule(made, number, projection, found)
    if model != "static_synapse" and handed.trains.get(projection.source.base) is not None \
            and handed.trains[projection.source.base].several > 1:
        raise handed.refuse(what, "its source sends several spikes at one tick to synapses that learn",
                            "lower its rate or dt")
    _connect(made, f"connections_{number}", what, made.names[projection.source.base], made.names[target], found.source,
             found.target, weights, np.rint(found.delay / handed.dt), made.models[target].types.get(found.receptor),
             model)


def _rule(made, number, projection, found):
    """Write the synapse model of a rule; return its name."""
    handed, rule = made.handed, projection.plasticity[0]
    what = f"projection {projection.name!r}"
    given = rule.in_nest()
    if given is None:
        raise handed.refuse(what, f"NEST has no synapse that learns as {rule}")
    if rule.transmits != "after":
        if handed.scheme != "own":
            raise handed.refuse(what, f"NEST's {given[0]} sends the weight from after its change, "
                                f"{type(rule).__name__} that from before", "scheme='own' lets NEST do it its way")
        made.notes.append(f"{what}: NEST sends the weight from after its change, neurosim that from before")
    made.notes.append(f"{what}: NEST changes a weight when its source spikes, so weights at the end are those of the "
                      "last arrival")
    model, parameters, of_target = given
    others = {p for p in handed.net.projections if p.plasticity and p.target.base is projection.target.base}
    if any((p.plasticity[0].in_nest() or (0, 0, of_target))[2] != of_target for p in others):
        raise handed.refuse(what, "NEST keeps one trace of the target's spikes for all rules, and another rule at "
                            f"{projection.target.base.name!r} has another time constant")
    name = made.learned[projection] = f"learning_{number}"
    settings = ", ".join(f"{key!r}: {value!r}" for key, value in parameters.items())
    made.lines += [f"nest.CopyModel({model!r}, {name!r}, {{{settings}}})",
                   f"{made.names[projection.target.base]}.set({of_target!r})"]
    return name


def _connect(made, name, what, source, target, sources, targets, weights, delays, receptor, model):
    spec = [f"'weight': {made.keep(f'{name}/weight', weights)}",
            f"'delay': {made.keep(f'{name}/delay', made.rounded(delays))}"]
    spec += [f"'receptor_type': np.full({sources.size}, {receptor})"] if receptor is not None else []
    spec += [f"'synapse_model': {model!r}"]
    made.lines += [f"# {what}", f"nest.Connect({source}[0].global_id + {made.keep(f'{name}/source', sources)},",
                   f"             {target}[0].global_id + {made.keep(f'{name}/target', targets)}, 'one_to_one',",
                   f"             {{{', '.join(spec)}}})", ""]


def _drive(made, number, drive, train):
    if not train.ticks.size:
        return
    plan, target = made.handed.run.plan.drives[drive], drive.target.base
    ids, name = np.unique(train.ids), f"events_{number}"
    local = type(train)(train.ticks, np.searchsorted(ids, train.ids), train.counts)
    made.lines += _generators(made, name, local, ids.size, 0)
    weight = np.asarray(plan.parameters.weight)
    weights = _weights(made, target, plan.port, np.broadcast_to(weight, drive.target.size)[drive.target.places(ids)],
                       f"drive {drive.name!r}")
    _connect(made, name, f"drive {drive.name!r}", name, made.names[target], np.arange(ids.size), ids, weights,
             np.ones(ids.size), made.models[target].types.get(plan.port), "static_synapse")


def _weights(made, target, port, weights, what):
    try:
        return signed_weights(made.models[target], port, np.asarray(weights, np.float64), what)
    except UnsupportedError as error:
        raise made.handed.refuse(what, str(error)) from error


def _finish(made):
    """Recorders and meters, and the state at the start."""
    handed, recorded = made.handed, {}
    for population, variable in handed.recorded():
        if variable == "spikes":
            continue
        theirs = made.models[population].recorded.get(variable)
        if theirs is None:
            raise handed.refuse(f"the recording of {variable!r} of {population.name!r}", "NEST's "
                                f"{made.models[population].name} gives "
                                f"{', '.join(made.models[population].recorded)} alone")
        recorded.setdefault(population, []).append(theirs)
    lines = ["recorders, meters = {}, {}"]
    for population in handed.neurons():
        name = made.names[population]
        if population.spiking:
            lines += [f"recorders[{name!r}] = nest.Create('spike_recorder')",
                      f"nest.Connect({name}, recorders[{name!r}])"]
        if population in recorded:
            lines += [f"meters[{name!r}] = nest.Create('multimeter', params={{'record_from': "
                      f"{list(dict.fromkeys(recorded[population]))!r}, 'interval': {handed.dt!r}}})",
                      f"nest.Connect(meters[{name!r}], {name})"]
    names = ", ".join(f"{made.names[p]!r}: {made.names[p]}" for p in handed.neurons())
    states = ["    " + _each(made.names[p], key, made.number(f"{made.names[p]}/initial_{key}", value))
              for p in handed.neurons() for key, value in made.models[p].state.items()]
    made.lines += [*lines, "", "def start():", *(states or ["    pass"]), "",
                   f"return {{{names}}}, recorders, meters, start"]
