"""Plots of spikes, traces, weights and networks; each draws into one matplotlib axes and returns its artists.

matplotlib is imported when the first plot is drawn, never by `import neurosim`. Every function takes `ax`, and
draws into the current axes where it is None. Colours are those of Okabe and Ito, which colour-blind readers can
tell apart.
"""

import textwrap
from collections.abc import Mapping

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.spikes import Spikes

#: Okabe and Ito (2008), without yellow, which is too light for lines on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

_MOST_POINTS = 20_000  # above it, points go into vector files as one image
_MOST_CELLS = 1000  # rows and columns of a weight matrix that are drawn one by one
_MOST_NODES = 10  # populations that a circle of arrows still shows legibly
_MOST_NAMES = 10  # arrows that still have room for the names of their projections


# ---- spikes ---------------------------------------------------------------------------------------


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
    >>> spikes = Spikes(ticks=[1, 3], ids=[0, 1], size=2, duration=1.0, dt=0.1)
    >>> len(raster(spikes)[0].get_xdata())
    2
    """
    ax = axes_or_new(ax)
    named = _named(spikes)
    bottoms = np.cumsum([0, *(part.size for _, part in named)])
    marks = _mark(ax, bottoms[-1], size)
    lines = []
    for index, (label, part) in enumerate(named):
        lines += ax.plot(part.times, part.ids + float(bottoms[index]), linestyle="none", label=label or None,
                         color=_color(index, colors), rasterized=len(part) > _MOST_POINTS, **marks)
    ax.set_xlim(min(part.start for _, part in named), max(part.stop for _, part in named))
    ax.set_ylim(-0.5, bottoms[-1] - 0.5)
    _time_axis(ax)
    if len(named) == 1:
        _label_neurons(ax, "y", "Neuron")
        return lines
    _label_populations(ax, [label for label, _ in named], bottoms, colors)
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
    >>> spikes = Spikes(ticks=[1, 3], ids=[0, 1], size=2, duration=20.0, dt=0.1)
    >>> population_rate(spikes, width=10.0)[0].get_data().values
    array([100.,   0.])
    """
    ax = axes_or_new(ax)
    named = _named(spikes)
    steps = []
    for index, (label, part) in enumerate(named):
        edges = part.bin_edges(width)
        rates = part.bin(width) / (np.diff(edges) / 1000 * max(part.n_watched, 1))
        steps.append(ax.stairs(rates, edges, baseline=None, color=_color(index, colors), linewidth=1.3,
                               label=label or None))
    ax.set_xlim(min(part.start for _, part in named), max(part.stop for _, part in named))
    ax.set_ylim(bottom=0)
    _time_axis(ax)
    ax.set_ylabel(f"Rate (Hz per neuron, {width:g} ms bins)")
    _legend(ax, len(named))
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
    >>> spikes = Spikes(ticks=[1, 3, 5], ids=[0, 0, 0], size=1, duration=1.0, dt=0.1)
    >>> int(isi_histogram(spikes).get_data().values.sum())
    2
    """
    ax = axes_or_new(ax)
    (_, spikes), = _named([spikes])
    intervals, _ = spikes.isi()
    counts, edges = np.histogram(intervals, bins=_interval_edges(spikes, intervals, bins))
    bars = ax.stairs(counts, edges, fill=True, color=color, alpha=0.85)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, max(1.0, 1.1 * counts.max(initial=0)))
    ax.set_xlabel("Interspike interval (ms)")
    ax.set_ylabel("Number of intervals")
    ax.text(0.98, 0.95, _interval_summary(spikes, counts.sum(), len(intervals)), transform=ax.transAxes, ha="right",
            va="top", fontsize="small")
    _clean(ax)
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


# ---- traces ---------------------------------------------------------------------------------------


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
    times = np.asarray(times, dtype=np.float64)
    values = np.asarray(values, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    _check_traces(times, values, names, spikes)
    ax = axes_or_new(ax)
    names = [None] * values.shape[1] if names is None else names
    lines = [ax.plot(times, column, label=name, linewidth=1.2, color=_color(index, colors),
                     linestyle=_dash(index, colors))[0]
             for index, (column, name) in enumerate(zip(values.T, names, strict=True))]
    if len(times):
        ax.set_xlim(times[0], times[-1] if times[-1] > times[0] else None)
    if spikes is not None:
        lines += _spike_rows(ax, spikes, values, colors)
    _time_axis(ax)
    ax.set_ylabel(f"{label} ({unit})" if unit else label)
    _legend(ax, sum(name is not None for name in names), always=True)
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
                        markeredgewidth=1.3, color=_color(index, colors))
    ax.set_ylim(low - step, high + step * (1.5 + spikes.size))
    return rows


# ---- weights and networks ---------------------------------------------------------------------------


def weight_matrix(matrix, ax=None, *, unit="", source="Source neuron", target="Target neuron", limit=None):
    """Draw weights as an image: sources downwards, targets across, absent synapses grey.

    With weights of both signs the colours are centred on 0. Matrices of more than 1000 rows or columns are drawn in
    blocks, each with the mean of the weights that exist in it; the colour bar says so.

    Args:
        matrix: weights, shape (sources, targets): an array (NaN where there is no synapse) or a scipy sparse matrix
            (what is stored is a synapse, even if 0; parallel synapses are added).
        ax: matplotlib axes.
        unit: unit of the weights.
        source, target: labels of the axes.
        limit: largest absolute weight of the colour scale; by default the largest present.

    Returns:
        The `AxesImage`; its colour bar is `image.colorbar`.

    Raises:
        ParameterError: if the matrix is not 2-D or is empty.
        UnsupportedError: if matplotlib is not installed.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> weight_matrix([[0.0, 1.0], [-2.0, 0.5]], unit="mV").get_clim()
    (-2.0, 2.0)
    """
    rows, columns, weights, shape = _synapses(matrix)
    block = -(-max(shape) // _MOST_CELLS)
    image = _block_means(rows // block, columns // block, weights, [-(-length // block) for length in shape])
    ax = axes_or_new(ax)
    scale = _weight_scale(image, limit)
    drawn = ax.imshow(image, aspect="auto" if max(shape) > 4 * min(shape) else "equal", interpolation="nearest",
                      extent=(-0.5, image.shape[1] * block - 0.5, image.shape[0] * block - 0.5, -0.5), **scale)
    ax.set_facecolor("0.88")
    ax.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5))
    _label_neurons(ax, "x", target)
    _label_neurons(ax, "y", source)
    text = "Weight" if block == 1 else f"Mean weight of {block} x {block} blocks"
    ax.figure.colorbar(drawn, ax=ax, label=f"{text} ({unit})" if unit else text)
    return drawn


def _synapses(matrix) -> tuple:
    """Rows, columns and weights of the synapses of a dense or sparse matrix, and its shape."""
    if hasattr(matrix, "tocoo"):
        coo = matrix.tocsr().tocoo()  # csr adds parallel synapses
        coo.sum_duplicates()
        rows, columns, weights, shape = coo.row, coo.col, np.asarray(coo.data, dtype=np.float64), coo.shape
    else:
        dense = np.asarray(matrix, dtype=np.float64)
        if dense.ndim != 2:
            raise ParameterError(f"weight_matrix.matrix must have shape (sources, targets), got {dense.shape}")
        rows, columns = np.nonzero(~np.isnan(dense))
        weights, shape = dense[rows, columns], dense.shape
    if 0 in shape:
        raise ParameterError(f"weight_matrix.matrix must have at least one source and one target, got {shape}")
    return rows.astype(np.int64), columns.astype(np.int64), weights, shape


def _block_means(rows, columns, weights, shape) -> np.ndarray:
    """Mean weight per cell, NaN where a cell holds no synapse."""
    flat = rows * shape[1] + columns
    many = np.bincount(flat, minlength=shape[0] * shape[1])
    total = np.bincount(flat, weights=weights, minlength=shape[0] * shape[1])
    with np.errstate(invalid="ignore"):
        return (total / many).reshape(shape)


def _weight_scale(image, limit) -> dict:
    present = image[~np.isnan(image)]
    low, high = (present.min(), present.max()) if present.size else (0.0, 1.0)
    most = limit or max(abs(low), abs(high)) or 1.0
    if low < 0 < high:
        return {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    return {"cmap": "Blues_r", "vmin": -most, "vmax": 0.0} if low < 0 else {"cmap": "Reds", "vmin": 0.0, "vmax": most}


def connectivity(net, ax=None, *, color=COLORS[0]) -> list:
    """Draw the populations of a network and the projections between them.

    Up to 10 populations stand on a circle with an arrow per connected pair (named where there are at most 10); more are
    drawn as a matrix, sources downwards, targets across, with the number of projections in each cell.

    Args:
        net: anything with `populations` (each with `name` and `size`) and `projections` (each with `name`,
            `source.name` and `target.name`); sources of input that are not among the populations are added.
        ax: matplotlib axes.
        color: colour of the arrows or cells.

    Returns:
        One arrow (`FancyArrowPatch`) per connected pair, or the one image of the matrix.

    Raises:
        ParameterError: if the network has no populations.
        UnsupportedError: if matplotlib is not installed.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> from types import SimpleNamespace as Some
    >>> exc, inh = Some(name="exc", size=80), Some(name="inh", size=20)
    >>> net = Some(populations=[exc, inh], projections=[Some(name="ei", source=exc, target=inh)])
    >>> len(connectivity(net))
    1
    """
    sizes, pairs = _graph(net)
    if not sizes:
        raise ParameterError("connectivity.net must have at least one population, got none")
    ax = axes_or_new(ax)
    if len(sizes) > _MOST_NODES:
        return _draw_blocks(ax, sizes, pairs, color)
    return _draw_circle(ax, sizes, pairs, color)


def _graph(net) -> tuple:
    """Size of each population by name, and the names of the projections by (source, target)."""
    sizes = {str(node.name): node.size for node in _members(net, "populations")}
    pairs = {}
    for projection in _members(net, "projections"):
        ends = projection.source, projection.target
        for node in ends:
            sizes.setdefault(str(node.name), getattr(node, "size", None))
        pairs.setdefault(tuple(str(node.name) for node in ends), []).append(str(getattr(projection, "name", "") or ""))
    return sizes, pairs


def _members(net, name) -> list:
    members = getattr(net, name, None)
    if members is None:
        raise ParameterError(f"connectivity.net must have {name}, got {describe_value(net)}")
    return list(members.values() if isinstance(members, Mapping) else members)


def _draw_circle(ax, sizes, pairs, color) -> list:
    from matplotlib.patches import Circle

    angles = np.pi / 2 * (1 + (len(sizes) == 2)) - 2 * np.pi * np.arange(len(sizes)) / len(sizes)
    spots = np.column_stack([np.cos(angles), np.sin(angles)]) * (len(sizes) > 1)
    place = dict(zip(sizes, spots, strict=True))
    radius = 0.3 if len(sizes) < 5 else 0.3 * 5 / len(sizes)
    reach = 2.0 if any(source == target for source, target in pairs) else 1.45
    for (name, size), spot in zip(sizes.items(), spots, strict=True):
        ax.add_patch(Circle(spot, radius, facecolor="white", edgecolor="0.25", linewidth=1.3, zorder=3))
        text = "\n".join([*textwrap.wrap(name.replace("_", "_ "), 10), *([] if size is None else [f"{size:,}"])])
        text = text.replace("_ ", "_")
        ax.text(*spot, text, ha="center", va="center", zorder=4, fontsize=_fitting(ax, text, radius / reach))
    named = len(pairs) <= _MOST_NAMES
    arrows = [_draw_arrow(ax, place[source], place[target], radius, names, color, named)
              for (source, target), names in pairs.items()]
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set_axis_off()
    return arrows


def _draw_arrow(ax, tail, head, radius, names, color, named):
    """An arrow bent to its left, so that there and back do not cover each other; a loop where tail is head."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    points = _loop(tail, radius) if tail is head else _bow(tail, head, radius)
    arrow = FancyArrowPatch(path=Path(points, [Path.MOVETO] + [Path.CURVE4] * 3), arrowstyle="-|>", mutation_scale=13,
                            linewidth=1.2 + 0.6 * (len(names) - 1), color=color, zorder=2)
    ax.add_patch(arrow)
    middle = np.array([1, 3, 3, 1]) @ points / 8
    text = "\n".join(name for name in names if name and named)
    ax.text(*middle, text, fontsize=8, color="0.2", ha="center", va="center", zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85} if text else None)
    return arrow


