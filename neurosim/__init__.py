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

import importlib

__version__ = "0.1.0"

_WHERE = {
    "neurosim.connectivity": ["AllToAll", "Blocks", "DistanceDependent", "Explicit", "FixedInDegree", "FixedOutDegree",
                              "FixedProbability", "FixedTotal", "OneToOne", "SmallWorld", "Sparse"],
    "neurosim.distributions": ["Exponential", "Integers", "LogNormal", "Normal", "Uniform"],
    "neurosim.errors": ["FileError", "NetworkError", "NeurosimError", "NeurosimWarning", "ParameterError",
                        "SimulationError", "UnsupportedError"],
    "neurosim.network": ["Network"],
    "neurosim.neurons": ["AdExIF", "AdaptiveLIF", "GeneralIzhikevich", "IntegrateAndFire", "Izhikevich", "LIF",
                         "LeakyIntegrator", "StochasticLIF"],
    "neurosim.receptors": ["AlphaCurrent", "Delta", "DoubleExponentialCurrent", "ExponentialConductance",
                           "ExponentialCurrent", "Pulse"],
    "neurosim.releases": ["Fixed", "TsodyksMarkram"],
    "neurosim.simulation": ["Simulation"],
    "neurosim.sources": ["InjectedCurrent", "OUCurrent", "Poisson", "PoissonDrive", "SineCurrent",
                         "SpikeSource", "StepCurrent", "TimedArray"],
    "neurosim.spikes": ["Spikes"],
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}

_MODULES = ("datasets", "encoders", "plot", "readouts", "reservoirs")  # reached as ns.plot, and loaded then

__all__ = [*sorted(_HOME), *_MODULES]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"neurosim.{name}")
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'neurosim' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
