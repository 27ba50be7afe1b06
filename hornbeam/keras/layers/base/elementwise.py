"""What layers share whose outputs look like their inputs."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.layer import Layer


class KeepsDtype(Layer):
    """A layer whose outputs have the dtype of its inputs, integers included; it has ``compute_output_shape``."""

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(tuple(inputs.shape)), inputs.dtype)


class Elementwise(Layer):
    """A layer whose outputs have the shape of its inputs; it is built from the start and passes masks on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._build_at_init()

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return input_shape


def check_axes(axis: Any, input_shape: Any) -> Any:
    """The input shape, if it has the axes.

    Raises:
        ValueError: an axis is out of bounds.
    """
    rank = len(input_shape)
    for one in [axis] if isinstance(axis, int) else axis:
        if not -rank <= one < rank:
            raise ValueError(f"Axis {one} is out of bounds: the input is of shape {input_shape}. Received: axis={axis}")
    return input_shape


def same_specs(inputs: Any) -> Any:
    """Symbolic tensors like the inputs, in the same nesting."""
    return trees.map_structure(lambda leaf: KerasTensor(leaf.shape, leaf.dtype), inputs)
