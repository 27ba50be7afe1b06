"""``TensorSpec``: what a tensor must look like."""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes, shapes


class TypeSpec:
    """What a value must look like: the common base of ``TensorSpec``, ``RaggedTensorSpec`` and the others.

    References: TensorFlow ``tf.TypeSpec``.
    """

    __slots__ = ()

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a value, or another spec, fits; every kind of spec says so for itself."""
        raise NotImplementedError(f"{type(self).__name__}.is_compatible_with() is for the kinds of specs to define.")


class TensorSpec(TypeSpec):
    """Shape and dtype of a tensor, sizes ``None`` where any will do.

    Args:
        shape: sizes; None for any shape at all.
        dtype: element type.
        name: name of the argument.

    References: TensorFlow ``tf.TensorSpec``.
    """

    __slots__ = ("dtype", "name", "shape")

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self.shape = shapes.TensorShape(shape)
        self.dtype = dtypes.as_dtype(dtype)
        self.name = name

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """The spec of a tensor."""
        return cls(tensor.shape, tensor.dtype, name)

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        """A copy of a spec."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    def is_compatible_with(self, value: Any) -> bool:
        """True if a tensor (or spec) fits."""
        return dtypes.as_dtype(value.dtype) == self.dtype and self.shape.is_compatible_with(value.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self.shape, self.dtype, self.name) == (
            other.shape,
            other.dtype,
            other.name,
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r})"
