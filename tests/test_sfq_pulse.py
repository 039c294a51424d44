"""Pulse level of SFQ circuits: cells against PyLSE and JoSIM, the loop against a simulator of thirty lines.

tests/golden/sfq_pulse.json holds event lists of PyLSE 0.1.0 (commit 5f7e65d, default cells) and pulse times of
RSFQlib v3p0 test benches in JoSIM v2.7.
"""

import heapq
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_models.sfq.pulse import (
    AND,
    DCSFQ,
    DRO,
    DRO_2R1W,
    DRO_C,
    DRO_SR,
    INV,
    JTL,
    NAND,
    NDRO,
    NOR,
    OR,
    PTL,
    TFF,
    XNOR,
    XOR,
    CElement,
    Circuit,
    InvertedC,
    LoopNeuron,
    Merger,
    PulseSimulation,
    Splitter,
    Synapse,
    library,
    loop,
)
from hardware_models.sfq.pulse.cell import attoseconds
from neurosim.errors import ParameterError, SimulationError

GOLDEN = json.loads((Path(__file__).parent / "golden" / "sfq_pulse.json").read_text())
PYLSE = GOLDEN["pylse"]


def around(cell):
    """A circuit of one cell, whose ports are inputs and outputs in capitals."""
    circuit = Circuit(type(cell).__name__)
    node = circuit.add(cell, **{port: circuit.input(port.upper()) for port in cell.inputs})
    for port in cell.outputs:
        circuit.output(port.upper(), node[port])
    return circuit


def run(circuit, inputs, until=None, **options):
    sim = PulseSimulation(circuit, **options)
    sim.send(**inputs)
    sim.run(until)
    return sim


def out(cell, port="Q", options=None, **inputs):
    return run(around(cell), inputs, **(options or {})).pulses(port).tolist()


# ---------------------------------------------------------------------------------------------------------------------
# Against PyLSE
# ---------------------------------------------------------------------------------------------------------------------

def chain():
    circuit = Circuit("chain")
    circuit.output("Q", circuit.chain(circuit.input("A"), JTL(), 10))
    return circuit


def tree():
    circuit = Circuit("tree")
    for index, port in enumerate(circuit.split(circuit.input("A"), 8)):
        circuit.output(f"o{index}", port)
    return circuit


CASES = {"jtl_chain_10": chain(), "split_8": tree(), "merger": around(Merger()), "dro": around(DRO()),
         "and": around(AND()), "or": around(OR()), "xor": around(XOR()), "nand": around(NAND()), "nor": around(NOR()),
         "xnor": around(XNOR()), "inv": around(INV()), "c": around(CElement()), "c_inv": around(InvertedC())}


def test_every_list_of_events_is_checked():
    assert set(CASES) == {name for name, case in PYLSE.items() if "events" in case}


@pytest.mark.parametrize("name", CASES)
def test_events_are_those_of_pylse(name):
    """PyLSE adds floats, which leaves 67.00000000000001; in whole attoseconds the sum is 67."""
    case = PYLSE[name]
    sim = run(CASES[name], case["inputs"])
    assert {key: value.tolist() for key, value in sim.events().items()} == {
        key: np.round(value, 6).tolist() for key, value in case["events"].items()}


@pytest.mark.parametrize(("cell", "inputs", "error", "said"), [
    (DRO(), {"A": 49, "CLK": 50}, "dro A=49 CLK=50 (setup 2.3)", ("dro_0.clk at 50 ps", "dro_0.a", "51.3 ps")),
    (Splitter(), {"A": [10, 14]}, "split A=10,14 (transition 4.3)", ("splitter_0.a at 14 ps", "14.3 ps")),
    (Merger(), {"A": 10, "B": 15}, "merger A=10 B=15 (transition 8.2)", ("merger_0.b at 15 ps", "18.2 ps")),
    (AND(), {"A": [30, 52], "B": 20, "CLK": 50}, "and A=30,52 B=20 CLK=50 (hold 3.0)", ("and_0.a at 52 ps", "53 ps")),
])
def test_what_pylse_refuses_is_refused_with_the_earliest_time(cell, inputs, error, said):
    assert error in PYLSE["errors"]
    sim = PulseSimulation(around(cell))
    sim.send(**inputs)
    with pytest.raises(SimulationError) as raised:
        sim.run()
    assert all(part in str(raised.value) for part in said), raised.value
    with pytest.raises(SimulationError, match="stopped by a violation"):
        sim.run()


