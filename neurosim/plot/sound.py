"""A picture of sound: waveform, cochleagram and spikes under one time axis."""

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.plot.axes import COLORS, clean, time_axis

_RANGE = 50.0  # dB that the cochleagram shows


def sound(audio, rate=None, cochlea=None, spikes=None, axes=None) -> list:
    """Draw a sound, how strongly each place of the membrane moves, and the spikes of the channels, in one time.

    Channels go from low frequencies at the bottom to high ones at the top; ticks name the frequency at which a place
    resonates. The cochleagram has dB below its largest value, 50 of them.

    Args:
        audio: samples, shape (samples,), or the path of a WAV file.
        rate: sampling rate of an array, Hz.
        cochlea: a `Cochlea`; by default one of 700 channels.
        spikes: what it made of the sound; by default it does so now, with seed 0.
        axes: three matplotlib axes that share their x axis; by default new ones.

    Returns:
        The three axes.

    Raises:
        ParameterError: the sound does not fit, or spikes have another number of channels.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> from neurosim.encoders import Cochlea
    >>> t = np.arange(1600) / 8000
    >>> len(sound(np.sin(2 * np.pi * (300 + 4000 * t) * t), 8000, Cochlea(60)))
    3
    """
    import matplotlib.pyplot as plt

    from neurosim.encoders import Cochlea, as_sound

    cochlea = Cochlea() if cochlea is None else cochlea
    heard = as_sound("plot.sound", audio, rate)
    spikes = cochlea.encode(heard) if spikes is None else spikes
    if getattr(spikes, "size", None) != cochlea.channels:
        raise ParameterError(f"plot.sound.spikes must be those of {cochlea.channels} channels, got "
                             f"{describe_value(spikes)}")
    if axes is None:
        _, axes = plt.subplots(3, 1, sharex=True, figsize=(9, 7), layout="constrained",
                               gridspec_kw={"height_ratios": [1, 2, 2]})
    wave, gram, raster = axes
    samples = np.concatenate(list(heard.blocks()))
    wave.plot((np.arange(len(samples)) + 1) * (1e3 / heard.rate), samples, color=COLORS[0], linewidth=0.6)
    wave.set_ylabel("Sound")
    clean(wave)
    moves = cochlea.cochleagram(heard)
    level = 20 * np.log10(np.maximum(moves / max(moves.max(), 1e-300), 10 ** (-_RANGE / 20)))
    image = gram.imshow(level, aspect="auto", origin="upper", cmap="magma", vmin=-_RANGE, vmax=0.0,
                        extent=(0.0, moves.shape[1] * 32 * cochlea.resolution, cochlea.channels - 0.5, -0.5))
    gram.figure.colorbar(image, ax=gram, label="Velocity (dB)", pad=0.01)
    raster.plot(spikes.times, spikes.ids, linestyle="none", marker=".", markersize=1.2, color="black", rasterized=True)
    raster.set_ylim(cochlea.channels - 0.5, -0.5)
    for ax in (gram, raster):
        _frequency_ticks(ax, cochlea.frequencies)
    raster.set_xlim(0.0, 1e3 * len(samples) / heard.rate)
    time_axis(raster)
    return list(axes)


def _frequency_ticks(ax, frequencies):
    shown = [f for f in (125, 250, 500, 1000, 2000, 4000, 8000, 16_000) if frequencies[-1] <= f <= frequencies[0]]
    places = np.interp(np.log(shown), np.log(frequencies[::-1]), np.arange(len(frequencies))[::-1])
    ax.set_yticks(places, [f"{f / 1000:g} kHz" if f >= 1000 else f"{f} Hz" for f in shown])
    ax.set_ylabel("Place of resonance")


__all__ = ["sound"]
