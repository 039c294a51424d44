"""Which model of NEST a population is, with its parameters, and how arrivals reach its receptors."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurosim.errors import UnsupportedError
from neurosim.neurons import LIF, AdExIF, Izhikevich, LeakyIntegrator
from neurosim.receptors import AlphaCurrent, Delta, ExponentialConductance, ExponentialCurrent, Pulse

NEVER = 1e300  #: mV, a threshold that nothing passes


@dataclass
class Model:
    """A model of NEST for a population.

    Attributes:
        name: of the model.
        parameters: numbers, or arrays with one value per neuron.
        lists: parameters that are lists, one number for each receptor.
        state: variables that are set when a run begins, by NEST's names.
        recorded: variable of neurosim -> NEST's name and what neurosim's value is, as (factor, offset).
        types: receptor -> `receptor_type`; empty where NEST has one port.
        signs: receptor -> +1 or -1, where NEST tells excitation from inhibition by the sign of the weight.
        notes: what is computed otherwise.
    """

    name: str
    parameters: dict[str, Any]
    state: dict[str, Any]
    recorded: dict[str, str]
    lists: dict[str, list] = field(default_factory=dict)
    types: dict[int, int] = field(default_factory=dict)
    signs: dict[int, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def model_of(plan, scheme: str, dt: float) -> Model:
    """Return NEST's model for a population.

    Args:
        plan: that of the population.
        scheme: "same" or "own".
        dt: ms.

    Raises:
        UnsupportedError: NEST has none, or none with the same scheme.
    """
    model = plan.population.model
    kinds = {type(receptor) for receptor, _ in plan.ports}
    for receptor, _ in plan.ports:
        if receptor.on != "v" or receptor.cleared or type(receptor) not in (
                Delta, Pulse, ExponentialCurrent, AlphaCurrent, ExponentialConductance):
            raise UnsupportedError(f"NEST has no model of {type(model).__name__} with {receptor}")
    if len(kinds) > 1:
        raise UnsupportedError(f"NEST has no model of {type(model).__name__} with both "
                               f"{' and '.join(sorted(kind.__name__ for kind in kinds))}")
    kind = kinds.pop() if kinds else Delta
    if type(model) in (LIF, LeakyIntegrator):
        return _lif(model, plan, kind, scheme, dt)
    if type(model) is Izhikevich:
        return _izhikevich(model, plan, kind, dt)
    if type(model) is AdExIF:
        return _adex(plan, kind, scheme, dt)
    raise UnsupportedError(f"NEST has no model that is {type(model).__name__}")


def _lif(model, plan, kind, scheme, dt):
    """The models `iaf_...`; NEST fires where v >= V_th, so V_th is the next number above the threshold."""
    p, fires = plan.parameters, model.spiking
    if fires and model.reset != "to_value":
        raise UnsupportedError("NEST's iaf models reset v to a value, they do not subtract")
    if kind is Pulse:
        raise UnsupportedError("NEST's iaf models have no current over one tick")
    r = model.resistance(p)
    parameters = {"tau_m": p.tau_mem, "C_m": p.tau_mem / r, "E_L": p.v_leak, "I_e": p.i_bias,
                  "V_th": np.nextafter(p.v_threshold, np.inf) if fires else NEVER,
                  "V_reset": p.v_reset if fires else p.v_leak, "t_ref": plan.n_ref * dt if fires else 0.0}
    made = Model("iaf_psc_delta", parameters, {"V_m": plan.initial["v"]}, {"v": "V_m"})
    if kind in (ExponentialCurrent, AlphaCurrent):
        made.name = "iaf_psc_exp_multisynapse" if kind is ExponentialCurrent else "iaf_psc_alpha_multisynapse"
        made.lists["tau_syn"] = [q.tau_syn for _, q in plan.ports]
        if kind is ExponentialCurrent and any(np.any(np.asarray(q.tau_syn) == p.tau_mem) for _, q in plan.ports):
            raise UnsupportedError(f"NEST's {made.name} takes no tau_syn that is equal to tau_mem; another by a "
                                   "thousandth does")
        made.types = {port: port + 1 for port in range(len(plan.ports))}
    elif kind is ExponentialConductance:
        _only_own(scheme, "LIF with conductances", "an adaptive Runge-Kutta method", "exponential Euler")
        made.name = "iaf_cond_exp"
        made.notes = ["NEST integrates conductances by an adaptive Runge-Kutta method, neurosim by exponential Euler"]
        made.parameters["g_L"] = 1.0 / r
        del made.parameters["tau_m"]
        _by_sign(made, plan, conductances=True)
    return made


def _izhikevich(model, plan, kind, dt):
    p = plan.parameters
    if model.scheme != "published":
        raise UnsupportedError("NEST's izhikevich takes one step per tick, as scheme='published' of Izhikevich")
    if plan.ports and kind is not Pulse:
        raise UnsupportedError(f"NEST's izhikevich takes what arrives as a current over the tick, a Pulse, not as "
                               f"{kind.__name__}")
    parameters = {"a": p.a, "b": p.b, "c": p.c, "d": p.d, "V_th": p.v_peak, "I_e": p.i_bias,
                  "consistent_integration": False}
    return Model("izhikevich", parameters, {"V_m": plan.initial["v"], "U_m": plan.initial["u"]},
                 {"v": "V_m", "u": "U_m"})


def _adex(plan, kind, scheme, dt):
    p = plan.parameters
    _only_own(scheme, "AdExIF", "an adaptive Runge-Kutta method", "sub-steps with the reset at the crossing")
    if kind is Pulse:
        raise UnsupportedError("NEST's aeif models have no current over one tick")
    names = {Delta: "aeif_psc_delta", ExponentialCurrent: "aeif_psc_exp", AlphaCurrent: "aeif_psc_alpha",
             ExponentialConductance: "aeif_cond_exp"}
    parameters = {"C_m": p.c_mem, "g_L": p.g_leak, "E_L": p.v_leak, "V_th": p.v_threshold, "Delta_T": p.delta_t,
                  "tau_w": p.tau_w, "a": p.a, "b": p.b, "V_reset": p.v_reset, "V_peak": p.v_peak, "I_e": p.i_bias,
                  "t_ref": plan.n_ref * dt}
    made = Model(names[kind], parameters, {"V_m": plan.initial["v"], "w": plan.initial["w"]}, {"v": "V_m", "w": "w"})
    made.notes = ["NEST integrates AdExIF by an adaptive Runge-Kutta method, neurosim in sub-steps with the reset at "
                  "the crossing"]
    if kind is not Delta:
        _by_sign(made, plan, conductances=kind is ExponentialConductance)
    return made


def _by_sign(made, plan, conductances):
    """Give the first receptor the positive weights and the second the negative ones."""
    if len(plan.ports) > 2:
        raise UnsupportedError(f"NEST's {made.name} has two receptors, got {len(plan.ports)}")
    for port, ((_, q), side, sign) in enumerate(zip(plan.ports, ("ex", "in"), (1, -1), strict=False)):
        made.parameters[f"tau_syn_{side}"] = q.tau_syn
        if conductances:
            made.parameters[f"E_{side}"] = q.e_rev
        elif len(plan.ports) == 1:
            made.parameters["tau_syn_in"] = q.tau_syn
        made.signs[port] = sign if conductances else 0 if len(plan.ports) == 1 else sign


def _only_own(scheme, what, theirs, ours):
    if scheme != "own":
        raise UnsupportedError(f"NEST integrates {what} by {theirs}, neurosim by {ours}; scheme='own' lets NEST do it "
                               "its way")


def signed_weights(made: Model, port: int, weights, what: str) -> np.ndarray:
    """Return weights as NEST takes them for a receptor.

    Raises:
        UnsupportedError: their signs do not tell which receptor they mean.
    """
    sign = made.signs.get(port)
    if sign is None or sign == 0:
        return weights
    conductances = "E_ex" in made.parameters
    shown = weights if conductances else sign * weights
    if np.any(shown < 0):
        raise UnsupportedError(f"NEST's {made.name} tells its two receptors by the sign of weights, and {what} has "
                               f"weights of both signs")
    return sign * weights if conductances else weights
