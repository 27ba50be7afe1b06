"""``Dot`` and ``dot``: products of the samples of two tensors."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base.errors import ShapeError
from hornbeam.keras.layers.merging.merge import Merge
from hornbeam.ops.merging import batch_dot


class Dot(Merge):
    """Sum of products over one axis of each of two tensors, sample by sample.

    Args:
        axes: the axis to sum over, or one axis for each tensor; not the batch axis.
        normalize: divide by the norms along the axes first, which makes it the cosine of an angle.

    Input shape: list of two tensors ``(batch, ...)`` that have the same size at the axes.
    Output shape: ``(batch, other axes of the first, other axes of the second)``; ``(batch, 1)`` if there are none.

    Raises:
        TypeError: ``axes`` is neither an int nor a list.
        ValueError: not two ints, not two tensors, or sizes that differ.

    References: Keras ``layers.Dot``.
    """

    pure = True

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(f"Dot: `axes` takes an int or a pair of ints. Received: axes={axes!r}")
            if len(axes) != 2:
                raise ValueError(
                    f"Dot: `axes` takes an int or a pair of ints. Received: {len(axes)} entries, axes={axes!r}"
                )
            if not all(isinstance(axis, int) for axis in axes):
                raise ValueError(f"Dot: the entries of `axes` have to be ints. Received: axes={axes!r}")
        self.axes = axes
        self.normalize = normalize

    def _axes_of(self, shapes: Any) -> list[int]:
        """The axis of each tensor, counted from the front."""
        axes = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        return [axis % len(shape) if axis < 0 else axis for axis, shape in zip(axes, shapes, strict=True)]

    def _check_two(self, shapes: Any) -> None:
        if not isinstance(shapes, (list, tuple)) or len(shapes) != 2 or not isinstance(shapes[0], (list, tuple)):
            raise ValueError(f"Dot takes 2 inputs, in a list. Received: input_shape={shapes}")

    def build(self, input_shape: Any) -> None:
        """Check the shapes."""
        self._check_two(input_shape)
        first, second = input_shape
        left, right = self._axes_of(input_shape)
        if first[left] != second[right]:
            raise ShapeError(
                f"Dot: the axes to sum over differ in size: {first[left]} (axis {left} of {first}) and {second[right]} "
                f"(axis {right} of {second})"
            )
        self.built = True

    def _merge_function(self, inputs: list[Any]) -> Any:
        if len(inputs) != 2:
            raise ValueError(f"Dot takes 2 inputs, in a list. Received: {len(inputs)} of them, inputs={inputs}")
        shapes = [tuple(tensor.shape) for tensor in inputs]
        axes = self._axes_of(shapes)
        if min(map(len, shapes)) < 2 or 0 in axes or shapes[0][0] != shapes[1][0]:
            raise ShapeError(
                "A `Dot` layer sums over an axis behind the batch axis of two tensors with equal batch sizes. "
                f"Received: inputs of shapes {shapes[0]} and {shapes[1]}, axes={self.axes}"
            )
        if self.normalize:
            inputs = [ops.normalize(tensor, axis=axis) for tensor, axis in zip(inputs, axes, strict=True)]
        return batch_dot(*inputs, axes=tuple(axes))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """``(batch, other axes of the first, other axes of the second)``."""
        self._check_two(input_shape)
        first, second = (list(shape) for shape in input_shape)
        left, right = self._axes_of(input_shape)
        del first[left], second[right]
        shape = [*first, *second[1:]]
        return tuple(shape) if len(shape) > 1 else (*shape, 1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: the steps are summed over."""
        return None


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Sum of products over one axis of each of two tensors, sample by sample.

    Args:
        inputs: list of two tensors.
        axes: the axis to sum over, or one axis for each tensor.
        **kwargs: arguments of the layer.

    References: Keras ``layers.dot``.
    """
    return Dot(axes=axes, **kwargs)(inputs)
