"""``SparseTensor``: the entries of a tensor that are not zero, and where they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import explain
from hornbeam.base.shapes import TensorShape
from hornbeam.core.arguments import value_of
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.errors import InvalidArgumentError

__all__ = ["SparseTensor"]


class SparseTensor:
    """A tensor given by the places and values of its entries.

    Args:
        indices: (entries, rank) integers, the place of each entry.
        values: (entries,) the entries, a tensor or strings.
        dense_shape: sizes of the axes.

    References: TensorFlow `tf.SparseTensor`.
    """

    __slots__ = ("__weakref__", "_indices", "_keras_mask", "_sizes", "_values")
    __array_priority__ = 200

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self._sizes = np.asarray(value_of(dense_shape), np.int64).reshape(-1)
        self._indices = np.asarray(value_of(indices), np.int64).reshape(-1, len(self._sizes))
        self._values = values if isinstance(values, Tensor) else _tensor(values)
        if int(self._values.shape[0]) != len(self._indices):
            raise ValueError(
                explain(
                    "SparseTensor: `indices` and `values` do not fit each other.",
                    expected="one value for each row of `indices`",
                    received=f"indices of shape {self._indices.shape}, values of shape {tuple(self._values.shape)}",
                )
            )

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """From an object with ``indices``, ``values`` and ``dense_shape``."""
        return cls(sparse_tensor_value.indices, sparse_tensor_value.values, sparse_tensor_value.dense_shape)

    @property
    def indices(self) -> Tensor:
        """Place of each entry."""
        return from_host(self._indices)

    @property
    def values(self) -> Any:
        """The entries."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """Sizes of the axes, as a tensor."""
        return from_host(self._sizes)

    @property
    def shape(self) -> TensorShape:
        """Sizes of the axes."""
        return TensorShape(self._sizes.tolist())

    @property
    def dtype(self) -> dtypes.DType:
        """Element type."""
        return self._values.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._sizes)

    @property
    def op(self) -> Any:
        """The operation that made the values: none is kept of eager tensors."""
        return None

    @property
    def graph(self) -> Any:
        """The graph of the values: eager tensors are in none."""
        return None

    def get_shape(self) -> TensorShape:
        """Same as ``shape``."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Assert that the shape is compatible with ``shape``."""
        self.shape.assert_is_compatible_with(shape)

    def consumers(self) -> list[Any]:
        """Operations that use the tensor: none are kept."""
        return []

    def eval(self, feed_dict: Any = None, session: Any = None) -> SparseTensor:
        """The tensor itself: its values are known already."""
        if feed_dict is not None or session is not None:
            raise ValueError("SparseTensor.eval takes no session or feed here; the values are known already.")
        return self

    def with_values(self, new_values: Any) -> SparseTensor:
        """The same places with other entries."""
        return SparseTensor(self._indices, new_values, self._sizes)

    def numpy(self) -> np.ndarray:
        """Dense NumPy array."""
        values = self._values.numpy()
        out = np.zeros(self._sizes, values.dtype) if values.dtype != object else np.full(self._sizes, b"", object)
        out[tuple(self._indices.T)] = values
        return out

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self.indices!r}, values={self._values!r}, dense_shape={self.dense_shape!r})"

    def __mul__(self, other: Any) -> SparseTensor:
        return self.with_values(ops.multiply(self._values, self._beside(other)))

    def __truediv__(self, other: Any) -> SparseTensor:
        return self.with_values(ops.true_divide(self._values, self._beside(other)))

    def _beside(self, other: Any) -> Any:
        """The entries of a dense tensor (or number) at the places of this one."""
        if isinstance(other, SparseTensor):
            raise TypeError("Two sparse tensors are not multiplied entry by entry; use tf.sparse.to_dense on one.")
        if not np.ndim(value_of(other)):
            return other
        full = ops.broadcast_to(other, tuple(self._sizes.tolist()))
        return ops.take(ops.reshape(full, (-1,)), flat_places(self), axis=0)


def _tensor(values: Any) -> Any:
    array = np.asarray(value_of(values))
    if array.dtype.kind in "SUO":
        return HostTensor(from_host(array)._value)
    return from_host(array) if isinstance(values, np.ndarray) else ops.convert_to_tensor(values)


def flat_places(x: SparseTensor) -> np.ndarray:
    """Place of each entry in the flattened dense tensor."""
    sizes = tuple(x._sizes.tolist())
    if len(x._indices) and ((x._indices < 0).any() or (x._indices >= x._sizes).any()):
        raise InvalidArgumentError(None, None, f"Entries of a sparse tensor lie outside its shape {sizes}.")
    return np.ravel_multi_index(tuple(x._indices.T), sizes).astype(np.int64) if sizes else np.zeros(1, np.int64)
