"""Networks from lists of edges, as connectomes are published."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurosim as ns

settings.register_profile("edges", deadline=None, max_examples=30)
settings.load_profile("edges")

names = st.one_of(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=6, unique=True),
                  st.lists(st.integers(2**63, 2**64 - 1), min_size=1, max_size=6, unique=True),
                  st.lists(st.text("abcÀ", min_size=1, max_size=4), min_size=1, max_size=6, unique=True))


@given(st.data(), names, st.booleans())
def test_every_edge_keeps_its_neurons_and_its_weight(data, ids, given_ids):
    edges = data.draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), min_size=1, max_size=12))
    source, target = zip(*edges, strict=True)
    weights = np.arange(1.0, len(edges) + 1)
    net = ns.Network.from_edges(source, target, ns.LIF(), weight=weights, delay=0.5 * weights,
                                ids=ids if given_ids else None)
    called = ids if given_ids else sorted({*source, *target})
    assert net["neurons"].size == len(called)
    found = ns.resolve(net, dtype="float64").projections["neurons -> neurons"]
    made = [(called[s], called[t], w, d) for s, t, w, d in zip(found.source.tolist(), found.target.tolist(),
                                                               found.values["weight"].tolist(), found.delay.tolist(),
                                                               strict=True)]
    assert sorted(made) == sorted((s, t, w, 0.5 * w) for (s, t), w in zip(edges, weights.tolist(), strict=True))


def test_what_is_wrong_is_said():
    def make(source, target, **options):
        return ns.Network.from_edges(source, target, ns.LIF(), weight=1.0, **options)

    for source, target, options, message in (
            ([1.5], [2.0], {}, r"source must be whole numbers or texts.*60 bits lose digits as floats"),
            ([1, 2], [1], {}, "target must have one entry per edge, 2 as source has, got 1"),
            ([1], ["a"], {}, "target must be of one kind with the others"),
            ([1], [2], {"ids": [1, 3]}, "target must be among ids, 2 is not"),
            (["b"], ["a"], {"ids": ["a", "c"]}, "source must be among ids, b is not"),
            ([1], [1], {"ids": [1, 1]}, "ids must name each neuron once")):
        with pytest.raises(ns.ParameterError, match=message):
            make(source, target, **options)


def test_the_larva_has_all_its_edges():
    root = os.environ.get("NEUROSIM_DATA")
    if not root or not (Path(root) / "connectomes").is_dir():
        pytest.skip("NEUROSIM_DATA leads to no folder connectomes")
    edges = np.loadtxt(Path(root) / "connectomes/larva_edges.csv.gz", delimiter=",", skiprows=1, dtype=np.int64)
    net = ns.Network.from_edges(edges[:, 0], edges[:, 1], ns.LIF(), weight=0.1 * edges[:, 2])
    ids = np.unique(edges[:, :2])
    weights = ns.Simulation(net).weights("neurons -> neurons", sparse=True)
    assert weights.nnz == len(edges) and weights.sum() == pytest.approx(0.1 * edges[:, 2].sum(), rel=1e-5)
    one = edges[1234]
    assert weights[np.searchsorted(ids, one[0]), np.searchsorted(ids, one[1])] == pytest.approx(0.1 * one[2])
