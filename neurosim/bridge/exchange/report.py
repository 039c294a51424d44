"""What an exchange carried over: a row a node, with the measured difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from neurosim.bridge.exchange.dialects import Dialect
from neurosim.bridge.exchange.reference import stepped, weighted
from neurosim.bridge.extra import torch

STEPS, SAMPLES, SEED = 100, 8, 1
GAINS = (1.0, 3.0, 10.0, 30.0, 100.0)  #: by which random spikes are multiplied until neurons fire


@dataclass(frozen=True)
class Row:
    """What became of one node.

    Args:
        node: its name in the graph.
        type: of the node in NIR.
        verdict: "faithful", "approximate" or "unsupported" (the reader of the dialect does not take it).
        why: what is not carried over; empty where all is.
        differ: share of steps x neurons in which spikes differ on random input (of v: the largest difference relative
            to the largest value); None for nodes without neurons.
        spikes: how many were compared.
    """

    node: str
    type: str
    verdict: Literal["faithful", "approximate", "unsupported"]
    why: str = ""
    differ: float | None = None
    spikes: int = 0


@dataclass(frozen=True)
class Conformance:
    """The rows of all nodes, for the reader or writer that the dialect names.

    Args:
        dialect: its name.
        rows: a row a node.

    >>> print(Conformance("plain", (Row("layer1", "LIF", "faithful", "", 0.0, 120),)))
    dialect plain
    layer1  LIF  faithful  differ 0 in 120 spikes
    """

    dialect: str
    rows: tuple[Row, ...]

    @property
    def faithful(self) -> bool:
        """Whether all rows are."""
        return all(row.verdict == "faithful" for row in self.rows)

    def __str__(self) -> str:
        table = [(row.node, row.type, row.verdict, _measured(row) + (f"  {row.why}" if row.why else ""))
                 for row in self.rows]
        widths = [max(len(line[k]) for line in table) for k in range(3)] if table else []
        lines = ["  ".join([*(text.ljust(w) for text, w in zip(line, widths, strict=False)), line[3]]).rstrip()
                 for line in table]
        return "\n".join([f"dialect {self.dialect}", *lines])


def _measured(row):
    if row.differ is None:
        return ""
    return f"differ {row.differ:.2g}" + (f" in {row.spikes} spikes" if row.spikes else ", no spikes")


@dataclass(frozen=True)
class Exchange:
    """A network on both sides, and how they compare.

    Args:
        net: the layers, a `bridge.Sequential`.
        graph: the `nir.NIRGraph`.
        report: a row a node.
    """

    net: Any
    graph: Any
    report: Conformance


def difference(layer: Any, chain: Sequence[Any], node: Any, back: Sequence[Any] | None, dialect: Dialect, step: float,
               shape: tuple[int, ...]) -> tuple[float, int]:
    """Return by how much a layer differs from nodes as a reader steps them, on random input, and how many spikes.

    Args:
        layer: of the bridge.
        chain: nodes from the inputs to the neurons.
        node: the neurons.
        back: nodes from the spikes back to the neurons.
        dialect, step: whose steps, and how long they are, s.
        shape: of an input.
    """
    given = np.random.default_rng(SEED).random((STEPS, SAMPLES, *shape)) < 0.2
    for gain in GAINS:
        x = given * gain
        arrivals = weighted(chain, x.reshape(-1, *shape))
        theirs = stepped(node, arrivals.reshape(STEPS, SAMPLES, *arrivals.shape[1:]), dialect, step, back)
        if not layer.spiking or theirs.mean() > 0.02:
            break
    dtype = next(each.dtype for each in (*layer.parameters(), *layer.buffers(), torch.zeros(0))
                 if each.is_floating_point())
    with torch.no_grad():
        ours = layer(torch.from_numpy(x.reshape(STEPS, SAMPLES, -1)).to(dtype))[0].numpy()
    if not layer.spiking:
        return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-300)), 0
    return float((ours != theirs).mean()), int(theirs.sum())


def row(name: str, kind: str, problems: Sequence[str], lost: Sequence[str], differ: float | None = None,
        spikes: int = 0) -> Row:
    """Return the row of a node.

    Args:
        name, kind: of the node.
        problems: what the reader does not take.
        lost: what the graph does not hold.
        differ, spikes: what was measured.
    """
    why = "; ".join([*lost, *problems])
    same = differ is None or differ <= 1e-9
    if problems:
        return Row(name, kind, "unsupported", why, differ, spikes)
    if lost or not same:
        return Row(name, kind, "approximate", why or "rounding", differ, spikes)
    return Row(name, kind, "faithful", "", differ, spikes)
