"""A run of a deck as its .tran, .temp and .print ask for it."""

import math

import numpy as np

from hardware_models.sfq.circuit.assembly import Assembly
from hardware_models.sfq.circuit.circuit import GROUND
from hardware_models.sfq.circuit.deck.reader import Deck
from hardware_models.sfq.circuit.run import Run
from hardware_models.sfq.circuit.solver import largest_step, simulate
from hardware_models.sfq.circuit.values import Values
from neurosim.checks import check_is
from neurosim.errors import ParameterError, SimulationError

HALVINGS = 5  #: of the step, where the solution does not converge
ROOM = 2e8  #: numbers that are kept of every step; beyond, only those of the output are


def run_deck(deck: Deck, **options) -> Run:
    """Simulate a deck for the time of its .tran, at its temperature, and keep what its .print lines ask for.

    The step is that of .tran, or a whole part of it where a junction or a line needs a smaller one.

    Args:
        deck: what `read_deck` returned.
        options: of `simulate`, which go before what the deck says.

    Raises:
        ParameterError: the deck has no .tran.

    >>> from hardware_models.sfq.circuit import read_deck
    >>> deck = read_deck("R1 1 0 2\\nI1 0 1 pwl(0 0 5p 1m)\\n.tran 0.5p 10p\\n.print v(1)\\n")
    >>> run = run_deck(deck)
    >>> float(output(deck, run)[1][-1, 1].round(6))
    0.002
    """
    check_is("run_deck.deck", deck, Deck, "what read_deck returned")
    _, stop = _tran(deck)
    given, duration = options.pop("h", None), options.pop("duration", None) or stop
    names, nodes = wanted(deck)
    asked = {"temperature": deck.temperature, "record": names, "nodes": nodes}
    h, left = given or step_of(deck), 0 if given else HALVINGS
    while True:
        steps = max(1, math.ceil(duration / h - 1e-6))
        many = steps * 2 * (len(names) + len(nodes)) * np.size(options.get("keys", 0))
        every = max(1, math.floor((deck.interval or h) / h + 1e-6)) if many > ROOM else 1
        try:
            return simulate(deck.circuit, steps * h, h=h, **{**asked, "every": every, **options})
        except SimulationError:
            if not left:
                raise
            h, left = 0.5 * h, left - 1


def _tran(deck: Deck) -> tuple[float, float]:
    """Return the step and the stop time of .tran, ps."""
    if deck.h is None or deck.duration is None:
        raise ParameterError(f"{deck.circuit.name} has no .tran; add the step and the stop time, or use simulate")
    return deck.h, deck.duration


def step_of(deck: Deck) -> float:
    """Return the largest step that is a whole part of that of .tran and resolves the junctions and lines, ps."""
    h, _ = _tran(deck)
    assembly = Assembly(deck.circuit)
    limit = min([largest_step(assembly, Values(assembly))[0], *(each.delay for each in deck.circuit.lines.values())])
    parts = max(1, math.ceil(h / limit - 1e-9)) if limit < h else 1
    return h / parts


def wanted(deck: Deck) -> tuple[list[str], list[str]]:
    """Return the elements and the nodes that the .print lines of a deck name."""
    names, nodes, circuit = [], [], deck.circuit
    for each in deck.prints:
        for name in each.names:
            if _is_element(circuit, each, name):
                names.append(_element(circuit, name))
            elif name not in (GROUND, "gnd"):
                nodes.append(circuit.node(name))
    return list(dict.fromkeys(names)), list(dict.fromkeys(nodes))


def _is_element(circuit, each, name):
    if len(each.names) > 1 and circuit.has_node(name):
        return False
    return name.casefold() in circuit.placed or name.casefold() in circuit.lines or each.quantity == "i"


def _element(circuit, name):
    """Return the name of an element as it was written; of a transmission line, that of its first end."""
    line = circuit.lines.get(name.casefold())
    return line.first if line else circuit.find(name).name


def output(deck: Deck, run: Run) -> tuple[list[str], np.ndarray]:
    """Return the names of columns and the table of what the .print lines of a deck ask for, in SI units.

    Columns are the time (s), then voltages (V), currents (A) and phases (rad); rows begin at the start of the output
    and are as far apart as .tran says.
    """
    check_is("output.deck", deck, Deck, "what read_deck returned")
    check_is("output.run", run, Run, "what run_deck returned")
    if not deck.prints:
        raise ParameterError(f"{deck.circuit.name} has no .print; add one, such as .print p(B1)")
    if run.lanes is not None:
        raise ParameterError("output is of a single run, got one with several lanes")
    spaced = np.diff(run.times).mean() if run.times.size > 1 else 1.0
    every = max(1, round(deck.interval / spaced)) if deck.interval else 1
    first = int(np.searchsorted(run.times, max(deck.start, every * spaced) - 1e-3 * spaced))
    rows = slice(first, None, every)
    columns = [run.times[rows] * 1e-12]
    for each in deck.prints:
        parts = [_column(deck.circuit, run, each, name) for name in each.names]
        column = parts[0] - parts[1] if len(parts) > 1 else parts[0]
        columns.append(np.broadcast_to(column, run.times.shape)[rows] * (1.0 if each.quantity == "p" else 1e-3))
    return ["time", *(each.label for each in deck.prints)], np.stack(columns, axis=1)


def _column(circuit, run, each, name):
    if not _is_element(circuit, each, name):
        if name in (GROUND, "gnd"):
            return np.zeros(run.times.shape)
        name = circuit.node(name)
    else:
        name = _element(circuit, name)
    read = {"v": run.voltage, "i": run.current, "p": run.phase}[each.quantity]
    return read(name)