def _bow(tail, head, radius) -> np.ndarray:
    """Control points of a curve from the rim of one circle to the rim of another."""
    along = (head - tail) / np.hypot(*(head - tail))
    left = np.array([-along[1], along[0]])
    leave, arrive = tail + radius * _unit(along + 0.5 * left), head + 1.05 * radius * _unit(0.5 * left - along)
    gap = np.hypot(*(arrive - leave)) / 3
    return np.array([leave, leave + gap * _unit(along + 0.3 * left), arrive + gap * _unit(0.3 * left - along), arrive])


def _loop(spot, radius) -> np.ndarray:
    """Control points of a loop on the outer side of a circle."""
    out = _unit(spot) if spot.any() else np.array([0.0, 1.0])
    side = np.array([-out[1], out[0]])
    first, last = _unit(out + 0.6 * side), _unit(out - 0.6 * side)
    reach = 0.55 + 1.2 * radius
    return np.array([spot + radius * first, spot + radius * first + reach * _unit(out + 0.9 * side),
                     spot + 1.05 * radius * last + reach * _unit(out - 0.9 * side), spot + 1.05 * radius * last])


def _unit(vector) -> np.ndarray:
    return vector / np.hypot(*vector)


def _fitting(ax, text, share) -> float:
    """The size of a font, within reason, at which the text fits a circle that takes a share of the axes."""
    box = ax.get_window_extent()
    width = 0.85 * share * min(box.width, box.height) / ax.figure.dpi * 72
    return float(np.clip(width / 0.62 / max(len(line) for line in text.split("\n")), 5.5, 10.5))


