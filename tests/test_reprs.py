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
from neurosim.sweep import sweep


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


def test_one_of_a_thing_is_no_plural():
    net = ns.Network()
    one = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0], [0], size=1, duration=5.0)))
    assert repr(one.model) == "SpikeSource(1 spike of 1 neuron)"
    assert repr(ns.Simulation(net)) == "<simulation of 1 population at t = 0 ms, dt = 0.1 ms, float32, 1 thread>"
    assert repr(net) == "<network of 1 population and 0 projections>"


def test_a_sweep_in_a_notebook_is_a_table():
    with pytest.warns(ns.NeurosimWarning, match="15 of 30 calls failed"):
        found = sweep(_noted, {"rate": [1.0, 2.0]}, seeds=15, jobs=1, progress=False)
    text = found._repr_html_()
    assert text.startswith("<table><caption>30 calls, 15 failed, 0 missing; the first 20 are shown</caption>"
                           "<tr><th>rate</th><th>seed</th><th>third</th><th>&lt;b&gt;</th><th>error</th></tr>"
                           "<tr><td>1</td><td>0</td><td>0.33333</td><td>&amp;</td><td></td></tr>")
    assert text.count("<tr>") == 21 and "ValueError: no &lt;such&gt; rate" in text
    assert repr(found).startswith("<Result: 30 calls over rate; ")


def _noted(rate, seed):
    if rate > 1:
        raise ValueError("no <such> rate")
    return {"third": rate / 3.0, "<b>": "&"}


def test_tables_escape_what_they_hold():
    assert table("a<b", [("x", "<y>")]) == ("<table><caption>a&lt;b</caption><tr><th>x</th><td>&lt;y&gt;</td></tr>"
                                            "</table>")
