"""What many presentations have in common: trials, their histogram, and what comes before a spike."""

from collections.abc import Sequence

import numpy as np

from neurosim.aliases import Numbers
from neurosim.analysis.checks import positive, recording, recordings
from neurosim.checks import check_number, describe_value
from neurosim.errors import ParameterError
from neurosim.spikes import Spikes


def trials(spikes: Spikes, events: Numbers, before: float, after: float) -> list[Spikes]:
    """Return the spikes around each event, with the event at 0 ms.

    Args:
        spikes: a recording.
        events: times in ms, shape (n,); with ticks each is taken at the nearest tick.
        before, after: how far each trial reaches, ms, >= 0 and together > 0; with ticks, multiples of dt.

    Raises:
        ParameterError: a trial would reach beyond the recording.

    >>> from neurosim.spikes import Spikes
    >>> spikes = Spikes(ticks=[12, 33], ids=[0, 0], size=1, duration=50.0, dt=1.0)
    >>> [each.times for each in trials(spikes, [10.0, 30.0], before=5.0, after=5.0)]
    [array([2.]), array([3.])]
    """
    spikes = recording("trials", spikes)
    before, after = (check_number(f"trials.{name}", value, "ms", at_least=0)
                     for name, value in (("before", before), ("after", after)))
    times = np.asarray(events, dtype=object if isinstance(events, str) else None)
    if times.ndim != 1 or times.dtype.kind not in "iuf" or not np.isfinite(times).all():
        raise ParameterError(f"trials.events must be times in ms, one for each trial, got {describe_value(events)}")
    if before + after == 0:
        raise ParameterError("trials must reach before or after the event, got 0 ms for both")
    if spikes.dt is not None:
        times = np.rint(times / spikes.dt) * spikes.dt
    slack = 1e-9 * max(1.0, spikes.stop)
    outside = (times - before < spikes.start - slack) | (times + after > spikes.stop + slack)
    if outside.any():
        raise ParameterError(f"trials.events must lie {before:g} ms behind the beginning of the recording and "
                             f"{after:g} ms before its end, got {times[outside][0]:g} ms in ({spikes.start:g}, "
                             f"{spikes.stop:g}] ms")
    return [spikes.between(max(time - before, spikes.start), min(time + after, spikes.stop)).shift(-time)
            for time in times.tolist()]


def psth(spikes: Sequence[Spikes], width: float, *, per_neuron: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the peristimulus time histogram of trials: the mean rate in each bin.

    Args:
        spikes: one `Spikes` for each trial, over windows of one length: what `run_batch` or `trials` gave. Times are
            those of the first.
        width: of a bin, ms, > 0; the last bin may be shorter, as in `Spikes.bin`.
        per_neuron: whether each neuron has its own; else it is the mean over those that were watched.

    Returns:
        Edges of the bins in ms, shape (bins + 1,), and rates in Hz, shape (bins,) or (bins, size).

    >>> from neurosim.spikes import Spikes
    >>> trial = Spikes(ticks=[1, 12], ids=[0, 0], size=2, duration=20.0, dt=1.0)
    >>> psth([trial, trial.select([])], 10.0)[1]
    Traceback (most recent call last):
    neurosim.errors.ParameterError: psth.trials must be of the same watched neurons, got others in one of them
    >>> psth([trial, trial], 10.0)
    (array([ 0., 10., 20.]), array([50., 50.]))
    """
    several = recordings("psth", spikes)
    width = positive("psth", "width", width)
    edges = several[0].bin_edges(width)
    total = sum(each.bin(width, per_neuron=per_neuron) for each in several)
    seconds = np.diff(edges) / 1000 * len(several)
    if per_neuron:
        return edges, total / seconds[:, None]
    watched = several[0].n_watched
    return edges, (total / (seconds * watched) if watched else np.full(len(seconds), np.nan))


def spike_triggered_average(spikes: Spikes, times: Numbers, values: Numbers, *, before: float,
                            after: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of a signal around the spikes of each neuron.

    Args:
        spikes: whose spikes; those whose surroundings the signal does not cover are left out.
        times: of the signal, ms, evenly spaced, shape (samples,), as `sim.trace` gives them.
        values: the signal, shape (samples,) or (samples, channels).
        before, after: how far around a spike, ms, >= 0.

    Returns:
        Lags in ms (below 0: before the spike), shape (lags,), and means, float64, shape (size, lags) or
        (size, lags, channels), with NaN for neurons without a spike that counts.

    >>> import numpy as np
    >>> from neurosim.spikes import Spikes
    >>> spikes = Spikes(ticks=[4, 7], ids=[0, 0], size=1, duration=10.0, dt=1.0)
    >>> spike_triggered_average(spikes, np.arange(10.0), np.arange(10.0) ** 2, before=2.0)
    (array([-2., -1.,  0.]), array([[14.5, 22.5, 32.5]]))

    Source: de Boer, Kuyper, IEEE Transactions on Biomedical Engineering 15 (1968) 169.
    """
    from scipy.sparse import csr_array

    spikes = recording("spike_triggered_average", spikes)
    at_ms, signal, every = _sampled(times, values)
    back, ahead = (round(check_number(f"spike_triggered_average.{name}", value, "ms", at_least=0) / every)
                   for name, value in (("before", before), ("after", after)))
    at = np.rint((spikes.times - at_ms[0]) / every).astype(np.int64)
    covered = (at >= back) & (at + ahead < len(at_ms))
    rows, columns = spikes.ids[covered].astype(np.int64), at[covered]
    room = len(at_ms) - back - ahead  # places of a spike that the signal covers
    counts = csr_array((np.ones(len(rows)), (rows, columns - back)), shape=(spikes.size, max(room, 0)))
    flat = signal.reshape(len(signal), -1)
    sums = np.stack([counts @ flat[k:k + max(room, 0)] for k in range(back + ahead + 1)], axis=1)
    with np.errstate(invalid="ignore"):
        means = sums / np.bincount(rows, minlength=spikes.size)[:, None, None]
    return np.arange(-back, ahead + 1) * every, means.reshape(*means.shape[:2], *signal.shape[1:])


def _sampled(times, values) -> tuple:
    """Return times, values and the ms from one to the next."""
    times, values = np.asarray(times, np.float64), np.asarray(values, np.float64)
    if times.ndim != 1 or len(times) < 2 or values.ndim not in (1, 2) or len(values) != len(times):
        raise ParameterError("spike_triggered_average.values must have shape (samples,) or (samples, channels), with a "
                             f"time for each of two samples or more, got {values.shape} and times {times.shape}")
    every = (times[-1] - times[0]) / (len(times) - 1)
    if not every > 0 or np.abs(np.diff(times) - every).max() > 1e-3 * every:
        raise ParameterError("spike_triggered_average.times must be evenly spaced and rising")
    return times, values, float(every)
