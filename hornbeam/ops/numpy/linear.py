"""Products: ``matmul``, ``dot``, ``einsum``, ``tensordot``, ``kron``, ``cross`` ...

Operands are brought to their common dtype first. int8 times int8 gives int32 in ``matmul`` and ``einsum``
(what the integer units of accelerators compute); the other functions keep int8, as Keras does.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.core.door import op
from hornbeam.ops.composite import composite
from hornbeam.ops.promotion import promote

__all__ = ["cross", "dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "vdot"]


def _preferred(*operands: Any) -> Any:
    return np.int32 if all(jnp.asarray(operand).dtype == np.int8 for operand in operands) else None


@op(adapt=True)
def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product of the last two axes, ``(..., n, k) @ (..., k, m)``; the axes before them are batch axes.

    References: Keras `ops.matmul`.
    """
    return jnp.matmul(*promote(x1, x2), preferred_element_type=_preferred(x1, x2))


@op(adapt=True)
def dot(x1: Any, x2: Any) -> Any:
    """Products of the rows of ``x1`` (its last axis) with the columns of ``x2`` (last but one axis, or only one).

    References: Keras `ops.dot`.
    """
    return jnp.dot(*promote(x1, x2))


@op(adapt=True)
def vdot(x1: Any, x2: Any) -> Any:
    """Dot product of the flattened tensors, the first conjugated.

    References: Keras `ops.vdot`.
    """
    return jnp.vdot(*promote(x1, x2))


@op(adapt=True)
def inner(x1: Any, x2: Any) -> Any:
    """Sum of products over the last axes of both.

    References: Keras `ops.inner`.
    """
    return jnp.inner(*promote(x1, x2))


@op(adapt=True)
def outer(x1: Any, x2: Any) -> Any:
    """All products of an element of one with an element of the other, as a matrix.

    References: Keras `ops.outer`.
    """
    left, right = promote(x1, x2)
    return jnp.outer(left, right)


@op(static=("axes",), adapt=True)
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Sum of products over chosen axes.

    Args:
        axes: how many of the last axes of ``x1`` to pair with the first of ``x2``, or a pair of axis lists.

    References: Keras `ops.tensordot`.
    """
    return jnp.tensordot(*promote(x1, x2), axes=axes)


@op(adapt=True)
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker product.

    References: Keras `ops.kron`.
    """
    return jnp.kron(*promote(x1, x2))


@op(static=("axisa", "axisb", "axisc", "axis"), adapt=True)
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Cross product of vectors of 3 (or 2) components.

    Args:
        axisa: axis of the vectors in ``x1``.
        axisb: axis of the vectors in ``x2``.
        axisc: axis of the vectors in the result.
        axis: all three at once.

    References: Keras `ops.cross`.
    """
    return jnp.cross(*promote(x1, x2), axisa=axisa, axisb=axisb, axisc=axisc, axis=axis)


@op(static=("subscripts", "optimize"), adapt=True)
def _einsum_of_two(x1: Any, x2: Any, subscripts: str, optimize: Any = "optimal") -> Any:
    preferred = _preferred(x1, x2)
    return jnp.einsum(subscripts, *promote(x1, x2), optimize=optimize, preferred_element_type=preferred)


@op(static=("subscripts", "optimize"), lists=("operands",), adapt=True)
def _einsum_of_list(operands: Any, subscripts: str, optimize: Any = "optimal") -> Any:
    preferred = _preferred(*operands)
    return jnp.einsum(subscripts, *promote(*operands), optimize=optimize, preferred_element_type=preferred)


@composite
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Sum of products in Einstein's notation.

    Args:
        subscripts: axis letters of the operands and of the result, e.g. ``"bij,bjk->bik"``.
        *operands: one tensor for each comma-separated part.
        **kwargs: ``optimize``, the order of contraction, as ``jax.numpy.einsum`` takes it.

    References: Keras `ops.einsum`.
    """
    # The fast path of the door takes plain tensors before static values, but no list.
    if len(operands) == 2:
        return _einsum_of_two(*operands, subscripts, **kwargs)
    return _einsum_of_list(list(operands), subscripts, **kwargs)
