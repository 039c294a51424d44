"""One network from 10^5 to 10^9 synapses: time and memory to build it, and what an event costs, beside Brian2 and NEST.

LIF that fire regularly, by a constant current, in random phases; each has 1,000 sources drawn with repeats, a weight of
its own for each synapse, too small to matter, and delays of 0.1 to 1 ms. Its size is the number of its neurons. Each
simulator goes as far as `FARTHEST`, or until it runs one size for longer than `--patience` seconds. The cost of an
event is processor time, all threads together, updates of neurons included.
"""

import math
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

import neurosim as ns
from benchmarks import child
from benchmarks.peers import OURS, peer_of

DT, RATE, IN_DEGREE = 0.1, 10.0, 1000
TAU, THRESHOLD = 20.0, 20.0
DRIVE = THRESHOLD / (1.0 - math.exp(-1000.0 / RATE / TAU))  #: takes v from 0 to the threshold in one period
WEIGHT, DELAY = (1e-6, 1e-7), (0.1, 1.0)
SYNAPSES = [10**5, 10**6, 10**7, 10**8, 10**9]
FARTHEST = {"neurosim": 10**9, "brian2_cython": 10**7, "nest": 10**8}  #: beyond, they need more than 10 GB
NEST_NODES = 65_000  #: of a thread, for which it has its smallest synapses
RUN = 1000.0 / RATE  #: ms that are measured: each neuron fires once


def network(neurons: int):
    """Return the network of a size."""
    net = ns.Network()
    cells = net.add(ns.LIF(tau_mem=TAU, v_leak=0.0, v_reset=0.0, v_threshold=THRESHOLD, t_ref=0.0, r=1.0, i_bias=DRIVE),
                    neurons, name="cells", initial={"v": ns.Uniform(0.0, 0.999 * THRESHOLD)})
    net.connect(cells, cells, ns.FixedInDegree(IN_DEGREE), weight=ns.Normal(*WEIGHT), delay=ns.Uniform(*DELAY))
    net.record(cells)
    return net


