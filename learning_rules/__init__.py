"""Learning rules that plug into neurosim: objects for `net.connect(..., plasticity=rule)`.

A rule is a frozen set of parameters, checked when it is made::

    import neurosim as ns
    from learning_rules import PairSTDP

    net.connect(a, b, weight=0.5, delay=ns.Uniform(1.0, 5.0), plasticity=PairSTDP(a_plus=0.01))

Rules compose: a list of them acts on one projection. `docs/learning_rules.md` has the table.
"""

import importlib

_WHERE = {
    "learning_rules.astrocyte": ["AstrocyteSTDP", "NonAccumulating"],
    "learning_rules.clopath": ["ClopathSTDP"],
    "learning_rules.clopath_neuron": ["ClopathAdEx"],
    "learning_rules.delays": ["CoincidenceDelays", "DelayLearning"],
    "learning_rules.eligibility": ["Gated", "Reward", "ThreeFactor"],
    "learning_rules.eprop": ["Eprop"],
    "learning_rules.eprop_descent": ["Adam", "GradientDescent"],
    "learning_rules.eprop_tasks": ["EvidenceAccumulation", "pattern_generation"],
    "learning_rules.force": ["Force"],
    "learning_rules.hebbian": ["BCM", "Hebb", "Oja", "SoftWinnerTakeAll"],
    "learning_rules.homeostasis": ["SynapticScaling", "normalise"],
    "learning_rules.inhibitory": ["InhibitorySTDP"],
    "learning_rules.intrinsic": ["IntrinsicLIF"],
    "learning_rules.lms": ["LeastMeanSquares"],
    "learning_rules.polychronous": ["SlowSTDP"],
    "learning_rules.relayout": ["with_synapses"],
    "learning_rules.stdp": ["PairSTDP"],
    "learning_rules.structural": ["BlockMask", "Rewiring"],
    "learning_rules.triplet": ["TripletSTDP"],
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'learning_rules' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
