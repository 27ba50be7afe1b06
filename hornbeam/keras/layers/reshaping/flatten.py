"""``Flatten``: all axes but the batch axis become one."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras.layers.base.elementwise import KeepsDtype
from hornbeam.keras.layers.base.input_spec import InputSpec


class Flatten(KeepsDtype):
    """Makes one axis of all axes but the batch axis.

    Args:
        data_format: "channels_last" or "channels_first"; the global setting if not given. For "channels_first" the
            channels are put last before flattening, so that both formats give the same order.

    Input shape: ``(batch, ...)``.
    Output shape: ``(batch, product of the other sizes)``.

    References: Keras ``layers.Flatten``.
    """

    pure = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """Inputs with one axis behind the batch axis."""
        shape: Any = tuple(inputs.shape)
        if self.data_format == "channels_first" and len(shape) > 2:
            inputs = ops.transpose(inputs, (0, *range(2, len(shape)), 1))
        return ops.reshape(inputs, (shape[0], math.prod(shape[1:])))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """``(batch, product of the other sizes)``; unknown if one of them is."""
        rest = tuple(input_shape)[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))
