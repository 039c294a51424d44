"""Models of hardware that plug into neurosim.

The names here are device layers, objects for `net.connect(..., device=layer)`::

    from hardware_models import BitFlips

    net.connect(a, b, weight=0.5, device=BitFlips(rate=1e-5, format="Q7.8"))

Converters, activations, circuits and energies are in the packages `memristor`, `ramp_adc`, `faults`, `energy`, `sfq`.
"""

import importlib

_WHERE = {
    "hardware_models.faults": ["BitFlips", "StuckAt"],
    "hardware_models.memristor": ["ConstantStep", "ExponentialStep", "HfO2", "LinearStep", "MeasuredPulses",
                                  "Memristor", "NonlinearPulses", "PCM", "PiecewiseStep", "PowerStep", "ReRAM",
                                  "SoftBounds", "VerifiedReRAM"],
    "hardware_models.sfq.network": ["SFQSynapses"],
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'hardware_models' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
