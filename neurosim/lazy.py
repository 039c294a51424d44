"""Names of a package that are imported when they are first used, so that importing the package costs nothing."""

import sys
from importlib import import_module


def exports(package: str, where: dict, modules: tuple = ()) -> tuple:
    """Return `__all__`, `__getattr__` and `__dir__` of a package.

    Args:
        package: its name, `__name__`.
        where: module, within the package -> the names that come from there.
        modules: modules that are names of the package themselves.
    """
    home = {name: module for module, names in where.items() for name in names}
    everything = sorted({*home, *modules})

    def get(name):
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names():
        return sorted({*vars(sys.modules[package]), *everything})

    return everything, get, names
