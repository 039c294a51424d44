"""What is set between two runs makes another plan, which shares with the one before all that stayed as it was."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from neurosim.engine.bundling import bundled, taken_out
from neurosim.engine.plan import ClockedPlan, revised
from neurosim.engine.planner import formed, formed_drive
from neurosim.engine.quantities import periods, wiring_of
from neurosim.engine.synapses import in_parts, with_values
from neurosim.network import Population, Projection

BORN = "born"  #: name of the change that says up to which tick synapses were not there


def changed(plan: ClockedPlan, changes) -> ClockedPlan:
    """Return the plan in which some parameters, or quantities of synapses, have other values.

    Args:
        plan: the plan, which stays as it is.
        changes: (population, projection or drive, name) -> value, which is known to fit. A parameter of a receptor
            is one of its population, called by its name and the number of the receptor: `tau_syn[0]`. `BORN` takes a
            tick for each synapse of a projection, see `ProjectionPlan.born`.
    """
    populations, drives, synapses = {}, {}, {}
    for (owner, name), value in changes.items():
        kind = populations if isinstance(owner, Population) else synapses if isinstance(owner, Projection) else drives
        kind.setdefault(owner, {})[name] = value
    new = {owner: formed(with_parameters(plan.populations[owner], values), plan, plan.populations[owner])
           for owner, values in populations.items()}
    driven = {owner: formed_drive(with_numbers(plan.drives[owner], values), plan) for owner, values in drives.items()}
    after = revised(plan, populations={**plan.populations, **new} if new else plan.populations,
                    drives={**plan.drives, **driven} if driven else plan.drives, changes={**plan.changes, **changes})
    return _with_synapses(after, synapses) if synapses else after


def with_numbers(plan, values: dict):
    """Return the plan of a drive with other parameters."""
    return revised(plan, parameters=SimpleNamespace(**{**vars(plan.parameters), **values}))


def with_parameters(plan, values: dict):
    """Return the plan of a population with other parameters, of its model and of its receptors."""
    own = {name: value for name, value in values.items() if not name.endswith("]")}
    ports = list(plan.ports)
    for name, value in values.items():
        if name.endswith("]"):
            name, number = name[:-1].split("[")
            receptor, p = ports[int(number)]
            ports[int(number)] = receptor, SimpleNamespace(**{**vars(p), name: value})
    parameters = SimpleNamespace(**{**vars(plan.parameters), **own}) if own else plan.parameters
    return revised(plan, parameters=parameters, ports=tuple(ports))


def _with_synapses(plan: ClockedPlan, changes: dict) -> ClockedPlan:
    """Return the plan in which synapses have other values; what was in a bundle with them is bundled anew.

    Weights that are set are kept as they are: of a bundle whose weights are rounded the others stay in it.
    """
    plans, places = dict(plan.projections), {}
    broken = dict.fromkeys(plans[projection].bundle for projection in changes if plans[projection].bundle is not None)
    for whole in broken:
        plans |= {member.projection: taken_out(plans[member.projection]) for member in whole.plans}
    for projection, values in changes.items():
        plans[projection] = _set(plan, plans[projection], values)
    for whole in broken:
        members = [member.projection for member in whole.plans]
        alone = [projection for projection in members if projection in changes
                 and (whole.scale or plans[projection].wiring.young)]
        again, here = bundled([plans[projection] for projection in members if projection not in alone], plan.reach,
                              bool(whole.scale), plan.threads, whole.scale)
        plans |= {each.projection: each for each in again}
        places[whole] = [delivery for projection in members for delivery in here.get(projection, [projection])]
    deliveries = tuple(each for delivery in plan.deliveries for each in places.get(delivery, [delivery]))
    return replace(plan, projections=plans, deliveries=deliveries)


def _set(plan: ClockedPlan, each, values: dict):
    """Return the plan of a projection, which is in no bundle, with other values of its synapses."""
    connectivity, born = each.connectivity, values.get(BORN)
    for name, value in values.items():
        if name == BORN:
            continue
        value = np.asarray(value, dtype=plan.real)
        value = value.reshape(-1)[0] if value.size == 1 and name in connectivity.shared else value
        connectivity = with_values(connectivity, name, value)
    wiring = replace(wiring_of(each.projection, connectivity, plan.real, plan.dt),
                     young=each.wiring.young, ahead=each.wiring.ahead)
    each = replace(each, connectivity=connectivity, wiring=wiring,
                   periods=periods(each.projection, connectivity.shared, plan.dt))
    if born is None:
        return each
    return replace(each, wiring=replace(each.wiring, young=True), born=in_parts(connectivity, born))
