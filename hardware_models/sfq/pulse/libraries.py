"""Sets of cells with times from one source, and JSON files of them.

A file holds `{"source": ..., "unit": "ps", "cells": {name: {"kind": class, parameter: value, ...}}}`, so that times
which were extracted from circuits are kept with where they come from.
"""

import json
from types import MappingProxyType

from hardware_models.sfq.pulse import cells as standard
from hardware_models.sfq.pulse.cell import Cell
from neurosim.checks import describe_value
from neurosim.errors import FileError, ParameterError
from neurosim.files import whole_file

# Where RSFQlib gives a time for each state or input, the longest is taken: what is allowed here is allowed there.
_RSFQLIB = {
    "JTL": ("JTL", {"delay": 3.5, "spacing": 5.2, "junctions": 2}),
    "BUFF": ("JTL", {"delay": 6.3, "spacing": 5.2, "junctions": 4}),
    "SPLIT": ("Splitter", {"delay": 6.3, "spacing": 7.0, "junctions": 3}),
    "MERGE": ("Merger", {"delay": 9.0, "dead_time": 2.3, "spacing": 10.2, "junctions": 7}),
    "DFF": ("DRO", {"delay": 6.3, "setup": 0.0, "hold": 0.4, "junctions": 7}),
    "NDRO": ("NDRO", {"delay": 5.5, "spacing": 9.1, "junctions": 11}),
    "NOT": ("INV", {"delay": 5.5, "setup": 5.2, "hold": 4.5, "junctions": 8}),
    "AND2": ("AND", {"delay": 5.0, "setup": 0.0, "hold": 1.6, "junctions": 15}),
    "OR2": ("OR", {"delay": 5.5, "setup": 3.8, "hold": 0.0, "junctions": 12}),
    "XOR": ("XOR", {"delay": 5.0, "setup": 7.3, "hold": 6.1, "junctions": 11}),
    "XNOR": ("XNOR", {"delay": 14.3, "setup": 10.5, "hold": 7.7, "junctions": 19}),
    "PTLTX": ("JTL", {"delay": 3.3, "spacing": 5.2, "junctions": 2}),
    "PTLRX": ("JTL", {"delay": 5.3, "spacing": 5.4, "junctions": 3}),
}
# One junction: delay 1.9722 ps, jitter 0.0365 ps at 4.2 K, bias 0.7 of the critical current of 250 uA, links of 4 pH.
_CIRCUIT = {"JTL": ("JTL", {"delay": 2 * 1.9722, "jitter": 0.0365 * 2**0.5, "junctions": 2})}
_SOURCES = {
    "pylse": ("PyLSE 0.1.0, commit 5f7e65d: the defaults of the classes", {
        kind: (kind, {}) for kind in ("JTL", "Splitter", "Merger", "CElement", "InvertedC", "DRO", "DRO_SR", "DRO_C",
                                      "INV", "AND", "OR", "XOR", "XNOR", "NAND", "NOR")}),
    "rsfqlib": ("RSFQlib v3p0, commit ac37a11: extracted Verilog specparams of the layouts without PTL", _RSFQLIB),
    "circuit": ("Junction equations, 250 uA, 0.7 bias, 4 pH, 4.2 K, solved by JoSIM v2.7 and as Langevin equations",
                _CIRCUIT),
}


class Library(dict):
    """Cells by name, and in `source` where their times come from."""

    def __init__(self, cells: dict, source: str):
        bad = [name for name, cell in cells.items() if not isinstance(cell, Cell)]
        if bad:
            raise ParameterError(f"a library holds cells, got {describe_value(cells[bad[0]])} as {bad[0]}")
        super().__init__(cells)
        self.source = source


def library(name: str) -> Library:
    """Return cells with published times: "pylse", "rsfqlib" or "circuit".

    >>> library("rsfqlib")["DFF"].delay, library("circuit")["JTL"].delay
    (6.3, 3.9444)
    """
    if name not in _SOURCES:
        raise ParameterError(f"library must be one of {', '.join(_SOURCES)}, got {describe_value(name)}")
    source, rows = _SOURCES[name]
    return Library({each: getattr(standard, kind)(**values) for each, (kind, values) in rows.items()}, source)


def kinds() -> MappingProxyType:
    """Return the classes that a file may name."""
    return MappingProxyType({name: value for name, value in vars(standard).items() if isinstance(value, type)
                             and issubclass(value, Cell) and value.inputs != ()})


def write_library(path, cells: dict, source: str) -> None:
    """Write cells and where their times come from to a JSON file, which appears whole or not at all."""
    rows = {}
    for name, cell in Library(cells, source).items():
        if kinds().get(type(cell).__name__) is not type(cell):
            raise ParameterError(f"a file of cells holds standard cells, got {cell!r} as {name}; write your own "
                                 "class as Python")
        rows[name] = {"kind": type(cell).__name__, **cell.values()}
    with whole_file(path, encoding="utf-8") as file:
        json.dump({"source": source, "unit": "ps", "cells": rows}, file, indent=1)
        file.write("\n")


def read_library(path) -> Library:
    """Return the cells of a JSON file; raise FileError where it is missing, damaged or names what there is not."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        if found["unit"] != "ps":
            raise ParameterError(f"the unit must be ps, got {found['unit']!r}")
        return Library({name: _cell(name, row) for name, row in found["cells"].items()}, str(found["source"]))
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{path} is not a file of SFQ cells or is damaged: {error}") from None


def _cell(name, row):
    values = dict(row)
    kind = values.pop("kind")
    if kind not in kinds():
        raise ParameterError(f"the kind of {name} must be one of {', '.join(kinds())}, got {kind!r}")
    return kinds()[kind](**values)


_MEASURED = {"jtl": ("JTL", {}), "splitter": ("Splitter", {}), "merger": ("Merger", {"dead_time": "spacing"}),
             "dff": ("DRO", {"setup": "threshold", "hold": "hold"})}


def from_timing(timing: dict, *, safe: bool = False) -> Cell:
    """Return a cell with the times that `hardware_models.sfq.circuit.extract_timing` measured on its circuit.

    Where there is a time for each pair of ports the longest is taken; a time below 0 becomes 0; what was not measured
    keeps its default.

    Args:
        timing: what `extract_timing` returned.
        safe: False takes as setup time the limit from which the bit is read at all, which goes with
            `on_violation="physical"`; True the longer time from which the delay has settled, a rule for a design.

    >>> from_timing({"cell": "dff", "delay": {"clk, q": 5.9}, "jitter": {"clk, q": 0.12}, "setup": {"a": 1.6},
    ...              "threshold": {"a": -0.25}, "hold": {"a": 0.25}})
    DRO(delay=5.9, setup=0.0, hold=0.25, jitter=0.12)
    """
    name = timing.get("cell")
    if name not in _MEASURED:
        raise ParameterError(f"from_timing knows the cells {', '.join(_MEASURED)}, got {describe_value(name)}")
    kind, renamed = _MEASURED[name]
    if safe and "setup" in renamed:
        renamed = {**renamed, "setup": "setup"}
    values = {parameter: max(0.0, *timing[key].values())
              for parameter, key in {"delay": "delay", "jitter": "jitter", **renamed}.items()}
    return kinds()[kind](**values)
