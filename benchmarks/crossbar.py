"""`python -m benchmarks.crossbar`: circuits of crossbars and products on devices, beside badcrossbar and aihwkit.

badcrossbar 1.1.0 (`pip install --no-deps badcrossbar pathvalidate`; its plots, which need cairo, are not used) and
aihwkit 1.1.0 with torch 2.10 are measured where they can be imported. They take turns, and medians are shown; what a
layer with all off costs is the median of ratios of neighbours.
"""

import argparse
import contextlib
import importlib.util
import io
import logging
import resource
import statistics
import sys
import time
from unittest.mock import MagicMock

import numpy as np

from hardware_models.arrays import aligned
from hardware_models.memristor import PCM, CrossbarCircuit, CrossbarLayer, Memristor


def seconds(function, least=0.05):
    """Return the time of one call: as many calls as fill the least time."""
    began, calls = time.perf_counter(), 0
    while True:
        function()
        calls += 1
        passed = time.perf_counter() - began
        if passed > least:
            return passed / calls


def alternating(functions: dict, rounds: int) -> dict:
    """Return the median of the times of each function, measured in turns."""
    found = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(rounds):
        for name, function in functions.items():
            found[name].append(seconds(function))
    return {name: statistics.median(times) for name, times in found.items()}


def bad_crossbar():
    """Return badcrossbar's `compute`, or None where it is not installed."""
    if importlib.util.find_spec("badcrossbar") is None:
        return None
    for name in ("cairo", "sigfig"):  # needed by its plots alone
        if importlib.util.find_spec(name) is None:
            sys.modules[name] = MagicMock()
    import badcrossbar

    logging.disable(logging.INFO)

    def compute(v, ohm, r):
        with contextlib.redirect_stdout(io.StringIO()):
            return badcrossbar.compute(v, ohm, r)

    return compute


def circuits(sizes, rounds):
    """Print how long a solution takes, how long one more input, and how far we are from badcrossbar."""
    peer = bad_crossbar()
    print("badcrossbar is not installed and is left out" if peer is None else "", end="")
    print("\nall node voltages and currents for one input, r = 1 ohm, 1 to 100 uS; transfer: for all inputs at once")
    print(f"{'size':>6}{'ours':>12}{'badcrossbar':>14}{'ratio':>8}{'difference':>12}{'transfer':>12}{'MB':>8}")
    for n in sizes:
        rng = np.random.default_rng(42)
        g, v = rng.uniform(1, 100, (n, n)), rng.uniform(0, 0.2, n)
        circuit = CrossbarCircuit(g, 1.0, 1.0)
        calls = {"ours": lambda c=circuit, v=v: c.solve(v)}
        if peer is not None and n <= 512:
            calls["peer"] = lambda v=v, g=g: peer(v[:, None], 1e6 / g, 1.0)
        times = alternating(calls, rounds if n <= 256 else 1)
        error = ""
        if "peer" in calls:
            theirs = np.ravel(calls["peer"]().currents.output) * 1e6
            error = f"{np.abs(circuit.solve(v).currents / theirs - 1).max():.0e}"
        transfer = "-"
        if n <= 256:
            began = time.perf_counter()
            circuit.transfer()
            transfer = f"{time.perf_counter() - began:.2f} s"
        ratio = f"{times['peer'] / times['ours']:.0f}" if "peer" in times else "-"
        theirs = f"{times['peer'] * 1e3:.1f} ms" if "peer" in times else "-"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{n:6d}{times['ours'] * 1e3:>9.2f} ms{theirs:>14}{ratio:>8}{error:>12}{transfer:>12}{memory:>8.0f}",
              flush=True)


def aihwkit_tile(n, batch):
    """Return a forward call of an inference tile as it comes, or None."""
    if importlib.util.find_spec("aihwkit") is None:
        return None
    import torch
    from aihwkit.nn import AnalogLinear
    from aihwkit.simulator.configs import InferenceRPUConfig

    layer = AnalogLinear(n, n, bias=False, rpu_config=InferenceRPUConfig())
    layer.eval()
    x = torch.rand(batch, n)

    def call():
        with torch.no_grad():
            return layer(x)

    return call


def overhead(turns=1500, n=256):
    """Print what a layer with everything off costs over a bare product: device, and crossbar."""
    rng = np.random.default_rng(0)
    w = rng.uniform(-1, 1, (n, n)).astype(np.float32)
    w = aligned(w)  # for both: that alone can be worth a tenth
    print(f"\nlayers with everything off, {n} x {n}, float32: must cost at most 5 % more than x @ W")
    print(f"{'batch':>6}{'x @ W':>12}{'device':>10}{'crossbar':>10}   median of {turns} ratios in turns")
    for batch, calls in ((1, 40), (256, 2)):
        x = rng.uniform(0, 1, (batch, n)).astype(np.float32)
        device, layer = Memristor(), CrossbarLayer(w)
        functions = {"bare": lambda x=x: x @ w, "device": lambda x=x, d=device: d.matmul(x, w),
                     "crossbar": lambda x=x, c=layer: c.forward(x)}
        found = {name: [] for name in functions}
        for turn in range(turns):
            for name in (list(functions), list(functions)[::-1])[turn % 2]:
                began = time.perf_counter_ns()
                for _ in range(calls):
                    functions[name]()
                found[name].append((time.perf_counter_ns() - began) / calls)
        over = {name: statistics.median(a / b for a, b in zip(found[name], found["bare"], strict=True))
                for name in ("device", "crossbar")}
        print(f"{batch:6d}{statistics.median(found['bare']) / 1e3:>9.2f} us{over['device']:>10.3f}"
              f"{over['crossbar']:>10.3f}")


def products(rounds, n=256):
    """Print what noise and converters of 7 and 9 bits cost over a bare product.

    aihwkit's tile has its defaults: converters of 7 and 9 bits and noise at the output.
    """
    rng = np.random.default_rng(0)
    w = rng.uniform(-1, 1, (n, n)).astype(np.float32)
    print(f"\nnoisy products with a {n} x {n} matrix, float32")
    print(f"{'batch':>6}{'x @ W':>12}{'PCM noise':>12}{'+ ADC, DAC':>12}{'aihwkit':>12}")
    for batch in (1, 256):
        x = rng.uniform(0, 1, (batch, n)).astype(np.float32)
        noisy = PCM(flicker_noise=1.0)
        moments = noisy.read_moments(w)
        layer = CrossbarLayer(w, noisy, input_bits=7, bits=9).calibrate(x)
        calls = {"bare": lambda x=x: x @ w, "full": lambda x=x, c=layer: c.forward(x, rng),
                 "noisy": lambda x=x, d=noisy, m=moments: d.matmul(x, w, rng, m)}
        peer = aihwkit_tile(n, batch)
        if peer is not None:
            calls["peer"] = peer
        times = alternating(calls, max(rounds, 15))
        theirs = f"{times['peer'] * 1e6:.1f} us" if peer is not None else "-"
        print(f"{batch:6d}{times['bare'] * 1e6:>9.1f} us{times['noisy'] * 1e6:>9.1f} us{times['full'] * 1e6:>9.1f} us"
              f"{theirs:>12}")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crossbar", description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[64, 128, 256, 512, 1024], help="of square arrays")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    options = parser.parse_args()
    circuits(options.sizes, options.rounds)
    overhead()
    products(options.rounds)


if __name__ == "__main__":
    main()
