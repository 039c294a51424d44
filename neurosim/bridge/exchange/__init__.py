"""Networks to and from NIR, the Neuromorphic Intermediate Representation. It needs the extras `nir` and `torch`."""

from neurosim.bridge.exchange.reading import from_nir
from neurosim.bridge.exchange.report import Conformance, Exchange, Row
from neurosim.bridge.exchange.writing import to_nir

__all__ = ["Conformance", "Exchange", "Row", "from_nir", "to_nir"]
