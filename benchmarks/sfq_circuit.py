"""`python -m benchmarks.sfq_circuit`: speed of the circuit solver beside a plain one in scipy, on the same circuit.

The array is 10 JTLs of 100 junctions with a pulse every 50 ps in each, for 1 ns in steps of 0.05 ps. The reference
takes the same trapezoidal steps with a factorised sparse matrix (`splu`) and vectors of numpy in a Python loop, the
sines at the same extrapolated phases. The margins of 12 cells, and the jitter of 2,000 noisy runs, are timed besides.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np

from hardware_models.sfq.circuit import PHI0, Circuit, SamePulses, build, margins, ramp, simulate, spread, triangles

IC, R, C, L, BIAS = 0.25, 2.743961767, 0.175, 4.0, 0.7


def array(chains: int, length: int, times) -> Circuit:
    """Return parallel JTLs."""
    circuit = Circuit("array")
    for chain in range(chains):
        for k in range(length):
            node = f"n{chain}_{k}"
            circuit.junction(f"B{chain}_{k}", node, "0", ic=IC, r=R, c=C)
            circuit.bias(f"I{chain}_{k}", node, ramp(BIAS * IC))
            if k:
                circuit.inductor(f"L{chain}_{k}", f"n{chain}_{k - 1}", node, L)
        circuit.bias(f"IN{chain}", f"n{chain}_0", triangles(times, height=0.5, width=3.0))
    return circuit


def scipy_array(chains: int, length: int, times, duration: float, h: float) -> np.ndarray:
    """Return when the last junctions switch, by splu and a Python loop over the same steps."""
    from scipy.sparse import diags
    from scipy.sparse.linalg import splu

    n = chains * length
    joined = np.ones(n - 1)
    joined[length - 1::length] = 0.0
    degree = np.append(joined, 0.0) + np.append(0.0, joined)
    stiffness = diags([-joined / L, degree / L, -joined / L], [-1, 0, 1])
    g0, a1, turn = 4 * C / h**2 + 2 / (R * h), 4 * C / h + 1 / R, 2 * np.pi / PHI0
    solver = splu((stiffness + diags([np.full(n, g0)], [0])).tocsc())
    steps = round(duration / h)
    clock = h * np.arange(1, steps + 1)
    bias = BIAS * IC * np.minimum(clock / 5.0, 1.0)
    drive = triangles(times, height=0.5, width=3.0).value(clock)
    flux, v, ic, slope = np.zeros((4, n))
    first, last = np.arange(chains) * length, np.arange(1, chains + 1) * length - 1
    crossed = []
    for k in range(steps):
        guess = flux + h * v + 0.5 * h * h * slope
        right = g0 * flux + a1 * v + ic - IC * np.sin(turn * guess) + bias[k]
        right[first] += drive[k]
        new = solver.solve(right)
        faster = 2.0 / h * (new - flux) - v
        ic = 2.0 * C / h * (faster - v) - ic
        slope = (faster - v) / h
        if np.floor(new[last[0]] / PHI0 + 0.5) > np.floor(flux[last[0]] / PHI0 + 0.5):
            level = (np.floor(new[last[0]] / PHI0 + 0.5) - 0.5) * PHI0
            crossed.append(clock[k] - h * (new[last[0]] - level) / (new[last[0]] - flux[last[0]]))
        flux, v = new, faster
    return np.array(crossed)


def _timed(work):
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def measure(rounds: int, duration: float, runs: int) -> dict:
    """Return medians of wall seconds, and how far the two solvers are apart."""
    times, h = np.arange(30.0, duration, 50.0), 0.05
    circuit = array(10, 100, times)
    simulate(circuit, 1.0, h=h)  # compiles
    simulate(circuit, 1.0, h=h, keys=range(8))
    found = {"junctions": 1000, "steps": round(duration / h)}
    ours, scipys, lanes = [], [], []
    for _ in range(rounds):
        seconds, run = _timed(lambda: simulate(circuit, duration, h=h))
        ours.append(seconds)
        seconds, reference = _timed(lambda: scipy_array(10, 100, times, duration, h))
        scipys.append(seconds)
        lanes.append(_timed(lambda: simulate(circuit, duration, h=h, vary={"*.scale": np.ones(8)}, threads=1))[0])
    found["array, s"], found["array in scipy, s"] = statistics.median(ours), statistics.median(scipys)
    found["times faster"] = statistics.median(b / a for a, b in zip(ours, scipys, strict=True))
    found["eight lanes, s per lane"] = statistics.median(lanes) / 8
    found["times faster per lane"] = statistics.median(8 * b / a for a, b in zip(lanes, scipys, strict=True))
    found["ns per junction and step"] = 1e9 * found["array, s"] / found["junctions"] / found["steps"]
    last = run.pulses("B0_99")
    found["largest difference, ps"] = float(np.abs(last - reference).max()) if len(last) == len(reference) else None
    chain = array(1, 20, [30.0])
    found["jitter runs"] = runs
    found["jitter, s"] = _timed(lambda: simulate(chain, 80.0, h=h, temperature=4.2, keys=range(runs)))[0]
    found |= _variations("12 cells", _twelve(), 200.0) | _variations("array of 100", array(1, 100, times), 200.0)
    found |= _variations("array", circuit, 200.0)
    found |= _margins()
    return found


def _variations(name, circuit, duration) -> dict:
    """Time 64 variations of all areas and inductances in lock-step beside a single run, in wall and processor time."""
    vary = spread(circuit, {"*.area": 0.05, "*.l": 0.05}, 64, seed=1)
    ratios = []
    for clock in (time.perf_counter, time.process_time):
        spans = []
        for options in ({}, {"vary": vary}):
            simulate(circuit, 1.0, **options)
            began = [clock()]
            for _ in range(3):
                simulate(circuit, duration, **options)
                began.append(clock())
            spans.append(min(b - a for a, b in zip(began, began[1:], strict=False)))
        ratios.append(spans[1] / spans[0])
    return {f"64 variations of {name}, runs": ratios[0], f"64 variations of {name}, runs of CPU": ratios[1]}


def _margins() -> dict:
    """Time the margins of all junctions, inductors and biases of a line of 12 cells."""
    cells = 12
    circuit = _twelve()
    nominal = simulate(circuit, 200.0, h=0.1)
    works = SamePulses(nominal, [f"C{cells - 1}.B2"])
    names = [name for name in circuit.names() if name.split(".")[-1].startswith(("B", "L", "IB"))
             and name.startswith("C") and not name.split(".")[-1].startswith(("LR", "LP", "LI"))]
    parameters = {}
    for name in names:
        kind = name.split(".")[-1]
        parameters[name] = name + (".scale" if kind.startswith("IB") else ".area" if kind.startswith("B") else ".l")
    seconds, found = _timed(lambda: margins(circuit, parameters, works, 200.0, h=0.1, resolution=0.01))
    critical = min(found, key=lambda margin: min(-margin.low, margin.high))
    return {"margins of 12 cells, parameters": len(parameters), "margins of 12 cells, s": seconds,
            "critical margin": str(critical).strip()}


def _twelve() -> Circuit:
    """A DFF between eleven JTLs."""
    circuit = Circuit("12 cells")
    for port, times in (("a", [30.0]), ("clk", [60.0, 120.0])):
        circuit.bias(f"I_{port}", f"{port}0", triangles(times, height=0.6, width=3.0))
    for k, (a, q) in enumerate((("a0", "a1"), ("a1", "a2"), ("a2", "a3"), ("clk0", "c1"), ("c1", "c2"), ("c2", "c3"))):
        circuit.include(f"C{k}", build("jtl"), a, q)
    circuit.include("C6", build("dff"), "a3", "c3", "q0")
    for k in range(7, 12):
        circuit.include(f"C{k}", build("jtl"), f"q{k - 7}", f"q{k - 6}")
    circuit.resistor("SINK", "q5", "0", 2.0)
    return circuit


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sfq_circuit", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="measurements in alternation; medians are shown (3)")
    parser.add_argument("--duration", type=float, default=1000.0, help="length of the array's run, ps (1000)")
    parser.add_argument("--runs", type=int, default=2000, help="noisy runs of the jitter (2000)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    found = measure(options.rounds, options.duration, options.runs)
    if options.json:
        json.dump(found, sys.stdout, indent=1)
        return
    for name, value in found.items():
        print(f"{name:36s} {value:12.4g}" if isinstance(value, (int, float)) else f"{name:36s} {value}")


if __name__ == "__main__":
    main()
