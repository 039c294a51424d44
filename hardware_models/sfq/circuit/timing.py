"""What a pulse-level description of a cell needs, measured on its circuit: delay, jitter, setup, hold, spacing.

A pulse is at an input when the last junction of the line that drives it switches, and at an output when the output
junction of the cell does, so that the delays of cells in a chain add up.
"""

import numpy as np

from hardware_models.sfq.circuit.cells import bench, find_cell
from hardware_models.sfq.circuit.solver import simulate
from neurosim.errors import SimulationError

APART = 60.0  #: ps between pulses that do not disturb each other
START = 40.0  #: ps before the first pulse
TAIL = 60.0  #: ps after the last pulse
DEGRADED = 0.1  #: setup is where the delay has grown by this part


def extract_timing(cell, *, temperature: float = 4.2, runs: int = 400, h: float = 0.05, resolution: float = 0.01,
                   seed: int = 0, bias: float = 1.0, threads: int | None = None) -> dict:
    """Return the timing of a cell, measured on its circuit between JTLs, as plain numbers in ps.

    Args:
        cell: "jtl", "splitter", "merger", "dff", or a `Cell`.
        temperature: K, for the jitter; 0 gives none.
        runs: noise realisations for the jitter.
        h: step, ps.
        resolution: of setup, hold and spacing, ps.
        seed: of the noise.
        bias: factor of the cell's bias currents.
        threads: processor threads.

    Returns:
        delay: {"input, output": ps} of a lone pulse; for a clocked cell from the clock.
        jitter: {"input, output": ps}, standard deviation of that delay.
        spacing: {"input, input": ps}, smallest interval between pulses at two inputs at which each gives one of its own
            (not for clocked cells).
        setup: smallest time from data to clock at which the delay has grown by less than 10 %; by inputs.
        threshold: time from data to clock below which the bit waits for the next clock; below 0 the data may come after
            the clock.
        hold: time from clock to data from which the bit is kept for the next clock: -threshold.
        cell, h, temperature, runs, seed, bias: how these were measured.

    >>> timing = extract_timing("jtl", runs=8, h=0.1, resolution=0.5)
    >>> round(timing["delay"]["a, q"], 1)
    3.6
    """
    data, name = find_cell(cell)
    options = {"h": h, "threads": threads}
    found = {"cell": name, "h": h, "temperature": temperature, "runs": runs, "seed": seed, "bias": bias}
    found["delay"], found["jitter"] = _delays(data, temperature, runs, seed, bias, options)
    if data.clock is None:
        found["spacing"] = {f"{one}, {two}": _spacing(data, one, two, resolution, bias, options)
                            for one in data.inputs for two in data.inputs if one != two}
    else:
        found |= {key: {} for key in ("setup", "threshold", "hold")}
        for port in data.inputs:
            if port != data.clock:
                setup, edge = _setup(data, port, resolution, bias, options)
                found["setup"][port], found["threshold"][port], found["hold"][port] = setup, edge, -edge
    return found


def _driver(port):
    return f"IN_{port}.B2"


def _switch(cell, port):
    return f"DUT.{cell.outputs[port]}"


def _delays(cell, temperature, runs, seed, bias, options):
    delay, jitter = {}, {}
    for port in cell.inputs if cell.clock is None else [cell.clock]:
        stimuli = {each: [] for each in cell.inputs} | {port: [START + APART]}
        if cell.clock is not None:
            stimuli |= {each: [START] for each in cell.inputs if each != cell.clock}
        circuit, duration = bench(cell, stimuli, bias), START + APART + TAIL
        quiet = simulate(circuit, duration, **options)
        noisy = simulate(circuit, duration, temperature=temperature, seed=seed, keys=range(runs),
                         **options) if temperature else None
        for output in cell.outputs:
            pair, key = (_switch(cell, output), _driver(port)), f"{port}, {output}"
            lone = quiet.pulse_time(pair[0]) - quiet.pulse_time(pair[1])
            if not np.isfinite(lone):
                raise SimulationError(f"the cell gives no pulse at {output} for one at {port}; check its bias")
            delay[key] = float(lone)
            jitter[key] = 0.0 if noisy is None else float(np.nanstd(
                noisy.pulse_time(pair[0]) - noisy.pulse_time(pair[1]), ddof=1))
    return delay, jitter


def _spacing(cell, one, two, resolution, bias, options):
    """Return the smallest interval from a pulse at one input to one at another at which both give pulses."""
    def measure(shifts):
        circuit = bench(cell, {each: [] for each in cell.inputs} | {one: [START], two: [START]}, bias)
        run = simulate(circuit, START + APART + TAIL, vary={f"I_{two}.delay": shifts}, **options)
        both = np.ones(shifts.size, bool)
        for port in cell.outputs:
            both &= np.array([len(each) for each in run.pulses(_switch(cell, port))]) == 2
        return run.pulse_time(_driver(two)) - run.pulse_time(_driver(one)), both

    return _edge(measure, 0.0, 0.5 * APART, resolution)[0]


def _setup(cell, port, resolution, bias, options):
    """Return setup and threshold from `port` to the clock."""
    others = [each for each in cell.inputs if each not in (port, cell.clock)]
    late = START + APART

    def run(shifts):
        stimuli = {port: [START], cell.clock: [START, late + APART]} | {each: [START - 20.0] for each in others}
        circuit = bench(cell, stimuli, bias)
        shifted = simulate(circuit, late + APART + TAIL, vary={f"I_{cell.clock}.delay": shifts}, **options)
        clock = shifted.pulse_time(_driver(cell.clock))
        delay = np.subtract(shifted.pulse_time(_switch(cell, next(iter(cell.outputs)))), clock)
        return clock - shifted.pulse_time(_driver(port)), delay

    def read(shifts):
        lead, delay = run(shifts)
        return lead, delay < 0.5 * APART

    def clean(shifts):
        lead, delay = run(shifts)
        return lead, delay < (1.0 + DEGRADED) * settled

    settled = run(np.array([0.5 * APART]))[1][0]
    return (_edge(clean, -0.25 * APART, 0.5 * APART, resolution)[0],
            _edge(read, -0.25 * APART, 0.5 * APART, resolution)[0])


def _edge(measure, low, high, resolution, lanes=16):
    """Return the place of the highest shift at which something is not yet true, in 16 lanes a round."""
    while True:
        shifts = np.linspace(low, high, lanes)
        place, true = measure(shifts)
        if true.all():
            return float(place[0]), low
        if not true[-1]:
            raise SimulationError("the cell does not settle within the time that is tried; check its bias")
        k = int(np.flatnonzero(~true)[-1])
        low, high = shifts[k], shifts[k + 1]
        if high - low <= resolution:
            return float(place[k + 1]), high
