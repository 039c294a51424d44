"""What a pulse simulation leaves: a waveform file (VCD) and a plot."""

import numpy as np

from neurosim.errors import ParameterError, UnsupportedError
from neurosim.files import whole_file

WIDTH = 2.0  #: ps for which a pulse is drawn
_CODES = "".join(chr(code) for code in range(33, 127))


def write_vcd(sim, path, *names: str, width: float = WIDTH) -> None:
    """Write recorded pulses as a value change dump, which waveform viewers read; whole or not at all.

    A pulse is drawn as 1 for `width`, or for half the time to the next pulse of the wire where that is shorter. The
    format has no unit below 1 fs: times are rounded to it, and two pulses of a wire closer than 2 fs are refused.

    Args:
        sim: the simulation.
        path: name of the file; one that exists is replaced.
        names: which recorded wires; by default all.
        width: in ps, > 0.

    Raises:
        ParameterError: if a name is not recorded, or two pulses are too close.
        FileError: the file cannot be written.
    """
    if not width > 0:
        raise ParameterError(f"write_vcd: width must be > 0 ps, got {width!r}")
    names = names or sim.recorded
    changes, pulses = [], sim.events(*names)
    for index, name in enumerate(names):
        rise = np.rint(pulses[name] * 1e3).astype(np.int64)
        gap = np.diff(rise)
        if (gap < 2).any():
            raise ParameterError(f"two pulses of {name} are closer than 2 fs, which a VCD file cannot hold, near "
                                 f"{rise[:-1][gap < 2][0] / 1e3:.10g} ps")
        fall = rise + max(1, round(width * 1e3))
        fall[:-1] = np.minimum(fall[:-1], rise[:-1] + gap // 2)
        changes += [(int(t), 1, index) for t in rise] + [(int(t), 0, index) for t in fall]
    lines = ["$comment pulses of single flux quanta $end", "$timescale 1 fs $end",
             f"$scope module {'_'.join(sim.circuit.name.split())} $end"]
    lines += [f"$var wire 1 {_code(index)} {name} $end" for index, name in enumerate(names)]
    lines += ["$upscope $end", "$enddefinitions $end", "#0", "$dumpvars"]
    lines += [f"0{_code(index)}" for index in range(len(names))] + ["$end"]
    now = 0
    for t, value, index in sorted(changes):
        if t != now:
            lines.append(f"#{t}")
            now = t
        lines.append(f"{value}{_code(index)}")
    with whole_file(path, encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


def _code(index) -> str:
    """The short name of a wire in a VCD file: a number with 94 printable digits."""
    code = _CODES[index % len(_CODES)]
    while index := index // len(_CODES):
        code += _CODES[index % len(_CODES)]
    return code


def plot_pulses(sim, names=None, ax=None, *, shape: str = "pulses", width: float = WIDTH, window=None) -> list:
    """Draw recorded wires above each other, time in ps across; return one line for each.

    Args:
        sim: the simulation.
        names: which recorded wires, top first; by default all.
        ax: matplotlib axes.
        shape: "pulses" draws Gaussian pulses of one height, a picture of pulses of the area of a flux quantum;
            "marks" draws a mark for each, for many pulses.
        width: full width at half maximum of a drawn pulse, ps.
        window: (begin, end) in ps; by default from 0 to a little after the last pulse.

    Raises:
        ParameterError: if a name is not recorded or the shape is unknown.
        UnsupportedError: if matplotlib is not installed.
    """
    if shape not in ("pulses", "marks"):
        raise ParameterError(f"plot_pulses: shape must be 'pulses' or 'marks', got {shape!r}")
    names = list(sim.recorded if names is None else names)
    trains = list(sim.events(*names).values())
    if ax is None:
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            raise UnsupportedError("plot_pulses needs matplotlib; install it with `pip install matplotlib`") from None
        ax = plt.gca()
    last = max((train[-1] for train in trains if train.size), default=0.0)
    begin, end = window or (0.0, max(last, sim.time) + 5 * width)
    lines = []
    for row, train in enumerate(trains):
        base = len(names) - 1 - row
        shown = train[(train >= begin - 3 * width) & (train <= end + 3 * width)]
        if shape == "marks":
            lines += ax.plot(shown, np.full(shown.size, base + 0.3), linestyle="none", marker="|", markersize=9)
        else:
            lines += ax.plot(*_curve(shown, begin, end, width, base), linewidth=1.0)
    ax.set_yticks([len(names) - 0.7 - row for row in range(len(names))], names)
    ax.set_ylim(-0.2, len(names))
    ax.set_xlim(begin, end)
    ax.set_xlabel("time (ps)")
    return lines


def _curve(train, begin, end, width, base):
    """Points of a line with a Gaussian at each pulse, dense only around pulses."""
    sigma = width / 2.3548
    around = np.linspace(-4 * sigma, 4 * sigma, 33)
    x = np.unique(np.concatenate([[begin, end], *(train[:, None] + around)]))
    y = np.zeros(x.size)
    for t in train:
        near = slice(*np.searchsorted(x, [t - 5 * sigma, t + 5 * sigma]))
        y[near] = np.maximum(y[near], np.exp(-0.5 * ((x[near] - t) / sigma) ** 2))  # each can be told apart
    return x, base + 0.75 * y
