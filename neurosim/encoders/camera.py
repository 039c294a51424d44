"""The event camera: every pixel reports steps of its own log intensity."""

import math
from functools import cache, lru_cache

import numpy as np

from neurosim.aliases import Real, RealOrNone, Whole
from neurosim.checks import Parametrised, Seed
from neurosim.datasets.events import EVENT, checked_size
from neurosim.encoders.base import batch, batch_keys, check_seed, numbers, own
from neurosim.engine.loader import load_function
from neurosim.errors import ParameterError
from neurosim.random import philox, seed_words, uniform53

_THRESHOLDS, _NOISE = 0x656E6306, 0x656E6307  # streams of random numbers
_LEAST_SHARE = 0.1  # of its nominal value: no mismatch makes a threshold smaller
_BLOCK = 2**21  # numbers of log intensity that are held at a time
_MOST_US = 2**61

# Between two frames the level of a pixel is a straight line, so every crossing has a closed form. The state of a
# pixel: the level it compares with, when its reset ends, and time and number of its next noise event. A code sorts
# by time, then y, x, p. An exact multiple of a threshold must not be lost to rounding, hence SLACK.
_RECORD = """
import numpy as np

SLACK = 1e-9
NEVER = np.inf


def main(levels, times, on, off, leak, t_ref, rate, stream, sample, k0, k1, state, polarity, codes):
    pixels = levels.shape[1]
    bases, frees, sparks, numbers, begin = state[0], state[1], state[2], state[3], state[4, 0]
    origin = np.int64(np.rint(begin * 1e3))
    count = 0
    for frame in range(1, times.size):
        t0, t1 = times[frame - 1], times[frame]
        before, after = levels[frame - 1], levels[frame]
        for i in range(pixels):
            pixel = np.uint64(i)  # needs no check for negative indices
            base, free, spark = bases[pixel], frees[pixel], sparks[pixel]
            l1 = after[pixel] + leak[pixel] * (t1 - begin)
            if free < t0 and spark > t1 and l1 < base + on[pixel] - SLACK and l1 > base - off[pixel] + SLACK:
                continue
            l0 = before[pixel] + leak[pixel] * (t0 - begin)
            slope = (l1 - l0) / (t1 - t0)
            t = t0
            if free >= t0:
                if free > t1:
                    continue
                t = free
                base = l0 + slope * (t - t0)
                free = -NEVER
            while True:
                while spark <= t:
                    numbers[pixel] += 1
                    spark, polarity[pixel] = next_noise(spark, numbers[pixel], pixel, rate, stream, sample, k0, k1)
                crossing = NEVER
                if slope > 0 and l1 >= base + on[pixel] - SLACK:
                    crossing = min(max(t0 + (base + on[pixel] - l0) / slope, t), t1)
                elif slope < 0 and l1 <= base - off[pixel] + SLACK:
                    crossing = min(max(t0 + (base - off[pixel] - l0) / slope, t), t1)
                up = slope > 0
                if spark <= t1 and spark < crossing:
                    t = spark
                    up = polarity[pixel]
                    base = l0 + slope * (t - t0)
                    numbers[pixel] += 1
                    spark, polarity[pixel] = next_noise(t, numbers[pixel], pixel, rate, stream, sample, k0, k1)
                elif crossing <= t1:
                    t = crossing
                    base += on[pixel] if up else -off[pixel]
                else:
                    break
                if count < codes.size:
                    us = max(np.int64(np.rint(t * 1e3)) - origin, 1)
                    codes[count] = (us * pixels + i) * 2 + (1 if up else 0)
                count += 1
                if t_ref > 0:
                    free = t + t_ref
                    if free > t1:
                        break
                    t = free
                    base = l0 + slope * (t - t0)
                    free = -NEVER
            bases[pixel], frees[pixel], sparks[pixel] = base, free, spark
    return count
"""


def next_noise(time, number, pixel, rate, stream, sample, k0, k1):
    """Scalar body: time and polarity of a pixel's noise event that follows one at `time`, at `rate` per ms."""
    w0, w1, w2, w3 = philox(np.uint64(pixel), np.uint64(number), np.uint64(stream), np.uint64(sample), np.uint64(k0),
                            np.uint64(k1))
    return time - math.log(uniform53(w0, w1)) / rate, (w2 & np.uint64(1)) == np.uint64(1)


@cache
def _record():
    return load_function("event_camera", _RECORD, {"next_noise": next_noise})


