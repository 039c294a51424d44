"""How fast a file of EVT3 is read: ours beside the native decoder of evt3 and, where it is installed, expelliarmus.

The file is made of random rows, a third of them vectors, at 720p; every reader gives all events as arrays, from the
file's name on. Readers take turns, and each one's best round counts, for other work may go on.
"""

import importlib.util
import tempfile
import time
from pathlib import Path

import numpy as np

EVENTS = 3_000_000
WIDTH, HEIGHT = 1280, 720
HEAD = f"% evt 3.0\n% format EVT3;height={HEIGHT};width={WIDTH}\n% geometry {WIDTH}x{HEIGHT}\n% end\n".encode()
LEAST = 0.5  #: of the speed of evt3


def words(events: int, seed: int = 0) -> np.ndarray:
    """Return words of EVT3 with about so many events: for each a row, then one pixel or a vector of twelve."""
    rng = np.random.default_rng(seed)
    n = events // 4
    t = np.cumsum(rng.integers(0, 9, n))
    high, vector = t >> 12, rng.random(n) < 0.33
    parts = np.zeros((n, 6), dtype=np.uint16)
    on = rng.integers(0, 2, n) << 11
    parts[:, 0] = np.where(np.diff(high, prepend=-1) != 0, 0x8000 | high & 0xFFF, 0x7000)
    parts[:, 1] = np.where(np.diff(t, prepend=-1) != 0, 0x6000 | t & 0xFFF, 0x7000)
    parts[:, 2] = rng.integers(0, HEIGHT, n)
    one, base = rng.integers(0, WIDTH, n), rng.integers(0, WIDTH - 24, n)
    parts[:, 3] = on | np.where(vector, 0x3000 | base, 0x2000 | one)
    parts[:, 4] = np.where(vector, 0x4000 | rng.integers(1, 4096, n), 0x7000)
    parts[:, 5] = np.where(vector, 0x5000 | rng.integers(1, 256, n), 0x7000)
    flat = parts.ravel()
    return flat[flat != 0x7000]


def readers() -> dict:
    """Return {name: function of a path that gives the number of events} of those that are installed."""
    from neurosim.datasets import read_events

    found = {"neurosim": lambda path: len(read_events(path)[0])}
    if importlib.util.find_spec("evt3"):
        import evt3

        found["evt3"] = lambda path: len(evt3.decode_file(str(path)).timestamp)
    if importlib.util.find_spec("expelliarmus"):
        import expelliarmus

        found["expelliarmus"] = lambda path: len(expelliarmus.Wizard(encoding="evt3", fpath=path).read())
    return found


def main(settings, _out) -> tuple:
    """Measure; return ({reader: million events a second}, whether we are at least half as fast as evt3)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.raw"
        path.write_bytes(HEAD + words(EVENTS).tobytes())
        found, counts, best = readers(), {}, {}
        for _ in range(settings.rounds + 1):  # the first round compiles
            for name, read in found.items():
                begin = time.perf_counter()
                counts[name] = read(path)
                best[name] = min(best.get(name, np.inf), time.perf_counter() - begin)
    speeds = {name: counts[name] / best[name] / 1e6 for name in found}
    for name, speed in speeds.items():
        print(f"{name:14} {counts[name]} events, {speed:.1f} million a second")
    same = len({counts[name] for name in found if name != "expelliarmus"}) == 1
    return speeds, same and ("evt3" not in speeds or speeds["neurosim"] >= LEAST * speeds["evt3"])
