"""How fast all pairs of trains are compared: ours beside PySpike and Elephant, where they are installed.

Poisson trains of 20 Hz; each measure is asked for its whole matrix. Ours and theirs take turns and must agree; medians
count. The largest matrices are ours alone: 10,000 trains of 10 spikes.
"""

import importlib.util
import statistics
import time

import numpy as np

import neurosim as ns
from neurosim import analysis

RATE = 0.02  #: spikes per ms
LEAST = 10.0  #: times as fast as PySpike must the SPIKE-distance of 200 trains be
CASES = {  # measure: numbers of trains and ms
    "spike_distance": ((200, 1000.0), (200, 5000.0), (200, 50_000.0)), "isi_distance": ((200, 5000.0),),
    "spike_synchronization": ((200, 5000.0),), "van_rossum": ((50, 5000.0),), "victor_purpura": ((50, 5000.0),),
}
MANY = ("isi_distance", "spike_distance", "spike_synchronization", "van_rossum", "victor_purpura", "sttc")
OURS = {"van_rossum": {"tau": 20.0}, "victor_purpura": {"cost": 0.02}, "sttc": {"window": 5.0}}


def peers() -> dict:
    """Return {measure: (package, function of trains in its own objects, how to make these)}."""
    found = {}
    if importlib.util.find_spec("pyspike"):
        import pyspike

        def make(trains, duration):
            return [pyspike.SpikeTrain(train, (0.0, duration)) for train in trains]

        for name, function in (("spike_distance", pyspike.spike_distance_matrix),
                               ("isi_distance", pyspike.isi_distance_matrix),
                               ("spike_synchronization", pyspike.spike_sync_matrix)):
            found[name] = "PySpike", function, make
    if importlib.util.find_spec("elephant"):
        import neo
        import quantities as pq
        from elephant import spike_train_dissimilarity as theirs

        def of_neo(trains, duration):
            return [neo.SpikeTrain(train * pq.ms, t_stop=duration * pq.ms) for train in trains]

        found["van_rossum"] = "Elephant", lambda t: theirs.van_rossum_distance(t, 20.0 * pq.ms), of_neo
        found["victor_purpura"] = "Elephant", lambda t: theirs.victor_purpura_distance(t, 20.0 * pq.Hz), of_neo
    return found


def poisson(n: int, duration: float, rate: float = RATE) -> list[np.ndarray]:
    """Return n trains."""
    generator = np.random.default_rng(n)
    return [np.sort(generator.uniform(0.001, duration, generator.poisson(rate * duration))) for _ in range(n)]


def compare(name: str, n: int, duration: float, rounds: int, peer) -> dict:
    """Measure one matrix with one and with all threads, and a peer's."""
    package, function, make = peer
    trains = poisson(n, duration)
    spikes, theirs = ns.Spikes.from_trains(trains, duration=duration), make(trains, duration)
    runs = {"ours, 1 thread": lambda: getattr(analysis, name)(spikes, threads=1, **OURS.get(name, {})),
            "ours": lambda: getattr(analysis, name)(spikes, **OURS.get(name, {})), package: lambda: function(theirs)}
    results = {who: run() for who, run in runs.items()}  # the first round compiles
    seconds = {who: [] for who in runs}
    for _ in range(rounds):
        for who, run in runs.items():
            begin = time.perf_counter()
            run()
            seconds[who].append(time.perf_counter() - begin)
    medians = {who: statistics.median(each) for who, each in seconds.items()}
    off = ~np.eye(n, dtype=bool)
    agree = bool(np.allclose(results["ours"][off], results[package][off], rtol=1e-7, atol=1e-6))
    ratios = [medians[package] / medians[who] for who in runs if who != package]
    times = ", ".join(f"{who} {value:.4f} s" for who, value in medians.items())
    print(f"{name:22} {n:4} trains of {duration / 1000:g} s: {times}; {ratios[0]:.1f} and {ratios[1]:.1f} times as "
          f"fast{'' if agree else '; THEY DIFFER'}", flush=True)
    return {"measure": name, "trains": n, "duration_ms": duration, "peer": package, "median_s": medians,
            "ratios": ratios, "agree": agree}


def main(settings, _out) -> tuple:
    """Measure; return (rows, whether all agree and the SPIKE-distance is as fast as it must be)."""
    others, rows = peers(), []
    for name, sizes in CASES.items():
        for n, duration in sizes:
            if name not in others:
                print(f"{name}: the package to compare with is not installed")
                continue
            rows.append(compare(name, n, duration, settings.rounds, others[name]))
    spikes = ns.Spikes.from_trains(poisson(10_000, 1000.0, 0.01), duration=1000.0)
    for name in MANY:
        begin = time.perf_counter()
        getattr(analysis, name)(spikes, **OURS.get(name, {}))
        rows.append({"measure": name, "trains": 10_000, "s": time.perf_counter() - begin})
        print(f"{name:22} 10,000 trains of 10 spikes: {rows[-1]['s']:.1f} s", flush=True)
    first = rows[0].get("ratios", [LEAST])  # of 200 trains of a second
    return rows, all(row.get("agree", True) for row in rows) and max(first) >= LEAST
