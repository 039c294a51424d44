"""Wiring, hierarchy, cells of one's own, state, and files of pulse-level simulations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_models.sfq.pulse import (
    AND,
    DRO,
    JTL,
    OR,
    XOR,
    Cell,
    Circuit,
    LoopNeuron,
    Merger,
    PulseSimulation,
    Splitter,
    Synapse,
    Transition,
    define,
    from_timing,
    library,
    plot_pulses,
    ps,
    read_library,
    write_library,
    write_vcd,
)
from neurosim.errors import FileError, NetworkError, ParameterError, SimulationError


def run(circuit, inputs, until=None, **options):
    sim = PulseSimulation(circuit, **options)
    sim.send(**inputs)
    sim.run(until)
    return sim


# ---------------------------------------------------------------------------------------------------------------------
# Wiring
# ---------------------------------------------------------------------------------------------------------------------

def test_fan_out_without_a_splitter_is_refused():
    circuit = Circuit("c")
    one = circuit.add(JTL(), circuit.input("a"), name="one")
    circuit.add(JTL(), one, name="two")
    with pytest.raises(NetworkError, match=r"one\.q drives two\.a and cannot drive three\.a too.*Splitter"):
        circuit.add(JTL(), one, name="three")
    with pytest.raises(NetworkError, match=r"one\.q drives two\.a and cannot drive the output q of c too"):
        circuit.output("q", one)
    with pytest.raises(NetworkError, match=r"a drives one\.a and cannot drive four\.a too"):
        circuit.add(JTL(), circuit.inputs["a"], name="four")


def test_an_input_driven_twice_is_refused_with_both_drivers():
    circuit = Circuit("c")
    a, b = circuit.input("a", "b")
    one, two = circuit.add(JTL(), a, name="one"), circuit.add(JTL(), b, name="two")
    end = circuit.add(JTL(), one, name="end")
    with pytest.raises(NetworkError, match=r"end\.a is driven by one\.q and cannot be driven by two\.q too.*Merger"):
        circuit.connect(two, end.a)
    with pytest.raises(NetworkError, match="given twice, by place and by name"):
        circuit.add(JTL(), two, a=two, name="x")


def test_unconnected_inputs_are_named():
    circuit = Circuit("c")
    circuit.add(AND(), circuit.input("a"), name="gate")
    with pytest.raises(NetworkError, match=r"nothing drives gate\.b, gate\.clk$"):
        PulseSimulation(circuit)
    many = Circuit("many")
    for index in range(12):
        many.add(JTL(), name=f"j{index}")
    with pytest.raises(NetworkError, match=r"j7\.a and 4 more"):
        PulseSimulation(many)


def test_an_input_that_drives_nothing_is_named():
    circuit = Circuit("c")
    circuit.input("spare")
    with pytest.raises(NetworkError, match="input spare of c drives nothing"):
        PulseSimulation(circuit)


def test_what_is_no_port_is_refused():
    circuit, other = Circuit("c"), Circuit("other")
    a = circuit.input("a")
    splitter = circuit.add(Splitter(), a, name="s")
    with pytest.raises(NetworkError, match=r"s has the outputs l, r; say which, as in node\.l"):
        circuit.add(JTL(), splitter)
    with pytest.raises(NetworkError, match="s has the ports a, l, r, got 'q'"):
        _ = splitter.q
    with pytest.raises(NetworkError, match="a source must be an output of a node, or an input, of other"):
        other.add(JTL(), splitter.l)
    with pytest.raises(NetworkError, match="the target must be an input"):
        circuit.connect(splitter.l, splitter.r)
    with pytest.raises(NetworkError, match="two has the inputs a, got 2 sources"):
        circuit.add(JTL(), splitter.l, splitter.r, name="two")
    with pytest.raises(NetworkError, match="a node called s already"):
        circuit.add(JTL(), name="s")
    with pytest.raises(NetworkError, match="called a already"):
        circuit.output("a", splitter.l)
    with pytest.raises(ParameterError, match="must be a Python identifier"):
        circuit.input("no name")
    with pytest.raises(ParameterError, match=r"takes a Cell or a Circuit, such as JTL\(\)"):
        circuit.add(JTL)


def test_pulses_go_round_a_ring_until_told_otherwise():
    ring = Circuit("ring")
    merger = ring.add(Merger(), a=ring.input("start"))
    split = ring.add(Splitter(), merger)
    ring.connect(ring.chain(split.l, JTL(), 2), merger.b)
    ring.output("q", split.r)
    sim = run(ring, {"start": [0.0]}, until=200.0)
    round_trip = 8.2 + 4.3 + 2 * 5.7
    assert sim.pulses("q").tolist() == np.round(12.5 + round_trip * np.arange(8), 6).tolist()
    with pytest.raises(SimulationError, match="ring has not come to rest after 1000 events"):
        sim.run(most_events=1000)


# ---------------------------------------------------------------------------------------------------------------------
# Hierarchy
# ---------------------------------------------------------------------------------------------------------------------

def half_adder(circuit, a, b, clock):
    """Sum and carry of a and b, one clock later."""
    (a1, a2), (b1, b2), (c1, c2) = (circuit.split(port, 2) for port in (a, b, clock))
    return circuit.add(XOR(), a1, b1, c1, name="sum").q, circuit.add(AND(), a2, b2, c2, name="carry").q


def adder_cell():
    half = Circuit("half")
    total, carry = half_adder(half, *half.input("a", "b", "clk"))
    half.probe("seen", total)
    half.output("s", total)
    half.output("c", carry)
    return half


def full_adder():
    """Two half adders; the third input waits a clock for the first."""
    half, full = adder_cell(), Circuit("full")
    a, b, c, clk = full.input("a", "b", "c", "clk")
    clocks = full.split(clk, 5)
    first = full.add(half, a, b, clocks[0], name="first")
    waits = full.add(DRO(), c, clocks[1])
    second = full.add(half, first.s, waits, clocks[2], name="second")
    carry = full.add(DRO(), first.c, clocks[3])
    full.output("s", second.s)
    full.output("c_out", full.add(OR(), second.c, carry, clocks[4]))
    return full


@pytest.mark.parametrize("number", range(8))
def test_a_full_adder_made_of_circuits_adds(number):
    bits = {name: [10.0] * (number >> k & 1) for k, name in enumerate("abc")}
    sim = run(full_adder(), {**bits, "clk": 100.0 * np.arange(1, 4)})
    total = sum(map(len, bits.values()))
    assert (sim.pulses("s").size, sim.pulses("c_out").size) == (total % 2, total // 2)
    assert "first.sum" in sim.firings() and sim.firings()["first.sum"] == (bits["a"] != bits["b"])
    assert {"first.seen", "second.seen"} <= set(sim.recorded)


def test_a_circuit_in_a_circuit_runs_as_if_written_out():
    inputs = {"a": [10.0, 110.0], "b": [15.0], "clk": [100.0, 200.0]}
    inner, outer, flat = adder_cell(), Circuit("outer"), Circuit("flat")
    node = outer.add(inner, *outer.input("a", "b", "clk"), name="half")
    total, carry = half_adder(flat, *flat.input("a", "b", "clk"))
    for circuit, (s, c) in ((outer, (node.s, node.c)), (flat, (total, carry))):
        circuit.output("s", s)
        circuit.output("c", c)
    one, two = run(outer, inputs, seed=3, jitter=0.02), run(flat, inputs, seed=3, jitter=0.02)
    assert one.n_events == two.n_events and outer.junctions == flat.junctions
    assert all(np.array_equal(one.pulses(name), two.pulses(name)) for name in "sc")
    assert np.array_equal(one.pulses("half.seen"), one.pulses("s"))


def test_inputs_that_a_circuit_leaves_open_are_named_with_their_path():
    outer = Circuit("outer")
    outer.add(adder_cell(), outer.input("a"), name="half")
    with pytest.raises(NetworkError, match=r"nothing drives half\.splitter_1\.a, half\.splitter_2\.a"):
        PulseSimulation(outer)


def test_a_circuit_cannot_contain_itself():
    one, two = Circuit("one"), Circuit("two")
    one.add(two)
    with pytest.raises(NetworkError, match="one contains two and cannot be a part of it"):
        two.add(one)


def test_a_wire_through_a_circuit_needs_no_cell_but_a_ring_of_wires_is_refused():
    wire = Circuit("wire")
    wire.output("q", wire.input("a"))
    assert run(wire, {"a": [3.0]}).pulses("q").tolist() == [3.0]
    line = Circuit("line")
    line.output("q", line.add(wire, line.add(JTL(), line.input("a"))))
    assert run(line, {"a": [3.0]}).pulses("q").tolist() == [8.7]
    ring = Circuit("ring")
    node = ring.add(wire)
    ring.connect(node, node.a)
    with pytest.raises(NetworkError, match="drives itself through wires alone|nothing drives"):
        ring.probe("p", node)
        PulseSimulation(ring)


# ---------------------------------------------------------------------------------------------------------------------
# Cells of one's own
# ---------------------------------------------------------------------------------------------------------------------

class Every(Cell):
    """Passes every second pulse, 1 ps after the delay for the second output."""

    inputs, outputs = ("a",), ("q", "r")
    delay = ps(4.0, "to q", above=0)
    transitions = (Transition("even", "a", "odd"),
                   Transition("odd", "a", "even", fires={"q": "delay", "r": "later"}, dead_time=2.0))

    @property
    def later(self):
        return self.delay + 1.0


def test_a_cell_as_a_short_class_and_as_data():
    data = define("Every", ["a"], ["q", "r"], delay=4.0, later=5.0, junctions=7, transitions=[
        {"source": "even", "trigger": "a", "dest": "odd"},
        {"source": "odd", "trigger": "a", "dest": "even", "fires": {"q": "delay", "r": "later"}, "dead_time": 2.0}])
    for cell in (Every(), data()):
        circuit = Circuit("c")
        q, r = circuit.add(cell, circuit.input("a"))
        circuit.output("q", q)
        circuit.output("r", r)
        sim = run(circuit, {"a": [10, 20, 30, 40]})
        assert (sim.pulses("q").tolist(), sim.pulses("r").tolist()) == ([24, 44], [25, 45])
    assert data().junctions == 7 and data(delay=2.5) != data()


@pytest.mark.parametrize(("change", "message"), [
    ({"transitions": [Transition("s", "a", "t")]}, "in every state; state 't' lacks a transition for a"),
    ({"transitions": [Transition("s", "a", "s"), Transition("s", "a", "s")]}, "one transition for each state"),
    ({"transitions": [Transition("s", "b", "s")]}, "a trigger must be one of the inputs a, got 'b'"),
    ({"transitions": [Transition("s", "a", "s", fires="x")]}, "must fire some of the outputs q, got 'x'"),
    ({"transitions": [Transition("s", "a", "s", fires={"q": "nothing"})]}, "the name of a parameter, got 'nothing'"),
    ({"transitions": [Transition("s", "a", "s", fires={"q": 0.0})]}, "a delay must be > 0 ps"),
    ({"transitions": [Transition("s", "a", "s", gaps={"c": 1.0})]}, "a gap must be to"),
    ({"transitions": [Transition("s", "a", "s", dead_time=-1.0)]}, "a dead time must be a finite number >= 0"),
    ({"transitions": [Transition("s", "a", "s", probability=1.5)]}, "a probability must be at most 1"),
    ({"transitions": [Transition("s", None, "s")]}, "either a trigger or a time"),
    ({"transitions": [Transition("s", "a", "s", after=1.0)]}, "either a trigger or a time"),
    ({"inputs": ["a", "a"]}, "every input must have a name of its own"),
    ({"outputs": ["no name"]}, "every output must have a name of its own"),
])
def test_a_cell_whose_parts_do_not_fit_is_refused(change, message):
    parts = {"inputs": ["a"], "outputs": ["q"], "transitions": [Transition("s", "a", "s", fires={"q": 1.0})]}
    with pytest.raises(ParameterError, match=message):
        define("Bad", **{**parts, **change})()


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match=r"JTL\.delay must be a finite number > 0 ps, got -1"):
        JTL(delay=-1)
    with pytest.raises(ParameterError, match=r"LoopNeuron\.threshold must be a whole number"):
        LoopNeuron(threshold=0)
    with pytest.raises(ParameterError, match=r"PulseSimulation\.on_violation must be 'raise' or 'drop'"):
        PulseSimulation(adder_cell(), on_violation="ignore")
    with pytest.raises(ParameterError, match=r"PulseSimulation\.circuit must be a Circuit"):
        PulseSimulation(JTL())


def test_pulses_that_cannot_be_given_are_refused():
    circuit = Circuit("c")
    circuit.output("q", circuit.add(JTL(), circuit.input("a")))
    sim = PulseSimulation(circuit)
    with pytest.raises(ParameterError, match="has the inputs a, got 'b'"):
        sim.send(b=[1.0])
    for bad in ([np.nan], [-1.0], "soon", [[1.0]]):
        with pytest.raises(ParameterError, match="pulses of a must be finite times >= 0 ps"):
            sim.send(a=bad)
    with pytest.raises(ParameterError, match="must be at most 9e"):
        sim.send(a=[1e10])
    with pytest.raises(ParameterError, match="until must be a number of at most 9e"):
        sim.run(np.nan)
    sim.send(a=[5.0])
    with pytest.raises(ParameterError, match="one pulse at a time, got two at 5 ps"):
        sim.send(a=[5.0])
    sim.run(20.0)
    with pytest.raises(ParameterError, match="must be later than 20 ps"):
        sim.send(a=[20.0])
    sim.send(a=[20.1])
    sim.run()
    assert sim.pulses("q").tolist() == [10.7, 25.8]
    with pytest.raises(ParameterError, match="until must be at least 25.8 ps"):
        sim.run(3.0)
    with pytest.raises(ParameterError, match="what is recorded is a, q, got 'x'"):
        sim.pulses("x")


# ---------------------------------------------------------------------------------------------------------------------
# State
# ---------------------------------------------------------------------------------------------------------------------

def busy():
    """A circuit with everything: jitter, chance, leaks, violations, a ring, and pulses under way at any time."""
    circuit = Circuit("busy")
    parts = circuit.split(circuit.input("a"), 4)
    merged = circuit.merge(*(circuit.add(Synapse(probability=0.7), part) for part in parts))
    merger = circuit.add(Merger(), merged)
    left, right = circuit.add(Splitter(jitter=0.1), circuit.add(LoopNeuron(threshold=2, leak=70.0), merger))
    circuit.connect(circuit.add(Synapse(probability=0.3), circuit.chain(left, JTL(jitter=0.2), 20)), merger.b)
    circuit.output("q", right)
    return circuit


OPTIONS = {"seed": 9, "on_violation": "physical", "jitter": 0.02}
PULSES = 13.0 * np.arange(1, 120)


def same(one, two):
    return one.n_events == two.n_events and one.violations == two.violations and one.time == two.time and all(
        np.array_equal(one.pulses(name), two.pulses(name)) for name in one.recorded)


@given(st.lists(st.floats(0.0, 2000.0), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None)
def test_cutting_and_restoring_a_run_changes_nothing(cuts):
    whole, sim = run(busy(), {"a": PULSES}, **OPTIONS), PulseSimulation(busy(), **OPTIONS)
    assert whole.violations and whole.pulses("q").size > 10
    sim.send(a=PULSES)
    for cut in sorted(cuts):
        sim.run(cut)
        later = PulseSimulation(busy(), **OPTIONS)
        later.restore(sim.state())
        sim = later
    sim.run(max([whole.time, *cuts]))
    whole.run(sim.time)
    sim.run()
    whole.run()
    assert same(whole, sim)


def test_a_file_with_pulses_under_way_goes_on_alike(tmp_path):
    whole, sim = run(busy(), {"a": PULSES}, **OPTIONS), PulseSimulation(busy(), **OPTIONS)
    sim.send(a=PULSES)
    sim.run(400.0)
    assert len(sim._queue) > 3
    path = tmp_path / "state.npz"
    sim.save(path)
    assert [each.name for each in tmp_path.iterdir()] == ["state.npz"]
    later = PulseSimulation(busy(), **OPTIONS)
    later.load(path)
    later.run()
    assert same(whole, later)


def test_files_that_do_not_fit_are_refused(tmp_path):
    sim, path = run(busy(), {"a": PULSES}, **OPTIONS), tmp_path / "state.npz"
    sim.save(path)
    with pytest.raises(FileError, match="another circuit than busy, or of other settings"):
        PulseSimulation(busy(), **{**OPTIONS, "seed": 1}).load(path)
    with pytest.raises(FileError, match="another circuit than half"):
        PulseSimulation(adder_cell(), **OPTIONS).load(path)
    (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:500])
    with pytest.raises(FileError, match="cut.npz is not a state of a pulse simulation or is damaged"):
        sim.load(tmp_path / "cut.npz")
    with pytest.raises(FileError, match="does not exist"):
        sim.load(tmp_path / "none.npz")
    with pytest.raises(FileError, match="cannot be written"):
        sim.save(tmp_path / "no folder" / "state.npz")


def test_reset_goes_back_to_the_beginning():
    sim = run(busy(), {"a": PULSES}, **OPTIONS)
    first = sim.pulses("q")
    sim.reset()
    assert sim.n_events == 0 and sim.time == 0.0 and sim.pulses("q").size == 0
    sim.send(a=PULSES)
    sim.run()
    assert np.array_equal(sim.pulses("q"), first)
    sim.reset(sample=3)
    sim.send(a=PULSES)
    sim.run()
    assert not np.array_equal(sim.pulses("q"), first)


# ---------------------------------------------------------------------------------------------------------------------
# What it leaves
# ---------------------------------------------------------------------------------------------------------------------

def line():
    circuit = Circuit("a line")
    circuit.output("q", circuit.chain(circuit.input("a"), JTL(), 2))
    return run(circuit, {"a": [10.0, 11.0, 50.5]})


def read_vcd(path):
    """Read rising edges in ps, name -> times, and the number of falling ones."""
    names, rises, falls, now = {}, {}, 0, None
    for text in path.read_text().splitlines():
        words = text.split()
        if words[0] == "$var":
            names[words[3]] = words[4]
            rises[words[4]] = []
        elif text.startswith("#"):
            now = int(text[1:])
        elif text[0] == "1" and now is not None:
            rises[names[text[1:]]].append(now / 1e3)
        elif text[0] == "0" and now:
            falls += 1
    return rises, falls


def test_a_vcd_file_holds_every_pulse(tmp_path):
    path = tmp_path / "line.vcd"
    write_vcd(line(), path)
    rises, falls = read_vcd(path)
    assert rises == {"a": [10.0, 11.0, 50.5], "q": [21.4, 22.4, 61.9]} and falls == 6
    text = path.read_text()
    assert "$timescale 1 fs $end" in text and "$scope module a_line $end" in text
    stamps = [int(row[1:]) for row in text.splitlines() if row.startswith("#")]
    assert stamps == sorted(stamps)


def test_a_vcd_file_is_written_whole_or_not_at_all(tmp_path):
    sim, path = line(), tmp_path / "line.vcd"
    path.write_text("before")
    with pytest.raises(ParameterError, match="what is recorded is a, q, got 'x'"):
        write_vcd(sim, path, "q", "x")
    with pytest.raises(ParameterError, match="width must be > 0"):
        write_vcd(sim, path, width=0.0)
    assert path.read_text() == "before" and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(FileError, match="cannot be written"):
        write_vcd(sim, tmp_path / "no folder" / "x.vcd")
    close = Circuit("close")
    close.output("q", close.add(JTL(), close.input("a")))
    with pytest.raises(ParameterError, match="two pulses of a are closer than 2 fs"):
        write_vcd(run(close, {"a": [10.0, 10.0009]}), path)


def test_many_wires_have_names_of_their_own_in_a_vcd_file(tmp_path):
    circuit = Circuit("wide")
    for index, port in enumerate(circuit.split(circuit.input("a"), 256)):
        circuit.output(f"q{index}", port)
    write_vcd(run(circuit, {"a": [10.0]}), tmp_path / "wide.vcd")
    rises, _ = read_vcd(tmp_path / "wide.vcd")
    assert len(rises) == 257 and all(len(times) == 1 for times in rises.values())


def test_pulses_become_spikes_in_ms():
    spikes = line().spikes("a", "q")
    assert (spikes.size, spikes.dt, spikes.name) == (2, None, "a line")
    assert spikes.duration == pytest.approx(61.9e-9, rel=1e-12)
    assert np.allclose(spikes.trains()[1], np.array([21.4, 22.4, 61.9]) * 1e-9, rtol=1e-12, atol=0)
    assert line().spikes(duration=100.0).duration == pytest.approx(1e-7, rel=1e-12)


def test_plots_show_every_wire():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    lines = plot_pulses(line(), ax=ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "q"] and len(lines) == 2
    x, y = lines[1].get_data()
    assert np.interp([0.0, 21.4, 22.4, 40.0, 61.9], x, y) == pytest.approx([0.0, 0.75, 0.75, 0.0, 0.75], abs=1e-3)
    marks = plot_pulses(line(), ["q"], ax=ax, shape="marks")
    assert marks[0].get_xdata().tolist() == [21.4, 22.4, 61.9]
    with pytest.raises(ParameterError, match="shape must be"):
        plot_pulses(line(), ax=ax, shape="dots")


# ---------------------------------------------------------------------------------------------------------------------
# Libraries
# ---------------------------------------------------------------------------------------------------------------------

def test_a_library_is_kept_with_its_source(tmp_path):
    cells, path = library("rsfqlib"), tmp_path / "cells.json"
    assert "v3p0" in cells.source and cells["MERGE"].delay == 9.0 and cells["SPLIT"].spacing == 7.0
    write_library(path, cells, "measured twice")
    again = read_library(path)
    assert again == cells and again.source == "measured twice"


def test_files_of_cells_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "cells.json"
    with pytest.raises(FileError, match="cannot be read"):
        read_library(path)
    for text, said in [('{"source": "x"', "damaged"), ('{"source": "x", "unit": "ns", "cells": {}}', "unit must be ps"),
                       ('{"source": "x", "unit": "ps", "cells": {"A": {"kind": "Valve"}}}', "kind of A must be one"),
                       ('{"source": "x", "unit": "ps", "cells": {"A": {"kind": "JTL", "delay": -1}}}', "JTL.delay"),
                       ('{"source": "x", "unit": "ps", "cells": {"A": {"kind": "JTL", "size": 1}}}', "size")]:
        path.write_text(text)
        with pytest.raises(FileError, match=said):
            read_library(path)
    with pytest.raises(ParameterError, match="library must be one of pylse, rsfqlib, circuit"):
        library("mine")
    with pytest.raises(ParameterError, match="a file of cells holds standard cells"):
        write_library(path, {"mine": Every()}, "x")


def test_times_measured_on_a_circuit_make_a_cell():
    dff = {"cell": "dff", "delay": {"clk, q": 5.9}, "jitter": {"clk, q": 0.12}, "setup": {"a": 1.6},
           "threshold": {"a": 0.3}, "hold": {"a": -0.3}}
    assert from_timing(dff) == DRO(delay=5.9, jitter=0.12, setup=0.3, hold=0.0)
    assert from_timing(dff, safe=True).setup == 1.6
    merger = {"cell": "merger", "delay": {"a, q": 9.3, "b, q": 9.4}, "jitter": {"a, q": 0.2, "b, q": 0.1},
              "spacing": {"a, b": 5.8, "b, a": 5.9}}
    assert from_timing(merger) == Merger(delay=9.4, jitter=0.2, dead_time=5.9)
    with pytest.raises(ParameterError, match="from_timing knows the cells jtl, splitter, merger, dff, got 'xor'"):
        from_timing({"cell": "xor"})


@pytest.mark.slow
def test_one_command_measures_cells_and_keeps_the_source(tmp_path, capsys):
    from hardware_models.sfq.pulse.__main__ import main

    path = tmp_path / "cells.json"
    assert main([str(path), "--cells", "jtl", "dff", "--runs", "8", "--h", "0.1"]) == 0
    assert f"wrote {path}" in capsys.readouterr().out
    cells = read_library(path)
    assert "extract_timing" in cells.source and '"runs": 8' in cells.source
    assert 3.3 < cells["jtl"].delay < 3.9 and 4.0 < cells["dff"].delay < 7.0, "RSFQlib: 3.5 and 6.3 ps"
    assert main([str(tmp_path / "no folder" / "x.json"), "--cells", "jtl", "--runs", "2", "--h", "0.1"]) == 1
    assert "cannot be written" in capsys.readouterr().err
