"""Files that appear whole or not at all, and the one form of error of all that is read and written.

HDF5 files are written through `Pages`: where a write fails inside it, the HDF5 library may end the process or leave a
file that nobody can open. So it writes to an object that never fails, and the bytes go to the disk by ordinary writes.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurosim.checks import describe_value
from neurosim.errors import FileError, ParameterError, UnsupportedError

PAGE = 4096  #: bytes
MOST_PAGES = 1 << 14  #: that are held where pages may go to the file below early, 64 MiB
DIRECT = 1 << 16  #: writes of so many bytes are data, which HDF5 does not need again; shorter ones may be its tables
_KINDS = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a named pipe", stat.S_ISSOCK: "a socket",
          stat.S_ISCHR: "a device", stat.S_ISBLK: "a device"}


def h5py():
    """Return h5py; raise UnsupportedError where it is not installed."""
    try:
        import h5py
    except ImportError:
        raise UnsupportedError("HDF5 files need h5py; install it with `pip install h5py`") from None
    return h5py


def as_path(what: str, value) -> Path:
    """Return the name of a file or folder as a path; raise ParameterError where it is none."""
    if not isinstance(value, (str, os.PathLike)) or "\0" in os.fspath(value):
        raise ParameterError(f"{what} must be the name of a file, a str or a Path, got {describe_value(value)}")
    return Path(value)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its name."""
    return (str(error).splitlines() or [type(error).__name__])[0]


# ---- reading --------------------------------------------------------------------------------------


@contextmanager
def reading(path, what: str):
    """Turn whatever goes wrong while a file is read into one FileError that names it.

    Args:
        path: the file.
        what: what it must be, as in "a CSV file of spikes".
    """
    as_path("path", path)
    try:
        yield
    except (FileError, ParameterError, UnsupportedError, NameError):
        raise
    except FileNotFoundError:
        raise FileError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise FileError(f"{path} must be {what}, it is a folder") from None
    except PermissionError:
        raise FileError(f"{path} cannot be read: permission denied") from None
    except (MemoryError, RecursionError):
        raise FileError(f"{path} is not {what} or is damaged: it asks for more memory than there is") from None
    except Exception as error:  # numpy, zipfile and h5py raise a dozen kinds on damaged files
        raise FileError(f"{path} is not {what} or is damaged: {first_line(error)}") from None


# ---- writing --------------------------------------------------------------------------------------


@contextmanager
def writing(path):
    """Turn what goes wrong while a file is written into one FileError that names it."""
    try:
        yield
    except FileError:
        raise
    except FileNotFoundError:
        raise FileError(f"{path} cannot be written: its folder does not exist") from None
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or first_line(error)}") from None


def check_writable(path) -> None:
    """Raise FileError where something that is no regular file, which writing would replace, has this name."""
    with writing(path):
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            return
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS.items() if test(mode)), "something else")
        raise FileError(f"{path} cannot be written: a file of that name would take the place of {kind}; give the name "
                        "of a file")


@contextmanager
def whole_file(path, encoding: str | None = None) -> Iterator[Any]:
    """Give a new file that takes the place of `path` at the end; where anything fails, `path` stays as it was.

    Args:
        path: name of the file; a regular file that exists is replaced, what is something else is refused.
        encoding: of a file of text, whose lines end as they are written; None for bytes.

    Raises:
        FileError: the file cannot be written.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> with whole_file(path, encoding="utf-8") as file:
    ...     print("one line", file=file)
    >>> path.read_text()
    'one line\\n'
    """
    check_writable(as_path("path", path))
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    text: dict[str, Any] = {} if encoding is None else {"encoding": encoding, "newline": ""}
    try:
        with writing(path):
            with open(temporary, "x+b" if encoding is None else "x", **text) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_hdf5(path) -> Iterator[Any]:
    """Give an open HDF5 file that takes the place of `path` at the end, as `whole_file` does; a full disk is an error.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "numbers.h5"
    >>> with whole_hdf5(path) as file:
    ...     file["numbers"] = [1, 2, 3]
    >>> with h5py().File(path) as file:
    ...     file["numbers"][:]
    array([1, 2, 3])
    """
    library = h5py()
    with whole_file(path) as raw:
        pages = Pages(raw.raw, direct=True)
        with library.File(pages, "w") as file:
            yield file
        pages.finish()


