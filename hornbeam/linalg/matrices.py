"""Parts of matrices, factorizations and linear systems. Matrices are the last two axes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.errors import InvalidArgumentError
from hornbeam.linalg.products import adjoint as _adjoint
from hornbeam.ops.promotion import as_float, promote, to_dtype
from hornbeam.tensors.creation import eye
from hornbeam.tensors.face import face, kept, tensor, tensors

__all__ = [
    "band_part",
    "cholesky",
    "cholesky_solve",
    "det",
    "diag",
    "diag_part",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "eye",
    "inv",
    "logdet",
    "lstsq",
    "lu",
    "matrix_rank",
    "pinv",
    "qr",
    "set_diag",
    "slogdet",
    "solve",
    "sqrtm",
    "svd",
    "tensor_diag",
    "tensor_diag_part",
    "trace",
    "triangular_solve",
]


# --- diagonals -----------------------------------------------------------------------------------
@op(static=("k", "rows", "columns"))
def _diag(diagonal: Any, padding: Any, k: int, rows: int, columns: int) -> Any:
    diagonal = promote(diagonal)[0]
    length = diagonal.shape[-1]
    places = jnp.arange(length, dtype=jnp.int32)
    full = jnp.full((*diagonal.shape[:-1], rows, columns), to_dtype(padding, diagonal.dtype.name))
    return full.at[..., places + max(-k, 0), places + max(k, 0)].set(diagonal)


def _single(k: Any, name: str) -> int:
    k = static_value(k, "k")
    if isinstance(k, tuple):
        if len(k) != 1 and k[0] != k[-1]:
            raise NotSupportedError(f"{name}: bands of several diagonals are not offered; give one `k`.")
        k = k[0]
    return int(k)


_ALIGNMENTS = ("LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT")


def _check_align(align: str) -> None:
    # It places the shorter ones among several diagonals; for a single one all values mean the same.
    if align not in _ALIGNMENTS:
        raise ValueError(f"`align` must be one of {_ALIGNMENTS}, received {align!r}.")


@face
def diag(
    diagonal: Any,
    name: str | None = "diag",
    k: Any = 0,
    num_rows: int = -1,
    num_cols: int = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Any:
    """Matrices with the vectors of the last axis on diagonal ``k``, and ``padding_value`` elsewhere.

    Args:
        diagonal: (..., n).
        name: see the module ``tensors``.
        k: diagonal; positive ones lie above the main one.
        num_rows: number of rows, -1 for as few as fit; without both numbers the matrix is square.
        num_cols: number of columns, likewise.
        padding_value: what stands off the diagonal.
        align: where shorter ones of several diagonals begin; for one diagonal all values mean the same.
    """
    _check_align(align)
    x, k = tensor(diagonal), _single(k, "tf.linalg.diag")
    length = x.shape[-1]
    rows, columns = int(num_rows), int(num_cols)
    if rows == columns == -1:
        rows = columns = length + abs(k)
    rows = length + max(-k, 0) if rows == -1 else rows
    columns = length + max(k, 0) if columns == -1 else columns
    if min(rows - max(-k, 0), columns - max(k, 0)) != length:
        raise InvalidArgumentError(
            None, None, f"tf.linalg.diag: {length} elements do not fill diagonal {k} of a {rows} x {columns} matrix."
        )
    return _diag(x, padding_value, k, rows, columns)


@face
def diag_part(
    input: Any, name: str | None = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Any:
    """Elements of diagonal ``k`` of matrices. One diagonal needs no padding, so the last two arguments are free."""
    _check_align(align)
    x, k = tensor(input), _single(k, "tf.linalg.diag_part")
    return ops.diagonal(x, offset=k, axis1=-2, axis2=-1)


@face
def set_diag(input: Any, diagonal: Any, name: str | None = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT") -> Any:
    """Matrices with other elements on diagonal ``k``."""
    _check_align(align)
    x, k = tensor(input), _single(k, "tf.linalg.set_diag")
    return _set_diag(x, tensor(diagonal), k)


@op(static=("k",))
def _set_diag(x: Any, diagonal: Any, k: int) -> Any:
    places = jnp.arange(diagonal.shape[-1], dtype=jnp.int32)
    return promote(x)[0].at[..., places + max(-k, 0), places + max(k, 0)].set(to_dtype(diagonal, x.dtype.name))


@face
def tensor_diag(diagonal: Any, name: str | None = None) -> Any:
    """Tensor of twice the rank, with the elements where both halves of the index are equal."""
    x = tensor(diagonal)
    return ops.reshape(ops.diag(ops.ravel(x)), (*x.shape, *x.shape))


@face
def tensor_diag_part(input: Any, name: str | None = None) -> Any:
    """Elements whose index has two equal halves."""
    x = tensor(input)
    half = tuple(x.shape)[: len(x.shape) // 2]
    count = 1
    for size in half:
        count *= size
    return ops.reshape(ops.diagonal(ops.reshape(x, (count, count))), half)


@op
def _band(x: Any, lower: Any, upper: Any) -> Any:
    x = promote(x)[0]
    rows = jnp.arange(x.shape[-2], dtype=jnp.int32)[:, None]
    columns = jnp.arange(x.shape[-1], dtype=jnp.int32)
    inside = ((lower < 0) | (rows - columns <= lower)) & ((upper < 0) | (columns - rows <= upper))
    return jnp.where(inside, x, jnp.zeros((), x.dtype))


@face
def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Any:
    """Zeros outside a band around the diagonal; -1 keeps the whole lower or upper triangle."""
    return _band(tensor(input), num_lower, num_upper)


@face
def trace(x: Any, name: str | None = None) -> Any:
    """Sum of the diagonal."""
    x = tensor(x)
    return kept(ops.trace(x, axis1=-2, axis2=-1), x.dtype)


# --- factorizations ------------------------------------------------------------------------------
@face
def cholesky(input: Any, name: str | None = None) -> Any:
    """Lower triangular ``L`` with ``L @ L^H`` equal to the positive definite input."""
    return ops.cholesky(tensor(input))


@face
def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> tuple[Any, Any]:
    """Orthogonal ``q`` and upper triangular ``r`` with product ``input``."""
    return ops.qr(tensor(input), mode="complete" if full_matrices else "reduced")


@face
def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Singular values ``s`` (descending), ``u`` and ``v``: the matrix is ``u @ diag(s) @ v^H``.

    Returns:
        ``(s, u, v)``, or only ``s`` if ``compute_uv`` is False. Note that ``v`` is not transposed.
    """
    (x,) = tensors(tensor)
    if not compute_uv:
        return ops.svd(x, full_matrices=False, compute_uv=False)
    u, s, vh = ops.svd(x, full_matrices=bool(full_matrices))
    return s, u, _adjoint(vh)


