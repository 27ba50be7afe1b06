"""``RaggedTensorSpec``: shape, dtype and ragged axes of a ragged tensor."""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes
from hornbeam.base.shapes import TensorShape
from hornbeam.core.spec import TypeSpec
from hornbeam.ragged.tensor import RaggedTensor

__all__ = ["RaggedTensorSpec"]


class RaggedTensorSpec(TypeSpec):
    """What a ragged tensor looks like.

    Args:
        shape: sizes, None for ragged and unknown axes; None if nothing is known.
        dtype: element type.
        ragged_rank: number of ragged axes; all but the first and last by default.
        row_splits_dtype: ``int32`` or ``int64``.
        flat_values_spec: spec of the flat values, if it says more.

    References: TensorFlow `tf.RaggedTensorSpec`.
    """

    value_type = RaggedTensor

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = "float32",
        ragged_rank: int | None = None,
        row_splits_dtype: Any = "int64",
        flat_values_spec: Any = None,
    ) -> None:
        self._shape = TensorShape(shape)
        self._dtype = dtypes.as_dtype(dtype if flat_values_spec is None else flat_values_spec.dtype)
        self._row_splits_dtype = dtypes.as_dtype(row_splits_dtype)
        self._flat_values_spec = flat_values_spec
        rank = self._shape.rank
        if ragged_rank is None:
            if rank is None:
                raise ValueError("tf.RaggedTensorSpec: give `ragged_rank` where the shape is not known.")
            ragged_rank = rank - 1
        if rank is not None and ragged_rank >= rank:
            raise ValueError(f"tf.RaggedTensorSpec: `ragged_rank` {ragged_rank} must be below the rank {rank}.")
        self._ragged_rank = ragged_rank

    @classmethod
    def from_value(cls, value: RaggedTensor) -> RaggedTensorSpec:
        """The spec of a ragged tensor."""
        return cls(value.shape, value.dtype, value.ragged_rank, value.row_splits.dtype)

    @property
    def shape(self) -> TensorShape:
        """Sizes, None for ragged and unknown axes."""
        return self._shape

    @property
    def dtype(self) -> dtypes.DType:
        """Element type."""
        return self._dtype

    @property
    def ragged_rank(self) -> int:
        """Number of ragged axes."""
        return self._ragged_rank

    @property
    def row_splits_dtype(self) -> dtypes.DType:
        """Dtype of the row splits."""
        return self._row_splits_dtype

    @property
    def flat_values_spec(self) -> Any:
        """Spec of the flat values, if one was given."""
        return self._flat_values_spec

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a spec, or a ragged tensor, fits this one."""
        if isinstance(spec_or_value, RaggedTensor):
            spec_or_value = RaggedTensorSpec.from_value(spec_or_value)
        if not isinstance(spec_or_value, RaggedTensorSpec):
            return False
        return (
            self._dtype == spec_or_value.dtype
            and self._ragged_rank == spec_or_value.ragged_rank
            and self._shape.is_compatible_with(spec_or_value.shape)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RaggedTensorSpec) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash((self._dtype, self._ragged_rank))

    def _facts(self) -> tuple:
        sizes = None if self._shape.rank is None else tuple(self._shape)
        return (sizes, self._dtype, self._ragged_rank, self._row_splits_dtype)

    def __repr__(self) -> str:
        shape, dtype, rank, splits = self._facts()
        return f"RaggedTensorSpec(TensorShape({list(shape) if shape else None}), {dtype!r}, {rank}, {splits!r})"
