"""A full disk, as far as a process can have one of its own."""

import contextlib
import resource


@contextlib.contextmanager
def largest_file(size):
    """As on a full disk: no file grows beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
