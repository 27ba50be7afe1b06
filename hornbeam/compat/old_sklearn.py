"""``KerasClassifier`` and ``KerasRegressor`` of ``keras.wrappers.scikit_learn``."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.compat.notes import note
from hornbeam.keras.models import Model
from hornbeam.keras.utils import to_categorical


class BaseWrapper:
    """A function that makes compiled models, with its arguments and those of ``fit`` as parameters.

    Args:
        build_fn: makes a compiled model; a subclass may have ``__call__`` instead.
        **sk_params: arguments of ``build_fn``, and of ``fit``, ``predict``, ``evaluate``.

    References: Keras 2 ``wrappers.scikit_learn``.
    """

    def __init__(self, build_fn: Callable | None = None, **sk_params: Any) -> None:
        note("keras.wrappers.scikit_learn: `keras.wrappers.SKLearnClassifier` and `SKLearnRegressor` follow it.")
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    # --- parameters ------------------------------------------------------------------------------
    def _functions(self) -> list[Callable]:
        return [Model.fit, Model.predict, Model.evaluate, self._builder()]

    def _builder(self) -> Callable:
        if self.build_fn is None:
            return type(self).__call__  # type: ignore[attr-defined]
        plain = inspect.isfunction(self.build_fn) or inspect.ismethod(self.build_fn)
        return self.build_fn if plain else type(self.build_fn).__call__

    def check_params(self, params: dict[str, Any]) -> None:
        """Refuse parameters that nobody takes.

        Raises:
            ValueError: one of them.
        """
        known: set[str] = {"nb_epoch"}
        for function in self._functions():
            found = inspect.signature(function).parameters
            if any(one.kind is one.VAR_KEYWORD for one in found.values()) and function not in self._functions()[:3]:
                return
            known |= set(found)
        for name in params:
            if name not in known:
                raise ValueError(f"{name} is not a legal parameter: neither the function nor `fit` takes it.")

    def get_params(self, deep: bool = True, **params: Any) -> dict[str, Any]:
        """The parameters, the function among them."""
        return {**copy.copy(self.sk_params), "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> BaseWrapper:
        """Change parameters."""
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def filter_sk_params(self, fn: Callable, override: dict[str, Any] | None = None) -> dict[str, Any]:
        """The parameters that a function takes."""
        found = inspect.signature(fn).parameters
        takes = {"nb_epoch"} if fn is Model.fit else set()
        kept = {name: value for name, value in self.sk_params.items() if name in found or name in takes}
        return {**kept, **(override or {})}

    # --- work ------------------------------------------------------------------------------------
    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Make a model and train it.

        Args:
            x: samples.
            y: targets.
            **kwargs: arguments of ``fit``; they win over the parameters.

        Returns:
            The history of the training.
        """
        build = self.__call__ if self.build_fn is None else self.build_fn  # type: ignore[attr-defined]
        self.model = build(**self.filter_sk_params(self._builder()))
        loss = self.model.loss
        if callable(loss) and hasattr(loss, "__name__"):
            loss = loss.__name__
        y = np.asarray(y)
        if loss == "categorical_crossentropy" and y.ndim != 2:
            y = to_categorical(y)
        options = {**self.filter_sk_params(Model.fit), **kwargs}
        if "nb_epoch" in options:
            options["epochs"] = options.pop("nb_epoch")
        self.history = self.model.fit(x, y, **options)
        return self.history

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def __sklearn_clone__(self) -> Any:
        return type(self)(self.build_fn, **copy.deepcopy(self.sk_params))


class Classifier(BaseWrapper):
    """A Keras model as a classifier.

    Args:
        build_fn: makes a compiled model.
        **sk_params: arguments of ``build_fn``, and of ``fit``, ``predict``, ``evaluate``.

    References: Keras 2 ``wrappers.scikit_learn.KerasClassifier``.
    """

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Make a model and train it on labels (numbers or names), or on one-hot rows."""
        y = np.array(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(f"KerasClassifier takes labels, or one-hot rows. Received: targets of shape {y.shape}.")
        self.n_classes_ = len(self.classes_)
        return super().fit(x, y, **kwargs)

    def _numbers(self, x: Any, **kwargs: Any) -> np.ndarray:
        found = self.model.predict(x, **self.filter_sk_params(Model.predict, kwargs))
        return found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype("int32")

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The label of each sample."""
        return self.classes_[self._numbers(x, **kwargs)]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """Probabilities, one column for each class, two for a single output."""
        found = self.model.predict(x, **self.filter_sk_params(Model.predict, kwargs))
        return np.hstack([1 - found, found]) if found.shape[1] == 1 else found

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Accuracy.

        Raises:
            ValueError: the model was compiled without accuracy.
        """
        y = np.searchsorted(self.classes_, y)
        loss = self.model.loss
        if getattr(loss, "__name__", loss) == "categorical_crossentropy" and len(y.shape) != 2:
            y = to_categorical(y)
        found = self.model.evaluate(x, y, **self.filter_sk_params(Model.evaluate, {"return_dict": True, **kwargs}))
        for name in ("accuracy", "acc"):
            if name in found:
                return found[name]
        raise ValueError(
            "KerasClassifier.score() needs a model that is compiled with accuracy: `compile(..., "
            "metrics=['accuracy'])`."
        )


class Regressor(BaseWrapper):
    """A Keras model as a regressor.

    Args:
        build_fn: makes a compiled model.
        **sk_params: arguments of ``build_fn``, and of ``fit``, ``predict``, ``evaluate``.

    References: Keras 2 ``wrappers.scikit_learn.KerasRegressor``.
    """

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The value for each sample."""
        return np.squeeze(self.model.predict(x, **self.filter_sk_params(Model.predict, kwargs)))

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Minus the loss, so that larger is better."""
        found = self.model.evaluate(x, y, **self.filter_sk_params(Model.evaluate, kwargs))
        return -found[0] if isinstance(found, list) else -found


def __getattr__(name: str) -> Any:
    """The two classes; with scikit-learn's as bases where it is installed, so that its searches take them."""
    own = {"KerasClassifier": Classifier, "KerasRegressor": Regressor}.get(name)
    if own is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    except ImportError:
        bases: tuple[type, ...] = (own,)
    else:
        bases = (own, ClassifierMixin if own is Classifier else RegressorMixin, BaseEstimator)
    made = type(name, bases, {"__doc__": own.__doc__, "__module__": __name__})
    globals()[name] = made
    return made
