"""A fluxon runs along a Josephson transmission line: voltages, and the delay against the bias.

    python examples/sfq_jtl.py [--out FOLDER]

Twenty shunted junctions of 0.25 mA (beta_c = 1) are joined by 4 pH. A triangle of current makes the first phase turn by
2 pi, and the turn runs along the line; every junction gives a pulse of voltage with the area Phi0 = 2.068 mV ps. The
stronger the bias, the faster. Times are those at which a phase passes pi. The reference delays were computed by JoSIM
2.7 in steps of 0.02 ps.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from hardware_models.sfq.circuit import PHI0, Circuit, ramp, simulate, triangles

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for sfq_jtl.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
ic, r, c, l, junctions = 0.25, 2.743961767, 0.175, 4.0, 20  # mA, ohm, pF, pH

line = Circuit("JTL")
for k in range(junctions):
    line.junction(f"B{k}", f"n{k}", "0", ic=ic, r=r, c=c)
    line.bias(f"I{k}", f"n{k}", ramp(ic))  # its scale is the bias over the critical current
    if k:
        line.inductor(f"L{k}", f"n{k - 1}", f"n{k}", l)
line.bias("IN", "n0", triangles([30.0], height=0.5, width=3.0))
print(line)

bias = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.85])
reference = np.array([3.8514, 2.9212, 2.3591, 1.9722, 1.6794, 1.5532])
shown = [f"B{k}" for k in (4, 8, 12, 16)]
run = simulate(line, 200.0, h=0.02, vary={f"I{k}.scale": bias for k in range(junctions)}, record=shown, energy=True)
crossings = np.array([run.pulse_time(f"B{k}") for k in range(junctions)])
delays = np.diff(crossings[5:16], axis=0).mean(axis=0)
start = np.searchsorted(run.times, 29.0)
v = run.voltage("B8")[start:]
areas = (0.5 * (v[1:] + v[:-1]) * np.diff(run.times[start:])[:, None]).sum(axis=0) / PHI0
heat = run.dissipated("B8")
print(f"{'bias / Ic':<12}{'delay ps':>10}{'JoSIM ps':>10}{'area / Phi0 - 1':>18}{'heat aJ':>10}{'I Phi0 aJ':>12}")
for k, ratio in enumerate(bias):
    print(f"{ratio:<12g}{delays[k]:>10.4f}{reference[k]:>10.4f}{areas[k] - 1:>18.1e}{heat[k]:>10.3f}"
          f"{ratio * ic * PHI0:>12.3f}")

figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
lane = int(np.argmin(abs(bias - 0.7)))
for name, color in zip(shown, ns.plot.COLORS, strict=False):
    panels[0].plot(run.times, run.voltage(name)[:, lane], color=color, label=f"junction {name[1:]}")
panels[0].set(xlim=(30.0, 75.0), xlabel="Time (ps)", ylabel="Voltage (mV)", title="One fluxon, bias 0.7 Ic")
panels[1].plot(bias, reference, "s", color="0.6", markersize=9, label="JoSIM")
panels[1].plot(bias, delays, "o-", color=ns.plot.COLORS[0], markersize=4, label="neurosim")
panels[1].set(xlabel="Bias over critical current", ylabel="Delay of a junction (ps)", title="The stronger, the faster",
              ylim=(0.0, None))
for axes, place in zip(panels, ("upper left", "upper right"), strict=True):
    axes.legend(frameon=False, loc=place)
    axes.spines[["top", "right"]].set_visible(False)
path = ns.plot.save(figure, options.out / f"sfq_jtl.{options.format}")
print(f"\nwrote {path}")
