"""No public function ends in a bare error of Python where one of its first arguments is of another kind.

Every public name is called with None, text, a negative number, an empty list and the like, alone and twice.
"""

import importlib
import importlib.util
import inspect
import warnings

import numpy as np
import pytest

from neurosim.errors import NeurosimError

MODULES = ("neurosim", "neurosim.analysis", "neurosim.datasets", "neurosim.encoders", "neurosim.plot",
           "neurosim.readouts", "neurosim.reservoirs", "neurosim.sweep", "learning_rules", "hardware_models.memristor",
           "hardware_models.sfq.circuit", "hardware_models.energy")
MODULES += ("neurosim.bridge",) if importlib.util.find_spec("torch") else ()
KINDS = (None, "text", -1, 5, [], object(), np.zeros((2, 2)), float("nan"))


def public():
    for module in map(importlib.import_module, MODULES):
        for name in module.__all__:
            thing = getattr(module, name)
            abstract = inspect.isabstract(thing) or (inspect.isclass(thing) and issubclass(thing, Exception))
            if callable(thing) and not abstract:
                yield f"{module.__name__}.{name}", thing


def of_python(error) -> bool:
    """Whether an argument is missing or too many, which Python says well enough."""
    return isinstance(error, TypeError) and any(part in str(error) for part in (
        "positional argument", "missing", "takes no arguments", "unexpected keyword"))


def bare(thing) -> list[str]:
    """Return the errors that are none of ours, with the arguments that they answer."""
    found = []
    for kind in KINDS:
        for arguments in ((kind,), (kind, kind)):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    thing(*arguments)
            except NeurosimError as error:
                if "\n" in str(error):
                    found.append(f"{arguments!r}: {error}")
            except Exception as error:
                if not of_python(error):
                    found.append(f"{arguments!r}: {type(error).__name__}: {error}")
    return found


@pytest.mark.parametrize(("name", "thing"), list(public()),
    ids=lambda value: value if isinstance(value, str) else "")
def test_other_kinds_are_answered(name, thing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = bare(thing)
    assert not found, "\n".join(found)
