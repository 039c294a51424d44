#!/bin/sh
# A current that decays with the time constant of the membrane that it drives is an alpha function: nothing is singular
# about it. Brian2's method="exact" solves the equations for symbols, so its formula divides by the difference of the two
# time constants. Where their values are equal v is NaN from the first step on, without an error, and no neuron ever
# spikes; NumPy's warning of a division by zero is all there is, and compiled targets have none. A time constant that
# differs by a billionth gives v to five digits. With the number written twice, or one name for both, it is right.
#
# Ends with 0 as long as that is so, with 1 when equal time constants give numbers.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "brian2==2.9.0" "numpy==2.3.5" "setuptools<81"
"$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import math
import sys

import brian2 as b2
import numpy as np

b2.prefs.codegen.target = "numpy"
exact = math.exp(-0.5) / 2  # (t / tau) exp(-t / tau) at 5 ms, tau = 10 ms


def run(equations, **numbers):
    """v of the neuron at 5 ms, and how many spikes there are in 20 ms."""
    group = b2.NeuronGroup(1, equations, threshold="v > 0.36", reset="v = 0", method="exact", namespace=numbers)
    group.j = 1.0
    v, spikes = b2.StateMonitor(group, "v", record=True), b2.SpikeMonitor(group)
    b2.Network(group, v, spikes).run(20 * b2.ms)
    return float(v.v[0][50]), int(spikes.num_spikes)


two = "dv/dt = (j - v) / tau_m : 1\ndj/dt = -j / tau_s : 1"
found = {}
print(f"Brian2 {b2.__version__}, NumPy {np.__version__}; v at 5 ms must be {exact:.9f}, with 1 spike in 20 ms")
for tau in (10.0001, 10.0 + 1e-8, 10.0):
    found[tau] = run(two, tau_m=10 * b2.ms, tau_s=tau * b2.ms)
    print(f"tau_m = 10 ms, tau_s = {tau!r} ms: v = {found[tau][0]:.9f}, {found[tau][1]} spikes")
one = run("dv/dt = (j - v) / tau : 1\ndj/dt = -j / tau : 1", tau=10 * b2.ms)
print(f"one tau for both: v = {one[0]:.9f}, {one[1]} spikes")
if not math.isnan(found[10.0][0]) or found[10.0][1] != 0 or abs(one[0] - exact) > 1e-9:
    sys.exit("equal time constants give numbers now")
PYTHON
