"""States on disk: computed once, and again where anything that made them is another."""

import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import FileError, ParameterError
from neurosim.reservoirs import BinnedCounts, Counts, Liquid, MaassLattice, RandomInput, cached_states


def liquid(seed=1, **options):
    return Liquid(MaassLattice(), RandomInput(40, k=10, weight=8.0), seed=seed, **options)


def recordings(shift=0):
    return [ns.Spikes(ticks=[3 + shift, 9, 9], ids=[k, 2, 30], size=40, dt=1.0, duration=50.0) for k in range(4)]


def test_states_are_computed_once(tmp_path, monkeypatch):
    first = cached_states(liquid(), recordings(), 50.0, folder=tmp_path, threads=1)
    assert np.array_equal(first, liquid().states(recordings(), 50.0, threads=1)) and first.any()
    monkeypatch.setattr(Liquid, "states", lambda *given, **more: pytest.fail("computed again"))
    again = cached_states(liquid(), recordings(), 50.0, folder=tmp_path)
    assert np.array_equal(again, first) and again.dtype == first.dtype


def test_whatever_made_them_makes_another_file(tmp_path):
    class Halves(Counts):
        def vector(self, spikes):
            return 0.5 * super().vector(spikes)

    class Neuron(ns.LIF):
        pass

    cases = [(liquid(), recordings(), 50.0, None, None), (liquid(seed=2), recordings(), 50.0, None, None),
             (liquid(excitation=2.0), recordings(), 50.0, None, None),
             (liquid(neuron=ns.LIF(tau_mem=25.0, v_leak=0.0, v_reset=0.0, v_threshold=20.0)), recordings(), 50.0, None,
              None), (liquid(neuron=Neuron(v_leak=0.0, v_reset=0.0, v_threshold=20.0)), recordings(), 50.0, None, None),
             (liquid(), recordings(1), 50.0, None, None), (liquid(), recordings()[:3], 50.0, None, None),
             (liquid(), recordings(), 40.0, None, None), (liquid(), recordings(), 50.0, BinnedCounts(2), None),
             (liquid(), recordings(), 50.0, BinnedCounts(3), None),
             (liquid(), recordings(), 50.0, Halves(), None), (liquid(), recordings(), 50.0, None, [5, 6, 7, 8])]
    for k, (one, samples, duration, features, keys) in enumerate(cases, 1):
        found = cached_states(one, samples, duration, features, folder=tmp_path, keys=keys, threads=1)
        assert np.array_equal(found, one.states(samples, duration, features, keys=keys, threads=1))
        assert len(list(tmp_path.glob("*.npy"))) == k


def test_what_does_not_fit_gets_one_sentence(tmp_path):
    with pytest.raises(ParameterError, match="liquid must be a Liquid, got 3"):
        cached_states(3, recordings(), 50.0, folder=tmp_path)
    with pytest.raises(ParameterError, match="samples must be Spikes, got 3 as sample 1"):
        cached_states(liquid(), [recordings()[0], 3], 50.0, folder=tmp_path)
    cached_states(liquid(), recordings(), 50.0, folder=tmp_path, threads=1)
    (path,) = tmp_path.glob("*.npy")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FileError, match="is not a file of states or is damaged"):
        cached_states(liquid(), recordings(), 50.0, folder=tmp_path)
