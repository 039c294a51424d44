"""Makes tests/golden/nest_seams.json: what NEST does where simulators are often silently wrong.

Run it with a Python that has NEST (`pip install nest-simulator`): `python tests/nest_seams.py`. Each function is one
behaviour; `tests/test_seams.py` builds the same network and compares.
"""

import json
from pathlib import Path

import numpy as np

PASSIVE = {"E_L": 0.0, "V_m": 0.0, "V_reset": -1.0, "V_th": 1e9}


def begun(nest, resolution=0.1):
    """Begin anew."""
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = resolution


def given(nest, times):
    """Return a source of given spikes; with the delay of half a ms before it, it emits at these times."""
    generator, source = nest.Create("spike_generator"), nest.Create("parrot_neuron")
    generator.spike_times = [time - 0.5 for time in times]
    nest.Connect(generator, source, syn_spec={"delay": 0.5})
    return source


def traces(nest, cells, variables, duration):
    """Run and return samples of variables every 0.1 ms, as a list for each variable and neuron."""
    recorder = nest.Create("multimeter", params={"record_from": variables, "interval": nest.resolution})
    nest.Connect(recorder, cells)
    nest.Simulate(duration)
    events = recorder.events
    return {name: [events[name][events["senders"] == cell.global_id].tolist() for cell in cells] for name in variables}


def self_connections(nest):
    """Pairs between overlapping parts of one population, without connections of a neuron with itself."""
    found = {}
    for first, last, low, high in ((0, 12, 0, 12), (4, 9, 0, 12), (0, 6, 3, 10), (0, 4, 6, 12)):
        begun(nest)
        cells = nest.Create("iaf_psc_alpha", 12)
        nest.Connect(cells[first:last], cells[low:high], {"rule": "all_to_all", "allow_autapses": False})
        made = nest.GetConnections()
        one = cells[0].global_id
        found[f"{first} {last} {low} {high}"] = sorted((int(source) - one, int(target) - one) for source, target in
                                                       zip(made.sources(), made.targets(), strict=True))
    return found


def time_constants_of_a_part(nest):
    """v of six neurons of which 2, 3 and 4 get a spike, with a time constant of the synapse each."""
    begun(nest)
    cells = nest.Create("iaf_psc_exp", 6, params={"tau_m": 10.0, "C_m": 100.0, **PASSIVE})
    for cell, tau in zip(cells[2:5], (1.0, 2.0, 4.0), strict=True):
        cell.tau_syn_ex = tau
    nest.Connect(given(nest, [1.0]), cells[2:5], syn_spec={"weight": 100.0, "delay": 1.0})
    nest.Simulate(12.0)
    return list(cells.V_m)


def inhibition(nest):
    """v of conductances: NEST takes a negative weight for one of its inhibitory conductance, whose e_rev is another."""
    begun(nest)
    cells = nest.Create("iaf_cond_exp", 2, params={
        "C_m": 100.0, "g_L": 10.0, "E_L": -70.0, "V_m": -70.0, "V_th": 0.0, "E_ex": 0.0, "E_in": -80.0,
        "tau_syn_ex": 5.0, "tau_syn_in": 5.0})
    source = given(nest, [1.0])
    nest.Connect(source, cells[0], syn_spec={"weight": -5.0, "delay": 1.0})
    nest.Connect(source, cells[1], syn_spec={"weight": 5.0, "delay": 1.0})
    return traces(nest, cells, ["V_m"], 30.0)["V_m"]


NEAR = (0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.1)


def near_equal(nest):
    """The peak of v where a synapse is all but as slow as the membrane, and of a conductance that rises as it falls."""
    found = {}
    for model in ("iaf_psc_exp", "iaf_psc_alpha"):
        begun(nest)
        cells = nest.Create(model, len(NEAR), params={"tau_m": 10.0, "C_m": 100.0, **PASSIVE})
        cells.tau_syn_ex = [10.0 * (1.0 - share) for share in NEAR]
        nest.Connect(given(nest, [1.0]), cells, syn_spec={"weight": 100.0, "delay": 1.0})
        found[model] = [max(each) for each in traces(nest, cells, ["V_m"], 60.0)["V_m"]]
    begun(nest)
    cells = nest.Create("iaf_cond_beta", len(NEAR), params={"tau_decay_ex": 5.0, "V_th": 0.0, "E_L": -70.0})
    cells.tau_rise_ex = [5.0 * (1.0 - share) for share in NEAR]
    nest.Connect(given(nest, [1.0]), cells, syn_spec={"weight": 3.0, "delay": 1.0})
    found["iaf_cond_beta"] = [max(each) for each in traces(nest, cells, ["g_ex"], 60.0)["g_ex"]]
    return found


