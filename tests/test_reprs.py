"""How results show themselves in a console and in a notebook."""

import re

import numpy as np
import pytest

import neurosim as ns
from hardware_models.energy import EventCosts, converter, run_energy
from hardware_models.sfq.circuit import Circuit, simulate
from hardware_models.sfq.network.energy import PulseEnergy
from neurosim.readouts import evaluate, ridge
from neurosim.reprs import Markdown, table, with_unit


@pytest.fixture(scope="module")
def sim():
    net = ns.Network()
    noise, cells = net.add(ns.Poisson(20.0), 10, name="noise"), net.add(ns.LIF(), 5, name="<cells>")
    net.connect(noise, cells, weight=1.0, delay=1.0)
    net.record(cells)
    sim = ns.Simulation(net)
    sim.run(50.0)
    return sim


def test_networks_and_their_descriptions_in_a_notebook(sim):
    assert repr(sim.net) == "<network of 2 populations and 1 projection>"
    text = sim.net._repr_html_()
    assert text.startswith("<pre>Network: ") and "&lt;cells&gt;" in text and "<cells>" not in text
    described = sim.net.describe()
    assert isinstance(described, str) and described._repr_markdown_() == described and "| " in described
    assert not hasattr(sim.net.describe("latex"), "_repr_markdown_")
    assert type(described.upper()) is str and Markdown("a") == "a"


def test_energies_have_units(sim):
    energy = run_energy(sim, EventCosts.loihi(), counts={"noise": np.full(10, 200)}, samples=2)
    form = (r"<energy of a run: 2\d\d\.?\d* nJ \(synaptic events 236 nJ, spikes \d\.\d+ nJ, neuron updates 13 nJ\), "
            r"1\d\d\.?\d* nJ for each of 2 samples; 10,000 synaptic events, [\d,]+ spikes>")
    assert re.fullmatch(form, repr(energy))
    assert re.fullmatch(r"<budget: \d+\.?\d* pJ, \d+\.?\d* ns, \d+\.?\d* um\^2>", repr(converter("sar", 5, 128)))
    spent = PulseEnergy(1.5e6, 2.5e5, 3.0, 1200, 42, 5e3)
    assert repr(spent) == ("<energy of a run: switching 1.5 pJ, static 250 fJ; 42 pulses of 1,200 junctions in 5 ns, "
                           "1 sample>")


@pytest.mark.parametrize(("value", "unit", "text"), [
    (999.949, "pJ", "999.9 pJ"), (999.96, "pJ", "1 nJ"), (1e-3, "aJ", "0.001 aJ"), (-2500.0, "pJ", "-2.5 nJ"),
    (5.0, "s", "5 s"), (0.002, "s", "2 ms"), (float("nan"), "pJ", "nan pJ"), (2e12, "MJ", "2e+12 MJ")])
def test_numbers_with_units(value, unit, text):
    assert with_unit(value, unit) == text


def test_an_evaluation_is_a_line_without_its_predictions():
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    found = evaluate(ridge(), X, y, seeds=[0, 1])
    assert repr(found) == f"<evaluation: {found}>" and "chance 50.0%" in repr(found) and len(repr(found)) < 160


def test_a_run_of_a_circuit():
    circuit = Circuit("one junction")
    circuit.junction("B1", "a", "0", ic=0.1, r=2.0, c=1e-4)
    circuit.bias("I1", "a", 0.05)
    assert repr(simulate(circuit, 20.0, record=["B1"])) == "<run of 20 ps: recorded B1>"
    assert repr(simulate(circuit, 20.0, vary={"I1.scale": np.ones(2)})) == "<run of 20 ps in 2 lanes: recorded nothing>"


def test_tables_escape_what_they_hold():
    assert table("a<b", [("x", "<y>")]) == ("<table><caption>a&lt;b</caption><tr><th>x</th><td>&lt;y&gt;</td></tr>"
                                            "</table>")
