"""How long each phase of a job takes, and which one is under way."""

import sys
import time
from contextlib import contextmanager


class Phases:
    """Times the phases of a job; tells which one begins unless it is to be quiet."""

    def __init__(self, quiet: bool):
        self.quiet, self.seconds = quiet, {}

    @contextmanager
    def __call__(self, name: str):
        if not self.quiet:
            sys.stderr.write(f"{name} ...\n")
        began = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 2)
