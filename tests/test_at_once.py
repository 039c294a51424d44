"""Ticks that are done at once for all neurons: to the bit what the step with sub-steps gives, neuron by neuron."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns
from neurosim import neurons
from neurosim.bodies import plain
from tests.shares import quick

AT_ONCE = [ns.AdExIF(), ns.AdExIF(delta_t=0.0, v_reset=-80.0), ns.AdExIF(t_ref=2.0), ns.Izhikevich(scheme="fine"),
           ns.GeneralIzhikevich(scheme="fine"), ns.QuadraticIF()]


def called(body, known):
    return body(*(known[name] for name in inspect.signature(body).parameters))


@pytest.mark.parametrize("model", AT_ONCE, ids=repr)
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_done_at_once_is_what_the_step_does(model, data):
    """In Python, in float64, for states near the threshold, where it is done and where it is not."""
    dt = data.draw(st.sampled_from([0.02, 0.1, 0.5]))
    peak = float(model.v_peak)
    known = {name: float(value) for name, value in model.coefficients(plain(model), dt).items()}
    known |= {"v": data.draw(st.floats(-90.0, peak + 5.0)), "i": data.draw(st.floats(-200.0, 1000.0)),
              "g": data.draw(st.floats(0.0, 40.0)), "due": data.draw(st.sampled_from([0.0, 1.0])),
              "rest": data.draw(st.sampled_from([0.0, 0.0, 2.0]))}
    known |= {name: data.draw(st.floats(-50.0, 100.0)) for name in model.state if name not in known}
    done, *state = called(model.at_once, known)
    if done:
        assert tuple(state) == called(model.step, known)


@pytest.mark.parametrize("model", AT_ONCE, ids=repr)
def test_most_ticks_are_done_at_once(model):
    """At rest and a little above, in ticks of 0.1 ms; not in the upswing, and not while v is held."""
    known = {name: float(value) for name, value in model.coefficients(plain(model), 0.1).items()}
    known |= {"i": 0.0, "g": 0.0} | {name: 0.0 for name in model.state}
    rest = -70.0
    recovery = 0.2 * rest if isinstance(model, ns.Izhikevich) else 0.0
    for v, expected in ((rest, True), (rest + 5.0, True), (float(model.v_peak) - 0.01, False)):
        assert called(model.at_once, known | {"v": v, "u": recovery})[0] == expected
    if "rest" in model.state:
        assert not called(model.at_once, known | {"v": rest, "rest": 1.0})[0]


@pytest.mark.parametrize("model", quick([repr(AT_ONCE[2])], AT_ONCE, name=repr), ids=repr)
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_networks_send_the_same_spikes(model, dtype):
    """The compiled loop with and without, with conductances, currents and jumps."""
    def one_by_one():
        slow = type("OneByOne", (type(model),), {"at_once": None})
        return slow(**{name: getattr(model, name) for name in model.parameters})

    found = []
    for each in (model, one_by_one()):
        net, unitless = ns.Network(), model.current_unit != "pA"
        cells = net.add(each.replace(i_bias=ns.Uniform(0.0, 12.0 if unitless else 900.0)), 150, name="cells")
        noise = net.add(ns.Poisson(rate=40.0), 100, name="noise")
        net.connect(noise, cells, ns.FixedProbability(0.2), weight=0.02 if unitless else 2.0,
                    receptor=ns.ExponentialConductance(e_rev=0.0))
        net.connect(noise, cells, ns.FixedProbability(0.1), weight=2.0 if unitless else 60.0,
                    receptor=ns.ExponentialCurrent(5.0))
        net.connect(noise, cells, ns.FixedProbability(0.05), weight=0.3)
        net.record(cells)
        sim = ns.Simulation(net, dt=0.1, seed=3, dtype=dtype)
        sim.run(150.0)
        spikes = sim.spikes(cells)
        found.append((spikes.ticks, spikes.ids, *(sim.get(cells, name) for name in model.state)))
    assert len(found[0][0]) > 100
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


def test_a_class_with_a_step_of_its_own_leaves_the_body_above_it_alone():
    class Slower(ns.AdExIF):
        @staticmethod
        def step(v, w, due, rest):
            return v - 1.0, w, due, rest

    class Renamed(ns.AdExIF):
        pass

    assert Slower().tick_at_once() is None
    assert Renamed().tick_at_once() is ns.AdExIF.at_once
    assert ns.Izhikevich().tick_at_once() is None and ns.Izhikevich(scheme="fine").tick_at_once() is not None


def test_every_model_that_does_ticks_at_once_is_tested_here():
    models = [getattr(neurons, name) for name in neurons.__all__ if inspect.isclass(getattr(neurons, name))]
    assert {model for model in models if "at_once" in vars(model)} == {type(model) for model in AT_ONCE}


def test_a_body_that_forgets_to_say_whether_it_is_done_is_refused():
    class Forgets(ns.AdExIF):
        @staticmethod
        def step(v, w, due, rest):
            return v, w, due, rest

        @staticmethod
        def at_once(v, w, due, rest):
            return v, w, due, rest

    with pytest.raises(ns.ParameterError, match=r"at_once must return 5 values, done, v, w, due, rest, but returns 4"):
        Forgets()
