"""A kernel: a compiled loop with named arguments, and the blocks of arguments that it is called with.

The engine's loop calls every kernel in the same way, `kernel(block, tick)`: a block is a row of
int64 that holds numbers and the addresses of arrays. So one compiled loop serves every network, and
only kernels, one for each combination of kinds that occurs, are generated.
"""

import struct
import textwrap
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurosim.engine import intrinsics, loader
from neurosim.engine.checked import CHECKING
from neurosim.engine.elementary import exp

_ALWAYS = {name: getattr(intrinsics, name)
           for name in ("bits_to_float64", "prefetch", "flags_of", "first_flag")} | {"exp": exp} | intrinsics.VIEWS
_HEADER = "import numpy as np\n\n\ndef kernel(args, tick):\n"


@dataclass(frozen=True)
class Array:
    """An argument that is an array: its dtype and the expression of its length in the kernel's text."""

    dtype: np.dtype
    length: str

    def __init__(self, dtype, length):
        object.__setattr__(self, "dtype", np.dtype(dtype))
        object.__setattr__(self, "length", str(length))


@dataclass(frozen=True)
class Number:
    """An argument that is a number, in an array of one, so that another can be put there between runs."""

    dtype: np.dtype

    def __init__(self, dtype):
        object.__setattr__(self, "dtype", np.dtype(dtype))


INT, REAL = "int", "real"
LINE = 16  #: numbers of 32 bits in a cache line


def aligned(value, n: int, dtype) -> np.ndarray:
    """Return n numbers, a value for all or for each, in an array that begins with a cache line.

    The loop over neurons is bound by loads and stores; vectors that lie across two lines make it 1.7 times slower.
    """
    size, line = n * np.dtype(dtype).itemsize, 4 * LINE
    room = np.zeros(size + line, dtype=np.uint8)
    first = -room.ctypes.data % line
    array = room[first:first + size].view(dtype)
    if np.any(value):
        array[:] = value
    return array


@dataclass(frozen=True)
class Kernel:
    """A loop over the elements of one part of a network.

    Args:
        name: what it does, one word.
        fields: its arguments by name: INT, REAL, an Array, or a Number; in the order in which they are unpacked.
        body: the text of the loop, in which the arguments are variables.
        leaves: the scalar bodies that the text calls, by name.
        real: float type of REAL arguments and of the constants in the leaves.
    """

    name: str
    fields: dict
    body: str
    leaves: dict
    real: type

    @cached_property
    def address(self) -> int:
        """Where the compiled code is; compiles it when first asked."""
        return loader.load_kernel(self.name, self.text, {**_ALWAYS, **self.leaves}, self.real)

    @cached_property
    def text(self) -> str:
        """The source of the module that is compiled."""
        lines = [self._unpack(position, name, kind) for position, (name, kind) in enumerate(self.fields.items())]
        return _HEADER + textwrap.indent("\n".join(lines) + "\n" + textwrap.dedent(self.body), "    ")

    def _unpack(self, position, name, kind):
        if kind == INT:
            return f"{name} = args[{position}]"
        if kind == REAL:
            return f"{name} = np.{np.dtype(self.real).name}(bits_to_float64(args[{position}]))"
        if isinstance(kind, Number):
            return f"{name} = number_{kind.dtype.name}(args[{position}])"
        length = f"args[{len(self.fields) + position}]" if CHECKING else kind.length
        return f"{name} = array_{kind.dtype.name}(args[{position}], {length})"

    def block(self, **values) -> "Block":
        """Return a block of arguments; every field must be given."""
        return Block(self, values)


class Block:
    """The arguments of one call of a kernel; keeps the arrays alive."""

    def __init__(self, kernel: Kernel, values: dict):
        missing = set(kernel.fields) ^ set(values)
        if missing:
            raise KeyError(f"{kernel.name}: {sorted(missing)}")
        self.kernel, self.values = kernel, dict(values)
        words = [_word(kernel.fields[name], values[name], name) for name in kernel.fields]
        sizes = [np.size(values[name]) for name in kernel.fields] if CHECKING else []
        self.row = np.array(words + sizes, dtype=np.int64)

    def set(self, name: str, value) -> None:
        """Change one argument between runs."""
        position = list(self.kernel.fields).index(name)
        self.row[position] = _word(self.kernel.fields[name], value, name)
        self.values[name] = value
        if CHECKING:
            self.row[len(self.kernel.fields) + position] = np.size(value)


def _word(kind, value, name) -> int:
    if kind == INT:
        return int(value)
    if kind == REAL:
        return struct.unpack("<q", struct.pack("<d", float(value)))[0]
    if value.dtype != kind.dtype or not value.flags.c_contiguous:
        raise TypeError(f"{name} must be a contiguous array of {kind.dtype}, got {value.dtype}")
    return value.ctypes.data
