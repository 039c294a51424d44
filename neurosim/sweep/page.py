"""A sweep as one page of HTML: its pictures and its tables, in one file that asks for nothing else."""

import base64
import html
import io
import itertools
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from neurosim.errors import ParameterError
from neurosim.files import whole_file
from neurosim.sweep.pictures import interval, values_of, varied
from neurosim.sweep.result import Result

SIZE = (5.2, 3.7)  #: inches of a picture: on a phone, 72 points an inch are about its own size
MOST_RESULTS, MOST_CURVES, MOST_LINES, MOST_CELLS = 4, 6, 8, 900


def write_page(result: Result, path: str | Path, title: str, *, highest: str | Iterable[str] = (),
               lowest: str | Iterable[str] = ()) -> None:
    """Write a page about a sweep, whole or not at all.

    It has curves with bands over the seeds, maps, parallel coordinates and Pareto fronts of the results that are
    numbers, a table of the points that can be sorted, all calls, and the tracebacks of those that failed.

    Args:
        result: what the sweep found.
        path: of the file.
        title: of the page.
        highest, lowest: results of which more, or less, is better: the best point and the fronts are of these; by
            default those of the study.

    Raises:
        ParameterError: there is no such result.
        FileError: the file cannot be written.
    """
    up, down = _sides(result, highest, lowest)
    parts = [_summary(result, up, down), *_drawn(result, up, down), _points(result), _calls(result), _failures(result)]
    with whole_file(path, encoding="utf-8") as file:
        file.write(PAGE.format(title=html.escape(title), style=STYLE, script=SCRIPT,
                               body="\n".join(filter(None, parts))))


def _sides(result, highest, lowest) -> tuple[list[str], list[str]]:
    up, down = ([each] if isinstance(each, str) else list(each) for each in (highest, lowest))
    if not up and not down:
        up, down = list(result.highest), list(result.lowest)
    both = [result.number("report", name) for name in (*up, *down)]
    if len(set(both)) < len(both):
        raise ParameterError(f"report.highest and report.lowest must differ, got {', '.join(both)}")
    return up, down


# ---- words ------------------------------------------------------------------------------------------


def _summary(result, up, down) -> str:
    seeds = len({row["seed"] for row in result.rows})
    done = len(result) - result.missing
    took = float(sum(second for second in result.seconds if math.isfinite(second)))
    lines = [f"{len(result.by_point())} points, {seeds} seed{'s' * (seeds > 1)} each: {done} of {len(result)} calls "
             f"have ended, {len(result.failures) or 'none'} of them failed. They took {_duration(took)} of one "
             "process."]
    for name in (*up, *down):
        best = result.best(name, lowest=name in down) if any(point["n"] for point in result.means()) else None
        if best:
            at = ", ".join(f"{each} = {_text(best[each])}" for each in result.parameters)
            lines.append(f"{'Lowest' if name in down else 'Highest'} {html.escape(name)}: "
                         f"<strong>{_text(best[name])}</strong> at {html.escape(at)} (mean of {best['n']}).")
    if len(up) + len(down) > 1 and any(point["n"] for point in result.means()):
        front = result.pareto(highest=up, lowest=down)
        both = html.escape(" and ".join([*up, *down]))
        lines.append(f"{len(front)} points are beaten by no other in {both} together.")
    if seeds > 1:
        lines.append("Bands, bars and &plusmn; are 95&nbsp;% intervals of the mean over the seeds (Student's t).")
    return "".join(f"<p>{line}</p>" for line in lines)


def _duration(seconds) -> str:
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min" if seconds < 7200 else \
        f"{seconds / 3600:.3g} h"


def _text(value) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.5g}"
    return str(value)


# ---- pictures ---------------------------------------------------------------------------------------


def _drawn(result, up, down) -> list[str]:
    """Return the pictures, as sections."""
    several = varied(result)
    shown = list(dict.fromkeys([*up, *down, *result.numbers()]))[:MOST_RESULTS]
    sections = []
    for name in shown if any(point["n"] for point in result.means()) else []:
        draws: list[tuple[str, dict]] = []
        curves = several or result.parameters[:1]
        if len(several) == 2:
            draws += [(f"{name} over {x}", {"x": x, "lines": other}) for x, other in (several, several[::-1])
                      if len(values_of(result, other)) <= MOST_LINES]
        if not draws:
            draws += [(f"{name} over {x}", {"x": x}) for x in curves[:MOST_CURVES]]
        if pair := _mapped(result, several):
            draws.append((f"{name} over {pair[0]} and {pair[1]}", {"kind": "map", "x": pair[0], "lines": pair[1]}))
        if len(several) > 1:
            draws.append((f"{name} of each point", {"kind": "parallel"}))
        sections.append((name, [_figure(text, lambda ax, o=options, n=name: result.plot(n, ax, **o))
                                for text, options in draws]))
    fronts = [(one, other) for k, one in enumerate([*up, *down]) for other in [*up, *down][k + 1:]]
    if fronts and shown:
        sections.append(("Pareto fronts", [_figure(f"{one} against {other}", _front(result, one, other, up, down))
                                           for one, other in fronts]))
    return [f"<section><h2>{html.escape(name)}</h2><div class=pictures>{''.join(found)}</div></section>"
            for name, found in sections]


def _mapped(result, several) -> tuple[str, str] | None:
    """Return the first two parameters whose values meet in most cells of a map, as those of a grid do."""
    points = [calls[0] for calls in result.by_point()]
    for one, other in itertools.combinations(several, 2):
        cells = len(values_of(result, one)) * len(values_of(result, other))
        met = len({(_text(point[one]), _text(point[other])) for point in points})
        if cells <= MOST_CELLS and 2 * met > cells:
            return one, other
    return None


