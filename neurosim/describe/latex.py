"""Tables in LaTeX, for the package booktabs."""

import re

from neurosim.describe.docstrings import is_equation
from neurosim.describe.table import Name, Unit

MOST_ROWS = 40  #: rows of a table, which cannot break across pages
PREAMBLE = "% needs \\usepackage{booktabs}"
_SPECIAL = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
            "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
            ">": r"\textgreater{}", "|": r"\textbar{}", "`": "{`}", "'": "{'}", '"': "{''}", "[": "{[}", "]": "{]}",
            "*": "{*}", "->": r"$\to$", "minus": "$-$", "hyphen": "-{}"}
_PARTS = re.compile(r"(?P<arrow>->)|(?P<minus>(?<![\w.-])-(?=[\d.]))|(?P<hyphen>-(?=-))|.", re.DOTALL)
_GREEK = set("tau alpha beta gamma delta epsilon eta theta kappa lam mu nu rho sigma phi omega".split())
_UNITS = {"GOhm": r"G$\Omega$", "ohm": r"$\Omega$", "uS": r"$\mu$S"}


def escape(text):
    """Return text with every character that LaTeX takes for something else replaced.

    Brackets and stars stand in braces, because after the end of a row they would be read as its arguments.
    """
    return _PARTS.sub(_part, " ".join(str(text).split()))


def _part(match):
    name = match.lastgroup if match.lastgroup in ("minus", "hyphen") else match.group()
    return _SPECIAL.get(name, name)


def symbol(name):
    """Return a parameter's name as a formula: v_threshold is v with the index threshold."""
    head, *rest = name.split("_")
    head = {"lam": r"\lambda"}.get(head, f"\\{head}") if head in _GREEK else (
        head if len(head) == 1 else rf"\mathit{{{head}}}")
    index = ",".join(escape(part) for part in rest if part)
    return f"${head}_{{\\mathrm{{{index}}}}}$" if index else f"${head}$"


def _cell(cell):
    if isinstance(cell, Name):
        return symbol(cell)
    if isinstance(cell, Unit):
        return _UNITS.get(cell, escape(cell))
    return escape(cell)


def heading(title):
    """Return the heading of a section."""
    return f"\n\\subsection*{{{escape(title)}}}"


def table_lines(table):
    """Return the lines of a table, in pieces that fit a page."""
    lines = [f"\n\\paragraph{{{escape(table.title)}}}"] if table.title else []
    for paragraph in table.text:
        if is_equation(paragraph):
            body = " \\\\\n".join(f"\\texttt{{{escape(line)}}}" for line in paragraph.splitlines())
            lines.append(f"\\begin{{quote}}\\raggedright\\small\n{body}\n\\end{{quote}}")
        else:
            lines.append(escape(paragraph) + "\n")
    for first in range(0, len(table.rows), MOST_ROWS):
        lines += _tabular(table.columns, table.rows[first:first + MOST_ROWS])
    return lines


def _tabular(columns, rows):
    share = 0.94 - 0.02 * len(columns)
    widths = [share * width / sum(columns.values()) for width in columns.values()]
    layout = "".join(f"p{{{width:.3f}\\linewidth}}" for width in widths)
    head = [_row(rf"\textbf{{{escape(title)}}}" for title in columns), "\\midrule"]
    return ["\n\\noindent{\\footnotesize\n\\begin{tabular}{@{}" + layout + "@{}}", "\\toprule",
            *(head if any(title.strip() for title in columns) else []),
            *(_row(map(_cell, row)) for row in rows), "\\bottomrule", "\\end{tabular}}\\par\\medskip"]


def _row(cells):
    return " & ".join(rf"\raggedright {cell}" for cell in cells) + r" \tabularnewline"
