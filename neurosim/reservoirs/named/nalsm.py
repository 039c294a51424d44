"""The liquid of the neuron-astrocyte liquid state machine (NALSM)."""

from collections.abc import Sequence

from neurosim.checks import check_whole
from neurosim.network import Network
from neurosim.neurons import LIF
from neurosim.receptors import ExponentialCurrent
from neurosim.reservoirs.inputs import RandomInput
from neurosim.reservoirs.liquid import Liquid
from neurosim.reservoirs.topologies import NalsmLattice


def nalsm_liquid(n_inputs: int = 2312, *, shape: Sequence[int] = (10, 10, 10), seed: int = 0) -> Network:
    r"""Return the liquid of NALSM with its initial weights, for dt = 1 ms; neither astrocyte nor plasticity.

    dv/dt = -v / 64 ms + sum of the synaptic currents,  a current being w exp(-a / tau_u) / tau_u,

    a ms after a spike, tau_u = 1 ms; threshold 20, reset 0, refractory 2 ms, no units. Weights +1 (excitatory), -1
    (inhibitory), inputs +1 or -1 on 15 % of all pairs, drawn at random. The lattice is `NalsmLattice`.

    What differs: a spike adds to the current where the paper's restarts it (which matters at intervals of a
    few ms only), integration is exact instead of Euler's, and v is held in the refractory time. The paper's liquids
    learn: add the rules of `learning_rules` to the projections of this description.

    Populations: "input" (its spikes come with the samples) and "liquid", excitatory neurons first, whose spikes are
    recorded.

    Args:
        n_inputs: number of input channels: 784 for MNIST, 2312 for N-MNIST.
        shape: numbers of sites of the lattice, (10, 10, 10) or (20, 20, 20) in the source.
        seed: of everything random.

    Raises:
        ParameterError: an argument does not fit.

    >>> [p.name for p in nalsm_liquid(100, shape=(4, 4, 4)).projections]
    ['input', 'excitation', 'inhibition']

    Source: Ivanov, Michmizos, Increasing liquid state machine performance with edge-of-chaos dynamics
    organized by astrocyte-modulated plasticity, NeurIPS 2021, and its code.
    """
    n_inputs = check_whole("nalsm_liquid.n_inputs", n_inputs, at_least=1)
    topology = NalsmLattice(shape)
    tau_u = 1.0  # the source draws randint(1, 2), which is never 2
    # dv/dt = i / c_mem with c_mem = tau_u in pF turns a jump of i by w into a charge of w, as above
    neuron = LIF(tau_mem=64.0, c_mem=tau_u, v_leak=0.0, v_reset=0.0, v_threshold=20.0, t_ref=2.0)
    return Liquid(topology, RandomInput(n_inputs, p=0.15, inhibitory=0.5), neuron=neuron,
                  receptor=ExponentialCurrent(tau_u), seed=seed).network


__all__ = ["nalsm_liquid"]
