"""Window functions for spectral analysis: ``x`` points, symmetric, in the default float dtype.

Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from hornbeam.base import dtypes, settings
from hornbeam.core.door import op
from hornbeam.ops.composite import composite

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]

_SHAPES = {"bartlett": jnp.bartlett, "blackman": jnp.blackman, "hamming": jnp.hamming, "hanning": jnp.hanning}


@op(static=("points", "shape", "dtype"))
def _window(points: int, shape: str, dtype: str) -> Array:
    return _SHAPES[shape](int(points)).astype(dtypes.as_dtype(dtype).as_numpy_dtype)


@op(static=("points", "dtype"))
def _kaiser(beta: Array, points: int, dtype: str) -> Array:
    return jnp.kaiser(int(points), beta).astype(dtypes.as_dtype(dtype).as_numpy_dtype)


@composite
def bartlett(x: Any) -> Any:
    """Triangle that is 0 at both ends.

    Args:
        x: number of points, an integer or an integer scalar tensor.
    """
    return _window(x, "bartlett", dtype=settings.floatx())


@composite
def blackman(x: Any) -> Any:
    """``0.42 - 0.5 cos + 0.08 cos(2 .)``, close to 0 at both ends.

    Args:
        x: number of points, an integer or an integer scalar tensor.
    """
    return _window(x, "blackman", dtype=settings.floatx())


@composite
def hamming(x: Any) -> Any:
    """Raised cosine ``0.54 - 0.46 cos``, 0.08 at both ends.

    Args:
        x: number of points, an integer or an integer scalar tensor.
    """
    return _window(x, "hamming", dtype=settings.floatx())


@composite
def hanning(x: Any) -> Any:
    """Raised cosine ``0.5 - 0.5 cos``, 0 at both ends.

    Args:
        x: number of points, an integer or an integer scalar tensor.
    """
    return _window(x, "hanning", dtype=settings.floatx())


@composite
def kaiser(x: Any, beta: Any) -> Any:
    """Kaiser window, made of the Bessel function ``i0``.

    Args:
        x: number of points, an integer or an integer scalar tensor.
        beta: shape: 0 is a rectangle, 5 is like Hamming, 8.6 like Blackman.
    """
    return _kaiser(beta, x, dtype=settings.floatx())
