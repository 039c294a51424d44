"""Pictures of device layers: pulses, errors of programming, drift, flipped bits, the curve of a junction."""

import numpy as np

import hardware_models as hardware
import neurosim as ns
from pictures.base import Picture, legend, panels, pictured

COLORS = ns.plot.COLORS
SECOND, HOUR, YEAR = 1e3, 3.6e6, 3.6e6 * 8766  # ms


def draw_pulses(cls, plt, device, pulses=100):
    """Weights of three devices while pulses go up and then down; black: without noise."""
    figure, (axes,) = panels(plt)
    names = [name for name in ("step_noise", "cycle_noise") if name in cls.parameters and getattr(device, name) > 0]
    still = device.replace(**dict.fromkeys(names, 0.0))
    for layer, color in ((device, COLORS[0]), (still, "black")):
        rng = np.random.default_rng(1)
        weights = np.full(3 if layer is device else 1, device.weight_low)
        path = [weights]
        for k in range(2 * pulses):
            path.append(layer.pulse(path[-1], 1 if k < pulses else -1, rng if layer is device else None))
        axes.plot(np.arange(2 * pulses + 1), path, color=color, linewidth=0.7 if layer is device else 1.6)
    axes.set(xlabel=f"Pulse: {pulses} up, {pulses} down", ylabel="Weight")
    return figure


def band(axes, x, values, color, label=None):
    """Draw the median of devices and the range of nine in ten; values: shape (points, devices)."""
    low, middle, high = np.percentile(values, [5, 50, 95], axis=1)
    axes.fill_between(x, low, high, color=color, alpha=0.25, linewidth=0)
    axes.plot(x, middle, color=color, label=label)


def draw_errors(cls, plt, device, ages=()):
    """What is held after programming against what was to be, and how it goes on with time."""
    figure, found = panels(plt, 1, 1 + (len(ages) > 0), height=2.6)
    low, high = device.g_min, device.g_max
    targets = np.linspace(low, high, 41)
    held = np.array([device.program_conductance(np.full(2000, g), np.random.default_rng(k))
                     for k, g in enumerate(targets)])
    band(found[0], targets, held - targets[:, None], COLORS[0])
    found[0].axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
    found[0].set(xlabel="Target (uS)", ylabel="Error of programming (uS)")
    for color, share in zip(COLORS, (0.9, 0.5, 0.2) if len(ages) else (), strict=False):
        target = np.full(2000, low + share * (high - low))
        written = device.program_conductance(target, np.random.default_rng(7))
        later = np.array([device.drift_conductance(written, target / high, age) for age in ages])
        band(found[1], np.array(ages) / SECOND, later, color)
        found[1].set(xscale="log", xlabel="Time since then (s)", ylabel="Conductance (uS)")
    return figure


def draw_reads(cls, plt, device):
    """Errors of programming and of reads, and the law of each."""
    figure, found = panels(plt, 1, 2, height=2.6, sharey=True)
    targets, rng = np.linspace(device.g_min, device.g_max, 41), np.random.default_rng(1)
    exact = device.replace(programming_noise=0.0)
    for axes, title, made in ((found[0], "Programming", lambda g: device.program_conductance(g, rng)),
                              (found[1], "A read", lambda g: exact.read_conductance(g, rng))):
        errors = np.array([made(np.full(2000, g)) - g for g in targets])
        band(axes, targets, errors, COLORS[0])
        axes.set(xlabel="Conductance (uS)", title=title)
        axes.title.set_fontsize("small")
    found[0].set_ylabel("Error (uS)")
    return figure


def draw_held(cls, plt, device, spread=0.3):
    """Weights that are held against the weights that were given."""
    rng = np.random.default_rng(3)
    given = np.clip(spread * rng.standard_normal(4000), -1.0, 1.0)
    figure, axes = plt.subplots(figsize=(3.4, 3.0), layout="constrained")
    axes.plot(given, np.asarray(device.program(given, np.random.default_rng(1))), ".", color=COLORS[0], markersize=2)
    axes.set(xlabel="Weight given", ylabel="Weight held")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_passing(cls, plt):
    """The probability that a pulse passes against the bias current, and weights at other temperatures."""
    figure, (left, right) = panels(plt, 1, 2, height=2.6)
    weights = np.linspace(1e-3, 1.0, 200)
    for color, kelvin in zip(COLORS, (2.0, 4.2, 6.0), strict=False):
        device = cls(design_temperature=kelvin, temperature=kelvin)
        left.plot(1e3 * device.bias(weights), device.probability(weights), color=color, label=f"{kelvin:g} K")
        warm = cls(temperature=kelvin)
        right.plot(weights, warm.program(weights, np.random.default_rng(0)), color=color)
    left.set(xlabel="Bias current (uA)", ylabel="A pulse passes")
    right.set(xlabel="Weight, set for 4.2 K", ylabel="Weight")
    legend(left)
    return figure


