#!/bin/sh
# lauscher, which made SHD and SSC, lets the basilar membrane move before the sound: its transfer function is that of
# waves exp(-i w t), as in the paper that it follows, but it multiplies a spectrum of exp(+i w t) by it (numpy.fft). So
# every impulse response runs backwards in time: a click moves the places of low frequency first, 25 ms before it comes,
# and high frequencies last, where in an ear, and in other cochlea models, low frequencies come late.
# Whoever mixes SHD with spikes of another cochlea, or learns delays from it, meets the order of channels turned round.
#
# Right: Sieroka, Dosch, Rupp, "Semirealistic models of the cochlea", J. Acoust. Soc. Am. 120 (2006) 297: travelling waves
# go from the stapes to the apex.
#
# Ends with 0 as long as that is so, with 1 when places move after the sound.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "lauscher==1.0.1" "numpy==2.4.6"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from lauscher.audiowaves import MonoAudioWave
from lauscher.transformations import BasilarMembrane

RATE, AT = 48_000, 24_000
if __name__ == "__main__":
    print(*(f"{name} {version(name)}" for name in ("lauscher", "numpy")), sep=", ")
    click = np.zeros(RATE)
    click[AT] = 1.0
    found = MonoAudioWave(click, RATE).transform(BasilarMembrane(channels=8))
    times = np.arange(found.channels.shape[1]) / found.sample_rate - AT / RATE
    energy = found.channels**2
    early = (energy * (times < 0)).sum(axis=1) / energy.sum(axis=1)
    centre = 1e3 * (energy * times).sum(axis=1) / energy.sum(axis=1)
    for channel in range(8):
        print(f"channel {channel}: {early[channel]:.1%} of the energy before the click, "
              f"centre of it at {centre[channel]:+.1f} ms")
    if early[-1] < 0.5:
        sys.exit("places move after the sound")
PYTHON
