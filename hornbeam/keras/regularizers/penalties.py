"""Regularizers: penalties on weights or outputs that are added to the loss."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import check, dtypes, settings
from hornbeam.base.errors import ShapeError
from hornbeam.core.door import op
from hornbeam.ops.nn import normalize
from hornbeam.ops.promotion import to_dtype

__all__ = ["L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer"]


class Regularizer:
    """A penalty: called with a tensor, gives a scalar that is added to the loss.

    A subclass writes ``__call__(x)`` and ``get_config``. Any function of a tensor serves as well.

    References: Keras ``keras.regularizers.Regularizer``.
    """

    def __call__(self, x: Any) -> Any:
        """The penalty of a tensor."""
        return 0.0

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """The regularizer that ``get_config`` described."""
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; needed only for saving."""
        raise NotImplementedError(f"{self} does not implement get_config()")


@op
def _absolute_sum(x: Any, factor: Any) -> jax.Array:
    return to_dtype(factor, x.dtype) * jnp.sum(jnp.abs(x), dtype=x.dtype)


@op
def _square_sum(x: Any, factor: Any) -> jax.Array:
    return to_dtype(factor, x.dtype) * jnp.sum(jnp.square(x), dtype=x.dtype)


@op
def _elastic_sum(x: Any, l1: Any, l2: Any) -> jax.Array:
    absolute = to_dtype(l1, x.dtype) * jnp.sum(jnp.abs(x), dtype=x.dtype)
    return absolute + to_dtype(l2, x.dtype) * jnp.sum(jnp.square(x), dtype=x.dtype)


@op
def _zero(x: Any) -> jax.Array:
    return jnp.zeros((), x.dtype)


class L1L2(Regularizer):
    """Sum of absolute values times ``l1``, plus sum of squares times ``l2``.

    Args:
        l1: factor of the absolute values, at least 0.
        l2: factor of the squares, at least 0.

    References: Keras ``keras.regularizers.L1L2``.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor(0.0 if l1 is None else l1, "l1")
        self.l2 = _factor(0.0 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Any:
        if self.l1 and self.l2:
            return _elastic_sum(x, self.l1, self.l2)
        if self.l1:
            return _absolute_sum(x, self.l1)
        return _square_sum(x, self.l2) if self.l2 else _zero(x)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """Sum of absolute values, times a factor.

    Args:
        l1: the factor, at least 0.

    References: Keras ``keras.regularizers.L1``.
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _rounded(_factor(0.01 if l1 is None else l1, "l1"))

    def __call__(self, x: Any) -> Any:
        return _absolute_sum(x, self.l1)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """Sum of squares, times a factor.

    Args:
        l2: the factor, at least 0.

    References: Keras ``keras.regularizers.L2``.
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor(0.01 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Any:
        return _square_sum(x, self.l2)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


@op(static=("rows",))
def _mean_overlap(x: Any, factor: Any, rows: bool) -> jax.Array:
    size = x.shape[0 if rows else 1]
    product = jnp.matmul(x, x.T) if rows else jnp.matmul(x.T, x)
    others = product * (1.0 - jnp.eye(size, dtype=x.dtype))
    return factor * 0.5 * jnp.sum(jnp.abs(others)) / (size * (size - 1.0) / 2.0)


class OrthogonalRegularizer(Regularizer):
    """Mean overlap of the rows (or columns) of a matrix after they are scaled to length 1: zero if orthogonal.

    Args:
        factor: factor of the penalty, at least 0.
        mode: ``"rows"`` or ``"columns"``.

    Raises:
        ValueError: a negative factor or an unknown mode; when called: a tensor that is no matrix.

    References: Keras ``keras.regularizers.OrthogonalRegularizer``.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _rounded(_factor(factor, "factor"))
        self.mode = check.one_of("mode", mode, ("rows", "columns"), owner=self)

    def __call__(self, inputs: Any) -> Any:
        if len(inputs.shape) != 2:
            raise ShapeError(
                f"OrthogonalRegularizer takes matrices (rank 2). Received: inputs.shape={tuple(inputs.shape)}"
            )
        rows = self.mode == "rows"
        return _mean_overlap(normalize(inputs, axis=1 if rows else 0), self.factor, rows=rows)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


def _factor(value: Any, name: str) -> float:
    if not isinstance(value, (float, int)) or not math.isfinite(value) or value < 0:
        raise ValueError(f"A regularizer's `{name}` is a finite number of at least 0. Received: {name}={value!r}")
    return float(value)


def _rounded(value: float) -> float:
    """The factor as floatx holds it, which is what Keras keeps and stores."""
    kind = dtypes.as_dtype(settings.floatx()).as_numpy_dtype
    return float(np.asarray(value, dtype=kind))
