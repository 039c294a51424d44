"""Reads SPICE- and JoSIM-style decks: a stated subset; what is not in it is refused by the number of its line.

Elements: B (junction), L, R, C, K (mutual inductance), I and V (dc, pwl, pulse, sin), X (subcircuit, with its name
first as in JoSIM or last as in SPICE). Control: .model of type jj, .subckt and .ends, .param with expressions, .tran,
.temp, .end; .print, .plot, .save and .file are skipped. Comments begin with * or #, continuation lines with +.
"""

import ast
import math
import operator
import re
from pathlib import Path
from typing import NamedTuple

from hardware_models.sfq.circuit.circuit import Circuit
from hardware_models.sfq.circuit.elements import (
    Capacitor,
    CurrentSource,
    Inductor,
    JunctionModel,
    Resistor,
    VoltageSource,
)
from hardware_models.sfq.circuit.waveforms import Constant, PiecewiseLinear, Pulse, Sine
from neurosim.errors import FileError, NetworkError, NeurosimError

SUFFIX = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "meg": 1e6, "x": 1e6, "g": 1e9, "t": 1e12}
SKIPPED = (".print", ".plot", ".save", ".file", ".end")
MODEL = {"rtype": ("rtype", 1), "ic": ("icrit", 1e3), "icrit": ("icrit", 1e3), "c": ("cap", 1e12), "cap": ("cap", 1e12),
         "r0": ("r0", 1), "rn": ("rn", 1), "vg": ("vg", 1e3), "vgap": ("vg", 1e3), "delv": ("delv", 1e3)}
NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|[fpnumkxgt])?[a-z]*$")
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
             ast.Pow: operator.pow}
FUNCTIONS = {name: getattr(math, name) for name in ("sqrt", "exp", "log", "sin", "cos", "tan")}


class Deck(NamedTuple):
    """What a deck says.

    Attributes:
        circuit: the top level, with subcircuits included as `instance.element`.
        h, duration: of .tran, ps, or None.
        temperature: of .temp, K.
    """

    circuit: Circuit
    h: float | None
    duration: float | None
    temperature: float


class Line(NamedTuple):
    """A logical line: its words, and the number of the line where it begins."""

    number: int
    words: list[str]


def read_deck(source: str | Path) -> Deck:
    """Read a deck from a file, or from a text that holds at least one line break.

    Values are in SPICE units (A, V, s, H, ohm, F) with suffixes f p n u m k meg x g t; the circuit is in mA, mV, ps,
    pH, ohm, pF. Names do not depend on upper and lower case.

    Args:
        source: path of the file, or the text itself.

    Raises:
        NetworkError: a line is not understood or does not fit; the message begins with its number.
        FileError: the file cannot be read.

    >>> deck = read_deck('''
    ... .model jj1 jj(rtype=0, icrit=0.25m, rn=2.744, cap=0.175p)
    ... B1 a 0 jj1
    ... I1 0 a pwl(0 0 5p 175u)
    ... .tran 0.05p 100p
    ... ''')
    >>> deck.circuit, deck.h, deck.duration
    (Circuit('deck': 1 junction, 1 current source, 1 node), 0.05, 100.0)

    Source of the syntax: JoSIM 2.7, syntax guide.
    """
    text, name = str(source), "deck"
    if "\n" not in text:
        try:
            text, name = Path(source).read_text(encoding="utf-8"), Path(source).stem
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"the deck {source} cannot be read: {error}") from None
    reader = _Reader()
    reader.sort(_lines(text))
    circuit = reader.build(name, reader.top, {}, ())
    return Deck(circuit, reader.h, reader.duration, reader.temperature)


