"""Samples of classes for losses over many classes: ``log_uniform_candidate_sampler``, ``uniform_candidate_sampler``."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base.errors import ArgumentError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.random.seeds import operation_key
from hornbeam.tensors.face import face, kept, tensor, unwatched

__all__ = ["log_uniform_candidate_sampler", "uniform_candidate_sampler"]


def _probability(classes: Any, range_max: int, falling: bool) -> Any:
    if not falling:
        return jnp.full(jnp.shape(classes), 1 / range_max, "float32")
    return jnp.log1p(1 / (jnp.asarray(classes, "float32") + 1)) / jnp.log(range_max + 1.0)


@op(static=("count", "range_max", "falling", "unique"))
def _sample(seed: Any, true: Any, count: int, range_max: int, falling: bool, unique: bool) -> Any:
    chosen, waiting = jax.random.split(jax.random.wrap_key_data(seed, impl="threefry2x32"))
    every = _probability(jnp.arange(range_max), range_max, falling)
    if not unique:
        sampled = jax.random.categorical(chosen, jnp.log(every), shape=(count,)).astype("int32")
        expected = [count * _probability(one, range_max, falling) for one in (true, sampled)]
        return sampled, *expected
    # Classes in the order in which draws that are repeated until they are new would find them.
    _, sampled = jax.lax.top_k(jnp.log(every) + jax.random.gumbel(chosen, (range_max,)), count)
    # How many draws that would take: a geometric number for each class.
    found = every[sampled]
    seen = jnp.clip(jnp.cumsum(found) - found, 0, 1 - 1e-6)
    waits = jnp.floor(jnp.log(jax.random.uniform(waiting, (count,), minval=1e-12)) / jnp.log(jnp.maximum(seen, 1e-12)))
    tries = count + jnp.sum(waits)
    expected = [-jnp.expm1(tries * jnp.log1p(-_probability(one, range_max, falling))) for one in (true, sampled)]
    return sampled, *expected


def _draw(
    name: str, true_classes: Any, num_true: Any, num_sampled: Any, unique: bool, range_max: Any, seed: Any
) -> tuple[Any, Any, Any]:
    true = tensor(true_classes)
    count, size = int(static_value(num_sampled, "num_sampled")), int(static_value(range_max, "range_max"))
    if len(true.shape) != 2 or true.shape[1] != num_true:
        raise ArgumentError(
            f"{name}: `true_classes` must have the shape (batch, num_true={num_true}). Received: {tuple(true.shape)}."
        )
    if unique and count > size:
        raise ArgumentError(
            f"{name}: {count} different classes cannot be drawn from {size}. Lower `num_sampled`, or pass unique=False."
        )
    falling = name.startswith("log")
    made = unwatched(_sample, operation_key(seed, name), true, count, size, falling, bool(unique))
    return kept(made[0], "int64"), made[1], made[2]


@face
def log_uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> tuple[Any, Any, Any]:
    """Classes drawn with a probability that falls with their number, as words by frequency do (Zipf's law).

    Args:
        true_classes: int (batch, num_true), the classes that are right.
        num_true: right classes per sample.
        num_sampled: how many classes to draw.
        unique: draw each class once at most.
        range_max: number of classes.
        seed: int, for the same sequence of draws in every run.

    Returns:
        The classes drawn (num_sampled,) int64, and how often the true ones and the drawn ones are to be expected
        among so many, float32 (batch, num_true) and (num_sampled,).

    References: TensorFlow `tf.random.log_uniform_candidate_sampler`.
    """
    return _draw("log_uniform_candidate_sampler", true_classes, num_true, num_sampled, unique, range_max, seed)


@face
def uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> tuple[Any, Any, Any]:
    """Classes drawn with equal probabilities; see ``log_uniform_candidate_sampler``."""
    return _draw("uniform_candidate_sampler", true_classes, num_true, num_sampled, unique, range_max, seed)
