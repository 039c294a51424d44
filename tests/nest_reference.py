"""Makes tests/golden/nest_precise.json: spike times of small networks of NEST's neurons with precise spike times.

Run it with a Python that has NEST (`pip install nest-simulator`): `python tests/nest_reference.py`. The networks are
described by plain numbers in the file itself, so that the tests build the same ones: 20 neurons, 40 trains of given
spikes at times that lie on no grid, random connections whose delays are multiples of NEST's resolution.
"""

import json
from pathlib import Path

import numpy as np

N, N_INPUTS, DURATION = 20, 40, 300.0
NEURON = {"tau_m": 10.0, "C_m": 250.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0}
MODELS = {  # NEST's model, parameters of its own, weights of inputs, of excitation and of inhibition
    "delta": ("iaf_psc_delta_ps", {}, 4.0, 1.5, -3.0),
    "exponential": ("iaf_psc_exp_ps", {"tau_syn_ex": 2.0, "tau_syn_in": 5.0}, 450.0, 120.0, -150.0),
    "alpha": ("iaf_psc_alpha_ps", {"tau_syn_ex": 1.5, "tau_syn_in": 3.0}, 300.0, 80.0, -120.0),
}


def describe(seed, w_input, w_exc, w_inh):
    """Return trains of input spikes, synapses (source, target, weight, delay) and constant currents."""
    generator = np.random.default_rng(seed)
    trains = [np.unique(np.round(np.sort(generator.uniform(0.5, DURATION - 5.0, generator.poisson(12))), 6)).tolist()
              for _ in range(N_INPUTS)]

    def synapses(n_source, weights, count):
        source, target = generator.integers(0, n_source, count), generator.integers(0, N, count)
        delay = np.round(generator.integers(5, 40, count) * 0.1, 1)
        return [[int(s), int(t), float(weights[s]), float(d)] for s, t, d in zip(source, target, delay, strict=True)]

    inputs = synapses(N_INPUTS, [w_input] * N_INPUTS, 160)
    recurrent = synapses(N, [w_exc] * 16 + [w_inh] * 4, 80)
    return trains, inputs, recurrent, np.round(generator.uniform(100.0, 390.0, N), 3).tolist()


def simulate(model, parameters, trains, inputs, recurrent, currents):
    """Return times and senders of the spikes that NEST finds."""
    import nest

    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.resolution = 0.1
    cells = nest.Create(model, N, params={**NEURON, **parameters})
    for k, current in enumerate(currents):
        cells[k].I_e = current
    sources = nest.Create("spike_generator", N_INPUTS, params={"precise_times": True})
    for k, train in enumerate(trains):
        sources[k].spike_times = train
    for population, synapses in ((sources, inputs), (cells, recurrent)):
        for source, target, weight, delay in synapses:
            nest.Connect(population[source], cells[target], "one_to_one", {"weight": weight, "delay": delay})
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Simulate(DURATION)
    events = recorder.get("events")
    order = np.lexsort((events["senders"], events["times"]))
    ids = events["senders"][order] - cells[0].get("global_id")
    return events["times"][order].tolist(), ids.tolist(), nest.__version__


def main():
    """Write the file."""
    cases = {}
    for seed, (name, (model, parameters, *weights)) in enumerate(MODELS.items(), start=1):
        trains, inputs, recurrent, currents = describe(seed, *weights)
        times, ids, version = simulate(model, parameters, trains, inputs, recurrent, currents)
        cases[name] = {"model": model, "parameters": {**NEURON, **parameters}, "trains": trains, "inputs": inputs,
                       "recurrent": recurrent, "currents": currents, "times": times, "ids": ids}
    path = Path(__file__).parent / "golden" / "nest_precise.json"
    path.write_text(json.dumps({"made by": "tests/nest_reference.py", "NEST": version, "duration": DURATION,
                                "cases": cases}))
    for name, case in cases.items():
        print(name, len(case["times"]), "spikes")


if __name__ == "__main__":
    main()
