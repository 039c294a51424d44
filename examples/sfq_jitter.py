"""Thermal noise in SFQ circuits: jitter that grows with the square root of the hops, and a synapse that is a coin.

    python examples/sfq_jitter.py [--quick] [--out FOLDER]

Left: 2,000 runs of a line of 20 junctions at 4.2 K. The spread of the arrival grows as the square root of the number
of junctions passed, 0.036 ps each. Reference: 200 runs of JoSIM and 600 of a Langevin integration of the same
equations. Right: in the stochastic synapse, a junction in series decides whether a pulse goes on; noise makes that a
chance, which a bias current sets. Reference: 100 pulses per point in JoSIM.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from hardware_models.sfq.circuit import Circuit, escape_probability, ramp, simulate, threshold, triangles

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--quick", action="store_true", help="a tenth of the runs")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for sfq_jitter.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
runs = 200 if options.quick else 2000

line = Circuit("JTL")
for k in range(20):
    line.junction(f"B{k}", f"n{k}", "0", ic=0.25, r=2.743961767, c=0.175)
    line.bias(f"I{k}", f"n{k}", ramp(0.175))
    if k:
        line.inductor(f"L{k}", f"n{k - 1}", f"n{k}", 4.0)
line.bias("IN", "n0", triangles([30.0], height=0.5, width=3.0))
run = simulate(line, 80.0, temperature=4.2, seed=1, keys=range(runs))
times = np.array([run.pulse_time(f"B{k}") for k in range(20)])
hops = np.arange(1, 15)
jitter = np.array([(times[5 + n] - times[5]).std(ddof=1) for n in hops])
each = float((jitter * np.sqrt(hops)).sum() / hops.sum())
print(f"jitter of one hop {jitter[0]:.4f} ps, of ten {jitter[9]:.4f} ps (JoSIM 0.1155, Langevin 0.1215), "
      f"{runs} runs; fit {each:.4f} ps sqrt(hops)")

sharp = threshold()
rows = np.array([(-7.5, 3), (-5.0, 11), (-3.0, 27), (-1.5, 34), (0.0, 47), (1.5, 60), (3.0, 69), (5.0, 81), (7.5, 97)])
bias = 0.146209 + 1e-3 * rows[:, 0]
curve = escape_probability(bias, runs=max(runs // 5, 100))
passed = np.array(curve.passed) / np.array(curve.runs)
print(f"synapse: threshold without noise {1000 * sharp:.2f} uA (JoSIM 146.21)")
print(f"at 4.2 K: mean {1000 * curve.mean:.2f} uA, sigma {1000 * curve.sigma:.2f} uA, grey zone "
      f"{1000 * curve.grey_zone:.1f} uA (JoSIM 146.6, 4.8, 11.9)")
for current, ours, theirs in zip(bias, passed, rows[:, 1], strict=True):
    print(f"{1000 * current:8.2f} uA   passes {ours:.3f}   JoSIM {theirs / 100:.2f}")

figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
panels[0].plot(hops, jitter, "o", color=ns.plot.COLORS[0], label=f"{runs} runs at 4.2 K")
panels[0].plot(hops, each * np.sqrt(hops), color="0.5", label=f"{each:.4f} ps $\\sqrt{{n}}$")
panels[0].plot([1, 10], [0.0361, 0.1155], "s", color=ns.plot.COLORS[1], label="JoSIM, 200 runs")
panels[0].set(xlabel="Junctions passed, n", ylabel="Jitter (ps)", title="A random walk", ylim=(0.0, None))
fine = np.linspace(bias[0] - 0.004, bias[-1] + 0.004, 200)
panels[1].plot(1000 * fine, curve.probability(fine), color="0.5", label="fit")
panels[1].plot(1000 * bias, passed, "o", color=ns.plot.COLORS[0], label=f"{curve.runs[0]} pulses each")
panels[1].plot(1000 * bias, rows[:, 1] / 100, "s", color=ns.plot.COLORS[1], label="JoSIM, 100 pulses each")
panels[1].axvline(1000 * sharp, color="0.8", linestyle="--")
panels[1].set(xlabel="Bias current of the synapse (uA)", ylabel="Chance to pass", title="A weight set by a current")
for axes in panels:
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
path = ns.plot.save(figure, options.out / f"sfq_jitter.{options.format}")
print(f"\nwrote {path}")
