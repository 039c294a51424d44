"""The same description in NEST: the same spikes, and a script that runs by itself."""

import os
import subprocess
import sys

import numpy as np
import pytest
from backend_networks import DURATION, NETWORKS, RULES, SEED, AfterPairSTDP, check_alike, learning, ours, recurrent

import neurosim as ns
from neurosim.errors import UnsupportedError

pytest.importorskip("nest", reason="NEST is not installed; it comes with the extra: pip install -e '.[nest]'")
pytestmark = pytest.mark.filterwarnings("ignore::neurosim.errors.NeurosimWarning")
SAME = [name for name, case in NETWORKS.items() if case[2]]


def theirs(net, dt=0.1, duration=DURATION, **options):
    return ns.backends.run(net, duration, dt, SEED, "nest", **options)


@pytest.mark.parametrize("name", SAME)
def test_spikes_are_the_same_tick_by_tick(name):
    make, dt, _ = NETWORKS[name]
    net = make()
    check_alike(ours(net, dt), theirs(net, dt), least=150)


@pytest.mark.parametrize("name", [name for name, case in NETWORKS.items() if not case[2]])
def test_what_has_another_scheme_in_nest_is_refused(name):
    with pytest.raises(UnsupportedError, match="population 'cells' cannot be run by NEST"):
        theirs(NETWORKS[name][0](), NETWORKS[name][1])


def test_threads_change_nothing():
    net = NETWORKS["jumps"][0]()
    assert theirs(net, threads=2).spikes("cells") == theirs(net).spikes("cells")


@pytest.mark.parametrize("name", [name for name, case in RULES.items() if case[1]])
def test_spikes_through_synapses_that_learn_are_the_same(name):
    net = learning(RULES[name][0])
    result = theirs(net)
    check_alike(ours(net, 0.1), result)
    assert "those of the last arrival" in result.notes[0]
    fixed = ns.Network()  # so that equal spikes say something about weights: without learning they are others
    fixed.populations, fixed.drives, fixed.recorders = net.populations, net.drives, net.recorders
    for projection in net.projections:
        fixed.connect(projection.source, projection.target, projection.rule, weight=projection.weight,
                      delay=projection.delay)
    assert ours(fixed, 0.1).spikes("cells") != result.spikes("cells")


def test_weights_are_the_same_after_a_last_arrival():
    rule = AfterPairSTDP(a_plus=0.01, a_minus=0.012, w_max=2.0, delay="dendritic")
    net = ns.Network()
    rng = np.random.default_rng(3)
    times = [np.unique(rng.integers(1, 3000, 40)) for _ in range(40)]
    times[:20] = [np.append(each, 3500) for each in times[:20]]
    given = [ns.Spikes(ticks=np.concatenate(part), ids=np.repeat(np.arange(20), [len(each) for each in part]), dt=0.1,
                       duration=400.0, size=20) for part in (times[:20], times[20:])]
    source, force = (net.add(ns.SpikeSource(spikes)) for spikes in given)
    cells = net.add(ns.LIF(tau_mem=5.0, v_threshold=0.0, t_ref=0.3), 20)
    net.connect(force, cells, ns.OneToOne(), weight=1e3)
    net.connect(source, cells, weight=ns.Uniform(0.5, 1.5), delay=ns.Uniform(1.0, 5.0), plasticity=rule, name="learns")
    sim = ours(net, 0.1, 400.0)
    np.testing.assert_allclose(theirs(net, duration=400.0).weights("learns"), sim.weights("learns"), atol=1e-12)
    assert np.std(sim.weights("learns")) > 0.2


def test_rules_that_send_the_weight_from_before_are_nests_own_way():
    net = learning(RULES["pairs, dendritic"][0])
    with pytest.raises(UnsupportedError, match="'forward' .* sends the weight from after its change"):
        theirs(net)
    result = theirs(net, scheme="own")
    assert any("sends the weight from after its change" in note for note in result.notes)
    assert len(result.spikes("cells")) == pytest.approx(len(ours(net, 0.1).spikes("cells")), rel=0.2)
    with pytest.raises(UnsupportedError, match="no synapse that learns as PairSTDP"):
        theirs(learning(RULES["nearest pairs"][0]))


@pytest.mark.parametrize(("model", "receptors", "weights"), [
    (ns.LIF(tau_mem=20.0, c_mem=200.0, t_ref=5.0, i_bias=200.0),
     [ns.ExponentialConductance(5.0, 0.0), ns.ExponentialConductance(10.0, -80.0)], [1.0, 3.0]),
    (ns.AdExIF(), [ns.ExponentialCurrent(4.0), ns.ExponentialCurrent(8.0)], [140.0, -40.0])])
def test_own_schemes_of_nest_are_near(model, receptors, weights):
    net = recurrent(model, receptors, weights)
    with pytest.raises(UnsupportedError, match="adaptive Runge-Kutta"):
        theirs(net)
    result, sim = theirs(net, 0.02, 20.0, scheme="own"), ours(net, 0.02, 20.0)
    assert len(sim.spikes("cells")) > 150
    assert len(result.spikes("cells")) == pytest.approx(len(sim.spikes("cells")), rel=0.05)


def test_a_script_runs_without_neurosim(tmp_path):
    net = NETWORKS["a step, drawn time constants"][0]()
    path = ns.backends.script(net, "nest", tmp_path / "network.py", DURATION, 0.1, SEED)
    assert "mpirun -np 4 python network.py" in path.read_text() and "import neurosim" not in path.read_text()
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"NEST_THREADS": "2"}
    done = subprocess.run([sys.executable, "-P", path.name, "30"], cwd=tmp_path, env=env, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in (tmp_path / "network-spikes-0.csv").read_text().splitlines()[1:]]
    found = ns.Spikes.from_times([float(row[2]) for row in rows], [int(row[1]) for row in rows], size=1000,
                                 duration=30.0, dt=0.1)
    assert found == ours(net, 0.1, 30.0).spikes("cells") and len(found) > 1000
