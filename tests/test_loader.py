"""The cache of compiled kernels: a second process compiles nothing, and a change of anything is noticed."""

import enum
import math
import os
import re
import subprocess
import sys
import tomllib
import types
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from numba.core import event

from neurosim.engine import loader, store
from neurosim.engine.fingerprint import fingerprint
from neurosim.errors import NeurosimWarning

SCRIPT = '''
import sys
sys.path.insert(0, {root!r})
import numpy as np
import neurosim as ns
from neurosim.checks import Parameter
from neurosim.maths import exp
from neurosim.neurons import Neuron, State
from numba.core import event
{extra}
SCALE = {scale}

class Mine(Neuron):
    """A user's own model."""

    gain = Parameter(1.0)
    state = {{"v": State(0.0)}}

    @staticmethod
    def step(v, i, gain):
        return {body}

    @staticmethod
    def fires(v):
        return v > 1e9

    @staticmethod
    def after_spike(v):
        return 0.0

with event.install_recorder("numba:run_pass") as passes:
    net = ns.Network()
    cells = net.add(Mine(), 3)
    sim = ns.Simulation(net, dt=1.0, dtype="{dtype}")
    sim.run(4.0)
kernels = sum(moment.is_start and moment.data["name"] == "translate_bytecode [kernel]" for _, moment in passes.buffer)
print("value", repr(float(sim.get(cells, "v")[0])), kernels, len(passes.buffer))
'''
ROOT = str(Path(__file__).resolve().parent.parent)


def run(folder, scale="2.0", body="v + SCALE * gain", extra="", dtype="float32"):
    """Run the script in a new process; return (value of v, whether anything was compiled, stderr)."""
    script = folder / "script.py"
    script.write_text(SCRIPT.format(root=ROOT, scale=scale, body=body, extra=extra, dtype=dtype))
    variables = {**os.environ, "NEUROSIM_CACHE": str(folder / "cache")}
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    line = [line for line in done.stdout.splitlines() if line.startswith("value")][0]
    value, kernels, passes = line.split()[1:]
    assert (int(kernels) > 0) == (int(passes) > 0) and int(kernels) <= 1, "a kernel is compiled once"
    return float(value), int(passes) > 0, done.stderr


def test_a_second_process_compiles_nothing_and_every_change_is_noticed(tmp_path):
    assert run(tmp_path) == (8.0, True, "")
    assert run(tmp_path)[:2] == (8.0, False)
    assert run(tmp_path, scale="3.0")[:2] == (12.0, True), "a changed global must be noticed"
    assert run(tmp_path, body="v + 2.0 * SCALE * gain")[:2] == (16.0, True), "a changed body must be noticed"
    assert run(tmp_path)[:2] == (8.0, False), "what was compiled first is still there"


def test_a_helper_that_a_body_calls_is_part_of_it(tmp_path):
    helper = "def helper(x):\n    return {} * x\n"
    body = "v + helper(gain)"
    assert run(tmp_path, body=body, extra=helper.format("5.0"))[:2] == (20.0, True)
    assert run(tmp_path, body=body, extra=helper.format("5.0"))[:2] == (20.0, False)
    assert run(tmp_path, body=body, extra=helper.format("6.0"))[:2] == (24.0, True)


@pytest.mark.slow
def test_a_helper_in_a_module_that_has_moved_is_found_again(tmp_path):
    module = tmp_path / "first_place"
    module.mkdir()
    (module / "helpers_of_a_test.py").write_text("def helper(x):\n    return 5.0 * x\n")
    extra = "sys.path.insert(0, {!r})\nfrom {} import helper\n"
    body = "v + helper(gain)"
    assert run(tmp_path, body=body, extra=extra.format(str(module), "helpers_of_a_test"))[0] == 20.0
    (module / "helpers_of_a_test.py").rename(module / "another_name.py")
    assert run(tmp_path, body=body, extra=extra.format(str(module), "another_name"))[0] == 20.0


def test_constants_are_as_narrow_as_the_simulation_wherever_they_lie():
    """0.1 as float32 times 3 in float32, or in float64 all along: a constant of a module does not widen a body."""
    elsewhere = types.ModuleType("elsewhere")
    elsewhere.TENTH = 0.1

    def by_module(x):
        return x * elsewhere.TENTH

    def by_math(x):
        return math.sqrt(x) * math.pi

    text = "def main(x, out):\n    out[0] = body(x)\n"
    for body, want in ((by_module, lambda x: x * type(x)(0.1)), (by_math, lambda x: np.sqrt(x) * type(x)(np.pi))):
        for real in (np.float32, np.float64):
            out = np.zeros(1)
            loader.load_function("narrow", text, {"body": body}, real)(real(3.0), out)
            assert out[0] == float(want(real(3.0)))