def _draw_blocks(ax, sizes, pairs, color) -> list:
    from matplotlib.colors import LinearSegmentedColormap

    names = list(sizes)
    counts = np.zeros((len(names), len(names)))
    for (source, target), found in pairs.items():
        counts[names.index(source), names.index(target)] = len(found)
    colors = LinearSegmentedColormap.from_list("blocks", ["white", color])
    image = ax.imshow(counts, cmap=colors, vmin=0, vmax=max(1, counts.max()) * 1.6)
    for row, column in np.argwhere(counts):
        ax.text(column, row, f"{counts[row, column]:g}", ha="center", va="center", fontsize=8)
    labels = [name if sizes[name] is None else f"{name} ({sizes[name]:,})" for name in names]
    ax.set_xticks(range(len(names)), labels, rotation=90)
    ax.set_yticks(range(len(names)), labels)
    ax.set_xticks(np.arange(len(names)) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(names)) - 0.5, minor=True)
    ax.grid(which="minor", color="0.85", linewidth=0.6)
    ax.tick_params(which="minor", length=0)
    ax.set(xlabel="Target population", ylabel="Source population")
    return [image]


# ---- shared -----------------------------------------------------------------------------------------


def axes_or_new(ax):
    """Return the axes that were given, or new ones."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise UnsupportedError("neurosim.plot needs matplotlib; install it with `pip install matplotlib`") from None
    return plt.gca()


def _named(spikes) -> list:
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


def _color(index, colors):
    return COLORS[index % len(COLORS)] if colors is None else colors[index % len(colors)]


def _dash(index, colors) -> str:
    """Another dash pattern each time the colours begin again."""
    return ("-", "--", ":", "-.")[index // len(COLORS if colors is None else colors) % 4]


def _mark(ax, rows, size) -> dict:
    """A tick of the height of a row, or a dot where rows are too thin for ticks."""
    height = ax.get_window_extent().height / ax.figure.dpi * 72 / max(int(rows), 1)
    size = float(np.clip(0.85 * height, 1.2, 14)) if size is None else size
    if size > 3:
        return {"marker": "|", "markersize": size, "markeredgewidth": 1.1}
    return {"marker": ".", "markersize": size * 1.4, "markeredgewidth": 0}


def _label_populations(ax, labels, bottoms, colors):
    """The name of each population at its middle, in its colour, and a line between neighbours."""
    ax.set_yticks((bottoms[:-1] + bottoms[1:] - 1) / 2, [label or "?" for label in labels])
    ax.tick_params(axis="y", length=0)
    for index, text in enumerate(ax.get_yticklabels()):
        text.set_color(_color(index, colors))
    for bottom in bottoms[1:-1]:
        ax.axhline(bottom - 0.5, color="0.6", linewidth=0.7, zorder=0)
    ax.set_ylabel("Population")


def _label_neurons(ax, axis, text):
    from matplotlib.ticker import MaxNLocator

    which = ax.xaxis if axis == "x" else ax.yaxis
    which.set_major_locator(MaxNLocator(integer=True, nbins="auto"))
    which.set_label_text(text)


def _time_axis(ax):
    ax.set_xlabel("Time (ms)")
    _clean(ax)


def _clean(ax):
    ax.spines[["top", "right"]].set_visible(False)


def _legend(ax, many, *, always=False):
    if (many > 1 or (always and many)) and ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
