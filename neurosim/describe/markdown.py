"""Tables in Markdown."""

import re

from neurosim.describe.docstrings import is_equation
from neurosim.describe.table import Name

PREAMBLE = ""  #: what stands above all tables


def _escape(text):
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", " ".join(str(text).split()))


def _cell(cell):
    return f"`{cell}`" if isinstance(cell, Name) else _escape(cell)


def heading(title):
    """Return the heading of a section."""
    return f"## {title}\n"


def table_lines(table):
    """Return the lines of a table."""
    lines = [f"### {_escape(table.title)}\n"] if table.title else []
    for paragraph in table.text:
        if is_equation(paragraph):
            lines.append(f"```text\n{paragraph}\n```\n")
        else:
            lines.append(_escape(paragraph) + "\n")
    if table.rows:
        rows = [list(map(_cell, row)) for row in table.rows]
        lines += [_row(table.columns), _row("---" for _ in table.columns), *map(_row, rows), ""]
    return lines


def _row(cells):
    return "| " + " | ".join(cells) + " |"
