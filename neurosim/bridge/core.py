"""From trained layers to a network of the core that sends the same spikes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from neurosim.bridge.kernels import CURRENT, JUMP, SAME_TICK
from neurosim.bridge.layers import Flatten, Layer, Sequential
from neurosim.bridge.models import SynapticLIF, UnitlessAdaptiveLIF, UnitlessIF, UnitlessLIF
from neurosim.bridge.spatial import MaxPoolLayer
from neurosim.checks import check_numbers, describe_value
from neurosim.connectivity import Sparse
from neurosim.contracts import Device
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.network import Network
from neurosim.neurons import LeakyIntegrator
from neurosim.receptors import Delta, ExponentialCurrent, Pulse
from neurosim.simulation import Simulation
from neurosim.sources import SpikeSource
from neurosim.spikes import Spikes

EARLY = 2  #: inputs of step 0 are sent at this tick, initial values at the one before


@dataclass(frozen=True)
class Core:
    """A network of the core made from layers, and how their steps and its ticks belong together.

    A projection takes at least one tick, so layer k (from 1) does step t at tick t + 2 + k. Inputs are sent at tick
    t + 2; the clock, where a layer has a bias or initial values, sends at tick 1 (cell 0) and at those of inputs (cell
    1).

    Args:
        network: the network, with populations "input", "layer1", "layer2", ..., and "clock" where it is needed.
        dt: length of a tick, ms.
        sizes: numbers of inputs and of the neurons of each layer.
        binary: whether an input sends one spike a tick at most, as max-pooling of the inputs needs.
    """

    network: Network
    dt: float
    sizes: tuple[int, ...]
    binary: bool = False

    def sample(self, x: Any) -> dict[str, Spikes]:
        """Return what one sample gives to the sources, as `Simulation.run_batch` takes it.

        Args:
            x: numbers of spikes, whole and >= 0, shape (ticks, inputs).
        """
        x = check_numbers("x", x)
        if x.ndim != 2 or x.shape[1] != self.sizes[0]:
            raise ParameterError(f"x must be of shape (ticks, {self.sizes[0]}), got {describe_value(x)}")
        with np.errstate(invalid="ignore"):
            odd = np.argwhere(~((x >= 0) & (x % 1 == 0)))  # infinite and undefined numbers among them
        if len(odd):
            tick, cell = odd[0]
            raise ParameterError(f"x must be whole numbers of spikes >= 0, got {x[tick, cell]:g} at tick {tick} of "
                                 f"input {cell}; the core sends spikes only")
        if self.binary and (x > 1).any():
            raise ParameterError(f"x must be 0 or 1 where the first layer is a MaxPoolLayer, got {x.max():g}")
        raster = np.zeros((self.ticks(len(x)), self.sizes[0]), dtype=np.int64)
        raster[EARLY - 1:EARLY - 1 + len(x)] = x
        given = {"input": Spikes.from_dense(raster, self.dt)}
        if "clock" in self.network:
            clock = np.zeros((len(raster), 2), dtype=bool)
            clock[0, 0] = clock[EARLY - 1:EARLY - 1 + len(x), 1] = True
            given["clock"] = Spikes.from_dense(clock, self.dt)
        return given

    def ticks(self, steps: int) -> int:
        """Return how many ticks it takes until the last layer has done a number of steps."""
        return steps + EARLY + len(self.sizes) - 2

    def run(self, x: Any, *, dtype: str = "float64", threads: int | None = None, seed: int = 0) -> list[np.ndarray]:
        """Return what each layer sends, as the layers themselves return it: arrays of shape (ticks, samples, neurons).

        Args:
            x: numbers of spikes, shape (ticks, samples, inputs).
            dtype: float type of the core.
            threads: how many samples run at once.
            seed: of the errors of devices.

        Raises:
            ParameterError: an argument does not fit.
        """
        x = np.asarray(x)
        if x.ndim != 3 or x.shape[2] != self.sizes[0]:
            raise ParameterError(f"x must be of shape (ticks, samples, {self.sizes[0]}), got {describe_value(x)}")
        sim = Simulation(self.network, dt=self.dt, dtype=dtype, seed=seed)
        samples = [self.sample(x[:, b]) for b in range(x.shape[1])]
        out = [np.zeros((len(x), x.shape[1], n)) for n in self.sizes[1:]]
        for b, result in enumerate(sim.run_batch(samples, self.ticks(len(x)) * self.dt, threads=threads)):
            for k, steps in enumerate(out, 1):
                self._read(result, k, steps[:, b])
        return out

    def _read(self, result, k, steps):
        name, first = f"layer{k}", EARLY + k
        if self.network[name].spiking:
            spikes = result.spikes(name)
            step = spikes.ticks - first
            inside = (step >= 0) & (step < len(steps))
            steps[step[inside], spikes.ids[inside]] = 1.0
        else:
            times, values = result.trace(name, "v")
            step = np.rint(times / self.dt).astype(np.int64) - first
            inside = (step >= 0) & (step < len(steps))
            steps[step[inside]] = values[inside]


def to_network(net: Sequential | Layer, *, device: Any = None) -> Core:
    """Return a network of the core that does what trained layers do: in float64, the same spikes at the same steps.

    Weights are those of `connect`, a bias is a spike at every tick, an initial value a spike before the first.

    Args:
        net: layers, of which the last one may be a `LeakyIntegratorLayer`.
        device: a device layer that holds the weights, or a function that makes one for an array of weights, such as
            `Memristor().fitted`; by default that of an `OnDevice`, else none: ideal weights.

    Raises:
        UnsupportedError: the core has no such part.
        ParameterError: a layer would fire before its first step.

    >>> import numpy as np
    >>> import torch
    >>> from neurosim.bridge import LIFLayer
    >>> layer = LIFLayer(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    >>> x = np.ones((6, 1, 3))
    >>> np.array_equal(to_network(layer).run(x)[0], layer(torch.from_numpy(x))[0].detach())
    True
    """
    layers = _layers(net)
    dt = layers[0].dt
    made = Network()
    silent = Spikes.from_times([], [], size=layers[0].n_in, duration=dt)
    source = made.add(SpikeSource(silent), name="input")
    clock = None
    arriving = [incoming(layer) for layer in layers]
    if any(jumps.any() or starts(layer) for (_, jumps), layer in zip(arriving, layers, strict=True)):
        clock = made.add(SpikeSource(Spikes.from_times([], [], size=2, duration=dt)), name="clock")
    for k, (layer, (weights, jumps)) in enumerate(zip(layers, arriving, strict=True), 1):
        model, receptor = neuron(layer), arrival(layer)
        check_quiet(layer, k)
        raised = _numbers(layer, "theta_initial") * np.exp((k + 1) * dt / _numbers(layer, "tau_theta")) \
            if layer.adaptive else 0.0
        cells = made.add(model, layer.n_out, name=f"layer{k}", initial=_initial(model, raised))
        made.connect(source, cells, delay=lateness(layer), receptor=receptor, device=held(layer, device, incoming),
                     **synapses(weights))
        if jumps.any():
            made.connect(clock[1:2], cells, weight=jumps[None], delay=k * dt, receptor=receptor)
        for variable, value in starts(layer).items():
            made.connect(clock[0:1], cells, weight=value[None], delay=k * dt, receptor=entry(layer, variable),
                         name=f"{variable} of layer{k}")
        if layer.kind.recurrent:
            made.connect(cells, cells, delay=dt, receptor=receptor, device=held(layer, device, returning),
                         **synapses(returning(layer)))
        made.record(cells, "spikes" if layer.spiking else "v")
        source = cells
    return Core(made, dt, (layers[0].n_in, *(layer.n_out for layer in layers)), isinstance(layers[0], MaxPoolLayer))


def _layers(net):
    parts = [net] if isinstance(net, Layer) else list(net.parts) if isinstance(net, Sequential) else None
    if not parts:
        raise ParameterError(f"net must be a Layer or a Sequential of them, got {describe_value(net)}")
    for part in parts:
        if not isinstance(part, (Layer, Flatten)) and type(part).__name__ not in ("Dropout", "Identity"):
            raise UnsupportedError(f"the core has no {type(part).__name__}: it takes Layer, Flatten and, as nothing, "
                                   "Dropout; put what it does into the weights of the next layer")
    layers = [part for part in parts if isinstance(part, Layer)]
    for layer in layers[:-1]:
        if not layer.spiking:
            raise UnsupportedError("the core sends spikes between layers; a LeakyIntegratorLayer must be the last one")
    if not layers:
        raise ParameterError("net must have a Layer, got none")
    return layers


def incoming(layer: Layer) -> tuple[Any, np.ndarray]:
    """Return the weights of a layer's inputs, an array or a sparse matrix, and what each neuron gets at every tick."""
    if hasattr(layer, "incoming"):
        return layer.incoming()
    return _array(layer.weight), _array(layer.bias)


def returning(layer: Layer) -> Any:
    """Return the weights of a layer's own spikes."""
    return layer.returning() if hasattr(layer, "returning") else _array(layer.recurrent)


def held(layer: Layer, device: Any, of: Callable[[Layer], Any]) -> Device | None:
    """Return the device that is to hold weights of a layer, incoming or returning: the given one, or its own."""
    if isinstance(layer, MaxPoolLayer):
        return None
    if device is None:
        return layer.holder(of) if hasattr(layer, "holder") else None
    found = of(layer)
    return made_for(device, stored(found[0] if isinstance(found, tuple) else found))


def stored(weights: Any) -> np.ndarray:
    """Return the numbers of an array, or those that a sparse matrix stores."""
    return weights.data if scipy.sparse.issparse(weights) else weights


def made_for(device: Any, weights: np.ndarray) -> Device:
    """Return a device for an array of weights: the given one, or what a function makes of them."""
    given = device
    if not isinstance(device, Device) and callable(device):
        device = device(weights)
    if not isinstance(device, Device):
        raise ParameterError(f"device must be a device layer or a function that makes one of an array of weights, got "
                             f"{describe_value(given if not callable(given) else device)}")
    return device


def lateness(layer: Layer) -> Any:
    """Return the delays of a layer's inputs, ms: a tick, and what the layer adds to it; one, or (inputs, neurons)."""
    lines = getattr(getattr(layer, "layer", layer), "delays", None)  # also of one on a device
    if lines is None:
        return layer.dt
    return np.broadcast_to((1 + lines.ticks().cpu().numpy()) * layer.dt, (layer.n_in, layer.n_out))


def synapses(weights: Any) -> dict[str, Any]:
    """Return how `connect` is told of weights: all of an array, the stored ones of a sparse matrix."""
    return {"rule": Sparse(weights)} if scipy.sparse.issparse(weights) else {"weight": weights}


def neuron(layer: Layer) -> Any:
    """Return the neuron model of the core with a layer's equations."""
    tau = {"tau_mem": _numbers(layer, "tau_mem")} if layer.leaky else {}
    if not layer.spiking:
        return LeakyIntegrator(v_leak=0.0, r=1.0, **tau)
    shared = tau | {"v_threshold": _numbers(layer, "v_threshold"), "reset": layer.reset, "t_ref": layer.t_ref}
    after = ("v_step", "reset_by") if layer.kind.subtract else ("v_reset", "v_reset")
    shared[after[0]] = _numbers(layer, after[1])
    if not layer.leaky:
        return UnitlessIF(**shared)
    if layer.input == SAME_TICK:
        return SynapticLIF(tau_syn=_numbers(layer, "tau_syn"), **shared)
    shared["r"] = _numbers(layer, "r") if layer.input == CURRENT else 1.0
    if layer.adaptive:
        return UnitlessAdaptiveLIF(tau_theta=_numbers(layer, "tau_theta"), delta_theta=_numbers(layer, "delta_theta"),
                                   **shared)
    return UnitlessLIF(**shared)


def arrival(layer: Layer) -> Any:
    """Return the receptor at which a layer's inputs arrive."""
    if layer.input == CURRENT:
        return ExponentialCurrent(tau_syn=_numbers(layer, "tau_syn"))
    return Pulse() if layer.input == SAME_TICK else Delta()


def entry(layer: Layer, variable: str) -> Any:
    """Return the receptor through which a variable gets its initial value."""
    if variable == "v":
        return Delta()
    return arrival(layer) if layer.input == CURRENT else Delta(on="i_syn")


def starts(layer: Layer) -> dict[str, np.ndarray]:
    """Return the initial values of v and of the current that are not zero."""
    names = {"v": "v_initial"} | ({"i": "i_initial"} if layer.input != JUMP else {})
    values = {variable: _numbers(layer, name) for variable, name in names.items()}
    return {variable: value for variable, value in values.items() if value.any()}


def check_quiet(layer: Layer, k: int) -> None:
    """Refuse a layer that the core would let fire before its first step."""
    if not layer.spiking:
        return
    first = np.maximum(_numbers(layer, "v_initial"), 0.0)
    if (first > _numbers(layer, "v_threshold")).any():
        raise ParameterError(f"v_threshold of layer {k} must be >= 0 and >= v_initial, got "
                             f"{_numbers(layer, 'v_threshold').min():g}: the core would spike before the first step")


def _initial(model, raised):
    """Return initial values: v at 0, where the clock's first spike finds it."""
    return {"v": 0.0} | ({"theta": raised} if "theta" in model.state else {})


def _numbers(layer, name) -> np.ndarray:
    return _array(layer.value(name))


def _array(tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
