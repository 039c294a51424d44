"""What a run is besides its network: settings that hold for all of it, and a state. Both are values.

They are all that is saved, cloned, restored, given to the samples of a batch or sent to another process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from neurosim.checks import check_number, check_seed, check_whole, describe_value, is_number
from neurosim.errors import ParameterError, UnsupportedError

MODES = ("clocked", "event")
DTYPES = {"float32": np.float32, "float64": np.float64}


@dataclass(frozen=True)
class Settings:
    """How a network is laid out and run.

    Args:
        dt: length of a tick, ms; None in the mode "event".
        seed: of everything random.
        dtype: "float32" or "float64".
        mode: "clocked" or "event".
        packed: whether weights are rounded and packed.
        threads: how many at most.
        memory_limit: bytes that recordings may take.
        noise: seed of what is drawn while it runs; None for `seed`.

    Raises:
        ParameterError: one does not fit.
        UnsupportedError: the mode "event" does not take it.
    """

    dt: float | None = 0.1
    seed: int = 0
    dtype: str = "float32"
    mode: str = "clocked"
    packed: bool = False
    threads: int = 1
    memory_limit: float = 4e9
    noise: int | None = None

    @classmethod
    def of(cls, *, dt, seed, dtype, mode, packed, threads, memory_limit) -> "Settings":
        """Return the settings that are meant where some are left out as None."""
        if mode not in MODES:
            raise ParameterError(f"mode must be 'clocked' or 'event', got {describe_value(mode)}")
        if mode == "event":
            for name, value, right in (("dt", dt, None), ("threads", threads, 1), ("dtype", dtype, "float64"),
                                       ("packed", packed, False)):
                if value is not None and value != right:
                    raise UnsupportedError(f"{name} must be left out{'' if right is None else f' or {right!r}'} in "
                                           f"the mode 'event', got {describe_value(value)}")
            dtype = "float64"
        if isinstance(dtype, (type, np.dtype)):  # as NumPy has them: np.float64
            dtype = getattr(dtype, "__name__", str(dtype))
        return cls(dt=0.1 if dt is None and mode == "clocked" else dt, seed=seed, dtype=dtype or "float32", mode=mode,
                   packed=bool(packed), threads=1 if threads is None else threads, memory_limit=memory_limit)

    def __post_init__(self):
        checked: dict[str, Any] = {"seed": check_seed("seed", self.seed),
                   "threads": check_whole("threads", self.threads, at_least=1, at_most=256)}
        if self.noise is not None:
            checked["noise"] = check_seed("seed", self.noise)
        if self.mode == "clocked":
            checked["dt"] = check_number("dt", self.dt, "ms", above=0)
        if self.dtype not in DTYPES:
            raise ParameterError(f"dtype must be 'float32' or 'float64', got {describe_value(self.dtype)}")
        if not is_number(self.memory_limit) or not self.memory_limit > 0:
            raise ParameterError(f"memory_limit must be a number of bytes > 0, got "
                                 f"{describe_value(self.memory_limit)}")
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "memory_limit", float(self.memory_limit))

    @property
    def real(self) -> type:
        """The float type."""
        return DTYPES[self.dtype]

    @property
    def identity(self) -> dict:
        """What must be the same for a state to go on."""
        return {"mode": self.mode, "dt": self.dt, "seed": self.seed, "dtype": self.dtype, "packed": self.packed}


@dataclass(frozen=True, eq=False, repr=False)
class State:
    """A copy of everything that changes in a simulation, at the end of a tick; nothing changes it any more.

    Args:
        time: whole ticks, or exact ms in the mode "event".
        arrays: read-only arrays by name, in an order that the number of threads does not change.
        changes: what was set, (kind, name, parameter) -> value; kind is "population", "projection" or "drive".
        given: (stamps, ids) of the spikes that sources were given, by name of the population.
        sample: what selects the random numbers; 0 outside a batch, else the key plus one.
        ages: ms that devices have aged, by name of the projection.
        network: fingerprint of the description.
        settings: those of the simulation.
    """

    time: int | Fraction
    arrays: Mapping[str, np.ndarray]
    changes: Mapping[tuple[str, str, str], Any] = field(default_factory=dict)
    given: Mapping[str, tuple] = field(default_factory=dict)
    sample: int = 0
    ages: Mapping[str, float] = field(default_factory=dict)
    network: str = ""
    settings: Settings = Settings()

    def __post_init__(self):
        for array in (*self.arrays.values(), *(array for pair in self.given.values() for array in pair)):
            array.setflags(write=False)
        for name in ("arrays", "changes", "given", "ages"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def tick(self) -> int | Fraction:
        """The time, in ticks where there are ticks."""
        return self.time

    def __reduce__(self):
        return State, (self.time, dict(self.arrays), dict(self.changes), dict(self.given), self.sample,
                       dict(self.ages), self.network, self.settings)

    def __repr__(self):
        dt = self.settings.dt
        at = f"tick {self.time}" if dt is not None else f"{float(self.time):g} ms"
        return f"<state at {at}: {len(self.arrays)} arrays>"


__all__ = ["Settings", "State"]
