"""The networks that are measured, as plain numbers; each simulator builds them through its own interface."""

from dataclasses import dataclass, field, replace

import numpy as np

from neurosim.datasets import random_connectome
from neurosim.datasets.synthetic import CONNECTIONS, NEURONS
from neurosim.reservoirs.named import fly, microcircuit, microcircuit_data


@dataclass(frozen=True)
class Case:
    """A network, how long it runs, and what of it must agree between simulators.

    Args:
        name: what it is called on the command line.
        what: one line for people.
        n: neurons of each population.
        fan_out: synapses that a spike of each population reaches, on average.
        variables: numbers that a tick reads and writes per neuron: state and buffers of arriving input.
        synapse: arrays that an event reads, "target", "weight" and "learned" (read and written back).
        run, warm: ms during and before the measurement.
        tolerance: relative difference up to which mean rates count as equal.
        why: where the tolerance comes from.
        peers: who runs it if nobody is named.
        peer_run: ms that a slow peer runs instead, by peer.
        dt: length of a tick, ms.
        scale: share of the neurons of the published network.
        sample, sample_ms: what a sample is where time is made of samples, and how long each takes.
    """

    name: str
    what: str
    n: tuple[int, ...]
    fan_out: tuple[float, ...]
    variables: int
    synapse: tuple[str, ...]
    run: float
    tolerance: float
    why: str
    warm: float = 100.0
    peers: tuple[str, ...] = ("brian2", "nest")
    peer_run: dict = field(default_factory=dict)
    dt: float = 0.1
    scale: float = 1.0
    sample: str = ""
    sample_ms: float = 0.0

    @property
    def samples(self) -> int:
        """How many samples are run."""
        return max(1, round(self.run / self.sample_ms))

    @property
    def family(self) -> str:
        """The description that it is a size of: "cuba" for "cuba40k"."""
        return self.name.removesuffix("40k").removesuffix("20")

    def shortened(self, fraction: float) -> "Case":
        """Return the same case, run for a share of the time."""
        def cut(ms):
            return max(self.dt, round(ms * fraction / self.dt) * self.dt)

        return replace(self, run=cut(self.run), peer_run={peer: cut(ms) for peer, ms in self.peer_run.items()})

    def scaled(self, scale: float) -> "Case":
        """Return the case with a share of the neurons; each keeps its synapses, except in the microcircuit."""
        if self.sample:
            return self
        n = tuple(max(1, round(size * scale)) for size in self.n)
        fan_out = tuple(k * scale for k in self.fan_out) if self.family == "microcircuit" else self.fan_out
        return replace(self, n=n, fan_out=fan_out, scale=self.scale * scale)

    @property
    def packs(self) -> bool:
        """Whether it has weights of single synapses that can be packed with their targets."""
        return "weight" in self.synapse and self.family != "diehl_cook"

    def events(self, rates, ms: float) -> float:
        """Return the number of synaptic events in some ms, from the mean rate of each population in Hz."""
        return sum(rate * n * k for rate, n, k in zip(rates, self.n, self.fan_out, strict=True)) * ms * 1e-3


def _column() -> tuple[float, ...]:
    """Return how many synapses a spike of each population of the microcircuit reaches."""
    sizes = microcircuit_data.SIZES
    return tuple(sum(microcircuit.synapses(row, column) for row in range(8) if
                     microcircuit_data.PROBABILITY[row][column]) / sizes[column] for column in range(8))


_DRAWN = "each simulator draws its own connections, and networks of this size differ by about"
_PD = Case("microcircuit", "Potjans and Diesmann, 77,169 neurons and 299 million synapses", microcircuit_data.SIZES,
           _column(), 2, ("target", "weight"), 10000.0, 0.05, "population rates scatter between realisations", 500.0,
           (), {"nest": 300.0, "brian2": 500.0})

