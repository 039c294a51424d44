"""Saccades: a still picture moved before an event camera, as N-MNIST was recorded."""

import math
from functools import cache, lru_cache
from typing import Literal

import numpy as np

from neurosim.aliases import Choice, Real
from neurosim.checks import Option, Parametrised, describe_value, is_number
from neurosim.datasets.events import checked_size
from neurosim.encoders.base import batch, batch_keys, numbers, own
from neurosim.encoders.camera import EventCamera
from neurosim.engine.loader import load_function
from neurosim.errors import ParameterError

_CORNERS = np.array([(-0.5, -0.5), (0.0, 0.5), (0.5, -0.5), (-0.5, -0.5)])  # of the triangle, (x, y), y pointing down
_PEAK = {"smooth": 1.875, "constant": 1.0}  # highest speed in units of the mean

# A pixel sees the picture at the place that its centre falls on, between the centres of four of its points; outside
# the picture it sees nothing (what is rendered is the difference from the background).
_RENDER = """
import numpy as np


def main(image, positions, scale, frames):
    rows, columns = image.shape
    height, width = frames.shape[1:]
    for k in range(frames.shape[0]):
        left = 0.5 * width + positions[k, 0] - 0.5 * columns * scale
        top = 0.5 * height + positions[k, 1] - 0.5 * rows * scale
        for y in range(height):
            v = (y + 0.5 - top) / scale - 0.5
            i = np.int64(np.floor(v))
            v -= i
            if i < -1 or i >= rows:
                continue
            for x in range(width):
                u = (x + 0.5 - left) / scale - 0.5
                j = np.int64(np.floor(u))
                u -= j
                if j < -1 or j >= columns:
                    continue
                light = 0.0
                if i >= 0 and j >= 0:
                    light += image[i, j] * (1 - v) * (1 - u)
                if i >= 0 and j + 1 < columns:
                    light += image[i, j + 1] * (1 - v) * u
                if i + 1 < rows and j >= 0:
                    light += image[i + 1, j] * v * (1 - u)
                if i + 1 < rows and j + 1 < columns:
                    light += image[i + 1, j + 1] * v * u
                frames[k, y, x] = light
"""


@cache
def _render():
    return load_function("saccade_render", _RENDER, {})


