"""Makes tests/golden/nest_plasticity.json and nest_dopamine.json: weights of NEST's plastic synapses.

    python tests/nest_stdp.py    # needs NEST 3.10 (`pip install nest-simulator`)

Six sources and six targets are forced to spike at given times, which lie on a grid of 0.1 ms; each pair has a synapse
with a delay of its own. Times and delays are kept as they are in nest_plasticity.json, so that the file can be made
again; the times of the dopamine cells are drawn here, and delays are whole milliseconds there. A last spike of each
source brings the weights up to date; that of the dopamine synapses comes when concentration and eligibility are gone.
"""

import json
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "golden"
DT, LATE, START = 0.1, 9000.0, 6.0
TRIPLET = {"tau_plus": 16.8, "tau_plus_triplet": 101.0, "Aplus": 5e-3, "Aminus": 7e-3, "Aplus_triplet": 6.2e-3,
           "Aminus_triplet": 2.3e-4, "Wmax": 2.0}
PAIRS = {  #: name: model, its parameters (lambda is a share of Wmax), parameters of the target, weight at the start
    "additive": ("stdp_synapse", {"lambda": 0.01, "alpha": 1.05, "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": 17.0,
                                  "Wmax": 2.0}, {"tau_minus": 25.0}, 1.0),
    "multiplicative": ("stdp_synapse", {"lambda": 0.02, "alpha": 1.1, "mu_plus": 1.0, "mu_minus": 1.0, "tau_plus": 20.0,
                                        "Wmax": 2.0}, {"tau_minus": 20.0}, 1.0),
    "power": ("stdp_synapse", {"lambda": 0.02, "alpha": 1.1, "mu_plus": 0.4, "mu_minus": 0.7, "tau_plus": 20.0,
                               "Wmax": 2.0}, {"tau_minus": 30.0}, 1.0),
    "nearest": ("stdp_nn_symm_synapse", {"lambda": 0.02, "alpha": 1.1, "mu_plus": 1.0, "mu_minus": 1.0,
                                         "tau_plus": 20.0, "Wmax": 2.0}, {"tau_minus": 30.0}, 1.0),
    "triplet": ("stdp_triplet_synapse", TRIPLET, {"tau_minus": 33.7, "tau_minus_triplet": 125.0}, 1.0),
    "inhibitory": ("vogels_sprekeler_synapse", {"eta": 0.01, "alpha": 0.5, "tau": 20.0, "Wmax": -3.0},
                   {"tau_minus": 20.0}, -1.0),
}
DOPAMINE = {  #: name: parameters of the dopamine synapse
    "reward": {"A_plus": 0.05, "A_minus": 0.03, "tau_plus": 17.0, "tau_c": 300.0, "tau_n": 50.0, "b": 0.0,
               "Wmax": 99.0},
    "baseline": {"A_plus": 0.05, "A_minus": 0.04, "tau_plus": 20.0, "tau_c": 100.0, "tau_n": 40.0, "b": 0.03,
                 "Wmax": 99.0},
    "bounded": {"A_plus": 0.4, "A_minus": 0.4, "tau_plus": 20.0, "tau_c": 200.0, "tau_n": 50.0, "b": 0.0, "Wmax": 9.0},
}


def trains(nest, times, shift):
    """Return neurons that repeat given spikes at their times."""
    cells = nest.Create("parrot_neuron", len(times))
    given = nest.Create("spike_generator", len(times),
                        params=[{"spike_times": np.round(np.array(each) - shift, 1)} for each in times])
    nest.Connect(given, cells, "one_to_one", {"delay": shift})
    return cells


def weights(nest, given, model, parameters, target_parameters, start, end, dopamine=None):
    """Return the weights at the end, a row for each source."""
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = DT
    sources = trains(nest, [[*train, end] for train in given["sources"]], 1.0)
    targets = trains(nest, given["targets"], 1.0)
    targets.set(target_parameters)
    if dopamine is not None:
        transmitter = nest.Create("volume_transmitter")
        nest.Connect(trains(nest, dopamine, 1.0), transmitter, "all_to_all", {"delay": DT})
        parameters = parameters | {"volume_transmitter": transmitter}
    nest.CopyModel(model, "learning", parameters | {"weight": start})
    for row, source in zip(given["delays"], sources, strict=True):
        for delay, target in zip(row, targets, strict=True):
            nest.Connect(source, target, "one_to_one", {"synapse_model": "learning", "weight": start, "delay": delay,
                                                        "receptor_type": 1})  # so that it repeats nothing of this
    nest.Simulate(end + 10.0)
    return [[nest.GetConnections(source, target).weight for target in targets] for source in sources]


def main():
    """Write the files."""
    import nest

    path = GOLDEN / "nest_plasticity.json"
    given = json.loads(path.read_text(encoding="utf-8"))
    made = {name: weights(nest, given, *case, given["end"]) for name, case in PAIRS.items()}
    for name, values in made.items():
        print(f"{name}: largest difference from the file {np.abs(np.subtract(values, given['weights'][name])).max():g}")
    about = {"made by": "tests/nest_stdp.py", "NEST": nest.__version__}
    path.write_text(json.dumps(given | about | {"weights": made}) + "\n", encoding="utf-8")
    rng = np.random.default_rng(7)
    times = [np.unique(rng.integers(10_100, 19_900, 30)) for _ in range(2)]
    dopamine = [np.round(np.union1d(each, [14_000, 15_000]) * DT, 1).tolist() for each in times]  # two meet twice
    given["delays"] = np.round(given["delays"]).tolist()
    made = {name: {"parameters": case, "weights": weights(nest, given, "stdp_dopamine_synapse", case,
                                                          {"tau_minus": 25.0}, START, LATE, dopamine)}
            for name, case in DOPAMINE.items()}
    (GOLDEN / "nest_dopamine.json").write_text(json.dumps(
        about | {"dt": DT, "end": LATE, "tau_minus": 25.0, "start": START, "delays": given["delays"],
                 "dopamine": dopamine, "cases": made}) + "\n", encoding="utf-8")
    for name, case in made.items():
        print(f"{name}: weights {np.min(case['weights']):.4f} to {np.max(case['weights']):.4f}")


if __name__ == "__main__":
    main()
