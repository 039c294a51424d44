"""`read_deck`: the blocks of a deck, its controls, and the circuit that they make."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from hardware_models.sfq.circuit.circuit import Circuit
from hardware_models.sfq.circuit.deck.elements import WARM, Placer
from hardware_models.sfq.circuit.deck.prints import Print, prints, resolved
from hardware_models.sfq.circuit.deck.scope import Scope
from hardware_models.sfq.circuit.deck.sources import Clock
from hardware_models.sfq.circuit.deck.text import Line, Place, Source, logical_lines, read_text
from neurosim.checks import check_is
from neurosim.errors import FileError, NetworkError, NeurosimError, warn

#: Lines of other tools, or of analyses that are no run over time: skipped, and listed in one warning.
SKIPPED = (".neb", ".check", ".checkall", ".ac", ".dc", ".op", ".tf", ".four", ".fft", ".noise", ".disto", ".sens",
           ".measure", ".meas", ".options", ".option", ".opt", ".title", ".iv", ".width", ".probe", ".file", ".graph")
READ = (".model", ".subckt", ".ends", ".param", ".tran", ".temp", ".spread", ".include", ".print", ".plot", ".save",
        ".control ... .endc", ".end")
SPREAD = {"l": "l", "r": "r", "c": "c", "b": "area"}  #: kind of element: the parameter that is spread
TOO_MANY = 2_000_000  #: elements, beyond which a deck of a few lines is a mistake


class Deck(NamedTuple):
    """What a deck says.

    Attributes:
        circuit: the top level, with subcircuits included as `instance.element`.
        h, duration: of .tran, ps, or None.
        temperature: of .temp, K.
        start: when the output begins, ps (third number of .tran).
        interval: between two samples of the output, ps, or None for every step (fourth number of .tran).
        prints: what .print, .plot and .save ask for.
        spread: half widths of uniform factors by "element.parameter", from spread= and .spread.
        skipped: lines of other tools that were left out, as they are listed in the warning.
    """

    circuit: Circuit
    h: float | None
    duration: float | None
    temperature: float
    start: float = 0.0
    interval: float | None = None
    prints: tuple[Print, ...] = ()
    spread: dict[str, float] = {}
    skipped: tuple[str, ...] = ()


def read_deck(source: str | Path, *, folders=(), anywhere: bool = False) -> Deck:
    """Read a deck from a file, or from a text that holds at least one line break.

    Values are in SPICE units (A, V, s, H, ohm, F) with suffixes f p n u m k meg x g t; the circuit is in mA, mV, ps,
    pH, ohm, pF. Names do not depend on upper and lower case. Lines of other tools are skipped with one warning.

    Args:
        source: path of the file, or the text itself.
        folders: where included files are looked for besides the folder of the file that includes them.
        anywhere: whether included files may lie outside the deck's folder and `folders`.

    Raises:
        NetworkError: a line is not understood or does not fit; the message begins with its file and number.
        FileError: a file cannot be read.

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
    check_is("read_deck.source", source, (str, os.PathLike), "the text of a deck, or the name of its file")
    text, name, path = str(source), "deck", None
    if "\n" not in text:
        path = Path(source)
        text, name = read_text(path), path.stem
    files = Source(path, anywhere, folders)
    reader = _Reader(files, path)
    reader.sort(logical_lines(text, files, path, (path.resolve(),) if path else ()))
    return reader.deck(name)


class _Block:
    """The lines of a subcircuit, or of the top level."""

    def __init__(self, name, ports, place: Place, defaults=None):
        self.name, self.ports, self.place, self.defaults = name, list(ports), place, defaults or {}
        self.lines, self.params, self.models, self.texts = [], [], {}, []


