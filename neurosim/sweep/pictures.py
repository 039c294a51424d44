"""Pictures of sweeps: curves with bands over the seeds, maps, and Pareto fronts."""

from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError
from neurosim.plot.axes import COLORS, axes_or_new

KINDS = ("curve", "map", "pareto")
MOST_LINES = 20


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
            result against another one, the points that no other beats joined).
        x, lines: parameters; by default the first and the second one that have several values.
        against: for "pareto", the other result.
        highest, lowest: for "pareto", the results of which more, or less, is better; both must be named.

    Raises:
        ParameterError: a name or the kind does not fit.
    """
    if kind not in KINDS:
        raise ParameterError(f"plot.kind must be {', '.join(map(repr, KINDS[:-1]))} or {KINDS[-1]!r}, got "
                             f"{describe_value(kind)}")
    name = result.number("plot", name)
    if kind == "pareto":
        return _front(result, name, result.number("plot", against), axes_or_new(ax), highest, lowest)
    x, lines = _shown(result, x, lines, kind)
    ax = axes_or_new(ax)
    (_map if kind == "map" else _curves)(result, name, ax, x, lines)
    hidden = [each for each in _varied(result) if each not in (x, lines)]
    if hidden:
        ax.set_title(f"mean over {', '.join(hidden)}", fontsize="medium")
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
    groups = _values(result, lines) if lines else [None]
    if len(groups) > MOST_LINES:
        raise ParameterError(f"plot.lines must have {MOST_LINES} values at most, got {len(groups)} of {lines}; "
                             "kind='map' shows more")
    places = _places(ax.xaxis, x, _values(result, x))
    for index, group in enumerate(groups):
        found = [(place, _over_seeds(result, name, {x: value} | ({lines: group} if lines else {})))
                 for value, place in places]
        found = [(place, values) for place, values in found if len(values)]
        at, mean = np.array([place for place, _ in found]), np.array([values.mean() for _, values in found])
        half, color = np.array([interval(values) for _, values in found]), COLORS[index % len(COLORS)]
        label = None if lines is None else f"{lines} = {_text(group)}"
        ax.plot(at, mean, color=color, marker="o", markersize=3.5, label=label,
                linestyle=("-", "--", ":")[index // len(COLORS) % 3])
        if np.isfinite(half).any():
            ax.fill_between(at, mean - half, mean + half, color=color, alpha=0.2, linewidth=0)
    ax.set_xlabel(x)
    ax.set_ylabel(name)
    if lines:
        ax.legend(frameon=False)


def _map(result, name, ax, x, y):
    across, upward = _values(result, x), _values(result, y)
    values = np.array([[_mean(_over_seeds(result, name, {x: a, y: b})) for a in across] for b in upward])
    picture = ax.imshow(values, origin="lower", aspect="auto", cmap="viridis")
    for axis, label, ticks in ((ax.xaxis, x, across), (ax.yaxis, y, upward)):
        step = max(1, -(-len(ticks) // 12))
        axis.set_ticks(range(0, len(ticks), step), [_text(each) for each in ticks[::step]])
        axis.set_label_text(label)
    ax.figure.colorbar(picture, ax=ax, label=name)


def _front(result, name, other, ax, highest, lowest):
    front = result.pareto(highest=highest, lowest=lowest)
    missing = [each for each in (name, other) if each not in front[0]] if front else []
    sides = {*([highest] if isinstance(highest, str) else highest), *([lowest] if isinstance(lowest, str) else lowest)}
    if missing or sides != {name, other}:
        raise ParameterError(f"plot.highest and plot.lowest must name {name} and {other}, got "
                             f"{', '.join(sorted(sides))}")
    points = [point for point in result.means() if point["n"]]
    ax.plot([point[other] for point in points], [point[name] for point in points], "o", color=COLORS[5], markersize=4,
            label="points")
    front = sorted(front, key=lambda point: point[other])
    ax.plot([point[other] for point in front], [point[name] for point in front], "o-", color=COLORS[1], markersize=5,
            label="no other is better")
    ax.set_xlabel(other)
    ax.set_ylabel(name)
    ax.legend(frameon=False)
    return ax


def _over_seeds(result, name, where):
    """Return a result for each seed, as the mean over the parameters that are not shown; without what failed."""
    by_seed: dict[int, list] = {}
    for row in result.rows:
        if all(_text(row[each]) == _text(value) for each, value in where.items()) and np.isfinite(row[name]):
            by_seed.setdefault(row["seed"], []).append(row[name])
    return np.array([np.mean(values) for values in by_seed.values()])


def _mean(values) -> float:
    return float(values.mean()) if len(values) else np.nan


def _shown(result, x, lines, kind):
    varied = _varied(result)
    for what, name in (("x", x), ("lines", lines)):
        if name is not None and name not in result.parameters:
            raise ParameterError(f"plot.{what} must be one of {', '.join(result.parameters)}, got "
                                 f"{describe_value(name)}")
    if x is None:
        x = next((name for name in varied if name != lines), result.parameters[0])
    if lines is None and (kind == "map" or len(varied) == 2):
        lines = next((name for name in varied if name != x), None)
    if x == lines or (kind == "map" and lines is None):
        raise ParameterError(f"plot.lines must be another parameter than {x}, got {describe_value(lines)}")
    return x, lines


def _varied(result) -> list:
    return [name for name in result.parameters if len(_values(result, name)) > 1]


def _values(result, name) -> list:
    """Return the values of a parameter: numbers in order, others as they come."""
    found = list({_text(row[name]): row[name] for row in result.rows}.values())
    return sorted(found) if _are_numbers(found) else found


def _are_numbers(values) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _places(axis, name, values) -> list:
    """Return pairs of a value and its place on the axis: numbers where they are, others side by side."""
    if _are_numbers(values):
        return [(value, float(value)) for value in values]
    axis.set_ticks(range(len(values)), [_text(value) for value in values])
    return [(value, float(place)) for place, value in enumerate(values)]


def _text(value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
