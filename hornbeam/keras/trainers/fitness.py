"""Do targets, predictions and weights fit together? Messages that name the loss to use."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import DataError, explain

_SPARSE = "sparse_categorical_crossentropy"
_ONE_HOT = ("categorical_crossentropy", "categorical_focal_crossentropy", "kl_divergence")
_ELEMENTWISE = (
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "huber",
    "log_cosh",
    "poisson",
    "hinge",
    "squared_hinge",
)


def function_name(loss: Any) -> str:
    """Name of the built-in function behind a loss; empty for others."""
    function = getattr(loss, "fn", None)
    modules = (getattr(function, "__module__", "") or "", type(loss).__module__)
    return getattr(function, "__name__", "") if all(one.startswith("hornbeam.") for one in modules) else ""


def label_count(loss: Any, pred: Any) -> int | None:
    """Classes that integer labels may name, if the loss takes integer labels and allows no others."""
    if function_name(loss) != _SPARSE or not len(pred.shape):
        return None
    options = getattr(loss, "_fn_kwargs", {})
    if options.get("ignore_class") is not None or options.get("axis", -1) not in (-1, len(pred.shape) - 1):
        return None
    return pred.shape[-1]


def check_fits(loss: Any, target: Any, pred: Any, weight: Any, output: str | None) -> None:
    """Raise if a built-in loss cannot compare targets and predictions of these shapes.

    Args:
        loss: the loss object.
        target: targets, or None.
        pred: predictions.
        weight: sample weights, or None.
        output: name of the output, or None.

    Raises:
        DataError: naming shapes and, for labels in the wrong form, the loss that fits.
    """
    place = f" of output {output!r}" if output else ""
    if target is None:
        raise DataError(
            explain(
                f"Target data are missing{place}: the model was compiled with loss {loss.name!r}.",
                expected="targets `y`",
                received="None",
                fix="pass `y` (or yield (x, y) from the data source), or give the output no loss in compile()",
            )
        )
    if not hasattr(target, "shape") or not hasattr(pred, "shape"):
        return
    if getattr(target, "dtype", None) == "string":
        raise DataError(
            explain(
                f"The targets{place} are strings, and a loss takes numbers.",
                expected=f"numbers, for loss {loss.name!r}",
                received=f"y of shape {tuple(target.shape)}, dtype string",
                fix="number the classes, e.g. `names, y = np.unique(y, return_inverse=True)` or layers.StringLookup",
            )
        )
    name = function_name(loss)
    true_shape, pred_shape = tuple(target.shape), tuple(pred.shape)
    if name == _SPARSE:
        _check_sparse(true_shape, pred_shape, place)
    elif name in _ONE_HOT:
        _check_one_hot(name, true_shape, pred_shape, place)
    elif name in _ELEMENTWISE:
        _check_elementwise(loss.name, true_shape, pred_shape, place)
    if name and weight is not None and hasattr(weight, "shape"):
        _check_weight(tuple(weight.shape), true_shape, pred_shape, place)


def _check_sparse(true_shape: tuple, pred_shape: tuple, place: str) -> None:
    if not pred_shape or pred_shape[-1] == 1 or len(true_shape) < len(pred_shape):
        return
    if true_shape == pred_shape:
        raise DataError(
            explain(
                f"The targets{place} look one-hot, but the loss takes class numbers.",
                expected=f"integer labels of shape {pred_shape[:-1]} for predictions of shape {pred_shape}",
                received=f"y of shape {true_shape}",
                fix="use loss 'categorical_crossentropy', or labels `y.argmax(axis=-1)`",
            )
        )


def _check_one_hot(name: str, true_shape: tuple, pred_shape: tuple, place: str) -> None:
    if true_shape == pred_shape or not pred_shape:
        return
    if len(true_shape) == len(pred_shape) - 1 or (len(true_shape) == len(pred_shape) and true_shape[-1] == 1):
        if pred_shape[-1] == 1:
            return
        sparse = name == "categorical_crossentropy"
        raise DataError(
            explain(
                f"The targets{place} look like class numbers, but loss {name!r} takes one-hot labels.",
                expected=f"y of shape {pred_shape}",
                received=f"y of shape {true_shape}",
                fix=("use loss 'sparse_categorical_crossentropy', or labels " if sparse else "use labels ")
                + f"`keras.utils.to_categorical(y, {pred_shape[-1]})`",
            )
        )
    if len(true_shape) == len(pred_shape):
        raise DataError(_different(name, true_shape, pred_shape, place))


def _check_elementwise(name: str, true_shape: tuple, pred_shape: tuple, place: str) -> None:
    longer, shorter = sorted((true_shape, pred_shape), key=len, reverse=True)
    if len(longer) == len(shorter) + 1 and longer[-1] == 1:
        longer = longer[:-1]
    pairs = zip(reversed(longer), reversed(shorter), strict=False)
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise DataError(_different(name, true_shape, pred_shape, place))


def _different(name: str, true_shape: tuple, pred_shape: tuple, place: str) -> str:
    return explain(
        f"Targets and predictions{place} have different shapes.",
        expected=f"y of shape {pred_shape}, that of the predictions, for loss {name!r}",
        received=f"y of shape {true_shape}",
        fix="change the units of the last layer or the shape of `y`",
    )


def _check_weight(weight_shape: tuple, true_shape: tuple, pred_shape: tuple, place: str) -> None:
    """Weights per sample, or per element of the leading axes."""
    per_element = pred_shape[: len(weight_shape)]
    given = weight_shape[:-1] if len(weight_shape) > 1 and weight_shape[-1] == 1 else weight_shape
    fitting = all(a == b or a == 1 for a, b in zip(given, per_element, strict=False))
    if not fitting or len(given) > max(len(true_shape), len(pred_shape)):
        raise DataError(
            explain(
                f"`sample_weight`{place} does not fit the predictions.",
                expected=f"shape {pred_shape[:1]} (one per sample)"
                + (f" or {pred_shape[:2]} (one per sample and step)" if len(pred_shape) > 2 else ""),
                received=f"shape {weight_shape}",
            )
        )
