"""What the pictures share."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import neurosim as ns


class Picture(NamedTuple):
    """A function of a class and pyplot that returns a figure, and what it shows."""

    draw: Callable
    caption: str


def pictured(draw, caption, **how) -> Picture:
    """Return a picture by a function that draws several, and what it is to draw."""
    return Picture(partial(draw, **how), caption)


def simulate(net, duration, dt=0.1, **how):
    """Return a simulation of a network that has run for some ms."""
    sim = ns.Simulation(net, dt=dt, seed=1, **how)
    sim.run(duration)
    return sim


def panels(plt, rows=1, columns=1, height=2.4, **how):
    """Return a figure as wide as a page has room for, and its panels without frames, in one row."""
    figure, found = plt.subplots(rows, columns, figsize=(6, height), layout="constrained", squeeze=False, **how)
    for axes in found.flat:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, found.ravel()


def legend(axes, **how):
    """Name the lines of a panel, small and without a frame."""
    axes.legend(frameon=False, fontsize="small", **how)


def stacked(rows):
    """Label the time once, below, and the values of rows under each other small and in one line."""
    for axes in rows:
        axes.yaxis.label.set_fontsize("small")
    for axes in rows[:-1]:
        axes.set_xlabel("")
    rows[0].figure.align_ylabels()