def _lines(text):
    """Return the logical lines: comments out, continuations joined, brackets and commas as spaces."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line[0] in "*#":
            continue
        line = re.sub(r"\s*=\s*", "=", line).lower()
        if line[0] == "+":
            if not found:
                raise _error(number, "a continuation line needs a line before it")
            found[-1] = (found[-1][0], found[-1][1] + " " + line[1:].strip())
        else:
            found.append((number, line))
    return [Line(number, _split(line)) for number, line in found]


def _split(line):
    """Split at spaces, commas and the brackets of pwl(...), but keep expressions of .param and values whole."""
    if line.startswith(".param"):
        return [".param", line[6:].strip()]
    line = re.sub(r"\b(pwl|pulse|sin|jj|dc|sine)\s*\(", r"\1 ( ", line)
    words, depth, word = [], 0, ""
    for letter in line:
        if letter in " \t," and depth == 0:
            words += [word] if word else []
            word = ""
            continue
        if letter == "(" and not word:
            continue  # the bracket of a list
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            depth = 0
            continue
        word += letter
    return [*words, *([word] if word else [])]


def _error(number, text):
    return NetworkError(f"line {number}: {text}")


class _Block:
    """The lines of a subcircuit, or of the top level."""

    def __init__(self, name="deck", ports=(), number=0):
        self.name, self.ports, self.number = name, list(ports), number
        self.lines, self.params, self.models = [], [], {}


class _Reader:
    def __init__(self):
        self.top, self.blocks = _Block(), {}
        self.h = self.duration = None
        self.temperature = 0.0

    def sort(self, lines):
        """Put every line into the block to which it belongs."""
        open_blocks = [self.top]
        for line in lines:
            word = line.words[0]
            block = open_blocks[-1]
            if word == ".subckt":
                if len(line.words) < 3:
                    raise _error(line.number, ".subckt needs a name and at least one node")
                if line.words[1] in self.blocks:
                    raise _error(line.number, f"there is a subcircuit {line.words[1]} already")
                new = _Block(line.words[1], line.words[2:], line.number)
                self.blocks[new.name] = new
                open_blocks.append(new)
            elif word == ".ends":
                if len(open_blocks) == 1:
                    raise _error(line.number, ".ends without .subckt")
                open_blocks.pop()
            elif word == ".param":
                block.params.append(line)
            elif word == ".model":
                block.models[line.words[1]] = line
            elif word in (".tran", ".temp"):
                self._control(line)
            elif word.startswith("."):
                if word not in SKIPPED:
                    raise _error(line.number, f"{word} is not supported; supported are .model .subckt .ends .param "
                                 f".tran .temp, and {' '.join(SKIPPED)} are skipped")
            else:
                block.lines.append(line)
        if len(open_blocks) > 1:
            raise _error(open_blocks[-1].number, f".subckt {open_blocks[-1].name} has no .ends")

    def _control(self, line):
        scope = _Scope({}, line.number)
        if line.words[0] == ".temp":
            self.temperature = scope.value(line.words[1])
        elif len(line.words) < 3:
            raise _error(line.number, ".tran needs a step and a stop time")
        else:
            self.h, self.duration = (scope.value(word) * 1e12 for word in line.words[1:3])
            self.h, self.duration = (float(f"{each:.12g}") for each in (self.h, self.duration))

    def build(self, name, block, outer, above):
        """Return the circuit of a block, with the parameters and models from outside."""
        if block.name in above:
            raise _error(block.number, f"subcircuit {block.name} contains itself")
        params = dict(outer)
        for line in block.params:
            _assign(line, params)
        circuit = Circuit(name, block.ports)
        couplings = []
        for line in block.lines:
            if line.words[0][0] == "k":
                couplings.append(line)
                continue
            try:
                self._place(circuit, block, line, params, (*above, block.name))
            except NeurosimError as error:
                raise error if str(error).startswith("line ") else _error(line.number, error) from None
            except IndexError:
                raise _error(line.number, f"{line.words[0]}: something is missing at the end of the line") from None
        for line in couplings:
            try:
                circuit.mutual(*line.words[:3], _Scope(params, line.number).value(line.words[3]),
                               where=f"line {line.number}")
            except (NeurosimError, IndexError, TypeError) as error:
                raise _error(line.number, f"{line.words[0]}: {error}") from None
        return circuit

    def _place(self, circuit, block, line, params, above):
        name, where, scope = line.words[0], f"line {line.number}", _Scope(params, line.number)
        kind = name[0]
        if kind == "x":
            self._instance(circuit, block, line, params, above)
        elif kind == "b":
            circuit.add(name, line.words[1], line.words[2], self._junction(block, line, scope), where)
        elif kind in "lrc":
            rest, named = scope.split(line.words[3:], ("temp",) if kind == "r" else ())
            if len(rest) != 1:
                raise _error(line.number, f"{name} must have two nodes and a value, got {' '.join(line.words[1:])}")
            value = scope.value(rest[0])
            element = (Inductor(value * 1e12) if kind == "l" else Capacitor(value * 1e12) if kind == "c"
                       else Resistor(value, temperature=named.get("temp")))
            circuit.add(name, line.words[1], line.words[2], element, where)
        elif kind in "iv":
            source = CurrentSource if kind == "i" else VoltageSource
            circuit.add(name, line.words[1], line.words[2], source(_waveform(line.words[3:], scope, name)), where)
        else:
            raise _error(line.number, f"{name}: elements {kind.upper()} are not supported; supported are "
                         "B L R C K I V X")

    def _junction(self, block, line, scope):
        rest, named = scope.split(line.words[3:], ("area", "ic", "temp"))
        known = self.top.models | block.models
        if len(rest) not in (1, 2):
            raise _error(line.number, f"{line.words[0]} must have two nodes (and a phase node) and a model")
        if rest[-1] not in known:
            raise _error(line.number, f"{line.words[0]}: there is no .model {rest[-1]}; known are "
                         f"{', '.join(sorted(known)) or 'none'}")
        model = _model(known[rest[-1]], scope)
        area = named["ic"] * 1e3 / model.icrit if "ic" in named else named.get("area", 1.0)
        return model.junction(area, named.get("temp"))

    def _instance(self, circuit, block, line, params, above):
        words = [word for word in line.words[1:] if "=" not in word]
        if len(words) != len(line.words) - 1:
            raise _error(line.number, f"{line.words[0]}: values at an instance are not supported; use .param")
        if words[0] in self.blocks:
            inner, nodes = self.blocks[words[0]], words[1:]
        elif words[-1] in self.blocks:
            inner, nodes = self.blocks[words[-1]], words[:-1]
        else:
            raise _error(line.number, f"{line.words[0]}: there is no .subckt {words[0]} or {words[-1]}; known are "
                         f"{', '.join(sorted(self.blocks)) or 'none'}")
        circuit.include(line.words[0], self.build(inner.name, inner, params, above), *nodes,
                        where=f"line {line.number}")


def _model(line, scope):
    words = [word for word in line.words[2:] if word not in ("jj", "(", ")")]
    if "jj" not in line.words[2:3]:
        raise _error(line.number, f".model {line.words[1]} must be of type jj")
    values = {}
    for word in words:
        key, _, text = word.partition("=")
        if key not in MODEL:
            raise _error(line.number, f".model {line.words[1]}: {key} is not supported; supported are "
                         f"{', '.join(MODEL)}")
        name, unit = MODEL[key]
        values[name] = int(scope.value(text)) if name == "rtype" else scope.value(text) * unit
    return JunctionModel(**values)


def _waveform(words, scope, name):
    unit = 1e3
    if words[0] in ("pwl", "pulse", "sin", "dc"):
        shape, numbers = words[0], [scope.value(word) for word in words[1:]]
    else:
        shape, numbers = "dc", [scope.value(word) for word in words]
    if shape == "dc" and len(numbers) == 1:
        return Constant(numbers[0] * unit)
    if shape == "pwl" and len(numbers) >= 2 and len(numbers) % 2 == 0:
        return PiecewiseLinear([t * 1e12 for t in numbers[::2]], [a * unit for a in numbers[1::2]])
    if shape == "pulse" and len(numbers) in (6, 7):
        low, high, *times = numbers
        names = ("delay", "rise", "fall", "width", "period")
        return Pulse(low * unit, high * unit, **dict(zip(names, (t * 1e12 for t in times), strict=False)))
    if shape == "sin" and len(numbers) in (3, 4):
        late = {"delay": numbers[3] * 1e12} if len(numbers) == 4 else {}
        return Sine(numbers[0] * unit, numbers[1] * unit, frequency=numbers[2] * 1e-12, **late)
    raise _error(scope.number, f"{name}: {shape} with {len(numbers)} numbers is not supported; write dc A, "
                 "pwl(t a t a ...), pulse(low high delay rise fall width [period]) or sin(offset amplitude frequency "
                 "[delay])")


def _assign(line, params):
    """Take over `name=expression` of a .param line."""
    parts = re.split(r"\s+(?=[a-z_]\w*=)", line.words[1])
    for part in parts:
        name, equals, text = part.partition("=")
        if not equals:
            raise _error(line.number, f".param needs name=value, got {part!r}")
        params[name.strip()] = _Scope(params, line.number).value(text.strip())


class _Scope:
    """Names and numbers that are known at a line."""

    def __init__(self, params, number):
        self.params, self.number = params, number

    def split(self, words, allowed):
        """Return the plain words, and the values of `name=value` among the allowed names."""
        named = {}
        for word in words:
            key, equals, text = word.partition("=")
            if equals and key not in allowed:
                raise _error(self.number, f"{key}= is not supported here; supported are {', '.join(allowed) or 'none'}")
            if equals:
                named[key] = self.value(text)
        return [word for word in words if "=" not in word], named

    def value(self, text: str) -> float:
        """Return the value of a number with a suffix, a parameter, or an expression of them."""
        found = NUMBER.fullmatch(text)
        if found:
            return float(f"{float(found[1]) * SUFFIX.get(found[2], 1.0):.15g}")
        numbers = re.sub(r"(?<![\w.])((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?:meg|[fpnumkxgt])?)(?![\w.])",
                         lambda each: repr(self.value(each[1])), text)
        try:
            return float(self._evaluate(ast.parse(numbers, mode="eval").body))
        except NetworkError:
            raise
        except (SyntaxError, TypeError, ValueError, ZeroDivisionError, OverflowError):
            raise _error(self.number, f"{text!r} is no number, parameter or expression") from None

    def _evaluate(self, node):
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return node.value
        if isinstance(node, ast.Name):
            if node.id not in self.params:
                raise _error(self.number, f"there is no .param {node.id}")
            return self.params[node.id]
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](self._evaluate(node.left), self._evaluate(node.right))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value = self._evaluate(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            return FUNCTIONS[node.func.id](*map(self._evaluate, node.args))
        raise ValueError
