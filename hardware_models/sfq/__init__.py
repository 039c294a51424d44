"""Superconducting single-flux-quantum hardware: circuits of junctions, and the levels above them."""

from neurosim import lazy

_WHERE = {
    "circuit": ["EscapeCurve", "escape_probability", "extract_timing", "read_deck"],
    "network": ["BiasSynapse", "HiddenLayer", "SFQLayer", "SFQSynapses", "XORNetwork"],
}

_MODULES = ("circuit", "network", "pulse")  # reached as sfq.circuit, and loaded then

__all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE, _MODULES)
