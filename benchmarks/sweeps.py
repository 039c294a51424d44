"""`python -m benchmarks.sweeps [WHAT ...]`: what sweeps cost and survive, beside bare loops.

    overhead    2,000 points of 1 ms each: what joblib and Dask add to a point, and what memory does
    bare        examples/crossbar_liquid.py's conditions: one process of a sweep beside a loop that calls the function
    cores       the same on two processes: which share of two cores was computed on or waited for
    settings    200 device settings of one liquid: a sweep beside the loop that the example had by hand
    kills       100 times kill -9 of the driver, and 100 times of a worker: the table beside the undisturbed one

All by default. `bare`, `cores` and `settings` need recordings of N-MNIST in NEUROSIM_DATA. Two things take turns, and
medians are shown. Beside wall times stand processor times (of this process and its children), which other work on the
machine changes little.
"""

import argparse
import importlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
from joblib.externals.loky import get_reusable_executor

from hardware_models.memristor import CrossbarLayer, Memristor
from neurosim.datasets import NMNIST
from neurosim.sweep import Grid, Points, load, sweep

ROOT = Path(__file__).resolve().parent.parent
QUIET = {"progress": False}


# ---- what processes do ------------------------------------------------------------------------------


def children(pid) -> list[int]:
    """Return the processes below one, at any depth."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, parent = int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            found += [number, *children(number)]
    return found


def memory(pid) -> float:
    """Return the memory of a process that is its own, MB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


def scheduled(pid) -> tuple[float, float]:
    """Return the seconds that a process computed, and those that its threads were ready and waited for a core.

    Threads that ended have computed too, so that the sum over those which are left would be too small.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    waited = 0.0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            waited += int(path.read_text().split()[1]) / 1e9
        except OSError:
            continue
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), waited


class Watch:
    """Looks at this process and its children now and then, while it is entered.

    Attributes:
        memory: MB of all together at each look.
        run, waited: s of each child, when it was last seen.
        seconds: how long it took.
        own: s of processor time that the looking took.
    """

    def __init__(self, pause=0.1, smaps=False):
        self.pause, self.smaps, self.memory, self.seen, self.end = pause, smaps, [], {}, threading.Event()
        self.own = 0.0

    def __enter__(self):
        self.began, self.thread = time.perf_counter(), threading.Thread(target=self._look)
        self.thread.start()
        return self

    def _look(self):
        while not self.end.wait(self.pause):
            below = children(os.getpid())
            self.seen |= {pid: found for pid in below if any(found := scheduled(pid))}
            if self.smaps:
                self.memory.append(sum(memory(pid) for pid in (os.getpid(), *below)))
            self.own = time.thread_time()

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self.began
        self.end.set()
        self.thread.join()

    @property
    def run(self):
        return sum(ran for ran, _ in self.seen.values())

    @property
    def waited(self):
        return sum(waited for _, waited in self.seen.values())


# ---- overhead ---------------------------------------------------------------------------------------


def millisecond(x, seed):
    """Compute for 1 ms of this process's own time."""
    end = time.thread_time() + 1e-3
    while time.thread_time() < end:
        pass
    return {"y": x + seed % 2, "z": 1.0}


