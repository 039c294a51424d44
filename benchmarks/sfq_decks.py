"""`python -m benchmarks.sfq_decks`: 20,000 damaged decks; fails where one crashes, hangs or loses a line silently.

Letters, words and lines of decks are lost, doubled, exchanged and replaced. A damaged deck must be read, or refused in
one sentence that names a line. Where it is read, every element line of its top level must be in the circuit.
"""

import argparse
import collections
import random
import re
import signal
import sys
import time
import warnings
from pathlib import Path

from hardware_models.sfq.circuit import read_deck
from neurosim.errors import NeurosimError

STRANGE = ["", "(", ")", "{", "=", "1e400", "-1", "0", "nan", "x", "*", "+", ".tran", ".end", "pwl(", "a=a", "\u00b2",
           "\0", "'"]
LETTERS = "(){}=,.*+-/^ 019eExkm\t'$;"
PATIENCE = 10  #: s for one deck


def damaged(text: str, chance: random.Random) -> str:
    """Return a deck with one to four faults."""
    for _ in range(chance.randint(1, 4)):
        lines = text.split("\n")
        at = chance.randrange(len(lines))
        kind, words = chance.randrange(7), lines[at].split(" ")
        if kind == 0 and len(lines) > 1:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[chance.randrange(len(lines))])
        elif kind in (2, 3):
            words[chance.randrange(len(words))] = chance.choice(STRANGE) if kind == 3 else ""
            lines[at] = " ".join(words)
        elif lines[at]:
            place = chance.randrange(len(lines[at]))
            new = chance.choice(LETTERS) if kind < 6 else ""
            lines[at] = lines[at][:place] + new + lines[at][place + 1:]
        text = "\n".join(lines)
    return text


def lost(text: str, circuit) -> list[str]:
    """Return the names of the element lines of the top level of a deck that a circuit does not hold."""
    names, inside = [], False
    for line in text.splitlines():
        words = re.split(r"[\s,]+", line.strip().lower())
        word = words[0]
        if word == ".end":
            break
        inside = inside or word in (".subckt", ".control")
        if word in (".ends", ".endc"):
            inside = False
        elif not inside and word and word[0].isalpha():
            names.append(word)
    held = {*circuit.placed, *circuit.couplings, *circuit.lines, *circuit.controls}
    return [name for name in names if name not in held and not any(each.startswith(f"{name}.") for each in held)]


def measure(texts: list[str], number: int, seed: int) -> tuple[collections.Counter, list[str]]:
    """Read so many damaged decks; return how many were read and refused, and what went wrong."""
    chance, counts, faults = random.Random(seed), collections.Counter(), []
    for _ in range(number):
        text = damaged(chance.choice(texts), chance) + "\n"
        signal.alarm(PATIENCE)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                deck = read_deck(text)
            counts["read"] += 1
            missing = lost(text, deck.circuit)
            if missing:
                faults.append(f"lost {', '.join(missing)} in {text!r}")
        except NeurosimError as error:
            counts["refused"] += 1
            if "line " not in str(error) or "\n" in str(error):
                faults.append(f"no line in {error!s:.200}")
        except Exception as error:
            faults.append(f"{type(error).__name__}: {error} in {text!r}")
        finally:
            signal.alarm(0)
    return counts, faults


def main() -> int:
    """Measure, print, and return 1 where something went wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sfq_decks", description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=20_000, help="damaged decks (20,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", default=str(Path(__file__).parent.parent / "tests" / "golden" / "sfq_decks"),
                        help="whose .cir files are damaged (those of the tests)")
    options = parser.parse_args()
    texts = [path.read_text(encoding="latin-1") for path in sorted(Path(options.folder).rglob("*.cir"))]
    began = time.perf_counter()
    counts, faults = measure(texts, options.number, options.seed)
    print(f"{options.number} damaged decks from {len(texts)}: {counts['read']} read, {counts['refused']} refused, "
          f"{len(faults)} faults, {time.perf_counter() - began:.0f} s")
    for fault in faults[:10]:
        print(fault)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
