"""Values that are drawn when a network is laid out: parameters from distributions, errors of devices."""

from types import SimpleNamespace

import numpy as np

from neurosim.checks import Parametrised, Samples
from neurosim.engine import loader
from neurosim.engine.quantities import within_bounds
from neurosim.engine.synapses import set_values, to_coo
from neurosim.engine.synapses.quantities import check_finite
from neurosim.errors import ParameterError
from neurosim.random import philox, seed_words, uniform53

_DRAW = '''
import numpy as np


def main(out, numbers, stream, k0, k1):
    for k in range(out.size):
        w0, w1, w2, w3 = philox(np.uint64(k), np.uint64(0), np.uint64(stream), np.uint64(0), np.uint64(k0),
                                np.uint64(k1))
        u = min(numbers[2] + (numbers[3] - numbers[2]) * uniform53(w0, w1), 1.0 - 2.0**-53)
        out[k] = min(max(quantile(u, numbers[0], numbers[1]), numbers[4]), numbers[5])
'''


def draw(distribution, size: int, stream: int, seed: int) -> np.ndarray:
    """Return one value of a distribution for each of `size` elements."""
    leaves = {"quantile": distribution.body, "philox": philox, "uniform53": uniform53}
    out = np.empty(size)
    loader.load_function("draw", _DRAW, leaves)(out, distribution.numbers(), stream, *seed_words(seed))
    return out


class Drawer:
    """Turns what was given for parameters into numbers; distributions are drawn, each from a stream of its own.

    Args:
        seed: of the simulation.
        streams: hands out the streams.
        real: float type of the simulation.
    """

    def __init__(self, seed: int, streams, real: type):
        self.seed, self.streams, self.real = seed, streams, real

    def value(self, value, size: int, label: str):
        """Return one parameter as a number or array."""
        if isinstance(value, Samples):
            check_finite(value, label, self.real)
            return draw(value, size, self.streams.new(label), self.seed)
        return value

    def parameters(self, owner: Parametrised, size: int, label: str) -> SimpleNamespace:
        """Return the parameters of an object as numbers and arrays."""
        values = owner.values() if isinstance(owner, Parametrised) else {}
        found = {name: self.value(value, size, f"{label}/{name}") for name, value in values.items()}
        for key, value in found.items():
            _check_drawn(owner, key, value, label)
        return SimpleNamespace(**found)

    def initial(self, population, parameters: SimpleNamespace) -> dict:
        """Return the initial values of the state variables of a population."""
        values, seen = {}, SimpleNamespace(**vars(parameters))
        for name, state in population.model.state.items():
            default = state.initial(seen) if callable(state.initial) else state.initial
            given = population.initial.get(name, default)
            value = values[name] = self.value(given, population.size, f"{population.name}/initial {name}")
            if name == "v":  # states that start at a function of the parameters see the v that was chosen
                seen.v = value
        return values


def _check_drawn(owner, key, value, label):
    """Refuse a distribution whose draws leave the bounds of a parameter."""
    parameter = owner.parameters[key]
    if isinstance(value, np.ndarray) and not parameter.holds(value):
        bad = [x for x in value if not parameter.holds(np.array([x]))][0]
        raise ParameterError(f"{type(owner).__name__}.{key} must be {parameter.requirement()}, but in "
                             f"{label!r} its distribution gave {bad:g}; give it low=... or high=...")


def program(projection, connectivity, seed: int, stream: int) -> None:
    """Let the device of a projection hold the weights that were just drawn, in canonical order, for any threads."""
    device, weights = projection.device, to_coo(connectivity)[3]["weight"]
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, stream], dtype=np.uint64)))
    programmed = np.asarray(device.program(weights.astype(np.float64), generator), dtype=np.float64)
    if programmed.shape != weights.shape or not (device.may_be_infinite or np.isfinite(programmed).all()):
        raise ParameterError(f"{type(device).__name__}.program must return one finite weight per synapse")
    set_values(connectivity, "weight", programmed)
    for part in connectivity.parts:
        part.values["weight"] = within_bounds(projection, part.values["weight"], part.values)


def spread(connectivity, name: str, real) -> None:
    """Give every synapse its own value of a quantity that was one number."""
    for part in connectivity.parts:
        if not isinstance(part.values[name], np.ndarray):
            part.values[name] = np.full(part.target.size, part.values[name], dtype=real)
