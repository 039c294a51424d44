"""Energy, time and area of crossbar reads, writes and conversions."""

import numpy as np

from hardware_models.energy.budget import Budget
from hardware_models.energy.technology import Technology, as_technology, check_bits
from neurosim.checks import check_numbers, check_whole, describe_value
from neurosim.errors import ParameterError

CONVERTERS = ("sar", "ramp", "nladc")


def read_energy(conductances, technology: Technology | None = None, inputs=1.0) -> float:
    r"""Return the energy in the devices of one read in pJ.

    E = t_read sum_ij (x_i v_read)^2 G_ij

    Args:
        conductances: uS >= 0, shape (rows, columns); both devices of a pair count.
        technology: costs; the defaults where it is None.
        inputs: x, from -1 to 1, a number or shape (rows,).

    Raises:
        ParameterError: if a conductance is negative or the shapes do not fit.

    >>> round(read_energy(np.full((72, 256), 50.0)), 2)
    368.64
    """
    technology = as_technology("read_energy", technology)
    g = _conductances("read_energy", conductances)
    x = check_numbers("read_energy: inputs", inputs)
    if x.ndim > 1 or (x.ndim == 1 and len(x) != len(g)) or not (np.abs(x) <= 1).all():
        raise ParameterError(f"read_energy: inputs must be a number or {len(g)} of them from -1 to 1, "
                             f"got {describe_value(inputs)}")
    return float((g.sum(axis=1) * x**2).sum() * technology.v_read**2 * technology.t_read * 1e-3)


def write_energy(before, after, pulses, technology: Technology | None = None) -> float:
    r"""Return the energy of programming pulses in pJ, without half-selected devices.

    E = sum (V^2 (G_before + G_after) / 2 t n + C_line V^2 n)

    Args:
        before, after: conductances, uS >= 0, shape (rows, columns).
        pulses: how many, a number or one per device.
        technology: costs; the defaults where it is None.

    Raises:
        ParameterError: if a conductance or a number of pulses is negative.

    >>> round(write_energy([[10.0]], [[50.0]], pulses=4), 3)
    24.001
    """
    technology = as_technology("write_energy", technology)
    before, after = _conductances("write_energy", before), _conductances("write_energy", after)
    n = np.broadcast_to(np.asarray(pulses, dtype=float), before.shape)
    if before.shape != after.shape or (n < 0).any():
        raise ParameterError("write_energy: before and after must have one shape, and pulses must be >= 0")
    rows, columns = before.shape
    line = (rows + columns) * technology.wire_capacitance * technology.cell_pitch  # of a word and a bit line, fF
    v2 = technology.v_write**2
    return float((v2 * 0.5 * (before + after) * technology.t_write * n * 1e-3).sum() + line * v2 * n.sum() * 1e-3)


def converter(kind: str, bits: int, columns: int, technology: Technology | None = None, *, activation: bool = True,
              ramp_conductances=None) -> Budget:
    r"""Return what it costs to convert the columns of an array once and to apply an activation to them.

    "sar":   columns E_sar(n);  the columns that share a converter wait for each other

    "ramp":  2^n cycles of a linear ramp for all columns at once: 2^n columns E_comparator + counter + latches + ramp

    "nladc": the same, and the codes are those of the activation already

    With `activation`, "sar" and "ramp" add what digital activation needs: each code is written to a buffer, read, put
    through the unit and written again; the NL-ADC's code is written once.

    Args:
        kind: "sar", "ramp" or "nladc".
        bits: n, from 1 to 12.
        columns: of the array, >= 1.
        technology: costs; the defaults where it is None.
        activation: whether there is an activation function after the product.
        ramp_conductances: of the ramp's devices in uS; by default 2^n - 2 of 50 uS.

    Raises:
        ParameterError: if a number does not fit.

    >>> sar, nladc = (converter(kind, 5, 128) for kind in ("sar", "nladc"))
    >>> bool(nladc.total_energy < sar.total_energy), bool(nladc.total_latency < sar.total_latency)
    (True, True)
    """
    t = as_technology("converter", technology)
    if kind not in CONVERTERS:
        raise ParameterError(f"converter: kind must be 'sar' or 'ramp' or 'nladc', got {describe_value(kind)}")
    bits, columns = check_bits("converter", bits), check_whole("converter: columns", columns, at_least=1)
    budget = _sar(t, bits, columns) if kind == "sar" else _ramp(t, bits, columns, ramp_conductances)
    accesses = columns * bits * t.sram_energy
    if not activation or kind == "nladc":
        return budget + Budget({"buffer": accesses})
    return budget + Budget({"buffer": 3 * accesses, "activation": columns * t.activation_energy},
                           {"activation": columns / t.activation_rate / t.activation_units},
                           {"activation": t.activation_units * t.activation_area})