class _Watch:
    """Seconds by the clock and of the processor."""

    def __init__(self):
        self.clock, self.used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)

    def read(self, what: str) -> dict:
        """Return the seconds since then, those of the processor in this process and in the system for it."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {what: time.perf_counter() - self.clock, f"{what}_cpu": used.ru_utime - self.used.ru_utime,
                f"{what}_system": used.ru_stime - self.used.ru_stime}


def neurosim(neurons: int, threads: int, dtype: str, **_) -> dict:
    """Build and run a size; a small one before lets what is compiled be loaded."""
    def simulation(size):
        real = "float32" if dtype == "packed" else dtype
        return ns.Simulation(network(size), DT, seed=1, threads=threads, dtype=real, packed=dtype == "packed")

    simulation(min(neurons, 1000)).run(1.0)
    watch = _Watch()
    sim = simulation(neurons)
    found = watch.read("build")
    sim.run(10.0)
    before, watch = len(sim.spikes("cells")), _Watch()
    sim.run(RUN)
    return found | watch.read("run") | {"spikes": len(sim.spikes("cells")) - before}


def brian2_cython(neurons: int, folder: str, **_) -> dict:
    """The same in Brian2's ordinary mode, where arrays of connections can be handed over."""
    import brian2 as b

    b.prefs.core.default_float_dtype = np.float32
    b.prefs.codegen.target, b.prefs.codegen.runtime.cython.cache_dir = "cython", folder
    b.BrianLogger.log_level_error()
    b.defaultclock.dt, rng = DT * b.ms, np.random.default_rng(1)
    watch = _Watch()
    cells = b.NeuronGroup(neurons, f"dv/dt = ({DRIVE} - v) / ({TAU}*ms) : 1", threshold=f"v > {THRESHOLD}",
                          reset="v = 0", method="exact")
    cells.v = rng.uniform(0.0, 0.999 * THRESHOLD, neurons)
    synapses = b.Synapses(cells, cells, "w : 1 (constant)", on_pre="v_post += w")
    source = rng.integers(0, neurons, neurons * IN_DEGREE, dtype=np.int32)
    order = np.argsort(source, kind="stable").astype(np.int32)  # spikes find synapses fastest in this order
    synapses.connect(i=source[order], j=order // IN_DEGREE)
    synapses.w = rng.normal(*WEIGHT, source.size)
    synapses.delay = rng.uniform(*DELAY, source.size) * b.ms
    monitor = b.SpikeMonitor(cells)
    net = b.Network(cells, synapses, monitor)
    net.run(10.0 * b.ms)  # compiles
    found, before, watch = watch.read("build"), monitor.num_spikes, _Watch()
    net.run(RUN * b.ms)
    return found | watch.read("run") | {"spikes": int(monitor.num_spikes) - int(before)}


def nest(neurons: int, threads: int, **_) -> dict:
    """The same in NEST."""
    import nest as n

    n.verbosity = n.VerbosityLevel.ERROR
    n.ResetKernel()
    n.set(resolution=DT, local_num_threads=threads, rng_seed=1)
    watch = _Watch()
    cells = n.Create("iaf_psc_delta", neurons, {"tau_m": TAU, "C_m": TAU, "E_L": 0.0, "V_th": THRESHOLD,
                                                "V_reset": 0.0, "t_ref": DT, "I_e": DRIVE})
    cells.V_m = n.random.uniform(0.0, 0.999 * THRESHOLD)
    synapse = "static_synapse_hpc" if neurons / threads <= NEST_NODES else "static_synapse"
    n.Connect(cells, cells, {"rule": "fixed_indegree", "indegree": IN_DEGREE}, {
        "synapse_model": synapse, "weight": n.random.normal(*WEIGHT), "delay": n.random.uniform(*DELAY)})
    recorder = n.Create("spike_recorder")
    n.Connect(cells, recorder)
    n.Prepare()
    n.Run(10.0)
    found, before, watch = watch.read("build"), recorder.n_events, _Watch()
    n.Run(RUN)
    return found | watch.read("run") | {"spikes": int(recorder.n_events - before)}


def measured(name: str, synapses: int, threads: int, dtype: str, folder: str) -> dict:
    """Measure a size of one simulator in this process."""
    neurons = max(1, round(synapses / IN_DEGREE))
    found = {"neurosim": neurosim, "brian2_cython": brian2_cython, "nest": nest}[name](
        neurons=neurons, threads=threads, dtype=dtype, folder=folder)
    events = found["spikes"] * IN_DEGREE
    return found | {"synapses": neurons * IN_DEGREE, "rate": found["spikes"] / neurons / RUN * 1e3,
                    "ns": (found["run_cpu"] + found["run_system"]) / max(events, 1) * 1e9,
                    "memory_mb": child.resident_mb("VmHWM")}


def plot(found: dict, path) -> None:
    """Write a picture: what an event costs and what a synapse takes, against the number of synapses."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 3, figsize=(10.5, 3.4), layout="constrained")
    for called, points in found.items():
        x = [p["synapses"] for p in points]
        for panel, y in zip(panels, ([p["ns"] for p in points], [p["build_cpu"] + p["build_system"] for p in points],
                                     [p["memory_mb"] * 1e6 for p in points]), strict=True):
            panel.loglog(x, y, "o-", label=called)
    for panel, label in zip(panels, ("processor time of an event, ns", "processor time to build, s",
                                     "memory at its peak, bytes"), strict=True):
        panel.set_xlabel("synapses")
        panel.set_ylabel(label)
    panels[0].legend(fontsize=7)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _competitors(settings) -> dict:
    """Return who takes part, by what it is called: name, threads, type."""
    ours = {f"neurosim, {dtype}, {threads} thread{'s' * (threads > 1)}": (OURS.name, threads, dtype)
            for dtype in settings.dtypes for threads in settings.threads}
    wanted = ("brian2_cython", "nest") if settings.peers is None else settings.peers
    peers = [peer_of(name) for name in wanted if name in FARTHEST]
    most = max(settings.threads)
    return ours | {peer.what: (peer.name, most if peer.threaded else 1, "float32") for peer in peers if peer.installed}


def main(settings, out) -> tuple[dict, bool]:
    """Measure all sizes, show the table and write the picture."""
    found = {}
    print(f"\n{'':32}{'synapses':>10}{'build s':>9}{'of CPU':>8}{'system':>8}{'GB':>7}{'run s':>9}{'ns/event':>10}"
          f"{'Hz':>7}")
    for called, (name, threads, dtype) in _competitors(settings).items():
        for synapses in (round(each * settings.scale) for each in SYNAPSES):
            if synapses > FARTHEST[name]:
                continue
            try:
                with tempfile.TemporaryDirectory() as folder:
                    p = child.run("benchmarks.scale:measured", name=name, synapses=synapses, threads=threads,
                                  dtype=dtype, environment=peer_of(name).environment(threads), folder=folder)
            except child.Failed as error:
                if name == OURS.name:
                    raise
                print(f"{called} goes no farther: {error}", flush=True)
                break
            found.setdefault(called, []).append(p)
            print(f"{called:32}{p['synapses']:10.1e}{p['build']:9.2f}{p['build_cpu']:8.1f}{p['build_system']:8.1f}"
                  f"{p['memory_mb'] / 1e3:7.2f}{p['run']:9.3f}{p['ns']:10.2f}{p['rate']:7.2f}", flush=True)
            if p["run"] > settings.patience and name != OURS.name:
                break
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    plot(found, out / "scale.png")
    print(f"wrote {out / 'scale.png'}")
    return {"points": found}, True
