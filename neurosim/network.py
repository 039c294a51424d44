"""The description of a network: populations, projections, drives, recorders. It holds no dt and no numerics."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.checks import Parameter, Parametrised, Samples, check_number, describe_value, is_number, is_whole
from neurosim.connectivity import AllToAll, Rule
from neurosim.contracts import Device, Plasticity, Release
from neurosim.errors import NetworkError, ParameterError, UnsupportedError
from neurosim.neurons import Neuron
from neurosim.receptors import Delta, Receptor
from neurosim.releases import Fixed
from neurosim.sources import Current, Drive, PoissonDrive, Source, SpikeSource


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons of one model, or sources of one kind; `population[a:b]` is a part of them.

    Args:
        name: its name, unique in the network.
        model: a neuron model or a source.
        size: how many.
        initial: initial values of state variables, by name, where they are not the model's own.
        start, stop: the part of the whole population that this object stands for.
    """

    name: str
    model: Neuron | Source
    size: int
    initial: dict[str, Any] = field(default_factory=dict)
    start: int = 0
    whole: "Population | None" = None

    def __getitem__(self, part) -> "Population":
        if not isinstance(part, slice) or part.step not in (None, 1):
            raise ParameterError(f"a part of population {self.name!r} must be a slice without step, such as [0:100], "
                                 f"got {describe_value(part)}")
        first, last, _ = part.indices(self.size)
        if last <= first:
            raise ParameterError(f"a part of population {self.name!r} must hold a neuron; it has {self.size}, "
                                 f"got [{part.start}:{part.stop}]")
        begin = self.start + first
        base = self.base
        return Population(f"{base.name}[{begin}:{begin + last - first}]", self.model, last - first, {}, begin, base)

    @property
    def base(self) -> "Population":
        """The whole population that this is a part of."""
        return self.whole or self

    @property
    def spiking(self) -> bool:
        """Whether its members emit spikes."""
        return isinstance(self.model, Source) or self.model.spiking

    def __len__(self):
        return self.size

    def __repr__(self):
        return f"<population {self.name!r}: {self.size} x {self.model!r}>"


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from one population to another: who, how strong, how late, and what they do."""

    name: str
    source: Population
    target: Population
    rule: Rule
    weight: Any
    delay: Any
    receptor: Receptor
    release: Release | None
    plasticity: tuple[Plasticity, ...]
    device: Device | None
    modulators: dict[str, Any] = field(default_factory=dict)

    @property
    def shift(self) -> int | None:
        """Source i is target i + shift, where both are parts of one population; None where they are of two."""
        return shift_between(self.source, self.target)

    def __repr__(self):
        return f"<projection {self.name!r}: {self.rule!r}>"


@dataclass(frozen=True, eq=False)
class DriveOn:
    """A drive that acts on a population."""

    name: str
    drive: Drive
    target: Population
    receptor: Receptor | None


@dataclass(frozen=True, eq=False)
class GapJunctions:
    """Electrical junctions between neurons of two populations, or of one: who, and how well they conduct."""

    name: str
    one: Population
    other: Population
    rule: Rule
    conductance: Any

    @property
    def shift(self) -> int | None:
        """As that of a projection from `one` to `other`."""
        return shift_between(self.one, self.other)

    def __repr__(self):
        return f"<gap junctions {self.name!r}: {self.rule!r}>"


@dataclass(frozen=True, eq=False)
class Recorder:
    """What is recorded: spikes, a state variable of a population, or weights of a projection."""

    what: Population | Projection
    variable: str
    every: float | None
    ids: np.ndarray | None
    to: Path | None


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

    def copy(self) -> "Network":
        """Return another network of the same parts; what is added to one is not in the other."""
        other = Network()
        for name, parts in vars(self).items():
            setattr(other, name, list(parts))
        return other

    def add(self, model, size: int | None = None, *, name: str | None = None,
            initial: dict | None = None) -> Population:
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
        if not is_whole(size) or not 1 <= size < 2**32:
            raise ParameterError("size of the population must be a whole number in 1 .. 2^32 - 1, "
                                 f"got {describe_value(size)}")
        if isinstance(model, SpikeSource) and size != model.spikes.size:
            raise ParameterError(f"size must be {model.spikes.size}, that of the given spikes, got {size}")
        name = self._name(name, f"{type(model).__name__.lower()}", [p.name for p in self.populations])
        check_lengths(type(model).__name__, model.values() if isinstance(model, Parametrised) else {}, int(size))
        initial = _check_initial(model, dict(initial or {}), int(size))
        population = Population(name, model, int(size), initial)
        self.populations.append(population)
        return population

    def connect(self, source: Population, target: Population, rule: Rule | None = None, *, weight=None, delay=1.0,
                receptor: Receptor | None = None, release: Release | None = None, plasticity=None,
                device: Device | None = None, modulators: dict | None = None,
                name: str | None = None) -> Projection:
        """Connect one population to another.

        Args:
            source: where spikes come from.
            target: a population of neurons.
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
        self._check_mine(source, "source")
        self._check_mine(target, "target")
        if not source.spiking:
            raise NetworkError(f"source must emit spikes, but {source.name!r} is of {type(source.model).__name__}, "
                               "which never does; graded synapses are not supported, gap junctions are made by "
                               "couple(...)")
        if not isinstance(target.model, Neuron):
            raise NetworkError(f"target must be a population of neurons, but {target.name!r} is a source of spikes")
        rule = AllToAll() if rule is None else rule
        if weight is None and (not isinstance(rule, Rule) or rule.weights() is None):
            weight = 1.0
        receptor = Delta() if receptor is None else receptor
        for label, value, kind in (("rule", rule, Rule), ("receptor", receptor, Receptor),
                                   ("release", release, Release), ("device", device, Device)):
            if value is not None and not isinstance(value, kind):
                raise ParameterError(f"{label} must be a {kind.__name__}, got {describe_value(value)}{_hint(value)}")
        rule.check(source.size, target.size, shift_between(source, target))
        check_lengths(type(receptor).__name__, receptor.values(), target.size)
        delay, weight = _check_delay(delay), _check_weight(weight)
        release = None if isinstance(release, Fixed) else release
        rules = _check_rules(plasticity)
        name = self._name(name, f"{source.name} -> {target.name}", [p.name for p in self.projections])
        receptor.check_weights(f"weight of {name!r}", rule.weights() if weight is None else weight)
        modulators = self._check_modulators(name, rules, dict(modulators or {}))
        projection = Projection(name, source, target, rule, weight, delay, receptor, release, rules, device, modulators)
        for each in rules:
            each.check(projection)
        self.projections.append(projection)
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
        self._check_mine(population, f"modulator {signal!r}")
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

    def drive(self, target: Population, drive: Drive, *, receptor: Receptor | None = None,
              name: str | None = None) -> DriveOn:
        """Let a drive act on a population: Poisson events or an injected current.

        Args:
            target: a population of neurons, or a part of one.
            drive: a `PoissonDrive` or a current.
            receptor: what the events do; for a `PoissonDrive` alone, a jump of v by default.
            name: its name.
        """
        self._check_mine(target, "target")
        if not isinstance(drive, Drive):
            raise ParameterError(f"drive must be a PoissonDrive or a current, got {describe_value(drive)}; a "
                                 "population of sources is added with add(...) and connected with connect(...)")
        if not isinstance(target.model, Neuron):
            raise NetworkError(f"target must be a population of neurons, but {target.name!r} is a source of spikes")
        if isinstance(drive, Current) and receptor is not None:
            raise ParameterError("receptor must be None for a current: it is injected, it does not arrive at a "
                                 "receptor")
        if isinstance(drive, PoissonDrive) and receptor is None:
            receptor = Delta()
        check_lengths(type(drive).__name__, drive.values(), target.size)
        name = self._name(name, f"{type(drive).__name__} on {target.name}", [d.name for d in self.drives])
        if receptor is not None and isinstance(drive, PoissonDrive):
            receptor.check_weights(f"weight of {name!r}", drive.weight)
        self.drives.append(DriveOn(name, drive, target, receptor))
        return self.drives[-1]

    def couple(self, one: Population, other: Population, rule: Rule, *, conductance=None,
               name: str | None = None) -> GapJunctions:
        """Join neurons by gap junctions: the current g (v_j - v_i) flows into neuron i, and its opposite into j.

        A pair that the rule gives is one junction, which acts on both; where it gives a pair twice, or (i, j) and
        (j, i) within one population, there are two. All populations that are joined are computed by one thread. The
        clocked mode alone has them.

        Args:
            one, other: populations of neurons, or parts of them; may be the same.
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
        for label, population in (("one", one), ("other", other)):
            self._check_mine(population, label)
            if not isinstance(population.model, Neuron):
                raise NetworkError(f"{label} must be a population of neurons, but {population.name!r} is a source of "
                                   "spikes")
        if not isinstance(rule, Rule):
            raise ParameterError(f"rule must be a Rule, got {describe_value(rule)}")
        if conductance is None and rule.weights() is None:
            raise ParameterError("conductance must be given, a number of nS, an array or a distribution, got None")
        rule.check(one.size, other.size, shift_between(one, other))
        conductance = _check_weight(conductance, "conductance")
        name = self._name(name, f"{one.name} = {other.name}", [c.name for c in self.couplings])
        self.couplings.append(GapJunctions(name, one, other, rule, conductance))
        return self.couplings[-1]

    def record(self, what: Population | Projection, variable: str = "spikes", *, every: float | None = None, ids=None,
               to: str | Path | None = None) -> None:
        """Record spikes or a state variable of a population, or a variable of a projection's synapses.

        Args:
            what: a population, a part of one, or a projection.
            variable: "spikes", the name of a state variable, or for a projection "weight" and the like.
            every: ms between two samples of a variable; every tick by default.
            ids: which neurons, numbered within `what`; all by default. Statistics of their spikes are of these alone.
            to: an HDF5 file to which the recording is streamed instead of kept in memory.
        """
        if isinstance(what, Projection):
            if what not in self.projections:
                raise NetworkError(f"projection {what.name!r} must belong to this network; it is of another one")
        else:
            self._check_mine(what, "what is recorded")
            _check_variable(self, what, variable)
        if variable == "spikes" and every is not None:
            raise ParameterError(f"every must be None for spikes, which are all recorded, got {describe_value(every)}")
        if every is not None:
            every = check_number("every", every, "ms", above=0)
        if ids is not None:
            ids = np.array(ids)  # a copy: what is described does not change
            if (ids.ndim != 1 or ids.size == 0 or not np.issubdtype(ids.dtype, np.integer)
                    or isinstance(what, Projection) or ids.min() < 0 or ids.max() >= what.size
                    or np.unique(ids).size != ids.size):
                raise ParameterError(f"ids must be different neuron numbers in 0 .. {getattr(what, 'size', 0) - 1}, "
                                     f"got {describe_value(ids)}")
        if self.recorder(what, variable) is not None:
            raise NetworkError(f"{variable!r} of {what.name!r} must be recorded once; it is recorded already")
        self.recorders.append(Recorder(what, variable, every, ids, None if to is None else Path(to)))

    def recorder(self, what, variable: str) -> Recorder | None:
        """Return the recorder of a variable, or None."""
        for recorder in self.recorders:
            if recorder.variable == variable and (recorder.what is what or same_part(recorder.what, what)):
                return recorder
        return None

    def population(self, name: str) -> Population:
        """Return a population by name."""
        return self._by_name(self.populations, name, "population")

    def projection(self, name: str) -> Projection:
        """Return a projection by name."""
        return self._by_name(self.projections, name, "projection")

    def ports(self, population: Population) -> list[Receptor]:
        """Return the receptors of a whole population, in order of first use; equal ones are one."""
        return Ports(self).receptors.get(population.base, [])

    def port(self, user: Projection | DriveOn) -> int:
        """Return which of the receptors of its target a projection or a drive reaches."""
        return Ports(self).of(user)

    def variables(self, population: Population) -> dict[str, tuple[int | None, str]]:
        """Return the recordable variables of a population: name -> (port or None, variable).

        A receptor's variable that two ports have is called by its name and the port, `i_syn[0]`.
        """
        return Ports(self).variables(population)

    def describe(self, format: str = "markdown") -> str:
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
        return f"<network of {len(self.populations)} populations and {len(self.projections)} projections>"

    def _name(self, name, default, taken):
        if name is None:
            name, number = default, 2
            while name in taken:
                name, number = f"{default} {number}", number + 1
        if not isinstance(name, str) or not name:
            raise ParameterError(f"name must be a text, got {describe_value(name)}")
        if name in taken:
            raise NetworkError(f"name must be new in this network, got {name!r}, which is taken")
        return name

    def _check_mine(self, population, label):
        if not isinstance(population, Population):
            raise ParameterError(f"{label} must be a population, got {describe_value(population)}; add(...) "
                                 "returns one")
        if population.base not in self.populations:
            raise NetworkError(f"{label} must belong to this network; {population.name!r} is of another one")

    def _by_name(self, items, name, label):
        for item in items:
            if item.name == name:
                return item
        names = ", ".join(repr(item.name) for item in items) or "none"
        raise NetworkError(f"{label} must be one of {names}, got {name!r}")


class Ports:
    """The receptors of all populations, found in one pass over a network.

    Attributes:
        receptors: population -> its receptors, in order of first use; equal ones are one.
    """

    def __init__(self, net: Network):
        self.receptors: dict[Population, list[Receptor]] = {population: [] for population in net.populations}
        self._of: dict[Any, int] = {}
        for user in (*net.projections, *net.drives):
            if user.receptor is not None:
                found, receptor = self.receptors[user.target.base], _on_whole(user)
                found += [] if receptor in found else [receptor]
                self._of[user] = found.index(receptor)

    def of(self, user: Projection | DriveOn) -> int:
        """Return which of the receptors of its target a projection or a drive reaches."""
        return self._of[user]

    def variables(self, population: Population) -> dict[str, tuple[int | None, str]]:
        """Return the variables of a population, as `Network.variables`."""
        return self._named(population, lambda part: getattr(part, "state", {}))

    def parameters(self, population: Population) -> dict[str, tuple[int | None, str]]:
        """Return the parameters of a population and its receptors that may be set, by name, as `variables`."""
        return self._named(population, lambda part: {name: parameter for name, parameter in part.parameters.items()
                                                     if parameter.per_element})

    def _named(self, population, names_of):
        found = {name: (None, name) for name in names_of(population.model)}
        ports = self.receptors[population.base]
        names = [name for port in ports for name in names_of(port)]
        for index, port in enumerate(ports):
            for name in names_of(port):
                found[name if names.count(name) == 1 and name not in found else f"{name}[{index}]"] = (index, name)
        return found


def _on_whole(user) -> Receptor:
    """Return a receptor with its arrays, given for a part, as long as the whole; nothing arrives at the others."""
    target, receptor = user.target, user.receptor
    arrays = {name: value for name, value in receptor.values().items() if isinstance(value, np.ndarray)}
    if target.size == target.base.size or not arrays:
        return receptor
    around = target.start, target.base.size - target.start - target.size
    return receptor.replace(**{name: np.pad(value, around, mode="edge") for name, value in arrays.items()})


def shift_between(source: Population, target: Population) -> int | None:
    """Return the number among the targets of what is source 0, or None for parts of two populations."""
    return source.start - target.start if source.base is target.base else None


def same_part(a, b) -> bool:
    """Return whether two population objects stand for the same neurons."""
    return (isinstance(a, Population) and isinstance(b, Population) and a.base is b.base and a.start == b.start
            and a.size == b.size)


def _hint(value) -> str:
    if isinstance(value, str) and "gap" in value.lower():
        return "; gap junctions are made by couple(...)"
    return ""


def _check_rules(plasticity) -> tuple:
    """Return the rules of a projection as a tuple."""
    given = plasticity if isinstance(plasticity, (list, tuple)) else [] if plasticity is None else [plasticity]
    for rule in given:
        if not isinstance(rule, Plasticity):
            raise ParameterError(f"plasticity must be a Plasticity or a list of them, got {describe_value(rule)}"
                                 f"{_hint(rule)}")
    spiking = [rule for rule in given if rule.on_source or rule.on_target]  # others do not care
    if len({rule.delay for rule in spiking}) > 1:
        raise UnsupportedError("the rules of one projection must agree on where its delay lies, got "
                               + " and ".join(f"{type(rule).__name__}(delay={rule.delay!r})" for rule in spiking))
    return tuple(given)


def check_lengths(owner: str, values: dict, size: int) -> None:
    """Refuse arrays of parameters, or tables of them, that do not have one value per neuron."""
    for name, value in values.items():
        if isinstance(value, np.ndarray) and value.ndim == 1 and value.size != size:
            raise ParameterError(f"{owner}.{name} must have one value per neuron, {size}, got {value.size}")
        table = getattr(value, "values", None)
        if isinstance(table, np.ndarray) and table.ndim == 2 and table.shape[1] != size:
            raise ParameterError(f"{owner}.{name} must have one column per neuron, {size}, got {table.shape[1]}")


def _check_initial(model, initial, size):
    state = getattr(model, "state", {})
    checked = {}
    for name, value in initial.items():
        if name not in state:
            names = ", ".join(state) or "none"
            raise ParameterError(f"initial must name state variables of {type(model).__name__} ({names}), got {name!r}")
        parameter = Parameter(unit=state[name].unit)
        parameter.name = name
        checked[name] = parameter.check("initial", value)
    check_lengths("initial", checked, size)
    return checked


def _check_delay(delay):
    """Return delays as they are described: what is an array is copied."""
    if isinstance(delay, Samples):
        return delay
    try:
        array = np.asarray(delay, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.array(np.nan)
    if array.ndim == 0 and not is_number(_plain(delay)):
        array = np.array(np.nan)
    if not np.isfinite(array).all() or (array <= 0).any():
        bad = describe_value(delay) if array.ndim == 0 else "an array with other values"
        raise ParameterError(f"delay must be a finite number > 0 ms, an array of them, or a distribution, got {bad}")
    return _frozen(delay)


def _frozen(value):
    """Return a number as it is, and an array as a copy that nobody changes."""
    if np.ndim(value) == 0:
        return _plain(value)
    array = np.array(value)
    array.setflags(write=False)
    return array


def _plain(value):
    return value[()] if isinstance(value, np.ndarray) else value


def _check_weight(weight, what="weight"):
    """Return weights as they are described: what is an array is copied."""
    if weight is None or isinstance(weight, Samples):
        return weight
    try:
        array = np.asarray(weight, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.array(np.nan)
    if array.ndim == 0 and not is_number(_plain(weight)):
        array = np.array(np.nan)
    if not np.isfinite(array).all():
        raise ParameterError(f"{what} must be a finite number, an array of them, or a distribution, "
                             f"got {describe_value(weight) if array.ndim == 0 else 'an array with other values'}")
    return _frozen(weight)


def _check_variable(net, what, variable):
    if variable == "spikes":
        if not what.spiking:
            raise UnsupportedError(f"spikes of {what.name!r} cannot be recorded: {type(what.model).__name__} never "
                                   "spikes; record 'v'")
        return
    names = list(net.variables(what))
    base = [name.split("[")[0] for name in names]
    if variable not in names and variable.split("[")[0] not in base:
        known = ", ".join(["spikes", *names])
        raise ParameterError(f"variable of {what.name!r} must be one of {known}, got {variable!r}; a receptor's "
                             "variables are there once a projection uses it")


def _text(value) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, SpikeSource):
        return value.spikes.fingerprint()
    if isinstance(value, Parametrised):
        return f"{type(value).__name__}({', '.join(f'{k}={_text(v)}' for k, v in value.values().items())})"
    if hasattr(value, "values") and isinstance(value.values, np.ndarray):
        return f"{value!r}{_text(value.values)}"
    if hasattr(value, "tocsr"):
        matrix = value.tocoo()
        return "".join(map(_text, (matrix.row, matrix.col, matrix.data)))
    return repr(value)


def signature(net):
    """Yield the description, a line for each part: equal networks have equal lines."""
    for p in net.populations:
        yield f"population {p.name} {p.size} {_text(p.model)} {[(k, _text(v)) for k, v in sorted(p.initial.items())]}"
    for p in net.projections:
        parts = [p.rule, p.weight, p.delay, p.receptor, p.release, *(p.plasticity or [None]), p.device]
        signals = "".join(f" {name}={who.name}.{what}" for name, (who, what) in sorted(p.modulators.items()))
        yield f"projection {p.name} {p.source.name} {p.target.name} {[_text(part) for part in parts]}{signals}"
    for c in net.couplings:
        yield f"gap junctions {c.name} {c.one.name} {c.other.name} {_text(c.rule)} {_text(c.conductance)}"
    for d in net.drives:
        yield f"drive {d.name} {d.target.name} {_text(d.drive)} {_text(d.receptor)}"
