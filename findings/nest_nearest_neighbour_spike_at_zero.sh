#!/bin/sh
# NEST's stdp_nn_symm_synapse and stdp_nn_restr_synapse pair each spike of the target with the last spike of the source.
# Where the source has not spiked yet there is none, and nothing should happen; but they begin as if the source had spiked
# at time 0: the first spike of the source finds the target's spikes before it facilitated with exp(-t / tau_plus).
# stdp_synapse, which sums over all earlier spikes of the source, begins with none. A network's weights are off until each
# source has spiked, by up to lambda * Wmax.
#
# Ends with 0 as long as that is so, with 1 when a source that was silent changes nothing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "nest-simulator==3.10.0" "numpy==2.3.5"
PYNEST_QUIET=1 "$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import nest

nest.verbosity = nest.VerbosityLevel.ERROR
print(f"NEST {nest.__version__}: one spike of the target at 10 ms, then the first of the source at 30 ms")
changes = {}
for model in ("stdp_synapse", "stdp_nn_symm_synapse", "stdp_nn_restr_synapse"):
    nest.ResetKernel()
    source, target = nest.Create("parrot_neuron"), nest.Create("parrot_neuron")
    target.tau_minus = 1e-3  # so that nothing is left of the depression by the target's spike
    for cell, time in ((source, 30.0), (target, 10.0)):
        nest.Connect(nest.Create("spike_generator", params={"spike_times": [time - 1.0]}), cell, syn_spec={"delay": 1.0})
    nest.Connect(source, target, syn_spec={"synapse_model": model, "weight": 50.0, "delay": 1.0, "receptor_type": 1,
                                           "Wmax": 100.0, "lambda": 0.1, "mu_plus": 0.0, "mu_minus": 0.0,
                                           "tau_plus": 20.0})
    nest.Simulate(40.0)
    changes[model] = nest.GetConnections(source, target).weight - 50.0
    print(f"{model}: the weight changes by {changes[model]:+.6f}")
phantom = 10.0 * math.exp(-(10.0 + 1.0) / 20.0)
print(f"a spike of the source at time 0 would bring {phantom:+.6f}")
if changes["stdp_synapse"] != 0.0 or abs(changes["stdp_nn_symm_synapse"] - phantom) > 1e-9 \
        or abs(changes["stdp_nn_restr_synapse"] - phantom) > 1e-9:
    sys.exit("the synapses begin otherwise now")
PYTHON
