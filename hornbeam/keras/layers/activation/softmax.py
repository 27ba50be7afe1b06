"""``Softmax``: probabilities along an axis."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.elementwise import Elementwise


class Softmax(Elementwise):
    """Exponentials divided by their sum along an axis, or several.

    Args:
        axis: int, or list of ints.

    Input shape: any.
    Output shape: that of the inputs.

    Call arguments:
        inputs: scores.
        mask: True, or above 0.5, for elements that count; the others get probability 0. It is broadcast to the inputs.

    References: Keras ``layers.Softmax``.
    """

    pure = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Probabilities."""
        if mask is not None:
            _check_mask(mask.shape, inputs.shape)
            if mask.dtype != "bool":
                mask = ops.greater(mask, 0.5)
            # A finite number: a row in which nothing counts must not become NaN.
            inputs = ops.where(mask, inputs, -3e4 if inputs.dtype == "float16" else -1e9)
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        if isinstance(axis, tuple) and len(axis) == 1:
            axis = axis[0]
        if isinstance(axis, tuple):
            outputs = ops.exp(inputs - ops.logsumexp(inputs, axis=axis, keepdims=True))
        else:
            outputs = ops.softmax(inputs, axis=axis)
        return outputs if mask is None else ops.where(mask, outputs, 0.0)


def _check_mask(mask: Any, inputs: Any) -> None:
    mask, inputs = tuple(mask), tuple(inputs)
    received = f"Received: inputs.shape={inputs}, mask.shape={mask}"
    if len(mask) > len(inputs):
        raise ValueError(f"Softmax: `mask` has more axes than `inputs`, so it does not broadcast to them. {received}")
    for ours, theirs in zip(mask[::-1], inputs[::-1], strict=False):
        if None not in (ours, theirs) and ours not in (1, theirs):
            raise ValueError(
                "Softmax: `mask` is not broadcastable to `inputs`: counted from the last axis, each of its sizes has "
                f"to be 1 or the size of the inputs there. {received}"
            )
