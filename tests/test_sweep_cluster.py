"""Sweeps on a real Dask cluster on this machine, whose workers are killed, stopped for good, and poisoned."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

import neurosim as ns
from neurosim.sweep import Grid, load, sweep
from neurosim.sweep import cluster as module

NO_BAR = {"progress": False}
LOOPBACK = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "silence_logs": 50}


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    import dask

    with dask.config.set({"distributed.scheduler.worker-ttl": "3s", "distributed.scheduler.allowed-failures": 1,
                          "distributed.worker.daemon": True}):
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **LOOPBACK) as made:
            yield made


@pytest.fixture
def client(cluster):
    from distributed import Client

    with Client(cluster, set_as_default=False) as made:
        made.wait_for_workers(2, timeout=60)
        yield made


def measured(x, y, seed, trial, scale):
    return {"draw": float(np.random.default_rng(seed).random()), "sum": scale[0] * x + y + trial}


def damaging(x, folder, how):
    """Kill, stop or leave alone the process of the call x = 3, the first time or always."""
    mark = Path(folder) / "mark"
    if x == 3 and (how == "always" or not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)
    time.sleep(0.02)
    return x


def test_a_cluster_gives_the_same_table_as_this_process(client, tmp_path):
    arguments = {"space": Grid(x=[0, 1, 2], y=[0.5, 1.5]), "seeds": 2, "data": {"scale": np.array([2.0])}, **NO_BAR}
    rows = sweep(measured, jobs=1, **arguments).rows
    assert sweep(measured, cluster=client, folder=tmp_path, **arguments).rows == rows == load(tmp_path).rows
    assert sweep(measured, cluster=client.scheduler.address, **arguments).rows == rows
    assert not list((tmp_path / "sweep").glob("data-*"))


def shared_states(x, folder):
    with open(Path(folder) / "made", "a") as made:
        made.write(f"{x}\n")
    return np.full(1000, float(x))


def shared_sum(states, y, seed):
    return float(states.sum()) + y + seed % 2


def test_shared_values_are_made_by_workers_once(client, tmp_path):
    arguments = {"space": Grid(x=[1, 2, 3], y=[0.0, 0.5]), "seeds": 2, "data": {"folder": str(tmp_path)},
                 "shared": {"states": shared_states}, **NO_BAR}
    rows = sweep(shared_sum, cluster=client, folder=tmp_path, **arguments).rows
    assert sorted((tmp_path / "made").read_text().split()) == ["1", "2", "3"]
    assert sweep(shared_sum, jobs=1, **arguments).rows == rows


def test_short_calls_travel_together_and_none_is_lost(client):
    rows = sweep(lambda x, seed: seed % 1000, {"x": list(range(500))}, cluster=client, **NO_BAR).rows
    assert rows == sweep(lambda x, seed: seed % 1000, {"x": list(range(500))}, jobs=1, **NO_BAR).rows


@pytest.mark.parametrize("how", ["once", "stop"])
def test_a_worker_that_dies_or_never_comes_back_costs_nothing(how, client, tmp_path):
    space = Grid(x=list(range(12)), folder=[str(tmp_path)], how=[how])
    assert [row["value"] for row in sweep(damaging, space, cluster=client, **NO_BAR).rows] == list(range(12))
    assert (tmp_path / "mark").exists()


def test_a_call_that_kills_every_worker_fails_and_the_rest_goes_on(client, tmp_path):
    space = Grid(x=list(range(8)), folder=[str(tmp_path)], how=["always"])
    with pytest.warns(ns.NeurosimWarning, match="1 of 8 calls failed, the first with SimulationError: the workers"):
        rows = sweep(damaging, space, cluster=client, **NO_BAR).rows
    assert [row["value"] for row in rows if row["x"] != 3] == [0, 1, 2, 4, 5, 6, 7]


@pytest.mark.parametrize("killed", [True, False])
def test_what_a_worker_takes_with_it_is_computed_again(client, monkeypatch, killed):
    """A call has ended, and its worker is gone before what came of it is fetched; nobody has it, or nobody answers."""
    from distributed import Future, KilledWorker

    real, asked = Future.result, []

    def result(future, timeout=None):
        asked.append(future)
        if len(asked) == 1:
            raise KilledWorker("call", None, 1) if killed else TimeoutError
        return real(future, timeout)

    monkeypatch.setattr(Future, "result", result)
    rows = sweep(lambda x: 2 * x, {"x": [1, 2, 3]}, cluster=client, **NO_BAR).rows
    assert [row["value"] for row in rows] == [2, 4, 6]
    assert len(asked) > 3


def test_a_cluster_without_workers_is_one_sentence(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(module, "EMPTY", 1.0)
    monkeypatch.setattr(module, "LOOK", 0.2)
    with distributed.LocalCluster(n_workers=0, **LOOPBACK) as empty:
        with pytest.raises(ns.SimulationError, match="has had no workers for 1 s; what has ended is kept"):
            sweep(lambda x: x, {"x": [1]}, cluster=empty.scheduler_address, **NO_BAR)


@pytest.mark.parametrize("cluster, sentence", [
    (3, "must be the address of a Dask scheduler or a dask.distributed.Client, got 3"),
    ("tcp://127.0.0.1:9", "that answers, as in 'tcp://10.0.0.1:8786', got 'tcp://127.0.0.1:9'"),
    ("no address", "that answers, as in 'tcp://10.0.0.1:8786', got 'no address'"),
])
def test_a_wrong_cluster_is_one_sentence(cluster, sentence, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(module, "ANSWER", 1.0)
    with pytest.raises(ns.ParameterError) as caught:
        sweep(lambda x: x, {"x": [1]}, cluster=cluster, **NO_BAR)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_jobs_and_cluster_exclude_each_other():
    with pytest.raises(ns.ParameterError, match="sweep.jobs must be left out where there is a cluster"):
        sweep(lambda x: x, {"x": [1]}, cluster="tcp://127.0.0.1:9", jobs=2, **NO_BAR)


def test_a_missing_dask_is_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ns.UnsupportedError, match="sweeps on a cluster need Dask; install it with"):
        sweep(lambda x: x, {"x": [1]}, cluster="tcp://127.0.0.1:9", **NO_BAR)
