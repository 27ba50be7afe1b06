"""Losses of logits, per sample, and their averages for training."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.core.door import op
from hornbeam.core.scopes import scopes
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.promotion import as_float, promote
from hornbeam.tensors.face import concrete, face, tensor, tensors

__all__ = [
    "compute_average_loss",
    "l2_loss",
    "log_poisson_loss",
    "scale_regularization_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]


def _both(labels: Any, logits: Any, name: str) -> list[Any]:
    if labels is None or logits is None:
        raise ValueError(f"{name}: both `labels` and `logits` must be given.")
    logits = tensor(logits)
    return [tensor(labels, logits.dtype), logits]


@face
def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Any:
    """Cross-entropy of independent yes/no decisions, elementwise."""
    labels, logits = _both(labels, logits, "tf.nn.sigmoid_cross_entropy_with_logits")
    return ops.binary_crossentropy(labels, logits, from_logits=True)


@op
def _weighted(labels: Any, logits: Any, pos_weight: Any) -> Any:
    labels, logits, pos_weight = promote(labels, logits, pos_weight, at_least=float)
    weight = 1 + (pos_weight - 1) * labels
    return (1 - labels) * logits + weight * (jnp.log1p(jnp.exp(-jnp.abs(logits))) + jax.nn.relu(-logits))


@face
def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any, name: str | None = None) -> Any:
    """``sigmoid_cross_entropy_with_logits`` in which true labels count ``pos_weight`` times."""
    labels, logits = _both(labels, logits, "tf.nn.weighted_cross_entropy_with_logits")
    return _weighted(labels, logits, tensor(pos_weight, logits.dtype))


@op(static=("axis",))
def _softmax_loss(labels: Any, logits: Any, axis: int) -> Any:
    labels, logits = promote(labels, logits, at_least=float)
    labels, logits = jnp.broadcast_arrays(labels, logits)
    return _distribution_loss(jnp.moveaxis(labels, axis, -1), jnp.moveaxis(logits, axis, -1))


@jax.custom_jvp
def _distribution_loss(labels: Any, logits: Any) -> Any:
    # Labels of 0 must not meet a logarithm of -inf.
    surprise = -jax.nn.log_softmax(logits, axis=-1)
    return jnp.sum(jnp.where(labels == 0, jnp.zeros_like(surprise), labels * surprise), axis=-1)


@_distribution_loss.defjvp
def _distribution_loss_slope(primals: tuple, tangents: tuple) -> tuple[Any, Any]:
    # TensorFlow's rule takes for granted that labels sum to 1; for other labels its numbers are the contract, too.
    (labels, logits), (by_labels, by_logits) = primals, tangents
    log_prob = jax.nn.log_softmax(logits, axis=-1)
    slope = (jnp.exp(log_prob) - labels) * by_logits - log_prob * by_labels
    return _distribution_loss(labels, logits), jnp.sum(slope, axis=-1)


@face
def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Any:
    """Cross-entropy between distributions along an axis: ``sum(labels * -log(softmax(logits)))``.

    The gradient reaches logits and labels.
    """
    return _softmax_loss(*_both(labels, logits, "tf.nn.softmax_cross_entropy_with_logits"), axis=axis)


@face
def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Any:
    """Cross-entropy for classes given by number: ``-log(softmax(logits)[label])``.

    Raises:
        tf.errors.InvalidArgumentError: a class is out of range, where that can be seen without waiting. Elsewhere
            such a sample has loss nan, as on an accelerator in TensorFlow.
    """
    labels, logits = tensor(labels), tensor(logits)
    classes = logits.shape[-1]
    if tuple(labels.shape) != tuple(logits.shape)[:-1]:
        raise InvalidArgumentError(
            None,
            None,
            "Sparse labels have the shape of the logits without the last axis, that of the classes. "
            f"Received: labels {tuple(labels.shape)}, logits {tuple(logits.shape)}",
        )
    values = concrete(labels)
    if values is not None and values.size and not (values.min() >= 0 and values.max() < classes):
        raise InvalidArgumentError(
            None, None, f"Received a label value which is outside the valid range of [0, {classes})."
        )
    return _sparse_softmax_loss(labels, logits)


@op
def _sparse_softmax_loss(labels: Any, logits: Any) -> Any:
    labels, logits = promote(labels)[0], as_float(logits)
    log_prob = jax.nn.log_softmax(logits, axis=-1)
    index = jnp.where(labels < 0, logits.shape[-1], labels)[..., None]
    return -jnp.take_along_axis(log_prob, index, axis=-1, mode="fill", fill_value=jnp.nan)[..., 0]


@op(static=("full",))
def _log_poisson(targets: Any, log_input: Any, full: bool) -> Any:
    targets, log_input = promote(targets, log_input, at_least=float)
    loss = jnp.exp(log_input) - log_input * targets
    if not full:
        return loss
    # Stirling's formula, which only counts above 1.
    safe = jnp.where(targets > 1, targets, 1)
    stirling = safe * jnp.log(safe) - safe + 0.5 * jnp.log(2 * jnp.pi * safe)
    return loss + jnp.where(targets > 1, stirling, 0)


@face
def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Any:
    """``exp(c) - z * c``, elementwise; the full loss adds Stirling's approximation of ``log(z!)``."""
    return _log_poisson(*_both(targets, log_input, "tf.nn.log_poisson_loss"), full=bool(compute_full_loss))


@face
def l2_loss(t: Any, name: str | None = None) -> Any:
    """Half the sum of squares."""
    return ops.multiply(ops.sum(ops.square(tensor(t))), 0.5)


# --- averages ------------------------------------------------------------------------------------
@face
def compute_average_loss(per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None) -> Any:
    """Sum of the losses of a batch, divided by the size of the whole batch.

    Args:
        per_example_loss: losses; those of other axes than the first are summed as well.
        sample_weight: weight of each sample.
        global_batch_size: number of samples over all replicas; by default the size of axis 0, times the number of
            replicas of the strategy in force.

    Raises:
        ValueError: the losses are a scalar.
    """
    losses = tensor(per_example_loss)
    if not len(losses.shape):
        raise ValueError("tf.nn.compute_average_loss: `per_example_loss` must have at least one axis.")
    losses = losses if losses.dtype.is_floating else ops.cast(losses, "float32")
    if sample_weight is not None:
        (weight,) = tensors(sample_weight)
        weight = ops.cast(weight, losses.dtype)
        while len(weight.shape) < len(losses.shape):
            weight = ops.expand_dims(weight, -1)
        losses = ops.multiply(losses, weight)
    count = losses.shape[0] * scopes.replica_count if global_batch_size is None else global_batch_size
    return ops.divide(ops.sum(losses), ops.cast(tensor(count), losses.dtype))


@face
def scale_regularization_loss(regularization_loss: Any) -> Any:
    """Sum of regularization losses, divided by the number of replicas of the strategy in force, which all add them."""
    return ops.divide(ops.sum(tensor(regularization_loss)), scopes.replica_count)
