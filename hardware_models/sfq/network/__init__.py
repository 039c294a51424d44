"""Network level of SFQ circuits: synapses by bias current, storage-loop neurons, layers on both lower levels.

    SFQLayer (bias currents, Loop)  ->  junction_circuit  ->  sfq.circuit.simulate
                                    ->  pulse_circuit     ->  sfq.pulse.PulseSimulation
"""

from importlib import import_module

_MODULES = {
    "device": ("SFQSynapses",),
    "energy": ("PulseEnergy", "pulse_energy"),
    "hidden": ("HiddenLayer",),
    "layers": ("SFQLayer", "junction_circuit", "pulse_circuit"),
    "loop": ("COINCIDENCE", "RELAY", "Loop", "StorageLoop"),
    "synapse": ("BiasSynapse", "measure_curves"),
    "timing": ("TIMES", "Times", "measure_times"),
    "xor": ("XORNetwork", "margin"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__():
    return __all__
