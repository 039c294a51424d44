"""What holds for every neuron model with every receptor, and for every declared bound of every public class."""

import importlib
import inspect
import re

import numpy as np
import pytest

import neurosim as ns
from neurosim import neurons, receptors
from neurosim.checks import REQUIRED, Label, Option, Parameter, Parametrised
from neurosim.neurons import Neuron
from neurosim.receptors import Receptor
from neurosim.releases import Release
from neurosim.sources import Current, Drive
from tests.shares import quick

SIZE = 300  # more than two groups of 128, so that two threads share the population


def classes(*modules):
    """Every public class that is made of declared parameters."""
    for name in modules:
        module = importlib.import_module(name)
        public = set(getattr(module, "__all__", ())) | set(ns._WHERE.get(name.removeprefix("neurosim."), ()))
        for each in sorted(public):
            cls = getattr(module, each)
            if inspect.isclass(cls) and issubclass(cls, Parametrised):
                yield cls


# ---- every model with every receptor ----------------------------------------------------------------

MODELS = [getattr(neurons, name) for name in neurons.__all__]
SCHEMES = [model(scheme=scheme) if scheme else model() for model in MODELS
           for scheme in (model.parameters["scheme"].choices if "scheme" in model.parameters else (None,))]
RECEPTORS = [getattr(receptors, name)() for name in receptors.__all__]
WEIGHTS = {"jump": 3.0, "pulse": 200.0, "current": 100.0, "conductance": 4.0}


def every_receptor(model, conductance):
    """A population that each receptor reaches, one after the other, and the noise that makes it spike."""
    unitless = model.current_unit != "pA"
    net = ns.Network()
    cells = net.add(model, SIZE, name="cells")
    used = [receptor for receptor in RECEPTORS if (receptor.effect == "conductance") == conductance]
    for turn, receptor in enumerate(used):
        scale = 0.05 if unitless and receptor.effect != "jump" else 1.0
        source = net.add(ns.SpikeSource(ns.Spikes.from_times(
            5.0 * turn + np.arange(1.0, 6.0), np.arange(5), size=5, duration=50.0)))
        net.connect(source, cells, ns.FixedProbability(0.5), weight=WEIGHTS[receptor.effect] * scale, delay=1.5,
                    receptor=receptor)
    if model.spiking:
        net.connect(cells, cells, ns.FixedInDegree(10), weight=0.05 if unitless else 0.5, delay=0.5, receptor=used[0])
        net.record(cells)
    net.drive(cells, ns.OUCurrent(mean=20.0 if unitless else 800.0, std=2.0 if unitless else 100.0, tau=5.0))
    for variable in net.variables(cells):
        net.record(cells, variable, every=0.5, ids=[0, 1, 255, SIZE - 1])
    return net


def outcome(net, threads, pieces):
    sim = ns.Simulation(net, dt=0.1, seed=1, threads=threads)
    for piece in pieces:
        sim.run(piece)
    cells = net.population("cells")
    traces = np.concatenate([sim.trace(cells, name)[1].ravel() for name in net.variables(cells)])
    return (sim.spikes(cells), traces) if cells.spiking else (None, traces)


@pytest.mark.parametrize("conductance", [False, True], ids=["currents", "conductances"])
@pytest.mark.parametrize("model", quick(map(repr, SCHEMES[:3]), SCHEMES, name=repr), ids=repr)
def test_every_model_runs_with_every_receptor(model, conductance):
    """Finite values; the same for two threads and for a run in pieces."""
    net = every_receptor(model, conductance)
    if conductance and "g" not in inspect.signature(model.step).parameters:
        with pytest.raises(ns.UnsupportedError, match="cannot take ExponentialConductance|cannot take NMDA"):
            ns.Simulation(net)
        return
    spikes, traces = outcome(net, 1, [50.0])
    assert np.isfinite(traces).all()
    assert spikes is None or 10 < len(spikes) < 200 * SIZE
    for threads, pieces in ((2, [50.0]), (1, [0.1, 12.3, 37.6])):
        again, same = outcome(net, threads, pieces)
        np.testing.assert_array_equal(same, traces)
        if spikes is not None:
            np.testing.assert_array_equal(again.ticks, spikes.ticks)
            np.testing.assert_array_equal(again.ids, spikes.ids)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_says_what_it_is(model):
    made = model()
    assert "v" in made.state and made.unit and made.current_unit
    text = inspect.getdoc(model)
    assert ">>> " in text and "Source: " in text and text.splitlines()[0].endswith((".", ":"))
    for parameter in model.parameters.values():
        assert parameter.doc and (isinstance(parameter, Option) or parameter.unit)


# ---- every declared bound ---------------------------------------------------------------------------