def overhead(rounds, n=2000):
    """Print what a point costs beyond its 1 ms."""
    space = Grid(x=list(range(n)))

    def measured(name, **options):
        sweep(millisecond, Grid(x=[-2, -1]), **options, **QUIET)  # starts the processes
        ran = {pid: scheduled(pid)[0] for pid in children(os.getpid())}
        with tempfile.TemporaryDirectory() as folder, Watch(smaps=True) as watch:
            began = os.times()
            sweep(millisecond, space, folder=folder, **options, **QUIET)
            ended = os.times()
        own = ended.user + ended.system - began.user - began.system - watch.own
        tenth = max(1, len(watch.memory) // 10)
        early, late = (statistics.median(watch.memory[part])
                       for part in (slice(3 * tenth, 4 * tenth), slice(-tenth, None)))
        processes = options.get("jobs") or 2
        found.setdefault(name, []).append(((watch.seconds - loop / processes) / n * 1e3,
                                           (own + watch.run - sum(ran.values())) / n * 1e3 - 1, early, late))

    found = {}
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        print("distributed is not installed and is left out")
        LocalCluster = None
    loops = []
    for _ in range(rounds):
        began = time.perf_counter()
        for x in range(n):
            millisecond(x, x)
        loop = time.perf_counter() - began
        loops.append(loop / n * 1e3)
        measured("one process", jobs=1)
        measured("joblib, 2 processes", jobs=2)
        if LocalCluster is not None:
            with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0",
                              silence_logs=50) as cluster, Client(cluster, set_as_default=False) as client:
                measured("Dask, 2 workers", cluster=client)
    print(f"\noverhead: {n} points of 1 ms, medians of {rounds}. Wall time beyond that of a bare loop, divided by the "
          f"processes, which took {statistics.median(loops):.2f} ms a point;\nprocessor time of all processes beyond "
          "1 ms, without their start; their private memory, after a third and at the end")
    for name, rows in found.items():
        wall, own, early, late = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"{name:22s}wall {wall:6.2f} ms, processors {own:6.2f} ms a point; {early:6.0f} -> {late:6.0f} MB",
              flush=True)


# ---- the worked example -----------------------------------------------------------------------------


def example():
    """Return the example as a module, and its recordings."""
    sys.path.insert(0, str(ROOT / "examples"))
    module = importlib.import_module("crossbar_liquid")
    root = NMNIST.below(os.environ.get("NEUROSIM_DATA"))
    if root is None:
        sys.exit("NEUROSIM_DATA must name a folder that holds N-MNIST")
    return module


def devices(module, samples, labels, points, jobs, folder=None, seeds=1):
    """Run the example's sweep over some of its conditions."""
    return sweep(module.condition, points, data={"samples": samples, "labels": labels}, jobs=jobs, folder=folder,
                 seeds=seeds, shared={"sim": module.sim, "on_ideal": module.on_ideal, "on_day_0": module.on_day_0},
                 **QUIET)


def by_loop(module, samples, labels, points):
    """Do the same by a bare loop, which keeps what it can between the conditions."""
    sims = {neuron: module.sim(neuron) for neuron in ("LIF", "Noisy")}
    on_ideal, on_day_0 = (make(samples, labels, 0) for make in (module.on_ideal, module.on_day_0))
    return [module.condition(**point, trial=0, samples=samples, sim=sims[point["neuron"]], on_ideal=on_ideal,
                             on_day_0=on_day_0) for point in points.points]


def bare(rounds, most=100):
    """Print how much longer one process of a sweep takes than a bare loop."""
    module = example()
    samples, labels = module.read(NMNIST.below(os.environ["NEUROSIM_DATA"]), most)
    points = Points(module.conditions(False).points[:15])
    ways = {"loop": lambda: by_loop(module, samples, labels, points),
            "sweep": lambda: devices(module, samples, labels, points, 1)}
    times = {name: [] for name in ways}
    found = {name: way() for name, way in ways.items()}  # which compiles, and compares
    for row, wanted in zip(found["sweep"].rows, found["loop"], strict=True):
        np.testing.assert_equal({name: row[name] for name in wanted}, wanted)
    for _ in range(rounds):
        for name, way in ways.items():
            wall, own = time.perf_counter(), time.process_time()
            way()
            times[name].append((time.perf_counter() - wall, time.process_time() - own))
    print(f"\nbare: {len(points)} conditions of the example on one process, {len(samples)} recordings, medians of "
          f"{rounds}")
    for k, what in enumerate(("wall", "processor")):
        loop, ours = (statistics.median(each[k] for each in times[name]) for name in ("loop", "sweep"))
        ratios = statistics.median(b[k] / a[k] for a, b in zip(times["loop"], times["sweep"], strict=True))
        print(f"{what:10s} loop {loop:6.2f} s, sweep {ours:6.2f} s; ratio of neighbours {ratios:.3f}")


