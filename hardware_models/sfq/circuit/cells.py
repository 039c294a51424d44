"""Circuits of standard cells, and the bench on which a cell is driven and loaded as in a larger circuit.

The element values of the RSFQ cells are those of RSFQlib v3p0, with its notice: Copyright (c) 2018-2022 Lieze
Schindler, Tessa Hall, Stellenbosch University. Permission is hereby granted, free of charge, to any person obtaining
a copy of this cell library and associated documentation files (the "Library"), to deal in the Library without
restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense,
and/or sell copies of the Library, and to permit persons to whom the Library is furnished to do so, subject to the
following conditions: The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Library. THE LIBRARY IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE LIBRARY
OR THE USE OR OTHER DEALINGS IN THE LIBRARY.
"""

from collections.abc import Mapping
from typing import NamedTuple

from hardware_models.sfq.circuit.circuit import GROUND, Circuit
from hardware_models.sfq.circuit.elements import JunctionModel
from hardware_models.sfq.circuit.waveforms import ramp, triangles
from neurosim.checks import check_is, check_number, describe_value
from neurosim.errors import ParameterError

PROCESS = JunctionModel(icrit=0.1, cap=0.07, r0=160.0, rn=16.0, vg=2.8)  #: 10 kA/cm2, area 1 is 100 uA
SHUNT = 6.859904418  #: ohm of the shunt of area 1: Ic R = 0.686 mV, beta_c = 1
PER_OHM = 1.13 / 2.0  #: pH of a shunt per ohm
VIA = 0.5  #: pH from a shunt to the ground


class Cell(NamedTuple):
    """A cell as tables.

    junctions: name, plus, minus (None: the ground through `parasitic` pH), area, parasitic.
    biases: name, node, mA, pH of its feed; inductors: name, plus, minus, pH.
    inputs and outputs: the port, and the junction that switches when a pulse passes there.
    """

    inputs: dict
    outputs: dict
    junctions: tuple
    biases: tuple
    inductors: tuple
    clock: str | None = None


CELLS = {
    "jtl": Cell(
        {"a": "B1"}, {"q": "B2"},
        (("B1", "1", None, 2.5, 0.3137), ("B2", "5", None, 2.5, 0.3123)),
        (("IB1", "3", 0.35, 2.336),),
        (("L1", "a", "1", 2.07), ("L2", "1", "3", 2.088), ("L3", "3", "5", 2.082), ("L4", "5", "q", 2.072))),
    "splitter": Cell(
        {"a": "B1"}, {"q0": "B2", "q1": "B3"},
        (("B1", "1", None, 2.5, 0.4263), ("B2", "5", None, 2.5, 0.375), ("B3", "8", None, 2.5, 0.4312)),
        (("IB1", "1", 0.175, 1.712), ("IB2", "5", 0.175, 2.279), ("IB3", "8", 0.175, 2.858)),
        (("L1", "a", "1", 2.062), ("L2", "1", "4", 2.06), ("L3", "5", "4", 2.079), ("L4", "5", "q0", 2.081),
         ("L5", "4", "8", 2.076), ("L6", "8", "q1", 2.086))),
    "merger": Cell(
        {"a": "B1", "b": "B4"}, {"q": "B7"},
        (("B1", "1", None, 2.5, 0.488), ("B2", "4", None, 3.01, 0.3854), ("B3", "4", "6", 1.18, 0.0),
         ("B4", "8", None, 2.5, 0.4857), ("B5", "11", None, 3.01, 0.3834), ("B6", "11", "13", 1.18, 0.0),
         ("B7", "15", None, 2.5, 0.361)),
        (("IB1", "1", 0.175, 2.0), ("IB2", "8", 0.175, 2.0), ("IB3", "7", 0.183, 2.0), ("IB4", "15", 0.175, 2.0)),
        (("L1", "a", "1", 2.048), ("L2", "1", "4", 2.485), ("L3", "6", "7", 0.9486), ("L4", "b", "8", 2.059),
         ("L5", "8", "11", 2.473), ("L6", "7", "13", 0.953), ("L7", "7", "15", 3.697), ("L8", "15", "q", 1.377))),
    "dff": Cell(
        {"a": "B1", "clk": "B5"}, {"q": "B7"},
        (("B1", "1", None, 2.5, 0.3511), ("B2", "4", "5", 1.67, 0.0), ("B3", "5", None, 2.32, 0.3717),
         ("B4", "8", None, 2.02, 0.4668), ("B5", "10", None, 2.5, 0.4339), ("B6", "13", "8", 1.69, 0.0),
         ("B7", "14", None, 2.5, 0.4147)),
        (("IB1", "1", 0.175, 2.0), ("IB2", "5", 0.222, 2.0), ("IB3", "10", 0.175, 2.0), ("IB4", "14", 0.175, 2.0)),
        (("L1", "a", "1", 1.948), ("L2", "1", "4", 3.879), ("L3", "5", "8", 8.641), ("L4", "clk", "10", 2.035),
         ("L5", "10", "13", 3.799), ("L6", "8", "14", 4.675), ("L7", "14", "q", 1.809)),
        clock="clk"),
}

