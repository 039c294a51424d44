#!/bin/sh
# pyspike.spike_sync(..., max_tau=) bounds the coincidence window of a train's only spike, but not of spikes that have
# neighbours: with max_tau=1 spikes that lie 4 apart still coincide inside two regular trains (0.5 of them; by the
# definition, Kreuz, Mulansky and Bozanic 2015, 0), while the same two spikes alone do not (0.0). The documentation says
# "Maximum coincidence window size". In the code of 0.9.0 the bound is replaced by, not compared with, each interval.
#
# Ends with 0 as long as that is so, with 1 when the bound holds for all spikes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numpy==2.4.6" "pyspike==0.9.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

from pyspike import SpikeTrain, spike_sync

print(*(f"{name} {version(name)}" for name in ("pyspike", "numpy")), sep=", ")
edges = (0.0, 50.0)
regular = SpikeTrain([10.0, 20.0, 30.0, 40.0], edges), SpikeTrain([14.0, 24.0, 34.0, 44.0], edges)
alone = SpikeTrain([10.0], edges), SpikeTrain([14.0], edges)
found = {name: [spike_sync(*pair, max_tau=tau) for tau in (None, 1.0)]
         for name, pair in (("regular", regular), ("alone", alone))}
print("4 apart, without and with max_tau=1:", found)
if found["alone"] != [1.0, 0.0] or found["regular"][0] != 1.0:
    sys.exit("something else has changed")
if found["regular"][1] == 0.0:
    sys.exit("the bound holds for all spikes")
PYTHON
