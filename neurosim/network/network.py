"""The description itself: `Network`."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurosim.aliases import Delays, Values, Weights
from neurosim.calls import arguments_listed, meant
from neurosim.checks import check_is, check_number, describe_value, is_whole
from neurosim.connectivity import AllToAll, Explicit, Rule
from neurosim.contracts import Device, Plasticity, Release
from neurosim.errors import NetworkError, ParameterError
from neurosim.files import as_path
from neurosim.network import arguments
from neurosim.network.edges import numbered
from neurosim.network.fingerprint import signature
from neurosim.network.parts import (
    DriveOn,
    GapJunctions,
    Population,
    Projection,
    Recorder,
    same_part,
)
from neurosim.network.ports import Ports
from neurosim.neurons import Neuron
from neurosim.receptors import Delta, Receptor
from neurosim.releases import Fixed
from neurosim.reprs import plural, preformatted
from neurosim.sources import Current, Drive, PoissonDrive, Source, SpikeSource
from neurosim.units import warn_of_delay, warn_of_units


class Network:
    """Populations, projections, drives and recorders; describing costs nothing and runs nothing.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> noise = net.add(ns.Poisson(rate=50.0), 100, name="noise")
    >>> cells = net.add(ns.LIF(tau_mem=20.0), 10, name="cells")
    >>> synapses = net.connect(noise, cells, ns.FixedProbability(0.5), weight=0.5, delay=1.0)
    >>> net.record(cells, "spikes")
    >>> print(net)
    Network: 10 neurons and 100 sources in 2 populations, 1 projection, about 500 synapses
      noise  100 x Poisson(rate = 50 Hz)
      cells   10 x LIF(tau_mem = 20 ms)
      noise -> cells: FixedProbability(p = 0.5), weight 0.5 mV, delay 1 ms, Delta
      recorded: spikes of cells
    """

    def __init__(self):
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self.drives: list[DriveOn] = []
        self.couplings: list[GapJunctions] = []
        self.recorders: list[Recorder] = []
        self._taken: set[tuple[str, str]] = set()  #: kinds and names of parts

    @classmethod
    def from_edges(cls, source: Any, target: Any, model: Neuron, *, weight: Weights, delay: Delays = 1.0,
                   receptor: Receptor | None = None, ids: Any = None, name: str = "neurons") -> "Network":
        """Return a network of one population and its edges, as connectomes are published.

        Neurons are numbered in the order of `ids`. An edge that is listed twice is two synapses.

        Args:
            source, target: what the neurons of each edge are called, whole numbers or texts, shape (edges,).
            model: of all neurons.
            weight: of each edge in the unit of the receptor, one number or shape (edges,); its sign says what the
                source does. Where a connectome has no signs, so has the network.
            delay: ms, the same forms.
            receptor: what an arrival does; a jump of v by default.
            ids: what all neurons are called, those without an edge too; by default `numpy.unique` of both columns.
            name: of the population; the projection is called `name -> name`.

        Raises:
            ParameterError: a neuron is not among `ids`, names are floats, or lengths differ.

        >>> import neurosim as ns
        >>> net = ns.Network.from_edges(["ASHL", "AVAL"], ["AVAL", "VA1"], ns.LIF(), weight=[3.0, 5.0], delay=2.0)
        >>> print(net)  # doctest: +ELLIPSIS
        Network: 3 neurons in 1 population, 1 projection, 2 synapses
          neurons  3 x LIF
          neurons -> neurons: Explicit(sources = 2 values, 0 to 1, targets = 2 values, 1 to 2), ...
        """
        called, sources, targets = numbered(source, target, ids)
        net = cls()
        population = net.add(model, len(called), name=name)
        net.connect(population, population, Explicit(sources, targets), weight=weight, delay=delay, receptor=receptor)
        return net

    def copy(self) -> "Network":
        """Return another network of the same parts; what is added to one is not in the other."""
        other = Network()
        for name, parts in vars(self).items():
            setattr(other, name, parts.copy())
        return other

    @arguments_listed
    def add(self, model: Neuron | Source, size: int | None = None, *, name: str | None = None,
            initial: Mapping[str, Values] | None = None) -> Population:
        """Add a population.

        Args:
            model: a neuron model or a source.
            size: how many; a `SpikeSource` knows it.
            name: its name; by default the model's class and a number.
            initial: initial values of state variables by name, each a number, an array or a distribution.

        Returns:
            The population; its slices stand for parts of it.
        """
        if isinstance(model, SpikeSource) and size is None:
            size = model.spikes.size
        if not isinstance(model, (Neuron, Source)):
            raise ParameterError(f"model must be a neuron model or a source, got {describe_value(model)}")
        if size is None or not is_whole(size) or not 1 <= size < 2**32:
            raise ParameterError("size of the population must be a whole number in 1 .. 2^32 - 1, "
                                 f"got {describe_value(size)}")
        if isinstance(model, SpikeSource) and size != model.spikes.size:
            raise ParameterError(f"size must be {model.spikes.size}, that of the given spikes, got {size}")
        name = self._name(name, f"{type(model).__name__.lower()}", "population")
        arguments.check_lengths(type(model).__name__, model.values(), int(size))
        population = Population(name, model, int(size), arguments.as_initial(model, initial, int(size)))
        self._keep(self.populations, population, "population")
        return population

    @arguments_listed
    def connect(self, source: Population | str, target: Population | str, rule: Rule | None = None, *,
                weight: Weights | None = None, delay: Delays = 1.0, receptor: Receptor | None = None,
                release: Release | None = None, plasticity: Plasticity | Sequence[Plasticity] | None = None,
                device: Device | None = None,
                modulators: Mapping[str, Population | tuple[Population, str]] | None = None,
                name: str | None = None) -> Projection:
        """Connect one population to another.

        Args:
            source: where spikes come from: a population, a part of one, or its name.
            target: a population of neurons, the same forms.
            rule: who is connected to whom; all to all by default.
            weight: a number, a distribution, an array of shape (source, target), or, for rules that
                list their synapses, one value per synapse; its unit is the receptor's. By default the
                entries of the matrix of a `Sparse` rule, and 1 for the others.
            delay: ms, the same forms; a spike arrives that much later, at least one tick.
            receptor: what an arrival does; a jump of v by the weight by default.
            release: short-term plasticity; every spike transmits the whole weight by default.
            plasticity: a learning rule, or several in a list, which act one after the other.
            device: a device layer that holds the weights.
            modulators: the signals that the rules take, by name: a population, whose number of spikes in a
                tick is the signal, or `(population, variable)` for a variable of a population of one neuron.
            name: its name; by default made of those of source and target.

        Returns:
            The projection.
        """
        source, target = self._mine(source, "source"), self._neurons(target, "target")
        if not source.spiking:
            raise NetworkError(f"source must emit spikes, but {source.name!r} is of {type(source.model).__name__}, "
                               "which never does; graded synapses are not supported, gap junctions are made by "
                               "couple(...)")
        for label, value, kind in (("rule", rule, Rule), ("receptor", receptor, Receptor),
                                   ("release", release, Release), ("device", device, Device)):
            arguments.check_part(label, value, kind)
        rule = AllToAll() if rule is None else rule
        arguments.check_rule(rule, source, target)
        receptor = self._receptor(target, Delta() if receptor is None else receptor)
        delay = arguments.as_values("delay", delay, "> 0 ms", above=0.0)
        if weight is not None or rule.weights() is None:
            weight = arguments.as_values("weight", 1.0 if weight is None else weight)
        arguments.check_matrices(source, target, weight=weight, delay=delay)
        release = None if isinstance(release, Fixed) else release
        rules = arguments.as_rules(plasticity)
        name = self._name(name, f"{source.name} -> {target.name}", "projection")
        receptor.check_weights(f"weight of {name!r}", rule.weights() if weight is None else weight)
        check_is("modulators", modulators or {}, Mapping, "a dict from names of signals to populations")
        signals = self._check_modulators(name, rules, dict(modulators or {}))
        projection = Projection(name, source, target, rule, weight, delay, receptor, release, rules, device, signals)
        for each in rules:
            each.check(projection)
        self._keep(self.projections, projection, "projection")
        warn_of_units(f"projection {name!r}", [("weight", receptor.weight_unit(target.model), weight)])
        warn_of_delay(f"projection {name!r}", delay)
        return projection

    def _check_modulators(self, name, rules, given) -> dict:
        """Return the signals as name -> (population, variable), "spikes" for a population that spikes."""
        wanted = list(dict.fromkeys(signal for rule in rules for signal in rule.modulators))
        if sorted(wanted) != sorted(given):
            raise ParameterError(f"modulators of projection {name!r} must be {', '.join(wanted) or 'none'}, those that "
                                 f"its rules take, got {', '.join(map(str, given)) or 'none'}; give modulators={{name: "
                                 "population or (population, variable)}")
        return {signal: self._check_modulator(signal, given[signal]) for signal in wanted}

    def _check_modulator(self, signal, value):
        population, variable = value if isinstance(value, tuple) and len(value) == 2 else (value, None)
        population = self._mine(population, f"modulator {signal!r}")
        variable = variable or ("spikes" if population.spiking else "v")
        if variable == "spikes":
            if not population.spiking or population.whole is not None:
                raise NetworkError(f"modulator {signal!r} must be a whole population that spikes, or a variable of one "
                                   f"neuron, (population, variable), got {population.name!r}")
        elif variable not in getattr(population.model, "state", {}):
            raise NetworkError(f"modulator {signal!r} must be a variable of {population.name!r}, one of "
                               f"{', '.join(getattr(population.model, 'state', {})) or 'none'}, got {variable!r}")
        elif population.size != 1:
            raise NetworkError(f"modulator {signal!r} must be a variable of one neuron, got {population.size} of "
                               f"{population.name!r}; take a part such as {population.base.name}[0:1]")
        return population, variable

    @arguments_listed
    def drive(self, target: Population | str, drive: Drive, *, receptor: Receptor | None = None,
              name: str | None = None) -> DriveOn:
        """Let a drive act on a population: Poisson events or an injected current.

        Args:
            target: a population of neurons, a part of one, or its name.
            drive: a `PoissonDrive` or a current.
            receptor: what the events do; for a `PoissonDrive` alone, a jump of v by default.
            name: its name.
        """
        target = self._neurons(target, "target")
        if not isinstance(drive, Drive):
            raise ParameterError(f"drive must be a PoissonDrive or a current, got {describe_value(drive)}; a "
                                 "population of sources is added with add(...) and connected with connect(...)")
        arguments.check_part("receptor", receptor, Receptor)
        if isinstance(drive, Current) and receptor is not None:
            raise ParameterError("receptor must be None for a current: it is injected, it does not arrive at a "
                                 "receptor")
        if isinstance(drive, PoissonDrive):
            receptor = self._receptor(target, Delta() if receptor is None else receptor)
        arguments.check_lengths(type(drive).__name__, drive.values(), target.size)
        name = self._name(name, f"{type(drive).__name__} on {target.name}", "drive")
        if receptor is not None and isinstance(drive, PoissonDrive):
            receptor.check_weights(f"weight of {name!r}", drive.weight)
            warn_of_units(f"drive {name!r}", [("weight", receptor.weight_unit(target.model), drive.weight)])
        self._keep(self.drives, DriveOn(name, drive, target, receptor), "drive")
        return self.drives[-1]

    @arguments_listed
    def couple(self, one: Population | str, other: Population | str, rule: Rule, *, conductance: Weights | None = None,
               name: str | None = None) -> GapJunctions:
        """Join neurons by gap junctions: the current g (v_j - v_i) flows into neuron i, and its opposite into j.

        A pair that the rule gives is one junction, which acts on both; where it gives a pair twice, or (i, j) and
        (j, i) within one population, there are two. All populations that are joined are computed by one thread. The
        clocked mode alone has them.

        Args:
            one, other: populations of neurons, parts of them, or their names; may be the same.
            rule: which pairs are joined.
            conductance: g in nS, >= 0: a number, a distribution, an array of shape (one, other), or, for rules that
                list their pairs, one value per pair. By default the entries of the matrix of a `Sparse` rule.
            name: its name.

        Raises:
            ParameterError, NetworkError: an argument does not fit.

        >>> import neurosim as ns
        >>> net = ns.Network()
        >>> cells = net.add(ns.LIF(), 3, name="cells")
        >>> net.couple(cells, cells, ns.Explicit([0, 1], [1, 2]), conductance=2.0)
        <gap junctions 'cells = cells': Explicit(sources=an array of shape (2,), targets=an array of shape (2,))>
        """
        one, other = self._neurons(one, "one"), self._neurons(other, "other")
        arguments.check_part("rule", rule, Rule, optional=False)
        if conductance is None and rule.weights() is None:
            raise ParameterError("conductance must be given, a number of nS, an array or a distribution, got None")
        arguments.check_rule(rule, one, other)
        if conductance is not None:
            conductance = arguments.as_values("conductance", conductance)
        name = self._name(name, f"{one.name} = {other.name}", "coupling")
        self._keep(self.couplings, GapJunctions(name, one, other, rule, conductance), "coupling")
        return self.couplings[-1]

    @arguments_listed
    def record(self, what: Population | Projection | DriveOn | str, variable: str = "spikes", *,
               every: float | None = None, ids: Sequence[int] | np.ndarray | None = None,
               to: str | Path | None = None) -> None:
        """Record spikes or a state variable of a population, a variable of a projection's synapses, a drive's current.

        Args:
            what: a population, a part of one, a projection, a drive, or the name of one.
            variable: "spikes", the name of a state variable, for a projection "weight" and the like, for a drive
                "current": what it injected in the tick that ended then, pA.
            every: ms between two samples of a variable; every tick by default.
            ids: which neurons, numbered within `what`; all by default. Statistics of their spikes are of these alone.
            to: an HDF5 file to which the recording is streamed instead of kept in memory.

        Raises:
            ParameterError, NetworkError: an argument does not fit.
            UnsupportedError: spikes of neurons that never spike, or events of a drive, which are no current.
        """
        if isinstance(what, str):
            found = self.called(what, drives=True)
            what = arguments.one_with(found, [variable], partial(arguments.recordable, self), "variable")
        if not isinstance(what, (Projection, DriveOn)):
            what = self._mine(what, "what is recorded")
        elif what not in (*self.projections, *self.drives):
            kind = "projection" if isinstance(what, Projection) else "drive"
            raise NetworkError(f"{kind} {what.name!r} must belong to this network; it is of another one")
        arguments.check_variable(self, what, variable)
        if variable == "spikes" and every is not None:
            raise ParameterError(f"every must be None for spikes, which are all recorded, got {describe_value(every)}")
        if every is not None:
            every = check_number("every", every, "ms", above=0)
        if isinstance(what, Projection) and ids is not None:
            raise ParameterError(f"ids must be None for a projection, whose synapses are all recorded, got "
                                 f"{describe_value(ids)}")
        chosen = arguments.as_ids(ids, what)
        if self.recorder(what, variable) is not None:
            raise NetworkError(f"{variable!r} of {what.name!r} must be recorded once; it is recorded already")
        self.recorders.append(Recorder(what, variable, every, chosen, None if to is None else as_path("to", to)))

    def recorder(self, what, variable: str) -> Recorder | None:
        """Return the recorder of a variable, or None."""
        for recorder in self.recorders:
            if recorder.variable == variable and (recorder.what is what or same_part(recorder.what, what)):
                return recorder
        return None

    def __getitem__(self, name: str) -> Population:
        """Return a population by name, as `population(name)`."""
        return self.population(name)

    def __contains__(self, what: object) -> bool:
        """Return whether a population of that name, or this population, is in the network."""
        return any(what is p or what == p.name for p in self.populations)

    def __iter__(self) -> Iterator[Population]:
        return iter(self.populations)

    def population(self, name: str) -> Population:
        """Return a population by name."""
        return self._by_name(self.populations, name, "population")

    def projection(self, name: str) -> Projection:
        """Return a projection by name."""
        return self._by_name(self.projections, name, "projection")

    def called(self, name: str, drives: bool = False) -> list:
        """Return all populations and projections, and drives if these are meant too, of one name; at least one.

        Raises:
            NetworkError: there is none.
        """
        items = [*self.populations, *self.projections, *(self.drives if drives else [])]
        label = "population, projection or drive" if drives else "population or projection"
        return self._all_called(items, name, label)

    def receptors(self) -> dict[Population, list[Receptor]]:
        """Return the receptors of all whole populations, as `ports`, found in one pass."""
        return Ports(self).receptors

    def ports(self, population: Population) -> list[Receptor]:
        """Return the receptors of a whole population, in order of first use; equal ones are one."""
        return Ports(self).receptors[population.base]

    def port(self, user: Projection | DriveOn) -> int:
        """Return which of the receptors of its target a projection or a drive reaches."""
        return Ports(self).of(user)

    def variables(self, population: Population) -> dict[str, tuple[int | None, str]]:
        """Return the recordable variables of a population: name -> (port or None, variable).

        The variable of a receptor that has a name is called by both, `i_syn[ampa]`; where several without a name have
        it, by the number of the receptor, `i_syn[0]`.
        """
        return Ports(self).variables(population)

    def describe(self, format: Literal["markdown", "latex"] = "markdown") -> str:
        """Return tables of populations, projections and parameters, fit for a methods section.

        Args:
            format: "markdown" or "latex".
        """
        from neurosim.describe import describe

        return describe(self, format)

    def fingerprint(self) -> str:
        """Return a hash of the description: equal for equal networks, in any process."""
        return hashlib.sha256("\n".join(signature(self)).encode()).hexdigest()

    def __str__(self):
        from neurosim.describe import summary

        return summary(self)

    def __repr__(self):
        counts = [plural(len(parts), kind)
                  for parts, kind in ((self.populations, "population"), (self.projections, "projection"))]
        return f"<network of {' and '.join(counts)}>"

    def _repr_html_(self) -> str:
        return preformatted(str(self))

    def _name(self, name: str | None, default: str, kind: str) -> str:
        if name is None:
            name, number = default, 2
            while (kind, name) in self._taken:
                name, number = f"{default} {number}", number + 1
        if not isinstance(name, str) or not name:
            raise ParameterError(f"name must be a text, got {describe_value(name)}")
        if (kind, name) in self._taken:
            raise NetworkError(f"name must be new in this network, got {name!r}, which is taken")
        return name

    def _keep(self, parts: list, part: Any, kind: str) -> None:
        """Add a part, whose name is then taken."""
        parts.append(part)
        self._taken.add((kind, part.name))

    def _mine(self, population: Any, label: str) -> Population:
        """Return a population of this network, which may be given by its name."""
        if isinstance(population, str):
            return self.population(population)
        if not isinstance(population, Population):
            raise ParameterError(f"{label} must be a population, got {describe_value(population)}; add(...) "
                                 "returns one")
        if population.base not in self.populations:
            raise NetworkError(f"{label} must belong to this network; {population.name!r} is of another one")
        return population

    def _neurons(self, population: Any, label: str) -> Population:
        found = self._mine(population, label)
        if not isinstance(found.model, Neuron):
            raise NetworkError(f"{label} must be a population of neurons, but {found.name!r} is a source of spikes")
        return found

    def _receptor(self, target: Population, receptor: Receptor) -> Receptor:
        """Return a receptor that fits what is there."""
        arguments.check_acts(target, receptor)
        arguments.check_lengths(type(receptor).__name__, receptor.values(), target.size)
        arguments.check_receptor_name(target, receptor, [] if receptor.name is None else self.ports(target))
        return receptor

    def _by_name(self, items, name, label):
        return self._all_called(items, name, label)[0]

    def _all_called(self, items, name, label):
        found = [item for item in items if item.name == name]
        if found:
            return found
        names = list(dict.fromkeys(item.name for item in items))
        near = meant(name, names) if isinstance(name, str) else ""
        raise NetworkError(f"{label} must be one of {', '.join(map(repr, names)) or 'none'}, got {name!r}{near}")
