"""What a sweep found: rows, tables, the best points, those that no other beats, and pictures."""


from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from neurosim.calls import meant
from neurosim.checks import describe_value
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.reprs import columns, plural
from neurosim.sweep.encoding import decode, key

SHOWN = 20  #: rows that a notebook shows


def pandas() -> Any:
    """Return pandas; raise UnsupportedError where it is not installed."""
    try:
        return import_module("pandas")
    except ImportError:
        raise UnsupportedError("tables of sweeps need pandas; install it with `pip install pandas`") from None


class Result:
    """What a sweep found at each point and for each seed, in the order of the space.

    Args:
        points: dicts of values by name.
        trials: the seeds.
        ended: entry of each call that ended, by key.
        highest, lowest: results of which more, or less, is better, where a study knows.

    Attributes:
        parameters: names of the parameters.
        results: names of what the function returned.
        rows: a dict for each call: parameters, `seed`, results, `error`; a result that is missing is NaN.
        failures: a dict for each call that failed: parameters, `seed`, `error`, `traceback`.
        missing: how many calls have not ended.
        seconds: how long each call took, NaN for one that has not ended.
    """

    def __init__(self, points: list[dict[str, Any]], trials: list[int], ended: dict[str, dict],
                 highest: Iterable[str] = (), lowest: Iterable[str] = ()):
        self.parameters, self.highest, self.lowest = list(points[0]), tuple(highest), tuple(lowest)
        calls = [(index, point, trial, ended.get(key(point, trial)))
                 for index, point in enumerate(points) for trial in trials]
        found = [decode(entry["values"]) if entry and "values" in entry else {} for *_, entry in calls]
        self.results = list(dict.fromkeys(name for values in found for name in values))
        self.seconds = np.array([entry["seconds"] if entry else np.nan for *_, entry in calls])
        self.missing = sum(entry is None for *_, entry in calls)
        self.rows, self.failures, self._point = [], [], []
        for (index, point, trial, entry), values in zip(calls, found, strict=True):
            error = "not done" if entry is None else entry.get("error")
            results = {name: values.get(name, np.nan) for name in self.results}
            self.rows.append({**point, "seed": trial, **results, "error": error})
            self._point.append(index)
            if entry is not None and error:
                self.failures.append({**point, "seed": trial, "error": error, "traceback": entry["traceback"]})

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self):
        results = ", ".join(self.results) or "no results"
        return (f"<Result: {plural(len(self), 'call')} over {', '.join(self.parameters)}; {results}; "
                f"{len(self.failures)} failed, {self.missing} missing>")

    def _repr_html_(self) -> str:
        names = [*self.parameters, "seed", *self.results, "error"]
        more = f"; the first {SHOWN} are shown" if len(self) > SHOWN else ""
        return columns(f"{plural(len(self), 'call')}, {len(self.failures)} failed, {self.missing} missing{more}", names,
                       [[_shown(row[name]) for name in names] for row in self.rows[:SHOWN]])

    @property
    def table(self):
        """A pandas table of the rows."""
        return pandas().DataFrame(self.rows, columns=[*self.parameters, "seed", *self.results, "error"])

    def means(self) -> list[dict[str, Any]]:
        """Return a dict for each point: parameters, means of the results that are numbers, `n`, how many seeds count.

        A point counts the calls that gave a finite number for all of these results.
        """
        names, found = self.numbers(), []
        for rows in self.by_point():
            values = np.array([[row[name] for name in names] for row in rows], dtype=float)
            values = values[np.isfinite(values).all(axis=1)]
            mean = values.mean(axis=0).tolist() if len(values) else [np.nan] * len(names)
            found.append({**{name: rows[0][name] for name in self.parameters}, **dict(zip(names, mean, strict=True)),
                          "n": len(values)})
        return found

    def best(self, result: str | None = None, *, lowest: bool | None = None) -> dict[str, Any]:
        """Return the point whose mean over the seeds is highest, as `means` has it; the first of several.

        Args:
            result: which result; may be left out where there is one, or where a study looks for one.
            lowest: whether the lowest is the best; by default as the study has it, else not.

        Raises:
            ParameterError: there is no such result, or no point has a number for it.

        >>> from neurosim.sweep import sweep
        >>> sweep(lambda x: -(x - 2) ** 2, {"x": [1, 2, 3]}, jobs=1).best()
        {'x': 2, 'value': 0.0, 'n': 1}
        """
        sought = [*self.highest, *self.lowest]
        result = self.number("best", sought[0] if result is None and len(sought) == 1 else result)
        lowest = result in self.lowest if lowest is None else lowest
        found = [point for point in self.means() if point["n"]]
        if not found:
            raise ParameterError(f"best: no point has a finite number for {result!r}; see result.failures")
        return (min if lowest else max)(found, key=lambda point: point[result])

    def pareto(self, *, highest: str | Iterable[str] = (), lowest: str | Iterable[str] = ()) -> list[dict[str, Any]]:
        """Return the points that no other one beats in all the results together, as `means` has them.

        One beats another if it is nowhere worse and somewhere better, by the means over the seeds.

        Args:
            highest, lowest: results of which more, or less, is better; by default those of the study.

        Raises:
            ParameterError: there is no such result, or fewer than two.

        >>> from neurosim.sweep import sweep
        >>> found = sweep(lambda x: {"gain": x, "cost": abs(x)}, {"x": [-1, 0, 1]}, jobs=1)
        >>> [point["x"] for point in found.pareto(highest="gain", lowest="cost")]
        [0, 1]
        """
        up, down = ([each] if isinstance(each, str) or not isinstance(each, Iterable) else list(each)
                    for each in (highest, lowest))
        if not up and not down:
            up, down = list(self.highest), list(self.lowest)
        names = [self.number("pareto", name) for name in (*up, *down)]
        if len(set(names)) < 2 or len(set(names)) < len(names):
            raise ParameterError(f"pareto must have two different results at least, got {', '.join(names) or 'none'}")
        points = [point for point in self.means() if point["n"]]
        costs = np.array([[-point[name] if name in up else point[name] for name in names] for point in points])
        return [point for point, cost in zip(points, costs, strict=True)
                if not ((costs <= cost).all(axis=1) & (costs < cost).any(axis=1)).any()]

    def plot(self, result: str | None = None, ax=None, **options):
        """Draw a result: curves with bands over the seeds, a map, a Pareto front, or parallel coordinates.

        Args:
            result: which result; may be left out where there is one.
            ax: matplotlib axes.
            options: of `neurosim.sweep.pictures.draw`: `kind`, `x`, `lines`, `against`, `highest`, `lowest`.

        Returns:
            The matplotlib axes.

        Raises:
            ParameterError: a name or the kind does not fit.
        """
        from neurosim.sweep.pictures import draw

        return draw(self, result, ax, **options)

    def report(self, path: str | Path, title: str = "Sweep", *, highest: str | Iterable[str] = (),
               lowest: str | Iterable[str] = ()) -> None:
        """Write one page of HTML with pictures and tables, which needs no other file and no network.

        Args:
            path: of the file.
            title: of the page.
            highest, lowest: results of which more, or less, is better: the page tells their best points, and draws
                their Pareto front where there are two; by default those of the study.

        Raises:
            ParameterError: there is no such result.
            FileError: the file cannot be written.
        """
        from neurosim.sweep.page import write_page

        write_page(self, path, title, highest=highest, lowest=lowest)

    # What the pictures need.

    def by_point(self) -> list[list[dict[str, Any]]]:
        """Return the rows of each point."""
        found: dict[int, list] = {}
        for index, row in zip(self._point, self.rows, strict=True):
            found.setdefault(index, []).append(row)
        return list(found.values())

    def numbers(self) -> list[str]:
        """Return the names of the results that are numbers wherever they are."""
        return [name for name in self.results if all(isinstance(row[name], (bool, int, float)) for row in self.rows)]

    def number(self, owner: str, name: str | None) -> str:
        """Return the name of a result that is a number; raise ParameterError for another one."""
        names = self.numbers()
        if name is None and len(names) == 1:
            return names[0]
        if name not in names:
            near = meant(name, names) if isinstance(name, str) else ""
            raise ParameterError(f"{owner}.result must be one of {', '.join(names) or '(no result is a number)'}, got "
                                 f"{describe_value(name)}{near}")
        return name


def _shown(value) -> str:
    """Return a value as a cell: numbers with five digits, nothing where there is no error."""
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, (float, np.floating)) else str(value)
