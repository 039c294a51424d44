"""Why do my spikes differ? Two results compared spike by spike, the first difference and its likely cause."""

from neurosim.comparing.causes import Cause as Cause
from neurosim.comparing.comparison import Comparison as Comparison
from neurosim.comparing.comparison import compare as compare

__all__ = ["Cause", "Comparison", "compare"]
