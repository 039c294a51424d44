"""Errors of the neuron models against exact or fine references, for each tick length and precision.

    python -m benchmarks.accuracy > docs/accuracy.md

The reference of a linear model is its closed solution; that of the others is a DOP853 integration with
tolerances of 1e-11 and events at the peak.
"""

import math
import platform
import warnings

import numpy as np
from scipy.integrate import solve_ivp

import neurosim as ns

TICKS = (1.0, 0.5, 0.1, 0.02)  #: ms
DTYPES = ("float32", "float64")
DURATION = 500.0  #: ms
NEVER = 1e6  #: mV, a threshold out of reach


# ---- what is run ------------------------------------------------------------------------------------


def simulate(model, dt, dtype, inputs=()):
    """Return (spike times, times of the ticks, v at the ticks) of one neuron.

    Args:
        inputs: triples of a receptor, a weight, and the times of arrivals.
    """
    net = ns.Network()
    cell = net.add(model, 1, name="cell")
    for receptor, weight, times in inputs:
        given = ns.Spikes.from_times(np.array(times) - dt, np.zeros(len(times), dtype=int), size=1, duration=DURATION)
        net.connect(net.add(ns.SpikeSource(given)), cell, weight=weight, delay=dt, receptor=receptor)
    if model.spiking:
        net.record(cell)
    net.record(cell, "v")
    sim = ns.Simulation(net, dt=dt, dtype=dtype)
    sim.run(DURATION)
    times, v = sim.trace(cell)
    return np.asarray(sim.spikes(cell).times) if model.spiking else None, times, v[:, 0]


def events(equations, start, peak=None, reset=None, breaks=()):
    """Return (spike times, v(t)) of a fine integration; at each of `breaks`, (time, function), the state changes."""
    def crossing(t, y):
        return y[0] - peak

    crossing.terminal, crossing.direction = True, 1
    y, t, found, parts = np.array(start, dtype=float), 0.0, [], []
    waiting = [*sorted(breaks, key=lambda each: each[0]), (DURATION, None)]
    while t < DURATION:
        solved = solve_ivp(equations, (t, waiting[0][0]), y, method="DOP853", rtol=1e-11, atol=1e-11, dense_output=True,
                           events=None if peak is None else crossing)
        parts.append((t, solved.sol))
        t, y = solved.t[-1], solved.y[:, -1]
        if solved.status == 1:
            found.append(t)
            y = np.array(reset(y), dtype=float)
        else:
            change = waiting.pop(0)[1]
            y = y if change is None else np.array(change(y), dtype=float)
    starts = np.array([begin for begin, _ in parts])

    def v(times):
        which = np.searchsorted(starts, times - 1e-9, side="right") - 1
        return np.array([parts[max(k, 0)][1](time)[0] for k, time in zip(which, times, strict=True)])

    return np.array(found), v


# ---- membranes: the largest error of v ----------------------------------------------------------------

ARRIVALS = (10.0, 12.0, 40.0, 60.0, 61.0)


def rows_of_membranes():
    """Yield (name, model, inputs, v(t)) of neurons that do not spike."""
    passive = {"tau_mem": 20.0, "v_leak": -65.0, "r": 0.1, "i_bias": 50.0}

    def current(tau):
        """Return v of the membrane with exponential currents of 100 pA."""
        def v(t):
            total = -65.0 + 5.0 * (1 - np.exp(-t / 20.0))
            for arrival in ARRIVALS:
                s = np.maximum(t - arrival, 0.0)
                total += 10.0 * (s / 20.0 * np.exp(-s / 20.0) if tau == 20.0 else
                                         tau / (tau - 20.0) * (np.exp(-s / tau) - np.exp(-s / 20.0)))
            return total
        return v

    lif, integrator = ns.LIF(**passive, v_threshold=NEVER), ns.LeakyIntegrator(**passive)
    for model, tau in ((lif, 5.0), (lif, 20.0), (integrator, 5.0)):
        name = f"{type(model).__name__}, exponential current, tau_syn {tau:g} ms"
        yield name, model, [(ns.ExponentialCurrent(tau), 100.0, ARRIVALS)], current(tau)

    def ramp(t):
        return -70.0 + 0.25 * t + sum(0.5 * 5.0 * (1 - np.exp(-np.maximum(t - s, 0.0) / 5.0)) for s in ARRIVALS)

    yield ("IntegrateAndFire, exponential current", ns.IntegrateAndFire(c_mem=200.0, v_threshold=NEVER, i_bias=50.0),
           [(ns.ExponentialCurrent(5.0), 100.0, ARRIVALS)], ramp)
    yield ("LIF, exponential conductance", lif,
           [(ns.ExponentialConductance(5.0, 0.0), 5.0, ARRIVALS)], conductance_reference())


def conductance_reference():
    return events(lambda t, y: [(-65.0 - y[0] + 0.1 * (50.0 - y[1] * y[0])) / 20.0, -y[1] / 5.0], [-65.0, 0.0],
                  breaks=[(s, lambda y: [y[0], y[1] + 5.0]) for s in ARRIVALS])[1]


def membranes():
    """Print the table of the largest errors of v."""
    print("| | dt (ms) | float32 | float64 |\n|---|---|---|---|")
    for name, model, inputs, exact in rows_of_membranes():
        for dt in TICKS:
            errors = []
            for dtype in DTYPES:
                _, times, v = simulate(model, dt, dtype, inputs)
                errors.append(np.abs(v - exact(times)).max())
            print(f"| {name} | {dt:g} | {errors[0]:.1e} | {errors[1]:.1e} |")


# ---- spiking models: counts and times -----------------------------------------------------------------


