"""`python -m benchmarks [CASE ...]`: measure neurosim and its peers in alternation, and print a table.

Every measurement is a process of its own, so that nobody inherits another's memory or threads. The
simulators take turns, and medians are shown, because a shared machine is never quiet for long.
"""

import argparse
import importlib
import json
import platform
import resource
import statistics
import subprocess
import sys

from benchmarks.cases import CASES

PEERS = {"neurosim": "benchmarks.ours", "brian2": "benchmarks.brian2_peer"}
NEEDS = {"neurosim": "neurosim", "brian2": "brian2"}


def one(peer: str, case: str, threads: int, dtype: str) -> dict:
    """Measure in this process; it ends afterwards."""
    module = importlib.import_module(PEERS[peer])
    result = module.measure(CASES[case], threads, dtype)
    memory = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return result | {"memory_mb": memory / 1024, "versions": module.versions()}


def in_process(peer: str, case: str, threads: int, dtype: str) -> dict:
    """Measure in a new process."""
    command = [sys.executable, "-m", "benchmarks", "--one", peer, case, "--threads", str(threads), "--dtype", dtype]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{peer} failed on {case}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def run_case(name: str, peers: list[str], threads: int, rounds: int, dtype: str) -> list[dict]:
    """Measure all peers in alternation; return one row of medians each."""
    case, rows = CASES[name], {peer: [] for peer in peers}
    in_process("neurosim", name, threads, dtype)  # fills the cache of compiled kernels; its time is shown by `startup`
    for _ in range(rounds):
        for peer in peers:
            # Brian2 is at its best with one thread: its OpenMP loops are slower on these networks
            rows[peer].append(in_process(peer, name, threads if peer == "neurosim" else 1, dtype))
    table = [_median(case, peer, found, threads if peer == "neurosim" else 1) for peer, found in rows.items()]
    best = min((row["simulate"] for row in table if row["peer"] != "neurosim"), default=None)
    for row in table:
        row["times_faster"] = best / row["simulate"] if best and row["peer"] == "neurosim" else None
    return table


def _median(case, peer, found, threads) -> dict:
    row = {key: statistics.median(each[key] for each in found) for key in found[0] if key != "versions"}
    row["spread"] = [min(each["simulate"] for each in found), max(each["simulate"] for each in found)]
    row |= {"case": case.name, "peer": peer, "threads": threads, "rounds": len(found), "versions": found[0]["versions"]}
    seconds = row["simulate"]
    row["real_time_factor"] = seconds / (case.run * 1e-3)
    row["events_per_s"] = row["rate"] * sum(case.n) * case.fan_out * case.run * 1e-3 / seconds
    row["ns_per_update"] = seconds * 1e9 / (sum(case.n) * case.run / case.dt)
    return row


def check_rates(table: list[dict]) -> None:
    """Stop where the simulators do not do the same work."""
    rates = {row["peer"]: row["rate"] for row in table}
    ours, tolerance = rates["neurosim"], CASES[table[0]["case"]].tolerance
    for peer, rate in rates.items():
        if abs(rate - ours) > tolerance * ours:
            sys.exit(f"{table[0]['case']}: the mean rates must agree within {tolerance:.0%}, got {ours:.2f} Hz here "
                     f"and {rate:.2f} Hz in {peer}")


def show(table: list[dict]) -> None:
    """Print a table of one case."""
    print(f"\n{CASES[table[0]['case']].what}; {CASES[table[0]['case']].run / 1e3:g} s simulated, "
          f"{platform.processor() or ''}")
    print(f"{'':10s}{'thr':>4s}{'build':>8s}{'compile':>9s}{'simulate (min .. max)':>27s}{'x real':>9s}"
          f"{'Mev/s':>8s}{'ns/upd':>8s}{'MB':>7s}{'Hz':>7s}{'ratio':>7s}")
    for row in table:
        low, high = row["spread"]
        span = f"{row['simulate']:.3f} s ({low:.3f} .. {high:.3f})"
        ratio = "" if row["times_faster"] is None else f"{row['times_faster']:.1f}"
        print(f"{row['peer']:10s}{row['threads']:4d}{row['build']:8.2f}{row.get('compile', 0):9.2f}{span:>27s}"
              f"{row['real_time_factor']:9.4f}{row['events_per_s'] / 1e6:8.0f}{row['ns_per_update']:8.3f}"
              f"{row['memory_mb']:7.0f}{row['rate']:7.2f}{ratio:>7s}")


def installed(peer: str) -> bool:
    """Return whether a simulator can be imported."""
    return importlib.util.find_spec(NEEDS[peer]) is not None


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=None, metavar="CASE",
                        help=f"{', '.join(CASES)} or startup; by default cuba, brunel and startup")
    parser.add_argument("--threads", type=int, default=1, help="threads of neurosim (1)")
    parser.add_argument("--peers", default="all", help="comma-separated, of brian2; all that are installed by default")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float64"))
    parser.add_argument("--json", help="file for the results")
    parser.add_argument("--one", metavar="PEER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    cases = arguments.cases or ["cuba", "brunel", "startup"]
    unknown = [case for case in cases if case not in CASES and case != "startup"]
    if unknown:
        parser.error(f"CASE must be one of {', '.join([*CASES, 'startup'])}, got {unknown[0]}")
    if arguments.one:
        print(json.dumps(one(arguments.one, cases[0], arguments.threads, arguments.dtype)))
        return
    wanted = [peer for peer in PEERS if peer != "neurosim"] if arguments.peers == "all" else arguments.peers.split(",")
    peers = ["neurosim", *(peer for peer in wanted if peer in PEERS and installed(peer))]
    for peer in wanted:
        if peer not in peers:
            print(f"{peer} is not installed and is left out")
    results = []
    for case in cases:
        if case == "startup":
            from benchmarks import startup

            print("\nstart-up\n" + startup.report(arguments.rounds))
            continue
        table = run_case(case, peers, arguments.threads, arguments.rounds, arguments.dtype)
        show(table)
        check_rates(table)
        results += table
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
