"""Studies by Optuna: the same table on any number of processes and after kill -9, better than chance, one sentence."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from neurosim.sweep import Grid, Range, Study, load, sweep

optuna = pytest.importorskip("optuna", reason="studies need Optuna: pip install optuna")
ROOT = Path(__file__).resolve().parent.parent
NO_BAR = {"progress": False}
VALUES = {"x": Range(-5.0, 5.0), "k": Range(1, 8, whole=True), "kind": ["a", "b", (1, 2)]}


def bowl(x, k, kind, seed):
    time.sleep(0.0005 * (seed % 7))  # calls end in no order
    return {"gain": -(x - 1) ** 2 - (kind != "b") - 0.1 * k, "cost": abs(x) * k, "draw": seed % 1000}


def test_the_table_is_the_same_on_any_number_of_processes():
    for options in ({"highest": "gain"}, {"highest": "gain", "lowest": "cost"}, {"lowest": "cost", "sampler": "random"},
                    {"highest": ["gain"], "lowest": ["cost"], "sampler": "nsga2", "batch": 5},
                    {"highest": "gain", "sampler": lambda seed: optuna.samplers.QMCSampler(seed=seed)}):
        tables = [sweep(bowl, Study(20, **options, **VALUES), seeds=2, jobs=jobs, **NO_BAR).rows for jobs in (1, 2, 3)]
        assert tables[0] == tables[1] == tables[2] and len(tables[0]) > 10


def test_points_are_optuna_s_own_and_rounds_are_told_in_order():
    """The same as a bare loop of Optuna over rounds, which knows nothing of sweeps."""
    kinds = optuna.distributions
    space = {"x": kinds.FloatDistribution(-5.0, 5.0), "k": kinds.IntDistribution(1, 8),
             "kind": kinds.CategoricalDistribution((0, 1, 2))}
    seed = int(np.random.SeedSequence(4).generate_state(1)[0])
    bare = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True), direction="maximize")
    for size in (8, 8, 4):
        for trial in [bare.ask(space) for _ in range(size)]:
            kind = VALUES["kind"][trial.params["kind"]]
            bare.tell(trial, bowl(trial.params["x"], trial.params["k"], kind, 0)["gain"])
    found = sweep(bowl, Study(20, highest="gain", seed=4, **VALUES), jobs=2, **NO_BAR)
    wanted = list(dict.fromkeys((t.params["x"], t.params["k"], VALUES["kind"][t.params["kind"]]) for t in bare.trials))
    assert [(row["x"], row["k"], row["kind"]) for row in found.rows] == wanted
    assert found.best()["gain"] == bare.best_value


def test_a_study_finds_more_than_chance():
    best = {}
    for sampler in ("tpe", "random"):
        runs = [sweep(bowl, Study(60, highest="gain", sampler=sampler, seed=seed, **VALUES), jobs=1, **NO_BAR)
                for seed in range(5)]
        best[sampler] = np.median([run.best()["gain"] for run in runs])
    assert best["tpe"] > best["random"] and best["tpe"] > -0.3


def test_best_pareto_and_means_know_what_is_sought(tmp_path):
    low = sweep(bowl, Study(16, lowest="cost", **VALUES), jobs=1, folder=tmp_path, **NO_BAR)
    assert low.best()["cost"] == min(row["cost"] for row in low.rows) and load(tmp_path).best() == low.best()
    both = sweep(bowl, Study(16, highest="gain", lowest="cost", **VALUES), jobs=1, **NO_BAR)
    assert both.pareto() == both.pareto(highest="gain", lowest="cost")


def test_points_that_come_again_are_not_computed_again():
    result = sweep(lambda c: {"y": c}, Study(30, highest="y", c=[1, 2, 3]), jobs=1, **NO_BAR)
    assert sorted(row["c"] for row in result.rows) == [1, 2, 3]


def test_failed_trials_are_told_as_failed_and_can_be_tried_again(tmp_path):
    flag = tmp_path / "flag"
    flag.touch()

    def fails(x, flag):
        if x > 0.5 and Path(flag).exists():
            raise ValueError("too large")
        return {"y": x}

    arguments = {"space": Study(24, highest="y", x=Range(0.0, 1.0)), "data": {"flag": str(flag)}, "folder": tmp_path,
                 "jobs": 1, **NO_BAR}
    with pytest.warns(ns.NeurosimWarning, match="calls failed, the first with ValueError: too large"):
        first = sweep(fails, **arguments)
    assert first.failures and first.best()["x"] <= 0.5
    flag.unlink()
    second = sweep(fails, retry="failed", **arguments)  # the points stay: what was told is written down
    assert not second.failures and [row["x"] for row in second.rows] == [row["x"] for row in first.rows]


def test_a_longer_study_goes_on(tmp_path):
    arguments = {"folder": tmp_path, "jobs": 1, **NO_BAR}
    whole = sweep(bowl, Study(32, highest="gain", **VALUES), jobs=1, **NO_BAR)
    sweep(bowl, Study(16, highest="gain", **VALUES), **arguments)
    assert sweep(bowl, Study(32, highest="gain", **VALUES), **arguments).rows == whole.rows
    with pytest.raises(ns.ParameterError, match="Study.n must be at least the trials that were asked for before"):
        sweep(bowl, Study(10, highest="gain", **VALUES), **arguments)
    for other, sentence in ((Study(32, highest="cost", **VALUES), r"its study \(highest\) changed; give another name"),
                            (Study(32, highest="gain", batch=4, seed=1, **VALUES), r"its study \(batch, seed\)"),
                            (Grid(x=[1.0], k=[1], kind=["a"]), "a study is no list of points")):
        with pytest.raises(ns.FileError, match=sentence):
            sweep(bowl, other, **arguments)


def test_a_sampler_that_draws_from_more_than_its_seed_is_refused(tmp_path):
    loose = lambda seed: optuna.samplers.RandomSampler()  # noqa: E731
    study = Study(8, highest="gain", sampler=loose, **VALUES)
    sweep(bowl, study, jobs=1, folder=tmp_path, **NO_BAR)
    with pytest.raises(ns.FileError, match="asks for other points than before in the trials up to 8"):
        sweep(bowl, study, jobs=1, folder=tmp_path, **NO_BAR)


SCRIPT = textwrap.dedent("""
    import sys, time
    from neurosim.sweep import Range, Study, sweep

    def slow(x, seed):
        with open(sys.argv[1] + "/calls", "a") as calls:
            calls.write(f"{x}\\n")
        time.sleep(0.02)
        return {"y": -(x - 0.3) ** 2 + 1e-9 * (seed % 100)}

    if __name__ == "__main__":
        sweep(slow, Study(24, highest="y", batch=6, x=Range(0.0, 1.0)), jobs=int(sys.argv[2]), folder=sys.argv[1],
              progress=False)
