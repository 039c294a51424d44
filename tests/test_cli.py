"""The command line and the TOML descriptions: what they leave, and what they say when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from hardware_models.memristor import preset
from learning_rules import PairSTDP
from neurosim import config
from neurosim.cli import main

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "network.toml"
LEARNING = ROOT / "examples" / "learning.toml"


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


@pytest.mark.slow
def test_rules_and_devices_are_those_of_a_script(tmp_path):
    net, settings = config.read(LEARNING)
    same = ns.Network()
    noise = same.add(ns.Poisson(rate=15.0), 100, name="noise")
    cells = same.add(ns.LIF(tau_mem=20.0, t_ref=2.0), 20, name="cells")
    inhibitory = same.add(ns.LIF(tau_mem=10.0, i_bias=210.0), 5, name="inhibitory")
    rule = PairSTDP(a_plus=0.01, a_minus=0.0105, w_max=1.5)
    learning = same.connect(noise, cells, weight=ns.Uniform(0.4, 1.2), plasticity=rule, name="learning",
                            device=preset("pcm", weight_max=1.5))
    same.connect(inhibitory, cells[:10], weight=-1.0, delay=1.5)
    assert net.fingerprint() == same.fingerprint() and settings["duration"] == 500.0
    assert main(["simulate", str(LEARNING), "--out", str(tmp_path), "--duration", "200", "--quiet"]) == 0
    with np.load(tmp_path / "learning.weight.npz") as found:
        assert found["values"].shape == (3, 2000) and (found["values"][-1] != found["values"][0]).any()
    assert learning.device is not None


TOML = """
population = [
    {{ name = "in", model = {{ type = "SpikeSource", spikes = {{ type = "Spikes.load", path = "{folder}/in.h5" }} }} }},
    {{ name = "cells", size = 4, model = {{ type = "LIF" }} }},
    {{ name = "cells[0:1]", size = 1, model = {{ type = "LIF" }} }}]
