"""Learning rules that plug into neurosim: objects for `net.connect(..., plasticity=rule)`.

A rule is a frozen set of parameters, checked when it is made::

    import neurosim as ns
    from learning_rules import PairSTDP

    net.connect(a, b, weight=0.5, delay=ns.Uniform(1.0, 5.0), plasticity=PairSTDP(a_plus=0.01))

Rules compose: a list of them acts on one projection. `docs/learning_rules.md` has the table.
"""

from neurosim import lazy

_WHERE = {
    "astrocyte": ["AstrocyteSTDP", "NonAccumulating"],
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
    "relayout": ["with_synapses"],
    "stdp": ["PairSTDP"],
    "structural": ["BlockMask", "Rewiring"],
    "triplet": ["TripletSTDP"],
}

__all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
