"""Thousands of random networks of everything there is: parts, pieces, state, samples and recorders change no bit.

    python -m benchmarks random-networks              # 2,000; --scale 0.1 for 200
    python -m benchmarks.random_networks 300 50       # fifty of them from number 300 on

`tests/random_networks.py` says what a network is, by its number, and what is promised; tests run the first hundred.
"""

import sys
import time
import traceback
from collections import Counter

from benchmarks import child

NETWORKS, AT_ONCE = 2000, 50  #: how many, and how many in one process, which a crash takes with it


def several(first: int, networks: int) -> dict:
    """Try some networks in this process; return what is broken, by number, and what the networks were made of."""
    sys.path.insert(0, str(child.ROOT / "tests"))
    import random_networks

    from neurosim.engine import partition

    partition.SMALLEST_PART = 1  # small networks have threads, too
    broken, parts = {}, Counter()
    for number in range(first, first + networks):
        try:
            found = random_networks.broken(number)
            parts.update(random_networks.parts_of(number))
        except Exception:
            found = [traceback.format_exc(limit=-4)]
        if found:
            broken[number] = found
    return {"broken": broken, "parts": parts}


def main(settings, folder) -> tuple[dict, bool]:
    """Return what was found, and whether all promises are kept."""
    return tried(0, round(NETWORKS * settings.scale))


def tried(start: int, networks: int) -> tuple[dict, bool]:
    """Try networks from a number on, and print what comes of them."""
    broken, parts, began = {}, Counter(), time.monotonic()
    for first in range(start, start + networks, AT_ONCE):
        count = min(AT_ONCE, start + networks - first)
        try:
            found = child.run("benchmarks.random_networks:several", first=first, networks=count)
        except child.Failed as error:
            found = {"broken": {f"{first} .. {first + count - 1}": [str(error)]}, "parts": {}}
        broken |= found["broken"]
        parts.update(found["parts"])
        print(f"{first + count - start} networks in {time.monotonic() - began:.0f} s, {len(broken)} with a broken "
              "promise", flush=True)
        for number, sentences in found["broken"].items():
            print(f"  {number}: " + "\n    ".join(sentences), flush=True)
    print("\nmade of: " + ", ".join(f"{name} {count}" for name, count in sorted(parts.items())))
    return {"networks": networks, "broken": broken, "parts": dict(parts)}, not broken


if __name__ == "__main__":
    sys.exit(0 if tried(int(sys.argv[1]), int(sys.argv[2]))[1] else 1)
