"""The network of Vogels and Abbott (2005), as the simulator benchmark of Brette et al. (2007) has it."""

from neurosim.checks import check_number
from neurosim.connectivity import FixedProbability
from neurosim.distributions import Uniform
from neurosim.network import Network
from neurosim.neurons import LIF
from neurosim.receptors import ExponentialConductance, ExponentialCurrent
from neurosim.reservoirs.named.checks import check_choice
from neurosim.sources import PoissonDrive, TimedArray

KICK = 50.0  #: ms for which the conductance-based network is driven from outside


def vogels_abbott(synapses: str = "current", *, scale: float = 1.0) -> Network:
    """Return the network of 3,200 excitatory and 800 inhibitory LIF neurons, connected with probability 0.02.

    tau_mem 20 ms, 200 pF, threshold -50 mV, reset -60 mV, refractory 5 ms, synaptic time constants 5 and 10 ms.
    "current" (CUBA): rest -49 mV, which drives it; weights 16.2 and -90 pA (1.62 and -9 mV). "conductance" (COBA):
    rest -60 mV, weights 6 and 67 nS with reversal potentials 0 and -80 mV; it sustains itself after Poisson events of
    6 nS at 400 Hz to every neuron in the first 50 ms. Delays are 0.1 ms, the shortest there is at dt = 0.1 ms.

    With scale < 1 there are fewer neurons, each with as many synapses, 80 (the probability grows as 1 / scale).

    Populations: "exc" and "inh". Nothing is recorded.

    Args:
        synapses: "current" or "conductance".
        scale: share of the neurons, 0 to 1.

    Raises:
        ParameterError: an argument does not fit.

    >>> print(vogels_abbott(scale=0.25).population("inh").size)
    200

    Source: Vogels, Abbott, J. Neuroscience 25 (2005) 10786; Brette et al., J. Computational Neuroscience 23 (2007)
    349, benchmarks 1 and 2.
    """
    check_choice("vogels_abbott.synapses", synapses, ("current", "conductance"))
    scale = check_number("vogels_abbott.scale", scale, above=0, at_most=1)
    current = synapses == "current"
    neuron = LIF(tau_mem=20.0, c_mem=200.0, v_leak=-49.0 if current else -60.0, v_reset=-60.0, v_threshold=-50.0,
                 t_ref=5.0)
    if current:
        weights, receptors = (16.2, -90.0), (ExponentialCurrent(5.0), ExponentialCurrent(10.0))
    else:
        weights, receptors = (6.0, 67.0), (ExponentialConductance(5.0, 0.0), ExponentialConductance(10.0, -80.0))
    net = Network()
    initial = {"v": Uniform(-60.0, -50.0)}
    exc = net.add(neuron, max(1, round(3_200 * scale)), name="exc", initial=initial)
    inh = net.add(neuron, max(1, round(800 * scale)), name="inh", initial=initial)
    rule = FixedProbability(min(1.0, 0.02 / scale), self_connections=False)
    for source, weight, receptor in ((exc, weights[0], receptors[0]), (inh, weights[1], receptors[1])):
        for target in (exc, inh):
            net.connect(source, target, rule, weight=weight, delay=0.1, receptor=receptor)
    if not current:
        kick = PoissonDrive(rate=TimedArray([400.0, 0.0], every=KICK), weight=weights[0])
        for target in (exc, inh):
            net.drive(target, kick, receptor=receptors[0])
    return net


__all__ = ["vogels_abbott"]
