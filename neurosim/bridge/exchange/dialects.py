"""How a neuron of NIR becomes a step of a length: NIR gives equations in time, every reader has steps of its own.

`plain` solves NIR's equations exactly; an input of 1 in a step is an impulse of 1 times the length of the step, at its
end, which is how a spike arrives in the core. snnTorch, SpikingJelly and Norse take a step of Euler, in which the
input, and the synaptic current of the same step, act at once. What each ignores or refuses was measured with the
versions named in docs/bridge.md.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.bridge.kernels import CURRENT, JUMP, SAME_TICK
from neurosim.checks import describe_value
from neurosim.errors import ParameterError, UnsupportedError

NEURONS = ("LIF", "CubaLIF", "IF", "LI", "I", "Threshold")  #: those of NIR with a counterpart among the layers
WEIGHTS = ("Affine", "Linear", "Scale", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten")


@dataclass(frozen=True)
class Dialect:
    """A reader of NIR.

    Args:
        name: what it is called.
        step: length of its steps, s, where it does not ask for it.
        fixed: whether it has no other.
        strict: whether a spike needs v > threshold; else v >= threshold.
        nodes: the types of nodes that it reads.
        uniform: names of parameters that must be alike in all neurons of a node.
    """

    name: str
    step: float | None
    fixed: bool
    strict: bool
    nodes: tuple[str, ...]
    uniform: tuple[str, ...] = ()


DIALECTS = {each.name: each for each in (
    Dialect("plain", None, False, True, (*NEURONS, *WEIGHTS)),
    Dialect("snntorch", 1e-4, True, True, ("LIF", "CubaLIF", "Affine", "Linear", "Conv2d", "AvgPool2d", "Flatten"),
            ("v_threshold",)),
    Dialect("spikingjelly", 1e-4, False, False,
            ("LIF", "CubaLIF", "IF", "Affine", "Linear", "Conv2d", "AvgPool2d", "Flatten"),
            ("tau", "tau_mem", "tau_syn", "r", "w_in", "v_threshold", "v_reset", "v_leak")),
    Dialect("norse", 1e-3, False, True,
            ("LIF", "CubaLIF", "IF", "Affine", "Linear", "Conv2d", "SumPool2d", "Flatten")),
)}


def dialect_of(name: Any) -> Dialect:
    """Return the dialect of a name; raise ParameterError."""
    if name not in DIALECTS:
        raise ParameterError(f"dialect must be {', '.join(map(repr, DIALECTS))}, got {describe_value(name)}")
    return DIALECTS[name]


def parameters(node: Any, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the numbers of a neuron's node, each of shape (neurons,), whatever shape the file gives them."""
    found = {}
    for name in ("tau", "tau_mem", "tau_syn", "r", "w_in", "v_leak", "v_threshold", "v_reset", "threshold"):
        value = getattr(node, name, None)
        if value is not None:
            try:
                found[name] = np.broadcast_to(np.asarray(value, dtype=np.float64), shape).ravel()
            except ValueError:
                raise UnsupportedError(f"{type(node).__name__}.{name} must be of shape {shape}, that of what arrives "
                                       f"at it, got {np.shape(value)}") from None
    if type(node).__name__ in ("LIF", "CubaLIF", "IF"):
        found.setdefault("v_reset", np.zeros(int(np.prod(shape))))
    return found


def objections(node: Any, dialect: Dialect, step: float, shape: tuple[int, ...]) -> list[str]:
    """Return what a reader ignores or refuses of a node: 'property: reason' each; nothing where it reads all of it."""
    kind, p = type(node).__name__, parameters(node, shape)
    if dialect.name != "plain" and kind not in dialect.nodes:
        return [f"type: {dialect.name} does not read {kind}" + (
            " right: it makes IF a leaky neuron" if (kind, dialect.name) == ("IF", "snntorch") else "")]
    found = [f"{name}: must be finite" for name, value in p.items() if not np.isfinite(value).all()]
    found += [f"{name}: must be > 0" for name in ("tau", "tau_mem", "tau_syn") if name in p and (p[name] <= 0).any()]
    if dialect.name == "plain" or kind not in NEURONS or found:
        return found
    found += [f"{name}: must be at least the length of a step, {step:g} s" for name in ("tau", "tau_mem", "tau_syn")
              if name in p and (p[name] < step * (1 - 1e-6)).any()]
    found += [f"{name}: {dialect.name} takes one value for all neurons" for name in dialect.uniform
              if name in p and np.ptp(p[name]) > 0]
    return found + [f"{name}: {why}" for name, why in _OWN[dialect.name](kind, p, step)]


