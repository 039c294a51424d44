"""`NEUROSIM_DATA=FOLDER python -m benchmarks.gradient_epochs`: an epoch of MNIST, by exact and by surrogate gradients.

784-350-10, one spike a pixel in 20 ms, 40 ms a sample, batches of 32, mean v of the readouts as logits, Adam (fused).
All sides begin with the same weights and see the same batches; they take turns of a few batches on one thread, so that
what else the machine does meets all alike:

    exact       ns.gradients through bridge.EventNetwork, float64
    surrogate   the bridge's fused loops, CurrentLIFLayer and LeakyIntegratorLayer, spikes as lists, float32
    snnTorch    Synaptic and Leaky cells in a loop over ticks, spikes as a dense tensor, float32

CPU time of whole steps counts: forth, cross-entropy, back, update of weights. Bringing spikes into the form that a side
takes is left out. Then each side tells the last 10,000 images of the training set, which no side has seen. Each side's
rate of Adam is the best of some after 2,000 images, by images 45,000 to 50,000 (--rates tries them).
"""

import argparse
import gzip
import time
from pathlib import Path

import numpy as np

from benchmarks.gradients import DURATION, HIDDEN, latencies, mnist, network, raster

BATCH, TURN, SHARP = 32, 10, 6.0  # images; batches of a turn; factor of the logits
RATES = {"exact": 1e-2, "surrogate": 1e-2, "snnTorch": 1e-2}  #: of Adam
TRIED = (1e-3, 2e-3, 5e-3, 1e-2)


def weights() -> list[np.ndarray]:
    """Return the weights that all sides begin with."""
    rng = np.random.default_rng(0)
    return [rng.normal(0.04, 0.2, (784, HIDDEN)), rng.normal(0.0, 0.5, (HIDDEN, 10))]


def exact() -> tuple:
    """Return what makes an input of spike times, what makes mean v of an input, and what is learned."""
    from neurosim import bridge

    learner = bridge.EventNetwork(network(weights()), train={"to hidden": "weight", "to out": "weight"}, threads=1)
    return (lambda times: times, lambda times: learner(times, DURATION, integral=["out"]).integral["out"] / DURATION,
            learner.parameters())


def surrogate(dt: float) -> tuple:
    """Return the same for the bridge."""
    import torch

    import neurosim as ns
    from neurosim import bridge

    net = bridge.Sequential(bridge.CurrentLIFLayer(784, HIDDEN, dt=dt, tau_mem=20.0, tau_syn=5.0),
                            bridge.LeakyIntegratorLayer(HIDDEN, 10, dt=dt, tau_mem=20.0))
    with torch.no_grad():
        for layer, weight in zip(net.layers, weights(), strict=True):
            layer.weight.copy_(torch.from_numpy(weight))

    def given(times):
        ticks = np.where(np.isfinite(times), np.rint(times / dt), np.inf)
        lists = []
        for each in ticks:
            ids = np.argsort(each, kind="stable")[:np.isfinite(each).sum()]
            lists.append(ns.Spikes(ticks=1 + each[ids].astype(int), ids=ids, size=784, dt=dt, duration=DURATION))
        return bridge.SpikeBatch.from_spikes(lists, round(DURATION / dt))

    return given, lambda x: net(x)[0].mean(0), [layer.weight for layer in net.layers]


def snntorch(dt: float) -> tuple:
    """Return the same for snnTorch."""
    import snntorch as snn
    import torch

    linears = [torch.nn.Linear(784, HIDDEN, bias=False), torch.nn.Linear(HIDDEN, 10, bias=False)]
    with torch.no_grad():
        for linear, weight in zip(linears, weights(), strict=True):
            linear.weight.copy_(torch.from_numpy(weight.T))
    alpha, beta = np.exp(-dt / 5.0), np.exp(-dt / 20.0)
    hidden = snn.Synaptic(alpha=alpha, beta=beta, spike_grad=snn.surrogate.fast_sigmoid(25), reset_mechanism="zero")
    out = snn.Leaky(beta=beta, reset_mechanism="none")
    gain = (beta - alpha) / 3.0  # of the exact propagator: what a jump of the current adds to v in a tick

    def given(times):
        tick, sample, pixel, ticks = raster(times, dt)
        x = torch.zeros(ticks, len(times), 784)
        x[tick, sample, pixel] = 1.0
        return x

    def told(x):
        i, u, v = (torch.zeros(x.shape[1], size) for size in (HIDDEN, HIDDEN, 10))
        total = 0.0
        for now in x:
            spikes, i, u = hidden(gain * linears[0](now), i, u)
            _, v = out(linears[1](spikes), v)
            total = total + v
        return total / len(x)

    return given, told, [linear.weight for linear in linears]


