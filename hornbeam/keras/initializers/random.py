"""Initializers that draw one distribution: ``RandomNormal``, ``RandomUniform``, ``TruncatedNormal``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import shapes
from hornbeam.keras.initializers import draws
from hornbeam.keras.initializers.base import Initializer
from hornbeam.keras.random.seed_generator import SeedGenerator, make_default_seed
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["RandomInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal"]


class RandomInitializer(Initializer):
    """Common part of the random initializers: the seed.

    Args:
        seed: an int gives the same values at every call; ``None`` takes an int from Python's generator now; a
            ``SeedGenerator`` gives new values at every call.

    Raises:
        ValueError: the seed is something else.
    """

    def __init__(self, seed: Any = None) -> None:
        self._init_seed = seed
        if seed is None:
            seed = make_default_seed()
        elif isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        elif not isinstance(seed, (int, SeedGenerator)):
            raise ValueError(
                "An initializer takes as `seed` an int, a `keras.random.SeedGenerator` or None. "
                f"Received: {seed!r} of type {type(seed).__name__}"
            )
        self.seed = seed

    def key(self) -> Any:
        """Key data of the next draw."""
        if isinstance(self.seed, SeedGenerator):
            return self.seed.next().value
        return np.array([self.seed, 0], np.uint32)

    def get_config(self) -> dict[str, Any]:
        return {"seed": serialize_keras_object(self._init_seed)}


class RandomNormal(RandomInitializer):
    """Normally distributed values.

    Args:
        mean: mean.
        stddev: standard deviation.
        seed: int, ``SeedGenerator`` or ``None``; see ``RandomInitializer``.

    References: Keras ``keras.initializers.RandomNormal``.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed=seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return draws.normal(self.key(), sizes(shape), self.mean, self.stddev, dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomInitializer):
    """Normally distributed values, limited to two standard deviations on either side of the mean.

    Args:
        mean: mean.
        stddev: standard deviation before the cut.
        seed: int, ``SeedGenerator`` or ``None``; see ``RandomInitializer``.

    References: Keras ``keras.initializers.TruncatedNormal``.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed=seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return draws.truncated_normal(self.key(), sizes(shape), self.mean, self.stddev, dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class RandomUniform(RandomInitializer):
    """Values spread evenly over ``[minval, maxval)``.

    Args:
        minval: lower bound.
        maxval: upper bound.
        seed: int, ``SeedGenerator`` or ``None``; see ``RandomInitializer``.

    References: Keras ``keras.initializers.RandomUniform``.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed=seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return draws.uniform(self.key(), sizes(shape), self.minval, self.maxval, dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


def sizes(shape: Any) -> tuple[int, ...]:
    """A shape as plain ints.

    Raises:
        ShapeError: it is no shape, or a size is negative.
        ValueError: a size is not known.
    """
    known = shapes.standardize(shape)
    if None in known:
        raise ValueError(f"An initializer needs to know all sizes. Received: shape={known}")
    return known  # type: ignore[return-value]