def test_a_pulse_exactly_at_the_setup_limit_is_allowed():
    assert "dro A=47.7 CLK=50 (exactly at setup)" in PYLSE["errors"], "PyLSE refuses it, through rounding"
    assert out(DRO(), A=[47.7], CLK=[50.0]) == [55.1]
    with pytest.raises(SimulationError):
        out(DRO(), A=[47.70001], CLK=[50.0])
    assert out(DRO(), A=[47.70001], CLK=[50.0], options={"tolerance": 1e-4}) == [55.1]


def test_the_spread_of_ten_cells_is_that_of_pylse():
    golden = PYLSE["variability_jtl_chain10"]
    sim = run(chain(), {"A": 1000.0 * np.arange(1, 4001)}, jitter=0.2 / 3, seed=1)
    delays = sim.pulses("Q") - sim.pulses("A")
    assert abs(delays.mean() - 57.0) < 4 * golden["theory_std"] / np.sqrt(4000)
    assert abs(delays.std() / golden["theory_std"] - 1) < 4 / np.sqrt(2 * 4000)


# ---------------------------------------------------------------------------------------------------------------------
# Against circuits (JoSIM)
# ---------------------------------------------------------------------------------------------------------------------

def test_late_data_come_out_at_the_clock_at_which_they_do_in_the_circuit():
    clocks = set()
    for case in GOLDEN["josim_dff"]:
        sim = run(around(DRO(delay=4.2, setup=0.2)), {"A": case["a"], "CLK": case["clk"]}, on_violation="physical")
        (ours,), (theirs,) = sim.pulses("Q"), case["q"]
        assert abs(ours - theirs) < 2.0, case
        clocks.add(int(ours > 200.0))
    assert clocks == {0, 1}


def test_pulses_that_merge_in_the_circuit_merge_here():
    counts = set()
    for case in GOLDEN["josim_merge"]:
        sim = run(around(Merger(delay=7.5, dead_time=5.5)), {"A": [100.0], "B": [100.0 + case["dt"]]},
                  on_violation="physical")
        assert sim.pulses("Q").size == len(case["q"]), case
        assert len(sim.violations) == 2 - len(case["q"])
        counts.add(len(case["q"]))
    assert counts == {1, 2}


def test_jitter_of_ten_junctions_is_that_of_the_circuit():
    """josim_jtl_jitter.json: 0.1155 ps in JoSIM (200 seeds), 0.1215 ps in a Langevin solution (600 runs)."""
    circuit = Circuit("line")
    circuit.output("Q", circuit.chain(circuit.input("A"), library("circuit")["JTL"], 5))
    sim = run(circuit, {"A": 100.0 * np.arange(1, 5001)}, seed=3)
    spread = (sim.pulses("Q") - sim.pulses("A")).std()
    assert 0.1155 * (1 - 2 / np.sqrt(400)) < spread < 0.1215 * (1 + 2 / np.sqrt(1200))


# ---------------------------------------------------------------------------------------------------------------------
# Against a simulator of thirty lines
# ---------------------------------------------------------------------------------------------------------------------