def _front(result, one, other, up, down) -> Callable[[Any], Any]:
    return lambda ax: result.plot(one, ax, kind="pareto", against=other, highest=[n for n in (one, other) if n in up],
                                  lowest=[n for n in (one, other) if n in down])


def _figure(text, draw) -> str:
    """Return a picture with its caption, drawn with lines where that is possible."""
    import matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    draw(figure.subplots())
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "neurosim"}):
        figure.savefig(file, format="svg", metadata={"Date": None}, dpi=150)
    data = base64.b64encode(file.getvalue()).decode()
    return (f'<figure><img alt="{html.escape(text)}" src="data:image/svg+xml;base64,{data}"><figcaption>'
            f"{html.escape(text)}</figcaption></figure>")


# ---- tables -----------------------------------------------------------------------------------------


def _points(result) -> str:
    names, rows = result.numbers(), []
    for point, calls in zip(result.means(), result.by_point(), strict=True):
        row = [point[name] for name in result.parameters]
        for name in names:
            half = interval([call[name] for call in calls if all(math.isfinite(call[each]) for each in names)])
            row.append((point[name], f"{_text(point[name])} &plusmn; {half:.2g}"
                        if half > 1e-9 * abs(point[name]) else None))  # less is rounding
        rows.append([*row, point["n"]])
    return f"<h2>Points</h2>{_table([*result.parameters, *names, 'n'], rows)}"


def _calls(result) -> str:
    names = [*result.parameters, "seed", *result.results]
    rows = [[*(row[name] for name in names), seconds, row["error"] or ""]
            for row, seconds in zip(result.rows, result.seconds.tolist(), strict=True)]
    return (f"<details><summary>All {len(rows)} calls</summary>"
            f"{_table([*names, 'seconds', 'error'], rows)}</details>")


def _failures(result) -> str:
    if not result.failures:
        return ""
    found = []
    for failure in result.failures:
        at = ", ".join(f"{name} = {_text(failure[name])}" for name in (*result.parameters, "seed"))
        found.append(f"<details><summary>{html.escape(failure['error'])}<br><small>{html.escape(at)}</small></summary>"
                     f"<pre>{html.escape(failure['traceback'])}</pre></details>")
    return f"<h2>Failed calls</h2>{''.join(found)}"


def _table(names, rows) -> str:
    head = "".join(f"<th scope=col><button type=button>{html.escape(name)}</button></th>" for name in names)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<div class=table><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(value) -> str:
    """Return a cell; numbers carry what they are sorted by, if it is not what is shown."""
    value, shown = value if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], (str, type(None))) \
        else (value, None)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"<td>{html.escape(_text(value))}</td>"
    by = "" if math.isnan(value) else repr(value)
    return f'<td class=n data-by="{by}">{shown or _text(value)}</td>'


PAGE = """<!doctype html>
<html lang=en>
<head>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<meta http-equiv=Content-Security-Policy content="default-src 'none'; img-src data:; style-src 'unsafe-inline';
 script-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
<script>{script}</script>
</body>
</html>
"""

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 0 auto; max-width: 75rem;
  padding: 0 1rem 3rem; }
h1, h2 { line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .5rem; }
p { max-width: 45rem; margin: .5rem 0; overflow-wrap: anywhere; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }
figure { margin: 0; border: 1px solid #ddd; border-radius: 6px; padding: .5rem; }
@media (max-width: 30rem) { body { padding: 0 .6rem 2rem; } figure { padding: .2rem; } }
figure img { width: 100%; height: auto; display: block; }
figcaption { font-size: .85rem; color: #555; overflow-wrap: anywhere; }
.table { overflow: auto; width: fit-content; max-width: 100%; max-height: 80vh; border: 1px solid #ddd;
  border-radius: 6px; }
table { border-collapse: separate; border-spacing: 0; font-size: .9rem; font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; background: #f2f4f7; padding: 0; text-align: left; }
th button { all: unset; cursor: pointer; display: block; box-sizing: border-box; width: 100%; min-height: 44px;
  padding: .7rem 1.4rem .7rem .7rem; font-weight: 600; white-space: nowrap; position: relative; }
th button:focus-visible { outline: 2px solid #0072b2; outline-offset: -2px; }
th[aria-sort] button::after { position: absolute; right: .4rem; content: "\\25B2"; }
th[aria-sort=descending] button::after { content: "\\25BC"; }
td { padding: .35rem .7rem; border-top: 1px solid #eee; white-space: nowrap; }
td.n { text-align: right; }
details { margin: 1rem 0; }
summary { cursor: pointer; padding: .6rem 0; overflow-wrap: anywhere; }
pre { overflow: auto; background: #f6f6f6; padding: .7rem; font-size: .8rem; }
"""

SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => head.firstChild.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(each => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const by = row => row.cells[column].dataset.by ?? row.cells[column].textContent;
    const rows = [...body.rows].map(row => [by(row), row]);
    const numbers = rows.every(([value]) => value === "" || !Number.isNaN(Number(value)));
    rows.sort(([a], [b]) => a === "" || b === "" ? (a === "") - (b === "") :
      (down ? -1 : 1) * (numbers ? Number(a) - Number(b) : a.localeCompare(b)));
    body.append(...rows.map(([, row]) => row));
  }));
}
"""
