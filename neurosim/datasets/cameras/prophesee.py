"""The head of Prophesee's files: lines that begin with %, and may end in `% end`."""

import re

from neurosim.datasets.cameras.base import head_lines


def read_head(head) -> tuple:
    """Return ({key: value}, byte after the head), keys in lower case; `format EVT3;width=640` gives two of them."""
    lines, at = head_lines(head, b"%", ("end",))
    said = {}
    for line in lines:
        key, _, value = line.partition(" ")
        first, *others = [part.strip() for part in value.split(";")]
        said[key.lower()] = first
        if key.lower() == "format":
            said.update(other.lower().split("=", 1) for other in others if "=" in other)
    return said, at


def sensor_of(said) -> tuple | None:
    """Return (width, height) that a head states, or None."""
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", said.get("geometry", ""))
    if found:
        return int(found[1]), int(found[2])
    sides = [said.get(name, "") for name in ("width", "height")]
    return tuple(map(int, sides)) if all(re.fullmatch(r"\d{1,5}", side) for side in sides) else None


def first_time(said) -> int:
    """Return the time that faery took from all events and wrote as t0, in microseconds."""
    return int(said["t0"]) if re.fullmatch(r"\d{1,18}", said.get("t0", "")) else 0