def _snntorch(kind, p, step):
    yield from (("v_leak", "snnTorch refuses other values than 0") for _ in range(bool(p["v_leak"].any())))
    yield from (("v_reset", "snnTorch takes 0 for it") for _ in range(bool(p["v_reset"].any())))
    if kind == "CubaLIF" and not _close(p["r"], p["tau_mem"] / step):
        yield "r", f"snnTorch refuses other values than tau_mem / {step:g}"
    scale = p["r"] * step / p["tau"] if kind == "LIF" else p["w_in"] * step / p["tau_syn"]
    if np.ptp(scale) > 1e-5 * np.abs(scale).max():
        yield "r" if kind == "LIF" else "w_in", "snnTorch scales the one threshold of all neurons by it"


def _spikingjelly(kind, p, step):
    if kind == "IF":
        if not _close(p["r"], 1.0 / step):
            yield "r", f"SpikingJelly refuses other values than {1.0 / step:g}"
        return
    if kind == "LIF":
        if not _close(p["r"], np.ones(1)) and not _close(p["r"], p["tau"] / step):
            yield "r", f"SpikingJelly refuses other values than 1 and tau / {step:g}"
        if not _close(p["v_leak"], p["v_reset"]):
            yield "v_reset", "SpikingJelly refuses other values than v_leak"
        return
    for name, right in (("r", p["tau_mem"] / step), ("w_in", p["tau_syn"] / step), ("v_leak", np.zeros(1))):
        if not _close(p[name], right):
            yield name, f"SpikingJelly refuses other values than {right.ravel()[0]:g}"


def _norse(kind, p, step):
    if p["v_reset"].any():
        yield "v_reset", "Norse takes 0 for it"
    if kind in ("LIF", "IF") and not _close(p["r"], np.ones(1)):
        yield "r", "Norse takes 1 for it"
    if kind == "CubaLIF" and p["v_leak"].any():
        yield "v_leak", "Norse lets the synaptic current decay to it, too"


_OWN = {"snntorch": _snntorch, "spikingjelly": _spikingjelly, "norse": _norse}


def _close(value, right) -> bool:
    return bool(np.allclose(value, right, rtol=1e-5, atol=1e-12))


# ---------------------------------------------------------------------------------------------------------------------
# A step
# ---------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Cell:
    """Neurons in steps, around a leak of 0; arrays of shape (neurons,).

    Args:
        input: JUMP, CURRENT or SAME_TICK, as layers have it.
        spiking: whether it sends spikes; else its output is v.
        beta: share of v that is left after a step.
        into: what an input of 1 adds to v, or to the synaptic current.
        leak: where v decays to; all other values are counted from it.
        alpha: share of the current that is left.
        r: what `CurrentLIFLayer` takes for r, where the input is CURRENT.
        threshold: spike where v > threshold.
        reset: v after a spike.
        start: v before the first step.
    """

    input: str
    spiking: bool
    beta: np.ndarray
    into: np.ndarray
    leak: np.ndarray
    alpha: np.ndarray | None = None
    r: np.ndarray | None = None
    threshold: np.ndarray | None = None
    reset: np.ndarray | None = None
    start: np.ndarray | None = None


def cell_of(node: Any, dialect: Dialect, step: float, shape: tuple[int, ...]) -> Cell:
    """Return a neuron's node as a reader steps it, where it reads it at all."""
    kind, p = type(node).__name__, parameters(node, shape)
    n = int(np.prod(shape))
    leak = p.get("v_leak", np.zeros(n))
    values: dict[str, Any] = {"input": JUMP, "spiking": kind in ("LIF", "CubaLIF", "IF", "Threshold"), "leak": leak}
    exact = dialect.name == "plain"
    if kind == "Threshold":
        return Cell(beta=np.zeros(n), into=np.ones(n), threshold=p["threshold"], reset=np.zeros(n), **values)
    if kind in ("IF", "I"):
        into = np.ones(n) if dialect.name == "norse" else p["r"] * step
        values |= {"beta": np.ones(n), "into": into}
    elif kind in ("LIF", "LI"):
        rate = step / p["tau"]
        gain = np.ones(n) if dialect.name == "norse" else p["r"]
        values |= {"beta": np.exp(-rate) if exact else 1.0 - rate, "into": gain * rate}
    else:
        fall, rate = step / p["tau_syn"], step / p["tau_mem"]
        into = p["w_in"] * fall
        if exact:
            values |= {"input": CURRENT, "beta": np.exp(-rate), "alpha": np.exp(-fall), "into": into, "r": p["r"]}
        else:
            values |= {"input": SAME_TICK, "beta": 1.0 - rate, "alpha": 1.0 - fall, "into": into * p["r"] * rate}
    if values["spiking"]:
        threshold = p["v_threshold"] if dialect.strict else np.nextafter(p["v_threshold"], -np.inf)
        reset = np.zeros(n) if dialect.name in ("snntorch", "norse") else p["v_reset"]
        values |= {"threshold": threshold - leak, "reset": reset - leak}
        if dialect.name == "spikingjelly":
            values["start"] = p["v_reset"] - leak
    return Cell(**values)
