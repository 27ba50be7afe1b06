"""Losses over many classes, of which each step looks at a few: ``nce_loss`` and ``sampled_softmax_loss``."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.core.door import op
from hornbeam.ops.promotion import promote
from hornbeam.random import log_uniform_candidate_sampler
from hornbeam.tensors.face import face, kept, tensor

__all__ = ["nce_loss", "sampled_softmax_loss"]


@op(static=("hits", "softmax"))
def _loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, sampled: Any, of_true: Any, of_sampled: Any, hits: bool,
    softmax: bool,
) -> Any:  # fmt: skip
    weights, biases, inputs = promote(weights, biases, inputs, at_least=float)
    true = jnp.einsum("bd,btd->bt", inputs, weights[labels]) + biases[labels] - jnp.log(of_true)
    others = inputs @ weights[sampled].T + biases[sampled] - jnp.log(of_sampled)
    if hits:
        is_true = jnp.any(labels[:, :, None] == sampled[None, None, :], axis=1)
        others = jnp.where(is_true, jnp.finfo(others.dtype).min, others)
    if softmax:
        total = jax.scipy.special.logsumexp(jnp.concatenate([true, others], axis=1), axis=1)
        return total - jnp.mean(true, axis=1)
    share = 1 / labels.shape[1]
    right = jax.nn.softplus(true) - share * true
    return jnp.sum(right, axis=1) + jnp.sum(jax.nn.softplus(others), axis=1)


def _sampled(
    given: tuple[Any, ...], num_sampled: int, num_classes: int, num_true: int, sampled_values: Any, hits: bool,
    seed: Any, softmax: bool,
) -> Any:  # fmt: skip
    weights, biases, labels, inputs = given
    if isinstance(weights, (list, tuple)):
        weights = ops.concatenate([tensor(part) for part in weights], axis=0)
    labels = kept(ops.reshape(tensor(labels), (-1, num_true)), "int64")
    values = sampled_values
    if values is None:
        values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
    sampled, of_true, of_sampled = (ops.stop_gradient(tensor(value)) for value in values)
    arrays = [tensor(one) for one in (weights, biases)]
    return _loss(*arrays, labels, tensor(inputs), sampled, of_true, of_sampled, bool(hits), softmax)


@face
def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    name: str | None = "nce_loss",
) -> Any:
    """Noise-contrastive estimation: tell the true classes from drawn ones, by logistic regression.

    Args:
        weights: (num_classes, dim), or a list of its parts.
        biases: (num_classes,).
        labels: int (batch, num_true).
        inputs: (batch, dim).
        num_sampled: classes drawn per batch.
        num_classes: number of classes.
        num_true: true classes per sample.
        sampled_values: what a candidate sampler gave; by default ``tf.random.log_uniform_candidate_sampler``.
        remove_accidental_hits: leave out drawn classes that are true.

    Returns:
        Loss of each sample, (batch,).

    References: TensorFlow `tf.nn.nce_loss`; Gutmann and Hyvärinen 2010.
    """
    given = (weights, biases, labels, inputs)
    return _sampled(given, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, None, False)


@face
def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    seed: int | None = None,
    name: str | None = "sampled_softmax_loss",
) -> Any:
    """Softmax cross-entropy over the true classes and a few drawn ones; for training only.

    Args:
        weights: (num_classes, dim), or a list of its parts.
        biases: (num_classes,).
        labels: int (batch, num_true).
        inputs: (batch, dim).
        num_sampled: classes drawn per batch.
        num_classes: number of classes.
        num_true: true classes per sample.
        sampled_values: what a candidate sampler gave; by default ``tf.random.log_uniform_candidate_sampler``.
        remove_accidental_hits: leave out drawn classes that are true.
        seed: int, of the default sampler.

    Returns:
        Loss of each sample, (batch,).

    References: TensorFlow `tf.nn.sampled_softmax_loss`; Jean et al. 2014.
    """
    given = (weights, biases, labels, inputs)
    return _sampled(given, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, seed, True)
