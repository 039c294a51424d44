"""How results show themselves: numbers with units in a console, tables and Markdown in a notebook."""

import html

_PREFIXES = ("a", "f", "p", "n", "u", "m", "", "k", "M")


class Markdown(str):
    """A text that a notebook renders and that is a plain `str` everywhere else."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


def table(caption: str, rows) -> str:
    """Return rows of (name, value) as HTML."""
    cells = "".join(f"<tr><th>{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>"
                    for name, value in rows)
    return f"<table><caption>{html.escape(caption)}</caption>{cells}</table>"


def columns(caption: str, names, rows) -> str:
    """Return a table with a name above each column as HTML."""
    head, *body = ("".join(f"<{tag}>{html.escape(str(value))}</{tag}>" for value in row)
                   for tag, row in (("th", names), *(("td", row) for row in rows)))
    lines = "".join(f"<tr>{line}</tr>" for line in (head, *body))
    return f"<table><caption>{html.escape(caption)}</caption>{lines}</table>"


def preformatted(text: str) -> str:
    """Return lines of text as HTML that keeps them."""
    return f"<pre>{html.escape(text)}</pre>"


def plural(count: int, word: str) -> str:
    """Return a number of things as text: "1 spike", "2 spikes"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def with_unit(value: float, unit: str) -> str:
    """Return a number with four digits and the prefix that fits, from a unit with or without one.

    >>> with_unit(152547.9, "pJ"), with_unit(0.25, "nJ"), with_unit(0.0, "pJ")
    ('152.5 nJ', '250 pJ', '0 pJ')
    """
    prefix, base = (unit[0], unit[1:]) if len(unit) > 1 and unit[0] in _PREFIXES else ("", unit)
    place = _PREFIXES.index(prefix)
    while abs(value) >= 999.95 and place + 1 < len(_PREFIXES):
        value, place = value / 1000.0, place + 1
    while 0 < abs(value) < 0.99995 and place > 0:
        value, place = value * 1000.0, place - 1
    return f"{value:.4g} {_PREFIXES[place]}{base}"


__all__ = ["Markdown", "columns", "plural", "preformatted", "table", "with_unit"]
