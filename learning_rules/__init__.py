"""Learning rules that plug into neurosim; none has arrived yet."""

__all__ = []
