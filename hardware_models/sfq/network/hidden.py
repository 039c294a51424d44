"""A layer of a trained network as SFQ: its weights as bias currents, its units as storage loops that count."""

import numpy as np

from hardware_models.arrays import like, namespace
from hardware_models.memristor.equations import to_numpy
from hardware_models.sfq.network.device import SFQSynapses
from hardware_models.sfq.network.loop import StorageLoop
from hardware_models.sfq.network.timing import TIMES
from neurosim.checks import describe_value
from neurosim.errors import ParameterError


class HiddenLayer:
    r"""Units max(0, x W + b) of a trained network, computed by pulses: rates in, rates out.

    Each weight is a stochastic synapse at the excitatory or the inhibitory tree of mergers of its unit; the unit is a
    storage loop that fires with the N-th flux quantum and then with every further one. In each frame every input has a
    slot of its own, so that mergers meet one pulse at a time; the last slot is that of b, an input that always comes.

        rate per frame = max(0, x W + b) probability_max / weight_max,  for many frames

    Inhibition, a flux quantum of the other sign, is a transition of the pulse level; there is no circuit of it here.

    Args:
        weights: shape (inputs, units).
        bias: shape (units,).
        device: of the synapses; by default ideal and stochastic, with `weight_max` the largest size of them all.
        threshold: N: quanta that a loop holds at most.
        slot: ps, of one input.
        seed: of the errors of programming.

    >>> layer = HiddenLayer([[1.0, -0.5], [0.5, 0.8]], [0.0, -0.2])
    >>> layer.forward(np.array([[1.0, 0.5]]))
    array([[1.25, 0.  ]])
    >>> layer.run(np.array([[1.0, 0.5]]), frames=400).round(0)
    array([[1., 0.]])
    """

    def __init__(self, weights, bias, device: SFQSynapses | None = None, *, threshold: int = 8, slot: float = 16.0,
                 seed: int = 0):
        weights, bias = to_numpy(weights), to_numpy(bias)
        if weights.ndim != 2 or bias.shape != weights.shape[1:] or not weights.size:
            raise ParameterError("HiddenLayer must be given weights (inputs, units) and bias (units,), got "
                                 f"{describe_value(weights)} and {describe_value(bias)}")
        if not slot > TIMES.merger_dead:
            raise ParameterError(f"HiddenLayer.slot must be > {TIMES.merger_dead:g} ps, within which a merger makes "
                                 f"one pulse of two, got {slot!r}")
        both = np.vstack([weights, bias])
        self.device = SFQSynapses(stochastic=True).fitted(both) if device is None else device
        self.weights = self.device.program(both, np.random.default_rng(seed))
        self.threshold, self.slot, self.inputs, self.units = threshold, float(slot), *weights.shape
        self._circuit = None

    @property
    def frame(self) -> float:
        """Duration of a frame in ps: one slot for each input and one for the bias."""
        return self.slot * (self.inputs + 1)

    @property
    def gain(self) -> float:
        """Pulses per frame of a unit of activation."""
        return self.device.probability_max / self.device.weight_max

    def forward(self, x, frames: int | None = None, generator=None):
        """Return activations for rates x of shape (..., inputs), an array or a tensor, without simulating pulses.

        Args:
            x: 0 to 1.
            frames: over which pulses are counted; None is without noise.
            generator: of the noise.
        """
        xp, ones = namespace(x), x[..., :1] * 0 + 1
        with_bias = np.concatenate([x, ones], -1) if xp is np else xp.cat([x, ones], -1)
        y = self.device.forward(with_bias, like(self.weights, x), frames, generator)
        return xp.where(y > 0, y, 0.0 * xp.abs(y))

    def circuit(self):
        """Return the layer as a circuit of cells, with inputs "in_i" (the last one is the bias) and outputs "out_j"."""
        from hardware_models.sfq.pulse import Circuit, Merger, Splitter, Synapse

        if self._circuit is not None:
            return self._circuit
        splitter = Splitter(**TIMES.splitter.of(), spacing=TIMES.merger_dead)
        merger = Merger(**TIMES.merger.of(), dead_time=TIMES.merger_dead)
        loop = StorageLoop(threshold=self.threshold, inhibition=True, **TIMES.loop.of())
        probability = np.minimum(np.abs(self.weights) * self.gain, 1.0)
        circuit, arms = Circuit("hidden layer"), {}
        for i, row in enumerate(self.weights):
            targets = np.flatnonzero(row)
            if not targets.size:
                continue
            ends = circuit.split(circuit.input(f"in_{i}"), len(targets), splitter)
            for j, end in zip(targets, ends, strict=True):
                cell = Synapse(probability=float(probability[i, j]), **TIMES.synapse.of())
                arms.setdefault((j, row[j] > 0), []).append(circuit.add(cell, end, name=f"S_{i}_{j}"))
        for j in range(self.units):
            for positive in (True, False):
                if (j, positive) not in arms:
                    arms[j, positive] = [circuit.input(f"spare_{j}_{'a' if positive else 'b'}")]
            circuit.output(f"out_{j}", circuit.add(
                loop, circuit.merge(*arms[j, True], cell=merger), circuit.merge(*arms[j, False], cell=merger),
                name=f"N_{j}"))
        self._circuit = circuit
        return circuit

    def run(self, x, frames: int = 50, *, seed: int = 0, energy: bool = False):
        """Return activations from pulses counted at the pulse level.

        Args:
            x: rates, 0 to 1, shape (samples, inputs).
            frames: over which pulses are counted; every loop begins empty.
            seed: of the pulses of the inputs, the synapses and the jitter.
            energy: whether to return a `PulseEnergy` of all samples as well.

        Returns:
            shape (samples, units); and the energy where asked for.
        """
        from hardware_models.sfq.network.energy import PulseEnergy, pulse_energy
        from hardware_models.sfq.pulse import PulseSimulation

        x = to_numpy(x)
        if x.ndim != 2 or x.shape[1] != self.inputs or not ((x >= 0) & (x <= 1)).all():
            raise ParameterError(f"HiddenLayer.run: x must be rates within 0 .. 1, shape (samples, {self.inputs}), got "
                                 f"{describe_value(x)}")
        sim = PulseSimulation(self.circuit(), on_violation="physical", seed=seed)
        rng, found, spent = np.random.default_rng([seed, 11]), np.zeros((len(x), self.units)), []
        starts, driven = self.frame * np.arange(frames), [name for name in self.circuit().inputs if name[:3] == "in_"]
        for k, row in enumerate(x):
            sim.reset(sample=k)
            on = rng.random((frames, self.inputs + 1)) < np.append(row, 1.0)
            sim.send(**{name: starts[on[:, i]] + self.slot * i for name in driven for i in [int(name[3:])]})
            sim.run()
            pulses = sim.firings()
            found[k] = [pulses[f"N_{j}"] for j in range(self.units)]
            if energy:
                spent.append(pulse_energy(sim, duration=self.frame * frames))
        found /= frames * self.gain
        if not energy:
            return found
        one = spent[0]
        return found, PulseEnergy(sum(e.switching for e in spent), sum(e.static for e in spent), one.power,
                                  one.junctions, sum(e.pulses for e in spent), sum(e.duration for e in spent), len(x))
