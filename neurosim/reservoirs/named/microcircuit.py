"""The cortical microcircuit of Potjans and Diesmann (2014)."""

import math

from neurosim.checks import check_number
from neurosim.connectivity import FixedTotal
from neurosim.distributions import Normal
from neurosim.network import Network
from neurosim.neurons import LIF
from neurosim.receptors import ExponentialCurrent
from neurosim.reservoirs.named import microcircuit_data as data
from neurosim.reservoirs.named.checks import check_choice
from neurosim.sources import PoissonDrive


def potjans_diesmann(scale: float = 1.0, *, in_degree: float | None = None, initial: str = "published",
                     background: str = "poisson") -> Network:
    r"""Return the microcircuit of 77,169 neurons in eight populations and about 300 million synapses.

    LIF neurons with exponential currents; the number of synapses between two populations is log(1 - p) /
    log(1 - 1 / (N_source N_target)), between pairs drawn with repeats. Weights are normal, 10 % wide, of the size that
    makes a potential of 0.15 mV (87.8 pA), inhibitory ones -4 times that, from L4E to L23E twice. Delays are normal,
    1.5 +- 0.75 ms or, from inhibitory neurons, 0.75 +- 0.375 ms, at least 0.1 ms, for dt = 0.1 ms. Background: Poisson
    events of 8 Hz from each of 1,500 to 2,900 external sources, or the constant current that is their mean,
    I = tau_syn K_ext w rate_ext.

    With fewer neurons and synapses the mean rates are kept as usual: with a share k of the in-degrees, weights grow as
    1 / sqrt(k), which keeps the variance of the input, and a constant current restores its mean,

    I = tau_syn (1 - sqrt(k)) (sum over sources K w rate + K_ext w rate_ext),

    from the published in-degrees, weights and rates. Correlations between neurons grow as the network shrinks. A small
    network whose background is constant (5 % of the neurons and synapses) may stay silent, as nothing fluctuates in it.

    Populations: "L23E", "L23I", "L4E", ..., "L6I". Nothing is recorded. `microcircuit_data` has all numbers.

    Args:
        scale: share of the neurons, 0 to 1.
        in_degree: share of the synapses of each neuron, 0 to 1; None: that of the neurons.
        initial: potentials at the beginning: "published" (-58 +- 10 mV) or "optimised" by population.
        background: input from outside: "poisson" events or a "constant" current.

    Raises:
        ParameterError: an argument does not fit.

    >>> potjans_diesmann(0.02).population("L4E").size
    438

    Source: Potjans, Diesmann, Cerebral Cortex 24 (2014) 785; van Albada, Helias, Diesmann, PLoS Computational Biology
    11 (2015) e1004490, for the smaller networks.
    """
    scale = check_number("potjans_diesmann.scale", scale, above=0, at_most=1)
    share = scale if in_degree is None else check_number("potjans_diesmann.in_degree", in_degree, above=0, at_most=1)
    check_choice("potjans_diesmann.initial", initial, ("published", "optimised"))
    check_choice("potjans_diesmann.background", background, ("poisson", "constant"))
    means, stds = data.INITIAL if initial == "published" else data.INITIAL_OPTIMISED
    net, receptor = Network(), ExponentialCurrent(data.TAU_SYN)
    populations = []
    for row, name in enumerate(data.POPULATIONS):
        constant = math.sqrt(share) * external_current(row) if background == "constant" else 0.0
        neuron = LIF(**data.NEURON, i_bias=compensating_current(row, share) + constant)
        populations.append(net.add(neuron, max(1, round(data.SIZES[row] * scale)), name=name,
                                   initial={"v": Normal(means[row], stds[row])}))
        if background == "poisson":
            net.drive(populations[-1], PoissonDrive(rate=share * data.EXTERNAL_IN_DEGREE[row] * data.EXTERNAL_RATE,
                                                    weight=weight_of_psp() / math.sqrt(share)), receptor=receptor)
    for row, target in enumerate(populations):
        for column, source in enumerate(populations):
            total = round(synapses(row, column) / data.SIZES[row] * share * target.size)
            if total:
                net.connect(source, target, FixedTotal(total), weight=_weight(row, column, share),
                            delay=_delay(column), receptor=receptor)
    return net


def synapses(row: int, column: int) -> float:
    """Return the number of synapses from population `column` to population `row` at full size."""
    p = data.PROBABILITY[row][column]
    return math.log1p(-p) / math.log1p(-1.0 / (data.SIZES[row] * data.SIZES[column]))


def weight_of_psp() -> float:
    """Return the jump of current in pA whose postsynaptic potential peaks at `PSP`."""
    tau_m, tau_s, c = data.NEURON["tau_mem"], data.TAU_SYN, data.NEURON["c_mem"]
    when = math.log(tau_m / tau_s) * tau_m * tau_s / (tau_m - tau_s)
    return data.PSP * c * (tau_m - tau_s) / (tau_m * tau_s) / (math.exp(-when / tau_m) - math.exp(-when / tau_s))


def mean_weight(row: int, column: int) -> float:
    """Return the mean weight in pA from population `column` to population `row` at full size."""
    if data.POPULATIONS[column].endswith("I"):
        return -data.G * weight_of_psp()
    return weight_of_psp() * (2.0 if (data.POPULATIONS[row], data.POPULATIONS[column]) == ("L23E", "L4E") else 1.0)


def external_current(row: int) -> float:
    """Return the mean current in pA that the external sources of population `row` bring at full size."""
    return 1e-3 * data.TAU_SYN * _external(row)


def compensating_current(row: int, share: float) -> float:
    """Return the constant current in pA that restores the mean input with a share of the in-degrees."""
    recurrent = sum(synapses(row, column) / data.SIZES[row] * mean_weight(row, column) * data.RATES[column]
                    for column in range(len(data.POPULATIONS)))
    return 1e-3 * data.TAU_SYN * (1.0 - math.sqrt(share)) * (recurrent + _external(row))


def _external(row):
    return data.EXTERNAL_IN_DEGREE[row] * weight_of_psp() * data.EXTERNAL_RATE


def _weight(row, column, share):
    mean = mean_weight(row, column) / math.sqrt(share)
    bound = {"low": 0.0} if mean > 0 else {"high": 0.0}
    return Normal(mean, data.RELATIVE_STD * abs(mean), bounds="redraw", **bound)


def _delay(column):
    mean, std = data.DELAY[data.POPULATIONS[column][-1]]
    return Normal(mean, std, low=data.SHORTEST_DELAY, bounds="redraw")


__all__ = ["potjans_diesmann"]
