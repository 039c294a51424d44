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

__version__ = "0.1.0"

_WHERE = {
    "connectivity": ["AllToAll", "Blocks", "DistanceDependent", "Explicit", "FixedInDegree", "FixedOutDegree",
                     "FixedProbability", "FixedTotal", "OneToOne", "SmallWorld", "Sparse"],
    "distributions": ["Exponential", "Integers", "LogNormal", "Normal", "Uniform"],
    "errors": ["FileError", "NetworkError", "NeurosimError", "NeurosimWarning", "ParameterError",
               "SimulationError", "UnsupportedError"],
    "network": ["Network"],
    "neurons": ["AdExIF", "AdaptiveLIF", "GeneralIzhikevich", "IntegrateAndFire", "Izhikevich", "LIF",
                "LeakyIntegrator", "StochasticLIF"],
    "receptors": ["AlphaCurrent", "Delta", "DoubleExponentialCurrent", "ExponentialConductance",
                  "ExponentialCurrent", "Pulse"],
    "releases": ["Fixed", "TsodyksMarkram"],
    "simulation": ["Simulation"],
    "sources": ["InjectedCurrent", "OUCurrent", "Poisson", "PoissonDrive", "SineCurrent",
                "SpikeSource", "StepCurrent", "TimedArray"],
    "spikes": ["Spikes"],
}

_MODULES = ("datasets", "encoders", "plot", "readouts", "reservoirs")  # reached as ns.plot, and loaded then

__all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE, _MODULES)
