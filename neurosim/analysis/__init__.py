"""Measures of recorded spikes, beside those that `Spikes` has itself: `counts`, `rates`, `bin`, `isi` and `cv`.

All take `Spikes`; what compares trains compares all of a recording with each other, in compiled loops.
"""

from neurosim.analysis.avalanches import Avalanches as Avalanches
from neurosim.analysis.avalanches import avalanches as avalanches
from neurosim.analysis.correlation import coherence as coherence
from neurosim.analysis.correlation import correlation as correlation
from neurosim.analysis.correlation import sttc as sttc
from neurosim.analysis.correlation import synchrony as synchrony
from neurosim.analysis.correlogram import autocorrelogram as autocorrelogram
from neurosim.analysis.correlogram import correlogram as correlogram
from neurosim.analysis.distances import isi_distance as isi_distance
from neurosim.analysis.distances import spike_distance as spike_distance
from neurosim.analysis.distances import spike_synchronization as spike_synchronization
from neurosim.analysis.distances import van_rossum as van_rossum
from neurosim.analysis.distances import victor_purpura as victor_purpura
from neurosim.analysis.intervals import cv2 as cv2
from neurosim.analysis.intervals import fano as fano
from neurosim.analysis.intervals import lv as lv
from neurosim.analysis.power_law import PowerLaw as PowerLaw
from neurosim.analysis.power_law import power_law as power_law
from neurosim.analysis.trials import psth as psth
from neurosim.analysis.trials import spike_triggered_average as spike_triggered_average
from neurosim.analysis.trials import trials as trials

__all__ = ["Avalanches", "PowerLaw", "autocorrelogram", "avalanches", "coherence", "correlation", "correlogram", "cv2",
           "fano", "isi_distance", "lv", "power_law", "psth", "spike_distance", "spike_synchronization",
           "spike_triggered_average", "sttc", "synchrony", "trials", "van_rossum", "victor_purpura"]
