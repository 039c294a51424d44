"""What a network says about itself: the summary of one screenful, and the tables in Markdown and LaTeX."""

import re

import numpy as np
import pytest

import neurosim as ns
from neurosim.describe import MOST_LINES, summary, value_text
from neurosim.describe.latex import MOST_ROWS, escape, symbol
from neurosim.errors import ParameterError

NASTY = r"a_b & c|d #1 50% {x} [y] *z* $p$ ~^ \end `q` <i>"


@pytest.fixture
def net():
    net = ns.Network()
    noise = net.add(ns.Poisson(rate=20.0), 100, name="noise")
    given = net.add(ns.SpikeSource(ns.Spikes.from_times([1.0, 2.0], [0, 1], size=2, duration=5.0)), name="given")
    left = net.add(ns.LIF(tau_mem=20.0), 1000, name="left", initial={"v": ns.Uniform(-70.0, -55.0)})
    right = net.add(ns.LIF(tau_mem=20.0), 50, name="right")
    other = net.add(ns.LIF(tau_mem=ns.Normal(20.0, 1.0, low=1.0), i_bias=np.linspace(0.0, 5.0, 7)), 7, name=NASTY)
    net.connect(noise, left, ns.FixedProbability(0.1), weight=0.5, delay=1.5)
    net.connect(left, left, ns.FixedInDegree(10), weight=ns.Normal(2.0, 0.1), delay=ns.Uniform(1.0, 3.0),
                receptor=ns.ExponentialCurrent(2.0), release=ns.TsodyksMarkram(), name="loop")
    net.connect(given, right[:2], ns.OneToOne(), weight=[[1.0, 2.0], [3.0, 4.0]], receptor=ns.ExponentialConductance())
    net.drive(other, ns.PoissonDrive(rate=8000.0, weight=-0.1), receptor=ns.AlphaCurrent())
    net.drive(left, ns.StepCurrent(100.0, start=10.0))
    net.record(left)
    net.record(other)
    net.record(left, "v", every=1.0, ids=[3, 4])
    return net


def rows_of(latex):
    return [line for line in latex.splitlines() if line.endswith(r"\tabularnewline")]


# ---------------------------------------------------------------------------------------------------------------------
# The summary
# ---------------------------------------------------------------------------------------------------------------------

def test_a_summary_says_what_is_there(net):
    text = str(net)
    assert text == summary(net)
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "Network: 1,057 neurons and 102 sources in 5 populations, 3 projections, about 20,000 synapses"
    assert "100 x Poisson(rate = 20 Hz)" in lines[1]
    assert "SpikeSource(2 spikes)" in lines[2]
    assert lines[3].endswith("LIF(tau_mem = 20 ms), initially v = Uniform(-70, -55) mV")
    assert "noise -> left: FixedProbability(p = 0.1), weight 0.5 mV, delay 1.5 ms, Delta" in lines
    assert ("loop (left -> left): FixedInDegree(k = 10), weight Normal(2, 0.1) pA, delay Uniform(1, 3) ms, "
            "ExponentialCurrent(tau_syn = 2 ms), TsodyksMarkram") in lines
    assert any("weight 2 x 2 values, 1 to 4 nS, delay 1 ms, ExponentialConductance" in line for line in lines)
    assert any("PoissonDrive(rate = 8000 Hz, weight = -0.1 pA), AlphaCurrent" in line for line in lines)
    assert f"recorded: spikes of left, {NASTY}; v of 2 of left every 1 ms" == lines[-1]


def test_an_empty_network_says_so():
    assert str(ns.Network()) == "Network: empty; add a population with net.add(model, size)"


def test_exact_rules_give_exact_numbers():
    net = ns.Network()
    cells = net.add(ns.LIF(), 30)
    net.connect(cells, cells, ns.FixedInDegree(7))
    assert "1 population, 1 projection, 210 synapses" in str(net)


@pytest.mark.parametrize(("size", "weight", "text"), [
    (1000, 0.1, ""), (10_000, 0.1, "about 20 MB"), (10_000, ns.Normal(0.1, 0.01), "about 60 MB"),
    (100_000, ns.Normal(0.1, 0.01), "about 0.8 GB")])
