"""The element lines of a deck: from their words to elements of a circuit."""

from hardware_models.sfq.circuit.deck.models import junction_model
from hardware_models.sfq.circuit.deck.sources import waveform
from hardware_models.sfq.circuit.elements import (
    Capacitor,
    CurrentSource,
    Inductor,
    PhaseSource,
    Resistor,
    VoltageSource,
)

NAMES = {"r": "resistor", "l": "inductor", "c": "capacitor"}
WARM = 1000.0  #: K above which a temperature is taken for a number with the suffix k
QUIET = "nfree"  #: word of JSIM: a resistor without noise


class Placer:
    """Puts the lines of one block into a circuit.

    Args:
        reader: what knows models, the times of .tran, files, spreads and what was skipped.
        circuit: where the elements go.
        block: whose lines they are.
        scope: of the parameters.
        path: names of the instances around it.
        given: texts of values that the instance gives for elements, by name.
    """

    def __init__(self, reader, circuit, block, scope, path, given):
        self.reader, self.circuit, self.block, self.scope = reader, circuit, block, scope
        self.path, self.given = path, given

    def value(self, text, line):
        """Return the value of a text; a remark behind it must not look like the rest of a product."""
        if line.remark and (line.remark in self.scope or line.remark.replace(".", "").isdigit()):
            raise line.place.error(f"is '* {line.remark}' a remark or part of a product? Write "
                                   f"{{{text}*{line.remark}}}, or put the remark on a line of its own")
        return self.scope.value(text, line.place)

    def place(self, line) -> None:
        """Put one line into the circuit."""
        name, kind = line.words[0], line.words[0][0]
        act = getattr(self, f"_{kind}", None) if kind.isalpha() else None
        if act is None:
            raise line.place.error(f"{name}: elements {kind.upper()} are not supported; supported are "
                                   "B L R C K I V P T E F G H X; if this line is a remark, begin it with *")
        act(name, line)

    # ---- passive --------------------------------------------------------------------------------------

    def _passive(self, name, line):
        kind = name[0]
        words = [word for word in line.words[3:] if word not in ("fcheck", QUIET)]
        if "fcheck" in line.words:
            self.reader.skip("fcheck", line)
        rest, named = self._split(words, line, ("temp", "spread", "neb") if kind == "r" else ("spread",))
        rest = [self.given[name]] if name in self.given else rest
        if len(rest) != 1:
            raise line.place.error(f"{name} must have two nodes and a value, got {' '.join(line.words[1:])}")
        value = self.value(rest[0].removeprefix(f"{kind}="), line)
        self._spread(name, kind, named, line)
        kelvin = self._kelvin(0.0 if QUIET in line.words else named.get("temp"), line)
        element = (Inductor(_unit(value, 1e12)) if kind == "l" else Capacitor(_unit(value, 1e12)) if kind == "c"
                   else Resistor(value, temperature=kelvin))
        self.circuit.add(name, line.words[1], line.words[2], element, str(line.place))

    _r = _l = _c = _passive

    def _k(self, name, line):
        words = line.words[1:]
        if len(words) != 3:
            raise line.place.error(f"{name} must name two inductors and a coupling, got {' '.join(words)}")
        k = self.value(words[2].removeprefix("k="), line)
        self.circuit.mutual(name, words[0], words[1], k, where=str(line.place))

    def _b(self, name, line):
        rest, named = self._split(line.words[3:], line, ("area", "ic", "temp", "spread", "neb"))
        if len(rest) not in (1, 2):
            raise line.place.error(f"{name} must have two nodes (and a phase node) and a model, got "
                                   f"{' '.join(line.words[1:])}")
        model = junction_model(*self.reader.model(rest[-1], self.block, self.scope, line))
        area = named["ic"] * 1e3 / model.icrit if "ic" in named else named.get("area", 1.0)
        self._spread(name, "b", named, line)
        self.circuit.add(name, line.words[1], line.words[2],
                         model.junction(area, self._kelvin(named.get("temp"), line)), str(line.place))
        if model.vshunt:
            self.circuit.add(f"{name}_shunt", line.words[1], line.words[2], Resistor(model.shunt(area)),
                             str(line.place))

    def _t(self, name, line):
        words = [word for word in line.words[1:] if word != "lossless"]
        rest, named = self._split(words, line, ("z0", "td", "loss", "len", "level"))
        if len(rest) != 4 or not {"z0", "td"} <= set(named):
            raise line.place.error(f"{name} must have four nodes, z0= and td=, got {' '.join(line.words[1:])}")
        if set(named) - {"z0", "td"}:
            raise line.place.error(f"{name}: only z0= and td= are supported (a line without losses); leave out "
                                   f"{', '.join(sorted(set(named) - {'z0', 'td'}))}")
        self.circuit.line(name, *rest, z0=named["z0"], delay=_unit(named["td"], 1e12), where=str(line.place))

    # ---- sources --------------------------------------------------------------------------------------

    def _source(self, name, line):
        words = [self.given[name]] if name in self.given else line.words[3:]
        if len(line.words) < 3 or not words:
            raise line.place.error(f"{name} must have two nodes and what it gives, got {' '.join(line.words[1:])}")
        kind = {"i": CurrentSource, "v": VoltageSource, "p": PhaseSource}[name[0]]
        wave = waveform(words, lambda text: self.value(text, line), line.place, name, self.reader.clock,
                        lambda file: self.reader.file(file, line), 1.0 if name[0] == "p" else 1e3)
        self.circuit.add(name, line.words[1], line.words[2], kind(wave), str(line.place))

    _i = _v = _p = _source

    def _controlled(self, name, line):
        words, kind, where = line.words[1:], name[0].upper(), str(line.place)
        if len(words) == 4 and kind in "FH":  # SPICE: the current of a voltage source
            self.circuit.controlled(name, kind, *words[:2], by=words[2], gain=self._gain(kind, words[3], line),
                                    where=where)
        elif len(words) == 5:
            gain = self._gain(kind, words[4], line)
            by = tuple(words[2:4])
            if kind in "FH":  # JoSIM: the current through a wire between two nodes
                by = f"{name}_wire"
                self.circuit.add(by, words[2], words[3], Resistor(0.0), where)
            self.circuit.controlled(name, kind, *words[:2], by=by, gain=gain, where=where)
        else:
            raise line.place.error(f"{name} must have two nodes, two control nodes and a gain, got {' '.join(words)}")

    _e = _f = _g = _h = _controlled

    def _gain(self, kind, text, line):
        return self.value(text, line)  # H: ohm = mV / mA; G: 1/ohm = mA / mV

    # ---- instances ------------------------------------------------------------------------------------

    def _x(self, name, line):
        words = [word for word in line.words[1:] if "=" not in word and word != "params:"]
        given = dict(word.split("=", 1) for word in line.words[1:] if "=" in word)
        blocks = self.reader.blocks
        if not words or not (words[0] in blocks or words[-1] in blocks):
            wished = [word for word in dict.fromkeys(words[:1] + words[-1:]) if not word.isdigit()] or words[:1]
            raise line.place.error(f"{name}: there is no .subckt {' or '.join(wished)}; known are "
                                   f"{', '.join(sorted(blocks)) or 'none'}; write it, or include its file")
        first = words[0] in blocks and (words[-1] not in blocks or len(blocks[words[0]].ports) == len(words) - 1)
        inner, nodes = (blocks[words[0]], words[1:]) if first else (blocks[words[-1]], words[:-1])
        values = {key: self.value(text, line) for key, text in given.items()}
        built = self.reader.build(name, inner, values, (*self.path, name), line)
        self.circuit.include(name, built, *nodes, where=str(line.place))

    # ---- common ---------------------------------------------------------------------------------------

    def _split(self, words, line, allowed):
        """Return the plain words, and the values of `name=value` among the allowed names."""
        named = {}
        for word in words:
            key, equals, text = word.partition("=")
            if not equals:
                continue
            if key not in allowed:
                raise line.place.error(f"{line.words[0]}: {key}= is not supported here; supported are "
                                       f"{', '.join(allowed) or 'none'}; leave it out")
            named[key] = self.value(text, line)
            if key == "neb":
                self.reader.skip("neb=", line)
        return [word for word in words if "=" not in word], named

    def _kelvin(self, value, line):
        if value is not None and value >= WARM:
            raise line.place.error(f"{line.words[0]}: temp={value:g} K is too warm: k means kilo; write 4.2 for 4.2 K")
        return value

    def _spread(self, name, kind, named, line):
        part = named.get("spread")
        if part is not None and not 0.0 <= part < 1.0:
            raise line.place.error(f"{name}: spread= must be >= 0 and < 1, got {part:g}")
        self.reader.spreads[".".join((*self.path, name))] = (kind, part)


def _unit(value, factor):
    return float(f"{value * factor:.15g}")
