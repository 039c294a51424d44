"""Pictures of sweeps: curves with bands over the seeds, maps, Pareto fronts, and parallel coordinates."""

from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.plot.axes import COLORS, axes_or_new

KINDS = ("curve", "map", "pareto", "parallel")
MOST_LINES = 20
MOST_TICKS = 6  #: of one of several parallel axes
LONGEST = 20  #: letters of a value that is written at an axis
WIDTH = 40  #: letters that have room below an axis
MANY = 300  #: lines from which on they are a bitmap in a drawing
WIDE = 50.0  #: ratio of largest and smallest from which on an axis is logarithmic


def draw(result, name: str | None = None, ax=None, *, kind: str = "curve", x: str | None = None,
         lines: str | None = None, against: str | None = None, highest: tuple = (), lowest: tuple = ()) -> Any:
    """Draw a result of a sweep into axes and return them.

    Bands are 95 % intervals of the mean over the seeds, by Student's t; where there is one seed there are none.
    Parameters that a picture does not show are averaged over, and its title says so.

    Args:
        result: a `Result`.
        name: which of its results; may be left out where there is one.
        ax: matplotlib axes.
        kind: "curve" (over `x`, one line for each value of `lines`), "map" (over `x` and `lines`), or "pareto" (a
            result against another one, the points that no other beats joined), or "parallel" (an axis for each
            parameter that varies and one for the result, and a line for each point, in the colour of its result).
        x, lines: parameters; by default the first and the second one that have several values.
        against: for "pareto", the other result.
        highest, lowest: for "pareto", the results of which more, or less, is better; both must be named, unless a study
            knows them.

    Raises:
        ParameterError: a name or the kind does not fit.
    """
    if kind not in KINDS:
        raise ParameterError(f"plot.kind must be {', '.join(map(repr, KINDS[:-1]))} or {KINDS[-1]!r}, got "
                             f"{describe_value(kind)}")
    name = result.number("plot", name)
    if kind == "pareto":
        return _front(result, name, result.number("plot", against), axes_or_new(ax), highest, lowest)
    if kind == "parallel":
        return parallel(result, name, axes_or_new(ax))
    x, lines = _shown(result, x, lines, kind)
    ax = axes_or_new(ax)
    (_map if kind == "map" else _curves)(result, name, ax, x, lines)
    hidden = hidden_by(result, x, lines)
    if hidden:
        what = "mean over" if kind == "map" or _is_curve(result, x, lines) else "which differ in"
        ax.set_title(f"{what} {', '.join(hidden)}", fontsize="medium")
    return ax


