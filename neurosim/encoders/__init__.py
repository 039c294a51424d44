"""Encoders: numbers, signals, images and videos in; spikes or camera events out.

An encoder is a frozen set of parameters with `encode(data, seed=..., key=...)`, which returns `Spikes`, and
`encode_batch`, which does it for many samples. The event camera records frames as an array of events instead,
which `neurosim.datasets.to_spikes` turns into spikes.
What a sample becomes depends on its data, the seed and its key, never on its place in a batch.
"""

from neurosim.encoders.audio import (
    AudioStream,
    BasilarMembrane,
    BushyCell,
    Cochlea,
    HairCell,
    LevelCrossingEncoder,
    MelEncoder,
    SiliconCochlea,
    as_sound,
    encode_folder,
)
from neurosim.encoders.base import Encoder
from neurosim.encoders.camera import EventCamera
from neurosim.encoders.delta import DeltaEncoder
from neurosim.encoders.latency import LatencyEncoder
from neurosim.encoders.rate import BernoulliEncoder, PoissonEncoder
from neurosim.encoders.saccades import NMNIST_CAMERA, Saccades, saccade_recording, saccade_recordings

__all__ = [
    "AudioStream", "BasilarMembrane", "BernoulliEncoder", "BushyCell", "Cochlea", "DeltaEncoder", "Encoder",
    "EventCamera", "HairCell", "LatencyEncoder", "LevelCrossingEncoder", "MelEncoder", "PoissonEncoder",
    "NMNIST_CAMERA", "Saccades", "SiliconCochlea", "as_sound", "encode_folder", "saccade_recording",
    "saccade_recordings",
]
