"""Sweeps on the command line: what a TOML file may say, and one sentence for what it may not."""

import textwrap

import numpy as np
import pytest

import neurosim as ns
from neurosim.cli import main
from neurosim.jobs import sweeps
from neurosim.sweep import load

MODEL = '''
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from beside import twice

import neurosim as ns


@dataclass
class Thing:
    size: "float" = 1.0


class Cell(ns.LIF):
    """Of this file."""


def recordings(most):
    return np.arange(float(most))


def states(tau, samples):
    return {"cell": Cell(), "values": twice(samples) / tau}


def accuracy(states, noise, targets, seed):
    if noise == 2.0 and not (Path(__file__).parent / "flag").exists():
        raise ValueError("noise of two")
    return {"accuracy": float(states["values"].mean()) - Thing(noise).size + targets[0], "draw": seed % 100}


def plain(x):
    return -(x - 0.5) ** 2
'''

GRID = """
function = "model.py:accuracy"
seeds = 2
folder = "results"
name = "digits"
[space]
tau = [1.0, 2.0]
noise = [0.0, 0.5]
[data]
samples = { function = "model.py:recordings", most = 5 }
targets = { file = "targets.npy" }
[shared]
states = "model.py:states"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "beside.py").write_text("def twice(x):\n    return 2 * x\n")
    np.save(tmp_path / "targets.npy", np.array([10.0]))
    return tmp_path


def written(folder, text):
    path = folder / "sweep.toml"
    path.write_text(textwrap.dedent(text))
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_is_a_sweep_and_leaves_a_page(jobs, folder, capsys):
    path = written(folder, GRID)
    assert main(["sweep", path, "--jobs", jobs]) == 0
    said = capsys.readouterr().out
    assert "8 calls, 0 failed" in said and "highest accuracy 14 (mean of 2) at tau = 1.0, noise = 0.0" in said
    rows = load(folder / "results", "digits").rows
    assert [row["accuracy"] for row in rows] == [14.0, 14.0, 13.5, 13.5, 12.0, 12.0, 11.5, 11.5]
    assert "<title>digits</title>" in (folder / "results" / "digits.html").read_text()
    assert main(["sweep", path, "--jobs", jobs, "--quiet", "--out", str(folder / "other")]) == 0
    assert capsys.readouterr().out == "" and load(folder / "other", "digits").rows == rows


@pytest.mark.slow
def test_failed_calls_are_told_and_tried_again(folder, capsys):
    path = written(folder, GRID.replace("0.5]", "2.0]"))
    assert main(["sweep", path, "--jobs", "1", "--quiet"]) == 1
    assert capsys.readouterr().err == ("neurosim: 4 of 8 calls failed, the first with ValueError: noise of two; the "
                                       "page tells all, and --retry tries them again\n")
    (folder / "flag").touch()
    assert main(["sweep", path, "--jobs", "1", "--quiet", "--retry"]) == 0
    assert not load(folder / "results", "digits").failures


@pytest.mark.parametrize("space, n", [
    ("[space]\nx = { low = 0.1, high = 1.0, log = true }\n[random]\nn = 5\nseed = 3", 5),
    ("[space]\nx = { low = 1, high = 3, whole = true }\n[quasirandom]\nn = 8\nmethod = 'halton'", 3),
    ("[[point]]\nx = 1.0\n[[point]]\nx = 2.0", 2),
])
def test_other_spaces(space, n, folder):
    given = sweeps.read(written(folder, f"function = 'model.py:plain'\n{space}"))
    assert len(given["space"]) == n and given["folder"] == folder / "neurosim-sweep"


def test_a_study_in_a_file(folder, capsys):
    pytest.importorskip("optuna", reason="studies need Optuna: pip install optuna")
    path = written(folder, """
        function = "model.py:plain"
        [space]
        x = { low = 0.0, high = 1.0 }
        [study]
        n = 16
        highest = "value"
        """)
    assert main(["sweep", path, "--jobs", "1"]) == 0
    assert "16 calls, 0 failed\nhighest value" in capsys.readouterr().out


@pytest.mark.slow
def test_report_finds_the_sweep(folder, capsys):
    assert main(["sweep", written(folder, GRID), "--jobs", "1", "--quiet"]) == 0
    results = folder / "results"
    (results / "digits.html").unlink()
    assert main(["report", str(results), "--highest", "accuracy", "--lowest", "draw"]) == 0
    assert capsys.readouterr().out == f"wrote {results / 'digits.html'}\n"
    assert "points are beaten by no other" in (results / "digits.html").read_text()
    assert main(["report", str(results / "digits"), "--out", str(folder / "page.html")]) == 0
    assert (folder / "page.html").exists()
    capsys.readouterr()
    for arguments, sentence in ((["report", str(folder)], "it holds none"),
                                (["report", str(results), "--name", "digit"], "it holds digits; did you mean"),
                                (["report", str(results), "--highest", "accurac"], "did you mean 'accuracy'?")):
        assert main(arguments) == 1
        said = capsys.readouterr().err
        assert sentence in said and said.count("\n") == 1


@pytest.mark.parametrize("text, sentence", [
    ("seeds = 2", "it must have a function, as in function = \"model.py:accuracy\""),
    ("function = 'model.py:accuracy'\nfolders = 'x'", "got 'folders'; did you mean 'folder'?"),
    ("function = 'model.py:accurcy'\n[space]\nx = [1]", "no function 'accurcy'; did you mean 'accuracy'?"),
    ("function = 'modell.py:accuracy'\n[space]\nx = [1]", "modell.py does not exist"),
    ("function = 'broken.py:f'\n[space]\nx = [1]", "must be a file that can be imported: ZeroDivisionError"),
    ("function = 'no_such_package:f'\n[space]\nx = [1]", "a module that can be imported, got 'no_such_package'"),
    ("function = 'model'\n[space]\nx = [1]", "function must be module:function or file.py:function, got 'model'"),
    ("function = 'model.py:plain'", "must have a [space]"),
    ("function = 'model.py:plain'\nspace = 3", "space must be written as [space]"),
    ("function = 'model.py:plain'\n[space]\nx = []", "the values of x must be one at least"),
    ("function = 'model.py:plain'\n[space]\nx = [1]\n[[point]]\nx = 1", "must have a [space]"),
    ("function = 'model.py:plain'\n[space]\nx = [1]\n[random]\nseed = 1", "[random] must have n"),
    ("function = 'model.py:plain'\n[space]\nx = [1]\n[random]\nn = 1\nseeds = 1", "got 'seeds'; did you mean 'seed'?"),
    ("function = 'model.py:plain'\n[space]\nx = {lo = 1, high = 2}\n[random]\nn = 1", "space.x:"),
    ("function = 'model.py:plain'\nseeds = 1\ntrials = [1]\n[space]\nx = [1]", "seeds, how many, or trials, which"),
    ("function = 'model.py:plain'\n[space]\nx = [1]\n[data]\ny = { function = 'model.py:recordings' }",
     "data.y: missing"),
    ("function = 'model.py:plain'\n[space]\nx = [1]\n[data]\ny = { file = 'none.npy' }", "none.npy does not exist"),
    ("function = 'model.py:plain'\n[space]\ny = [1]", "sweep.function must take all names, got 'y'"),
    ("function = 3 [", "must be a TOML file"),
])
def test_what_does_not_fit_is_one_sentence(text, sentence, folder, capsys):
    (folder / "broken.py").write_text("1 / 0\n")
    assert main(["sweep", written(folder, text), "--quiet"]) == 1
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and said.startswith("neurosim: ")


def test_a_missing_file_and_a_wrong_number_are_one_sentence(folder, capsys):
    assert main(["sweep", str(folder / "nowhere.toml")]) == 1
    assert "must be a readable file" in capsys.readouterr().err
    assert main(["sweep", written(folder, GRID), "--jobs", "0"]) == 1
    assert "--jobs must be a whole number >= 1, got 0" in capsys.readouterr().err
    with pytest.raises(ns.FileError, match="sweep.toml: "):
        sweeps.read(written(folder, "function = 3\n[space]\nx = [1]"))
