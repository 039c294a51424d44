"""`python -m benchmarks WHAT ...`: measure neurosim and its peers in alternation, and print tables.

WHAT is one of the cases (cuba, cuba40k, coba, coba40k, brunel, brunel_stdp, izhikevich, microcircuit, microcircuit20,
lsm, diehl_cook, fly, nalsm); `learning`, those whose synapses learn (brunel_stdp, diehl_cook, nalsm); `all`, the cases,
startup and kernels; or

    startup             importing, and the first simulation of a process
    kernels             each compiled loop beside a plain copy of the same bytes; fails where one is ten times too slow
    setting             setting parameters between two runs, as closed loops do; fails above 0.2 ms for one of a
                        hundred neurons
    load                two threads beside one while other processes are busy; fails where two are much slower
    scaling             cost against neurons, synapses, rate, delays and threads, as a table and a picture
    scale               one network from 10^5 to 10^9 synapses (`--scale` of that): time and memory to build it, and
                        what an event costs, beside Brian2 and NEST as far as they go; 5 GB with --dtype packed
    analysis            distances of spike trains beside PySpike and Elephant; fails where the SPIKE-distance of 200
                        trains is less than ten times as fast as PySpike's
    event-files         EVT3 beside the packages that read it; fails below half the speed of evt3's native decoder
    random-networks     2,000 networks of everything; fails where threads, pieces, state or samples change a bit
    exports             ten million spikes into Neo, NWB and SONATA beside loops over the neurons; fails below 20 times
                        the speed or above twice the memory of the spikes
    damaged-recordings  20,000 damaged files of events; fails where one crashes, hangs or loses something silently
    cochlea             sound to spikes beside lauscher, in CPU time; fails below a hundred times its speed
    forecasts           seven chaotic systems beside ReservoirPy, with the same networks; fails where a median valid
                        time is shorter
    rate-reservoirs     a sweep of memory capacity beside ReservoirPy; fails below five times its speed
    microcircuit --pd14 the community's recipe for the microcircuit: ten seeds, rates, irregularity and correlations of
                        the layers with their distances between seeds, as Markdown and CSV; energy where it can be read
    microcircuit-stats  distributions of rates, irregularity and correlation of the microcircuit, beside NEST's
    history             this checkout beside an earlier commit (--against), in alternation; fails where a case is
                        slower by more than 5 %
    report              the tables of a file of results, as Markdown
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

from benchmarks import report
from benchmarks.cases import CASES
from benchmarks.compare import Settings, compare, cores
from benchmarks.peers import PEERS

OTHERS = ("startup", "history", "kernels", "setting", "load", "scaling", "scale", "analysis", "random-networks",
          "event-files", "exports", "damaged-recordings", "cochlea", "rate-reservoirs", "forecasts",
          "microcircuit-stats", "report")
GROUPS = {"all": (*CASES, "startup", "kernels"), "learning": ("brunel_stdp", "diehl_cook", "nalsm")}
DEFAULT = ("cuba", "brunel", "startup")


def _list(allowed=None, kind=str):
    """Return a function that reads a comma-separated argument."""
    def read(text):
        found = tuple(kind(part) for part in text.split(",") if part)
        for part in found if allowed else ():
            if part not in allowed:
                raise argparse.ArgumentTypeError(f"must be of {', '.join(allowed)}, got {part}")
        return found

    return read


def _share(text):
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"must be > 0, got {text}")
    return value


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, got {text}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("what", nargs="*", metavar="WHAT", help=f"see above; by default {', '.join(DEFAULT)}")
    made.add_argument("--threads", type=_list(kind=int), help="of neurosim, such as 2 or 1,2 (1 and, where there are "
                      "several cores, 2); the largest is what peers get that gain from threads")
    made.add_argument("--dtype", type=_list(("float32", "float64", "packed")), default=("float32",),
                      help="of neurosim, several with commas: float32, float64, packed "
                      "(float32 with weights packed, where synapses have weights of their own) (float32)")
    made.add_argument("--peers", type=_list(("none", *PEERS)), help=f"of {', '.join(PEERS)}, or none; by default those "
                      "that suit the case. NEST takes minutes for the whole microcircuit and runs it only when named")
    made.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    made.add_argument("--patience", type=float, default=15.0, help="seconds of simulation after which a competitor is "
                      "not measured again (15)")
    made.add_argument("--fraction", type=_share, default=1.0, help="share of the simulated time, to be quicker (1)")
    made.add_argument("--scale", type=_share, default=1.0, help="share of the neurons (1)")
    made.add_argument("--pd14", action="store_true", help="of the microcircuit: by the community's recipe")
    made.add_argument("--seeds", type=_count, default=10, help="for --pd14: number of seeds (10)")
    made.add_argument("--background", choices=("poisson", "constant"), default="poisson",
                      help="for --pd14: Poisson events from outside, or the constant current of their mean (poisson)")
    made.add_argument("--against", default="HEAD~1", help="for history: the commit to compare with (HEAD~1)")
    made.add_argument("--cases", type=_list(CASES), default=(), help="for history: what is compared (cuba, brunel, "
                      "brunel_stdp, izhikevich, lsm)")
    made.add_argument("--json", help="file for the results; for report, where they are")
    made.add_argument("--out", default="build/benchmarks", help="folder for pictures (build/benchmarks)")
    return made


def _settings(options) -> Settings:
    threads = options.threads or ((1, 2) if cores() > 1 else (1,))
    peers = None if options.peers is None else tuple(peer for peer in options.peers if peer != "none")
    return Settings(threads, options.dtype, peers, options.rounds, options.patience, options.scale, options.fraction,
                    options.against, options.cases, options.seeds, options.background)


def _case(name, options, results) -> bool:
    """Measure a case, show it and keep it; return whether all agree."""
    table = compare(name, _settings(options))
    print(report.text(table), flush=True)
    results["cases"].append(table)
    return not table["disagreements"]


def _startup(options, results) -> bool:
    from benchmarks import startup

    results["startup"] = startup.measure(options.rounds)
    print("\nstart-up\n" + startup.text(results["startup"]), flush=True)
    return True


def _other(name, options, results) -> bool:
    module = importlib.import_module(f"benchmarks.{name.replace('-', '_')}")
    found, good = module.main(_settings(options), Path(options.out))
    results[name] = found
    return good


def _report(options) -> None:
    if not options.json:
        sys.exit("report needs the file of results: python -m benchmarks report --json FILE")
    print(report.markdown(json.loads(Path(options.json).read_text())))


def main(arguments=None) -> int:
    """Do what the command line says; return 0 if everything agreed and passed, else 1."""
    made = parser()
    options = made.parse_args(arguments)
    wanted = list(dict.fromkeys(each for name in options.what or DEFAULT for each in GROUPS.get(name, [name])))
    unknown = [name for name in wanted if name not in CASES and name not in OTHERS]
    if unknown:
        made.error(f"WHAT must be of {', '.join([*GROUPS, *CASES, *OTHERS])}, got {unknown[0]}")
    if options.pd14 and "microcircuit" not in wanted:
        made.error(f"--pd14 is of the microcircuit, got {', '.join(wanted)}")
    wanted = ["pd14" if options.pd14 and name == "microcircuit" else name for name in wanted]
    if "report" in wanted:
        _report(options)
        return 0
    results, good = {"machine": report.machine(), "cases": []}, True
    for name in wanted:
        try:
            good &= (_case(name, options, results) if name in CASES else
                     _startup(options, results) if name == "startup" else _other(name, options, results))
        except Exception as error:  # what was measured before is kept
            print(f"{name} failed: {error}", file=sys.stderr)
            results.setdefault("failed", {})[name] = str(error)
            good = False
        if options.json:
            report.write(results, options.json)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
