"""Variables and constants, their values, and questions about tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from hornbeam import ops, sparse
from hornbeam.base import dtypes, names, settings
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.keras import random as keras_random
from hornbeam.keras.layers import Input
from hornbeam.keras.utils import standardize_dtype
from hornbeam.tensors import creation


# --- making them ---------------------------------------------------------------------------------
def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Callable | None = None) -> Variable:
    """A variable that starts at a value.

    Args:
        value: array, tensor, number or list; a SciPy sparse matrix is made dense.
        dtype: element type; ``floatx`` by default.
        name: name.
        constraint: projection after each update by an optimizer.
    """
    if hasattr(value, "todense"):
        value = np.asarray(value.todense())
    if isinstance(value, (Variable, Tensor)):
        value = value.numpy()
    array = np.asarray(value, dtype=dtypes.as_dtype(dtype or settings.floatx()).as_numpy_dtype)
    return Variable(array, dtype=dtype or settings.floatx(), name=name, constraint=constraint)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor of fixed values, ``floatx`` by default; a single value may fill a ``shape``."""
    return creation.constant(value, dtype=dtype or settings.floatx(), shape=shape)


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
    ragged: bool = False,
) -> KerasTensor:
    """A symbolic tensor to build functions from.

    Args:
        shape: sizes, with the batch axis; None for those that are not known.
        ndim: number of axes, if no shape is given.
        dtype: element type; ``floatx`` by default.
        sparse: only False.
        name: name.
        ragged: only False.
    """
    if sparse or ragged:
        raise ValueError("placeholder() makes dense tensors only. Leave `sparse` and `ragged` out.")
    if shape is None:
        shape = (None,) * (ndim or 0)
    return Input(batch_shape=tuple(shape), dtype=dtype or settings.floatx(), name=name)


def is_placeholder(x: Any) -> bool:
    """Whether a tensor is symbolic and came from ``placeholder`` or ``Input``."""
    return isinstance(x, KerasTensor) and (x.node is None or x.node.is_input)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of zeros."""
    return variable(np.zeros(tuple(shape)), dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable of ones."""
    return variable(np.ones(tuple(shape)), dtype, name)


