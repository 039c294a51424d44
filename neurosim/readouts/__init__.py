"""Readouts: scikit-learn estimators over reservoir states, one for online use, and honest evaluation."""

from neurosim.readouts.bessel import bessel as bessel
from neurosim.readouts.evaluation import Evaluation as Evaluation
from neurosim.readouts.evaluation import evaluate as evaluate
from neurosim.readouts.evaluation import interval as interval
from neurosim.readouts.evaluation import score as score
from neurosim.readouts.gram import GramRidge as GramRidge
from neurosim.readouts.gram import gram as gram
from neurosim.readouts.linear import logistic as logistic
from neurosim.readouts.linear import ridge as ridge
from neurosim.readouts.online import RecursiveLeastSquares as RecursiveLeastSquares
from neurosim.readouts.poisson import PlaceDecoder as PlaceDecoder
from neurosim.readouts.poisson import SwitchingPoisson as SwitchingPoisson

__all__ = ["Evaluation", "GramRidge", "PlaceDecoder", "RecursiveLeastSquares", "SwitchingPoisson", "bessel", "evaluate",
           "gram", "interval", "logistic", "ridge", "score"]
