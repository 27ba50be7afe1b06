"""Area under the ROC, precision-recall or precision-recall-gain curve."""

from __future__ import annotations

from enum import Enum
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.base import settings
from hornbeam.base.check import closest
from hornbeam.core.tensor import Tensor
from hornbeam.keras.losses.functional.arrays import divide_no_nan
from hornbeam.keras.metrics.base import Metric
from hornbeam.keras.metrics.confusion import is_evenly_distributed_thresholds
from hornbeam.keras.metrics.counts import count_batch
from hornbeam.keras.metrics.program import compute

__all__ = ["AUC", "AUCCurve", "AUCSummationMethod"]

COUNTS = ("tp", "fp", "tn", "fn")


class AUCCurve(Enum):
    """Curves whose area is taken."""

    ROC = "ROC"
    PR = "PR"
    PRGAIN = "PRGAIN"


class AUCSummationMethod(Enum):
    """How the area between two thresholds is taken: trapezoid, lower or upper rectangle."""

    INTERPOLATION = "interpolation"
    MAJORING = "majoring"
    MINORING = "minoring"


def _member(kind: type[Enum], argument: str, value: Any) -> Any:
    if isinstance(value, kind):
        return value
    options = [member.value for member in kind]
    for member in kind:
        # As Keras: all lower case, or the way it is usually written.
        if value in (member.value, member.value.lower(), member.value.capitalize()):
            return member
    raise ValueError(f'Invalid AUC `{argument}` value: "{value}". Expected one of {options}{closest(value, options)}.')


