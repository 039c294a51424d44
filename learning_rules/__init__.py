"""Learning rules that plug into neurosim: objects for `net.connect(..., plasticity=rule)`.

A rule is a frozen set of parameters, checked when it is made::

    import neurosim as ns
    from learning_rules import PairSTDP

    net.connect(a, b, weight=0.5, delay=ns.Uniform(1.0, 5.0), plasticity=PairSTDP(a_plus=0.01))

Rules compose: a list of them acts on one projection. `docs/learning_rules.md` has the table.
"""

from typing import TYPE_CHECKING

from neurosim import lazy

_WHERE = {
    "active_dendrites": ["ActiveDendrites"],
    "astrocyte": ["AstrocyteSTDP", "NonAccumulating"],
    "broadcast": ["BroadcastClassifier"],
    "clopath": ["ClopathSTDP"],
    "clopath_neuron": ["ClopathAdEx"],
    "delays": ["CoincidenceDelays", "DelayLearning"],
    "eligibility": ["Gated", "Reward", "ThreeFactor"],
    "eprop": ["Eprop"],
    "eprop_descent": ["Adam", "GradientDescent"],
    "eprop_tasks": ["EvidenceAccumulation", "pattern_generation"],
    "force": ["Force"],
    "hebbian": ["BCM", "Hebb", "Oja", "SoftWinnerTakeAll"],
    "homeostasis": ["SynapticScaling", "normalise"],
    "inhibitory": ["InhibitorySTDP"],
    "intrinsic": ["IntrinsicLIF", "IntrinsicSigmoid"],
    "lms": ["LeastMeanSquares"],
    "polychronous": ["SlowSTDP"],
    "soft_hebb": ["NeuroModulatedHebb", "SoftHebb"],
    "stdp": ["PairSTDP"],
    "structural": ["BlockMask", "Rewiring"],
    "subspace": ["HebbianSubspace", "PrincipalSubspace"],
    "triplet": ["TripletSTDP"],
    "what_when": ["WhatAndWhen", "subspace_angle"],
}

if TYPE_CHECKING:
    from learning_rules.active_dendrites import ActiveDendrites as ActiveDendrites
    from learning_rules.astrocyte import AstrocyteSTDP as AstrocyteSTDP
    from learning_rules.astrocyte import NonAccumulating as NonAccumulating
    from learning_rules.broadcast import BroadcastClassifier as BroadcastClassifier
    from learning_rules.clopath import ClopathSTDP as ClopathSTDP
    from learning_rules.clopath_neuron import ClopathAdEx as ClopathAdEx
    from learning_rules.delays import CoincidenceDelays as CoincidenceDelays
    from learning_rules.delays import DelayLearning as DelayLearning
    from learning_rules.eligibility import Gated as Gated
    from learning_rules.eligibility import Reward as Reward
    from learning_rules.eligibility import ThreeFactor as ThreeFactor
    from learning_rules.eprop import Eprop as Eprop
    from learning_rules.eprop_descent import Adam as Adam
    from learning_rules.eprop_descent import GradientDescent as GradientDescent
    from learning_rules.eprop_tasks import EvidenceAccumulation as EvidenceAccumulation
    from learning_rules.eprop_tasks import pattern_generation as pattern_generation
    from learning_rules.force import Force as Force
    from learning_rules.hebbian import BCM as BCM
    from learning_rules.hebbian import Hebb as Hebb
    from learning_rules.hebbian import Oja as Oja
    from learning_rules.hebbian import SoftWinnerTakeAll as SoftWinnerTakeAll
    from learning_rules.homeostasis import SynapticScaling as SynapticScaling
    from learning_rules.homeostasis import normalise as normalise
    from learning_rules.inhibitory import InhibitorySTDP as InhibitorySTDP
    from learning_rules.intrinsic import IntrinsicLIF as IntrinsicLIF
    from learning_rules.intrinsic import IntrinsicSigmoid as IntrinsicSigmoid
    from learning_rules.lms import LeastMeanSquares as LeastMeanSquares
    from learning_rules.polychronous import SlowSTDP as SlowSTDP
    from learning_rules.soft_hebb import NeuroModulatedHebb as NeuroModulatedHebb
    from learning_rules.soft_hebb import SoftHebb as SoftHebb
    from learning_rules.stdp import PairSTDP as PairSTDP
    from learning_rules.structural import BlockMask as BlockMask
    from learning_rules.structural import Rewiring as Rewiring
    from learning_rules.subspace import HebbianSubspace as HebbianSubspace
    from learning_rules.subspace import PrincipalSubspace as PrincipalSubspace
    from learning_rules.triplet import TripletSTDP as TripletSTDP
    from learning_rules.what_when import WhatAndWhen as WhatAndWhen
    from learning_rules.what_when import subspace_angle as subspace_angle
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