SOURCE = Cell(  # makes one fluxon of every pulse of current
    {"a": "B1"}, {"q": "B3"},
    (("B1", "2", "3", 2.25, 0.0), ("B2", "5", None, 2.25, 0.3924), ("B3", "7", None, 2.5, 0.3841)),
    (("IB1", "3", 0.275, 2.825), ("IB2", "7", 0.175, 2.942)),
    (("L1", "a", "1", 1.672), ("L2", "1", GROUND, 3.901), ("L3", "1", "2", 0.5953), ("L4", "3", "5", 1.1),
     ("L5", "5", "7", 4.542), ("L6", "7", "q", 2.012)))


def shunted(circuit: Circuit, name: str, plus: str, minus: str | None, area: float, parasitic: float,
            model: JunctionModel = PROCESS) -> None:
    """Add a junction with its shunt resistor and the inductances of the two.

    Args:
        circuit: to which it is added.
        name: of the junction, for example "B1"; the shunt is then "RB1" in series with "LRB1".
        plus: node.
        minus: node, or None for the ground, through `parasitic` pH ("LPB1").
        area: in units of the model.
        parasitic: pH from the junction to the ground.
        model: the process.
    """
    low = GROUND if minus is None else minus
    foot = f"{name}_foot" if minus is None else minus
    circuit.junction(name, plus, foot, model=model, area=area)
    if minus is None:
        circuit.inductor(f"LP{name}", foot, GROUND, parasitic)
    r = SHUNT / area
    circuit.resistor(f"R{name}", plus, f"{name}_shunt", r)
    circuit.inductor(f"LR{name}", f"{name}_shunt", low, PER_OHM * r + (VIA if minus is None else 0.0))


def build(cell: Cell | str, bias: float = 1.0) -> Circuit:
    """Return the circuit of a cell with its ports open; `bias` scales all its bias currents.

    Args:
        cell: "jtl", "splitter", "merger" or "dff", or a `Cell`.
        bias: factor of the bias currents; they are ramped from 0 in 5 ps.

    >>> build("dff").ports
    ['a', 'clk', 'q']

    Source: RSFQlib v3p0, Schindler, Hall, Fourie (element values).
    """
    cell, name = find_cell(cell)
    bias = check_number("build.bias", bias)
    circuit = Circuit(name, [*cell.inputs, *cell.outputs])
    for each in cell.junctions:
        shunted(circuit, *each)
    for source, node, current, feed in cell.biases:
        circuit.inductor(f"L{source}", f"{source}_feed", node, feed)
        circuit.bias(source, f"{source}_feed", ramp(bias * current))
    for each in cell.inductors:
        circuit.inductor(*each)
    return circuit


def bench(cell: Cell | str, stimuli: dict, bias: float = 1.0) -> Circuit:
    """Return a circuit in which a cell, "DUT", is driven through converters and loaded by JTLs.

    Every input has a current source "I_port" with triangles of 0.6 mA and 6 ps, a converter "SOURCE_port" and a JTL
    "IN_port"; every output has a JTL "OUT_port" that ends in a resistor of 2 ohm.

    Args:
        cell: name of a cell, or a `Cell`.
        stimuli: for each input, the times at which its pulses begin, ps.
        bias: factor of the bias currents of the cell itself.

    >>> from hardware_models.sfq.circuit import simulate
    >>> run = simulate(bench("jtl", {"a": [50.0]}), 80.0)
    >>> run.pulses("DUT.B2").round(2)
    array([62.74])
    """
    cell, name = find_cell(cell)
    check_is("bench: stimuli", stimuli, Mapping, "a dict of times for each input")
    if set(stimuli) != set(cell.inputs):
        raise ParameterError(f"bench: stimuli must name the inputs {', '.join(cell.inputs)}, got {', '.join(stimuli)}")
    circuit = Circuit(f"bench of {name}")
    for port in cell.inputs:
        circuit.bias(f"I_{port}", f"drive_{port}", triangles(stimuli[port], height=0.6, width=3.0))
        circuit.include(f"SOURCE_{port}", build(SOURCE), f"drive_{port}", f"made_{port}")
        circuit.include(f"IN_{port}", build("jtl"), f"made_{port}", port)
    circuit.include("DUT", build(cell, bias), *cell.inputs, *cell.outputs)
    for port in cell.outputs:
        circuit.include(f"OUT_{port}", build("jtl"), port, f"end_{port}")
        circuit.resistor(f"SINK_{port}", f"end_{port}", GROUND, 2.0)
    return circuit


def find_cell(cell):
    """Return a cell that is given by itself or by its name, and what it is called."""
    if isinstance(cell, Cell):
        return cell, "cell"
    if not isinstance(cell, str) or cell not in CELLS:
        raise ParameterError(f"cell must be {' or '.join(map(repr, CELLS))} or a Cell, got {describe_value(cell)}")
    return CELLS[cell], cell
