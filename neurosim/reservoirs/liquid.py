"""A liquid state machine: recordings in, states out; any readout may follow."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from neurosim.aliases import Seed, Values
from neurosim.calls import arguments_listed
from neurosim.checks import check_number, check_seed, describe_value, is_number
from neurosim.connectivity import Explicit, Sparse
from neurosim.contracts import Device, Plasticity
from neurosim.errors import ParameterError
from neurosim.network import Network
from neurosim.neurons import LIF, Neuron
from neurosim.receptors import Delta, Receptor
from neurosim.reservoirs.estimator import Estimator
from neurosim.reservoirs.features import Counts, as_features
from neurosim.reservoirs.inputs import InputProjection
from neurosim.reservoirs.states import Features, Keys, states
from neurosim.reservoirs.topologies import Topology
from neurosim.simulation import Simulation
from neurosim.sources import SpikeSource
from neurosim.spikes import Spikes

NEURON = LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=20.0, t_ref=2.0)
Rules: TypeAlias = Plasticity | Sequence[Plasticity] | None
_PLACES, _INPUTS, _SYNAPSES = 1, 2, 3  # streams of the random numbers that the description itself needs


class Liquid(Estimator):
    """A liquid state machine: input channels, and a recurrent network of excitatory and inhibitory neurons.

    `liquid.network` has two populations, "input" and "liquid", the latter with the excitatory neurons
    first, and up to three projections, "input", "excitation" and "inhibition"; connections go by the topology,
    inputs by the input projection. Everything random follows from
    the seed: the same seed gives the same liquid and, for the same samples, the same states.

    Args:
        topology: where neurons sit and which connect; a `Lattice`, `MaassLattice`, `NalsmLattice`, `RandomGraph`.
        inputs: a `RandomInput`, `LocalInput`, `OrientedInput`, `TonotopicInput`.
        neuron: model of the neurons; by default LIF with tau_mem = 20 ms, a threshold of 20 mV above rest
            and t_ref = 2 ms.
        receptor: what arrivals do, from outside and within; a jump of v by default.
        inhibitory_receptor: what those from inhibitory neurons do; by default the same. Where `receptor` is a
            conductance, one with its e_rev below rest is needed.
        excitation: weight from excitatory neurons, in the receptor's unit, >= 0: a number or a distribution.
        inhibition: weight from inhibitory neurons, likewise, <= 0, or >= 0 at a conductance. A number 0 leaves the
            synapses out.
        delay: ms, of all synapses within the liquid; a number or a distribution.
        input_delay: ms, of all input synapses; by default one tick.
        device: a device layer that holds the recurrent weights; it must span them (`weight_max` of a memristor). Those
            of inhibitory neurons are in an array of its own, whose devices have the next seed.
        input_device: the same of the input weights.
        plasticity: a learning rule, or several in a list, of the synapses of excitatory neurons; or a dict of them by
            the names of projections. What a sample teaches is gone after it.
        duration: ms that `transform` runs each sample; by default as long as each is, which must be the same for all.
        features: what `transform` returns; by default `Counts()`.
        dt: length of a tick, ms.
        seed: of everything random, 0 <= seed < 2^64.

    Raises:
        ParameterError: an argument does not fit.

    >>> import neurosim as ns
    >>> from neurosim.reservoirs import Liquid, MaassLattice, RandomInput
    >>> liquid = Liquid(MaassLattice(), RandomInput(40, k=10, weight=8.0), seed=1)
    >>> samples = [ns.Spikes(ticks=[3, 9, 9], ids=[k, 2, 30], size=40, dt=1.0, duration=50.0) for k in range(4)]
    >>> liquid.states(samples, duration=50.0, threads=1).shape
    (4, 135)

    It is one of scikit-learn's transformers: `transform` takes a list of recordings, so that a liquid goes into
    pipelines and searches. `compare` judges two liquids on the same samples.

    Source: Maass, Natschlaeger, Markram, Neural Computation 14 (2002) 2531.
    """

    @arguments_listed
    def __init__(self, topology: Topology, inputs: InputProjection, *, neuron: Neuron = NEURON,
                 receptor: Receptor | None = None, inhibitory_receptor: Receptor | None = None,
                 excitation: Values = 1.0, inhibition: Values = -1.0, delay: Values = 1.0,
                 input_delay: Values | None = None, device: Device | None = None, input_device: Device | None = None,
                 plasticity: Rules | Mapping[str, Rules] = None, duration: float | None = None,
                 features: Features = None, dt: float = 1.0, seed: Seed = 0):
        self._arguments = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        if not isinstance(topology, Topology):
            raise ParameterError("Liquid.topology must be a Topology such as MaassLattice(), "
                                 f"got {describe_value(topology)}")
        if not isinstance(inputs, InputProjection):
            raise ParameterError("Liquid.inputs must be an input projection such as RandomInput(100, k=10), "
                                 f"got {describe_value(inputs)}")
        self.receptor = Delta() if receptor is None else receptor
        self.inhibitory_receptor = self.receptor if inhibitory_receptor is None else inhibitory_receptor
        signed = getattr(self.inhibitory_receptor, "signed", True)
        if not signed and inhibitory_receptor is None and not _is_zero(inhibition):
            raise ParameterError("Liquid.inhibitory_receptor must be given where the receptor is a conductance: one "
                                 "with e_rev below rest, and an inhibition >= 0")
        _check_sign("excitation", excitation, 1)
        _check_sign("inhibition", inhibition, -1 if signed else 1)
        seed = check_seed("Liquid.seed", seed)
        self.topology, self.inputs, self.neuron = topology, inputs, neuron
        self.excitation, self.inhibition, self.delay = excitation, inhibition, delay
        self.device, self.input_device, self.plasticity = device, input_device, _by_projection(plasticity)
        self.duration = None if duration is None else check_number("Liquid.duration", duration, "ms", above=0)
        self.features = as_features(Counts() if features is None else features)
        self.input_delay, self.dt, self.seed = dt if input_delay is None else input_delay, dt, seed
        self.places = topology.places(np.random.default_rng([self.seed, _PLACES]))
        self.input_weights = inputs.matrix(topology.relative(self.places), np.random.default_rng([self.seed, _INPUTS]))
        self.synapses = self._synapses(np.random.default_rng([self.seed, _SYNAPSES]))
        self.network = self.describe()
        self._simulations = {}

    @property
    def size(self) -> int:
        """Number of neurons of the liquid."""
        return self.topology.size

    @property
    def n_excitatory(self) -> int:
        """Number of excitatory neurons, which come first."""
        return self.topology.size - self.topology.n_inhibitory

    def describe(self) -> Network:
        """Return a new description of the network, in which the spikes of "liquid" are recorded."""
        net = Network()
        silence = Spikes(ticks=[], ids=[], size=self.inputs.n_inputs, dt=self.dt, duration=self.dt)
        source = net.add(SpikeSource(silence), name="input")
        liquid = net.add(self.neuron, self.size, name="liquid")
        if self.input_weights.nnz:
            net.connect(source, liquid, Sparse(self.input_weights), delay=self.input_delay, receptor=self.receptor,
                        device=self.input_device, plasticity=self.plasticity.get("input"), name="input")
        for name, part, weight, receptor, device in (
                ("excitation", slice(0, self.n_excitatory), self.excitation, self.receptor, self.device),
                ("inhibition", slice(self.n_excitatory, None), self.inhibition, self.inhibitory_receptor,
                 _next_devices(self.device))):
            sources, targets = self.synapses[name[0]]
            if sources.size and not _is_zero(weight):
                net.connect(liquid[part], liquid, Explicit(sources, targets), weight=weight, delay=self.delay,
                            receptor=receptor, device=device, plasticity=self.plasticity.get(name), name=name)
        net.record(liquid)
        return net

    def _synapses(self, generator) -> dict:
        """Return (sources, targets) of the synapses by kind of source; sources are numbered within their kind."""
        places = {"e": self.places[:self.n_excitatory], "i": self.places[self.n_excitatory:]}
        found = {}
        for kind, sources in places.items():
            pairs = [self.topology.pairs(kind + other, sources, places[other], generator) for other in "ei"]
            found[kind] = (np.concatenate([pair[0] for pair in pairs]),
                           np.concatenate([pairs[0][1], pairs[1][1] + self.n_excitatory]))
        return found

    def simulation(self, variables: Sequence[str] = (), every: float | None = None) -> Simulation:
        """Return a new simulation of the liquid at rest.

        Args:
            variables: names of state variables that are recorded besides the spikes.
            every: ms between two samples of them; every tick by default.
        """
        net = self.network if not variables else self.describe()
        for variable in variables:
            net.record(net.population("liquid"), variable, every=every)
        return Simulation(net, self.dt, seed=self.seed)

    def states(self, samples: Iterable[Spikes], duration: float, features: Features = None, *, keys: Keys = None,
               threads: int | None = None, progress: bool = False) -> np.ndarray:
        """Run the liquid from rest once for each sample and return a vector of features for each.

        Args:
            samples: `Spikes` over the input channels, one recording each.
            duration: ms that each runs.
            features: a feature map, or several, whose vectors are put one after the other; by default
                `Counts()`.
            keys: a whole number for each sample, which selects its random numbers; by default its position.
            threads: how many samples run at once; by default one for each core.
            progress: whether to show a progress bar.

        Returns:
            float32 array of shape (samples, features).

        Raises:
            ParameterError: an argument does not fit; the message names the sample.
        """
        features = as_features(Counts() if features is None else features)
        variables = tuple(sorted({feature.variable for feature in features if feature.variable}))
        known = variables, duration if variables else None
        if known not in self._simulations:
            self._simulations[known] = self.simulation(variables, duration if variables else None)
        return states(self._simulations[known], samples, duration, features, keys=keys, threads=threads,
                      progress=progress)

    def transform(self, X) -> np.ndarray:
        """Return the features of each recording, float32, shape (samples, features).

        Args:
            X: `Spikes` over the input channels, one recording each.

        Raises:
            ParameterError: the recordings differ in length and no duration was given, or one does not fit.
        """
        samples, duration = list(X), self.duration
        if duration is None:
            lengths = {getattr(each, "duration", None) for each in samples}
            if len(lengths) > 1:
                raise ParameterError("Liquid.duration must be given for recordings of different lengths")
            duration = (lengths.pop() if lengths else None) or self.dt
        return self.states(samples, duration, self.features)

    def _given(self):
        return dict(self._arguments)

    def __repr__(self):
        return f"<liquid of {self.size} neurons: {self.topology!r}, {self.inputs!r}, seed {self.seed}>"


def _by_projection(plasticity) -> dict:
    """Return the rules by the name of their projection."""
    given = plasticity if isinstance(plasticity, dict) else {"excitation": plasticity}
    for name in given:
        if name not in ("input", "excitation", "inhibition"):
            raise ParameterError("Liquid.plasticity must be a rule, a list of them, or a dict of them by 'input', "
                                 f"'excitation' and 'inhibition', got {describe_value(name)}")
    return given


def _next_devices(device):
    """Return the layer with devices of their own: of the next seed, where they have one."""
    seed = getattr(device, "seed", None) if "seed" in getattr(device, "parameters", {}) else None
    return device if seed is None else device.replace(seed=(seed + 1) % 2**64)


def _is_zero(weight) -> bool:
    return is_number(weight) and weight == 0


def _check_sign(name, weight, sign):
    if is_number(weight) and weight * sign < 0:
        raise ParameterError(f"Liquid.{name} must be {'>=' if sign > 0 else '<='} 0, got {weight!r}")


__all__ = ["NEURON", "Liquid"]
