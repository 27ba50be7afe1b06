"""Random masks and noise of the regularization layers, drawn with the quick counter hash.

The numbers are not those of threefry: a mask costs less than the layer that uses it, and equal key data give equal
numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.engine.rng import hash_keep_mask, hash_uniform_bits
from hornbeam.ops.promotion import as_float

__all__ = ["alpha_dropout", "dropout", "gaussian_dropout", "gaussian_noise"]

# Fixed point of the SELU activation: Klambauer et al. 2017, equation 14.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _sizes(noise_shape: Sequence[int | None] | None, shape: Sequence[int]) -> tuple[int, ...]:
    """Sizes of the mask: those of the inputs, where ``noise_shape`` does not name others."""
    if noise_shape is None:
        return tuple(shape)
    return tuple(shape[axis] if size is None else size for axis, size in enumerate(noise_shape))


def _normal(seed: Any, shape: Sequence[int]) -> jax.Array:
    """Standard normal float32 numbers, by the inverse of the distribution function."""
    # 23 bits and a half: exact in float32, symmetric about 0, and never -1 or 1, where the inverse is infinite.
    uniform = ((hash_uniform_bits(seed, shape) >> 9).astype(jnp.float32) + 0.5) * 2.0**-22 - 1.0
    return jax.lax.erf_inv(uniform) * 2.0**0.5


@op(static=("rate", "noise_shape"))
def dropout(seed: Any, inputs: Any, rate: float, noise_shape: Any = None) -> jax.Array:
    """Zeros with probability ``rate``, the rest divided by ``1 - rate``.

    Args:
        seed: key data ``uint32[2]`` of one draw.
        inputs: floating array.
        rate: probability of a zero, 0 to 1.
        noise_shape: sizes of the mask, which is broadcast to the inputs; None entries stand for the inputs' sizes.
    """
    inputs = as_float(inputs)
    keep = 1.0 - rate
    zero = jnp.zeros((), inputs.dtype)
    if keep == 0.0:
        return jnp.broadcast_to(zero, inputs.shape)
    mask = jnp.broadcast_to(hash_keep_mask(seed, _sizes(noise_shape, inputs.shape), keep), inputs.shape)
    return jnp.where(mask, inputs / jnp.asarray(keep, inputs.dtype), zero)


@op(static=("rate", "noise_shape"))
def alpha_dropout(seed: Any, inputs: Any, rate: float, noise_shape: Any = None) -> jax.Array:
    """Dropout towards the negative limit of SELU, scaled so that mean and variance stay: ``a * x + b``.

    Args: as ``dropout``.

    References: Klambauer et al. 2017, section 2 ("alpha dropout").
    """
    inputs = as_float(inputs)
    low = -_SELU_ALPHA * _SELU_SCALE
    scale = ((1 - rate) * (1 + rate * low**2)) ** -0.5
    mask = hash_keep_mask(seed, _sizes(noise_shape, inputs.shape), 1.0 - rate)
    return jnp.where(mask, inputs, jnp.asarray(low, inputs.dtype)) * scale - scale * low * rate


@op(static=("rate", "dtype"))
def gaussian_dropout(seed: Any, inputs: Any, rate: float, dtype: Any) -> jax.Array:
    """Times noise of mean 1 and standard deviation ``sqrt(rate / (1 - rate))``."""
    inputs = as_float(inputs)
    noise = 1.0 + _normal(seed, inputs.shape) * (rate / (1.0 - rate)) ** 0.5
    return inputs * noise.astype(dtype)


@op(static=("stddev", "dtype"))
def gaussian_noise(seed: Any, inputs: Any, stddev: float, dtype: Any) -> jax.Array:
    """Plus noise of mean 0 and standard deviation ``stddev``."""
    inputs = as_float(inputs)
    return inputs + (_normal(seed, inputs.shape) * stddev).astype(dtype)
