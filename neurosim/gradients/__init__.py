"""Exact gradients of spike times, by events: see docs/gradients.md.

>>> import numpy as np
>>> import neurosim as ns
>>> net = ns.Network()
>>> inputs = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=2, duration=1.0)), 2, name="inputs")
>>> cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0), 3, name="cells")
>>> synapses = net.connect(inputs, cells, ns.AllToAll(), weight=3.0, delay=1.0, receptor=ns.ExponentialCurrent(5.0))
>>> model = ns.gradients.Differentiable(net)
>>> run = model.run(np.array([[1.0, 2.0]]), duration=40.0)
>>> run.first("cells").round(3)
array([[3.776, 3.776, 3.776]])
"""

from typing import TYPE_CHECKING

from neurosim import lazy

if TYPE_CHECKING:
    from neurosim.gradients.model import Differentiable as Differentiable
    from neurosim.gradients.result import Gradients as Gradients
    from neurosim.gradients.result import Run as Run
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, {"model": ["Differentiable"], "result": ["Gradients",
                                                                                                    "Run"]})
