"""What scikit-learn asks of an estimator whose weights are not trained: parameters, copies, a place in a pipeline."""

from typing import Any, Self

from neurosim.checks import Parametrised
from neurosim.errors import ParameterError


class Estimator:
    """Base of the reservoirs as scikit-learn's transformers, without a need for scikit-learn itself.

    A class gives `transform(X)` and has its parameters in `_given()`. Parameters of a part, such as the device of an
    echo state network, are reached by two underscores: `set_params(device__read_noise=0.1)`.
    """

    def _given(self) -> dict[str, Any]:
        """Return the parameters by name, as they were given."""
        raise NotImplementedError

    def __setattr__(self, name, value):
        if name.startswith("_"):  # scikit-learn keeps notes of its own on the steps of a pipeline
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Args:
            deep: whether those of the parts are there too, as part__name.
        """
        given = self._given()
        parts = {name: value for name, value in given.items() if isinstance(value, Parametrised)} if deep else {}
        return given | {f"{name}__{inner}": value for name, part in parts.items()
                        for inner, value in part.values().items()}

    def set_params(self, **params: Any) -> Self:
        """Change parameters in place, make everything anew from them, and return the object.

        Raises:
            ParameterError: there is no such parameter, or a value does not fit; then nothing is changed.
        """
        changed = self._given()
        for key, value in params.items():
            name, _, inner = key.partition("__")
            if name not in changed or (inner and not isinstance(changed[name], Parametrised)):
                raise ParameterError(f"{type(self).__name__} has no parameter {key!r}; it has "
                                     f"{', '.join(self.get_params())}")
            changed[name] = changed[name].replace(**{inner: value}) if inner else value
        made = type(self)(**changed)
        self.__dict__.clear()
        self.__dict__.update(made.__dict__)
        return self

    def fit(self, X=None, y=None) -> Self:
        """Return the object itself: its weights are not trained."""
        return self

    def transform(self, X) -> Any:
        """Return the states for X."""
        raise NotImplementedError

    def fit_transform(self, X, y=None) -> Any:
        """Return `transform(X)`."""
        return self.transform(X)

    def __sklearn_clone__(self) -> Self:
        return type(self)(**self._given())

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self):
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), transformer_tags=TransformerTags(),
                    requires_fit=False)


__all__ = ["Estimator"]
