"""Means of cross-entropies, divergences and hinge losses."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.losses.functional import crossentropy, divergence, hinge
from hornbeam.keras.metrics.reduction import MeanMetricWrapper

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "Hinge",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
]


class KLDivergence(MeanMetricWrapper):
    """Mean of ``sum(y_true * log(y_true / y_pred))``.

    References: Keras ``metrics.KLDivergence``.
    """

    plain_config = True

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(divergence.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean of ``y_pred - y_true * log(y_pred)``.

    References: Keras ``metrics.Poisson``.
    """

    plain_config = True

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(divergence.poisson, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean of the cross-entropy for labels 0 and 1.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: in [0, 1]; share of each label that is replaced by 0.5.

    References: Keras ``metrics.BinaryCrossentropy``.
    """

    plain_config = True
    config_names = ("from_logits", "label_smoothing")

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            crossentropy.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self._direction = "down"


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean of the cross-entropy for one-hot labels.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: in [0, 1]; share of each label that is spread evenly over the classes.
        axis: axis of the classes.

    References: Keras ``metrics.CategoricalCrossentropy``.
    """

    plain_config = True
    config_names = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            crossentropy.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        self._direction = "down"


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean of the cross-entropy for labels that are class numbers.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        ignore_class: class number whose elements get the value 0; they count in the mean unless weights are given.
        axis: axis of the classes.

    References: Keras ``metrics.SparseCategoricalCrossentropy``.
    """

    plain_config = True
    config_names = ("from_logits", "ignore_class", "axis")

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            crossentropy.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
        self._direction = "down"


class Hinge(MeanMetricWrapper):
    """Mean of ``max(1 - y_true * y_pred, 0)``.

    References: Keras ``metrics.Hinge``.
    """

    plain_config = True

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge.hinge, name, dtype)
        self._direction = "down"


class SquaredHinge(MeanMetricWrapper):
    """Mean of ``max(1 - y_true * y_pred, 0)**2``.

    References: Keras ``metrics.SquaredHinge``.
    """

    plain_config = True

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(hinge.squared_hinge, name, dtype)
        self._direction = "down"


class CategoricalHinge(MeanMetricWrapper):
    """Mean of ``max(1 + best wrong score - right score, 0)``.

    References: Keras ``metrics.CategoricalHinge``.
    """

    plain_config = True

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(hinge.categorical_hinge, name, dtype)
        self._direction = "down"
