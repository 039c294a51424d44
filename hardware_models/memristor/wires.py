"""The resistance of the wire between two cells, by technology node."""

from neurosim.checks import check_number, describe_value, is_whole
from neurosim.errors import ParameterError

#: node, nm: width of a wire of the lowest metal, nm; its height over its width; resistivity at 300 K, ohm m.
NODES = {90: (110, 1.6, 2.52e-8), 65: (105, 1.7, 2.68e-8), 45: (80, 1.7, 3.31e-8), 32: (56, 1.8, 3.70e-8),
         22: (40, 1.9, 4.03e-8), 14: (25, 2.0, 5.08e-8), 10: (18, 2.0, 6.35e-8), 7: (18, 2.0, 6.35e-8)}
PER_KELVIN = 0.00451


def wire_resistance(node: int, pitch: float | None = None, temperature: float = 300.0) -> float:
    r"""Return the ohm of one segment of wire, rho length / (width^2 aspect) (1 + 0.00451 |T - 300 K|).

    Args:
        node: nm, one of 90, 65, 45, 32, 22, 14, 10, 7.
        pitch: length of the segment, nm; by default four times the width of the wire.
        temperature: K.

    Raises:
        ParameterError: an unknown node.

    >>> [round(wire_resistance(node), 2) for node in (90, 32, 14, 7)]
    [0.57, 1.47, 4.06, 7.06]

    Source: widths, aspects and resistivities as in 3D+NeuroSim (Peng et al., IEEE TCAD 40 (2021) 2306) for
    nodes of the international roadmap.
    """
    if not is_whole(node) or node not in NODES:
        raise ParameterError(f"node must be one of {', '.join(map(str, NODES))} nm, got {describe_value(node)}")
    width, aspect, resistivity = NODES[int(node)]
    length = 4.0 * width if pitch is None else check_number("pitch", pitch, "nm", above=0)
    temperature = check_number("temperature", temperature, "K", above=0)
    return resistivity * length * 1e-9 / (width**2 * aspect * 1e-18) * (1 + PER_KELVIN * abs(temperature - 300.0))


__all__ = ["NODES", "wire_resistance"]
