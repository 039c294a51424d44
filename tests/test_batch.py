"""Many inputs: every sample from the same state, in any order, on any number of threads, as if it were alone."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import neurosim as ns
from neurosim.contracts import Plasticity

ROOT = Path(__file__).resolve().parent.parent
N_IN, TICKS, DT = 150, 60, 0.5
SILENT = ns.Spikes(ticks=[], ids=[], size=N_IN, dt=DT, duration=TICKS * DT)


def network(spikes=SILENT, noisy=False, to=None):
    net = ns.Network()
    source = net.add(ns.SpikeSource(spikes), name="source")
    cells = net.add(ns.LIF(tau_mem=12.0, t_ref=1.0), 200, name="cells")
    net.connect(source, cells, ns.FixedProbability(0.2), weight=ns.Normal(2.0, 0.5), delay=1.5, name="in")
    net.connect(cells, cells, ns.FixedProbability(0.1), weight=0.5, delay=ns.Uniform(0.5, 8.0), name="back",
                release=ns.TsodyksMarkram(u_0=0.5, tau_rec=40.0))
    if noisy:
        net.drive(cells, ns.PoissonDrive(rate=900.0, weight=0.7))
        net.drive(cells[30:], ns.OUCurrent(mean=50.0, std=40.0, tau=3.0))
        net.record(net.add(ns.Poisson(rate=30.0), 140, name="noise"))
    net.record(cells, to=to)
    net.record(cells, "v", every=2.5, ids=[0, 3, 199])
    net.record(net.projection("back"), "resources", every=10.0)
    return net


def simulate(threads=1, before=0.0, **options):
    sim = ns.Simulation(network(**options), dt=DT, seed=5, threads=threads)
    sim.run(before)
    return sim


def random_spikes(seed, n=250, size=N_IN, crowd=0, shift=0):
    rng = np.random.default_rng(seed)
    ticks, ids = rng.integers(1, TICKS + 1, n), rng.integers(0, size, n)
    ticks[:crowd], ids[:crowd] = 7, 3
    return ns.Spikes(ticks=ticks + shift, ids=ids, size=size, dt=DT, duration=TICKS * DT, start=shift * DT)


SAMPLES = [random_spikes(k, 200 + 10 * k) for k in range(6)]


def seen(result):
    found = [result.spikes("cells").fingerprint()]
    for what, variable in (("cells", "v"), ("back", "resources")):
        times, values = result.trace(what, variable)
        found += [times.tobytes(), values.shape, values.tobytes()]
    return found


@pytest.mark.parametrize("threads", [1, 2])
def test_a_sample_is_what_a_run_of_its_own_gives(threads):
    results = simulate(threads).run_batch(SAMPLES, TICKS * DT, threads=2)
    for k, (sample, result) in enumerate(zip(SAMPLES, results, strict=True)):
        alone = simulate(spikes=sample)
        alone.run(TICKS * DT)
        assert len(result.spikes("cells")) > 20 and (result.index, result.key) == (k, k)
        assert seen(result) == seen(alone)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_sample_begins_at_the_present_state(threads):
    before = random_spikes(99)
    sim = simulate(threads, before=TICKS * DT, spikes=before)
    sim.set("cells", i_bias=30.0)
    sim.set("in", weight=sim.weights("in") * 1.2)
    sim.set("back", u_0=0.6)
    state, marks = sim.state(), sim.spikes("cells").fingerprint()
    result = sim.run_batch(SAMPLES[:2], TICKS * DT)[1]
    assert sim.tick == TICKS and sim.spikes("cells").fingerprint() == marks
    assert all(np.array_equal(a, b) for a, b in zip(state.arrays.values(), sim.state().arrays.values(), strict=True))

    alone = simulate(before=TICKS * DT, spikes=before.merge(SAMPLES[1].shift(TICKS * DT)))
    alone.set("cells", i_bias=30.0)
    alone.set("in", weight=alone.weights("in") * 1.2)
    alone.set("back", u_0=0.6)
    alone.run(TICKS * DT)
    late = alone.spikes("cells").between(TICKS * DT).shift(-TICKS * DT)
    assert result.spikes("cells") == late and len(late) > 20
    times, values = result.trace("cells", "v")
    old_times, old_values = alone.trace("cells", "v")
    assert np.array_equal(times, np.arange(13) * 2.5) and np.array_equal(values, old_values[old_times >= TICKS * DT])
    sim.run(5.0)
    assert sim.time == 35.0


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_set_for_a_sample_is_set_for_it_alone(threads):
    silent = {"v_threshold": 1e3}
    changes = [{}, {"cells": {"i_bias": 30.0, "v": -61.0}}, {},
               {"back": {"u_0": 0.9, "weight": 1.1}, "in": {"weight": 9.0}}, {"silent": silent}, {}]
    sim = simulate(threads)
    part = sim.net["cells"][5:50]
    given = [{part if what == "silent" else what: values for what, values in each.items()} for each in changes]
    before = sim.state()
    results = sim.run_batch([SAMPLES[0]] * 6, TICKS * DT, changes=given, keys=[3] * 6, threads=2)
    for each, result in zip(changes, results, strict=True):
        alone = simulate(spikes=SAMPLES[0])
        for what, values in each.items():
            alone.set(alone.net["cells"][5:50] if what == "silent" else what, **values)
        alone.run(TICKS * DT)
        assert seen(result)[0] == seen(alone)[0] and seen(result)[-1] == seen(alone)[-1]
    counts = [result.spikes("cells").counts() for result in results]
    assert not counts[4][5:50].any() and counts[0][5:50].any() and np.array_equal(counts[0], counts[5])
    assert all(np.array_equal(a, b) for a, b in zip(before.arrays.values(), sim.state().arrays.values(), strict=True))
    assert not sim.state().changes


@pytest.mark.parametrize(("changes", "message"), [
    ({"cells": {}}, "changes must be a list, with a dict from what is set to values for each sample"),
    ([{}], "changes must be one for each of the 2 samples, got 1"),
    ([{}, {"cells": 3.0}], "what is set for a sample must be new values by name, got 3.0"),
    ([{}, {"cells": {"v_treshold": 3.0}}], "sample 1: what is set of 'cells' must be one of .*, got 'v_treshold'"),
    ([{}, {"cell": {"v": 3.0}}], "cell"),
])
def test_what_cannot_be_set_for_a_sample(changes, message):
    with pytest.raises(ns.NeurosimError, match=message):
        simulate().run_batch(SAMPLES[:2], TICKS * DT, changes=changes)


_sims = {}


def noisy(threads):
    if threads not in _sims:
        _sims[threads] = simulate(threads, before=20.0, noisy=True)
    return _sims[threads]


def noisy_seen(result):
    return [*seen(result), result.spikes("noise").fingerprint()]


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck),
          phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(order=st.permutations(range(6)), part=st.integers(1, 6), workers=st.integers(1, 3),
       threads=st.sampled_from([1, 2]))
def test_neither_order_nor_company_nor_threads_matter(order, part, workers, threads):
    reference = [noisy_seen(result) for result in noisy(1).run_batch(SAMPLES, TICKS * DT, threads=1)]
    chosen = order[:part]
    results = noisy(threads).run_batch([SAMPLES[k] for k in chosen], TICKS * DT, keys=chosen, threads=workers)
    assert [noisy_seen(result) for result in results] == [reference[k] for k in chosen]


def test_trials_differ_in_their_random_numbers_alone():
    given = noisy(1).run_batch([{}] * 3, TICKS * DT)
    trials = noisy(1).run_batch(3, TICKS * DT)
    assert [noisy_seen(each) for each in trials] == [noisy_seen(each) for each in given]
    assert len({trial.spikes("cells") for trial in trials}) == 3 and noisy(1).run_batch(0, 10.0) == []


def test_keys_select_the_noise():
    a, b, c = noisy(1).run_batch([SAMPLES[0]] * 3, TICKS * DT, keys=[4, 4, 5])
    assert noisy_seen(a) == noisy_seen(b) and a.spikes("noise") != c.spikes("noise") and seen(a) != seen(c)
    alone = noisy(1).run_batch([SAMPLES[0]], TICKS * DT, keys=[np.int64(2**32 - 2)])[0]
    assert alone.spikes("noise") not in (a.spikes("noise"), c.spikes("noise"))


def test_more_spikes_in_a_tick_than_neurons_find_room():
    crowded = random_spikes(3, n=1500, crowd=1000)
    assert (np.bincount(crowded.ticks) > N_IN).any()
    results = simulate().run_batch([SAMPLES[0], crowded, SAMPLES[0]], TICKS * DT, threads=1)
    alone = simulate(spikes=crowded)
    alone.run(TICKS * DT)
    assert seen(results[1]) == seen(alone)
    assert seen(results[0]) == seen(results[2]) == seen(simulate().run_batch([SAMPLES[0]], TICKS * DT)[0])


def two_sources():
    net = ns.Network()
    a, b = (net.add(ns.SpikeSource(random_spikes(k, size=20)), name=name) for k, name in enumerate("ab"))
    net.record(a)
    net.record(b)
    return net, a, b


def test_sources_that_a_sample_does_not_name_keep_their_spikes():
    net, a, b = two_sources()
    mine = random_spikes(8, size=20)
    results = ns.Simulation(net, dt=DT).run_batch([{a: mine}, {}, {"b": mine}], TICKS * DT, threads=1)
    given_ = [(r.spikes(a), r.spikes(b)) for r in results]
    assert given_ == [(mine, b.model.spikes), (a.model.spikes, b.model.spikes), (a.model.spikes, mine)]


def test_exact_times_are_put_on_the_grid():
    exact = ns.Spikes.from_times(SAMPLES[0].times, SAMPLES[0].ids, size=N_IN, duration=TICKS * DT)
    a, b = simulate().run_batch([exact, SAMPLES[0]], TICKS * DT)
    assert seen(a) == seen(b)


def test_spikes_after_the_end_are_told():
    with pytest.warns(ns.NeurosimWarning, match=r"sample 0 has \d+ spikes for 'source' after the duration .* 10 ms"):
        simulate().run_batch(SAMPLES[:1], 10.0)


class Rule(Plasticity):
    """Grows at every arrival."""

    @staticmethod
    def on_source(weight):
        return weight + 0.05


def test_what_a_sample_learns_is_gone_at_its_end():
    net = network()
    source, cells = net.population("source"), net.population("cells")
    net.connect(source, cells, weight=0.1, delay=1.0, plasticity=Rule(), name="learner")
    sim = ns.Simulation(net, dt=DT)
    together = sim.run_batch(SAMPLES, TICKS * DT)
    alone = [sim.run_batch([sample], TICKS * DT, keys=[k])[0] for k, sample in enumerate(SAMPLES)]
    assert [a.spikes(cells) for a in together] == [a.spikes(cells) for a in alone]
    state = sim.state()
    for k, sample in enumerate(SAMPLES):
        sim.restore(state, sample=k)
        sim.give(source, sample)
        sim.run(TICKS * DT)
        assert sim.spikes(cells) == together[k].spikes(cells)
    assert (sim.weights("learner") > 0.1).any()
    sim.restore(state, keep=["learner"])
    assert (sim.weights("learner") > 0.1).any()
    sim.restore(state)
    assert (sim.weights("learner") == np.float32(0.1)).all()


def test_what_is_streamed_is_refused(tmp_path):
    with pytest.raises(ns.UnsupportedError, match="spikes of cells is streamed to .*record it without to="):
        simulate(before=1.0, to=tmp_path / "s.h5").run_batch(SAMPLES, TICKS * DT)


@pytest.mark.parametrize(("samples", "options", "message"), [
    ([SILENT, 3], {}, "sample 1 must be Spikes or a dict"),
    ([{"cells": SILENT}], {}, "sample 0 must name populations of SpikeSource \\('source'\\), got 'cells'"),
    ([{"source": [1.0]}], {}, "sample 0 must hold Spikes"),
    ([SILENT, random_spikes(0, size=9)], {}, "sample 1: spikes for 'source' must be of 150 neurons, got 9"),
    ([SILENT], {"keys": [1, 2]}, "keys must be one for each of the 1 samples, got 2"),
    ([SILENT], {"keys": [-1]}, "keys must be whole numbers in 0 .. 2\\^32 - 2"),
    ([SILENT], {"keys": [2**32 - 1]}, "keys must be whole numbers"),
    ([SILENT], {"threads": 0}, "threads must be a whole number >= 1 and <= 256, got 0"),
])
def test_what_does_not_fit_is_refused(samples, options, message):
    with pytest.raises(ns.ParameterError, match=message):
        simulate().run_batch(samples, TICKS * DT, **options)


def test_spikes_for_two_sources_must_say_for_which():
    net, *_ = two_sources()
    with pytest.raises(ns.ParameterError, match="sample 0 must be a dict .* 2 populations of SpikeSource"):
        ns.Simulation(net, dt=DT).run_batch([random_spikes(0, size=20)], TICKS * DT)


def test_a_value_that_is_not_finite_names_the_sample():
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes(ticks=[], ids=[], size=2, dt=DT, duration=1.0)), name="source")
    cells = net.add(ns.LIF(), 4, name="cells")
    net.connect(source, cells, ns.Explicit([0, 1, 1], [0, 2, 2]), weight=[1.0, 3e38, 3e38], delay=1.0,
                receptor=ns.ExponentialCurrent(5.0))
    good, bad = (ns.Spikes(ticks=[2], ids=[k], size=2, dt=DT, duration=10.0) for k in range(2))
    with pytest.raises(ns.SimulationError, match="^sample 2: i_syn of neuron 2 of 'cells' became inf"):
        ns.Simulation(net, dt=DT).run_batch([good, good, bad, good], 10.0)


def test_results_that_do_not_fit_are_refused():
    net = network()
    sim = ns.Simulation(net, dt=DT, memory_limit=1000.0)
    with pytest.raises(ns.SimulationError, match="results of the batch need .* record every="):
        sim.run_batch(SAMPLES, TICKS * DT)


def test_an_empty_batch_and_a_progress_bar(capsys, monkeypatch):
    monkeypatch.setenv("NEUROSIM_PROGRESS", "1")
    assert simulate().run_batch([], 10.0) == []
    assert len(simulate().run_batch(SAMPLES[:3], TICKS * DT, progress=True)) == 3
    assert "3/3 samples" in capsys.readouterr().err


def test_the_order_of_results_is_that_of_samples():
    rng = np.random.default_rng(1)
    samples = [random_spikes(k, int(n)) for k, n in enumerate(rng.integers(0, 600, 40))]
    net = ns.Network()
    net.record(net.add(ns.SpikeSource(SILENT), name="source"))
    results = ns.Simulation(net, dt=DT).run_batch(samples, TICKS * DT, threads=4)
    assert [r.spikes("source") for r in results] == samples and [r.index for r in results] == list(range(40))


def test_a_failure_leaves_no_thread_behind():
    before = threading.active_count()
    with pytest.raises(ns.ParameterError, match="sample 1"):
        simulate().run_batch([SILENT, random_spikes(0, size=9), SILENT], TICKS * DT, threads=2)
    assert threading.active_count() == before


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT between processes")
def test_ctrl_c_stops_a_batch():
    text = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]
from test_batch import SAMPLES, DT, TICKS, seen, simulate
import threading
sim = simulate()
first = sim.run_batch(SAMPLES[:1], TICKS * DT)
try:
    print("running", flush=True)
    sim.run_batch(SAMPLES * 5000, TICKS * DT, threads=2)
except KeyboardInterrupt:
    again = sim.run_batch(SAMPLES[:1], TICKS * DT)
    print(threading.active_count(), seen(again[0]) == seen(first[0]), flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout.readline() == "running\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output == "1 True\n"


def calls_of_a_sample(neurons, spikes):
    """How many calls of Python functions one more sample of a batch takes."""
    rng = np.random.default_rng(0)
    net = ns.Network()
    source = net.add(ns.SpikeSource(ns.Spikes(ticks=[], ids=[], size=100, dt=1.0, duration=1.0)), name="source")
    cells = net.add(ns.LIF(), neurons, name="cells")
    net.connect(source, cells, ns.FixedProbability(0.01), weight=ns.Normal(1.0, 0.1), delay=1.0)
    net.record(cells)
    samples = [ns.Spikes(ticks=rng.integers(1, 301, spikes), ids=rng.integers(0, 100, spikes), size=100, dt=1.0,
                         duration=300.0) for _ in range(8)]
    sim = ns.Simulation(net, dt=1.0)
    sim.run_batch(samples, 300.0, threads=1)

    def calls(samples):
        counted = itertools.count()
        threading.setprofile(lambda frame, happened, _: next(counted) if happened == "call" else None)
        try:
            sim.run_batch(samples, 300.0, threads=1)  # its thread is profiled; the one that waits for it is not
        finally:
            threading.setprofile(None)
        return next(counted)

    return (calls(samples) - calls(samples[:4])) / 4


def test_what_a_sample_costs_besides_the_loop_does_not_grow():
    """Neither with neurons nor with spikes; Python functions are counted, for a clock depends on the machine."""
    few = calls_of_a_sample(neurons=100, spikes=400)
    assert few == calls_of_a_sample(neurons=2000, spikes=8000)
    assert few < 200  # 0.2 ms
