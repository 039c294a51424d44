"""Exact gradients of spike times, by events: see docs/gradients.md."""

from typing import TYPE_CHECKING

from neurosim import lazy

if TYPE_CHECKING:
    from neurosim.gradients.model import Differentiable as Differentiable
    from neurosim.gradients.result import Gradients as Gradients
    from neurosim.gradients.result import Run as Run
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, {"model": ["Differentiable"], "result": ["Gradients",
                                                                                                    "Run"]})
