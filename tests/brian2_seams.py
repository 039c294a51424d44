"""Makes tests/golden/brian2_seams.json: spikes of Brian2 for neurons of Hodgkin and Huxley and for gap junctions.

Run it with a Python that has Brian2: `python tests/brian2_seams.py`. `tests/test_seams.py` builds the same ones.
All is integrated in steps of 1 us, which leave little of the scheme of integration.
"""

import json
from pathlib import Path

CURRENTS = (150.0, 600.0, 1000.0, 1500.0)  #: pA
JOINED = ((0, 1, 5.0), (1, 2, 2.0), (0, 3, 10.0), (2, 3, 3.0), (3, 4, 20.0))  #: pairs and conductances in nS
BIAS = (350.0, 220.0, 180.0, 500.0, 300.0)  #: pA

GATES = {"m": ("0.1 * 10 / exprel(-(v + 40 * mV) / (10 * mV))", "4 * exp(-(v + 65 * mV) / (18 * mV))"),
         "h": ("0.07 * exp(-(v + 65 * mV) / (20 * mV))", "1 / (1 + exp(-(v + 35 * mV) / (10 * mV)))"),
         "n": ("0.01 * 10 / exprel(-(v + 55 * mV) / (10 * mV))", "0.125 * exp(-(v + 65 * mV) / (80 * mV))")}
AXON = """
dv/dt = (g_na * m**3 * h * (50 * mV - v) + g_k * n**4 * (-77 * mV - v) + g_l * (-54.4 * mV - v) + current) / c : volt
current : amp
""" + "".join(f"d{gate}/dt = ({up}) / ms * (1 - {gate}) - ({down}) / ms * {gate} : 1\n" for gate, (up, down) in
              GATES.items())


def hodgkin_huxley(b2):
    """Spikes of the axon under several currents."""
    b2.start_scope()
    b2.defaultclock.dt = 0.001 * b2.ms
    constants = {"g_na": 12000 * b2.nS, "g_k": 3600 * b2.nS, "g_l": 30 * b2.nS, "c": 100 * b2.pF}
    cells = b2.NeuronGroup(len(CURRENTS), AXON, threshold="v > 0 * mV", refractory="v > 0 * mV", method="rk4",
                           namespace=constants)
    cells.v = -65 * b2.mV
    for gate, (up, down) in GATES.items():
        setattr(cells, gate, f"{up} / ({up} + {down})")
    cells.current = CURRENTS * b2.pA
    return _run(b2, cells, [], 60.0)


def gap_junctions(b2):
    """Spikes of leaky neurons that are joined and have a current each."""
    b2.start_scope()
    b2.defaultclock.dt = 0.001 * b2.ms
    cells = b2.NeuronGroup(len(BIAS), """dv/dt = (-65 * mV - v) / (15 * ms) + (bias + gap) / (100 * pF) : volt
                                         gap : amp
                                         bias : amp""",
                           threshold="v > -50 * mV", reset="v = -70 * mV", method="euler")
    cells.v, cells.bias = -65 * b2.mV, BIAS * b2.pA
    junctions = b2.Synapses(cells, cells, "g : siemens\ngap_post = g * (v_pre - v_post) : amp (summed)")
    both = [(i, j, g) for one, other, g in JOINED for i, j in ((one, other), (other, one))]
    junctions.connect(i=[i for i, _, _ in both], j=[j for _, j, _ in both])
    junctions.g = [g for _, _, g in both] * b2.nS
    return _run(b2, cells, [junctions], 150.0)


def _run(b2, cells, others, duration):
    seen = b2.SpikeMonitor(cells)
    b2.Network(cells, seen, *others).run(duration * b2.ms, namespace={})
    trains = seen.spike_trains()
    return [[round(float(time), 6) for time in trains[k] / b2.ms + 0.001] for k in range(cells.N)]  # at a step's end


def main():
    """Write the file."""
    import brian2 as b2

    b2.prefs.codegen.target = "cython"
    found = {behaviour.__name__: behaviour(b2) for behaviour in (hodgkin_huxley, gap_junctions)}
    path = Path(__file__).parent / "golden" / "brian2_seams.json"
    path.write_text(json.dumps({"made by": "tests/brian2_seams.py", "Brian2": b2.__version__, **found}))
    for name, value in found.items():
        print(name, [(len(train), train[:3]) for train in value])


if __name__ == "__main__":
    main()
