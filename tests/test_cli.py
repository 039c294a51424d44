"""The command line and the TOML descriptions: what they leave, and what they say when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import neurosim as ns
from neurosim import config
from neurosim.cli import main

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "network.toml"


def test_simulate_leaves_what_was_recorded_and_a_summary(tmp_path, capsys):
    assert main(["simulate", str(EXAMPLE), "--out", str(tmp_path / "run"), "--duration", "200", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    files = {file.name for file in (tmp_path / "run").iterdir()}
    assert files == {"noise.spikes.h5", "cells.spikes.h5", "cells.v.npz", "raster.png", "summary.json"}
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    spikes = ns.Spikes.load(tmp_path / "run" / "cells.spikes.h5")
    assert summary["populations"]["cells"]["spikes"] == len(spikes) > 0
    assert summary["time_ms"] == 200.0 and spikes.duration == 200.0


def test_a_file_gives_the_network_that_a_script_gives():
    net, settings = config.read(EXAMPLE)
    same = ns.Network()
    noise = same.add(ns.Poisson(rate=20.0), 100, name="noise")
    cells = same.add(ns.LIF(tau_mem=20.0, t_ref=2.0), 50, name="cells", initial={"v": ns.Uniform(-70.0, -60.0)})
    same.connect(noise, cells, ns.FixedProbability(0.2), weight=2.0, delay=1.5)
    assert net.fingerprint() == same.fingerprint()
    assert settings == {"dt": 0.1, "duration": 1000.0, "seed": 1}


WRONG = {
    "class": ('type = "LIF"', 'type = "LIFF"',
              r"\[\[population\]\] number 2: type must be a class of neurosim, got 'LIFF'"),
    "value": ("tau_mem = 20.0", "tau_mem = -1", "number 2: LIF.tau_mem must be a finite number > 0 ms, got -1"),
    "missing": ('source = "noise"', "", r"\[\[projection\]\] number 1 must have 'source'"),
    "unknown name": ('source = "noise"', 'source = "nois"', "population must be one of 'noise', 'cells', got 'nois'"),
    "section": ("[[record]]", "[[recorder]]", "the file must have only simulation, population"),
    "syntax": ("[simulation]", "[simulation", "must be a TOML file"),
    "duration": ("duration = 1000.0", "", "must have a duration"),
    "setting": ("seed = 1", "sed = 1", "must have only dt, duration, seed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_its_name_and_the_entry(tmp_path, name):
    old, new, message = WRONG[name]
    path = tmp_path / "net.toml"
    path.write_text(EXAMPLE.read_text().replace(old, new))
    with pytest.raises(ns.FileError, match=message) as caught:
        config.read(path)
    assert str(path) in str(caught.value)


def test_exit_codes(tmp_path, capsys):
    assert main(["simulate", str(tmp_path / "none.toml")]) == 1
    assert "must be a readable file" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["simulate"])
    assert caught.value.code == 2
    assert main([]) == 0 and "simulate" in capsys.readouterr().out
    assert main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["neurosim"] == ns.__version__


def test_ctrl_c_ends_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "neurosim.cli", "simulate", str(EXAMPLE), "--duration", "100000000", "--out",
               str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "NEUROSIM_PROGRESS": "1"})
    heard = ""
    while "ms" not in heard:  # the progress bar is there: the run has begun
        heard += process.stderr.read(1)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "neurosim: stopped" in rest and "Traceback" not in heard + rest


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    out = str(tmp_path / "file" / "run")
    assert main(["simulate", str(EXAMPLE), "--out", out, "--duration", "10", "--quiet"]) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("neurosim: ") and out in error and "\n" not in error
