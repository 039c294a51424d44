"""One progress bar for everything that takes long: in a terminal, and as a widget in a notebook."""

import os
import sys
from contextlib import contextmanager

import numpy as np

from neurosim.checks import describe_value
from neurosim.errors import ParameterError

FORM = "{l_bar}{bar}| {n:.10g}/{total:.10g} {unit} [{elapsed}<{remaining}]"


@contextmanager
def progress_bar(wanted: bool, total: float, unit: str):
    """Give a function that shows how much is done.

    The bar is drawn where somebody looks: in a terminal or a notebook, not in a file or a pipe. The environment
    variable NEUROSIM_PROGRESS=1 draws it everywhere, 0 nowhere.

    Args:
        wanted: whether there is a bar at all.
        total: how much there is to do, > 0, in any unit.
        unit: its name.

    Raises:
        ParameterError: `wanted`, which callers take as `progress`, is neither True nor False.

    >>> with progress_bar(True, 20.0, "ms") as done:
    ...     done(5.0)
    """
    if not isinstance(wanted, (bool, np.bool_)):
        raise ParameterError(f"progress must be True or False, got {describe_value(wanted)}")
    if not (wanted and total > 0 and _watched()):
        yield lambda amount: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, unit=unit, bar_format=FORM) as bar:
        yield lambda amount: bar.update(min(amount, total) - bar.n)


def _watched() -> bool:
    asked = os.environ.get("NEUROSIM_PROGRESS")
    if asked is not None:
        return asked != "0"
    return _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def _in_notebook() -> bool:
    """Whether this is a kernel of Jupyter, whose stderr is no terminal."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and "IPKernelApp" in shell.config


__all__ = ["progress_bar"]