def interval(values) -> float:
    """Return half the 95 % interval of a mean, NaN for fewer than two values.

    t(0.975, n - 1) s / sqrt(n)
    """
    if len(values) < 2:
        return np.nan
    from scipy.stats import t

    return float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def _curves(result, name, ax, x, lines):
    groups = values_of(result, lines) if lines else [None]
    if len(groups) > MOST_LINES:
        raise ParameterError(f"plot.lines must have {MOST_LINES} values at most, got {len(groups)} of {lines}; "
                             "kind='map' shows more")
    places = _places(ax.xaxis, x, values_of(result, x))
    seeds = _over_seeds(result, name, [x, lines] if lines else [x])
    joined = _is_curve(result, x, lines)
    for index, group in enumerate(groups):
        found = [(place, seeds.get((_text(value), _text(group)) if lines else (_text(value),), np.array([])))
                 for value, place in places]
        found = [(place, values) for place, values in found if len(values)]
        at, mean = np.array([place for place, _ in found]), np.array([values.mean() for _, values in found])
        half, color = np.array([interval(values) for _, values in found]), COLORS[index % len(COLORS)]
        label = None if lines is None else f"{lines} = {_text(group)}"
        ax.plot(at, mean, color=color, marker="o", markersize=3.5, label=label,
                linestyle=("-", "--", ":")[index // len(COLORS) % 3] if joined else "none")
        if np.isfinite(half).any() and not joined:
            ax.errorbar(at, mean, half, color=color, fmt="none", linewidth=0.8)
        elif np.isfinite(half).any():
            ax.fill_between(at, mean - half, mean + half, color=color, alpha=0.2, linewidth=0)
    if _are_numbers([value for value, _ in places]) and is_wide([place for _, place in places]):
        ax.set_xscale("log")
    ax.set_xlabel(x)
    ax.set_ylabel(name)
    if lines:
        ax.legend(frameon=False)


def _is_curve(result, x, lines) -> bool:
    """Whether points belong together but for x; where each has an x of its own, neighbours differ in all the rest."""
    groups = len(values_of(result, lines)) if lines else 1
    return len(values_of(result, x)) * groups < len(result.by_point()) or not hidden_by(result, x, lines)


def is_wide(values) -> bool:
    """Whether numbers are shown by their logarithm: they are positive and span much."""
    return bool(len(values)) and min(values) > 0 and max(values) >= WIDE * min(values)


def _map(result, name, ax, x, y):
    across, upward = values_of(result, x), values_of(result, y)
    seeds = _over_seeds(result, name, [x, y])
    values = np.array([[_mean(seeds.get((_text(a), _text(b)), ())) for a in across] for b in upward])
    picture = ax.imshow(values, origin="lower", aspect="auto", cmap="viridis", norm=_norm(values[np.isfinite(values)]))
    for axis, label, ticks in ((ax.xaxis, x, across), (ax.yaxis, y, upward)):
        step = max(1, -(-len(ticks) // 8))
        _label(axis, range(0, len(ticks), step), ticks[::step])
        axis.set_label_text(label)
    ax.figure.colorbar(picture, ax=ax, label=name)


def _front(result, name, other, ax, highest, lowest):
    if not highest and not lowest:
        highest, lowest = result.highest, result.lowest
    sides = {*([highest] if isinstance(highest, str) else highest), *([lowest] if isinstance(lowest, str) else lowest)}
    front = result.pareto(highest=highest, lowest=lowest) if sides == {name, other} else []
    if sides != {name, other}:
        raise ParameterError(f"plot.highest and plot.lowest must name {name} and {other}, got "
                             f"{', '.join(sorted(sides)) or 'none'}")
    points = [point for point in result.means() if point["n"]]
    ax.plot([point[other] for point in points], [point[name] for point in points], "o", color=COLORS[5], markersize=4,
            label="points")
    front = sorted(front, key=lambda point: point[other])
    ax.plot([point[other] for point in front], [point[name] for point in front], "o-", color=COLORS[1], markersize=5,
            label="no other is better")
    if is_wide([point[other] for point in points]):
        ax.set_xscale("log")
    ax.set_xlabel(other)
    ax.set_ylabel(name)
    ax.legend(frameon=False)
    return ax


def parallel(result, name, ax):
    """Draw an axis for each parameter that varies and one for a result, and a line for each point, the best on top."""
    from matplotlib.collections import LineCollection

    names = [*(varied(result) or result.parameters), name]
    points = sorted((point for point in result.means() if point["n"]), key=lambda point: point[name],
                    reverse=name in result.lowest)
    scales = [_Scale(ax, place, each, [point[each] for point in points] if each == name else values_of(result, each))
              for place, each in enumerate(names)]
    heights = np.array([[scale.height(point[scale.name]) for scale in scales] for point in points])
    values = np.array([point[name] for point in points], dtype=float)
    lines = LineCollection([np.column_stack([np.arange(len(names)), row]) for row in heights], cmap="viridis",
                           linewidths=1.2, alpha=0.8, rasterized=len(points) > MANY, norm=_norm(values))
    lines.set_array(values)
    ax.add_collection(lines)
    ax.set(xlim=(-0.3, len(names) - 0.7), ylim=(-0.05, 1.05))
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(lines, ax=ax, label=name)
    return ax


class _Scale:
    """One of the parallel axes: numbers by their size, or by their logarithm where they span much; others by place."""

    def __init__(self, ax, place, name, values):
        self.name, self.order = name, None if _are_numbers(values) else [_text(value) for value in values]
        finite = [float(value) for value in values] if self.order is None else [0.0, len(values) - 1.0]
        self.log = self.order is None and is_wide(finite)
        self.low, self.high = (self._number(end) for end in (min(finite, default=0.0), max(finite, default=1.0)))
        ax.axvline(place, color="0.6", linewidth=0.8, zorder=0)
        for value in self._ticks(values):
            ax.annotate(_short(value), (place, self.height(value)), xytext=(3, 0), textcoords="offset points",
                        fontsize="x-small", va="center", bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.5})

    def _number(self, value) -> float:
        return float(np.log(value)) if self.log else float(value)

    def height(self, value) -> float:
        """Return where a value lies, between 0 and 1."""
        at = self._number(value) if self.order is None else float(self.order.index(_text(value)))
        return (at - self.low) / (self.high - self.low) if self.high > self.low else 0.5

    def _ticks(self, values):
        found = sorted(values) if self.order is None else list(values)
        if len(found) <= MOST_TICKS:
            return found
        if self.order is not None:
            return found[::-(-len(found) // MOST_TICKS)]
        wanted = np.linspace(self.low, self.high, MOST_TICKS - 1)
        return [min(found, key=lambda value: abs(self._number(value) - at)) for at in wanted]


def _over_seeds(result, name, shown) -> dict:
    """Return a result by the texts of the parameters shown, one number for each seed; without what failed.

    A number is the mean over the parameters that are not shown.
    """
    found: dict[tuple, dict] = {}
    for row in result.rows:
        if np.isfinite(row[name]):
            by_seed = found.setdefault(tuple(_text(row[each]) for each in shown), {})
            by_seed.setdefault(row["seed"], []).append(row[name])
    return {texts: np.array([np.mean(values) for values in by_seed.values()]) for texts, by_seed in found.items()}


def _norm(values):
    """Return how numbers become colours; by default evenly."""
    from matplotlib.colors import LogNorm

    return LogNorm() if is_wide(values) else None


def _mean(values) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def _shown(result, x, lines, kind):
    several = varied(result)
    for what, name in (("x", x), ("lines", lines)):
        if name is not None and name not in result.parameters:
            raise ParameterError(f"plot.{what} must be one of {', '.join(result.parameters)}, got "
                                 f"{describe_value(name)}")
    if x is None:
        x = next((name for name in several if name != lines), result.parameters[0])
    if lines is None and (kind == "map" or len(several) == 2):
        most = np.inf if kind == "map" else MOST_LINES
        lines = next((name for name in several if name != x and len(values_of(result, name)) <= most), None)
    if x == lines or (kind == "map" and lines is None):
        raise ParameterError(f"plot.lines must be another parameter than {x}, got {describe_value(lines)}")
    return x, lines


def hidden_by(result, *shown) -> list[str]:
    """Return the parameters that vary and are not shown."""
    return [name for name in varied(result) if name not in shown]


def varied(result) -> list[str]:
    """Return the parameters that have several values."""
    return [name for name in result.parameters if len(values_of(result, name)) > 1]


def values_of(result, name) -> list:
    """Return the values of a parameter: numbers in order, others as they come."""
    found = list({_text(row[name]): row[name] for row in result.rows}.values())
    return sorted(found) if _are_numbers(found) else found


def _are_numbers(values) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _label(axis, places, values):
    """Write values at an axis, slanted where they would run into each other."""
    texts = [_short(value) for value in values]
    slanted = {"rotation": 40, "ha": "right", "rotation_mode": "anchor", "fontsize": "small"}
    axis.set_ticks(places, texts, **(slanted if axis.axis_name == "x" and sum(map(len, texts)) > WIDTH else {}))


def _places(axis, name, values) -> list:
    """Return pairs of a value and its place on the axis: numbers where they are, others side by side."""
    if _are_numbers(values):
        return [(value, float(value)) for value in values]
    _label(axis, range(len(values)), values)
    return [(value, float(place)) for place, value in enumerate(values)]


def _short(value) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST - 1]}…"


def _text(value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
