"""The pictures of the pages of docs/models/, and what is written below them; the models that they show make them."""

from pictures import devices, learners, networks, plasticity
from pictures.base import Picture

ROOMS = {"learning_rules": (plasticity, learners), "hardware_models": (devices,)}  # the other families: networks


def of(family, name) -> Picture:
    """Return the picture of a page; raise LookupError where nobody has made one."""
    if family not in ROOMS:
        return networks.of(family, name)
    for room in ROOMS[family]:
        if name in room.PICTURES:
            return room.PICTURES[name]
    files = " or ".join(f"docs/{room.__name__.replace('.', '/')}.py" for room in ROOMS[family])
    raise LookupError(f"{files} must draw {name}: give PICTURES an entry for it")
