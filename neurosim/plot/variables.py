"""Plots of recorded variables."""

import numpy as np

from neurosim.checks import check_numbers, describe_value
from neurosim.errors import ParameterError
from neurosim.plot.axes import axes_or_new, color_of, dash_of, legend, time_axis
from neurosim.spikes import Spikes


def traces(times, values, names=None, ax=None, *, unit="mV", label="Membrane potential", spikes=None,
           colors=None) -> list:
    """Draw recorded variables over time, and, where spikes are given, a row of marks above for each trace.

    Args:
        times: time of each sample in ms, shape (samples,).
        values: shape (samples,) or (samples, traces).
        names: one name per trace for the legend.
        ax: matplotlib axes.
        unit: unit of the values, "" where they have none.
        label: what the values are.
        spikes: `Spikes` of the traced neurons, neuron i being trace i, as `select(ids, renumber=True)` gives them.
        colors: one colour per trace.

    Returns:
        One `Line2D` per trace, then, with spikes, one per row of marks.

    Raises:
        ParameterError: if the shapes do not fit together.
        UnsupportedError: if matplotlib is not installed.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> len(traces([0.1, 0.2, 0.3], [[-65.0, -60.0], [-64.0, -61.0], [-63.0, -62.0]], ["a", "b"]))
    2
    """
    times, values = check_numbers("traces.times", times), check_numbers("traces.values", values)
    values = values[:, None] if values.ndim == 1 else values
    _check_traces(times, values, names, spikes)
    ax = axes_or_new(ax)
    names = [None] * values.shape[1] if names is None else names
    lines = [ax.plot(times, column, label=name, linewidth=1.2, color=color_of(index, colors),
                     linestyle=dash_of(index, colors))[0]
             for index, (column, name) in enumerate(zip(values.T, names, strict=True))]
    if len(times):
        ax.set_xlim(times[0], times[-1] if times[-1] > times[0] else None)
    if spikes is not None:
        lines += _spike_rows(ax, spikes, values, colors)
    time_axis(ax)
    ax.set_ylabel(f"{label} ({unit})" if unit else label)
    legend(ax, sum(name is not None for name in names), always=True)
    return lines


def _check_traces(times, values, names, spikes):
    if times.ndim != 1 or values.ndim != 2 or len(times) != len(values):
        raise ParameterError("traces.values must have shape (samples,) or (samples, traces) with one row per time, got "
                             f"{values.shape} for times of shape {times.shape}")
    if names is not None and (isinstance(names, str) or len(names) != values.shape[1]):
        raise ParameterError(f"traces.names must be a list of {values.shape[1]} names, got {describe_value(names)}")
    if spikes is not None and (not isinstance(spikes, Spikes) or spikes.size != values.shape[1]):
        raise ParameterError(f"traces.spikes must be Spikes of {values.shape[1]} neurons, one per trace, "
                             f"got {describe_value(spikes)}")


def _spike_rows(ax, spikes, values, colors) -> list:
    """Marks above the traces; values are what they are, so a spike is never drawn into them."""
    low, high = np.nanmin(values), np.nanmax(values)
    step = 0.06 * ((high - low) or 1.0)
    rows = []
    for index, train in enumerate(spikes.trains()):
        level = high + step * (1.2 + index)
        rows += ax.plot(train, np.full(len(train), level), linestyle="none", marker="|", markersize=7,
                        markeredgewidth=1.3, color=color_of(index, colors))
    ax.set_ylim(low - step, high + step * (1.5 + spikes.size))
    return rows
