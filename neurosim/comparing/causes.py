"""What may be different between two simulators, and the search for what explains the spikes of a result."""

from dataclasses import dataclass, replace
from itertools import product

from neurosim.comparing.reference import OpenLoop, Outcome, Rules
from neurosim.neurons.reset import Resetting

ORDER, EQUAL, REFRACTORY, DELAY = "order within a tick", "> against >=", "refractory time", "delays"
TAU, ARRIVALS, RESET, TIE = "tau from 1 - beta", "arrivals during refractoriness", "reset", "rounding of a tie"
STAMP, GIVEN, TICK, UNKNOWN = "time stamps", "other input", "length of a tick", "unknown"
LEFT = 0.1  #: share of the errors that may be left where rules explain a result in part
FEW, SOON = 12, 250  #: neurons, and ticks after the first difference, on which combinations of rules are tried
BEST = 6  #: of them that are tried on all


@dataclass(frozen=True)
class Cause:
    """One rule in which a result is not as neurosim.

    Attributes:
        name: of the kind of cause.
        sentence: what the result does.
    """

    name: str
    sentence: str


@dataclass(frozen=True, eq=False)
class Explanation:
    """What makes a result's spikes.

    Attributes:
        rules: those under which they are predicted best.
        causes: in which of them the result differs from neurosim; none where it does not.
        outcome: how well they predict.
        complete: whether they predict every spike that was looked at, ties aside.
        as_well: other causes that alone predict as well as the first one.
    """

    rules: Rules
    causes: tuple[Cause, ...]
    outcome: Outcome
    complete: bool
    as_well: tuple[Cause, ...] = ()


def candidates(loop: OpenLoop) -> list[tuple[dict, Cause]]:
    """Return the rules that may differ, the most common ones first."""
    plan, ports = loop.plan, loop.plan.form.kind.ports
    kinds, dt = {port.receptor.effect for port in ports}, loop.handed.dt
    held = plan.n_ref is not None and bool((plan.n_ref[loop.neurons] > 0).any())
    found = [({"stamp": by}, Cause(STAMP, f"it labels a spike with a time that is a tick too {word}"))
             for by, word in ((1, "early"), (-1, "late"))]
    found += [({"order": order}, Cause(ORDER, sentence)) for order, sentence in _orders(kinds)]
    sign = "v >= threshold" if " > " in loop.group(Rules()).threshold else "v > threshold"
    found.append(({"equal": True}, Cause(EQUAL, f"it spikes where {sign}")))
    found += [({"later": by}, Cause(DELAY, f"what is sent arrives a tick {word}"))
              for by, word in ((1, "later"), (-1, "earlier"))]
    if any(isinstance(p.delay, (int, float)) and abs(p.delay / dt - round(p.delay / dt)) > 1e-6
           for p in loop.handed.net.projections if p.target.base is loop.population):
        found += [({"rounding": how}, Cause(DELAY, f"delays off the grid are rounded {how}"))
                  for how in ("half to even", "up", "down")]
    if plan.n_ref is not None:
        found += [({"held": by}, Cause(REFRACTORY, f"a neuron is refractory for a tick {word}"))
                  for by, word in ((1, "longer"), (-1, "less")) if by > 0 or held]
    if held:
        found += [({"refractory": how}, Cause(ARRIVALS, f"during the refractory time {words}"))
                  for how, words in _meanwhile(kinds)]
    found += _resets(loop)
    found += [({"tau": how, "whose": whose}, Cause(TAU, f"the time constant of the {what} is {words}"))
              for whose, what in (("membrane", "membrane"), ("synapses", "synapses"), ("all", "membrane and synapses"))
              if whose == "membrane" or kinds & {"current", "conductance"}
              for how, words in (("too long", "dt / (1 - beta), with beta = exp(-dt / tau)"),
                                 ("too short", "that of beta = 1 - dt / tau, in place of exp(-dt / tau)"))]
    return found


