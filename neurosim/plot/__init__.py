"""Plots; matplotlib is imported when the first one is drawn. Each takes `ax` and returns its artists."""

from neurosim.plot.basic import COLORS as COLORS
from neurosim.plot.basic import connectivity as connectivity
from neurosim.plot.basic import isi_histogram as isi_histogram
from neurosim.plot.basic import population_rate as population_rate
from neurosim.plot.basic import raster as raster
from neurosim.plot.basic import traces as traces
from neurosim.plot.basic import weight_matrix as weight_matrix
from neurosim.plot.recordings import activity as activity
from neurosim.plot.recordings import confusion as confusion
from neurosim.plot.recordings import events as events

__all__ = [
    "activity", "confusion", "connectivity", "events", "isi_histogram", "population_rate", "raster", "traces",
    "weight_matrix",
]
