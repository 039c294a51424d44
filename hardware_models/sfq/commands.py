"""`neurosim sfq run | margins | montecarlo FILE.cir`, and `timing CELL`: circuits of junctions from a shell."""

import argparse
import json
import sys
import warnings

from neurosim.errors import ParameterError


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Give a parser the commands for circuits; each sets `act`."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = _deck_command(commands, "run", _run, "simulate a deck and list the pulses of its junctions, in ps")
    run.add_argument("--out", metavar="FILE", help="write what .print asks for: .csv, .dat or .raw, as JoSIM does")
    run.add_argument("--plot", metavar="FILE", help="draw what .print asks for, or all junctions: .png, .pdf or .svg")
    run.add_argument("--json", action="store_true", help="print all times of pulses as JSON instead of a table")
    run.add_argument("--seed", type=int, default=0, help="of the noise (0)")
    margins = _deck_command(commands, "margins", _margins, "find how far parameters may move before pulses change")
    margins.add_argument("--vary", action="append", metavar="PATTERN.PARAMETER",
                         help="what moves together, such as 'X1.B*.area' (areas, inductances, resistances, sources)")
    margins.add_argument("--reach", type=float, default=0.6, help="largest change that is tried (0.6)")
    margins.add_argument("--resolution", type=float, default=0.01, help="of the result (0.01)")
    _add_criterion(margins)
    monte = _deck_command(commands, "montecarlo", _montecarlo, "find how often a deck works with spread values")
    monte.add_argument("--runs", type=int, default=64, help="number of variations (64)")
    monte.add_argument("--spread", type=float, metavar="PART",
                       help="half width of all areas, inductances, resistances and capacitances, instead of the deck's "
                            "spread= and .spread")
    monte.add_argument("--seed", type=int, default=0, help="of the values (0)")
    _add_criterion(monte)
    timing = commands.add_parser("timing", help="measure delay, jitter, setup and hold of a cell, in ps (JSON)")
    timing.add_argument("cell", choices=["dff", "jtl", "merger", "splitter"])
    timing.add_argument("--temperature", type=float, default=4.2, help="K (4.2)")
    timing.add_argument("--runs", type=int, default=400, help="noise realisations for the jitter (400)")
    timing.add_argument("--h", type=float, default=0.05, help="step, ps (0.05)")
    timing.set_defaults(act=_timing)


def _say(line):
    sys.stdout.write(f"{line}\n")


def _deck_command(commands, name, act, text):
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.add_argument("file", metavar="FILE.cir", help="a deck; docs/sfq_circuit.md says which syntax is read")
    command.add_argument("--step", type=float, metavar="PS", help="instead of the deck's")
    command.add_argument("--duration", type=float, metavar="PS", help="instead of the deck's")
    command.add_argument("--temperature", type=float, metavar="K", help="instead of the deck's")
    command.add_argument("--folder", action="append", default=[], metavar="FOLDER", help="where included files are")
    command.add_argument("--anywhere", action="store_true", help="let the deck include files outside its folder")
    command.set_defaults(act=act)
    return command


def _add_criterion(command):
    command.add_argument("--watch", action="append", metavar="PATTERN",
                         help="junctions whose pulses are compared, such as 'X3.B1' (all)")
    command.add_argument("--within", type=float, default=float("inf"), metavar="PS",
                         help="largest difference of a time; by default only numbers of pulses are compared")


def _read(options):
    """Return the deck, and the options of its run; warnings become lines of the output."""
    from hardware_models.sfq.circuit import read_deck

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        deck = read_deck(options.file, folders=options.folder, anywhere=options.anywhere)
    given = {"h": options.step, "duration": options.duration, "temperature": options.temperature}
    return deck, {key: value for key, value in given.items() if value is not None}, [str(each.message)
                                                                                   for each in caught]


