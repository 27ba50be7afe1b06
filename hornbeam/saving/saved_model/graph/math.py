"""Elementwise operations and matrix products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.saving.saved_model.graph.table import Node, op, static

# --- the same function in NumPy and JAX ----------------------------------------------------------
_SAME = {
    "Abs": "abs", "Acos": "arccos", "Acosh": "arccosh", "Add": "add", "AddV2": "add", "Angle": "angle",
    "Asin": "arcsin", "Asinh": "arcsinh", "Atan": "arctan", "Atan2": "arctan2", "Atanh": "arctanh",
    "BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor", "Ceil": "ceil", "Conj": "conj",
    "Cos": "cos", "Cosh": "cosh", "Exp": "exp", "Expm1": "expm1", "Floor": "floor", "FloorDiv": "floor_divide",
    "FloorMod": "mod", "Greater": "greater", "GreaterEqual": "greater_equal", "Imag": "imag", "Invert": "invert",
    "IsFinite": "isfinite", "IsInf": "isinf", "IsNan": "isnan", "LeftShift": "left_shift", "Less": "less",
    "LessEqual": "less_equal", "Log": "log", "Log1p": "log1p", "LogicalAnd": "logical_and", "LogicalNot": "logical_not",
    "LogicalOr": "logical_or", "Maximum": "maximum", "Minimum": "minimum", "Mod": "fmod", "Mul": "multiply",
    "Neg": "negative", "Pow": "power", "Real": "real", "Rint": "rint", "RightShift": "right_shift", "Round": "round",
    "Sign": "sign", "Sin": "sin", "Sinh": "sinh", "Sqrt": "sqrt", "Square": "square", "Sub": "subtract", "Tan": "tan",
    "Tanh": "tanh", "TruncateMod": "fmod",
}  # fmt: skip


def _same(name: str) -> Callable:
    def run(node: Node, *inputs: Any) -> Any:
        return getattr(node.xp, name)(*inputs)

    return run


for _op, _name in _SAME.items():
    op(_op)(_same(_name))

# --- of JAX alone --------------------------------------------------------------------------------
_PLAIN: dict[str, Callable] = {
    "BesselI0e": jax.scipy.special.i0e,
    "BesselI1e": jax.scipy.special.i1e,
    "Digamma": jax.scipy.special.digamma,
    "Elu": jax.nn.elu,
    "Erf": jax.scipy.special.erf,
    "Erfc": jax.scipy.special.erfc,
    "Erfinv": jax.scipy.special.erfinv,
    "Igamma": jax.scipy.special.gammainc,
    "Igammac": jax.scipy.special.gammaincc,
    "Lgamma": jax.scipy.special.gammaln,
    "LogSoftmax": jax.nn.log_softmax,
    "Ndtri": jax.scipy.special.ndtri,
    "Relu": jax.nn.relu,
    "Relu6": jax.nn.relu6,
    "Rsqrt": jax.lax.rsqrt,
    "Selu": jax.nn.selu,
    "Sigmoid": jax.nn.sigmoid,
    "Softmax": jax.nn.softmax,
    "Softplus": jax.nn.softplus,
    "Softsign": jax.nn.soft_sign,
    "Xdivy": lambda x, y: jnp.where(x == 0, jnp.zeros_like(x), x / jnp.where(x == 0, jnp.ones_like(y), y)),
    "Xlogy": jax.scipy.special.xlogy,
    "Xlog1py": jax.scipy.special.xlog1py,
    "Zeta": jax.scipy.special.zeta,
}


def _plain(function: Callable) -> Callable:
    def run(node: Node, *inputs: Any) -> Any:
        return function(*map(jnp.asarray, inputs))

    return run


for _op, _function in _PLAIN.items():
    op(_op)(_plain(_function))


@op("RealDiv", "Div")
def _divide(node: Node, x: Any, y: Any) -> Any:
    if node.xp.asarray(x).dtype.kind in "iu" and node.op == "Div":
        return _truncated(node, x, y)
    return node.xp.divide(x, y)


@op("TruncateDiv")
def _truncated(node: Node, x: Any, y: Any) -> Any:
    return node.xp.trunc(node.xp.divide(x, y)).astype(node.xp.asarray(x).dtype)


@op("DivNoNan", "MulNoNan")
def _no_nan(node: Node, x: Any, y: Any) -> Any:
    zero = y == 0
    if node.op == "MulNoNan":
        return jnp.where(zero, jnp.zeros_like(x * y), x * y)
    return jnp.where(zero, jnp.zeros_like(x), x / jnp.where(zero, jnp.ones_like(y), y))


@op("Inv", "Reciprocal")
def _reciprocal(node: Node, x: Any) -> Any:
    return 1 / x


@op("SquaredDifference")
def _squared_difference(node: Node, x: Any, y: Any) -> Any:
    difference = node.xp.subtract(x, y)
    return difference * difference


@op("LeakyRelu")
def _leaky_relu(node: Node, x: Any) -> Any:
    return jnp.where(x >= 0, x, x * jnp.asarray(node.number("alpha", 0.2), jnp.asarray(x).dtype))


@op("Equal", "NotEqual")
def _equal(node: Node, x: Any, y: Any) -> Any:
    return node.xp.equal(x, y) if node.op == "Equal" else node.xp.not_equal(x, y)


@op("ApproximateEqual")
def _approximately(node: Node, x: Any, y: Any) -> Any:
    return node.xp.abs(x - y) < node.number("tolerance", 1e-5)


@op("AddN")
def _add_n(node: Node, *inputs: Any) -> Any:
    total = inputs[0]
    for value in inputs[1:]:
        total = total + value
    return total


@op("Cast")
def _cast(node: Node, x: Any) -> Any:
    target = node.dtype("DstT")
    given = node.xp.asarray(x)
    if given.dtype.kind == "f" and target.kind in "iu":
        # Toward zero, as C does.
        given = node.xp.trunc(given)
    return given.astype(target)


@op("ClipByValue")
def _clip(node: Node, x: Any, low: Any, high: Any) -> Any:
    return node.xp.minimum(node.xp.maximum(x, low), high)


@op("Complex")
def _complex(node: Node, real: Any, imaginary: Any) -> Any:
    return jax.lax.complex(jnp.asarray(real), jnp.asarray(imaginary))


@op("Bitcast")
def _bitcast(node: Node, x: Any) -> Any:
    return jax.lax.bitcast_convert_type(x, node.dtype("type"))


# --- choosing ------------------------------------------------------------------------------------
@op("Select", "SelectV2")
def _select(node: Node, condition: Any, x: Any, y: Any) -> Any:
    condition = node.xp.asarray(condition)
    if node.op == "Select" and condition.ndim == 1 and np.ndim(x) > 1:
        condition = condition.reshape(condition.shape + (1,) * (np.ndim(x) - 1))
    return node.xp.where(condition, x, y)


# --- products ------------------------------------------------------------------------------------
@op("MatMul")
def _matmul(node: Node, a: Any, b: Any) -> Any:
    a = a.T if node.number("transpose_a", False) else a
    b = b.T if node.number("transpose_b", False) else b
    return node.xp.matmul(a, b)


@op("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
def _batch_matmul(node: Node, a: Any, b: Any) -> Any:
    a = node.xp.conj(node.xp.swapaxes(a, -1, -2)) if node.number("adj_x", False) else a
    b = node.xp.conj(node.xp.swapaxes(b, -1, -2)) if node.number("adj_y", False) else b
    out = node.dtype("Tout", node.xp.asarray(a).dtype.name)
    return node.xp.matmul(a, b).astype(out)


@op("_FusedMatMul")
def _fused_matmul(node: Node, a: Any, b: Any, *extra: Any) -> Any:
    result = _matmul(node, a, b)
    queue = list(extra)
    for step in node.texts("fused_ops"):
        if step == "BiasAdd":
            result = result + queue.pop(0)
        else:
            result = _PLAIN[step](result) if step in _PLAIN else getattr(jnp, _SAME[step])(result)
    return result


@op("Einsum")
def _einsum(node: Node, *inputs: Any) -> Any:
    return jnp.einsum(node.text("equation"), *inputs)


@op("Cross")
def _cross(node: Node, a: Any, b: Any) -> Any:
    return node.xp.cross(a, b)


@op("L2Loss")
def _l2_loss(node: Node, x: Any) -> Any:
    return jnp.sum(jnp.square(x)) / 2


# --- linear algebra ------------------------------------------------------------------------------
@op("Cholesky")
def _cholesky(node: Node, x: Any) -> Any:
    return jnp.linalg.cholesky(x)


@op("MatrixInverse")
def _inverse(node: Node, x: Any) -> Any:
    return jnp.linalg.inv(jnp.conj(jnp.swapaxes(x, -1, -2)) if node.number("adjoint", False) else x)


@op("MatrixDeterminant")
def _determinant(node: Node, x: Any) -> Any:
    return jnp.linalg.det(x)


@op("MatrixSolve")
def _solve(node: Node, a: Any, b: Any) -> Any:
    return jnp.linalg.solve(jnp.conj(jnp.swapaxes(a, -1, -2)) if node.number("adjoint", False) else a, b)


# --- spectra -------------------------------------------------------------------------------------
@op("ComplexAbs")
def _complex_abs(node: Node, x: Any) -> Any:
    return jnp.abs(x)


@op("FFT", "IFFT", "FFT2D", "IFFT2D")
def _fft(node: Node, x: Any) -> Any:
    function = getattr(jnp.fft, node.op.removesuffix("2D").lower() + ("2" if node.op.endswith("2D") else ""))
    return function(x).astype(x.dtype)


@op("RFFT", "IRFFT")
def _rfft(node: Node, x: Any, length: Any) -> Any:
    count = int(static(node, length, "length").ravel()[0])
    return (jnp.fft.rfft if node.op == "RFFT" else jnp.fft.irfft)(x, count)
