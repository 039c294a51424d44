"""`python -m benchmarks.bridge [CASE ...]`: steps of training of the PyTorch bridge beside snnTorch and convolutions.

    nmnist      2,312-512-10, 300 ticks, 64 recordings of N-MNIST (NEUROSIM_DATA), beside snnTorch
    shd         140-256-256-20, 100 ticks, batch 256, random spikes with the mean of SHD, beside snnTorch
    recurrent   140-256-20 with recurrent weights, 1,000 ticks, batch 32, beside snnTorch
    delays      the network of shd with delays over 25 taps, beside convolutions over time
    core        passes of 16 samples, one at a time, through that network: the core beside PyTorch

Both sides begin with the same weights; the gradients of the first step (core: v of the last layer) are compared.
Steps of both take turns in one process, whose medians and the median of ratios of neighbours are shown. Memory is the
largest resident size of a process that makes network and inputs and takes three steps, over that before; what is loaded
once is loaded by a small step before.
"""

import argparse
import statistics
import time

import numpy as np

from benchmarks import bridge_cases, child
from benchmarks.bridge_cases import CASES

NAMES = {name: tuple(case.sides) for name, case in CASES.items()}


def _made(case, side, share):
    return getattr(bridge_cases, case.sides[side])(case if share == 1 else case.smaller(share))


def times(name: str, rounds: int, threads: int, share: float = 1.0) -> dict:
    """Return the seconds of steps of both sides in turns, and how far their first gradients differ."""
    import torch

    torch.set_num_threads(threads)
    case = CASES[name]
    made = {side: _made(case, side, share) for side in case.sides}
    found: dict[str, list] = {side: [] for side in case.sides}
    used: dict[str, list] = {side: [] for side in case.sides}
    for step, _ in made.values():
        step()
    away = _difference(*(gradients() for _, gradients in made.values()))
    for _ in range(rounds):
        for side, (step, _) in made.items():
            began, before = time.perf_counter(), time.process_time()
            step()
            found[side].append(time.perf_counter() - began)
            used[side].append(time.process_time() - before)
    return {"seconds": found, "cpu": used, "difference": away}


def _difference(ours, theirs) -> float:
    """Return the largest difference of gradients of one parameter, by the largest of it."""
    return max(float(np.abs(one - other).max() / max(np.abs(other).max(), 1e-30))
               for one, other in zip(ours, theirs, strict=True))


def peak(name: str, side: str, threads: int, share: float = 1.0) -> float:
    """Return by how many MB three steps of one side enlarge this process at most."""
    import torch

    torch.set_num_threads(threads)
    _made(CASES[name], side, share / 20)[0]()  # what is loaded once
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the largest size is counted from here on
    before = child.resident_mb("VmRSS")
    step, _ = _made(CASES[name], side, share)
    for _ in range(3):
        step()
    return child.resident_mb("VmHWM") - before


def measure(name: str, rounds: int, threads: int) -> None:
    """Print a line of a case."""
    found = child.run("benchmarks.bridge:times", name=name, rounds=rounds, threads=threads)
    memory = [child.run("benchmarks.bridge:peak", name=name, side=side, threads=threads) for side in NAMES[name]]
    ours, theirs = (found["seconds"][side] for side in NAMES[name])
    cpu = statistics.median(b / a for a, b in zip(*(found["cpu"][side] for side in NAMES[name]), strict=True))
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    print(f"{name:<10}{NAMES[name][1]:>12}{threads:>4}{statistics.median(ours) * 1e3:>11.1f}"
          f"{statistics.median(theirs) * 1e3:>11.1f}{ratio:>8.1f}{cpu:>8.1f}{memory[0]:>9.0f}{memory[1]:>9.0f}"
          f"{found['difference']:>12.1e}", flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bridge", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; by default all")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side takes a step (5)")
    parser.add_argument("--threads", type=int, nargs="*", default=[1], help="of both sides (1)")
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error(f"CASE must be of {', '.join(CASES)}, got {unknown[0]}")
    print(f"{'case':<10}{'peer':>12}{'thr':>4}{'here ms':>11}{'peer ms':>11}{'ratio':>8}{'of CPU':>8}{'MB':>9}"
          f"{'peer MB':>9}{'difference':>12}")
    for name in options.cases or CASES:
        for threads in options.threads:
            measure(name, options.rounds, threads)


if __name__ == "__main__":
    main()
