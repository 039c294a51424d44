"""Sweeps: the same table on any number of processes and in any order, and after kill -9 at any moment."""

import mmap
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
from neurosim.sweep import Grid, Points, QuasiRandom, Random, Range, load, sweep
from neurosim.sweep.encoding import decode, encode, key, seed
from neurosim.sweep.journal import entries

ROOT = Path(__file__).resolve().parent.parent
NO_BAR = {"progress": False}


def noisy(x, y, seed, trial):
    """Something that depends on all that it is given."""
    return {"sum": x + y, "draw": float(np.random.default_rng(seed).random()), "trial_again": trial}


def fails_at_two(x, flag):
    if x == 2 and Path(flag).exists():
        raise ValueError("two is too much\nand more")
    return {"y": 10 * x}


def dies_at_two(x):
    if x == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def by_content(result):
    return {tuple(row[name] for name in (*sorted(result.parameters), "seed")): row for row in result.rows}


# ---- spaces and values ------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [
    0, -1, 2**70, True, None, "é\n", 0.1, -0.0, 1e-310, float("inf"), [1, (2, [])], {"a": {"b": (1.5,)}},
    np.arange(6.0).reshape(2, 3), np.array([True, False]), np.zeros((0, 2), dtype=np.int8), (), [],
])
def test_values_come_back_as_they_were(value):
    found = decode(encode(value))
    assert type(found) is type(value) and encode(found) == encode(value)
    np.testing.assert_array_equal(found, value) if isinstance(value, np.ndarray) else None
    assert isinstance(value, np.ndarray) or repr(found) == repr(value)


def test_keys_tell_values_of_other_types_apart_and_know_no_order():
    texts = {key({"x": value}, 0) for value in (1, 1.0, True, "1", (1,), [1], None, -0.0, 0.0)}
    assert len(texts) == 9
    assert key({"x": 1, "y": 2}, 3) == key({"y": 2, "x": 1}, 3) != key({"x": 2, "y": 1}, 3)
    assert key({"x": np.float64(0.5)}, 0) == key({"x": 0.5}, 0)


def test_seeds_of_calls_are_uniform_and_differ():
    seeds = [seed({"x": x}, trial) for x in range(200) for trial in range(5)]
    assert len(set(seeds)) == 1000 and max(seeds) < 2**64
    bits = np.unpackbits(np.array(seeds, dtype=np.uint64).view(np.uint8)).mean()
    assert abs(bits - 0.5) < 4 * 0.5 / np.sqrt(64_000)


def test_random_points_lie_where_they_should():
    ranges = {"a": Range(1e-3, 10.0, log=True), "b": Range(1, 3, whole=True), "c": ["p", "q"], "d": Range(-1.0, 1.0)}
    for space in (Random(1000, seed=1, **ranges), *(QuasiRandom(256, method=method, **ranges)
                                                    for method in ("sobol", "halton", "latin"))):
        a, b, c, d = (np.array([point[name] for point in space.points]) for name in "abcd")
        assert a.min() >= 1e-3 and a.max() <= 10 and abs(np.log10(a).mean() + 1) < 4 * 4 / np.sqrt(12 * len(a))
        assert set(b.tolist()) == {1, 2, 3} and abs((b == 2).mean() - 1 / 3) < 4 * np.sqrt(2 / 9 / len(b))
        assert abs((c == "p").mean() - 0.5) < 4 * 0.5 / np.sqrt(len(c)) and np.abs(d).max() <= 1
    again = Random(1000, seed=1, d=Range(-1.0, 1.0))
    assert [point["d"] for point in again.points] == d_of(Random(1000, seed=1, **ranges))
    assert d_of(Random(1000, seed=2, **ranges)) != d_of(again)


def d_of(space):
    return [point["d"] for point in space.points]


def test_sobol_points_are_the_library_s():
    from scipy.stats import qmc

    drawn = qmc.Sobol(2, seed=np.random.default_rng(7)).random_base2(3)
    found = QuasiRandom(8, seed=7, x=Range(0.0, 1.0), y=Range(0.0, 1.0)).points
    np.testing.assert_array_equal([[point["x"], point["y"]] for point in found], drawn)


