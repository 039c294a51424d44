"""Graphs of NIR as the chain of layers that they are: weights, neurons, weights, neurons, ..."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.bridge.exchange.dialects import NEURONS, WEIGHTS
from neurosim.bridge.exchange.extra import nir
from neurosim.errors import UnsupportedError


@dataclass(frozen=True)
class Stage:
    """Neurons, what comes before them, and what comes back to them.

    Args:
        chain: names of the nodes before the neurons.
        neurons: name of their node.
        back: names of the nodes from their spikes to their input; None where nothing comes back.
    """

    chain: tuple[str, ...]
    neurons: str
    back: tuple[str, ...] | None


def flat(graph: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return nodes and edges of a graph whose inner graphs are dissolved: node b of graph a is a.b."""
    nodes, edges, ends = {}, [], {}
    for name, node in graph.nodes.items():
        if not isinstance(node, nir.NIRGraph):
            nodes[name] = node
            continue
        inner, inner_edges = flat(node)
        after = dict.fromkeys(inner)
        entries = [b for a, b in inner_edges if type(inner[a]).__name__ == "Input"]
        exits = [a for a, b in inner_edges if type(inner[b]).__name__ == "Output"]
        if len(entries) != 1 or len(exits) != 1:
            raise UnsupportedError(f"node {name!r} (NIRGraph) must have one input and one output, got {len(entries)} "
                                   f"and {len(exits)}")
        ends[name] = f"{name}.{entries[0]}", f"{name}.{exits[0]}"
        nodes |= {f"{name}.{each}": inner[each] for each in after
                  if type(inner[each]).__name__ not in ("Input", "Output")}
        edges += [(f"{name}.{a}", f"{name}.{b}") for a, b in inner_edges
                  if f"{name}.{a}" in nodes and f"{name}.{b}" in nodes]
    edges += [(ends[a][1] if a in ends else a, ends[b][0] if b in ends else b) for a, b in graph.edges]
    return nodes, edges


def stages(nodes: dict[str, Any], edges: list[tuple[str, str]]) -> list[Stage]:
    """Return the layers of a graph from its input to its output.

    Raises:
        UnsupportedError: the graph is no chain of weights and neurons with weights of their own spikes, or has a node
            that layers have no counterpart for.
    """
    for name, node in nodes.items():
        if type(node).__name__ not in (*NEURONS, *WEIGHTS, "Input", "Output"):
            raise UnsupportedError(f"node {name!r} ({type(node).__name__}) has no counterpart among the layers: "
                                   f"{', '.join((*WEIGHTS, *NEURONS))} have")
    after = {name: [b for a, b in edges if a == name] for name in nodes}
    before = {name: [a for a, b in edges if b == name] for name in nodes}
    back = {}
    for name in nodes:
        if type(nodes[name]).__name__ in NEURONS:
            _take_back(name, nodes, after, before, back)
    begins = [name for name, node in nodes.items() if type(node).__name__ == "Input"]
    begins = begins or [name for name in nodes if not before[name]]
    if len(begins) != 1:
        raise UnsupportedError(f"the graph must have one Input, got {len(begins)}: {', '.join(begins) or 'none'}")
    found, chain, name, seen = [], [], begins[0], set()
    while name is not None:
        seen.add(name)
        if len(after[name]) > 1 or len(before[name]) > 1:
            raise UnsupportedError(f"node {name!r} must have one predecessor and one successor, since layers form a "
                                   f"chain, got {len(before[name])} and {len(after[name])}")
        kind = type(nodes[name]).__name__
        if kind in NEURONS:
            found.append(Stage(tuple(chain), name, back.get(name)))
            chain = []
        elif kind in WEIGHTS:
            chain.append(name)
        name = after[name][0] if after[name] else None
        if name in seen:
            raise UnsupportedError(f"node {name!r} must not lie on a cycle but that of neurons with weights of their "
                                   "own spikes")
    left = set(nodes) - seen - {each for names in back.values() for each in names}
    if left or chain or not found:
        wrong = sorted(left)[0] if left else chain[0] if chain else begins[0]
        raise UnsupportedError(f"node {wrong!r} ({type(nodes[wrong]).__name__}) must lead to neurons on the way from "
                               "input to output")
    return found


def _take_back(name, nodes, after, before, back) -> None:
    """Take the nodes that lead from neurons back to themselves out of the graph."""
    for first in list(after[name]):
        way, at = [], first
        while at != name and type(nodes[at]).__name__ in ("Affine", "Linear", "Scale") and (
                len(after[at]) == len(before[at]) == 1) and at not in way:
            way.append(at)
            at = after[at][0]
        if at == name:
            if name in back:
                raise UnsupportedError(f"node {name!r} must have one way back to itself, got several")
            back[name] = tuple(way)
            after[name].remove(first)
            before[name].remove(way[-1] if way else name)


def input_shape(nodes: dict[str, Any], found: list[Stage]) -> tuple[int, ...]:
    """Return the shape of what the first node takes."""
    for node in nodes.values():
        if type(node).__name__ == "Input" and node.input_type.get("input") is not None:
            return tuple(int(n) for n in np.ravel(node.input_type["input"]))
    first = nodes[(found[0].chain or (found[0].neurons,))[0]]
    kind = type(first).__name__
    if kind in ("Affine", "Linear"):
        return (np.shape(first.weight)[1],)
    if kind == "Conv2d" and first.input_shape is not None:
        channels = np.shape(first.weight)[1] * int(np.asarray(first.groups))
        return channels, *(int(n) for n in np.ravel(first.input_shape))
    given = getattr(first, "input_type", {}).get("input")
    if given is None:
        raise UnsupportedError("the graph must have an Input with the shape of an input, got none")
    return tuple(int(n) for n in np.ravel(given))
