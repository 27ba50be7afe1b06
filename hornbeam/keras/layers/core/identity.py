"""``Identity``: a placeholder."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.base.elementwise import Elementwise, same_specs


class Identity(Elementwise):
    """Gives its inputs back as they are: a placeholder where no operation is wanted.

    Input shape: any, also a nesting of tensors.
    Output shape: that of the inputs.

    References: Keras ``layers.Identity``.
    """

    pure = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs

    def compute_output_spec(self, inputs: Any) -> Any:
        return same_specs(inputs)
