"""`python -m hardware_models.sfq.pulse FILE`: measure cells on their circuits and keep their times, with the source."""

import argparse
import json
import sys

from hardware_models.sfq.pulse.libraries import from_timing, write_library
from neurosim.errors import NeurosimError


def main(arguments=None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m hardware_models.sfq.pulse",
                                     description="Cells for pulse-level simulations, measured on circuits.")
    parser.add_argument("file", help="JSON file that is written, for read_library")
    parser.add_argument("--cells", nargs="+", default=["jtl", "splitter", "merger", "dff"], metavar="CELL",
                        choices=["jtl", "splitter", "merger", "dff"], help="which (all)")
    parser.add_argument("--temperature", type=float, default=4.2, help="K (4.2)")
    parser.add_argument("--runs", type=int, default=400, help="noise realisations for the jitter (400)")
    parser.add_argument("--h", type=float, default=0.05, help="step, ps (0.05)")
    parser.add_argument("--safe", action="store_true", help="setup from which the delay has settled, not the last at "
                                                            "which the bit is read")
    options = parser.parse_args(arguments)
    try:
        from hardware_models.sfq.circuit import extract_timing

        measured = {name: extract_timing(name, temperature=options.temperature, runs=options.runs, h=options.h)
                    for name in options.cells}
        cells = {name: from_timing(timing, safe=options.safe) for name, timing in measured.items()}
        write_library(options.file, cells, "junction equations, hardware_models.sfq.circuit.extract_timing: "
                      + json.dumps(measured))
    except NeurosimError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{name}: {cell!r}\n" for name, cell in cells.items()) + f"wrote {options.file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
