#!/bin/sh
# scipy.linalg.expm of an upper triangular matrix that needs squaring, with two entries on the diagonal that agree but for
# rounding, returns an element beside them that is wrong altogether: 0 for what must be 0.82. So the exact propagator of a
# membrane, a synapse of 0.01 ms, and another whose time constant is that of the membrane to the last bit but one, made
# with expm as is usual, loses a coupling.
#
# Right: for A = [[-a, 1, 0], [0, -b, 1], [0, 0, -c]] the element [0, 1] of exp(A t) is (exp(-a t) - exp(-b t)) / (b - a),
# whose limit is t exp(-a t); the same matrix with 1e-300 below its diagonal, which is not triangular, gives it.
#
# Ends with 0 as long as that is so, with 1 when expm has become right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numpy==2.4.6" "scipy==1.17.1"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import scipy
from scipy.linalg import expm

print("scipy", scipy.__version__, "numpy", np.__version__)
wrong = []
for tau_mem, tau_syn, t in ((0.3, 0.1 * 3, 0.1), (0.3, 0.1 * 3, 1.0), (5.0, np.nextafter(5.0, 0.0), 1.0)):
    a, b = 1.0 / tau_mem, 1.0 / tau_syn
    right = t * np.exp(-a * t)  # to 1e-15, as the two agree to 2e-16
    upper = expm(np.array([[-a, 1.0, 0.0], [0.0, -b, 1.0], [0.0, 0.0, -100.0]]) * t)[0, 1]
    full = expm(np.array([[-a, 1.0, 0.0], [1e-300, -b, 1.0], [0.0, 0.0, -100.0]]) * t)[0, 1]
    print(f"tau_mem {tau_mem!r}, tau_syn {float(tau_syn)!r}, t {t}: triangular {upper:.6g}, not triangular {full:.6g}, "
          f"right {right:.6g}")
    wrong.append(abs(upper / right - 1.0) > 0.1)
    if abs(full / right - 1.0) > 1e-12:
        sys.exit("the form that is not triangular is no longer right")
if not any(wrong):
    sys.exit("expm is right")
PYTHON
