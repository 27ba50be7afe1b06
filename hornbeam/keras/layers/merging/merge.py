"""``Merge``: what the merging layers share."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import ShapeError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.layer import Layer


class Merge(Layer):
    """Base of layers that take a list of tensors and combine them element by element.

    Tensors may have different numbers of axes: missing ones are put in behind the batch axis.
    """

    pure = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Check the shapes.

        Raises:
            ValueError: not a list, or shapes that do not fit.
        """
        self._check_list(input_shape)
        batches = {shape[0] for shape in input_shape if shape} - {None}
        if len(batches) > 1:
            raise ShapeError(
                f"{type(self).__name__}: inputs of different batch sizes cannot be combined. Received: "
                f"input_shape={input_shape}"
            )
        self.compute_output_shape(input_shape)
        self.built = True

    def _check_list(self, input_shape: Any) -> None:
        if not input_shape or not isinstance(input_shape[0], (tuple, list)):
            raise ValueError(
                f"{type(self).__name__} takes a list of tensors. Received one shape or none: input_shape={input_shape}"
            )

    def call(self, inputs: Any) -> Any:
        """The combined tensor."""
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"{type(self).__name__} '{self.name}' takes a list of tensors. Received: {inputs}")
        return self._merge_function(list(inputs))

    def _merge_function(self, inputs: list[Any]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must implement `_merge_function(inputs)`.")

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Shape of the elementwise result.

        Raises:
            ShapeError: sizes differ and none of them is 1.
        """
        merged = tuple(input_shape[0])[1:]
        for shape in input_shape[1:]:
            merged = _broadcast(merged, tuple(shape)[1:])
        batches = {shape[0] for shape in input_shape} - {None}
        return (batches.pop() if len(batches) == 1 else None, *merged)

    def compute_output_spec(self, inputs: Any) -> Any:
        kinds = [tensor.dtype for tensor in inputs]
        shape = self.compute_output_shape([tuple(tensor.shape) for tensor in inputs])
        return KerasTensor(shape, self._output_dtype(dtypes.result_type(*kinds)))

    def _output_dtype(self, dtype: Any) -> Any:
        return dtype

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where at least one of the inputs counts; None if one of them has no mask."""
        if mask is None:
            return None
        check_masks(inputs, mask)
        if any(one is None for one in mask):
            return None
        merged = mask[0]
        for one in mask[1:]:
            merged = ops.logical_or(merged, one)
        return merged


def _broadcast(first: tuple, second: tuple) -> tuple:
    """Elementwise result of two shapes; an axis is unknown if it is so in one of them."""
    if len(first) < len(second):
        first, second = second, first
    merged = list(first[: len(first) - len(second)])
    for ours, theirs in zip(first[len(merged) :], second, strict=True):
        if ours is None or theirs is None:
            merged.append(None)
        elif ours == 1 or theirs == 1 or ours == theirs:
            merged.append(theirs if ours == 1 else ours)
        else:
            raise ShapeError(f"Inputs have incompatible shapes. Received shapes {first} and {second}")
    return tuple(merged)


def check_masks(inputs: Any, mask: Any) -> None:
    """Raise unless inputs and masks are lists of the same length."""
    for name, value in (("mask", mask), ("inputs", inputs)):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"`{name}` should be a list. Received: {name}={value}")
    if len(mask) != len(inputs):
        raise ValueError(
            f"`mask` needs one entry for each input. Received: {len(mask)} masks for {len(inputs)} inputs, mask={mask}"
        )


def masks_of(inputs: list[Any]) -> list[Any]:
    """The masks attached to tensors, None where there is none."""
    return [getattr(tensor, "_keras_mask", None) for tensor in inputs]