def quadratic(model, square, slope, drive, share, offset):
    reset = model.c if isinstance(model, ns.Izhikevich) else model.v_reset
    start = -65.0 if isinstance(model, ns.Izhikevich) else model.v_r
    return events(lambda t, y: [(square * y[0] + slope) * y[0] + drive - share * y[1],
                                model.a * (model.b * y[0] + offset - y[1])],
                  [start, model.b * start + offset], model.v_peak, lambda y: [reset, y[1] + model.d])[0]


def of_2003(model):
    return quadratic(model, 0.04, 5.0, 140.0 + model.i_bias, 1.0, 0.0)


def of_2007(m):
    return quadratic(m, m.k / m.c_mem, -m.k * (m.v_r + m.v_t) / m.c_mem, (m.k * m.v_r * m.v_t + m.i_bias) / m.c_mem,
                     1 / m.c_mem, -m.b * m.v_r)


def of_adex(m):
    def equations(t, y):
        upswing = m.g_leak * m.delta_t * math.exp(min((y[0] - m.v_threshold) / m.delta_t, 100.0))
        return [(m.g_leak * (m.v_leak - y[0]) + upswing - y[1] + m.i_bias) / m.c_mem,
                (m.a * (y[0] - m.v_leak) - y[1]) / m.tau_w]

    return events(equations, [m.v_leak, 0.0], m.v_peak, lambda y: [m.v_reset, y[1] + m.b])[0]


def of_lif(m):
    drive = m.r * m.i_bias
    interval = m.tau_mem * math.log((drive + m.v_leak - m.v_reset) / (drive + m.v_leak - m.v_threshold))
    return np.arange(1, DURATION // interval + 1) * interval


def of_adaptive(m):
    """The first variable is v - theta, which is compared with v_threshold."""
    drive = m.v_leak + m.r * m.i_bias
    return events(lambda t, y: [(drive - y[0] - y[1]) / m.tau_mem + y[1] / m.tau_theta, -y[1] / m.tau_theta],
                  [m.v_leak, 0.0], m.v_threshold,
                  lambda y: [m.v_reset - y[1] - m.delta_theta, y[1] + m.delta_theta])[0]


def rows_of_spiking():
    """Yield (name, model, its spike times)."""
    lif = ns.LIF(tau_mem=20.0, v_leak=-65.0, v_reset=-65.0, v_threshold=-50.0, r=0.1, i_bias=180.0)
    yield "LIF", lif, of_lif(lif)
    adaptive = ns.AdaptiveLIF(**lif.values(), tau_theta=50.0, delta_theta=2.0).replace(i_bias=300.0)
    yield "AdaptiveLIF", adaptive, of_adaptive(adaptive)
    cells = {"regular spiking": (0.02, 0.2, -65.0, 8.0), "fast spiking": (0.1, 0.2, -65.0, 2.0),
             "chattering": (0.02, 0.2, -50.0, 2.0)}
    for name, numbers in cells.items():
        for scheme in ("published", "fine"):
            model = ns.Izhikevich(*numbers, i_bias=10.0, scheme=scheme)
            yield f"Izhikevich, {scheme}, {name}", model, of_2003(model)
    for scheme in ("published", "fine"):
        model = ns.GeneralIzhikevich(i_bias=100.0, scheme=scheme)
        yield f"GeneralIzhikevich, {scheme}, regular spiking", model, of_2007(model)
    naud = {"tonic": (200.0, 10.0, -70.0, 2.0, 30.0, 0.0, -58.0, 500.0),
            "adapting": (200.0, 12.0, -70.0, 2.0, 300.0, 60.0, -58.0, 500.0),
            "bursting": (200.0, 10.0, -58.0, 2.0, 120.0, 100.0, -46.0, 210.0)}
    names = ("c_mem", "g_leak", "v_leak", "a", "tau_w", "b", "v_reset", "i_bias")
    for name, numbers in naud.items():
        model = ns.AdExIF(**dict(zip(names, numbers, strict=True)), v_peak=-30.0)
        yield f"AdExIF, {name}", model, of_adex(model)


def spiking():
    """Print the table of spike counts, and of the largest error of a spike time where the counts agree."""
    print("| | dt (ms) | spikes, exact | float32 | float64 | error (ms), float32 | float64 |\n"
          "|---|---|---|---|---|---|---|")
    for name, model, exact in rows_of_spiking():
        for dt in TICKS:
            found = [simulate(model, dt, dtype)[0] for dtype in DTYPES]
            late = [f"{abs(times - exact).max():.3f}" if times.size == exact.size else "-" for times in found]
            print(f"| {name} | {dt:g} | {exact.size} | {found[0].size} | {found[1].size} | {late[0]} | {late[1]} |")


def main():
    warnings.simplefilter("ignore", ns.NeurosimWarning)
    print(f"""# Accuracy

What `python -m benchmarks.accuracy > docs/accuracy.md` printed, with neurosim {ns.__version__}, Python \
{platform.python_version()}, numpy {np.__version__}.

## Membranes

The largest error of v at a tick, in mV, over {DURATION:g} ms with five arrivals. Linear models with current receptors
are exact but for rounding; a conductance is held over a tick, which makes an error of the first order in dt.
The membranes of AdaptiveLIF and StochasticLIF are that of LIF.
""")
    membranes()
    print(f"""
## Spikes

Over {DURATION:g} ms with a constant current: the number of spikes, and the largest error of a spike's time, a dash
where the numbers differ. A spike is reported at the end of the tick in which it happens, so that an error of up to dt
is no fault. LIF resets at the end of the tick: its intervals are whole ticks, and the error adds up. Izhikevich's
models with the scheme "fine", and AdExIF, reset at the very crossing. The scheme "published" is the one of the
publications, made for dt = 1 ms, and does not solve the equations.
""")
    spiking()


if __name__ == "__main__":
    main()
