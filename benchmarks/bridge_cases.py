"""What the bridge is measured on: steps of training and passes, here and in PyTorch the ways that people take."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

BETA = 0.95  #: share of v that is left after a tick
TAPS = 25
SHD_SPIKES = 50.0  #: mean number of spikes of 5 channels of SHD, where a sample has 7,000 in 1 s


@dataclass(frozen=True)
class Case:
    """One size of network and data; `sides` are functions (case) -> (step, gradients)."""

    name: str
    sizes: tuple[int, ...]
    ticks: int
    batch: int
    gain: float  #: of the weights, so that a few percent of the hidden cells spike at a tick
    sides: dict[str, str]
    block: int | None = None

    def smaller(self, share: float) -> "Case":
        """Return the same with fewer ticks and samples."""
        return replace(self, ticks=max(4, round(self.ticks * share)), batch=max(2, round(self.batch * share)))


def nmnist(case: Case) -> list:
    """Return recordings of N-MNIST as Spikes of one a tick and channel."""
    from benchmarks import recordings

    return recordings.samples(recordings.Wanted(case.name, case.batch, float(case.ticks)))


def raster(case: Case) -> Any:
    """Return the same recordings as a tensor, shape (ticks, batch, inputs)."""
    import torch

    dense = np.zeros((case.ticks, case.batch, case.sizes[0]), dtype=np.float32)
    for b, sample in enumerate(nmnist(case)):
        dense[sample.ticks, b, sample.ids] = 1.0
    return torch.from_numpy(dense)


def counts(case: Case) -> Any:
    """Return random numbers of spikes with the mean of SHD, shape (ticks, batch, inputs)."""
    import torch

    shape = case.ticks, case.batch, case.sizes[0]
    return torch.poisson(torch.full(shape, SHD_SPIKES / case.ticks), generator=torch.Generator().manual_seed(1))


def weights(case: Case) -> list:
    """Return the weights that both sides begin with, (inputs, neurons)."""
    import torch

    generator = torch.Generator().manual_seed(2)
    return [torch.randn(a, b, generator=generator) * case.gain / math.sqrt(a)
            for a, b in zip(case.sizes[:-1], case.sizes[1:], strict=True)]


def _loss(v, batch):
    import torch

    return torch.nn.functional.cross_entropy(v.mean(0), torch.arange(batch) % v.shape[2])


def _step(net, x, parameters, batch):
    """Return a step of training, and a function that returns the gradients of the first step."""
    import torch

    adam = torch.optim.Adam(parameters, lr=1e-4)
    first: list = []

    def step():
        adam.zero_grad()
        _loss(net(x), batch).backward()
        if not first:
            first.extend(parameter.grad.clone() for parameter in parameters)
        adam.step()

    return step, lambda: [each.numpy() for each in first]


# ---------------------------------------------------------------------------------------------------------------------
# Here
# ---------------------------------------------------------------------------------------------------------------------

def _layers(case, delays=None, recurrent=False):
    import torch

    from neurosim import bridge

    tau = -1.0 / math.log(BETA)
    made = [bridge.LIFLayer(a, b, tau_mem=tau, reset="subtract", reset_by=1.0 / BETA, delays=delays,
                            recurrent=recurrent) for a, b in zip(case.sizes[:-2], case.sizes[1:-1], strict=True)]
    made.append(bridge.LeakyIntegratorLayer(*case.sizes[-2:], tau_mem=tau, delays=delays))
    with torch.no_grad():
        for layer, weight in zip(made, weights(case), strict=True):
            layer.weight.copy_(weight)
            layer.recurrent.copy_(_returning(case)) if layer.kind.recurrent else None
            if delays is not None:
                layer.delays.delay.copy_(_delays(layer.weight.shape))
                layer.delays.sigma.fill_(TAPS / 4)
    return bridge.Sequential(*made, block=case.block)


def here(case: Case, recurrent: bool = False, delays: bool = False) -> tuple[Callable, Callable]:
    """Return a step of this bridge; recordings come in as lists."""
    from neurosim import bridge

    net = _layers(case, bridge.Delays(TAPS - 1.0) if delays else None, recurrent)
    if case.name == "nmnist":
        x = bridge.SpikeBatch.from_spikes(nmnist(case), case.ticks)
    else:
        x = counts(case)
    parameters = [layer.weight for layer in net.layers]
    parameters += [layer.recurrent for layer in net.layers if layer.kind.recurrent]
    parameters += [layer.delays.delay for layer in net.layers if delays]
    return _step(lambda given: net(given)[0], x, parameters, case.batch)


def _returning(case):
    import torch

    return torch.randn(case.sizes[1], case.sizes[1], generator=torch.Generator().manual_seed(3)) * 0.3 / math.sqrt(
        case.sizes[1])


def _delays(shape):
    import torch

    return torch.rand(shape, generator=torch.Generator().manual_seed(4)) * (TAPS - 1)


# ---------------------------------------------------------------------------------------------------------------------
# snnTorch, and dilated convolutions
# ---------------------------------------------------------------------------------------------------------------------

def snntorch(case: Case, recurrent: bool = False) -> tuple[Callable, Callable]:
    """Return a step of snnTorch, whose loop over ticks is Python's; recordings come in as a tensor."""
    import snntorch as snn
    import torch

    slope = snn.surrogate.fast_sigmoid(25)
    given = weights(case)
    linears = [torch.nn.Linear(a, b, bias=False) for a, b in zip(case.sizes[:-1], case.sizes[1:], strict=True)]
    with torch.no_grad():
        for linear, weight in zip(linears, given, strict=True):
            linear.weight.copy_(weight.T)
    kind = partial(snn.RLeaky, linear_features=case.sizes[1]) if recurrent else snn.Leaky
    cells = [kind(beta=BETA, spike_grad=slope) for _ in linears[:-1]]
    cells.append(snn.Leaky(beta=BETA, reset_mechanism="none"))
    parameters = [linear.weight for linear in linears]
    if recurrent:
        with torch.no_grad():
            cells[0].recurrent.weight.copy_(_returning(case).T)
            cells[0].recurrent.bias.zero_()
        parameters.append(cells[0].recurrent.weight)

    def net(x):
        v = [torch.zeros(case.batch, n) for n in case.sizes[1:]]
        spikes, out = [torch.zeros_like(each) for each in v], []
        for now in x:
            for k, (linear, cell) in enumerate(zip(linears, cells, strict=True)):
                back = (spikes[k],) if recurrent and k < len(cells) - 1 else ()
                now, v[k] = cell(linear(now), *back, v[k])
                spikes[k] = now
            out.append(v[-1])
        return torch.stack(out)

    x = raster(case) if case.name == "nmnist" else counts(case)
    step, gradients = _step(net, x, parameters, case.batch)
    return step, lambda: [g.T for g in gradients()]


