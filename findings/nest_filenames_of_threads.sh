#!/bin/sh
# NEST's recorders name only one of their files: with several threads each thread writes one, `recorder.get("filenames")`
# lists that of one thread alone. Whoever reads the files that it names loses the spikes of all neurons of the other
# threads, without a word, and how many depends on the number of threads.
#
# Right: NEST's documentation of the recording backend `ascii` promises one entry for each local thread,
# nest-simulator.readthedocs.io.
#
# Ends with 0 as long as that is so, with 1 when all files are named.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numpy==2.3.5" "nest-simulator==3.10.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import nest

nest.verbosity = nest.VerbosityLevel.ERROR
nest.ResetKernel()
nest.set(resolution=0.1, local_num_threads=2, data_path=".", overwrite_files=True)
cells = nest.Create("iaf_psc_exp", 7, {"I_e": 500.0})
file, memory = nest.Create("spike_recorder", params={"record_to": "ascii", "label": "s"}), nest.Create("spike_recorder")
nest.Connect(cells, file)
nest.Connect(cells, memory)
nest.Simulate(50.0)
print(f"nest-simulator {version('nest-simulator')}")


def spikes(paths):
    return sum(len(Path(path).read_text().splitlines()) - 3 for path in paths)


named, there = file.get("filenames"), sorted(Path(".").glob("s-*.dat"))
print(f"recorded in memory: {memory.n_events} spikes")
print(f"files named: {[Path(name).name for name in named]}, with {spikes(named)} spikes")
print(f"files there: {[path.name for path in there]}, with {spikes(there)} spikes")
if spikes(there) != memory.n_events:
    sys.exit("the files no longer hold all spikes")
if len(named) == len(there):
    sys.exit("all files are named")
PYTHON
