"""The cochlea beside lauscher, which made SHD: CPU seconds for a second of sound, at 700 channels and 48 kHz.

Ours converts a few seconds of a voice made by formula; lauscher, where it is installed (`pip install lauscher==1.0.1`),
a twentieth of a second of it, which takes it a quarter of a minute. They take turns, and the medians
count. CPU time, with that of lauscher's own processes, and not time on the clock, as other work may go on. Another
table says what 64 to 2048 channels, and threads, cost.
"""

import importlib.util
import resource
import time

import numpy as np

RATE, CHANNELS, LEAST = 48_000, 700, 100
SECONDS, OF_LAUSCHER = 3.0, 0.05


def voice(seconds: float) -> np.ndarray:
    """Return a sound with formants that glide and a syllable each quarter of a second."""
    t = np.arange(int(seconds * RATE)) / RATE
    phase, sound = 2 * np.pi * (120 * t + 3 * np.sin(2 * np.pi * 3 * t)), np.zeros(len(t))
    for low, high, width in ((300, 750, 90), (900, 2200, 150), (2400, 3000, 200)):
        formant = low + (high - low) * (0.5 - 0.5 * np.cos(2 * np.pi * 1.7 * t))
        for k in range(1, 30):
            sound += np.sin(k * phase) * np.exp(-0.5 * ((120 * k - formant) / width) ** 2)
    return sound * np.abs(np.sin(4 * np.pi * t))


def used() -> float:
    """Return the CPU seconds of this process and of those that it waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def ours(cochlea, seconds: float) -> tuple[float, int]:
    """Return the CPU seconds for a second of sound, and the number of spikes of a second."""
    sound, began = voice(seconds), used()
    spikes = cochlea.encode(sound, RATE)
    return (used() - began) / seconds, round(len(spikes) / seconds)


def lauscher(seconds: float) -> tuple[float, int]:
    """Return the same of lauscher, which has one job."""
    from lauscher.audiowaves import MonoAudioWave
    from lauscher.helpers import CommandLineArguments
    from lauscher.transformations.wave2spike import Wave2Spike

    CommandLineArguments().num_concurrent_jobs = 1
    sound, began = voice(seconds), used()
    spikes = MonoAudioWave(sound, RATE).transform(Wave2Spike(CHANNELS))
    return (used() - began) / seconds, round(len(spikes.spike_times) / seconds)


def main(settings, _out) -> tuple:
    """Measure; return ({who: CPU seconds a second}, whether we are at least a hundred times as fast)."""
    from neurosim.encoders import Cochlea

    cochlea, there = Cochlea(dt=None), importlib.util.find_spec("lauscher") is not None
    ours(cochlea, 0.2)  # compiles, and makes the filters
    rounds = [(ours(cochlea, SECONDS)[0], lauscher(OF_LAUSCHER)[0] if there else np.nan)
              for _ in range(settings.rounds)]
    our, their = np.median(rounds, axis=0)
    found = {"neurosim": float(our)}
    print(f"neurosim   {our:8.3f} CPU s for a second of sound at {CHANNELS} channels")
    if there:
        found["lauscher"] = float(their)
        print(f"lauscher   {their:8.1f}, {their / our:.0f} times as many")
    else:
        print("lauscher is not installed")
    for channels in (64, 256, 2048):
        other = Cochlea(channels, dt=None)
        began = time.process_time()
        ours(other, 0.2)
        made = time.process_time() - began
        found[f"{channels} channels"] = ours(other, SECONDS)[0]
        print(f"neurosim   {found[f'{channels} channels']:8.3f} at {channels} channels, after {made:.1f} CPU s for the "
              "filters")
    return found, not there or their >= LEAST * our
