"""Plausible mistakes of the first days: each is answered by one sentence that says what to do, or by a warning."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array

import neurosim as ns
from hardware_models import HfO2
from hardware_models.memristor import CrossbarLayer, Memristor
from hardware_models.sfq.circuit import simulate, triangles
from learning_rules import PairSTDP
from neurosim import analysis, datasets, encoders, readouts, reservoirs, sweep
from neurosim.errors import NeurosimError
from neurosim.readouts import evaluate, ridge, score
from neurosim.reservoirs import states


class Desk:
    """A small network, a simulation of it, and another network's population."""

    def __init__(self):
        self.net = ns.Network()
        self.noise = self.net.add(ns.Poisson(10.0), 20, name="noise")
        self.cells = self.net.add(ns.LIF(), 30, name="cells")
        self.silent = self.net.add(ns.LeakyIntegrator(), 5, name="silent")
        self.syn = self.net.connect(self.noise, self.cells, weight=0.1)
        self.net.record(self.cells)
        self.net.record(self.cells, "v", every=1.0)
        self.sim = ns.Simulation(self.net, dt=0.1)
        self.foreign = ns.Network().add(ns.LIF(), 3, name="stranger")


@pytest.fixture(scope="module")
def desk():
    return Desk()


MISTAKES = {
    # constructors of models and parts
    "misspelt parameter": (lambda d: ns.LIF(tau_mum=3.0),
                           r"LIF: .*'tau_mum'; it takes tau_mem=.*; did you mean 'tau_mem'"),
    "parameter by position": (lambda d: ns.LIF(20.0), "LIF: too many positional arguments; it takes tau_mem="),
    "text for a number": (lambda d: ns.LIF(tau_mem="20 ms"), "LIF.tau_mem must be a finite number > 0 ms.*got '20 ms'"),
    "None for a number": (lambda d: ns.LIF(tau_mem=None), "LIF.tau_mem must be a finite number > 0 ms.*got None"),
    "negative time constant": (lambda d: ns.LIF(tau_mem=-20.0), "LIF.tau_mem must be a finite number > 0 ms, got -20"),
    "unknown option": (lambda d: ns.LIF(reset="zero"), "LIF.reset must be 'to_value' or 'subtract', got 'zero'"),
    "both of two": (lambda d: ns.LIF(r=0.1, c_mem=100.0), "LIF must be given r or c_mem, got both"),
    "required left out": (lambda d: ns.Poisson(), "Poisson: missing a required argument: 'rate'; it takes rate"),
    "bounds the wrong way": (lambda d: ns.Uniform(2.0, 1.0), "Uniform.first must be <= last = 1, got 2"),
    "probability in percent": (lambda d: ns.FixedProbability(20.0), "FixedProbability.p must be .* <= 1, got 20"),
    "half a neighbour": (lambda d: ns.FixedInDegree(2.5), "FixedInDegree.k must be a whole number >= 0, got 2.5"),
    "changed in place": (lambda d: setattr(d.cells.model, "tau_mem", 1.0),
                         "LIF is frozen; make another one with replace"),
    "name with a space": (lambda d: ns.Delta(name="my ampa"), "Delta.name must be a name of letters, digits and _"),
    "misspelt rule parameter": (lambda d: PairSTDP(a_pluss=0.1), "PairSTDP: .*'a_pluss'.*did you mean 'a_plus'"),
    "misspelt device parameter": (lambda d: HfO2(g_mx=1.0), "HfO2: .*'g_mx'.*did you mean 'g_max'"),
    "one Spikes of lists": (lambda d: ns.SpikeSource([1.0, 2.0]), "SpikeSource.spikes must be a Spikes.*from_times"),
    # populations
    "class for an object": (lambda d: d.net.add(ns.LIF, 3), r"got the class LIF instead of an object, LIF\(...\)"),
    "name for a model": (lambda d: d.net.add("LIF", 3), "model must be a neuron model or a source, got 'LIF'"),
    "no size": (lambda d: d.net.add(ns.LIF()), "size of the population must be a whole number .*got None"),
    "size as a float": (lambda d: d.net.add(ns.LIF(), 1e3),
                        "size of the population must be a whole number .*got 1000.0"),
    "number for initial": (lambda d: d.net.add(ns.LIF(), 3, initial=-60), r"such as initial=\{'v': -60\}, got -60"),
    "unknown initial": (lambda d: d.net.add(ns.LIF(), 3, initial={"u": 0.0}), r"state variables of LIF \(v\), got 'u'"),
    "too few values": (lambda d: d.net.add(ns.LIF(tau_mem=[1.0, 2.0]), 3), "one value per neuron, 3, got 2"),
    "name twice": (lambda d: d.net.add(ns.LIF(), 3, name="cells"), "name must be new .*'cells', which is taken"),
    "misspelt option of add": (lambda d: d.net.add(ns.LIF(), 3, initail={}),
                               "add: .*'initail'.*did you mean 'initial'"),
    "backwards": (lambda d: d.cells[::-1], r"a slice, \[0:100\] or \[::2\], .* got \[::-1\]"),
    "members in disorder": (lambda d: d.cells[[3, 1]], r"must ascend, each once, got \[\[3, 1\]\]; sort them"),
    "a mask of another length": (lambda d: d.cells[[True, False]], r"members that ascend, .*got \[\[True, False\]\]"),
    "beyond the end": (lambda d: d.cells[30], r"must be one of 0 \.\. 29, got \[30\]"),
    "empty part": (lambda d: d.cells[5:5], "must hold a neuron; it has 30"),
    "misspelt population": (lambda d: d.net["cell"],
                            "one of 'noise', 'cells', 'silent', got 'cell'; did you mean 'cells'"),
    # connect and drive
    "misspelt weight": (lambda d: d.net.connect(d.noise, d.cells, weigth=1.0),
                        "connect: .*'weigth'.*did you mean 'weight'"),
    "weight by position": (lambda d: d.net.connect(d.noise, d.cells, ns.AllToAll(), 0.5),
                           "connect: too many positional arguments; it takes source, target, rule, weight="),
    "matrix as a rule": (lambda d: d.net.connect(d.noise, d.cells, np.ones((20, 30))), r"Sparse\(matrix\).*Explicit"),
    "sparse as a rule": (lambda d: d.net.connect(d.noise, d.cells, csr_array(np.eye(3))), r"Sparse\(matrix\)"),
    "number as a rule": (lambda d: d.net.connect(d.noise, d.cells, 0.1), r"FixedProbability\(0.1\)"),
    "class as a rule": (lambda d: d.net.connect(d.noise, d.cells, ns.AllToAll), r"got the class AllToAll .*AllToAll\("),
    "onto a source": (lambda d: d.net.connect(d.cells, d.noise), "'noise' is a source of spikes"),
    "from the silent": (lambda d: d.net.connect(d.silent, d.cells), "source must emit spikes, but 'silent'"),
    "another network's": (lambda d: d.net.connect(d.foreign, d.cells), "'stranger' is of another one"),
    "sizes that differ": (lambda d: d.net.connect(d.noise, d.cells, ns.OneToOne()), "OneToOne"),
    "weights of another shape": (lambda d: _run(d.net.copy(), weight=np.ones((30, 20))), r"\(30, 20\)"),
    "weight as text": (lambda d: d.net.connect(d.noise, d.cells, weight="strong"), "weight must be .*got 'strong'"),
    "no delay": (lambda d: d.net.connect(d.noise, d.cells, delay=0.0), "delay must be a finite number > 0 ms"),
    "neuron as a receptor": (lambda d: d.net.connect(d.noise, d.cells, receptor=ns.LIF()),
                             "receptor must be a Receptor"),
    "receptor as a rule": (lambda d: d.net.connect(d.noise, d.cells, plasticity=ns.Delta()), "plasticity must be"),
    "release as a device": (lambda d: d.net.connect(d.noise, d.cells, device=ns.Fixed()), "device must be a Device"),
    "conductance below zero": (lambda d: d.net.connect(d.noise, d.cells, weight=-1.0,
                                                       receptor=ns.ExponentialConductance()),
                               "weight .*must be >= 0 nS"),
    "a source as a drive": (lambda d: d.net.drive(d.cells, ns.Poisson(10.0)),
                            "added with add.* connected with connect"),
    "receptor of a current": (lambda d: d.net.drive(d.cells, ns.InjectedCurrent(1.0), receptor=ns.Delta()),
                              "receptor must be None for a current"),
    # record
    "a list of variables": (lambda d: d.net.record(d.cells, ["v"]),
                            r"one name, such as 'v', got \['v'\]; .*once for each"),
    "unknown variable": (lambda d: d.net.record(d.cells, "u"), "one of spikes, v, got 'u'"),
    "variable of a receptor to come": (lambda d: d.net.record(d.cells, "i_syn"), "once a projection uses it"),
    "unknown synapse variable": (lambda d: d.net.record(d.syn, "wieght"), "must be one of weight, got 'wieght'"),
    "spikes of the silent": (lambda d: d.net.record(d.silent), "never spikes; record 'v'"),
    "twice": (lambda d: d.net.record(d.cells), "recorded once; it is recorded already"),
    "neurons that are not there": (lambda d: d.net.record(d.silent, "v", ids=[5]), r"in 0 \.\. 4"),
    "every without a unit": (lambda d: d.net.record(d.silent, "v", every="1 ms"),
                             "every must be a finite number > 0 ms"),
    "misspelt option of record": (lambda d: d.net.record(d.silent, "v", evry=1.0), "record: .*did you mean 'every'"),
    # simulations
    "population for a network": (lambda d: ns.Simulation(d.cells), "net must be a Network, got"),
    "empty network": (lambda d: ns.Simulation(ns.Network()), "net must have a population; add one"),
    "seed by position": (lambda d: ns.Simulation(d.net, 0.1, 1), "Simulation: too many positional arguments; .*seed="),
    "misspelt seed": (lambda d: ns.Simulation(d.net, sead=1), "Simulation: .*'sead'.*did you mean 'seed'"),
    "seed as a float": (lambda d: ns.Simulation(d.net, seed=1.0), "seed must be a whole number in 0"),
    "no dt": (lambda d: ns.Simulation(d.net, dt=0.0), "dt must be a finite number > 0 ms"),
    "other precision": (lambda d: ns.Simulation(d.net, dtype=np.float16), "dtype must be 'float32' or 'float64'"),
    "duration off the grid": (lambda d: d.sim.run(0.05), "duration must be a multiple of dt = 0.1 ms"),
    "duration as text": (lambda d: d.sim.run("1 s"), "duration must be a finite number of ms, got '1 s'"),
    "progress as text": (lambda d: d.sim.run(1.0, progress="yes"), "progress must be True or False, got 'yes'"),
    "callback alone": (lambda d: d.sim.run(1.0, callback=print), "callback and callback_every must be given together"),
    "misspelt option of run": (lambda d: d.sim.run(1.0, progres=True), "run: .*did you mean 'progress'"),
    "one Spikes for samples": (lambda d: d.sim.run_batch(ns.Spikes.from_trains([[1.0]]), 1.0),
                               "samples must be a list, .* or the number of trials, got Spikes"),
    "trials below zero": (lambda d: d.sim.run_batch(-1, 1.0), "the number of trials must be a whole number >= 0"),
    "spikes not recorded": (lambda d: d.sim.spikes("noise"), "noise"),
    "trace not recorded": (lambda d: d.sim.trace("silent", "v"), "silent"),
    "unknown to set": (lambda d: d.sim.set("cells", tau=3.0), "must be one of v, tau_mem"),
    "several variables at once": (lambda d: d.sim.get("cells", ["v"]), "variable must be the name of a state"),
    "a dict to set": (lambda d: d.sim.set("cells", {"v": -60.0}), "set: too many .*; it takes what, changes by name"),
    "nothing to set": (lambda d: d.sim.set("cells"), "set must be given what to set of 'cells' by name, one of v, "),
    "misspelt setting of a clone": (lambda d: d.sim.clone(sed=3), "clone: .*'sed'; .*; did you mean 'seed'"),
    "None to save to": (lambda d: d.sim.save(None), "path must be the name of a file, a str or a Path, got None"),
    "None to load": (lambda d: ns.Simulation.load(None, d.net), "path must be the name of a file, .* got None"),
    "None to export to": (lambda d: d.sim.export(None), "export.path must be the name of a file, .* got None"),
    "a number to stream to": (lambda d: ns.Network().add(ns.LIF(), 1) and d.net.record(d.noise, to=5),
                              "to must be the name of a file, a str or a Path, got 5"),
    "one key for all": (lambda d: d.sim.run_batch(2, 5.0, keys=3), "keys must be whole numbers, one for each sample"),
    "text to rewire with": (lambda d: d.sim.rewire(d.syn, [0], [1], weight="a", delay=1.0),
                            "rewire.weight must be an array of numbers, got 'a'"),
    "weights of others to rewire": (lambda d: d.sim.rewire(d.syn, [0], [1], weight=[1.0, 2.0], delay=1.0),
                                    "rewire.weight must be a finite number or 1 of them"),
    "modulators by name alone": (lambda d: d.net.connect("noise", "cells", modulators="cells"),
                                 "modulators must be a dict from names of signals to populations, got 'cells'"),
    "a matrix the wrong way round": (lambda d: d.net.connect("noise", "cells", weight=np.ones((30, 20))),
                                     r"\(20, 30\) where it is a matrix, got .*; it is the other way round, give its"),
    "a matrix of another shape": (lambda d: d.net.connect("noise", "cells", delay=np.ones((3, 3))),
                                  r"delay must have shape \(source, target\) = \(20, 30\)"),
    "a variable that was never there": (lambda d: d.sim.trace("cells", "u"), "must be one of spikes, v, got 'u'"),
    # reservoirs, encoders, readouts
    "misspelt option of a liquid": (lambda d: reservoirs.Liquid(reservoirs.MaassLattice(), excitaton=1.0),
                                    "Liquid: .*did you mean 'excitation'"),
    "topology left out": (lambda d: reservoirs.Liquid(reservoirs.RandomInput(40, k=10), reservoirs.MaassLattice()),
                          "Liquid.topology must be a Topology such as MaassLattice"),
    "radius beyond": (lambda d: reservoirs.EchoState(10, 1, spectral_radius=-1.0), "EchoState.spectral_radius must be"),
    "values above one": (lambda d: encoders.PoissonEncoder(100.0).encode(np.full(3, 255.0)), "255"),
    "not a number in the features": (lambda d: readouts.evaluate(readouts.ridge(), [[1.0], [np.nan]], [0, 1], folds=2),
                                     "finite numbers, got .*nan.* in feature 0 of sample 1"),
    "a rare class": (lambda d: readouts.evaluate(readouts.ridge(), np.eye(4), [0, 0, 0, 1], folds=2),
                     "at least folds = 2 samples, got 1 of class"),
    "no seeds": (lambda d: readouts.evaluate(readouts.ridge(), np.eye(4), [0, 0, 1, 1], folds=2, seeds=0),
                 "evaluate.seeds"),
    "a class for a classifier": (lambda d: evaluate(ridge, np.eye(20), np.arange(20) % 2),
                                 r"evaluate.model must be a scikit-learn classifier, such as ridge\(\), got"),
    "text for seeds": (lambda d: evaluate(ridge(), np.eye(20), np.arange(20) % 2, folds=2, seeds="a"),
                       "each of evaluate.seeds must be a whole number"),
    "augment of other samples": (lambda d: evaluate(ridge(), np.eye(20), np.arange(20) % 2, folds=2,
                                                    augment={"more": np.eye(3)}), r"must have the shape of X, \(20"),
    "a classifier that is not fitted": (lambda d: score(ridge(), np.eye(20), np.arange(20) % 2, 5),
                                        r"score.model must be fitted before, by model.fit\(X, y\)"),
    "too few labels": (lambda d: score(ridge(), np.eye(20), [0, 1], 5), "score.y must have one label for each"),
    "one sample for many": (lambda d: states(d.sim, ns.Spikes(ticks=[], ids=[], size=1, dt=0.1, duration=1.0), 5.0),
                            "samples must be a list of Spikes, one recording each"),
    # analysis, plots, sweeps, files
    "an array to analyse": (lambda d: analysis.spike_distance(np.zeros(3)), "spike_distance.spikes must be a Spikes"),
    "no cost": (lambda d: analysis.victor_purpura(ns.Spikes.from_trains([[1.0]]), "free"), "cost must be a finite"),
    "one recording as trials": (lambda d: analysis.psth(d.sim, 10.0), "psth.trials must be a list of Spikes"),
    "nothing to draw": (lambda d: ns.plot.raster(None), "plot.spikes must be Spikes"),
    "a figure of another kind": (lambda d: ns.plot.save(None, "figure.jpg"), "must end in .png or .pdf or .svg"),
    "an unknown setting": (lambda d: ns.plot.style(font_sise=3), "settings of matplotlib, such as font_size=11"),
    "a result as a function": (lambda d: sweep.sweep(5, {"a": [1]}), "sweep.function must be a function, got 5"),
    "a file that is not there": (lambda d: ns.Spikes.load("nowhere.h5"), "nowhere.h5"),
    "a state of nowhere": (lambda d: d.sim.restore(5), r"state must be what sim.state\(\) returned, got 5"),
    "a misspelt projection": (lambda d: d.sim.weights("noise->cells"), "projection must be one of"),
    "recordings that are not there": (lambda d: datasets.NMNIST("/nowhere", train=True), "/nowhere does not exist"),
    # devices and rules
    "bounds of a device": (lambda d: Memristor(g_min=30.0, g_max=25.0), "Memristor.g_min must be < g_max = 25 uS"),
    "more than all stuck": (lambda d: Memristor(stuck_on=5.0), "Memristor.stuck_on must be .* <= 1, got 5"),
    "weights as text": (lambda d: CrossbarLayer("weights", Memristor()), "weights"),
    "no junctions": (lambda d: simulate(5, 10.0), "simulate.circuit must be a Circuit, .*got 5"),
    "a rate of nothing": (lambda d: PairSTDP(tau_plus=0.0), "PairSTDP.tau_plus must be a finite number > 0 ms"),
}


