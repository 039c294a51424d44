"""Plots around the classification of event recordings."""

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.plot.axes import COLORS, axes_or_new
from neurosim.plot.spikes import raster


def confusion(labels, predictions, ax=None, *, classes=None):
    """Draw a confusion matrix: true class downwards, predicted class across, counts in the cells.

    The shade of a cell is its share of the true class.

    Args:
        labels: true class of each sample.
        predictions: predicted class of each sample, as many.
        ax: matplotlib axes.
        classes: the classes in order; by default all that occur.

    Returns:
        The image.

    Raises:
        ParameterError: if there is not one prediction for each label.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> confusion([0, 0, 1, 1], [0, 1, 1, 1]).get_array().tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape or labels.size == 0:
        raise ParameterError(f"predictions must be one for each of the labels, got {describe_value(predictions)} and "
                             f"{describe_value(labels)}")
    classes = np.union1d(labels, predictions) if classes is None else np.asarray(classes)
    counts = np.array([[((labels == a) & (predictions == b)).sum() for b in classes] for a in classes])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = axes_or_new(ax)
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        ax.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=9,
                color="white" if shares[row, column] > 0.5 else "black")
    ax.set_xticks(range(len(classes)), classes)
    ax.set_yticks(range(len(classes)), classes)
    ax.set_xlabel("Predicted")
    ax.set_ylabel("True")
    return image


def events(found, sensor_size=(34, 34, 2), ax=None):
    """Draw the events of a recording as a picture: more ON than OFF events of a pixel are blue, fewer are red.

    Args:
        found: structured array with fields x, y, p.
        sensor_size: (width, height, polarities), pixels.
        ax: matplotlib axes.

    Returns:
        The image.

    Raises:
        ParameterError: if the array has not these fields, or an event lies off the sensor.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> recording = np.array([(0, 1, 5, True)], dtype=[("x", int), ("y", int), ("t", int), ("p", bool)])
    >>> events(recording, (2, 2, 2)).get_array().tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    names = getattr(getattr(found, "dtype", None), "names", None) or ()
    if not {"x", "y", "p"} <= set(names):
        raise ParameterError(f"events must be a structured array with fields x, y and p, got {describe_value(found)}")
    width, height = sensor_size[:2]
    x, y = found["x"].astype(np.int64), found["y"].astype(np.int64)
    if len(found) and not ((x >= 0) & (x < width) & (y >= 0) & (y < height)).all():
        raise ParameterError(f"events must lie on the sensor of {width} x {height} pixels, got x up to {x.max()}, "
                             f"y up to {y.max()}")
    sign = np.where(found["p"] > 0, 1.0, -1.0)
    picture = np.bincount(y * width + x, weights=sign, minlength=width * height).reshape(height, width)
    ax = axes_or_new(ax)
    limit = max(1.0, np.abs(picture).max())
    image = ax.imshow(picture, cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set_xlabel("x (pixel)")
    ax.set_ylabel("y (pixel)")
    return image


def activity(spikes, figure=None, *, marks=None) -> list:
    """Draw rasters of several populations above each other under one time axis, such as a liquid and its input.

    Args:
        spikes: dict label -> `Spikes`, from top to bottom.
        figure: matplotlib figure; the current one by default.
        marks: dict time in ms -> text, drawn as lines through all rasters.

    Returns:
        The axes, one for each population.

    Raises:
        ParameterError: if it is not a dict of `Spikes`.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> from neurosim.spikes import Spikes
    >>> part = Spikes(ticks=[1, 3], ids=[0, 1], size=2, duration=1.0, dt=0.1)
    >>> [ax.get_ylabel() for ax in activity({"input": part, "liquid": part})]
    ['input', 'liquid']
    """
    import matplotlib.pyplot as plt

    if not isinstance(spikes, dict) or not spikes:
        raise ParameterError(f"spikes must be a dict of label -> Spikes, got {describe_value(spikes)}")
    figure = plt.gcf() if figure is None else figure
    axes = figure.subplots(len(spikes), 1, sharex=True, squeeze=False)[:, 0]
    for index, (ax, (label, part)) in enumerate(zip(axes, spikes.items(), strict=True)):
        raster(part, ax=ax, colors=[COLORS[index % len(COLORS)]])
        ax.set_ylabel(label)
        for time, text in (marks or {}).items():
            ax.axvline(time, color="0.5", linewidth=0.8)
            if index == 0:
                ax.annotate(text, (time, 1.0), xycoords=("data", "axes fraction"), xytext=(4, 4),
                            textcoords="offset points", fontsize=9)
        if ax is not axes[-1]:
            ax.set_xlabel("")
    return list(axes)