PULSES = "Weights of three noisy devices while pulses go up and down; black: without noise"
ERRORS = "Errors of programming: median and nine in ten of 2,000 devices"
OWN = hardware.MeasuredErrors.measured([0.0, 10.0, 25.0, 40.0], [0.5, 1.5, 1.0, 2.0], [0.2, 0.4, 0.8, 1.2])
LABELLED = hardware.NonlinearPulses.labelled(2.4, -4.88, pulses_up=97, pulses_down=97, cycle_noise=0.02,
                                             weight_low=0.0)
TABLES = {"table_up": 1.0 - np.exp(-np.arange(41) / 10.0), "table_down": np.exp(-np.arange(41) / 4.0)}


def stepping(name, called="", **changes):
    """Return the picture of a pulse law."""
    device = getattr(hardware, name)(step_size=0.02, step_noise=1.0, **changes)
    return pictured(draw_pulses, f"{PULSES}. {name}(step_size=0.02, step_noise=1{called}).", device=device)


PICTURES = {
    "ConstantStep": stepping("ConstantStep"),
    "LinearStep": stepping("LinearStep", ", gamma_up=0.8, gamma_down=0.4", gamma_up=0.8, gamma_down=0.4),
    "SoftBounds": stepping("SoftBounds"),
    "ExponentialStep": stepping("ExponentialStep"),
    "PowerStep": stepping("PowerStep", ", gamma=2", gamma=2.0),
    "PiecewiseStep": stepping("PiecewiseStep", ", nodes_up=(1.5, 0.5, 1.5), nodes_down=(0.5, 1.5, 0.5)",
                              nodes_up=(1.5, 0.5, 1.5), nodes_down=(0.5, 1.5, 0.5)),
    "NonlinearPulses": pictured(draw_pulses, f"{PULSES}. NonlinearPulses.labelled(2.4, -4.88, pulses_up=97, "
                                "pulses_down=97, cycle_noise=0.02, weight_low=0).", device=LABELLED),
    "MeasuredPulses": pictured(draw_pulses, f"{PULSES}. The tables are exponentials of 40 pulses, cycle_noise=0.02.",
                               pulses=40, device=hardware.MeasuredPulses(**TABLES, cycle_noise=0.02, weight_low=0.0)),
    "Memristor": pictured(draw_errors, f"Memristor(programming_noise=0.05, drift=0.05, drift_dtod=0.02). Left: "
                          f"{ERRORS.lower()}. Right: three levels with time.",
                          device=hardware.Memristor(programming_noise=0.05, drift=0.05, drift_dtod=0.02),
                          ages=np.geomspace(SECOND, YEAR, 40)),
    "PCM": pictured(draw_errors, f"PCM.measured(). Left: {ERRORS.lower()}. Right: three levels, which drift, for a "
                    "year.", device=hardware.PCM.measured(), ages=np.geomspace(SECOND, YEAR, 40)),
    "ReRAM": pictured(draw_errors, f"{ERRORS}. ReRAM(programming_noise=1).",
                      device=hardware.ReRAM(programming_noise=1.0)),
    "HfO2": pictured(draw_errors, f"{ERRORS}. HfO2(programming_noise=1).", device=hardware.HfO2(programming_noise=1.0)),
    "VerifiedReRAM": pictured(draw_errors, f"VerifiedReRAM.measured(write_attempts=1000). Left: {ERRORS.lower()}. "
                              "Right: three levels, which relax, for a month.",
                              device=hardware.VerifiedReRAM.measured(write_attempts=1000),
                              ages=np.geomspace(SECOND, 720 * HOUR, 40)),
    "MeasuredErrors": pictured(draw_reads, "Errors of programming and of a read by a table of four levels: median and "
                               "nine in ten of 2,000 devices.", device=OWN),
    "BitFlips": pictured(draw_held, "4,000 weights as they are held, against what was given: BitFlips(rate=0.01, "
                         "format=\"int8\"). Each line beside the diagonal is one bit.",
                         device=hardware.BitFlips(rate=0.01, format="int8")),
    "StuckAt": pictured(draw_held, "4,000 weights as they are held, against what was given: StuckAt(off=0.1, on=0.02). "
                        "Each is a pair of devices, of which one or both may be stuck.",
                        device=hardware.StuckAt(off=0.1, on=0.02)),
    "SFQSynapses": Picture(draw_passing, "Left: probability that a pulse passes, by the bias current. Right: weights "
                                         "that were set for 4.2 K, at the temperature of that colour."),
}
