"""Makes tests/golden/cochlea_lauscher.npz: how many spikes lauscher finds in each 10 ms and 5 channels of some sounds.

Run it with a Python that has lauscher 1.0.1 (`pip install lauscher==1.0.1`), which is neither part of neurosim nor
needed by its tests: `python tests/lauscher_reference.py FSDD.zip [--raw FOLDER]`. A sound takes minutes and gigabytes,
so what lauscher returns is kept in the folder. Recordings of the Free Spoken Digit Dataset, of 8 kHz, are resampled to
the 48 kHz of the recordings that SHD was made of; "vowels" is made here.
"""

import argparse
import io
import resource
import zipfile
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

RATE, CHANNELS, GROUP, BIN = 48_000, 700, 5, 0.010  # Hz, of which so many are taken together, s
SOUNDS = {"vowels": (0,), "3_theo_0": (0, 1), "0_george_0": (0,), "2_nicolas_0": (0,), "4_jackson_0": (0,),
          "5_lucas_0": (0,)}  # and seeds


def vowels():
    """Return 0.2 s of sound at 48 kHz: a voice of 130 to 100 Hz with formants that glide, and noise at its end."""
    t = np.arange(int(0.2 * RATE)) / RATE
    phase = 2 * np.pi * (130 * t - 75 * t**2)
    sound = np.zeros(len(t))
    for first, last, width in ((300, 750, 90), (2200, 1100, 120), (3000, 2500, 200)):
        formant = first + (last - first) * t / t[-1]
        for k in range(1, 40):
            sound += np.sin(k * phase) * np.exp(-0.5 * ((k * (130 - 150 * t) - formant) / width) ** 2)
    noise = np.diff(np.random.default_rng(0).normal(size=len(t) + 1))
    return sound * np.clip((0.14 - t) / 0.02, 0, 1) + 0.15 * noise * np.clip((t - 0.13) / 0.02, 0, 1)


def sound(name, archive):
    """Return samples at 48 kHz."""
    if name == "vowels":
        return vowels()
    rate, samples = wavfile.read(io.BytesIO(archive.read(f"recordings/{name}.wav")))
    return resample_poly(samples / 32768, RATE // rate, 1)


def lauscher(samples, seed):
    """Return times in s and channels of the spikes that lauscher finds, and the CPU seconds that it took."""
    from lauscher.audiowaves import MonoAudioWave
    from lauscher.helpers import CommandLineArguments
    from lauscher.transformations.wave2spike import Wave2Spike

    CommandLineArguments().num_concurrent_jobs = 1
    np.random.seed(seed)  # noqa: NPY002 - the generator that lauscher draws from

    def used():
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    began = used()
    found = MonoAudioWave(samples, RATE).transform(Wave2Spike(CHANNELS))
    return found.spike_times, found.spike_labels.astype(np.int16), used() - began


def main():
    """Convert all sounds that are not in the folder yet, and write the file."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("archive", help="the zip file of FSDD")
    arguments.add_argument("--raw", type=Path, default=Path("lauscher_raw"), help="folder for what lauscher returns")
    options = arguments.parse_args()
    options.raw.mkdir(exist_ok=True)
    found = {}
    with zipfile.ZipFile(options.archive) as archive:
        for name, seeds in SOUNDS.items():
            samples = sound(name, archive)
            for seed in seeds:
                kept = options.raw / f"{name}.{seed}.npz"
                if not kept.exists():
                    times, units, cpu = lauscher(samples.copy(), seed)
                    np.savez_compressed(kept, times=times, units=units, cpu=cpu)
                raw = np.load(kept)
                edges = np.arange(0, len(samples) / RATE + BIN, BIN), np.arange(0, CHANNELS + 1, GROUP)
                counts = np.histogram2d(raw["times"], raw["units"], bins=edges)[0]
                found[f"{name}.{seed}"] = counts.astype(np.uint8)
                found[f"{name}.{seed}.cpu_per_s"] = float(raw["cpu"]) / (len(samples) / RATE)
                print(name, seed, int(counts.sum()), "spikes,", round(found[f"{name}.{seed}.cpu_per_s"]), "CPU s per s")
    np.savez_compressed(Path(__file__).parent / "golden" / "cochlea_lauscher.npz", **found)


if __name__ == "__main__":
    main()
