"""AEDAT 3.1, as cAER writes it: packets of events of one kind, of which those of polarity are read.

Source: iniVation, AEDAT 3.1, docs.inivation.com/software/software-advanced-usage/file-formats/aedat-3.1.html. A packet
has a head of 28 bytes: type, source, size of an event, place of the time in it, how often the time overflowed,
capacity, events, valid events. An event of polarity is a word (valid, polarity, 15 bits of y, 15 bits of x) and a time
of 31 bits in microseconds; all is little endian. Addresses count from the top left.
"""

import struct

import numpy as np

from neurosim.datasets.cameras.base import Decoder, agreed_size, check_addresses, head_lines
from neurosim.datasets.events import EVENT, pack
from neurosim.datasets.files import first_of
from neurosim.datasets.order import Order
from neurosim.errors import FileError

HEAD = struct.Struct("<hhiiiiii")
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
        self.source, self.packets = None, 0
        #: events before this block, its packets, and which of them each of its valid events is of
        self.places = 0, np.zeros((0, 5), np.int64), np.zeros(0, np.int64)
        self.order = Order(unsorted, self._where)

    def feed(self, raw, at) -> tuple:
        """Return (events of whole packets, bytes that were used)."""
        packets, bodies, used = [], [], 0
        while len(raw) - used >= HEAD.size:
            kind, source, size, place, overflow, capacity, many, valid = HEAD.unpack_from(raw, used)
            byte, begin = at + used, used + HEAD.size
            if size < 1 or not 0 <= valid <= many <= capacity or overflow < 0:
                self.refuse(byte, self.packets, f"a packet must have sizes that fit, it has {size} bytes an event, "
                                                f"{many} "
                            f"events, {valid} valid, room for {capacity}, {overflow} overflows")
            if len(raw) - begin < size * capacity:
                break
            if kind == POLARITY:
                self._check(byte, source, size, place)
                packets.append((byte, self.packets, many, valid, overflow))
                bodies.append(raw[begin:begin + LENGTH * many])
            used, self.packets = begin + size * capacity, self.packets + 1
        return self._events(np.array(packets, dtype=np.int64).reshape(-1, 5), bodies), used

    def _check(self, byte, source, size, place):
        if size != LENGTH or place != 4:
            self.refuse(byte, self.packets, "events of polarity must have 8 bytes with the time at 4, they have "
                                            f"{size} "
                        f"with the time at {place}")
        if self.source not in (None, source):
            raise FileError(f"{self.path} must hold events of one camera, it holds those of sources {self.source} and "
                            f"{source}")
        self.source = source

    def _events(self, packets, bodies) -> np.ndarray:
        """The valid events of packets (byte, number, events, valid events, overflows) with these bodies."""
        if not bodies:
            return np.zeros(0, dtype=EVENT)
        words = np.concatenate(bodies).view("<u4").reshape(-1, 2)
        valid = words[:, 0] & 1 == 1
        owner = np.repeat(np.arange(len(packets)), packets[:, 2])
        found = np.bincount(owner[valid], minlength=len(packets))
        if (found != packets[:, 3]).any():
            bad = first_of(found != packets[:, 3])
            self.refuse(packets[bad, 0], packets[bad, 1], f"a packet must hold {packets[bad, 3]} valid events, it "
                                                          "holds "
                        f"{found[bad]}")
        self.places = self.order.seen, packets, owner[valid]
        address, t = words[valid, 0], words[valid, 1].astype(np.int64)
        if len(t) and t.max() >= 2**31:
            byte, number = self._place(first_of(t >= 2**31))
            self.refuse(byte, number, f"times of a packet must be below 2**31 us, one is {t.max()}")
        t = self.order.follow(t + (packets[owner[valid], 4] << 31))
        self.back = self.order.back
        x, y = address >> 17 & 0x7FFF, address >> 2 & 0x7FFF
        check_addresses(self, x, y, self._place)
        return pack(EVENT, t=t, x=x, y=y, p=address >> 1 & 1 == 1)

    def _place(self, event) -> tuple:
        """The byte and the number of the packet of an event of this block."""
        _, packets, owner = self.places
        return tuple(packets[owner[event], :2].tolist())

    def _where(self, event) -> str:
        byte, number = self._place(event - self.places[0])
        return f"{self.path}, event {event} in packet {number} (byte {byte})"
