"""Neuron models, one file each."""

from neurosim.contracts import Linear as Linear
from neurosim.contracts import State as State
from neurosim.neurons.adaptive_lif import AdaptiveLIF as AdaptiveLIF
from neurosim.neurons.adex import AdExIF as AdExIF
from neurosim.neurons.base import Neuron as Neuron
from neurosim.neurons.hodgkin_huxley import HodgkinHuxley as HodgkinHuxley
from neurosim.neurons.integrate_and_fire import IntegrateAndFire as IntegrateAndFire
from neurosim.neurons.izhikevich import GeneralIzhikevich as GeneralIzhikevich
from neurosim.neurons.izhikevich import Izhikevich as Izhikevich
from neurosim.neurons.leaky_integrator import LeakyIntegrator as LeakyIntegrator
from neurosim.neurons.lif import LIF as LIF
from neurosim.neurons.quadratic import QuadraticIF as QuadraticIF
from neurosim.neurons.quadratic import Theta as Theta
from neurosim.neurons.stochastic_lif import StochasticLIF as StochasticLIF

__all__ = [
    "AdExIF", "AdaptiveLIF", "GeneralIzhikevich", "HodgkinHuxley", "IntegrateAndFire", "Izhikevich", "LIF",
    "LeakyIntegrator", "QuadraticIF", "StochasticLIF", "Theta",
]
