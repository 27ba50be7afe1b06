"""``ActivityRegularization``: a penalty on activities."""

from __future__ import annotations

from typing import Any

from hornbeam.keras import regularizers
from hornbeam.keras.layers.base.elementwise import Elementwise


class ActivityRegularization(Elementwise):
    """Gives its inputs back, and adds a penalty on them to the training loss.

    Args:
        l1: factor of the sum of absolute values.
        l2: factor of the sum of squares.

    Input shape: any.
    Output shape: that of the inputs.

    References: Keras ``layers.ActivityRegularization``.
    """

    pure = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return config
