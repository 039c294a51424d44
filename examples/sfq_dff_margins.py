"""A D flip-flop of Josephson junctions: what late data does, and how far each of its parameters may move.

    python examples/sfq_dff_margins.py [--quick] [--out FOLDER]

A pulse at the data input stores one flux quantum; the next clock releases it. Data that comes too late is not lost: it
comes out one clock later. Margins: every junction, inductor and bias of the cell is moved alone, by bisection, until
the output is no longer one pulse for each of two bits, at the right clock. The yield is that of circuits in which all
junctions and inductors of the cell are drawn at random. Element values: RSFQlib v3p0.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from hardware_models.sfq.circuit import CELLS, SamePulses, bench, margins, monte_carlo, simulate

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--quick", action="store_true", help="a step of 0.1 ps, coarser margins, fewer circuits")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for sfq_dff_margins.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
h = 0.1 if options.quick else 0.05

# Data around 100 ps, clocks at 110 and 250 ps: all in one run.
late = np.arange(-10.0, 20.0, 0.25)
run = simulate(bench("dff", {"a": [90.0], "clk": [110.0, 250.0]}), 290.0, h=h, vary={"I_a.delay": 30.0 - late})
data, clock, output = (run.pulse_time(f"DUT.{name}") for name in ("B1", "B5", "B7"))
read = output - clock < 50.0
print(f"data at least {(clock - data)[read].min():.2f} ps before the clock: read, "
      f"{(output - clock)[read].max():.2f} ps after it at worst and {(output - clock)[-1]:.2f} ps when early")
print(f"clock up to {(clock - data)[~read].max():.2f} ps after the data: the bit waits for the next clock, "
      f"{(output - clock)[~read].mean():.0f} ps later")

# Margins of every element of the cell.
circuit = bench("dff", {"a": [40.0, 130.0], "clk": [20.0, 70.0, 110.0, 160.0]})
nominal = simulate(circuit, 190.0, h=h)
works = SamePulses(nominal, ["OUT_q.B2"], within=8.0)
cell = CELLS["dff"]
parameters = {"all biases": "DUT.IB*.scale", "all junctions": "DUT.B*.area", "all inductors": "DUT.L?.l"}
parameters |= {name: f"DUT.{name}.area" for name, *_ in cell.junctions}
parameters |= {name: f"DUT.{name}.l" for name, *_ in cell.inductors}
parameters |= {name: f"DUT.{name}.scale" for name, *_ in cell.biases}
found = margins(circuit, parameters, works, 190.0, h=h, resolution=0.02 if options.quick else 0.005)
for each in found:
    print(each)
critical = min(found, key=lambda each: min(-each.low, each.high))
print(f"critical: {critical.name}, {100 * min(-critical.low, critical.high):.1f} %")

# Yield against the spread of a process.
spreads, circuits = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3], 48 if options.quick else 400
yields = [monte_carlo(circuit, {"DUT.B*.area": spread, "DUT.L?.l": spread}, works, 190.0, h=h, runs=circuits)
          for spread in spreads]
for spread, each in zip(spreads, yields, strict=True):
    print(f"spread {100 * spread:4.0f} %   works {100 * each.fraction:5.1f} %   ({100 * each.low:.1f} .. "
          f"{100 * each.high:.1f} %, {circuits} circuits)")

figure, panels = plt.subplots(1, 3, figsize=(14, 5), layout="constrained")
panels[0].plot((clock - data)[read], (output - clock)[read], "o", color=ns.plot.COLORS[0], markersize=3,
               label="read by this clock")
panels[0].plot((clock - data)[~read], (output - run.pulse_time("DUT.B5", 1))[~read], "o", color=ns.plot.COLORS[1],
               markersize=3, label="waits for the next clock")
panels[0].set(xlabel="First clock after data (ps)", ylabel="Output after the clock that reads (ps)", title="Late data",
              ylim=(0.0, None))
panels[0].legend(frameon=False)
place = np.arange(len(found))[::-1]
panels[1].barh(place, [100 * (each.high - each.low) for each in found], left=[100 * each.low for each in found],
               color=[ns.plot.COLORS[1] if each is critical else ns.plot.COLORS[0] for each in found])
panels[1].axvline(0.0, color="black", linewidth=0.8)
panels[1].set_yticks(place, [each.name for each in found], fontsize="x-small")
panels[1].set(xlabel="Change that still works (%); bars end at 60", title="Margins")
percent = 100 * np.array([[each.fraction, each.low, each.high] for each in yields]).T
panels[2].errorbar(100 * np.array(spreads), percent[0], [percent[0] - percent[1], percent[2] - percent[0]], fmt="o-",
                   color=ns.plot.COLORS[0], capsize=3)
panels[2].set(xlabel="Spread of junctions and inductors (%)", ylabel="Circuits that work (%)", title="Yield",
              ylim=(0.0, 103.0))
for axes in panels:
    axes.spines[["top", "right"]].set_visible(False)
path = ns.plot.save(figure, options.out / f"sfq_dff_margins.{options.format}")
print(f"\nwrote {path}")
