"""Delays that learn to let arrivals coincide with the spike of their target."""

from typing import Literal

import numpy as np

from neurosim.aliases import Choice, Real
from neurosim.checks import Option, Parameter, Parametrised, describe_value
from neurosim.engine.loader import load_function
from neurosim.errors import NetworkError, ParameterError
from neurosim.simulation import Simulation

REACH = 6.0  #: widths, within which an arrival counts

_TEXT = '''
def main(source, target, delay, sent, sent_from, seen, seen_from, lead, width, reach, nearest, change):
    for s in range(source.size):
        begin, end = sent_from[source[s]], sent_from[source[s] + 1]
        first = begin
        for q in range(seen_from[target[s]], seen_from[target[s] + 1]):
            aim = seen[q] - lead
            while first < end and sent[first] + delay[s] < aim - reach:
                first += 1
            best = 2.0 * reach
            k = first
            while k < end and sent[k] + delay[s] <= aim + reach:
                gap = aim - (sent[k] + delay[s])
                if nearest:
                    best = gap if abs(gap) < abs(best) else best
                else:
                    change[s] += kernel(gap / width)
                k += 1
            if nearest and abs(best) <= reach:
                change[s] += kernel(best / width)
'''


def kernel(x):
    """K(x) = x exp((1 - x^2) / 2): odd, with its extrema of +-1 at x = +-1."""
    return x * np.exp((1.0 - x * x) / 2.0)


class CoincidenceDelays(Parametrised):
    r"""A delay grows where its arrival came too early for the target's spike, and shrinks where it came too late.

    At a spike of the target at t_i, for the arrival of a spike of the source sent at t_j:

    d <- d + rate K((t_i - lead - (t_j + d)) / width),  K(x) = x exp((1 - x^2) / 2),  d kept within d_min .. d_max.

    The fixed point is an arrival `lead` before the target's spike. Pairs further apart than 6 widths, where K is below
    1e-6, are left out. The rule is local: it sees the spikes of the two neurons and nothing else. Where the arrivals
    alone make the target spike, a lead above 0 lets the whole volley come earlier at every turn, down to d_min.

    >>> rule = CoincidenceDelays(rate=0.5, lead=1.0, width=2.0)
    >>> spikes = np.array([10.0]), np.array([0])  # the source at 10 ms; the target at 16 ms
    >>> float(rule.change([0], [0], [3.0], spikes, (np.array([16.0]), np.array([0])))[0].round(3))
    0.5

    Source: Eurich, Pawelzik, Ernst, Cowan, Milton, Physical Review Letters 82 (1999) 1594; Huening, Gluender, Palm,
    Neural Computation 10 (1998) 555.
    """

    rate: Real = Parameter(0.1, "ms", above=0, doc="largest change for one spike of the target", per_element=False)
    lead: Real = Parameter(0.0, "ms", at_least=0, doc="how long before the target's spike arrivals shall come",
                           per_element=False)
    width: Real = Parameter(3.0, "ms", above=0, doc="distance at which the change is largest", per_element=False)
    d_min: Real = Parameter(1.0, "ms", above=0, doc="shortest delay", per_element=False)
    d_max: Real = Parameter(20.0, "ms", above=0, doc="longest delay", per_element=False)
    pairs: Choice[Literal["nearest", "all"]] = Option("nearest", ("nearest", "all"),
                                                      doc="which arrivals a spike of the target counts")

    def validate(self):
        if self.d_min >= self.d_max:
            raise ParameterError(f"CoincidenceDelays.d_min must be < d_max = {self.d_max:g} ms, got {self.d_min:g}")

    def change(self, source, target, delay, sent, seen) -> np.ndarray:
        """Return by how much delays change for some spikes, all of them counted with the delays as given.

        Args:
            source, target, delay: of each synapse, shape (synapses,); delays in ms.
            sent, seen: spikes of the sources and of the targets, each a pair of arrays of times (ms) and ids.
        """
        source, target = (np.ascontiguousarray(each, np.int64) for each in (source, target))
        delay = np.ascontiguousarray(delay, np.float64)
        change = np.zeros(delay.size)
        main = load_function("coincidence", _TEXT, {"kernel": kernel})
        main(source, target, delay, *_trains(sent, source), *_trains(seen, target), self.lead, self.width,
             REACH * self.width, self.pairs == "nearest", change)
        return self.rate * change

    def limit(self, delay) -> np.ndarray:
        """Return delays within d_min .. d_max."""
        return np.clip(delay, self.d_min, self.d_max)


