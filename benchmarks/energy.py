"""Energy of the processor's packages and memory by its own counters (RAPL), where the system lets them be read."""

import re
from pathlib import Path

FOLDER = Path("/sys/class/powercap")


class Meter:
    """A context that measures the energy between its ends; `joules` is None where it cannot be read.

    Packages are counted, which hold the cores, and memory where it has a counter of its own; other parts of a package
    are in its number already. Counters begin anew at a range that they state.

    Args:
        folder: where the counters are.
    """

    def __init__(self, folder: Path = FOLDER):
        self.zones, self.joules = [zone for zone in sorted(folder.glob("intel-rapl:*")) if _counts(zone)], None

    def __enter__(self):
        self.before = _read(self.zones)
        return self

    def __exit__(self, *_):
        after = _read(self.zones)
        if self.before is not None and after is not None:
            used = [end - begin if end >= begin else end - begin + most
                    for (begin, most), (end, _) in zip(self.before, after, strict=True)]
            self.joules = sum(used) * 1e-6


def _counts(zone) -> bool:
    """Return whether a zone is a package, or the memory of one."""
    if re.fullmatch(r"intel-rapl:\d+", zone.name):
        return not _text(zone / "name").startswith("psys")  # the whole machine, packages among it
    return _text(zone / "name") == "dram"


def _text(path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _read(zones):
    """Return the counter and the range of each zone, in uJ; None where there is none or one cannot be read."""
    found = [(_text(zone / "energy_uj"), _text(zone / "max_energy_range_uj")) for zone in zones]
    if not found or not all(value.isdecimal() for pair in found for value in pair):
        return None
    return [(int(value), int(most)) for value, most in found]
