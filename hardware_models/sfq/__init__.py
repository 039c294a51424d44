"""Superconducting single-flux-quantum hardware: circuits of junctions, and the levels above them."""

import importlib

_WHERE = {
    "hardware_models.sfq.circuit": ["EscapeCurve", "escape_probability", "extract_timing", "read_deck"],
    "hardware_models.sfq.network": ["BiasSynapse", "HiddenLayer", "SFQLayer", "SFQSynapses", "XORNetwork"],
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}

_MODULES = ("circuit", "network", "pulse")  # reached as sfq.circuit, and loaded then

__all__ = [*sorted(_HOME), *_MODULES]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"hardware_models.sfq.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'hardware_models.sfq' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
