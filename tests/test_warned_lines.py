"""A warning names the line of the user from which it came, however deep below it something was found."""

import ast
import warnings
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from hardware_models.sfq.circuit import triangles
from learning_rules import PairSTDP
from neurosim.encoders import Cochlea
from neurosim.errors import NeurosimWarning, warn
from neurosim.readouts import evaluate, ridge
from neurosim.reservoirs import BinnedCounts
from neurosim.sweep import sweep

ROOT = Path(__file__).parents[1]
PACKAGES = ("neurosim", "learning_rules", "hardware_models")


def network(tau_mem=10.0):
    net = ns.Network()
    net.add(ns.Poisson(10.0), 2, name="noise")
    net.add(ns.LIF(tau_mem=tau_mem, t_ref=2.0), 2, name="cells")
    net.connect("noise", "cells", name="p", delay=6.0)
    net.record("cells")
    return net


def late():
    return ns.Spikes(ticks=[500], ids=[0], size=1, dt=0.1, duration=60.0)


def given():
    net = ns.Network()
    net.connect(net.add(ns.SpikeSource(late()), name="s"), net.add(ns.LIF(), 1, name="c"))
    net.record("c")
    return ns.Simulation(net)


def saved(folder):
    net = network()
    ns.Simulation(net).save(folder / "state.h5")
    net.recorders.clear()
    return folder / "state.h5", net


#: what it is about -> a call that warns; each in one line
CALLS = {
    "a time constant in s": lambda f: ns.LIF(tau_mem=0.02),
    "a receptor in s": lambda f: ns.ExponentialCurrent(0.005),
    "a replaced value": lambda f: ns.LIF().replace(tau_mem=0.02),
    "a rule in s": lambda f: PairSTDP(tau_plus=0.02),
    "a drive in A": lambda f: ns.InjectedCurrent(1e-10),
    "a threshold below reset": lambda f: ns.LIF(v_threshold=-80.0),
    "a weight in S": lambda f: network().connect("noise", "cells", weight=1e-9, receptor=ns.ExponentialConductance(5.0, 0.0)),  # noqa: E501
    "a delay of minutes": lambda f: network().connect("noise", "cells", delay=1e6),
    "a drive's weight": lambda f: network().drive("cells", ns.PoissonDrive(rate=1.0, weight=1e-9), receptor=ns.ExponentialConductance(5.0, 0.0)),  # noqa: E501
    "tau below a tick": lambda f: ns.Simulation(network(1.0), dt=2.0),
    "t_ref off the grid": lambda f: ns.Simulation(network(), dt=0.3),
    "spikes off the grid": lambda f: ns.Spikes.from_times([0.123456], [0], size=1, duration=5.0, dt=0.1),
    "a silent population": lambda f: ns.Simulation(network()).run(200.0),
    "set in s": lambda f: ns.Simulation(network()).set("cells", t_ref=1.234),
    "a sample beyond its end": lambda f: given().run_batch([late()], 5.0),
    "a recording that nobody asks for": lambda f: ns.Simulation.load(*saved(f)),
    "bins in microseconds": lambda f: BinnedCounts(edges=[100000.0, 200000.0]).matrix([late()]),
    "times in s": lambda f: triangles([1e-12], height=0.5, width=3.0),
    "many sounds": lambda f: Cochlea().encode_batch([np.concatenate([np.zeros(4000), np.ones(4000)])] * 2, 16000),
    "clipped sound": lambda f: Cochlea().encode(np.concatenate([np.zeros(4000), np.ones(4000)]), 16000),
    "float32 that is asked for": lambda f: ns.Simulation(network(), dt=1e-3, dtype="float32"),
    "failures of a sweep": lambda f: sweep(lambda x: 1 / x, {"x": [0, 1]}, jobs=1, progress=False),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_line_of_the_call_is_named(name, tmp_path):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        CALLS[name](tmp_path)
    ours = [each for each in said if issubclass(each.category, NeurosimWarning)]
    assert ours, f"{name} warns of nothing"
    place = CALLS[name].__code__.co_filename, CALLS[name].__code__.co_firstlineno
    lines = {(each.filename, each.lineno) for each in ours}
    assert lines == {place}


def test_evaluations_and_estimators_name_it_too():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        evaluate(ridge(), np.eye(20), np.arange(20) % 2, folds=2, seeds=[0])
    assert all(each.filename == __file__ or "sklearn" in each.filename for each in said)


def test_there_is_one_way_to_warn():
    """`errors.warn` counts the frames; nobody counts them by hand."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                     if isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn"]
            assert len(calls) == (path.name == "errors.py" and path.parent.name == "neurosim"), path


def test_the_outermost_line_is_named_where_all_are_ours(monkeypatch):
    monkeypatch.setattr("neurosim.errors.OURS", {"neurosim", *__import__("sys").modules})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        warn("something")
    assert len(said) == 1 and str(said[0].message) == "something"