def eye(size: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable that holds the identity matrix; ``size`` is its number of rows, or (rows, columns)."""
    rows, columns = size if isinstance(size, (tuple, list)) else (size, size)
    return variable(np.eye(rows, columns), dtype, name)


def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros of a tensor's shape."""
    return ops.zeros_like(x, dtype=dtype)


def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Ones of a tensor's shape."""
    return ops.ones_like(x, dtype=dtype)


def identity(x: Any, name: str | None = None) -> Any:
    """The tensor itself, as a new tensor."""
    return ops.copy(x)


def _seed(seed: int | None) -> int:
    # Seeds come from NumPy's generator, so that `np.random.seed` fixes the draws.
    return int(np.random.randint(10**8)) if seed is None else int(seed)


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable of uniform draws from [low, high)."""
    draws = keras_random.uniform(tuple(shape), low, high, dtype=dtype or settings.floatx(), seed=_seed(seed))
    return variable(draws, dtype, name)


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable of normal draws with a mean and a standard deviation."""
    draws = keras_random.normal(tuple(shape), mean, scale, dtype=dtype or settings.floatx(), seed=_seed(seed))
    return variable(draws, dtype, name)


# --- values --------------------------------------------------------------------------------------
def get_value(x: Any) -> Any:
    """Value of a variable or tensor as a NumPy array (or number); anything else as it is."""
    if isinstance(x, KerasTensor):
        raise ValueError(
            f"get_value() needs a tensor with a value. Received: {x!r}, which is symbolic. Use "
            "`K.function([inputs], [tensor])` and call it on data."
        )
    if not hasattr(x, "numpy"):
        return np.asarray(x) if hasattr(x, "aval") else x
    return x.numpy()


def eval(x: Any) -> Any:
    """Value of a variable or tensor as a NumPy array."""
    return get_value(to_dense(x))


def set_value(x: Any, value: Any) -> None:
    """Set a variable."""
    x.assign(np.asarray(value.numpy() if hasattr(value, "numpy") else value))


def batch_get_value(tensors: Iterable[Any]) -> list[Any]:
    """Values of several variables or tensors."""
    return [get_value(tensor) for tensor in tensors]


def batch_set_value(tuples: Iterable[tuple[Any, Any]]) -> None:
    """Set several variables, given as (variable, value)."""
    for one, value in tuples:
        set_value(one, value)


class Assignment:
    """A variable that ``function`` sets to the value of a symbolic tensor.

    Args:
        variable: what is set.
        value: the symbolic tensor.

    Attributes:
        tensors: symbolic tensors whose values are needed.
    """

    def __init__(self, variable: Any, value: KerasTensor) -> None:
        self.variable = variable
        self.tensors = [value]

    def make(self, values: list[Any]) -> None:
        """Set the variable, given the tensors' values."""
        self.variable.assign(values[0])


def update(x: Any, new_x: Any) -> Any:
    """Set a variable to a tensor; for a symbolic one, give the update to ``function(..., updates=[...])``."""
    return Assignment(x, new_x) if isinstance(new_x, KerasTensor) else x.assign(new_x)


def update_add(x: Any, increment: Any) -> Any:
    """Add to a variable; see ``update``."""
    if isinstance(increment, KerasTensor):
        return Increment(x, increment)
    return x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """Subtract from a variable; see ``update``."""
    if isinstance(decrement, KerasTensor):
        return Increment(x, ops.negative(decrement))
    return x.assign_sub(decrement)


class Increment(Assignment):
    """A variable to which ``function`` adds the value of a symbolic tensor."""

    def make(self, values: list[Any]) -> None:
        """Add to the variable."""
        self.variable.assign_add(values[0])


def moving_average_update(x: Any, value: Any, momentum: Any) -> Any:
    """Move a variable towards a value: ``momentum * x + (1 - momentum) * value``."""
    current = ops.convert_to_tensor(x)
    step = (current - ops.cast(value, current.dtype)) * (1 - ops.cast(momentum, current.dtype))
    return x.assign(current - step)


# --- questions -----------------------------------------------------------------------------------
def shape(x: Any) -> Any:
    """Sizes as a tensor of integers (known ones are numbers)."""
    return creation.shape(x)


def int_shape(x: Any) -> tuple | None:
    """Sizes as a tuple, None for those that are not known; None for things without a shape."""
    found = getattr(x, "shape", None)
    if found is None:
        try:
            return tuple(np.shape(x))
        except ValueError:
            return None
    return tuple(found)


def ndim(x: Any) -> int:
    """Number of axes."""
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def dtype(x: Any) -> str:
    """Name of the element type."""
    return standardize_dtype(x.dtype)


def count_params(x: Any) -> int:
    """Number of elements."""
    return math.prod(tuple(x.shape))


def is_tensor(x: Any) -> bool:
    """Whether it is a tensor, symbolic ones included."""
    return creation.is_tensor(x) or isinstance(x, KerasTensor)


def is_sparse(tensor: Any) -> bool:
    """Whether the tensor keeps its nonzero elements only."""
    return isinstance(tensor, sparse.SparseTensor)


def to_dense(tensor: Any) -> Any:
    """A sparse tensor with all its elements; dense ones as they are."""
    return sparse.to_dense(tensor) if is_sparse(tensor) else tensor


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype's name is that of a floating type."""
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype's name is that of an integer type."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


def cast(x: Any, dtype: Any) -> Any:
    """The tensor in another element type."""
    return ops.cast(x, dtype)


def cast_to_floatx(x: Any) -> Any:
    """A tensor cast to ``floatx``; anything else as a NumPy array of it."""
    if isinstance(x, (Tensor, Variable, KerasTensor)) or hasattr(x, "aval"):
        return ops.cast(x, settings.floatx())
    return np.asarray(x, dtype=dtypes.as_dtype(settings.floatx()).as_numpy_dtype)


def result_type(*dtypes_given: Any) -> str:
    """The dtype that an operation on these dtypes gives."""
    return dtypes.result_type(*dtypes_given)


def get_uid(prefix: str = "") -> int:
    """The next number for a prefix, from 1."""
    return names.uid(prefix)


def reset_uids() -> None:
    """Start all numbers of names anew."""
    names.reset()


def manual_variable_initialization(value: Any) -> None:
    """Accept the wish to start variables oneself: variables have their values from the start."""
    bool(value)