def test_memory_of_synapses_is_told_from_ten_megabytes_on(size, weight, text):
    net = ns.Network()
    cells = net.add(ns.LIF(), size)
    net.connect(cells, cells, ns.FixedInDegree(1000), weight=weight)
    assert str(net).splitlines()[0].endswith(text) and ("about" in str(net).splitlines()[0]) == bool(text)


def test_the_memory_told_is_near_the_memory_taken():
    from neurosim.describe import synapse_bytes
    from neurosim.engine.synapses import build
    from neurosim.random import Streams

    net = ns.Network()
    cells = net.add(ns.LIF(), 2000)
    p = net.connect(cells, cells, ns.FixedInDegree(200), weight=ns.Normal(0.1, 0.01), delay=ns.Uniform(1.0, 2.0))
    made = build(p.rule, 2000, 2000, 0, quantities={"weight": p.weight}, delay=p.delay, bounds=[0, 2000], seed=1,
                 streams=Streams(), label="", dt=0.1, real=np.float32)
    (part,) = made.parts
    taken = part.target.nbytes + part.values["weight"].nbytes + part.start.nbytes + part.offsets.nbytes
    assert synapse_bytes([p]) == pytest.approx(taken, rel=0.1)


def test_a_long_network_says_how_much_it_leaves_out():
    net = ns.Network()
    for number in range(MOST_LINES + 5):
        net.add(ns.LIF(), 1, name=f"p{number}")
    lines = str(net).splitlines()
    assert len(lines) == MOST_LINES + 2 and lines[-1] == "  ... and 5 more populations"


@pytest.mark.parametrize(("value", "unit", "text"), [
    (None, "ms", "-"), (20.0, "ms", "20 ms"), (0.1, "", "0.1"), (1e-9, "pA", "1e-09 pA"), (True, "", "yes"),
    ("subtract", "", "subtract"), (np.full(3, 2.0), "mV", "3 values, all 2 mV"), ((1.0, 2.0), "", "(1, 2)"),
    (ns.Normal(0.1, 0.01, low=0.0, bounds="redraw"), "mV", "Normal(0.1, 0.01, redraw to [0, inf]) mV"),
    (ns.TimedArray([0.0, 5.0], every=10.0), "Hz", "2 values, 0 to 5 Hz, a value for 10 ms, then hold")])
def test_values_are_short_and_carry_their_unit(value, unit, text):
    assert value_text(value, unit) == text


# ---------------------------------------------------------------------------------------------------------------------
# The tables
# ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("format", ["markdown", "latex"])
def test_all_sections_are_there(net, format):
    text = net.describe(format)
    titles = ["A. Model summary", "B. Populations", "C. Connectivity", "D. Neuron models", "E. Synapse models",
              "F. Input", "G. Recordings"]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)


def test_markdown_rows_have_the_cells_of_their_header(net):
    lines = [line for line in net.describe().splitlines() if line.startswith("|")]
    cells = None
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        count = len(re.findall(r"(?<!\\)\|", line))
        cells = count if set(after) <= set("| -") and after else cells
        assert count == cells, line


def test_equal_models_share_a_table_and_others_do_not(net):
    text = net.describe()
    assert "### LIF (left, right)" in text
    assert text.count("### LIF (") == 2


def test_parameters_come_with_value_unit_and_description(net):
    text = net.describe()
    assert "| `tau_mem` | 20 | ms | membrane time constant |" in text
    assert "| `weight` | -0.1 | pA | weight of an event |" in text
    assert "| `i_bias` | 7 values, 0 to 5 | pA | constant current |" in text


def test_equations_of_the_model_stand_in_its_table(net):
    assert "```text\ntau_mem dv/dt = " in net.describe()


def test_columns_that_nothing_fills_are_left_out(net):
    header = next(line for line in net.describe().splitlines() if line.startswith("| Name | Source"))
    assert "Release" in header and "Plasticity" not in header and "Device" not in header


def test_latex_is_balanced(net):
    text = re.sub(r"(?<!\\)%.*", "", net.describe("latex"))
    stack = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if what == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    braces = re.sub(r"\\[{}\\]", "", text)
    assert braces.count("{") == braces.count("}")
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0