class Side:
    """A network that learns; its CPU seconds and images are counted."""

    def __init__(self, made: tuple, rate: float):
        import torch

        self.given, self.told, parameters = made
        self.adam = torch.optim.Adam(parameters, lr=rate, fused=True)
        self.seconds, self.images = 0.0, 0

    def learn(self, times: np.ndarray, labels) -> None:
        """Take a step."""
        import torch

        x = self.given(times)
        began = time.process_time()
        loss = torch.nn.functional.cross_entropy(SHARP * self.told(x), labels)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        self.seconds += time.process_time() - began
        self.images += len(times)

    def warm(self, times: np.ndarray, labels) -> None:
        """Take a pass forth and back that changes nothing: it compiles."""
        import torch

        torch.nn.functional.cross_entropy(self.told(self.given(times)), labels).backward()

    def right(self, times: np.ndarray, labels: np.ndarray) -> float:
        """Return the share of images that it tells rightly."""
        import torch

        with torch.no_grad():
            told = [self.told(self.given(part)).argmax(1) for part in np.array_split(times, -(-len(times) // 500))]
        return float((torch.cat(told).numpy() == labels).mean())


def epoch(sides: dict, times: np.ndarray, labels: np.ndarray) -> None:
    """Show all images to all sides once, in turns."""
    import torch

    order = np.random.default_rng(1).permutation(len(labels))
    batches = np.array_split(order, -(-len(order) // BATCH))
    for side in sides.values():
        side.warm(times[batches[0]], torch.from_numpy(labels[batches[0]]))
    for begin in range(0, len(batches), TURN):
        for side in sides.values():
            for chosen in batches[begin:begin + TURN]:
                side.learn(times[chosen], torch.from_numpy(labels[chosen]))


def images(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return spike times and labels of the training set."""
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)
    return latencies(folder, len(labels)), labels


def main(arguments=None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradient_epochs", description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=50_000, help="images of the epoch (50000)")
    parser.add_argument("--test", type=int, default=10_000, help="of the last images, told afterwards (10000)")
    parser.add_argument("--dt", type=float, nargs="*", default=[1.0], help="ticks of the sides by ticks, ms (1)")
    parser.add_argument("--sides", nargs="*", choices=tuple(RATES), default=list(RATES), help="all by default")
    parser.add_argument("--rates", action="store_true", help="try rates of Adam on other images instead")
    options = parser.parse_args(arguments)
    folder = mnist()
    makers = {"exact": {"exact": exact}} | {name: {f"{name} {dt:g} ms": lambda make=make, dt=dt: make(dt)
                                                   for dt in options.dt}
                                            for name, make in (("surrogate", surrogate), ("snnTorch", snntorch))}
    chosen = [(kind, name, make) for kind in options.sides for name, make in makers[kind].items()]
    times, labels = images(folder)
    if options.rates:
        sides = {(name, rate): Side(make(), rate) for _, name, make in chosen for rate in TRIED}
        n, test = min(options.images, 2_000), slice(45_000, 50_000)
    else:
        sides = {(name, RATES[kind]): Side(make(), RATES[kind]) for kind, name, make in chosen}
        n, test = options.images, slice(len(labels) - options.test, None)
    epoch(sides, times[:n], labels[:n])
    print(f"{n} images learned, n_test {len(labels[test])}, CPU time of one thread")
    print(f"{'side':<18}{'rate':>8}{'ms an image':>13}{'epoch of 50,000, s':>20}{'of exact':>10}{'told rightly':>14}")
    first = next(iter(sides.values()))
    for (name, rate), side in sides.items():
        each = side.seconds / side.images
        ratio = each * first.images / first.seconds
        print(f"{name:<18}{rate:>8g}{each * 1e3:>13.3f}{each * 50_000:>20.1f}{ratio:>10.2f}"
              f"{side.right(times[test], labels[test]):>14.2%}", flush=True)


if __name__ == "__main__":
    main()
