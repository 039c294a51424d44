"""Every script in examples/ runs, prints numbers, and leaves a picture."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
SMALL = {"long_memories": ["--quick", "--seeds", "2"],
         "black_boxes": ["--quick", "--seeds", "2"],
         "continual_learning": ["--quick", "--seeds", "2"],
         "adaptive_inhibition": ["--quick", "--seeds", "1"],
         "brain_data": ["--quick", "--shuffles", "3"], "associative_memories": ["--quick", "--seeds", "2"],
         "chaos_forecast": ["--quick", "--seeds", "2"],
         "liquid_state_machine": ["--digits", "100"], "metrics": ["--quick"],
         "nmnist": ["--layers", "1", "--most", "60"],
         "nmnist_gradient": ["--layers", "1", "--most", "60", "--channels", "4", "6", "--epochs", "2", "--folds", "2"],
         "polychronous": ["--seconds", "5"], "inhibitory_balance": ["--seconds", "2"],
         "reward_stdp": ["--minutes", "1"], "homeostasis": ["--seconds", "5"], "hebbian": ["--seconds", "30"],
         "diehl_cook": ["--train", "100", "--test", "50", "--neurons", "50"], "nalsm": ["--quick"],
         "force_sine": ["--seeds", "1", "--neurons", "300"], "eprop_evidence": ["--quick"],
         "nested_study": ["--digits", "100", "--trials", "8", "--folds", "2"],
         "eprop_pattern": ["--seeds", "1", "--iterations", "30"], "rewiring": ["--turns", "3"],
         "delay_learning": ["--presentations", "30"], "unidirectional_update": ["--seeds", "1"],
         "resistive_lsm": ["--digits", "100"], "crossbar_liquid": ["--quick", "--seeds", "1", "--most", "200"],
         "crossbar_stdp": ["--quick", "--seeds", "1", "--neurons", "40"], "astrocyte_devices": ["--quick"],
         "drift_year": ["--repeats", "2"], "hopfield_crossbar": ["--size", "150"], "nladc_inl": ["--trials", "200"],
         "spoken_digits": ["--takes", "11", "--seeds", "1"],
         "nladc_lstm": ["--quick"], "nladc_language": ["--quick"], "fault_curves": ["--trials", "3"],
         "sfq_dff_margins": ["--quick"], "sfq_jitter": ["--quick"], "sfq_xor": ["--quick"],
         "sfq_hidden_layer": ["--quick"], "hardware_aware": ["--quick", "--seeds", "2", "--chips", "1"],
         "neuromodulated_hebb": ["--quick", "--seeds", "2"], "sparse_connections": ["--quick", "--seeds", "2"],
         "what_when": ["--quick", "--seeds", "2"], "broadcast_errors": ["--quick", "--seeds", "2"],
         "connectomes": ["--columns", "2"], "zero_shot": ["--quick"],
         "shd_delays": ["--seeds", "1", "--epochs", "2", "--takes", "8"],
         "shd_adding": ["--epochs", "1", "--pairs", "128", "--tests", "100", "--memories", "10", "--takes", "8"],
         "decoding_m1": ["--quick", "--seeds", "2"], "delays_to_core": ["--quick", "--seeds", "1"],
         "cortical_microcircuit": ["--scale", "0.02", "--seconds", "0.2"],
         "yin_yang": ["--points", "320", "--epochs", "2", "--test", "100"],
         "spoken_delays": ["--takes", "2", "--epochs", "1", "--seeds", "1"],
         "mnist_latency": ["--images", "320", "--test", "200", "--epochs", "1", "--hidden", "60", "--elsewhere", "5"]}
#: those that need real recordings
DATA = ("nmnist", "nmnist_gradient", "zero_shot", "decoding_m1", "connectomes", "crossbar_liquid", "diehl_cook",
        "nladc_lstm", "mnist_latency", "spoken_delays", "brain_data", "black_boxes", "shd_delays",
        "shd_adding")
TORCH = ("yin_yang", "mnist_latency", "nmnist_gradient", "delays_to_core", "hardware_aware", "zero_shot",
         "decoding_m1", "nladc_lstm", "nladc_language", "continual_learning", "black_boxes", "shd_delays",
         "long_memories", "spoken_delays", "shd_adding")


def run(script, folder, *arguments, **environment):
    """Run an example in a process of its own, as a person does."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run([sys.executable, str(script), "--out", str(folder), *arguments], cwd=folder, text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": paths, **environment})


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_runs(script, tmp_path):
    pytest.importorskip("matplotlib")
    if script.stem in DATA and not os.environ.get("NEUROSIM_DATA"):
        pytest.skip("NEUROSIM_DATA is not set: it names the folder of real recordings")
    if script.stem in TORCH:
        pytest.importorskip("torch")
    if script.stem == "brain_data":
        pytest.importorskip("elephant")
    if script.stem == "nested_study":
        pytest.importorskip("optuna")
    folder = tmp_path / "figures"  # which is made
    done = run(script, tmp_path, *SMALL.get(script.stem, []), "--out", str(folder))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    assert re.search(r"\d", done.stdout) and f"wrote {folder / script.stem}.png" in done.stdout
    assert (folder / f"{script.stem}.png").stat().st_size > 5_000


