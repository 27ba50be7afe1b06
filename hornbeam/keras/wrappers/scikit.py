"""Classifier, regressor and transformer of scikit-learn around a Keras model."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.keras.models import Model, clone_model

# scikit-learn is an extra. So the classes here do without it, and `estimator_class` joins them with its own when one is
# asked for; the methods import what they need.


class Wrapper:
    """What the three wrappers share.

    Args:
        model: a compiled model, of which each fit trains a fresh copy, or a function ``model(X, y, **model_kwargs)``
            that makes one.
        warm_start: kept for scikit-learn; a fit always begins with fresh weights.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of the model's ``fit``.
    """

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self) -> Any:
        # A model is callable too, and must be copied all the same.
        is_function = callable(self.model) and not isinstance(self.model, Model)
        model = self.model if is_function else copy.deepcopy(self.model)
        return type(self)(
            model=model, warm_start=self.warm_start, model_kwargs=self.model_kwargs, fit_kwargs=self.fit_kwargs
        )

    @property
    def epoch_(self) -> Any:
        """Epochs of the last fit."""
        history = getattr(self, "history_", None)
        return 0 if history is None else history.epoch

    def set_fit_request(self, **kwargs: Any) -> Any:
        """Ask scikit-learn to pass on arguments of ``fit`` by name.

        Raises:
            RuntimeError: metadata routing is switched off.
        """
        import sklearn
        from sklearn.utils.metadata_routing import MetadataRequest

        if not sklearn.get_config().get("enable_metadata_routing", False):
            raise RuntimeError(
                "set_fit_request() needs metadata routing: `sklearn.set_config(enable_metadata_routing=True)`."
            )
        self._metadata_request = MetadataRequest(owner=type(self).__name__)
        for parameter, alias in kwargs.items():
            self._metadata_request.score.add_request(param=parameter, alias=alias)
        return self

    def _new_model(self, X: Any, y: Any) -> Model:
        if not isinstance(self.model, Model):
            return self.model(X=X, y=y, **(self.model_kwargs or {}))
        fresh = clone_model(self.model)
        if not fresh.compiled and self.model.compiled:
            fresh.compile_from_config(self.model.get_compile_config())
        return fresh

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Train a fresh model.

        Args:
            X: samples, along the first axis.
            y: targets.
            **kwargs: arguments of the model's ``fit``; they win over ``fit_kwargs``.

        Raises:
            RuntimeError: the model is not compiled.
        """
        from sklearn.utils.validation import validate_data

        X, y = validate_data(self, X, y)
        y = self._encoded(y)
        model = self._new_model(X, y)
        if not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError(
                f"{type(self).__name__}: the model must be compiled with a loss and an optimizer. Call "
                "`model.compile(optimizer=..., loss=...)` before wrapping it."
            )
        self.history_ = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _outputs(self, X: Any) -> np.ndarray:
        from sklearn.utils.validation import check_is_fitted, validate_data

        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False))

    def predict(self, X: Any) -> np.ndarray:
        """Targets for samples."""
        return self._decoded(self._outputs(X))

    def _encoded(self, y: Any) -> Any:
        """Targets with a column axis, as the model wants them."""
        _kind_of(y)
        self._target_axes = y.ndim
        return _columns(y)

    def _decoded(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs with the axes that the targets came with."""
        return np.squeeze(outputs, axis=1) if self._target_axes == 1 and outputs.ndim == 2 else outputs


def _columns(y: Any) -> Any:
    return y.reshape(-1, 1) if y.ndim == 1 else y


def _kind_of(y: Any) -> str:
    """The kind of the targets, as scikit-learn names it."""
    from sklearn.utils.multiclass import type_of_target

    kind = type_of_target(y)
    if kind == "unknown":
        raise ValueError(f"Targets must be numbers or labels. Received: {y!r}")
    return kind


class Classifier(Wrapper):
    """A Keras model as a classifier; it is given one-hot labels and gives probabilities.

    Args:
        model: a compiled model, or a function ``model(X, y, **model_kwargs)`` that makes one.
        warm_start: kept for scikit-learn; a fit always begins with fresh weights.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of the model's ``fit``.

    Example:
        def dynamic_model(X, y, width):
            inputs = keras.Input(shape=(X.shape[1],))
            outputs = keras.layers.Dense(y.shape[1], activation="softmax")(keras.layers.Dense(width)(inputs))
            model = keras.Model(inputs, outputs)
            model.compile("adam", "categorical_crossentropy")
            return model

        SKLearnClassifier(dynamic_model, model_kwargs={"width": 8}).fit(X, y)

    References: Keras ``wrappers.SKLearnClassifier``.
    """

    def decision_function(self, X: Any) -> np.ndarray:
        """The model's outputs, one column for each class."""
        return self._outputs(X)

    def _encoded(self, y: Any) -> Any:
        from sklearn.preprocessing import OneHotEncoder

        kind = _kind_of(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"{type(self).__name__} takes targets of two or more classes, one for each sample. Received: "
                f"targets of the kind {kind!r}"
            )
        self._target_axes = y.ndim
        self._one_hot = OneHotEncoder(sparse_output=False).fit(_columns(y))
        self.classes_ = np.unique(y)
        if len(self.classes_) == 1:
            raise ValueError(
                f"{type(self).__name__} tells classes apart, so it needs two or more. Received: targets of one class, "
                f"{self.classes_[0]!r}"
            )
        return self._one_hot.transform(_columns(y))

    def _decoded(self, outputs: np.ndarray) -> np.ndarray:
        """The label of the largest output."""
        return super()._decoded(self._one_hot.inverse_transform(outputs))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.classifier_tags.poor_score = True
        return tags


class Regressor(Wrapper):
    """A Keras model as a regressor.

    Args:
        model: a compiled model, or a function ``model(X, y, **model_kwargs)`` that makes one.
        warm_start: kept for scikit-learn; a fit always begins with fresh weights.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of the model's ``fit``.

    References: Keras ``wrappers.SKLearnRegressor``.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.regressor_tags.poor_score = True
        return tags


class Transformer(Wrapper):
    """A Keras model as a transformer: its outputs are features for what follows.

    Args:
        model: a compiled model, or a function ``model(X, y, **model_kwargs)`` that makes one.
        warm_start: kept for scikit-learn; a fit always begins with fresh weights.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of the model's ``fit``.

    References: Keras ``wrappers.SKLearnTransformer``.
    """

    def transform(self, X: Any) -> np.ndarray:
        """The model's outputs."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.transformer_tags.preserves_dtype = []
        return tags


def estimator_class(name: str) -> type:
    """A wrapper joined with scikit-learn's classes.

    Args:
        name: "SKLearnClassifier", "SKLearnRegressor" or "SKLearnTransformer".

    Raises:
        ModuleNotFoundError: scikit-learn is missing.
    """
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin

    own, mixin = {
        "SKLearnClassifier": (Classifier, ClassifierMixin),
        "SKLearnRegressor": (Regressor, RegressorMixin),
        "SKLearnTransformer": (Transformer, TransformerMixin),
    }[name]
    return type(name, (own, mixin, BaseEstimator), {"__doc__": own.__doc__, "__module__": "hornbeam.keras.wrappers"})
