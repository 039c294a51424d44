"""The sparse balanced network of Brunel (2000)."""

from neurosim.aliases import Delays
from neurosim.checks import check_number
from neurosim.connectivity import FixedInDegree
from neurosim.distributions import Uniform
from neurosim.network import Network
from neurosim.neurons import LIF
from neurosim.sources import PoissonDrive

NEURON = LIF(tau_mem=20.0, v_leak=0.0, v_reset=10.0, v_threshold=20.0, t_ref=2.0)


def brunel(g: float = 5.0, eta: float = 2.0, *, delay: Delays = 1.5, weight: float = 0.1,
           scale: float = 1.0) -> Network:
    """Return the sparse network of 10,000 excitatory and 2,500 inhibitory LIF neurons with delta synapses, model A.

    tau_mem 20 ms, threshold 20 mV above rest, reset 10 mV, refractory 2 ms. Every neuron gets 1,000 excitatory
    synapses of `weight`, 250 inhibitory ones of -g times that, and Poisson events of `weight` at the rate of eta
    times 20 mV / (weight tau_mem), which is what takes the mean potential to the threshold. In the source's
    figure 8: synchronous regular at g = 3, eta = 2; synchronous irregular (fast) at g = 6, eta = 4;
    asynchronous irregular at g = 5, eta = 2; synchronous irregular (slow) at g = 4.5, eta = 0.9.

    With scale < 1 there are fewer neurons with the same probability of connection, 0.1; weights grow as 1 / scale, so
    that the mean input stays and its fluctuations grow as 1 / sqrt(scale).

    Populations: "exc" and "inh". Nothing is recorded.

    Args:
        g: size of inhibitory weights relative to excitatory ones.
        eta: rate of the external events relative to the one that reaches the threshold.
        delay: ms, a number or a distribution.
        weight: jump of v by an excitatory synapse of the full-size network, mV.
        scale: share of the neurons, 0 to 1.

    Raises:
        ParameterError: an argument does not fit.

    >>> print(brunel(scale=0.1).population("exc").size)
    1000

    Source: Brunel, J. Computational Neuroscience 8 (2000) 183.
    """
    g = check_number("brunel.g", g, at_least=0)
    eta = check_number("brunel.eta", eta, at_least=0)
    scale = check_number("brunel.scale", scale, above=0, at_most=1)
    jump = check_number("brunel.weight", weight, "mV", at_least=1e-9) / scale
    n_exc, n_inh = max(10, round(10_000 * scale)), max(10, round(2_500 * scale))
    k_exc, k_inh = max(1, round(1_000 * scale)), max(1, round(250 * scale))
    threshold_rate = 1000.0 * NEURON.v_threshold / (jump * NEURON.tau_mem)
    net = Network()
    initial = {"v": Uniform(0.0, NEURON.v_threshold)}
    exc = net.add(NEURON, n_exc, name="exc", initial=initial)
    inh = net.add(NEURON, n_inh, name="inh", initial=initial)
    for target in (exc, inh):
        net.connect(exc, target, FixedInDegree(k_exc), weight=jump, delay=delay)
        net.connect(inh, target, FixedInDegree(k_inh), weight=-g * jump, delay=delay)
        net.drive(target, PoissonDrive(rate=eta * threshold_rate, weight=jump))
    return net


__all__ = ["brunel"]
