"""Every error and warning that neurosim raises on purpose.

All of them carry one sentence that says what must be, what was given, and, where it helps, what to
do instead.
"""


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