def convolutions(case: Case) -> tuple[Callable, Callable]:
    """Return a step whose sums over taps are PyTorch's convolution over time; its neurons are the bridge's."""
    import torch

    net = _layers(case)
    delays = [_delays(layer.weight.shape).requires_grad_() for layer in net.layers]
    steps = torch.arange(TAPS, dtype=torch.float32)[:, None, None]

    def run(x):
        for layer, delay in zip(net.layers, delays, strict=True):
            shares = torch.softmax(-0.5 * ((steps - delay) / (TAPS / 4)) ** 2, 0)
            kernel = (shares * layer.weight).flip(0).permute(2, 1, 0)  # (neurons, inputs, taps)
            padded = torch.nn.functional.pad(x.permute(1, 2, 0), (TAPS - 1, 0))
            x = over(layer, torch.nn.functional.conv1d(padded, kernel).permute(2, 0, 1).contiguous())
        return x

    return _step(run, counts(case), [*(layer.weight for layer in net.layers), *delays], case.batch)


def over(layer, arrivals):
    """Return what the neurons of a layer send for sums of arrivals."""
    import torch

    from neurosim.bridge.sequence import compiled

    samples = arrivals.shape[1]
    lengths = torch.full((samples,), arrivals.shape[0])
    return compiled(layer.kind, arrivals, layer.bias, layer.recurrent, layer.coefficients(), layer.initial(samples),
                    lengths)[0]


# ---------------------------------------------------------------------------------------------------------------------
# One sample at a time, with delays
# ---------------------------------------------------------------------------------------------------------------------

def in_core(case: Case) -> tuple[Callable, Callable]:
    """Return a pass of samples through the core, one after the other on one thread."""
    import neurosim as ns
    from neurosim import bridge

    core = bridge.to_network(_layers(case, bridge.Delays(TAPS - 1.0)).eval())
    sim = ns.Simulation(core.network, dt=core.dt, dtype="float32", threads=1)
    samples = [core.sample(each.numpy()) for each in counts(case).unbind(1)]
    last: list = []

    def step():
        last.clear()
        for result in sim.run_batch(samples, core.ticks(case.ticks) * core.dt, threads=1):
            last.append(result.trace(f"layer{len(case.sizes) - 1}", "v")[1][-case.ticks:])

    return step, lambda: last


def in_torch(case: Case) -> tuple[Callable, Callable]:
    """Return a pass of one sample after the other through convolutions over time and snnTorch's neurons."""
    import snntorch as snn
    import torch

    net = _layers(case, None)
    x = counts(case)
    steps = torch.arange(TAPS)[:, None, None]
    kernels = [((_delays(layer.weight.shape).round() == steps) * layer.weight.detach()).flip(0).permute(2, 1, 0)
               .contiguous() for layer in net.layers]
    cells = [snn.Leaky(beta=BETA) for _ in kernels[:-1]] + [snn.Leaky(beta=BETA, reset_mechanism="none")]
    last: list = []

    def one(now):
        for kernel, cell in zip(kernels, cells, strict=True):
            padded = torch.nn.functional.pad(now.permute(1, 2, 0), (TAPS - 1, 0))
            v, out = torch.zeros(1, kernel.shape[0]), []
            for arrivals in torch.nn.functional.conv1d(padded, kernel).permute(2, 0, 1):
                spikes, v = cell(arrivals, v)
                out.append(v if cell is cells[-1] else spikes)
            now = torch.stack(out)
        return now[:, 0].numpy()

    def step():
        with torch.no_grad():
            last[:] = [one(x[:, b:b + 1]) for b in range(case.batch)]

    return step, lambda: last


CASES = {case.name: case for case in (
    Case("nmnist", (2312, 512, 10), 300, 64, 4.0, {"bridge": "here", "snnTorch": "snntorch"}, block=50),
    Case("shd", (140, 256, 256, 20), 100, 256, 1.5, {"bridge": "here", "snnTorch": "snntorch"}),
    Case("recurrent", (140, 256, 20), 1000, 32, 1.5, {"bridge": "here_recurrent", "snnTorch": "snntorch_recurrent"}),
    Case("delays", (140, 256, 256, 20), 100, 256, 1.5, {"bridge": "here_delays", "convolution": "convolutions"}),
    Case("core", (140, 256, 256, 20), 100, 16, 1.5, {"core": "in_core", "torch": "in_torch"}),
)}
here_recurrent, here_delays = partial(here, recurrent=True), partial(here, delays=True)
snntorch_recurrent = partial(snntorch, recurrent=True)
