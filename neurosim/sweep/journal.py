"""What a sweep has done, on disk: files that only grow, one for each process that writes.

A line is a checksum, a space and JSON. A process that is killed while it writes leaves at most an unfinished last line,
which is left out when the file is read; a line that does not fit its checksum before a whole one is damage.

A process holds a lock on its file while it works on a point, and the sweep itself on `driver`. The system takes a lock
away from a dead process. So a worker whose sweep has ended finds that out before its next point, and a sweep that is
started again waits for workers that the last one left behind.
"""

import json
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurosim.errors import FileError, SimulationError
from neurosim.files import reading, whole_file, writing

try:
    import fcntl
except ImportError:  # on Windows there are no such locks, and nothing is held
    fcntl = None

PAUSE = 0.02  #: s between two looks at a lock
PATIENCE = 1.0  #: s until a lock is held for good: workers hold that of the sweep for a moment when they look


def line(entry: dict) -> bytes:
    """Return the line of an entry."""
    text = json.dumps(entry, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def entries(path: Path) -> Iterator[dict]:
    """Yield the whole entries of a file.

    Raises:
        FileError: the file is damaged before its last whole line.
    """
    with reading(path, "a file of results of a sweep"):
        lines = Path(path).read_bytes().split(b"\n")
        found = [_entry(each) for each in lines[:-1]]  # what is behind the last line break was never finished
        while found and found[-1] is None:
            found.pop()
    for number, entry in enumerate(found, 1):
        if entry is None:
            raise FileError(f"{path} is damaged: line {number} does not fit its checksum; take the file away, and what "
                            "it holds is computed again")
        yield entry


def _entry(text: bytes) -> dict | None:
    check, _, rest = text.partition(b" ")
    return json.loads(rest) if check == b"%08x" % zlib.crc32(rest) else None


class Journal:
    """The files of one sweep in a folder.

    Args:
        folder: of the sweep.
        session: a name for this run of it.
    """

    def __init__(self, folder: Path, session: str):
        self.folder, self.session = Path(folder), session

    # ---- the sweep

    @contextmanager
    def driving(self):
        """Hold the folder for this run of the sweep; workers of an earlier one have ended then.

        Raises:
            FileError: another process runs a sweep in this folder, or it cannot be written.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / "driver", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _locked(handle, PATIENCE):
                raise FileError(f"{self.folder} is in use: another process runs this sweep; wait for its end")
            with writing(self.folder):
                os.ftruncate(handle, 0)
                os.pwrite(handle, self.session.encode(), 0)
            self.wait()
            yield
        finally:
            os.close(handle)

    def wait(self) -> None:
        """Wait until no process works on a point."""
        for path in self.files():
            with writing(path), open(path, "rb") as held:
                _locked(held.fileno(), None)

    def files(self) -> list[Path]:
        """Return the files of all processes."""
        return sorted(self.folder.glob("*.log"))

    def read(self) -> tuple[dict, dict]:
        """Return by key the entry of each call that ended, and the attempt at each that began and did not end.

        A success counts more than a failure, and of two failures the later attempt.
        """
        ended, begun = {}, {}
        for path in self.files():
            for entry in entries(path):
                if "begin" in entry:
                    begun[entry["begin"]] = max(entry["attempt"], begun.get(entry["begin"], 0))
                    continue
                before = ended.get(entry["key"])
                if before is None or _rank(entry) > _rank(before):
                    ended[entry["key"]] = entry
        return ended, {name: attempt for name, attempt in begun.items()
                       if name not in ended or ended[name]["attempt"] < attempt}

    def header(self) -> dict | None:
        """Return what the folder's sweep is, None for a new folder."""
        path = self.folder / "sweep"
        if not path.exists():
            return None
        found = list(entries(path))
        if len(found) != 1:
            raise FileError(f"{path} is damaged: it must have one line that fits its checksum")
        return found[0]

    def describe(self, header: dict) -> None:
        """Write what the folder's sweep is."""
        with whole_file(self.folder / "sweep") as file:
            file.write(line(header))

    def history(self) -> list[dict]:
        """Return what a study has noted of its rounds."""
        path = self.folder / "rounds"
        return list(entries(path)) if path.exists() else []

    def note(self, entry: dict) -> None:
        """Append what a study asks for, or what it is told."""
        path = self.folder / "rounds"
        with writing(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            _mend(handle)
            _append(path, handle, entry)
        finally:
            os.close(handle)

    # ---- a process that works

    @contextmanager
    def working(self):
        """Give a function that appends an entry to this process's file, locked until the end.

        Raises:
            SimulationError: the sweep has ended.
            FileError: the file cannot be written, for example on a full disk; it stays as it was.
        """
        path = self.folder / f"{self.session}-{os.getpid()}.log"
        with writing(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            _locked(handle, None)
            if not self._is_driven():
                raise SimulationError(f"the sweep in {self.folder} has ended")
            _mend(handle)
            yield lambda entry: _append(path, handle, entry)
        finally:
            os.close(handle)

    def _is_driven(self) -> bool:
        with writing(self.folder), open(self.folder / "driver", "rb") as driver:
            if driver.read() != self.session.encode():
                return False
            return fcntl is None or not _taken(driver.fileno(), exclusive=False)


def _mend(handle):
    """Cut off an unfinished line, which a dead process of the same number may have left."""
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        os.ftruncate(handle, os.pread(handle, size, 0).rfind(b"\n") + 1)


def _append(path, handle, entry):
    text = line(entry)
    with writing(path):
        size = os.fstat(handle).st_size
        try:
            written = 0
            while written < len(text):
                written += os.write(handle, text[written:])
        except OSError:
            os.ftruncate(handle, size)
            raise


def _rank(entry):
    return ("error" not in entry, entry["attempt"])


def _taken(handle, exclusive: bool) -> bool:
    """Take a lock where it is free."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locked(handle, patience) -> bool:
    """Take a lock, waiting for it so many seconds, or as long as it takes."""
    if fcntl is None:
        return True
    if patience is None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return True
    end = time.monotonic() + patience
    while not _taken(handle, exclusive=True):
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE)
    return True
