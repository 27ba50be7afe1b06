"""Draws from the key of one draw: what the stateful and stateless functions and the generators share."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes, shapes
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.ops import random as source
from hornbeam.ops.promotion import promote, to_dtype
from hornbeam.tensors.face import face, kept, tensor

__all__ = [
    "binomial",
    "bits",
    "categorical",
    "gamma",
    "normal",
    "poisson",
    "shuffle",
    "truncated_normal",
    "uniform",
]


def _sizes(shape: Any) -> tuple[Any, ...]:
    return shapes.standardize(static_value(list(shape) if isinstance(shape, (list, tuple)) else shape, "shape"))


def _key(seed: Any) -> Any:
    return jax.random.wrap_key_data(seed, impl="threefry2x32")


@face
def normal(key: Any, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Any:
    """Normal distribution."""
    return _moved(source.normal(key, _sizes(shape), dtypes.as_dtype(dtype)), mean, stddev)


@face
def truncated_normal(key: Any, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Any:
    """Normal distribution, cut at two standard deviations."""
    return _moved(source.truncated_normal(key, _sizes(shape), dtypes.as_dtype(dtype)), mean, stddev)


def _moved(sample: Any, mean: Any, stddev: Any) -> Any:
    kind = sample.dtype
    if not isinstance(stddev, (int, float)) or stddev != 1:
        sample = ops.multiply(sample, kept(tensor(stddev, kind), kind))
    if not isinstance(mean, (int, float)) or mean:
        sample = ops.add(sample, kept(tensor(mean, kind), kind))
    return sample


@face
def uniform(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any) -> Any:
    """Uniform distribution on ``[minval, maxval)``, of floats or integers."""
    wanted, sizes = dtypes.as_dtype(dtype), _sizes(shape)
    if wanted.is_integer:
        if minval is None and maxval is None:
            return bits(key, sizes, wanted)
        if maxval is None:
            raise ValueError(f"Must specify maxval for integer dtype {wanted.name}.")
        return source.randint(key, _bound(minval, wanted), _bound(maxval, wanted), sizes, wanted)
    if not wanted.is_floating:
        raise ValueError(f"tf.random.uniform: dtype must be a float or an integer type, received {wanted.name}.")
    low, high = (0 if minval is None else minval), (1 if maxval is None else maxval)
    return source.uniform(key, _bound(low, wanted), _bound(high, wanted), sizes, wanted)


def _bound(value: Any, dtype: dtypes.DType) -> Any:
    return kept(tensor(value, dtype), dtype)


@op(static=("shape", "dtype"))
def _bits(seed: Any, shape: Any, dtype: Any) -> Any:
    kind = np.dtype(dtypes.as_dtype(dtype).as_numpy_dtype)
    unsigned = np.dtype(f"uint{8 * kind.itemsize}")
    return jax.lax.bitcast_convert_type(jax.random.bits(_key(seed), shape, unsigned), kind)


@face
def bits(key: Any, shape: Any, dtype: Any) -> Any:
    """Integers from the whole range of the dtype."""
    return _bits(key, _sizes(shape), dtypes.as_dtype(dtype))


@op
def _permuted(seed: Any, x: Any) -> Any:
    return jax.random.permutation(_key(seed), promote(x)[0], axis=0)


@face(strings=("value",))
def shuffle(key: Any, value: Any) -> Any:
    """Slices along axis 0 in random order."""
    return _permuted(key, tensor(value))


@face
def categorical(key: Any, logits: Any, num_samples: Any, dtype: Any) -> Any:
    """Classes by unnormalized log-probabilities."""
    wanted = dtypes.as_dtype("int64" if dtype is None else dtype)
    return kept(source.categorical(key, tensor(logits), int(static_value(num_samples, "num_samples")), "int32"), wanted)


@op(static=("shape", "dtype"))
def _gamma(seed: Any, alpha: Any, beta: Any, shape: Any, dtype: Any) -> Any:
    alpha, beta = to_dtype(alpha, dtype), to_dtype(beta, dtype)
    return jax.random.gamma(_key(seed), alpha, shape, alpha.dtype) / beta


@face
def gamma(key: Any, shape: Any, alpha: Any, beta: Any, dtype: Any, outer: bool) -> Any:
    """Gamma distribution; ``outer`` puts ``shape`` in front of the shape of the parameters."""
    wanted = dtypes.as_dtype(dtype)
    alpha, beta = tensor(alpha, wanted), tensor(1 if beta is None else beta, wanted)
    wanted = alpha.dtype if alpha.dtype.is_floating else wanted
    sizes = _sizes(shape)
    if outer:
        sizes = (*sizes, *shapes.broadcast(alpha.shape, beta.shape))
    return _gamma(key, alpha, beta, sizes, wanted)


@op(static=("shape", "dtype"))
def _poisson(seed: Any, lam: Any, shape: Any, dtype: Any) -> Any:
    return to_dtype(jax.random.poisson(_key(seed), lam, shape, jnp.int32), dtype)


@face
def poisson(key: Any, shape: Any, lam: Any, dtype: Any, outer: bool) -> Any:
    """Poisson distribution; ``outer`` puts ``shape`` in front of the shape of the rates."""
    lam = ops.cast(tensor(lam), "float32")
    sizes = _sizes(shape)
    return _poisson(key, lam, (*sizes, *lam.shape) if outer else sizes, dtypes.as_dtype(dtype))


@face
def binomial(key: Any, shape: Any, counts: Any, probs: Any, dtype: Any) -> Any:
    """Number of successes in ``counts`` trials."""
    counts, probs = (ops.cast(tensor(item), "float32") for item in (counts, probs))
    return ops.cast(source.binomial(key, counts, probs, _sizes(shape), "float32"), dtypes.as_dtype(dtype))
