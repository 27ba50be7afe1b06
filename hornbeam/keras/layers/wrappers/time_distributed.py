"""``TimeDistributed``: one layer, applied to each step."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base.errors import ShapeError
from hornbeam.keras.layers.base.call_spec import call_spec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.base.plan import is_pure
from hornbeam.keras.layers.normalization.batch_normalization import BatchNormalization
from hornbeam.keras.layers.wrappers.wrapper import Wrapper


class TimeDistributed(Wrapper):
    """Applies a layer to each step of a sequence by itself.

    Where the layer treats the samples of a batch independently, all steps are computed at once, as one large batch;
    else step by step, in order.

    Args:
        layer: the layer.

    Input shape: ``(batch, steps, ...)``.
    Output shape: ``(batch, steps, *output shape of the layer without its batch axis)``.

    Call arguments:
        inputs: tensor.
        training: passed on to the layer.
        mask: ``(batch, steps, ...)``; the layer gets the part of each step.

    References: Keras ``layers.TimeDistributed``.
    """

    pure = True

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"TimeDistributed(layer): expected a keras.Layer. Received: {layer!r}. "
                "Wrap a function in `layers.Lambda`."
            )
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def _step_shape(self, input_shape: Any) -> tuple:
        if not isinstance(input_shape, (tuple, list)) or len(input_shape) < 3:
            raise ShapeError(
                "TimeDistributed takes inputs of at least 3 dimensions: batch, time steps and what a step holds. "
                f"Received: input_shape={input_shape}"
            )
        return (input_shape[0], *input_shape[2:])

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Output shape of the layer, with the axis of steps put in."""
        batch, *rest = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (batch, input_shape[1], *rest)

    def build(self, input_shape: Any) -> None:
        """Build the layer for one step."""
        super().build(self._step_shape(input_shape))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Outputs of the layer for each step."""
        if mask is not None:
            _check_mask(tuple(mask.shape), tuple(inputs.shape))
        spec = call_spec(self.layer)
        passed = {"training": training} if spec.has_training else {}
        takes_mask = mask is not None and "mask" in spec.signature.parameters
        batch, steps = inputs.shape[0], inputs.shape[1]
        if steps and self._samples_are_independent(training):
            if takes_mask:
                passed["mask"] = _folded(mask)
            outputs = self.layer.call(_folded(inputs), **passed)
            return ops.reshape(outputs, (batch, steps, *tuple(outputs.shape)[1:]))
        outputs = []
        for step in range(steps):
            if mask is not None and takes_mask:
                passed["mask"] = mask[:, step]
            outputs.append(self.layer.call(inputs[:, step], **passed))
        return ops.stack(outputs, axis=1)

    def _samples_are_independent(self, training: Any) -> bool:
        """True if one large batch gives what the steps one by one would give.

        That is so for built-in layers without state that a call changes; random seeds aside, unless one mask is shared
        by the samples of a batch.
        """
        if not is_pure(self.layer):
            return False
        for inner in self.layer._flatten_layers():
            if isinstance(inner, BatchNormalization):
                if training and inner.trainable:
                    return False
                continue
            if getattr(inner, "noise_shape", None) is not None or inner.activity_regularizer is not None:
                return False
            if any(not weight._made_trainable for weight in inner._weights):
                return False
        return True


def _folded(tensor: Any) -> Any:
    """Batch and steps as one axis."""
    shape = tuple(tensor.shape)
    return ops.reshape(tensor, (shape[0] * shape[1], *shape[2:]))


def _check_mask(mask: tuple, inputs: tuple) -> None:
    if len(mask) < 2:
        raise ShapeError(
            f"TimeDistributed: expected a mask (batch, time, ...). Received: shape {mask}. Add the axis of steps."
        )
    if mask[:2] != inputs[:2]:
        raise ShapeError(
            f"TimeDistributed: expected a mask that begins with the batch and steps of the input, "
            f"({inputs[0]}, {inputs[1]}, ...). Received: mask {mask} for input {inputs}."
        )