def test_the_fingerprint_tells_apart_what_a_body_may_name():
    point, other = namedtuple("Point", "x y"), namedtuple("Point", "y x")
    states = [{"SAME": value} for value in (
        1, 1.0, True, np.float32(1.0), (1.0,), (1.0, 2.0), point(1.0, 2.0), other(1.0, 2.0), np.ones(2), np.zeros(2),
        np.ones(2, np.float32), enum.IntEnum("Kind", {"A": 1}), enum.IntEnum("Kind", {"A": 2}),
        enum.IntEnum("Kind", {"A": 1}).A, enum.IntEnum("Kind", {"A": 2}).A)]
    code = compile("lambda: SAME", "", "eval").co_consts[0]
    texts = [fingerprint(types.FunctionType(code, state)) for state in states]
    assert len(set(texts)) == len(texts)
    assert texts == [fingerprint(types.FunctionType(code, state)) for state in states]


@pytest.mark.slow
def test_two_processes_at_once(tmp_path):
    """Each compiles, or takes what the other has left; both leave files that a third takes."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=ROOT, scale="2.0", body="v + SCALE * gain", extra="", dtype="float32"))
    variables = {**os.environ, "NEUROSIM_CACHE": str(tmp_path / "cache")}
    both = [subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=variables)
            for _ in range(2)]
    assert all(process.communicate()[0].startswith("value 8.0 ") for process in both)
    assert run(tmp_path) == (8.0, False, "")


# ---------------------------------------------------------------------------------------------------------------------
# One function of the cache, in this process: `compile_it` stands for a process that has not seen it
# ---------------------------------------------------------------------------------------------------------------------

ADD = "def main(x, out):\n    out[0] = body(x) + {}\n"


def twice(x):
    return 2 * x


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROSIM_CACHE", str(tmp_path / "cache"))
    store._say_once.cache_clear()
    return tmp_path / "cache"


def compile_it(*arguments, add=1, body=twice):
    """Load and call a function as a new process would; return (result for each argument, whether it was compiled)."""
    loader._loaded.clear()
    out = np.zeros(1)
    with event.install_recorder("numba:run_pass") as passes:
        call = loader.load_function("twice", ADD.format(add), {"body": body})
        found = [call(x, out) or float(out[0]) for x in arguments]
    return found, len(passes.buffer) > 0


def test_a_constant_of_another_module_is_part_of_a_body(folder):
    """Also one that a helper looks up, in a module within a package; an edit of anything else changes nothing."""
    package, helpers = types.ModuleType("package"), types.ModuleType("helpers")
    package.consts = types.ModuleType("package.consts")

    def helper(x):
        return package.consts.TWO * x

    def body(x):
        return package.consts.RATE * helpers.helper(x)

    helpers.helper = helper

    def found(rate, two, other):
        package.consts.__dict__.update(RATE=rate, TWO=two, OTHER=other)
        return compile_it(1, body=body)

    assert found(2.0, 2.0, 1.0) == ([5.0], True)
    assert found(2.0, 2.0, 5.0) == ([5.0], False)
    assert found(3.0, 2.0, 5.0) == ([7.0], True)
    assert found(3.0, 4.0, 5.0) == ([13.0], True)


def test_entries_of_several_signatures_do_not_touch_each_other(folder):
    """One process compiles for integers while another compiles for floats: none loses or takes the other's."""
    assert compile_it(1) == ([3.0], True)
    whole = {path: path.read_bytes() for path in folder.glob("*.bin")}
    for path in whole:
        path.unlink()
    assert compile_it(1.25) == ([3.5], True)
    for path, content in whole.items():
        path.write_bytes(content)
    assert compile_it(1, 1.25) == ([3.0, 3.5], False)


def test_what_is_kept_does_not_depend_on_when_it_was_written(folder):
    assert compile_it(1)[1]
    for path in folder.iterdir():
        os.utime(path, (1e9, 1e9))
    assert compile_it(1) == ([3.0], False)


