"""Draws the pictures of the device cards: `python docs/devices/draw.py` writes them beside this file."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import lognorm

from hardware_models.memristor import (
    PCM,
    HfO2,
    NonlinearPulses,
    RandomResistors,
    ReRAM,
    VerifiedReRAM,
    curve,
    preset,
    shape_of,
)
from hardware_models.memristor.technologies import quadratic_pcm_std

FOLDER = Path(__file__).resolve().parent
GOLDEN = json.loads((FOLDER.parent.parent / "tests" / "golden" / "memristor.json").read_text())
#: Mean weights of 500 devices of aihwkit 1.1.0 from 0, after so many pulses, 200 up and then 200 down.
LEARNED = {"reram_soft_bounds": {0: 0.0032, 10: 0.0247, 50: 0.0978, 100: 0.1883, 200: 0.3486, 250: 0.1924, 300: 0.0773,
                                 400: -0.1269}, "ecram": {0: 0.0, 200: 0.3943, 400: -0.0485}}
#: Percentiles of the 1430 formed cells of the measured arrays, uS.
MEASURED = {1: 8.743, 5: 9.557, 25: 11.038, 50: 12.179, 75: 13.450, 95: 15.717, 99: 17.567}


def save(name, figure):
    """Write a picture."""
    figure.savefig(FOLDER / f"{name}.png", dpi=70)
    plt.close(figure)


def pcm():
    """Programming error against conductance, and conductance against time."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    data, g = GOLDEN["pcm"], np.linspace(0, 25, 100)
    left.plot(g, PCM.programming_std(np, g, 25.0), label="model")
    left.plot(data["levels"][1:], [row[1] for row in data["prog"][1:]], "o", label="aihwkit, 1e6 samples")
    left.plot(g, quadratic_pcm_std(g), "--", label="fit of CrossSim")
    left.set(xlabel="target (uS)", ylabel="programming error (uS)", ylim=(0, 1.2))
    left.legend()
    layer, times = PCM.measured(), np.array(data["times"])
    for level in (6, 8, 12):
        target = data["levels"][level]
        programmed = layer.program_conductance(np.full(5000, target), np.random.default_rng(0))
        grid = np.logspace(0, 7.5, 30)
        mean = [layer.drift_conductance(programmed, np.full(5000, target / 25), 1e3 * t).mean() for t in grid]
        line, = right.semilogx(grid + 20, mean)
        right.semilogx(times + 20, [row[0] for row in data["final"][level]], "o", color=line.get_color(),
                       label=f"{target:g} uS")
    right.set(xlabel="time + 20 s (s)", ylabel="mean conductance (uS)", title="lines: model, dots: aihwkit")
    right.legend()
    save("pcm", figure)


def reram():
    """Programming error against conductance of three oxide memories."""
    figure, panels = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained")
    g = np.linspace(0, 40, 100)
    panels[0].plot(g, ReRAM.programming_std(np, g, 40.0), label="model")
    panels[0].plot(GOLDEN["reram"]["levels"], GOLDEN["reram"]["std"], "o", label="aihwkit, samples")
    panels[0].plot(g, 1.053 + 0.2374 * g - 0.01167 * g**2 + 1.536e-4 * g**3, "--", label="fit of CrossSim")
    panels[0].set(title="reram", xlabel="target (uS)", ylabel="programming error (uS)")
    panels[0].legend()
    g = np.linspace(50, 225, 100)
    panels[1].plot(g, HfO2.programming_std(np, g, 225.0))
    panels[1].set(title="hfo2", xlabel="target (uS)", ylabel="programming error (uS)", ylim=(0, 5))
    layer = VerifiedReRAM.measured(write_attempts=1000)
    written = layer.program_conductance(np.full(4000, 50.0), np.random.default_rng(0))
    for hours in (0, 1, 24, 720):
        later = layer.drift_conductance(written, np.full(4000, 50 / 90), 3.6e6 * hours)
        panels[2].hist(later, bins=60, histtype="step", label=f"{hours} h")
    panels[2].set(title="verified_reram", xlabel="conductance (uS), target 50", ylabel="devices of 4000")
    panels[2].legend()
    save("reram", figure)


def random_resistors():
    """The distribution of formed cells, and how many there are."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    cells, g = RandomResistors(), np.linspace(7, 19, 200)
    left.plot(g, lognorm.cdf(g, cells.sigma, scale=cells.mean * np.exp(-cells.sigma**2 / 2)), label="model")
    left.plot(list(MEASURED.values()), np.array(list(MEASURED)) / 100, "o", label="measured, 1430 cells")
    left.set(xlabel="conductance of formed cells (uS)", ylabel="share below")
    left.legend()
    v = np.linspace(3.1, 3.8, 100)
    right.plot(v, [cells.replace(forming=x).formed_share for x in v], label="model")
    right.plot([3.14, 3.70], [1 / 400, 1 - 1 / 400], "o", label="smallest and largest of 400")
    right.set(xlabel="forming voltage (V)", ylabel="share formed")
    right.legend()
    save("random_resistors", figure)


def pulses():
    """Weights and conductances against pulses."""
    figure, panels = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained")
    for name, panel in zip(("ecram", "reram_soft_bounds"), panels, strict=False):
        layer, w, trace = preset(name, step_noise=0.0), np.zeros(1), [0.0]
        for k in range(400):
            w = layer.pulse(w, 1 if k < 200 else -1)
            trace.append(w[0])
        panel.plot(trace, label="model")
        panel.plot(list(LEARNED[name]), list(LEARNED[name].values()), "o", label="aihwkit, mean of 500")
        panel.set(title=name, xlabel="pulse (200 up, 200 down)", ylabel="weight")
        panel.legend()
    up, down = np.arange(98), np.arange(101)
    panels[2].plot(up, curve(up, 97, shape_of(2.4)), label="up, +2.4")
    panels[2].plot(down, 1 - curve(down, 100, abs(shape_of(-4.88))), label="down, -4.88")
    data = (np.array(GOLDEN["nonlinearity"]["curve"]) - 3.0769e-9) / (3.8462e-8 - 3.0769e-9)
    panels[2].plot(np.arange(0, 98, 8), data, "o", label="reference for the label 2.4")
    noisy = NonlinearPulses.labelled(2.4, -4.88, pulses_up=97, cycle_noise=0.035, weight_low=0.0)
    w, trace, rng = np.zeros(1), [0.0], np.random.default_rng(0)
    for _ in range(97):
        w = noisy.pulse(w, 1, rng)
        trace.append(w[0])
    panels[2].plot(trace, lw=0.7, label="one noisy device")
    panels[2].set(title="ag_si", xlabel="pulse", ylabel="share of the range")
    panels[2].legend()
    save("pulses", figure)


if __name__ == "__main__":
    pcm()
    reram()
    random_resistors()
    pulses()
