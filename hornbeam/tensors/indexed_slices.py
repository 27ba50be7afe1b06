"""``IndexedSlices``: some rows of a large tensor, as TensorFlow has gradients of lookups. Here gradients are dense."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.shapes import TensorShape
from hornbeam.core.spec import TypeSpec
from hornbeam.tensors.face import tensor

__all__ = ["IndexedSlices", "IndexedSlicesSpec"]


class IndexedSlices:
    """Rows of a tensor that is zero elsewhere. Functions of tensors take it as the whole tensor.

    Args:
        values: the rows, (rows, ...).
        indices: where each row stands, (rows,); rows of one place add up.
        dense_shape: shape of the whole tensor; needed to make it.

    References: TensorFlow `tf.IndexedSlices`.
    """

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self._values, self._indices = tensor(values), tensor(indices)
        self._dense_shape = None if dense_shape is None else tensor(dense_shape)

    @property
    def values(self) -> Any:
        """The rows."""
        return self._values

    @property
    def indices(self) -> Any:
        """Where each row stands."""
        return self._indices

    @property
    def dense_shape(self) -> Any:
        """Shape of the whole tensor, as a tensor, or None."""
        return self._dense_shape

    @property
    def dtype(self) -> dtypes.DType:
        """Element type."""
        return self._values.dtype

    @property
    def shape(self) -> TensorShape:
        """Shape of the whole tensor, unknown without ``dense_shape``."""
        return TensorShape(None if self._dense_shape is None else np.asarray(self._dense_shape).tolist())

    @property
    def name(self) -> Any:
        """Name of the rows."""
        return getattr(self._values, "name", None)

    def todense(self) -> Any:
        """The whole tensor.

        Raises:
            ValueError: its shape is not known.
        """
        if self._dense_shape is None:
            raise ValueError(
                "IndexedSlices without `dense_shape` cannot become a tensor: give IndexedSlices(..., dense_shape=...)."
            )
        return ops.segment_sum(self._values, self._indices, num_segments=int(self.shape[0]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.todense(), dtype)

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(ops.negative(self._values), self._indices, self._dense_shape)

    def consumers(self) -> list[Any]:
        """Nobody: there is no graph."""
        return []

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self._indices!r}, values={self._values!r}, dense_shape={self._dense_shape!r})"


class IndexedSlicesSpec(TypeSpec):
    """What indexed slices look like.

    Args:
        shape: shape of the whole tensor.
        dtype: element type.
        indices_dtype: dtype of the places.
        dense_shape_dtype: dtype of the whole tensor's shape, None if that is not given.
        indices_shape: shape of the places.
    """

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = "float32",
        indices_dtype: Any = "int64",
        dense_shape_dtype: Any = None,
        indices_shape: Any = None,
    ) -> None:
        self.shape = TensorShape(shape)
        self.dtype = dtypes.as_dtype(dtype)
        self.indices_dtype = dtypes.as_dtype(indices_dtype)
        self.dense_shape_dtype = None if dense_shape_dtype is None else dtypes.as_dtype(dense_shape_dtype)
        self.indices_shape = TensorShape([None] if indices_shape is None else indices_shape)

    @property
    def value_type(self) -> type[IndexedSlices]:
        """``IndexedSlices``."""
        return IndexedSlices

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a spec, or indexed slices, fits this one."""
        return isinstance(spec_or_value, (IndexedSlices, IndexedSlicesSpec)) and (
            self.dtype == spec_or_value.dtype and self.shape.is_compatible_with(spec_or_value.shape)
        )

    def _facts(self) -> tuple[Any, ...]:
        shape, places = (None if one.rank is None else tuple(one) for one in (self.shape, self.indices_shape))
        return (shape, self.dtype, self.indices_dtype, self.dense_shape_dtype, places)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IndexedSlicesSpec) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        return f"IndexedSlicesSpec{self._facts()!r}"
