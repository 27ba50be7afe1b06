"""Cross-entropy losses."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.losses.functional import crossentropy as functions
from hornbeam.keras.losses.functional import focal
from hornbeam.keras.losses.wrapper import LossFunctionWrapper

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "SparseCategoricalCrossentropy",
]


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross-entropy for labels 0 and 1, each output on its own.

    Args:
        from_logits: whether ``y_pred`` are logits instead of probabilities.
        label_smoothing: in [0, 1]; share of each label that is replaced by 0.5.
        axis: axis of the outputs over which the mean goes.

    References: Keras ``losses.BinaryCrossentropy``.
    """

    plain_config = True
    config_names = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross-entropy that gives easy examples less weight.

    Args:
        apply_class_balancing: weigh class 1 by ``alpha`` and class 0 by ``1 - alpha``.
        alpha: weight of class 1.
        gamma: focus; 0 is plain cross-entropy.
        from_logits: whether ``y_pred`` are logits instead of probabilities.
        label_smoothing: in [0, 1]; share of each label that is replaced by 0.5.
        axis: axis of the outputs over which the mean goes.

    References: Keras ``losses.BinaryFocalCrossentropy``; Lin et al. 2018.
    """

    plain_config = True
    config_names = ("from_logits", "label_smoothing", "axis", "apply_class_balancing", "alpha", "gamma")

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            focal.binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy for one-hot labels.

    Args:
        from_logits: whether ``y_pred`` are logits instead of probabilities.
        label_smoothing: in [0, 1]; share of each label that is spread evenly over the classes.
        axis: axis of the classes.

    Example:
        >>> loss = CategoricalCrossentropy()
        >>> round(float(loss([[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]])), 3)
        1.177

    References: Keras ``losses.CategoricalCrossentropy``.
    """

    plain_config = True
    config_names = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical cross-entropy that gives easy examples less weight.

    Args:
        alpha: weight, one number or one for each class.
        gamma: focus; 0 is plain cross-entropy.
        from_logits: whether ``y_pred`` are logits instead of probabilities.
        label_smoothing: in [0, 1]; share of each label that is spread evenly over the classes.
        axis: axis of the classes.

    References: Keras ``losses.CategoricalFocalCrossentropy``; Lin et al. 2018.
    """

    plain_config = True
    config_names = ("from_logits", "label_smoothing", "axis", "alpha", "gamma")

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            focal.categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        self.alpha = alpha
        self.gamma = gamma


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy for labels that are class numbers.

    Args:
        from_logits: whether ``y_pred`` are logits instead of probabilities.
        ignore_class: class number whose elements do not count.
        axis: axis of the classes.

    Raises:
        ValueError: when called, if labels on the host hold a class number that does not exist.

    References: Keras ``losses.SparseCategoricalCrossentropy``.
    """

    plain_config = True
    config_names = ("from_logits", "ignore_class")
    config_extras = {"axis": -1}

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            functions.sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Loss of a batch, see ``Loss``."""
        return super().__call__(
            functions.check_labels(y_true, y_pred, self.ignore_class, self.axis), y_pred, sample_weight
        )


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """Cross-entropy that bears wrong labels: ``(1 - p[y_true]**q) / q``.

    Args:
        q: exponent in (0, 1): near 0 cross-entropy, near 1 mean absolute error.

    Raises:
        ValueError: ``q`` is not in (0, 1).

    References: Keras ``losses.CategoricalGeneralizedCrossEntropy``; Zhang and Sabuncu 2018.
    """

    plain_config = True
    config_names = ("q",)

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"Argument `q` must be in the interval (0, 1). Received: q={q}")
        super().__init__(functions.categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
        self.q = q
