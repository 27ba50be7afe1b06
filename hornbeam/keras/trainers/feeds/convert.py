"""Whatever users give as data, as arrays with a samples axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, settings, trees
from hornbeam.base.errors import DataError, explain
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor
from hornbeam.core.variable import Variable
from hornbeam.keras.trainers.feeds.tables import opened

_NUMBERS = (int, float, bool, complex, np.number, np.bool_)
_LOOKED_AT = 1000
"""Elements of an object array whose kind is looked at."""


def convert(value: Any, name: str) -> Any:
    """A nesting of arrays from data in any form; lists of numbers become arrays, lists of arrays stay lists.

    Args:
        value: arrays, tensors, data frames, (nested) lists of numbers, or a nesting of such things; None stays None.
        name: the argument it was given as, for messages.
    """
    value = opened(value)
    if isinstance(value, (list, tuple)) and value and _is_table(value):
        return as_host_array(_from_lists(value, name), name)
    if not trees.is_nested(value):
        return as_host_array(value, name)
    pairs = trees.flatten_with_path(value)
    return trees.pack(value, [as_host_array(leaf, _at(name, path)) for path, leaf in pairs])


def _at(name: str, path: tuple) -> str:
    return name + "".join(f"[{key!r}]" for key in path)


def _is_table(value: Any) -> bool:
    """True for (nested) lists that hold numbers or texts, not arrays."""
    first = value
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if not isinstance(first, (*_NUMBERS, str, bytes)):
        return False
    return all(isinstance(leaf, (*_NUMBERS, str, bytes)) for leaf in trees.flatten(value))


def _from_lists(value: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError as error:
        lengths = [len(row) if isinstance(row, (list, tuple)) else None for row in value]
        row = next((i for i, length in enumerate(lengths) if length != lengths[0]), 0)
        raise DataError(
            explain(
                f"Argument `{name}` is a list of rows of unequal length, which is no array.",
                expected=f"rows of equal length, as row 0 with {lengths[0]} elements",
                received=f"row {row} with {lengths[row]} elements",
                fix="pad the rows first, e.g. with keras.utils.pad_sequences",
            )
        ) from error


def as_host_array(value: Any, name: str = "x") -> Any:
    """NumPy (or device) array with a first axis; floats in floatx, 64-bit integers as 32-bit.

    Args:
        value: anything that turns into an array; None stays None.
        name: what it is called in messages.

    Raises:
        DataError: it has no samples axis, or elements that are no numbers (text is passed on).
    """
    if value is None:
        return None
    if isinstance(value, KerasTensor):
        raise DataError(
            explain(
                f"Argument `{name}` is a symbolic tensor, which holds no data.",
                expected="arrays",
                received=repr(value),
                fix="symbolic tensors make up models: `keras.Model(inputs, outputs)`; pass NumPy arrays here",
            )
        )
    array = _as_array(value, name)
    if isinstance(array, jax.Array):
        return array if array.ndim else array.reshape((1,))
    kind = array.dtype.kind
    if kind == "O":
        array = _from_objects(array, name)
        kind = array.dtype.kind
    # Number types of other libraries (bfloat16) call themselves structured, too.
    if kind in "mM" or (kind == "V" and array.dtype.isbuiltin != 2):
        what = "Dates and times" if kind in "mM" else "Structured arrays"
        raise DataError(
            explain(
                f"{what} cannot be trained on: argument `{name}`.",
                expected="numbers",
                received=f"dtype {array.dtype}",
                fix="convert them to numbers first",
            )
        )
    if array.ndim == 0:
        raise DataError(
            explain(
                f"Argument `{name}` has no samples axis.",
                expected="at least one axis",
                received=f"the scalar {array!r}",
                fix="batch a dataset that gives single samples, `dataset.batch(32)`; give a list of one for one sample",
            )
        )
    return array if kind in "SUOT" else _narrow(array)


def _narrow(array: np.ndarray) -> np.ndarray:
    dtype = dtypes.from_numpy(array.dtype)
    if dtype.is_floating:
        floats = dtypes.as_dtype(settings.floatx()).as_numpy_dtype
        # Rows that lie in one piece are picked quickly; where no copy is made, each pass may need one.
        return array if array.dtype == floats else array.astype(floats, order="C")
    if dtype == "int64":
        return _integers(array, np.int32)
    if dtype == "uint64":
        return _integers(array, np.uint32)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _integers(array: np.ndarray, kind: type) -> np.ndarray:
    """Halved in width, unless a number would change by it (hash values, long ids)."""
    limits = np.iinfo(kind)
    if array.size and (array.max() > limits.max or array.min() < limits.min):
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    return array.astype(kind, order="C")


def _as_array(value: Any, name: str) -> Any:
    """NumPy or JAX array, elements as they are."""
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    if isinstance(value, HostTensor):
        return value._value
    if isinstance(value, Tensor):
        return value._value
    if isinstance(value, Variable):
        return value.numpy()
    if isinstance(value, jax.Array):
        return value
    if hasattr(value, "detach"):
        return _from_torch(value)
    if hasattr(value, "dtypes") and hasattr(value, "columns"):
        return _from_frame(value, name)
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        return value.toarray()
    if hasattr(value, "__array__") and type(value).__module__.startswith("pyarrow"):
        return np.asarray(value)  # its `to_numpy` refuses texts and missing values
    for method in ("to_numpy", "numpy"):
        function = getattr(value, method, None)
        if callable(function):
            return np.asarray(function())
    return np.asarray(value)


def _from_torch(value: Any) -> np.ndarray:
    host = value.detach().cpu()
    try:
        return host.numpy()
    except TypeError:
        # Types that NumPy lacks (bfloat16).
        return host.float().numpy()


def _from_frame(frame: Any, name: str) -> np.ndarray:
    """Array of a data frame whose columns are all numbers, or all texts."""
    columns = [(column, np.asarray(frame[column])) for column in frame.columns]
    kinds = {array.dtype.kind for _, array in columns}
    if kinds and kinds <= set("OSUT") and all(_is_text(array) for _, array in columns):
        return np.stack([array.astype(object) for _, array in columns], axis=1)
    for column, array in columns:
        if array.dtype.kind not in "biuf":
            fitting = array.dtype.kind == "O" and _holds_numbers(array)
            if not fitting:
                raise DataError(
                    explain(
                        f"Argument `{name}`: column {column!r} of the data frame does not hold numbers.",
                        expected="columns of numbers or booleans",
                        received=f"dtype {getattr(frame[column], 'dtype', array.dtype)}",
                        fix="drop the column or encode it first, e.g. with pandas.get_dummies",
                    )
                )
    if not columns:
        return np.zeros((len(frame), 0), settings.floatx())
    common = np.result_type(*[array.dtype if array.dtype.kind != "O" else np.float64 for _, array in columns])
    return np.stack([array.astype(common) for _, array in columns], axis=1)


def _from_objects(array: np.ndarray, name: str) -> np.ndarray:
    if _holds_numbers(array):
        return array.astype(np.float64)
    if _is_text(array):
        return array
    raise _bad_objects(array, name)


def _bad_objects(array: np.ndarray, name: str) -> DataError:
    kinds = sorted({type(item).__name__ for item in array.reshape(-1)[:_LOOKED_AT]})
    rows = [np.shape(item) for item in array.reshape(-1)[:_LOOKED_AT] if hasattr(item, "__len__")]
    uneven = len(set(rows)) > 1
    return DataError(
        explain(
            f"Argument `{name}` is an array of objects, which cannot be trained on.",
            expected="numbers, or texts for models that take them",
            received=f"elements of type {', '.join(kinds)}"
            + (f" with shapes {rows[0]}, {rows[1]} ..." if uneven else ""),
            fix="pad rows of unequal length first (keras.utils.pad_sequences); stack equal ones with numpy.stack",
        )
    )


def _every(array: np.ndarray, fits: Callable[[Any], bool]) -> bool:
    return all(fits(item) for item in array.reshape(-1))


def _holds_numbers(array: np.ndarray) -> bool:
    return bool(array.size) and _every(array, lambda item: item is None or isinstance(item, _NUMBERS))


def _is_text(array: np.ndarray) -> bool:
    return array.dtype.kind in "SUT" or (
        array.dtype.kind == "O" and _every(array, lambda item: isinstance(item, (str, bytes)))
    )


def is_text(leaf: Any) -> bool:
    """True for arrays of texts."""
    return getattr(leaf.dtype, "kind", "f") in "OSUT"


def rows_of(batch: Any) -> int | None:
    """Samples in a batch; None if it holds no array."""
    return next((len(leaf) for leaf in trees.flatten(batch) if leaf is not None and np.ndim(leaf)), None)
