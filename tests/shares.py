"""Which of many cases the quick tests take: each compiles loops of its own, and a few show what a test is about."""

import pytest


def quick(these, cases, name=lambda case: getattr(case, "__name__", case)) -> list:
    """Return the cases as parameters; those that are not among `these` are slow.

    Args:
        these: names.
        cases: all of them.
        name: names one; by default a case is a name, or a class.
    """
    these, named = set(these), [(name(case), case) for case in cases]
    left = these - {each for each, _ in named}
    assert not left, f"{sorted(left)} are none of the cases"
    return [case if each in these else pytest.param(case, marks=pytest.mark.slow) for each, case in named]
