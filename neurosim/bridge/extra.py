"""PyTorch, imported when a part of the bridge is first used, or one sentence that says how to get it."""

from neurosim.errors import UnsupportedError


class MissingExtraError(UnsupportedError, ImportError):
    """A package that an optional extra brings is not installed."""


try:
    import torch as torch
except ImportError:
    raise MissingExtraError("the bridge must have PyTorch, which is not installed; get it with pip install "
                            '"neurosim-toolkit[torch]"') from None
