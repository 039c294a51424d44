"""The cache of compiled kernels: a second process compiles nothing, and a change of anything is noticed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = '''
import sys
sys.path.insert(0, {root!r})
import numpy as np
import neurosim as ns
from neurosim.checks import Parameter
from neurosim.maths import exp
from neurosim.neurons import Neuron, State
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

net = ns.Network()
cells = net.add(Mine(), 3)
sim = ns.Simulation(net, dt=1.0)
sim.run(4.0)
print("value", float(sim.get(cells, "v")[0]))
'''
ROOT = str(Path(__file__).resolve().parent.parent)


def run(folder, scale="2.0", body="v + SCALE * gain", extra="", **environment):
    """Run the script in a new process; return (value of v, whether anything was compiled and kept, stderr)."""
    script = folder / "script.py"
    script.write_text(SCRIPT.format(root=ROOT, scale=scale, body=body, extra=extra))
    variables = {**os.environ, "NEUROSIM_CACHE": str(folder / "cache"), "NUMBA_DEBUG_CACHE": "1", **environment}
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=variables, check=True)
    line = [line for line in done.stdout.splitlines() if line.startswith("value")][0]
    return float(line.split()[1]), "data saved" in done.stdout, done.stderr


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


def test_a_helper_in_a_module_that_has_moved_is_found_again(tmp_path):
    module = tmp_path / "first_place"
    module.mkdir()
    (module / "helpers_of_a_test.py").write_text("def helper(x):\n    return 5.0 * x\n")
    extra = "sys.path.insert(0, {!r})\nfrom {} import helper\n"
    body = "v + helper(gain)"
    assert run(tmp_path, body=body, extra=extra.format(str(module), "helpers_of_a_test"))[0] == 20.0
    (module / "helpers_of_a_test.py").rename(module / "another_name.py")
    assert run(tmp_path, body=body, extra=extra.format(str(module), "another_name"))[0] == 20.0


def test_two_processes_at_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=ROOT, scale="2.0", body="v + SCALE * gain", extra=""))
    variables = {**os.environ, "NEUROSIM_CACHE": str(tmp_path / "cache")}
    both = [subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=variables)
            for _ in range(2)]
    assert [process.communicate()[0].strip() for process in both] == ["value 8.0", "value 8.0"]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    value, saved, warning = run(tmp_path)
    assert (value, saved) == (8.0, False)
    assert warning.count("NeurosimWarning: compiled kernels cannot be kept: no cache folder can be written") == 1


@pytest.mark.parametrize("damage", [b"", b"not what it was"])
def test_a_damaged_cache_is_done_without(tmp_path, damage):
    run(tmp_path)
    for file in (tmp_path / "cache").rglob("*.nb*"):
        file.write_bytes(damage)
    assert run(tmp_path)[0] == 8.0


def test_importing_costs_little():
    """Nothing heavy is imported before it is used; the time itself is measured in benchmarks/startup.py."""
    code = ("import sys, neurosim; "
            "print([name for name in ('numba', 'scipy', 'h5py', 'matplotlib') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
