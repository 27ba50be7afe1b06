"""Linear algebra on the last two axes. Integer matrices become float32."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy as jsp

from hornbeam.base.errors import explain
from hornbeam.core.arguments import value_of
from hornbeam.core.door import op
from hornbeam.ops.composite import composite, is_traced
from hornbeam.ops.promotion import as_float, promote

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
]


def _matrix(x: Any, name: str, square: bool = False) -> jax.Array:
    x = as_float(x)
    if x.ndim < 2:
        raise ValueError(f"{name}(): takes matrices, (..., rows, columns). Received: shape {tuple(x.shape)}")
    if square and x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{name}(): takes square matrices, (..., n, n). Received: shape {tuple(x.shape)}")
    return x


def _system(a: Any, b: Any, name: str) -> tuple[jax.Array, jax.Array]:
    a, b = promote(a, b, at_least=float)
    a = _matrix(a, name, square=True)
    if b.ndim < 1:
        raise ValueError(f"{name}(): `b` holds vectors or matrices, with as many rows as `a`. Received: a scalar")
    vectors = a.ndim == b.ndim + 1
    if (a.ndim == b.ndim and a.shape[-2] != b.shape[-2]) or (vectors and a.shape[-1] != b.shape[-1]):
        raise ValueError(
            explain(
                f"{name}(): Incompatible shapes between `a` and `b`.",
                expected="as many rows in `b` as in `a`",
                received=f"a.shape={tuple(a.shape)}, b.shape={tuple(b.shape)}",
            )
        )
    return a, b


# --- factorizations ------------------------------------------------------------------------------
@composite
def cholesky(x: Any, upper: bool = False) -> Any:
    """Triangular factor ``L`` of positive definite matrices: ``x = L @ L^H`` (``U^H @ U`` with ``upper``).

    Raises:
        ValueError: eagerly, if a matrix is not positive definite. Compiled functions get NaN instead.
    """
    factor = _cholesky(x, upper=bool(upper))
    if not is_traced(factor) and bool(jnp.isnan(value_of(factor)).any()):
        raise ValueError(
            "Cholesky decomposition failed: a matrix in `x` is not positive definite, or holds NaN. If only rounding "
            "made it so, add a small multiple of the identity, or use float64. "
            f"Received: shape {tuple(factor.shape)}, {factor.dtype}"
        )
    return factor


@op(static=("upper",))
def _cholesky(x: Any, upper: bool) -> jax.Array:
    return jnp.linalg.cholesky(_matrix(x, "cholesky", square=True), upper=upper)


@op(static=("upper",))
def cholesky_inverse(x: Any, upper: bool = False) -> jax.Array:
    """Inverse of a matrix that is given by its Cholesky factor ``x``."""
    x = _matrix(x, "cholesky_inverse", square=True)
    identity = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    inverse = jsp.linalg.solve_triangular(x, identity, lower=not upper)
    turned = jnp.swapaxes(inverse, -1, -2)
    return inverse @ turned if upper else turned @ inverse


@op
def eig(x: Any) -> tuple[jax.Array, jax.Array]:
    """Eigenvalues and right eigenvectors (columns) of square matrices, complex. On the CPU only."""
    return jnp.linalg.eig(_matrix(x, "eig", square=True))


@op
def eigh(x: Any) -> tuple[jax.Array, jax.Array]:
    """Eigenvalues (ascending) and eigenvectors (columns) of symmetric or Hermitian matrices."""
    return jnp.linalg.eigh(_matrix(x, "eigh", square=True))


@op
def lu_factor(x: Any) -> tuple[jax.Array, jax.Array]:
    """LU factorization with row exchanges: both factors in one matrix, and the exchanged rows (int32)."""
    return jsp.linalg.lu_factor(_matrix(x, "lu_factor"))


@op(static=("mode",))
def qr(x: Any, mode: str = "reduced") -> tuple[jax.Array, jax.Array]:
    """QR factorization; ``mode`` is ``"reduced"`` or ``"complete"``."""
    if mode not in ("reduced", "complete"):
        raise ValueError(
            f"qr(): unknown mode {mode!r}. Choose 'reduced' (as many columns in Q as needed) or 'complete' (square Q)."
        )
    return jnp.linalg.qr(_matrix(x, "qr"), mode=mode)


@op(static=("full_matrices", "compute_uv"))
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular values (descending), with the matrices ``u`` and ``vh`` around them if ``compute_uv``."""
    return jnp.linalg.svd(_matrix(x, "svd"), full_matrices=full_matrices, compute_uv=compute_uv)


