"""Networks run by NEST, by the program that is also written for other machines.

NEST's order within a tick is that of neurosim, spikes are stamped with the end of a step, delays are at least a step.
Where the two differ: NEST fires where v >= V_th, so V_th is the next number above the threshold; nothing that is given
can arrive in its first step, so its clock runs a step ahead, and the state is set when neurosim's begins.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

from neurosim.backends.handing import Handed, checked_values
from neurosim.backends.nest_text import Program, program
from neurosim.backends.result import Result
from neurosim.checks import check_whole
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.files import whole_file


def run(handed: Handed, threads: int = 1) -> Result:
    """Run a network that was handed over; NEST's kernel is reset.

    Args:
        handed: the network.
        threads: of NEST.

    Raises:
        UnsupportedError: NEST is not installed, or cannot express a part of the network.
        ParameterError: an argument does not fit.
    """
    threads = check_whole("threads", threads, at_least=1)
    made = program(handed)
    nest = _imported()
    space: dict[str, Any] = {"nest": nest, "np": np}
    exec(compile(made.build(), "<program for NEST>", "exec"), space)
    populations, recorders, meters, start = space["build"](made.data, threads)
    nest.Simulate(handed.dt)
    start()
    nest.Simulate(round((handed.ticks + 1) * handed.dt, 9))  # recorders hear of a step in the next one
    return _result(nest, made, populations, recorders, meters)


def write(handed: Handed, path: Path) -> Path:
    """Write a script and its numbers.

    Raises:
        UnsupportedError: NEST cannot express a part of the network.
        ParameterError: the path does not fit.
        FileError: a file cannot be written.
    """
    if path.suffix != ".py":
        raise ParameterError(f"path of the script must end in '.py', got {path.name!r}")
    made = program(handed)
    with whole_file(path.with_suffix(".npz")) as file:
        np.savez_compressed(file, **cast("dict[str, Any]", made.data))  # no array is called `allow_pickle`
    with whole_file(path, "utf-8") as file:
        file.write(made.text(path.name))
    return path


def _imported() -> Any:
    os.environ.setdefault("PYNEST_QUIET", "1")
    try:
        return import_module("nest")
    except ImportError:
        raise UnsupportedError("the backend 'nest' must have NEST, which is not installed; get it with pip install "
                               '"neurosim-toolkit[nest]" (Linux and macOS), or write a script for another machine: '
                               "ns.backends.script(net, 'nest', path, duration)") from None


def _result(nest, made: Program, populations, recorders, meters) -> Result:
    handed = made.handed
    spikes = {population: (np.repeat(train.ticks, train.counts), np.repeat(train.ids, train.counts))
              for population, train in handed.trains.items()}
    traces = {}
    for population in handed.neurons():
        name, model = made.names[population], made.models[population]
        first = populations[name][0].global_id
        checked_values(handed, f"v of {population.name!r}", populations[name].V_m)
        if population.spiking:
            events = recorders[name].events
            ticks = np.rint(events["times"] / handed.dt).astype(np.int64) - 1
            inside = (ticks > 0) & (ticks <= handed.ticks)
            spikes[population] = ticks[inside], (events["senders"][inside] - first).astype(np.int64)
        if name in meters:
            events = meters[name].events
            order = np.lexsort((events["senders"], events["times"]))
            for ours, theirs in model.recorded.items():
                if theirs in events:
                    rows = events[theirs][order].reshape(-1, population.size)[1:handed.ticks + 1]
                    begin = np.broadcast_to(model.state[theirs], population.size)
                    traces[population, ours] = checked_values(handed, f"{ours} of {population.name!r}",
                                                              np.concatenate([begin[None], rows]))
    synapses = {projection: _synapses(nest, made, projection, populations) for projection in handed.net.projections}
    return Result(handed.net, f"NEST {nest.__version__}", handed.dt, handed.run.settings.seed, handed.ticks * handed.dt,
                  tuple(made.notes), spikes, traces, synapses)


def _synapses(nest, made, projection, populations):
    found = made.handed.numbers.projections[projection.name]
    values = dict(found.values)
    if projection in made.learned:
        learned = nest.GetConnections(synapse_model=made.learned[projection])
        status = learned.get(["source", "target", "delay", "weight"])
        theirs = np.lexsort(tuple(np.atleast_1d(status[key]) for key in ("delay", "target", "source")))
        ours = np.lexsort((found.delay, found.target, found.source))
        weights = np.empty(found.source.size)
        weights[ours] = np.atleast_1d(status["weight"])[theirs]
        values["weight"] = checked_values(made.handed, f"the weights of {projection.name!r}", weights)
    return (projection.source.places(found.source), projection.target.places(found.target), found.delay, values)
