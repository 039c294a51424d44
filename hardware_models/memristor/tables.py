"""Measured tables from text files: columns of numbers, as spreadsheets and instruments write them."""

from pathlib import Path

import numpy as np

from neurosim.checks import is_whole
from neurosim.errors import FileError, ParameterError


def columns_of(path: str | Path, names) -> list[np.ndarray]:
    """Return columns of a text file of numbers.

    The first line may name the columns. Cells are separated by commas, semicolons (with which a comma is a decimal
    point), tabs or spaces; blank lines and those that begin with # are skipped, and columns may end early.

    Args:
        path: the file.
        names: names of the columns, or their numbers from 0 on.

    Raises:
        FileError: the file cannot be read, or a cell is no finite number; the line is named.
        ParameterError: there is no such column.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: must be a text file of columns of numbers, got {error}") from None
    rows = [(number, _cells(line)) for number, line in enumerate(lines, 1)
            if line.strip() and not line.lstrip().startswith("#")]
    if not rows:
        raise FileError(f"{path}: must hold columns of numbers, got none")
    head = [] if _all_numbers(rows[0][1]) else [cell.strip().strip('"').casefold() for cell in rows.pop(0)[1]]
    width = max((len(cells) for _, cells in rows), default=0)
    return [_column(path, rows, _place(path, name, head, width), name) for name in names]


def _cells(line) -> list[str]:
    for mark in (";", "\t", ","):
        if mark in line:
            return [cell.strip().replace(",", ".") if mark == ";" else cell.strip() for cell in line.split(mark)]
    return line.split()


def _all_numbers(cells) -> bool:
    try:
        return all(cell == "" or float(cell) == float(cell) for cell in cells)
    except ValueError:
        return False


def _place(path, name, head, width) -> int:
    if is_whole(name) and 0 <= name < width:
        return int(name)
    if isinstance(name, str) and name.casefold() in head:
        return head.index(name.casefold())
    known = ", ".join(map(repr, head)) if head else f"0 .. {width - 1} (the file names none)"
    raise ParameterError(f"{path}: column must be one of {known}, got {name!r}")


def _column(path, rows, place, name):
    values, ended = [], None
    for number, cells in rows:
        cell = cells[place] if place < len(cells) else ""
        try:
            value = float(cell) if cell else None
        except ValueError:
            value = np.nan
        if value is not None and (not np.isfinite(value) or ended is not None):
            got = repr(cell) if ended is None else f"{cell} below the empty cell of line {ended}"
            raise FileError(f"{path}, line {number}: column {name!r} must be a finite number, got {got}")
        if value is None:
            ended = ended or number
        else:
            values.append(value)
    return np.array(values)


__all__ = ["columns_of"]
