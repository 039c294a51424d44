"""Layers of spiking neurons for PyTorch, with the equations and the order of the core, tick for tick."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from neurosim.bridge.arrivals import weighted
from neurosim.bridge.delays import DelayLines, Delays
from neurosim.bridge.extra import torch
from neurosim.bridge.kernels import CURRENT, JUMP, SAME_TICK, Kind
from neurosim.bridge.sequence import Coefficients, State, compiled, plain, shown_state
from neurosim.bridge.spikebatch import SpikeBatch
from neurosim.bridge.surrogates import FastSigmoid, Surrogate
from neurosim.bridge.tensors import (
    Named,
    check_generator,
    check_kind,
    check_parameters,
    count_ticks,
    float_type,
    sequence,
    whole_lengths,
)
from neurosim.checks import check_number, check_ticks, check_whole, describe_value
from neurosim.errors import ParameterError

TIMES = ("tau_mem", "tau_syn", "tau_theta")  #: kept as logarithms, so that they stay positive


class Layer(torch.nn.Module):
    """Base of the layers: a matrix of weights, one kind of neuron, and the whole sequence at once.

    Every parameter has one value a neuron. Those named in `trainable` learn, others are fixed; weights always learn.
    """

    input: str = JUMP
    spiking: bool = True
    adaptive: bool = False
    leaky: bool = True
    label: str = ""
    first_tick: int = 0  #: of the whole sequence, where a call is a block of it
    per_sample: int = 1  #: how many rows a sample has
    defaults: dict[str, float] = {}

    def __init__(self, n_in: int, n_out: int, *, dt: float = 1.0, bias: bool = False, recurrent: bool = False,
                 reset: Literal["to_value", "subtract"] = "to_value", t_ref: float = 0.0, detach_reset: bool = True,
                 surrogate: Surrogate | None = None, trainable: Sequence[str] = (),
                 delays: Delays | None = None, generator: Any = None, dtype: Any = None, **values: Any):
        super().__init__()
        name = type(self).__name__
        self.n_in = check_whole(f"{name}.n_in", n_in, at_least=1)
        self.n_out = check_whole(f"{name}.n_out", n_out, at_least=1)
        self.dt = check_number(f"{name}.dt", dt, "ms", above=0)
        self.t_ref = check_number(f"{name}.t_ref", t_ref, "ms", at_least=0)
        if reset not in ("to_value", "subtract"):
            raise ParameterError(f"{name}.reset must be 'to_value' or 'subtract', got {describe_value(reset)}")
        surrogate = FastSigmoid() if surrogate is None else surrogate
        if not isinstance(surrogate, Surrogate):
            raise ParameterError(f"{name}.surrogate must be a Surrogate such as FastSigmoid(25.0), got "
                                 f"{describe_value(surrogate)}")
        if recurrent and not self.spiking:
            raise ParameterError(f"{name}.recurrent must be False, since the layer never spikes, got True")
        self.reset, self.has_bias = reset, bool(bias)
        held = check_ticks(f"{name}.t_ref", self.t_ref, self.dt) if self.spiking else 0
        self.kind = Kind(self.input, self.spiking, self.adaptive, reset == "subtract", bool(detach_reset), held,
                         bool(recurrent), surrogate)
        dtype = float_type(name, dtype)
        check_generator(name, generator)
        self.weight = torch.nn.Parameter(_uniform((n_in, n_out), n_in, generator, dtype))
        self._keep("bias", torch.zeros(n_out, dtype=dtype), self.has_bias)
        self._keep("recurrent", _uniform((n_out, n_out), n_out, generator, dtype) if recurrent
                   else torch.zeros(n_out, n_out, dtype=dtype), recurrent)
        self._set(values, trainable, dtype)
        self.delays = None if delays is None else DelayLines(delays, n_in, n_out, dt=self.dt, generator=generator,
                                                             dtype=dtype)

    def _set(self, values, trainable, dtype):
        """Keep the parameters of the neurons, each a tensor with a value a neuron; `reset_by` may be None."""
        name, known = type(self).__name__, self.names
        trainable = [trainable] if isinstance(trainable, str) else trainable
        unknown = [each for each in (*values, *trainable) if each not in known]
        if unknown:
            raise ParameterError(f"{name} takes {', '.join(known)}, got {unknown[0]!r}")
        for each in known:
            value = values.get(each, self.defaults.get(each, 0.0))
            if each == "reset_by" and value is None:
                if each in trainable:
                    raise ParameterError(f"{name}.reset_by must be given where it is trainable, got None")
                self.reset_by = None
                continue
            array = np.asarray(value, dtype=np.float64)
            if array.shape not in ((), (1,), (self.n_out,)) or not np.isfinite(array).all() or (
                    each in TIMES and (array <= 0).any()):
                raise ParameterError(f"{name}.{each} must be a finite number{' > 0 ms' if each in TIMES else ''}, or "
                                     f"{self.n_out} of them, got {describe_value(value)}")
            array = np.broadcast_to(np.log(array) if each in TIMES else array, (self.n_out,)).copy()
            self._keep(_stored(each), torch.from_numpy(array).to(dtype), each in trainable)

    def _keep(self, name, tensor, learns):
        if learns:
            self.register_parameter(name, torch.nn.Parameter(tensor))
        else:
            self.register_buffer(name, tensor)

    @property
    def names(self) -> list[str]:
        """The parameters that the neurons of this layer have."""
        names = ["tau_mem"] * self.leaky + ["v_initial"]
        names += ["tau_syn", "i_initial"] if self.input != JUMP else []
        names += ["r"] if self.input == CURRENT else []
        names += ["v_threshold", "reset_by" if self.kind.subtract else "v_reset"] if self.spiking else []
        return names + (["tau_theta", "delta_theta", "theta_initial"] if self.adaptive else [])

    def value(self, name: str) -> Any:
        """Return a parameter of the neurons, shape (neurons,): time constants in ms, also a `reset_by` left out."""
        if name == "reset_by" and self.reset_by is None:
            return self.v_threshold
        kept = getattr(self, _stored(name))
        return kept.exp() if name in TIMES else kept

    def coefficients(self) -> Coefficients:
        """Return what a tick multiplies and compares with."""
        none = self.weight.new_zeros(self.n_out)
        rate = self.dt / self.value("tau_mem") if self.leaky else none
        values = dict.fromkeys(Coefficients._fields, none) | {"beta": torch.exp(-rate)}
        if self.input != JUMP:
            fall = self.dt / self.value("tau_syn")
            values["alpha"] = torch.exp(-fall)
            if self.input == CURRENT:
                values["gain"] = self.value("r") * rate * torch.exp(-rate) * _mean_decay(fall - rate)
        if self.spiking:
            down = self.value("reset_by" if self.kind.subtract else "v_reset")
            values |= {"threshold": self.v_threshold, "down": down}
        if self.adaptive:
            values |= {"gamma": torch.exp(-self.dt / self.value("tau_theta")), "rise": self.value("delta_theta")}
        return Coefficients(**values)

    def initial(self, samples: int) -> State:
        """Return the state before the first tick, for a number of samples."""
        none = self.weight.new_zeros(samples, self.n_out)
        v, i, theta = (getattr(self, name).expand(samples, -1) if hasattr(self, name) else none
                       for name in ("v_initial", "i_initial", "theta_initial"))
        held = torch.zeros(samples, self.n_out, dtype=torch.int64, device=none.device)
        past = None if self.delays is None else self.weight.new_zeros(self.delays.late, samples, self.n_in)
        return State(v, i, theta, none, held, past)

    def forward(self, x: Any, state: State | None = None, lengths: Any = None) -> tuple[Any, State]:
        """Return spikes (v for a layer that never spikes) of shape (ticks, samples, neurons), and the state after.

        Args:
            x: inputs, shape (ticks, samples, inputs); spikes are 0 and 1, other numbers scale the weights. A
                `SpikeBatch` takes less room, and has no gradient.
            state: that before the first tick; by default the initial one.
            lengths: how many ticks each sample has, shape (samples,). After its last tick a sample's state stays as it
                is and its output is 0.

        Raises:
            ParameterError: shapes, types or devices do not fit, or an input is not finite.
        """
        x = self._checked(x)
        check_parameters(self.named.owner, self)
        lengths = whole_lengths(lengths, *x.shape[:2], self.weight.device)
        state = self.initial(x.shape[1]) if state is None else state
        self._check_state(state, x.shape[1], self.weight)
        run = compiled if self.weight.device.type == "cpu" else plain
        past = None
        if self.delays is not None:
            x, past = self._with_past(x, state.past, lengths)
        out, state = run(self.kind, self.arrivals(x), self.bias, self.recurrent, self.coefficients(), state, lengths,
                         self.named)
        return out, state._replace(past=past)

    @property
    def named(self) -> Named:
        """What messages call the layer."""
        return Named(self.label or type(self).__name__, self.first_tick, self.per_sample)

    def _check_state(self, state, samples, like):
        late = (samples, self.n_out) if self.delays is None else (self.delays.late, samples, self.n_in)
        fits = isinstance(state, State) and all(each.shape == (samples, self.n_out) for each in state[:5])
        if not fits or (state.past is None) != (self.delays is None) or (
                state.past is not None and state.past.shape != late):
            more = "" if self.delays is None else f", with a past of shape {late}"
            raise ParameterError(f"state of {type(self).__name__} must be a State of shape {(samples, self.n_out)}"
                                 f"{more}, as a call returns it, got {shown_state(state)}")
        for part in (*state[:4], *(() if state.past is None else (state.past,))):
            check_kind(f"state of {type(self).__name__}", part, like)
        has = self.input != JUMP, self.adaptive, self.kind.refractory > 0
        for there, name in zip(has, ("i", "theta", "held"), strict=True):
            if not there and getattr(state, name).any():
                raise ParameterError(f"state of {type(self).__name__} must have {name} = 0, got that of a layer of "
                                     "another kind")

    def _with_past(self, x, past, lengths):
        """Return inputs with those that may still arrive before them, and those that may after the sequence."""
        late, ticks = len(past), x.shape[0]
        if isinstance(x, SpikeBatch):
            x = x.to_dense(self.weight.dtype, self.weight.device)
        if (lengths == ticks).all():
            x = torch.cat([past, x])
            return x, x[ticks:]
        steps = torch.arange(ticks, device=x.device)[:, None, None]
        x = torch.cat([past, torch.where(steps < lengths[:, None], x, torch.zeros_like(x))])
        at = torch.arange(late, device=x.device)[:, None] + lengths
        return x, x[at, torch.arange(x.shape[1], device=x.device)]

    def arrivals(self, x: Any) -> Any:
        """Return the sums of weights that inputs bring, shape (ticks, samples, neurons), a tensor of its own.

        Args:
            x: inputs; of a layer with delays, those that may still arrive lie before the sequence.
        """
        if self.delays is not None:
            return self.delays(x, self.weight)
        if self.weight.device.type == "cpu":
            return weighted(x, self.weight)
        return (x.to_dense(self.weight.dtype, self.weight.device) if isinstance(x, SpikeBatch) else x) @ self.weight

    def _checked(self, x):
        name, weight = type(self).__name__, self.weight
        if isinstance(x, SpikeBatch):
            if x.shape[2] != self.n_in:
                raise ParameterError(f"input of {name} must have {self.n_in} inputs, got {x.shape[2]}")
            return x
        listed = weight.device.type == "cpu" and self.delays is None and "arrivals" not in self.__dict__
        return sequence(name, x, self.n_in, weight, finite=not listed)  # where they are listed they are looked at

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.n_in}, {self.n_out}, dt={self.dt:g}" + (", recurrent=True" if self.kind.recurrent else "")


class LIFLayer(Layer):
    r"""Leaky integrate-and-fire neurons at which a spike is a jump of v, as `ns.LIF` with `ns.Delta`.

    v(t) = exp(-dt / tau_mem) v(t-1) + bias + sum of weights of the spikes at t;  spike where v > v_threshold; then v is
    set to v_reset, or lowered by reset_by (v_threshold where not given), and held for t_ref.

    Args:
        n_in, n_out: numbers of inputs and neurons.
        dt: length of a tick, ms.
        bias: whether each neuron gets a trained jump at every tick.
        recurrent: whether the layer's spikes come back to it one tick later, by trained weights.
        reset: "to_value" or "subtract".
        t_ref: ms for which v is held after a spike, a whole number of ticks.
        detach_reset: whether the gradient leaves out the way through the reset.
        surrogate: what stands for the derivative of a spike; `FastSigmoid(25.0)` by default.
        trainable: names of the parameters of neurons that learn.
        delays: `Delays`, by which inputs come late; None for none.
        generator: of the first weights, a `torch.Generator`; by default PyTorch's own.
        dtype: float type; by default PyTorch's own.
        values: tau_mem in ms (20), v_threshold (1), v_reset (0) or reset_by, v_initial (0), each a number or one a
            neuron.

    >>> import torch
    >>> layer = LIFLayer(3, 2, tau_mem=10.0, trainable=["tau_mem"])
    >>> spikes, state = layer(torch.ones(5, 4, 3))
    >>> spikes.shape
    torch.Size([5, 4, 2])

    Source: Neftci, Mostafa, Zenke, Surrogate gradient learning in spiking neural networks, IEEE Signal Processing
    Magazine 36 (2019) 51.
    """

    defaults = {"tau_mem": 20.0, "v_threshold": 1.0, "reset_by": None}


class IFLayer(LIFLayer):
    """Those of `LIFLayer` without a leak: v(t) = v(t-1) + bias + sum of weights, as `ns.IntegrateAndFire`.

    >>> IFLayer(3, 2, reset="subtract")
    IFLayer(3, 2, dt=1)

    Source: Gerstner, Kistler, Neuron Models: Foundations, Cambridge 2002, section 4.1.
    """

    leaky = False
    defaults = {"v_threshold": 1.0, "reset_by": None}


class AdaptiveLIFLayer(LIFLayer):
    """Those of `LIFLayer` with a threshold that a spike raises by delta_theta and that decays with tau_theta.

    A spike comes where v > v_threshold + theta, as in `ns.AdaptiveLIF`. Further values: tau_theta in ms (200),
    delta_theta (0.1), theta_initial (0).

    >>> AdaptiveLIFLayer(3, 2, tau_theta=100.0)
    AdaptiveLIFLayer(3, 2, dt=1)

    Source: Bellec et al., Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS 2018.
    """

    adaptive = True
    defaults = LIFLayer.defaults | {"tau_theta": 200.0, "delta_theta": 0.1}


class CurrentLIFLayer(LIFLayer):
    """Those of `LIFLayer` at which a spike is a jump of a current, as `ns.LIF` with `ns.ExponentialCurrent`.

    i(t) = exp(-dt / tau_syn) i(t-1) + bias + sum of weights;  v(t) = exp(-dt / tau_mem) v(t-1) + gain i(t-1), where the
    gain is that of the exact propagator, r / tau_mem times the integral of both decays over a tick. Further values:
    tau_syn in ms (5), r (1), i_initial (0).

    >>> CurrentLIFLayer(3, 2, tau_syn=5.0)
    CurrentLIFLayer(3, 2, dt=1)

    Source: Rotter, Diesmann, Biological Cybernetics 81 (1999) 381.
    """

    input = CURRENT
    defaults = LIFLayer.defaults | {"tau_syn": 5.0, "r": 1.0}


class SynapticLayer(LIFLayer):
    """Those of `LIFLayer` with a current that acts in its own tick, as `snntorch.Synaptic` has it.

    i(t) = exp(-dt / tau_syn) i(t-1) + bias + sum of weights;  v(t) = exp(-dt / tau_mem) v(t-1) + i(t). Further values:
    tau_syn in ms (5), i_initial (0).

    >>> SynapticLayer(3, 2, tau_syn=5.0)
    SynapticLayer(3, 2, dt=1)

    Source: Eshraghian et al., Training spiking neural networks using lessons from deep learning, Proc. IEEE 111 (2023)
    1016.
    """

    input = SAME_TICK
    defaults = LIFLayer.defaults | {"tau_syn": 5.0}


class LeakyIntegratorLayer(LIFLayer):
    """Membranes that never spike, as `ns.LeakyIntegrator` with `ns.Delta`; the output is v.

    >>> LeakyIntegratorLayer(3, 2, tau_mem=20.0)
    LeakyIntegratorLayer(3, 2, dt=1)

    Source: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, Cambridge 2014, section 1.3.
    """

    spiking = False


class Flatten(torch.nn.Module):
    """Makes one axis of all but the first two: (ticks, samples, ...) becomes (ticks, samples, inputs).

    >>> import torch
    >>> Flatten()(torch.zeros(5, 4, 2, 3)).shape
    torch.Size([5, 4, 6])
    """

    def forward(self, x: Any) -> Any:
        """Return the same numbers in three axes."""
        return x.flatten(2)


class Sequential(torch.nn.Module):
    """Layers one after the other; each sees the spikes of the one before in the same tick.

    Args:
        layers: `Layer`s, `Flatten`s, or modules without a state such as `torch.nn.Dropout`.
        block: how many ticks of membranes and spikes are kept at once in training; the backward pass computes them
            again, block by block, with the same result. By default all.

    Raises:
        ParameterError: the sizes of two layers, or their ticks, do not fit.

    >>> import torch
    >>> net = Sequential(LIFLayer(3, 8), LeakyIntegratorLayer(8, 2))
    >>> v, states = net(torch.ones(5, 4, 3))
    >>> v.shape, len(states)
    (torch.Size([5, 4, 2]), 2)
    """

    def __init__(self, *layers: Any, block: int | None = None):
        super().__init__()
        self.block = None if block is None else check_whole("Sequential.block", block, at_least=1)
        if not all(isinstance(part, torch.nn.Module) for part in layers):
            wrong = next(part for part in layers if not isinstance(part, torch.nn.Module))
            raise ParameterError(f"Sequential.layers must be layers or other modules of PyTorch, got "
                                 f"{describe_value(wrong)}")
        self.parts = torch.nn.ModuleList(layers)
        for k, one in enumerate(self.layers, 1):
            one.label = f"layer {k} ({type(one).__name__})"
        for one, other in zip(self.layers[:-1], self.layers[1:], strict=True):
            if one.n_out != other.n_in or one.dt != other.dt:
                raise ParameterError(f"{type(other).__name__} after {type(one).__name__} must take {one.n_out} inputs "
                                     f"and ticks of {one.dt:g} ms, got {other.n_in} and {other.dt:g}")

    @property
    def layers(self) -> list[Layer]:
        """The parts that have a state."""
        return [part for part in self.parts if isinstance(part, Layer)]

    def forward(self, x: Any, states: Sequence[State] | None = None, lengths: Any = None) -> tuple[Any, list[State]]:
        """Return the output of the last layer, and the state of each layer after the sequence.

        Args:
            x: inputs, shape (ticks, samples, inputs), or what the first part takes.
            states: those before the first tick, one a layer; by default the initial ones.
            lengths: how many ticks each sample has, shape (samples,).
        """
        if states is not None and (not isinstance(states, (list, tuple)) or len(states) != len(self.layers)):
            got = len(states) if isinstance(states, (list, tuple)) else describe_value(states)
            raise ParameterError(f"states must be {len(self.layers)}, one a layer, got {got}")
        given = [None] * len(self.layers) if states is None else list(states)
        ticks = count_ticks("Sequential", x)
        if self.block is None or self.block >= ticks:
            return self._block(x, given, lengths, 0)
        outputs = []
        for begin in range(0, ticks, self.block):
            part = slice(begin, min(begin + self.block, ticks))
            left = None if lengths is None else (torch.as_tensor(lengths) - begin).clamp(0, part.stop - begin)
            if torch.is_grad_enabled():
                out, given = torch.utils.checkpoint.checkpoint(self._block, x[part], given, left, begin,
                                                               use_reentrant=False)
            else:
                out, given = self._block(x[part], given, left, begin)
            outputs.append(out)
        return torch.cat(outputs), given

    def _block(self, x, states, lengths, first_tick):
        given, after = iter(states), []
        for part in self.parts:
            if isinstance(part, Layer):
                part.first_tick = first_tick
                x, state = part(x, next(given), lengths)
                part.first_tick = 0
                after.append(state)
            else:
                x = part(x)
        return x, after


def _uniform(shape, fan_in, generator, dtype):
    bound = 1.0 / math.sqrt(fan_in)
    return (torch.rand(shape, generator=generator, dtype=dtype) * 2.0 - 1.0) * bound


def _stored(name):
    return f"log_{name}" if name in TIMES else name


def _mean_decay(x):
    """Return (1 - exp(-x)) / x, the mean of exp(-s) for s from 0 to x, with its series around 0."""
    near = x.abs() < 1e-3
    away = torch.where(near, torch.ones_like(x), x)
    return torch.where(near, 1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0 * (1.0 - x / 5.0))),
                       -torch.expm1(-away) / away)
