"""MNIST and every other file in the idx format, plain or gzipped.

Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-based learning applied to document recognition, Proc.
IEEE 86, 2278 (1998), and the description beside the files: two zero bytes, a code of the type, the number of
dimensions, the size of each (32 bits, big endian), then the numbers, big endian, last dimension fastest.
"""

import gzip
import math
import os
from pathlib import Path

import numpy as np

from neurosim.checks import describe_value
from neurosim.datasets.dataset import Dataset, Recordings
from neurosim.datasets.files import GZIP, check_choice, first_of, gunzip, refuse_packed
from neurosim.errors import FileError, ParameterError, UnsupportedError
from neurosim.files import reading, whole_file

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_HEAD = 4 + 4 * 255


class MNIST(Dataset):
    """MNIST: images of handwritten digits and their labels, from idx files, plain or gzipped.

    Items are (image, digit); an image is uint8 of shape (rows, columns), 0 is background. A plain file is read one
    image at a time, a gzipped one is unpacked when the first image is asked for.

    Args:
        images: name of the file of images, for example `train-images-idx3-ubyte.gz`.
        labels: name of the file of labels, for example `train-labels-idx1-ubyte.gz`.

    Raises:
        FileError: a file is missing, of another format or type, cut short or too long, a label is above 9, or there are
            not as many labels as images; a gzipped file of images is checked when the first image is asked for.

    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> write_idx(np.zeros((3, 28, 28), dtype=np.uint8), folder / "images.gz")
    >>> write_idx(np.array([4, 0, 9], dtype=np.uint8), folder / "labels")
    >>> digits = MNIST(folder / "images.gz", folder / "labels")
    >>> image, label = digits[2]
    >>> image.shape, label, len(digits)
    ((28, 28), 9, 3)
    """

    classes = tuple(str(digit) for digit in range(10))

    def __init__(self, images, labels):
        self._take(images, labels, 0, "; letters are read by EMNIST")

    def _take(self, images, labels, first, hint=""):
        """Take the names of the files; labels in the file begin at `first`."""
        values = read_idx(labels)
        if values.ndim != 1 or values.dtype != np.uint8:
            raise FileError(f"{labels} must hold labels, bytes in 1 dimension, "
                            f"it holds {_kind(values.dtype, values.ndim)}")
        last = first + len(self.classes) - 1
        wrong = (values < first) | (values > last)
        if wrong.any():
            bad = first_of(wrong)
            raise FileError(f"{labels}, record {bad} (byte {8 + bad}) must be a label {first} .. {last}, it is "
                            f"{values[bad]}{hint}")
        self.path = Path(images)
        self._head, self._shape = _checked_head(images)
        if self._shape[0] != len(values):
            raise FileError(f"{labels} must hold as many labels as {images} holds images, {self._shape[0]}, "
                            f"it holds {len(values)}")
        self.sensor_size = (self._shape[2], self._shape[1], 1)
        self._all = None
        self._set(values.astype(np.int64) - first)

    @property
    def images(self) -> np.ndarray:
        """Every image, uint8, shape (len, rows, columns)."""
        if self._all is None:
            self._all = read_idx(self.path)
        return self._upright(self._all[self._rows])

    def _upright(self, images):
        """The images of the file as they are to be seen; the last two axes are those of the file."""
        return images

    def load_all(self) -> Recordings:
        """Refuse: images are no events; use `images` and `labels`."""
        raise UnsupportedError("MNIST.load_all needs events and these are images; use its arrays images and labels")

    def _item(self, row):
        if self._all is None and self._head is None:
            self._all = read_idx(self.path)
        if self._all is not None:
            return self._upright(self._all[row]).copy()
        size = self._shape[1] * self._shape[2]
        with reading(self.path, "an idx file"), open(self.path, "rb") as file:
            file.seek(self._head + int(row) * size)
            data = file.read(size)
        if len(data) != size:
            raise FileError(f"{self.path} is cut short in record {row} (byte {self._head + int(row) * size})")
        return self._upright(np.frombuffer(data, dtype=np.uint8).reshape(self._shape[1:])).copy()

    def __getstate__(self):
        return {**self.__dict__, "_all": None}


DIGITS, UPPER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: For each split of EMNIST the label that comes first in its files, and the classes in their order.
SPLITS = {"byclass": (0, DIGITS + UPPER + UPPER.lower()), "bymerge": (0, DIGITS + UPPER + "abdefghnqrt"),
          "balanced": (0, DIGITS + UPPER + "abdefghnqrt"), "letters": (1, UPPER), "digits": (0, DIGITS),
          "mnist": (0, DIGITS)}


class EMNIST(MNIST):
    """EMNIST: handwritten letters and digits in the layout of MNIST, from the official idx files, plain or gzipped.

    The files hold every image with rows and columns exchanged; here they are upright as those of MNIST are. Labels
    count the classes from 0, also those of `letters`, whose files count from 1, so `classes[label]` is the
    character. In `letters` a class is a letter of either case; in `bymerge` and `balanced` those lower-case letters
    that look like upper-case ones (c i j k l m o p s u v w x y z) are of that class.

    Source: G. Cohen, S. Afshar, J. Tapson and A. van Schaik, EMNIST: extending MNIST to handwritten letters,
    IJCNN (2017).

    Args:
        images: name of the file of images, for example `emnist-letters-train-images-idx3-ubyte.gz`.
        labels: name of the file of labels, for example `emnist-letters-train-labels-idx1-ubyte.gz`.
        split: which of the six the files are: "byclass", "bymerge", "balanced", "letters", "digits" or "mnist".

    Raises:
        FileError: as for `MNIST`; a label is not one of the split's.
        ParameterError: there is no such split.

    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> stroke = np.zeros((1, 28, 28), dtype=np.uint8)
    >>> stroke[0, 3, 20] = 255
    >>> write_idx(stroke, folder / "images")
    >>> write_idx(np.array([26], dtype=np.uint8), folder / "labels")
    >>> letters = EMNIST(folder / "images", folder / "labels", "letters")
    >>> image, label = letters[0]
    >>> int(image[20, 3]), letters.classes[label]
    (255, 'Z')
    """

    def __init__(self, images: str | Path, labels: str | Path, split: str):
        check_choice("EMNIST.split", split, tuple(SPLITS))
        first, classes = SPLITS[split]
        self.split, self.classes = split, tuple(classes)
        self._take(images, labels, first, f"; split={split!r} must be that of the files")
        self.sensor_size = (self._shape[1], self._shape[2], 1)

    def _upright(self, images):
        return np.swapaxes(images, -1, -2)


