"""``tf.experimental.numpy.random``: NumPy's spellings of random draws, float64 unless float32 is preferred."""

from __future__ import annotations

from typing import Any

from hornbeam.experimental.numpy.arrays import _preferred
from hornbeam.random.seeds import set_seed
from hornbeam.random.stateful import normal as _normal
from hornbeam.random.stateful import uniform as _uniform

__all__ = ["normal", "rand", "randint", "randn", "random", "seed", "standard_normal", "uniform"]


def seed(s: int) -> None:
    """Set the global seed (``tf.random.set_seed``)."""
    set_seed(s)


def _sizes(size: Any) -> Any:
    return () if size is None else (size,) if isinstance(size, int) else size


def randn(*args: int) -> Any:
    """Standard normal numbers, one argument for each axis."""
    return standard_normal(args)


def standard_normal(size: Any = None) -> Any:
    """Standard normal numbers."""
    return _normal(_sizes(size), dtype=_preferred(float))


def normal(loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    """Normally distributed numbers."""
    return _normal(_sizes(size), mean=loc, stddev=scale, dtype=_preferred(float))


def rand(*size: int) -> Any:
    """Uniform numbers in ``[0, 1)``, one argument for each axis."""
    return random(size)


def random(size: Any = None) -> Any:
    """Uniform numbers in ``[0, 1)``."""
    return _uniform(_sizes(size), dtype=_preferred(float))


def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    """Uniform numbers in ``[low, high)``."""
    return _uniform(_sizes(size), minval=low, maxval=high, dtype=_preferred(float))


def randint(low: Any, high: Any = None, size: Any = None, dtype: Any = int) -> Any:
    """Uniform integers in ``[low, high)``; of one bound, in ``[0, low)``."""
    low, high = (0, low) if high is None else (low, high)
    return _uniform(_sizes(size), minval=low, maxval=high, dtype=_preferred(dtype))
