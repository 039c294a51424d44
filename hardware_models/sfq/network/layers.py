"""Networks of stochastic synapses and storage loops: one description for both levels.

    inputs --splitters--> synapses (bias currents) --mergers--> loops --splitters--> ...

`junction_circuit` makes the circuit of junctions and `pulse_circuit` that of cells, wire by wire the same.
"""

from typing import NamedTuple

import numpy as np

from hardware_models.sfq.network.loop import Loop
from hardware_models.sfq.network.synapse import HIGHEST, LOWEST, BiasSynapse
from hardware_models.sfq.network.timing import TIMES, Times
from neurosim.checks import describe_value
from neurosim.errors import NetworkError, ParameterError


class SFQLayer(NamedTuple):
    """Neurons of one kind and the bias currents of the synapses at their inputs.

    Args:
        bias: mA, shape (inputs, neurons); NaN where there is no synapse.
        loop: of all its neurons.
    """

    bias: np.ndarray
    loop: Loop


def check_layers(layers) -> list:
    """Return the layers with arrays of bias currents; raise NetworkError or ParameterError where they do not fit."""
    found = []
    for number, (bias, loop) in enumerate(layers):
        bias = np.asarray(bias, dtype=float)
        if bias.ndim != 2 or not bias.size or not isinstance(loop, Loop):
            raise ParameterError(f"layer {number} must be a matrix of bias currents (inputs, neurons) and a Loop, got "
                                 f"{describe_value(bias)} and {describe_value(loop)}")
        there = ~np.isnan(bias)
        bad = bias[there & ~((bias >= LOWEST) & (bias <= HIGHEST))]
        if bad.size:
            raise ParameterError(f"layer {number}: bias currents must be within {LOWEST:g} .. {HIGHEST:g} mA, the "
                                 f"range of the escape curve, or NaN, got {bad[0]:g}; BiasSynapse.bias gives them")
        for axis, what in ((0, "neuron"), (1, "input")):
            lone = np.flatnonzero(~there.any(axis=axis))
            if lone.size:
                raise NetworkError(f"layer {number}: {what} {lone[0]} has no synapse; give it one, or leave it out")
        if found and found[-1].bias.shape[1] != bias.shape[0]:
            raise NetworkError(f"layer {number} has {bias.shape[0]} inputs, but the layer before it has "
                               f"{found[-1].bias.shape[1]} neurons")
        found.append(SFQLayer(bias, loop))
    if not found:
        raise ParameterError("a network must have at least one layer, got none")
    return found


def junction_circuit(layers, trains):
    """Return a network as a circuit of junctions, driven by pulses.

    Input i is the line "IN_i"; in layer k the synapse from i to j is "S_k_i_j", the neuron j "N_k_j". Pulses that
    pass a synapse switch its "B8", those of a neuron its "B5"; the sources of bias currents are "S_k_i_j.ISYN".

    Args:
        layers: see `SFQLayer`.
        trains: for each input the times of its pulses, ps; may be empty.

    >>> from hardware_models.sfq.network import RELAY
    >>> junction_circuit([SFQLayer([[0.15]], RELAY)], [[30.0]])
    Circuit('network': 22 junctions, 27 inductors, 2 resistors, 22 current sources, 30 nodes)
    """
    from hardware_models.sfq.circuit import Circuit
    from hardware_models.sfq.network.circuits import drive, merge, sink, split, synapse_line

    layers = check_layers(layers)
    if len(trains) != layers[0].bias.shape[0]:
        raise NetworkError(f"a network of {layers[0].bias.shape[0]} inputs must be given as many trains, got "
                           f"{len(trains)}")
    circuit = Circuit("network")
    for i, train in enumerate(trains):
        drive(circuit, f"IN_{i}", train, f"out_0_{i}")
    for k, (bias, loop) in enumerate(layers):
        there = ~np.isnan(bias)
        for i in range(len(bias)):
            split(circuit, f"F_{k}_{i}", f"out_{k}_{i}", [f"f_{k}_{i}_{j}" for j in np.flatnonzero(there[i])])
        for i, j in np.argwhere(there):
            circuit.include(f"S_{k}_{i}_{j}", synapse_line(bias[i, j]), f"f_{k}_{i}_{j}", f"s_{k}_{i}_{j}")
        for j in range(bias.shape[1]):
            merge(circuit, f"M_{k}_{j}", [f"s_{k}_{i}_{j}" for i in np.flatnonzero(there[:, j])], f"m_{k}_{j}")
            circuit.include(f"N_{k}_{j}", loop.circuit(), f"m_{k}_{j}", f"out_{k + 1}_{j}")
    for j in range(layers[-1].bias.shape[1]):
        sink(circuit, f"OUT_{j}", f"out_{len(layers)}_{j}")
    return circuit


def pulse_circuit(layers, *, temperature: float = 4.2, synapse: BiasSynapse | None = None, times: Times = TIMES):
    """Return a network as a circuit of cells, with inputs "in_i" and outputs "out_j".

    Nodes are called as in `junction_circuit`; each output of an inner neuron is a probe "n_k_j".

    Args:
        layers: see `SFQLayer`.
        temperature: K, which sets what the bias currents do.
        synapse: the escape curve; by default that of the temperature.
        times: delays, jitter and dead times of the parts.

    >>> from hardware_models.sfq.network import RELAY
    >>> pulse_circuit([SFQLayer([[0.15]], RELAY)])
    Circuit('network': 3 nodes, inputs in_0)
    """
    from hardware_models.sfq.pulse import JTL, Circuit, Merger, Splitter

    layers = check_layers(layers)
    synapse = BiasSynapse(temperature=temperature) if synapse is None else synapse
    jitter = np.sqrt(temperature / times.temperature)
    merger = Merger(**times.merger.of(jitter), dead_time=times.merger_dead)
    circuit = Circuit("network")
    wires = [circuit.add(JTL(**times.drive.of(jitter)), circuit.input(f"in_{i}"), name=f"IN_{i}")
             for i in range(layers[0].bias.shape[0])]
    for k, (bias, loop) in enumerate(layers):
        there = ~np.isnan(bias)
        ends = {}
        for i, wire in enumerate(wires):
            targets = np.flatnonzero(there[i])
            splitter = Splitter(**times.splitter.of(jitter), spacing=times.merger_dead) if targets.size > 1 else None
            ends |= {(i, j): end for j, end in zip(targets, circuit.split(wire, len(targets), splitter), strict=True)}
        for (i, j), end in ends.items():
            cell = synapse.cell(bias[i, j], **times.synapse.of(jitter))
            ends[i, j] = circuit.add(cell, end, name=f"S_{k}_{i}_{j}")
        wires = []
        for j in range(bias.shape[1]):
            merged = circuit.merge(*(ends[i, j] for i in np.flatnonzero(there[:, j])), cell=merger)
            wires.append(circuit.add(loop.cell(**times.loop.of(jitter)), merged, name=f"N_{k}_{j}"))
        if k + 1 < len(layers):
            for j, wire in enumerate(wires):
                circuit.probe(f"n_{k}_{j}", wire)
    for j, wire in enumerate(wires):
        circuit.output(f"out_{j}", wire)
    return circuit
