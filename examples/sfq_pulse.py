"""Pulse-level circuits of single flux quantum cells: a full adder, late data, jitter, and a stochastic neuron.

    python examples/sfq_pulse.py [--out FOLDER]

Times in ps. Beside the second and third picture are numbers of circuit simulations (JoSIM v2.7) of the same cells.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from hardware_models.sfq.pulse import (
    AND,
    DRO,
    OR,
    XOR,
    Circuit,
    LoopNeuron,
    PulseSimulation,
    Synapse,
    library,
    plot_pulses,
    write_vcd,
)
from neurosim import plot

plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for sfq_pulse.png and sfq_pulse.vcd")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
options.out.mkdir(parents=True, exist_ok=True)
figure, axes = plt.subplots(2, 2, figsize=(11, 7.5), layout="constrained")


# A half adder is a circuit; two of them, flip-flops that wait a clock, and an OR make a full adder.
def half_adder():
    circuit = Circuit("half")
    a, b, clk = (circuit.split(port, 2) for port in circuit.input("a", "b", "clk"))
    circuit.output("sum", circuit.add(XOR(), a[0], b[0], clk[0]))
    circuit.output("carry", circuit.add(AND(), a[1], b[1], clk[1]))
    return circuit


half, adder = half_adder(), Circuit("full adder")
a, b, c, clock = adder.input("a", "b", "c_in", "clk")
clocks = adder.split(clock, 5)
first = adder.add(half, a, b, clocks[0], name="first")
second = adder.add(half, first.sum, adder.add(DRO(), c, clocks[1]), clocks[2], name="second")
carry = adder.add(OR(), second.carry, adder.add(DRO(), first.carry, clocks[3]), clocks[4])
adder.output("sum", second.sum)
adder.output("c_out", carry)

sim = PulseSimulation(adder)
period = 60.0
for number in range(8):  # all eight sums, one a clock
    sim.send(**{name: [number * period + 30.0] for bit, name in enumerate(("a", "b", "c_in")) if number >> bit & 1})
sim.send(clk=period * np.arange(1, 12))
sim.run()
sums = np.histogram(sim.pulses("sum"), period * np.arange(2, 11))[0]
carries = np.histogram(sim.pulses("c_out"), period * np.arange(3, 12))[0]
print(f"full adder, {adder.junctions} junctions: sums {sums.tolist()}, carries {carries.tolist()}")
print(f"  {sim.n_events} pulses handled, clock {1e3 / period:.1f} GHz")
write_vcd(sim, options.out / "sfq_pulse.vcd")
plot_pulses(sim, ["a", "b", "c_in", "clk", "sum", "c_out"], ax=axes[0, 0], width=4.0)
axes[0, 0].set_title(f"full adder at {1e3 / period:.1f} GHz, three stages")

# Data that come too late are no error of the circuit: they come out one clock later.
cell, circuit = DRO(delay=4.2, setup=0.2), Circuit("flip-flop")
circuit.output("q", circuit.add(cell, circuit.input("a"), circuit.input("clk")))
before = np.arange(-4.0, 6.01, 0.1)
late = []
for gap in before:
    sim = PulseSimulation(circuit, on_violation="physical")
    sim.send(a=[100.0 - gap], clk=[100.0, 250.0])
    sim.run()
    late.append(sim.pulses("q")[0] - 100.0)
# Times at which junctions of the cell switch: data, first clock, output
josim = np.array([[110.641, 108.168, 264.892], [110.688, 110.163, 264.892], [110.694, 110.660, 264.892],
                  [110.698, 111.154, 117.174], [110.700, 111.645, 116.852], [110.704, 113.075, 117.495],
                  [110.705, 115.841, 120.010]])
print(f"flip-flop: data {before[np.array(late) < 100][0]:.1f} ps before the clock come out at once, later ones "
      f"150 ps later; the circuit's limit is between -0.03 and 0.46 ps")
axes[0, 1].plot(before, late, label="pulse level")
axes[0, 1].plot(josim[:, 1] - josim[:, 0], josim[:, 2] - josim[:, 1], "o", label="JoSIM, RSFQlib DFF")
axes[0, 1].set(xlabel="data before the clock (ps)", ylabel="output after the first clock (ps)",
               title="late data come out one clock later")
axes[0, 1].legend()

# Thermal jitter of a Josephson transmission line: each cell adds its own.
line = Circuit("line")
port = line.input("a")
hops = [1, 2, 4, 8, 16, 32, 64]
for index in range(max(hops)):
    port = line.chain(port, library("circuit")["JTL"], 1)
    if index + 1 in hops[:-1]:
        line.probe(f"after_{index + 1}", port)
line.output(f"after_{hops[-1]}", port)
sim = PulseSimulation(line, seed=1)
sim.send(a=100.0 * np.arange(1, 4001))
sim.run()
spread = [(sim.pulses(f"after_{n}") - sim.pulses("a")).std() for n in hops]
junctions = 2 * np.array(hops)
print("jitter (ps) after", ", ".join(f"{n} junctions {s:.3f}" for n, s in zip(junctions, spread, strict=True)))
print("  circuits: 0.036 after 1 and 0.116 to 0.122 after 10")
axes[1, 0].loglog(junctions, spread, "o-", label="pulse level")
axes[1, 0].loglog(junctions, 0.0365 * np.sqrt(junctions), "k:", label="0.0365 ps times square root")
axes[1, 0].loglog([1, 10], [0.0361, 0.1155], "s", label="JoSIM, 4.2 K")
axes[1, 0].set(xlabel="junctions", ylabel="jitter (ps)", title="thermal jitter")
axes[1, 0].legend()

# A synapse passes each pulse with a probability that its bias current sets; a storage loop counts what passes.
bias = np.linspace(132.0, 160.0, 15)
for leak, style in ((None, "o-"), (300.0, "s-")):
    rates = []
    for current in bias:
        neuron = Circuit("neuron")
        synapse = neuron.add(Synapse.of_bias(current, threshold=146.6, sigma=4.76), neuron.input("a"))
        neuron.output("q", neuron.add(LoopNeuron(threshold=4, leak=leak), synapse))
        sim = PulseSimulation(neuron, seed=2)
        sim.send(a=100.0 * np.arange(1, 5001))
        sim.run()
        rates.append(sim.pulses("q").size / sim.time * 1e3)
    kind = "no leak" if leak is None else f"one fluxon lost every {leak:g} ps"
    print(f"neuron of 4 fluxons, input 10 GHz, {kind}: {rates[0]:.3f} GHz at {bias[0]:g} uA to {rates[-1]:.3f} GHz at "
          f"{bias[-1]:g} uA")
    axes[1, 1].plot(bias, rates, style, label=kind)
axes[1, 1].set(xlabel="bias current of the synapse (uA)", ylabel="output rate (GHz)",
               title="stochastic synapse and storage loop")
axes[1, 1].legend()

path = plot.save(figure, options.out / f"sfq_pulse.{options.format}")
print(f"wrote {path}")
