"""Results that open in everybody's tools: spikes and whole runs in other formats, and spikes of others back.

`Spikes.to_neo`, `to_nwb`, `to_sonata` ... and `Spikes.from_...` are the doors of most of it; `ns.read_spikes` finds out
itself what a file is, and `sim.export` writes all that a run recorded. Each format is a module; packages of other tools
are imported when they are first used.
"""

from typing import TYPE_CHECKING

from neurosim import lazy

if TYPE_CHECKING:
    from neurosim.export.formats import read_spikes as read_spikes
    from neurosim.export.formats import write_spikes as write_spikes
else:
    __all__, __getattr__, __dir__ = lazy.exports(__name__, {"formats": ["read_spikes", "write_spikes"]})
