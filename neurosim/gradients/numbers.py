"""From derivatives by the numbers of the equations, rates, gains and thresholds, to those by declared parameters."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neurosim.event.exponentials import DOWN, FACTOR, GAIN, HOLD, RATE, RESET, THRESHOLD, R, S
from neurosim.event.numbers import numbers

STEP = 1e-3  #: of a parameter, for differences of the fourth order, which leave some 1e-11 of a derivative


def gradients(population, plan, derivatives: np.ndarray) -> tuple[dict, list[dict]]:
    """Return the derivatives by the parameters of a population and of its receptors.

    The numbers follow from the parameters neuron by neuron, by functions such as 1 / tau_mem, whose derivatives are
    differences of fourth order.

    Args:
        population, plan: which, and its plan.
        derivatives: by the numbers, (neurons, columns) as in `backward`.
    """
    model = _gradients(plan.parameters, lambda p: _numbers(population, replace(plan, parameters=p)), derivatives)
    receptors = []
    for k, (port, q) in enumerate(plan.ports):
        def with_port(p, k=k, port=port):
            ports = (*plan.ports[:k], (port, p), *plan.ports[k + 1:])
            return _numbers(population, replace(plan, ports=ports))

        receptors.append(_gradients(q, with_port, derivatives))
    return model, receptors


def _gradients(parameters, made, derivatives):
    found = {}
    for name, value in vars(parameters).items():
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.ndarray, np.number)):
            continue
        value = np.asarray(value, np.float64)
        step = np.where(value != 0.0, STEP * np.abs(value), STEP)

        def at(times, name=name, value=value, step=step):
            return made(SimpleNamespace(**{**vars(parameters), name: value + times * step}))

        slope = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / 12.0
        each = (derivatives * slope).sum(axis=1) / step
        found[name] = each if value.ndim else float(each.sum())
    return found


def _numbers(population, plan):
    """Return the numbers of a population, (neurons, columns)."""
    form, n = numbers(population, plan), population.size
    columns = [form.values[RATE], form.drift, form.values[THRESHOLD], form.values[RESET], form.values[DOWN],
               form.values[HOLD]]
    for chain in form.chains:
        columns += [chain[S], chain[R], chain[GAIN], chain.get(FACTOR, 0.0)]
    table = np.stack([np.broadcast_to(np.asarray(each, np.float64), n) for each in columns], axis=1)
    return np.where(np.isfinite(table), table, 0.0)
