"""AEDAT 4.0, as DV writes it, read by the package aedat (MIT licence), which is an extra."""

from importlib import import_module
from typing import Any

import numpy as np

from neurosim.datasets.cameras.base import Decoder, agreed_size, check_addresses
from neurosim.datasets.events import EVENT, pack
from neurosim.datasets.order import Order
from neurosim.errors import FileError, UnsupportedError


class Aedat4(Decoder):
    """Reader of AEDAT 4.0 files; the package opens the file itself."""

    def __init__(self, path, _head, size, unsorted):
        self.package, self.seen = _package(), 0
        self.order = Order(unsorted, lambda event: f"{path}, event {event}")
        self.file = _guarded(path, lambda: self.package.Decoder(str(path)))
        streams = {key: stream for key, stream in self.file.id_to_stream().items() if stream["type"] == "events"}
        if len(streams) != 1:
            raise FileError(f"{path} must hold one stream of events, it holds {len(streams)}")
        self.stream, stream = next(iter(streams.items()))
        super().__init__(path, agreed_size(path, (int(stream["width"]), int(stream["height"])), size), None)

    def pieces(self):
        """Yield the events of each packet."""
        while True:
            packet = _guarded(self.path, lambda: next(self.file, None))
            if packet is None:
                return
            if packet["stream_id"] != self.stream or "events" not in packet:
                continue
            events = packet["events"]
            t = self.order.follow(events["t"].astype(np.int64))
            self.back = self.order.back
            check_addresses(self, events["x"], events["y"], lambda event: (None, self.seen + event))
            self.seen += len(events)
            yield pack(EVENT, t=t, x=events["x"], y=events["y"], p=events["on"])


def _package() -> Any:
    try:
        return import_module("aedat")
    except ImportError:
        raise UnsupportedError("AEDAT 4 files need the package aedat; install it with `pip install "
                               "neurosim-toolkit[aedat]`") from None


def _guarded(path, call):
    """What the package gives; its panics, which are no ordinary exceptions, become FileError."""
    try:
        return call()
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise FileError(f"{path} is not an AEDAT 4 file or is damaged: {str(error).splitlines()[0]}") from None
        raise
