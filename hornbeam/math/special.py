"""Special functions, elementwise."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp

from hornbeam import ops
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float, promote
from hornbeam.tensors.face import face, tensor, tensors

__all__ = [
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "betainc",
    "digamma",
    "erf",
    "erfc",
    "erfcinv",
    "erfinv",
    "igamma",
    "igammac",
    "lbeta",
    "lgamma",
    "log_sigmoid",
    "log_softmax",
    "ndtri",
    "polygamma",
    "polyval",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "xdivy",
    "xlog1py",
    "xlogy",
    "zeta",
]


@face
def erf(x: Any, name: str | None = None) -> Any:
    """Error function."""
    return ops.erf(x)


@face
def erfc(x: Any, name: str | None = None) -> Any:
    """``1 - erf(x)``, accurate for large ``x``."""
    return ops.erfc(x)


@face
def erfinv(x: Any, name: str | None = None) -> Any:
    """Inverse of the error function."""
    return ops.erfinv(x)


@op
def _ndtri(x: Any) -> Any:
    return jsp.ndtri(as_float(x))


@face
def ndtri(x: Any, name: str | None = None) -> Any:
    """Quantile of the standard normal distribution."""
    return _ndtri(x)


@op
def _erfcinv(x: Any) -> Any:
    x = as_float(x)
    # From the lower tail of the normal distribution, because 1 - x would lose small x.
    return -jsp.ndtri(0.5 * x) * jnp.asarray(0.5**0.5, x.dtype)


@face
def erfcinv(x: Any, name: str | None = None) -> Any:
    """Inverse of ``erfc``."""
    return _erfcinv(x)


@op
def _lgamma(x: Any) -> Any:
    return jax.lax.lgamma(as_float(x))


@face
def lgamma(x: Any, name: str | None = None) -> Any:
    """Logarithm of the absolute value of the gamma function."""
    return _lgamma(x)


@op
def _digamma(x: Any) -> Any:
    return jax.lax.digamma(as_float(x))


@face
def digamma(x: Any, name: str | None = None) -> Any:
    """Derivative of ``lgamma``."""
    return _digamma(x)


@op
def _polygamma(a: Any, x: Any) -> Any:
    a, x = promote(a, x, at_least=float)
    # Derivatives of the series of the digamma function: all but the first are Hurwitz zeta functions.
    sign = jnp.where(a % 2 == 0, -1, 1).astype(x.dtype)
    higher = sign * jnp.exp(jax.lax.lgamma(a + 1)) * jsp.zeta(a + 1, x)
    return jnp.where(a == 0, jax.lax.digamma(x), higher)


@face
def polygamma(a: Any, x: Any, name: str | None = None) -> Any:
    """Derivative of order ``a`` of the digamma function."""
    return _polygamma(*tensors(a, x))


@op
def _zeta(x: Any, q: Any) -> Any:
    return jsp.zeta(*promote(x, q, at_least=float))


@face
def zeta(x: Any, q: Any, name: str | None = None) -> Any:
    """Hurwitz zeta function: sum over ``n`` of ``(q + n)**-x``."""
    return _zeta(*tensors(x, q))


@op
def _igamma(a: Any, x: Any) -> Any:
    return jax.lax.igamma(*jnp.broadcast_arrays(*promote(a, x, at_least=float)))


@face
def igamma(a: Any, x: Any, name: str | None = None) -> Any:
    """Lower regularised incomplete gamma function."""
    return _igamma(*tensors(a, x))


@op
def _igammac(a: Any, x: Any) -> Any:
    return jax.lax.igammac(*jnp.broadcast_arrays(*promote(a, x, at_least=float)))


@face
def igammac(a: Any, x: Any, name: str | None = None) -> Any:
    """Upper regularised incomplete gamma function."""
    return _igammac(*tensors(a, x))


@op
def _betainc(a: Any, b: Any, x: Any) -> Any:
    return jsp.betainc(*promote(a, b, x, at_least=float))


@face
def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Any:
    """Regularised incomplete beta function."""
    return _betainc(*tensors(a, b, x))


@op
def _lbeta(x: Any) -> Any:
    x = as_float(x)
    return jnp.sum(jax.lax.lgamma(x), axis=-1) - jax.lax.lgamma(jnp.sum(x, axis=-1))


@face
def lbeta(x: Any, name: str | None = None) -> Any:
    """Logarithm of the absolute value of the beta function of the numbers along the last axis."""
    return _lbeta(x)


@op
def _i0e(x: Any) -> Any:
    return jsp.i0e(as_float(x))


@op
def _i1e(x: Any) -> Any:
    return jsp.i1e(as_float(x))


@op
def _i1(x: Any) -> Any:
    return jsp.i1(as_float(x))


@face
def bessel_i0(x: Any, name: str | None = None) -> Any:
    """Modified Bessel function of order 0."""
    return ops.i0(x)


@face
def bessel_i0e(x: Any, name: str | None = None) -> Any:
    """``exp(-|x|) * bessel_i0(x)``."""
    return _i0e(x)


@face
def bessel_i1(x: Any, name: str | None = None) -> Any:
    """Modified Bessel function of order 1."""
    return _i1(x)


@face
def bessel_i1e(x: Any, name: str | None = None) -> Any:
    """``exp(-|x|) * bessel_i1(x)``."""
    return _i1e(x)


@op(adapt=True)
def _xlogy(x: Any, y: Any) -> Any:
    return jsp.xlogy(*promote(x, y, at_least=float))


@face
def xlogy(x: Any, y: Any, name: str | None = None) -> Any:
    """``x * log(y)``, and 0 where ``x`` is 0."""
    return _xlogy(x, y)


@op(adapt=True)
def _xlog1py(x: Any, y: Any) -> Any:
    return jsp.xlog1py(*promote(x, y, at_least=float))


@face
def xlog1py(x: Any, y: Any, name: str | None = None) -> Any:
    """``x * log(1 + y)``, and 0 where ``x`` is 0."""
    return _xlog1py(x, y)


@op(adapt=True)
def _xdivy(x: Any, y: Any) -> Any:
    x, y = promote(x, y, at_least=float)
    is_zero = x == 0
    return jnp.where(is_zero, jnp.zeros_like(x), x / jnp.where(is_zero, jnp.ones_like(y), y))


@face
def xdivy(x: Any, y: Any, name: str | None = None) -> Any:
    """``x / y``, and 0 where ``x`` is 0."""
    return _xdivy(x, y)


@face
def sigmoid(x: Any, name: str | None = None) -> Any:
    """Logistic function: ``1 / (1 + exp(-x))``."""
    return ops.sigmoid(x)


@face
def softplus(features: Any, name: str | None = None) -> Any:
    """``log(1 + exp(x))``, without overflow."""
    return ops.softplus(features)


@face
def softsign(features: Any, name: str | None = None) -> Any:
    """``x / (1 + |x|)``."""
    return ops.softsign(features)


@face
def polyval(coeffs: Any, x: Any, name: str | None = None) -> Any:
    """Value of the polynomial with the given coefficients, highest power first.

    Raises:
        ValueError: the coefficients are not a list.
    """
    if not isinstance(coeffs, list):
        raise ValueError(f"tf.math.polyval: `coeffs` must be a list, received {type(coeffs).__name__}.")
    x = tensor(x)
    if not coeffs:
        return ops.zeros_like(x)
    total = tensor(coeffs[0], x.dtype)
    for coefficient in coeffs[1:]:
        total = ops.add(tensor(coefficient, x.dtype), ops.multiply(total, x))
    return total


@face
def log_sigmoid(x: Any, name: str | None = None) -> Any:
    """Logarithm of ``sigmoid``."""
    return ops.log_sigmoid(tensor(x))


@face
def softmax(logits: Any, axis: Any = None, name: str | None = None) -> Any:
    """Exponentials divided by their sum along an axis (the last by default)."""
    return ops.softmax(tensor(logits), axis=-1 if axis is None else static_value(axis, "axis"))


@face
def log_softmax(logits: Any, axis: Any = None, name: str | None = None) -> Any:
    """Logarithm of ``softmax``."""
    return ops.log_softmax(tensor(logits), axis=-1 if axis is None else static_value(axis, "axis"))
