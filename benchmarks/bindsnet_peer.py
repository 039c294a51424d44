"""The network of digits in BindsNET, through its public interface: its nodes and its rule of Diehl and Cook.

BindsNET imports at once what its data loaders, plots and games need; what of it is absent is replaced by a dummy, so
that `pip install --no-deps bindsnet` beside PyTorch, NumPy and SciPy is enough.
"""

import importlib
import sys
import time
from unittest import mock

import numpy as np

from benchmarks import recordings
from benchmarks.cases import DIGITS, Case, digit_weights


def _bindsnet():
    """Return the package, with dummies for what it imports and does not use here."""
    while True:
        try:
            return importlib.import_module("bindsnet")
        except ModuleNotFoundError as error:
            if error.name.startswith("bindsnet"):
                raise
            sys.modules[error.name] = mock.MagicMock()
            for name in [name for name in sys.modules if name.split(".")[0] == "bindsnet"]:
                del sys.modules[name]


def _network(case: Case):
    _bindsnet()
    import torch
    from bindsnet.learning.MCC_learning import DiehlAndCook
    from bindsnet.network import Network, monitors, nodes
    from bindsnet.network.topology import MulticompartmentConnection
    from bindsnet.network.topology_features import Weight

    p, n = DIGITS, case.n[0]
    net = Network(dt=case.dt)
    pixels = nodes.Input(n=p["inputs"], traces=True, traces_additive=True, tc_trace=p["tau_x"])
    cells = nodes.DiehlAndCookNodes(
        n=n, traces=False, rest=p["v_leak"], reset=p["v_reset"], thresh=p["v_threshold"], refrac=round(p["t_ref"]),
        tc_decay=p["tau_mem"], theta_plus=p["delta_theta"], tc_theta_decay=p["tau_theta"], one_spike=False)
    learning = Weight("weight", torch.tensor(digit_weights(), dtype=torch.float32), range=[0.0, 1.0], norm=p["total"],
                      nu=(0.0, p["eta"]), learning_rule=DiehlAndCook, x_tar=p["x_0"], mu=0.0)
    inhibition = Weight("weight", p["inhibition"] * (1.0 - torch.eye(n)), range=[p["inhibition"], 0.0])
    net.add_layer(pixels, name="pixels")
    net.add_layer(cells, name="cells")
    for source, feature in (("pixels", learning), ("cells", inhibition)):
        net.add_connection(MulticompartmentConnection(net.layers[source], cells, "cpu", [feature]), source, "cells")
    monitor = monitors.Monitor(cells, ["s"], time=round(case.sample_ms / case.dt))
    net.add_monitor(monitor, "spikes")
    return net, monitor


def measure(case: Case, threads: int, dtype: str = "float32", folder=None, spikes: str = "") -> dict:
    """Show the images; making their dense rasters counts as building."""
    import torch

    torch.set_num_threads(threads)
    began = time.perf_counter()
    net, monitor = _network(case)
    samples, ticks, count = recordings.digits(case), round(case.sample_ms / case.dt), 0.0
    rasters = []
    for sample in samples:
        rasters.append(np.zeros((ticks, 1, DIGITS["inputs"]), np.float32))
        rasters[-1][sample.ticks, 0, sample.ids] = 1.0  # when they arrive: one_step makes that the tick of both
    started = time.perf_counter()
    for raster in rasters:
        net.run({"pixels": torch.from_numpy(raster)}, ticks, one_step=True)
        count += float(monitor.get("s").sum())
    ended = time.perf_counter()
    return {"build": started - began, "simulate": ended - started, "rates": [count / case.n[0] / case.run * 1e3],
            "input_events": float(sum(len(sample) for sample in samples) * case.n[0])}


def versions() -> str:
    """Return what was run."""
    import importlib.metadata

    import torch

    return f"BindsNET {importlib.metadata.version('bindsnet')}, torch {torch.__version__}"
