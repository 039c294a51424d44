"""The largest Lyapunov exponent: how fast small differences grow, of a map, of a rate network, of a spiking one."""

import math

import numpy as np

from neurosim.checks import check_number, check_seed, check_ticks, check_whole, describe_value
from neurosim.errors import ParameterError
from neurosim.reservoirs.metrics.checks import table
from neurosim.simulation import Simulation

ROUNDINGS = 1e4 * np.finfo(np.float64).eps  #: of a state, below which no distance is set


def lyapunov_exponent(step, jacobian, start, steps: int, *, washout: int = 0, seed: int = 0) -> float:
    r"""Return the largest Lyapunov exponent of a map from its Jacobian, per step.

    lambda = mean over steps of ln |J(x_t) v_t| / |v_t|,   v_{t+1} = J(x_t) v_t, renormalised.

    Args:
        step: function (state, t) -> next state, shape (n,).
        jacobian: function (state, t) -> derivative of the step by the state, shape (n, n).
        start: first state, shape (n,).
        steps: number of steps over which the mean is taken.
        washout: steps before that, in which the direction settles.
        seed: of the first direction.

    Returns:
        the exponent, 1/step; -inf where the Jacobian takes every difference to 0.

    Raises:
        ParameterError: an argument does not fit.

    >>> import math
    >>> found = lyapunov_exponent(lambda x, t: 4 * x * (1 - x), lambda x, t: (4 - 8 * x)[None], [0.3], 20_000)
    >>> abs(found - math.log(2)) < 0.01
    True

    Source: Benettin, Galgani, Giorgilli, Strelcyn, Meccanica 15 (1980) 9.
    """
    state = table("lyapunov_exponent.start", start, (1,), "a 1-D array").copy()
    steps = check_whole("lyapunov_exponent.steps", steps, at_least=1)
    washout = check_whole("lyapunov_exponent.washout", washout, at_least=0)
    direction, growth = _direction(state.size, seed), 0.0
    for t in range(washout + steps):
        direction = np.asarray(jacobian(state, t), np.float64) @ direction
        length = float(np.linalg.norm(direction))
        if length == 0:
            return -math.inf
        _check_finite("lyapunov_exponent", direction, t)
        direction /= length
        growth += math.log(length) if t >= washout else 0.0
        state = np.asarray(step(state, t), np.float64)
    return growth / steps


def lyapunov_by_perturbation(step, start, steps: int, *, washout: int = 0, size: float = 1e-8, seed: int = 0) -> float:
    r"""Return the largest Lyapunov exponent of a map from two nearby trajectories, per step.

    lambda = mean over steps of ln(d_t / size),   d_t being the distance after one step; it is renormalised to `size`.

    Args:
        step: function (state, t) -> next state, shape (n,).
        start: first state, shape (n,).
        steps: number of steps over which the mean is taken.
        washout: steps before that.
        size: distance to which the two are set after each step; small against the states. Where they grow so far
            that it would be lost in their rounding, it grows with them.
        seed: of the first direction.

    Returns:
        the exponent, 1/step; -inf where the two meet.

    Raises:
        ParameterError: an argument does not fit, or a state becomes infinite.

    >>> import math
    >>> found = lyapunov_by_perturbation(lambda x, t: 0.5 * x, [1.0, 2.0], 20)
    >>> abs(found - math.log(0.5)) < 1e-6
    True

    Source: Sprott, Chaos and Time-Series Analysis, Oxford 2003, section 5.6.
    """
    state = table("lyapunov_by_perturbation.start", start, (1,), "a 1-D array").copy()
    steps = check_whole("lyapunov_by_perturbation.steps", steps, at_least=1)
    washout = check_whole("lyapunov_by_perturbation.washout", washout, at_least=0)
    size = check_number("lyapunov_by_perturbation.size", size, above=0)
    direction, growth = _direction(state.size, seed), 0.0
    for t in range(washout + steps):
        other = state + direction * max(size, ROUNDINGS * float(np.linalg.norm(state)))
        set_to = float(np.linalg.norm(other - state))  # the distance as it was rounded
        state, other = np.asarray(step(state, t), np.float64), np.asarray(step(other, t), np.float64)
        _check_finite("lyapunov_by_perturbation", other - state, t)
        distance = float(np.linalg.norm(other - state))
        if distance == 0:
            return -math.inf
        growth += math.log(distance / set_to) if t >= washout else 0.0
        direction = (other - state) / distance
    return growth / steps


