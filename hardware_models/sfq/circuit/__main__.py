"""`python -m hardware_models.sfq.circuit`: timing of a cell, or a run of a deck, from the command line."""

import argparse
import json
import sys

from hardware_models.sfq.circuit.cells import CELLS
from hardware_models.sfq.circuit.deck import read_deck
from hardware_models.sfq.circuit.elements import Junction
from hardware_models.sfq.circuit.solver import simulate
from hardware_models.sfq.circuit.timing import extract_timing
from neurosim.errors import NeurosimError, ParameterError


def main(arguments=None) -> int:
    """Run a command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m hardware_models.sfq.circuit",
                                     description="Circuits of Josephson junctions.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    timing = commands.add_parser("timing", help="measure delay, jitter, setup and hold of a cell, in ps (JSON)")
    timing.add_argument("cell", choices=sorted(CELLS))
    timing.add_argument("--temperature", type=float, default=4.2, help="K (4.2)")
    timing.add_argument("--runs", type=int, default=400, help="noise realisations for the jitter (400)")
    timing.add_argument("--h", type=float, default=0.05, help="step, ps (0.05)")
    timing.set_defaults(act=lambda o: json.dumps(
        extract_timing(o.cell, temperature=o.temperature, runs=o.runs, h=o.h), indent=1))
    run = commands.add_parser("run", help="simulate a deck and list the pulses of its junctions, in ps (JSON)")
    run.add_argument("deck")
    run.add_argument("--seed", type=int, default=0, help="of the noise (0)")
    run.set_defaults(act=lambda o: json.dumps(_run(o.deck, o.seed), indent=1))
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(options.act(options) + "\n")
    except NeurosimError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(path, seed):
    deck = read_deck(path)
    if deck.h is None:
        raise ParameterError(f"{path} has no .tran; add the step and the stop time")
    found = simulate(deck.circuit, deck.duration, h=deck.h, temperature=deck.temperature, seed=seed)
    return {name: found.pulses(name).round(4).tolist() for name in deck.circuit.names(Junction)}


if __name__ == "__main__":
    sys.exit(main())
