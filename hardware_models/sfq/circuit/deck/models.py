"""`.model NAME jj(...)`: what JoSIM, JSIM and WRspice write there, as a `JunctionModel`."""

import math
import re

from hardware_models.sfq.circuit.deck.text import Line, split
from hardware_models.sfq.circuit.elements import JunctionModel

KNOWN = {"rtype": ("rtype", 1), "ic": ("icrit", 1e3), "icrit": ("icrit", 1e3), "c": ("cap", 1e12),
         "cap": ("cap", 1e12), "r0": ("r0", 1), "rn": ("rn", 1), "rnorm": ("rn", 1), "rsub": ("r0", 1),
         "vg": ("vg", 1e3), "vgap": ("vg", 1e3), "delv": ("delv", 1e3), "phi": ("phi", 1), "vshunt": ("vshunt", 1e3)}
#: Without effect at these values: temperatures where the transparency d is 0, and what WRspice has by default.
NEUTRAL = {"t": None, "tc": None, "temp": None, "icon": None, "d": (0.0,), "cct": (1.0,), "level": (1.0,),
           "icfct": (math.pi / 4,), "icfact": (math.pi / 4,), "cpr": (1.0,)}


def junction_model(line: Line, scope) -> JunctionModel:
    """Return the process that a .model line describes; its values are worked out in a scope."""
    place, name = line.place, line.words[1]
    text = " ".join(line.words[2:])
    found = re.match(r"jj\b\s*(.*)$", text)
    if not found:
        raise place.error(f".model {name} must be of type jj, got {text or 'none'}; only junctions have models here")
    inner = found[1].strip()
    inner = inner[1:-1] if inner.startswith("(") and inner.endswith(")") else inner
    values = {}
    for word in split(inner, place)[0] if inner.strip() else []:
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise place.error(f".model {name}: {word!r} must be name=value")
        number = scope.value(value, place)
        if key in NEUTRAL:
            _neutral(place, name, key, number)
        elif key not in KNOWN:
            raise place.error(f".model {name}: {key} is not supported; supported are {', '.join([*KNOWN, *NEUTRAL])}; "
                              "leave it out")
        else:
            known, unit = KNOWN[key]
            values[known] = int(number) if known == "rtype" and number == int(number) else number * unit
    return JunctionModel(**values)


def _neutral(place, name, key, number):
    allowed = NEUTRAL[key]
    if allowed and not any(math.isclose(number, each, rel_tol=1e-3, abs_tol=1e-12) for each in allowed):
        raise place.error(f".model {name}: {key} is supported at {allowed[0]:.6g} only, got {number:g}; leave it out, "
                          "or describe the junction by rn, r0, vg and delv")
