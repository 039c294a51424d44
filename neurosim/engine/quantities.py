"""What each synapse of a projection has by name, and what decides its kernels; what cannot go together is refused."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neurosim.checks import Parameter, check_ticks, same
from neurosim.engine.learn import check_rules
from neurosim.engine.wiring import Wiring, is_brief, late_reads
from neurosim.errors import ParameterError, UnsupportedError


def parts_of_synapse(projection) -> list:
    """Return release, rules and device of a projection, as far as there are any."""
    return [part for part in (projection.release, *projection.plasticity, projection.device) if part is not None]


def quantities(projection) -> dict:
    """Return what each synapse has by name: its weight and the parameters of its parts."""
    found = {"weight": projection.weight}
    rules = projection.plasticity
    for part in parts_of_synapse(projection):
        for name, value in part.values().items():
            if not isinstance(part.parameters[name], Parameter) or value is None:
                continue
            learns = any(part is rule for rule in rules)
            if learns and name in found and same(found[name], value):
                continue  # several rules may have a parameter in common
            if name in found:
                raise UnsupportedError(f"projection {projection.name!r}: its release, plasticity and device must have "
                                       f"parameters of different names, got {name!r} twice"
                                       + "; rules may share it where both have the same value" * learns)
            found[name] = value
    _check_names(projection, list(found))
    return found


def _check_names(projection, taken):
    """Refuse parts whose variables and traces have the names of others."""
    rules = projection.plasticity
    names = [name for part in parts_of_synapse(projection) for name in part.state]
    for kind in ("source_traces", "target_traces"):
        found = {}
        for name, trace in ((name, trace) for rule in rules for name, trace in getattr(rule, kind).items()):
            if found.setdefault(name, trace) != trace:
                names.append(name)
        names += found
    names += {name: None for rule in rules for name in (*rule.reads, *rule.modulators)}
    for name in names:
        if name in taken:
            raise UnsupportedError(f"projection {projection.name!r}: its parameters, variables and traces must have "
                                   f"different names, got {name!r} twice")
        taken.append(name)


def wiring_of(projection, connectivity, real, dt) -> Wiring:
    """Return what decides the kernels of a projection."""
    stored, shared = connectivity.stored, connectivity.shared
    _check_rule(projection, stored)
    rules, model = projection.plasticity, projection.target.model
    read = dict.fromkeys(name for rule in rules for name in rule.reads)
    reads = tuple((name, np.float64 if model.state[name].slow else real) for name in read)
    spiking = tuple(name for name, (_, variable) in projection.modulators.items() if variable == "spikes")
    target, offsets = connectivity.types
    wiring = Wiring(target, offsets, tuple(shared), stored, projection.release, rules, projection.device, reads,
                    spiking, real)
    brief = tuple(tau for tau in wiring.time_constants if is_brief(float(shared[tau]), dt, real))
    wiring = replace(wiring, brief=brief)
    if rules:
        check_rules(wiring)
    if wiring.dendritic and late_reads(wiring):
        raise UnsupportedError(f"projection {projection.name!r}: a rule with delay='dendritic' cannot take "
                               f"{late_reads(wiring)[0][0]!r} of its target in on_target; use delay='axonal'")
    return wiring


def _check_rule(projection, stored):
    """Refuse a plasticity rule that this projection cannot carry."""
    model = projection.target.model
    for rule in projection.plasticity:
        owner = type(rule).__name__
        for trace in [*rule.source_traces.values(), *rule.target_traces.values()]:
            if trace.tau in stored:
                raise UnsupportedError(f"{owner}.{trace.tau} must be one number: it is the time constant of a trace "
                                       "that all synapses share")
        unknown = [name for name in rule.reads if name not in model.state]
        if unknown:
            raise UnsupportedError(f"{owner} reads {unknown[0]!r} of its target, but {type(model).__name__} has "
                                   f"{', '.join(model.state)}")


def check_bounds(projection, weights, values: dict) -> None:
    """Refuse weights outside the bounds of the rules of a projection.

    Args:
        projection: whose weights they are.
        weights: one per synapse.
        values: the synapses' quantities by name, each a number or one per synapse.
    """
    for rule, low, high in _bounds(projection, weights, values):
        bad = np.flatnonzero((weights < low) | (weights > high))
        if bad.size:
            k = bad[0]
            raise ParameterError(f"weights of {projection.name!r} must be within {low[k]:g} .. {high[k]:g}, the bounds "
                                 f"of its {type(rule).__name__}, got {weights[k]:g}")


def within_bounds(projection, weights, values: dict) -> np.ndarray:
    """Return weights that a device holds, moved to the bounds of receptor and rules, as these do it under way.

    Errors of programming and ageing are no one's wish, so they are not refused; what is not finite stays as it is.
    """
    if not projection.receptor.signed:
        weights = np.where(weights < 0.0, 0.0, weights)
    for _, low, high in _bounds(projection, weights, values):
        weights = np.where(np.isfinite(weights), np.clip(weights, low, high), weights)
    return weights


def _bounds(projection, weights, values):
    """Return (rule, lowest, highest weight of each synapse) for the rules that have bounds."""
    found = []
    for rule in projection.plasticity:
        bounds = rule.weight_bounds(SimpleNamespace(**values)) if weights.size else None
        if bounds is not None:
            projection.receptor.check_weights(f"lower bound of {type(rule).__name__} of {projection.name!r}", bounds[0])
            found.append((rule, *(np.broadcast_to(np.asarray(bound, dtype=weights.dtype), weights.shape)
                                  for bound in bounds)))
    return found


def periods(projection, shared: dict, dt: float) -> dict:
    """Return the ticks between two passes over all synapses, "period", and those of each rule that asks for them."""
    each = {f"period_{number}": check_ticks(f"{type(rule).__name__}.period", shared.get("period", rule.period), dt,
                                            at_least=1)
            for number, rule in enumerate(projection.plasticity) if rule.on_period is not None}
    return {"period": math.gcd(*each.values()), **each} if each else {}
