"""`python -m hardware_models.sfq.circuit`: the commands of `neurosim sfq`."""

import argparse
import sys

from hardware_models.sfq.commands import add_commands
from neurosim.errors import NeurosimError


def main(arguments=None) -> int:
    """Run a command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m hardware_models.sfq.circuit",
                                     description="Circuits of Josephson junctions.")
    add_commands(parser)
    options = parser.parse_args(arguments)
    try:
        options.act(options)
    except NeurosimError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
