"""Makes tests/golden/nir.zip: files that snnTorch, SpikingJelly and Norse write, and what these send on given input.

Run it with a Python that has neurosim and snntorch 1.0.0, spikingjelly 2.0.0, norse 1.1.0, nirtorch 2.6, nir 1.0.8,
torch 2.13.0: `python tests/nir_exporters.py`. For each network there is a file of its framework's exporter, and in
spikes.npz the input and what the framework's own network sent, (steps, samples, neurons), of each layer or the last.
Networks `ours_*` go the other way: a file that neurosim writes, and what the framework sends after it has read it.
"""

import tempfile
import zipfile
from pathlib import Path

import nir
import numpy as np
import torch
from torch import nn

GOLDEN = Path(__file__).parent / "golden" / "nir.zip"
STEPS, SAMPLES = 60, 2


def inputs(shape, seed):
    """Return spikes, as every network gets them."""
    return (np.random.default_rng(seed).random((STEPS, SAMPLES, *shape)) < 0.3).astype(np.float32)


def louder(net, gain):
    """Multiply weights, so that neurons fire."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                module.weight.mul_(gain)
    return net


def run(step, x):
    """Return what a function of one input sends, step by step, sample by sample."""
    with torch.no_grad():
        return torch.stack([step(torch.from_numpy(now)) for now in x]).flatten(2).numpy()


def of_snntorch():
    """Networks of snnTorch: current in one step, synapses, weights of their own spikes, convolutions."""
    import snntorch as snn
    from snntorch.export_nir import export_to_nir

    def leaky(shape, beta, **options):
        return snn.Leaky(beta=torch.full(shape, beta), threshold=torch.ones(shape), init_hidden=True,
                         reset_mechanism="zero", reset_delay=False, **options)

    synaptic = snn.Synaptic(alpha=torch.full((5,), 0.75), beta=torch.full((5,), 0.875), threshold=torch.ones(5),
                            init_hidden=True, output=True, reset_mechanism="zero", reset_delay=False)
    recurrent = snn.RLeaky(beta=0.875, linear_features=12, init_hidden=True, output=True, reset_mechanism="zero",
                           reset_delay=False)
    return {
        "snntorch_dense": (louder(nn.Sequential(nn.Linear(8, 12), leaky((12,), 0.875), nn.Linear(12, 5), synaptic), 3),
                           (8,), export_to_nir, {}),
        "snntorch_recurrent": (louder(nn.Sequential(nn.Linear(8, 12), recurrent), 3), (8,), export_to_nir, {}),
        "snntorch_conv": (louder(nn.Sequential(
            nn.Conv2d(2, 3, 3), leaky((3, 4, 4), 0.75), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 5),
            leaky((5,), 0.875, output=True)), 3), (2, 6, 6), export_to_nir, {"ignore_dims": [0]}),
    }


def step_of_snntorch(net):
    def step(now):
        out = net(now)
        return out[0] if isinstance(out, tuple) else out
    return step


def of_spikingjelly():
    """Networks of SpikingJelly: both forms of its input, synapses, no leak, convolutions."""
    from spikingjelly.activation_based import layer, neuron

    dense = nn.Sequential(layer.Linear(8, 12), neuron.LIFNode(tau=4.0), layer.Linear(12, 9),
                          neuron.LIFNode(tau=8.0, decay_input=False), layer.Linear(9, 7),
                          neuron.CUBALIFNode(c_decay=0.5, v_decay=0.75, v_threshold=0.5), layer.Linear(7, 5),
                          neuron.IFNode())
    conv = nn.Sequential(layer.Conv2d(2, 3, 3, padding=1), neuron.LIFNode(tau=2.0), layer.AvgPool2d(2),
                         layer.Flatten(), layer.Linear(27, 5), neuron.LIFNode(tau=4.0))
    return {"spikingjelly_dense": (louder(dense, 6), (8,)), "spikingjelly_conv": (louder(conv, 6), (2, 6, 6))}


def of_norse():
    """Networks of Norse, with parameters of the size of the layer, since others cannot be written."""
    import norse.torch as norse

    def box(n, inverse):
        return norse.LIFBoxCell(norse.LIFBoxParameters(tau_mem_inv=torch.full((n,), inverse), v_th=torch.ones(n),
                                                       v_leak=torch.zeros(n)))

    return louder(norse.SequentialState(nn.Linear(8, 12), box(12, 125.0), nn.Linear(12, 5), box(5, 250.0)), 12)


def ours():
    """Layers for the three readers: what each takes."""
    from neurosim import bridge

    def net(seed, last):
        torch.manual_seed(seed)
        made = bridge.Sequential(bridge.LIFLayer(8, 12, tau_mem=1.0 / np.log(4 / 3), bias=True), last)
        with torch.no_grad():
            for each in made.layers:
                each.weight.mul_(3.0)
        return made

    def synaptic():
        return bridge.SynapticLayer(12, 5, tau_mem=1.0 / np.log(2), tau_syn=1.0 / np.log(4 / 3))

    return {"ours_snntorch": (net(21, bridge.LIFLayer(12, 5, tau_mem=7.0)), "snntorch"),
            "ours_spikingjelly": (net(22, synaptic()), "spikingjelly"), "ours_norse": (net(23, synaptic()), "norse")}


def read_by(name, path):
    """Return a step of a network that a framework made from a file."""
    if name == "ours_snntorch":
        from snntorch.import_nir import import_from_nir

        net = import_from_nir(nir.read(path))
        return step_of_snntorch(net)
    if name == "ours_spikingjelly":
        from spikingjelly.activation_based.nir_exchange import import_from_nir

        net = import_from_nir(path, dt=1e-3)
    else:
        from norse.torch.utils.import_nir import from_nir

        net = from_nir(nir.read(path), dt=1e-3)
    state = None

    def step(now):
        nonlocal state
        out, state = net(now, state)
        return out
    return step


def main():
    from norse.torch.utils.export_nir import to_nir as norse_to_nir
    from spikingjelly.activation_based import functional
    from spikingjelly.activation_based.nir_exchange import export_to_nir as jelly_to_nir

    from neurosim import bridge

    kept, folder = {}, Path(tempfile.mkdtemp())

    def keep(name, shape, seed, step):
        x = inputs(shape, seed)
        kept[f"{name}_in"], kept[name] = x.astype(np.uint8), run(step, x).astype(np.uint8)
        print(name, f"{kept[name].mean():.3f} spikes a step")

    torch.manual_seed(1)
    for k, (name, (net, shape, export, options)) in enumerate(of_snntorch().items()):
        graph = export(net, torch.zeros(1, *shape) if options else torch.zeros(shape), **options)
        nir.write(folder / f"{name}.nir", graph)
        for module in net.modules():
            if hasattr(module, "reset_mem"):
                module.reset_mem()
        keep(name, shape, 10 + k, step_of_snntorch(net))
    for k, (name, (net, shape)) in enumerate(of_spikingjelly().items()):
        nir.write(folder / f"{name}.nir", jelly_to_nir(net, torch.zeros(1, *shape)))
        functional.reset_net(net)
        keep(name, shape, 20 + k, net)
    net, state = of_norse(), None
    for name, options in (("norse", {"dt": 1.0}), ("norse_default", {})):
        nir.write(folder / f"{name}.nir", norse_to_nir(net, torch.zeros(8), **options))

    def step(now):
        nonlocal state
        out, state = net(now, state)
        return out
    keep("norse", (8,), 30, step)
    for k, (name, (net, dialect)) in enumerate(ours().items()):
        path = folder / f"{name}.nir"
        bridge.to_nir(net, path, dialect=dialect)
        keep(name, (8,), 40 + k, read_by(name, path))
    np.savez_compressed(folder / "spikes.npz", **kept)
    with zipfile.ZipFile(GOLDEN, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.iterdir()):
            file.write(path, path.name)


if __name__ == "__main__":
    main()