def _orders(kinds):
    orders = [("add, integrate", "what arrives is added before the integration of its tick")]
    if "jump" in kinds:
        orders += [("compare, add", "v is compared before what arrives is added, and a reset takes that away"),
                   ("compare, reset, add", "v is compared and reset before what arrives is added")]
    return orders


def _meanwhile(kinds):
    jumps = [("jumps act", "jumps act on v"), ("jumps wait", "jumps are kept and act at its end"),
             ("jumps fade", "jumps are kept, and what is left of them acts at its end")]
    currents = [("currents are lost", "what arrives at currents is lost"),
                ("currents stand still", "currents stand still, and what arrives at them is lost"),
                ("currents are cleared", "currents are zero, and what arrives at them is lost")]
    some = (jumps if "jump" in kinds else []) + (currents if kinds & {"current", "conductance"} else [])
    return [*some, ("v goes on", "v goes on, and only spikes are held back")]


def _resets(loop):
    p, model = vars(loop.plan.parameters), loop.plan.population.model
    if not isinstance(model, Resetting):
        return []
    to = [name for name in ("v_reset", "v_leak") if p.get(name) is not None]
    own = "to v_reset" if model.reset == "to_value" else f"v_threshold - {model.floor}"
    found = [(f"to {name}", f"a spike sets v to {name}") for name in to] + [("to 0", "a spike sets v to 0")]
    found += [(f"v_threshold - {name}", f"a spike lowers v by v_threshold - {name}") for name in reversed(to)]
    found.append(("v_threshold", "a spike lowers v by v_threshold"))
    made = [({"reset": how}, Cause(RESET, words)) for how, words in found if how != own]
    return [*made, ({"late_reset": True}, Cause(RESET, "a reset happens in the tick after the spike"))]


def explain(loop: OpenLoop, first: int) -> Explanation:
    """Return the rules that make the spikes of a result: one that differs, or a combination of the most common ones.

    Args:
        loop: neurons under the spikes of the result.
        first: the tick of the first difference.
    """
    standard = loop.run(Rules())
    if standard.wrong <= standard.ties and not (standard.wrong and loop.run(Rules(equal=True)).wrong == 0):
        return Explanation(Rules(), (), standard, True)
    tried = [(loop.run(replace(Rules(), **change)), change, cause) for change, cause in candidates(loop)]
    least = min(found.wrong for found, _, _ in tried)
    alike = [(found, change, cause) for found, change, cause in tried if found.wrong == least]
    outcome, change, cause = alike[0]
    rules, causes = replace(Rules(), **change), (cause,)
    if outcome.wrong > outcome.ties:
        best = [(loop.run(rules), rules) for rules in _combined(loop, first)]
        again, combined = min(best, key=lambda each: each[0].wrong)
        if again.wrong < outcome.wrong:
            outcome, rules, alike = again, combined, []
            causes = tuple(each for change, each in candidates(loop)
                           if all(getattr(rules, name) == value for name, value in change.items()))
    if outcome.wrong > LEFT * standard.wrong and outcome.wrong > outcome.ties:
        return Explanation(Rules(), (), standard, False)
    also = {each.name: each for _, _, each in alike[1:] if each.name != cause.name}
    return Explanation(rules, causes, outcome, outcome.wrong <= outcome.ties, tuple(also.values()))


def _combined(loop, first) -> list[Rules]:
    """Return the best combinations of order, delays, refractory time and time stamps, as a few neurons tell."""
    small, changes = loop.smaller(FEW, first + SOON), [change for change, _ in candidates(loop)]
    choices = [[{}, *(change for change in changes if name in change)] for name in ("order", "later", "held", "stamp")]
    found = []
    for parts in product(*choices):
        rules = Rules(**{name: value for part in parts for name, value in part.items()})
        found.append((small.run(rules).wrong, sum(map(len, parts)), rules))
    return [rules for _, _, rules in sorted(found, key=lambda each: each[:2])[:BEST]]
