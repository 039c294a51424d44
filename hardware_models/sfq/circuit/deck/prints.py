"""`.print` and its kin: which quantities a deck asks for."""

import re
from typing import NamedTuple

from hardware_models.sfq.circuit.deck.text import Line

SHORT = {"v": "v", "i": "i", "c": "i", "p": "p"}
LONG = re.compile(r"(dev|div|node)(v|i|p)|phase")  #: DIVV stands for DEVV in decks of JSIM
UNITS = {"v": "Voltage", "i": "Current", "p": "Phase"}


class Print(NamedTuple):
    """One quantity: "v" (voltage), "i" (current) or "p" (phase), of a device or node, or between two nodes."""

    quantity: str
    names: tuple[str, ...]
    where: str

    @property
    def label(self) -> str:
        """The name of the column in a file, as JoSIM writes it: I(B1|X1)."""
        return f"{self.quantity.upper()}({','.join(_outward(each) for each in self.names)})"


def _outward(name):
    """x1.x2.b1 is B1|X2|X1 in JoSIM's files."""
    return "|".join(reversed(name.upper().split(".")))


def _inward(name):
    """B1.X2.X1 and B1|X2|X1 of a deck are x2... here: x1.x2.b1."""
    return ".".join(reversed(re.split(r"[.|]", name.lower())))


def prints(line: Line) -> list[Print]:
    """Return what a .print, .plot or .save line asks for."""
    text = re.sub(r"\s+(?=[(),])|(?<=[(,])\s+", "", " ".join(line.words[1:]))
    words = [word for word in re.split(r"\s+", text) if word and word != "tran"]
    where, found = str(line.place), []
    while words:
        word = words.pop(0)
        inside = re.fullmatch(r"([vicp])\((.+)\)", word)
        device = re.fullmatch(r"@(.+)\[([vicp])\]", word)
        branch = re.fullmatch(r"(.+)#branch", word)
        if inside:
            names = inside[2].split(",")
            found.append(Print(SHORT[inside[1]], tuple(map(_inward, names)), where))
        elif device:
            found.append(Print(SHORT[device[2]], (_inward(device[1]),), where))
        elif branch:
            found.append(Print(SHORT["i"], (_inward(branch[1]),), where))
        elif (spoken := LONG.fullmatch(word)) and words:
            many = 2 if spoken[1] == "node" and len(words) > 1 else 1
            names, words = words[:many], words[many:]
            found.append(Print(spoken[2] or "p", tuple(_inward(each) for each in names), where))
        else:
            raise line.place.error(f"{line.words[0]} {word}: write v(node), v(device), p(device), i(device), or DEVV, "
                                   "DEVI, PHASE, NODEV, NODEP and a name")
    return found


def resolved(each: Print, circuit) -> Print | None:
    """Return a request with the names that a circuit has, or None where it has none of that name.

    X1_B2 of JSIM is B2 in X1 where nothing else is called so.
    """
    found = []
    for name in each.names:
        fits = [known for known in (name, name.replace("_", ".")) if known in circuit.placed or known in circuit.lines
                or (each.quantity != "i" and circuit.has_node(known))]
        if not fits:
            return None
        found.append(fits[0])
    return each._replace(names=tuple(found))