PUBLIC = list(classes("neurosim.neurons", "neurosim.receptors", "neurosim.sources", "neurosim.distributions",
                      "neurosim.releases"))
ENOUGH = {"first": 1, "last": 2}  # values of required parameters, where 1.0 would not do


def required(cls):
    return {name: ENOUGH.get(name, 1.0) for name, parameter in cls.parameters.items() if parameter.default is REQUIRED}


def bad_values(parameter):
    """Values that a parameter must refuse: beyond each bound, not finite, of another type or shape."""
    if isinstance(parameter, Option):
        return ["no such choice", None, 1.0, np.nan]
    if isinstance(parameter, Label):
        return ["two words", "", 1.0, b"name"]
    bad = [np.nan, np.inf, -np.inf, "text", b"1", True, [], [1.0, np.nan], [[1.0]], [1.0, "text"], {"a": 1.0}, object()]
    bad += [] if parameter.optional else [None]
    bad += [] if parameter.per_element else [np.array([1.0, 2.0])]
    bad += [0.5] if parameter.integer else []
    for strict, bound, outward in ((True, parameter.above, -1), (False, parameter.at_least, -1),
                                   (True, parameter.below, 1), (False, parameter.at_most, 1)):
        if bound is not None:
            values = [bound + outward * 1e-9, bound + outward, bound + outward * 1e9] + ([bound] if strict else [])
            bad += values + ([np.array([1.0, values[0]])] if parameter.per_element else [])
    return bad


CASES = [(cls, name) for cls in PUBLIC for name in cls.parameters]


@pytest.mark.parametrize("cls, name", CASES, ids=lambda each: each if isinstance(each, str) else each.__name__)
def test_what_is_out_of_bounds_is_refused(cls, name):
    for value in bad_values(cls.parameters[name]):
        with pytest.raises(ns.ParameterError, match=rf"^{cls.__name__}\.{name} must be .+, got .+"):
            cls(**{**required(cls), name: value})


BOUNDED = [(cls, name) for cls, name in CASES if isinstance(cls.parameters[name], Parameter)
           and (cls.parameters[name].at_least is not None or cls.parameters[name].at_most is not None)]


@pytest.mark.parametrize("cls, name", BOUNDED, ids=lambda each: each if isinstance(each, str) else each.__name__)
def test_closed_bounds_belong_to_what_is_accepted(cls, name):
    parameter = cls.parameters[name]
    for bound in (parameter.at_least, parameter.at_most):
        if bound is not None:
            assert getattr(cls(**{**required(cls), name: bound}), name) == bound


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: cls.__name__)
def test_unknown_keywords_are_refused(cls):
    if "parameters" not in vars(cls) or cls is ns.SpikeSource:
        pytest.skip("takes no parameters by name")
    with pytest.raises(ns.ParameterError, match=rf"^{cls.__name__}: .*'no_such_thing'.*it takes "):
        cls(**required(cls), no_such_thing=1.0)


@pytest.mark.parametrize("cls, name", [(cls, name) for cls, name in CASES if cls.parameters[name].per_element],
                         ids=lambda each: each if isinstance(each, str) else each.__name__)
def test_arrays_of_a_wrong_length_are_refused(cls, name):
    default = cls.parameters[name].default
    made = cls(**{**required(cls), name: np.full(4, default if isinstance(default, float) else 1.0)})
    net = ns.Network()
    source, cells = net.add(ns.Poisson(1.0), 3), net.add(ns.LIF(), 3)
    with pytest.raises(ns.NeurosimError) as caught:
        if issubclass(cls, Release):
            net.connect(source, cells, release=made)
            ns.Simulation(net)
        elif issubclass(cls, Receptor):
            net.connect(source, cells, receptor=made)
        elif issubclass(cls, Drive):
            net.drive(cells, made, receptor=None if issubclass(cls, Current) else ns.Delta())
        else:
            net.add(made, 3)
    message = str(caught.value)
    assert re.search(rf"\b{name} must (be|have) .*, got .*4", message), message
    assert issubclass(cls, Release) or message.startswith(f"{cls.__name__}.{name} "), message


@pytest.mark.parametrize("cls", [cls for cls in PUBLIC if issubclass(cls, Neuron)], ids=lambda cls: cls.__name__)
def test_what_is_drawn_out_of_bounds_is_refused(cls):
    for name, parameter in cls.parameters.items():
        if parameter.per_element and parameter.above == 0 and not parameter.optional:
            net = ns.Network()
            net.add(cls(**{name: ns.Uniform(-2.0, -1.0)}), 5)
            with pytest.raises(ns.ParameterError, match=rf"{cls.__name__}\.{name} must be .*its distribution gave -"):
                ns.Simulation(net)
