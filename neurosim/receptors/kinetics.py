"""What several receptors share: equations of their own, and what becomes of them at a spike."""

import numpy as np

from neurosim.checks import Option, describe_value
from neurosim.contracts import Linear
from neurosim.errors import ParameterError

REFRACTORY = Option("kept", ("kept", "cleared"), doc="at a spike, and for arrivals while refractory: kept, or cleared")


def double_exponential(p, out: str) -> Linear:
    """Return the equations of w k (exp(-t / tau_syn) - exp(-t / tau_rise)), its peak being w, without cancellation."""
    apart = (np.asarray(p.tau_syn) - p.tau_rise) / p.tau_rise
    safe = np.where(apart == 0.0, 1.0, apart)
    peak_time = np.where(apart == 0.0, 1.0, np.log1p(safe) / safe)  # in units of tau_syn
    return Linear(matrix={(out, out): -1.0 / p.tau_syn, (out, "rise"): 1.0, ("rise", "rise"): -1.0 / p.tau_rise},
                  arrival={"rise": np.exp(peak_time) / p.tau_rise}, output={out: 1.0})


def check_rise(receptor) -> None:
    """Refuse a rise that is slower than the decay."""
    rise, decay = receptor.tau_rise, receptor.tau_syn
    if isinstance(rise, (float, np.ndarray)) and isinstance(decay, (float, np.ndarray)) and np.any(rise > decay):
        raise ParameterError(f"{type(receptor).__name__}.tau_rise must be <= tau_syn = {describe_value(decay)} ms, got "
                             f"{describe_value(rise)}")
