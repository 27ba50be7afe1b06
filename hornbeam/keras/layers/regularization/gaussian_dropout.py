"""``GaussianDropout``: inputs times normal noise of mean 1."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.base.elementwise import Elementwise
from hornbeam.keras.layers.regularization.dropout import probability
from hornbeam.keras.random.seed_generator import SeedGenerator
from hornbeam.ops import noise


class GaussianDropout(Elementwise):
    """While training, multiplies by normal noise of mean 1 and the variance that dropout of the same rate has.

    Args:
        rate: the noise has standard deviation ``sqrt(rate / (1 - rate))``.
        seed: int, for noise that can be repeated.

    Input shape: any.
    Output shape: that of the inputs.

    References: Srivastava et al. 2014, section 10. Keras ``layers.GaussianDropout``.
    """

    pure = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = probability("rate", rate)
        self.seed = seed
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Inputs times noise, or the inputs."""
        if training and self.rate > 0:
            return noise.gaussian_dropout(self.seed_generator.next(), inputs, rate=self.rate, dtype=self.compute_dtype)
        return inputs
