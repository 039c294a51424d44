"""What a differentiable run leaves, and its gradients."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import NetworkError, ParameterError
from neurosim.gradients import numbers
from neurosim.gradients.forward import POPULATION, PROJECTION, SILENT, SMOOTH, SPIKING
from neurosim.gradients.way import shared
from neurosim.reprs import plural

BLOCK = 8192  #: numbers that are added at a time


@dataclass
class Gradients:
    """Derivatives of a loss, each in units of the loss over those of the quantity.

    Attributes:
        projections: by name, `weight` and `delay` (1/ms), in the order of `Differentiable.values`.
        populations: by name, parameters of the model: a number, or one for each neuron where it has one for each.
        receptors: by name, for each receptor of the population its parameters.
        initial: by name, the initial v of each neuron.
        inputs: by name of the source, one for each given spike, in the order and form in which they were given.
    """

    projections: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    populations: dict[str, dict[str, Any]] = field(default_factory=dict)
    receptors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    initial: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)


class Run:
    """Spikes and readouts of the samples of `Differentiable.run`."""

    def __init__(self, layout, ways, given, cuts, duration, *, rates, largest, threads):
        self.n_samples, self.duration = given.count, duration
        self._layout, self._ways, self._given, self._cuts = layout, ways, given, cuts
        self._rates, self._largest, self._threads = rates, largest, threads
        self._seen = [self._part(way, first) for way, first in zip(ways, cuts[:-1], strict=True)]

    def __repr__(self):
        spikes = sum(len(part[0]) for part in self._seen)
        return f"Run({plural(self.n_samples, 'sample')} of {self.duration:g} ms, {plural(spikes, 'spike')})"

    @property
    def n_events(self) -> int:
        """Spikes, arrivals and ends of holds of all samples: what memory and the way back grow with, not with time."""
        return sum(int(way.marks[-1, 2]) for way in self._ways)

    @staticmethod
    def _part(way, first):
        """Return sample, population, time and neuron of all spikes of a part."""
        ends = way.marks[:, 0]
        sample = first + np.repeat(np.arange(way.count), np.diff(ends))
        n = int(ends[-1])
        return sample, way.spikes["s_of"][:n], way.spikes["s_time"][:n], way.spikes["s_id"][:n]

    def spikes(self, population: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return sample, time (ms) and neuron of each spike of a population, by sample and time."""
        number = self._number(population)
        parts = [tuple(each[part[1] == number] for each in (part[0], part[2], part[3])) for part in self._seen]
        sample, times, ids = (np.concatenate([part[k] for part in parts]) for k in range(3))
        return sample, times, ids

    def first(self, population: str) -> np.ndarray:
        """Return when each neuron spiked first, (samples, neurons), ms; inf where it did not."""
        sample, times, ids = self.spikes(population)
        first = np.full((self.n_samples, self._size(population)), np.inf)
        np.minimum.at(first, (sample, ids), times)
        return first

    def counts(self, population: str) -> np.ndarray:
        """Return how often each neuron spiked, (samples, neurons)."""
        sample, _, ids = self.spikes(population)
        counts = np.zeros((self.n_samples, self._size(population)), np.int64)
        np.add.at(counts, (sample, ids), 1)
        return counts

    def silent(self) -> list[str]:
        """Return the populations that could spike and did in no sample: what leads to them has no gradient."""
        kinds = self._layout.pops[:, POPULATION.index("kind")]
        spikes = np.sum([np.bincount(part[1], minlength=len(kinds)) for part in self._seen], axis=0)
        return [population.name for population, number in self._layout.index.items()
                if kinds[number] == SPIKING and spikes[number] == 0]

    def integral(self, population: str) -> np.ndarray:
        """Return the integral of v of readouts from 0 to the end, (samples, neurons), mV ms."""
        return self._readout(population, "totals", "integral")

    def largest(self, population: str) -> np.ndarray:
        """Return the largest v of readouts, (samples, neurons), mV; the run needs `largest=True`."""
        if not self._largest:
            raise ParameterError("largest was not looked for: call run with largest=True")
        return self._readout(population, "largests", "largest v")

    def steepness(self, population: str) -> np.ndarray:
        """Return v' at each spike of a population, mV/ms, in the order of `spikes`; nan where an arrival made v jump.

        A spike at which it is near 0 hardly happened: it vanishes, and gradients by its time grow, where v' goes to 0.
        """
        number = self._number(population)
        found = []
        for way, part in zip(self._ways, self._seen, strict=True):
            chosen = part[1] == number
            n = len(chosen)
            found.append(np.where(way.spikes["s_why"][:n][chosen] == SMOOTH, way.spikes["s_slope"][:n][chosen], np.nan))
        return np.concatenate(found)

    def backward(self, *, spikes: dict | None = None, first: dict | None = None, integral: dict | None = None,
                 largest: dict | None = None, timing: bool = True) -> Gradients:
        """Return the derivatives of a loss, given those by what it was made of.

        Args:
            spikes: by population, dL/dt of each spike, in the order of `spikes`, 1/ms.
            first: by population, dL/dt of each first spike, (samples, neurons); where there is none it must be 0.
            integral: by readout, (samples, neurons).
            largest: by readout, (samples, neurons).
            timing: whether derivatives by delays and by times of given spikes are wanted; without them the arrivals
                of given spikes cost half.

        Raises:
            ParameterError: a derivative has another shape, is not finite, or belongs to a spike that is not there.
        """
        d_times = self._spike_derivatives(spikes or {}, first or {})
        rho = self._readout_derivatives(integral or {}, "integral")
        if largest and not self._largest:
            raise ParameterError("largest was not looked for: call run with largest=True")
        sharp = self._readout_derivatives(largest or {}, "largest")

        def back(k):
            low, high = self._cuts[k], self._cuts[k + 1]
            return self._ways[k].back(d_times[k], rho[low:high], sharp[low:high], timing=timing)

        parts = shared(back, len(self._ways), self._threads)
        weights, delays, out, start = (_moved_together([part[k] for part in parts]) for k in range(4))
        for way, part in zip(self._ways, parts, strict=True):
            way.sums = part[:4]
        return self._gradients(weights, delays, out, start, [part[4] for part in parts] if timing else None)

    # ---- inside ---------------------------------------------------------------------------------------

    def _number(self, population):
        for each, number in self._layout.index.items():
            if each.name == population:
                return number
        raise NetworkError(f"{population!r} must be the name of a population "
                           f"({', '.join(each.name for each in self._layout.index)})")

    def _size(self, population):
        return int(self._layout.pops[self._number(population), POPULATION.index("size")])

    def _place(self, population, what):
        row: dict[str, int] = dict(zip(POPULATION, self._layout.pops[self._number(population)].tolist(), strict=True))
        if row["kind"] != SILENT:
            raise ParameterError(f"the {what} is known of readouts, LeakyIntegrator populations, got {population!r}")
        return slice(row["n_at"], row["n_at"] + row["size"])

    def _readout(self, population, name, what):
        place = self._place(population, what)
        return np.concatenate([getattr(way, name)[:, place] for way in self._ways])

    def _spike_derivatives(self, spikes, first):
        found = [np.zeros(len(part[0])) for part in self._seen]
        for population, given in spikes.items():
            number = self._number(population)
            chosen = [part[1] == number for part in self._seen]
            counts = [int(each.sum()) for each in chosen]
            given = _checked(f"spikes[{population!r}]", given, (sum(counts),))
            for each, which, piece in zip(found, chosen, np.split(given, np.cumsum(counts)[:-1]), strict=True):
                each[which] += piece
        for population, given in first.items():
            number, shape = self._number(population), (self.n_samples, self._size(population))
            given = _checked(f"first[{population!r}]", given, shape).copy()
            for each, (sample, of, _, ids) in zip(found, self._seen, strict=True):
                which = np.flatnonzero(of == number)
                _, places = np.unique(sample[which] * shape[1] + ids[which], return_index=True)
                at = which[places]
                each[at] += given[sample[at], ids[at]]
                given[sample[at], ids[at]] = 0.0
            if given.any():
                k, n = np.argwhere(given)[0]
                raise ParameterError(f"first[{population!r}] must be 0 where there is no spike, got {given[k, n]:g} "
                                     f"for neuron {n} of sample {k}; the loss must not depend on it")
        return found

    def _readout_derivatives(self, given, what):
        found = np.zeros((self.n_samples, self._layout.neurons))
        for population, each in given.items():
            place = self._place(population, what)
            found[:, place] = _checked(f"{what}[{population!r}]", each, (self.n_samples, place.stop - place.start))
        return found

    def _gradients(self, weights, delays, out, start, times):
        layout, made = self._layout, Gradients()
        for number, (projection, plan) in enumerate(layout.plan.projections.items()):
            row: dict[str, int] = dict(zip(PROJECTION, layout.projs[number].tolist(), strict=True))
            each = made.projections[projection.name] = {}
            for name, flat in (("weight", weights), ("delay", delays))[:1 if times is None else 2]:
                count = plan.n_synapses if row[f"{name}_step"] else 1
                part = flat[row[f"{name}_at"]:row[f"{name}_at"] + count]
                each[name] = part[layout.order(projection)] if row[f"{name}_step"] else part
        for population, plan in layout.plan.populations.items():
            row: dict[str, int] = dict(zip(POPULATION, layout.pops[layout.index[population]].tolist(), strict=True))
            if plan.form is None:
                continue
            v = start[row["x_at"]:row["x_at"] + row["size"]]
            made.initial[population.name] = v.copy()
            if self._rates:
                table = out[row["out_at"]:row["out_at"] + row["size"] * row["width"]].reshape(row["size"], row["width"])
                made.populations[population.name], made.receptors[population.name] = numbers.gradients(
                    population, plan, table)
        if times is not None:
            self._add_inputs(made, times)
        return made

    def _add_inputs(self, made, times):
        given = self._given
        flat = np.empty(given.times.size)
        at = 0
        for way, each, low, high in zip(self._ways, times, self._cuts[:-1], self._cuts[1:], strict=True):
            for k in range(high - low):
                begin, count = way.marks[k, 0], given.starts[low + k + 1] - given.starts[low + k]
                flat[at:at + count] = each[begin:begin + count]
                at += count
        back = np.empty_like(flat)
        back[given.order] = flat
        made.inputs = given.shaped(back)


def _moved_together(parts):
    """Return the sum of arrays and clear them, block by block, so that a block stays in the cache."""
    total = np.empty_like(parts[0])
    for low in range(0, total.size, BLOCK):
        block = slice(low, low + BLOCK)
        total[block] = parts[0][block]
        for part in parts[1:]:
            total[block] += part[block]
        for part in parts:
            part[block] = 0.0
    return total


def _checked(name, given, shape):
    given = np.asarray(given, np.float64)
    if given.shape != shape or not np.isfinite(given).all():
        raise ParameterError(f"{name} must be finite numbers of shape {shape}, got {describe_value(given)}")
    return given

