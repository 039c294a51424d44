"""The first mistakes in a model, rule, receptor, release or current of one's own: one sentence, when it is made."""

import pytest

import neurosim as ns
from neurosim.checks import Parameter
from neurosim.contracts import Device, Linear, Plasticity, Release, State, Trace
from neurosim.neurons.base import Neuron
from neurosim.receptors import Receptor
from neurosim.sources import Current


def neuron(**changes):
    body = {"gain": Parameter(1.0), "state": {"v": State(0.0), "w": State(0.0)},
            "step": staticmethod(lambda v, w, i, gain: (v + gain * i, w)), "fires": staticmethod(lambda v: v > 1.0),
            "after_spike": staticmethod(lambda v, w: (0.0, w + 1.0))}
    return type("Mine", (Neuron,), body | changes)


def rule(**changes):
    body = {"tau": Parameter(20.0, "ms", above=0, per_element=False), "source_traces": {"x": Trace("tau")},
            "on_target": staticmethod(lambda weight, x: weight + x)}
    return type("Mine", (Plasticity,), body | changes)


def receptor(**changes):
    body = {"tau": Parameter(5.0, "ms", above=0), "state": {"x": State(0.0)},
            "linear": lambda self, p: Linear(matrix={("x", "x"): -1.0 / p.tau}, arrival={"x": 1.0}, output={"x": 1.0})}
    return type("Mine", (Receptor,), body | changes)


def release(**changes):
    body = {"share": Parameter(0.5), "state": {"u": State(1.0)},
            "release": staticmethod(lambda elapsed, u, share: (u * share, u))}
    return type("Mine", (Release,), body | changes)


def current(**changes):
    body = {"size": Parameter(1.0), "current": staticmethod(lambda time, size: size * time)}
    return type("Mine", (Current,), body | changes)


def device(**changes):
    body = {"noise": Parameter(0.1), "read": staticmethod(lambda weight, normal, noise: weight + noise * normal),
            "update": staticmethod(lambda weight, change: weight + change)}
    return type("Mine", (Device,), body | changes)


def test_what_is_right_is_made():
    for make in (neuron, rule, receptor, release, current, device):
        assert repr(make()()) == "Mine()" and repr(make()()) == "Mine()"


MISTAKES = [
    (neuron, {"step": lambda v, w, i, gain: (v, w)}, r"Mine\.step must be a static method: write @staticmethod"),
    (neuron, {"fires": lambda v: v > 1.0}, r"Mine\.fires must be a static method"),
    (neuron, {"step": staticmethod(lambda v, w: None)}, r"Mine\.step must return 2 values, v, w, but returns nothing"),
    (neuron, {"step": staticmethod(lambda v, w: v)}, r"Mine\.step must return 2 values, v, w, but returns 1 value;"),
    (neuron, {"after_spike": staticmethod(lambda v: (0.0, 1.0, 2.0))}, r"Mine\.after_spike must return 2 .* 3 values"),
    (neuron, {"fires": staticmethod(lambda v: None)}, r"Mine\.fires must return whether the neuron spikes, but"),
    (neuron, {"state": {"v": 0.0, "w": State(0.0)}}, r"Mine\.state\['v'\] must be a State, such as .*, got 0\.0"),
    (neuron, {"state": ["v"]}, r"Mine\.state must be a dict"),
    (neuron, {"state": {"w": State(0.0)}}, r"Mine\.state must have a variable 'v'"),
    (neuron, {"fires": None}, r"Mine must have fires\(\.\.\.\), or spiking = False"),
    (rule, {"on_target": lambda weight, x: weight}, r"Mine\.on_target must be a static method"),
    (rule, {"on_target": staticmethod(lambda weight, x: None)}, r"Mine\.on_target must return weight, but"),
    (rule, {"state": {"c": State(0.0)}}, r"Mine\.on_target must return 2 values, weight, c, but returns 1"),
    (rule, {"on_spike": staticmethod(lambda weight: weight)}, r"Mine\.on_spike is never called: the bodies of a rule"),
    (rule, {"on_target": None}, r"Mine must have a body, such as on_source"),
    (rule, {"source_traces": {"x": 20.0}}, r"Mine\.source_traces\['x'\] must be a Trace, such as .*, got 20\.0"),
    (rule, {"source_traces": {"x": Trace("tau_x")}}, r"Mine\.source_traces\['x'\] must name a parameter"),
    (rule, {"state": {"c": 0.0}}, r"Mine\.state\['c'\] must be a State"),
    (receptor, {"state": {"x": 0.0}}, r"Mine\.state\['x'\] must be a State"),
    (receptor, {"linear": lambda self, p: None}, r"Mine\.linear\(p\) must return a Linear, but returns None"),
    (receptor, {"linear": lambda self, p: Linear(output={"y": 1.0})}, r"must name variables in its state, x, got 'y'"),
    (receptor, {"linear": lambda self, p: Linear(arrival={"x": 1.0})}, r"must give as output the first variable"),
    (receptor, {"effect": "conduct"}, r"Mine\.effect must be one of jump, pulse, current, conductance, got 'conduct'"),
    (receptor, {"effect": "conductance"}, r"Mine is a conductance and must have a parameter e_rev"),
    (release, {"release": staticmethod(lambda u: u)}, r"Mine\.release must return 2 values, share, u, but returns 1"),
    (release, {"release": lambda u: (u, u)}, r"Mine\.release must be a static method"),
    (device, {"read": lambda weight: weight}, r"Mine\.read must be a static method"),
    (device, {"update": staticmethod(lambda weight, change: None)}, r"Mine\.update must return weight, but returns no"),
    (device, {"read": staticmethod(lambda weight: (weight, 0.0))}, r"Mine\.read must return weight, but returns 2 val"),
    (current, {"current": None}, r"Mine must have a body current\(time, \.\.\.\)"),
    (current, {"current": staticmethod(lambda time: None)}, r"Mine\.current must return current, but returns nothing"),
    (current, {"state": {"x": State(0.0)}}, r"Mine\.current must return 2 values, current, x, but returns 1"),
]


@pytest.mark.parametrize("make, changes, said", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_said_in_a_sentence(make, changes, said):
    with pytest.raises(ns.ParameterError, match=said) as caught:
        make(**changes)()
    assert "\n" not in str(caught.value)
    with pytest.raises(ns.ParameterError, match=said):  # and again
        make(**changes)()


def test_bodies_that_do_more_than_compute_are_not_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def step(v, w):
        open("log", "w").close()

    neuron(step=staticmethod(step))()
    assert not list(tmp_path.iterdir())


def test_the_same_mistake_is_said_each_time():
    mine = neuron(step=staticmethod(lambda v, w: None))
    for _ in range(2):
        with pytest.raises(ns.ParameterError, match="returns nothing"):
            mine()