@pytest.mark.slow
def test_recordings_are_learned_by_exact_gradients(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    if not os.environ.get("NEUROSIM_DATA"):
        pytest.skip("NEUROSIM_DATA is not set: it names the folder of real recordings")
    done = run(ROOT / "examples" / "nmnist_gradient.py", tmp_path, "--network", "events", "--most", "300",
               "--only", "0", "--folds", "3", "--epochs", "20", "--layers", "0", "--channels", "8")
    assert done.returncode == 0, done.stderr
    right, chance = (float(re.search(rf"^{name} +([0-9.]+)%", done.stdout, re.MULTILINE)[1])
                     for name in ("exact gradient", "chance"))
    assert right > chance + 30


@pytest.mark.parametrize("name", [name for name in DATA if name not in TORCH])
def test_an_example_with_real_recordings_says_what_it_lacks(name, tmp_path):
    done = run(ROOT / "examples" / f"{name}.py", tmp_path, NEUROSIM_DATA="")
    assert done.returncode == 0 and "set NEUROSIM_DATA" in done.stdout and not done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_is_listed_and_says_how_to_run_it(script):
    assert f"`examples/{script.name}`" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert f"python examples/{script.name}" in script.read_text(encoding="utf-8").split('"""')[1]


@pytest.mark.slow
def test_the_official_files_of_shd_are_taken_where_they_are(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("matplotlib")
    h5py = pytest.importorskip("h5py")
    import numpy as np

    from neurosim.datasets import SHD, make_events, write_shd

    rng = np.random.default_rng(1)
    (tmp_path / "SHD").mkdir()
    for name, speakers in (("train", [0, 1]), ("test", [1, 4])):
        found = [make_events(t=np.sort(rng.integers(0, 900_000, 300)), x=rng.integers(0, 700, 300)) for _ in range(40)]
        path = tmp_path / "SHD" / f"shd_{name}.h5"
        write_shd(found, np.arange(40) % 20, path, speakers=np.repeat(speakers, 20))
        with h5py.File(path, "r+") as file:  # the official files have none
            del file["extra/crc32"]
        assert len(SHD(path)) == 40
    done = run(ROOT / "examples" / "shd_delays.py", tmp_path, "--seeds", "1", "--epochs", "1", "--hidden", "8",
               NEUROSIM_DATA=str(tmp_path))
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert "official files" in done.stdout and "140 channels, 100 ticks" in done.stdout
    assert re.search(r"speakers heard +speakers not heard", done.stdout)
    assert re.search(r"^n_test, each seed +20 +20", done.stdout, re.MULTILINE)
    assert "the same, tick for tick" in done.stdout