[simulation]
duration = 10.0
mode = "clocked"
[[projection]]
source = "in"
target = "cells[1:]"
plasticity = [{{ type = "learning_rules.Gated" }}, {{ type = "learning_rules.stdp.PairSTDP" }}]
modulators = {{ signal = ["cells[0:1]", "v"] }}
[[coupling]]
one = "cells[3]"
other = "cells[-2]"
rule = {{ type = "OneToOne" }}
conductance = 2.0
[[drive]]
target = "cells[:2]"
drive = {{ type = "SineCurrent", amplitude = 10.0, frequency = 5.0 }}
[[record]]
what = "cells[1:3]"
"""


def test_parts_modulators_and_methods_have_names(tmp_path):
    given = ns.Spikes.from_trains([[1.0], [2.0]], duration=5.0)
    given.save(tmp_path / "in.h5")
    (tmp_path / "net.toml").write_text(TOML.format(folder=tmp_path))
    net, settings = config.read(tmp_path / "net.toml")
    projection, = net.projections
    assert projection.target.start == 1 and projection.target.size == 3 and len(projection.plasticity) == 2
    signal, variable = projection.modulators["signal"]
    assert signal.name == "cells[0:1]" and signal.base is signal and variable == "v"  # a whole one of that very name
    joined = net.couplings[0]
    assert (joined.one.start, joined.other.start) == (3, 2) and joined.conductance == 2.0
    assert net.drives[0].target.size == 2 and net.recorders[0].what.name == "cells[1:3]"
    assert net.population("in").model.spikes == given and settings["mode"] == "clocked"


WRONG = {
    "class": ('type = "LIF"', 'type = "LIFF"',
              r"\[\[population\]\] number 2: type must be a class of neurosim, .* got 'LIFF'; did you mean 'LIF'"),
    "class of a package": ('type = "LIF"', 'type = "learning_rules.PairSTPD"',
                           "got 'learning_rules.PairSTPD'; did you mean 'PairSTDP'"),
    "package": ('type = "LIF"', 'type = "no_such_package.Model"', "of a package that is installed, .*no_such_package"),
    "module": ('type = "LIF"', 'type = "learning_rules.stdp"', "type must be a class"),
    "private": ('type = "LIF"', 'type = "os._exit"', "type must be a class"),
    "number for a class": ('type = "LIF"', "type = 3", "type must be a class"),
    "argument": ("tau_mem = 20.0", "tau_mme = 20.0", "LIF: got an unexpected keyword argument 'tau_mme'; it takes "
                 "tau_mem=, .*; did you mean 'tau_mem'"),
    "argument that lacks": (", p = 0.2", "", "FixedProbability: missing a required argument: 'p'; it takes p"),
    "argument of a source": ('type = "Poisson", rate = 20.0', 'type = "SpikeSource", spike = 1',
                             "SpikeSource: .* it takes spikes; did you mean 'spikes'"),
    "key": ("delay = 1.5", "dealy = 1.5", r"\[\[projection\]\] number 1 must have only source, target, rule, .*, got "
            "'dealy'; did you mean 'delay'"),
    "key of a population": ("size = 50", "sise = 50", "number 2 must have only model, size, name, initial, got 'sise'"),
    "part": ('target = "cells"', 'target = "cells[50:]"', "number 1: a part of .* must hold a neuron"),
    "part by two ways": ('target = "cells"', 'target = "cells[1:2,3]"', r"a part must be given as cells\[0:100\]"),
    "no list": ("[[record]]", "[record]", "TOML file|must be written as"),
    "settings": ("[simulation]", "simulation = 3\n[other]", "the file must have only|must be written as"),
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


@pytest.mark.parametrize("names", [("exc 1", "exc1", "exc/1", "EXC_1"), ("..", "a -> b", "a_-_b", "é")])
def test_names_that_are_nearly_alike_have_files_of_their_own(tmp_path, names):
    entries = "".join(f'[[population]]\nname = "{name}"\nsize = {k + 1}\nmodel = {{ type = "Poisson", rate = 90.0 }}\n'
                      f'[[record]]\nwhat = "{name}"\n' for k, name in enumerate(names))
    (tmp_path / "net.toml").write_text(f"[simulation]\nduration = 100.0\n{entries}")
    out = tmp_path / "out"
    assert main(["simulate", str(tmp_path / "net.toml"), "--out", str(out), "--quiet"]) == 0
    told = json.loads((out / "summary.json").read_text())["populations"]
    assert len({found["file"].casefold() for found in told.values()}) == len(names)
    for k, name in enumerate(names):
        spikes = ns.Spikes.load(out / told[name]["file"])
        assert spikes.name == name and spikes.size == k + 1


def test_an_error_that_nobody_foresaw_is_one_sentence(tmp_path, capsys, monkeypatch):
    for error, message in ((ZeroDivisionError("by zero\nand more"), "a fault of neurosim or of a model, "
                            "ZeroDivisionError: by zero; NEUROSIM_TRACEBACK=1 shows where"),
                           (MemoryError(), "there is not enough memory")):
        def fail(*_, error=error):
            raise error

        monkeypatch.setattr(config, "read", fail)
        monkeypatch.delenv("NEUROSIM_TRACEBACK", raising=False)
        assert main(["simulate", str(EXAMPLE), "--out", str(tmp_path)]) == 1
        said = capsys.readouterr().err.strip()
        assert said.startswith(f"neurosim: {message}") and "\n" not in said
    monkeypatch.setenv("NEUROSIM_TRACEBACK", "1")
    monkeypatch.setattr(config, "read", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["simulate", str(EXAMPLE), "--out", str(tmp_path)])


@pytest.mark.parametrize("command", [["demo"], ["train", "nmnist", "--root", "nowhere"], ["simulate", str(EXAMPLE)]],
                         ids=["demo", "train", "simulate"])
def test_the_folder_is_looked_at_before_the_work(tmp_path, capsys, command, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("neurosim.Simulation", lambda *_, **__: pytest.fail("the work began"), raising=False)
    monkeypatch.setattr("neurosim.jobs.recordings.digits", lambda *_: pytest.fail("the work began"))
    monkeypatch.setattr("neurosim.jobs.recordings.nmnist", lambda *_: pytest.fail("the work began"))
    assert main([*command, "--out", str(tmp_path / "file" / "run")]) == 1
    assert "Not a directory" in capsys.readouterr().err


def test_convert_spikes(tmp_path, capsys):
    spikes = ns.Spikes(ticks=[3, 1], ids=[4, 0], size=6, duration=2.0, dt=0.1, name="cells")
    spikes.to_sonata(tmp_path / "a.sonata")
    assert main(["convert", str(tmp_path / "a.sonata"), str(tmp_path / "b.csv")]) == 0
    assert ns.read_spikes(tmp_path / "b.csv") == spikes and "2 spikes of 6 neurons" in capsys.readouterr().out
    (tmp_path / "c.gdf").write_text("5 0.3\n1 0.12\n")
    command = ["convert", str(tmp_path / "c.gdf"), str(tmp_path / "d.npz"), "--ids", "1:7", "--dt", "0.1"]
    assert main([*command, "--duration", "2"]) == 0
    found = ns.read_spikes(tmp_path / "d.npz")
    assert found == spikes and found.unit_ids.tolist() == [1, 2, 3, 4, 5, 6]
    assert "neurosim: times were rounded to the grid" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "c.gdf"), str(tmp_path / "d.npz"), "--ids", "7"]) == 1
    assert "--ids must be FIRST:END, such as 1:101, got '7'" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "none.gdf"), str(tmp_path / "d.mat")]) == 1
    assert "none.gdf does not exist" in capsys.readouterr().err


def test_simulate_writes_for_other_tools(tmp_path, capsys):
    command = ["simulate", str(EXAMPLE), "--out", str(tmp_path / "run"), "--duration", "20", "--quiet", "--export"]
    assert main([*command, str(tmp_path / "circuit")]) == 0
    found = ns.read_spikes(tmp_path / "circuit/output/spikes.h5", population="cells")
    assert found == ns.Spikes.load(tmp_path / "run" / "cells.spikes.h5") and (tmp_path / "circuit/edges.h5").exists()


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
