"""Elements: from what users give to leaves on the host, and from leaves to tensors and specs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, trees
from hornbeam.base.errors import explain
from hornbeam.base.shapes import TensorShape
from hornbeam.core.spec import TensorSpec, TypeSpec
from hornbeam.core.tensor import HostTensor, Tensor, WideTensor
from hornbeam.core.variable import Variable
from hornbeam.data.blocks import RaggedRows
from hornbeam.data.sparse_rows import is_sparse, sparse_spec
from hornbeam.engine.jax_compat import is_constant, put, wide_types
from hornbeam.engine.memory import SENT_AT_ONCE_BYTES, aligned_copy
from hornbeam.ragged.spec import RaggedTensorSpec

_INT32 = np.iinfo(np.int32)


class DatasetSpec(TypeSpec):
    """Spec of an element that is a data set itself.

    Args:
        element_spec: spec of that data set's elements.
        dataset_shape: shape of the tensor of data sets; always ().
    """

    def __init__(self, element_spec: Any, dataset_shape: Any = ()) -> None:
        self.element_spec = element_spec
        self.dataset_shape = TensorShape(dataset_shape)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a data set, or another such spec, has elements of this spec."""
        return getattr(spec_or_value, "element_spec", None) == self.element_spec

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetSpec) and self.element_spec == other.element_spec

    def __hash__(self) -> int:
        return hash((type(self).__name__, repr(self.element_spec)))

    def __repr__(self) -> str:
        return f"DatasetSpec({self.element_spec!r}, {self.dataset_shape!r})"


class RowSpec(TensorSpec):
    """Spec of a row of a ragged tensor: a tensor, of which ``batch`` makes ragged tensors again."""

    __slots__ = ()

    def batched(self, rows: int | None) -> RaggedTensorSpec:
        """Spec of a batch of such rows."""
        return RaggedTensorSpec((rows, *self.shape), self.dtype, 1)


def public_spec(spec: Any) -> Any:
    """A spec as users see it: rows of ragged tensors have one of a ragged tensor without ragged axes."""

    def one(leaf: Any) -> Any:
        return RaggedTensorSpec(leaf.shape, leaf.dtype, 0) if isinstance(leaf, RowSpec) else leaf

    return trees.map_structure(one, spec)


def to_host(value: Any) -> tuple[Any, list[Any]]:
    """An element as users write it, as skeleton and host leaves. Tuples and dicts nest; lists are tensors."""
    leaves: list[Any] = []
    return _to_host(value, leaves), leaves


def _to_host(part: Any, leaves: list[Any]) -> Any:
    if isinstance(part, Mapping):
        made = {key: _to_host(part[key], leaves) for key in trees.sorted_keys(part)}
        return trees.rebuild(part, [made[key] for key in trees.sorted_keys(part)])
    if isinstance(part, tuple) and not isinstance(part, TensorShape):
        return trees.rebuild(part, [_to_host(item, leaves) for item in part])
    leaves.append(host_leaf(part))
    return 0


def host_leaf(value: Any) -> Any:
    """One value on the host: NumPy array or scalar, ``bytes``, None, or what is no tensor (ragged, data set)."""
    if isinstance(value, Tensor):
        array = value._value
        if isinstance(value, HostTensor):
            return array if array.ndim else array[()]
        found = np.asarray(array)
        return found if found.ndim else found[()]
    if isinstance(value, np.ndarray):
        return _from_numpy(value)
    if isinstance(value, (bytes, np.bool_, np.number)) or value is None:
        return value
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, (bool, int, float, complex)):
        return _from_python(value)
    if is_composite(value):
        return value
    if isinstance(value, Variable):
        return value.numpy()
    if isinstance(value, jax.Array):
        found = np.asarray(value)
        return found if found.ndim else found[()]
    if isinstance(value, (list, tuple, range)):
        return _from_list(list(value))
    return _from_other(value)


def is_composite(value: Any) -> bool:
    """True for values that are kept as objects: ragged and sparse tensors, data sets."""
    return hasattr(value, "row_splits") or hasattr(value, "dense_shape") or hasattr(value, "element_spec")


def _from_python(value: Any) -> Any:
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int32(value) if _INT32.min <= value <= _INT32.max else np.int64(value)
    return np.float32(value) if isinstance(value, float) else np.complex64(value)


