"""Tables of what was measured: for the terminal, as JSON, and as the Markdown of docs/performance.md."""

import json
import platform
from pathlib import Path

from neurosim.files import whole_file
from neurosim.machine import cores
from neurosim.reservoirs.named.microcircuit_data import POPULATIONS, RATES

_COLUMNS = (("", "what", "s"), ("thr", "threads", "d"), ("type", "dtype", "s"), ("rounds", "rounds", "d"),
            ("build s", "build", ".2f"), ("compile s", "compile", ".1f"), ("simulate s", "simulate", ".3f"),
            ("least", "least", ".3f"), ("most", "most", ".3f"), ("x real", "real_time_factor", ".4f"),
            ("Mev/s", "events_per_s", ".0f"), ("ns/upd", "ns_per_update", ".3f"), ("MB", "memory_mb", ".0f"),
            ("Hz", "rate", ".2f"), ("ratio", "times_faster", ".1f"), ("bound", "share_of_bound", ".0%"))
_SHORT = ("", "thr", "type", "build s", "compile s", "simulate s", "x real", "Mev/s", "ns/upd", "MB", "Hz", "ratio",
          "bound")


def cells(row: dict, columns=_COLUMNS) -> list[str]:
    """Return a row as texts."""
    found = []
    for _, key, form in columns:
        value = row.get(key)
        if key == "events_per_s" and value is not None:
            value /= 1e6
        found.append("" if value is None else format(value, form))
    return found


def text(table: dict) -> str:
    """Return the table of a case for the terminal."""
    lines = [[head for head, _, _ in _COLUMNS], *(cells(row) for row in table["rows"])]
    widths = [max(len(line[k]) for line in lines) for k in range(len(_COLUMNS))]
    body = ["  ".join(cell.ljust(width) if k in (0, 2) else cell.rjust(width)
                      for k, (cell, width) in enumerate(zip(line, widths, strict=True))) for line in lines]
    return "\n".join([f"\n{table['case']}: {table['what']}; {table['simulated_ms'] / 1e3:g} s", *body, *_notes(table)])


def _notes(table) -> list[str]:
    notes = list(table["absent"])
    notes += [f"{name} failed" for name in table["failed"]]
    notes += [f"{row['what']} ran {row['run_ms'] / 1e3:g} s only, being slow" for row in table["rows"]
              if row["run_ms"] != table["simulated_ms"]]
    notes += [f"{row['what']} with {row['threads']} thread{'s' * (row['threads'] > 1)} and {row['dtype']}: "
              f"{row['samples_per_s']:.0f} {table['sample']}s/s" for row in table["rows"] if "samples_per_s" in row]
    if table["case"] == "microcircuit":
        notes.append("Hz, published / here: " + ", ".join(
            f"{name} {published} / {rate:.3f}" for name, published, rate in
            zip(POPULATIONS, RATES, table["rows"][0]["rates"], strict=True)))
    agreed = "disagree" if table["disagreements"] else "agree"
    if len(table["rows"]) > 1:
        notes.append(f"mean rates {agreed} within {table['tolerance'] * 100:g}%: {table['why']}")
    return notes + table["disagreements"]


def markdown(results: dict) -> str:
    """Return all tables of a file of results as Markdown."""
    parts = [f"Measured on {results['machine']}: medians, each measurement in a process of its own, the simulators "
             "taking turns."]
    columns = [column for column in _COLUMNS if column[0] in _SHORT]
    for table in results["cases"]:
        parts.append(f"### {table['case']}: {table['what']}\n\n{table['simulated_ms'] / 1e3:g} s simulated.")
        lines = [[head for head, _, _ in columns], ["---"] * len(columns),
                 *(cells(row, columns) for row in table["rows"])]
        parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines))
        parts.append("\n".join(f"- {note}" for note in _notes(table)))
    if results.get("startup"):
        rows = [f"| {name} | {value:.3f} |" for name, value in results["startup"].items()]
        parts.append("### startup\n\n" + "\n".join(["| start | seconds |", "| --- | --- |", *rows]))
    if results.get("kernels"):
        rows = [f"| {row['name']} | {row['ns']:.3f} | {row['ratio']:.2f} | {row['most']:g} |"
                for row in results["kernels"]]
        parts.append("### kernels\n\n" + "\n".join(["| loop | ns per element | times a copy | may be |",
                                                    "| --- | --- | --- | --- |", *rows]))
    versions = sorted({row["versions"] for table in results["cases"] for row in table["rows"]})
    if versions:
        parts.append("Versions: " + "; ".join(versions) + ".")
    return "\n\n".join(parts)


def machine() -> str:
    """Return one line about this machine."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":", 1)[1].strip() if lines else name
    return f"{cores()} cores, {name}, Python {platform.python_version()}"


def write(results: dict, path) -> None:
    """Write results as JSON, whole or not at all."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, encoding="utf-8") as file:
        json.dump(results, file, indent=1)
