"""Diagonals and triangles of matrices: ``diag``, ``diagonal``, ``trace``, ``tril`` ..."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.base import dtypes
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.ops.composite import composite
from hornbeam.ops.promotion import promote

__all__ = ["diag", "diagflat", "diagonal", "trace", "tril", "triu"]


@op(static=("k",))
def tril(x: Any, k: int = 0) -> Any:
    """Matrices with zeros above diagonal ``k``.

    References: Keras `ops.tril`.
    """
    return jnp.tril(promote(x)[0], k)


@op(static=("k",))
def triu(x: Any, k: int = 0) -> Any:
    """Matrices with zeros below diagonal ``k``.

    References: Keras `ops.triu`.
    """
    return jnp.triu(promote(x)[0], k)


@op(static=("k",))
def _diag(x: Any, k: int) -> Any:
    return jnp.diag(promote(x)[0], k)


def _diag_rule(x: KerasTensor, k: int = 0) -> KerasTensor | None:
    # The shorter of two sizes is unknown if one of them is.
    return KerasTensor((None,), x.dtype) if len(x.shape) == 2 and None in tuple(x.shape) else None


@composite(rule=_diag_rule)
def diag(x: Any, k: int = 0) -> Any:
    """Diagonal ``k`` of a matrix, or the matrix whose diagonal ``k`` is the given vector.

    References: Keras `ops.diag`.
    """
    return _diag(x, k)


@op(static=("k",))
def diagflat(x: Any, k: int = 0) -> Any:
    """The matrix whose diagonal ``k`` holds the elements of ``x``.

    References: Keras `ops.diagflat`.
    """
    return jnp.diag(promote(x)[0].reshape(-1), k)


@op(static=("offset", "axis1", "axis2"))
def _diagonal(x: Any, offset: int, axis1: int, axis2: int) -> Any:
    return jnp.diagonal(promote(x)[0], offset, axis1, axis2)


def _diagonal_rule(x: KerasTensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> KerasTensor | None:
    rank = len(x.shape)
    if rank < 2 or None not in (x.shape[axis1], x.shape[axis2]):
        return None
    kept = [size for axis, size in enumerate(x.shape) if axis not in (axis1 % rank, axis2 % rank)]
    return KerasTensor([*kept, None], x.dtype)


@composite(rule=_diagonal_rule)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Diagonal of the planes of two axes, as the last axis of the result.

    References: Keras `ops.diagonal`.
    """
    return _diagonal(x, offset, axis1, axis2)


@op(static=("offset", "axis1", "axis2"))
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum of a diagonal of the planes of two axes; small integers are summed in 32 bits.

    References: Keras `ops.trace`.
    """
    x = promote(x)[0]
    sums = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
    dtype = dtypes.as_dtype(sums.get(x.dtype.name, x.dtype.name)).as_numpy_dtype
    return jnp.trace(x, offset, axis1, axis2, dtype=dtype)
