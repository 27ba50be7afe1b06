"""Metrics whose arithmetic is Python: their methods run on the host, between the parts of a compiled step."""

from __future__ import annotations

import functools
from typing import Any

from hornbeam.core.scopes import scopes
from hornbeam.core.spec import TensorSpec
from hornbeam.keras.metrics import Metric
from hornbeam.tensors.host import py_function


class PyMetric(Metric):
    """Base of metrics that count in Python attributes, with any library.

    ``update_state`` gets eager tensors, also while ``fit`` runs a compiled step; ``result`` gives one number.
    ``reset_state`` is called by the constructor too and makes the attributes.

    Args:
        name: name of the metric.
        dtype: dtype of the result.

    Example:
        >>> class Rows(keras.metrics.experimental.PyMetric):
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.rows += len(y_true)
        ...     def reset_state(self):
        ...         self.rows = 0
        ...     def result(self):
        ...         return self.rows

    References: Keras 2 ``metrics.experimental.PyMetric``.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, around in (("update_state", _updated), ("result", _read)):
            if name in vars(cls):
                setattr(cls, name, around(vars(cls)[name]))

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        # Host calls of one program come in any order; what passes through this number makes them follow one another.
        self._calls = self.add_variable((), "zeros", "int32", name="calls")
        self.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        raise NotImplementedError(f"{type(self).__name__} must override `update_state(y_true, y_pred, sample_weight)`.")

    def result(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must override `result()`, which returns a number.")

    def reset_state(self) -> None:
        raise NotImplementedError(f"{type(self).__name__} must override `reset_state()`.")

    def merge_state(self, metrics: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} must override `merge_state(metrics)`.")


def _updated(update_state: Any) -> Any:
    @functools.wraps(update_state)
    def updated(self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        given = [y_true, y_pred] if sample_weight is None else [y_true, y_pred, sample_weight]
        if scopes.frame is None:
            update_state(self, *given)
            return

        def count(calls: Any, *values: Any) -> Any:
            update_state(self, *values)
            return calls + 1

        self._calls.assign(py_function(count, [self._calls, *given], TensorSpec((), "int32")))

    return updated


def _read(result: Any) -> Any:
    @functools.wraps(result)
    def read(self: Any) -> Any:
        if scopes.frame is None:
            return result(self)
        return py_function(lambda calls: result(self), [self._calls], TensorSpec((), self.dtype))

    return read
