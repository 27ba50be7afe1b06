"""``Dropout``: a random part of the inputs becomes zero."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.base.elementwise import Elementwise
from hornbeam.keras.random.seed_generator import SeedGenerator
from hornbeam.ops import noise


def probability(name: str, value: Any) -> Any:
    """``value``, if it lies between 0 and 1.

    Raises:
        ValueError: it does not.
    """
    if not 0 <= value <= 1:
        raise ValueError(
            f"Invalid value received for argument `{name}`. Expected a float value between 0 and 1. "
            f"Received: {name}={value}"
        )
    return value


def checked_noise_shape(noise_shape: Any) -> tuple | None:
    """The noise shape as a tuple of positive ints and None.

    Raises:
        ValueError: it is something else.
    """
    if noise_shape is None:
        return None
    start = "`noise_shape` takes a tuple of ints of at least 1, with None where the size of the inputs holds."
    if isinstance(noise_shape, str):
        raise ValueError(f"{start} Received: noise_shape={noise_shape!r}")
    try:
        sizes = tuple(noise_shape)
    except TypeError as error:
        raise ValueError(f"{start} Received: noise_shape={noise_shape!r}") from error
    for index, size in enumerate(sizes):
        if size is None:
            continue
        if not isinstance(size, int):
            raise ValueError(f"{start} Received: {size!r} of type {type(size).__name__} at index {index}")
        if size <= 0:
            raise ValueError(f"{start} Received: {size} at index {index}")
    return sizes


class Dropout(Elementwise):
    """While training, sets elements to zero with probability ``rate`` and divides the others by ``1 - rate``.

    The random numbers come from a quick hash of the layer's seed and a counter: the same seed gives the same sequence
    of masks, but not the masks of another library.

    Args:
        rate: probability of a zero, 0 to 1.
        noise_shape: sizes of the random mask, which is broadcast to the inputs; None entries stand for the inputs'
            sizes.
            ``(None, 1, None)`` drops the same features in all steps.
        seed: int, for masks that can be repeated.

    Input shape: any.
    Output shape: that of the inputs.

    Call arguments:
        inputs: floating tensor.
        training: True drops, False gives the inputs back.

    References: Srivastava et al. 2014. Keras ``layers.Dropout``.
    """

    pure = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = probability("rate", rate)
        self.seed = seed
        self.noise_shape = checked_noise_shape(noise_shape)
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Inputs with zeros in them, or the inputs."""
        if training and self.rate > 0:
            shape = self._noise_shape_for(inputs)
            return noise.dropout(self.seed_generator.next(), inputs, rate=self.rate, noise_shape=shape)
        return inputs

    def _noise_shape_for(self, inputs: Any) -> tuple | None:
        return self.noise_shape