CASES = {
    case.name: case for case in (
        Case("cuba", "Vogels and Abbott, current synapses, 4,000 neurons", (3200, 800), (80.0, 80.0), 3, ("target",),
             10000.0, 0.12, f"{_DRAWN} 6 % each way", peers=("brian2", "brian2_cython", "nest"),
             peer_run={"nest": 3000.0, "brian2_cython": 5000.0}),
        Case("cuba40k", "Vogels and Abbott, current synapses, 40,000 neurons, 80 synapses each", (32000, 8000),
             (80.0, 80.0), 3, ("target",), 2000.0, 0.04, f"{_DRAWN} 2 % each way", peer_run={"nest": 500.0}),
        Case("coba", "Vogels and Abbott, conductance synapses, 4,000 neurons", (3200, 800), (80.0, 80.0), 3,
             ("target",), 5000.0, 0.15, f"{_DRAWN} 6 % each way, and the schemes of integration differ",
             peer_run={"nest": 1000.0}),
        Case("coba40k", "Vogels and Abbott, conductance synapses, 40,000 neurons, 80 synapses each", (32000, 8000),
             (80.0, 80.0), 3, ("target",), 2000.0, 0.06, f"{_DRAWN} 2 % each way, and the schemes of integration "
             "differ", peer_run={"nest": 100.0}),
        Case("brunel", "Brunel, 12,500 neurons and 15.6 million synapses, Poisson background", (10000, 2500),
             (1250.0, 1250.0), 2, ("target",), 1000.0, 0.05, "each simulator draws its own connections and input, "
             "and states of a second differ by 2 %"),
        Case("brunel_stdp", "the same with STDP at the 10 million synapses from excitatory to excitatory neurons",
             (10000, 2500), (1250.0, 1250.0), 2, ("target", "learned"), 1000.0, 0.05, "as without STDP",
             peer_run={"nest": 500.0, "brian2": 500.0}),
        Case("izhikevich", "Izhikevich, 10,000 neurons with 100 synapses each, delays of 1 to 20 ms, dt 1 ms",
             (8000, 2000), (100.0, 100.0), 4, ("target",), 10000.0, 0.05, "each simulator draws its own "
             "connections and input", dt=1.0, peers=("brian2", "brian2_cython", "nest")),
        _PD,
        replace(_PD.scaled(0.2), name="microcircuit20", what="Potjans and Diesmann at a fifth of the size",
                run=2000.0, tolerance=0.1, peers=("brian2", "nest"), peer_run={"nest": 1000.0, "brian2": 1000.0}),
        Case("lsm", "a liquid of 1,000 LIF over 200 recordings of N-MNIST, 2,312 inputs, 1 % connectivity, dt 1 ms",
             (1000,), (10.0,), 2, ("target", "weight"), 200 * 300.0, 0.001, "the same weights and recordings; sums "
             "differ in the last bit", 0.0, ("brian2", "torch"), dt=1.0, sample="recording", sample_ms=300.0),
        Case("diehl_cook", "the network of Diehl and Cook learns digits: 784 inputs, 400 neurons, dt 1 ms", (400,),
             (399.0,), 3, ("target", "weight"), 50 * 400.0, 0.1, "the same weights and inputs; in BindsNET a neuron "
             "leaks while it is refractory, which shows where many spike at once", 0.0, ("brian2", "bindsnet"),
             dt=1.0, sample="image", sample_ms=400.0),
        Case("fly", "a brain of a fly: 138,639 neurons, 15.1 million connections of a random connectome, 20 driven",
             (NEURONS,), (CONNECTIONS / NEURONS,), 2, ("target", "weight"), 1000.0, 0.1, "the same "
             "connections, but each simulator draws its own events", peers=("brian2",), peer_run={"brian2": 200.0}),
        Case("nalsm", "a liquid of 1,000 neurons learns with an astrocyte during 200 recordings of N-MNIST, dt 1 ms",
             (1000,), (16.9,), 5, ("target", "learned"), 200 * 300.0, 0.05, "float32 and float64 part after a while",
             0.0, (), dt=1.0, sample="recording", sample_ms=300.0),
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
# additive, all pairs; a weight moves by 1 % of its bound at a pair that coincides
STDP = {"tau_plus": 20.0, "tau_minus": 20.0, "rate": 0.01, "alpha": 1.05, "w_max": 0.2}
# Izhikevich, Neural Computation 18 (2006) 245, without plasticity; background: jumps of the current, mV/ms
IZHIKEVICH = {"exc": (0.02, 0.2, -65.0, 8.0), "inh": (0.1, 0.2, -65.0, 2.0), "k": 100, "w_exc": 6.0, "w_inh": -5.0,
              "longest": 20, "background": 3.0, "jump": 20.0}
LSM = {"tau_mem": 20.0, "v_threshold": 20.0, "t_ref": 2.0, "inputs": 2312, "p": 0.01, "w_in": 5.0, "w_exc": 1.0,
       "w_inh": -2.0, "share_exc": 0.8}
FLY = {"rate": 150.0, "jump": 68.75}  # events at driven neurons, Hz and mV (Shiu et al., Nature 634 (2024) 210)
# Diehl, Cook, Frontiers in Computational Neuroscience 9 (2015) 99, as in examples/diehl_cook.py
DIGITS = {"tau_mem": 100.0, "v_leak": -65.0, "v_reset": -60.0, "v_threshold": -52.0, "t_ref": 5.0, "tau_theta": 1e7,
          "delta_theta": 0.5, "inhibition": -120.0, "eta": 0.01, "x_0": 0.1, "tau_x": 20.0, "total": 78.4,
          "largest": 0.3, "inputs": 784, "white": 128.0, "shown": 250.0}


def connection_probability(case: Case) -> float:
    """Return the probability that gives every neuron of a Vogels-Abbott network its number of synapses."""
    return min(1.0, case.fan_out[0] / sum(case.n))


def brunel_background() -> float:
    """Return the rate of the background at each neuron, Hz."""
    p = BRUNEL
    return p["eta"] * p["v_threshold"] / (p["weight"] * p["tau_mem"]) * 1000.0


def liquid_weights() -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of the liquid, (inputs, neurons) and (neurons, neurons), in mV: the same for everybody."""
    rng, n = np.random.default_rng(1), CASES["lsm"].n[0]
    n_exc = round(LSM["share_exc"] * n)

    def drawn(rows, weight):
        return np.where(rng.random((rows, n)) < LSM["p"], weight * rng.uniform(0.5, 1.5, (rows, n)), 0.0)

    inputs = drawn(LSM["inputs"], LSM["w_in"])
    return inputs, np.concatenate([drawn(n_exc, LSM["w_exc"]), drawn(n - n_exc, LSM["w_inh"])])


def fly_network(case: Case, driven: int = 20):
    """Return the brain of a fly of a size, the places of its driven neurons, which reach many others, and its
    connectome."""
    found = random_connectome(case.n[0], round(case.n[0] * case.fan_out[0]), seed=1)
    reach = np.bincount(found.source[found.count > 0], minlength=case.n[0])
    driven_ones = np.sort(np.argsort(reach)[-400:-400 + driven] if case.n[0] > 400 else np.arange(driven))
    return fly.fly_brain(found, driven=driven_ones), driven_ones, found


def digit_weights() -> np.ndarray:
    """Return the weights of the network of digits before it learns, (inputs, neurons), with the sum that they keep."""
    p = DIGITS
    weights = np.random.default_rng(1).uniform(0.0, p["largest"], (p["inputs"], CASES["diehl_cook"].n[0]))
    return weights * (p["total"] / weights.sum(axis=0))
