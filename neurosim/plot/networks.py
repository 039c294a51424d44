"""Plots of populations and the projections between them."""

import textwrap
from collections.abc import Mapping

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.plot.axes import COLORS, axes_or_new

_MOST_NODES = 10  # populations that a circle of arrows still shows legibly
_MOST_NAMES = 10  # arrows that still have room for the names of their projections


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
