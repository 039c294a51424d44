"""Associative memories beside closed forms: capacity, crosstalk, several patterns at once, devices."""

import numpy as np
import pytest
from scipy.special import erf, factorial2

import neurosim as ns
from hardware_models import Memristor
from hardware_models.memristor import HopfieldMemory
from neurosim.contracts import Device
from neurosim.reservoirs import AssociativeMemory, retrieval_overlap


def patterns(count, n, seed=0, blank=0.0):
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], (count, n)) * (rng.random((count, n)) >= blank)


def test_fields_are_those_of_the_definitions():
    xi, s = patterns(7, 30, blank=0.2), patterns(4, 30, 1)
    w = xi.T @ xi / 30
    np.fill_diagonal(w, 0.0)
    np.testing.assert_allclose(AssociativeMemory(xi).field(s), s @ w, atol=1e-12)
    for power in (2, 3, 4, 5):
        others = (s @ xi.T)[:, :, None] - s[:, None, :] * xi[None]  # the overlap without the unit itself
        direct = (xi[None] * others ** (power - 1)).sum(axis=1) / 30.0 ** (power - 1)
        found = AssociativeMemory(xi, update="power", power=power).field(s)
        np.testing.assert_allclose(found, direct, atol=1e-12)
    share = np.exp(8.0 * s @ xi.T / 30)
    share /= share.sum(axis=1, keepdims=True)
    found = AssociativeMemory(xi, update="softmax", sharpness=8.0).field(s)
    np.testing.assert_allclose(found, share @ xi, atol=1e-12)


def test_the_theory_has_its_published_edges():
    assert retrieval_overlap(0.1375) > 0.96 and retrieval_overlap(0.1385) == 0.0  # Amit et al.: 0.138, overlap 0.97
    assert retrieval_overlap(0.63, diluted=True) > 0.1 and retrieval_overlap(0.64, diluted=True) == 0.0  # 2 / pi
    for load in (0.05, 0.1, 0.13):
        m = retrieval_overlap(load)
        c, r = 0.0, 1.0
        for _ in range(200):  # r of this m, by iteration
            c = np.sqrt(2 / (np.pi * load * r)) * np.exp(-m * m / (2 * load * r))
            r = 1 / (1 - c) ** 2
        assert m == pytest.approx(erf(m / np.sqrt(2 * load * r)), abs=1e-5)
    m = retrieval_overlap(0.4, diluted=True)
    assert m == pytest.approx(erf(m / np.sqrt(0.8)), abs=1e-6)


def test_capacity_follows_the_theory():
    for load in (0.08, 0.12):
        assert AssociativeMemory(patterns(round(load * 800), 800)).overlap() == pytest.approx(
            retrieval_overlap(load), abs=0.01)
    assert AssociativeMemory(patterns(160, 800)).overlap() < 0.7
    sparse = AssociativeMemory(patterns(8, 1600), connections=0.025, symmetric=False)  # 8 over 40 synapses
    assert sparse.overlap() == pytest.approx(retrieval_overlap(0.2, diluted=True), abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("power", "count"), [(2, 60), (3, 1500), (4, 30_000)])
def test_errors_of_powers_are_those_of_normal_crosstalk(power, count):
    xi = patterns(count, 80)
    wrong = (AssociativeMemory(xi, update="power", power=power).field(xi[:300]) * xi[:300] <= 0).mean()
    theory = 0.5 * (1 - erf(np.sqrt(79 ** (power - 1) / (2 * factorial2(2 * power - 3) * count))))
    assert wrong == pytest.approx(theory, abs=0.02) and theory > 0.03


def test_softmax_holds_far_more_patterns_than_units():
    memory = AssociativeMemory(patterns(5000, 60), update="softmax")
    assert memory.recall(memory.flipped(memory.patterns[:50], 0.05)) == pytest.approx(memory.patterns[:50])


@pytest.mark.parametrize("blank", [0.15, 0.3])
def test_several_diluted_patterns_are_recalled_at_once(blank):
    memory = AssociativeMemory(patterns(3, 4000, 2, blank), seed=1)
    cue = memory.cue(1)
    assert (cue[memory.patterns[1] != 0] == memory.patterns[1][memory.patterns[1] != 0]).all() and cue.all()
    found = np.sort(np.abs(memory.overlaps(memory.recall(cue))))[::-1]
    np.testing.assert_allclose(found, (1 - blank) * blank ** np.arange(3.0), atol=0.05)
    assert found[1] > 0.5 * (1 - blank) * blank


@pytest.mark.parametrize("symmetric", [True, False])
def test_dilution_keeps_its_share(symmetric):
    w = AssociativeMemory(np.ones((1, 400)), connections=0.3, symmetric=symmetric, seed=3).weights
    assert np.count_nonzero(w) / (400 * 399) == pytest.approx(0.3, abs=0.01) and not np.diag(w).any()
    assert (w == w.T).all() == symmetric


@pytest.mark.parametrize("update", ["hebb", "power", "softmax"])
def test_devices_hold_the_weights(update):
    xi = patterns(9, 90)
    plain = AssociativeMemory(xi, update=update)
    s = xi + 0.0
    np.testing.assert_allclose(AssociativeMemory(xi, update=update, device=Memristor()).field(s), plain.field(s),
                               atol=1e-9)
    noisy = AssociativeMemory(xi, update=update, device=Memristor(programming_noise=0.9))
    assert noisy.overlap() < plain.overlap() == 1.0

    class Half(Device):
        def program(self, weights, generator):
            return weights / 2

    np.testing.assert_allclose(AssociativeMemory(xi, device=Half()).field(s), AssociativeMemory(xi).field(s) / 2)
    assert isinstance(HopfieldMemory(xi), AssociativeMemory)


@pytest.mark.parametrize(("make", "text"), [
    (lambda: AssociativeMemory([[0.5, 1.0]]), "AssociativeMemory.patterns must be a matrix of -1, 0 and 1"),
    (lambda: HopfieldMemory([[0.0, 1.0]]), r"HopfieldMemory.patterns must be a matrix of \+-1"),
    (lambda: AssociativeMemory([[1.0]], update="dense"), "update must be one of 'hebb', 'power', 'softmax', got"),
    (lambda: AssociativeMemory([[1.0]], update="power", connections=0.5), "connections must be 1 where update is"),
    (lambda: AssociativeMemory([[1.0]], device=3), "AssociativeMemory.device must be a device layer or None, got 3"),
    (lambda: AssociativeMemory([[1.0, 1.0]]).recall([1.0]), r"must be given finite states of shape \(samples, 2\)"),
    (lambda: AssociativeMemory([[1.0, 1.0]]).cue(1), "cue.pattern must be a whole number >= 0 and < 1, got 1"),
    (lambda: retrieval_overlap([-0.1]), "retrieval_overlap.load must be finite numbers > 0"),
])
def test_what_does_not_fit_is_refused(make, text):
    with pytest.raises(ns.ParameterError, match=text):
        make()
