"""What the docstring of a model says about it."""

import inspect
import re


def paragraphs(part) -> tuple:
    """Return what a docstring says before its arguments, example and source, by paragraphs."""
    text = inspect.cleandoc(type(part).__doc__ or "")
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        if re.match(r"(>>>|Args:|Raises:|Source:|Attributes:|Returns:)", paragraph.strip()):
            break
        found.append(paragraph)
    return tuple(found)


def is_equation(paragraph: str) -> bool:
    """Return whether a paragraph of a docstring is set line by line, as equations are.

    >>> is_equation("tau dv/dt = -v;  spike where v > v_threshold"), is_equation("Both start rested, at u = 0.")
    (True, False)
    """
    return re.match(r"[^.,;]{1,28}? = |[^.,;]{1,28}? -> ", paragraph) is not None and not re.match(
        r"[A-Z][a-z]+ [a-z]+ [a-z]+", paragraph)
