"""The networks that are measured, as plain numbers; each simulator builds them through its own interface."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A network and how long it runs.

    Args:
        name: what it is called on the command line.
        what: one line for people.
        n: neurons, excitatory and inhibitory.
        warm, run: ms before and during the measurement.
        fan_out: synapses that a spike reaches, on average.
        tolerance: relative difference up to which mean rates count as equal.
    """

    name: str
    what: str
    n: tuple[int, int]
    warm: float
    run: float
    fan_out: float
    tolerance: float
    dt: float = 0.1


CASES = {
    case.name: case for case in (
        Case("cuba", "Vogels and Abbott, current synapses, 4,000 neurons", (3200, 800), 100.0, 10000.0, 80.0, 0.1),
        Case("cuba40k", "the same with 40,000 neurons and 80 synapses each", (32000, 8000), 100.0, 2000.0, 80.0, 0.1),
        Case("coba", "Vogels and Abbott, conductance synapses, 4,000 neurons", (3200, 800), 100.0, 5000.0, 80.0, 0.15),
        Case("brunel", "Brunel, 12,500 neurons and 15.6 million synapses, Poisson background", (10000, 2500), 100.0,
             1000.0, 1250.0, 0.05),
    )
}

# Brette et al., J. Computational Neuroscience 23 (2007) 349, benchmarks 1 and 2
CUBA = {"tau_mem": 20.0, "v_leak": -49.0, "v_threshold": -50.0, "v_reset": -60.0, "t_ref": 5.0, "tau_exc": 5.0,
        "tau_inh": 10.0, "w_exc": 1.62, "w_inh": -9.0, "delay": 0.1}
COBA = {"tau_mem": 20.0, "c_mem": 200.0, "v_leak": -60.0, "v_threshold": -50.0, "v_reset": -60.0, "t_ref": 5.0,
        "i_bias": 200.0, "tau_exc": 5.0, "tau_inh": 10.0, "e_exc": 0.0, "e_inh": -80.0, "w_exc": 6.0, "w_inh": 67.0,
        "delay": 0.1}
# Brunel, J. Computational Neuroscience 8 (2000) 183, with the numbers of NEST's example brunel_delta_nest
BRUNEL = {"tau_mem": 20.0, "v_leak": 0.0, "v_threshold": 20.0, "v_reset": 0.0, "t_ref": 2.0, "weight": 0.1, "g": 5.0,
          "eta": 2.0, "delay": 1.5, "k_exc": 1000, "k_inh": 250}


def connection_probability(case: Case) -> float:
    """Return the probability that gives every neuron the case's number of synapses."""
    return case.fan_out / sum(case.n)


def brunel_background() -> float:
    """Return the rate of the background at each neuron, Hz."""
    p = BRUNEL
    return p["eta"] * p["v_threshold"] / (p["weight"] * p["tau_mem"]) * 1000.0
