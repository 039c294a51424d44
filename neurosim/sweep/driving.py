"""What a sweep still has to do: its own calls, and those that make the shared values which they need."""

from collections.abc import Callable
from typing import Any

from neurosim.sweep.calling import Call, Caller
from neurosim.sweep.encoding import key
from neurosim.sweep.result import Result
from neurosim.sweep.waiting import Waiting

UNSEEN = "FileError: what calls share was made and is not in the folder; workers must share the folder of the sweep"


class Driver:
    """Has calls made, and counts them.

    Args:
        caller: makes one call.
        trials: the seeds.
        retry: whether calls that failed before this run of the sweep are made again.
        run: makes calls.
        show: told how many calls have ended.
    """

    def __init__(self, caller: Caller, trials: list[int], retry: bool,
                 run: Callable[[Waiting], None], show: Callable[[float], Any]):
        self.caller, self.trials, self.retry, self.run, self.show = caller, trials, retry, run, show
        self.ended, self.begun = caller.journal.read()
        self.done = 0

    def work(self, points: list[dict]) -> list[list[dict]]:
        """Make the calls at points that are missing; return the rows of each point."""
        names = [(key(point, trial), point, trial) for point in points for trial in self.trials]
        missing = [each for each in names if self._is_missing(each[0])]
        self._count(len(names) - len(missing))
        if missing:
            makers: dict[str, Call] = {}
            calls = [self._call(*each, self._needed(self.caller.takes, *each[1:], makers)) for each in missing]
            self.run(Waiting([*makers.values(), *calls], self.caller.shared, self._heard))
            self._look()
            self._fail([call for call in calls if self._lacking(call)], makers)
        return Result(points, self.trials, self.ended).by_point()

    def _needed(self, takes, point, trial, makers) -> tuple[str, ...]:
        """Return the names of the shared values that are still to be made for a call, each behind what it needs."""
        needs = []
        for name in takes:
            recipe = self.caller.recipes.get(name)
            if recipe is None:
                continue
            made = recipe.key(point, trial)
            if made not in makers and (self.caller.shared / made).exists():
                continue
            needs.append(made)
            if made not in makers:
                first = self._needed(recipe.takes, point, trial, makers)
                makers[made] = self._call(made, point, trial, first, name)
        return tuple(needs)

    def _fail(self, calls, makers):
        """Let calls fail whose shared values could not be made."""
        if not calls:
            return
        with self.caller.journal.working() as write:
            for call in calls:
                failed = self._reason(call, makers)
                write({"key": call.key, "attempt": call.attempt, "seconds": 0.0,
                       "traceback": failed.get("traceback", ""), "error": failed.get("error", UNSEEN)})
        self._count(len(calls))
        self._look()

    def _reason(self, call, makers) -> dict:
        lacks = self._lacking(call)
        return self._reason(makers[lacks[0]], makers) if lacks else self.ended.get(call.key, {})

    def _lacking(self, call) -> list[str]:
        return [each for each in call.needs if not (self.caller.shared / each).exists()]

    def _call(self, name, point, trial, needs, makes=None) -> Call:
        before = self.ended.get(name)
        return Call(name, point, trial, 1 + max(self.begun.get(name, 0), before["attempt"] if before else 0), makes,
                    needs)

    def _is_missing(self, name) -> bool:
        before = self.ended.get(name)
        return before is None or (self.retry and "error" in before)

    def _look(self):
        self.ended, self.begun = self.caller.journal.read()

    def _heard(self, call):
        self._count(call.makes is None)

    def _count(self, calls):
        self.done += calls
        self.show(float(self.done))


__all__ = ["Driver"]
