"""What is handed to another simulator: a network laid out as neurosim would run it, and all that reaches it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurosim.backends.inputs import currents_of, events_of, trains_of
from neurosim.checks import check_ticks, describe_value
from neurosim.errors import ParameterError, SimulationError, UnsupportedError
from neurosim.network import DriveOn, Network, Population, Projection
from neurosim.resolving import Resolved, resolved
from neurosim.running import Run
from neurosim.settings import Settings
from neurosim.sources import Source


@dataclass(frozen=True, eq=False)
class Handed:
    """A network with everything drawn, for some ticks.

    Attributes:
        run: the network as it is laid out, not run.
        numbers: what `ns.resolve` returns of it.
        ticks: how many there are to run.
        simulator: name of who runs it, for messages.
        scheme: "same" or "own".
    """

    run: Run
    numbers: Resolved
    ticks: int
    simulator: str
    scheme: str

    @property
    def net(self) -> Network:
        """The network."""
        return self.run.net

    @property
    def dt(self) -> float:
        """Length of a tick, ms."""
        return self.run.plan.dt

    @cached_property
    def trains(self) -> dict:
        """The spikes of every source: population -> `Train`."""
        return trains_of(self.run, self.ticks)

    @cached_property
    def events(self) -> dict:
        """The events of every Poisson drive: drive -> `Train`."""
        return events_of(self.run, self.ticks)

    @cached_property
    def currents(self) -> dict:
        """The injected current of every population that has one: population -> `Steps`."""
        return currents_of(self.run, self.ticks)

    def neurons(self) -> list[Population]:
        """Return the populations that are no sources."""
        return [p for p in self.net.populations if not isinstance(p.model, Source)]

    def recorded(self) -> list[tuple[Population, str]]:
        """Return (population, variable) of what is recorded; recorders of anything else were refused."""
        return [(recorder.what.base, recorder.variable) for recorder in self.net.recorders
                if isinstance(recorder.what, Population)]

    def refuse(self, what: str, why: str, instead: str = "") -> UnsupportedError:
        """Return the error that says what the simulator cannot express."""
        instead = f"; {instead}" if instead else ""
        return UnsupportedError(f"{what} cannot be run by {self.simulator}: {why}{instead}")


def hand_over(net, duration, dt, seed, simulator, scheme) -> Handed:
    """Lay a network out for another simulator; refuse what no backend expresses.

    Raises:
        ParameterError: an argument does not fit.
        UnsupportedError: a part of the network is only there in neurosim.
    """
    if not isinstance(net, Network):
        raise ParameterError(f"net must be a Network, got {describe_value(net)}")
    if scheme not in ("same", "own"):
        raise ParameterError(f"scheme must be 'same' or 'own', got {describe_value(scheme)}")
    run = Run(net.copy(), Settings(dt=dt, seed=seed, dtype="float64", mode="clocked", threads=1), record=False)
    ticks = check_ticks("duration", duration, dt, at_least=1)
    handed = Handed(run, resolved(run), ticks, simulator, scheme)
    for coupling in net.couplings:
        raise handed.refuse(f"gap junctions {coupling.name!r}", "only neurosim takes them as an operator of its own")
    for projection in net.projections:
        _check(handed, projection)
    for recorder in net.recorders:
        if recorder.to is not None:
            raise handed.refuse(f"the recording of {recorder.what.name!r} to a file", "results are kept in memory",
                                "leave out to=...")
        if isinstance(recorder.what, Projection):
            raise handed.refuse(f"the recording of {recorder.variable!r} of {recorder.what.name!r}",
                                "weights are there at the end alone", "ask the result for weights(...)")
        if isinstance(recorder.what, DriveOn):
            raise handed.refuse(f"the recording of the current of {recorder.what.name!r}",
                                "currents are handed on as sums for each population", "record it in neurosim")
    return handed


def _check(handed, projection):
    name = f"projection {projection.name!r}"
    if projection.device is not None:
        raise handed.refuse(name, f"its weights are held by a device, {type(projection.device).__name__}",
                            "leave the device out")
    if projection.release is not None:
        raise handed.refuse(name, f"its synapses release by {type(projection.release).__name__}")
    if len(projection.plasticity) > 1:
        raise handed.refuse(name, "several rules act on it one after the other", "give it one rule")
    for rule in projection.plasticity:
        lacks = [what for what, there in (
            ("variables of its own", rule.state), ("variables of the target", rule.reads),
            ("modulators", rule.modulators), ("a pass at fixed times", rule.on_period),
            ("what goes on between events", rule.between), ("a gate", rule.on_change)) if there]
        if lacks:
            raise handed.refuse(name, f"{type(rule).__name__} has {' and '.join(lacks)}",
                                "only rules of traces, on_source and on_target are handed over")


def checked_values(handed, what: str, values) -> np.ndarray:
    """Return an array that another simulator gave.

    Raises:
        SimulationError: a value is not finite.
    """
    found = np.asarray(values)
    if not np.isfinite(found).all():
        raise SimulationError(f"{what} became infinite or undefined in {handed.simulator}; look for too large weights, "
                              "currents or dt")
    return found
