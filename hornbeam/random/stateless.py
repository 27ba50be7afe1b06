"""Random numbers that are a function of their seed, a pair of integers: equal seeds give equal numbers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.errors import InvalidArgumentError
from hornbeam.random import draws
from hornbeam.random.seeds import stateless_key
from hornbeam.tensors.face import face, kept, tensor

__all__ = [
    "fold_in",
    "split",
    "stateless_binomial",
    "stateless_categorical",
    "stateless_gamma",
    "stateless_normal",
    "stateless_poisson",
    "stateless_shuffle",
    "stateless_truncated_normal",
    "stateless_uniform",
]

_ALGORITHMS = ("auto_select", "philox", "threefry")


def check_alg(alg: Any) -> None:
    """Algorithms are a matter of speed; the numbers are threefry's whichever is named."""
    name = getattr(alg, "name", alg)
    if alg is not None and alg not in (1, 2, 3) and str(name).lower() not in _ALGORITHMS:
        raise ValueError(f"Unsupported RNG algorithm {alg!r}; expected one of {_ALGORITHMS}.")


def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """Normally distributed numbers."""
    check_alg(alg)
    return draws.normal(stateless_key(seed), shape, mean, stddev, dtype)


def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """Normally distributed numbers, none further than two standard deviations from the mean."""
    check_alg(alg)
    return draws.truncated_normal(stateless_key(seed), shape, mean, stddev, dtype)


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """Uniformly distributed numbers in ``[minval, maxval)``; integers without bounds take the whole range."""
    check_alg(alg)
    return draws.uniform(stateless_key(seed), shape, minval, maxval, dtype)


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = "int64", name: str | None = None
) -> Any:
    """Classes drawn by unnormalized log-probabilities: (batch, classes) gives (batch, num_samples)."""
    return draws.categorical(stateless_key(seed), logits, num_samples, dtype)


def stateless_gamma(
    shape: Any, seed: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", name: str | None = None
) -> Any:
    """Gamma distributed numbers of shape ``alpha`` and rate ``beta``, which broadcast to ``shape``."""
    return draws.gamma(stateless_key(seed), shape, alpha, beta, dtype, outer=False)


def stateless_poisson(shape: Any, seed: Any, lam: Any, dtype: Any = "int32", name: str | None = None) -> Any:
    """Poisson distributed numbers of rate ``lam``, which broadcasts to ``shape``."""
    return draws.poisson(stateless_key(seed), shape, lam, dtype, outer=False)


def stateless_binomial(
    shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any = "int32", name: str | None = None
) -> Any:
    """Numbers of successes in ``counts`` trials, each of probability ``probs``."""
    return draws.binomial(stateless_key(seed), shape, counts, probs, output_dtype)


def stateless_shuffle(value: Any, seed: Any, alg: Any = "auto_select", name: str | None = None) -> Any:
    """The slices along axis 0 in an order that the seed decides."""
    check_alg(alg)
    return draws.shuffle(stateless_key(seed), value)


@op(static=("num",))
def _split(seed: Any, num: int) -> Any:
    key = jax.random.wrap_key_data(seed, impl="threefry2x32")
    return jax.random.key_data(jax.random.split(key, num))


@op
def _as_signed(keys: Any) -> Any:
    return jax.lax.bitcast_convert_type(keys, jnp.int32)


@face
def split(seed: Any, num: int = 2, alg: Any = "auto_select") -> Any:
    """``num`` new seeds from one, (num, 2)."""
    check_alg(alg)
    seed = tensor(seed)
    return kept(_as_signed(_split(stateless_key(seed), int(num))), seed.dtype)


@op
def _fold(seed: Any, data: Any) -> Any:
    key = jax.random.wrap_key_data(seed, impl="threefry2x32")
    return jax.random.key_data(jax.random.fold_in(key, data.astype(jnp.uint32)))


@face
def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Any:
    """A new seed from one and an integer."""
    check_alg(alg)
    seed, data = tensor(seed), tensor(data)
    if len(data.shape):
        raise InvalidArgumentError(
            None, None, f"tf.random.fold_in: `data` must be a scalar, received {tuple(data.shape)}."
        )
    return kept(_as_signed(_fold(stateless_key(seed), data)), seed.dtype)