class EventCamera(Parametrised):
    """An event camera: a pixel sends ON or OFF when its log intensity has risen or fallen by a threshold.

    With I the intensity, `L = ln(I + log_eps)`, on a straight line in time between two frames. A pixel remembers the
    level M of its last event (at first, of the first frame) and sends an event at the exact time at which

        L - M = +threshold_on  (ON)   or   L - M = -threshold_off  (OFF);

    so a change within one frame gives as many events as it holds thresholds, each at its own time. After an event the
    pixel is held in reset for t_ref, then M is the level of that moment: what changed meanwhile is lost. With
    t_ref = 0, M moves by exactly one threshold.

    Args:
        threshold_on, threshold_off: nominal change of log intensity of an event, >= 0.001.
        threshold_mismatch: standard deviation of the thresholds over the pixels, ON and OFF each by itself, >= 0; none
            becomes smaller than a tenth of its nominal value.
        t_ref: how long a pixel is held in reset after an event, ms, >= 0.
        background_rate: noise events per second of each pixel, ON or OFF equally likely, Hz, >= 0. One resets its pixel
            as any event does, and none comes during a reset.
        leak_rate: ON events per second of a pixel at rest, from a reference that leaks, Hz, >= 0.
        bandwidth: cut-off of the photoreceptor, a low-pass of first order on L, Hz, > 0, or None for infinite.
        log_eps: what is added to the intensity before the logarithm (dark current, stray light), > 0.
        seed: of the camera as a device, 0 <= seed < 2^64: it fixes the thresholds of pixel (x, y).

    Raises:
        ParameterError: if a parameter does not fit.

    >>> frames = np.zeros((2, 1, 2))
    >>> frames[1, 0, 1] = 0.0647  # pixel (1, 0) brightens by ln(1.647), two and a half thresholds
    >>> camera = EventCamera(threshold_mismatch=0.0, t_ref=0.0, log_eps=0.1)
    >>> camera.record(frames, [0.0, 10.0])
    array([(1, 0, 4008,  True), (1, 0, 8017,  True)],
          dtype=[('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '?')])

    Source: Lichtsteiner, Posch, Delbruck, "A 128x128 120 dB 15 us latency asynchronous temporal contrast vision
    sensor", IEEE J. Solid-State Circuits 43 (2008) 566-576; mismatch, noise, leak and bandwidth as in Hu, Liu,
    Delbruck, "v2e: from video frames to realistic DVS events", CVPR Workshops 2021, but with a bandwidth that does not
    depend on the intensity and with exact crossing times.
    """

    threshold_on: Real = own(0.2, "", at_least=0.001, doc="rise of log intensity of an ON event")
    threshold_off: Real = own(0.2, "", at_least=0.001, doc="fall of log intensity of an OFF event")
    threshold_mismatch: Real = own(0.03, "", at_least=0, doc="standard deviation of the thresholds over the pixels")
    t_ref: Real = own(0.5, "ms", at_least=0, doc="reset after an event")
    background_rate: Real = own(0.0, "Hz", at_least=0, doc="noise events of each pixel")
    leak_rate: Real = own(0.0, "Hz", at_least=0, doc="ON events of a pixel at rest")
    bandwidth: RealOrNone = own(None, "Hz", above=0, optional=True, doc="cut-off of the photoreceptor")
    log_eps: Real = own(0.02, "", above=0, doc="added to the intensity before the logarithm")
    seed: Whole = Seed("of the camera as a device")

    def thresholds(self, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ON and OFF thresholds of the pixels, float64, read-only, each of shape (height, width).

        Those of pixel (x, y) are the same for every size of the sensor.

        >>> on, off = EventCamera(threshold_mismatch=0.0).thresholds(2, 1)
        >>> on
        array([[0.2, 0.2]])
        """
        return _thresholds(self, *checked_size("EventCamera", (width, height, 2))[:2])

    def record(self, frames, timestamps, *, seed: int = 0, key: int = 0) -> np.ndarray:
        """Return the events of a video.

        Args:
            frames: linear intensity in [0, 1], shape (n_frames, height, width), at least 2 frames.
            timestamps: time of each frame, ms, increasing, shape (n_frames,).
            seed: of the background noise, 0 <= seed < 2^64.
            key: which recording it is, 0 <= key < 2^32; other keys get other noise.

        Returns:
            Structured array with the fields x, y, t (microseconds, on the clock of the timestamps) and p (True is ON),
            in the layout of Tonic, sorted by t, then y, x, p. All t are above the first and up to the last timestamp.

        Raises:
            ParameterError: if frames, timestamps, seed or key do not fit.
        """
        frames, times = _checked(frames, timestamps)
        seed, key = check_seed("EventCamera", seed, key)
        count, height, width = frames.shape
        on, off = (each.ravel() for each in _thresholds(self, width, height))
        k0, k1, _, _ = philox(*map(np.uint64, (*seed_words(self.seed), _NOISE, 0, *seed_words(seed))))
        pixels = _Pixels(self, on, off, times[0], (_NOISE, key, int(k0), int(k1)))
        rows = max(2, _BLOCK // (height * width))
        for begin in range(0, count - 1, rows - 1):  # blocks share a frame
            pixels.see(frames[begin:begin + rows].reshape(-1, height * width), times[begin:begin + rows])
        return _events(pixels.codes, round(times[0] * 1e3), width, height)

    def record_batch(self, frames, timestamps, *, seed: int = 0, keys=None) -> list[np.ndarray]:
        """Return the events of many videos that share their timestamps, each as `record` gives it with its own key.

        Args:
            frames: the videos, shape (n_videos, n_frames, height, width), or a list of them.
            timestamps: time of each frame, ms, shape (n_frames,).
            seed: of the background noise.
            keys: one key per video; by default 0, 1, 2, ...

        Raises:
            ParameterError: as `record`.
        """
        videos = batch("EventCamera", frames)
        keys = batch_keys("EventCamera", keys, len(videos))
        return [self.record(video, timestamps, seed=seed, key=key) for video, key in zip(videos, keys, strict=True)]


class _Pixels:
    """The pixels of a camera during one recording, which sees its frames block by block."""

    def __init__(self, camera, on, off, begin, noise):
        self.camera, self.on, self.off, self.noise = camera, on, off, noise
        self.leak = camera.leak_rate * 1e-3 * on
        self.rate = camera.background_rate * 1e-3
        self.state = np.zeros((5, on.size))
        self.state[1], self.state[2], self.state[4] = -math.inf, begin if self.rate else math.inf, begin
        self.polarity = np.zeros(on.size, dtype=np.bool_)
        self.smooth = None  # what the photoreceptor tells of the last frame
        self.found = []

    @property
    def codes(self):
        return np.sort(np.concatenate(self.found))

    def see(self, frames, times):
        """Find the events of some frames, the first of which was the last of the block before."""
        levels = np.add(frames, self.camera.log_eps, dtype=np.float64)
        np.log(levels, out=levels)
        if self.camera.bandwidth is not None:
            self._smooth(levels, times)
        if not self.found:
            self.state[0] = levels[0]
        self.found.append(self._codes(levels, times))

    def _codes(self, levels, times):
        codes = np.empty(8 * self.on.size + 1024, dtype=np.int64)
        while True:
            state, polarity = self.state.copy(), self.polarity.copy()
            count = _record()(levels, times, self.on, self.off, self.leak, self.camera.t_ref, self.rate, *self.noise,
                              state, polarity, codes)
            if count <= codes.size:
                self.state, self.polarity = state, polarity
                return codes[:count].copy()
            codes = np.empty(count, dtype=np.int64)  # now it is known how many there are

    def _smooth(self, levels, times):
        """Filter the levels in place, exactly for lines between the frames."""
        tau = 1e3 / (2 * math.pi * self.camera.bandwidth)
        before = levels[0].copy()
        if self.smooth is not None:
            levels[0] = self.smooth
        for k in range(1, len(times)):
            lag = (levels[k] - before) * (tau / (times[k] - times[k - 1]))
            keep = math.exp(-(times[k] - times[k - 1]) / tau)
            before, levels[k] = levels[k].copy(), levels[k] - lag + (levels[k - 1] - before + lag) * keep
        self.smooth = levels[-1].copy()


@lru_cache(maxsize=16)
def _thresholds(camera, width, height):
    from scipy.special import ndtri

    x, y = np.arange(width, dtype=np.uint64), np.arange(height, dtype=np.uint64)[:, None]
    zero = np.uint64(0) * (x + y)
    words = philox(x + zero, y + zero, zero + np.uint64(_THRESHOLDS), zero, *map(np.uint64, seed_words(camera.seed)))
    found = []
    for nominal, w0, w1 in ((camera.threshold_on, *words[:2]), (camera.threshold_off, *words[2:])):
        spread = camera.threshold_mismatch * ndtri(uniform53(w0, w1))
        found.append(np.maximum(nominal + spread, _LEAST_SHARE * nominal))
        found[-1].setflags(write=False)
    return tuple(found)


def _checked(frames, timestamps):
    frames = numbers("EventCamera.frames", frames, high=1.0, remedy="scale them first, as in frames / 255",
                     convert=False)
    if frames.ndim != 3 or len(frames) < 2 or max(frames.shape[1:]) > 2**15:
        raise ParameterError("EventCamera.frames must have shape (n_frames, height, width) with at least 2 frames and "
                             f"at most {2**15} pixels a side, got an array of shape {frames.shape}")
    times = numbers("EventCamera.timestamps", timestamps, low=None)
    if times.shape != (len(frames),):
        raise ParameterError(f"EventCamera.timestamps must have one time in ms for each of {len(frames)} frames, "
                             f"got an array of shape {times.shape}")
    late = np.flatnonzero(np.diff(times) <= 0)
    if late.size:
        raise ParameterError("EventCamera.timestamps must increase from frame to frame, "
                             f"got {times[late[0]]:g} before {times[late[0] + 1]:g} ms")
    if max(abs(times[0]), abs(times[-1])) * 1e3 > _MOST_US / (frames[0].size * 2):
        raise ParameterError(f"EventCamera.timestamps must be within {_MOST_US / frames[0].size / 2e3:.3g} ms of 0 for "
                             f"a sensor of this size, got an array from {times[0]:g} to {times[-1]:g}")
    return frames, np.ascontiguousarray(times)


def _events(codes, origin, width, height):
    events = np.empty(codes.size, dtype=EVENT)
    pixel, events["p"] = codes >> 1, codes & 1
    time = pixel // (width * height)
    pixel -= time * (width * height)
    row = pixel // width
    events["t"], events["y"], events["x"] = time + origin, row, pixel - row * width
    return events
