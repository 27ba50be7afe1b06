"""Random numbers that move on with every call: ``normal``, ``uniform``, ``shuffle``, ``categorical`` ..."""

from __future__ import annotations

from typing import Any

from hornbeam.random import draws
from hornbeam.random.seeds import operation_key
from hornbeam.tensors.face import on_sizes

__all__ = ["categorical", "gamma", "normal", "poisson", "shuffle", "truncated_normal", "uniform"]


@on_sizes
def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Normally distributed numbers.

    Args:
        shape: sizes.
        mean: mean, broadcast to ``shape``.
        stddev: standard deviation, broadcast to ``shape``.
        dtype: float dtype.
        seed: int, for the same sequence of draws in every run; see ``set_seed``.
    """
    return draws.normal(operation_key(seed, "normal"), shape, mean, stddev, dtype)


@on_sizes
def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Normally distributed numbers, none further than two standard deviations from the mean."""
    return draws.truncated_normal(operation_key(seed, "truncated_normal"), shape, mean, stddev, dtype)


@on_sizes
def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Uniformly distributed numbers in ``[minval, maxval)``; ``maxval`` is 1 for floats; integers need one."""
    return draws.uniform(operation_key(seed, "uniform"), shape, minval, maxval, dtype)


@on_sizes
def shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Any:
    """The slices along axis 0 in random order."""
    return draws.shuffle(operation_key(seed, "shuffle"), value)


@on_sizes
def categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None, name: str | None = None
) -> Any:
    """Classes drawn by unnormalized log-probabilities: (batch, classes) gives (batch, num_samples), int64."""
    return draws.categorical(operation_key(seed, "categorical"), logits, num_samples, dtype)


@on_sizes
def gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", seed: int | None = None, name: str | None = None
) -> Any:
    """Gamma distributed numbers: ``shape`` of them for each pair of ``alpha`` (shape) and ``beta`` (rate)."""
    return draws.gamma(operation_key(seed, "gamma"), shape, alpha, beta, dtype, outer=True)


@on_sizes
def poisson(shape: Any, lam: Any, dtype: Any = "float32", seed: int | None = None, name: str | None = None) -> Any:
    """Poisson distributed numbers: ``shape`` of them for each rate ``lam``."""
    return draws.poisson(operation_key(seed, "poisson"), shape, lam, dtype, outer=True)