class Reference:
    """The rules of the docstrings, with dictionaries and exact integers."""

    def __init__(self, nodes, wires, policy):
        self.nodes, self.wires, self.policy = nodes, wires, policy  # wires: (node, output) -> (node, input) or name
        self.rows = [{(row.source, trigger): (rank, row) for rank, row in enumerate(cell.transitions)
                      for trigger in ([row.trigger] if isinstance(row.trigger, str) else row.trigger)}
                     for cell in nodes]
        self.state = [cell.transitions[0].source for cell in nodes]
        self.busy, self.seen, self.faults = [-1] * len(nodes), {}, 0
        self.pulses = {}

    def time(self, cell, value):
        return int(attoseconds(getattr(cell, value) if isinstance(value, str) else value))

    def run(self, pulses):
        number = itertools.count()  # targets cannot be compared
        heap = [(t, next(number), target) for t, target in pulses]
        heapq.heapify(heap)
        while heap:
            t = heap[0][0]
            here = {}
            while heap and heap[0][0] == t:
                _, _, target = heapq.heappop(heap)
                if isinstance(target, str):
                    self.pulses.setdefault(target, []).append(t / 1e6)
                else:
                    here.setdefault(target[0], []).append(target[1])
            for node, triggers in here.items():
                rows, state = self.rows[node], self.state[node]
                for trigger in sorted(triggers, key=lambda port: rows[state, port][0]):
                    for target, at in self.arrive(node, trigger, t):
                        heapq.heappush(heap, (at, next(number), target))

    def arrive(self, node, trigger, t):
        cell = self.nodes[node]
        row = self.rows[node][self.state[node], trigger][1]
        least = {name: self.time(cell, value) for key, value in row.gaps.items()
                 for name in (cell.inputs if key == "*" else (key,))}
        if t < self.busy[node] or any(t - self.seen.get((node, name), -10**15) < gap for name, gap in least.items()):
            self.faults += 1
            if self.policy == "drop":
                return
        self.seen[node, trigger] = t
        self.state[node] = row.dest
        if self.time(cell, row.dead_time):
            self.busy[node] = t + self.time(cell, row.dead_time)
        for output in [row.fires] if isinstance(row.fires, str) else row.fires:
            yield self.wires[node, output], t + self.time(cell, "delay")


KINDS = [JTL(), JTL(spacing=6.0), Splitter(), Merger(), DRO(), DRO_C(), DRO_SR(), DRO_2R1W(), NDRO(), INV(), AND(),
         OR(), XOR(), NAND(), NOR(), XNOR(), CElement(), InvertedC(), TFF(), DCSFQ(),
         LoopNeuron(threshold=2, inhibition=True)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_circuits_run_as_in_the_reference(data):
    """Times are multiples of 0.5 ps, so that many pulses coincide; what is left open becomes input or output."""
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=12))
    policy = data.draw(st.sampled_from(["record", "drop"]))
    circuit, wires, free, heap, given_ = Circuit("random"), {}, [], [], {}
    for number, cell in enumerate(kinds):
        node = circuit.add(cell, name=f"n{number}")
        for port in cell.inputs:
            source = data.draw(st.sampled_from([None, *free]), label=f"driver of {number}.{port}")
            if source is None:
                name = f"in{number}_{port}"
                times = data.draw(st.lists(st.integers(0, 100).map(lambda k: 0.5 * k), max_size=8, unique=True))
                circuit.connect(circuit.input(name), node[port])
                given_[name] = times
                heap += [(int(attoseconds(t)), (number, port)) for t in times]
            else:
                free.remove(source)
                circuit.connect(circuit.nodes[f"n{source[0]}"][source[1]], node[port])
                wires[source] = number, port
        free += [(number, port) for port in cell.outputs]
    for number, port in free:
        circuit.output(f"out{number}_{port}", circuit.nodes[f"n{number}"][port])
        wires[number, port] = f"out{number}_{port}"
    reference = Reference(kinds, wires, policy)
    reference.run(heap)
    sim = run(circuit, given_, on_violation=policy)
    assert {name: sim.pulses(name).tolist() for name in circuit.outputs} == {
        name: reference.pulses.get(name, []) for name in circuit.outputs}
    assert len(sim.violations) == reference.faults
    assert [sim.cell_state(f"n{number}") for number in range(len(kinds))] == reference.state


# ---------------------------------------------------------------------------------------------------------------------
# What the cells do
# ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("cell", "truth"), [
    (AND(), [0, 0, 0, 1]), (OR(), [0, 1, 1, 1]), (XOR(), [0, 1, 1, 0]), (NAND(), [1, 1, 1, 0]), (NOR(), [1, 0, 0, 0]),
    (XNOR(), [1, 0, 0, 1])])
