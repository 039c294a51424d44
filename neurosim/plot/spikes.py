"""Plots of spikes: rasters, rates, intervals."""

import numpy as np

from neurosim.plot.axes import (
    COLORS,
    axes_or_new,
    clean,
    color_of,
    label_neurons,
    label_populations,
    legend,
    mark_of_rows,
    named_spikes,
    time_axis,
)

_MOST_POINTS = 20_000  # above it, points go into vector files as one image


def raster(spikes, ax=None, *, colors=None, size=None) -> list:
    """Draw one mark per spike: time across, neuron upwards, populations above each other.

    Args:
        spikes: a `Spikes`, a list of them (labelled by their names), or a dict label -> `Spikes`.
        ax: matplotlib axes.
        colors: one colour per population; by default the colour-blind-safe `COLORS`.
        size: height of a mark in points; by default what fits a row, within reason.

    Returns:
        One `Line2D` per population.

    Raises:
        ParameterError: if something else than `Spikes` is given.
        UnsupportedError: if matplotlib is not installed.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> from neurosim import Spikes
    >>> spikes = Spikes(ticks=[1, 3], ids=[0, 1], size=2, duration=1.0, dt=0.1)
    >>> len(raster(spikes)[0].get_xdata())
    2
    """
    ax = axes_or_new(ax)
    named = named_spikes(spikes)
    bottoms = np.cumsum([0, *(part.size for _, part in named)])
    marks = mark_of_rows(ax, bottoms[-1], size)
    lines = []
    for index, (label, part) in enumerate(named):
        lines += ax.plot(part.times, part.ids + float(bottoms[index]), linestyle="none", label=label or None,
                         color=color_of(index, colors), rasterized=len(part) > _MOST_POINTS, **marks)
    ax.set_xlim(min(part.start for _, part in named), max(part.stop for _, part in named))
    ax.set_ylim(-0.5, bottoms[-1] - 0.5)
    time_axis(ax)
    if len(named) == 1:
        label_neurons(ax, "y", "Neuron")
        return lines
    label_populations(ax, [label for label, _ in named], bottoms, colors)
    return lines


def population_rate(spikes, width=10.0, ax=None, *, colors=None) -> list:
    """Draw the mean rate of a population over time, as steps.

    Args:
        spikes: a `Spikes`, a list of them, or a dict label -> `Spikes`.
        width: width of a bin in ms; a shorter last bin is divided by its own length.
        ax: matplotlib axes.
        colors: one colour per population.

    Returns:
        One `StepPatch` per population.

    Raises:
        ParameterError: if the width does not fit, or something else than `Spikes` is given.
        UnsupportedError: if matplotlib is not installed.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> from neurosim import Spikes
    >>> spikes = Spikes(ticks=[1, 3], ids=[0, 1], size=2, duration=20.0, dt=0.1)
    >>> population_rate(spikes, width=10.0)[0].get_data().values
    array([100.,   0.])
    """
    ax = axes_or_new(ax)
    named = named_spikes(spikes)
    steps = []
    for index, (label, part) in enumerate(named):
        edges = part.bin_edges(width)
        rates = part.bin(width) / (np.diff(edges) / 1000 * max(part.n_watched, 1))
        steps.append(ax.stairs(rates, edges, baseline=None, color=color_of(index, colors), linewidth=1.3,
                               label=label or None))
    ax.set_xlim(min(part.start for _, part in named), max(part.stop for _, part in named))
    ax.set_ylim(bottom=0)
    time_axis(ax)
    ax.set_ylabel(f"Rate (Hz per neuron, {width:g} ms bins)")
    legend(ax, len(named))
    return steps


def isi_histogram(spikes, bins=50, ax=None, *, color=COLORS[0]):
    """Draw the distribution of the intervals between successive spikes of a neuron, over all neurons.

    Where spikes lie on a grid the bins hold whole numbers of ticks, so that the grid makes no stripes.

    Args:
        spikes: a `Spikes`.
        bins: how many bins at most, or their edges in ms.
        ax: matplotlib axes.
        color: colour of the bars.

    Returns:
        The `StepPatch`.

    Raises:
        ParameterError: if something else than `Spikes` is given.
        UnsupportedError: if matplotlib is not installed.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> from neurosim import Spikes
    >>> spikes = Spikes(ticks=[1, 3, 5], ids=[0, 0, 0], size=1, duration=1.0, dt=0.1)
    >>> int(isi_histogram(spikes).get_data().values.sum())
    2
    """
    ax = axes_or_new(ax)
    (_, spikes), = named_spikes([spikes])
    intervals, _ = spikes.isi()
    counts, edges = np.histogram(intervals, bins=_interval_edges(spikes, intervals, bins))
    bars = ax.stairs(counts, edges, fill=True, color=color, alpha=0.85)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, max(1.0, 1.1 * counts.max(initial=0)))
    ax.set_xlabel("Interspike interval (ms)")
    ax.set_ylabel("Number of intervals")
    ax.text(0.98, 0.95, _interval_summary(spikes, counts.sum(), len(intervals)), transform=ax.transAxes, ha="right",
            va="top", fontsize="small")
    clean(ax)
    return bars


def _interval_edges(spikes, intervals, bins) -> np.ndarray:
    if np.ndim(bins):
        return np.asarray(bins, dtype=np.float64)
    longest = intervals.max(initial=0.0)
    if spikes.dt is None or not longest:
        return np.linspace(0.0, longest or 1.0, bins + 1)
    ticks = round(longest / spikes.dt)
    width = -(-(ticks + 1) // bins)
    return (np.arange(-(-(ticks + 1) // width) + 1) * width - 0.5) * spikes.dt


def _interval_summary(spikes, shown, total) -> str:
    cv = spikes.cv()
    cv = cv[~np.isnan(cv)]
    text = f"{total} intervals" if shown == total else f"{shown} of {total} intervals"
    return text + (f"\nmean CV {cv.mean():.2f} ({len(cv)} neuron{'s' * (len(cv) != 1)})" if len(cv) else "")
