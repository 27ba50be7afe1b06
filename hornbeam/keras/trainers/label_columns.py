"""Metric functions of the user's that pair every label with every prediction by mistake.

Labels of shape (n,) beside predictions of shape (n, 1) make tables of (n, n) in elementwise arithmetic.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import jax

from hornbeam import ops
from hornbeam.base import registry
from hornbeam.core.frame import Program
from hornbeam.core.tensor import Tensor, wrap

_ROWS = 37  # a number of samples that no program has as a size of its own


def careful(function: Callable, y_true: Any, y_pred: Any) -> Callable:
    """The function, with a warning if it makes such a table; or one that gets its labels as a column.

    The latter is for programs that were written for columns, see ``compat``.
    """
    if not (isinstance(y_true, Tensor) and isinstance(y_pred, Tensor)):
        return function
    shapes = tuple(y_true.shape), tuple(y_pred.shape)
    if len(shapes[0]) != 1 or len(shapes[1]) != 2 or shapes[1][1] != 1 or shapes[0][0] < 2:
        return function
    if str(getattr(function, "__module__", "")).startswith("hornbeam."):
        return function
    if not _makes_table(function, (_ROWS,), y_true, y_pred) or _makes_table(function, (_ROWS, 1), y_true, y_pred):
        return function
    if "columns" in registry.names("labels"):
        return _on_columns(function)
    warnings.warn(
        f"Metric {getattr(function, '__name__', function)!r} pairs every label with every prediction, as labels have "
        f"the shape {shapes[0]} and predictions {shapes[1]}. Give labels as a column (`y.reshape(-1, 1)`), or take "
        "`y_pred[:, 0]`.",
        stacklevel=2,
    )
    return function


def _makes_table(function: Callable, labels: tuple[int, ...], y_true: Any, y_pred: Any) -> bool:
    structs = [
        jax.ShapeDtypeStruct(labels, y_true._value.dtype),
        jax.ShapeDtypeStruct((_ROWS, 1), y_pred._value.dtype),
    ]
    try:
        program = Program(lambda true, pred: function(wrap(true), wrap(pred)), structs)
    except Exception:  # whatever is wrong with the function shows when it runs
        return False
    return f"[{_ROWS},{_ROWS}]" in str(program.closed)


def _on_columns(function: Callable) -> Callable:
    @functools.wraps(function)
    def on_columns(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        if len(y_true.shape) == 1 and len(y_pred.shape) == 2:
            y_true = ops.expand_dims(y_true, -1)
        return function(y_true, y_pred, *args, **kwargs)

    return on_columns
