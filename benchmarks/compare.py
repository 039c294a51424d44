"""Measures one case: all competitors in alternation, each time in a process of its own; medians and ratios of them."""

import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bandwidth, child
from benchmarks.cases import CASES, Case
from benchmarks.peers import OURS, PEERS, Peer
from neurosim import machine
from neurosim.reservoirs.named.microcircuit_data import POPULATIONS, RATES


@dataclass(frozen=True)
class Settings:
    """How cases are measured.

    Args:
        threads, dtypes: of neurosim; every combination is measured. The type "packed" is float32 with weights packed.
        peers: names, or None for those of each case.
        rounds: how often each is measured.
        patience: seconds of simulation after which a competitor is not measured again.
        scale, fraction: shares of the neurons and of the time.
        against, cases: of `history`, the commit that this checkout is compared with, and the cases.
        seeds, background: of `microcircuit --pd14`, the number of seeds and the kind of input from outside.
    """

    threads: tuple[int, ...] = (1,)
    dtypes: tuple[str, ...] = ("float32",)
    peers: tuple[str, ...] | None = None
    rounds: int = 3
    patience: float = 15.0
    scale: float = 1.0
    fraction: float = 1.0
    against: str = "HEAD~1"
    cases: tuple[str, ...] = ()
    seeds: int = 10
    background: str = "poisson"


@dataclass(frozen=True)
class Competitor:
    """Who runs a case, and with which settings."""

    peer: Peer
    threads: int
    dtype: str


def compare(name: str, settings: Settings) -> dict:
    """Measure a case; return its table: rows, who is absent, and what does not agree."""
    case = CASES[name].scaled(settings.scale).shortened(settings.fraction)
    competitors, absent = _competitors(case, settings)
    with tempfile.TemporaryDirectory() as folder:
        found = _rounds(name, competitors, settings, Path(folder))
    rows = [_row(case, competitor, results) for competitor, results in found.items() if results]
    failed = [competitor.peer.what for competitor, results in found.items() if not results]
    _add_ratios(rows)
    _add_bound(case, rows)
    return {"case": name, "what": case.what, "neurons": sum(case.n), "scale": settings.scale, "simulated_ms": case.run,
            "sample": case.sample, "tolerance": case.tolerance, "why": case.why, "rows": rows, "absent": absent,
            "failed": failed, "disagreements": disagreements(case, rows)}


def _competitors(case, settings):
    """Return who takes part, and who is left out and why."""
    dtypes = _dtypes(case, settings)
    found = [Competitor(OURS, threads, dtype) for dtype in dtypes for threads in settings.threads]
    absent = [f"{case.name} has no weights to pack"] if "packed" in settings.dtypes and not case.packs else []
    most = max(settings.threads)
    for name in case.peers if settings.peers is None else settings.peers:
        peer = PEERS[name]
        if case.family not in peer.families:
            absent.append(f"{peer.what} has no {case.family}")
        elif not peer.installed:
            absent.append(f"{peer.what} is not installed")
        else:
            # a single float type is what NEST has, and float32 is what makes Brian2 fastest
            dtype = "float64" if name == "nest" else "float32"
            found.append(Competitor(peer, peer.threads(case, most), dtype))
    return found, absent


def _dtypes(case, settings):
    """Return the float types that are measured; a case without weights to pack is measured in float32 at least."""
    return tuple(dtype for dtype in settings.dtypes if dtype != "packed" or case.packs) or ("float32",)


def _rounds(name, competitors, settings, folder):
    """Return the results of each competitor, measured in turns until there are enough or it took too long."""
    found, spent = {competitor: [] for competitor in competitors}, dict.fromkeys(competitors, 0.0)
    compiled = {dtype: _compile(name, settings, dtype, folder)
                for dtype in dict.fromkeys(each.dtype for each in competitors if each.peer is OURS)}
    for _ in range(settings.rounds):
        for competitor in competitors:
            if spent[competitor] > settings.patience:
                continue
            result = _one(name, competitor, settings, folder)
            if result is None:
                spent[competitor] = float("inf")
                continue
            spent[competitor] += result["simulate"]
            if competitor.peer is OURS:
                result["compile"] = compiled[competitor.dtype]
            found[competitor].append(result)
    return found


def _compile(name, settings, dtype, folder) -> float:
    """Fill an empty cache of kernels and return the seconds that it took."""
    return child.run("benchmarks.child:measure", environment=_environment(OURS, 1, folder), peer=OURS.name, case=name,
                     scale=settings.scale, fraction=settings.fraction, threads=max(settings.threads), dtype=dtype,
                     function="measure_compile")["compile"]


