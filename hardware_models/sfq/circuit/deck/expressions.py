"""Numbers with suffixes, parameters, and expressions of them, as decks have them."""

import math
import operator
import re

SUFFIX = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "x": 1e6, "g": 1e9, "t": 1e12}
NUMBER = re.compile(r"((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-zµμ]*)")
TOKEN = re.compile(rf"\s*(?:(?P<number>{NUMBER.pattern})|(?P<name>[a-z_][\w.@#]*)|(?P<sign>\*\*|[-+*/^(),]))")
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
FUNCTIONS = {name: getattr(math, name) for name in (
    "sqrt cbrt exp log log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh floor ceil pow").split()}
FUNCTIONS |= {"ln": math.log, "abs": abs, "max": max, "min": min, "int": math.trunc,
              "sgn": lambda x: math.copysign(1.0, x) if x else 0.0}
CONSTANTS = {"pi": math.pi, "phi_zero": 2.067833848e-15, "boltzmann": 1.380649e-23, "ev": 1.602176634e-19,
             "hbar": 1.054571817e-34, "c": 299792458.0, "mu0": 1.25663706212e-6, "eps0": 8.8541878128e-12,
             "sigma": 2.067833848e-15 / (2.0 * math.pi)}  #: SI, CODATA 2018
DEEPEST = 60  #: brackets within each other


def number(text: str) -> float | None:
    """Return the value of a number with a suffix and perhaps a unit, in small letters, or None.

    >>> number("2.5ph"), number("1meg"), number("3µa"), number("lots")
    (2.5e-12, 1000000.0, 3e-06, None)
    """
    sign = -1.0 if text[:1] == "-" else 1.0
    found = NUMBER.fullmatch(text[1:] if text[:1] in ("-", "+") else text)
    if not found or found[2][:1] == "e":
        return None
    letters = found[2].replace("µ", "u").replace("μ", "u")
    factor = 1e6 if letters.startswith("meg") else SUFFIX.get(letters[:1], 1.0)
    return sign * float(f"{float(found[1]) * factor:.15g}")


def evaluate(text: str, lookup) -> float:
    """Return the value of an expression: + - * / ^ **, brackets, braces, functions, names that `lookup` knows.

    Raises:
        ValueError: the text is no expression.

    >>> evaluate("(1+2)*2", {}.__getitem__), evaluate("{2*100ph}", {}.__getitem__)
    (6.0, 2e-10)
    """
    plain = text.strip().strip("'\"").translate(str.maketrans("{}[]", "()()"))
    value = number(plain)
    if value is None:
        parser = _Parser(_tokens(plain), lookup)
        value = float(parser.sum())
        if parser.tokens[parser.at:]:
            raise ValueError
    if not math.isfinite(value):
        raise ValueError
    return value


def _tokens(text):
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise ValueError
        if found["number"] is not None:
            value = number(found["number"])
            if value is None:
                raise ValueError
            tokens.append(value)
        else:
            tokens.append(found["name"] or found["sign"].replace("**", "^"))
        at = found.end()
    return tokens


class _Parser:
    """Recursive descent: sums of products of powers."""

    def __init__(self, tokens, lookup):
        self.tokens, self.lookup, self.at, self.depth = tokens, lookup, 0, 0

    def take(self, *signs):
        if self.at < len(self.tokens) and self.tokens[self.at] in signs:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def sum(self):
        return self._chain(self._product, "+", "-")

    def _product(self):
        return self._chain(self._signed, "*", "/")

    def _chain(self, part, *signs):
        value = part()
        while sign := self.take(*signs):
            value = OPERATORS[sign](value, part())
        return value

    def _signed(self):
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError
        sign = self.take("+", "-")
        value = self._signed() if sign else self._power()
        self.depth -= 1
        return -value if sign == "-" else value

    def _power(self):
        base = self._atom()
        if not self.take("^"):
            return base
        value = float(base) ** self._signed()
        if isinstance(value, complex):
            raise ValueError
        return value

    def _atom(self):
        if self.at >= len(self.tokens):
            raise ValueError
        token = self.tokens[self.at]
        self.at += 1
        if isinstance(token, float):
            return token
        if token == "(":
            value = self.sum()
            self._close()
            return value
        if not (token[0].isalpha() or token[0] == "_"):
            raise ValueError
        if self.take("("):
            return self._call(token)
        return self.lookup(token)

    def _call(self, name):
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self._close()
        if name not in FUNCTIONS:
            raise ValueError
        return float(FUNCTIONS[name](*arguments))

    def _close(self):
        if not self.take(")"):
            raise ValueError