@pytest.mark.parametrize("damage", [lambda content: b"", lambda content: b"not what it was",
                                    lambda content: content[:-1000],
                                    lambda content: content[:5000] + b"#" + content[5001:]],
                         ids=["empty", "other", "short", "one byte"])
def test_a_damaged_entry_is_compiled_again_and_mended(folder, damage):
    compile_it(1)
    entry, = folder.glob("*.bin")
    entry.write_bytes(damage(entry.read_bytes()))
    assert compile_it(1) == ([3.0], True)
    assert compile_it(1) == ([3.0], False)


def test_files_of_another_user_are_used_or_done_without(folder, monkeypatch):
    """They can be read but not touched, or not even read and not replaced, as a folder of that name can not."""
    compile_it(1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", lambda path: (_ for _ in ()).throw(PermissionError(1, "not permitted", str(path))))
        assert compile_it(1) == ([3.0], False)
    entry, = folder.glob("*.bin")
    entry.unlink()
    entry.mkdir()
    with pytest.warns(NeurosimWarning, match="compiled kernels cannot be kept in .*cache.*set NEUROSIM_CACHE"):
        assert compile_it(1) == ([3.0], True)
    assert {path.suffix for path in folder.iterdir()} == {".py", ".bin"}, "nothing half written is left"


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are of Unix")
def test_a_full_disk_is_done_without(folder):
    """Nothing larger than 100 bytes can be written; it is compiled once and said once."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.warns(NeurosimWarning, match="compiled kernels cannot be kept") as said:
            found = compile_it(1, 1.25)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert found == ([3.0, 3.5], True) and len(said) == 1
    assert [path.name for path in folder.iterdir() if path.suffix != ".py"] == []


def test_a_folder_that_cannot_be_made_is_done_without(folder):
    folder.write_text("a file where the folder should be")
    with pytest.warns(NeurosimWarning, match="compiled kernels cannot be kept in") as said:
        assert compile_it(1, 1.25) == ([3.0, 3.5], True)
    assert len(said) == 1 and "exists" in str(said[0].message)
    assert "exists" in store.why_not_kept()


def test_a_user_without_a_home_is_done_without(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    for name in ("NEUROSIM_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    store._say_once.cache_clear()
    with pytest.warns(NeurosimWarning, match="no home folder"):
        assert compile_it(1) == ([3.0], True)


def test_what_was_not_used_for_longest_goes_first(folder, monkeypatch):
    monkeypatch.setattr(store, "KEEP_KERNELS", 2)
    for add in range(3):
        compile_it(1, add=add)
        for path in folder.glob("*.bin"):  # as if an hour passed
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))
    compile_it(1, add=1)
    compile_it(1, add=3)
    assert [compile_it(1, add=add)[1] for add in (1, 3)] == [False, False]
    assert compile_it(1, add=0)[1]
    assert len(list(folder.glob("*.py"))) <= 3


def test_the_oldest_versions_that_are_promised_are_those_that_are_tested():
    promised = tomllib.loads((Path(ROOT) / "pyproject.toml").read_text())["project"]["dependencies"]
    tested = re.findall(r"^([\w-]+)==(\S+)$", (Path(ROOT) / "constraints-oldest.txt").read_text(), re.MULTILINE)
    bounds = {name: tuple(map(int, version.split("."))) for name, version in (each.split(">=") for each in promised)}
    for name, version in tested:
        numbers = tuple(map(int, version.split(".")))
        assert bounds[name] == numbers[:len(bounds[name])] and not any(numbers[len(bounds[name]):])
    assert len(tested) == len(bounds)


def test_importing_costs_little():
    """Nothing heavy is imported before it is used; the time itself is measured in benchmarks/startup.py."""
    code = ("import sys, neurosim; "
            "print([name for name in ('numba', 'scipy', 'h5py', 'matplotlib') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_no_compiled_loop_depends_on_the_environment_of_a_process():
    """The key of an entry is made of fingerprints; `platform` and `os` hold what differs from shell to shell."""
    script = ("from neurosim.engine import intrinsics, fingerprint\n"
              "print([fingerprint.fingerprint(getattr(intrinsics, name)) for name in vars(intrinsics)\n"
              "       if type(getattr(intrinsics, name)).__name__ == '_Intrinsic'])")
    found = {subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT,
                            env={**os.environ, "NEUROSIM_OTHER": other}).stdout for other in ("a", "b")}
    assert len(found) == 1 and len(found.pop()) > 1000