class _Reader:
    def __init__(self, files, path):
        self.files, self.path = files, path
        self.top, self.blocks, self.globals = _Block("", (), Place("", 1)), {}, Scope()
        self.controls, self.prints = [], []
        self.skipped, self.spreads, self.clock = {}, {}, Clock()
        self.count, self.nested = 0, []

    # ---- sorting --------------------------------------------------------------------------------------

    def sort(self, lines):
        """Put every line into the block to which it belongs."""
        self.open, control = [self.top], None
        for line in lines:
            word = line.words[0]
            if control or word == ".control":
                control = self._inside_control(line, control)
            elif word in (".subckt", ".ends"):
                self._border(line)
            elif word.startswith("."):
                self._control(line)
            else:
                self.open[-1].lines.append(line)
            if word != ".ends":
                self.open[-1].texts.append(" ".join(line.words))
        if len(self.open) > 1:
            raise self.open[-1].place.error(f".subckt {self.open[-1].name} has no .ends")
        if control:
            raise control.place.error(".control has no .endc")

    def _inside_control(self, line, control):
        """Skip a line of a .control block, but for the run over time that it asks for; return what is still open."""
        word = line.words[0].lstrip(".")
        if control is None:
            self.skip(".control ... .endc", line)
            return line
        if word == "tran":
            self.controls.append(line._replace(words=[".tran", *line.words[1:]]))
        return None if word == "endc" else control

    def _border(self, line):
        if line.words[0] == ".ends":
            if len(self.open) == 1:
                raise line.place.error(".ends without .subckt; remove it, or add the beginning")
            self._finish(self.open.pop())
            return
        words = [word for word in line.words[1:] if "=" not in word and word != "params:"]
        if len(words) < 2:
            raise line.place.error(".subckt needs a name and at least one node")
        defaults = dict(word.split("=", 1) for word in line.words[1:] if "=" in word)
        self.open.append(_Block(words[0], words[1:], line.place, defaults))

    def _finish(self, block):
        old = self.blocks.get(block.name)
        if old and (old.ports, old.texts) != (block.ports, block.texts):
            raise block.place.error(f"there is a subcircuit {block.name} already ({old.place}), which differs; rename "
                                    "one of them")
        self.blocks.setdefault(block.name, block)

    def _control(self, line):
        word, block = line.words[0], self.open[-1]
        if word == ".param":
            block.params.append(line)
        elif word == ".model":
            self._model(line, block)
        elif word in (".tran", ".temp", ".spread"):
            self.controls.append(line)
        elif word in (".print", ".plot", ".save"):
            self.prints += prints(line)
        elif word in SKIPPED:
            self.skip(word, line)
        else:
            raise line.place.error(f"{word} is not supported; supported are {' '.join(READ)}; skipped with a warning "
                                   f"are {' '.join(SKIPPED)}; remove the line")

    def _model(self, line, block):
        if len(line.words) < 3:
            raise line.place.error(".model needs a name and a type, such as .model jmod jj(icrit=0.1m)")
        name, old = line.words[1], block.models.get(line.words[1])
        if old and old.words != line.words:
            raise line.place.error(f"there is a .model {name} already ({old.place}), which differs; rename one")
        block.models.setdefault(name, line)

    def skip(self, what: str, line: Line) -> None:
        """Note a line, or a word of one, that was left out."""
        self.skipped.setdefault(what, []).append(line.place)

    # ---- building -------------------------------------------------------------------------------------

    def deck(self, name) -> Deck:
        """Return what the sorted lines say."""
        for line in self.top.params:
            self.globals.define(line)
        self.globals.check()
        found = {"h": None, "duration": None, "temperature": 0.0, "start": 0.0, "interval": None}
        parts, seen = {}, {}
        for line in self.controls:
            word = line.words[0]
            if word in seen and seen[word].words != line.words and word != ".spread":
                raise line.place.error(f"{word} is given twice, also in {seen[word].place}; give it once")
            seen[word] = line
            if word == ".tran":
                found |= self._tran(line)
            elif word == ".temp":
                found["temperature"] = self._temp(line)
            else:
                parts |= self._spread(line)
        if found["h"]:
            self.clock = Clock(found["h"], found["duration"])
        circuit = self.build(name, self.top, {}, (), None)
        listed = tuple(_listed(what, places) for what, places in self.skipped.items())
        notes = [f"left out, since it is for other tools: {'; '.join(listed)}"] if listed else []
        loose = circuit.loose()
        if loose:
            shown = ", ".join(f"{node} (at {element})" for node, element in loose[:8])
            notes.append(f"nodes with one connection, which may be misspelt: {shown}{', ...' * (len(loose) > 8)}")
        asked = {each: resolved(each, circuit) for each in self.prints}
        if None in asked.values():
            unknown = ", ".join(f"{each.label} ({each.where})" for each, found in asked.items() if found is None)
            notes.append(f".print asks for what is not there: {unknown}")
        if notes:
            warn(f"{name}: {'. Also '.join(notes)}")
        kept = tuple(dict.fromkeys(filter(None, asked.values())))
        return Deck(circuit, prints=kept, spread=self._spread_of(parts), skipped=listed, **found)

    def _tran(self, line):
        words = [word for word in line.words[1:] if word not in ("uic", "dst")]
        if len(words) < 2:
            raise line.place.error(".tran needs a step and a stop time")
        step, stop, *more = (float(f"{self.globals.value(word, line.place) * 1e12:.12g}") for word in words)
        start, interval = (*more, 0.0, 0.0)[:2]
        if len(more) > 2 and more[2] != 0.0:
            raise line.place.error(f".tran: the fifth number, the width of a filter, must be 0, got {words[4]}; filter "
                                   "the output instead")
        if not step > 0.0 or not stop > 0.0 or start < 0.0 or interval < 0.0:
            raise line.place.error(".tran: step and stop must be > 0, start and print step >= 0, got "
                                   f"{' '.join(words)}")
        h, wide = (min(step, interval), max(step, interval)) if interval else (step, step)
        if start >= stop:
            raise line.place.error(f".tran: the output would begin at {start:g} ps, after the stop at {stop:g} ps; "
                                   "lower the third number")
        return {"h": h, "duration": stop, "start": start, "interval": wide}

    def _temp(self, line):
        if len(line.words) != 2:
            raise line.place.error(".temp needs a number, in K")
        value = self.globals.value(line.words[1], line.place)
        if not 0.0 <= value < WARM:
            raise line.place.error(f".temp must be >= 0 and < {WARM:g} K, got {value:g}; k means kilo: write 4.2 for "
                                   "4.2 K")
        return value

    def _spread(self, line):
        """Return the half widths of a .spread line by kind of element, "" for all others."""
        parts = {}
        for word in line.words[1:]:
            key, _, text = word.rpartition("=")
            value = self.globals.value(text, line.place)
            if key not in ("", *SPREAD) or not 0.0 <= value < 1.0:
                raise line.place.error(f".spread takes parts >= 0 and < 1, alone or for L= B= C= R=, got {word}")
            parts[key] = value
        return parts

    def _spread_of(self, parts):
        """Return the half width of every element that is spread: its own, else of its kind, else of all."""
        found = {}
        for name, (kind, own) in self.spreads.items():
            part = own if own is not None else parts.get(kind, parts.get("", 0.0))
            if part:
                found[f"{name}.{SPREAD[kind]}"] = part
        return found

    def build(self, name, block, values, path, line) -> Circuit:
        """Return the circuit of a block.

        Args:
            name: of the circuit.
            block: its lines.
            values: what the instance gives, by the name of a parameter or of an element.
            path: names of the instances around it, with its own.
            line: of the instance, or None for the top level.
        """
        if block.name in self.nested:
            raise block.place.error(f"subcircuit {block.name} contains itself")
        scope, given = (self.globals, {}) if block is self.top else self._scope(block, values, line)
        self.nested.append(block.name)
        circuit = Circuit(name, block.ports, lenient=True)
        placer = Placer(self, circuit, block, scope, path, given)
        for each in sorted(block.lines, key=_late):
            self._counted(each)
            try:
                placer.place(each)
            except FileError:
                raise
            except NeurosimError as error:
                raise (NetworkError(str(error)) if _placed(error, each)
                       else each.place.error(_named(each, error))) from None
            except IndexError:
                raise each.place.error(f"{each.words[0]}: something is missing at the end of the line") from None
        self.nested.pop()
        return circuit

    def _counted(self, line):
        self.count += 1
        if self.count > TOO_MANY:
            raise line.place.error(f"the deck has more than {TOO_MANY:,} elements; are subcircuits nested by mistake?")

    def _scope(self, block, values, line):
        """Return the scope of an instance, and what it gives for elements."""
        scope, given = Scope(self.globals), {}
        for each in block.params:
            scope.define(each)
        names = {each.words[0] for each in block.lines}
        used = set(re.findall(r"[a-z_][\w.]*", " ".join(block.texts)))
        for key, text in block.defaults.items():
            scope.texts.setdefault(key, (text, block.place))
        for key, value in values.items():
            if key in scope or (key in used and key not in names):
                scope.values[key] = value
            elif key in names and key[0] in "rlciv":
                given[key] = repr(value)
            else:
                raise line.place.error(f"{line.words[0]}: {block.name} has no parameter {key}, and no R, L, C, I or V "
                                       "of that name; remove it, or give .subckt the parameter")
        scope.check()
        return scope, given

    def model(self, name, block, scope, line):
        """Return the .model line of that name and the scope of its values: of the subcircuit, then global."""
        if name in block.models:
            return block.models[name], scope
        if name in self.top.models:
            return self.top.models[name], self.globals
        known = sorted({*block.models, *self.top.models})
        raise line.place.error(f"{line.words[0]}: there is no .model {name}; known are {', '.join(known) or 'none'}")

    def file(self, name, line) -> Path:
        """Return the path of a file that a line names."""
        return self.files.find(name, self.path, line.place)


def _late(line):
    """Couplings, and sources that another element controls, come after those."""
    return line.words[0][0] in "kfh"


def _placed(error, line):
    text = str(error)
    return text.startswith(("line ", f"{line.place.file}, line ")) or ", line " in text[:80]


def _named(line, error):
    text, name = str(error), line.words[0]
    return text if text.startswith(f"{name}:") else f"{name}: {text}"


def _listed(what, places):
    if not places:
        return what
    shown = ", ".join(str(place.number) if not place.file else str(place) for place in places[:3])
    lines = "line" if len(places) == 1 else "lines"
    return f"{what} ({lines} {shown}{f' and {len(places) - 3} more' if len(places) > 3 else ''})"
