"""Checks of the arguments that the named networks share, with the one form of message."""

from neurosim.checks import describe_value
from neurosim.errors import ParameterError


def check_choice(name: str, value, choices):
    """Return one of several values; raise ParameterError for anything else."""
    if not isinstance(value, str) or value not in choices:
        raise ParameterError(f"{name} must be {' or '.join(map(repr, choices))}, got {describe_value(value)}")
    return value