class AUC(Metric):
    """Area under a curve of two rates over all thresholds, by a sum over evenly spread thresholds.

    Args:
        num_thresholds: how many thresholds, at least 2; more are more exact.
        curve: ``"ROC"`` (true over false positive rate), ``"PR"`` (precision over recall), or ``"PRGAIN"``.
        summation_method: ``"interpolation"``, ``"minoring"`` or ``"majoring"``.
        thresholds: thresholds to use instead; 0 and 1 are added.
        multi_label: compute one area per label, and average them.
        num_labels: number of labels, with ``multi_label``; default what the first batch has.
        label_weights: weights of the labels: of their areas with ``multi_label``, of their samples without.
        from_logits: whether predictions are logits.

    Raises:
        ValueError: an argument is not one of these.

    Example:
        >>> metric = AUC(num_thresholds=3)
        >>> metric.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        >>> float(metric.result())
        0.75

    References: Keras ``metrics.AUC``; Davis and Goadrich 2006 for the interpolation of "PR".
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str | AUCCurve = "ROC",
        summation_method: str | AUCSummationMethod = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._direction = "up"
        self.curve = _member(AUCCurve, "curve", curve)
        self.summation_method = _member(AUCSummationMethod, "summation_method", summation_method)
        self._init_from_thresholds = thresholds is not None
        if thresholds is not None:
            inner = sorted(thresholds)
            self._thresholds_distributed_evenly = is_evenly_distributed_thresholds([0.0, *inner, 1.0])
        else:
            if num_thresholds <= 1:
                raise ValueError(f"AUC: `num_thresholds` must be 2 or more. Received: num_thresholds={num_thresholds}")
            inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
            self._thresholds_distributed_evenly = True
        epsilon = settings.epsilon()
        # A little outside [0, 1], so that the predictions 0 and 1 lie between thresholds.
        self._thresholds = np.array([-epsilon, *inner, 1.0 + epsilon])
        self.num_thresholds = len(self._thresholds)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else _weights(label_weights, self.dtype)
        self._from_logits = from_logits
        self._built = False
        if num_labels and not multi_label:
            raise ValueError(
                "AUC: `num_labels` goes with `multi_label=True` only; leave it out here. Received: "
                f"num_labels={num_labels}"
            )
        if not multi_label or num_labels:
            self._build((None, num_labels))

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, the two outside [0, 1] included."""
        return list(self._thresholds)

    def _build(self, shape: Any) -> None:
        variable_shape: tuple = (self.num_thresholds,)
        if self.multi_label:
            if len(shape) != 2:
                raise ValueError(
                    "AUC: with `multi_label=True`, `y_pred` is of shape (samples, labels). Received: shape "
                    f"{tuple(shape)}"
                )
            self._num_labels = shape[1]
            variable_shape = (self.num_thresholds, shape[1])
        self.true_positives = self.add_variable(variable_shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(variable_shape, "zeros", name="false_positives")
        self.true_negatives = self.add_variable(variable_shape, "zeros", name="true_negatives")
        self.false_negatives = self.add_variable(variable_shape, "zeros", name="false_negatives")
        self._built = True

    def _counts(self) -> tuple:
        return self.true_positives, self.false_positives, self.true_negatives, self.false_negatives

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: labels 0 and 1.
            y_pred: predictions in [0, 1] (or logits), of that shape.
            sample_weight: weights, (batch,) or the shape of the labels.
        """
        if not self._built:
            self._build(np.shape(y_pred) if not hasattr(y_pred, "shape") else y_pred.shape)
        count_batch(
            self._counts(),
            y_true,
            y_pred,
            sample_weight,
            label_weights=None if self.multi_label else self.label_weights,
            which=COUNTS,
            thresholds=tuple(self._thresholds.tolist()),
            even=self._thresholds_distributed_evenly,
            multi_label=self.multi_label,
            from_logits=self._from_logits,
        )

    def result(self) -> Any:
        """The area; 0 before any batch."""
        return self._area_of(self.curve, self.summation_method)

    def interpolate_pr_auc(self) -> Any:
        """Area under the precision-recall curve, by interpolation, whatever curve the metric is set to."""
        return self._area_of(AUCCurve.PR, AUCSummationMethod.INTERPOLATION)

    def _area_of(self, curve: AUCCurve, method: AUCSummationMethod) -> Any:
        if not self._built:
            raise ValueError(
                f"{self.name}: with `multi_label=True` the number of labels is known from the first batch on; call "
                "`update_state` before `result`, or give `num_labels`."
            )
        weights = None
        if self.multi_label and self.label_weights is not None:
            weights = tuple(self.label_weights.tolist())
        options = {"curve": curve, "method": method, "multi_label": self.multi_label, "label_weights": weights}
        return compute(self._counts(), _area, **options)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        config = super().get_config() | {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve.value,
            "summation_method": self.summation_method.value,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self._from_logits,
        }
        if self._init_from_thresholds:
            config["thresholds"] = [float(threshold) for threshold in self._thresholds[1:-1]]
        return config


def _weights(label_weights: Any, dtype: Any) -> np.ndarray:
    values = label_weights.numpy() if isinstance(label_weights, Tensor) else label_weights
    return np.asarray(values).astype(dtype.as_numpy_dtype)


def _area(tp: Any, fp: Any, tn: Any, fn: Any, *, curve: Any, method: Any, multi_label: bool, label_weights: Any) -> Any:
    if curve is AUCCurve.PR and method is AUCSummationMethod.INTERPOLATION:
        pieces = _interpolated_pr(tp, fp, fn)
    else:
        x, y = _axes(tp, fp, tn, fn, curve)
        if method is AUCSummationMethod.INTERPOLATION:
            heights = (y[:-1] + y[1:]) / 2.0
        else:
            heights = (jnp.minimum if method is AUCSummationMethod.MINORING else jnp.maximum)(y[:-1], y[1:])
        pieces = (x[:-1] - x[1:]) * heights
    area = jnp.sum(pieces, axis=0)
    if not multi_label:
        return area
    if label_weights is None:
        return jnp.mean(area)
    weights = jnp.asarray(label_weights, area.dtype)
    return divide_no_nan(jnp.sum(area * weights), jnp.sum(weights))


def _axes(tp: Any, fp: Any, tn: Any, fn: Any, curve: AUCCurve) -> tuple[Any, Any]:
    """Coordinates of the curve at the thresholds."""
    recall = divide_no_nan(tp, tp + fn)
    if curve is AUCCurve.ROC:
        return divide_no_nan(fp, fp + tn), recall
    if curve is AUCCurve.PR:
        return recall, divide_no_nan(tp, tp + fp)
    odds = divide_no_nan(tp + fn, tn + fp)
    recall_gain = jnp.where(tp == 0, 0.0, 1.0 - odds * divide_no_nan(fn, tp))
    precision_gain = jnp.where(tp == 0, 1.0, 1.0 - odds * divide_no_nan(fp, tp))
    return jnp.maximum(recall_gain, 0.0), precision_gain


def _interpolated_pr(tp: Any, fp: Any, fn: Any) -> Any:
    """Area between thresholds where true positives grow in proportion to predicted positives, not precision."""
    positives = tp + fp
    gained = tp[:-1] - tp[1:]
    slope = divide_no_nan(gained, jnp.maximum(positives[:-1] - positives[1:], 0))
    intercept = tp[1:] - slope * positives[1:]
    both = (positives[:-1] > 0) & (positives[1:] > 0)
    ratio = jnp.where(both, divide_no_nan(positives[:-1], jnp.maximum(positives[1:], 0)), 1.0)
    return divide_no_nan(slope * (gained + intercept * jnp.log(ratio)), jnp.maximum(tp[1:] + fn[1:], 0))