""")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_study_is_the_same_after_kill_9(jobs, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    tables = []
    for folder, kills in ((tmp_path / "whole", ()), (tmp_path / "killed", (4, 9, 16))):
        folder.mkdir()
        command = [sys.executable, str(tmp_path / "script.py"), str(folder), jobs]
        environment, calls = os.environ | {"PYTHONPATH": str(ROOT)}, folder / "calls"
        for wanted in kills:
            driver = subprocess.Popen(command, env=environment)
            while driver.poll() is None and (not calls.exists() or calls.read_text().count("\n") < wanted):
                time.sleep(0.002)
            driver.kill()
            assert driver.wait() == -signal.SIGKILL
            assert len(load(folder).rows) >= 6
        subprocess.run(command, env=environment, check=True)
        tables.append(load(folder).rows)
        assert len(calls.read_text().split()) <= 24 + len(kills) * int(jobs)
    assert tables[0] == tables[1] and len(tables[0]) == 24


def test_a_study_on_a_cluster_is_the_same():
    distributed = pytest.importorskip("distributed", reason="clusters need Dask: pip install distributed")
    study = Study(16, highest="gain", **VALUES)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", silence_logs=50,
                                  dashboard_address="127.0.0.1:0") as cluster:
        found = sweep(bowl, study, seeds=2, cluster=cluster.scheduler_address, **NO_BAR)
    assert found.rows == sweep(bowl, study, seeds=2, jobs=1, **NO_BAR).rows


def test_the_nested_study_never_looks_at_the_test_fold(monkeypatch, tmp_path):
    """Labels of the test folds are nonsense: what is studied and chosen stays; with those of the others it does not."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    pytest.importorskip("matplotlib").use("Agg")
    import nested_study

    samples, labels = nested_study.recordings(60)
    half = np.arange(60) % 2
    folds = [(np.flatnonzero(half != fold), np.flatnonzero(half == fold)) for fold in (0, 1)]
    run = lambda labels, name: nested_study.studies(samples, labels, folds[:1], 6, jobs=1, **NO_BAR,  # noqa: E731
                                                    folder=tmp_path / name)[0].rows
    labels = np.arange(60) // 2 % 2  # two classes, in both halves alike
    rows = run(labels, "right")
    assert run(np.where(half == 0, 1 - labels, labels), "test") == rows
    assert run(np.where((half == 1) & (np.arange(60) < 30), 1 - labels, labels), "train") != rows


@pytest.mark.parametrize("make, sentence", [
    (lambda: Study(0, highest="y", x=[1]), "Study.n must be a whole number >= 1, got 0"),
    (lambda: Study(3, highest="y"), "Study must have one parameter at least"),
    (lambda: Study(3, x=[1, 2]), "Study.highest and Study.lowest must name one result at least, each once, got none"),
    (lambda: Study(3, highest="y", lowest="y", x=[1, 2]), "each once, got y, y"),
    (lambda: Study(3, highest=3, x=[1, 2]), "Study.highest must be the name of a result, or several, got 3"),
    (lambda: Study(3, highest="y", sampler="tpee", x=[1]), "must be 'tpe', 'nsga2', 'random' or a function"),
    (lambda: Study(3, highest="y", batch=0, x=[1]), "Study.batch must be a whole number >= 1, got 0"),
    (lambda: Study(3, highest="y", seed=-1, x=[1]), "Study.seed must be"),
    (lambda: Study(3, highest="y", trial=[1]), "Study.trial must have another name"),
    (lambda: sweep(lambda x: {"gain": x}, Study(3, highest="gian", x=[1, 2]), jobs=1, **NO_BAR),
     "must name results of the function, got 'gian', but it returns gain; did you mean 'gain'?"),
    (lambda: sweep(lambda x: {"y": "text"}, Study(3, highest="y", x=[1, 2]), jobs=1, **NO_BAR),
     "results that are numbers"),
    (lambda: sweep(lambda x: x, Study(3, highest="value", sampler=lambda seed: 3, x=[1, 2]), jobs=1, **NO_BAR),
     "Study.sampler must return an Optuna sampler, got 3"),
])
def test_bad_input_is_one_sentence(make, sentence):
    with pytest.raises(ns.NeurosimError) as caught:
        make()
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_optuna_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ns.UnsupportedError, match="studies need Optuna; install it with"):
        sweep(bowl, Study(3, highest="gain", **VALUES), jobs=1, **NO_BAR)