class DelayLearning:
    """A simulation in which the delays of one projection learn, chunk after chunk.

    Delays are whole ticks in a layout; here they are kept as real numbers, and after each chunk the simulation goes on
    with another layout if a delay has moved by a tick: `self.sim` is then another object, whose recordings begin there.
    A spike of the target is counted in the chunk in which the last arrival that may belong to it is known, 6 widths
    after it; none is counted twice or left out.

    Args:
        sim: the simulation to begin with.
        projection: the projection, or its name.
        rule: a `CoincidenceDelays`.
        under_way: as of `Simulation.rewire`: by default a chunk must end while the arrivals of no spike are affected.

    Raises:
        NetworkError: spikes of the source or the target are not recorded.
        ParameterError: a delay lies outside the bounds of the rule.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> spikes = ns.Spikes.from_times([5.0, 8.0], [0, 1], size=2, duration=50.0)
    >>> source, cell = net.add(ns.SpikeSource(spikes)), net.add(ns.LIF(tau_mem=10.0), 1)
    >>> synapses = net.connect(source, cell, weight=12.0, delay=3.0, name="in")
    >>> for population in (source, cell):
    ...     net.record(population)
    >>> learning = DelayLearning(ns.Simulation(net), "in", CoincidenceDelays(rate=0.5, width=2.0))
    >>> spikes = learning.run(50.0).spikes(cell)  # the cell spikes at 11 ms, when the second one arrives
    >>> learning.delay.round(2), learning.sim.synapses("in").delay.round(1)
    (array([3.4, 3. ]), array([3.4, 3. ]))
    """

    def __init__(self, sim: Simulation, projection, rule: CoincidenceDelays, *, under_way: str = "refuse"):
        if not isinstance(rule, CoincidenceDelays):
            raise ParameterError(f"rule must be a CoincidenceDelays, got {describe_value(rule)}")
        self.sim, self.rule, self.under_way = sim, rule, under_way
        self.projection = sim.net.projection(projection) if isinstance(projection, str) else projection
        for population in (self.projection.source, self.projection.target):
            if sim.net.recorder(population, "spikes") is None:
                raise NetworkError(f"spikes of {population.name!r} must be recorded: delays learn from them; call "
                                   "net.record(...) first")
        synapses = sim.synapses(self.projection)
        self.source, self.target, self.delay = synapses.source, synapses.target, synapses.delay.astype(np.float64)
        slack = 1e-6 * (sim.dt or 0.0)
        if self.delay.size and (self.delay.min() < rule.d_min - slack or self.delay.max() > rule.d_max + slack):
            raise ParameterError(f"projection {self.projection.name!r}: its delays must be within {rule.d_min:g} .. "
                                 f"{rule.d_max:g} ms, the bounds of the rule, got {self.delay.min():g} .. "
                                 f"{self.delay.max():g}")
        self._place = np.arange(self.delay.size)  # of each synapse in the order of the present layout
        self._sent, self._seen = (np.empty(0), np.empty(0, np.int64)), (np.empty(0), np.empty(0, np.int64))

    def run(self, duration: float) -> Simulation:
        """Go on for some ms, then let the delays learn from the spikes of that time.

        Returns:
            The simulation that ran, with the recordings of that time; `self.sim` may be another one by then.
        """
        ran, began, rule = self.sim, self.sim.time, self.rule
        ran.run(duration)
        self._sent, self._seen = (
            _joined(known, ran.spikes(population), began) for known, population in
            ((self._sent, self.projection.source), (self._seen, self.projection.target)))
        known = self.sim.time + rule.lead - REACH * rule.width  # the arrivals for spikes of the target until then
        change = rule.change(self.source, self.target, self._ticks() * self.sim.dt, self._sent,
                             _where(self._seen, self._seen[0] <= known))
        self._seen = _where(self._seen, self._seen[0] > known)
        self._sent = _where(self._sent, self._sent[0] > known - rule.lead - REACH * rule.width - rule.d_max)
        before, self.delay = self._ticks(), rule.limit(self.delay + change)
        if (self._ticks() != before).any():
            self._lay_out()
        return ran

    def _ticks(self):
        return np.rint(self.delay / self.sim.dt)

    def _lay_out(self):
        weight = self.sim.synapses(self.projection.name).weight[self._place]
        self.sim = self.sim.rewire(
            self.projection.name, self.source, self.target, weight=weight, delay=self._ticks() * self.sim.dt,
            continues=self._place, under_way=self.under_way)
        order = np.lexsort((np.arange(self.delay.size), self.target, self._ticks(), self.source))
        self._place = np.empty_like(order)
        self._place[order] = np.arange(order.size)


def _where(spikes, chosen):
    return spikes[0][chosen], spikes[1][chosen]


def _joined(known, spikes, began):
    """Return (times, ids) that are known with those recorded after `began`."""
    new = spikes.times > began
    return np.concatenate([known[0], spikes.times[new]]), np.concatenate([known[1], spikes.ids[new].astype(np.int64)])


def _trains(spikes, ids):
    """Return times sorted by neuron, and where each neuron's begin."""
    times, who = (np.asarray(each) for each in spikes)
    size = int(max(who.max(initial=-1), ids.max(initial=-1))) + 1
    order = np.lexsort((times, who))
    return times[order].astype(np.float64), np.searchsorted(who[order], np.arange(size + 1))


__all__ = ["CoincidenceDelays", "DelayLearning"]
