"""``AlphaDropout``: dropout that keeps mean and variance."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.base.elementwise import Elementwise
from hornbeam.keras.layers.regularization.dropout import probability
from hornbeam.keras.random.seed_generator import SeedGenerator
from hornbeam.ops import noise


class AlphaDropout(Elementwise):
    """While training, sets elements to the negative limit of SELU and rescales all, so that mean and variance stay.

    Args:
        rate: probability of an element's being dropped, 0 to 1.
        noise_shape: sizes of the random mask, which is broadcast to the inputs; None entries stand for the inputs'
            sizes.
        seed: int, for masks that can be repeated.

    Input shape: any.
    Output shape: that of the inputs.

    References: Klambauer et al. 2017. Keras ``layers.AlphaDropout``.
    """

    pure = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = probability("rate", rate)
        self.seed = seed
        self.noise_shape = noise_shape
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Inputs with noise, or the inputs."""
        if training and self.rate > 0:
            shape = None if self.noise_shape is None else tuple(self.noise_shape)
            return noise.alpha_dropout(self.seed_generator.next(), inputs, rate=self.rate, noise_shape=shape)
        return inputs
