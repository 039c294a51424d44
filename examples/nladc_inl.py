"""Ramp converters that bend: how straight their codes are, against programming errors, and what repairs them.

    python examples/nladc_inl.py [--trials 4000] [--out FOLDER]

The integral nonlinearity (INL) of a threshold is |f(threshold) - level| in LSB. Errors of the ramp's devices add up
along the ramp, so that it is a random walk; one-point calibration ties its middle down.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from hardware_models.ramp_adc import RampADC, inl_trials
from neurosim import plot
from neurosim.plot import COLORS

plot.style()

arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--trials", type=int, default=4000, help="converters in each mean (4000)")
arguments.add_argument("--out", type=Path, default=Path("."), help="folder for nladc_inl.png")
arguments.add_argument("--format", choices=plot.FORMATS, default="png", help="of the figure")
options = arguments.parse_args()
ERRORS, USUAL = (1.0, 2.0, 3.0, 5.0, 10.0), 2.67
RAMPS = {"gelu": 2, "swish": 2}


def worst(adc, seed=0):
    """Return the largest INL of many converters, shape (trials, redundancy)."""
    return inl_trials(adc, options.trials, seed)


# Programming errors: the sigmoid at 3, 4 and 5 bits, with devices up to 150 uS.
print(f"largest INL of a sigmoid (LSB): mean and 95th percentile of {options.trials} converters")
print(f"{'bits':<6}{'uS':>4}{'uncalibrated':>18}{'calibrated':>18}{'gain':>7}")
means = {}
for bits in (3, 4, 5):
    for error in ERRORS:
        adc = RampADC("sigmoid", bits=bits, programming_error=error)
        free, tied = worst(adc), worst(adc.replace(calibrate=True))
        means[bits, error] = free.mean(), tied.mean()
        print(f"{bits:<6}{error:>4g}" + "".join(f"{each.mean():>10.3f}{np.percentile(each, 95):>8.3f}"
                                                for each in (free, tied)) + f"{free.mean() / tied.mean():>7.2f}")

# Functions.
print(f"\n{'5 bits':<10}{'ramps':>6}{'devices':>8}{'uS least':>10}{f'INL at {USUAL} uS':>16}")
for name in ("linear", "sigmoid", "tanh", "softplus", "elu", "gelu", "swish"):
    adc = RampADC(name, ramps=RAMPS.get(name, 1), programming_error=USUAL, calibrate=True)
    g = np.concatenate([branch.conductances for branch in adc.branches])
    print(f"{name:<10}{len(adc.branches):>6}{g.size:>8}{g.min():>10.1f}{worst(adc).mean():>16.3f}")

# Repairs.
usual = RampADC("sigmoid", programming_error=USUAL, calibrate=True)
cases = {
    "errors alone": usual,
    "3 % stuck OFF, 1 % ON": usual.replace(stuck_off=0.03, stuck_on=0.01),
    "... bypassed, no spares": usual.replace(stuck_off=0.03, stuck_on=0.01, bypass=True),
    "... bypassed, 5 spares": usual.replace(stuck_off=0.03, stuck_on=0.01, bypass=True, spares=5),
}
print(f"\n{'sigmoid, 5 bits':<26}{'one column':>11}{'best of 4':>11}{'best of 16':>12}   selection picks by INL")
for name, adc in cases.items():
    inl = worst(adc.replace(redundancy=16))
    print(f"{name:<26}{inl[:, 0].mean():>11.3f}{inl[:, :4].min(axis=1).mean():>11.3f}{inl.min(axis=1).mean():>12.3f}")

# Drift of the read voltage, 0.15 to 0.25 V around 0.2 V.
voltages = np.linspace(0.15, 0.25, 11)
drifts = {label: [RampADC("sigmoid", drift=v / 0.2 - 1, ratiometric=shared).program().max_inl for v in voltages]
          for label, shared in (("shared", True), ("own reference", False))}
print("\nlargest INL at a read voltage of 0.15 and 0.25 V, without other errors: "
      + ", ".join(f"{label} {inl[0]:.2f} and {inl[-1]:.2f} LSB" for label, inl in drifts.items()))

# Look
figure, panels = plt.subplots(2, 2, figsize=(11, 7.5), layout="constrained")
x = np.linspace(-4, 4, 2001)
one, two, three, four = panels.ravel()
bad = RampADC("sigmoid", programming_error=10.0)
for adc, label, color in ((bad.ideal, "no errors", "black"), (bad.program(2), "10 uS", COLORS[1]),
                          (bad.replace(calibrate=True).program(2), "calibrated", COLORS[0])):
    one.plot(x, adc(x), color=color, linewidth=1, label=label)
one.set(xlabel="input", ylabel="output", title="sigmoid at 5 bits")
for k, bits in enumerate((3, 4, 5)):
    two.plot(ERRORS, [means[bits, error][0] for error in ERRORS], "o--", color=COLORS[k], label=f"{bits} bits")
    two.plot(ERRORS, [means[bits, error][1] for error in ERRORS], "o-", color=COLORS[k],
             label=f"{bits} bits, calibrated")
two.set(xlabel="programming error (uS, of 150)", ylabel="mean of the largest INL (LSB)")
for k, name in enumerate(("tanh", "softplus", "elu", "gelu", "swish")):
    adc = RampADC(name, ramps=RAMPS.get(name, 1), rounding="nearest")
    inside = x[(x >= adc.input_range[0]) & (x <= adc.input_range[1])]
    three.plot(inside, adc(inside) + 2.0 * k, color=COLORS[k], linewidth=1)
    three.plot(inside, adc.of(inside) + 2.0 * k, color=COLORS[k], linewidth=0.5)
    three.annotate(name, (-3.9, adc(np.array([-3.9]))[0] + 2.0 * k + 0.35), color=COLORS[k])
three.set(xlabel="input", ylabel="output, shifted", title="5 bits, thresholds at half an LSB")
for k, (label, inl) in enumerate(drifts.items()):
    four.plot(voltages, inl, "o-", color=COLORS[k], label=label)
four.set(xlabel="read voltage (V)", ylabel="largest INL (LSB)")
one.legend()
two.legend()
four.legend()
path = plot.save(figure, options.out / f"nladc_inl.{options.format}")
print(f"\nwrote {path}")