def _environment(peer, threads, folder):
    return peer.environment(threads) | {"NEUROSIM_CACHE": str(folder / "kernels")}


def _one(name, competitor, settings, folder):
    """Return the result of one process, or None where it failed; why is said."""
    peer, threads = competitor.peer, competitor.threads
    place = folder / f"{peer.name}_{competitor.dtype}"
    place.mkdir(exist_ok=True)
    print(f"  {name}: {peer.what}, {threads} thread{'s' * (threads > 1)}, {competitor.dtype}", file=sys.stderr)
    try:
        return child.run("benchmarks.child:measure", environment=_environment(peer, threads, folder), peer=peer.name,
                         case=name, scale=settings.scale, fraction=settings.fraction, threads=threads,
                         dtype=competitor.dtype, folder=str(place))
    except child.Failed as error:
        if peer is OURS:
            raise
        print(f"{peer.what} failed and is left out: {error}", file=sys.stderr)
        return None


def _row(case: Case, competitor, results) -> dict:
    """Return the medians of a competitor's results, and what follows from them."""
    def median(key):
        return statistics.median(result.get(key, 0.0) for result in results)

    if competitor.peer.compiles_within and len(results) > 1:  # the first build is the one that compiled
        again = statistics.median(result["build"] for result in results[1:])
        results = [result | {"build": again, "compile": max(0.0, results[0]["build"] - again)} for result in results]
    rates = [statistics.median(values) for values in zip(*(result["rates"] for result in results), strict=True)]
    ms, simulate = results[0]["run"], median("simulate")
    events = case.events(rates, ms) + results[0].get("input_events", 0.0)
    row = {"peer": competitor.peer.name, "what": competitor.peer.what, "threads": competitor.threads,
           "dtype": competitor.dtype, "rounds": len(results), "run_ms": ms, "build": median("build"),
           "compile": max(result.get("compile", 0.0) for result in results), "simulate": simulate,
           "least": min(result["simulate"] for result in results), "most": max(r["simulate"] for r in results),
           "real_time_factor": simulate / ms * 1e3, "events": events, "events_per_s": events / simulate,
           "ns_per_update": simulate * 1e9 / (sum(case.n) * ms / case.dt), "memory_mb": median("memory_mb"),
           "rate": sum(rate * n for rate, n in zip(rates, case.n, strict=True)) / sum(case.n), "rates": rates,
           "versions": results[0]["versions"]}
    if case.sample:
        row["samples_per_s"] = ms / case.sample_ms / simulate
    return row


def _add_ratios(rows) -> None:
    """Add to our rows how many times faster than the best peer they are, by simulated time."""
    best = min((row["real_time_factor"] for row in rows if row["peer"] != OURS.name), default=None)
    for row in rows:
        ours = row["peer"] == OURS.name
        row["times_faster"] = best / row["real_time_factor"] if best and ours else None


def _add_bound(case, rows) -> None:
    """Add to our rows the time that moving the bytes takes, at the speed that is measured now."""
    for row in rows:
        row["bound"] = row["share_of_bound"] = None
        if row["peer"] == OURS.name:
            state, synapses = bandwidth.working_sets(case, row["dtype"])
            speed = child.run("benchmarks.bandwidth:measure", state=state, synapses=synapses, threads=row["threads"])
            row["bandwidth"] = speed
            row["bound"] = bandwidth.bound(case, row["dtype"], row["events"], row["run_ms"], speed)
            row["share_of_bound"] = row["bound"] / row["simulate"]


def disagreements(case: Case, rows) -> list[str]:
    """Return a sentence for each mean rate that is not the first competitor's, and for each not as published."""
    found, ours = [], rows[0]["rate"]
    for row in rows[1:]:
        if abs(row["rate"] - ours) > case.tolerance * ours:
            found.append(f"{case.name}: mean rates must agree within {case.tolerance * 100:g}% ({case.why}), got "
                         f"{ours:.3f} Hz in neurosim and {row['rate']:.3f} Hz in {row['what']}, {row['dtype']}")
    if case.family == "microcircuit" and case.scale == 1.0 and case.run >= 10000.0:
        for name, rate, published in zip(POPULATIONS, rows[0]["rates"], RATES, strict=True):
            if abs(rate - published) > max(0.1, 0.05 * published):
                found.append(f"microcircuit: {name} must fire at {published} Hz within 5 % or 0.1 Hz, as published, "
                             f"got {rate:.3f} Hz")
    return found


def cores() -> int:
    """Return the number of cores that this process may use."""
    return machine.cores()
