"""The same networks in neurosim and in Brian2: the same spikes, then the same statistics.

What Brian2 made is in tests/golden, so that the comparison needs no Brian2; where it is installed, both are run.
How the two are set up, and how the golden file is made: tests/brian2_reference.py.
"""

from dataclasses import replace
from functools import cache

import brian2_reference as reference
import numpy as np
import pytest
from brian2_reference import IDENTICAL, MEASURED, MEASURES, NETWORKS, STATES

QUIET = pytest.mark.filterwarnings("ignore::DeprecationWarning:(brian2|pyparsing)")
WITHOUT = "Brian2 is not installed; it comes with the extra: pip install -e '.[brian2]'"


@cache
def golden():
    with np.load(reference.GOLDEN) as file:
        return dict(file)


@cache
def ours(name, state, dtype="float64"):
    return reference.run_neurosim(reference.build(name, state), IDENTICAL + MEASURED, dtype)


def measured(name, dtype="float64"):
    n_exc = reference.build(name, 0).n_exc
    return np.array([reference.measures(ours(name, state, dtype).between(IDENTICAL), n_exc) for state in STATES])


def assert_close(mine, theirs, most):
    difference, error = reference.standard_errors(mine, theirs)
    for k, measure in enumerate(MEASURES):
        assert abs(difference[k]) <= most * error[k], (
            f"{measure}: {mine[:, k].mean():g} and in Brian2 {theirs[:, k].mean():g}, "
            f"{abs(difference[k]) / error[k]:.1f} standard errors apart")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", NETWORKS)
def test_spikes_of_the_first_100_ms_are_those_that_brian2_made(name, state):
    wired = reference.build(name, state)
    theirs = reference.golden_spikes(golden(), wired, state)
    assert len(theirs) > 1000
    assert reference.first_difference(ours(name, state).between(stop=IDENTICAL), theirs) == ""


@pytest.mark.parametrize("name", NETWORKS)
def test_rates_and_cvs_are_within_three_standard_errors_of_brian2(name):
    assert_close(measured(name), golden()[f"{name}_measures"], 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_float32_keeps_the_statistics(name):
    # Other spikes, so an independent sample: five errors, lest another rounding of the coefficients fails it by chance.
    assert_close(measured(name, "float32"), golden()[f"{name}_measures"], 5)


@pytest.mark.parametrize("name", NETWORKS)
def test_comparison_notices_one_tick_of_delay(name):
    wired = reference.build(name, 0)
    theirs = reference.golden_spikes(golden(), wired, 0)
    late = replace(wired, inh=replace(wired.inh, delay=wired.inh.delay + 1))
    assert reference.first_difference(reference.run_neurosim(late, IDENTICAL), theirs) != ""


@QUIET
@pytest.mark.parametrize("name", NETWORKS)
def test_brian2_itself_makes_the_same_spikes(name):
    pytest.importorskip("brian2", reason=WITHOUT)
    theirs = reference.run_brian2(reference.build(name, 0), IDENTICAL)
    assert reference.first_difference(ours(name, 0).between(stop=IDENTICAL), theirs) == ""


@QUIET
@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_golden_file_is_what_brian2_makes(name):
    pytest.importorskip("brian2", reason=WITHOUT)
    rows = []
    for state in STATES:
        wired = reference.build(name, state)
        spikes = reference.run_brian2(wired, IDENTICAL + MEASURED)
        first, stored = spikes.between(stop=IDENTICAL), reference.golden_spikes(golden(), wired, state)
        np.testing.assert_array_equal(first.ticks, stored.ticks)
        np.testing.assert_array_equal(first.ids, stored.ids)
        rows.append(reference.measures(spikes.between(IDENTICAL), wired.n_exc))
    # Another version may round elsewhere, and later spikes with it.
    assert_close(np.array(rows), golden()[f"{name}_measures"], 3)
