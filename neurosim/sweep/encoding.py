"""Values as text, one text for each value in any process, and the keys and seeds that follow from it.

The text is JSON. What JSON lacks is a list that begins with a tag: `["tuple", ...]`, `["dict", [name, value], ...]`,
`["array", dtype, shape, base64]`; a list is `["list", ...]`. So 1, 1.0 and True are three values, as they are to a
function.
"""

import base64
import hashlib
import json
import math
from typing import Any

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError

PLAIN = "a number, text, True, False or None, or an array, list, tuple or dict (with names) of these"


def encode(value) -> str:
    """Return the text of a value; raise ParameterError where it is nothing that can be saved.

    >>> encode({"tau": 20.0, "layers": (1, 2)})
    '["dict",["tau",20.0],["layers",["tuple",1,2]]]'
    """
    try:
        return json.dumps(_plain(value), separators=(",", ":"))
    except RecursionError:
        raise ParameterError(f"a value that is saved must not hold itself, got {type(value).__name__}") from None


def decode(text: str) -> Any:
    """Return the value of a text.

    >>> decode(encode([1, (2.5, None)]))
    [1, (2.5, None)]
    """
    return _value(json.loads(text))


def key(point: dict, trial: int) -> str:
    """Return the name of one call: a digest of the values of its point, by name, and of its trial."""
    return hashlib.sha256(_sorted(point, trial)).hexdigest()[:32]


def seed(point: dict, trial: int) -> int:
    """Return the seed of one call, a whole number of 64 bits that follows from its values and its trial alone."""
    digest = hashlib.sha256(b"seed " + _sorted(point, trial)).digest()
    words = np.random.SeedSequence(int.from_bytes(digest, "little")).generate_state(1, np.uint64)
    return int(words[0])


def _sorted(point, trial) -> bytes:
    return encode([{name: point[name] for name in sorted(point)}, trial]).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic) and value.dtype.kind in "biufU" and type(value.item()) is not type(value):
        return _plain(value.item())
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else ["float", repr(value)]
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        array = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"))
        return ["array", array.dtype.str, list(value.shape), base64.b64encode(array.tobytes()).decode()]
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return [type(value).__name__, *map(_plain, value)]
    if type(value) is dict and all(type(name) is str for name in value):
        return ["dict", *([name, _plain(each)] for name, each in value.items())]
    raise ParameterError(f"a value that is saved must be {PLAIN}, got {describe_value(value)}")


def _value(plain: Any) -> Any:
    if not isinstance(plain, list):
        return plain
    tag, *rest = plain
    if tag == "float":
        return float(rest[0])
    if tag == "array":
        dtype, shape, data = rest
        return np.frombuffer(base64.b64decode(data), dtype=dtype).reshape(shape).copy()
    if tag == "dict":
        return {name: _value(each) for name, each in rest}
    found = [_value(each) for each in rest]
    return found if tag == "list" else tuple(found)
