"""Networks described in a TOML file, for the command line.

Every table with a `type` stands for an object of that name, made from the other entries of the table::

    [simulation]
    dt = 0.1
    duration = 1000.0
    seed = 1

    [[population]]
    name = "noise"
    size = 100
    model = { type = "Poisson", rate = 20.0 }

    [[population]]
    name = "cells"
    size = 50
    model = { type = "LIF", tau_mem = 20.0 }
    initial = { v = { type = "Uniform", first = -70.0, last = -60.0 } }

    [[projection]]
    source = "noise"
    target = "cells"
    rule = { type = "FixedProbability", p = 0.2 }
    weight = 4.0
    delay = 1.5

    [[drive]]
    target = "cells"
    drive = { type = "InjectedCurrent", amplitude = 10.0 }

    [[record]]
    what = "cells"
"""

import tomllib
from pathlib import Path

import neurosim as ns
from neurosim.errors import FileError, NeurosimError, ParameterError
from neurosim.network import Network

_SECTIONS = ("simulation", "population", "projection", "drive", "record")
_NEEDED = {"population": ("model",), "projection": ("source", "target"), "drive": ("target", "drive"),
           "record": ("what",)}
_SIMULATION = ("dt", "duration", "seed", "threads", "dtype")


def read(path: str | Path) -> tuple[Network, dict]:
    """Return the network and the simulation's settings that a TOML file describes.

    Args:
        path: the file.

    Raises:
        FileError: the file is missing, not TOML, or describes something that does not fit; the message
            names the file and the entry.
    """
    path = Path(path)
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path} must be a readable file: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path} must be a TOML file: {error}") from None
    return _Reader(path, text).read()


class _Reader:
    def __init__(self, path: Path, text: dict):
        self.path, self.text, self.net = path, text, Network()

    def read(self):
        self._check_keys("the file", self.text, _SECTIONS)
        settings = dict(self.text.get("simulation", {}))
        self._check_keys("[simulation]", settings, _SIMULATION)
        if "duration" not in settings:
            raise FileError(f"{self.path}: [simulation] must have a duration in ms")
        self._each("population", lambda **entry: self.net.add(entry.pop("model"), entry.pop("size", None), **entry))
        self._each("projection", self._connect)
        self._each("drive", self._drive)
        self._each("record", self._record)
        return self.net, settings

    def _each(self, section, act):
        entries = self.text.get(section, [])
        if not isinstance(entries, list):
            raise FileError(f"{self.path}: {section} must be written as [[{section}]], one for each")
        for number, entry in enumerate(entries, 1):
            for key in _NEEDED[section]:
                if key not in entry:
                    raise FileError(f"{self.path}: [[{section}]] number {number} must have {key!r}")
            try:
                act(**{key: self._value(value) for key, value in entry.items()})
            except (NeurosimError, TypeError) as error:
                raise FileError(f"{self.path}: [[{section}]] number {number}: {error}") from None

    def _connect(self, source, target, rule=None, **options):
        self.net.connect(self.net.population(source), self.net.population(target), rule, **options)

    def _drive(self, target, drive, **options):
        self.net.drive(self.net.population(target), drive, **options)

    def _record(self, what, variable="spikes", **options):
        names = [population.name for population in self.net.populations]
        self.net.record(self.net.population(what) if what in names else self.net.projection(what), variable, **options)

    def _value(self, value):
        """Turn tables with a type into objects, at any depth."""
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if not isinstance(value, dict):
            return value
        value = {key: self._value(item) for key, item in value.items()}
        if "type" not in value:
            return value
        name = value.pop("type")
        if not isinstance(name, str) or name not in ns.__all__ or not isinstance(getattr(ns, name), type):
            raise ParameterError(f"type must be a class of neurosim, got {name!r}")
        return getattr(ns, name)(**value)

    def _check_keys(self, where, entries, known):
        for key in entries:
            if key not in known:
                raise FileError(f"{self.path}: {where} must have only {', '.join(known)}, got {key!r}")
