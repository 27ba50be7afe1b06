"""``Metric``: the base class of metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, names, trees
from hornbeam.base.positions import name_may_come_first
from hornbeam.core.conversion import as_array
from hornbeam.core.frame import isolated, unwrap_tree
from hornbeam.core.scopes import name_scope, override, scopes
from hornbeam.core.tensor import Tensor, from_host, wrap
from hornbeam.core.variable import Variable, commit_all
from hornbeam.keras import initializers
from hornbeam.keras.losses.inputs import compute_dtype

__all__ = ["Metric"]

_NO_EFFECT = ("aggregation", "synchronization")
"""Hints on copies of a variable on several devices; metrics have one."""


class Metric:
    """Base class of metrics: numbers gathered batch by batch, until ``reset_state``.

    Subclasses create their state with ``add_variable``, add a batch to it in ``update_state``, and say what it
    amounts to in ``result``. Both must be made of tensor operations, as training runs them inside its program.

    Args:
        dtype: dtype of the state and the result, or a dtype policy; default floatx.
        name: name; a default one is made from the class name.

    Example:
        >>> class Largest(Metric):
        ...     def __init__(self, name="largest", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.value = self.add_variable((), "zeros", name="value")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(tf.maximum(self.value, tf.reduce_max(tf.abs(y_true - y_pred))))
        ...     def result(self):
        ...         return self.value

    References: Keras ``Metric``.
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or names.auto_name(type(self).__name__)
        self._dtype = compute_dtype(dtype)
        self._metrics: list[Metric] = []
        self._variables: list[Variable] = []
        self._containers: list[Any] = []
        self._tracks = True

    # --- state -----------------------------------------------------------------------------------
    def add_variable(
        self, shape: Any, initializer: Any, dtype: Any = None, aggregation: str | None = "sum", name: str | None = None
    ) -> Variable:
        """New state variable.

        Args:
            shape: its shape; None for a single number.
            initializer: name, initializer, or function ``(shape, dtype)``; None gives zeros.
            dtype: its dtype; default floatx.
            aggregation: how replicas are combined.
            name: its name.
        """
        self._check_super_called()
        # No file holds the state of metrics, so it gets its values at once also while a model is read from one.
        with name_scope(self.name.replace("/", ">")), override(defer_values=False):
            variable = Variable(
                _zeros if initializer in (None, "zeros") else initializers.get(initializer),
                shape=(shape,) if isinstance(shape, int) else tuple(shape or ()),
                dtype=compute_dtype(dtype),
                trainable=False,
                # The state keeps its dtype inside layers of lower precision.
                autocast=False,
                aggregation=aggregation,
                synchronization="on_read",
                name=name,
            )
        self._variables.append(variable)
        return variable

    @name_may_come_first(("name", "shape", *_NO_EFFECT, "initializer", "dtype"), ignored=_NO_EFFECT)
    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """New state variable, see ``add_variable``."""
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """State variables, those of metrics inside included."""
        found = list(self._variables)
        metrics = list(self._metrics)
        for leaf in trees.flatten(self._containers):
            if isinstance(leaf, Variable) and not _holds(found, leaf):
                found.append(leaf)
            elif isinstance(leaf, Metric) and not _holds(metrics, leaf):
                metrics.append(leaf)
        for metric in metrics:
            found.extend(variable for variable in metric.variables if not _holds(found, variable))
        return found

    def reset_state(self) -> None:
        """Set all state variables to zero."""
        variables = self.variables
        zeros = [_zeros(variable.shape, variable.dtype) for variable in variables]
        if scopes.frame is None:
            commit_all(variables, zeros)
            return
        for variable, zero in zip(variables, zeros, strict=True):
            variable.assign(zero, read_value=False)

    def reset_states(self) -> None:
        """Same as ``reset_state``."""
        self.reset_state()

    # --- what subclasses define ------------------------------------------------------------------
    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the state; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define `update_state`.")

    def result(self) -> Any:
        """Value of the metric, a tensor or a dict of tensors; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define `result`.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the state and return the value of the metric."""
        self._check_super_called()
        self.update_state(*args, **kwargs)
        result = self.result()
        if isinstance(result, Tensor):
            # `layer.add_metric(metric(...))` must not count the same values twice.
            result._metric = self
        return result

    # --- without side effects --------------------------------------------------------------------
    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """New values of the state variables after a batch; the metric itself does not change.

        Args:
            metric_variables: values of ``variables``, in their order.
            *args: arguments of ``update_state``.
            **kwargs: keyword arguments of ``update_state``.
        """
        return self._stateless(lambda: self.update_state(*args, **kwargs), metric_variables)[1]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """Value of the metric for given values of the state variables."""
        result = self._stateless(self.result, metric_variables)[0]
        return unwrap_tree(result) if _all_raw(metric_variables) else result

    def stateless_reset_state(self) -> list[Any]:
        """Values of the state variables after a reset; the metric itself does not change."""
        return self._stateless(self.reset_state, self.variables)[1]

    def _stateless(self, function: Callable, given: Sequence[Any]) -> tuple[Any, list[Any]]:
        variables = self.variables
        if len(given) != len(variables):
            raise ValueError(
                f"{type(self).__name__} '{self.name}': `metric_variables` holds a value for each variable, "
                f"{len(variables)} in all. Received: {len(given)} values"
            )
        values = {variable: as_array(value, variable.dtype) for variable, value in zip(variables, given, strict=True)}
        before = scopes.tapes
        scopes.tapes = ()
        try:
            result, written = isolated(function, values)
        finally:
            scopes.tapes = before
        new = [written.get(variable, values[variable]) for variable in variables]
        return result, new if _all_raw(given) else [wrap(value) for value in new]

    # --- configuration ---------------------------------------------------------------------------
    @property
    def dtype(self) -> dtypes.DType:
        """Dtype of the state and the result."""
        return self._dtype

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        return {"name": self.name, "dtype": self._dtype.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Metric from its config."""
        return cls(**config)

    def _obj_type(self) -> str:
        return "Metric"

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__dict__.get("_tracks"):
            if isinstance(value, Variable):
                if not _holds(self._variables, value):
                    self._variables.append(value)
            elif isinstance(value, Metric):
                if not _holds(self._metrics, value):
                    self._metrics.append(value)
            elif isinstance(value, (list, tuple, dict)):
                self._containers.append(value)
        object.__setattr__(self, name, value)

    def _check_super_called(self) -> None:
        if "_tracks" not in self.__dict__:
            raise RuntimeError(
                f"{type(self).__name__}: call `super().__init__()` first in `__init__()`; without it the metric has "
                "no list of variables."
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _holds(items: list, item: Any) -> bool:
    return any(other is item for other in items)


def _all_raw(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(value, jax.Array) for value in values)


def _zeros(shape: Any, dtype: Any) -> Any:
    """Zeros made on the host: nothing is compiled for them."""
    return from_host(np.zeros(tuple(shape), dtypes.as_dtype(dtype).as_numpy_dtype))._value
