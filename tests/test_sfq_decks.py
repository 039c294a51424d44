"""Decks: what is read, what is refused and how, the same numbers as JoSIM, output that other tools read."""

import json
import math
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from shares import quick

from benchmarks.sfq_decks import measure
from hardware_models.sfq.circuit import (
    PHI0,
    Circuit,
    Constant,
    Exponential,
    JunctionModel,
    Pulse,
    Samples,
    Sine,
    SmoothSteps,
    output,
    plot_run,
    ramp,
    read_deck,
    run_deck,
    simulate,
    spread,
    triangles,
    write_output,
)
from neurosim.errors import FileError, NetworkError, NeurosimError, NeurosimWarning, ParameterError

HERE = Path(__file__).parent
DECKS = HERE / "golden" / "sfq_decks"
GOLDEN = json.loads((HERE / "golden" / "sfq_decks.json").read_text(encoding="utf-8"))["decks"]
MODEL = ".model j jj(rtype=1, vg=2.8m, cap=0.07p, r0=160, rn=16, icrit=0.1m)\n"

DECK = """* two stages of a JTL, twice
.param Ic=250u Lj = 2*2p
.param half = Lj/2
.model jmod jj(rtype=0, icrit=0.1mA, rn=6.8599, cap=0.07pF)
.subckt stage a q
L1 a n half
B1 n 0 jmod area=2.5
# the bias
IB 0 n pwl(0 0
+ 5p Ic*0.7)
L2 n q 2p
.ends
X1 stage in mid
X2 mid out stage
RL out 0 2
IIN 0 in pwl(0 0 30p 0 33p 0.5m 36p 0)
.tran 0.05p 80p
.print p(b1.x1)
.end
This is a remark of mine.
"""


def read(text):
    """Read a deck and let it warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeurosimWarning)
        return read_deck(text if "\n" in str(text) else text)


# ---- as JoSIM -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", quick(set(GOLDEN) - {"controlled"}, sorted(GOLDEN)))
def test_decks_give_what_josim_gives(name):
    deck = read_deck(DECKS / f"{name}.cir")
    columns, table = output(deck, run_deck(deck))
    golden = GOLDEN[name]
    assert columns == ["time", *golden["columns"]]
    times = np.array(golden["time"])
    # JoSIM lets a circuit drift before t = 0, without the charge of its capacitors, and starts sines one step early
    late = times > {"pi_junctions": 25e-12}.get(name, 2e-12)
    for label, expected, found in zip(golden["columns"], golden["values"], table.T[1:], strict=True):
        expected = np.array(expected)
        off = abs(np.interp(times, table[:, 0], found) - expected)[late]
        largest = 0.01 if label.startswith("P") else 0.004 * np.ptp(expected) + 1e-9
        assert off.max() < largest, label


# ---- what is read ---------------------------------------------------------------------------------------------------

def test_a_deck_is_the_circuit_built_from_python():
    deck = read_deck(DECK)
    circuit = Circuit("python")
    for k, (a, q) in ((1, ("in", "mid")), (2, ("mid", "out"))):
        circuit.inductor(f"x{k}.L1", a, f"n{k}", 2.0)
        circuit.junction(f"x{k}.B1", f"n{k}", "0", ic=0.25, r=6.8599 / 2.5, c=0.175)
        circuit.bias(f"x{k}.IB", f"n{k}", ramp(0.175))
        circuit.inductor(f"x{k}.L2", f"n{k}", q, 2.0)
    circuit.resistor("RL", "out", "0", 2.0)
    circuit.bias("IIN", "in", triangles([30.0], height=0.5, width=3.0))
    assert deck.duration == 80.0 and deck.h == 0.05 and len(deck.prints) == 1
    assert len(deck.circuit.placed) == len(circuit.placed)
    runs = [simulate(each, deck.duration, h=deck.h) for each in (deck.circuit, circuit)]
    for name in ("X1.B1", "X2.B1"):
        times = [run.pulses(name) for run in runs]
        assert len(times[0]) == 1 and np.allclose(*times, atol=1e-9)


def test_numbers_sources_and_models():
    deck = read("""
