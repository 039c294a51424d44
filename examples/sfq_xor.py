"""XOR by two layers of stochastic superconducting synapses, from junction equations and from pulses.

    python examples/sfq_xor.py [--quick] [--out FOLDER]

Each input is a rate of pulses; two hidden storage loops fire on coincidence and an output loop relays them. The same
network is solved twice: as 114 Josephson junctions with thermal noise, and as cells that send pulses. Then the margin
between the rates of "1" and "0" against temperature, spread of the bias currents, jitter and clock period.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import neurosim as ns
from hardware_models.sfq.network import XORNetwork, junction_circuit, margin, pulse_circuit, pulse_energy
from hardware_models.sfq.pulse import PulseSimulation

ns.plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--quick", action="store_true", help="fewer clocks, runs and points")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for sfq_xor.png")
arguments.add_argument("--format", choices=ns.plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
runs, clocks, pulses, circuits = (16, 8, 1000, 20) if options.quick else (64, 8, 10_000, 100)

net = XORNetwork()
print(f"clock period {net.period:g} ps ({1e3 / net.period:.0f} GHz), 4.2 K, synapses pass {net.probability:g}")
fast = net.pulse_rates(clocks=pulses)
slow = net.circuit_rates(clocks=clocks, runs=runs)
n = runs * clocks
for x, p, c in zip(("00", "01", "10", "11"), fast, slow, strict=True):
    error = np.sqrt(max(p * (1 - p), 1 / n) / n)
    print(f"{x}: pulse level {p:.4f}, junctions {c:.4f} +- {error:.4f} per clock ({abs(p - c) / error:.1f} errors)")
print(f"margin: pulse level {margin(fast):.3f}, junctions {margin(slow):.3f}")

circuit = pulse_circuit(net.layers())
sim = PulseSimulation(circuit, on_violation="physical")
rng = np.random.default_rng(0)
sim.send(**{f"in_{i}": train for i, train in enumerate(net.trains((1, 0), 1000))})
sim.run()
energy = pulse_energy(sim, samples=1000)
solved = len([name for name in junction_circuit(net.layers(), net.trains((1, 0), 1)).names() if ".B" in name])
print(f"energy per clock: switching {energy.switching_per_inference:.0f} aJ, with static bias "
      f"{energy.per_inference / 1e3:.2f} fJ ({energy.junctions} junctions in cells, {solved} in the circuit)")

# Margins
temperatures = np.array([0.0, 1.0, 2.0, 4.2, 6.0, 8.0, 10.0])
spreads = np.array([0.0, 2.0, 4.0, 8.0, 12.0, 16.0])
jitters = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
periods = np.array([28.0, 33.0, 40.0, 50.0, 70.0, 100.0])
few = dict(clocks=clocks, runs=max(8, runs // 2))
by = {"temperature": [margin(net.pulse_rates(clocks=pulses, temperature=t)) for t in temperatures],
      "spread": np.array([np.percentile(margin(net.pulse_rates(clocks=500, spread=s * 1e-3, circuits=circuits)),
                                        [5, 50, 95]) for s in spreads]),
      "jitter": [margin(net.pulse_rates(clocks=pulses, jitter=j)) for j in jitters],
      "period": [margin(net.replace(period=p).pulse_rates(clocks=pulses)) for p in periods]}
solved = {"temperature": [margin(net.circuit_rates(temperature=t, **few)) for t in temperatures[1::2]],
          "period": [margin(net.replace(period=p).circuit_rates(**few)) for p in periods[:4]]}
print("margin against temperature:",
      *(f"{t:g} K {m:.2f}," for t, m in zip(temperatures, by["temperature"], strict=True)))
print("against bias spread (5, 50, 95 % of circuits):",
      *(f"{s:g} uA {a:.2f} {b:.2f} {c:.2f}," for s, (a, b, c) in zip(spreads, by["spread"], strict=True)))
print("against jitter:", *(f"x{j:g} {m:.2f}," for j, m in zip(jitters, by["jitter"], strict=True)))
print("against the period, pulse level:", *(f"{p:g} ps {m:.2f}," for p, m in zip(periods, by["period"], strict=True)))
print("against the period, junctions:",
      *(f"{p:g} ps {m:.2f}," for p, m in zip(periods, solved["period"], strict=False)))

grid = np.linspace(0, 1, 5 if options.quick else 11)
surface = net.pulse_rates([(a, b) for b in grid for a in grid], clocks=pulses // 10).reshape(grid.size, -1)

figure, panels = plt.subplots(2, 3, figsize=(13, 7.5), layout="constrained")
blue, orange = ns.plot.COLORS[:2]
at = np.arange(4)
axes = panels[0, 0]
axes.bar(at - 0.2, fast, 0.4, color=blue, label="pulses")
axes.bar(at + 0.2, slow, 0.4, yerr=np.sqrt(slow * (1 - slow) / n), color=orange, label="junctions")
axes.set_xticks(at, ["00", "01", "10", "11"])
axes.set(xlabel="Inputs", ylabel="Output pulses per clock", title="XOR at 4.2 K", ylim=(0, 1.15))
axes.legend(frameon=False)
image = panels[0, 1].imshow(surface, origin="lower", extent=(0, 1, 0, 1), vmin=0, vmax=1, cmap="viridis")
panels[0, 1].set(xlabel="Rate of input 1 (per clock)", ylabel="Rate of input 2 (per clock)", title="Output, rate coded")
figure.colorbar(image, ax=panels[0, 1], label="Pulses per clock")
axes = panels[0, 2]
axes.plot(temperatures, by["temperature"], "o-", color=blue, label="pulses")
axes.plot(temperatures[1::2], solved["temperature"], "s", color=orange, label="junctions")
axes.set(xlabel="Temperature (K), set for 4.2 K", title="Temperature")
axes = panels[1, 0]
axes.plot(spreads, by["spread"][:, 1], "o-", color=blue, label="median circuit")
axes.fill_between(spreads, by["spread"][:, 0], by["spread"][:, 2], color=blue, alpha=0.2, label="5 to 95 %")
axes.set(xlabel="Spread of bias currents (uA)", title="Bias spread")
axes = panels[1, 1]
axes.plot(jitters, by["jitter"], "o-", color=blue, label="pulses")
axes.set(xlabel="Jitter, times that at 4.2 K", title="Jitter")
axes = panels[1, 2]
axes.plot(periods, by["period"], "o-", color=blue, label="pulses")
axes.plot(periods[:4], solved["period"], "s", color=orange, label="junctions")
axes.set(xlabel="Clock period (ps)", title="Clock")
for axes in panels.flat:
    axes.spines[["top", "right"]].set_visible(False)
for axes in [panels[0, 2], *panels[1]]:
    axes.axhline(0.2, color="gray", linestyle=":", label="0.2")
    axes.set(ylabel="Margin", ylim=(min(-0.05, axes.get_ylim()[0]), 1.05))
    axes.legend(frameon=False, loc="lower left")
path = ns.plot.save(figure, options.out / f"sfq_xor.{options.format}")
print(f"\nwrote {path}")
