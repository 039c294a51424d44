"""The benchmarks run: each case at a tiny size, the tables, the sentences about what is absent or disagrees."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from tests.shares import quick

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import __main__ as program  # noqa: E402
from benchmarks import (  # noqa: E402
    bandwidth,
    child,
    compare,
    history,
    kernels,
    load,
    microcircuit_stats,
    ours,
    report,
    scale,
    scaling,
)
from benchmarks.cases import CASES  # noqa: E402
from benchmarks.peers import OURS, PEERS  # noqa: E402

QUIET = pytest.mark.filterwarnings("ignore::neurosim.NeurosimWarning")
TINY = {"microcircuit": 0.01, "microcircuit20": 0.05}


def tiny(name):
    case = CASES[name]
    return replace(case.scaled(TINY.get(name, 0.12 if case.family.startswith("brunel") else 0.02)), run=20 * case.dt,
                   warm=5 * case.dt)


@QUIET
@pytest.mark.parametrize("name", quick(("cuba", "brunel_stdp"),
                                       [name for name, case in CASES.items() if not case.sample]))
def test_every_case_builds_and_runs(name):
    case = tiny(name)
    result = ours.measure(case, 1)
    assert result["build"] > 0 and result["simulate"] > 0
    assert len(result["rates"]) == len(case.n) == len(case.fan_out)
    assert case.events(result["rates"], case.run) >= 0


def test_the_liquid_runs_over_real_recordings():
    if not os.environ.get("NEUROSIM_DATA"):
        pytest.skip("NEUROSIM_DATA is not set: it names the folder of real recordings")
    result = ours.measure(replace(CASES["lsm"], run=600.0), 1)
    assert result["rates"][0] > 1 and result["input_events"] > 10_000


@pytest.mark.slow
def test_the_liquid_with_an_astrocyte_runs_over_real_recordings():
    if not os.environ.get("NEUROSIM_DATA"):
        pytest.skip("NEUROSIM_DATA is not set: it names the folder of real recordings")
    case = replace(CASES["nalsm"], run=600.0)
    result = ours.measure(case, 1)
    assert result["rates"][0] > 1 and result["input_events"] > 100_000
    net, (liquid,) = ours.network(case)
    inside = sum(p.rule.listed()[0].size for p in net.projections if p.source is liquid and p.target is liquid)
    assert inside / liquid.size == pytest.approx(case.fan_out[0], rel=0.02)


@pytest.mark.slow
def test_the_network_of_digits_learns_real_images_as_bindsnet_does():
    if not os.environ.get("NEUROSIM_DATA"):
        pytest.skip("NEUROSIM_DATA is not set: it names the folder of real images")
    case = replace(CASES["diehl_cook"], run=800.0)
    result = ours.measure(case, 1)
    assert result["rates"][0] * case.n[0] * 0.8 > 20 and result["input_events"] > 1e6
    if PEERS["bindsnet"].installed:
        from benchmarks import bindsnet_peer

        assert bindsnet_peer.measure(case, 1)["rates"] == pytest.approx(result["rates"], rel=case.tolerance)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_rule_is_the_same_in_brian2():
    brian2 = pytest.importorskip("brian2")
    from benchmarks import brian2_peer
    from benchmarks.cases import BRUNEL

    n, dt, ms, target = 12, 0.1, 1000.0, brian2.prefs.codegen.target
    rng = np.random.default_rng(0)
    gaps = 2.5 + rng.exponential(30.0, (n, 100))
    at = np.round(np.cumsum(gaps, axis=1), 1)
    ids, times = np.nonzero(at < ms - 10)[0], at[at < ms - 10]
    net = ns.Network()
    order = np.argsort(times, kind="stable")
    given = net.add(ns.SpikeSource(ns.Spikes.from_times(times[order], ids[order], size=n, duration=ms, dt=dt)))
    cells = net.add(ns.LIF(tau_mem=20.0, v_leak=0.0, v_threshold=20.0, v_reset=0.0, t_ref=2.0), n, name="cells")
    net.connect(given, cells, ns.OneToOne(), weight=30.0, delay=dt)
    net.connect(cells, cells, weight=BRUNEL["weight"], delay=BRUNEL["delay"], plasticity=ours.pairs(), name="learning")
    net.record(cells)
    sim = ns.Simulation(net, dt, dtype="float64")
    sim.run(ms)
    try:
        brian2.prefs.codegen.target = "numpy"
        group = brian2.NeuronGroup(n, "v : 1" + brian2_peer.TRACES, threshold="v > 20", reset="v = 0", method="exact",
                                   refractory=2.1 * brian2.ms, dt=dt * brian2.ms)
        source = brian2.SpikeGeneratorGroup(n, ids, times * brian2.ms, dt=dt * brian2.ms)
        brian2.defaultclock.dt = dt * brian2.ms
        force = brian2.Synapses(source, group, on_pre="v_post += 30")
        force.connect(j="i")
        learning, *traces = brian2_peer.learning(brian2, CASES["brunel_stdp"], group, lambda made: made.connect())
        monitor = brian2.SpikeMonitor(group)
        brian2_peer.counting_at_once(brian2, [source, group, force, learning, *traces, monitor]).run(ms * brian2.ms)
    finally:
        brian2.prefs.codegen.target = target
    assert len(sim.spikes(cells)) == len(monitor.i) == len(times)
    weights = np.zeros((n, n))
    weights[learning.i, learning.j] = learning.w
    np.testing.assert_allclose(sim.weights("learning").reshape(n, n), weights, rtol=1e-9)
    assert weights.std() > 0.01


def kernels_of(net, **settings):
    """Return the kernels of a network, by what they do and their text, and how many calls of them a tick has."""
    engine = ns.Simulation(net, 0.1, **settings)._run.engine
    engine.ready()
    blocks = engine.programs[0].blocks
    return Counter((block.kernel.name, block.kernel.text) for block in blocks)


@QUIET
def test_a_rule_that_is_absent_leaves_nothing_behind():
    static, learning = (kernels_of(ours.network(CASES[name].scaled(0.02))[0]) for name in ("brunel", "brunel_stdp"))
    # one delivery of two is by the rule, and spikes are noted for it; all the rest is as it was
    assert sorted(name for name, _ in learning - static) == ["deliver", "note"]
    assert all("noted" not in text and "arrived" not in text for _, text in static)
    net = ns.Network()
    cells = net.add(ns.LIF(), 10)
    net.connect(cells, cells, weight=0.1, plasticity=[])
    again = ns.Network()
    cells = again.add(ns.LIF(), 10)
    again.connect(cells, cells, weight=0.1)
    assert kernels_of(net) == kernels_of(again)


def test_the_liquid_says_which_recordings_it_lacks(monkeypatch):
    monkeypatch.delenv("NEUROSIM_DATA", raising=False)
    with pytest.raises(Exception, match="set NEUROSIM_DATA to a folder that holds nmnist/"):
        ours.measure(CASES["lsm"], 1)


@pytest.mark.parametrize("name", ["cuba", "brunel", "izhikevich", "microcircuit20"])
def test_fan_out_is_that_of_the_network(name):
    case = CASES[name].scaled(0.1)
    net, populations = ours.network(case)
    for population, fan_out in zip(populations, case.fan_out, strict=True):
        made = sum(p.rule.expected(p.source.size, p.target.size, p.source is p.target)
                   for p in net.projections if p.source is population)
        assert made / population.size == pytest.approx(fan_out, rel=0.02)


def row(peer, rate, simulate, **more):
    return {"peer": peer, "what": peer, "threads": 1, "dtype": "float32", "rounds": 1, "run_ms": 1000.0, "build": 0.1,
            "compile": 0.0, "simulate": simulate, "least": simulate, "most": simulate,
            "real_time_factor": simulate, "events": 1e6, "events_per_s": 1e6 / simulate, "ns_per_update": 1.0,
            "memory_mb": 100.0, "rate": rate, "rates": [rate, rate], "versions": f"{peer} 1", "times_faster": None,
            "share_of_bound": None, **more}


def table(rows, **more):
    return {"case": "cuba", "what": "a network", "neurons": 4000, "scale": 1.0, "simulated_ms": 1000.0,
            "tolerance": 0.1, "why": "chance", "rows": rows, "absent": [], "failed": [], "disagreements": [], **more}


def test_ratio_is_to_the_best_peer_by_simulated_time():
    rows = [row("neurosim", 5.0, 0.1), row("brian2", 5.0, 0.8), row("nest", 5.0, 0.4) | {"real_time_factor": 4.0}]
    compare._add_ratios(rows)
    assert [each["times_faster"] for each in rows] == [pytest.approx(8.0), None, None]


def test_rates_that_disagree_are_named():
    rows = [row("neurosim", 5.0, 0.1), row("brian2", 5.3, 0.8), row("nest", 7.0, 0.4)]
    found = compare.disagreements(CASES["cuba"], rows)
    assert len(found) == 1 and "7.000 Hz in nest" in found[0] and "5.000 Hz in neurosim" in found[0]


def test_layer_rates_are_compared_with_the_published_ones():
    from neurosim.reservoirs.named.microcircuit_data import RATES

    good = row("neurosim", 3.0, 10.0, rates=[rate * 1.04 for rate in RATES])
    assert compare.disagreements(CASES["microcircuit"], [good]) == []
    bad = row("neurosim", 3.0, 10.0, rates=[RATES[0] + 0.11, *RATES[1:]])
    assert ["L23E" in each for each in compare.disagreements(CASES["microcircuit"], [bad])] == [True]


def test_absent_peers_are_named(monkeypatch):
    monkeypatch.setitem(PEERS, "nest", replace(PEERS["nest"], needs="no_such_package"))
    settings = compare.Settings(peers=("nest", "torch"))
    found, absent = compare._competitors(CASES["cuba"], settings)
    assert [competitor.peer for competitor in found] == [OURS]
    assert absent == ["NEST is not installed", "torch, dense has no cuba"]


def test_table_and_markdown_show_the_same_rows():
    found = table([row("neurosim", 5.0, 0.1, times_faster=8.0, share_of_bound=0.25), row("nest", 5.1, 0.8)],
                  absent=["Brian2 C++ is not installed"])
    shown = report.text(found)
    assert all(part in shown for part in ("25%", "8.0", "Brian2 C++ is not installed", "agree within 10%"))
    written = report.markdown({"machine": "a machine", "cases": [found], "startup": {"import": 0.1}})
    for part in ("| nest | 1 | float32 |", "Brian2 C++ is not installed", "| import | 0.100 |"):
        assert part in written
    lines = [line for line in written.splitlines() if line.startswith("|") and "float32" in line]
    assert {line.count("|") for line in lines} == {14}


def test_results_are_written_whole(tmp_path):
    report.write({"cases": [1.5]}, tmp_path / "new" / "f.json")
    assert json.loads((tmp_path / "new" / "f.json").read_text()) == {"cases": [1.5]}
    with pytest.raises(TypeError):
        report.write({"cases": object()}, tmp_path / "new" / "f.json")
    assert json.loads((tmp_path / "new" / "f.json").read_text()) == {"cases": [1.5]}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["f.json"]


def test_bound_counts_the_bytes_of_state_and_synapses():
    case = replace(CASES["brunel"], dt=0.1)
    speed = {"triad": 1e9, "read": 1e9}
    updates = 12_500 * 10_000 * 2 * 2 * 4  # neurons, ticks, numbers, read and written, bytes
    assert bandwidth.bound(case, "float32", 0.0, 1000.0, speed) == pytest.approx(updates / 1e9)
    assert bandwidth.bound(case, "float32", 1e9, 1000.0, speed) == pytest.approx(updates / 1e9 + 2.0)
    assert bandwidth.synapse_bytes(CASES["brunel_stdp"], "float32") == pytest.approx(2 + 0.64 * 8)
    assert [bandwidth.synapse_bytes(CASES["lsm"], dtype) for dtype in ("float64", "float32", "packed")] == [10, 6, 4]


@pytest.mark.slow
def test_packed_weights_are_measured_where_there_are_such():
    settings = compare.Settings(peers=(), dtypes=("float32", "float64", "packed"))
    found, absent = compare._competitors(CASES["microcircuit"], settings)
    assert [each.dtype for each in found] == ["float32", "float64", "packed"] and absent == []
    found, absent = compare._competitors(CASES["cuba"], settings)
    assert [each.dtype for each in found] == ["float32", "float64"] and absent == ["cuba has no weights to pack"]
    case = tiny("microcircuit")
    assert ours.measure(case, 1, "packed")["rates"] == pytest.approx(ours.measure(case, 1)["rates"], rel=0.5, abs=5.0)


def test_a_child_reports_its_result_and_its_failure():
    found = child.run("benchmarks.bandwidth:measure", state=1e4, synapses=1e6, threads=1)
    assert found["triad"] > 1e8 and found["read"] > 1e8
    with pytest.raises(child.Failed, match="no_such_case"):
        child.run("benchmarks.child:measure", peer="neurosim", case="no_such_case", scale=1.0, fraction=1.0, threads=1,
                  dtype="float32")


def test_a_loop_that_is_ten_times_slower_fails(monkeypatch):
    good = {"name": "update", "ns": 0.1, "ratio": 2.0, "most": 8}
    assert kernels.judge([good]) == []
    assert "stopped vectorising" in kernels.judge([good | {"ratio": 20.0}])[0]


class Scalar(ns.Izhikevich):
    """A model whose step calls a function that has no vector form."""

    @property
    def step(self):
        return _scalar_step


def _scalar_step(v, u, due, i, g, i_bias, half, rate_u, b):
    return v + half * (math.sin(v) + i), u + rate_u * (b * v - u), due


def test_a_loop_that_does_not_vectorise_is_noticed(monkeypatch):
    monkeypatch.setattr(kernels, "TICKS", 100)
    model = Scalar(0.02, 0.2, -65.0, 8.0, scheme="published")
    loop = kernels.Loop("update", kernels._update(model, ns.Pulse()), kernels.N, 4, kernels.BOUNDS["izhikevich"])
    assert len(kernels.judge([kernels.measure(loop, "float32")])) == 1


def test_load_judges_and_scaling_fits():
    assert load.judge([{"case": "cuba", "busy": 1, "ratio": 1.2}]) == []
    assert "got 30.00" in load.judge([{"case": "cuba", "busy": 1, "ratio": 30.0}])[0]
    times = {"tick": 500.0, "update": 0.2, "spike": 20.0, "event": 0.7}
    points = [{"neurons": n, "synapses": k, "measured_rate": rate, "seconds": 1e-9 * (
        1e4 * 500.0 + n * 1e4 * 0.2 + n * rate * (20.0 + k * 0.7))}
              for n in (100, 1000) for k in (10, 1000) for rate in (1.0, 50.0)]
    assert scaling.fit(points) == pytest.approx(times)


@pytest.mark.slow
@QUIET
def test_scaling_fires_at_the_rate_that_is_asked_for():
    for rate in (10.0, 100.0):
        found = scaling.point(200.0, 1, neurons=500, synapses=5, rate=rate, spread=1.0)
        assert found["measured_rate"] == pytest.approx(rate, rel=0.05)


@QUIET
def test_sizes_are_built_and_their_events_counted(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(child, "run", lambda function, environment, **job: scale.measured(**job))
    found, good = scale.main(compare.Settings(dtypes=("packed",), peers=(), scale=1e-5), tmp_path)
    (points,) = found["points"].values()
    assert good and [p["synapses"] for p in points] == [1000, 1000, 1000, 1000, 10_000]
    for p in points:
        assert p["rate"] == pytest.approx(scale.RATE, rel=0.05)
        assert p["spikes"] * scale.IN_DEGREE * p["ns"] * 1e-9 == pytest.approx(p["run_cpu"] + p["run_system"])
    assert (tmp_path / "scale.png").stat().st_size > 1000 and "1 thread " in capsys.readouterr().out


def test_statistics_of_known_trains():
    # neuron 0 every 10 ms, neuron 1 with it, neuron 2 in between, neuron 3 never
    regular = np.arange(5.0, 1000.0, 10.0)
    times = np.concatenate([regular, regular, regular + 5.0])
    ids = np.repeat([0, 1, 2], regular.size)
    found = microcircuit_stats.statistics(times, ids, 4, 0.0, 1000.0)
    np.testing.assert_allclose(found["rate"], [100.0, 100.0, 100.0, 0.0])
    np.testing.assert_allclose(found["cv"], 0.0, atol=1e-6)
    assert found["correlation"][0] == pytest.approx(1.0) and (found["correlation"][1:] < 0).all()
    random = np.random.default_rng(0).uniform(0, 1e5, 5000)
    poisson = microcircuit_stats.statistics(random, np.zeros(5000, int), 1, 0.0, 1e5)
    assert poisson["cv"][0] == pytest.approx(1.0, abs=0.05)
    assert microcircuit_stats.distance(random, random) == 0.0


@pytest.mark.parametrize("arguments, sentence", [
    (["nothing"], "WHAT must be of all, learning, cuba"), (["cuba", "--peers", "neuron"], "must be of none, brian2"),
    (["cuba", "--pd14"], "--pd14 is of the microcircuit, got cuba"),
    (["microcircuit", "--pd14", "--seeds", "0"], "must be a whole number >= 1"),
    (["cuba", "--fraction", "0"], "must be > 0"), (["cuba", "--dtype", "half"], "must be of float32, float64, packed")])
def test_a_wrong_command_line_gets_a_sentence(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stopped:
        program.main(arguments)
    assert stopped.value.code == 2 and sentence in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_measures_shows_and_writes(tmp_path):
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, "-m", "benchmarks", "cuba", "--peers", "none", "--fraction", "0.001",
                           "--rounds", "1", "--threads", "1", "--scale", "0.1", "--json", str(tmp_path / "f.json")],
                          cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "f.json").read_text())["cases"][0]
    assert found["rows"][0]["simulate"] > 0 and found["rows"][0]["memory_mb"] > 20
    assert 0 < found["rows"][0]["share_of_bound"] < 2 and "neurosim" in done.stdout


def test_an_earlier_commit_is_unpacked_and_another_is_told(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of the repository, so that there are no commits")
    told = history.unpacked("HEAD", tmp_path)
    assert told and (tmp_path / "benchmarks" / "child.py").is_file() and not (tmp_path / ".git").exists()
    with pytest.raises(SystemExit, match="'no-such-commit' must be a commit of this repository"):
        history.unpacked("no-such-commit", tmp_path)


def test_both_sides_take_turns_and_neighbours_are_compared(monkeypatch, capsys):
    """The machine gets slower by and by; of neighbours one takes 1.2 times as long, whoever begins."""
    turns = []

    def one(root, *_):
        side = "now" if root == child.ROOT else "before"
        turns.append(side)
        return {"simulate": (1.2 if side == "now" else 1.0) * (1.0 + (len(turns) - 1) // 2)}

    monkeypatch.setattr(history, "one", one)
    monkeypatch.setattr(history, "unpacked", lambda commit, folder: commit)
    settings = compare.Settings(rounds=3, against="some", cases=("cuba",))
    found, good = history.main(settings, None)
    assert turns == ["now", "before"] * 2 + ["before", "now", "now", "before"]
    assert not good and found["cuba, 1"]["ratio"] == pytest.approx(1.2) and "slower" in capsys.readouterr().out