def new_synapse(nest):
    """v of two neurons; a spike of 10 ms, 8 ms under way, when the synapse to the first goes to the second at 12 ms."""
    begun(nest)
    cells = nest.Create("iaf_psc_delta", 2, params={"tau_m": 1e9, **PASSIVE})
    source = given(nest, [10.0, 15.0])
    nest.Connect(source, cells[0], syn_spec={"weight": 1.0, "delay": 8.0})
    nest.Simulate(12.0)
    nest.GetConnections(source, cells[0]).disconnect()
    nest.Connect(source, cells[1], syn_spec={"weight": 2.0, "delay": 8.0})
    found = []
    for _ in range(2):
        nest.Simulate(8.0)
        found.append(list(cells.V_m))
    return found


RATIOS = (5.0, 8.0, 11.0, 11.7, 20.0, 40.0)


def fast_synapses(nest):
    """The first spike of a membrane of 20 ms after one alpha current that is many times as fast."""
    found = []
    for ratio in RATIOS:
        begun(nest)
        tau = 20.0 / ratio
        cell = nest.Create("iaf_psc_alpha_ps", params={
            "tau_m": 20.0, "C_m": 200.0, "E_L": -70.0, "V_m": -70.0, "V_th": -55.0, "V_reset": -70.0, "t_ref": 2.0,
            "tau_syn_ex": tau})
        recorder = nest.Create("spike_recorder")
        source = nest.Create("spike_generator", params={"spike_times": [4.0], "precise_times": True})
        nest.Connect(source, cell, syn_spec={"weight": 2.0 * 15.0 * 200.0 / (np.e * tau) / 0.8, "delay": 1.0})
        nest.Connect(cell, recorder)
        nest.Simulate(60.0)
        found.append(recorder.events["times"].tolist())
    return found


def sharp_threshold(nest):
    """Spikes of the exponential neuron without an exponential (Delta_T = 0) under several currents."""
    begun(nest, 0.01)
    cells = nest.Create("aeif_psc_exp", 3, params={
        "C_m": 200.0, "g_L": 10.0, "E_L": -70.0, "V_th": -50.0, "V_peak": 0.0, "V_reset": -60.0, "Delta_T": 0.0,
        "a": 2.0, "b": 40.0, "tau_w": 100.0, "t_ref": 0.0, "V_m": -70.0, "gsl_error_tol": 1e-10})
    cells.I_e = [300.0, 500.0, 900.0]
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Simulate(200.0)
    events = recorder.events
    return [events["times"][events["senders"] == cell.global_id].tolist() for cell in cells]


SET = ((50.0, 10.0), (-30.0, 10.0), (80.0, 25.0))


def set_between_runs(nest):
    """v at the ends of three runs between which the current into neurons and their time constant are set."""
    begun(nest)
    cells = nest.Create("iaf_psc_exp", 3, params={"tau_m": 10.0, "C_m": 100.0, **PASSIVE})
    found = []
    for amplitude, tau in SET:
        cells.I_e, cells.tau_m = amplitude, tau
        nest.Simulate(10.0)
        found.append(list(cells.V_m))
    return found


def poisson(nest):
    """Fano factor of the number of spikes of 2,000 sources at 1 Hz in a millisecond."""
    begun(nest)
    source, sources, recorder = (nest.Create("poisson_generator", params={"rate": 1.0}),
                                 nest.Create("parrot_neuron", 2000), nest.Create("spike_recorder"))
    nest.Connect(source, sources)
    nest.Connect(sources, recorder)
    nest.Simulate(20001.0)
    times = recorder.events["times"]
    counts = np.histogram(times, np.arange(1.05, 20001.0))[0]
    return float(counts.var() / counts.mean())


BEHAVIOURS = (self_connections, time_constants_of_a_part, inhibition, near_equal, new_synapse, fast_synapses,
              sharp_threshold, set_between_runs, poisson)


def main():
    """Write the file."""
    import nest

    found = {behaviour.__name__: behaviour(nest) for behaviour in BEHAVIOURS}
    path = Path(__file__).parent / "golden" / "nest_seams.json"
    path.write_text(json.dumps({"made by": "tests/nest_seams.py", "NEST": nest.__version__, **found}))
    for name, value in found.items():
        print(name, str(value)[:150])


if __name__ == "__main__":
    main()
