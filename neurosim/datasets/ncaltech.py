"""N-Caltech101: the official tree of .bin files or a zip file of it.

Source: G. Orchard, A. Jayawant, G. K. Cohen and N. Thakor, Converting static image datasets to spiking neuromorphic
datasets using saccades, Front. Neurosci. 9, 437 (2015). Files are of the format of N-MNIST; pictures were shown with up
to 240 x 180 pixels.
"""

import re
from pathlib import Path

from neurosim.datasets.files import check_choice
from neurosim.datasets.nmnist import BinDataset, checked_sensor, decode, listed
from neurosim.datasets.order import ORDERS
from neurosim.errors import FileError
from neurosim.files import as_path

RECORDING = re.compile(r"(?:.*/)?([^/]+)/(image_\d+\.bin)")


class NCaltech101(BinDataset):
    """N-Caltech101: pictures of 101 kinds of objects in front of a moving event camera.

    Items are (events, class); events have the fields x, y, t (microseconds) and p, sorted by time. Classes are the
    names of the folders in alphabetical order. Annotations, which lie in `.bin` files of their own, are not read.

    Args:
        path: the folder that holds `<class>/image_<number>.bin`, or a zip file of it; folders in front of these names
            do not matter.
        sensor_size: (width, height, 2) that events must fit, up to 256 x 240.
        unsorted: what to do with a recording whose time runs backwards: "refuse" it, "sort" it, or "unwrap" a counter.

    Raises:
        FileError: there are no recordings, or the zip file is damaged; on reading, as for `NMNIST`.
        ParameterError: an argument does not fit.

    >>> import tempfile, pathlib
    >>> from neurosim.datasets import make_events, write_nmnist
    >>> root = pathlib.Path(tempfile.mkdtemp()) / "Caltech101"
    >>> (root / "ant").mkdir(parents=True)
    >>> one = make_events(t=[10, 20], x=[3, 239], y=[0, 179], p=[1, 0])
    >>> write_nmnist(one, root / "ant" / "image_0001.bin", (240, 180, 2))
    >>> events, label = NCaltech101(root)[0]
    >>> events["x"], label
    (array([  3, 239], dtype=int16), 0)
    """

    def __init__(self, path: str | Path, *, sensor_size: tuple[int, int, int] = (240, 180, 2),
                 unsorted: str = "refuse"):
        check_choice("NCaltech101.unsorted", unsorted, ORDERS)
        self.sensor_size = checked_sensor("NCaltech101", sensor_size)
        self.path, self.unsorted = as_path("path", path), unsorted
        names, archive = listed(self.path, "Caltech101")
        found = {}
        for name, place in names:
            parts = RECORDING.fullmatch(name)
            if parts is None:
                continue
            if parts.groups() in found:
                raise FileError(f"{path} must hold {'/'.join(parts.groups())} once, it is there twice")
            found[parts.groups()] = place
        if not found:
            raise FileError(f"{path} has no recordings <class>/image_<number>.bin")
        self.classes = tuple(sorted({kind for kind, _ in found}))
        number = {kind: place for place, kind in enumerate(self.classes)}
        self._set_places([(number[kind], file, found[kind, file]) for kind, file in sorted(found)], archive)

    def _decode(self, pieces, names) -> tuple:
        return decode(pieces, names, self.sensor_size, self.unsorted)
