"""Receptors without variables of their own."""

from neurosim.receptors.base import Receptor


class Delta(Receptor):
    """An arrival of weight w adds w to v, after the integration of its tick: v -> v + w.

    The weight has the unit of v, mV for most models.

    >>> Delta()
    Delta()
    """

    effect = "jump"
    unit = "mV"


class Pulse(Receptor):
    """An arrival of weight w is a current w over the one tick that ends at the arrival.

    This is how the published Izhikevich networks add their input: I is the sum of the weights of
    the spikes that arrive, for one step. The weight has the unit of the model's current.

    >>> Pulse()
    Pulse()

    Source: Izhikevich, Simple model of spiking neurons, IEEE Trans. Neural Networks 14 (2003) 1569.
    """

    effect = "pulse"