@face
def eigh(tensor: Any, name: str | None = None) -> tuple[Any, Any]:
    """Eigenvalues (ascending) and eigenvectors (columns) of symmetric or Hermitian matrices."""
    return ops.eigh(tensors(tensor)[0])


@face
def eigvalsh(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues (ascending) of symmetric or Hermitian matrices."""
    return ops.eigh(tensors(tensor)[0])[0]


@face
def eig(tensor: Any, name: str | None = None) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors (columns) of square matrices, complex."""
    return ops.eig(tensors(tensor)[0])


@face
def eigvals(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues of square matrices, complex."""
    return ops.eig(tensors(tensor)[0])[0]


@op(static=("dtype",))
def _lu(x: Any, dtype: Any) -> tuple[Any, Any]:
    factors, _, permutation = jax.lax.linalg.lu(as_float(x))
    return factors, to_dtype(permutation, dtype)


@face
def lu(input: Any, output_idx_type: Any = "int32", name: str | None = None) -> tuple[Any, Any]:
    """Both triangular factors in one matrix, and the order of the rows: ``L @ U`` is ``input[p]``."""
    return _lu(tensor(input), dtypes.as_dtype(output_idx_type))


# --- numbers and functions of matrices -----------------------------------------------------------
@face
def det(input: Any, name: str | None = None) -> Any:
    """Determinant."""
    return ops.det(tensor(input))


@op
def _slogdet(x: Any) -> tuple[Any, Any]:
    return tuple(jnp.linalg.slogdet(as_float(x)))


@face
def slogdet(input: Any, name: str | None = None) -> tuple[Any, Any]:
    """Sign of the determinant, and the logarithm of its absolute value."""
    return _slogdet(tensor(input))


@face
def logdet(matrix: Any, name: str | None = None) -> Any:
    """Logarithm of the determinant of positive definite matrices."""
    return ops.multiply(ops.sum(ops.log(ops.diagonal(ops.cholesky(tensor(matrix)), axis1=-2, axis2=-1)), axis=-1), 2)


@face
def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Any:
    """Number of singular values above ``tol``, int32. Shapes are always checked, whatever ``validate_args`` says."""
    return ops.matrix_rank(tensor(a), tol)


@op
def _expm(x: Any) -> Any:
    return jsl.expm(as_float(x))


@face
def expm(input: Any, name: str | None = None) -> Any:
    """Matrix exponential."""
    return _expm(tensor(input))


@op
def _sqrtm(x: Any) -> Any:
    x = as_float(x)
    root = jsl.sqrtm(x)
    return root if jnp.iscomplexobj(x) else to_dtype(root.real, x.dtype.name)


@face
def sqrtm(input: Any, name: str | None = None) -> Any:
    """Matrix square root; of real matrices without negative eigenvalues a real one."""
    x = tensor(input)
    root = [_sqrtm(part) for part in ops.unstack(ops.reshape(x, (-1, *tuple(x.shape)[-2:])))]
    return ops.reshape(ops.stack(root), tuple(x.shape))


# --- systems -------------------------------------------------------------------------------------
@face
def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """Inverse of square matrices, or of their adjoints."""
    inverse = ops.inv(tensor(input))
    return _adjoint(inverse) if adjoint else inverse


@face
def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Any:
    """Moore-Penrose inverse; singular values below ``rcond`` times the largest count as 0.

    ``rcond`` is 10 times the larger size times the rounding error by default. Shapes are always checked.
    """
    a = tensor(a)
    if rcond is None:
        a = ops.cast(a, "float32") if a.dtype.is_integer else a
        rcond = 10.0 * max(tuple(a.shape)[-2:]) * float(jnp.finfo(a.dtype.as_numpy_dtype).eps)
    return ops.pinv(a, rcond)


@face
def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """``x`` of ``matrix @ x = rhs`` (of the adjoint, if asked for); ``rhs`` is a matrix too."""
    matrix, rhs = tensors(matrix, rhs)
    return ops.solve(_adjoint(matrix) if adjoint else matrix, rhs)


@face
def triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None) -> Any:
    """``x`` of ``matrix @ x = rhs``, where only the lower (or upper) triangle counts."""
    matrix, rhs = tensors(matrix, rhs)
    if adjoint:
        return ops.solve_triangular(_adjoint(matrix), rhs, lower=not lower)
    return ops.solve_triangular(matrix, rhs, lower=bool(lower))


@face
def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Any:
    """``x`` of ``A @ x = rhs``, with ``A`` given by its Cholesky factor."""
    chol, rhs = tensors(chol, rhs)
    return ops.solve_triangular(_adjoint(chol), ops.solve_triangular(chol, rhs, lower=True), lower=False)


@op(static=("fast",))
def _lstsq(matrix: Any, rhs: Any, l2: Any, fast: bool) -> Any:
    matrix, rhs = promote(matrix, rhs, at_least=float)
    turned = jnp.conj(jnp.swapaxes(matrix, -1, -2))
    if not fast:
        return jnp.linalg.pinv(matrix) @ rhs
    if matrix.shape[-2] >= matrix.shape[-1]:
        gram = turned @ matrix + jnp.asarray(l2, matrix.dtype) * jnp.eye(matrix.shape[-1], dtype=matrix.dtype)
        return jsl.cho_solve((jnp.linalg.cholesky(gram), True), turned @ rhs)
    gram = matrix @ turned + jnp.asarray(l2, matrix.dtype) * jnp.eye(matrix.shape[-2], dtype=matrix.dtype)
    return turned @ jsl.cho_solve((jnp.linalg.cholesky(gram), True), rhs)


@face
def lstsq(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None) -> Any:
    """Least-squares solution of ``matrix @ x = rhs``.

    Args:
        matrix: (..., rows, columns).
        rhs: (..., rows, right-hand sides).
        l2_regularizer: what is added to the diagonal of the normal equations; only with ``fast``.
        fast: solve the normal equations by Cholesky factors; False uses singular values, which is more accurate.
    """
    if not fast and l2_regularizer:
        raise NotSupportedError("tf.linalg.lstsq: `l2_regularizer` needs `fast=True`.")
    return _lstsq(*tensors(matrix, rhs), l2_regularizer, bool(fast))