# --- numbers of a matrix -------------------------------------------------------------------------
@op
def det(x: Any) -> jax.Array:
    """Determinant of square matrices."""
    return jnp.linalg.det(_matrix(x, "det", square=True))


@op
def slogdet(x: Any) -> tuple[jax.Array, jax.Array]:
    """Determinants of square matrices as pairs: their sign, and ``log(abs(det))``, which does not overflow."""
    return jnp.linalg.slogdet(_matrix(x, "slogdet", square=True))


@op
def matrix_rank(x: Any, tol: Any = None) -> jax.Array:
    """Number of singular values above ``tol`` (int32); by default the largest one times its rounding error."""
    values = jnp.linalg.svd(_matrix(x, "matrix_rank"), compute_uv=False)
    if tol is None:
        tol = jnp.max(values, axis=-1, keepdims=True) * (max(x.shape[-2:]) * jnp.finfo(values.dtype).eps)
    return jnp.sum(values > tol, axis=-1, dtype=jnp.int32)


@op(static=("ord", "axis", "keepdims"))
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> jax.Array:
    """Norm of vectors (one axis) or matrices (two axes).

    Args:
        x: tensor.
        ord: order: a number, ``inf``, ``-inf``; ``"fro"`` or ``"nuc"`` for matrices. Default: the square root of the
            sum of squares.
        axis: int, pair of ints, or None for the whole tensor.
        keepdims: keep the reduced axes with size 1.
    """
    return jnp.linalg.norm(as_float(x), ord=ord, axis=axis, keepdims=keepdims)


# --- systems -------------------------------------------------------------------------------------
@op
def inv(x: Any) -> jax.Array:
    """Inverse of square matrices."""
    return jnp.linalg.inv(_matrix(x, "inv", square=True))


@op
def solve(a: Any, b: Any) -> jax.Array:
    """``y`` of ``a @ y = b``; ``b`` holds vectors if it has one axis less than ``a``."""
    a, b = _system(a, b, "solve")
    if a.ndim == b.ndim + 1:
        return jnp.linalg.solve(a, b[..., None])[..., 0]
    return jnp.linalg.solve(a, b)


@op(static=("lower",))
def solve_triangular(a: Any, b: Any, lower: bool = False) -> jax.Array:
    """``y`` of ``a @ y = b``, where only the upper (or ``lower``) triangle of ``a`` counts."""
    a, b = _system(a, b, "solve_triangular")
    if a.ndim == b.ndim + 1:
        return jsp.linalg.solve_triangular(a, b[..., None], lower=lower)[..., 0]
    return jsp.linalg.solve_triangular(a, b, lower=lower)


@op
def lstsq(a: Any, b: Any, rcond: Any = None) -> jax.Array:
    """Least-squares solution of ``a @ y = b``; singular values below ``rcond`` times the largest count as 0."""
    a, b = promote(a, b, at_least=float)
    return jnp.linalg.lstsq(a, b, rcond=rcond)[0]


@op
def pinv(x: Any, rcond: Any = None) -> jax.Array:
    """Moore-Penrose inverse; singular values below ``rcond`` times the largest count as 0."""
    return jnp.linalg.pinv(_matrix(x, "pinv"), rtol=rcond)
