"""`NEUROSIM_DATA=FOLDER python -m benchmarks.gradients`: exact gradients by events beside surrogate ones by ticks.

784-350-10 on images of MNIST, one spike a pixel in 20 ms, 40 ms a sample, batches of 32. A step is a pass forth,
cross-entropy of what the readouts tell, and a pass back; updates of weights, which all share, are left out. Three sides
take turns on one thread, and the least CPU time of several rounds counts:

    exact       ns.gradients, the readouts' largest v, derivatives by weights alone
    surrogate   the bridge's fused loops, CurrentLIFLayer and LeakyIntegratorLayer, mean v, spikes as lists
    snnTorch    Synaptic and Leaky cells in a loop over ticks, mean v, spikes as a dense tensor

The sides by ticks are measured at several dt. Weights are raised step by step, so that hidden neurons spike more, and
the number of spikes is printed at which exact and surrogate gradients cost the same.
"""

import argparse
import gzip
import os
import sys
import time
from pathlib import Path

import numpy as np

HIDDEN, LATEST, DURATION, BATCH = 350, 20.0, 40.0, 32
TICKS = (1.0, 0.5, 0.2, 0.1)  #: ms
MEANS = (0.03, 0.04, 0.05, 0.065, 0.078)  #: of the weights of pixels


def mnist() -> Path:
    """Return the folder of MNIST, and let PyTorch have one thread; leave with a sentence where there is none."""
    folder = Path(os.environ.get("NEUROSIM_DATA") or "missing") / "mnist"
    if not folder.is_dir():
        print("this benchmark needs MNIST: set NEUROSIM_DATA to a folder that holds mnist/. Nothing was done.")
        sys.exit(0)
    import torch

    torch.set_num_threads(1)
    return folder


def latencies(folder: Path, n: int) -> np.ndarray:
    """Return spike times of n images in ms, inf for none."""
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(16 + 784 * n), np.uint8, offset=16).reshape(n, 784)
    return np.where(pixels > 0, LATEST * (1.0 - pixels / 255.0), np.inf)


def weights(mean: float) -> list[np.ndarray]:
    """Return the weights that all sides have."""
    rng = np.random.default_rng(1)
    return [rng.normal(mean, 0.045, (784, HIDDEN)), rng.normal(0.0, 0.3, (HIDDEN, 10))]


def network(weights: list[np.ndarray]):
    """Return the network of 784-350-10 neurons with some weights, for exact gradients."""
    import neurosim as ns

    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes.from_times([], [], size=784, duration=1.0)), 784, name="pixels")
    models = (ns.LIF(tau_mem=20.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, r=1.0),
              ns.LeakyIntegrator(tau_mem=20.0, v_leak=0.0, r=1.0))
    for name, model, size, weight in zip(("hidden", "out"), models, (HIDDEN, 10), weights, strict=True):
        target = net.add(model, size, name=name)
        net.connect(source, target, ns.AllToAll(), weight=weight, delay=1.0, receptor=ns.ExponentialCurrent(5.0),
                    name=f"to {name}")
        source = target
    return net


def exact(times: np.ndarray, mean: float) -> tuple:
    """Return functions that go forth and back, and what they keep."""
    import torch

    import neurosim as ns

    model, kept = ns.gradients.Differentiable(network(weights(mean))), {}

    def forth():
        kept["run"] = model.run(times, DURATION, largest=True, threads=1)

    def back():
        logits = torch.from_numpy(kept["run"].largest("out")).requires_grad_()
        torch.nn.functional.cross_entropy(logits, torch.arange(len(times)) % 10).backward()
        kept["gradient"] = kept["run"].backward(largest={"out": logits.grad.numpy()}, timing=False)

    return forth, back, kept


def raster(times: np.ndarray, dt: float) -> tuple:
    """Return tick, sample and pixel of each spike, and the number of ticks."""
    sample, pixel = np.nonzero(np.isfinite(times))
    return np.rint(times[sample, pixel] / dt).astype(int), sample, pixel, round(DURATION / dt)


