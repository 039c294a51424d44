"""The calls that a sweep has still to make: one is ready as soon as the shared values that it needs are there."""

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from neurosim.sweep.calling import Call


class Waiting:
    """Calls in order; those that need shared values which are still to be made come when these are.

    A call whose values cannot be made is dropped, and so is what needs it: it never becomes ready.

    Args:
        calls: in the order in which they are to begin, those that make shared values too.
        shared: folder of the shared values.
        told: each call that was made.
    """

    def __init__(self, calls: Iterable[Call], shared: Path, told: Callable[[Call], None] = lambda call: None):
        self.shared, self.told, self.ready, self.held = shared, told, deque[Call](), dict[str, list[Call]]()
        self.lacks: dict[str, set[str]] = {}
        for call in calls:
            if call.needs:
                self.lacks[call.key] = set(call.needs)
                for key in call.needs:
                    self.held.setdefault(key, []).append(call)
            else:
                self.ready.append(call)

    def take(self, most: int = 1) -> list[Call]:
        """Return calls that are ready, at most so many, and leave them out from now on."""
        return [self.ready.popleft() for _ in range(min(most, len(self.ready)))]

    def back(self, calls: Iterable[Call]) -> None:
        """Put calls that were taken and not made in front of the others."""
        self.ready.extendleft(reversed([*calls]))

    def ended(self, call: Call) -> None:
        """Take note that a call was made: what waited for its value is ready, or is dropped where there is none."""
        self.told(call)
        self._release(call)

    def _release(self, call):
        if call.makes is None:
            return
        there = (self.shared / call.key).exists()
        for other in self.held.pop(call.key, ()):
            lacks = self.lacks.get(other.key)
            if lacks is None:  # it was dropped
                continue
            lacks.discard(call.key)
            if not there:
                del self.lacks[other.key]
                self._release(other)
            elif not lacks:
                del self.lacks[other.key]
                self.ready.append(other)


__all__ = ["Waiting"]
