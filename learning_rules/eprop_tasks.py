"""Two tasks on which e-prop is known to work: generating a pattern, and accumulating evidence."""

import numpy as np

from neurosim.aliases import Real, Whole
from neurosim.checks import Parameter, Parametrised, check_seed, check_ticks
from neurosim.errors import ParameterError

PERIODS = (1000.0, 500.0, 333.0, 200.0)  #: ms, of the sines whose sum is generated


def pattern_generation(seed: int = 0, *, n_in: int = 100, n_out: int = 1, rate: float = 50.0,
                       duration: float = 1000.0, dt: float = 1.0):
    """Return a frozen Poisson input and sums of four sines of random amplitude and phase, of variance 1.

    Args:
        seed: of both.
        n_in, n_out: numbers of inputs and outputs.
        rate: Hz, of each input.
        duration, dt: ms.

    Returns:
        x: spikes, shape (1, ticks, n_in).
        target: shape (1, ticks, n_out).

    >>> x, target = pattern_generation(seed=1, n_in=20, n_out=3)
    >>> x.shape, target.shape, target.var(axis=1).round(3)
    ((1, 1000, 20), (1, 1000, 3), array([[1., 1., 1.]]))

    Source: Bellec et al., Nature Communications 11 (2020) 3625, supplement.
    """
    ticks = check_ticks("duration", duration, dt, at_least=1)
    generator = np.random.Generator(np.random.Philox(check_seed("seed", seed)))
    x = (generator.random((1, ticks, n_in)) < rate * dt * 1e-3).astype(np.float32)
    angle = 2 * np.pi * np.arange(ticks)[:, None, None] * dt / np.array(PERIODS)
    amplitude, phase = generator.uniform(0.5, 2.0, (n_out, 4)), generator.uniform(0.0, 2 * np.pi, (n_out, 4))
    target = (amplitude * np.sin(angle + phase)).sum(axis=2)
    return x, ((target - target.mean(axis=0)) / target.std(axis=0))[None]


class EvidenceAccumulation(Parametrised, kw_only=False):
    """A mouse runs along a corridor, counts cues at its left and right, and turns, later, to where most were.

    Four groups of inputs spike as Poisson processes: cues at the left, cues at the right (each 100 ms long, one every
    150 ms), the signal that the decision is due (the last 150 ms), and background (10 Hz all the time).

    >>> task = EvidenceAccumulation(5)
    >>> x, label = task.draw(np.random.default_rng(1), 3)
    >>> x.shape, label.shape, task.begin, round(float(task.mask.sum()), 6)
    ((3, 1950, 40), (3,), 1800, 1.0)

    Source: Morcos, Harvey, Nature Neuroscience 19 (2016) 1672; as a task for spiking networks: Bellec et al., Nature
    Communications 11 (2020) 3625.
    """

    positional = 1
    cues: Whole = Parameter(7, doc="number of cues, odd", at_least=1, integer=True, per_element=False)
    pause: Real = Parameter(1050.0, "ms", at_least=0,
                            doc="between the last cue's 150 ms and the decision", per_element=False)
    group: Whole = Parameter(10, doc="inputs of a group", at_least=1, integer=True, per_element=False)
    rate: Real = Parameter(40.0, "Hz", at_least=0, at_most=1000, doc="of a group that is active", per_element=False)
    p: Real = Parameter(0.7, doc="probability that a cue is at the more likely side", at_least=0, at_most=1,
                        per_element=False)

    def validate(self):
        if self.cues % 2 == 0:
            raise ParameterError(f"EvidenceAccumulation.cues must be an odd whole number, got {self.cues}")
        check_ticks("EvidenceAccumulation.pause", self.pause, 1.0)

    @property
    def begin(self) -> int:
        """The tick at which the decision is due."""
        return 150 * self.cues + round(self.pause)

    @property
    def ticks(self) -> int:
        """Length of a trial."""
        return self.begin + 150

    @property
    def mask(self) -> np.ndarray:
        """Factor of each tick's loss: its mean while the decision is due."""
        return np.repeat([0.0, 1.0 / 150], [self.begin, 150])

    def draw(self, generator: np.random.Generator, samples: int):
        """Return spikes (samples, ticks, 4 groups) of ticks of 1 ms, and labels: 0 where most cues were at the left."""
        favoured = generator.integers(0, 2, samples)
        sides = np.where(generator.random((samples, self.cues)) < self.p, favoured[:, None], 1 - favoured[:, None])
        p = np.zeros((samples, self.ticks, 4), np.float32)
        for k in range(self.cues):
            p[np.arange(samples), 150 * k:150 * k + 100, sides[:, k]] = self.rate * 1e-3
        p[:, self.begin:, 2] = self.rate * 1e-3
        p[:, :, 3] = 10e-3
        x = generator.random((samples, self.ticks, 4 * self.group), np.float32) < np.repeat(p, self.group, axis=2)
        return x.astype(np.float32), (sides.sum(axis=1) > self.cues // 2).astype(int)

    def decide(self, outputs) -> np.ndarray:
        """Return the side for which the mean output over the time of decision is larger."""
        return outputs[:, self.begin:].mean(axis=1).argmax(axis=1)