def _run(options):
    import numpy as np

    from hardware_models.sfq.circuit import Junction, run_deck, write_output

    deck, given, notes = _read(options)
    junctions = deck.circuit.names(Junction)
    if options.plot and not deck.prints:
        given["record"] = junctions[:12]
    run = run_deck(deck, seed=options.seed, **given)
    if options.out:
        write_output(options.out, deck, run)
    if options.plot:
        _draw(options.plot, run, deck)
    pulses = {name: np.round(run.pulses(name), 4).tolist() for name in junctions}
    if options.json:
        _say(json.dumps(pulses, indent=1))
        return
    for note in notes:
        _say(f"note: {note}")
    _say(f"{'junction':<24}{'pulses':>8}{'first (ps)':>12}{'last (ps)':>12}{'turns':>8}")
    for name, times in pulses.items():
        first, last = (f"{times[k]:.2f}" if times else "" for k in (0, -1))
        _say(f"{name:<24}{len(times):>8}{first:>12}{last:>12}{int(run.fluxons(name)):>8}")
    written = [each for each in (options.out, options.plot) if each]
    _say(f"{run.duration:g} ps in steps of {run.h:g} ps{'; wrote ' * bool(written)}{', '.join(written)}")


def _draw(path, run, deck):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from hardware_models.sfq.circuit import plot_run
    from neurosim.files import whole_file

    if path.rpartition(".")[2] not in plt.gcf().canvas.get_supported_filetypes():
        raise ParameterError(f"--plot must end in .png, .pdf or .svg, got {path}")
    kinds = [each.quantity for each in deck.prints] or ["p"]
    quantity = {"p": "phase", "v": "voltage", "i": "current"}[max(set(kinds), key=kinds.count)]
    names = run.recorded[:24]
    figure, ax = plt.subplots(figsize=(9, 1.5 + 0.45 * len(names)), layout="constrained")
    plot_run(run, names, quantity if quantity != "current" else "phase", ax=ax)
    with whole_file(path) as file:
        figure.savefig(file, dpi=110, format=path.rpartition(".")[2])
    plt.close(figure)


def _reference(options, deck, given):
    """Return the options of a run, its duration, and the criterion that junctions switch as they do in it."""
    from fnmatch import fnmatchcase

    from hardware_models.sfq.circuit import Junction, SamePulses, run_deck

    run = run_deck(deck, **given)
    patterns = [each.casefold() for each in options.watch or ["*"]]
    names = [name for name in deck.circuit.names(Junction)
             if any(fnmatchcase(name.casefold(), pattern) for pattern in patterns)]
    if not names:
        raise ParameterError(f"--watch {' '.join(patterns)} names no junction of {options.file}")
    if not any(len(run.pulses(name)) for name in names):
        raise ParameterError(f"none of the {len(names)} junctions that are watched gives a pulse: nothing to compare")
    return run, SamePulses(run, names, options.within)


def _margins(options):
    from hardware_models.sfq.circuit import margins

    deck, given, notes = _read(options)
    run, works = _reference(options, deck, given)
    kinds = {"critical currents": "*B*.ic", "inductances": "*L*.l", "resistances": "*R*.r", "sources": "*I*.scale"}
    wanted = {key: key for key in options.vary} if options.vary else {
        name: key for name, key in kinds.items() if _fits(deck.circuit, key)}
    found = margins(deck.circuit, wanted, works, run.duration, reach=options.reach, resolution=options.resolution,
                    h=run.h)
    for line in [*(f"note: {note}" for note in notes), *map(str, found)]:
        _say(line)


def _fits(circuit, key):
    from hardware_models.sfq.circuit.variation import matching

    try:
        return bool(matching(circuit, key))
    except ParameterError:
        return False


def _montecarlo(options):
    from hardware_models.sfq.circuit import monte_carlo

    deck, given, notes = _read(options)
    parts = deck.spread
    if options.spread is not None:
        keys = ("*.area", "*.l", "*.r", "*.c")
        parts = {key: options.spread for key in keys if _fits(deck.circuit, key)}
    if not parts:
        raise ParameterError(f"{options.file} has no spread= and no .spread; give --spread")
    run, works = _reference(options, deck, given)
    found = monte_carlo(deck.circuit, {}, works, run.duration, runs=options.runs, uniform=parts, seed=options.seed,
                        h=run.h)
    for note in notes:
        _say(f"note: {note}")
    _say(f"{int(found.works.sum())} of {options.runs} work: {100 * found.fraction:.1f} % "
          f"(95 % interval {100 * found.low:.1f} to {100 * found.high:.1f} %)")


def _timing(options):
    from hardware_models.sfq.circuit import extract_timing

    _say(json.dumps(extract_timing(options.cell, temperature=options.temperature, runs=options.runs, h=options.h),
                     indent=1))
