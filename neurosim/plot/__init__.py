"""Plots; matplotlib is imported when the first one is drawn. Each takes `ax` and returns its artists."""

from neurosim.plot.axes import COLORS as COLORS
from neurosim.plot.networks import connectivity as connectivity
from neurosim.plot.recordings import activity as activity
from neurosim.plot.recordings import confusion as confusion
from neurosim.plot.recordings import events as events
from neurosim.plot.sound import sound as sound
from neurosim.plot.spikes import isi_histogram as isi_histogram
from neurosim.plot.spikes import population_rate as population_rate
from neurosim.plot.spikes import raster as raster
from neurosim.plot.style import FORMATS as FORMATS
from neurosim.plot.style import letters as letters
from neurosim.plot.style import save as save
from neurosim.plot.style import style as style
from neurosim.plot.variables import traces as traces
from neurosim.plot.weights import weight_matrix as weight_matrix

__all__ = [
    "activity", "confusion", "connectivity", "events", "isi_histogram", "letters", "population_rate", "raster",
    "save", "sound", "style", "traces", "weight_matrix",
]
