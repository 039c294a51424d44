"""A table before it is written in some format."""

from dataclasses import dataclass


class Name(str):
    """The name of a parameter: code in Markdown, a symbol in LaTeX."""


class Unit(str):
    """A unit."""


@dataclass
class Table:
    """A table: titles and relative widths of the columns, rows of texts, and what stands above it."""

    columns: dict
    rows: list
    title: str = ""
    text: tuple = ()
