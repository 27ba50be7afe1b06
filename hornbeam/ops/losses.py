"""Cross-entropies, per sample; the CTC loss is in ``ops.ctc``.

Probabilities are clipped to ``[epsilon, 1 - epsilon]`` exactly as Keras does; logits never are, they go through the
numerically safe forms.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import settings
from hornbeam.core.door import op
from hornbeam.ops.composite import composite
from hornbeam.ops.ctc import ctc_decode, ctc_loss
from hornbeam.ops.promotion import promote, to_dtype

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "ctc_decode",
    "ctc_loss",
    "sparse_categorical_crossentropy",
]


@composite
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Cross-entropy of independent yes/no decisions, elementwise: ``-t log(p) - (1 - t) log(1 - p)``.

    Args:
        target: truth, 0 to 1, of the shape of ``output``.
        output: probabilities, or logits if ``from_logits``.
        from_logits: whether ``output`` still has to go through the sigmoid.
    """
    return _binary_crossentropy(target, output, from_logits=bool(from_logits), epsilon=settings.epsilon())


@op(static=("from_logits", "epsilon"))
def _binary_crossentropy(target: Any, output: Any, from_logits: bool, epsilon: float) -> jax.Array:
    target, output = _common(target, output)
    _need_same_shape(target, output)
    if from_logits:
        # With `where`, unlike with max and abs, the gradient is right at 0 too.
        positive = output >= 0
        top = jnp.where(positive, output, 0)
        return top - output * target + jnp.log1p(jnp.exp(jnp.where(positive, -output, output)))
    output = jnp.clip(output, epsilon, 1.0 - epsilon)
    return -(target * jnp.log(output) + (1.0 - target) * jnp.log(1.0 - output))


@composite
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Cross-entropy between distributions along ``axis``: ``-sum(t log(p))``.

    Args:
        target: true probabilities (one-hot rows, for instance), of the shape of ``output``.
        output: probabilities, which are divided by their sum first, or logits if ``from_logits``.
        from_logits: whether ``output`` still has to go through the softmax.
        axis: axis of the classes; it is summed away.
    """
    return _categorical_crossentropy(
        target, output, from_logits=bool(from_logits), axis=axis, epsilon=settings.epsilon()
    )


@op(static=("from_logits", "axis", "epsilon"))
def _categorical_crossentropy(target: Any, output: Any, from_logits: bool, axis: int, epsilon: float) -> jax.Array:
    target, output = _common(target, output)
    _need_same_shape(target, output)
    if target.ndim < 1:
        raise ValueError(
            "categorical_crossentropy(): `target` and `output` are scalars, without an axis of classes. "
            "Give both the shape (..., classes)."
        )
    if from_logits:
        log_prob = jax.nn.log_softmax(output, axis=axis)
    else:
        output = output / jnp.sum(output, axis=axis, keepdims=True)
        log_prob = jnp.log(jnp.clip(output, epsilon, 1.0 - epsilon))
    return -jnp.sum(target * log_prob, axis=axis)


@composite
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Cross-entropy for classes given by number: ``-log(p[target])``.

    Args:
        target: class numbers, of the shape of ``output`` without its last axis (or with a last axis of 1).
            Numbers outside ``[0, classes)`` count as no class: loss 0, no gradient.
        output: probabilities, which are divided by their sum first, or logits if ``from_logits``.
        from_logits: whether ``output`` still has to go through the softmax.
        axis: axis of the classes.

    Returns:
        Losses in float32 at least.
    """
    return _sparse_categorical_crossentropy(
        target, output, from_logits=bool(from_logits), axis=axis, epsilon=settings.epsilon()
    )


@op(static=("from_logits", "axis", "epsilon"))
def _sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool, axis: int, epsilon: float
) -> jax.Array:
    target, output = to_dtype(target, "int32"), promote(output, at_least=float)[0]
    if target.ndim == output.ndim and target.ndim and target.shape[-1] == 1:
        target = jnp.squeeze(target, axis=-1)
    if output.ndim < 1:
        raise ValueError(
            "sparse_categorical_crossentropy(): `output` is a scalar, without an axis of classes. "
            "Give it the shape (..., classes)."
        )
    if target.shape != output.shape[:-1]:
        raise ValueError(
            "`target` and `output` differ in another axis than that of the classes. Received: "
            f"target.shape={tuple(target.shape)}, output.shape={tuple(output.shape)}"
        )
    classes = output.shape[axis]
    index = jnp.expand_dims(jnp.clip(target, 0, classes - 1), axis)
    if from_logits:
        output = output - jax.lax.stop_gradient(jnp.max(output, axis=axis, keepdims=True))
        total = jnp.sum(jnp.exp(output), axis=axis, keepdims=True)
        log_prob = jnp.take_along_axis(output, index, axis=axis) - jnp.log(total)
    else:
        share = jnp.take_along_axis(output, index, axis=axis) / jnp.sum(output, axis=axis, keepdims=True)
        log_prob = jnp.log(jnp.clip(share, epsilon, 1.0 - epsilon))
    known = (target >= 0) & (target < classes)
    loss = promote(-jnp.squeeze(log_prob, axis=axis), at_least="float32")[0]
    return jnp.where(known, loss, jnp.zeros((), loss.dtype))


def _common(target: Any, output: Any) -> list[jax.Array]:
    return promote(target, output, at_least=float)


def _need_same_shape(target: jax.Array, output: jax.Array) -> None:
    if target.shape != output.shape:
        raise ValueError(
            "Crossentropy compares `target` and `output` element by element, so their shapes are equal. Received: "
            f"target {tuple(target.shape)}, output {tuple(output.shape)}. Check the units of the last layer; targets "
            "that are numbers of classes go with the sparse categorical loss."
        )
