"""neurosim: simulate networks of spiking neurons, on real recordings and on imperfect devices.

Describe a network, lay it out, run it, look at it::

    import neurosim as ns

    net = ns.Network()
    noise = net.add(ns.Poisson(rate=20.0), 100, name="noise")
    cells = net.add(ns.LIF(tau_mem=20.0), 50, name="cells")
    net.connect(noise, cells, ns.FixedProbability(0.2), weight=2.0, delay=1.5)
    net.record(cells)
    sim = ns.Simulation(net, dt=0.1, seed=1)
    sim.run(1000.0)
    ns.plot.raster(sim.spikes(cells))
"""

from neurosim import lazy

TYPE_CHECKING = False  # as type checkers take it for true; importing `typing` would take longer than all the rest

__version__ = "0.1.0"

_WHERE = {
    "comparing": ["Comparison", "compare"],
    "connectivity": ["AllToAll", "Blocks", "Convolution", "DistanceDependent", "Explicit", "FixedInDegree",
                     "FixedOutDegree", "FixedProbability", "FixedTotal", "OneToOne", "SmallWorld", "Sparse"],
    "distributions": ["Exponential", "Integers", "LogNormal", "Normal", "Uniform"],
    "errors": ["FileError", "ModelError", "NetworkError", "NeurosimError", "NeurosimWarning", "ParameterError",
               "SimulationError", "UnsupportedError"],
    "export": ["read_spikes"],
    "network": ["Network"],
    "neurons": ["AdExIF", "AdaptiveLIF", "GeneralIzhikevich", "HodgkinHuxley", "IntegrateAndFire", "Izhikevich",
                "LIF", "LeakyIntegrator", "QuadraticIF", "StochasticLIF", "Theta"],
    "receptors": ["NMDA", "AlphaCurrent", "Delta", "DoubleExponentialConductance", "DoubleExponentialCurrent",
                  "ExponentialConductance", "ExponentialCurrent", "Pulse"],
    "releases": ["Fixed", "TsodyksMarkram"],
    "resolving": ["resolve"],
    "simulation": ["Simulation"],
    "sources": ["InjectedCurrent", "OUCurrent", "Poisson", "PoissonDrive", "SineCurrent",
                "SpikeSource", "StepCurrent", "TimedArray", "WhiteNoiseCurrent"],
    "spikes": ["Spikes"],
    "streams": ["read_trace"],
}

# Names of the package themselves, as ns.plot, loaded when used.
_MODULES = ("analysis", "backends", "bridge", "datasets", "encoders", "export", "gradients", "neurobench", "plot",
            "readouts", "reservoirs", "sweep")

if TYPE_CHECKING:
    from neurosim import analysis as analysis
    from neurosim import backends as backends
    from neurosim import bridge as bridge
    from neurosim import datasets as datasets
    from neurosim import encoders as encoders
    from neurosim import export as export
    from neurosim import gradients as gradients
    from neurosim import neurobench as neurobench
    from neurosim import plot as plot
    from neurosim import readouts as readouts
    from neurosim import reservoirs as reservoirs
    from neurosim import sweep as sweep
    from neurosim.comparing import Comparison as Comparison
    from neurosim.comparing import compare as compare
    from neurosim.connectivity import AllToAll as AllToAll
    from neurosim.connectivity import Blocks as Blocks
    from neurosim.connectivity import Convolution as Convolution
    from neurosim.connectivity import DistanceDependent as DistanceDependent
    from neurosim.connectivity import Explicit as Explicit
    from neurosim.connectivity import FixedInDegree as FixedInDegree
    from neurosim.connectivity import FixedOutDegree as FixedOutDegree
    from neurosim.connectivity import FixedProbability as FixedProbability
    from neurosim.connectivity import FixedTotal as FixedTotal
    from neurosim.connectivity import OneToOne as OneToOne
    from neurosim.connectivity import SmallWorld as SmallWorld
    from neurosim.connectivity import Sparse as Sparse
    from neurosim.distributions import Exponential as Exponential
    from neurosim.distributions import Integers as Integers
    from neurosim.distributions import LogNormal as LogNormal
    from neurosim.distributions import Normal as Normal
    from neurosim.distributions import Uniform as Uniform
    from neurosim.errors import FileError as FileError
    from neurosim.errors import ModelError as ModelError
    from neurosim.errors import NetworkError as NetworkError
    from neurosim.errors import NeurosimError as NeurosimError
    from neurosim.errors import NeurosimWarning as NeurosimWarning
    from neurosim.errors import ParameterError as ParameterError
    from neurosim.errors import SimulationError as SimulationError
    from neurosim.errors import UnsupportedError as UnsupportedError
    from neurosim.export import read_spikes as read_spikes
    from neurosim.network import Network as Network
    from neurosim.neurons import LIF as LIF
    from neurosim.neurons import AdaptiveLIF as AdaptiveLIF
    from neurosim.neurons import AdExIF as AdExIF
    from neurosim.neurons import GeneralIzhikevich as GeneralIzhikevich
    from neurosim.neurons import HodgkinHuxley as HodgkinHuxley
    from neurosim.neurons import IntegrateAndFire as IntegrateAndFire
    from neurosim.neurons import Izhikevich as Izhikevich
    from neurosim.neurons import LeakyIntegrator as LeakyIntegrator
    from neurosim.neurons import QuadraticIF as QuadraticIF
    from neurosim.neurons import StochasticLIF as StochasticLIF
    from neurosim.neurons import Theta as Theta
    from neurosim.receptors import NMDA as NMDA
    from neurosim.receptors import AlphaCurrent as AlphaCurrent
    from neurosim.receptors import Delta as Delta
    from neurosim.receptors import DoubleExponentialConductance as DoubleExponentialConductance
    from neurosim.receptors import DoubleExponentialCurrent as DoubleExponentialCurrent
    from neurosim.receptors import ExponentialConductance as ExponentialConductance
    from neurosim.receptors import ExponentialCurrent as ExponentialCurrent
    from neurosim.receptors import Pulse as Pulse
    from neurosim.releases import Fixed as Fixed
    from neurosim.releases import TsodyksMarkram as TsodyksMarkram
    from neurosim.resolving import resolve as resolve
    from neurosim.simulation import Simulation as Simulation
    from neurosim.sources import InjectedCurrent as InjectedCurrent
    from neurosim.sources import OUCurrent as OUCurrent
    from neurosim.sources import Poisson as Poisson
    from neurosim.sources import PoissonDrive as PoissonDrive
    from neurosim.sources import SineCurrent as SineCurrent
    from neurosim.sources import SpikeSource as SpikeSource
    from neurosim.sources import StepCurrent as StepCurrent
    from neurosim.sources import TimedArray as TimedArray
    from neurosim.sources import WhiteNoiseCurrent as WhiteNoiseCurrent
    from neurosim.spikes import Spikes as Spikes
    from neurosim.streams import read_trace as read_trace
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE, _MODULES)
