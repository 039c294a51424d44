"""Neurons for Brian2 as differential equations, which it integrates its own way, once for each tick."""

from types import SimpleNamespace

import numpy as np

from neurosim.backends.brian2_groups import Group, Names
from neurosim.backends.tracing import Trace
from neurosim.engine.plan import PopulationPlan
from neurosim.engine.update import state_field
from neurosim.errors import UnsupportedError
from neurosim.neurons import AdExIF, GeneralIzhikevich, HodgkinHuxley, Izhikevich, QuadraticIF

NEAR = 1e-4  #: of two rates of decay, the difference, beside their size, that Brian2's exact solution does not stand

#: the equations of a tick by class; what begins with m_ is a parameter, {i} the current. Variables have no prefix.
NONLINEAR = {
    Izhikevich: ({"v": "0.04 * v * v + 5.0 * v + 140.0 - u + m_i_bias + {i}", "u": "m_a * (m_b * v - u)"},
                 "v >= m_v_peak", "v = m_c\nu += m_d", "rk4"),
    GeneralIzhikevich: ({"v": "(m_k * (v - m_v_r) * (v - m_v_t) - u + m_i_bias + {i}) / m_c_mem",
                         "u": "m_a * (m_b * (v - m_v_r) - u)"}, "v >= m_v_peak", "v = m_v_reset\nu += m_d", "rk4"),
    QuadraticIF: ({"v": "(m_a * (v - m_v_rest) * (v - m_v_critical) + m_r * (m_i_bias + {i})) / m_tau_mem"},
                  "v >= m_v_peak", "v = m_v_reset", "rk4"),
    AdExIF: ({"v": "(m_g_leak * (m_v_leak - v) + m_g_leak * m_delta_t * exp(clip((v - m_v_threshold) / m_delta_t, "
                   "-1e300, 30.0)) - w + m_i_bias + {i}) / m_c_mem",
              "w": "(m_a * (clip(v, -1e300, m_v_peak) - m_v_leak) - w) / m_tau_w"},
             "v > m_v_peak", "v = m_v_reset\nw += m_b", "rk4"),
    HodgkinHuxley: ({"v": "(m_g_na * m**3 * h * (m_e_na - v) + m_g_k * n**4 * (m_e_k - v) + m_g_leak * (m_e_leak - v)"
                          " + m_i_bias + {i}) / m_c_mem",
                     "m": "(1 - m) / exprel(-(v + 40.0) / 10.0) - m * 4.0 * exp(-(v + 65.0) / 18.0)",
                     "h": "(1 - h) * 0.07 * exp(-(v + 65.0) / 20.0) - h / (1.0 + exp(-(v + 35.0) / 10.0))",
                     "n": "(1 - n) * 0.1 / exprel(-(v + 55.0) / 10.0) - n * 0.125 * exp(-(v + 65.0) / 80.0)"},
                    "v > m_v_threshold and up < 0.5", "up = 1", "exponential_euler")}


def known(model) -> bool:
    """Return whether there are equations of a model."""
    return type(model) in NONLINEAR or model.linear(SimpleNamespace(**model.values())) is not None


def own(plan: PopulationPlan, injected: str) -> tuple[Group, list[str]]:
    """Return a population as equations, and sentences on what is integrated otherwise than in neurosim.

    Raises:
        UnsupportedError: there are no equations of the model or of a receptor.
    """
    model, p = plan.neuron, plan.parameters
    for port in plan.form.kind.ports:
        if port.receptor.effect == "pulse":
            raise UnsupportedError("a Pulse is a current over one tick, which no differential equation has")
    made = Names(plan)
    linear = model.linear(p) if type(model) not in NONLINEAR else None
    if linear is None and type(model) not in NONLINEAR:
        raise UnsupportedError(f"there are no differential equations of {type(model).__name__} for Brian2")
    conducting = any(port.receptor.effect == "conductance" for port in plan.form.kind.ports)
    currents = {on: _current(made, on, injected) for on in model.inputs}
    if linear is None:
        notes = _nonlinear(made, model, currents)
    else:
        _linear(made, model, linear, currents)
        made.group.method = "exponential_euler" if conducting else "exact"
        notes = []
        if not conducting:
            _check_apart(plan, linear)
    for port, (receptor, q) in zip(plan.form.kind.ports, plan.ports, strict=True):
        _receptor(made, port, receptor.linear(q))
    return made.finished(), notes


