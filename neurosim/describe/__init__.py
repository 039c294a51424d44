"""A network as a person reads it: a summary of one screenful, and tables for a methods section.

It reads a description and nothing else, so that it knows no dt, no seed and no arrays of synapses;
numbers of synapses are those that the rules expect. The tables follow Nordlie, Gewaltig, Plesser,
Towards reproducible descriptions of neuronal network models, PLoS Comput. Biol. 5 (2009) e1000456.
"""

from neurosim.describe.docstrings import is_equation
from neurosim.describe.overview import MOST_LINES, summary
from neurosim.describe.sections import describe
from neurosim.describe.sizes import synapse_bytes
from neurosim.describe.values import value_text

__all__ = ["MOST_LINES", "describe", "is_equation", "summary", "synapse_bytes", "value_text"]