def _checked_head(path) -> tuple:
    """(bytes of the header, shape) of a plain file of images; (None, shape) of a gzipped one."""
    with reading(path, "an idx file"), open(path, "rb") as file:
        raw = file.read(MOST_HEAD)
        length = os.fstat(file.fileno()).st_size
        zipped = raw[:2] == GZIP
        raw = gunzip(path, raw + file.read(4096), MOST_HEAD, beginning=True) if zipped else raw
    dtype, shape, head = _header(path, raw)
    if len(shape) != 3 or dtype != np.uint8:
        raise FileError(f"{path} must hold images, bytes in 3 dimensions, it holds {_kind(dtype, len(shape))}")
    if not zipped:
        _check_length(path, dtype, shape, head, length)
    return None if zipped else head, shape


def read_idx(path) -> np.ndarray:
    """Return the array of an idx file, plain or gzipped, in the machine's byte order.

    Args:
        path: name of the file.

    Raises:
        FileError: the file is missing, no idx file, or not as long as its header says; the sentence names the byte.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "numbers.gz"
    >>> write_idx(np.array([[1, 2], [3, -4]], dtype=np.int16), path)
    >>> read_idx(path)
    array([[ 1,  2],
           [ 3, -4]], dtype=int16)
    """
    with reading(path, "an idx file"):
        return parse_idx(path, Path(path).read_bytes())


def parse_idx(path, raw) -> np.ndarray:
    """Return the array of the bytes of an idx file; `path` is its name in messages."""
    if raw[:2] == GZIP:
        raw = gunzip(path, raw, _stated_length(path, raw))
    dtype, shape, head = _header(path, raw)
    _check_length(path, dtype, shape, head, len(raw))
    return np.frombuffer(raw, dtype=dtype, offset=head).reshape(shape).astype(dtype.newbyteorder("="))


def _stated_length(path, raw) -> int:
    """One byte more than the header inside a gzip file promises, so that no file unpacks to more than that."""
    dtype, shape, head = _header(path, gunzip(path, raw, MOST_HEAD, beginning=True))
    return head + math.prod(shape) * dtype.itemsize + 1


def _header(path, raw) -> tuple:
    """The type, the shape and the length in bytes of the header."""
    if raw[:2] != GZIP:
        refuse_packed(path, raw, "an idx file")
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in TYPES or raw[3] == 0:
        raise FileError(f"{path} is not an idx file: it must begin with the bytes 00 00, a type of 08 to 0e and a "
                        f"number of dimensions, it begins with {raw[:4].hex(' ') or 'nothing'}")
    head = 4 + 4 * raw[3]
    if len(raw) < head:
        raise FileError(f"{path} is cut short: its header must have {head} bytes, it has {len(raw)}")
    shape = tuple(int(n) for n in np.frombuffer(raw, dtype=">u4", count=raw[3], offset=4))
    return np.dtype(TYPES[raw[2]]), shape, head


def _check_length(path, dtype, shape, head, length):
    size = math.prod(shape[1:]) * dtype.itemsize
    due = head + shape[0] * size
    if length == due:
        return
    sides = " x ".join(map(str, shape))
    if length > due:
        raise FileError(f"{path} must have {due} bytes for {sides} numbers, it has more: data after byte {due}")
    record = (length - head) // size
    raise FileError(f"{path} must have {due} bytes for {sides} numbers, it has {length}: record {record} "
                    f"(byte {head + record * size}) is cut short")


def _kind(dtype, dimensions) -> str:
    return f"{dtype.name} in {dimensions} dimension{'s' if dimensions != 1 else ''}"


def write_idx(array, path) -> None:
    """Write an idx file, gzipped where the name ends in .gz; it appears whole or not at all.

    Args:
        array: uint8, int8, int16, int32, float32 or float64, of 1 to 255 dimensions.
        path: name of the file; one that exists is replaced.

    Raises:
        ParameterError: the format has no such array.
        FileError: the file cannot be written.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels"
    >>> write_idx(np.array([5, 0], dtype=np.uint8), path)
    >>> path.read_bytes().hex(" ")
    '00 00 08 01 00 00 00 02 05 00'
    """
    array = np.asarray(array)
    codes = {np.dtype(name).newbyteorder("="): code for code, name in TYPES.items()}
    code = codes.get(array.dtype.newbyteorder("="))
    if code is None or not 1 <= array.ndim <= 255 or max(array.shape) >= 2**32:
        raise ParameterError("write_idx.array must be uint8, int8, int16, int32, float32 or float64 of 1 or more "
                             f"dimensions, got {describe_value(array)} and type {array.dtype}")
    raw = bytes([0, 0, code, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    raw += array.astype(TYPES[code]).tobytes()
    with whole_file(path) as file:
        file.write(gzip.compress(raw, mtime=0) if str(path).endswith(".gz") else raw)
