"""Reads SPICE- and JoSIM-style decks; what is not in the stated syntax is refused by file, line and element."""

from typing import TYPE_CHECKING

from neurosim import lazy

_WHERE = {"reader": ["Deck", "read_deck"], "running": ["output", "run_deck"], "files": ["write_output"]}

if TYPE_CHECKING:
    from hardware_models.sfq.circuit.deck.files import write_output as write_output
    from hardware_models.sfq.circuit.deck.reader import Deck as Deck
    from hardware_models.sfq.circuit.deck.reader import read_deck as read_deck
    from hardware_models.sfq.circuit.deck.running import output as output
    from hardware_models.sfq.circuit.deck.running import run_deck as run_deck
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, _WHERE)
