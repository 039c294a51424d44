"""Tables of text: events in .csv and .txt files, plain or gzipped.

Values are separated by commas, semicolons, tabs or spaces. Lines that begin with # or % are comments; three of them
say something: a first line of ours, `%geometry:1280,720` of Prophesee's tools (whose columns are x, y, p, t), and the
names of the columns where `numpy.savetxt` put them into a comment. Blank lines, and whether the last one ends, do not
matter.
"""

import json
import re
from pathlib import Path

import numpy as np

from neurosim.datasets.columns import Table, field_of
from neurosim.datasets.files import GZIP, gunzip
from neurosim.datasets.header import checked_head
from neurosim.errors import FileError
from neurosim.files import whole_file

GEOMETRY = re.compile(r"%\s*geometry\s*:\s*(\d+)\s*,\s*(\d+)\s*", re.IGNORECASE)
METAVISION = "xypt"  #: the columns of Prophesee's tables
TRUTH = {"true": 1, "false": 0}


def read_text(path, order, _many=None) -> Table:
    """Return the columns of a table; `order` says what they are where the file does not."""
    raw = Path(path).read_bytes()
    if raw[:2] == GZIP:
        raw = gunzip(path, raw, float("inf"))
    if b"\0" in raw:
        raise FileError(f"{path} must be text, byte {raw.index(bytes(1))} is 0")
    lines = [line for line in map(str.strip, raw.decode("utf-8-sig").splitlines()) if line]
    comments = []
    while lines and lines[0][0] in "#%":
        comments.append(lines.pop(0))
    size = check = None
    geometry = [found for found in map(GEOMETRY.fullmatch, comments) if found]
    if geometry:
        size = int(geometry[0][1]), int(geometry[0][2]), 2
    for comment in comments:
        if comment.startswith("# {"):
            size, check = checked_head(path, json.loads(comment[2:]))
    names, delimiter = _names(path, lines, comments, order, bool(geometry))
    return Table(dict(zip(names, _values(path, names, lines, delimiter), strict=True)), size, check)


def _split(line) -> tuple:
    """The cells of a line and what separates them; None is white space."""
    delimiter = next((mark for mark in ";,\t" if mark in line), None)
    return [cell.strip() for cell in line.split(delimiter)], delimiter


def _is_number(cell) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.lower() in TRUTH
    return True


def _names(path, lines, comments, order, geometry) -> tuple:
    """The names of the columns and the delimiter; a line that holds the names is taken off."""
    cells, delimiter = _split(lines[0]) if lines else ([], None)
    titled = bool(cells) and not any(map(_is_number, cells))
    if titled:
        lines.pop(0)
    else:
        in_comment = _split(comments[-1].lstrip("#% "))[0] if comments else []
        titled = {"t", "x"} <= {field_of(name)[0] for name in in_comment} and len(cells) in (0, len(in_comment))
        if titled:
            cells = in_comment
    if titled:
        if order is not None:
            raise FileError(f"{path} names its columns {', '.join(cells)}; leave out columns={order!r}")
        if len(set(cells)) != len(cells):
            raise FileError(f"{path} must name each column once, got {', '.join(cells)}")
        return cells, _split(lines[0])[1] if lines else delimiter
    if order is None and geometry:
        order = METAVISION
    if not cells and order is None:
        raise FileError(f"{path} must have a line with the names of its columns, it has none")
    if order is None:
        raise FileError(f"{path} must have a line with the names of its columns, it begins with {lines[0][:60]!r}; "
                        'say in which order they are, such as columns="txyp" or columns="xypt"')
    if cells and len(cells) != len(order):
        raise FileError(f"{path} must have {len(order)} columns for the order {order!r}, it begins with "
                        f"{lines[0][:60]!r}")
    return [field if field != "_" else f"_{place}" for place, field in enumerate(order)], delimiter


def _values(path, names, lines, delimiter) -> list:
    """The columns of the lines, whole numbers where all of a column are."""
    if not lines:
        return [np.zeros(0, dtype=np.int64) for _ in names]
    fields = [field_of(name)[0] for name in names]
    more = {}
    if "p" in fields and any(mark in lines[0].lower() or mark in lines[-1].lower() for mark in TRUTH):
        more["converters"] = {fields.index("p"): lambda cell: TRUTH.get(cell.strip().lower(), cell)}
    whole = dict.fromkeys(fields, np.int64)
    for kind in (whole, {**whole, None: np.float64}, {**whole, None: np.float64, "t": np.float64},
                 dict.fromkeys(fields, np.float64)):
        dtype = np.dtype([(f"c{place}", kind[field]) for place, field in enumerate(fields)])
        try:
            table = np.loadtxt(lines, dtype=dtype, delimiter=delimiter, comments=None, ndmin=1, **more)
        except ValueError as error:
            reason = error
            continue
        return [table[f"c{place}"] for place in range(len(fields))]
    raise FileError(f"{path} must have {len(names)} numbers in every line: {reason}")


def write_text(path, events, head):
    """Write a table that `read_text` reads."""
    names = [name for name in ("t", "x", "y", "p") if name in events.dtype.names]
    rows = zip(*(events[name].astype(np.int64).tolist() for name in names), strict=True)
    body = "".join(",".join(map(str, row)) + "\n" for row in rows)
    with whole_file(path, encoding="utf-8") as file:
        file.write(f"# {json.dumps(head)}\n{','.join(names)}\n{body}")
