"""``SparseTensorSpec``: shape and dtype of a sparse tensor."""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes
from hornbeam.base.shapes import TensorShape
from hornbeam.core.spec import TypeSpec
from hornbeam.sparse.tensor import SparseTensor

__all__ = ["SparseTensorSpec"]


class SparseTensorSpec(TypeSpec):
    """What a sparse tensor looks like.

    Args:
        shape: sizes, None for unknown ones; None if nothing is known.
        dtype: element type.

    References: TensorFlow `tf.SparseTensorSpec`.
    """

    value_type = SparseTensor

    def __init__(self, shape: Any = None, dtype: Any = "float32") -> None:
        self._shape = TensorShape(shape)
        self._dtype = dtypes.as_dtype(dtype)

    @classmethod
    def from_value(cls, value: SparseTensor) -> SparseTensorSpec:
        """The spec of a sparse tensor."""
        return cls(value.shape, value.dtype)

    @property
    def shape(self) -> TensorShape:
        """Sizes, None for unknown ones."""
        return self._shape

    @property
    def dtype(self) -> dtypes.DType:
        """Element type."""
        return self._dtype

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a spec, or a sparse tensor, fits this one."""
        fits = isinstance(spec_or_value, (SparseTensor, SparseTensorSpec))
        return fits and self._dtype == spec_or_value.dtype and self._shape.is_compatible_with(spec_or_value.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SparseTensorSpec) and self._dtype == other.dtype and self._shape == other.shape

    def __hash__(self) -> int:
        return hash(("sparse", self._dtype))

    def __repr__(self) -> str:
        return f"SparseTensorSpec({self._shape!r}, {self._dtype!r})"