def _run(net, **options):
    net.connect("noise", "cells", name="another", **options)
    ns.Simulation(net)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_by_one_sentence(desk, name):
    act, message = MISTAKES[name]
    with pytest.raises((NeurosimError, AttributeError), match=message) as caught:
        act(desk)
    text = str(caught.value)
    assert "\n" not in text and "Traceback" not in text and len(text) < 500


def test_there_are_many():
    assert len(MISTAKES) >= 60


DOUBTFUL = {
    "a tick in s": (lambda n: ns.Simulation(n, dt=1e-4), "dt is 0.0001 ms; if 0.0001 s are meant, give 0.1"),
    "tau in s": (lambda d: ns.LIF(tau_mem=0.02), r"LIF.tau_mem is 0.02 ms; if 0.02 s are meant, give 20$"),
    "taus in s": (lambda d: ns.ExponentialCurrent([0.005, 0.01]), "tau_syn is 0.005 ms; if 0.005 s are meant, give 5$"),
    "refractory in s": (lambda d: ns.LIF(t_ref=0.002), "t_ref is 0.002 ms; if 0.002 s are meant, give 2$"),
    "threshold in V": (lambda d: ns.LIF(v_threshold=-0.055),
                       "v_threshold is -0.055 mV; if -0.055 V are meant, give -55$"),
    "reversal in V": (lambda d: ns.ExponentialConductance(e_rev=-0.08), "e_rev is -0.08 mV; if -0.08 V"),
    "resistance in Ohm": (lambda d: ns.LIF(r=1e8), r"LIF.r is 1e\+08 GOhm; if 1e\+08 Ohm are meant, give 0.1$"),
    "capacitance in F": (lambda d: ns.LIF(c_mem=2e-10), "c_mem is 2e-10 pF; if 2e-10 F are meant, give 200$"),
    "leak in S": (lambda d: ns.AdExIF(g_leak=30e-9), "g_leak is 3e-08 nS; if 3e-08 S are meant, give 30$"),
    "current in A": (lambda d: ns.InjectedCurrent(2e-10), "amplitude is 2e-10 pA; if 2e-10 A are meant, give 200$"),
    "weight in S": (lambda d: d.connect("noise", "cells", weight=2e-9, receptor=ns.ExponentialConductance()),
                    "weight is 2e-09 nS; if 2e-09 S are meant, give 2$"),
    "delay of hours": (lambda d: d.connect("noise", "cells", delay=1e6), "delay of 1e.06 ms, which is 1000 s"),
    "threshold below reset": (lambda d: ns.LIF(v_threshold=-75.0), "v_reset should be <= v_threshold"),
    "noise in percent": (lambda d: Memristor(read_noise=5.0), "read_noise is 5, a share; if 5 % are meant, give 0.05$"),
    "conductance in S": (lambda d: Memristor(g_max=1e-4), "g_max is 0.0001 uS; if 0.0001 S are meant, give 100$"),
    "times of a circuit in s": (lambda d: triangles([30e-12], 0.5, 3.0), "times is 3e-11 ps; if 3e-11 s are meant"),
    "bins in microseconds": (lambda d: reservoirs.BinnedCounts(edges=[1e5, 2e5]).vector(
        ns.Spikes.from_trains([[1.0]], duration=316.0)), "edges begin at 100000 ms, .* at 316 ms, .*edges are in ms"),
    "a liquid that is silent": (lambda d: reservoirs.Liquid(
        reservoirs.MaassLattice((3, 3, 3)), reservoirs.RandomInput(4, k=2, weight=0.001)).states(
            [ns.Spikes.from_trains([[1.0]] * 4, dt=1.0, duration=9.0)], 9.0), "'liquid' has not spiked in any of 1 s"),
    "tau below dt": (lambda d: ns.Simulation(_one(ns.LIF(tau_mem=0.2)), dt=1.0),
                     "LIF.tau_mem of 'one' is 0.2 ms, less than dt = 1 ms"),
}


