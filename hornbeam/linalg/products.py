"""Products of matrices and vectors, and norms: ``matmul``, ``einsum``, ``tensordot``, ``norm`` ..."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.math.norms import global_norm, l2_normalize
from hornbeam.ops.promotion import as_float
from hornbeam.tensors.face import face, kept, tensor, tensors

__all__ = [
    "adjoint",
    "cross",
    "einsum",
    "global_norm",
    "l2_normalize",
    "matmul",
    "matrix_transpose",
    "matvec",
    "norm",
    "normalize",
    "tensordot",
]


def _turned(x: Any, transpose: bool, adjoint: bool, which: str) -> Any:
    if transpose and adjoint:
        raise ValueError(f"tf.linalg.matmul: only one of `transpose_{which}` and `adjoint_{which}` can be True.")
    if not (transpose or adjoint):
        return x
    turned = ops.swapaxes(x, -1, -2)
    return ops.conj(turned) if adjoint and x.dtype.is_complex else turned


@face
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Any:
    """Matrix product over the last two axes; the axes before broadcast.

    Args:
        a: (..., n, k), or its transpose.
        b: (..., k, m), or its transpose.
        transpose_a: exchange the last two axes of ``a`` first.
        transpose_b: exchange the last two axes of ``b`` first.
        adjoint_a: exchange them and take the complex conjugate.
        adjoint_b: likewise.
        a_is_sparse: a promise of many zeros, which changes no result; the product is dense.
        b_is_sparse: likewise.
        output_type: dtype of the result; int32 for int8 matrices, for instance, is accumulated in that dtype.
        grad_a: says that the product belongs to a gradient; changes no result.
        grad_b: likewise.

    Raises:
        ValueError: an operand has fewer than two axes.
    """
    a, b = tensors(a, b)
    if len(a.shape) < 2 or len(b.shape) < 2:
        raise ValueError(
            f"tf.matmul: both operands need at least 2 axes, received shapes {tuple(a.shape)} and {tuple(b.shape)}; "
            "see tf.linalg.matvec and tf.tensordot."
        )
    if output_type is not None:
        a, b = (ops.cast(item, dtypes.as_dtype(output_type)) for item in (a, b))
    out = ops.matmul(_turned(a, transpose_a, adjoint_a, "a"), _turned(b, transpose_b, adjoint_b, "b"))
    return ops.cast(out, a.dtype) if a.dtype == b.dtype != out.dtype else out


@face
def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """Product of matrices (..., n, k) and vectors (..., k); arguments as in ``matmul``."""
    a, b = tensors(a, b)
    return ops.squeeze(matmul(a, ops.expand_dims(b, -1), transpose_a, adjoint_a=adjoint_a), -1)


@face
def einsum(equation: str, *inputs: Any, optimize: Any = "greedy", name: str | None = None) -> Any:
    """Sum of products by Einstein's convention: ``einsum("bij,bjk->bik", a, b)``.

    ``optimize`` names how the order of products is looked for, which changes no result.
    """
    return ops.einsum(equation, *tensors(*inputs))


@face
def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Any:
    """Sum of products over the given axes: a number of last and first ones, or two lists of axes."""
    return ops.tensordot(*tensors(a, b), axes=static_value(axes, "axes"))


@face
def cross(a: Any, b: Any, name: str | None = None) -> Any:
    """Cross product of the three-dimensional vectors along the last axis."""
    return ops.cross(*tensors(a, b))


@face
def matrix_transpose(a: Any, name: str | None = "matrix_transpose", conjugate: bool = False) -> Any:
    """The last two axes exchanged; ``conjugate`` takes the complex conjugate too."""
    return _turned(tensor(a), not conjugate, conjugate, "a")


@face
def adjoint(matrix: Any, name: str | None = None) -> Any:
    """The last two axes exchanged, and the complex conjugate taken."""
    return _turned(tensor(matrix), False, True, "a")


@op(static=("ord", "axis", "keepdims"))
def _norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    x = as_float(x)
    if axis is None:
        flat = jnp.linalg.norm(x.reshape(-1), ord=None if ord in ("euclidean", "fro") else ord)
        return flat.reshape((1,) * x.ndim) if keepdims else flat
    if ord == "euclidean":
        return jnp.sqrt(jnp.sum(jnp.square(jnp.abs(x)), axis=axis, keepdims=keepdims))
    return jnp.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)


@face
def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool | None = None, name: str | None = None
) -> Any:
    """Norm of vectors (one axis), matrices (two axes), or the flattened tensor (None).

    Args:
        tensor: what to measure.
        ord: ``"euclidean"``, ``"fro"`` (two axes), 1, 2, ``inf`` or another positive number.
        axis: axis, pair of axes, or None.
        keepdims: keep the reduced axes with size 1.
    """
    (x,) = tensors(tensor)
    axis = static_value(axis, "axis")
    axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
    known = ord in ("euclidean", "fro") or (isinstance(ord, (int, float)) and ord > 0)
    if not known or (ord == "fro" and not isinstance(axis, tuple)):
        raise ValueError(f"tf.norm: order {ord!r} is not offered for axis={axis}.")
    if isinstance(axis, tuple) and ord not in ("euclidean", "fro", 1, 2, math.inf):
        raise NotSupportedError(f"tf.norm: order {ord!r} is not offered for matrices.")
    size = _norm(x, ord, axis, bool(keepdims))
    # Norms of complex tensors are complex numbers in TensorFlow.
    return kept(size, x.dtype) if x.dtype.is_complex else size


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Any, Any]:
    """The tensor divided by its norm, and the norm; arguments as in ``norm``."""
    size = norm(tensor, ord, axis, keepdims=True)
    return ops.divide(tensors(tensor)[0], size), size
