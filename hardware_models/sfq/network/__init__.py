"""Network level of SFQ circuits: synapses by bias current, storage-loop neurons, layers on both lower levels.

    SFQLayer (bias currents, Loop)  ->  junction_circuit  ->  sfq.circuit.simulate
                                    ->  pulse_circuit     ->  sfq.pulse.PulseSimulation
"""

from typing import TYPE_CHECKING

from neurosim import lazy

_WHERE = {
    "device": ("SFQSynapses",),
    "energy": ("PulseEnergy", "pulse_energy"),
    "hidden": ("HiddenLayer",),
    "layers": ("SFQLayer", "junction_circuit", "pulse_circuit"),
    "loop": ("COINCIDENCE", "RELAY", "Loop", "StorageLoop"),
    "synapse": ("BiasSynapse", "measure_curves"),
    "timing": ("TIMES", "Times", "measure_times"),
    "xor": ("XORNetwork", "margin"),
}

if TYPE_CHECKING:
    from hardware_models.sfq.network.device import SFQSynapses as SFQSynapses
    from hardware_models.sfq.network.energy import PulseEnergy as PulseEnergy
    from hardware_models.sfq.network.energy import pulse_energy as pulse_energy
    from hardware_models.sfq.network.hidden import HiddenLayer as HiddenLayer
    from hardware_models.sfq.network.layers import SFQLayer as SFQLayer
    from hardware_models.sfq.network.layers import junction_circuit as junction_circuit
    from hardware_models.sfq.network.layers import pulse_circuit as pulse_circuit
    from hardware_models.sfq.network.loop import COINCIDENCE as COINCIDENCE
    from hardware_models.sfq.network.loop import RELAY as RELAY
    from hardware_models.sfq.network.loop import Loop as Loop
    from hardware_models.sfq.network.loop import StorageLoop as StorageLoop
    from hardware_models.sfq.network.synapse import BiasSynapse as BiasSynapse
    from hardware_models.sfq.network.synapse import measure_curves as measure_curves
    from hardware_models.sfq.network.timing import TIMES as TIMES
    from hardware_models.sfq.network.timing import Times as Times
    from hardware_models.sfq.network.timing import measure_times as measure_times
    from hardware_models.sfq.network.xor import XORNetwork as XORNetwork
    from hardware_models.sfq.network.xor import margin as margin
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
