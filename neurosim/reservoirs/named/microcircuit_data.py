"""Numbers of the cortical microcircuit under 1 mm^2 of early sensory cortex; no code.

Source: Potjans, Diesmann, Cerebral Cortex 24 (2014) 785, tables 4 and 5; rates and the optimised initial potentials as
in its public reference implementation.
"""

from typing import Any

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)
#: probability that a pair is connected at least once: rows are targets, columns are sources
PROBABILITY = (
    (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0),
    (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0),
    (0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0),
    (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0),
    (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0),
    (0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0),
    (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252),
    (0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443),
)
EXTERNAL_IN_DEGREE = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)
EXTERNAL_RATE = 8.0  #: Hz, of each external source
NEURON: dict[str, Any] = {"tau_mem": 10.0, "c_mem": 250.0, "v_leak": -65.0, "v_reset": -65.0, "v_threshold": -50.0,
                          "t_ref": 2.0}
TAU_SYN = 0.5  #: ms
PSP = 0.15  #: mV, peak of the potential that an excitatory synapse causes
RELATIVE_STD = 0.1  #: of the weights
G = 4.0  #: size of inhibitory weights relative to excitatory ones
DELAY = {"E": (1.5, 0.75), "I": (0.75, 0.375)}  #: ms, mean and standard deviation by kind of source
SHORTEST_DELAY = 0.1  #: ms
INITIAL = ((-58.0,) * 8, (10.0,) * 8)  #: mV, mean and standard deviation of v, as published
INITIAL_OPTIMISED = ((-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43),
                     (5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48))
#: Hz, mean rates of the full-size network after the first 500 ms; they scatter between realisations
RATES = (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829)

__all__ = ["DELAY", "EXTERNAL_IN_DEGREE", "EXTERNAL_RATE", "G", "INITIAL", "INITIAL_OPTIMISED", "NEURON", "POPULATIONS",
           "PROBABILITY", "PSP", "RATES", "RELATIVE_STD", "SHORTEST_DELAY", "SIZES", "TAU_SYN"]