def _sar(t, bits, columns):
    energy, time, area = t.sar(bits)
    many = -(-columns // t.sar_columns)
    return Budget({"converter": columns * energy}, {"converter": min(columns, t.sar_columns) * time},
                  {"converter": many * area})


def _ramp(t, bits, columns, conductances):
    cycles = 2**bits
    g = np.full(max(cycles - 2, 1), 50.0) if conductances is None else _conductances("converter", [conductances])
    time = cycles / t.clock
    devices = float(np.sum(g)) * t.v_read**2 / t.clock * 1e-3  # each is switched in for one cycle
    return Budget(
        {"converter": cycles * columns * t.comparator_energy + columns * bits * t.register_energy,
         "ramp": devices + t.integrator_power * time * 1e-3 + 2 * cycles * t.register_energy},
        {"converter": time},
        {"converter": columns * (t.comparator_area + bits * t.register_area),
         "ramp": g.size * t.cell_pitch**2 + t.integrator_area + bits * t.register_area})


def layer(rows: int, columns: int, bits: int, kind: str = "nladc", technology: Technology | None = None, *,
          input_bits: int = 5, conductance: float = 50.0, activity: float = 0.25, pairs: bool = True,
          activation: bool = True) -> Budget:
    """Return what one pass of a vector through a crossbar layer costs.

    Args:
        rows, columns: of the weight matrix, >= 1.
        bits: of the converters.
        kind: of the converters, "sar", "ramp" or "nladc".
        technology: costs; the defaults where it is None.
        input_bits: bits of the inputs; each bit drives the rows once.
        conductance: mean of the devices, uS.
        activity: mean square of the inputs relative to the largest, 0 to 1.
        pairs: whether each weight is a pair of devices.
        activation: whether an activation function follows.

    Raises:
        ParameterError: if a number does not fit.

    >>> print(layer(72, 128, 5))
                                    pJ        ns        um^2
    read                         92.16        10       311.5
    word lines                 0.02396
    DAC                            150                 11.95
    converter                    98.82        32        5011
    ramp                         2.121                 369.7
    buffer                       99.84
    total                          443        42        5704
    """
    t = as_technology("layer", technology)
    rows, columns = check_whole("layer: rows", rows, at_least=1), check_whole("layer: columns", columns, at_least=1)
    input_bits = check_bits("layer", input_bits)
    if not (np.isfinite(conductance) and conductance >= 0 and 0 <= activity <= 1):
        raise ParameterError(f"layer: conductance must be >= 0 uS and activity from 0 to 1, got {conductance:g} "
                             f"and {activity:g}")
    physical = columns * (2 if pairs else 1)
    word = physical * t.wire_capacitance * t.cell_pitch  # fF; bit lines are held at virtual ground and do not move
    square = activity * t.v_read**2
    return Budget(
        {"read": rows * physical * conductance * square * t.t_read * 1e-3,
         "word lines": input_bits * rows * word * square * 1e-3,
         "DAC": input_bits * rows * t.dac_energy},
        {"read": t.t_read},
        {"read": rows * physical * t.cell_pitch**2, "DAC": rows * t.dac_area},
    ) + converter(kind, bits, columns, t, activation=activation)


def _conductances(owner, values) -> np.ndarray:
    g = check_numbers(f"{owner}: conductances", values)
    if g.ndim != 2 or g.size == 0 or not (np.isfinite(g).all() and (g >= 0).all()):
        raise ParameterError(f"{owner}: conductances must be finite numbers >= 0 uS of shape (rows, columns), "
                             f"got {describe_value(values)}")
    return g
