"""How long each phase of a job takes, which one is under way, and how long the rest will take."""

import sys
import time
from collections.abc import Sequence
from contextlib import contextmanager


class Phases:
    """Times the phases of a job; tells which one begins unless it is to be quiet.

    Args:
        quiet: whether to tell nothing.
        plan: the names of all phases in order, where they are known ahead. A phase is expected to take as long as the
            last one whose name begins alike, up to the comma.
    """

    def __init__(self, quiet: bool, plan: Sequence[str] = ()):
        self.quiet, self.plan, self.seconds, self._last = quiet, list(plan), {}, {}

    @contextmanager
    def __call__(self, name: str):
        if not self.quiet:
            sys.stderr.write(f"{self._place(name)}{name} ...{self._left(name)}\n")
            sys.stderr.flush()
        began = time.perf_counter()
        yield
        taken = time.perf_counter() - began
        self._last[_kind(name)] = taken
        self.seconds[name] = round(self.seconds.get(name, 0.0) + taken, 2)

    def _place(self, name) -> str:
        return f"{self.plan.index(name) + 1} of {len(self.plan)}: " if name in self.plan else ""

    def _left(self, name) -> str:
        """How long this phase and those behind it will take, once each of their kinds has been seen."""
        rest = [_kind(each) for each in self.plan[self.plan.index(name):]] if name in self.plan else [""]
        if not all(kind in self._last for kind in rest):
            return ""
        return f" about {sum(self._last[kind] for kind in rest):.0f} s left"


def _kind(name) -> str:
    return name.partition(",")[0]
