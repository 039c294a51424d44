"""Output of a deck in files that other tools read: comma or space separated columns, and the raw files of SPICE."""

import time
from pathlib import Path

import numpy as np

from hardware_models.sfq.circuit.deck.prints import UNITS
from hardware_models.sfq.circuit.deck.reader import Deck
from hardware_models.sfq.circuit.deck.running import output
from hardware_models.sfq.circuit.run import Run
from neurosim.errors import ParameterError
from neurosim.files import whole_file

SEPARATORS = {".csv": ",", ".dat": " "}


def write_output(path: str | Path, deck: Deck, run: Run) -> None:
    """Write what the .print lines of a deck ask for, in the form of JoSIM: .csv, .dat (spaces) or .raw (SPICE, ASCII).

    Columns are time (s), then voltages (V), currents (A) and phases (rad) under the names that JoSIM gives them.

    Args:
        path: of the file; its ending chooses the form.
        deck: what `read_deck` returned.
        run: what `run_deck` returned.

    Raises:
        ParameterError: the deck asks for nothing, or the ending is another.
        FileError: the file cannot be written.

    Source of the forms: JoSIM 2.7; SPICE3f5 manual (raw files).
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (*SEPARATORS, ".raw"):
        raise ParameterError(f"{path} must end in .csv, .dat or .raw")
    names, table = output(deck, run)
    with whole_file(path, encoding="ascii") as file:
        if ending == ".raw":
            _raw(file, deck, names, table)
        else:
            between = SEPARATORS[ending]
            file.write(between.join(["time", *(f'"{name}"' for name in names[1:])]) + "\n")
            np.savetxt(file, table, fmt="%.9e", delimiter=between)


def _raw(file, deck, names, table):
    head = [f"Title: {deck.circuit.name}", f"Date: {time.asctime()}", "Plotname: Transient Analysis", "Flags: real",
            f"No. Variables: {len(names)}", f"No. Points: {len(table)}", "Command: neurosim", "Variables:",
            " 0 time Seconds"]
    for at, each in enumerate(deck.prints, 1):
        name = f"{each.label[2:-1].replace('|', '.')}#branch" if each.quantity == "i" else each.label
        head.append(f" {at} {name} {UNITS[each.quantity]}")
    file.write("\n".join([*head, "Values:"]) + "\n")
    for at, row in enumerate(table):
        file.write(f"{at}\t{row[0]:.9e}\n" + "".join(f"\t{value:.9e}\n" for value in row[1:]))
