"""Ten million spikes of 10,000 neurons into Neo, NWB and SONATA: ours beside loops over the neurons.

Each is a process of its own that has imported and compiled everything, and writes to a folder for the time. The loop
that most people write asks for each neuron which spikes are its own (`times[ids == k]`); it is run for some neurons and
its time is taken for all, which it is proportional to. The better loop goes over trains that were sorted before.
Memory is the most that the process had while it exported, in parts of the spikes themselves.
"""

import importlib.util
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import child

SPIKES, NEURONS, SOME = 10_000_000, 10_000, 100  #: SOME neurons are what the plain loop is run for
TIMES, MEMORY = 20, 2.0  #: what ours must reach: times as fast as the plain loop, times the memory of the spikes
NEEDS = {"neo": "neo", "nwb": "pynwb", "sonata": "h5py"}
WAYS = ("neurosim", "loop over trains", "loop over neurons")


def recording(spikes: int = SPIKES, neurons: int = NEURONS):
    """Return spikes at random over 1000 s."""
    from neurosim import Spikes

    rng = np.random.default_rng(0)
    return Spikes(ticks=rng.integers(1, 10_000_001, spikes), ids=rng.integers(0, neurons, spikes), size=neurons, dt=0.1,
                  duration=1e6, name="cells")


def trains_of(spikes, way, some):
    """Yield (neuron, times in ms) as a script would."""
    if way == "loop over trains":
        yield from enumerate(spikes.trains()[:some])
    else:
        times, ids = spikes.times, spikes.ids
        for neuron in range(some):
            yield neuron, times[ids == neuron]


def loop(target, path, spikes, way, some):
    """Export neuron by neuron."""
    if target == "neo":
        import neo
        import quantities as pq

        return [neo.SpikeTrain(times * pq.ms, t_stop=spikes.stop * pq.ms, channel_id=neuron)
                for neuron, times in trains_of(spikes, way, some)]
    if target == "nwb":
        from datetime import UTC, datetime

        import pynwb

        file = pynwb.NWBFile(session_description="a", identifier="b", session_start_time=datetime.now(UTC))
        for neuron, times in trains_of(spikes, way, some):
            file.add_unit(spike_times=times / 1000, obs_intervals=[[0.0, spikes.stop / 1000]], id=neuron)
        with pynwb.NWBHDF5IO(str(path), "w") as io:
            return io.write(file)
    import h5py

    found = list(trains_of(spikes, way, some))
    times = np.concatenate([each for _, each in found])
    nodes = np.concatenate([np.full(len(each), neuron, dtype=np.uint64) for neuron, each in found])
    order = np.argsort(times, kind="stable")
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/cells")
        group["timestamps"], group["node_ids"] = times[order], nodes[order]
        group["timestamps"].attrs["units"] = "ms"


def export(target, path, spikes, way, some):
    """Export spikes in one way."""
    if way != "neurosim":
        return loop(target, path, spikes, way, some)
    return spikes.to_neo() if target == "neo" else getattr(spikes, f"to_{target}")(path)


def memory(what: str) -> float:
    """Return a number of the process's memory, bytes: VmRSS now, or VmHWM, the most since it was reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    raise OSError(f"the system tells no {what}")


def measure(target: str, way: str, spikes: int, neurons: int) -> dict:
    """Measure one way in this process: seconds for all neurons, and memory in parts of the spikes."""
    some = SOME if way == "loop over neurons" else neurons
    with tempfile.TemporaryDirectory() as folder:
        export(target, Path(folder) / "first", recording(200, 10), way, 10)
        made = recording(spikes, neurons)
        data = made.ticks.nbytes + made.ids.nbytes
        Path("/proc/self/clear_refs").write_text("5")
        before, begin = memory("VmRSS"), time.perf_counter()
        kept = export(target, Path(folder) / "file", made, way, some)
        seconds = time.perf_counter() - begin
        del kept
    return {"seconds": seconds * neurons / some, "memory": (data + memory("VmHWM") - before) / data}


def main(settings, _out, spikes: int = SPIKES, neurons: int = NEURONS) -> tuple:
    """Measure; return ({format: {way: ...}}, whether ours is fast and small enough)."""
    found, good = {}, True
    for target, needs in NEEDS.items():
        if importlib.util.find_spec(needs) is None:
            print(f"{target}: {needs} is not installed")
            continue
        rounds = [{way: child.run("benchmarks.exports:measure", target=target, way=way, spikes=spikes, neurons=neurons)
                   for way in WAYS} for _ in range(settings.rounds)]
        found[target] = {way: {key: float(np.median([each[way][key] for each in rounds]))
                               for key in ("seconds", "memory")} for way in WAYS}
        ours = found[target]["neurosim"]
        for way, each in found[target].items():
            print(f"{target:8}{way:20}{each['seconds']:9.2f} s{each['seconds'] / ours['seconds']:9.1f} times ours, "
                  f"memory {each['memory']:.2f} of the spikes", flush=True)
        good &= found[target]["loop over neurons"]["seconds"] >= TIMES * ours["seconds"] and ours["memory"] <= MEMORY
    return found, good
