"""``Merge`` and ``merge``: one class for all ways to make one tensor of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.notes import note
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras import layers
from hornbeam.keras.saving.registration import register_keras_serializable

_LAYERS = {
    "sum": layers.Add,
    "mul": layers.Multiply,
    "ave": layers.Average,
    "max": layers.Maximum,
    "min": layers.Minimum,
    "sub": layers.Subtract,
}


@register_keras_serializable("hornbeam")
class Merge(layers.Layer):
    """Merges tensors in the way that ``mode`` names.

    Args:
        layers: models or layers whose outputs are merged, if the layer stands first in a ``Sequential``.
        mode: "sum", "mul", "ave", "max", "concat", "dot", "cos", or a function of the list of tensors.
        concat_axis: axis of "concat".
        dot_axes: axis, or one for each tensor, of "dot" and "cos".
        output_shape: shape of the outputs without the batch axis; found by itself, so it may be left out.
        arguments: more arguments of the function.

    References: Keras 1 ``layers.Merge``.
    """

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        mode: Any = "sum",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        output_shape: Any = None,
        output_mask: Any = None,
        arguments: dict[str, Any] | None = None,
        node_indices: Any = None,
        tensor_indices: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if output_mask is not None:
            raise NotSupportedError("Merge: argument `output_mask` is not offered. Give the mask to the next layer.")
        self.mode = mode
        self.concat_axis = concat_axis
        self.dot_axes = dot_axes
        self.arguments = arguments or {}
        self.layers_to_merge = list(layers) if layers is not None else None
        self._merge = _merger(mode, concat_axis, dot_axes, self.arguments)
        note(f"Merge(mode={mode!r}): use {_today(mode)} now.")

    def call(self, inputs: Any) -> Any:
        """The merged tensor."""
        return self._merge(list(inputs))

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer."""
        return {
            "name": self.name,
            "mode": self.mode,
            "concat_axis": self.concat_axis,
            "dot_axes": self.dot_axes,
            "arguments": self.arguments,
        }

    def inputs_of_branches(self) -> tuple[list[KerasTensor], KerasTensor]:
        """Symbolic inputs of the merged models, and the merged output."""
        branches = [_branch(one) for one in self.layers_to_merge or ()]
        # A model that stands in several branches has its inputs once.
        inputs = {id(tensor): tensor for inputs, _ in branches for tensor in inputs}
        return list(inputs.values()), self([output for _, output in branches])


def _branch(part: Any) -> tuple[list[KerasTensor], Any]:
    """Inputs and output of a model or layer."""
    if isinstance(part, Merge):
        return part.inputs_of_branches()
    if isinstance(part, KerasTensor):
        return [part], part
    inputs = getattr(part, "inputs", None)
    if inputs:
        return list(inputs), part.outputs[0]
    shape = vars(part).get("_input_shape_arg")
    if shape is None:
        raise ValueError(f"Merge: layer {part.name} needs an `input_shape` to be merged.")
    tensor = layers.Input(batch_shape=shape)
    return [tensor], part(tensor)


def _today(mode: Any) -> str:
    if mode in ("dot", "cos"):
        return "`Dot`"
    if mode == "concat":
        return "`Concatenate`"
    return f"`{_LAYERS[mode].__name__}`" if mode in _LAYERS else "`Lambda`"


def _merger(mode: Any, concat_axis: int, dot_axes: Any, arguments: dict[str, Any]) -> Callable[[list[Any]], Any]:
    if callable(mode):
        return lambda tensors: mode(tensors, **arguments)
    if mode in _LAYERS:
        return _LAYERS[mode]()
    if mode == "concat":
        return layers.Concatenate(axis=concat_axis)
    if mode in ("dot", "cos"):
        axes = dot_axes
        if isinstance(axes, (list, tuple)) and isinstance(axes[0], (list, tuple)):
            axes = [one[0] for one in axes]
        merged = layers.Dot(axes=axes, normalize=mode == "cos")
        if mode == "cos":
            # The first generation kept an axis of size 1 behind the batch axis.
            return lambda tensors: ops.expand_dims(merged(tensors), 1)
        return merged
    raise ValueError(f"Merge: unknown mode {mode!r}. Expected one of {[*_LAYERS, 'concat', 'dot', 'cos']}.")


def merge(
    inputs: Any,
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: dict[str, Any] | None = None,
    name: str | None = None,
) -> Any:
    """Merge tensors in the way that ``mode`` names.

    Args:
        inputs: list of tensors.
        mode: "sum", "mul", "ave", "max", "concat", "dot", "cos", or a function of the list.
        concat_axis: axis of "concat".
        dot_axes: axis, or one for each tensor, of "dot" and "cos".
        output_shape: found by itself, may be left out.
        output_mask: not offered.
        arguments: more arguments of the function.
        name: name of the layer.

    References: Keras 1 ``layers.merge``.
    """
    merged = Merge(None, mode, concat_axis, dot_axes, output_shape, output_mask, arguments, name=name)
    return merged(list(inputs))