def _from_numpy(array: np.ndarray) -> Any:
    kind = array.dtype.kind
    if kind in "SUO":
        array = _texts(array)
    elif kind in "mM" or (kind == "V" and array.dtype.names):
        raise TypeError(
            explain(
                "A data set cannot hold dates, times or structured arrays.",
                expected="numbers, booleans or texts",
                received=f"dtype {array.dtype}",
                fix="convert them to numbers first, e.g. array.astype('int64')",
            )
        )
    elif array.dtype.byteorder == ">" or not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array if array.ndim else array[()]


def _texts(array: np.ndarray) -> np.ndarray:
    found = np.empty(array.shape, object)
    flat = found.reshape(-1)
    for place, item in enumerate(array.reshape(-1)):
        if isinstance(item, str):
            item = item.encode("utf-8")
        elif not isinstance(item, bytes):
            return _from_objects(array)
        flat[place] = bytes(item)
    return found


def _from_objects(array: np.ndarray) -> np.ndarray:
    try:
        made = np.array(array.tolist())
    except ValueError:
        made = array
    if made.dtype.kind in "biufc":
        return made
    raise ValueError(
        explain(
            "An array of objects cannot be made a tensor.",
            expected="numbers or texts, in rows of equal length",
            received=f"elements of type {', '.join(sorted({type(item).__name__ for item in array.reshape(-1)[:100]}))}",
            fix="for rows of unequal length use tf.ragged.constant(...) or Dataset.from_generator(...)",
        )
    )


def _from_list(items: list) -> Any:
    flat = trees.flatten(items)
    if any(isinstance(item, (Tensor, Variable, jax.Array)) for item in flat):
        return np.stack([np.asarray(host_leaf(item)) for item in items])
    if any(isinstance(item, (bytes, str)) for item in flat):
        # As objects: NumPy's own texts lose zero bytes at their end.
        return _texts(np.asarray(items, object))
    if any(is_composite(item) for item in flat):
        raise TypeError("A list of ragged or sparse tensors is no tensor; give a tuple to nest them.")
    try:
        array = np.asarray(items)
    except ValueError as error:
        raise ValueError(
            explain(
                "A list of rows of unequal length cannot be made a tensor.",
                expected="rows of equal length",
                received=f"rows {', '.join(repr(row)[:40] for row in items[:3])} ...",
                fix="use tf.ragged.constant(...), pad_sequences(...) or Dataset.from_generator(...)",
            )
        ) from error
    if any(isinstance(item, (np.ndarray, np.generic)) for item in flat):
        return _from_numpy(array)
    if array.dtype == np.int64:
        fits = not array.size or (array.min() >= _INT32.min and array.max() <= _INT32.max)
        return array.astype(np.int32) if fits else array
    if array.dtype == np.float64:
        return array.astype(np.float32)
    return array.astype(np.complex64) if array.dtype == np.complex128 else _from_numpy(array)


def _from_other(value: Any) -> Any:
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    for method in ("to_numpy", "numpy"):
        function = getattr(value, method, None)
        if callable(function):
            return host_leaf(np.asarray(function()))
    if hasattr(value, "__array__") or hasattr(value, "__array_interface__"):
        return host_leaf(np.asarray(value))
    raise TypeError(
        explain(
            "This value cannot be part of a data set's element.",
            expected="arrays, tensors, numbers, texts, or tuples and dicts of such",
            received=f"an object of type {type(value).__name__}",
        )
    )


def fitted(leaf: Any, spec: Any, where: str) -> Any:
    """A host leaf of the dtype that a spec asks for, its shape checked.

    Raises:
        TypeError: the shape or kind does not fit.
    """
    if not isinstance(spec, TensorSpec) or leaf is None:
        return leaf
    if spec.dtype == "string":
        fits = _is_text(leaf)
    else:
        wanted = spec.dtype.as_numpy_dtype
        fits = not _is_text(leaf) and hasattr(leaf, "dtype")
        if fits and leaf.dtype != wanted:
            leaf = leaf.astype(wanted) if isinstance(leaf, np.ndarray) else np.asarray(leaf).astype(wanted)[()]
    if not fits:
        kind = "text" if isinstance(leaf, bytes) else str(getattr(leaf, "dtype", type(leaf).__name__))
        raise TypeError(explain(f"{where} gave a value of another kind.", expected=str(spec), received=kind))
    if not spec.shape.is_compatible_with(np.shape(leaf)):
        raise TypeError(
            explain(
                f"{where} gave an element of another shape.",
                expected=f"shape {tuple(spec.shape) if spec.shape.rank is not None else None}",
                received=f"shape {tuple(np.shape(leaf))}",
                fix="write None in the spec for sizes that vary",
            )
        )
    return leaf


