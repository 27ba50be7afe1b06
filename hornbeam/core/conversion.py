"""Any value as a JAX array: tensors, variables, arrays of other libraries, numbers, nested lists."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes, settings
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.engine.jax_compat import ArrayImpl, Tracer, wide_types


def copy_array(array: Any) -> Any:
    """A new device array of equal content (without compiling anything, unlike ``jnp.array(copy=True)``)."""
    with wide_types(True):
        return jax.device_put(array, may_alias=False)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (Tensor, jax.Array)) or hasattr(value, "read_array")


def as_array(value: Any, dtype: dtypes.DType | None = None) -> Any:
    """JAX array (or tracer) of its own for any value: tensors, variables, arrays, numbers, nested lists.

    Args:
        value: what to convert. A JAX array is copied if it stays as it is, since a variable owns its array.
        dtype: element type to cast to; default: the value's own, floatx for Python floats, int32 for ints.
    """
    if hasattr(value, "read_array"):
        value = value.read_array()
    elif isinstance(value, Tensor):
        value = value._value
    if isinstance(value, (jax.Array, Tracer)):
        if dtype is None or value.dtype == dtype.as_numpy_dtype:
            return copy_array(value) if isinstance(value, ArrayImpl) and scopes.frame is None else value
        with wide_types(dtype in dtypes.WIDE):
            return value.astype(dtype.as_numpy_dtype)
    if isinstance(value, (list, tuple)) and any(
        isinstance(v, (Tensor, jax.Array)) or hasattr(v, "read_array") for v in value
    ):
        return jnp.stack([as_array(v, dtype) for v in value])
    if (to_dense := getattr(value, "todense", None)) is not None:
        return as_array(to_dense(), dtype)
    if hasattr(type(value), "__jax_array__"):
        return as_array(jnp.asarray(value), dtype)
    array = np.asarray(value)
    if dtype is None:
        dtype = _default_dtype(value, array)
    return from_host(array.astype(dtype.as_numpy_dtype))._value


def _default_dtype(value: Any, array: np.ndarray) -> dtypes.DType:
    if not isinstance(value, (np.ndarray, np.generic)) and not hasattr(value, "__array__"):
        if array.dtype == np.float64:
            return dtypes.as_dtype(settings.floatx())
        if array.dtype == np.int64 and (not array.size or np.abs(array).max() <= 2**31 - 1):
            return dtypes.int32
        if array.dtype == np.complex128:
            return dtypes.complex64
    return dtypes.from_numpy(array.dtype)