def perturbation_growth(sim: Simulation, population, duration: float, *, every: float = 1.0, size: float = 1e-3,
                        variable: str = "v", seed: int = 0) -> float:
    r"""Return how fast a small perturbation of a running spiking network grows: its largest Lyapunov exponent, per ms.

    A twin of the simulation starts from its state with `variable` moved by `size` in a random direction. After `every`
    ms the distance is noted, and the twin set anew: to the state of the simulation, with the variable moved by `size`
    in the direction that the difference has now. Both see the same random numbers.

    lambda = mean of ln(d / size) / every

    Differences in other variables and in spikes under way count by what they do to `variable` within `every`: choose it
    longer than delays and synaptic time constants. A simulation with dtype="float64" resolves smaller sizes.

    Args:
        sim: the simulation, which runs on by `duration`.
        population: which is moved, itself or its name.
        duration: ms, a multiple of `every`.
        every: ms between two renormalisations.
        size: Euclidean distance, in the variable's unit; large against its rounding.
        variable: name of the state variable.
        seed: of the first direction.

    Returns:
        the exponent, 1/ms; -inf where the two meet, as two sets of neurons that are all reset at one tick do.

    Raises:
        ParameterError: an argument does not fit, or the variable rounds the size away.

    >>> import neurosim as ns
    >>> net = ns.Network()
    >>> cells = net.add(ns.LIF(tau_mem=10.0, t_ref=0.0), 20, name="cells")
    >>> sim = ns.Simulation(net, dt=0.1, dtype="float64")
    >>> round(perturbation_growth(sim, "cells", 9.0), 6)
    -0.1

    Source: Legenstein, Maass, Neural Networks 20 (2007) 323, for the measure on spiking networks.
    """
    if not isinstance(sim, Simulation):
        raise ParameterError(f"perturbation_growth.sim must be a Simulation, got {describe_value(sim)}")
    size = check_number("perturbation_growth.size", size, above=0)
    every = check_number("perturbation_growth.every", every, "ms", above=0)
    rounds = check_ticks("perturbation_growth.duration", duration, every, at_least=1)
    twin = sim.clone(record=False)
    here = sim.get(population, variable).astype(np.float64)
    difference, growth = size * _direction(here.size, seed), 0.0
    for _ in range(rounds):
        twin.restore(sim.state())
        twin.set(population, **{variable: here + difference})
        size_set = np.linalg.norm(twin.get(population, variable).astype(np.float64) - here)
        sim.run(every)
        twin.run(every)
        here = sim.get(population, variable).astype(np.float64)
        difference = twin.get(population, variable) - here
        distance = float(np.linalg.norm(difference))
        if size_set == 0:
            raise ParameterError(f"perturbation_growth.size must be large enough to change {variable!r} in "
                                 f"{sim.dtype}, got {size:g}; give a larger one, or a simulation with dtype='float64'")
        if distance == 0:
            return -math.inf
        growth += math.log(distance / size_set)
        difference *= size / distance
    return growth / (rounds * every)


def _check_finite(owner, difference, t):
    if not np.isfinite(difference).all():
        raise ParameterError(f"{owner}.step must keep states and their differences finite, got one that is not after "
                             f"step {t + 1}; take fewer steps")


def _direction(n, seed):
    direction = np.random.default_rng(check_seed("seed", seed)).normal(size=n)
    return direction / np.linalg.norm(direction)


__all__ = ["lyapunov_by_perturbation", "lyapunov_exponent", "perturbation_growth"]
