"""Arguments of losses and metrics brought to one dtype before the door, so that no program runs wide by accident."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, settings, trees
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.core.variable import Variable
from hornbeam.keras import dtype_policies

__all__ = ["as_tensor", "compute_dtype", "is_numbers", "on_host", "structure_of_tensors"]

_DEVICE = (Tensor, Variable, KerasTensor, jax.Array)


def compute_dtype(dtype: Any) -> dtypes.DType:
    """Dtype of computations from a dtype, a dtype policy, its name or config, or None (floatx)."""
    if dtype is None:
        dtype = settings.floatx()
    return dtypes.as_dtype(dtype_policies.get(dtype).compute_dtype)


def is_numbers(value: Any) -> bool:
    """True for a nesting of lists that stands for one array: its leaves are Python or NumPy numbers."""
    return isinstance(value, (list, tuple)) and all(
        isinstance(leaf, (int, float, complex, np.generic)) for leaf in trees.flatten(value)
    )


def on_host(value: Any, dtype: np.dtype) -> Any:
    """NumPy arrays, numbers and lists of numbers as NumPy arrays of ``dtype``; tensors, arrays and None as they are."""
    if value is None or isinstance(value, _DEVICE):
        return value
    if isinstance(value, (list, tuple, dict)) and not is_numbers(value):
        return value
    array = np.asarray(value)
    return array if array.dtype.kind in "SUO" else array.astype(dtype, copy=False)


@op(static=("dtype",))
def _converted(x: Any, dtype: Any) -> Any:
    return jax.lax.convert_element_type(x, np.dtype(dtype.as_numpy_dtype))


def as_tensor(value: Any, dtype: dtypes.DType) -> Any:
    """Tensor of that dtype; the very same object if it is one already."""
    value = on_host(value, np.dtype(dtype.as_numpy_dtype))
    if isinstance(value, np.ndarray):
        return from_host(value)
    if isinstance(value, (Tensor, KerasTensor)) and value.dtype == dtype:
        return value
    return _converted(value, dtype)


def structure_of_tensors(structure: Any, dtype: dtypes.DType) -> Any:
    """Every leaf as a tensor of that dtype; a list of numbers is one leaf."""
    if isinstance(structure, (list, tuple, dict)) and not is_numbers(structure):
        return trees.map_structure(lambda leaf: as_tensor(leaf, dtype), structure)
    return as_tensor(structure, dtype)
