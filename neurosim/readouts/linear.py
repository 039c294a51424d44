"""Linear readouts as scikit-learn pipelines."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from neurosim.checks import check_numbers, check_whole, describe_value
from neurosim.errors import ParameterError

ALPHAS = np.logspace(0.0, 6.0, 25)
STRENGTHS = np.logspace(-5.0, 1.0, 7)


def ridge(alphas: Sequence[float] | np.ndarray = ALPHAS, *, scale: bool = True, root: bool = False) -> Pipeline:
    """Return a ridge classifier whose regularisation is chosen by leave-one-out on the training data.

    Minimises |y - X w|^2 + alpha |w|^2 for y = +-1 of each class; the class with the largest output wins.

    Args:
        alphas: the values to choose from, each > 0.
        scale: whether every feature, which is centred in any case, is divided by its standard deviation.
        root: whether square roots of the features are taken first; that evens out the variance of counts.

    >>> import numpy as np
    >>> X = np.array([[0.0, 1.0], [0.2, 0.9], [1.0, 0.0], [0.8, 0.1]])
    >>> ridge().fit(X, [0, 0, 1, 1]).predict([[0.9, 0.0]])
    array([1])

    Source: Golub, Heath, Wahba, Technometrics 21 (1979) 215 (generalised cross-validation).
    """
    steps = [FunctionTransformer(np.sqrt)] if root else []
    steps += [StandardScaler(with_std=scale), RidgeClassifierCV(alphas=positive("alphas", alphas))]
    return make_pipeline(*steps)


def logistic(strengths: Sequence[float] | np.ndarray = STRENGTHS, *, folds: int = 5,
             scale: bool = True) -> GridSearchCV:
    """Return a logistic classifier whose regularisation is chosen by cross-validation on the training data.

    Args:
        strengths: inverse regularisation strengths C to choose from, each > 0.
        folds: number of folds of the inner cross-validation, >= 2.
        scale: whether every feature is first centred and divided by its standard deviation.

    >>> type(logistic()).__name__
    'GridSearchCV'
    """
    folds = check_whole("logistic.folds", folds, at_least=2)
    model = make_pipeline(StandardScaler(with_std=scale), LogisticRegression(max_iter=2000))
    return GridSearchCV(model, {"logisticregression__C": positive("strengths", strengths)}, cv=folds)


def positive(name, values) -> np.ndarray:
    """Return numbers > 0 as an array; raise ParameterError."""
    array = np.atleast_1d(check_numbers(name, values))
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all() or (array <= 0).any():
        raise ParameterError(f"{name} must be finite numbers > 0, got {describe_value(values)}")
    return array
