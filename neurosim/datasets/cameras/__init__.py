"""The files that event cameras write: each module reads one format, in numpy or in compiled loops.

| end of the name | format | module |
|---|---|---|
| .raw | Prophesee EVT2, EVT2.1, EVT3 | `evt` |
| .dat | Prophesee DAT, version 1 and 2 | `dat` |
| .aedat | AEDAT 2.0 of jAER, AEDAT 3.1 of cAER | `aedat2`, `aedat3` |
| .aedat4 | AEDAT 4.0 of DV, by the package aedat | `aedat4` |
| .es | Event Stream 2 | `es` |
"""

from neurosim.datasets.cameras.stream import READERS, opened

__all__ = ["READERS", "opened"]
