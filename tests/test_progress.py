"""The progress bar: in a terminal, in a notebook, and nowhere else."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import types
from pathlib import Path

import pytest

from neurosim import progress
from neurosim.progress import progress_bar

ROOT = Path(__file__).resolve().parent.parent
RUN = """
import neurosim as ns
net = ns.Network()
net.record(net.add(ns.Poisson(rate=100.0), 3, name="noise"))
sim = ns.Simulation(net, {dt}, mode="{mode}")
sim.run(40.0)
sim.run({duration}, progress=True)
print(sim.time)
"""


def in_terminal(*arguments):
    """Run Python with a terminal for its stderr; return its exit code, its output and what the terminal showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "NEUROSIM_PROGRESS"}
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, text=True,
                               env={**environment, "TERM": "xterm"})
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 1 << 16):
            shown += part
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    output = process.communicate(timeout=60)[0]
    return process.returncode, output, shown.decode()


def ends(shown):
    """The last percentage, and what is done of how much, that a terminal showed."""
    percent, done, total = re.findall(r"(\d+)%\|.*?\| (\S+)/(\S+) ", shown)[-1]
    return int(percent), float(done), float(total)


@pytest.mark.parametrize(("dt", "mode", "duration"), [
    (0.1, "clocked", 123.4), (1.0, "clocked", 200.0), (None, "event", 12.34)])
def test_a_run_in_a_terminal(dt, mode, duration):
    code, output, shown = in_terminal("-c", RUN.format(dt=dt, mode=mode, duration=duration))
    assert code == 0 and "Traceback" not in shown, shown
    assert float(output) == pytest.approx(40.0 + duration)
    assert ends(shown) == (100, duration, duration) and f"{duration:g}/{duration:g} ms" in shown


def test_simulate_in_a_terminal(tmp_path):
    code, output, shown = in_terminal("-m", "neurosim.cli", "simulate", "examples/network.toml", "--duration", "50.5",
                                      "--out", str(tmp_path))
    assert code == 0 and "Traceback" not in shown, shown
    assert ends(shown) == (100, 50.5, 50.5) and "50.5 ms in" in output


def test_a_bar_of_samples_in_a_terminal():
    code, _, shown = in_terminal("-c", "from neurosim.progress import progress_bar\n"
                                 "with progress_bar(True, 7, 'samples') as done:\n    done(3)\n    done(7)")
    assert code == 0 and ends(shown) == (100, 7, 7) and "7/7 samples" in shown


def test_nothing_is_drawn_where_nobody_looks(capsys, monkeypatch):
    monkeypatch.delenv("NEUROSIM_PROGRESS", raising=False)
    with progress_bar(True, 2, "samples") as done:
        done(2)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("NEUROSIM_PROGRESS", "1")
    with progress_bar(True, 2, "samples") as done:
        done(2)
    assert "2/2 samples" in capsys.readouterr().err
    with progress_bar(True, 0, "samples") as done:  # of nothing there is no bar
        done(0)
    with progress_bar(False, 2, "samples") as done:
        done(2)
    monkeypatch.setenv("NEUROSIM_PROGRESS", "0")
    with progress_bar(True, 2, "samples") as done:
        done(2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("config", "notebook"), [({"IPKernelApp": {}}, True), ({"TerminalIPythonApp": {}}, False)])
def test_a_kernel_of_a_notebook_is_looked_at_though_its_stderr_is_no_terminal(monkeypatch, config, notebook):
    shell = types.SimpleNamespace(config=config)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.delenv("NEUROSIM_PROGRESS", raising=False)
    assert progress._watched() == notebook
