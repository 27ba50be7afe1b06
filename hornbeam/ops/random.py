"""Random draws from threefry key data ``uint32[2]``, bit for bit those of Keras on JAX.

These take the key data of one draw as ``seed``; generators are the business of ``core.random_state``.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import dtypes
from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float, promote, to_dtype

__all__ = [
    "beta",
    "binomial",
    "categorical",
    "divided",
    "gamma",
    "masked",
    "normal",
    "randint",
    "scaled",
    "shifted",
    "shuffle",
    "truncated_normal",
    "uniform",
]


def _key(seed: Any) -> jax.Array:
    return jax.random.wrap_key_data(seed, impl="threefry2x32")


def _np(dtype: Any) -> Any:
    return dtypes.as_dtype(dtype).as_numpy_dtype


@op(static=("shape", "dtype"))
def normal(seed: Any, shape: Any, dtype: Any) -> jax.Array:
    """Normal distribution of mean 0 and standard deviation 1."""
    return jax.random.normal(_key(seed), shape, _np(dtype))


@op(static=("shape", "dtype"))
def truncated_normal(seed: Any, shape: Any, dtype: Any) -> jax.Array:
    """Normal distribution of mean 0 and standard deviation 1, cut at two standard deviations."""
    return jax.random.truncated_normal(_key(seed), -2.0, 2.0, shape, _np(dtype))


# Programs of their own: beside the draw, or beside each other, XLA would merge or reorder the roundings, and the last
# bit would differ from Keras.
@op
def scaled(sample: Any, factor: Any) -> jax.Array:
    """``sample * factor`` in the dtype of the sample."""
    return sample * to_dtype(factor, sample.dtype)


@op
def shifted(sample: Any, offset: Any) -> jax.Array:
    """``sample + offset`` in the dtype of the sample."""
    return sample + to_dtype(offset, sample.dtype)


@op(static=("shape", "dtype"))
def uniform(seed: Any, minval: Any, maxval: Any, shape: Any, dtype: Any) -> jax.Array:
    """Uniform distribution on ``[minval, maxval)``."""
    return jax.random.uniform(_key(seed), shape, _np(dtype), minval, maxval)


@op(static=("shape", "dtype"))
def randint(seed: Any, minval: Any, maxval: Any, shape: Any, dtype: Any) -> jax.Array:
    """Integers, uniform on ``[minval, maxval)``."""
    return jax.random.randint(_key(seed), shape, minval, maxval, _np(dtype))


@op(static=("num_samples", "dtype"))
def categorical(seed: Any, logits: Any, num_samples: int, dtype: Any) -> jax.Array:
    """Classes drawn by unnormalized log-probabilities: (batch, classes) gives (batch, num_samples)."""
    logits = as_float(logits)
    if logits.ndim != 2:
        raise ValueError(
            "categorical(): `logits` holds a row of unnormalized log-probabilities for each sample, (batch, classes). "
            f"Received: shape {tuple(logits.shape)}"
        )
    shape = (logits.shape[0], int(num_samples))
    return jax.random.categorical(_key(seed), logits[..., None], axis=1, shape=shape).astype(_np(dtype))


@op
def divided(inputs: Any, keep: Any) -> jax.Array:
    """``inputs / keep`` in the dtype of the inputs; a program of its own for the same reason as ``scaled``."""
    inputs = as_float(inputs)
    return inputs / to_dtype(keep, inputs.dtype)


@op(static=("noise_shape",))
def masked(seed: Any, inputs: Any, keep: Any, noise_shape: Any) -> jax.Array:
    """Zeros with probability ``1 - keep``; one decision per element of ``noise_shape``.

    Nothing is drawn if ``keep`` is None: then all is zero.
    """
    inputs = as_float(inputs)
    if keep is None:
        return jnp.zeros_like(inputs)
    shape = inputs.shape if noise_shape is None else noise_shape
    sizes = tuple(inputs.shape[axis] if size is None else size for axis, size in enumerate(shape))
    mask = jnp.broadcast_to(jax.random.bernoulli(_key(seed), jnp.asarray(keep, jnp.float32), sizes), inputs.shape)
    return jnp.where(mask, inputs, jnp.zeros((), inputs.dtype))


@op(static=("axis",))
def shuffle(seed: Any, x: Any, axis: int) -> jax.Array:
    """Elements permuted along ``axis``, each line by itself."""
    return jax.random.permutation(_key(seed), promote(x)[0], axis, independent=True)


@op(static=("shape", "dtype"))
def gamma(seed: Any, alpha: Any, shape: Any, dtype: Any) -> jax.Array:
    """Gamma distribution of scale 1."""
    return jax.random.gamma(_key(seed), alpha, shape, _np(dtype))


@op(static=("shape", "dtype"))
def binomial(seed: Any, counts: Any, probabilities: Any, shape: Any, dtype: Any) -> jax.Array:
    """Number of successes in ``counts`` trials."""
    return jax.random.binomial(_key(seed), counts, probabilities, shape, _np(dtype))


@op(static=("shape", "dtype"))
def beta(seed: Any, alpha: Any, beta: Any, shape: Any, dtype: Any) -> jax.Array:
    """Beta distribution."""
    return jax.random.beta(_key(seed), alpha, beta, shape, _np(dtype))
