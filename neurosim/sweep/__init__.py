"""Sweeps: a function tried at many points, on many cores, that survive whatever ends the process.

    from neurosim.sweep import Grid, sweep

    def accuracy(noise, bits, seed): ...

    result = sweep(accuracy, Grid(noise=[0.0, 0.1, 0.2], bits=[4, 8]), seeds=5, folder="results")
    result.plot(x="noise", lines="bits")
"""

from neurosim.sweep.result import Result as Result
from neurosim.sweep.spaces import Grid as Grid
from neurosim.sweep.spaces import Points as Points
from neurosim.sweep.spaces import QuasiRandom as QuasiRandom
from neurosim.sweep.spaces import Random as Random
from neurosim.sweep.spaces import Range as Range
from neurosim.sweep.study import Study as Study
from neurosim.sweep.sweeping import load as load
from neurosim.sweep.sweeping import names as names
from neurosim.sweep.sweeping import sweep as sweep

__all__ = ["Grid", "Points", "QuasiRandom", "Random", "Range", "Result", "Study", "load", "names", "sweep"]