def test_latex_rows_have_the_cells_of_their_table(net):
    table = r"\\begin\{tabular\}\{@\{\}(.*?)@\{\}\}\n(.*?)\\end\{tabular\}"
    tables = re.findall(table, net.describe("latex"), re.DOTALL)
    assert len(tables) > 6
    for layout, body in tables:
        columns = layout.count(r"\linewidth")
        assert body.startswith("\\toprule") and body.endswith("\\bottomrule\n")
        for row in rows_of(body):
            assert len(re.findall(r"(?<!\\)&", row)) == columns - 1, row


def test_latex_columns_fit_the_line(net):
    for layout in re.findall(r"\\begin\{tabular\}\{(.*)\}", net.describe("latex")):
        assert sum(map(float, re.findall(r"p\{([\d.]+)\\linewidth\}", layout))) < 0.95


@pytest.mark.parametrize(("text", "latex"), [
    ("50% & #1", r"50\% \& \#1"), ("a_b", r"a\_b"), ("{$x^2~}", r"\{\$x\textasciicircum{}2\textasciitilde{}\}"),
    (r"\end", r"\textbackslash{}end"), ("a < b > c | d", r"a \textless{} b \textgreater{} c \textbar{} d"),
    ("a -> b", r"a $\to$ b"), ("-70", "$-$70"), ("1e-09", "1e-09"), ("a--b---", "a-{}-b-{}-{}-"),
    ("[x] *", "{[}x{]} {*}"), ("well-known", "well-known"), ("two\nlines", "two lines")])
def test_latex_escapes(text, latex):
    assert escape(text) == latex


@pytest.mark.parametrize(("name", "formula"), [
    ("tau_mem", r"$\tau_{\mathrm{mem}}$"), ("r", "$r$"), ("rate", r"$\mathit{rate}$"), ("lam", r"$\lambda$"),
    ("v_threshold", r"$v_{\mathrm{threshold}}$"), ("g_min_dtod", r"$g_{\mathrm{min,dtod}}$")])
def test_parameters_become_symbols(name, formula):
    assert symbol(name) == formula


def test_long_latex_tables_are_cut():
    net = ns.Network()
    for number in range(MOST_ROWS + 1):
        net.add(ns.LIF(), 1, name=f"p{number}")
    populations = net.describe("latex").split("B. Populations")[1].split(r"\subsection")[0]
    assert populations.count(r"\begin{tabular}") == 2 and "p40" in populations


def test_describing_changes_nothing(net):
    before = net.fingerprint()
    str(net), net.describe(), net.describe("latex")
    assert net.fingerprint() == before


@pytest.mark.parametrize("format", ["html", None, 3])
def test_other_formats_are_refused(net, format):
    with pytest.raises(ParameterError, match="^format must be 'markdown' or 'latex', got "):
        net.describe(format)


@pytest.mark.parametrize("model, r, c_mem", [
    (ns.LIF(), "0.1", "100"), (ns.LIF(c_mem=250.0), "0.04", "250"), (ns.LIF(tau_mem=20.0, r=0.5), "0.5", "40"),
    (ns.LeakyIntegrator(c_mem=[100.0, 200.0]), "2 values, 0.05 to 0.1", "2 values, 100 to 200"),
    (ns.AdaptiveLIF(tau_mem=ns.Normal(20.0, 1.0), c_mem=100.0), "tau\\_mem / c\\_mem", "100"),
])
def test_the_tables_show_the_value_that_acts_where_none_was_given(model, r, c_mem):
    net = ns.Network()
    net.add(model, 2)
    rows = [line.split(" | ") for line in net.describe().splitlines() if line.startswith("| `")]
    assert {row[0]: row[1] for row in rows if row[0] in ("| `r`", "| `c_mem`")} == {"| `r`": r, "| `c_mem`": c_mem}
    if isinstance(model.tau_mem, float):
        np.testing.assert_allclose(model.acting().get("r", model.r), model.resistance(model))


def test_the_name_of_a_receptor_is_in_its_table_where_it_has_one():
    net = ns.Network()
    cells = net.add(ns.LIF(), 2)
    net.connect(cells, cells, receptor=ns.ExponentialCurrent(5.0, name="ampa"))
    assert "| `name` | ampa | - |" in net.describe()
    net = ns.Network()
    cells = net.add(ns.LIF(), 2)
    net.connect(cells, cells, receptor=ns.ExponentialCurrent(5.0))
    assert "`name`" not in net.describe()
