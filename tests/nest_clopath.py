"""Makes tests/golden/nest_clopath.json: NEST's Clopath synapse and neuron under forced pairs of spikes.

    python tests/nest_clopath.py    # needs NEST 3.10

The same with filtered voltages as they are and as they were 5 ms ago (delay_u_bars, NEST's default). The synapse's own
effect on v is made negligible by a small weight.
"""

import json
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "golden" / "nest_clopath.json"
VARIABLES = {"V_m": "v", "w": "w", "u_bar_plus": "u_plus", "u_bar_minus": "u_minus"}
AT = [15.0, 20.5, 25.0, 50.0, 61.0, 99.0, 150.0]


def run(pre, post, weight, delay=0.0):
    """Return weight, spike times, and the neuron's variables at some times."""
    import nest

    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.resolution = 0.1
    neuron = nest.Create("aeif_psc_delta_clopath", params={"delay_u_bars": delay})
    source = nest.Create("parrot_neuron")
    given = nest.Create("spike_generator", params={"spike_times": [round(t - 1.0, 1) for t in pre]})
    forced = nest.Create("spike_generator", params={"spike_times": [round(t - 0.1, 1) for t in post]})
    nest.Connect(given, source, syn_spec={"delay": 1.0})
    nest.Connect(forced, neuron, syn_spec={"delay": 0.1, "weight": 150.0})
    nest.Connect(source, neuron, syn_spec={"synapse_model": "clopath_synapse", "weight": weight, "delay": 0.1})
    meter = nest.Create("multimeter", params={"record_from": list(VARIABLES), "interval": 0.1})
    recorder = nest.Create("spike_recorder")
    nest.Connect(meter, neuron)
    nest.Connect(neuron, recorder)
    nest.Simulate(max(pre) + 30.0)
    rows = np.rint(np.array(AT) * 10).astype(int) - 1
    return {"pre": pre, "post": post, "start": weight, "u_delay": delay,
            "spikes": recorder.events["times"].round(1).tolist(),
            "weight": nest.GetConnections(source, neuron).weight, "at": meter.events["times"][rows].round(1).tolist(),
            **{ours: meter.events[theirs][rows].tolist() for theirs, ours in VARIABLES.items()}}


def main():
    """Write the file."""
    import nest

    post = [20.0, 40.0, 60.0, 80.0, 100.0]
    fast = [20.0 + 13.0 * k for k in range(8)]
    trains = {"before": ([t - 10.0 for t in post] + [200.0], post), "after": ([t + 10.0 for t in post] + [200.0], post),
              "fast": ([t + 4.0 for t in fast] + [250.0], fast)}
    golden = {"made by": "tests/nest_clopath.py", "NEST": nest.__version__, "runs": {
        f"{name}{suffix}": run(*both, 0.01, delay) for suffix, delay in (("", 0.0), (", late", 5.0))
        for name, both in trains.items()}}
    GOLDEN.write_text(json.dumps(golden) + "\n", encoding="utf-8")
    print(f"wrote {GOLDEN}, {GOLDEN.stat().st_size} bytes")


if __name__ == "__main__":
    main()
