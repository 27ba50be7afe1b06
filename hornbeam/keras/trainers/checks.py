"""Checks of data on the host, before anything runs: input shapes, class numbers, values that are not finite."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import DataError, explain
from hornbeam.keras.trainers.feeds.convert import is_text
from hornbeam.keras.utils.data_tuples import unpack_x_y_sample_weight


# --- shapes --------------------------------------------------------------------------------------
def check_inputs(model: Any, batch: Any, method: str) -> None:
    """Compare a batch with the inputs of a functional model.

    Args:
        model: any model; those that do not know their inputs are left to their layers.
        batch: one batch, as steps receive it.
        method: what the data were given to.

    Raises:
        DataError: naming the input, what it expects and what it got.
    """
    graph = vars(model).get("_functional")
    if graph is None:
        return
    x = unpack_x_y_sample_weight(batch)[0]
    values = _by_input(model, graph, x, method)
    if values is None:
        return
    for tensor, value in zip(graph.inputs, values, strict=True):
        if value is not None:
            _check_input(model, tensor, value, method)


def _by_input(model: Any, graph: Any, x: Any, method: str) -> list[Any] | None:
    names = [tensor.name for tensor in graph.inputs]
    if isinstance(x, dict):
        keys = trees.flatten_with_path(graph.input_structure) if isinstance(graph.input_structure, dict) else None
        wanted = [path[0] for path, _ in keys] if keys and all(len(path) == 1 for path, _ in keys) else names
        if not all(name in x for name in wanted):
            return None
        return [x[name] for name in wanted]
    values = trees.flatten(x)
    if len(values) != len(names):
        raise DataError(
            explain(
                f'{method}() of model "{model.name}": the number of inputs does not fit.',
                expected=f"{len(names)} arrays, one per input {names}",
                received=f"{len(values)} arrays of shapes {[tuple(np.shape(value)) for value in values]}",
                fix="pass a list in the order of the inputs, or a dict by their names",
            )
        )
    return values


def _check_input(model: Any, tensor: Any, value: Any, method: str) -> None:
    wanted, found = tuple(tensor.shape), tuple(value.shape)
    if is_text(value) and str(tensor.dtype) != "string":
        raise DataError(
            explain(
                f'{method}() of model "{model.name}", input "{tensor.name}": text cannot be computed with.',
                expected=f"numbers ({tensor.dtype})",
                received=f"dtype {value.dtype}, e.g. {value.reshape(-1)[0]!r}"
                if value.size
                else f"dtype {value.dtype}",
                fix="convert it (`x.astype('float32')` for numbers that were read as text), or put a StringLookup or "
                "TextVectorization layer first",
            )
        )
    if len(found) == len(wanted) - 1 and wanted[-1] in (1, None):
        found = (*found, 1)
    elif len(found) == len(wanted) + 1 and found[-1] == 1:
        found = found[:-1]
    fitting = len(found) == len(wanted) and all(
        want is None or got == want for want, got in zip(wanted[1:], found[1:], strict=True)
    )
    if not fitting:
        raise DataError(
            explain(
                f'{method}() of model "{model.name}", input "{tensor.name}": the data do not have the shape of '
                "the input.",
                expected=f"shape {wanted}",
                received=f"shape {tuple(value.shape)}",
                fix=_shape_advice(wanted, tuple(value.shape)),
            )
        )


def _shape_advice(wanted: tuple, found: tuple) -> str:
    if len(found) == len(wanted) - 1 and all(want in (None, got) for want, got in zip(wanted[1:], found, strict=True)):
        return "give a batch: `data[np.newaxis]` makes a batch of the one sample"
    return "reshape the data, or build the model for this shape; the model was left as it was"


# --- class numbers -------------------------------------------------------------------------------
def check_class_numbers(compiled_loss: Any, batch: Any, start: int = 0) -> None:
    """Raise if integer labels name classes that the model does not have.

    Compiled programs cannot raise, and would compute a wrong loss in silence.

    Args:
        compiled_loss: the losses, built.
        batch: data, as steps receive them: a batch, or all of them.
        start: number of the first row, for messages.
    """
    _, y, weights = unpack_x_y_sample_weight(batch)
    for name, labels, count in compiled_loss.class_numbers(y):
        if is_text(labels):
            raise DataError(
                f"Labels must be class numbers (integers), but `y` holds text, e.g. {labels.reshape(-1)[0]!r}."
            )
        if not _all_below(labels, count):
            _report(name, np.asarray(labels), count, weights, start)


def _all_below(labels: Any, count: int) -> bool:
    if isinstance(labels, jax.Array):
        labels = np.asarray(labels)
    if not labels.size:
        return True
    if labels.dtype == np.int32:
        # Negative numbers become large ones: one pass instead of two.
        return bool(labels.view(np.uint32).max() < count)
    return bool(labels.max() < count and labels.min() >= 0)


def _report(name: str | None, labels: np.ndarray, count: int, weights: Any, start: int) -> None:
    with np.errstate(invalid="ignore"):
        bad = ~((labels >= 0) & (labels < count))
    if isinstance(weights, (np.ndarray, jax.Array)) and weights.shape[:1] == labels.shape[:1]:
        # Rows that do not count may hold anything.
        counted = np.asarray(weights) != 0
        counted = (
            counted.reshape(counted.shape + (1,) * (bad.ndim - counted.ndim)) if counted.ndim <= bad.ndim else True
        )
        bad = bad & counted
    if not bad.any():
        return
    place = np.argwhere(bad)[0]
    row = int(place[0]) + start
    finite = labels[np.isfinite(labels)] if labels.dtype.kind == "f" else labels
    lowest, highest = (finite.min(), finite.max()) if finite.size else ("nan", "nan")
    raise DataError(
        explain(
            f"Labels{f' of output {name!r}' if name else ''} are outside of the classes that the model has.",
            expected=f"class numbers from 0 to {count - 1}, as the last axis of the output has {count}",
            received=f"labels from {lowest} to {highest}; the first bad one is {labels[tuple(place)]} in row {row}",
            fix="number the classes from 0 (e.g. y - y.min()), or give the last layer one unit per class"
            if count > 1
            else "for one output unit use loss 'binary_crossentropy', or give the last layer a unit per class",
        )
    )


# --- values --------------------------------------------------------------------------------------
def warn_if_not_finite(batch: Any, method: str) -> None:
    """Warn about NaN or infinite values in a batch: the usual reason for a loss of NaN."""
    for name, part in zip(("x", "y", "sample_weight"), unpack_x_y_sample_weight(batch), strict=True):
        for path, leaf in trees.flatten_with_path(part):
            if not isinstance(leaf, np.ndarray) or leaf.dtype.kind != "f" or not leaf.size:
                continue
            if np.isfinite(leaf.min()) and np.isfinite(leaf.max()):
                continue
            where = name + "".join(f"[{key!r}]" for key in path)
            row, *rest = (int(index) for index in np.argwhere(~np.isfinite(leaf))[0])
            column = f", column {rest[0]}" if len(rest) == 1 else (f", at {tuple(rest)}" if rest else "")
            warnings.warn(
                f"{method}(): the first batch of `{where}` holds values that are not finite (NaN or infinite), "
                "the first one "
                f"in row {row}{column}. Results will not be finite either. Fill or drop such values first, e.g. with "
                "numpy.nan_to_num.",
                stacklevel=4,
            )