def test_truth_tables(cell, truth):
    a = [20.0 + 100 * k for k in (1, 3)]
    b = [30.0 + 100 * k for k in (2, 3)]
    got = np.array(out(cell, A=a, B=b, CLK=[50.0, 150.0, 250.0, 350.0]))
    assert [int(((got > t) & (got < t + 90)).any()) for t in (50, 150, 250, 350)] == [
        truth[0], truth[2], truth[1], truth[3]]


def test_storage_cells():
    assert out(DRO_SR(), SET=[10, 60, 120], RST=[70], CLK=[50, 100, 150]) == [55.1, 155.1]
    assert out(DRO_C(), port="QNOT", A=[10], CLK=[50, 100]) == [105.1]
    assert out(DRO_2R1W(), port="Q2", A=[10], CLK1=[90], CLK2=[50]) == [55.1]
    assert out(DRO_2R1W(), port="Q1", A=[10], CLK1=[90], CLK2=[50]) == []
    assert out(NDRO(), A=[10], B=[120], CLK=[50, 80, 110, 150]) == [55.5, 85.5, 115.5]


def test_cells_without_a_clock():
    assert out(TFF(), A=[10, 20, 30, 40]) == [26.0, 46.0]
    assert out(TFF(), port="QNOT", A=[10, 20, 30]) == [16.0, 36.0]
    assert out(PTL(length=3.0), A=[10.0]) == [48.6]
    assert out(DCSFQ(), RISE=[10, 20, 40], FALL=[30]) == [15.0, 45.0]


def test_a_line_holds_many_pulses_at_once():
    times = 6.0 * np.arange(1, 101)
    assert out(PTL(length=50.0), A=times) == np.round(times + 508.6, 6).tolist()


@given(st.integers(1, 12), st.integers(0, 60))
@settings(max_examples=20, deadline=None)
def test_a_loop_fires_at_every_nth_fluxon(n, pulses):
    times = 10.0 * np.arange(1, pulses + 1)
    assert out(LoopNeuron(threshold=n), A=times) == (times[n - 1::n] + 8.0).tolist()


def test_a_leaky_loop_forgets_what_comes_too_slowly():
    leaky = LoopNeuron(threshold=3, leak=25.0)
    assert out(leaky, A=[10, 20, 30]) == [38.0]
    assert out(leaky, A=10.0 + 30.0 * np.arange(20)) == []
    # Held: 1 at 10, 2 at 20, 1 from 45, 2 at 50, 3 at 60
    assert out(leaky, A=[10, 20, 50, 60]) == [68.0]
    sim = run(around(leaky), {"A": [10, 20]}, until=44.0)
    assert sim.cell_state("loopneuron_0") == "2"
    sim.run(45.0)
    assert sim.cell_state("loopneuron_0") == "1"
    sim.run()
    assert sim.cell_state("loopneuron_0") == "0" and sim.time == 70.0


def test_inhibition_takes_fluxons_away():
    loop_neuron = LoopNeuron(threshold=2, inhibition=True)
    assert out(loop_neuron, A=[10, 30, 50], B=[20]) == [58.0]
    assert out(loop_neuron, A=[10, 30], B=[5]) == [38.0], "an empty loop stays empty"


@pytest.mark.parametrize("p", [0.0, 0.2, 0.7624, 1.0])
def test_a_synapse_passes_its_share(p):
    n = 20_000
    got = len(out(Synapse(probability=p), A=10.0 * np.arange(n), options={"seed": 7}))
    assert abs(got - n * p) <= 4 * np.sqrt(n * p * (1 - p))


