"""What a sweep still has to do: shared values first, those that follow from others behind them, then its own calls."""

from collections.abc import Callable
from typing import Any

from neurosim.sweep.calling import Call, Caller
from neurosim.sweep.encoding import key
from neurosim.sweep.result import Result

UNSEEN = "FileError: what calls share was made and is not in the folder; workers must share the folder of the sweep"


class Driver:
    """Has calls made, and counts them.

    Args:
        caller: makes one call.
        trials: the seeds.
        retry: whether calls that failed before this run of the sweep are made again.
        run: makes calls; told which, and what to call after each.
        show: told how many calls have ended.
    """

    def __init__(self, caller: Caller, trials: list[int], retry: bool,
                 run: Callable[[list[Call], Callable[[], None]], None], show: Callable[[float], Any]):
        self.caller, self.trials, self.retry, self.run, self.show = caller, trials, retry, run, show
        self.ended, self.begun = caller.journal.read()
        self.done, self.levels = 0, self._levels()

    def work(self, points: list[dict]) -> list[list[dict]]:
        """Make the calls at points that are missing; return the rows of each point."""
        calls = [self._call(key(point, trial), point, trial) for point in points for trial in self.trials]
        missing = [call for call in calls if self._is_missing(call.key)]
        self._count(len(calls) - len(missing))
        if missing:
            ready = self._with_shared(missing)
            self.run(ready, lambda: self._count(1))
            self._look()
        return Result(points, self.trials, self.ended).by_point()

    def _with_shared(self, calls) -> list[Call]:
        """Make the shared values that calls need; return the calls that have them, the others have failed."""
        for names in self.levels:
            wanted = {}
            for call in calls:
                for name in names:
                    made = self._shared(name, call)
                    wanted.setdefault(made.key, made)
            missing = [each for each in wanted.values() if not (self.caller.shared / each.key).exists()]
            if missing:
                self.run(missing, lambda: None)
                self._look()
                calls = self._without_failed(calls, names, {each.key for each in missing})
        return calls

    def _without_failed(self, calls, names, tried) -> list[Call]:
        """Let calls fail whose shared values could not be made; return the others."""
        left = []
        for call in calls:
            keys = [self._shared(name, call).key for name in names]
            failed = next((self.ended[each] for each in keys
                           if each in tried and not (self.caller.shared / each).exists()), None)
            if failed is None:
                left.append(call)
                continue
            with self.caller.journal.working() as write:
                write({"key": call.key, "attempt": call.attempt, "seconds": 0.0, "traceback":
                       failed.get("traceback", ""), "error": failed.get("error", UNSEEN)})
            self._count(1)
        return left

    def _levels(self) -> list[list[str]]:
        """Return the names of shared values that calls need, in the order in which they are made."""
        recipes = self.caller.recipes
        found = {name for name in self.caller.takes if name in recipes}
        for name in reversed([*recipes]):  # those that follow from others come last
            if name in found:
                found |= {each for each in recipes[name].takes if each in recipes}
        levels = sorted({recipes[name].level for name in found})
        return [[name for name in recipes if name in found and recipes[name].level == level] for level in levels]

    def _shared(self, name, call) -> Call:
        return self._call(self.caller.recipes[name].key(call.point, call.trial), call.point, call.trial, name)

    def _call(self, name, point, trial, makes=None) -> Call:
        before = self.ended.get(name)
        return Call(name, point, trial, 1 + max(self.begun.get(name, 0), before["attempt"] if before else 0), makes)

    def _is_missing(self, name) -> bool:
        before = self.ended.get(name)
        return before is None or (self.retry and "error" in before)

    def _look(self):
        self.ended, self.begun = self.caller.journal.read()

    def _count(self, calls):
        self.done += calls
        self.show(float(self.done))


__all__ = ["Driver"]
