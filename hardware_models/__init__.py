"""Models of hardware that plug into neurosim.

The names here are device layers, objects for `net.connect(..., device=layer)`::

    from hardware_models import BitFlips

    net.connect(a, b, weight=0.5, device=BitFlips(rate=1e-5, format="Q7.8"))

Converters, activations, circuits and energies are in the packages `memristor`, `ramp_adc`, `faults`, `energy`, `sfq`.
"""

from typing import TYPE_CHECKING

from neurosim import lazy

_WHERE = {
    "faults": ["BitFlips", "StuckAt"],
    "memristor": ["ConstantStep", "ExponentialStep", "HfO2", "LinearStep", "MeasuredErrors", "MeasuredPulses",
                  "Memristor", "NonlinearPulses", "PCM", "PiecewiseStep", "PowerStep", "ReRAM",
                  "SoftBounds", "VerifiedReRAM"],
    "sfq.network": ["SFQSynapses"],
}

_MODULES = ("energy", "faults", "memristor", "ramp_adc", "sfq")

if TYPE_CHECKING:
    from hardware_models import energy as energy
    from hardware_models import faults as faults
    from hardware_models import memristor as memristor
    from hardware_models import ramp_adc as ramp_adc
    from hardware_models import sfq as sfq
    from hardware_models.faults import BitFlips as BitFlips
    from hardware_models.faults import StuckAt as StuckAt
    from hardware_models.memristor import PCM as PCM
    from hardware_models.memristor import ConstantStep as ConstantStep
    from hardware_models.memristor import ExponentialStep as ExponentialStep
    from hardware_models.memristor import HfO2 as HfO2
    from hardware_models.memristor import LinearStep as LinearStep
    from hardware_models.memristor import MeasuredErrors as MeasuredErrors
    from hardware_models.memristor import MeasuredPulses as MeasuredPulses
    from hardware_models.memristor import Memristor as Memristor
    from hardware_models.memristor import NonlinearPulses as NonlinearPulses
    from hardware_models.memristor import PiecewiseStep as PiecewiseStep
    from hardware_models.memristor import PowerStep as PowerStep
    from hardware_models.memristor import ReRAM as ReRAM
    from hardware_models.memristor import SoftBounds as SoftBounds
    from hardware_models.memristor import VerifiedReRAM as VerifiedReRAM
    from hardware_models.sfq.network import SFQSynapses as SFQSynapses
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE, _MODULES)
