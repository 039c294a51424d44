"""What an editor and a type checker see: the names of the lazy packages, declared parameters, a user's script."""

import ast
import importlib
import importlib.util
import json
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import ClassVar, Literal, get_args, get_origin

import pytest

from neurosim import aliases
from neurosim.checks import REQUIRED, Declared, Option, Parameter, Parametrised, required
from neurosim.errors import UnsupportedError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("neurosim", "learning_rules", "hardware_models")
LAZY = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("__init__.py")
              if "lazy.exports(" in path.read_text(encoding="utf-8"))


def dotted(path):
    return ".".join(path.parent.relative_to(ROOT).parts)


def names_for_editors(path):
    """Yield (name, module, name there) of the imports below `if TYPE_CHECKING`; each re-exports its name."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for found in node.body:
                for alias in found.names:
                    yield alias.asname, found.module, alias.name


def test_there_are_lazy_packages():
    assert {"neurosim", "learning_rules", "hardware_models"} <= set(map(dotted, LAZY))


@pytest.mark.parametrize("path", LAZY, ids=dotted)
def test_editors_see_the_names_that_are_imported_when_used(path):
    if dotted(path) == "neurosim.bridge":
        pytest.importorskip("torch", reason="PyTorch is not installed; the extra torch has it")
    package = importlib.import_module(dotted(path))
    seen = list(names_for_editors(path))
    assert sorted(name for name, _, _ in seen) == package.__all__
    for name, module, there in seen:
        assert name == there, f"write `import {there} as {there}`: only that form exports a name"
        home = importlib.import_module(module)
        value = getattr(home, there, None) or importlib.import_module(f"{module}.{there}")
        assert getattr(package, name) is value


@pytest.mark.parametrize("path", LAZY, ids=dotted)
def test_a_name_that_is_not_there_is_refused_and_dir_lists_the_others(path):
    package = importlib.import_module(dotted(path))
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match=f"module '{dotted(path)}' has no attribute 'Netwrok'"):
        _ = package.Netwrok


def test_wheels_carry_their_types():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["setuptools"]["package-data"]["*"] == ["py.typed"]
    assert all((ROOT / package / "py.typed").exists() for package in PACKAGES)


# ---------------------------------------------------------------------------------------------------------------------
# Declared parameters
# ---------------------------------------------------------------------------------------------------------------------

def modules():
    for name in PACKAGES:
        for found in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            if found.name.endswith("__main__"):
                continue
            try:
                yield importlib.import_module(found.name)
            except UnsupportedError as missing:  # only for want of the extra; anything else is an error
                assert found.name.startswith("neurosim.bridge.") and "neurosim-toolkit[torch]" in str(missing)


def own(cls):
    return {name: value for name, value in vars(cls).items() if isinstance(value, Declared)}


DECLARING = sorted({cls for module in modules() for cls in vars(module).values()
                    if isinstance(cls, type) and issubclass(cls, Parametrised) and cls is not Parametrised
                    and cls.__module__ == module.__name__}, key=lambda cls: (cls.__module__, cls.__name__))


def in_source(cls):
    """Return the class as its module's source has it."""
    tree = ast.parse(Path(importlib.import_module(cls.__module__).__file__).read_text(encoding="utf-8"))
    return next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == cls.__name__)


@pytest.mark.parametrize("cls", DECLARING, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_declarations_say_their_types(cls):
    """Annotated, or a checker takes the parameter for unknown; and nothing else that is annotated is a parameter."""
    annotations = vars(cls).get("__annotations__", {})
    kept = {name for name, said in annotations.items() if get_origin(said) is Declared}
    assert kept == set(own(cls))
    others = {name for name, said in annotations.items() if ClassVar not in (said, get_origin(said))} - kept
    made = {statement.target.id for statement in in_source(cls).body if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.value, ast.Call) and getattr(statement.value.func, "id", "") == "computed"}
    assert others == made
    for name, declared in own(cls).items():
        keeps, given = get_args(annotations[name])
        if type(declared) is Option:
            choices = (True, False) if keeps is bool else get_args(keeps)
            assert get_origin(keeps) is Literal or keeps is bool
            assert sorted(choices, key=repr) == sorted(declared.choices, key=repr)
        elif type(declared) is Parameter:
            stem = "PerElement" if declared.per_element else "Whole" if declared.integer else "Real"
            said = stem + "OrNone" * declared.optional + "Timed" * declared.timed
            assert annotations[name] == getattr(aliases, said), f"{name} is declared as one of {said}"
        else:
            assert (type(None) in get_args(given)) <= (declared.default is None)


@pytest.mark.parametrize("cls", DECLARING, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_a_checker_knows_what_is_required_and_what_has_a_place(cls):
    node = in_source(cls)
    keywords = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords}
    assert (keywords.get("kw_only") is False) == bool(set(list(cls.parameters)[:cls.positional]) & set(own(cls)))
    marked = {statement.target.id for statement in node.body if isinstance(statement, ast.AnnAssign)
              and isinstance(statement.value, ast.Call) and getattr(statement.value.func, "id", "") == "required"}
    assert marked == {name for name, declared in own(cls).items() if declared.default is REQUIRED}


def test_a_required_parameter_has_no_default():
    with pytest.raises(TypeError, match="a required parameter must have no default"):
        required(Parameter(1.0))


def test_declarations_work_without_types():
    class Plain(Parametrised):
        tau = Parameter(2.0, "ms", above=0)

    assert Plain(tau=3).tau == 3.0 and Plain.tau.unit == "ms"


# ---------------------------------------------------------------------------------------------------------------------
# A user's script, as a type checker reads it
# ---------------------------------------------------------------------------------------------------------------------

CHECKED = Path(__file__).parent / "typing"

needs_pyright = pytest.mark.skipif(importlib.util.find_spec("pyright") is None,
                                   reason="pyright is not installed; the extra dev has it")


@pytest.fixture(scope="module")
def marked():
    """File name -> {line: what the checker says}."""
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", str(CHECKED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = {path.name: {} for path in CHECKED.glob("*.py")}
    for each in json.loads(done.stdout)["generalDiagnostics"]:
        found[Path(each["file"]).name][each["range"]["start"]["line"] + 1] = each["message"]
    return found


@needs_pyright
def test_a_script_that_touches_every_family_is_clean(marked):
    assert marked["user.py"] == {}


@needs_pyright
def test_mistakes_are_marked_and_nothing_else_is(marked):
    lines = (CHECKED / "mistakes.py").read_text(encoding="utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, start=1) if line.endswith("# marked")}
    assert len(wrong) > 30 and set(marked["mistakes.py"]) == wrong


def test_the_script_names_what_there_is():
    """Without a checker, at least the names that it takes from packages are there."""
    for name in ("user.py", "mistakes.py"):
        tree = ast.parse((CHECKED / name).read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                package = importlib.import_module(node.module)
                assert all(hasattr(package, alias.name) for alias in node.names)
