"""Cells as data: inputs, outputs, states, and what each pulse does in each state.

A cell is a finite-state machine with times. A pulse at an input makes the transition that is declared for it in the
state at hand: the cell changes its state and, after a delay, sends pulses at outputs. A circuit may forbid a pulse that
comes too soon: during the dead time of the transition before, or too soon after a pulse at some input.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np

from neurosim.aliases import Real, Whole
from neurosim.checks import Parameter, Parametrised, check_number, describe_value
from neurosim.errors import ParameterError

PS = 1e6  #: attoseconds in a picosecond: time is counted in whole ones, so that decimal delays add up exactly
MOST_SIGMAS = 9.0  #: a normal number from 52 random bits is less than 8.3

TRANSITION = np.dtype([("dest", np.int32), ("rank", np.int32), ("first_emission", np.int32),
                       ("end_emission", np.int32), ("first_gap", np.int32), ("end_gap", np.int32),
                       ("late", np.int64), ("dead", np.float64), ("probability", np.float64), ("after", np.float64)])
EMISSION = np.dtype([("output", np.int64), ("delay", np.float64), ("jitter", np.float64)])
GAP = np.dtype([("input", np.int64), ("least", np.float64)])


def ps(default, doc, **bounds) -> Parameter:
    """Declare a time in ps, one for the whole cell, >= 0 where no other bound is given."""
    return Parameter(default, "ps", doc=doc, per_element=False, **(bounds or {"at_least": 0}))


@dataclass(frozen=True)
class Transition:
    """What one pulse does in one state: `source --trigger--> dest`, with pulses sent and times that must be kept.

    A time is a number in ps, or the name of a parameter (or property) of the cell.

    Args:
        source: state in which the transition applies.
        trigger: input whose pulse causes it, or several; None for one that happens by itself, `after` a time.
        dest: the next state.
        fires: outputs that send a pulse: a name, several (after `"delay"`), or a dict output -> time.
        dead_time: time from the trigger on during which no input may come (hold and recovery times).
        gaps: dict input -> time: the least time since its last pulse; "*" stands for every input (setup times).
        probability: that the pulses are sent, 0 to 1, or the name of a parameter; the state changes anyway.
        after: time in the source state after which it happens by itself; any other transition starts it afresh.
        priority: among pulses of one time the lower goes first, then the transition that is declared first.
    """

    source: str
    trigger: str | tuple | None
    dest: str
    fires: str | tuple | dict = ()
    dead_time: str | float = 0.0
    gaps: dict = field(default_factory=dict)
    probability: str | float = 1.0
    after: str | float | None = None
    priority: int = 0


class Cell(Parametrised):
    """Base of all cells: a subclass names `inputs` and `outputs` and lists `transitions`; times are parameters.

    Every state must say what every input does. The first state is the source of the first transition. When a rule is
    broken and the simulation is to do what a circuit does: a pulse too soon after another of the same input is
    swallowed; so is one in a dead time, unless `in_dead_time` is "taken" (data too soon after a clock wait for the
    next); a clock too soon after data does not see them yet, so that they come out one clock later.

    Raises:
        ParameterError: if the parts do not fit together, or a jitter is larger than a ninth of its delay, which could
            make a pulse leave before it came.

    >>> class Toggle(Cell):
    ...     '''Passes every second pulse.'''
    ...     inputs, outputs = ("a",), ("q",)
    ...     delay = ps(4.0, "from input to output", above=0)
    ...     transitions = (Transition("even", "a", "odd"), Transition("odd", "a", "even", fires="q"))
    >>> Toggle(delay=3.0)
    Toggle(delay=3.0)
    """

    inputs: ClassVar[tuple] = ()
    outputs: ClassVar[tuple] = ()
    transitions: ClassVar[tuple] = ()
    in_dead_time: ClassVar[str] = "swallowed"  #: "swallowed", or "taken" but for the input that began it
    jitter: Real = ps(0.0, "standard deviation of each delay, drawn for each pulse")
    junctions: Whole = Parameter(0, "", at_least=0, integer=True, per_element=False,
                                 doc="number of Josephson junctions")

    def validate(self):
        machine(self)

    def resolve(self, what, value) -> float:
        """Return a number that a transition gives, or that the parameter has which it names."""
        if isinstance(value, str):
            if not hasattr(self, value):
                raise ParameterError(f"{type(self).__name__}: {what} must be a number or the name of a parameter, got "
                                     f"{value!r}")
            value = getattr(self, value)
        return check_number(f"{type(self).__name__}: {what}", value, at_least=0)


@dataclass(frozen=True)
class Machine:
    """The tables of one kind of cell, in attoseconds; a row for each state and input, and one for the timer."""

    states: tuple
    transitions: np.ndarray
    emissions: np.ndarray
    gaps: np.ndarray
    window: float  #: the longest gap that some transition asks for


def define(name: str, inputs, outputs, transitions, *, doc: str = "", **parameters) -> type:
    """Return a new class of cells from plain data.

    Args:
        name: name of the class.
        inputs, outputs: names of the ports.
        transitions: `Transition`s, or dicts with their fields.
        doc: what it is.
        parameters: times in ps by name, which transitions may refer to; or whole `Parameter`s.

    >>> Every3 = define("Every3", ["a"], ["q"], delay=2.0, transitions=[
    ...     {"source": "0", "trigger": "a", "dest": "1"}, {"source": "1", "trigger": "a", "dest": "2"},
    ...     {"source": "2", "trigger": "a", "dest": "0", "fires": "q"}])
    >>> Every3().delay
    2.0
    """
    rows = tuple(row if isinstance(row, Transition) else Transition(**row) for row in transitions)
    declared = {key: value if isinstance(value, Parameter) else
                Parameter(int(value), "", integer=True, at_least=0, per_element=False) if key == "junctions" else
                ps(value, key.replace("_", " ")) for key, value in parameters.items()}
    body = {"__doc__": doc or f"{name}, defined from data.", "inputs": tuple(inputs), "outputs": tuple(outputs),
            "transitions": rows, **declared}
    return type(name, (Cell,), body)


@lru_cache(maxsize=4096)
def machine(cell: Cell) -> Machine:
    """Return the tables of a cell; raise ParameterError if its parts do not fit together."""
    kind = type(cell).__name__
    inputs, outputs, rows = cell.inputs, cell.outputs, cell.transitions
    _check_names(kind, "input", inputs)
    _check_names(kind, "output", outputs)
    if cell.in_dead_time not in ("swallowed", "taken"):
        raise ParameterError(f"{kind}.in_dead_time must be 'swallowed' or 'taken', got {cell.in_dead_time!r}")
    states = tuple(dict.fromkeys([row.source for row in rows] + [row.dest for row in rows]))
    tables = _Tables(cell, len(inputs) + 1, len(states))
    for row in rows:
        for trigger in _several(row.trigger):
            column = _column(kind, row, trigger, inputs)
            tables.put(states.index(row.source), column, row, states.index(row.dest))
    for state, name in enumerate(states):
        missing = [port for column, port in enumerate(inputs) if tables.rows[state, column]["dest"] < 0]
        if missing:
            raise ParameterError(f"{kind} must say what every input does in every state; state {name!r} lacks a "
                                 f"transition for {', '.join(missing)}")
    return tables.finish(states)


def _column(kind, row, trigger, inputs):
    if (trigger is None) != (row.after is not None):
        raise ParameterError(f"{kind}: a transition must have either a trigger or a time `after` which it happens by "
                             f"itself, got {row}")
    if trigger is None:
        return len(inputs)
    if trigger not in inputs:
        raise ParameterError(f"{kind}: a trigger must be one of the inputs {', '.join(inputs)}, got {trigger!r}")
    return inputs.index(trigger)


class _Tables:
    """Collects the rows of a machine."""

    def __init__(self, cell, columns, n_states):
        self.cell, self.kind = cell, type(cell).__name__
        self.rows = np.zeros((n_states, columns), dtype=TRANSITION)
        self.rows["dest"] = -1
        self.emissions, self.gaps, self.n_rows = [], [], 0

    def put(self, state, column, row, dest):
        where = self.rows[state, column]
        if where["dest"] >= 0:
            raise ParameterError(f"{self.kind} must have one transition for each state and input, got two for "
                                 f"{row.source!r} and {row.trigger!r}")
        probability = self.cell.resolve("a probability", row.probability)
        if probability > 1:
            raise ParameterError(f"{self.kind}: a probability must be at most 1, got {probability:g}")
        first_emission, first_gap = len(self.emissions), len(self.gaps)
        self.emissions += self._emissions(row)
        self.gaps += self._gaps(row)
        where["dest"], where["rank"], where["probability"] = dest, row.priority * 10_000 + self.n_rows, probability
        self.n_rows += 1
        where["first_emission"], where["end_emission"] = first_emission, len(self.emissions)
        where["first_gap"], where["end_gap"] = first_gap, len(self.gaps)
        where["dead"] = attoseconds(self.cell.resolve("a dead time", row.dead_time))
        if row.after is not None:
            where["after"] = attoseconds(self.cell.resolve("the time `after` which a transition happens", row.after))
            if where["after"] < 1:
                raise ParameterError(f"{self.kind}: a transition can only happen by itself after a time > 0 ps, got "
                                     f"{row}")

    def _emissions(self, row):
        fires = row.fires if isinstance(row.fires, Mapping) else dict.fromkeys(_several(row.fires), "delay")
        jitter = self.cell.jitter
        found = []
        for output, value in fires.items():
            if output not in self.cell.outputs:
                raise ParameterError(f"{self.kind}: a transition must fire some of the outputs "
                                     f"{', '.join(self.cell.outputs)}, got {output!r}")
            delay = self.cell.resolve(f"the delay of {output}", value)
            check_jitter(f"{self.kind}.jitter", jitter, delay)
            found.append((self.cell.outputs.index(output), attoseconds(delay), jitter * PS))
        return found

    def _gaps(self, row):
        asked = {}
        for key, value in row.gaps.items():
            if key != "*" and key not in self.cell.inputs:
                raise ParameterError(f"{self.kind}: a gap must be to '*' or one of the inputs "
                                     f"{', '.join(self.cell.inputs)}, got {key!r}")
            least = attoseconds(self.cell.resolve(f"the gap to {key}", value))
            asked |= {name: least for name in (self.cell.inputs if key == "*" else (key,))}
        return [(self.cell.inputs.index(name), least) for name, least in asked.items() if least > 0]

    def finish(self, states):
        gaps = np.array(self.gaps, dtype=GAP)
        fires = np.any(self.rows["first_emission"] < self.rows["end_emission"], axis=0)
        for (state, column) in np.ndindex(self.rows[:, :-1].shape):
            row = self.rows[state, column]
            # Data can wait for the next clock only where they do nothing but change the state
            others = set(gaps["input"][row["first_gap"]:row["end_gap"]].tolist()) - {column}
            row["late"] = not any(fires[other] for other in others)
        window = float(gaps["least"].max()) if gaps.size else 0.0
        return Machine(states, self.rows.reshape(-1), np.array(self.emissions, dtype=EMISSION), gaps, window)


def check_jitter(what: str, jitter: float, delay: float) -> None:
    """Raise ParameterError where a delay could come out negative, or is none."""
    if delay * PS < 1:
        raise ParameterError(f"{what.split('.')[0]}: a delay must be > 0 ps, got {delay:g}; an output that follows its "
                             "input at once has no order in time")
    if jitter * MOST_SIGMAS > delay:
        raise ParameterError(f"{what} must be at most a ninth of the delay {delay:g} ps, or a pulse could leave before "
                             f"it came, got {jitter:g}")


def attoseconds(times):
    """Return times in ps as whole numbers of attoseconds, in float64."""
    return np.rint(np.asarray(times, dtype=np.float64) * PS)


def _several(names) -> tuple:
    return (names,) if names is None or isinstance(names, str) else tuple(names)


def _check_names(kind, what, names):
    bad = [name for name in names if not isinstance(name, str) or not name.isidentifier()]
    if bad or len(set(names)) != len(names):
        raise ParameterError(f"{kind}: every {what} must have a name of its own that is a Python identifier, got "
                             f"{describe_value(names)}")
