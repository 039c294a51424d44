"""A user's script that touches every family; `tests/test_types.py` lets a type checker read it."""

from typing import assert_type

import numpy as np

import neurosim as ns
from hardware_models import HfO2, energy, ramp_adc, sfq
from learning_rules import PairSTDP, Reward
from neurosim import datasets, encoders, readouts, reservoirs

# Networks, neurons, receptors, releases, sources, connectivity, rules, devices
net = ns.Network()
noise = net.add(ns.Poisson(20.0), 100, name="noise")
cells = net.add(ns.LIF(tau_mem=ns.Normal(20.0, 2.0, low=5.0, bounds="redraw"), r=[0.1] * 50, reset="subtract"), 50,
                name="cells", initial={"v": ns.Uniform(-70.0, -60.0)})
other = net.add(ns.Izhikevich(0.02, 0.2, -65.0, 8.0, scheme="fine"), 5)
given = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0, 2.0], [0, 1], size=2, duration=5.0)))
dopamine = net.add(ns.StochasticLIF(), 1)
ampa = ns.ExponentialCurrent(5.0, name="ampa")
synapses = net.connect(noise, cells, ns.FixedProbability(0.2), weight=ns.LogNormal(0.0, 0.5),
                       delay=ns.Uniform(1.0, 5.0), receptor=ampa, release=ns.TsodyksMarkram(u_0=0.3),
                       plasticity=PairSTDP(a_plus=0.01))
net.connect("noise", cells[0:10], weight=np.ones((100, 10)), device=HfO2(weight_max=2.0))
net.connect(given, cells[3], ns.Explicit([0, 1], [0, 0]), weight=[0.5, 1.0], receptor=ns.Pulse())
net.connect(cells, cells, ns.Sparse(np.eye(50)), plasticity=[Reward()], modulators={"reward": dopamine})
net.connect(cells, other, ns.FixedInDegree(k=3, self_connections=False), receptor=ns.ExponentialConductance(3.0, 0.0))
net.drive(cells, ns.PoissonDrive(rate=8000.0, weight=0.1))
net.drive("cells", ns.InjectedCurrent(ns.TimedArray([0.0, 100.0], every=50.0, after="repeat")))
net.record(cells)
net.record(net["cells"], "v", every=1.0, ids=[0, 1])
assert_type(ns.FixedInDegree(3).k, int)
assert_type(ns.LIF(reset="subtract").reset == "to_value", bool)
assert_type(ns.LIF(tau_mem=20.0).replace(v_reset=-60.0), ns.LIF)
assert_type(ns.LIF.tau_mem.unit, str)
half = 0.5 * ns.LIF().tau_mem
print(net, net.describe("latex"), synapses.delay)

# Running and looking
sim = ns.Simulation(net, dt=0.1, seed=1, threads=2, dtype="float64")
sim.run(1000.0, progress=True)
spikes = sim.spikes("cells")
assert_type(spikes, ns.Spikes)
times, values = sim.trace(cells, "v")
assert_type(values, np.ndarray)
print(len(spikes), spikes.ids.max(), spikes.rates().mean(), values.mean(axis=0), sim.weights(synapses))
ns.plot.raster([spikes, sim.spikes(other)], colors=["black", "red"])
ns.plot.traces(times, values, unit="mV")

# Encoders, data sets, reservoirs, readouts
encoded = encoders.PoissonEncoder(100.0, duration=100.0).encode(np.ones(40), seed=1)
recording = datasets.make_events(t=[10], x=[1], y=[2], p=[1])
liquid = reservoirs.Liquid(reservoirs.MaassLattice(), reservoirs.RandomInput(40, k=10, weight=8.0),
                           excitation=ns.Exponential(2.0), inhibition=-1.0, seed=1)
states = liquid.states([encoded], 100.0, [reservoirs.Counts(), reservoirs.BinnedCounts(bins=3)])
echo = reservoirs.EchoState(100, 3, spectral_radius=0.9, activation=np.tanh)
found = readouts.evaluate(readouts.ridge(alphas=[1.0, 10.0]), states, np.arange(1), folds=2, seeds=[0, 1])
assert_type(found.accuracy, float)

# Hardware
ramp = ramp_adc.RampADC("tanh", bits=4, rounding="nearest")
cost = energy.run_energy(sim, energy.EventCosts(synaptic_event=10.0))
curve = sfq.EscapeCurve(bias=[1.0, 2.0], passed=[1, 3], runs=4, temperature=4.2)
print(assert_type(ramp.bits, int), cost, curve, sfq.circuit.Circuit(), recording, echo, half)