# ---- workers and order ------------------------------------------------------------------------------


def test_order_and_processes_do_not_matter():
    space = Grid(x=[0, 1, 2], y=[0.5, 1.5])
    alone = sweep(noisy, space, seeds=2, jobs=1, **NO_BAR)
    turned = Points([{"y": point["y"], "x": point["x"]} for point in reversed(space.points)])
    assert by_content(sweep(noisy, turned, seeds=[1, 0], jobs=2, **NO_BAR)) == by_content(alone)
    part = sweep(noisy, Points(space.points[3:4]), seeds=[1], jobs=1, **NO_BAR)
    assert part.rows[0] == by_content(alone)[1, 1.5, 1]
    assert [row["sum"] for row in alone.rows] == [0.5, 0.5, 1.5, 1.5, 1.5, 1.5, 2.5, 2.5, 2.5, 2.5, 3.5, 3.5]
    assert len({row["draw"] for row in alone.rows}) == 12


def is_mapped(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(memoryview(array).obj, mmap.mmap)


def test_data_is_mapped_and_cannot_be_changed():
    def total(x, samples, label):
        with pytest.raises(ValueError, match="read-only"):
            samples[0] = 1.0
        return {"total": x * float(samples.sum()), "mapped": is_mapped(samples), "label": label}

    for jobs in (1, 2):
        found = sweep(total, {"x": [1, 2]}, data={"samples": np.arange(5.0), "label": "a"}, jobs=jobs, **NO_BAR)
        assert [(row["total"], row["mapped"], row["label"]) for row in found.rows] == [(10, True, "a"), (20, True, "a")]


def test_data_of_a_killed_run_is_not_left_behind(tmp_path):
    left = tmp_path / "sweep" / "data-of-a-killed-run"
    left.mkdir(parents=True)
    (left / "data").write_bytes(b"0" * 100)
    sweep(lambda x, y: x, {"x": [1]}, data={"y": np.zeros(3)}, folder=tmp_path, jobs=1, **NO_BAR)
    assert sorted(path.suffix or path.name for path in (tmp_path / "sweep").iterdir()) == [".log", "driver", "sweep"]


# ---- failures and resumption ------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failed_call_keeps_its_error_and_can_be_tried_again(jobs, tmp_path):
    flag = tmp_path / "flag"
    flag.touch()
    arguments = {"space": Grid(x=[1, 2, 3], flag=[str(flag)]), "folder": tmp_path, "jobs": jobs, **NO_BAR}
    with pytest.warns(ns.NeurosimWarning, match="1 of 3 calls failed, the first with ValueError: two is too much"):
        result = sweep(fails_at_two, **arguments)
    assert [row["y"] for row in result.rows][::2] == [10, 30] and np.isnan(result.rows[1]["y"])
    (failure,) = result.failures
    assert failure["x"] == 2 and failure["traceback"].rstrip().endswith("and more")
    assert "fails_at_two" in failure["traceback"] and "calling.py" not in failure["traceback"]
    flag.unlink()
    with pytest.warns(ns.NeurosimWarning):
        assert len(sweep(fails_at_two, **arguments).failures) == 1  # kept, unless asked for
    found = sweep(fails_at_two, retry="failed", **arguments)
    assert [row["y"] for row in found.rows] == [10, 20, 30] and not found.failures
    assert load(tmp_path).rows == found.rows
    assert calls_begun(tmp_path) == {1: 1, 2: 2, 3: 1}


def calls_begun(folder):
    names = {key({"x": x, "flag": str(folder / "flag")}, 0): x for x in (1, 2, 3)}
    begun = [names[entry["begin"]] for path in (folder / "sweep").glob("*.log") for entry in entries(path)
             if "begin" in entry]
    return {x: begun.count(x) for x in (1, 2, 3)}


def test_a_call_that_kills_its_process_fails_and_the_rest_goes_on(tmp_path):
    with pytest.warns(ns.NeurosimWarning, match="1 of 4 calls failed, the first with SimulationError: the process"):
        result = sweep(dies_at_two, {"x": [1, 2, 3, 4]}, jobs=2, folder=tmp_path, **NO_BAR)
    assert [row["value"] for row in result.rows if row["x"] != 2] == [1, 3, 4]
    assert "SIGKILL" in result.failures[0]["traceback"]


SCRIPT = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from neurosim.sweep import sweep

    def slow(x, seed):
        with open(sys.argv[1] + "/calls", "a") as calls:
            calls.write(f"{x}\\n")
        time.sleep(0.02)
        return {"y": seed % 1000 + x}

    if __name__ == "__main__":
        sweep(slow, {"x": list(range(12))}, jobs=int(sys.argv[2]), folder=sys.argv[1], progress=False)
""")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_nothing_is_lost_or_done_twice_after_kill_9(jobs, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), str(tmp_path), jobs]
    calls = tmp_path / "calls"
    for wanted in (2, 7):
        driver = subprocess.Popen(command, env=environment)
        while driver.poll() is None and (not calls.exists() or calls.read_text().count("\n") < wanted):
            time.sleep(0.005)
        driver.kill()
        assert driver.wait() == -signal.SIGKILL
    subprocess.run(command, env=environment, check=True)
    found = load(tmp_path)
    assert [row["y"] for row in found.rows] == [seed({"x": x}, 0) % 1000 + x for x in range(12)]
    ended = [entry["key"] for path in (tmp_path / "sweep").glob("*.log") for entry in entries(path) if "key" in entry]
    assert len(ended) == len(set(ended)) == 12
    begun = calls.read_text().split()
    assert len(begun) <= 12 + 2 * int(jobs)  # at each kill, what was under way and nothing else


def workers_of(pid):
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(pid) and b"popen_loky" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:  # it has just ended
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_the_table_is_the_same_after_kill_9_of_workers(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT.replace("range(12)", "range(60)"))
    driver = subprocess.Popen([sys.executable, str(tmp_path / "script.py"), str(tmp_path), "2"],
                              env=os.environ | {"PYTHONPATH": str(ROOT)})
    killed, calls = 0, tmp_path / "calls"
    for wanted in (5, 25, 45):
        while driver.poll() is None and (not calls.exists() or calls.read_text().count("\n") < wanted):
            time.sleep(0.005)
        workers = workers_of(driver.pid)
        os.kill(workers[wanted % len(workers)], signal.SIGKILL)
        killed += 1
    assert driver.wait(timeout=120) == 0 and killed == 3
    assert [row["y"] for row in load(tmp_path).rows] == [seed({"x": x}, 0) % 1000 + x for x in range(60)]
    assert len(calls.read_text().split()) <= 60 + 4 * killed  # those that were under way, once or twice


def test_a_torn_line_is_done_again_and_damage_is_refused(tmp_path):
    run = lambda: sweep(lambda x: x, {"x": [1, 2, 3]}, jobs=1, folder=tmp_path, **NO_BAR)  # noqa: E731
    rows = run().rows
    (log,) = (tmp_path / "sweep").glob("*.log")
    whole = log.read_bytes()
    for length in range(len(whole)):
        log.write_bytes(whole[:length])
        assert len(load(tmp_path).rows) == 3
    log.write_bytes(whole[:-5])
    assert load(tmp_path).missing == 1
    assert run().rows == rows
    log.write_bytes(whole[:30] + b"#" + whole[31:])
    with pytest.raises(ns.FileError, match="is damaged: line 1 does not fit its checksum"):
        load(tmp_path)


def test_a_folder_in_use_is_refused(tmp_path):
    def inner(x):
        with pytest.raises(ns.FileError, match="is in use"):
            sweep(inner, {"x": [1]}, jobs=1, folder=tmp_path, **NO_BAR)
        return x

    assert sweep(inner, {"x": [1]}, jobs=1, folder=tmp_path, **NO_BAR).rows[0]["value"] == 1


def test_a_full_disk_stops_with_one_sentence_and_loses_nothing(tmp_path, monkeypatch):
    import errno

    real, size = os.write, [400]

    def write(handle, data):
        if size[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = real(handle, data[:size[0]])
        size[0] -= done
        return done

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(ns.FileError, match="cannot be written: No space left on device"):
        sweep(lambda x: x, {"x": list(range(9))}, jobs=1, folder=tmp_path, **NO_BAR)
    monkeypatch.undo()
    (log,) = (tmp_path / "sweep").glob("*.log")
    assert log.read_bytes().endswith(b"\n") and 0 < load(tmp_path).missing < 9


# ---- another sweep ----------------------------------------------------------------------------------

SCALE, STORE = 2.0, {}


def helper(x):
    return SCALE * x


def scaled(x):
    STORE[x] = helper(x)
    return STORE[x]


def test_a_changed_function_is_refused_by_the_name_of_what_changed(tmp_path, monkeypatch):
    arguments = {"space": {"x": [1]}, "folder": tmp_path, "jobs": 1, **NO_BAR}
    sweep(scaled, **arguments)
    sweep(scaled, **arguments)  # a store that was filled is no change
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    with pytest.raises(ns.FileError, match=r"made of \(SCALE, which helper uses\) changed; give another name="):
        sweep(scaled, **arguments)
    assert sweep(scaled, **arguments, name="three").rows[0]["value"] == 3.0
    monkeypatch.undo()
    monkeypatch.setitem(globals(), "helper", lambda x: x)
    with pytest.raises(ns.FileError, match="helper"):
        sweep(scaled, **arguments)


def test_another_space_seeds_or_data_are_refused(tmp_path):
    def f(x, trial, d=0):
        return x

    sweep(f, {"x": [1, 2]}, folder=tmp_path, jobs=1, **NO_BAR)
    assert len(sweep(f, {"x": [2, 1]}, folder=tmp_path, jobs=1, **NO_BAR).rows) == 2
    for other, sentence in (({"space": {"x": [1, 3]}}, r"its space \(1 points of it are gone, 1 are new\)"),
                            ({"seeds": 2}, r"its seeds \(\[0\], now \[0, 1\]\)"), ({"data": {"d": 1}}, "data d")):
        with pytest.raises(ns.FileError, match=sentence):
            sweep(f, **{"space": {"x": [1, 2]}, "folder": tmp_path, "jobs": 1, **NO_BAR} | other)


# ---- results ----------------------------------------------------------------------------------------


def test_best_and_pareto_are_of_means():
    def f(x, trial):
        return {"gain": [[1, 1], [5, -5], [2, 3]][x][trial], "cost": x, "note": "text"}

    result = sweep(f, {"x": [0, 1, 2]}, seeds=2, jobs=1, **NO_BAR)
    assert result.best("gain") == {"x": 2, "gain": 2.5, "cost": 2.0, "n": 2}
    assert result.best("gain", lowest=True)["x"] == 1
    assert [point["x"] for point in result.pareto(highest="gain", lowest="cost")] == [0, 2]
    with pytest.raises(ns.ParameterError, match="must be one of gain, cost, got 'gian'; did you mean 'gain'"):
        result.best("gian")
    with pytest.raises(ns.ParameterError, match="pareto must have two different results at least, got gain"):
        result.pareto(highest="gain")
    with pytest.raises(ns.ParameterError, match="must be one of gain, cost, got 3"):
        result.pareto(highest=3, lowest="cost")


def test_the_table_goes_through_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = sweep(noisy, Grid(x=[0, 1], y=[0.5]), seeds=3, jobs=1, **NO_BAR).table
    table.to_parquet(tmp_path / "table.parquet")
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "table.parquet"), table)


def test_the_front_has_what_nothing_beats():
    points = np.random.default_rng(2).random((60, 2)).round(2).tolist()  # of which some agree in one number
    result = sweep(lambda k: {"energy": points[k][0], "accuracy": points[k][1]}, {"k": list(range(60))}, jobs=1,
                   **NO_BAR)
    front = [point["k"] for point in result.pareto(highest="accuracy", lowest="energy")]
    for k, (energy, accuracy) in enumerate(points):
        beaten = any(e <= energy and a >= accuracy and (e, a) != (energy, accuracy) for e, a in points)
        assert (k in front) == (not beaten)


def test_the_table_has_a_row_for_each_call():
    pytest.importorskip("pandas")
    table = sweep(noisy, Grid(x=[0, 1], y=[0.5]), seeds=3, jobs=1, **NO_BAR).table
    assert list(table.columns) == ["x", "y", "seed", "sum", "draw", "trial_again", "error"] and len(table) == 6
    assert table.groupby("x")["sum"].mean().to_dict() == {0: 0.5, 1: 1.5}


def test_pictures_show_what_was_found():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from scipy import stats

    def f(x, kind, z, trial):
        return {"gain": x + 10 * (kind == "b") + trial + z, "cost": -x * (1 + trial)}

    result = sweep(f, Grid(x=[3, 1, 2], kind=["a", "b"], z=[-1, 1]), seeds=4, jobs=1, **NO_BAR)
    axes = [plt.figure().add_subplot() for _ in range(4)]
    result.plot("gain", axes[0], x="x", lines="kind")
    for line, shift in zip(axes[0].lines, (0, 10), strict=True):
        np.testing.assert_allclose(line.get_xydata(), [[x, x + shift + 1.5] for x in (1, 2, 3)])
    low, high = stats.t.interval(0.95, 3, loc=2.5, scale=stats.sem([0, 1, 2, 3]))
    band = axes[0].collections[0].get_paths()[0].vertices
    np.testing.assert_allclose([band[band[:, 0] == 1, 1].min(), band[band[:, 0] == 1, 1].max()], [low, high])
    assert axes[0].get_title() == "mean over z"
    result.plot("gain", axes[1], kind="map", x="x", lines="kind")
    np.testing.assert_allclose(axes[1].images[0].get_array(), [[2.5, 3.5, 4.5], [12.5, 13.5, 14.5]])
    result.plot("gain", axes[2], kind="pareto", against="cost", highest="gain", lowest="cost")
    np.testing.assert_allclose(axes[2].lines[1].get_xydata(), [[-7.5, 15.5]])
    result.plot("gain", axes[3], x="kind")
    np.testing.assert_allclose(axes[3].lines[0].get_xydata(), [[0, 3.5], [1, 13.5]])
    for options, sentence in (({"kind": "pie"}, "plot.kind must be"), ({"x": "y"}, "plot.x must be one of x, kind, z"),
                              ({"x": "x", "lines": "x"}, "plot.lines must be another"),
                              ({"kind": "pareto", "against": "gian"}, "did you mean 'gain'")):
        with pytest.raises(ns.ParameterError, match=sentence):
            result.plot("gain", axes[0], **options)
    plt.close("all")


def test_a_missing_pandas_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ns.UnsupportedError, match="tables of sweeps need pandas; install it with"):
        _ = sweep(lambda x: x, {"x": [1]}, jobs=1, **NO_BAR).table


# ---- bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make, sentence", [
    (lambda: sweep(3, {"x": [1]}), "sweep.function must be a function, got 3"),
    (lambda: sweep(lambda x: x, {}), "Grid must have one parameter at least"),
    (lambda: sweep(lambda x: x, {"x": []}), "the values of x must be one at least, got none"),
    (lambda: sweep(lambda x: x, {"x": "abc"}), "the values of x must be a list, got 'abc'"),
    (lambda: sweep(lambda x: x, {"x": [object]}), "the values of x must be numbers, text"),
    (lambda: sweep(lambda x: x, {"x": [1, 1]}), "the values of x must differ, got 1 twice"),
    (lambda: sweep(lambda x: x, [1]), "sweep.space must be a Grid, Random, QuasiRandom, Points or Study"),
    (lambda: sweep(lambda noise: 0, {"nose": [1]}), "got 'nose', but it takes noise; did you mean 'noise'?"),
    (lambda: sweep(lambda x, y: 0, {"x": [1]}), "got none for 'y'"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, seeds=2), "must take `seed` or `trial`"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, seeds=0), "sweep.seeds must be a whole number >= 1, got 0"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, seeds=[1, 1]), "sweep.seeds must be one at least and differ"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, jobs=0), "sweep.jobs must be a whole number >= 1, got 0"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, retry="all"), "sweep.retry must be 'failed' or None, got 'all'"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, name="a/b"), "sweep.name must be letters"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, name=".."), "sweep.name must be letters"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, data={"x": 1}), "sweep.data must have names of its own, got 'x'"),
    (lambda: sweep(lambda x, y: 0, {"x": [1]}, data={"y": __import__("threading").Lock()}, jobs=1),
     "sweep.data must be values that can be pickled, got"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, data={"y": 1}), "sweep.function must take all names, got 'y'"),
    (lambda: sweep(lambda x: 0, {"x": [1]}, job=2), "sweep: got an unexpected keyword argument 'job'"),
    (lambda: Grid(seed=[1]), "Grid.seed must have another name"),
    (lambda: Points([]), "Points.points must hold one point at least"),
    (lambda: Points([{"x": 1}, {"y": 1}]), "must be dicts with the same names"),
    (lambda: Random(0, x=[1]), "Random.n must be a whole number >= 1, got 0"),
    (lambda: Range(1.0, 1.0), "Range.low must be less than Range.high, got 1 and 1"),
    (lambda: Range(0.0, 1.0, log=True), "Range.low must be > 0 where log=True, got 0"),
    (lambda: QuasiRandom(4, method="sobl", x=[1, 2]), "QuasiRandom.method must be 'sobol', 'halton' or 'latin'"),
    (lambda: load("nowhere"), "holds no sweep"),
])
def test_bad_input_is_one_sentence(make, sentence):
    with pytest.raises(ns.NeurosimError) as caught:
        make()
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("returned, sentence", [
    (None, "must return a number or a dict"), (object(), "must be a number, text"), ({"x": 1}, "got 'x'"),
    ({1: 2}, "got 1"), ({"error": 2}, "got 'error'"),
])
def test_results_that_cannot_be_saved_are_failures(returned, sentence):
    with pytest.warns(ns.NeurosimWarning, match="1 of 1 calls failed"):
        result = sweep(lambda x: returned, {"x": [1]}, jobs=1, **NO_BAR)
    assert sentence in result.failures[0]["error"]


def test_a_function_that_cannot_travel_is_one_sentence():
    lock = __import__("threading").Lock()
    with pytest.raises(ns.ParameterError, match="must be such that other processes can have it"):
        sweep(lambda x: lock.locked(), {"x": [1, 2]}, jobs=2, **NO_BAR)


def test_parallel_coordinates_have_a_line_for_each_point():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    def f(tau, kind, gain, trial):
        return {"y": tau + trial, "text": "t"}

    result = sweep(f, Points([{"tau": 1.0, "kind": "a", "gain": 2}, {"tau": 10.0, "kind": "b", "gain": 2},
                              {"tau": 100.0, "kind": "a", "gain": 2}]), seeds=2, jobs=1, **NO_BAR)
    ax = result.plot("y", plt.figure().add_subplot(), kind="parallel")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["tau", "kind", "y"]  # gain does not vary
    heights = np.array([line[:, 1] for line in ax.collections[0].get_segments()])
    np.testing.assert_allclose(heights[:, :2], [[0.0, 0.0], [0.5, 1.0], [1.0, 0.0]], atol=1e-12)  # tau by its logarithm
    wanted = np.log([1.5, 10.5, 100.5])
    np.testing.assert_allclose(heights[:, 2], (wanted - wanted[0]) / (wanted[2] - wanted[0]), atol=1e-12)
    np.testing.assert_allclose(ax.collections[0].get_array(), [1.5, 10.5, 100.5])
    plt.close("all")


def test_points_without_a_grid_are_not_joined():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    result = sweep(lambda x, y: x + y, Random(30, x=Range(0.0, 1.0), y=Range(0.0, 1.0)), jobs=1, **NO_BAR)
    ax = result.plot(ax=plt.figure().add_subplot())
    assert ax.lines[0].get_linestyle() == "None" and ax.get_title() == "which differ in y"
    plt.close("all")
