"""What a file of events of ours says of itself: version, count, checksum and sensor."""

import json
import zlib

from neurosim.errors import FileError

FORMAT = "neurosim.events"
VERSION = 1
STEP = 2**20  #: events that are summed up at once


def head_of(events, sensor_size) -> dict:
    """Return the header of the events of a file."""
    head = {"format": FORMAT, "version": VERSION, "events": len(events), "checksum": checksum(events, sensor_size)}
    return head if sensor_size is None else {**head, "sensor_size": list(sensor_size)}


def checksum(columns, sensor_size, names=None) -> str:
    """Return the CRC-32 of columns of whole numbers, one after the other, and of what they are."""
    names = names or columns.dtype.names
    value = zlib.crc32(json.dumps([names, None if sensor_size is None else list(sensor_size)]).encode())
    for name in names:
        for first in range(0, len(columns[name]), STEP):
            value = zlib.crc32(columns[name][first:first + STEP].astype("<i8").tobytes(), value)
    return f"{value:08x}"


def checked_head(path, head) -> tuple:
    """Return the sensor size and (count, checksum) of a header of ours; (None, None) for none of ours."""
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        return None, None
    if head.get("version") != VERSION:
        raise FileError(f"{path} must be of version {VERSION}, it is of version {head.get('version')!r}")
    for name in ("events", "checksum"):
        if name not in head:
            raise FileError(f"{path} must state {name!r} in its header, it does not")
    return head.get("sensor_size"), (int(head["events"]), str(head["checksum"]))


def check_sum(path, check, columns, sensor_size, names=None):
    """Raise FileError where columns are not those that the header was made of."""
    many = len(columns["t"])
    found = checksum(columns, sensor_size, names)
    if check != (many, found):
        raise FileError(f"{path} is damaged: it must hold {check[0]} events with the checksum {check[1]}, it holds "
                        f"{many} with {found}")