def _one(model):
    net = ns.Network()
    net.add(model, 1, name="one")
    return net


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_was_probably_meant_otherwise_is_warned_about(desk, name):
    act, message = DOUBTFUL[name]
    with pytest.warns(ns.NeurosimWarning, match=message):
        act(desk.net.copy())


def test_published_numbers_are_not_doubted():
    """The smallest and largest that models in the literature have."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ns.NeurosimWarning)
        ns.LIF(tau_mem=10.0, c_mem=250.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0, t_ref=0.0)
        ns.LIF(tau_mem=0.1, r=1.0, v_leak=0.0, v_reset=0.0, v_threshold=20.0, t_ref=0.1)
        ns.TsodyksMarkram(tau_facil=1e-6)
        ns.AdExIF(g_leak=30.0, a=0.001)
        ns.ExponentialConductance(0.3, e_rev=0.0)
        ns.Izhikevich(0.02, 0.2, -65.0, 8.0)
        reservoirs.brunel(scale=0.01)
        reservoirs.potjans_diesmann(0.01)
        reservoirs.vogels_abbott(scale=0.02)
        reservoirs.maass_column(4)
        reservoirs.nalsm_liquid(10, shape=(3, 3, 3))


def test_a_wrong_quantity_under_a_shared_name_is_answered_by_what_all_have():
    net = ns.Network()
    cells = net.add(ns.LIF(), 3, name="x")
    net.connect(net.add(ns.Poisson(1.0), 3), cells, weight=1.0, name="x")
    with pytest.raises(ns.ParameterError, match="variable of 'x' must be one of spikes, v, weight, got 'wieght'"):
        net.record("x", "wieght")
    net.record("x")
    net.record("x", "weight", every=1.0)
    sim = ns.Simulation(net)
    with pytest.raises(ns.ParameterError, match="name of 'x' must be one of v, tau_mem, .*, weight, got 'wieght'"):
        sim.set("x", wieght=2.0)
    sim.set("x", weight=2.0)
    sim.set("x", v=-60.0)
    assert (sim.weights("x") == 2.0).all() and (sim.get("x", "v") == -60.0).all()
