#!/bin/sh
# snntorch.RSynaptic takes reset_delay, and with False it should reset the membrane in the step of the spike, as Leaky,
# RLeaky and Synaptic do. It changes nothing: forward assigns the reset membrane to its local name `mem`, and returns
# `self.mem`, which was not reset. So a network written with reset_delay=False runs with the delayed reset. Called as a
# layer with a hidden state (init_hidden=True) it fails instead, since its `spk` is None there.
#
# Ends with 0 as long as that is so, with 1 when the option has an effect.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6" "snntorch==1.0.0"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import snntorch
import torch

print(*(f"{name} {version(name)}" for name in ("snntorch", "torch")))
spikes_in = (torch.rand(100, 1, 20, generator=torch.Generator().manual_seed(1)) < 0.3).float()


def run(cls, late, mechanism):
    """Spikes and membrane of 20 neurons whose recurrent weights are 0."""
    options = {"beta": 0.9, "reset_mechanism": mechanism, "reset_delay": late}
    if "Synaptic" in cls:
        options["alpha"] = 0.7
    if cls.startswith("R"):
        options |= {"all_to_all": False, "V": torch.zeros(20)}
    neuron = getattr(snntorch, cls)(**options)
    names = (["spk"] if cls.startswith("R") else []) + (["syn"] if "Synaptic" in cls else []) + ["mem"]
    state, out = [torch.zeros(1, 20) for _ in names], []
    for now in spikes_in:
        spikes, *rest = neuron(now, *state)
        state = [spikes, *rest] if cls.startswith("R") else rest
        out.append(torch.stack([spikes, rest[-1]]))
    return torch.stack(out).detach()


same = {}
for mechanism in ("zero", "subtract"):
    for cls in ("Synaptic", "RSynaptic"):
        late, at_once = run(cls, True, mechanism), run(cls, False, mechanism)
        after = at_once[:, 1][at_once[:, 0] > 0]
        same[cls, mechanism] = torch.equal(late, at_once)
        print(f"{cls}, {mechanism!r}, reset_delay=False: {int(at_once[:, 0].sum())} spikes (True: "
              f"{int(late[:, 0].sum())}), membrane after a spike {after.mean():.3f}, same as True: "
              f"{same[cls, mechanism]}")
hidden = snntorch.RSynaptic(alpha=0.7, beta=0.9, all_to_all=False, V=torch.zeros(20), reset_mechanism="zero",
                            reset_delay=False, init_hidden=True)
try:
    hidden(spikes_in[0])
    failed = False
except TypeError as error:
    print(f"init_hidden=True: TypeError: {error}")
    failed = True
if same["Synaptic", "zero"] or not same["RSynaptic", "zero"] or not same["RSynaptic", "subtract"] or not failed:
    sys.exit("reset_delay=False of RSynaptic has an effect now")
PYTHON
