"""Models of hardware that plug into neurosim.

The names here are device layers, objects for `net.connect(..., device=layer)`::

    from hardware_models import BitFlips

    net.connect(a, b, weight=0.5, device=BitFlips(rate=1e-5, format="Q7.8"))

Converters, activations, circuits and energies are in the packages `memristor`, `ramp_adc`, `faults`, `energy`, `sfq`.
"""

from neurosim import lazy

_WHERE = {
    "faults": ["BitFlips", "StuckAt"],
    "memristor": ["ConstantStep", "ExponentialStep", "HfO2", "LinearStep", "MeasuredPulses",
                  "Memristor", "NonlinearPulses", "PCM", "PiecewiseStep", "PowerStep", "ReRAM",
                  "SoftBounds", "VerifiedReRAM"],
    "sfq.network": ["SFQSynapses"],
}

__all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
