"""Which parameters are known where: those of a subcircuit, then the global ones, then constants."""

import re

from hardware_models.sfq.circuit.deck.expressions import CONSTANTS, evaluate
from hardware_models.sfq.circuit.deck.text import Line, Place
from neurosim.errors import NetworkError


class Scope:
    """Names and their expressions; each is worked out when it is first asked for, so that their order is free.

    Args:
        above: the global scope, or None where this is it.
    """

    def __init__(self, above: "Scope | None" = None):
        self.above, self.texts, self.values, self.busy = above, {}, {}, []

    def define(self, line: Line) -> None:
        """Take over the `name=expression` of a .param line."""
        if len(line.words) < 2:
            raise line.place.error(".param needs name=value")
        parts = re.split(r"(?:\s*,\s*|\s+)(?=[a-z_][\w.]*=)", line.words[1])
        for part in parts:
            name, equals, text = (each.strip() for each in part.rstrip(", ").partition("="))
            if not equals or not name or not text:
                raise line.place.error(f".param needs name=value, got {part!r}")
            self.give(name, text, line.place)

    def give(self, name: str, text: str, place: Place) -> None:
        """Take over one name; it may be given again by the same text only."""
        old = self.texts.get(name)
        if old and old[0].replace(" ", "") != text.replace(" ", ""):
            raise place.error(f"the parameter {name} is given twice, as {old[0]} ({old[1]}) and as {text}; give it "
                              "once")
        self.texts.setdefault(name, (text, place))

    def __contains__(self, name):
        return name in self.values or name in self.texts

    def check(self) -> None:
        """Work out every parameter, so that wrong ones are refused although nobody asks for them."""
        for name, (_, place) in self.texts.items():
            self._named(name, place)

    def value(self, text: str, place: Place) -> float:
        """Return the value of a number with a suffix, a parameter, or an expression of them."""
        try:
            return evaluate(text, lambda name: self._named(name, place))
        except NetworkError:
            raise
        except (ValueError, TypeError, ZeroDivisionError, OverflowError, RecursionError):
            raise place.error(f"{text!r} is no number, parameter or expression of them with a finite value") from None

    def _named(self, name, place):
        if name in self.values:
            return self.values[name]
        if name in self.texts:
            if name in self.busy:
                raise place.error(f"the parameter {name} needs itself: {' -> '.join([*self.busy, name])}")
            if len(self.busy) > 150:
                raise place.error(f"the parameter {name} needs more than 150 others, one through the other")
            self.busy.append(name)
            try:
                self.values[name] = self.value(*self.texts[name])
            finally:
                self.busy.pop()
            return self.values[name]
        if self.above:
            return self.above._named(name, place)
        if name in CONSTANTS:
            return CONSTANTS[name]
        raise place.error(f"there is no .param {name}")
