"""Which of many cases the quick tests take: each compiles loops of its own, and a few show what a test is about."""

import pytest


def quick(these, cases) -> list:
    """Return the cases as parameters; those that are not among `these` are slow.

    Args:
        these: names, of cases that are names or classes.
        cases: all of them.
    """
    found = [case if getattr(case, "__name__", case) in these else pytest.param(case, marks=pytest.mark.slow)
             for case in cases]
    left = set(these) - {getattr(case, "__name__", case) for case in cases}
    assert not left, f"{sorted(left)} are none of the cases"
    return found
