"""What the tests of neuron models share: running a few neurons, and spike times from a fine integration."""

import warnings

import numpy as np
from scipy.integrate import solve_ivp

import neurosim as ns


def run(model, duration, dt=0.1, *, size=1, inputs=(), current=None, initial=None, variables=(), dtype="float64",
        seed=0):
    """Run neurons and return (spikes, {variable: (times, values)}).

    Args:
        inputs: triples of a receptor, a weight, and the times at which spikes arrive at every neuron.
        current: currents, one for each tick, or of shape (ticks, neurons).
    """
    net = ns.Network()
    cells = net.add(model, size, name="cells", initial=initial)
    for receptor, weight, times in inputs:
        given = ns.Spikes.from_times(np.asarray(times) - dt, np.zeros(len(times), dtype=int), size=1, duration=duration)
        net.connect(net.add(ns.SpikeSource(given)), cells, weight=weight, delay=dt, receptor=receptor)
    if current is not None:
        net.drive(cells, ns.InjectedCurrent(ns.TimedArray(current, every=dt)))
    if model.spiking:
        net.record(cells)
    for variable in variables:
        net.record(cells, variable)
    sim = ns.Simulation(net, dt=dt, dtype=dtype, seed=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "population .* has never spiked", ns.NeurosimWarning)
        sim.run(duration)
    return sim.spikes(cells) if model.spiking else None, {name: sim.trace(cells, name) for name in variables}


def times_of(model, duration, dt, **kwargs):
    """Return the times of the spikes of one neuron."""
    return np.asarray(run(model, duration, dt, **kwargs)[0].times)


def fine_times(equations, start, peak, reset, duration, dead=0.0, longest=np.inf):
    """Return spike times of a system whose first variable resets at a peak, by DOP853 with events.

    For `dead` ms after a spike the first variable does not move. Crossings are looked for at the ends of steps, which
    are not longer than `longest`.
    """
    def crossing(t, y):
        return y[0] - peak

    def held(t, y):
        return [0.0, *equations(t, y)[1:]]

    crossing.terminal, crossing.direction = True, 1
    t, y, found = 0.0, np.array(start, dtype=float), []
    while t < duration:
        part = solve_ivp(equations, (t, duration), y, method="DOP853", rtol=1e-10, atol=1e-10, events=crossing,
                         max_step=longest)
        t, y = part.t[-1], part.y[:, -1]
        if part.status == 1:
            found.append(t)
            y = np.array(reset(y), dtype=float)
            if dead and t < duration:
                part = solve_ivp(held, (t, t + dead), y, method="DOP853", rtol=1e-10, atol=1e-10)
                t, y = t + dead, part.y[:, -1]
    return np.array(found)
