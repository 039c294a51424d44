"""One look for all figures, letters for their panels, and files that appear whole or not at all."""

from pathlib import Path
from typing import Any

import numpy as np

from neurosim.checks import check_is, describe_value
from neurosim.errors import ParameterError, UnsupportedError
from neurosim.files import as_path, whole_file, writing
from neurosim.plot.axes import COLORS

#: What `save` writes, by the end of a file's name.
FORMATS = ("png", "pdf", "svg")

_SETTINGS = {
    "font.size": 9.0, "axes.titlesize": 10.0, "axes.labelsize": 9.0, "xtick.labelsize": 8.0, "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0, "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False,
    "lines.linewidth": 1.3, "image.cmap": "viridis", "savefig.dpi": 110.0, "pdf.fonttype": 42, "svg.fonttype": "none",
}  # letters of a PDF or SVG stay letters


class Style:
    """Settings that are in force; at the end of a `with` those before it are back."""

    def __init__(self, before: dict):
        self._before = before

    def __enter__(self) -> "Style":
        return self

    def __exit__(self, *_) -> None:
        _settings().update(self._before)

    def __repr__(self):
        return "<style of neurosim>"


def style(**changes: Any) -> Style:
    """Give all figures from here on the look of neurosim's own: colours that everybody can tell apart, few lines.

    Args:
        changes: settings of matplotlib to change beside, with `_` for the first dot, as in `font_size=11`.

    Returns:
        What takes it back at the end of a `with`; it need not be used.

    Raises:
        ParameterError: a setting is unknown, or its value does not fit.
        UnsupportedError: matplotlib is not installed.

    >>> import matplotlib
    >>> with style(font_size=11.0):
    ...     matplotlib.rcParams["font.size"], matplotlib.rcParams["axes.spines.top"]
    (11.0, False)
    """
    kept = _settings()
    settings = {**_SETTINGS, "axes.prop_cycle": _matplotlib().cycler(color=COLORS)}
    for name, value in changes.items():
        settings[name.replace("_", ".", 1)] = value
    before = {name: kept.get(name) for name in settings}
    for name, value in settings.items():
        try:
            kept[name] = value
        except (KeyError, ValueError) as error:
            kept.update({each: old for each, old in before.items() if old is not None})
            raise ParameterError(f"plot.style must be given settings of matplotlib, such as font_size=11, got "
                                 f"{name.replace('.', '_', 1)}={describe_value(value)} ({str(error).splitlines()[0]})"
                                 ) from None
    return Style(before)


def letters(panels: Any) -> list:
    """Write a, b, c, ... beside the upper left corner of each panel.

    Args:
        panels: a figure, of which colour bars and axes that are switched off get none, or axes in their order.

    Returns:
        The texts; none for a single panel of a figure.

    >>> import matplotlib; matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> figure, axes = plt.subplots(2, 2)
    >>> [text.get_text() for text in letters(figure)]
    ['a', 'b', 'c', 'd']
    """
    if hasattr(panels, "axes") and hasattr(panels, "savefig"):
        axes = [ax for ax in panels.axes if ax.get_label() != "<colorbar>" and ax.axison and not _lies_on(ax, panels)]
        axes = axes if len(axes) > 1 else []
    else:
        axes = list(np.ravel(np.asarray(panels, dtype=object)))
    for ax in axes:
        check_is("plot.letters.panels", ax, _matplotlib().axes.Axes, "a figure of matplotlib, or axes of one")
    names = "abcdefghijklmnopqrstuvwxyz"
    return [ax.annotate(names[k % 26] * (1 + k // 26), (0.0, 1.0), xycoords="axes fraction", xytext=(-6.0, 4.0),
                        textcoords="offset points", ha="right", va="bottom", weight="bold", annotation_clip=False)
            for k, ax in enumerate(axes)]


def _lies_on(ax, figure) -> bool:
    """Whether axes share their place with others that came before, as a second scale does."""
    earlier = figure.axes[:figure.axes.index(ax)]
    return any(np.allclose(ax.get_position().bounds, each.get_position().bounds) for each in earlier)


def save(figure: Any, path: str | Path, *, lettered: bool = True, **options: Any) -> Path:
    """Write a figure to a file, which appears whole or not at all; return its path.

    Args:
        figure: a figure of matplotlib.
        path: its name; the end, .png, .pdf or .svg, says the format. Its folder is made where there is none, as a
            figure often comes last in a run that took long.
        lettered: whether panels get letters, where there are several.
        options: of `figure.savefig`, such as `dpi`.

    Raises:
        ParameterError: the end of the name is another.
        FileError: the file cannot be written.

    >>> import pathlib, tempfile
    >>> import matplotlib; matplotlib.use("Agg")
    >>> import matplotlib.pyplot as plt
    >>> save(plt.figure(), pathlib.Path(tempfile.mkdtemp()) / "figure.pdf").stat().st_size > 100
    True
    """
    path = as_path("plot.save.path", path)
    kind = path.suffix[1:].lower()
    if kind not in FORMATS:
        raise ParameterError(f"plot.save.path must end in {' or '.join(f'.{each}' for each in FORMATS)}, got "
                             f"{str(path)!r}")
    check_is("plot.save.figure", figure, _matplotlib().figure.Figure, "a figure of matplotlib")
    if lettered:
        letters(figure)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        figure.savefig(file, format=kind, **options)
    return path


def _settings() -> Any:
    """What matplotlib has in force; its own types know each name."""
    return _matplotlib().rcParams


def _matplotlib() -> Any:
    try:
        import matplotlib
        import matplotlib.figure
    except ImportError:
        raise UnsupportedError("neurosim.plot needs matplotlib; install it with `pip install matplotlib`") from None
    return matplotlib