def test_synapses_draw_independently_of_each_other_and_of_others_presence():
    def pair(extra):
        circuit = Circuit("pair")
        for name in ("x", "y"):
            circuit.output(f"q{name}", circuit.add(Synapse(), circuit.input(name)))
        if extra:
            circuit.output("q", circuit.chain(circuit.input("z"), JTL(), 3))
        return circuit

    times = 10.0 * np.arange(1, 4001)
    sim = run(pair(False), {"x": times, "y": times}, seed=5)
    x, y = (np.isin(times, np.round(sim.pulses(name) - 5.7, 6)) for name in ("qx", "qy"))
    assert abs(np.corrcoef(x, y)[0, 1]) < 4 / np.sqrt(times.size)
    more = run(pair(True), {"x": times, "y": times, "z": times}, seed=5)
    assert np.array_equal(more.pulses("qx"), sim.pulses("qx"))
    other = run(pair(False), {"x": times, "y": times}, seed=5, sample=1)
    assert not np.array_equal(other.pulses("qx"), sim.pulses("qx"))


def test_a_bias_current_sets_the_probability():
    at = [Synapse.of_bias(bias, threshold=146.6, sigma=4.76).probability for bias in (146.6, 146.6 + 4.76, 100.0)]
    assert at == pytest.approx([0.5, 0.8413447460685429, 0.0], abs=1e-9)
    with pytest.raises(ParameterError, match="sigma must be > 0"):
        Synapse.of_bias(1.0, threshold=1.0, sigma=0.0)


# ---------------------------------------------------------------------------------------------------------------------
# Jitter
# ---------------------------------------------------------------------------------------------------------------------

def test_jitter_grows_as_the_square_root_of_the_number_of_cells():
    n, hops = 3000, [1, 4, 16, 64]
    circuit = Circuit("line")
    port = circuit.input("A")
    for index in range(max(hops)):
        port = circuit.chain(port, JTL(jitter=0.05), 1)
        if index + 1 in hops[:-1]:
            circuit.probe(f"after{index + 1}", port)
    circuit.output("after64", port)
    sim = run(circuit, {"A": 1000.0 * np.arange(1, n + 1)}, seed=11)
    for k in hops:
        delays = sim.pulses(f"after{k}") - sim.pulses("A")
        assert abs(delays.std() / (0.05 * np.sqrt(k)) - 1) < 4 / np.sqrt(2 * n), k
        assert abs(delays.mean() - 5.7 * k) < 4 * 0.05 * np.sqrt(k / n), k


def test_the_outputs_of_a_splitter_jitter_independently():
    sim = run(around(Splitter(jitter=0.1)), {"A": 100.0 * np.arange(1, 3001)}, seed=2)
    left, right = (sim.pulses(name) - sim.pulses("A") for name in ("L", "R"))
    assert abs(np.corrcoef(left, right)[0, 1]) < 4 / np.sqrt(3000)


def test_runs_are_reproduced_by_the_seed_and_do_not_depend_on_cuts_or_probes():
    def made(probe, cuts, seed=4):
        circuit = Circuit("line")
        port = circuit.chain(circuit.input("A"), JTL(jitter=0.1), 5)
        if probe:
            circuit.probe("middle", port)
        circuit.output("Q", circuit.chain(port, JTL(jitter=0.1), 5))
        sim = PulseSimulation(circuit, seed=seed)
        sim.send(A=20.0 * np.arange(1, 51))
        for until in cuts:
            sim.run(until)
        return sim.pulses("Q").tolist()

    whole = made(False, [None])
    assert made(True, [None]) == whole
    assert made(False, [33.3, 33.3, 500.0, None]) == whole
    assert made(False, [None], seed=5) != whole


def test_a_jitter_that_could_turn_time_back_is_refused():
    with pytest.raises(ParameterError, match=r"JTL\.jitter must be at most a ninth of the delay"):
        JTL(jitter=1.0)
    with pytest.raises(ParameterError, match="at most a ninth"):
        PulseSimulation(chain(), jitter=0.12)


# ---------------------------------------------------------------------------------------------------------------------
# Pulses that come too soon
# ---------------------------------------------------------------------------------------------------------------------

