"""Superconducting single-flux-quantum hardware: circuits of junctions, and the levels above them."""

from typing import TYPE_CHECKING

from neurosim import lazy

_WHERE = {
    "circuit": ["EscapeCurve", "escape_probability", "extract_timing", "read_deck"],
    "network": ["BiasSynapse", "HiddenLayer", "SFQLayer", "SFQSynapses", "XORNetwork"],
}

_MODULES = ("circuit", "network", "pulse")  # reached as sfq.circuit, and loaded then

if TYPE_CHECKING:
    from hardware_models.sfq import circuit as circuit
    from hardware_models.sfq import network as network
    from hardware_models.sfq import pulse as pulse
    from hardware_models.sfq.circuit import EscapeCurve as EscapeCurve
    from hardware_models.sfq.circuit import escape_probability as escape_probability
    from hardware_models.sfq.circuit import extract_timing as extract_timing
    from hardware_models.sfq.circuit import read_deck as read_deck
    from hardware_models.sfq.network import BiasSynapse as BiasSynapse
    from hardware_models.sfq.network import HiddenLayer as HiddenLayer
    from hardware_models.sfq.network import SFQLayer as SFQLayer
    from hardware_models.sfq.network import SFQSynapses as SFQSynapses
    from hardware_models.sfq.network import XORNetwork as XORNetwork
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE, _MODULES)
