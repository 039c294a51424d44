"""Plots of a run of a circuit; matplotlib is imported when one is drawn."""

import numpy as np

from hardware_models.sfq.circuit.run import Run
from neurosim.checks import check_is
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.plot import COLORS

LABELS = {"phase": ("Phase", 2.0 * np.pi, "2 pi"), "voltage": ("Voltage", 1.0, "mV"), "current": ("Current", 1.0, "mA")}


def plot_run(run: Run, names=None, quantity: str = "phase", ax=None, *, pulses: bool = True) -> list:
    """Draw a quantity of elements or nodes over time, below each other, and the pulses of junctions as marks.

    Args:
        run: a single run.
        names: what is drawn, of what was recorded; all of it by default.
        quantity: "phase" (in turns), "voltage" (mV) or "current" (mA).
        ax: matplotlib axes; the current ones by default.
        pulses: whether to mark where junctions pass pi upwards.

    Returns:
        One `Line2D` for each name, then, with pulses, one for the marks of each junction that has some.

    Raises:
        ParameterError: the run has several lanes, nothing was recorded, or the quantity is another.
        UnsupportedError: matplotlib is not installed.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> from hardware_models.sfq.circuit import bench, simulate
    >>> len(plot_run(simulate(bench("jtl", {"a": [30.0]}), 60.0, h=0.1, record=["DUT.B1", "DUT.L1"])))
    3
    """
    check_is("plot_run.run", run, Run, "what simulate or run_deck returned")
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise UnsupportedError("plots need matplotlib; install it with `pip install matplotlib`") from None
    if quantity not in LABELS:
        raise ParameterError(f"plot_run.quantity must be {' or '.join(map(repr, LABELS))}, got {quantity!r}")
    if run.lanes is not None:
        raise ParameterError(f"plot_run draws a single run, got one with {run.lanes} lanes")
    names = list(run.recorded if names is None else names)
    if not names:
        raise ParameterError("plot_run.names must name something that was recorded: give record= or nodes= to simulate")
    ax = plt.gca() if ax is None else ax
    label, scale, unit = LABELS[quantity]
    values = [getattr(run, quantity)(name) / scale for name in names]
    apart = 1.15 * max(max((np.ptp(each) for each in values), default=0.0), 1e-12)
    lines, marks = [], []
    for row, (name, each) in enumerate(zip(names, values, strict=True)):
        base, color = -row * apart, COLORS[row % len(COLORS)]
        lines += ax.plot(run.times, each - each[0] + base, color=color, linewidth=1.0)
        if pulses and run.has_pulses(name) and len(times := run.pulses(name)):
            marks += ax.plot(times, np.interp(times, run.times, each - each[0] + base), "o", color=color, markersize=3)
    ax.set_yticks([-row * apart for row in range(len(names))], names)
    ax.set_xlabel("Time (ps)")
    ax.set_ylabel(f"{label} ({unit}), {apart:.2g} from name to name")
    ax.set_xlim(0.0, run.times[-1])
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return lines + marks
