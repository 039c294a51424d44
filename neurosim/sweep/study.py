"""Studies: points that Optuna chooses by what the points before them gave, the same on any number of processes.

Trials are asked for in rounds of a fixed size, and told in order when all of a round have ended. So what a sampler
knows when it chooses does not depend on which call ended first. What was asked and told is written down for each round;
a study that goes on is told the same again, and is thereby in the same state.
"""

import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import numpy as np

from neurosim.calls import meant
from neurosim.checks import check_seed, describe_value
from neurosim.errors import FileError, ParameterError, UnsupportedError
from neurosim.sweep import identity
from neurosim.sweep.encoding import encode, key
from neurosim.sweep.spaces import RESERVED, Range, Space, values_by_name

SAMPLERS = {"tpe": "TPESampler", "nsga2": "NSGAIISampler", "random": "RandomSampler"}


def optuna() -> Any:
    """Return Optuna; raise UnsupportedError where it is not installed."""
    try:
        return import_module("optuna")
    except ImportError:
        raise UnsupportedError("studies need Optuna; install it with `pip install optuna`") from None


class Study(Space):
    """Points that an Optuna sampler chooses, so that results become as high or as low as can be.

    What is told of a trial is the mean over the seeds, as `Result.means` has it; one without a number for each result
    has failed. A point that is chosen again is not computed again. The same study gives the same table on any number of
    processes and after any interruption, as long as its sampler draws from its seed alone and Optuna's version stays.

    Args:
        n: how many trials, >= 1. A larger number lets a study that has ended go on.
        highest, lowest: results of which more, or less, is better; one of them at least. With several the study looks
            for points that no other beats.
        sampler: "tpe" (a tree-structured Parzen estimator), "nsga2" (an evolution), "random", or a function that
            returns an Optuna sampler for a seed.
        batch: trials of a round, >= 1, which run side by side; a sampler learns from the rounds before. As many as
            there are processes, or a multiple, keeps all of them busy.
        seed: of the sampler.
        values: name -> a `Range`, or a list of values to choose from.

    Raises:
        ParameterError: an argument does not fit.

    Source: T. Akiba et al., "Optuna: A next-generation hyperparameter optimization framework", KDD 2019.

    >>> Study(20, highest="accuracy", tau=Range(5.0, 50.0, log=True), layers=[1, 2, 3])
    <Study: 20 trials of tau, layers>
    """

    def __init__(self, n: int, /, *, highest: str | Iterable[str] = (), lowest: str | Iterable[str] = (),
                 sampler: str | Callable[[int], Any] = "tpe", batch: int = 8, seed: int = 0, **values: Any):
        self.values = values_by_name("Study", n, values)
        if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
            raise ParameterError(f"Study.batch must be a whole number >= 1, got {describe_value(batch)}")
        if not callable(sampler) and (not isinstance(sampler, str) or sampler not in SAMPLERS):
            raise ParameterError(f"Study.sampler must be {', '.join(map(repr, SAMPLERS))} or a function that returns "
                                 f"an Optuna sampler for a seed, got {describe_value(sampler)}")
        self.highest, self.lowest = _names("highest", highest), _names("lowest", lowest)
        if not self.objectives or len(set(self.objectives)) < len(self.objectives):
            raise ParameterError("Study.highest and Study.lowest must name one result at least, each once, got "
                                 f"{', '.join(self.objectives) or 'none'}")
        self.n, self.sampler, self.batch, self.seed = n, sampler, batch, check_seed("Study.seed", seed)

    @property
    def objectives(self) -> list[str]:
        """The results that matter, those that shall be high first."""
        return [*self.highest, *self.lowest]

    @property
    def names(self) -> list[str]:
        """Names of the parameters."""
        return list(self.values)

    def __len__(self) -> int:
        return self.n

    def __repr__(self):
        return f"<Study: {self.n} trials of {', '.join(self.names)}>"

    def content(self) -> dict[str, Any]:
        """Return what tells this study from another one, as a sweep writes it down; a longer one goes on with it."""
        drawn = {name: repr(each) if isinstance(each, Range) else encode(each) for name, each in self.values.items()}
        sampler = identity.parts(self.sampler) if callable(self.sampler) else self.sampler
        return {"study": {"highest": self.highest, "lowest": self.lowest, "sampler": sampler, "batch": self.batch,
                          "seed": self.seed, **{f"values of {name}": each for name, each in drawn.items()}}}

    def explore(self, work: Callable, history: Iterable[dict], note: Callable[[dict], None]) -> list[dict[str, Any]]:
        """Ask for points, have their calls made, and tell the sampler, round after round; return the points.

        Args:
            work: makes the calls at points that are still missing, and returns their rows, a list for each point.
            history: what was noted before an interruption; it is gone through again.
            note: writes down what was asked for in a round, and what was told of it.

        Raises:
            FileError: the sampler asks for other points than before.
            ParameterError: the function does not return what the study looks for, or the study is longer already.
        """
        study, past, found, asked = self._begun(), _rounds(history), {}, 0
        while asked < self.n or past:
            before, told = past.pop(0) if past else (None, None)
            size = min(self.batch, self.n - asked) if before is None else len(before)
            trials = [study.ask(self._distributions()) for _ in range(size)]
            points, asked = [self._point(trial) for trial in trials], asked + size
            self._compare(points, before, asked, note)
            distinct = {key(point, 0): point for point in points}
            rows = dict(zip(distinct, work(list(distinct.values())), strict=True))
            if told is None:
                told = [self._told(rows[key(point, 0)]) for point in points]
                note({"told": told})
            for trial, values in zip(trials, told, strict=True):
                study.tell(trial, values, state=None if values else optuna().trial.TrialState.FAIL)
            found = found | distinct
        return list(found.values())

    def _compare(self, points, before, asked, note):
        """Note the points of a round, or compare them with those that were noted before."""
        if asked > self.n:
            raise ParameterError(f"Study.n must be at least the trials that were asked for before, {asked} or more, "
                                 f"got {self.n}")
        texts = [encode(point) for point in points]
        if before is None:
            note({"asked": texts})
        elif before != texts:
            raise FileError(f"Optuna {optuna().__version__} asks for other points than before in the trials up to "
                            f"{asked}: another version asked, or the sampler draws from more than its seed; give "
                            "another name=")

    def _begun(self):
        """Return Optuna's study, in memory."""
        library = optuna()
        seed = int(np.random.SeedSequence(self.seed).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", library.exceptions.ExperimentalWarning)
            if callable(self.sampler):
                sampler = self.sampler(seed)
            else:
                # within a round nothing is known of the other trials, so that they are taken for bad ones
                options = {"constant_liar": True} if self.sampler == "tpe" else {}
                sampler = getattr(library.samplers, SAMPLERS[self.sampler])(seed=seed, **options)
        if not isinstance(sampler, library.samplers.BaseSampler):
            raise ParameterError(f"Study.sampler must return an Optuna sampler, got {describe_value(sampler)}")
        level = library.logging.get_verbosity()
        library.logging.set_verbosity(library.logging.WARNING)  # it would say that it begins
        try:
            return library.create_study(sampler=sampler, directions=["maximize"] * len(self.highest)
                                        + ["minimize"] * len(self.lowest))
        finally:
            library.logging.set_verbosity(level)

    def _distributions(self) -> dict:
        kinds = optuna().distributions
        found = {}
        for name, each in self.values.items():
            if not isinstance(each, Range):
                found[name] = kinds.CategoricalDistribution(tuple(range(len(each))))
            elif each.whole:
                found[name] = kinds.IntDistribution(int(each.low), int(each.high), log=each.log)
            else:
                found[name] = kinds.FloatDistribution(float(each.low), float(each.high), log=each.log)
        return found

    def _point(self, trial) -> dict:
        return {name: trial.params[name] if isinstance(each, Range) else each[trial.params[name]]
                for name, each in self.values.items()}

    def _told(self, rows) -> list[float] | None:
        """Return the means of the objectives over the seeds of a point; None where no seed has a number for all."""
        found = [name for row in rows for name in row if row["error"] is None]
        for name in self.objectives:
            if found and name not in found:
                names = dict.fromkeys(each for each in found if each not in (*self.names, *RESERVED))
                raise ParameterError(f"Study.highest and Study.lowest must name results of the function, got {name!r}, "
                                     f"but it returns {', '.join(names)}{meant(name, names)}")
        values = [[row.get(name) for name in self.objectives] for row in rows]
        if any(not isinstance(each, (bool, int, float, type(None))) for row in values for each in row):
            raise ParameterError(f"Study.highest and Study.lowest must name results that are numbers, got "
                                 f"{', '.join(self.objectives)}")
        numbers = np.array([row for row in values if None not in row], dtype=float).reshape(-1, len(self.objectives))
        numbers = numbers[np.isfinite(numbers).all(axis=1)]
        return numbers.mean(axis=0).tolist() if len(numbers) else None


def _rounds(history) -> list:
    """Return pairs of what was asked for and what was told, None where a round was interrupted."""
    found = []
    for entry in history:
        if "asked" in entry:
            found.append((entry["asked"], None))
        else:
            found[-1] = (found[-1][0], entry["told"])
    return found


def _names(what, given) -> list[str]:
    names = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    if not all(isinstance(name, str) for name in names):
        raise ParameterError(f"Study.{what} must be the name of a result, or several, got {describe_value(given)}")
    return names
