"""Prophesee EVT2, EVT2.1 and EVT3: words of 32, 64 and 16 bits of a stream.

Source: Prophesee, docs.prophesee.ai/stable/data/encoding_formats: evt2.html, evt21.html and evt3.html. A word says in
its highest 4 bits what it is. Times are put together of words of high bits and what events bring: 34 bits in EVT2 and
EVT2.1, 24 bits in EVT3; they are unwrapped where the high bits go back by more than half their range. A recording of
EVT3 that begins after 16.8 s has lost what was before: nothing in the file says it. Triggers and other words are not
read.
"""

import numpy as np

from neurosim.datasets.cameras import loops
from neurosim.datasets.cameras.base import Decoder, agreed_size
from neurosim.datasets.cameras.prophesee import first_time, read_head, sensor_of
from neurosim.datasets.events import EVENT
from neurosim.errors import FileError

VERSIONS = {"2.0": "EVT2", "2.1": "EVT21", "3.0": "EVT3"}
WORD = {"EVT2": 4, "EVT21": 8, "EVT3": 2}
MOST = 2**11  #: pixels a side that an address of 11 bits can name, and 31 more in a vector


class Evt(Decoder):
    """Decoder of .raw files."""

    def __init__(self, path, head, size, unsorted):
        said, at = read_head(head)
        kind = said.get("format", VERSIONS.get(said.get("evt", "")))
        if kind not in WORD:
            raise FileError(f"{path} must have a head that names the format EVT2, EVT21 or EVT3, it names "
                            f"{kind or 'none'}; event frames and files without a head cannot be read")
        super().__init__(path, agreed_size(path, sensor_of(said), size), at)
        order = said.get("endianness", "little")
        if order not in ("little", "legacy"):
            raise FileError(f"{path} must be little endian or legacy, it is {order}")
        self.kind, self.word, self.legacy, self.shift = kind, WORD[kind], order == "legacy", first_time(said)
        self.sorting, self.state = unsorted == "sort", loops.new_state()
        self.sides = (self.size or (MOST + 31, MOST + 31))[:2]

    @property
    def early(self):
        """Number of events that came before the first word of time."""
        return int(self.state[loops.EARLY])

    @property
    def back(self):
        """Whether events must be sorted at the end."""
        return self.sorting and self.state[loops.BACK] > 0

    def feed(self, raw, at) -> tuple:
        """Return (events, bytes that were used)."""
        used = len(raw) // self.word * self.word
        if self.kind == "EVT3":
            words, decode, more = raw[:used].view("<u2"), loops.compiled(loops.evt3), ()
            events = np.empty(loops.compiled(loops.count3)(words), dtype=EVENT)
        else:
            words, decode = raw[:used].view("<u4"), loops.compiled(loops.evt2)
            more = (self.word // 4, 1 if self.kind == "EVT21" and not self.legacy else 0)
            events = np.empty(loops.compiled(loops.count2)(words, *more), dtype=EVENT)
        many = decode(words, self.state, events, *self.sides, self.sorting, *more)
        loops.check(self, at, self.word)
        events = events[:many]
        if self.shift:
            events["t"] += self.shift
        return events, used
