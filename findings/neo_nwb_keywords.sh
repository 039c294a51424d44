#!/bin/sh
# Neo cannot read an NWB file that has keywords: NWBIO takes them over as annotations, finds an HDF5 dataset of strings
# where it expects a list, and raises ValueError. Keywords are what nwbinspector asks for as a best practice, so that a
# file that follows its advice is lost to Neo and Elephant; the same file without them is read.
#
# Right: "keywords: Terms to search over", a list of text in the schema of NWBFile, nwb-schema.readthedocs.io; Neo's block
# should have them as the annotation of that name, as it has the experimenter.
#
# Ends with 0 as long as that is so, with 1 when the file is read.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numpy==2.3.5" "neo==0.14.6" "pynwb==4.2.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import UTC, datetime
from importlib.metadata import version

import neo
import pynwb

print(*(f"{name} {version(name)}" for name in ("neo", "pynwb", "numpy")), sep=", ")


def write(path, **fields):
    file = pynwb.NWBFile(session_description="a", identifier="b", session_start_time=datetime.now(UTC), **fields)
    file.add_unit(spike_times=[0.1, 0.25], obs_intervals=[[0.0, 1.0]])
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(file)
    return pynwb.validate(path=path)


found = {}
for name, fields in (("without", {}), ("with", {"keywords": ["cortex", "spikes"]})):
    faults = write(f"{name}.nwb", **fields)
    try:
        block = neo.io.NWBIO(f"{name}.nwb", mode="r").read_all_blocks()[0]
        found[name] = f"{len(block.segments[0].spiketrains)} train"
    except ValueError as error:
        found[name] = f"ValueError: {error}"
    print(f"{name:8} keywords: validator finds {len(faults)} faults; Neo: {found[name]}")
if found["without"] != "1 train":
    sys.exit("Neo no longer reads the file without keywords")
if "StrDataset" not in found["with"]:
    sys.exit("Neo reads the file with keywords")
PYTHON
