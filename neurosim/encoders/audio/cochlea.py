"""The cochlea: sound becomes the spikes of bushy cells, as in the Spiking Heidelberg Digits."""

import numpy as np

from neurosim.aliases import RealOrNone, Whole
from neurosim.checks import Declared, Option, Parameter, check_number, describe_value
from neurosim.encoders.audio.base import AudioEncoder
from neurosim.encoders.audio.membrane import BasilarMembrane
from neurosim.encoders.audio.nerve import DRAWS, BushyCell, HairCell
from neurosim.encoders.audio.sound import as_sound
from neurosim.encoders.audio.stream import STEP, Membrane, Pipeline
from neurosim.encoders.base import own
from neurosim.errors import ParameterError


class _Part(Option):
    """A parameter that is an object with parameters of its own."""

    def __init__(self, default, doc):
        super().__init__(default, (), doc=doc)

    @property
    def bounds(self) -> str:
        """What a value must be."""
        return f"a {type(self.default).__name__}"

    def check(self, owner, value):
        """Return the value if it is of the class of the default; raise ParameterError."""
        if not isinstance(value, type(self.default)):
            raise ParameterError(f"{owner}.{self.name} must be a {type(self.default).__name__}(...), "
                                 f"got {describe_value(value)}")
        return value


class Cochlea(AudioEncoder, kw_only=False):
    """A cochlea: basilar membrane, inner hair cells with adaptation, nerve fibres, and a bushy cell for each channel.

    The sound is set to a level, faded in and out and resampled to 48 kHz. The membrane is a filter for each channel,
    at places that are evenly spread over its length: channel 0 is at the stapes and has the highest frequency, 22.5
    kHz, the last one the lowest, 110 Hz (`frequencies`). A hair cell makes the velocity of its place the rate of
    `bushy_cell.fibres` fibres, which fire at random, each for itself, and in phase with frequencies up to some kHz.
    They meet in one bushy cell, an LIF neuron, whose spikes are the channel's. Hair cells, fibres and bushy cells take
    steps of 1/24 ms; what happens in step n is emitted at its end, (n + 1) / 24 ms.

    The defaults are those of SHD: with them the spikes are, statistically, those of the public converter for a sound of
    48 kHz. It takes sounds of other rates as if hair cells had longer steps, and has ten times the spikes at 8 kHz;
    here a sound has the same ones at any rate.

    Args:
        channels: number of channels, 1 .. 2048.
        level: root of the mean square that the sound is set to, full scale being 1, > 0; None leaves it as it is.
        ramp: ms over which a sound is faded in and out by a half of a Hann window, >= 0; None for half its length on
            either side, as the public converter does.
        membrane: a `BasilarMembrane`.
        hair_cell: a `HairCell`.
        bushy_cell: a `BushyCell`.
        dt: length of a tick of the spikes, ms, > 0; None for the exact times.

    Raises:
        ParameterError: a parameter does not fit.

    >>> cochlea = Cochlea(70)
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000)
    >>> spikes = cochlea.encode(tone, 8000, seed=1)
    >>> spikes.size, spikes.duration
    (70, 500.0)
    >>> bool(500 < cochlea.frequencies[spikes.counts().argmax()] < 2000)
    True

    Source: Cramer, Stradmann, Schemmel, Zenke, "The Heidelberg spiking data sets for the systematic evaluation of
    spiking neural networks", IEEE Trans. Neural Netw. Learn. Syst. 33 (2022) 2744-2757.
    """

    stream = DRAWS
    positional = 1
    channels: Whole = Parameter(700, at_least=1, at_most=2048, integer=True, per_element=False, doc="how many")
    ramp: RealOrNone = own(None, "ms", at_least=0, optional=True, doc="of fading in and out")
    membrane: Declared[BasilarMembrane, BasilarMembrane] = _Part(BasilarMembrane(), "the filters")
    hair_cell: Declared[HairCell, HairCell] = _Part(HairCell(), "from velocity to rates")
    bushy_cell: Declared[BushyCell, BushyCell] = _Part(BushyCell(), "from fibres to spikes")

    @property
    def resolution(self) -> float:
        """Step of the exact times, ms."""
        return 1e3 * STEP

    @property
    def n_neurons(self) -> int:
        """Number of neurons of the spikes, that of the channels."""
        return self.channels

    @property
    def frequencies(self):
        """Frequency at which the place of each channel resonates, Hz, shape (channels,), from high to low."""
        return self.membrane.frequencies(self.membrane.places(self.channels))

    def cochleagram(self, audio, rate: int | None = None, *, every: float = 4.0 / 3.0, channel=None) -> np.ndarray:
        """Return how strongly each place of the membrane moves: root mean squares of its velocity, without nerves.

        Args:
            audio, rate, channel: as for `encode`.
            every: ms of a window, to the nearest of 1/24, 2/24, 4/24, ... 4096/24; column k is that of
                (k every, (k + 1) every].

        Returns:
            float64, shape (channels, windows), of the unit of the hair cell's `saturation`.

        >>> tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000)
        >>> Cochlea(50).cochleagram(tone, 8000, every=10.0).shape
        (50, 47)
        """
        every = check_number("Cochlea.every", every, "ms", above=0)
        window = 2 ** int(np.clip(np.rint(np.log2(every / self.resolution)), 0, 12))
        sound = as_sound("Cochlea", audio, rate, channel)
        membrane = Membrane(self, sound.rate, window)
        found = [part for block in self.prepared(sound) for part in membrane.feed(block)]
        return np.sqrt(np.concatenate([*found, *membrane.end()], axis=1))

    def pipeline(self, rate, seed, key):
        """Return what turns the samples of one sound into spikes."""
        return Pipeline(self, rate, seed, key)


__all__ = ["Cochlea"]
