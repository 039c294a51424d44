"""The folder of compiled kernels: machine code that one process leaves for the next.

Numba's own files depend on when a source was written, do not notice changes of what it calls, and lose or mix up
entries when two processes add to one index. Here every entry is a file of its own, named by a hash of all that it is
made of, and written whole: two processes that compile one kernel leave the same file. Whatever cannot be read, or
kept, is compiled.
"""

import hashlib
import os
import pickle
import sys
import tempfile
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from neurosim.errors import warn

KEEP_KERNELS = 2000
_DIGEST = hashlib.sha256().digest_size


def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, or None where there is no home for one.

    The environment variable NEUROSIM_CACHE names another one. What lies there is run: nobody else should be able to
    write to it whom you would not let run programs.
    """
    chosen = os.environ.get("NEUROSIM_CACHE")
    if chosen:
        return Path(chosen)
    try:
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "neurosim" / "cache"
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "neurosim"
    except RuntimeError:  # a user without a home
        return None


def why_not_kept() -> str:
    """Return why compiled kernels cannot be kept for the next process, or "" where they can."""
    folder = cache_folder()
    if folder is None:
        return "this user has no home folder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return str(error)


class Entry(NullCache):
    """Where Numba looks for the compiled code of one function, and leaves it: a file for each signature and processor.

    Args:
        key: what the function is made of, as the name of a file.
        text: source of the function's module, kept beside it for whoever wants to read it.
        check: called with nothing when the function has been compiled, before it is kept; raises where it must not be.
    """

    def __init__(self, key: str, text: str, check: Callable[[], None]):
        self.key, self.text, self.check, self.folder = key, text, check, cache_folder()

    def load_overload(self, sig, target_context):
        """Return the compiled code for a signature, or None where it must be compiled."""
        target_context.refresh()
        if self.folder is None:
            return None
        path = self._path(sig, target_context.codegen())
        try:
            content = path.read_bytes()
            if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
                return None
            found = CompileResult._rebuild(target_context, *pickle.loads(content[_DIGEST:]))
        except Exception:  # not there, or not readable, or of something that has gone: it is compiled afresh
            return None
        with suppress(OSError):
            os.utime(path)
        return found

    def save_overload(self, sig, cres):
        """Keep the compiled code of a signature where that is possible."""
        self.check()
        if cres.library.has_dynamic_globals:
            return
        if self.folder is None:
            _say_once(None, why_not_kept())
            return
        content = dumps(cres._replace(type_annotation="")._reduce())  # a text for people, twice as long as the code
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _prune(self.folder)
            _write(self.folder / f"{self.key}.py", self.text.encode())
            _write(self._path(sig, cres.codegen), hashlib.sha256(content).digest() + content)
        except OSError as error:
            _say_once(self.folder, str(error))

    def _path(self, sig, codegen) -> Path:
        which = hashlib.sha256(repr((sig, codegen.magic_tuple())).encode()).hexdigest()[:8]
        return Path(self.folder or "") / f"{self.key}.{which}.bin"


@cache
def _say_once(folder, reason) -> None:
    where = f"{folder}, the cache folder" if folder else "a cache folder"
    warn(f"compiled kernels cannot be kept in {where} ({reason}), so every process compiles them again; "
         "set NEUROSIM_CACHE to a folder that can be written")


def _write(path: Path, content: bytes) -> None:
    """Write a file whole; two processes may do it at once."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def _prune(folder: Path) -> None:
    """Remove the kernels that were not used for longest."""
    entries = sorted(folder.glob("*.bin"), key=_age)
    for old in entries[:max(0, len(entries) - KEEP_KERNELS)]:
        with suppress(OSError):  # of another user, or removed by another process
            old.unlink()
            old.with_suffix("").with_suffix(".py").unlink()


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
