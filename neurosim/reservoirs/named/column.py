"""The cortical column of Maass, Natschlaeger and Markram (2002)."""

import math

import numpy as np

from neurosim.aliases import Real
from neurosim.checks import Parameter, check_number, check_seed, check_whole, required
from neurosim.connectivity import Explicit
from neurosim.distributions import Distribution, Exponential, Normal, Uniform
from neurosim.network import Network
from neurosim.neurons import LIF
from neurosim.receptors import ExponentialCurrent
from neurosim.releases import TsodyksMarkram
from neurosim.reservoirs.inputs import RandomInput
from neurosim.reservoirs.topologies import MaassLattice, Topology
from neurosim.sources import SpikeSource
from neurosim.spikes import Spikes

# Mean weight (pA), mean U, D and F (ms), and delay (ms), by kinds of source and target
WEIGHT = {"ee": 30_000.0, "ei": 60_000.0, "ie": -19_000.0, "ii": -19_000.0}
USE = {"ee": 0.5, "ei": 0.05, "ie": 0.25, "ii": 0.32}
RECOVERY = {"ee": 1100.0, "ei": 125.0, "ie": 700.0, "ii": 144.0}
FACILITATION = {"ee": 50.0, "ei": 1200.0, "ie": 20.0, "ii": 60.0}
DELAY = {"ee": 1.5, "ei": 0.8, "ie": 0.8, "ii": 0.8}
INPUT_WEIGHT = {"e": 18_000.0, "i": 9_000.0}
TAU_SYN = {"e": 3.0, "i": 6.0}


class _Inhibition(Distribution, kw_only=False):
    """Minus an exponentially distributed number: the weights of inhibitory synapses; the mean is negative."""

    positional = 1
    shape = ("mean", "")
    mean: Real = required(Parameter(doc="mean, negative", below=0, per_element=False))

    @staticmethod
    def quantile(u, mean, unused):
        """Scalar body: the value below which a share u of the draws lies."""
        return -mean * math.log(u)

    def probability(self, x):
        """Return the probability of a draw below x."""
        return 1.0 if x >= 0 else math.exp(-x / self.mean)


def maass_column(n_inputs: int = 4, *, topology: Topology | None = None, reach: float = 0.3, input_scale: float = 1.0,
                 seed: int = 0) -> Network:
    """Return the column of 135 neurons with dynamic synapses in which the liquid state machine was proposed.

    LIF neurons on a 15 x 3 x 3 lattice, a fifth inhibitory: tau_mem 30 ms, 1 MOhm, threshold 15 mV above rest,
    reset 13.5 mV, background current 13.5 nA, refractory for 3 ms (excitatory) or 2 ms, beginning between 13.5
    and 15 mV. Exponential currents of 3 ms (excitatory) or 6 ms; weights gamma distributed with a
    standard deviation of 100 %, which is exponential; mean 30 nA (EE), 60 (EI), -19 (IE, II); delays 1.5 ms (EE) or
    0.8 ms; short-term plasticity with (U, D, F) of (0.5, 1.1 s, 0.05 s) EE, (0.05, 0.125, 1.2) EI,
    (0.25, 0.7, 0.02) IE, (0.32, 0.144, 0.06) II, each drawn with a standard deviation of half its mean. Inputs are
    static, with a mean of 18 nA (excitatory) or 9 nA.

    What differs: negative draws of U, D and F are drawn again instead of being replaced by uniform ones, and
    u rests at 0 rather than at U, so that the first release is U w in both.

    Populations: "input" (its spikes come with the samples) and "liquid", excitatory neurons first, whose spikes are
    recorded. Delays need a dt of which 0.1 ms is a multiple.

    Args:
        n_inputs: number of input channels.
        topology: another lattice, such as `MaassLattice((15, 6, 6))` for several columns.
        reach: share of all pairs of channel and neuron that are connected.
        input_scale: factor on the input weights.
        seed: of who is connected to whom and of the input weights; other weights and the parameters of synapses
            follow the simulation's seed.

    Raises:
        ParameterError: an argument does not fit.

    >>> print(maass_column(4).population("liquid"))
    <population 'liquid': 135 x LIF(tau_mem=30.0, v_threshold=15.0, v_reset=13.5, v_leak=0.0, \
t_ref=an array of shape (135,), r=0.001, i_bias=13500.0)>

    Source: Maass, Natschlaeger, Markram, Neural Computation 14 (2002) 2531, appendix B; dynamic synapses after Markram,
    Wang, Tsodyks, PNAS 95 (1998) 5323.
    """
    n_inputs = check_whole("maass_column.n_inputs", n_inputs, at_least=1)
    reach = check_number("maass_column.reach", reach, at_least=0, at_most=1)
    input_scale = check_number("maass_column.input_scale", input_scale)
    topology = MaassLattice() if topology is None else topology
    generator = np.random.default_rng(check_seed("maass_column.seed", seed))
    places = topology.places(generator)
    n, n_e = topology.size, topology.size - topology.n_inhibitory
    parts = {"e": slice(0, n_e), "i": slice(n_e, n)}
    neuron = LIF(tau_mem=30.0, r=0.001, v_leak=0.0, v_threshold=15.0, v_reset=13.5, i_bias=13_500.0,
                 t_ref=np.where(np.arange(n) < n_e, 3.0, 2.0))
    net = Network()
    source = net.add(SpikeSource(Spikes(ticks=[], ids=[], size=n_inputs, dt=0.1, duration=0.1)), name="input")
    liquid = net.add(neuron, n, name="liquid", initial={"v": Uniform(13.5, 15.0)})
    for kind, part in parts.items():
        _connect_input(net, source, liquid[part], kind, n_inputs, reach, input_scale, generator)
    for kinds in WEIGHT:
        before, after = parts[kinds[0]], parts[kinds[1]]
        pairs = topology.pairs(kinds, places[before], places[after], generator)
        if pairs[0].size == 0:
            continue
        net.connect(liquid[before], liquid[after], Explicit(*pairs),
                    weight=Exponential(WEIGHT[kinds]) if kinds[0] == "e" else _Inhibition(WEIGHT[kinds]),
                    delay=DELAY[kinds], receptor=ExponentialCurrent(TAU_SYN[kinds[0]]),
                    release=TsodyksMarkram(u_0=_varied(USE[kinds], high=1.0), tau_rec=_varied(RECOVERY[kinds]),
                                           tau_facil=_varied(FACILITATION[kinds])),
                    name=f"{kinds[0]} -> {kinds[1]}")
    net.record(liquid)
    return net


def _connect_input(net, source, target, kind, n_inputs, reach, scale, generator):
    matrix = RandomInput(n_inputs, p=reach).matrix(np.zeros((target.size, 3)), generator).tocoo()
    weights = scale * generator.exponential(INPUT_WEIGHT[kind], matrix.nnz)
    if matrix.nnz:
        net.connect(source, target, Explicit(matrix.row, matrix.col), weight=weights, delay=0.1,
                    receptor=ExponentialCurrent(TAU_SYN["e"]), name=f"input -> {kind}")


def _varied(mean, high=None):
    """A normal number with a standard deviation of half its mean, positive (at least a thousandth of the mean)."""
    return Normal(mean, 0.5 * mean, low=1e-3 * mean, high=high, bounds="redraw")


__all__ = ["maass_column"]
