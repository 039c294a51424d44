#!/bin/sh
# expelliarmus writes EVT3 files that lose time: where two events are more than 4.096 ms apart, the later one is written with
# the low 12 bits of its time and no word of its high bits. So a recording of a quiet scene is read back, by every reader,
# with wrong times or times that run backwards; what faery and cameras write is read rightly by the same readers.
#
# Right: "EVT_TIME_HIGH" must come whenever the bits above the 12 of "EVT_TIME_LOW" change, see
# docs.prophesee.ai/stable/data/encoding_formats/evt3.html; two events at 10 and 5,010 us are 5,000 us apart.
#
# Ends with 0 as long as that is so, with 1 when the gap is kept.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numpy==2.4.6" "expelliarmus==1.1.12" "evt3==0.4.1" \
    "faery==0.7.1"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import evt3
import expelliarmus
import faery
import numpy as np

print(*(f"{name} {version(name)}" for name in ("expelliarmus", "evt3", "faery", "numpy")), sep=", ")
times = np.array([10, 5_010])
head = b"% evt 3.0\n% format EVT3;width=640;height=480\n% geometry 640x480\n% end\n"


def body(path):
    raw = open(path, "rb").read()
    at = 0
    while raw[at:at + 1] == b"%":
        at = raw.index(b"\n", at) + 1
    return raw[at:]


events = np.zeros(2, dtype=[("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "u1")])
events["t"], events["x"], events["y"] = times, [3, 4], [5, 6]
expelliarmus.Wizard(encoding="evt3").save(fpath="expelliarmus.raw", arr=events)
other = np.zeros(2, dtype=faery.EVENTS_DTYPE)
for name in "txy":
    other[name] = events[name]
faery.events_stream_from_array(other, (640, 480)).to_file("faery.raw", version="evt3", zero_t0=False)
gaps = {}
for writer in ("faery", "expelliarmus"):
    words = np.frombuffer(body(f"{writer}.raw"), dtype="<u2")
    open("words.raw", "wb").write(head + words.tobytes())
    found = evt3.decode_file("words.raw").timestamp.astype(int)
    gaps[writer] = int(found[1] - found[0])
    print(f"{writer:13} words {' '.join(f'{word:04x}' for word in words)}; read by evt3: {found.tolist()}, "
          f"{gaps[writer]} us apart, right {times[1] - times[0]}")
if gaps["faery"] != 5_000:
    sys.exit("faery and evt3 no longer agree")
if gaps["expelliarmus"] == 5_000:
    sys.exit("expelliarmus keeps the gap")
PYTHON
