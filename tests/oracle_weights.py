"""Initial weights of the oracle, drawn by NumPy: JAX compiles half a second for every new shape it draws.

Most comparisons give both sides the same weights anyway. Those that ask for Keras's own random bits take the marker
`oracle_bits`.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import Any

import numpy as np

INITIALIZERS = "keras.src.initializers.random_initializers"


class HostRandom:
    """Stands in for the oracle's random module inside its initializers; all but the three draws stay the oracle's."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def _generator(self, seed: Any) -> np.random.Generator:
        words = seed if isinstance(seed, int) else np.asarray(self._real.draw_seed(seed)).tolist()
        return np.random.default_rng(words)

    def _array(self, values: np.ndarray, dtype: Any) -> Any:
        import jax.numpy as jnp
        from keras import backend

        return jnp.asarray(values.astype("float32"), dtype or backend.floatx())

    def normal(self, shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        return self._array(self._generator(seed).normal(mean, stddev, shape), dtype)

    def truncated_normal(self, shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        rng = self._generator(seed)
        values = rng.normal(size=shape)
        while (outside := np.abs(values) > 2.0).any():
            values = np.where(outside, rng.normal(size=shape), values)
        return self._array(mean + stddev * values, dtype)

    def uniform(self, shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        return self._array(self._generator(seed).uniform(minval, maxval, shape), dtype)


@contextmanager
def host_drawn():
    """While open, the oracle's initializers draw on the host; nothing happens where it is not imported."""
    module = sys.modules.get(INITIALIZERS)
    if module is None:
        yield
        return
    real = module.random
    module.random = HostRandom(real)
    try:
        yield
    finally:
        module.random = real
