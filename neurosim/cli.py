"""The command line: neurosim demo | train | simulate FILE.toml | sweep FILE.toml | report FOLDER | encode audio FOLDER
| convert IN OUT | info | warmup | sfq run FILE.cir.

Exit codes: 0 all went well; 1 what was asked for failed, one sentence says why; 2 the command line is
wrong; 130 Ctrl-C.
"""

import argparse
import importlib
import importlib.metadata
import itertools
import json
import math
import os
import platform
import re
import sys
import time
import warnings
from pathlib import Path

from neurosim import __version__, machine
from neurosim.errors import FileError, NeurosimError, NeurosimWarning, ParameterError
from neurosim.files import first_line, whole_file


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "act"):
        parser.print_help()
        return 0
    try:
        options.act(options)
    except (NeurosimError, OSError) as error:
        print(f"neurosim: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("neurosim: stopped", file=sys.stderr)
        return 130
    except MemoryError:
        print("neurosim: there is not enough memory for this", file=sys.stderr)
        return 1
    except Exception as error:
        if os.environ.get("NEUROSIM_TRACEBACK"):
            raise
        print(f"neurosim: a fault of neurosim or of a model, {type(error).__name__}: {first_line(error)}; "
              "NEUROSIM_TRACEBACK=1 shows where", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="neurosim", description="Simulate networks of spiking neurons.",
        epilog="Each command explains itself: neurosim COMMAND --help. Exit codes: 0 done, 1 failed, 2 wrong command "
               "line, 130 stopped by Ctrl-C.")
    parser.add_argument("--version", action="version", version=f"neurosim {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_demo(commands)
    _add_train(commands)
    _add_sweep(commands)
    _add_report(commands)
    _add_simulate(commands)
    _add_convert(commands)
    _add_encode(commands)
    _add_info(commands)
    _add_warmup(commands)
    _add_sfq(commands)
    return parser


def _command(commands, name, act, text):
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(act=act)
    return command


def _add_out(command, folder):
    command.add_argument("--out", default=folder, metavar="FOLDER", help=f"where the results go ({folder})")


def _add_demo(commands):
    command = _command(commands, "demo", _demo, "turn handwritten digits into events, drive a liquid state machine "
                       "with them, and train a readout")
    _add_out(command, "neurosim-demo")
    command.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    command.add_argument("--digits", type=int, metavar="N", help="use so many digits; all 1,797 by default")
    command.add_argument("--quiet", action="store_true", help="show no progress and no table")


def _add_train(commands):
    command = _command(commands, "train", _train, "cross-validate a liquid state machine on recordings")
    command.add_argument("dataset", choices=["nmnist"], help="the kind of recordings")
    command.add_argument("--root", required=True, metavar="FOLDER_OR_ZIP", help="the official files")
    _add_out(command, "neurosim-train")
    command.add_argument("--seeds", type=int, default=5, help="liquids and sets of folds (5)")
    command.add_argument("--layers", type=int, default=10, help="layers of 100 neurons of the liquid (10)")
    command.add_argument("--quiet", action="store_true", help="show no progress and no table")


def _add_sweep(commands):
    command = _command(commands, "sweep", _sweep, "try a function at all points that a TOML file describes; called "
                       "again, it goes on with what is missing")
    command.add_argument("file", metavar="FILE.toml", help="the description; neurosim.jobs.sweeps documents its form")
    command.add_argument("--out", metavar="FOLDER", help="where the results go, instead of what the file says "
                         "(neurosim-sweep)")
    command.add_argument("--jobs", type=int, metavar="N", help="so many processes; one for each core by default")
    command.add_argument("--cluster", metavar="ADDRESS", help="let a Dask cluster compute, as in tcp://10.0.0.1:8786")
    command.add_argument("--retry", action="store_true", help="try calls again that failed")
    command.add_argument("--quiet", action="store_true", help="show no progress and no summary")


def _add_report(commands):
    command = _command(commands, "report", _report, "write one page of HTML about a sweep: pictures, and tables that "
                       "can be sorted")
    command.add_argument("folder", metavar="FOLDER", help="the folder of the results")
    command.add_argument("--name", help="of the sweep, where the folder holds several")
    command.add_argument("--out", metavar="FILE.html", help="the page; NAME.html in FOLDER by default")
    for side, text in (("highest", "more"), ("lowest", "less")):
        command.add_argument(f"--{side}", action="append", default=[], metavar="RESULT",
                             help=f"a result of which {text} is better, for the best point and the Pareto front; may "
                             "be given again")


def _add_simulate(commands):
    command = _command(commands, "simulate", _simulate, "run the network that a TOML file describes")
    command.add_argument("file", metavar="FILE.toml", help="the description; neurosim.config documents its form")
    _add_out(command, "neurosim-run")
    command.add_argument("--duration", type=float, metavar="MS", help="run for this long instead of what the file says")
    command.add_argument("--seed", type=int, help="use this seed instead of the file's")
    command.add_argument("--threads", type=int, help="number of threads (1)")
    command.add_argument("--export", metavar="PATH", help="write everything for other tools, too: a name that ends in "
                         ".nwb or .nix (Neo), or a new folder of SONATA")
    command.add_argument("--quiet", action="store_true", help="show no progress and no table")


def _add_convert(commands):
    command = _command(commands, "convert", _convert, "read spikes from a file of one format and write them in another")
    command.add_argument("source", metavar="IN", help=".csv, .h5, .npz, .nwb, .nix, .sonata, .vcd, .gdf or NEST's .dat")
    command.add_argument("target", metavar="OUT", help=".csv, .h5, .npz, .nwb, .nix, .sonata or .vcd")
    command.add_argument("--read-as", metavar="FORMAT", help="the format of IN, where its name does not say it")
    command.add_argument("--write-as", metavar="FORMAT", help="the format of OUT, where its name does not say it")
    command.add_argument("--population", metavar="NAME", help="which, where IN holds several")
    command.add_argument("--ids", metavar="FIRST:END", help="what all neurons are called in IN, such as 1:101 for 1 to "
                         "100; by default those that IN lists, or that spiked")
    for name, text in (("dt", "length of a tick; without it times are exact"), ("start", "when the window opens"),
                       ("duration", "length of the window")):
        command.add_argument(f"--{name}", type=float, metavar="MS", help=text)


def _convert(options):
    from neurosim.export import read_spikes, write_spikes

    ids = None if options.ids is None else _range(options.ids)
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", NeurosimWarning)
        spikes = read_spikes(options.source, format=options.read_as, population=options.population, ids=ids,
                             dt=options.dt, start=options.start, duration=options.duration)
        write_spikes(spikes, options.target, options.write_as)
    for each in noted:
        print(f"neurosim: {each.message}", file=sys.stderr)
    print(f"{spikes}; wrote {options.target}")


def _range(text) -> range:
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if not found or int(found[1]) >= int(found[2]):
        raise ParameterError(f"--ids must be FIRST:END, such as 1:101, got {text!r}")
    return range(int(found[1]), int(found[2]))


def _add_encode(commands):
    """Add the commands that turn recordings into spikes."""
    command = commands.add_parser("encode", help="turn recordings into spikes",
                                  description="Turn recordings into spikes.")
    importlib.import_module("neurosim.jobs.encode").add_commands(command)


def _add_info(commands):
    command = _command(commands, "info", _info, "show versions, machine, models and the cache folder")
    command.add_argument("--json", action="store_true", help="print JSON")


def _add_sfq(commands):
    """Add the commands of a plug-in by its name; the core imports none."""
    command = commands.add_parser("sfq", help="simulate circuits of Josephson junctions (decks of JoSIM and SPICE)",
                                  description="Simulate circuits of Josephson junctions.")
    importlib.import_module("hardware_models.sfq.commands").add_commands(command)


def _add_warmup(commands):
    _command(commands, "warmup", _warmup, "compile the common kernels ahead, so that the first run starts at once")


def _demo(options):
    from neurosim.jobs import demo

    _check_at_least("--digits", options.digits, 40)
    _check_at_least("--seed", options.seed, 0)
    summary = demo.run(_folder(options.out), seed=options.seed, n=options.digits, quiet=options.quiet)
    if not options.quiet:
        print(demo.table(summary))
        print(f"results in {options.out}/: summary.json, raster.png, confusion.png, spikes.h5")


def _train(options):
    from neurosim.jobs import train

    _check_at_least("--seeds", options.seeds, 1)
    _check_at_least("--layers", options.layers, 1)
    summary = train.run(options.root, _folder(options.out), seeds=options.seeds, layers=options.layers,
                        quiet=options.quiet)
    if not options.quiet:
        print(train.table(summary))
        print(f"results in {options.out}/: summary.json, confusion.png, features_seed*.npz")


def _folder(name) -> Path:
    """The folder for the results, made before the work, so that a name that does not do is told at once."""
    folder = Path(name)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise FileError(f"{folder} must be a folder that can be written to")
    return folder


def _check_at_least(name, value, least):
    if value is not None and value < least:
        raise ParameterError(f"{name} must be a whole number >= {least}, got {value}")


def _sweep(options):
    from neurosim.jobs import sweeps

    _check_at_least("--jobs", options.jobs, 1)
    given = sweeps.read(options.file)
    for name in ("jobs", "cluster"):
        if getattr(options, name) is not None:
            given = {each: value for each, value in given.items() if each not in ("jobs", "cluster")}
            given[name] = getattr(options, name)
    folder = _folder(options.out or given["folder"])
    result, page = sweeps.run(given | {"folder": folder}, retry=options.retry, quiet=options.quiet)
    if not options.quiet:
        print(sweeps.summary(result))
        print(f"results in {folder}/, a page about them in {page}")
    sweeps.check(result)


def _report(options):
    from neurosim.jobs import sweeps

    print(f"wrote {sweeps.report(options.folder, options.name, options.out, options.highest, options.lowest)}")


def _simulate(options):
    import neurosim as ns
    from neurosim import config
    from neurosim.jobs.summary import write_summary

    net, settings = config.read(options.file)
    folder = _folder(options.out)
    duration = options.duration if options.duration is not None else settings.pop("duration")
    settings.pop("duration", None)
    for name in ("seed", "threads"):
        if getattr(options, name) is not None:
            settings[name] = getattr(options, name)
    began = time.perf_counter()
    sim = ns.Simulation(net, **settings)
    built = time.perf_counter()
    sim.run(duration, progress=not options.quiet)
    ended = time.perf_counter()
    summary = _write_results(sim, net, folder)
    if options.export is not None:
        sim.export(options.export)
    summary |= {"build_s": round(built - began, 3), "run_s": round(ended - built, 3)}
    write_summary(folder, summary)
    if not options.quiet:
        _show_simulation(summary, options.out)


def _write_results(sim, net, folder: Path) -> dict:
    """Write what was recorded; return what the summary says."""
    import numpy as np

    summary = {"time_ms": sim.time, "dt_ms": sim.dt, "seed": sim.seed, "network": net.fingerprint(),
               "version": __version__, "populations": {}, "traces": {}}
    rasters, names = {}, set()
    for recorder in net.recorders:
        if recorder.variable == "spikes":
            spikes = sim.spikes(recorder.what)
            name = _file_name(recorder.what.name, "spikes.h5", names)
            spikes.save(folder / name)
            rasters[recorder.what.name] = spikes
            rate = spikes.mean_rate()
            summary["populations"][recorder.what.name] = {
                "spikes": len(spikes), "rate_hz": None if math.isnan(rate) else round(rate, 4), "file": name}
        else:
            times, values = sim.trace(recorder.what, recorder.variable)
            name = _file_name(recorder.what.name, f"{recorder.variable}.npz", names)
            summary["traces"].setdefault(recorder.what.name, {})[recorder.variable] = name
            with whole_file(folder / name) as file:
                np.savez_compressed(file, times_ms=times, values=values)
    if rasters:
        _save_raster(rasters, folder / "raster.png")
    return summary


def _file_name(name, end, taken) -> str:
    """A name for a file that no other has, also where capitals do not count."""
    plain = re.sub(r"[^\w+.\[\]-]+", "_", name).strip("._")[:100] or "unnamed"
    ends = itertools.chain([end], (f"{number}.{end}" for number in itertools.count(2)))
    found = next(f"{plain}.{each}" for each in ends if f"{plain}.{each}".casefold() not in taken)
    taken.add(found.casefold())
    return found


def _save_raster(rasters, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from neurosim import plot

    figure, ax = plt.subplots(figsize=(9, 5), layout="constrained")
    plot.raster(rasters, ax=ax)
    with whole_file(path) as file:
        figure.savefig(file, dpi=110)
    plt.close(figure)


def _show_simulation(summary, folder):
    print(f"{'population':20s}{'spikes':>12s}{'rate (Hz)':>12s}")
    for name, found in summary["populations"].items():
        rate = "-" if found["rate_hz"] is None else f"{found['rate_hz']:.2f}"
        print(f"{name:20s}{found['spikes']:12d}{rate:>12s}")
    print(f"{summary['time_ms']:g} ms in {summary['run_s']:.2f} s; results in {folder}/")


def _info(options):
    found = _about()
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for name, value in found.items():
        print(f"{name:14s}{', '.join(value) if isinstance(value, list) else value}")


def _about() -> dict:
    from neurosim import neurons, receptors
    from neurosim.engine.store import cache_folder, why_not_kept

    versions = {}
    for package in ("numpy", "numba", "scipy", "h5py", "scikit-learn", "matplotlib", "torch"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    reason = why_not_kept()
    return {"neurosim": __version__, "python": platform.python_version(), **versions, "system": platform.platform(),
            "cores": machine.cores(), "cache": f"none, kernels are compiled in every process: {reason}" if reason else
            str(cache_folder()),
            "neurons": neurons.__all__, "receptors": receptors.__all__}


def _warmup(options):
    import neurosim as ns

    began = time.perf_counter()
    for receptor in (ns.Delta(), ns.ExponentialCurrent(5.0)):
        for delay in (1.0, ns.Uniform(0.5, 3.0)):
            net = ns.Network()
            noise = net.add(ns.Poisson(rate=10.0), 10)
            cells = net.add(ns.LIF(), 10)
            net.connect(noise, cells, ns.FixedProbability(0.5), weight=ns.Normal(1.0, 0.1), delay=delay,
                        receptor=receptor)
            net.connect(cells, cells, ns.FixedProbability(0.5), weight=0.1, delay=delay, receptor=receptor)
            net.drive(cells, ns.PoissonDrive(rate=10.0, weight=0.1), receptor=receptor)
            net.record(cells)
            net.record(cells, "v")
            ns.Simulation(net).run(1.0)
    print(f"compiled and kept in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