def _linear(made, model, linear, currents):
    for name in model.state:
        field = state_field(name)
        parts = [f"{made.number(f'l_{name}_{source}', value)} * {state_field(source)}"
                 for (target, source), value in linear.matrix.items() if target == name]
        parts += [made.number(f"l_{name}_constant", linear.constant[name])] if name in linear.constant else []
        for on, current in currents.items():
            gain = linear.gains(on).get(name)
            if gain is not None and current != "0":
                parts.append(f"{made.number(f'l_{name}_into_{on}', gain)} * ({current})")
        made.differential(field, " + ".join(parts) or "0 * " + field, held=name == "v")
    made.spike()


def _nonlinear(made, model, currents):
    equations, threshold, reset, method = NONLINEAR[type(model)]
    for name, value in vars(made.plan.parameters).items():
        if isinstance(value, (float, int, np.ndarray)):
            made.number(f"m_{name}", value)
    for name, text in equations.items():
        made.differential(state_field(name), made.fields(text.format(i=f"({currents['v']})")), held=name == "v")
    for name in made.group.arrays:
        if name.startswith("s_") and name.removeprefix("s_") not in equations:
            made.group.equations.append(f"{name} : 1")
    made.group.threshold = made.fields(threshold)
    made.group.reset = made.fields(reset).splitlines()
    made.group.method = method
    if "s_up" in made.group.arrays:
        made.group.update = ["s_up = s_up * int(s_v > m_v_threshold)"]
    if isinstance(model, (AdExIF,)) and np.any(np.asarray(made.plan.parameters.delta_t) < 1e-6):
        raise UnsupportedError("delta_t is 0, which the equations divide by")
    return [f"Brian2 integrates {type(model).__name__} by {method} once for each tick and resets at its end, neurosim "
            "in sub-steps with the reset at the crossing"]


def _current(made, on, injected) -> str:
    """Return the expression of the current into a variable."""
    parts = [injected] if injected and on == "v" else []
    for port, (receptor, q) in zip(made.plan.form.kind.ports, made.plan.ports, strict=True):
        if receptor.on != on or receptor.effect not in ("current", "conductance"):
            continue
        output = receptor.linear(q).output[next(iter(receptor.state))]
        text = f"{made.number(f'p{port.index}_share', output)} * {port.name(next(iter(receptor.state)))}"
        if receptor.effect == "conductance":
            text += _gate(made, port, receptor, q)
            text += f" * ({made.number(f'p{port.index}_e_rev', q.e_rev)} - {port.target})"
        parts.append(text)
    return " + ".join(parts) or "0"


def _gate(made, port, receptor, q) -> str:
    if receptor.gate is None:
        return ""
    names = receptor.gate.__code__.co_varnames[:receptor.gate.__code__.co_argcount]
    given = {name: made.number(f"p{port.index}_gate_{name}", getattr(q, name)) for name in names[1:]}
    return f" * {Trace(inline=True).call(receptor.gate, given | {names[0]: port.target})[0].text}"


def _receptor(made, port, equations):
    for name in port.receptor.state:
        parts = [f"{made.number(f'p{port.index}_rate_{name}_{source}', value)} * {port.name(source)}"
                 for (target, source), value in equations.matrix.items() if target == name]
        made.differential(port.name(name), " + ".join(parts) or f"0 * {port.name(name)}")


def _check_apart(plan, linear):
    """Refuse rates of decay between which the exact solution of Brian2, a formula with their difference, breaks."""
    rates = [np.asarray(value, float) for value in linear.rates.values()]
    for number, (receptor, q) in enumerate(plan.ports):
        if receptor.effect != "current":
            continue
        own_rates = [np.asarray(rate, float) for rate in receptor.linear(q).rates.values()]
        for rate in own_rates:
            if any(np.any(np.abs(rate - other) < NEAR * np.abs(other)) for other in rates):
                raise UnsupportedError(f"a time constant of receptor {number} is that of the membrane, and Brian2's "
                                       "exact solution divides by their difference")
