#!/bin/sh
# faery moves events in time that a camera wrote rightly: where a file of EVT3 takes the low word of time back before any
# event has come (811, then 800, then events), it keeps the larger one for all events until time has passed it. Cameras write
# this: in a public sample of a Gen 4.1 camera 0.7 % of the events are read up to 11 us late. Nothing is said.
#
# Right: an event has the time of the last "EVT_TIME_LOW" before it, docs.prophesee.ai/stable/data/encoding_formats/evt3.html;
# times do not run backwards here, as no event came at 811. evt3 reads it so.
#
# Ends with 0 as long as that is so, with 1 when faery gives the times of the file.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numpy==2.4.6" "evt3==0.4.1" "faery==0.7.1"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import struct
import sys
from importlib.metadata import version

import evt3
import faery
import numpy as np

print(*(f"{name} {version(name)}" for name in ("faery", "evt3", "numpy")), sep=", ")
HIGH, LOW, X = 0x8000, 0x6000, 0x2000
words = [HIGH | 1, LOW | 799, 5, X | 3, HIGH | 1, LOW | 811, LOW | 800, X | 4, LOW | 801, X | 5]
with open("words.raw", "wb") as file:
    file.write(b"% evt 3.0\n% format EVT3;width=640;height=480\n% geometry 640x480\n% end\n")
    file.write(struct.pack(f"<{len(words)}H", *words))
right = [4096 + low for low in (799, 800, 801)]
theirs = evt3.decode_file("words.raw").timestamp.astype(int).tolist()
found = np.concatenate([part["t"].copy() for part in faery.events_stream_from_file("words.raw")]).astype(int).tolist()
print("words", *(f"{word:04x}" for word in words))
print(f"right {right}, evt3 {theirs}, faery {found}")
if theirs != right:
    sys.exit("evt3 no longer gives the times of the file")
if found == right:
    sys.exit("faery gives the times of the file")
PYTHON
