"""What calls of a sweep share is made once for each set of what it follows from, mapped, and found again."""

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
from neurosim.sweep import Grid, Random, Range, store, sweep
from neurosim.sweep.calling import Call
from neurosim.sweep.journal import entries
from neurosim.sweep.waiting import Waiting

ROOT = Path(__file__).resolve().parent.parent
NO_BAR = {"progress": False}


def is_mapped(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return type(memoryview(array).obj).__name__ == "mmap"


def note(folder, text):
    with open(Path(folder) / "made", "a") as made:
        made.write(f"{text}\n")


def made(folder):
    return sorted((Path(folder) / "made").read_text().split("\n")[:-1])


def states(tau, trial, marks, seed):
    note(marks, f"states {tau} {trial}")
    return {"states": np.full((40, 5), tau + trial), "draw": seed}


def readout(states, ridge, marks):
    note(marks, f"readout {states['states'][0, 0]} {ridge}")
    return states["states"].sum(axis=0) * ridge


def score(readout, states, noise, seed):
    assert is_mapped(states["states"]) and is_mapped(readout) and not readout.flags.writeable
    states["states"] = None  # of this call alone
    return {"sum": float(readout.sum()) + noise, "draw": states["draw"] % 1000}


SPACE = Grid(tau=[1.0, 2.0], ridge=[1.0, 3.0], noise=[0.0, 0.5, 0.25])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_shared_value_is_made_once_for_what_it_follows_from(jobs, tmp_path):
    arguments = {"seeds": 2, "shared": {"readout": readout, "states": states}, "data": {"marks": str(tmp_path)},
                 "jobs": jobs, "folder": tmp_path, **NO_BAR}
    rows = sweep(score, SPACE, **arguments).rows
    assert made(tmp_path) == sorted(
        [f"states {tau} {trial}" for tau in (1.0, 2.0) for trial in (0, 1)]
        + [f"readout {tau + trial} {ridge}" for tau in (1.0, 2.0) for trial in (0, 1) for ridge in (1.0, 3.0)])
    assert [row["sum"] for row in rows] == [200 * (row["tau"] + row["seed"]) * row["ridge"] + row["noise"]
                                            for row in rows]
    assert len({(row["tau"], row["seed"], row["draw"]) for row in rows}) == 4  # one seed for each value
    assert sweep(score, SPACE, **{**arguments, "folder": tmp_path / "else", "jobs": 1}).rows == rows
    (tmp_path / "made").unlink()
    assert len(sweep(lambda states, noise: noise, Grid(tau=[1.0, 2.0], noise=[0.0]), **{
        **arguments, "shared": {"states": states}}, name="other").rows) == 4
    assert not (tmp_path / "made").exists()  # found in the folder by another sweep


def test_a_changed_recipe_or_other_data_makes_other_values(tmp_path):
    def total(x, values):
        return float(values.sum()) * x

    arguments = {"space": {"x": [1]}, "folder": tmp_path, "jobs": 1, **NO_BAR}
    run = lambda name, make, k: sweep(total, shared={"values": make}, data={"k": k}, name=name, **arguments)  # noqa: E731
    one, two = (lambda k: np.full(3, k)), (lambda k: np.full(4, k))
    assert [run("a", one, 1.0).rows[0]["value"], run("b", two, 1.0).rows[0]["value"],
            run("c", one, 2.0).rows[0]["value"]] == [3.0, 4.0, 6.0]
    assert len(list((tmp_path / "shared").iterdir())) == 3
    with pytest.raises(ns.FileError, match="shared values"):
        run("a", two, 1.0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_needs_a_value_that_cannot_be_made_has_failed(jobs, tmp_path):
    flag = tmp_path / "flag"
    flag.touch()

    def value(x, flag):
        if x == 2 and Path(flag).exists():
            raise ValueError("no value for two")
        return x

    arguments = {"space": Grid(x=[1, 2], y=[0, 1]), "shared": {"value": value}, "data": {"flag": str(flag)},
                 "folder": tmp_path, "jobs": jobs, **NO_BAR}
    with pytest.warns(ns.NeurosimWarning, match="2 of 4 calls failed, the first with ValueError: no value for two"):
        result = sweep(lambda value, y: value + y, **arguments)
    assert "in value" in result.failures[0]["traceback"]
    flag.unlink()
    found = sweep(lambda value, y: value + y, retry="failed", **arguments)
    assert [row["value"] for row in found.rows] == [1, 2, 2, 3]


def test_a_simulation_comes_with_its_layout_and_as_it_was(tmp_path):
    """Conductances are set anew at every point; nothing is built again, and no call leaves a trace in the next."""
    class Cell(ns.LIF):  # of this function: it travels by value
        pass

    def liquid(trial, marks):
        note(marks, f"liquid {trial}")
        net = ns.Network()
        noise = net.add(ns.Poisson(rate=30.0), 40, name="noise")
        cells = net.add(Cell(tau_mem=20.0), 20, name="cells")
        net.connect(noise, cells, ns.FixedProbability(0.5), weight=ns.Normal(1.0, 0.3), delay=ns.Uniform(1.0, 3.0),
                    name="synapses")
        net.record(cells)
        return ns.Simulation(net, dt=0.5, seed=trial)

    def rate(liquid, scale):
        assert liquid.time == 0.0
        liquid.set("synapses", weight=scale * liquid.weights("synapses"))
        liquid.run(200.0)
        return len(liquid.spikes("cells"))

    space = Grid(scale=[1.0, 2.0, 4.0])
    rows = [sweep(rate, space, seeds=2, shared={"liquid": liquid}, data={"marks": str(tmp_path)}, jobs=jobs,
                  **NO_BAR).rows for jobs in (1, 2)]
    assert rows[0] == rows[1] and made(tmp_path) == ["liquid 0"] * 2 + ["liquid 1"] * 2
    for row in rows[0]:
        assert row["value"] == rate(liquid(row["seed"], tmp_path), row["scale"])


def test_arrays_of_a_layout_are_mapped(tmp_path):
    net = ns.Network()
    a, b = net.add(ns.Poisson(rate=10.0), 50, name="a"), net.add(ns.LIF(), 50, name="b")
    net.connect(a, b, weight=ns.Normal(1.0, 0.1), delay=1.0, name="p")
    store.dump(ns.Simulation(net), tmp_path / "sim")
    read = store.load(tmp_path / "sim")
    assert (tmp_path / "sim").stat().st_size > 4 * 50 * 50
    np.testing.assert_array_equal(read.weights("p"), ns.Simulation(net).weights("p"))
    store.forget()


def test_what_cannot_be_pickled_fails_and_the_rest_goes_on():
    make = lambda x: __import__("threading").Lock() if x == 1 else x  # noqa: E731
    with pytest.warns(ns.NeurosimWarning, match="1 of 2 calls failed, the first with ParameterError: a value that"):
        result = sweep(lambda value: value, {"x": [1, 2]}, shared={"value": make}, jobs=1, **NO_BAR)
    assert result.rows[1]["value"] == 2


FULL = textwrap.dedent("""
    import resource, sys
    import numpy as np
    import neurosim as ns
    from neurosim.sweep import Grid, sweep

    def big(x):
        return np.full(x * 1_000_000, 1.0)

    def total(big, x):
        return float(big.sum())

    if __name__ == "__main__":
        if sys.argv[2] == "full":  # files may not grow beyond 9 MB, which ends a write as a full disk does
            resource.setrlimit(resource.RLIMIT_FSIZE, (9_000_000, 9_000_000))
        try:
            result = sweep(total, Grid(x=[1, 2]), shared={"big": big}, jobs=int(sys.argv[3]), folder=sys.argv[1],
                           progress=False)
            print([row["value"] for row in result.rows])
        except ns.FileError as error:
            print(error)
""")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_disk_that_is_full_stops_with_one_sentence_and_loses_nothing(jobs, tmp_path):
    (tmp_path / "script.py").write_text(FULL)
    said = []
    for how in ("full", "free"):
        done = subprocess.run([sys.executable, str(tmp_path / "script.py"), str(tmp_path), how, jobs], text=True,
                              check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True)
        said.append(done.stdout.splitlines())
    assert len(said[0]) == 1 and "big-" in said[0][0] and "cannot be written: File too large" in said[0][0]
    assert said[1] == ["[1000000.0, 2000000.0]"]
    if jobs == "1":  # a process that is ended while it writes leaves what it had begun, under another name
        assert not list((tmp_path / "shared").glob(".*"))


def test_values_come_back_and_damage_is_found(tmp_path):
    value = {"a": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.eye(3)), "s": np.arange(10)[::2], "n": None,
             "o": np.array(["x", None], dtype=object), "e": np.zeros((0, 2)), "b": b"bytes", "d": np.float32(0.5)}
    path = tmp_path / "value"
    store.dump(value, path)
    found = store.load(path)
    for name, each in value.items():
        np.testing.assert_array_equal(found[name], each)
    whole = path.read_bytes()
    for damaged in (b"", whole[:10], whole[:-1], b"x" + whole[1:], whole[:40] + b"\xff" + whole[41:]):
        store.forget()
        path.write_bytes(damaged)
        with pytest.raises(ns.FileError, match="is not a file of values of a sweep or is damaged"):
            store.load(path)
    with pytest.raises(ns.ParameterError, match="must be one that can be pickled, got dict"):
        store.dump({"lock": __import__("threading").Lock()}, path)
    store.forget()


SCRIPT = textwrap.dedent("""
    import sys, time
    import numpy as np
    from neurosim.sweep import Grid, sweep

    def slow(x):
        with open(sys.argv[1] + "/made", "a") as made:
            made.write(f"{x}\\n")
        time.sleep(0.05)
        return np.full(1000, x)

    def total(slow, y):
        return float(slow.sum()) + y

    if __name__ == "__main__":
        sweep(total, Grid(x=list(range(8)), y=[0, 1]), shared={"slow": slow}, jobs=2, folder=sys.argv[1],
              progress=False)
""")


def test_shared_values_survive_kill_9(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command, environment = [sys.executable, str(script), str(tmp_path)], os.environ | {"PYTHONPATH": str(ROOT)}
    driver = subprocess.Popen(command, env=environment)
    while driver.poll() is None and len(list((tmp_path / "shared").glob("slow-*"))) < 3:
        time.sleep(0.005)
    driver.kill()
    assert driver.wait() == -signal.SIGKILL
    subprocess.run(command, env=environment, check=True)
    from neurosim.sweep import load

    assert [row["value"] for row in load(tmp_path).rows] == [1000.0 * x + y for x in range(8) for y in (0, 1)]
    assert len(made(tmp_path)) <= 8 + 2  # what was under way and nothing else
    ended = [entry["key"] for path in (tmp_path / "sweep").glob("*.log") for entry in entries(path) if "key" in entry]
    assert len(ended) == len(set(ended)) == 16 + 8


@pytest.mark.parametrize("shared, sentence", [
    ([1], "sweep.shared must be a dict of functions by name, got [1]"),
    ({"a b": len}, "sweep.shared must be a dict of functions by name"),
    ({"x": lambda: 1}, "must have names of its own, got 'x', which is a parameter"),
    ({"v": 3}, "sweep.shared['v'] must be a function, got 3"),
    ({"v": lambda **k: 1}, "must name what it takes, got a function with **"),
    ({"v": lambda y: 1}, "must take parameters, data, shared values, `seed` or `trial`, got 'y'"),
    ({"v": lambda v: 1}, "must not go round in a circle, got v, which needs itself"),
    ({"v": lambda w: 1, "w": lambda v: 1}, "must not go round in a circle, got v and w, which need each other"),
    ({"v": lambda x: 1, "w": lambda x: 1}, "sweep.function must take all names, got 'w'"),
])
def test_bad_recipes_are_one_sentence(shared, sentence):
    with pytest.raises(ns.ParameterError) as caught:
        sweep(lambda x, v=0: x, {"x": [1]}, shared=shared, jobs=1, **NO_BAR)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_names_of_sweeps_and_of_shared_values_do_not_meet(tmp_path):
    with pytest.raises(ns.ParameterError, match="and not 'shared'"):
        sweep(lambda x: x, {"x": [1]}, folder=tmp_path, name="shared", **NO_BAR)


def test_random_points_share_what_does_not_differ(tmp_path):
    space = Random(6, noise=Range(0.0, 1.0), tau=[1.0, 2.0])
    sweep(lambda states, noise: noise, space, shared={"states": lambda tau, marks: states(tau, 0, marks, 0)},
          data={"marks": str(tmp_path)}, jobs=1, **NO_BAR)
    assert made(tmp_path) == [f"states {tau} 0" for tau in sorted({point["tau"] for point in space.points})]


# ---- which call is next ------------------------------------------------------------------------------


def test_a_call_waits_for_its_own_shared_values_alone(tmp_path):
    a, b = (Call(name, {}, 0, 1, name) for name in "ab")
    behind = Call("behind", {}, 0, 1, "behind", ("a",))
    on_a, on_b, on_both = (Call(str(needs), {}, 0, 1, None, needs) for needs in (("a",), ("b",), ("b", "behind")))
    line = Waiting([a, b, behind, on_a, on_b, on_both], tmp_path)
    assert line.take(9) == [a, b]
    line.back([b])
    (tmp_path / "a").touch()
    line.ended(a)
    assert line.take(9) == [b, behind, on_a]
    line.ended(on_a)
    assert line.take(9) == []
    (tmp_path / "b").touch()
    line.ended(b)
    assert line.take(9) == [on_b]
    (tmp_path / "behind").touch()
    line.ended(behind)
    assert line.take() == [on_both]


def test_a_call_whose_values_cannot_be_made_is_dropped_with_all_that_needs_it(tmp_path):
    a, b = (Call(name, {}, 0, 1, name) for name in "ab")
    behind = Call("behind", {}, 0, 1, "behind", ("a",))
    line = Waiting([a, b, behind, Call("x", {}, 0, 1, None, ("behind",)), Call("y", {}, 0, 1, None, ("b", "behind"))],
                   tmp_path)
    assert line.take(2) == [a, b]
    (tmp_path / "b").touch()
    line.ended(b)
    line.ended(a)
    assert line.take(9) == [] and not line.held
