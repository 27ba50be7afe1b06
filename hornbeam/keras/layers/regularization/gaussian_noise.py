"""``GaussianNoise``: inputs plus normal noise."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.base.elementwise import Elementwise
from hornbeam.keras.layers.regularization.dropout import probability
from hornbeam.keras.random.seed_generator import SeedGenerator
from hornbeam.ops import noise


class GaussianNoise(Elementwise):
    """While training, adds normal noise of mean 0.

    Args:
        stddev: standard deviation of the noise, 0 to 1.
        seed: int, for noise that can be repeated.

    Input shape: any.
    Output shape: that of the inputs.

    References: Keras ``layers.GaussianNoise``.
    """

    pure = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = probability("stddev", stddev)
        self.seed = seed
        if stddev > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Inputs plus noise, or the inputs."""
        if training and self.stddev > 0:
            return noise.gaussian_noise(
                self.seed_generator.next(), inputs, stddev=self.stddev, dtype=self.compute_dtype
            )
        return inputs
