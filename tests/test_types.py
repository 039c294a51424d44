"""What an editor and a type checker see: the names of the lazy packages, and that wheels carry their types."""

import ast
import importlib
import tomllib
from pathlib import Path

import pytest

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