def surrogate(times: np.ndarray, mean: float, dt: float) -> tuple:
    """Return the same for the bridge."""
    import torch

    import neurosim as ns
    from neurosim import bridge

    tick, sample, pixel, ticks = raster(times, dt)
    lists = [ns.Spikes(ticks=1 + np.sort(tick[sample == k]), ids=pixel[sample == k][np.argsort(tick[sample == k])],
                       size=784, dt=dt, duration=DURATION) for k in range(len(times))]
    net = bridge.Sequential(bridge.CurrentLIFLayer(784, HIDDEN, dt=dt, tau_mem=20.0, tau_syn=5.0),
                            bridge.LeakyIntegratorLayer(HIDDEN, 10, dt=dt, tau_mem=20.0))
    with torch.no_grad():
        for layer, weight in zip(net.layers, weights(mean), strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
    x, kept = bridge.SpikeBatch.from_spikes(lists, ticks), {}

    def forth():
        kept["v"] = net(x)[0].mean(0)

    return forth, lambda: _back(kept["v"], net), kept


def snntorch(times: np.ndarray, mean: float, dt: float) -> tuple:
    """Return the same for snnTorch."""
    import snntorch as snn
    import torch

    tick, sample, pixel, ticks = raster(times, dt)
    x = torch.zeros(ticks, len(times), 784)
    x[tick, sample, pixel] = 1.0
    net = torch.nn.ModuleList([torch.nn.Linear(784, HIDDEN, bias=False), torch.nn.Linear(HIDDEN, 10, bias=False)])
    with torch.no_grad():
        for layer, weight in zip(net, weights(mean), strict=True):
            layer.weight.copy_(torch.from_numpy(weight.T))
    alpha, beta = np.exp(-dt / 5.0), np.exp(-dt / 20.0)
    hidden = snn.Synaptic(alpha=alpha, beta=beta, spike_grad=snn.surrogate.fast_sigmoid(25), reset_mechanism="zero")
    out, kept = snn.Leaky(beta=beta, reset_mechanism="none"), {}
    gain = (beta - alpha) / 3.0  # of the exact propagator: what a jump of the current adds to v in a tick

    def forth():
        i, u, v = (torch.zeros(len(times), size) for size in (HIDDEN, HIDDEN, 10))
        seen = []
        for now in x:
            spikes, i, u = hidden(gain * net[0](now), i, u)
            _, v = out(net[1](spikes), v)
            seen.append(v)
        kept["v"] = torch.stack(seen).mean(0)

    return forth, lambda: _back(kept["v"], net), kept


def _back(v, net):
    import torch

    net.zero_grad()
    torch.nn.functional.cross_entropy(v, torch.arange(len(v)) % 10).backward()


def cost(made: dict, rounds: int) -> dict:
    """Return the least CPU times (forth, back) of each side in ms a sample."""
    found = {name: [np.inf, np.inf] for name in made}
    for turn in range(rounds + 1):
        for name, (forth, back, _) in made.items():
            for k, work in enumerate((forth, back)):
                began = time.process_time()
                work()
                if turn:  # the first compiles
                    found[name][k] = min(found[name][k], (time.process_time() - began) / BATCH * 1e3)
    return found


def crossing(spikes: list, ratio: list) -> str:
    """Return at how many hidden spikes a sample both sides cost the same, or on which side of what was tried."""
    above = [k for k in range(len(ratio) - 1) if (ratio[k] < 1.0) != (ratio[k + 1] < 1.0)]
    if not above:
        return f"more than {max(spikes):.0f}" if max(ratio) < 1.0 else f"less than {min(spikes):.0f}"
    k = above[0]
    return f"{np.interp(0.0, np.log(ratio[k:k + 2]), spikes[k:k + 2]):.0f}"


def main(arguments=None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradients", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each side takes a step (5)")
    parser.add_argument("--quick", action="store_true", help="one dt and two means")
    options = parser.parse_args(arguments)
    times, ticks = latencies(mnist(), BATCH), TICKS[:1] if options.quick else TICKS
    spikes, ratios = [], {dt: [] for dt in ticks}
    print(f"{'hidden spikes':>14}  {'side':<20}{'forth':>9}{'back':>9}   ms a sample of CPU time, one thread")
    for mean in MEANS[2:4] if options.quick else MEANS:
        made = {"exact": exact(times, mean)}
        for dt in ticks:
            made[f"surrogate {dt:g} ms"] = surrogate(times, mean, dt)
            made[f"snnTorch {dt:g} ms"] = snntorch(times, mean, dt)
        found = cost(made, options.rounds)
        run = made["exact"][2]["run"]
        spikes.append(run.counts("hidden").sum() / BATCH)
        for name, (forth, back) in found.items():
            print(f"{spikes[-1]:>14.0f}  {name:<20}{forth:>9.3f}{back:>9.3f}", flush=True)
        for dt in ticks:
            ratios[dt].append(sum(found["exact"]) / sum(found[f"surrogate {dt:g} ms"]))
    for dt in ticks:
        print(f"exact and surrogate at {dt:g} ms cost the same at {crossing(spikes, ratios[dt])} hidden spikes")


if __name__ == "__main__":
    main()
