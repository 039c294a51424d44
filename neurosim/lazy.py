"""Names of a package that are imported when they are first used, so that importing the package costs nothing.

Editors and type checkers do not run the package, so its `__init__` imports the same names for them alone::

    if TYPE_CHECKING:
        from package.module import Name as Name
    else:
        __all__, __getattr__, __dir__ = lazy.exports(__name__, {"module": ["Name"]})

`tests/test_types.py` holds the two lists equal.
"""

import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any


def exports(package: str, where: "Mapping[str, Sequence[str]]", modules: "Sequence[str]" = ()
            ) -> "tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]":
    """Return `__all__`, `__getattr__` and `__dir__` of a package.

    Args:
        package: its name, `__name__`.
        where: module, within the package -> the names that come from there.
        modules: modules that are names of the package themselves.

    >>> names, get, _ = exports("neurosim", {"errors": ["FileError"]})
    >>> names, get("FileError").__name__
    (['FileError'], 'FileError')
    """
    home = {name: module for module, names in where.items() for name in names}
    everything = sorted({*home, *modules})

    def get(name: str) -> "Any":
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *everything})

    return everything, get, names
