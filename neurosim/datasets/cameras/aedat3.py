"""AEDAT 3.1, as cAER writes it: packets of events of one kind, of which those of polarity are read.

Source: iniVation, AEDAT 3.1, docs.inivation.com/software/software-advanced-usage/file-formats/aedat-3.1.html. A packet
has a head of 28 bytes: type, source, size of an event, place of the time in it, how often the time overflowed,
capacity, events, valid events. An event of polarity is a word (valid, polarity, 15 bits of y, 15 bits of x) and a time
of 31 bits in microseconds; all is little endian. Addresses count from the top left.
"""

import numpy as np

from neurosim.datasets.cameras.base import Decoder, agreed_size, check_addresses, head_lines
from neurosim.datasets.events import EVENT, pack
from neurosim.datasets.order import Order
from neurosim.errors import FileError

HEAD = np.dtype([("type", "<i2"), ("source", "<i2"), ("size", "<i4"), ("place", "<i4"), ("overflow", "<i4"),
                 ("capacity", "<i4"), ("events", "<i4"), ("valid", "<i4")])
POLARITY, LENGTH = 1, 8
SENSORS = {"dvs128": (128, 128), "edvs": (128, 128), "davis240": (240, 180), "davis346": (346, 260),
           "davis640": (640, 480), "davis128": (128, 128), "davis208": (208, 192), "dvs132": (132, 104)}


class Aedat3(Decoder):
    """Decoder of AEDAT 3.1 files."""

    def __init__(self, path, head, size, unsorted):
        lines, at = head_lines(head, b"#", ("!end-header",))
        if not lines or lines[-1].lower() != "!end-header":
            raise FileError(f"{path} must have a head that ends in #!END-HEADER, it has none within {len(head)} bytes")
        if not head.startswith(b"#!AER-DAT3.1"):
            raise FileError(f"{path} must be of version 3.1 of AEDAT, it begins with {head[:12]!r}")
        kind = next((line.partition(":")[2].strip() for line in lines if line.startswith("Format:")), "RAW")
        if kind.upper() != "RAW":
            raise FileError(f"{path} must be of the format RAW, it is of the format {kind}")
        names = [line.partition(":")[2].strip().lower() for line in lines if line.startswith("Source ")]
        stated = next((side for name in names for chip, side in SENSORS.items() if name.startswith(chip)), None)
        super().__init__(path, agreed_size(path, stated, size), at)
        self.source, self.packets, self.at = None, 0, at
        self.order = Order(unsorted, self._where)

    def feed(self, raw, at) -> tuple:
        """Return (events of whole packets, bytes that were used)."""
        found, used = [], 0
        while len(raw) - used >= HEAD.itemsize:
            head = raw[used:used + HEAD.itemsize].view(HEAD)[0]
            size, capacity, many = int(head["size"]), int(head["capacity"]), int(head["events"])
            self.at = at + used
            if size < 1 or not 0 <= many <= capacity or not 0 <= head["valid"] <= many or head["overflow"] < 0:
                self.refuse(self.at, self.packets, f"a packet must have sizes that fit, it has {size} bytes an event, "
                            f"{many} events, {head['valid']} valid, room for {capacity}, {head['overflow']} overflows")
            length = HEAD.itemsize + size * capacity
            if len(raw) - used < length:
                break
            if head["type"] == POLARITY:
                found.append(self._events(head, raw[used + HEAD.itemsize:used + HEAD.itemsize + size * many]))
            used, self.packets = used + length, self.packets + 1
        return (np.concatenate(found) if found else np.zeros(0, dtype=EVENT)), used

    def _events(self, head, body):
        if head["size"] != LENGTH or head["place"] != 4:
            self.refuse(self.at, self.packets, f"events of polarity must have 8 bytes with the time at 4, they have "
                        f"{head['size']} with the time at {head['place']}")
        if self.source not in (None, head["source"]):
            raise FileError(f"{self.path} must hold events of one camera, it holds those of sources {self.source} and "
                            f"{head['source']}")
        self.source = head["source"]
        words = body.view("<u4").reshape(-1, 2)
        valid = words[:, 0] & 1 == 1
        if np.count_nonzero(valid) != head["valid"]:
            self.refuse(self.at, self.packets, f"a packet must hold {head['valid']} valid events, it holds "
                        f"{np.count_nonzero(valid)}")
        address, t = words[valid, 0], words[valid, 1].astype(np.int64)
        if len(t) and t.max() >= 2**31:
            self.refuse(self.at, self.packets, f"times of a packet must be below 2**31 us, one is {t.max()}")
        t = self.order.follow(t + (int(head["overflow"]) << 31))
        self.back = self.order.back
        x, y = address >> 17 & 0x7FFF, address >> 2 & 0x7FFF
        check_addresses(self, x, y, lambda event: (self.at, self.packets))
        return pack(EVENT, t=t, x=x, y=y, p=address >> 1 & 1 == 1)

    def _where(self, event) -> str:
        return f"{self.path}, event {event} in packet {self.packets} (byte {self.at})"
