"""Every error and warning that neurosim raises on purpose.

All of them carry one sentence that says what must be, what was given, and, where it helps, what to
do instead.
"""

import inspect
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

OURS = {"neurosim", "learning_rules", "hardware_models"}  #: packages whose lines are none of a user's
_kept = threading.local()  # where sentences of a thread that no user called are kept


class NeurosimError(Exception):
    """Base of every error that neurosim raises on purpose."""


class ParameterError(NeurosimError, ValueError):
    """A value that was given does not fit: out of bounds, of the wrong shape, not finite."""


class NetworkError(NeurosimError, ValueError):
    """The parts of a description do not fit together."""


class UnsupportedError(NeurosimError, NotImplementedError):
    """A combination that neurosim does not offer; the message says what to use instead."""


class ModelError(NeurosimError, TypeError):
    """The body of a model, release or rule cannot be compiled; the message names the body and the line."""


class SimulationError(NeurosimError, RuntimeError):
    """A run had to stop: a value became infinite or undefined, or memory would run out."""


class FileError(NeurosimError, OSError):
    """A file is missing, damaged, of another version or of another network."""


class NeurosimWarning(UserWarning):
    """Something that is allowed but is probably not what was meant."""


def warn(sentence: str) -> None:
    """Give a NeurosimWarning that names the line of the user from which all this was called.

    That is the first one that is not in our own packages, however deep below it something was found. In a thread of
    ours there is none: see `held_back`.
    """
    held = getattr(_kept, "held", None)
    if held is not None:
        held.append(sentence)
        return
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in OURS:
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, NeurosimWarning, stacklevel=level - (frame is None))


@contextmanager
def held_back(held: list[str]) -> Iterator[None]:
    """Keep what this thread warns of in a list, for the thread that a user called to say."""
    _kept.held = held
    try:
        yield
    finally:
        _kept.held = None


def warn_of_all(held: list[str]) -> None:
    """Give the warnings that were held back, each once."""
    for sentence in dict.fromkeys(held):
        warn(sentence)