class Pages:
    """A file object whose writes never fail: they stay in memory, by page, before the bytes of a file below.

    Args:
        base: the file below, open without a buffer, for reading and for what is written at the end.
        direct: whether long writes go to the file below at once, and pages when there are many; an error is kept until
            `finish`.
    """

    def __init__(self, base, direct: bool = False):
        self.base, self.direct, self.error = base, direct, None
        self.size, self.at, self.pages = base.seek(0, os.SEEK_END), 0, {}

    # What HDF5 calls.

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def tell(self) -> int:
        """Return the place."""
        return self.at

    def flush(self) -> None:
        """Do nothing: what is written belongs to `finish`."""

    def truncate(self, size: int) -> int:
        """Set the length of the file."""
        self.size = size
        return size

    def read(self, count: int = -1) -> bytes:
        """Return bytes from the place on."""
        buffer = bytearray(max(0, self.size - self.at if count < 0 else count))
        return bytes(buffer[:self.readinto(buffer)])

    def readinto(self, buffer) -> int:
        """Fill a buffer from the place on; return how many bytes there were."""
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self.size - self.at))
        self.base.seek(self.at)
        done = 0
        while done < count and (more := self.base.readinto(view[done:count])):
            done += more
        view[done:count] = bytes(count - done)
        for number, begin, end, there in self._pieces(count):
            if number in self.pages:
                view[there:there + end - begin] = self.pages[number][begin:end]
        self.at += count
        return count

    def write(self, data) -> int:
        """Put bytes at the place."""
        view = memoryview(data).cast("B")
        count = len(view)
        long = self.direct and count >= DIRECT
        for number, begin, end, there in self._pieces(count):
            if not (long and end - begin == PAGE):
                self._page(number)[begin:end] = view[there:there + end - begin]
        if long:
            first, last = -(-self.at // PAGE), (self.at + count) // PAGE
            for number in range(first, last):
                self.pages.pop(number, None)
            self._below(view[first * PAGE - self.at:last * PAGE - self.at], first * PAGE)
        self.at += count
        self.size = max(self.size, self.at)
        if self.direct and len(self.pages) > MOST_PAGES:
            self._spill()
        return count

    def _pieces(self, count):
        """Which part of which page each piece of `count` bytes is: (page, begin, end in it, place in the bytes)."""
        there = 0
        while there < count:
            number, begin = divmod(self.at + there, PAGE)
            end = min(PAGE, begin + count - there)
            yield number, begin, end, there
            there += end - begin

    def _page(self, number: int) -> bytearray:
        if number not in self.pages:
            self.pages[number] = bytearray(self.below(number))
        return self.pages[number]

    def below(self, number: int) -> bytes:
        """Return a page of the file below."""
        self.base.seek(number * PAGE)
        return self.base.read(PAGE).ljust(PAGE, b"\0")

    def _spill(self):
        """Write all pages to the file below, from where they are read again when they are needed."""
        for number in sorted(self.pages):
            self._below(self.pages[number], number * PAGE)
        if self.error is None:  # else HDF5 goes on with what is in memory
            self.pages.clear()

    def _below(self, data, offset):
        try:
            if self.error is None:
                write_at(self.base, data, offset)
        except OSError as error:
            self.error = error

    # What writes the bytes.

    def finish(self) -> None:
        """Write all pages to the file below; raise the first OSError that there was."""
        if self.error is not None:
            raise self.error
        for number in sorted(self.pages):
            write_at(self.base, self.pages[number][:max(0, self.size - number * PAGE)], number * PAGE)
        self.base.truncate(self.size)


def write_at(base, data, offset: int) -> None:
    """Write all of some bytes at a place of a file that is open without a buffer."""
    view = memoryview(data)
    base.seek(offset)
    while view:
        view = view[base.write(view):]


__all__ = ["Pages", "check_writable", "first_line", "h5py", "reading", "whole_file", "whole_hdf5", "write_at",
           "writing"]