def _is_text(leaf: Any) -> bool:
    return isinstance(leaf, bytes) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "O")


_place = jax.jit(lambda *arrays: arrays)
"""Arrays put on the device by calling a program: several times quicker than ``device_put``, and always a copy, where
``device_put`` may go on using the memory of the user's array."""


_NARROW = frozenset(
    map(np.dtype, ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float16"))
)


def _own(leaf: np.ndarray) -> np.ndarray:
    """An array that nobody changes later, when the device reads it."""
    return leaf if is_constant(leaf) else aligned_copy(leaf)


def to_tensors(leaves: list[Any]) -> list[Any]:
    """Host leaves as tensors; what is no array stays as it is."""
    if all(type(leaf) is np.ndarray and leaf.dtype in _NARROW for leaf in leaves):
        if any(leaf.nbytes > SENT_AT_ONCE_BYTES for leaf in leaves):
            return [Tensor(put(leaf)) for leaf in map(_own, leaves)]
        return [Tensor(array) for array in _place(*leaves)]
    leaves = [_own(leaf) if isinstance(leaf, np.ndarray) and leaf.dtype.kind != "O" else leaf for leaf in leaves]
    numeric = [leaf for leaf in leaves if isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype.kind != "O"]
    found: Any = iter(())
    if numeric:
        wide = any(dtypes.is_wide(leaf.dtype.name) for leaf in numeric)
        if wide:
            with wide_types(True):
                found = iter(_place(*numeric))
        else:
            found = iter(_place(*numeric))
    tensors = []
    for leaf in leaves:
        if isinstance(leaf, (np.ndarray, np.generic)):
            if leaf.dtype.kind == "O":
                tensors.append(HostTensor(leaf))
            else:
                array = next(found)
                tensors.append(WideTensor(array) if dtypes.is_wide(array.dtype.name) else Tensor(array))
        elif isinstance(leaf, bytes):
            scalar = np.empty((), object)
            scalar[()] = leaf
            tensors.append(HostTensor(scalar))
        else:
            tensors.append(leaf)
    return tensors


def spec_of(leaf: Any) -> Any:
    """Spec of a host leaf."""
    if isinstance(leaf, (np.ndarray, np.generic)):
        return TensorSpec(leaf.shape, dtypes.string if leaf.dtype.kind == "O" else dtypes.from_numpy(leaf.dtype))
    if isinstance(leaf, bytes):
        return TensorSpec((), dtypes.string)
    if hasattr(leaf, "element_spec"):
        return DatasetSpec(leaf.element_spec)
    if hasattr(leaf, "row_splits"):
        return RaggedTensorSpec(leaf.shape, leaf.dtype, getattr(leaf, "ragged_rank", 1), leaf.row_splits.dtype)
    return sparse_spec(leaf) if is_sparse(leaf) else None


def struct_of(leaf: Any) -> Any:
    """Shape and dtype of a numeric leaf, None for any other."""
    if isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype.kind != "O":
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)
    return None


def column_struct(column: Any) -> Any:
    """Shape and dtype of one row of a stacked numeric column, None for any other."""
    if isinstance(column, np.ndarray) and column.dtype.kind != "O":
        return jax.ShapeDtypeStruct(column.shape[1:], column.dtype)
    return None


def ragged_row_spec(spec: RaggedTensorSpec) -> Any:
    """Spec of a row of a ragged tensor."""
    inner, rank = spec.shape[1:], spec.ragged_rank - 1
    if rank > 0:
        return RaggedTensorSpec(inner, spec.dtype, rank, spec.row_splits_dtype)
    return RowSpec(inner, spec.dtype)


def ragged_rows(value: Any) -> Any:
    """Rows of a ragged tensor as a column."""
    rows = [host_leaf(value[place]) for place in range(len(value.row_splits) - 1)]
    return RaggedRows(rows)
