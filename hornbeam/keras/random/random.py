"""Random functions. The same seed gives the same numbers as Keras on JAX.

``seed`` everywhere: a ``SeedGenerator``, an int (equal numbers on each call), or None for the global generator, which
``keras.utils.set_random_seed`` resets.
"""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes, settings
from hornbeam.core.arguments import static_value
from hornbeam.core.random_state import draw_seed
from hornbeam.ops import random as draws
from hornbeam.ops.composite import composite

__all__ = [
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]


def _shape(shape: Any) -> tuple[int, ...]:
    sizes = static_value(shape, "shape")
    return sizes if isinstance(sizes, tuple) else (int(sizes),)


def _float_dtype(dtype: Any, name: str) -> Any:
    dtype = dtypes.as_dtype(dtype or settings.floatx())
    if not dtype.is_floating:
        raise ValueError(f"`keras.random.{name}` draws floats: give it a floating point `dtype`, not {dtype.name}.")
    return dtype


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Draw from a normal distribution.

    Args:
        shape: sizes of the result.
        mean: mean of the distribution.
        stddev: standard deviation.
        dtype: float dtype, ``floatx`` by default.
        seed: generator, int or None.
    """
    dtype = _float_dtype(dtype, "normal")
    return _placed(draws.normal(draw_seed(seed), shape=_shape(shape), dtype=dtype), mean, stddev)


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Draw from a normal distribution, without values further than two standard deviations from the mean.

    Arguments as in ``normal``.
    """
    dtype = _float_dtype(dtype, "truncated_normal")
    return _placed(draws.truncated_normal(draw_seed(seed), shape=_shape(shape), dtype=dtype), mean, stddev)


def _placed(sample: Any, mean: Any, stddev: Any) -> Any:
    if not _is_number(stddev, 1):
        sample = draws.scaled(sample, stddev)
    return sample if _is_number(mean, 0) else draws.shifted(sample, mean)


def _is_number(value: Any, number: int) -> bool:
    return isinstance(value, (int, float)) and value == number


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Draw from a uniform distribution on ``[minval, maxval)``.

    Args:
        shape: sizes of the result.
        minval: lower bound, included.
        maxval: upper bound, not included.
        dtype: float dtype, ``floatx`` by default.
        seed: generator, int or None.
    """
    dtype = _float_dtype(dtype, "uniform")
    return draws.uniform(draw_seed(seed), minval, maxval, shape=_shape(shape), dtype=dtype)


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Draw integers, uniform on ``[minval, maxval)``.

    Args:
        shape: sizes of the result.
        minval: lower bound, included.
        maxval: upper bound, not included.
        dtype: integer dtype.
        seed: generator, int or None.
    """
    dtype = dtypes.as_dtype(dtype or settings.floatx())
    if not dtype.is_integer:
        raise ValueError(f"`keras.random.randint` draws integers: give it an integer `dtype`, not {dtype.name}.")
    return draws.randint(draw_seed(seed), minval, maxval, shape=_shape(shape), dtype=dtype)


@composite
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Draw classes by their unnormalized log-probabilities.

    Args:
        logits: (batch, classes).
        num_samples: draws per row.
        dtype: dtype of the class numbers.
        seed: generator, int or None.

    Returns:
        Tensor (batch, num_samples).
    """
    return draws.categorical(draw_seed(seed), logits, num_samples=num_samples, dtype=dtypes.as_dtype(dtype or "int32"))


@composite
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Set elements to zero with probability ``rate``, and divide the rest by ``1 - rate``.

    Args:
        inputs: floating tensor.
        rate: probability, 0 to 1.
        noise_shape: sizes of the mask, which broadcasts to the inputs; None entries stand for the inputs' sizes.
        seed: generator, int or None.
    """
    if rate == 0.0:
        return inputs
    if rate == 1.0:
        return draws.masked(None, inputs, None, noise_shape=None)
    noise_shape = None if noise_shape is None else tuple(noise_shape)
    keep = 1.0 - rate
    return draws.masked(draw_seed(seed), draws.divided(inputs, keep), keep, noise_shape=noise_shape)


@composite
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """Permute the elements along ``axis`` at random, each line along it by itself.

    Args:
        x: tensor.
        axis: axis along which elements move.
        seed: generator, int or None.
    """
    return draws.shuffle(draw_seed(seed), x, axis=axis)


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Draw from a gamma distribution of shape parameter ``alpha`` and scale 1.

    Args:
        shape: sizes of the result.
        alpha: number, or tensor that broadcasts to ``shape``.
        dtype: float dtype, ``floatx`` by default.
        seed: generator, int or None.
    """
    return draws.gamma(draw_seed(seed), alpha, shape=_shape(shape), dtype=_float_dtype(dtype, "gamma"))


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Draw the number of successes in ``counts`` trials, each of which succeeds with probability ``probabilities``.

    Args:
        shape: sizes of the result.
        counts: number of trials; number or tensor that broadcasts to ``shape``.
        probabilities: probability of success; number or tensor that broadcasts to ``shape``.
        dtype: float dtype, ``floatx`` by default.
        seed: generator, int or None.
    """
    dtype = _float_dtype(dtype, "binomial")
    return draws.binomial(draw_seed(seed), counts, probabilities, shape=_shape(shape), dtype=dtype)


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Draw from a beta distribution.

    Args:
        shape: sizes of the result.
        alpha: first parameter; number or tensor that broadcasts to ``shape``.
        beta: second parameter; number or tensor that broadcasts to ``shape``.
        dtype: float dtype, ``floatx`` by default.
        seed: generator, int or None.
    """
    return draws.beta(draw_seed(seed), alpha, beta, shape=_shape(shape), dtype=_float_dtype(dtype, "beta"))
