"""The PyTorch bridge: train by gradient, run the same spikes in the core. It needs the extra `torch`."""

from typing import TYPE_CHECKING

from neurosim import lazy

_WHERE = {
    "contrastive": ["Retrieval", "TwoTowers", "retrieval"],
    "core": ["Core", "to_network"],
    "dendrites": ["Perforated"],
    "elm": ["ELM"],
    "events": ["EventNetwork", "Outcome"],
    "legendre": ["LegendreMemory", "SpikingLegendreLayer"],
    "probe": ["frequency_response"],
    "rwkv": ["SpikingRWKV", "wkv"],
    "stochastic": ["StochasticBinary"],
    "exchange": ["Conformance", "Exchange", "Row", "from_nir", "to_nir"],
    "hardware": ["Activation", "BoundedActivation", "ChipInTheLoop", "OnDevice", "layers_on"],
    "delays": ["Delays", "DelayLines", "anneal"],
    "layers": ["AdaptiveLIFLayer", "CurrentLIFLayer", "Flatten", "IFLayer", "LIFLayer", "LeakyIntegratorLayer",
               "Sequential", "SynapticLayer"],
    "local": ["CounterCurrent", "ForwardForward"],
    "losses": ["activity_penalty", "mask", "rate_penalty"],
    "models": ["SynapticLIF", "UnitlessAdaptiveLIF", "UnitlessIF", "UnitlessLIF"],
    "network": ["from_network"],
    "orthogonal": ["OrthogonalLayers"],
    "rates": ["LeakyRates"],
    "readout": ["Readout"],
    "sequence": ["State"],
    "spikebatch": ["SpikeBatch"],
    "snntorch": ["from_snntorch"],
    "spatial": ["MaxPoolLayer", "StructuredLayer"],
    "surrogates": ["ATan", "BiPer", "FastSigmoid", "StraightThrough", "Surrogate", "Triangle"],
}

if TYPE_CHECKING:
    from neurosim.bridge.contrastive import Retrieval as Retrieval
    from neurosim.bridge.contrastive import TwoTowers as TwoTowers
    from neurosim.bridge.contrastive import retrieval as retrieval
    from neurosim.bridge.core import Core as Core
    from neurosim.bridge.core import to_network as to_network
    from neurosim.bridge.delays import DelayLines as DelayLines
    from neurosim.bridge.delays import Delays as Delays
    from neurosim.bridge.delays import anneal as anneal
    from neurosim.bridge.dendrites import Perforated as Perforated
    from neurosim.bridge.elm import ELM as ELM
    from neurosim.bridge.events import EventNetwork as EventNetwork
    from neurosim.bridge.events import Outcome as Outcome
    from neurosim.bridge.exchange import Conformance as Conformance
    from neurosim.bridge.exchange import Exchange as Exchange
    from neurosim.bridge.exchange import Row as Row
    from neurosim.bridge.exchange import from_nir as from_nir
    from neurosim.bridge.exchange import to_nir as to_nir
    from neurosim.bridge.hardware import Activation as Activation
    from neurosim.bridge.hardware import BoundedActivation as BoundedActivation
    from neurosim.bridge.hardware import ChipInTheLoop as ChipInTheLoop
    from neurosim.bridge.hardware import OnDevice as OnDevice
    from neurosim.bridge.hardware import layers_on as layers_on
    from neurosim.bridge.layers import AdaptiveLIFLayer as AdaptiveLIFLayer
    from neurosim.bridge.layers import CurrentLIFLayer as CurrentLIFLayer
    from neurosim.bridge.layers import Flatten as Flatten
    from neurosim.bridge.layers import IFLayer as IFLayer
    from neurosim.bridge.layers import LeakyIntegratorLayer as LeakyIntegratorLayer
    from neurosim.bridge.layers import LIFLayer as LIFLayer
    from neurosim.bridge.layers import Sequential as Sequential
    from neurosim.bridge.layers import SynapticLayer as SynapticLayer
    from neurosim.bridge.legendre import LegendreMemory as LegendreMemory
    from neurosim.bridge.legendre import SpikingLegendreLayer as SpikingLegendreLayer
    from neurosim.bridge.local import CounterCurrent as CounterCurrent
    from neurosim.bridge.local import ForwardForward as ForwardForward
    from neurosim.bridge.losses import activity_penalty as activity_penalty
    from neurosim.bridge.losses import mask as mask
    from neurosim.bridge.losses import rate_penalty as rate_penalty
    from neurosim.bridge.models import SynapticLIF as SynapticLIF
    from neurosim.bridge.models import UnitlessAdaptiveLIF as UnitlessAdaptiveLIF
    from neurosim.bridge.models import UnitlessIF as UnitlessIF
    from neurosim.bridge.models import UnitlessLIF as UnitlessLIF
    from neurosim.bridge.network import from_network as from_network
    from neurosim.bridge.orthogonal import OrthogonalLayers as OrthogonalLayers
    from neurosim.bridge.probe import frequency_response as frequency_response
    from neurosim.bridge.rates import LeakyRates as LeakyRates
    from neurosim.bridge.readout import Readout as Readout
    from neurosim.bridge.rwkv import SpikingRWKV as SpikingRWKV
    from neurosim.bridge.rwkv import wkv as wkv
    from neurosim.bridge.sequence import State as State
    from neurosim.bridge.snntorch import from_snntorch as from_snntorch
    from neurosim.bridge.spatial import MaxPoolLayer as MaxPoolLayer
    from neurosim.bridge.spatial import StructuredLayer as StructuredLayer
    from neurosim.bridge.spikebatch import SpikeBatch as SpikeBatch
    from neurosim.bridge.stochastic import StochasticBinary as StochasticBinary
    from neurosim.bridge.surrogates import ATan as ATan
    from neurosim.bridge.surrogates import BiPer as BiPer
    from neurosim.bridge.surrogates import FastSigmoid as FastSigmoid
    from neurosim.bridge.surrogates import StraightThrough as StraightThrough
    from neurosim.bridge.surrogates import Surrogate as Surrogate
    from neurosim.bridge.surrogates import Triangle as Triangle
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