class Saccades(Parametrised):
    """Three movements along a triangle that end where they began: down right, up right, and back left.

    With a the amplitude, the picture is displaced from the centre of the sensor by (x, y) = (-a/2, -a/2), then
    (0, a/2), (a/2, -a/2) and (-a/2, -a/2) again; y points down. Each movement is straight, takes `duration - rest`, and
    a rest follows it. At the share u of its time it has covered the share s of its way:

        "smooth": s = 10 u^3 - 15 u^4 + 6 u^5 (least jerk)      "constant": s = u.

    The defaults are read off recordings of N-MNIST: about 5 pixels, and a rate of events that swells and ebbs within
    the first 90 of each 105 ms.

    Args:
        amplitude: width and height of the triangle, pixels of the sensor, > 0.
        duration: of one movement with its rest, ms, > 0.
        rest: standstill after each movement, ms, >= 0 and < duration.
        profile: "smooth" or "constant" speed.
        max_step: largest displacement from frame to frame, pixels, > 0; smaller follows the movement more closely.

    Raises:
        ParameterError: if a parameter does not fit.

    >>> saccades = Saccades(amplitude=4.0)
    >>> saccades.positions([0.0, 105.0, 210.0, 315.0])
    array([[-2., -2.],
           [ 0.,  2.],
           [ 2., -2.],
           [-2., -2.]])

    Source: Orchard, Jayawant, Cohen, Thakor, "Converting static image datasets to spiking neuromorphic datasets using
    saccades", Frontiers in Neuroscience 9 (2015) 437; the smooth profile: Flash, Hogan, J. Neuroscience 5 (1985) 1688.
    """

    amplitude: Real = own(5.0, "pixels", above=0, doc="width and height of the triangle")
    duration: Real = own(105.0, "ms", above=0, doc="of one movement with its rest")
    rest: Real = own(15.0, "ms", at_least=0, doc="standstill after each movement")
    profile: Choice[Literal["smooth", "constant"]] = Option("smooth", ("smooth", "constant"),
                                                            doc="speed within a movement")
    max_step: Real = own(0.25, "pixels", above=0, doc="largest displacement from frame to frame")

    def validate(self):
        if self.rest >= self.duration:
            raise ParameterError(f"Saccades.rest must be < duration = {self.duration:g} ms, got {self.rest:g}")

    @property
    def total(self) -> float:
        """Duration of the three movements together, ms."""
        return 3 * self.duration

    def positions(self, times) -> np.ndarray:
        """Return the displacement of the picture from the centre of the sensor in pixels, (x, y), shape (n_times, 2).

        Args:
            times: ms since the beginning, shape (n_times,); before and after the movements the picture stands still.
        """
        times = np.atleast_1d(numbers("Saccades.times", times, low=None))
        number = np.clip(times // self.duration, 0, 2).astype(np.int64)
        u = np.clip((times - number * self.duration) / (self.duration - self.rest), 0.0, 1.0)[:, None]
        share = u if self.profile == "constant" else u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
        return self.amplitude * (_CORNERS[number] * (1.0 - share) + _CORNERS[number + 1] * share)

    def times(self) -> np.ndarray:
        """Return the times of the frames that show the movements, ms, from 0 to `total`."""
        found = [np.zeros(1)]
        for number, length in enumerate(np.linalg.norm(np.diff(_CORNERS, axis=0), axis=1)):
            steps = math.ceil(_PEAK[self.profile] * length * self.amplitude / self.max_step)
            begin, end = number * self.duration, (number + 1) * self.duration
            found.append(np.linspace(begin, end - self.rest, steps + 1)[1:])
            if self.rest:
                found.append(np.array([end]))
        return np.concatenate(found)


def saccade_recording(image, camera: EventCamera | None = None, saccades: Saccades | None = None, *,
                      sensor_size=(34, 34, 2), image_size: float = 20.0, background: float = 0.0, seed: int = 0,
                      key: int = 0) -> np.ndarray:
    """Return the events of a still picture that is moved before an event camera.

    The picture is enlarged by bilinear interpolation, on an even background, centred on the sensor and displaced by the
    saccades, to a fraction of a pixel. Bright strokes on black send ON in front and OFF behind; the files of N-MNIST
    have it the other way round, as dark strokes on white do: for that, give `1 - image` and `background=1.0`.

    Args:
        image: intensity in [0, 1], shape (rows, columns), row 0 on top.
        camera: the event camera; by default one that comes near N-MNIST, `NMNIST_CAMERA`.
        saccades: the movement; by default that of N-MNIST, `Saccades()`.
        sensor_size: (width, height, 2) in pixels.
        image_size: width of the picture on the sensor, pixels, at least half its columns; the height keeps the form.
        background: intensity around the picture, in [0, 1].
        seed: of the camera's background noise, 0 <= seed < 2^64.
        key: which recording it is, 0 <= key < 2^32.

    Returns:
        Events as `EventCamera.record` gives them, t in microseconds since the beginning of the first movement.

    Raises:
        ParameterError: if a value does not fit.

    >>> events = saccade_recording(np.eye(8))
    >>> events.dtype.names, int(events["t"].max()) <= 315_000
    (('x', 'y', 't', 'p'), True)

    Source: as `Saccades`.
    """
    return saccade_recordings([image], camera, saccades, sensor_size=sensor_size, image_size=image_size,
                              background=background, seed=seed, keys=[key])[0]


def saccade_recordings(images, camera: EventCamera | None = None, saccades: Saccades | None = None, *,
                       sensor_size=(34, 34, 2), image_size: float = 20.0, background: float = 0.0, seed: int = 0,
                       keys=None) -> list[np.ndarray]:
    """Return the events of many still pictures, each as `saccade_recording` gives it with its own key.

    Args:
        images: the pictures, shape (n_images, rows, columns), or a list of them.
        camera, saccades, sensor_size, image_size, background, seed: as for `saccade_recording`.
        keys: one key per picture; by default 0, 1, 2, ...

    Raises:
        ParameterError: if a value does not fit.

    >>> [len(events) > 100 for events in saccade_recordings(np.stack([np.eye(8), np.zeros((8, 8))]))]
    [True, False]
    """
    camera = _given("camera", camera, EventCamera, NMNIST_CAMERA)
    saccades = _given("saccades", saccades, Saccades, Saccades())
    width, height, polarities = checked_size("saccade_recordings", sensor_size)
    if polarities != 2:
        raise ParameterError(f"saccade_recordings.sensor_size must have 2 polarities, got {polarities}")
    background = float(_checked_background(background))
    images = batch("saccade_recordings", images)
    keys = batch_keys("saccade_recordings", keys, len(images))
    times, positions = _path(saccades)
    frames, found = np.empty((len(times), height, width)), []
    for image, key in zip(images, keys, strict=True):
        image = _image(image)
        frames.fill(0.0)
        _render()(image - background, positions, _scale(image, image_size), frames)
        frames += background
        np.clip(frames, 0.0, 1.0, out=frames)  # a weighted mean may be off by its rounding
        found.append(camera.record(frames, times, seed=seed, key=key))
    return found


#: Default camera of the recordings: counts, balance and timing of events come near those of N-MNIST.
NMNIST_CAMERA = EventCamera(t_ref=2.0, background_rate=0.2, log_eps=0.2)


@lru_cache(maxsize=16)
def _path(saccades):
    times = saccades.times()
    return times, saccades.positions(times)


def _given(name, value, kind, default):
    if value is not None and not isinstance(value, kind):
        raise ParameterError(f"{name} must be {kind.__name__}(...) or None, got {describe_value(value)}")
    return default if value is None else value


def _checked_background(background):
    value = numbers("background", background, high=1.0)
    if value.ndim:
        raise ParameterError(f"background must be one number in [0, 1], got {describe_value(background)}")
    return value


def _image(image):
    image = numbers("image", image, high=1.0, remedy="scale it first, as in image / image.max()")
    if image.ndim != 2:
        raise ParameterError(f"image must have shape (rows, columns), got an array of shape {image.shape}")
    return np.ascontiguousarray(image)


def _scale(image, image_size):
    least = image.shape[1] / 2
    if not is_number(image_size) or not math.isfinite(image_size) or not least <= image_size:
        raise ParameterError(f"image_size must be a finite number >= {least:g} pixels, half the columns of the image, "
                             f"got {describe_value(image_size)}")
    return float(image_size) / image.shape[1]