def cores(rounds, most=300):
    """Print which share of two cores the example's sweep computes on or waits for."""
    module = example()
    samples, labels = module.read(NMNIST.below(os.environ["NEUROSIM_DATA"]), most)
    print(f"\ncores: all conditions of the example, 2 seeds, {len(samples)} recordings, two processes. A process "
          "that is ready has work, and waits for a core that others hold")
    for _ in range(rounds):
        get_reusable_executor(1).shutdown(kill_workers=True)  # each round starts its processes, and counts them from 0
        with Watch() as watch:
            devices(module, samples, labels, module.conditions(False), 2, seeds=2)
        print(f"{watch.seconds:6.1f} s; computing {watch.run / watch.seconds / 2:.1%}, computing or ready "
              f"{(watch.run + watch.waited) / watch.seconds / 2:.1%} of two cores; the driver's own time "
              f"{time.process_time():.1f} s so far", flush=True)


# ---- 200 device settings ----------------------------------------------------------------------------


def on_devices(readouts, found, noise, stuck, seed):
    """Return the accuracy of readouts whose weights are held by devices."""
    right = 0
    for model, (_, test) in zip(readouts.models, readouts.folds, strict=True):
        weights = model[-1].coef_.T
        device = Memristor(programming_noise=noise, stuck_off=stuck, seed=seed).fitted(weights)
        sums = CrossbarLayer(weights, device, seed=seed).forward(model[:-1].transform(np.sqrt(found[test])))
        right += (model.classes_[(sums + model[-1].intercept_).argmax(axis=1)] == readouts.labels[test]).sum()
    return float(right / len(readouts.labels))


def sim():
    """Return the one liquid."""
    return sys.modules["crossbar_liquid"].sim("LIF")


def held(sim, spread, samples):
    """Return the states of the liquid whose own weights are on devices."""
    module = sys.modules["crossbar_liquid"]
    return module.counts(sim, samples, module.hardware(module.software(0), 0, Memristor(programming_noise=spread)), 0)


def setting(held, on_ideal, noise, stuck, trial):
    """Return the accuracy for one setting of all devices."""
    return on_devices(on_ideal, held, noise, stuck, trial)


def settings_by_loop(module, samples, labels, points):
    """Go through the settings as the example did: one liquid, whose weights are set and which is run for each."""
    one, on_ideal = sim(), module.on_ideal(samples, labels, 0)
    return [on_devices(on_ideal, held(one, each["spread"], samples), each["noise"], each["stuck"], 0)
            for each in points]


def settings(rounds, most=100):
    """Print how much faster a sweep of device settings is than the loop by hand."""
    module = example()
    samples, labels = module.read(NMNIST.below(os.environ["NEUROSIM_DATA"]), most)
    print(f"\nsettings: {len(samples)} recordings, 200 neurons; the loop by hand has one process, the sweep two; "
          f"medians of {rounds}")
    noises, stuck = np.linspace(0.0, 0.3, 10).tolist(), [0.0, 0.02, 0.05, 0.1]
    spaces = {"200 settings of the readout's devices": Grid(spread=[0.1], noise=np.linspace(0, 0.3, 50).tolist(),
                                                            stuck=stuck),
              "5 of the liquid's x 40 of the readout's": Grid(spread=[0.02, 0.05, 0.1, 0.15, 0.2], noise=noises,
                                                              stuck=stuck),
              "20 of the liquid's x 10 of the readout's": Grid(spread=np.linspace(0.01, 0.2, 20).tolist(),
                                                               noise=noises[::2], stuck=stuck[:2]),
              "200 settings of the liquid's devices": Grid(spread=np.linspace(0.001, 0.2, 200).tolist(), noise=[0.0],
                                                           stuck=[0.0])}
    for name, space in spaces.items():
        times = []
        for _ in range(rounds):
            began = time.perf_counter(), time.process_time()
            wanted = settings_by_loop(module, samples, labels, space.points)
            loop = time.perf_counter() - began[0], time.process_time() - began[1]
            with Watch() as watch:
                result = sweep(setting, space, data={"samples": samples, "labels": labels}, jobs=2, **QUIET, shared={
                    "sim": sim, "held": held, "on_ideal": module.on_ideal})
            assert [row["value"] for row in result.rows] == wanted, "the sweep and the loop differ"
            times.append((loop[0], watch.seconds, loop[0] / watch.seconds, loop[1] / watch.run))
        loop, ours, ratio, processor = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:42s} loop {loop:6.1f} s, sweep {ours:6.1f} s: {ratio:5.2f} times as fast; loop / sweep in "
              f"processor time {processor:5.2f}", flush=True)


