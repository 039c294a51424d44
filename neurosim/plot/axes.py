"""What all plots share: axes, colours, labels.

matplotlib is imported when the first plot is drawn, never by `import neurosim`. Colours are those of Okabe and Ito,
which colour-blind readers can tell apart.
"""

from collections.abc import Mapping

import numpy as np

from neurosim.checks import check_is, describe_value
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.spikes import Spikes

#: Okabe and Ito (2008), without yellow, which is too light for lines on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def axes_or_new(ax):
    """Return the axes that were given, or new ones."""
    try:
        import matplotlib.axes
        import matplotlib.pyplot as plt
    except ImportError:
        raise UnsupportedError("neurosim.plot needs matplotlib; install it with `pip install matplotlib`") from None
    if ax is None:
        return plt.gca()
    check_is("plot.ax", ax, matplotlib.axes.Axes, "axes of matplotlib")
    return ax


def named_spikes(spikes) -> list:
    """Pairs of a label and Spikes, from one, a list or a dict of them."""
    if isinstance(spikes, Spikes):
        return [(spikes.name, spikes)]
    pairs = list(spikes.items()) if isinstance(spikes, Mapping) else [
        (getattr(part, "name", ""), part) for part in (spikes if isinstance(spikes, (list, tuple)) else [spikes])]
    for _, part in pairs:
        if not isinstance(part, Spikes):
            raise ParameterError(f"plot.spikes must be Spikes, a list or a dict of them, got {describe_value(part)}")
    if not pairs:
        raise ParameterError("plot.spikes must hold at least one Spikes, got none")
    return [(str(label), part) for label, part in pairs]


def color_of(index, colors):
    """The colour of one of several."""
    return COLORS[index % len(COLORS)] if colors is None else colors[index % len(colors)]


def dash_of(index, colors) -> str:
    """Another dash pattern each time the colours begin again."""
    return ("-", "--", ":", "-.")[index // len(COLORS if colors is None else colors) % 4]


def mark_of_rows(ax, rows, size) -> dict:
    """A tick of the height of a row, or a dot where rows are too thin for ticks."""
    height = ax.get_window_extent().height / ax.figure.dpi * 72 / max(int(rows), 1)
    size = float(np.clip(0.85 * height, 1.2, 14)) if size is None else size
    if size > 3:
        return {"marker": "|", "markersize": size, "markeredgewidth": 1.1}
    return {"marker": ".", "markersize": size * 1.4, "markeredgewidth": 0}


def label_populations(ax, labels, bottoms, colors):
    """The name of each population at its middle, in its colour, and a line between neighbours."""
    ax.set_yticks((bottoms[:-1] + bottoms[1:] - 1) / 2, [label or "?" for label in labels])
    ax.tick_params(axis="y", length=0)
    for index, text in enumerate(ax.get_yticklabels()):
        text.set_color(color_of(index, colors))
    for bottom in bottoms[1:-1]:
        ax.axhline(bottom - 0.5, color="0.6", linewidth=0.7, zorder=0)
    ax.set_ylabel("Population")


def label_neurons(ax, axis, text):
    """A label, and whole numbers, on an axis of neurons."""
    from matplotlib.ticker import MaxNLocator

    which = ax.xaxis if axis == "x" else ax.yaxis
    which.set_major_locator(MaxNLocator(integer=True, nbins="auto"))
    which.set_label_text(text)


def time_axis(ax):
    """Label the time in ms, below the last of several panels that share it."""
    ax.set_xlabel("" if _shares_with_one_below(ax) else "Time (ms)")
    clean(ax)


def _shares_with_one_below(ax) -> bool:
    place = ax.get_subplotspec()
    others = [each.get_subplotspec() for each in ax.get_shared_x_axes().get_siblings(ax) if each is not ax]
    return place is not None and any(
        other is not None and other.get_gridspec() is place.get_gridspec() and other.colspan == place.colspan
        and other.rowspan.start >= place.rowspan.stop for other in others)


def clean(ax):
    """Leave out the frame above and to the right."""
    ax.spines[["top", "right"]].set_visible(False)


def legend(ax, many, *, always=False):
    """A legend beside the axes, where more than one is named."""
    if (many > 1 or (always and many)) and ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
