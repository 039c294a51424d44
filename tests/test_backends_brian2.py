"""The same description in Brian2: the same spikes, traces and weights."""

import numpy as np
import pytest
from backend_networks import DURATION, NETWORKS, RULES, SEED, check_alike, learning, ours, recurrent

import neurosim as ns
from neurosim.errors import ParameterError, SimulationError, UnsupportedError

pytest.importorskip("brian2", reason="Brian2 is not installed; it comes with the extra: pip install -e '.[brian2]'")
pytestmark = [pytest.mark.filterwarnings("ignore::neurosim.errors.NeurosimWarning"),
              pytest.mark.filterwarnings("ignore::DeprecationWarning:(brian2|pyparsing)")]


def theirs(net, dt=0.1, duration=DURATION, **options):
    return ns.backends.run(net, duration, dt, SEED, "brian2", **{"target": "numpy", **options})


@pytest.mark.parametrize("name", NETWORKS)
def test_spikes_are_the_same_tick_by_tick(name):
    make, dt, _ = NETWORKS[name]
    net = make()
    check_alike(ours(net, dt), theirs(net, dt), least=150)


@pytest.mark.parametrize("name", RULES)
def test_weights_that_learn_are_the_same(name):
    net = learning(RULES[name][0])
    sim, result = ours(net, 0.1), theirs(net)
    check_alike(sim, result)
    for projection in ("forward", "back"):
        before = ns.resolve(net, 0.1, SEED).projections[projection].values["weight"]
        after = sim.synapses(projection).weight
        assert np.mean(np.abs(after - before) > 1e-6) > 0.3
        np.testing.assert_allclose(result.weights(projection), after, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(result.synapses(projection).source, sim.synapses(projection).source)
        np.testing.assert_array_equal(result.synapses(projection).delay, sim.synapses(projection).delay)


def test_axons_of_hodgkin_and_huxley_are_the_same():
    net = recurrent(ns.HodgkinHuxley(), [ns.ExponentialCurrent(4.0), ns.NMDA()], [80.0, 4.0])
    check_alike(ours(net, 0.1, 15.0), theirs(net, 0.1, 15.0), least=150)


@pytest.mark.parametrize("name", ["currents", "jumps", "conductances", "cleared currents"])
def test_equations_that_brian2_solves_itself_spike_the_same(name):
    make, dt, _ = NETWORKS[name]
    net = make()
    result = theirs(net, dt, scheme="own")
    check_alike(ours(net, dt), result, least=150)
    assert result.notes == () and result.simulator.startswith("Brian2 ")


@pytest.mark.parametrize(("model", "receptors", "weights"), [
    (ns.AdExIF(), [ns.ExponentialCurrent(4.0), ns.ExponentialConductance(5.0, -80.0)], [140.0, 2.0]),
    (ns.Izhikevich(scheme="fine"), [ns.Delta(), ns.Delta()], [3.0, -1.0]),
    (ns.GeneralIzhikevich(scheme="fine"), [ns.ExponentialCurrent(4.0), ns.NMDA()], [120.0, 2.0]),
    (ns.QuadraticIF(i_bias=200.0), [ns.ExponentialCurrent(4.0), ns.ExponentialCurrent(8.0)], [20.0, -20.0])])
def test_models_with_steps_of_their_own_are_near_where_ticks_are_short(model, receptors, weights):
    net = recurrent(model, receptors, weights)
    with pytest.raises(UnsupportedError, match="population 'cells' cannot be run by Brian2: .*scheme='own'"):
        theirs(net)
    result = theirs(net, 0.02, 20.0, scheme="own")
    sim = ours(net, 0.02, 20.0)
    assert len(sim.spikes("cells")) > 150
    assert len(result.spikes("cells")) == pytest.approx(len(sim.spikes("cells")), rel=0.05)
    assert "in sub-steps" in result.notes[0]


def refused(net, words, **options):
    with pytest.raises(UnsupportedError, match=words):
        theirs(net, **options)


def small(model=None, **connect):
    net = ns.Network()
    source = net.add(ns.Poisson(500.0), 50, name="source")
    cells = net.add(model or ns.LIF(), 20, name="cells")
    net.connect(source, cells, weight=0.5, name="in", **connect)
    return net


def test_what_brian2_cannot_express_is_refused_by_name():
    refused(small(ns.StochasticLIF()), "'cells' .* StochasticLIF draws a random number at every tick")
    refused(small(release=ns.TsodyksMarkram()), "projection 'in' .* TsodyksMarkram")
    refused(small(plasticity=RULES["pairs"][0]), "'source' sends several spikes at one tick", dt=1.0)
    refused(small(plasticity=RULES["pairs"][0].replace(compensated=True)), "PairSTDP has variables of its own")
    refused(small(receptor=ns.ExponentialCurrent(10.0)), "divides by their difference", scheme="own")
    refused(small(ns.Theta()), "Theta for Brian2", scheme="own")
    coupled = small()
    coupled.couple("cells", "cells", ns.FixedTotal(5), conductance=1.0, name="gaps")
    refused(coupled, "gap junctions 'gaps'")
    both = small(plasticity=RULES["pairs"][0])
    both.connect("cells", "cells", plasticity=RULES["pairs, dendritic"][0], weight=0.1)
    refused(both, "both delays, axonal and dendritic", dt=0.01, duration=1.0)
    streamed = small()
    streamed.record("cells", "v", to="here.h5")
    refused(streamed, "recording of 'cells' to a file")


def test_values_that_are_not_finite_stop_a_run():
    net = ns.Network()
    cells = net.add(ns.GeneralIzhikevich(scheme="published", v_peak=1e300), 2, name="cells")
    net.drive(cells, ns.InjectedCurrent(1e6))
    with pytest.raises(SimulationError, match="of 'cells' became infinite or undefined in Brian2"):
        theirs(net, 1.0, 20.0)


def test_options_are_named():
    with pytest.raises(ParameterError, match="options of Brian2 are target, folder, threads, got 'thread'"):
        theirs(small(), thread=2)
    with pytest.raises(ParameterError, match="target must be one of numpy, cython, cpp_standalone, got 'gpu'"):
        theirs(small(), target="gpu")


def test_brian2_is_left_as_it_was_found():
    import brian2 as b2

    before = b2.prefs.codegen.target, b2.get_device()
    theirs(small(), duration=5.0)
    assert (b2.prefs.codegen.target, b2.get_device()) == before


@pytest.mark.slow
@pytest.mark.parametrize("target", ["cython", "cpp_standalone"])
def test_compiled_programs_spike_the_same(target, tmp_path):
    net = NETWORKS["currents"][0]()
    check_alike(ours(net, 0.1), theirs(net, target=target, folder=str(tmp_path)), least=150)
    net = learning(RULES["pairs, after"][0])
    sim, result = ours(net, 0.1), theirs(net, target=target, folder=str(tmp_path / "again"))
    check_alike(sim, result)
    np.testing.assert_allclose(result.weights("back"), sim.synapses("back").weight, rtol=0, atol=1e-12)
