#!/bin/sh
# With the target "numpy" Brian2 calls exprel and expm1 through a wrapper that checks units. It prepares the message of an
# error that is not there: at every call it writes its argument out as text, some 20 ms for a thousand values, where the
# function itself takes microseconds. So equations of Hodgkin and Huxley that use exprel, to be regular at their removable
# singularities, run several times slower than with the formula itself. exp and clip have no such wrapper.
#
# Ends with 0 as long as that is so, with 1 when nothing is written.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "brian2==2.9.0" "numpy==2.3.5" "setuptools<81"
"$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import cProfile
import pstats
import sys
import time

import brian2 as b2
import numpy as np

b2.prefs.codegen.target = "numpy"
STEPS = 20


def written(function):
    """How often an array is written as text in some steps that call a function once, and seconds for a step."""
    group = b2.NeuronGroup(1000, "v : 1\nw : 1")
    group.v = "rand()"
    group.run_regularly(f"w = {function}", dt=0.1 * b2.ms)
    net = b2.Network(group)
    net.run(0.1 * b2.ms)  # compiles
    profile, began = cProfile.Profile(), time.perf_counter()
    profile.runcall(net.run, STEPS * 0.1 * b2.ms)
    took = time.perf_counter() - began
    calls = [value[1] for key, value in pstats.Stats(profile).stats.items() if key[2] == "array2string"]
    return sum(calls), took / STEPS


print(f"Brian2 {b2.__version__}, NumPy {np.__version__}: {STEPS} steps of 1000 neurons")
found = {}
for function in ("exp(v)", "clip(v, 0, 1)", "expm1(v)", "exprel(v)"):
    found[function], seconds = written(function)
    print(f"{function}: arrays written as text {found[function]} times, {1e3 * seconds:.1f} ms a step with the profiler")
if found["exprel(v)"] < STEPS or found["expm1(v)"] < STEPS or found["exp(v)"] >= STEPS:
    sys.exit("nothing is written now")
PYTHON
