"""Value change dumps (IEEE 1364), which waveform viewers such as GTKWave show: one event variable for each neuron."""

import math
import re
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np

from neurosim.errors import FileError, UnsupportedError
from neurosim.export.assemble import TEXT, Found, Wanted, assemble, header_of, header_text
from neurosim.export.trains import known, rows_of, unit_of
from neurosim.files import reading, whole_file

FILE = "a value change dump"
UNITS = ("s", "ms", "us", "ns", "ps", "fs")
CODE = [chr(c) for c in range(33, 127)]
PULSES = ("event", "wire", "reg", "logic", "bit")  #: kinds of variables whose changes may be spikes


def write(spikes, path) -> None:
    """Write spikes on a grid, whole or not at all."""
    spikes = known(spikes)
    if spikes.dt is None:
        raise UnsupportedError("VCD must be given spikes on a grid, and these have exact times; call on_grid(dt) first")
    if spikes.start < 0:
        raise UnsupportedError(f"VCD must be given times >= 0, and the window opens at {spikes.start:g} ms; shift it")
    same = (np.diff(spikes.ticks) == 0) & (np.diff(spikes.ids.astype(np.int64)) == 0)
    if same.any():
        neuron, tick = spikes.ids[1:][same][0], spikes.ticks[1:][same][0]
        raise UnsupportedError(f"VCD must be given at most one spike of a neuron at a tick, neuron {neuron} has "
                               f"several at tick {tick}")
    scale, step = timescale(spikes.dt)
    rows, names = rows_of(spikes), unit_of(spikes)
    codes = dict(zip(rows.tolist(), _codes(len(rows)), strict=True))
    text = header_text(spikes).replace("$", "\\u0024")
    with whole_file(path, encoding="utf-8") as file:
        file.write(f"$version neurosim $end\n$comment {TEXT} {text} $end\n$timescale {scale} $end\n"
                   "$scope module spikes $end\n")
        file.writelines(f"$var event 1 {codes[row]} n{names[row]} $end\n" for row in rows.tolist())
        file.write("$upscope $end\n$enddefinitions $end\n")
        _write_changes(file, spikes, codes, step)


def _write_changes(file, spikes, codes, step):
    _, begins = np.unique(spikes.ticks, return_index=True)
    ends = np.append(begins, len(spikes))[1:]
    first, last = round(spikes.start / spikes.dt), round(spikes.stop / spikes.dt)
    file.write(f"#{first * step}\n")
    tick = first
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        tick = int(spikes.ticks[begin])
        file.write(f"#{tick * step}\n" + "".join([f"1{codes[neuron]}\n" for neuron in spikes.ids[begin:end].tolist()]))
    if last > tick:
        file.write(f"#{last * step}\n")


def timescale(dt: float) -> tuple[str, int]:
    """Return the longest timescale of which a tick of dt ms is a whole number, and that number.

    >>> timescale(0.1), timescale(0.25), timescale(20.0)
    (('100 us', 1), ('10 us', 25), ('10 ms', 2))
    """
    tick = Fraction(repr(dt)) / 1000
    for power in range(2, -16, -1):
        step = tick / Fraction(10) ** power
        if step.denominator == 1:
            unit = math.ceil(-power / 3)
            return f"{10 ** (power + 3 * unit)} {UNITS[unit]}", int(step)
    raise UnsupportedError(f"VCD must have a dt that is a whole number of fs, got {dt!r} ms")


def _codes(count) -> list:
    """Short codes of printable characters, one for each variable."""
    length = 1
    while len(CODE) ** length < count:
        length += 1
    return ["".join(letters) for letters, _ in zip(product(CODE, repeat=length), range(count), strict=False)]


# ---- reading ----------------------------------------------------------------------------------------


def read(cls, path, wanted: Wanted):
    """Return the events, and the rising edges of wires, of a file as spikes; signals are numbered as declared."""
    path = Path(path)
    with reading(path, FILE), open(path, encoding="utf-8") as file:
        text = file.read()
        head, end, body = text.partition("$enddefinitions")
        if not end:
            raise FileError(f"{path} must have $enddefinitions, it has none")
        signals = _signals(head)
        ours = header_of(path, _section(head, "comment"))
        fs = _femtoseconds(path, head)
        if not text.endswith("\n"):
            raise FileError(f"{path} ends in the middle of a line; it was cut short")
        stamps, places, last = _changes(path, body.split("$end", 1)[1], signals)
    listed = np.arange(len(signals))
    if ours is not None:
        listed = np.array([int(name[1:]) for name, *_ in signals.values()], dtype=np.int64)
    found = Found(np.array(stamps, dtype=np.float64) * fs / 1e12, listed[np.array(places, dtype=np.int64)], listed,
                  ours, {"duration": last * fs / 10**12})
    return assemble(cls, path, found, wanted)


def _section(head, name) -> str:
    found = re.search(rf"\${name}\s(.*?)\$end", head, re.DOTALL)
    return found[1].strip() if found else ""


def _signals(head) -> dict:
    """The variables that may spike, once for each code: code -> (name, place, whether each change is a spike)."""
    signals = {}
    for kind, size, code, name in re.findall(r"\$var\s+(\S+)\s+(\d+)\s+(\S+)\s+(.*?)\s*\$end", head):
        if kind in PULSES and size == "1" and code not in signals:
            signals[code] = (name, len(signals), kind == "event")
    return signals


def _femtoseconds(path, head) -> int:
    found = re.fullmatch(r"(1|10|100)\s*(s|ms|us|ns|ps|fs)", _section(head, "timescale"))
    if not found:
        raise FileError(f"{path} must have a $timescale such as '100 us', it has {_section(head, 'timescale')!r}")
    return int(found[1]) * 10 ** (15 - 3 * UNITS.index(found[2]))


def _changes(path, body, signals) -> tuple:
    """The time and signal of each spike, and the last time of the file.

    A wire spikes when it rises to 1, from 0 or from what is not known; values that a $dump lists are no changes.
    """
    now, level, dumping, stamps, places, words = 0, {}, False, [], [], iter(body.split())
    for word in words:
        kind, code = word[0], word[1:]
        if kind == "#":
            now = int(code)
        elif kind in "01xXzZ":
            _, place, always = signals.get(code, (None, None, False))
            if kind == "1" and place is not None and (always or not dumping and level.get(code) != "1"):
                stamps.append(now)
                places.append(place)
            level[code] = kind
        elif kind in "bBrR":
            next(words, None)
        elif word == "$comment":
            while next(words, "$end") != "$end":
                pass
        elif kind == "$":
            dumping = word.startswith("$dump")
        else:
            raise FileError(f"{path} is damaged: {word[:20]!r} is no change of a value")
    return stamps, places, now
