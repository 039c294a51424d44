"""What a source of a deck gives over time: dc, pwl, pws, pulse, sin, exp, cus, noise."""

import math
import re
from typing import Literal

from hardware_models.sfq.circuit.deck.expressions import number
from hardware_models.sfq.circuit.deck.text import read_text, split
from hardware_models.sfq.circuit.waveforms import (
    Constant,
    Exponential,
    Noise,
    PiecewiseLinear,
    Pulse,
    Samples,
    Sine,
    SmoothSteps,
)

SHAPE = re.compile(r"(?:^|\s)(pwl|pws|pulse|sine|sin|exp|cus|noise)\b\s*(.*)$")
#: What belongs to an analysis that is no run over time: ac, its size and phase.
ANALYSIS = re.compile(r"(?:^|\s)(ac|distof1|distof2)(?=\s|$)(\s+[^a-z\s(][^\s(]*){0,2}")
FORMS = {
    "pwl": "pwl(t a t a ...)", "pws": "pws(t a t a ...)", "pulse": "pulse(low high [delay rise fall width period])",
    "sin": "sin(offset amplitude [frequency delay damping phase cycles])",
    "exp": "exp(low high [delay tau delay tau])", "cus": "cus(FILE interval [scale interpolation delay repeat])",
    "noise": "noise(amplitude [delay interval])"}
MEANS: dict[float, Literal["hold", "linear", "cubic"]] = {0: "hold", 1: "linear", 2: "cubic"}


class Clock:
    """The step and the stop time of .tran, ps: what numbers of sources that are left out stand for."""

    def __init__(self, step=0.25, stop=1000.0):
        self.step, self.stop = step, stop


def waveform(words, read, place, name: str, clock: Clock, files, unit: float = 1e3):
    """Return the waveform that the words after the nodes of a source stand for.

    Args:
        words: of the line.
        read: a function from the text of a value to its number.
        place: of the line.
        name: of the source.
        clock: of .tran.
        files: a function from the name of a file to its path.
        unit: from A or V to mA or mV, or 1 for rad.
    """
    text = ANALYSIS.sub(" ", " ".join(words)).strip()
    found = SHAPE.search(text)
    level = text[:found.start()] if found else text
    level = re.sub(r"^dc\b\s*=?\s*", "", level.strip())
    if not found:
        rest = _words(level, place)
        if not rest:
            return Constant(0.0) if ANALYSIS.search(" ".join(words)) else _refuse(place, name, "dc", 0)
        if len(rest) != 1:
            raise place.error(f"{name}: {text!r} is no source; write dc A, {', '.join(FORMS.values())}")
        return Constant(read(rest[0]) * unit)
    shape = found[1].replace("sine", "sin")
    if level:
        read(level)  # SPICE: the level at rest, which the shape replaces in a run over time
    inner = found[2].strip()
    if inner.startswith("(") and inner.endswith(")") and _one_bracket(inner):
        inner = inner[1:-1]
    rest = _words(inner, place)
    return globals()[f"_{shape}"](rest, read, place, name, clock, files, unit)


def _words(text, place):
    return split(text, place)[0] if text.strip() else []


def _one_bracket(text):
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return at == len(text) - 1
    return False


def _refuse(place, name, shape, many):
    raise place.error(f"{name}: {shape} with {many} numbers is not supported; write dc A, {', '.join(FORMS.values())}")


def _numbers(rest, read, place, name, shape, least, most):
    if not least <= len(rest) <= most:
        _refuse(place, name, shape, len(rest))
    return [read(word) for word in rest]


def _points(rest, read, place, name, shape, unit):
    if len(rest) < 2 or len(rest) % 2:
        _refuse(place, name, shape, len(rest))
    values = [read(word) for word in rest]
    return [_ps(t) for t in values[::2]], [a * unit for a in values[1::2]]


def _ps(seconds):
    return float(f"{seconds * 1e12:.14g}")


def _pwl(rest, read, place, name, clock, files, unit):
    return PiecewiseLinear(*_points(rest, read, place, name, "pwl", unit))


def _pws(rest, read, place, name, clock, files, unit):
    return SmoothSteps(*_points(rest, read, place, name, "pws", unit))


def _pulse(rest, read, place, name, clock, files, unit):
    low, high, *times = _numbers(rest, read, place, name, "pulse", 2, 7)
    names = ("delay", "rise", "fall", "width", "period")
    given = dict(zip(names, map(_ps, times), strict=False))
    if given.get("period") == 0.0:
        del given["period"]
    return Pulse(low * unit, high * unit, **{"rise": clock.step, "fall": clock.step, "width": clock.stop} | given)


def _sin(rest, read, place, name, clock, files, unit):
    offset, amplitude, *more = _numbers(rest, read, place, name, "sin", 2, 7)
    frequency = more[0] * 1e-12 if more else 1.0 / clock.stop
    given = {"delay": _ps(more[1])} if len(more) > 1 else {}
    given |= {"damping": more[2] * 1e-12} if len(more) > 2 else {}
    given |= {"phase": math.radians(more[3])} if len(more) > 3 else {}
    given |= {"cycles": more[4]} if len(more) > 4 and more[4] > 0 else {}
    return Sine(offset * unit, amplitude * unit, frequency=frequency, **given)


def _exp(rest, read, place, name, clock, files, unit):
    low, high, *times = _numbers(rest, read, place, name, "exp", 2, 6)
    times = [*map(_ps, times), *(0.0, *[clock.step] * 3)[len(times):]]
    return Exponential(low * unit, high * unit, first_delay=times[0], first_tau=times[1], second_delay=times[2],
                       second_tau=times[3])


def _noise(rest, read, place, name, clock, files, unit):
    amplitude, *times = _numbers(rest, read, place, name, "noise", 1, 3)
    times = [*map(_ps, times), *(0.0, clock.step)[len(times):]]
    return Noise(amplitude * unit * 1e6, interval=times[1], delay=times[0])  # sqrt(s) is 1e6 sqrt(ps)


def _cus(rest, read, place, name, clock, files, unit):
    if not 2 <= len(rest) <= 6:
        _refuse(place, name, "cus", len(rest))
    path = files(rest[0])
    values = [read(word) for word in rest[1:]]
    interval, scale, means, delay, repeat = [*values, *(clock.step * 1e-12, 1.0, 1.0, 0.0, 0.0)[len(values):]]
    if means not in MEANS:
        raise place.error(f"{name}: the interpolation of cus must be 0 (hold), 1 (linear) or 2 (cubic), got {means:g}")
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    levels = [number(word.lower()) for word in re.split(r"[\s,;]+", lines[0].strip())] if lines else []
    if not levels or None in levels:
        raise place.error(f"{name}: {path.name} must hold one line of numbers with spaces between them")
    if len(lines) > 1:
        raise place.error(f"{name}: {path.name} has {len(lines)} lines; put all its numbers on the first")
    return Samples([scale * unit * level for level in levels], interval=max(_ps(interval), clock.step),
                   delay=_ps(delay), between=MEANS[means], repeat=bool(round(repeat)))
