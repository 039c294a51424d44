"""Recordings from event sensors and cochleas, and the images of MNIST, read lazily and checked to the last byte.

A recording is a numpy structured array with the fields of Tonic: `t` in microseconds, addresses `x` and `y`, polarity
`p`; use the fields by name, for their order differs between data sets. A data set is a sequence of (recording, label)
that reads a recording when it is asked for::

    from neurosim import datasets

    train = datasets.NMNIST("N-MNIST.zip", train=True)
    events, label = train[0]
    spikes = datasets.to_spikes(events, train.sensor_size, dt=1.0)

A file that is damaged, cut short or of another format raises `FileError`, whose sentence names the file, the record
and the byte or group; events are never dropped without a word.
"""

from neurosim.datasets.dataset import Dataset, Recordings
from neurosim.datasets.events import EVENT, SPIKE, Batch, make_events, to_batch, to_events, to_spikes
from neurosim.datasets.flywire import SIGNS, Connectome, read_flywire
from neurosim.datasets.frames import time_surface, to_frames, to_voxel_grid
from neurosim.datasets.generic import read_events, write_events
from neurosim.datasets.gesture import DVSGesture
from neurosim.datasets.heidelberg import SHD, SSC, write_shd
from neurosim.datasets.idx import EMNIST, MNIST, read_idx, write_idx
from neurosim.datasets.ncaltech import NCaltech101
from neurosim.datasets.nmnist import NMNIST, read_nmnist, write_nmnist
from neurosim.datasets.series import FLOWS, flow, mackey_glass, narma
from neurosim.datasets.synthetic import random_connectome
from neurosim.datasets.transforms import (
    crop,
    denoise,
    downsample,
    flip,
    merge_polarities,
    refractory_filter,
    time_window,
)

__all__ = ["EMNIST", "EVENT", "FLOWS", "MNIST", "NMNIST", "SHD", "SIGNS", "SPIKE", "SSC", "Batch", "Connectome",
           "DVSGesture", "Dataset", "NCaltech101", "Recordings", "crop", "denoise", "downsample", "flip", "flow",
           "mackey_glass", "make_events", "merge_polarities", "narma", "random_connectome", "read_events",
           "read_flywire", "read_idx", "read_nmnist", "refractory_filter", "time_surface", "time_window", "to_batch",
           "to_events", "to_frames", "to_spikes", "to_voxel_grid", "write_events", "write_idx", "write_nmnist",
           "write_shd"]
