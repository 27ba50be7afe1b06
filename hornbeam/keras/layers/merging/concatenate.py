"""``Concatenate`` and ``concatenate``: tensors one behind the other."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base.errors import ShapeError
from hornbeam.keras.layers.merging.merge import Merge, check_masks


class Concatenate(Merge):
    """Joins tensors along an axis.

    Args:
        axis: the axis.

    Input shape: list of tensors whose shapes differ at the axis only.
    Output shape: the sum of the sizes at the axis, the common sizes elsewhere.

    Raises:
        ValueError: not a list, or shapes that differ elsewhere.

    References: Keras ``layers.Concatenate``.
    """

    pure = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        """Check the shapes."""
        if not input_shape or not isinstance(input_shape[0], (tuple, list)):
            raise ValueError(f"Concatenate takes a list of tensors. Received: input_shape={input_shape}")
        others = [_without(list(shape), self.axis) for shape in input_shape]
        same_rank = len({len(shape) for shape in others}) == 1
        if not same_rank or any(len(set(sizes) - {None}) > 1 for sizes in zip(*others, strict=True)):
            raise ShapeError(
                f"Concatenate needs matching shapes except for the concatenation axis, {self.axis}. Received: "
                f"input_shape={input_shape}"
            )
        self.built = True

    def _merge_function(self, inputs: list[Any]) -> Any:
        return ops.concatenate(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Shape of the joined tensor."""
        if not isinstance(input_shape, (tuple, list)) or not isinstance(input_shape[0], (tuple, list)):
            raise ValueError(f"Concatenate takes a list of tensors. Received: input_shape={input_shape}")
        joined = list(input_shape[0])
        sizes = [shape[self.axis] for shape in input_shape]
        joined[self.axis] = None if None in sizes else sum(sizes)
        return tuple(joined)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Masks joined like the tensors; one without a mask counts everywhere."""
        if mask is None:
            return None
        check_masks(inputs, mask)
        if all(one is None for one in mask):
            return None
        masks = []
        for tensor, one in zip(inputs, mask, strict=True):
            if one is None:
                one = ops.ones_like(tensor, dtype="bool")
            elif len(one.shape) < len(tensor.shape):
                one = ops.logical_or(ops.expand_dims(one, -1), ops.zeros_like(tensor, dtype="bool"))
            masks.append(one)
        return ops.any(ops.concatenate(masks, axis=self.axis), axis=-1)


def _without(sizes: list[Any], axis: int) -> list[Any]:
    if -len(sizes) <= axis < len(sizes):
        del sizes[axis]
    return sizes


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Join tensors along an axis.

    Args:
        inputs: list of tensors.
        axis: the axis.
        **kwargs: arguments of the layer.

    References: Keras ``layers.concatenate``.
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
