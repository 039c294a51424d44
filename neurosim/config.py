"""Networks described in a TOML file, for the command line.

Every table with a `type` stands for an object of that name, made from the other entries of the table. Names of neurosim
are written as they are; those of another package that Python finds, with its name before them::

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
    plasticity = { type = "learning_rules.PairSTDP", a_plus = 0.01, w_max = 8.0 }
    device = { type = "hardware_models.memristor.preset", name = "pcm", weight_max = 8.0 }

    [[drive]]
    target = "cells[0:10]"
    drive = { type = "InjectedCurrent", amplitude = 10.0 }

    [[record]]
    what = "cells"

The entries of `[[population]]`, `[[projection]]`, `[[coupling]]`, `[[drive]]` and `[[record]]` are the arguments of
`net.add`, `connect`, `couple`, `drive` and `record`, with names where these take populations; `"cells[0:10]"` and
`"cells[3]"` are parts of one.
`[simulation]` has a `duration` in ms and the arguments of `Simulation`.
"""

import importlib
import inspect
import re
import tomllib
from pathlib import Path
from types import ModuleType

import neurosim as ns
from neurosim.calls import meant, misfit
from neurosim.errors import FileError, NeurosimError, ParameterError
from neurosim.network import Network

_CALLS = {"population": Network.add, "projection": Network.connect, "coupling": Network.couple,
          "drive": Network.drive, "record": Network.record}
_NEEDED = {"population": ("model",), "projection": ("source", "target"), "coupling": ("one", "other", "rule"),
           "drive": ("target", "drive"), "record": ("what",)}
_SECTIONS = ("simulation", *_CALLS)
_SIMULATION = ("dt", "duration", "seed", "threads", "dtype", "mode", "packed", "memory_limit")


def read(path: str | Path) -> tuple[Network, dict]:
    """Return the network and the simulation's settings that a TOML file describes.

    Args:
        path: the file.

    Raises:
        FileError: the file is missing, not TOML, or describes something that does not fit; the message
            names the file and the entry.
    """
    path = Path(path)
    return _Reader(path, read_toml(path)).read()


def read_toml(path: Path) -> dict:
    """Return what a TOML file holds; raise FileError where it cannot be read or is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path} must be a readable file: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path} must be a TOML file: {error}") from None


class _Reader:
    def __init__(self, path: Path, text: dict):
        self.path, self.text, self.net = path, text, Network()

    def read(self):
        self._check_keys("the file", self.text, _SECTIONS)
        settings = self.text.get("simulation", {})
        if not isinstance(settings, dict):
            raise FileError(f"{self.path}: simulation must be written as [simulation], with its settings below")
        self._check_keys("[simulation]", settings, _SIMULATION)
        if "duration" not in settings:
            raise FileError(f"{self.path}: [simulation] must have a duration in ms")
        self._each("population", lambda **entry: self.net.add(entry.pop("model"), entry.pop("size", None), **entry))
        self._each("projection", self._connect)
        self._each("coupling", self._couple)
        self._each("drive", self._drive)
        self._each("record", self._record)
        return self.net, dict(settings)

    def _each(self, section, act):
        entries = self.text.get(section, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise FileError(f"{self.path}: {section} must be written as [[{section}]], one for each")
        known = [name for name in inspect.signature(_CALLS[section]).parameters if name != "self"]
        for number, entry in enumerate(entries, 1):
            self._check_keys(f"[[{section}]] number {number}", entry, known)
            for key in _NEEDED[section]:
                if key not in entry:
                    raise FileError(f"{self.path}: [[{section}]] number {number} must have {key!r}")
            try:
                act(**{key: _value(value) for key, value in entry.items()})
            except (NeurosimError, TypeError, ValueError) as error:
                raise FileError(f"{self.path}: [[{section}]] number {number}: {error}") from None

    def _connect(self, source, target, rule=None, modulators=None, **options):
        signals = {name: (self._part(what[0]), what[1]) if isinstance(what, list) and len(what) == 2 else
                   self._part(what) for name, what in (modulators or {}).items()}
        self.net.connect(self._part(source), self._part(target), rule, modulators=signals or None, **options)

    def _couple(self, one, other, rule, **options):
        self.net.couple(self._part(one), self._part(other), rule, **options)

    def _drive(self, target, drive, **options):
        self.net.drive(self._part(target), drive, **options)

    def _record(self, what, variable="spikes", **options):
        named = [each.name for each in (*self.net.projections, *self.net.drives)]
        self.net.record(what if what in named else self._part(what), variable, **options)

    def _part(self, name):
        """A population by name, or a part of one: `name[first:last]`, `name[::step]`, `name[3]`, `name[1, 3]`."""
        found = re.fullmatch(r"(.*)\[([-\d:, ]*)\]", name) if isinstance(name, str) else None
        if found is None or any(population.name == name for population in self.net.populations):
            return self.net.population(name)
        population, text = self.net.population(found[1]), found[2]
        try:
            members = [int(each) for each in text.split(",")] if ":" not in text else slice(
                *(int(each) if each.strip() else None for each in text.split(":")))
        except (TypeError, ValueError):  # a number is missing, or there are too many
            raise ParameterError(f"a part must be given as {found[1]}[0:100], [::2], [3] or [1, 3], got {name!r}"
                                 ) from None
        return population[members[0] if isinstance(members, list) and len(members) == 1 else members]

    def _check_keys(self, where, entries, known):
        for key in entries:
            if key not in known:
                raise FileError(f"{self.path}: {where} must have only {', '.join(known)}, got {key!r}"
                                f"{meant(str(key), known)}")


def _value(value):
    """Turn tables with a type into objects, at any depth."""
    if isinstance(value, list):
        return [_value(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: _value(item) for key, item in value.items()}
    if "type" not in value:
        return value
    name = value.pop("type")
    make = _named(name)
    signature = inspect.signature(make)
    try:
        signature.bind(**value)
    except TypeError as error:
        raise misfit(name, signature, error, value) from None
    return make(**value)


def _named(name):
    """What a type names: a class of neurosim, or a class or function of another package."""
    if isinstance(name, str) and all(part.isidentifier() and part[0] != "_" for part in name.split(".")):
        module, rest = _module(name.split("."))
        found = module
        for part in rest:
            found = getattr(found, part, None)
        if callable(found) and not isinstance(found, ModuleType):
            return found
        near = meant(rest[0], module.__all__) if len(rest) == 1 and hasattr(module, "__all__") else ""
    else:
        near = ""
    raise ParameterError("type must be a class of neurosim, such as 'LIF', or of a package that is installed, such as "
                         f"'learning_rules.PairSTDP', got {name!r}{near}")


def _module(parts):
    """The module that a name begins with, and the rest of the name; neurosim itself for a name of its own."""
    for last in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:last])
        if parts[0] in vars(ns)["__all__"]:  # made by `lazy`, which type checkers do not run
            break
        try:
            return importlib.import_module(name), parts[last:]
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise ParameterError(f"{name} cannot be imported: {error}") from None
    return ns, parts
