"""Network level of SFQ circuits: synapses by bias current, storage-loop neurons, layers on both lower levels.

    SFQLayer (bias currents, Loop)  ->  junction_circuit  ->  sfq.circuit.simulate
                                    ->  pulse_circuit     ->  sfq.pulse.PulseSimulation
"""

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

__all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
