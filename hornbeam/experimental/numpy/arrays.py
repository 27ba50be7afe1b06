"""Conversion by NumPy's rules: Python floats are float64 and ints int64, unless float32 is preferred."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.door import wrap_tree
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.tensors.face import kept, shape_of, tensor

__all__ = [
    "arange",
    "array",
    "asarray",
    "copy",
    "empty",
    "experimental_enable_numpy_behavior",
    "eye",
    "full",
    "identity",
    "linspace",
    "numpy_like",
    "ones",
    "zeros",
]

_settings = {"prefer_float32": False}
_NARROW = {"float64": "float32", "int64": "int32", "complex128": "complex64"}


def experimental_enable_numpy_behavior(prefer_float32: bool = False, dtype_conversion_mode: str = "legacy") -> None:
    """Choose the dtypes of this module; tensors have NumPy's methods and promotion from the start.

    Args:
        prefer_float32: Python floats become float32 and ints int32 here.
        dtype_conversion_mode: ``"legacy"`` or ``"all"``; the safe modes, which refuse conversions, are not offered.
    """
    if dtype_conversion_mode not in ("legacy", "all"):
        raise NotSupportedError(
            f"dtype_conversion_mode={dtype_conversion_mode!r} is not offered; use 'legacy' or 'all'."
        )
    _settings["prefer_float32"] = bool(prefer_float32)


def _preferred(dtype: Any) -> dtypes.DType:
    """Dtype for a Python type (or None for float), or the dtype itself."""
    python = {None: "float64", float: "float64", int: "int64", complex: "complex128"}
    try:
        name = python.get(dtype)
    except TypeError:
        name = None
    if name is None:
        return dtypes.as_dtype(dtype)
    return dtypes.as_dtype(_NARROW[name] if _settings["prefer_float32"] else name)


def _is_tensor(item: Any) -> bool:
    return isinstance(item, (Tensor, Variable, KerasTensor, jax.Array))


def asarray(a: Any, dtype: Any = None) -> Any:
    """Tensor of anything that NumPy makes an array of."""
    if not _is_tensor(a) and not (isinstance(a, (list, tuple)) and any(_is_tensor(item) for item in a)):
        given = isinstance(a, (np.ndarray, np.generic))
        a = np.asarray(a)
        if not given and _settings["prefer_float32"]:
            a = a.astype(_NARROW.get(a.dtype.name, a.dtype.name))
    made = wrap_tree(a) if isinstance(a, jax.Array) else tensor(a)
    return made if dtype is None else kept(made, _preferred(dtype))


def array(val: Any, dtype: Any = None, copy: bool = True, ndmin: int = 0) -> Any:
    """Tensor of anything that NumPy makes an array of; tensors never change, so ``copy`` makes no difference.

    Args:
        val: what to convert.
        dtype: dtype of the result.
        copy: see above.
        ndmin: number of axes at least; new ones of size 1 are put in front.
    """
    made = asarray(val, dtype)
    missing = max(0, ndmin - len(shape_of(made)))
    return ops.reshape(made, (1,) * missing + tuple(made.shape)) if missing else made


def copy(a: Any) -> Any:
    """The same values as another tensor."""
    return ops.copy(asarray(a))


def numpy_like(function: Callable, n_arrays: int | None = 1, floating: bool = False, lists: bool = False) -> Callable:
    """A function of ``ops`` whose first arguments are converted by NumPy's rules.

    Args:
        function: the function.
        n_arrays: number of leading arguments that are arrays; None for all.
        floating: whether integers become floats.
        lists: whether the argument is a list of arrays.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        count = len(args) if n_arrays is None else n_arrays
        given, rest = args[:count], args[count:]
        if lists:
            given = [[_floated(asarray(part), floating) for part in given[0]]]
        else:
            # Python numbers stay weak beside tensors, and are NumPy's alone.
            weak = any(not _is_number(item) for item in given)
            given = [item if weak and _is_number(item) else _floated(asarray(item), floating) for item in given]
        return wrap_tree(function(*given, *rest, **kwargs))

    return call


def _is_number(item: Any) -> bool:
    return isinstance(item, (bool, int, float, complex)) and not isinstance(item, np.generic)


def _floated(item: Any, floating: bool) -> Any:
    return kept(item, _preferred(float)) if floating and (item.dtype.is_integer or item.dtype.is_bool) else item


# --- new tensors ---------------------------------------------------------------------------------
def zeros(shape: Any, dtype: Any = float) -> Any:
    """Zeros, float64 by default."""
    return wrap_tree(ops.zeros(shape, dtype=_preferred(dtype)))


def ones(shape: Any, dtype: Any = float) -> Any:
    """Ones, float64 by default."""
    return wrap_tree(ops.ones(shape, dtype=_preferred(dtype)))


def empty(shape: Any, dtype: Any = float) -> Any:
    """A tensor whose values do not matter."""
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value everywhere, in its own dtype by default."""
    value = asarray(fill_value, dtype)
    return wrap_tree(ops.full(shape, value, value.dtype))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = float) -> Any:
    """Matrix with ones on diagonal ``k``."""
    return wrap_tree(ops.eye(N, M, k, dtype=_preferred(dtype)))


def identity(n: int, dtype: Any = float) -> Any:
    """Square matrix with ones on the diagonal."""
    return eye(n, dtype=dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Numbers from ``start`` up to, but without, ``stop``: int64 of ints, float64 of floats."""
    start, stop = (0, start) if stop is None else (start, stop)
    if dtype is None:
        dtype = dtypes.result_type(*(asarray(value).dtype for value in (start, stop, step)))
    return wrap_tree(ops.arange(start, stop, step, dtype=_preferred(dtype)))


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = float,
    axis: int = 0,
) -> Any:
    """Evenly spaced numbers from ``start`` to ``stop``, float64 by default."""
    kind = _preferred(dtype)
    start, stop = (asarray(value, kind if kind.is_floating else float) for value in (start, stop))
    return wrap_tree(ops.linspace(start, stop, num, endpoint, retstep, kind, axis))