# ---- kill -9 ----------------------------------------------------------------------------------------

SCRIPT = textwrap.dedent("""
    import sys, time
    import numpy as np
    from neurosim.sweep import Grid, load, sweep

    def states(x, trial):
        time.sleep(0.02)
        return np.full(1000, float(x + trial))

    def slow(states, y, seed):
        time.sleep(0.02)
        return {"sum": float(states.sum()) + y, "draw": float(np.random.default_rng(seed).random())}

    if __name__ == "__main__":
        x = list(range(int(sys.argv[2])))
        sweep(slow, Grid(x=x, y=[0, 1, 2, 3, 4]), seeds=2, shared={"states": states}, jobs=2, folder=sys.argv[1],
              retry="failed", progress=False)
""")


def kills(_, driver_kills=100, worker_kills=100, seed=0):
    """Kill drivers and workers at random moments, and compare the tables."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "script.py").write_text(SCRIPT)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}

        def start(folder, n):
            return subprocess.Popen([sys.executable, f"{place}/script.py", f"{place}/{folder}", str(n)],
                                    env=environment, stderr=subprocess.DEVNULL)

        def undisturbed(n):
            process = start(f"whole-{n}", n)
            if process.wait():
                sys.exit("the undisturbed sweep failed")
            return load(f"{place}/whole-{n}").rows

        killed, sweeps = drivers(start, undisturbed(20), place, driver_kills, chance)
        print(f"\nkills: {killed} kill -9 of the driver at random moments, over {sweeps} sweeps of 200 calls on two "
              "processes: each table is that of the undisturbed sweep", flush=True)
        killed, again = workers(start, undisturbed(200), place, worker_kills, chance)
        print(f"{killed} kill -9 of a worker in sweeps of 2,000 calls: the table is that of the undisturbed sweep, "
              f"after {again} more call(s) of sweep with retry='failed'", flush=True)


def drivers(start, wanted, place, most, chance):
    """Kill drivers until so many have died; return how many, and how many sweeps they were."""
    killed = sweeps = 0
    while killed < most:
        sweeps += 1
        while True:
            process = start(f"driver-{sweeps}", 20)
            try:
                code = process.wait(timeout=chance.uniform(0.3, 4.0) if killed < most else None)
                if code:
                    sys.exit(f"a sweep that was not killed ended with {code}")
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
        if load(f"{place}/driver-{sweeps}").rows != wanted:
            sys.exit(f"the table of sweep {sweeps} differs")
    return killed, sweeps


def workers(start, wanted, place, most, chance):
    """Kill workers of sweeps until so many have died; return how many, and how often a sweep was called again."""
    killed = again = sweeps = 0
    while killed < most:
        sweeps += 1
        while True:
            process = start(f"worker-{sweeps}", 200)
            while process.poll() is None:
                time.sleep(chance.uniform(0.3, 2.0))
                below = [pid for pid in children(process.pid)
                         if b"loky" in (what := command(pid)) and b"tracker" not in what]
                if below and killed < most and process.poll() is None:
                    os.kill(chance.choice(below), signal.SIGKILL)
                    killed += 1
            if process.returncode == 0 and not load(f"{place}/worker-{sweeps}").failures:
                break
            again += 1
        if load(f"{place}/worker-{sweeps}").rows != wanted:
            sys.exit("the table differs")
    return killed, again


def command(pid) -> bytes:
    """Return the command line of a process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


ALL = {"overhead": overhead, "bare": bare, "cores": cores, "settings": settings, "kills": kills}


def main():
    """Run what is asked for."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", nargs="*", choices=[[], *ALL], default=[], metavar="WHAT")
    arguments.add_argument("--rounds", type=int, default=3, help="how often each thing is measured (3)")
    given = arguments.parse_args()
    for name in given.what or ALL:
        ALL[name](given.rounds)


if __name__ == "__main__":
    main()