.param a=1.5, b={2*a+sqrt(4)}
.param kelvin='4+0.2'
.temp kelvin
.model mj jj(icrit=0.1m, r0=160, rn=16, cap=70f, vg=2.8mV, phi=pi, cct=1, icon=10m, t=4.2)
B1 1 0 mj ic=200u
B2 1 0 9 mj temp=0
L1 1 0 10pH
L2 2 0 2*0.5uH
R2 2 0 1k temp=0
R4 2 0 5 nfree
C1 1 0 100fF
K1 L1 L2 k=0.1
I1 0 1 pulse (0 1m 10p 1p 2p 3p 50p)
I2 0 1 sin(0 1u 10g)
I3 0 1 dc 3µ
I4 0 1 dc 1u ac 1 sin(0 1u 20g 0 5g 90 3)
I5 0 1 exp(0 1m 1p 2p 9p 4p)
I6 0 1 ac 1
V1 3 0 2.5m
R3 3 1 a*b
.tran 1p 100p
""")
    circuit = deck.circuit
    model = JunctionModel(icrit=0.1, r0=160.0, rn=16.0, cap=0.07, vg=2.8, phi=math.pi)
    assert circuit.element("B1") == model.junction(2.0) and circuit.element("b1").phi0 == math.pi
    assert circuit.element("b2").temperature == 0.0 and circuit.element("r4").temperature == 0.0
    assert circuit.element("l1").l == pytest.approx(10.0) and circuit.element("r2").r == 1000.0
    assert circuit.element("c1").c == pytest.approx(0.1) and deck.temperature == pytest.approx(4.2)
    assert circuit.element("i1").waveform == Pulse(0.0, 1.0, delay=10.0, rise=1.0, fall=2.0, width=3.0, period=50.0)
    assert circuit.element("i2").waveform == Sine(0.0, 1e-3, frequency=0.01)
    assert circuit.element("i3").waveform == Constant(3e-3) and circuit.element("v1").waveform == Constant(2.5)
    assert circuit.element("i4").waveform == Sine(0.0, 1e-3, frequency=0.02, damping=0.005, phase=math.pi / 2, cycles=3)
    assert circuit.element("i5").waveform == Exponential(0.0, 1.0, first_delay=1.0, first_tau=2.0, second_delay=9.0,
                                                         second_tau=4.0)
    assert circuit.element("i6").waveform == Constant(0.0)
    assert circuit.element("r3").r == pytest.approx(7.5)


@pytest.mark.parametrize(("text", "right"), [
    ("(1+2)*2", 6.0), ("((1+2)*2)/3", 2.0), ("(1+2)**2", 9.0), ("{2*(1+2)}", 6.0), ("'3*2'", 6.0), ("2^3^2", 512.0),
    ("-(-2)", 2.0), ("2*100meg", 2e8), ("1e3*1e-3", 1.0), ("max(1,2)*log10(100)", 4.0), ("pi", math.pi), ("3k", 3000.0),
    ("1.5e1ohm", 15.0), ("2*in", 8.0), ("if+not", 3.0), ("late+1", 6.0), ("[1+2]*2", 6.0)])
def test_values_are_ordinary_arithmetic(text, right):
    deck = read(f".param late = 4 + if\n.param in=4 if=1 not = 2\nR1 1 0 {text}\nI1 0 1 1m\n")
    assert deck.circuit.element("r1").r == pytest.approx(right, rel=1e-12)


def test_brackets_in_values_of_sources_count():
    deck = read("R1 1 0 1\nI1 0 1 (1+1)*1m\nI2 0 1 dc (1+1)*1m\nI3 0 1 pwl(0 0 (1+1)*5p (1+2)*1m)\n"
                "I4 0 1 pulse(0 (1+1)*1m 2p 1p 1p 5p)\nI5 0 1 sin(0 (1+1)*1m 50g)\n")
    levels = {name: deck.circuit.element(name).waveform for name in ("i1", "i2", "i3", "i4", "i5")}
    assert levels["i1"] == levels["i2"] == Constant(2.0)
    assert levels["i3"].value([5.0, 20.0]).tolist() == pytest.approx([1.5, 3.0])
    assert levels["i4"].value(5.0) == pytest.approx(2.0) and levels["i5"].value(5.0) == pytest.approx(2.0)


def test_parameters_are_those_of_the_subcircuit_then_the_global_ones():
    deck = read(".param a=1 b=2\n.subckt inner p\n.param b=20\nR1 p 0 a\nR2 p 0 b\n.ends\n"
                ".subckt outer p\n.param a=100\nX1 inner p\nR3 p 0 a\n.ends\nX9 outer 1\nI1 0 1 1m\n")
    values = [deck.circuit.element(name).r for name in ("x9.x1.r1", "x9.x1.r2", "x9.r3")]
    assert values == [1.0, 20.0, 100.0]  # the caller's a = 100 is not seen inside


def test_values_of_instances():
    deck = read(".subckt s a b lv=3\nR1 a b lv\nR2 a b 7\n.ends\nX1 s 1 0\nX2 s 1 0 lv=2*4\nX3 1 0 s R2=9\nI1 0 1 1m\n")
    found = [deck.circuit.element(f"x{k}.r{n}").r for k in (1, 2, 3) for n in (1, 2)]
    assert found == [3.0, 7.0, 8.0, 7.0, 3.0, 9.0]
    with pytest.raises(NetworkError, match=r"line 4: x1: s has no parameter lw"):
        read(".subckt s a b\nR1 a b 3\n.ends\nX1 s 1 0 lw=2\n")


def test_the_times_of_tran():
    deck = read("R1 1 0 1\nI1 0 1 sin(0 1m 20g)\n.tran 0.5p 50p 20p 0.1p uic\n.print v(1)\n")
    assert (deck.h, deck.duration, deck.start, deck.interval) == (0.1, 50.0, 20.0, 0.5)
    times = output(deck, run_deck(deck))[1][:, 0] * 1e12
    assert times[0] == pytest.approx(20.0) and np.allclose(np.diff(times), 0.5)
    assert read("R1 1 0 1\n.param s=0.1p\n.tran s 200*s 0 4*s\n")[1:3] == (0.1, 20.0)


def test_remarks_and_marks_of_other_editors():
    text = "\ufeff* title\n$ remark\n// remark\nR1 1 0 5 *SHUNT=3.7\nR2 1 0 2 ; half\nI1 0 1 1m $ bias\n\n\t+ \n"
    deck = read(text)
    assert deck.circuit.element("r1").r == 5.0 and deck.circuit.element("r2").r == 2.0
    with pytest.raises(NetworkError, match="a remark or part of a product"):
        read(".param a=3\nR1 1 0 2 * a\nI1 0 1 1m\n")


def test_lines_of_other_tools_are_left_out_with_one_warning():
    text = MODEL + ("B1 1 0 j\nL1 1 2 2p fcheck\nR2 2 0 1\nR3 2 5 1\n.neb 1000g\n.check\n.options reltol=1e-4\n"
                    ".ac dec 9 1 9\n.control\nrun\ntran 0.1p 10p\nplot v(1)\n.endc\n.print v(1) p(b1)\n.plot i(R2)\n")
    with pytest.warns(NeurosimWarning) as caught:
        deck = read_deck(text)
    assert len(caught) == 1
    said = str(caught[0].message)
    for each in ("fcheck (line 3)", ".neb (line 6)", ".check (line 7)", ".options (line 8)", ".ac (line 9)",
                 ".control ... .endc (line 10)", "5 (at r3)"):
        assert each in said
    assert deck.duration == 10.0 and [each.label for each in deck.prints] == ["V(1)", "P(B1)", "I(R2)"]


def test_included_files_stay_in_the_folder_of_the_deck(tmp_path):
    (tmp_path / "deck" / "cells").mkdir(parents=True)
    (tmp_path / "deck" / "cells" / "One.lib").write_text(".subckt one a\n.include more.lib\nR1 a 0 r\n.ends\n")
    (tmp_path / "deck" / "cells" / "more.lib").write_text(".param r=7\n.end\nnothing counts here\n")
    (tmp_path / "secret.lib").write_text("R9 1 0 1\n")
    path = tmp_path / "deck" / "top.cir"
    path.write_text(".include cells\\one.lib\nX1 one 1\nI1 0 1 1m\n")
    assert read_deck(path).circuit.element("x1.r1").r == 7.0
    path.write_text('.include "../secret.lib"\nI1 0 1 1m\n')
    with pytest.raises(NetworkError, match=r"top.cir, line 1: secret.lib lies outside the deck's folder"):
        read_deck(path)
    assert read_deck(path, folders=[tmp_path]).circuit.element("r9").r == 1.0
    assert read_deck(path, anywhere=True).circuit.element("r9").r == 1.0
    path.write_text(".include top.cir\n")
    with pytest.raises(NetworkError, match="includes itself"):
        read_deck(path)
    path.write_text(".include missing.lib\n")
    with pytest.raises(NetworkError, match="top.cir, line 1: there is no file missing.lib in"):
        read_deck(path)
    with pytest.raises(FileError, match="cannot be read"):
        read_deck(tmp_path / "missing.cir")


# ---- what is refused ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("line", "message"), [
    (".temp", "line 2: .temp needs a number"),
    (".temp 4.2k", "line 2: .temp must be >= 0 and < 1000 K, got 4200; k means kilo"),
    (".model", "line 2: .model needs a name and a type"),
    ("()", "line 2: there is nothing but brackets"),
    ("R1 1 0 (1+2", "line 2: a bracket is not closed"),
    ("R1 1 0 1)+(2", "line 2: a closing bracket has no opening one"),
    ("D1 1 0 diode", "line 2: d1: elements D are not supported; supported are B L R C K I V P T E F G H X"),
    ("T1 1 0 2 0 TD=1p", "line 2: t1 must have four nodes, z0= and td="),
    ("E1 1 0 2 3", "line 2: e1 must have two nodes, two control nodes and a gain"),
    ("F1 1 0 B1 3", "line 2: f1: deck has no element 'b1'"),
    (MODEL + "B1 1 0 j area=0", "line 3: b1: the area of a junction must be a finite number > 0, got 0.0"),
    ("B1 1 0 nomodel", "line 2: b1: there is no .model nomodel"),
    ("L1 1 0", "line 2: l1 must have two nodes and a value"),
    ("L1 1 0 banana", "line 2: there is no .param banana"),
    (".param banana=orange", "line 2: there is no .param orange"),
    (".param a=2*b b=a/2", "line 2: the parameter a needs itself: a -> b -> a"),
    (".param a=1\n.param a=2", "line 3: the parameter a is given twice"),
    ("L1 1 0 1e999", "line 2: '1e999' is no number"),
    ("L1 1 0 2*/3", "line 2: '2*/3' is no number"),
    ("L1 1 0 -3p", "line 2: l1: Inductor.l must be a finite number >= 0 pH, got -3.0"),
    ("R1 1 1 3", "line 2: r1: both ends are at node 1"),
    (".global vdd", "line 2: .global is not supported"),
    (".ic v(1)=2", "line 2: .ic is not supported"),
    ("X1 foo 1 0", "line 2: x1: there is no .subckt foo; known are none"),
    (".subckt a 1\nL1 1 0 1p", "line 2: .subckt a has no .ends"),
    (".ends", "line 2: .ends without .subckt"),
    (".subckt a 1\nX1 a 1\n.ends\nX1 a 1\nR1 1 0 1", "line 2: subcircuit a contains itself"),
    (".subckt a 1\nR1 1 0 1\n.ends\n.subckt a 1\nR1 1 0 2\n.ends", "line 5: there is a subcircuit a already (line 2)"),
    (".model m jj(cpr={1})\n.model m jj(cpr={0.9})", "line 3: there is a .model m already (line 2)"),
    (".model m jj(cpr=0.9)\nB1 1 0 m", "line 2: .model m: cpr is supported at 1 only, got 0.9"),
    (".model m jj(banana=1)\nB1 1 0 m", "line 2: .model m: banana is not supported"),
    (".model m nmos(vt=1)\nB1 1 0 m", "line 2: .model m must be of type jj"),
    ("I1 0 1 noise(1 2 3 4)", "line 2: i1: noise with 4 numbers"),
    ("I1 0 1 pwl(0 1 2)", "line 2: i1: pwl with 3 numbers"),
    ("I1 0 1", "line 2: i1 must have two nodes and what it gives"),
    ("I1 0 1 1m 2m", "line 2: i1: '1m 2m' is no source"),
    ("R1 1 0 3\nR1 2 0 3", "line 3: r1: there is an element of this name already (line 2)"),
    ("L1 1 0 1p\nL2 2 0 1p\nK1 L1 L2 1.1", "line 4: k1: k must be a number > -1 and < 1, got 1.1"),
    ("L1 1 0 3p\nK1 L1 L2 0.5", "line 3: k1: "),
    ("+ 3", "line 2: a continuation line needs a line before it"),
    (".tran 1p", "line 2: .tran needs a step and a stop time"),
    (".tran 1p 5p 9p", "line 2: .tran: the output would begin at 9 ps, after the stop"),
    (".tran 1p 5p\n.tran 1p 6p", "line 3: .tran is given twice, also in line 2"),
    ("R1 1 0 2 foo=3", "line 2: r1: foo= is not supported here"),
    ("R1 1 0 2 spread=2", "line 2: r1: spread= must be >= 0 and < 1"),
    ("R1 1 0 2 temp=4k", "line 2: r1: temp=4000 K is too warm"),
    (".print nothing", "line 2: .print nothing: write v(node)"),
    (".include cells.lib", "line 2: a deck that is given as a text has no folder"),
])
def test_what_is_not_understood_is_refused_by_line(line, message):
    with pytest.raises(NetworkError) as error:
        read("* title\n" + line + "\n")
    assert str(error.value).startswith(message), error.value


def test_damaged_decks_are_read_or_refused():
    counts, faults = measure([path.read_text(encoding="utf-8") for path in sorted(DECKS.glob("*.cir"))], 400, seed=1)
    assert not faults and counts["read"] > 50 and counts["refused"] > 50


# ---- output ---------------------------------------------------------------------------------------------------------

def test_output_files(tmp_path):
    deck = read_deck(DECKS / "scopes.cir")
    run = run_deck(deck)
    columns, table = output(deck, run)
    for ending, between in ((".csv", ","), (".dat", " ")):
        write_output(tmp_path / f"a{ending}", deck, run)
        head, *rows = (tmp_path / f"a{ending}").read_text().splitlines()
        assert head.replace('"', "").split(between) == columns and '"P(B1|X1)"' in head
        assert np.allclose([[float(each) for each in row.split(between)] for row in rows], table, rtol=1e-8)
    write_output(tmp_path / "a.raw", deck, run)
    head, values = (tmp_path / "a.raw").read_text().split("Values:\n")
    assert f"No. Points: {len(table)}" in head and " 1 P(B1|X1) Phase" in head and " 4 R1.X1#branch Current" in head
    assert np.allclose(np.array(values.split(), float).reshape(len(table), -1)[:, 1:], table, rtol=1e-8)
    for path, match in ((tmp_path / "a.txt", "must end in"), (tmp_path / "no" / "a.csv", "cannot be written")):
        with pytest.raises(NeurosimError, match=match):
            write_output(path, deck, run)
    with pytest.raises(ParameterError, match="has no .print"):
        output(deck._replace(prints=()), run)
    nested = read(".subckt s a\nR1 a 0 2\n.ends\nX1 s 1\nI1 0 1 1m\n.print devi X1_R1\n.print i(R1.X1)\n.tran 1p 2p\n")
    assert np.allclose(output(nested, run_deck(nested))[1][:, 1:], 1e-3)
    with pytest.warns(NeurosimWarning, match=r"asks for what is not there: P\(B9\) \(line 3\), I\(1\) \(line 3\)"):
        assert not read_deck("R1 1 0 1\nI1 0 1 1m\n.print p(B9) i(1)\n.tran 1p 2p\n").prints


def test_currents_of_wires_and_sources_follow_from_their_neighbours():
    deck = read("V1 1 0 pwl(0 0 1p 6m)\nRW 1 2 0\nR2 2 0 3\nLW 2 3 0\nR3 3 0 6\nI3 0 3 pwl(0 0 1p 1m)\n"
                ".tran 0.1p 5p\n.print i(V1) i(RW) i(LW) i(R3) i(I3) v(2)\n")
    last = output(deck, run_deck(deck))[1][-1, 1:]
    assert np.allclose(last, [-2e-3, 2e-3, 0.0, 1e-3, 1e-3, 6e-3], atol=1e-12)


def test_commands(tmp_path):
    deck = tmp_path / "jtl.cir"
    deck.write_text(DECK.replace("B1 n 0 jmod area=2.5", "B1 n 0 jmod area=2.5 spread=0.05"), encoding="utf-8")

    def call(*arguments):
        done = subprocess.run([sys.executable, "-m", "neurosim.cli", "sfq", *map(str, arguments)], text=True,
                              capture_output=True, cwd=HERE.parent)
        assert done.returncode == 0, done.stderr
        return done.stdout

    expected = simulate(read_deck(deck).circuit, 80.0).pulses("x2.b1")
    printed = call("run", deck, "--json", "--out", tmp_path / "a.csv", "--plot", tmp_path / "a.png")
    assert json.loads(printed)["x2.b1"] == pytest.approx(expected.tolist(), abs=1e-3)
    assert (tmp_path / "a.csv").stat().st_size > 1000 and (tmp_path / "a.png").stat().st_size > 1000
    assert call("margins", deck, "--resolution", 0.2, "--watch", "x2.b1").count("%") >= 6
    assert "8 of 8 work" in call("montecarlo", deck, "--runs", 8)


def test_spread_of_a_deck():
    deck = read(MODEL + ".spread 0.1 R=0.3\nB1 1 0 j\nR1 1 0 3\nL1 1 2 3p spread=0.02\nC1 2 0 1p\nI1 0 1 1m\n")
    assert deck.spread == {"b1.area": 0.1, "r1.r": 0.3, "l1.l": 0.02, "c1.c": 0.1}
    vary = spread(deck.circuit, {}, 4000, uniform=deck.spread, seed=3)
    for key, half in deck.spread.items():
        factors = vary[next(name for name in vary if name.casefold() == key)]
        assert abs(factors - 1.0).max() <= half
        assert factors.std() == pytest.approx(half / math.sqrt(3.0), rel=0.05)


def test_plot_of_a_run():
    import matplotlib

    matplotlib.use("Agg")
    deck = read_deck(DECK)
    run = run_deck(deck)
    drawn = plot_run(run)
    assert np.allclose(drawn[0].get_ydata() - drawn[0].get_ydata()[0], (run.phase("x1.b1") - run.phase("x1.b1")[0])
                       / (2 * math.pi))
    assert np.allclose(drawn[1].get_xdata(), run.pulses("x1.b1"))
    with pytest.raises(ParameterError, match="quantity must be"):
        plot_run(run, quantity="flux")


# ---- waveforms ------------------------------------------------------------------------------------------------------

def test_waveforms_are_their_formulas():
    t = np.linspace(0.0, 60.0, 601)
    damped = Sine(0.1, 2.0, frequency=0.05, delay=7.0, damping=0.02, phase=0.5, cycles=1.5)
    tau = t - 7.0
    exact = np.where((tau < 0) | (tau >= 30.0), 0.1, 0.1 + 2 * np.exp(-0.02 * tau) * np.sin(0.1 * np.pi * tau + 0.5))
    assert np.allclose(damped.value(t), exact)
    rise = Exponential(0.1, 1.1, first_delay=5.0, first_tau=4.0, second_delay=30.0, second_tau=6.0)
    exact = 0.1 + np.where(t < 5, 0.0, 1 - np.exp(-(t - 5) / 4)) - np.where(t < 30, 0.0, 1 - np.exp(-(t - 30) / 6))
    assert np.allclose(rise.value(t), exact)
    steps = SmoothSteps([5.0, 25.0], [1.0, 3.0])
    assert np.allclose(steps.value(t), 2.0 - np.cos(np.pi * np.clip((t - 5) / 20, 0, 1)))
    from scipy.interpolate import CubicSpline

    cubic = Samples([0.0, 1.0, -1.0, 0.5], interval=3.0, delay=2.0, between="cubic")
    inside = (t >= 2.0) & (t < 11.0)
    exact = CubicSpline(2.0 + 3.0 * np.arange(4), [0.0, 1.0, -1.0, 0.5], bc_type="natural")(t)
    assert np.allclose(cubic.value(t)[inside], exact[inside]) and not cubic.value(t)[t > 14.0].any()
    held = Samples([1.0, 2.0], interval=3.0, delay=1.0, between="hold", repeat=True)
    assert held.value([0.5, 1.5, 4.5, 7.5, 61.5]).tolist() == [1.0, 1.0, 2.0, 1.0, 1.0]


def test_sources_drive_a_circuit_by_their_waveforms():
    waves = [Sine(0.1, 0.5, frequency=0.03, delay=4.0, damping=0.02, phase=1.0, cycles=1.0),
             Exponential(0.0, 1.0, first_delay=2.0, first_tau=4.0, second_delay=20.0, second_tau=3.0),
             SmoothSteps([0.0, 10.0, 30.0], [0.0, 1.0, 0.2]),
             Pulse(0.0, 1.0, delay=3.0, rise=2.0, width=4.0, period=9.0)]
    circuit = Circuit()
    for k, wave in enumerate(waves):
        circuit.inductor(f"L{k}", f"n{k}", "0", 1.0)
        circuit.bias(f"I{k}", f"n{k}", wave)
    run = simulate(circuit, 50.0, h=0.25, record=[f"L{k}" for k in range(len(waves))])
    for k, wave in enumerate(waves):
        assert np.allclose(run.current(f"L{k}"), wave.value(run.times), atol=1e-12)


def test_noise_sources():
    deck = read("I1 0 1 noise(1u 10p 1p)\nR1 1 0 1\nC1 1 0 0.001p\n.tran 1p 4000p\n.print v(1)\n")
    wave = deck.circuit.element("i1").waveform
    run = simulate(deck.circuit, 4000.0, h=1.0, record=["R1"], keys=[0, 1, 0], seed=5)
    levels = run.current("R1")
    assert not levels[:9].any() and np.array_equal(levels[:, 0], levels[:, 2])
    assert abs(np.corrcoef(levels[20:, 0], levels[20:, 1])[0, 1]) < 0.06
    assert levels[20:, 0].std() == pytest.approx(wave.amplitude / math.sqrt(2.0), rel=0.05)
    assert wave.amplitude == pytest.approx(1e-3 * 1e6)


# ---- circuits that decks bring --------------------------------------------------------------------------------------

def driven(turns):
    """Return a run of a junction whose phase a voltage source turns, and the exact times at which it passes pi."""
    points, t = [(0.0, 0.0)], 10.0
    for turn in turns:
        points += [(t, 0.0), (t + 5, turn * PHI0 / 5), (t + 10, 0.0)]
        t += 50
    pwl = " ".join(f"{a:.6f}p {v:.9f}m" for a, v in points)
    deck = read(f"V1 a 0 pwl({pwl})\n.model j jj(rtype=0,icrit=.1m,rn=5,cap=.1p)\nB1 a 0 j\n.tran 0.05p {t:g}p\n")
    fine = np.arange(0, t, 1e-3)
    v = np.interp(fine, *zip(*points, strict=True))
    phase = np.floor(np.concatenate([[0], np.cumsum((v[1:] + v[:-1]) / 2 * 1e-3)]) / PHI0 + 0.5)
    return simulate(deck.circuit, deck.duration, h=0.05), fine[1:][np.diff(phase) > 0], fine[1:][np.diff(phase) < 0]


@pytest.mark.parametrize("turns", [(1, 1, 1), (1, -1, 1, -1), (0.7, -0.7, 0.7, -0.7), (0.55, -0.55, 0.55, -0.55),
                                   (-1, 1, -0.6, 0.6), (2.4, -1.9, 3.3)])
def test_pulses_are_crossings_of_pi_after_a_fall_too(turns):
    run, up, down = driven(turns)
    for right, found in ((up, run.pulses("b1")), (down, run.pulses("b1", -1))):
        assert len(found) == len(right) and np.allclose(found, right, atol=0.02)
    assert run.fluxons("b1") == len(up) - len(down)


def test_a_phase_that_trembles_about_pi_counts_once():
    run, up, _ = driven((0.52, -0.05, 0.05, -0.05, 0.05, 0.4))
    assert len(up) == 3 and run.pulses("b1") == pytest.approx(up[:1], abs=0.02) and not len(run.pulses("b1", -1))


@pytest.mark.parametrize("small", ["0", "1e-15", "1e-12", "1e-9", "9e-7"])
def test_a_tiny_resistor_is_a_wire(small):
    text = MODEL + ("B1 1 0 j area=2\nRS 1 s {r}\nR1 s 0 3\nL1 1 2 2p\nRL 2 3 {r}\nB2 3 0 j area=2\nR2 3 0 3\n"
                    "I1 0 1 pwl(0 0 5p 0.15m 20p 0.15m 23p 0.6m 26p 0.15m)\nI2 0 3 pwl(0 0 5p 0.15m)\n"
                    ".tran 0.05p 60p\n")
    runs = [run_deck(read(text.format(r=r)), record=["b1", "b2"], nodes=[]) for r in (small, "1e-5")]
    assert len(runs[0].pulses("b2")) == 1
    for name in ("b1", "b2"):  # a resistor of 1e-5 ohm changes a phase by a millionth
        assert np.allclose(runs[0].phase(name), runs[1].phase(name), atol=1e-4)


def test_noise_of_a_junction_above_its_gap_is_that_of_its_normal_resistance():
    """Above the gap the voltage fluctuates by sqrt(k T / C), below it too; the supercurrent is too small to matter."""
    deck = read(MODEL.replace("icrit=0.1m", "icrit=0.1u") + "B1 1 0 j\nI1 0 1 pwl(0 0 5p 0.5m)\nB2 2 0 j\n"
                "I2 0 2 pwl(0 0 5p 5u)\n.temp 4.2\n.tran 0.02p 200p\n")
    run = run_deck(deck, record=["b1", "b2"], nodes=[], keys=range(120), every=10, seed=2)
    exact = math.sqrt(1.380649e-5 * 4.2 / 0.07)  # sqrt(k T / C), mV
    for name, level in (("b1", 8.0), ("b2", 0.8)):
        v = run.voltage(name)[500:]
        assert v.mean() == pytest.approx(level, rel=0.01)
        assert math.sqrt(v.var(axis=1, ddof=1).mean()) == pytest.approx(exact, rel=0.05)


def test_a_transmission_line_delays_and_reflects():
    """V(t) at the open end doubles; what comes back is absorbed by a source resistance of z0."""
    deck = read("I1 0 1 pwl(0 0 5p 0 6p 1m 16p 1m 17p 0)\nRS 1 0 4\nT1 1 0 2 0 z0=4 td=20.05p\nRX 2 0 1meg\n"
                ".tran 0.1p 100p\n")
    run = run_deck(deck, record=["RS", "RX"], nodes=[])
    wave = np.interp(run.times, [0, 5, 6, 16, 17], [0, 0, 2.0, 2.0, 0.0])
    back = np.interp(run.times - 40.1, [0, 5, 6, 16, 17], [0, 0, 2.0, 2.0, 0.0])
    there = np.interp(run.times - 20.05, [0, 5, 6, 16, 17], [0, 0, 4.0, 4.0, 0.0])
    assert np.allclose(run.voltage("RS"), wave + back, atol=0.12)
    assert np.allclose(run.voltage("RX"), there, atol=0.12)  # a corner between two steps is cut
    assert abs(run.voltage("RX").sum() - there.sum()) < 0.1
    with pytest.raises(ParameterError, match="h must be <= 20.05 ps, the delay of line t1"):
        simulate(deck.circuit, 100.0, h=25.0)


def test_dangling_nodes_and_zeros_change_nothing():
    text = MODEL + "B1 1 0 j\nR1 1 0 3\nI1 0 1 pwl(0 0 5p 0.25m)\n.tran 0.05p 40p\n"
    plain = run_deck(read(text), record=["b1"])
    more = run_deck(read(text + "R2 1 2 3\nL3 1 3 2p\nC4 1 4 1p\nL5 1 5 0\nC6 1 0 0\n"), record=["b1"])
    assert np.allclose(plain.phase("b1"), more.phase("b1"), atol=1e-9)
    circuit = Circuit("python")
    circuit.resistor("R1", "a", "0", 1.0)
    circuit.resistor("R2", "a", "b", 1.0)
    with pytest.raises(NetworkError, match="node b has one connection only"):
        simulate(circuit, 1.0)


def test_a_step_that_is_too_long_is_cut():
    text = MODEL + "B1 1 0 j area=2\nR1 1 0 3\nI1 0 1 pwl(0 0 5p 0.1m 20p 0.1m 23p 0.9m 26p 0.1m)\n.tran 1p 40p\n"
    run = run_deck(read(text))
    fine = simulate(read(text).circuit, 40.0, h=0.02)
    assert run.h < 0.5 and run.pulses("b1") == pytest.approx(fine.pulses("b1"), abs=0.1)
    steep = read(MODEL + "B1 1 0 j area=3\nI1 0 1 pwl(0 0 50p 1.5m)\n.tran 0.1p 60p\n")
    assert run_deck(steep).h < 0.1  # the rise at the gap needs smaller steps


def test_runs_of_a_millisecond():
    deck = read("R1 1 0 1\nL1 1 0 1u\nI1 0 1 pwl(0 0 1m 1m)\n.tran 100n 2m\n.print i(L1)\n")
    table = output(deck, run_deck(deck))[1]
    assert table[-1, 0] == pytest.approx(2e-3) and table[-1, 1] == pytest.approx(1e-3, rel=1e-6)
