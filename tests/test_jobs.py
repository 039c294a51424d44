"""The main job: what the demo leaves, and the controls beside every accuracy."""

import json
import os

import numpy as np
import pytest

import neurosim as ns
from neurosim.cli import main
from neurosim.jobs import classify, recordings, train

DATA = os.environ.get("NEUROSIM_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="NEUROSIM_DATA is not set: it names the folder of real recordings")


@pytest.mark.slow
def test_the_demo_leaves_its_folder(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path), "--digits", "200", "--seed", "3"]) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"summary.json", "raster.png", "confusion.png", "spikes.h5"}
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["n_train"] == 150 and summary["n_test"] == 50 and summary["seed"] == 3
    assert summary["accuracy"] > 0.8 > 3 * summary["chance"] and 0 < summary["accuracy_on_event_counts"] <= 1
    assert set(summary["wall_s"]) == {"events", "liquid", "readout", "pictures"}
    assert len(ns.Spikes.load(tmp_path / "spikes.h5")) > 1000
    printed = capsys.readouterr().out
    assert "chance" in printed and "event counts" in printed and "95 % interval" in printed


@pytest.mark.slow
def test_the_demo_gives_the_same_for_the_same_seed(tmp_path):
    found = []
    for name in ("a", "b"):
        assert main(["demo", "--out", str(tmp_path / name), "--digits", "60", "--quiet"]) == 0
        summary = json.loads((tmp_path / name / "summary.json").read_text())
        del summary["wall_s"]
        found.append((summary, ns.Spikes.load(tmp_path / name / "spikes.h5").fingerprint()))
    assert found[0] == found[1]


@pytest.mark.parametrize("arguments, sentence", [
    (["demo", "--digits", "5"], "--digits must be a whole number >= 40, got 5"),
    (["train", "nmnist", "--root", "nowhere.zip"], "nowhere.zip"),
    (["train", "nmnist", "--root", "nowhere.zip", "--seeds", "0"], "--seeds must be a whole number >= 1, got 0"),
])
def test_wrong_arguments_end_with_one_sentence(arguments, sentence, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("neurosim: ") and sentence in error


def test_the_rectifier_control_uses_the_input_weights_alone():
    liquid = classify.liquid(classify.Settings(layers=1), seed=1)
    binned = np.zeros((2, 3 * 2312), dtype=np.float32)
    binned[0, 100], binned[1, 2312 + 700] = 2.0, 1.0
    weights = liquid.input_weights.toarray()
    found = classify.rectified(liquid, binned)
    np.testing.assert_allclose(found[0, :100], np.maximum(2 * weights[100], 0), rtol=1e-5)
    np.testing.assert_allclose(found[1, 100:200], np.maximum(weights[700], 0), rtol=1e-5)
    assert not found[0, 100:].any()


def test_the_choice_among_liquids_is_made_on_training_data():
    """One candidate tells the label, but only in the test part: it must not be chosen because of that."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    useless = rng.poisson(3.0, (120, 20)).astype(float)
    useful = rng.poisson(3.0 + 9.0 * labels[:, None], (120, 20)).astype(float)
    cheating = useless.copy()
    cheating[90:] = useful[90:]
    model = classify.choosing_readout([cheating, useful]).fit(classify.numbers(90), labels[:90])
    assert model.choice_ == 1


@pytest.mark.slow
@needs_data
def test_training_on_real_recordings(tmp_path):
    summary = train.run(f"{DATA}/nmnist/N-MNIST_subset.zip", tmp_path, seeds=1, layers=2, quiet=True)
    assert summary["recordings"] == 900 and summary["results"]["liquid, test recordings"]["n_test"] == 100
    assert summary["results"]["liquid"]["accuracy"] > 0.9
    assert 0.85 < summary["results"]["binned input spikes"]["accuracy"] < 0.96
    assert list(summary["by_training_recordings"]) == ["100", "300", "720"]
    assert "static rectifier" in train.table(summary) and (tmp_path / "summary.json").exists()


@needs_data
def test_the_recordings_are_the_official_ones():
    found = recordings.nmnist(f"{DATA}/nmnist/N-MNIST_subset.zip")
    assert len(found.events) == 900 and found.n_train == 800
    assert sum(len(spikes) for spikes in found.spikes()) == sum(map(len, found.events))


@pytest.mark.slow
def test_training_writes_each_seed_as_it_is_done(tmp_path, monkeypatch, capsys):
    """Digits stand for recordings; the third seed is stopped, and what the first two found is there."""
    monkeypatch.setattr(recordings, "nmnist", lambda root: recordings.digits(1, 160))
    monkeypatch.setattr(train, "CURVE", (100,))
    states = train._states

    def stopped(found, samples, binned, layers, seed):
        if seed == 2:
            raise KeyboardInterrupt
        return states(found, samples, binned, layers, seed)

    monkeypatch.setattr(train, "_states", stopped)
    assert main(["train", "nmnist", "--root", "any", "--out", str(tmp_path), "--seeds", "3", "--layers", "1"]) == 130
    assert {file.name for file in tmp_path.iterdir()} == {"summary.json", "confusion.png", "features_seed0.npz",
                                                          "features_seed1.npz"}
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["seeds"] == 2 and len(summary["results"]["liquid"]["by_seed"]) == 2
    kept = np.load(tmp_path / "features_seed1.npz")
    assert kept["states"].shape == (4, 160, 300) and kept["states"].sum() > 0 and len(kept["labels"]) == 160
    told = capsys.readouterr().err
    assert "1 of 7: events ..." in told and "5 of 7: readouts, seed 1 ... about " in told and "s left" in told
