"""A comparison as a picture."""

import numpy as np

from neurosim.plot.axes import COLORS, axes_or_new, clean, mark_of_rows, time_axis


def draw(comparison, ax=None, around: float | None = None) -> list:
    """Draw both rasters in one: what both have in grey, what only one has in its colour, and the first difference.

    Args:
        comparison: what `compare` returned.
        ax: matplotlib axes.
        around: ms before and after the first difference; by default all.
    """
    ax = axes_or_new(ax)
    dt = comparison.dt or 1e-9
    names = list(comparison.counts)
    first = comparison.first
    if around is not None and first is not None:
        low, high = max(0.0, first.tick * dt - around), first.tick * dt + around
    else:
        low, high = 0.0, max((ticks.max(initial=0) for raster in comparison.rasters for ticks, _ in raster.values()),
                             default=0) * dt
    sizes = [1 + int(max(ids.max(initial=0) for raster in comparison.rasters for ids in [raster[name][1]]))
             for name in names]
    bottoms = np.concatenate([[0], np.cumsum(sizes)])
    kinds = {"in both": ([], []), f"only in {comparison.names[0]}": ([], []),
             f"only in {comparison.names[1]}": ([], [])}
    for bottom, name in zip(bottoms, names, strict=False):
        for (times, rows), (ticks, ids) in zip(kinds.values(), _parted(comparison, name), strict=True):
            times += (ticks * dt).tolist()
            rows += (ids + bottom).tolist()
    marks, artists = mark_of_rows(ax, bottoms[-1], None), []
    for (label, (times, rows)), color, above in zip(kinds.items(), ("0.7", COLORS[0], COLORS[1]), (1, 2, 3),
                                                    strict=True):
        artists += ax.plot(times, rows, linestyle="none", color=color, label=f"{label} ({len(times)})", zorder=above,
                           rasterized=len(times) > 20_000, **marks)
    if first is not None:
        row = first.neuron + bottoms[names.index(first.population)]
        artists += ax.plot([first.tick * dt], [row], "o", markersize=14, markerfacecolor="none",
                           markeredgecolor="black", label=f"first difference: {comparison.cause}", zorder=4)
    ax.set_xlim(low, high)
    ax.set_ylim(-0.5, bottoms[-1] - 0.5)
    time_axis(ax)
    ax.set_ylabel("Neuron" if len(names) == 1 else "Neuron, " + ", ".join(names) + " from below")
    clean(ax)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize="small")
    return artists


def _parted(comparison, name):
    """Return (ticks, ids) of what both have, of what only the first has, and of what only the second has."""
    one, other = (np.unique(ticks << 32 | ids) for ticks, ids in (raster[name] for raster in comparison.rasters))
    both = np.intersect1d(one, other)
    for part in (both, np.setdiff1d(one, both), np.setdiff1d(other, both)):
        yield part >> 32, part & 0xFFFFFFFF
