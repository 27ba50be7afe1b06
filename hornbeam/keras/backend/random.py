"""Random tensors. Seeds that are not given come from NumPy's generator, which ``np.random.seed`` fixes."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.core.scopes import scopes
from hornbeam.keras import random as keras_random
from hornbeam.tensors.face import on_sizes


def _seed(seed: int | None) -> int | None:
    if seed is not None:
        return int(seed)
    # In a compiled program a fixed seed would give the same numbers at every run.
    return None if scopes.frame is not None or scopes.symbolic else int(np.random.randint(10**7))


@on_sizes
def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Normal draws."""
    return keras_random.normal(shape, mean, stddev, dtype=dtype or settings.floatx(), seed=_seed(seed))


@on_sizes
def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Uniform draws from [minval, maxval)."""
    return keras_random.uniform(shape, minval, maxval, dtype=dtype or settings.floatx(), seed=_seed(seed))


@on_sizes
def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Normal draws, drawn again where they are more than two standard deviations away."""
    return keras_random.truncated_normal(shape, mean, stddev, dtype=dtype or settings.floatx(), seed=_seed(seed))


@on_sizes
def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Ones with probability ``p``, else zeros."""
    draws = keras_random.uniform(shape, dtype="float32", seed=_seed(seed))
    return ops.cast(draws <= p, dtype or settings.floatx()) if p > 0 else ops.zeros(shape, dtype or settings.floatx())


random_binomial = random_bernoulli


@on_sizes
def dropout(x: Any, level: float, noise_shape: Any = None, seed: int | None = None) -> Any:
    """Elements set to 0 with probability ``level``, the others divided by ``1 - level``."""
    return keras_random.dropout(x, level, noise_shape=noise_shape, seed=_seed(seed))