def test_policies_about_data_too_close_before_the_clock():
    inputs = {"A": [48.0], "CLK": [50.0, 100.0]}
    want = {"drop": ([105.1], "dropped"), "record": ([55.1], "taken"), "physical": ([105.1], "one clock late")}
    for policy, (pulses, outcome) in want.items():
        sim = run(around(DRO()), inputs, on_violation=policy)
        assert sim.pulses("Q").tolist() == pulses, policy
        (found,) = sim.violations
        assert (found.time, found.cell, found.input, found.rule, found.other, found.outcome) == (
            50.0, "dro_0", "clk", "gap", "a", outcome)
        assert found.earliest == 50.3


def test_policies_about_a_pulse_in_a_dead_time():
    for policy, pulses in {"drop": [18.2], "record": [18.2, 23.2], "physical": [18.2]}.items():
        sim = run(around(Merger()), {"A": [10.0], "B": [15.0]}, on_violation=policy)
        assert sim.pulses("Q").tolist() == pulses, policy
        assert sim.violations[0].earliest == 18.2 and sim.violations[0].rule == "dead time"


def test_a_dropped_pulse_is_as_if_it_had_not_come():
    sim = run(around(Merger()), {"A": [10.0], "B": [15.0, 20.0]}, on_violation="drop")
    assert sim.pulses("Q").tolist() == [18.2, 28.2]


def test_late_data_at_both_inputs_wait_for_the_next_clock_and_earlier_data_do_not():
    late = run(around(AND()), {"A": [48.0], "B": [49.0], "CLK": [50.0, 100.0]}, on_violation="physical")
    assert late.pulses("Q").tolist() == [109.2]
    early = run(around(OR()), {"A": [10.0], "B": [49.0], "CLK": [50.0, 100.0]}, on_violation="physical")
    assert early.pulses("Q").tolist() == [58.0, 108.0], "a is read at the first clock, b at the second"


def test_data_in_the_hold_time_wait_for_the_next_clock_but_a_second_clock_is_swallowed():
    sim = run(around(DRO(hold=3.0)), {"A": [51.0], "CLK": [50.0, 100.0, 150.0]}, on_violation="physical")
    assert sim.pulses("Q").tolist() == [105.1] and sim.violations[0].outcome == "taken"
    sim = run(around(INV()), {"A": [], "CLK": [50.0, 53.0, 100.0]}, on_violation="physical")
    assert sim.pulses("Q").tolist() == [59.6, 109.6] and sim.violations[0].outcome == "swallowed"


def test_two_late_pulses_of_one_input_are_one():
    sim = run(around(DRO()), {"A": [48.5, 49.5], "CLK": [50.0, 100.0, 150.0]}, on_violation="physical")
    assert sim.pulses("Q").tolist() == [105.1]


def test_a_clock_too_soon_after_another_is_swallowed():
    sim = run(around(NDRO()), {"A": [10.0], "B": [], "CLK": [50.0, 55.0, 65.0]}, on_violation="physical")
    assert sim.pulses("Q").tolist() == [55.5, 70.5]
    assert sim.violations[0].outcome == "swallowed"


def test_simultaneous_pulses_are_handled_by_the_priorities_of_the_state():
    # Empty: data before the clock, which breaks the setup; with the setup at 0 the clock takes them
    assert out(DRO(setup=0.0), A=[50.0], CLK=[50.0]) == [55.1]
    # The inverter handles the clock first while it holds nothing, so that it fires
    assert out(INV(setup=0.0, hold=0.0), A=[50.0], CLK=[50.0, 100.0]) == [59.6]
    # C element inverted, after b: another b before a, so a sets it back and a third pulse fires again
    assert out(InvertedC(), A=[30.0, 60.0], B=[10.0, 30.0]) == [19.0, 69.0]


def test_one_compiled_loop_runs_every_circuit():
    run(chain(), {"A": [1.0]})
    before = list(loop.compiled().jitted.signatures)
    run(around(Synapse()), {"A": [1.0, 2.0]}, on_violation="drop", seed=2**63)
    run(tree(), {"A": np.arange(1, 500) * 10.0}, jitter=0.05, on_violation="physical", until=700)
    assert loop.compiled().jitted.signatures == before and len(before) == 1
