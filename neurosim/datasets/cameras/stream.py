"""How the file of a camera is read: a head, then blocks of bytes, of which a decoder makes events.

A decoder keeps what one record says for the next, so the events do not depend on how the file is cut into blocks.
"""

import os
from contextlib import contextmanager

import numpy as np

from neurosim.datasets.cameras.aedat2 import Aedat2
from neurosim.datasets.cameras.aedat3 import Aedat3
from neurosim.datasets.cameras.aedat4 import Aedat4
from neurosim.datasets.cameras.base import MOST_LINE
from neurosim.datasets.cameras.dat import Dat
from neurosim.datasets.cameras.es import EventStream
from neurosim.datasets.cameras.evt import Evt
from neurosim.datasets.events import EVENT
from neurosim.errors import FileError, warn

BLOCK = 2**20  #: bytes that are decoded at once where events are asked for in pieces
HEAD = 2**20  #: bytes in which a head must end
AEDAT = {b"#!AER-DAT2": Aedat2, b"#!AER-DAT3": Aedat3, b"#!AER-DAT4": Aedat4}
READERS = {".raw": {b"": Evt}, ".dat": {b"#!AER-DAT2": Aedat2, b"": Dat}, ".es": {b"": EventStream}, ".aedat": AEDAT,
           ".aedat4": AEDAT}


@contextmanager
def opened(path, suffix, size, unsorted, complete, many):
    """Give (size of the sensor, iterator of event arrays) of a recording as long as the file is open.

    Args:
        path: name of the file.
        suffix: one of `READERS`.
        size: (width, height, polarities) that the events must fit, or None for what the file says.
        unsorted: "refuse", "sort" or "unwrap"; the last is done in any case, as these formats say how long counters
            are.
        complete: whether to refuse a file that ends within a record.
        many: number of events of an array, None for all.
    """
    with open(path, "rb") as file:
        head = file.read(HEAD)
        kinds = [kind for begins, kind in READERS[suffix].items() if head.startswith(begins)]
        if not kinds:
            raise FileError(f"{path} must begin with #!AER-DAT and the version 2.0, 3.1 or 4.0, it begins with "
                            f"{bytes(head[:14])!r}")
        decoder = kinds[0](path, head, size, unsorted)
        if decoder.start is not None and len(head) == HEAD and decoder.start > HEAD - MOST_LINE:
            raise FileError(f"{path} must have a head of less than {HEAD} bytes, it has more")
        yield decoder.size, _cut(_blocks(path, file, decoder, complete, many), decoder, many)


def _blocks(path, file, decoder, complete, many):
    """Yield the events of each block of a file."""
    if decoder.start is None:  # a decoder that opens the file itself
        yield from decoder.pieces()
        return
    block = os.fstat(file.fileno()).st_size if many is None else BLOCK
    at, left = decoder.start, np.zeros(0, dtype=np.uint8)
    file.seek(at)
    while len(raw := np.fromfile(file, dtype=np.uint8, count=max(block, len(left)))):  # a record may be long
        raw = np.concatenate([left, raw]) if len(left) else raw
        events, used = decoder.feed(raw, at)
        left, at = raw[used:], at + used
        yield events
    if decoder.early:
        warn(f"{path}: {decoder.early} events come before the first word of time and are left out, for "
             "nothing says when they were")
    if len(left) and complete:
        raise FileError(f"{path} is cut short: the record at byte {at} must be longer than the {len(left)} bytes that "
                        "are left; complete=False reads what is whole")


def _cut(pieces, decoder, many):
    """Yield events in arrays of `many` each, the last one shorter; all in one array where `many` is None."""
    kept, count = [], 0
    for piece in pieces:
        kept.append(piece)
        count += len(piece)
        while many is not None and count >= many:
            whole = kept[0] if len(kept) == 1 else np.concatenate(kept)
            yield whole[:many].copy()
            kept, count = [whole[many:]], count - many
    if many is None:
        events = kept[0] if len(kept) == 1 else np.concatenate([*kept, np.zeros(0, dtype=EVENT)])
        yield events[np.argsort(events["t"], kind="stable")] if decoder.back else events
    elif count:
        yield np.concatenate(kept)
