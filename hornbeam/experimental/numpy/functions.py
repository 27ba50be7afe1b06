"""NumPy's functions of tensors, under their own names."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.door import wrap_tree
from hornbeam.experimental.numpy.arrays import _preferred, asarray, numpy_like
from hornbeam.tensors.face import kept

_ONE = [
    "absolute",
    "angle",
    "amax",
    "amin",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "average",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "cos",
    "cosh",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "deg2rad",
    "diag",
    "diagflat",
    "diagonal",
    "diff",
    "exp",
    "exp2",
    "fabs",
    "expm1",
    "flip",
    "fliplr",
    "flipud",
    "floor",
    "full_like",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "log",
    "log10",
    "log1p",
    "log2",
    "logical_not",
    "median",
    "moveaxis",
    "nan_to_num",
    "nanmean",
    "nanprod",
    "nansum",
    "ndim",
    "negative",
    "nonzero",
    "ones_like",
    "pad",
    "ptp",
    "rad2deg",
    "ravel",
    "real",
    "reciprocal",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "round",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "size",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "std",
    "swapaxes",
    "take",
    "tan",
    "tanh",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triu",
    "var",
    "vander",
    "zeros_like",
    "all",
    "any",
    "max",
    "mean",
    "min",
    "prod",
    "broadcast_to",
    "hsplit",
    "vsplit",
    "dsplit",
    "array_split",
]
_TWO = [
    "add",
    "allclose",
    "append",
    "arctan2",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "cross",
    "divide",
    "dot",
    "equal",
    "floor_divide",
    "gcd",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "inner",
    "isclose",
    "kron",
    "lcm",
    "less",
    "less_equal",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_or",
    "logical_xor",
    "matmul",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nextafter",
    "not_equal",
    "outer",
    "power",
    "subtract",
    "take_along_axis",
    "tensordot",
    "true_divide",
    "vdot",
    "where",
]
_LISTS = ["concatenate", "dstack", "hstack", "stack", "vstack"]

_FLOATING = frozenset(
    [
        "angle",
        "arccos",
        "arccosh",
        "arcsin",
        "arcsinh",
        "arctan",
        "arctanh",
        "average",
        "cbrt",
        "cos",
        "cosh",
        "deg2rad",
        "exp",
        "exp2",
        "expm1",
        "fabs",
        "log",
        "log10",
        "log1p",
        "log2",
        "mean",
        "median",
        "nanmean",
        "rad2deg",
        "reciprocal",
        "sin",
        "sinc",
        "sinh",
        "sqrt",
        "std",
        "tan",
        "tanh",
        "var",
        "arctan2",
        "divide",
        "heaviside",
        "hypot",
        "logaddexp",
        "logaddexp2",
        "nextafter",
        "true_divide",
    ]
)
"""Functions that give floats of integers."""

for _name in _ONE:
    globals()[_name] = numpy_like(getattr(ops, _name), 1, _name in _FLOATING)
for _name in _TWO:
    globals()[_name] = numpy_like(getattr(ops, _name), 3 if _name == "where" else 2, _name in _FLOATING)
for _name in _LISTS:
    globals()[_name] = numpy_like(getattr(ops, _name), 1, lists=True)
globals()["meshgrid"] = numpy_like(ops.meshgrid, None)
globals()["abs"] = globals()["absolute"]
globals()["around"] = globals()["round"]
globals()["remainder"] = globals()["mod"]


def sum(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool | None = None) -> Any:
    """Sum along axes; ints and bools are added as int64.

    Args:
        a: terms.
        axis: axes to reduce.
        dtype: dtype of the result, in which the sum is also computed.
        keepdims: keep reduced axes with size 1.
    """
    x = asarray(a)
    if dtype is None and (x.dtype.is_integer or x.dtype.is_bool):
        dtype = "uint64" if x.dtype.is_unsigned else int
    x = x if dtype is None else kept(x, _preferred(dtype))
    return wrap_tree(ops.sum(x, axis=axis, keepdims=bool(keepdims)))


def expand_dims(a: Any, axis: Any) -> Any:
    """New axes of size 1 at the given places."""
    return wrap_tree(ops.expand_dims(asarray(a), axis))


def einsum(subscripts: str, *operands: Any, optimize: Any = "greedy") -> Any:
    """Sum of products by Einstein's convention; ``optimize`` changes no result."""
    return wrap_tree(ops.einsum(subscripts, *(asarray(operand) for operand in operands)))


__all__ = sorted([*_ONE, *_TWO, *_LISTS, "abs", "around", "einsum", "expand_dims", "meshgrid", "remainder", "sum"])
