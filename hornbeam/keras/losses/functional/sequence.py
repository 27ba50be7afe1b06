"""Connectionist temporal classification."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base.errors import ShapeError
from hornbeam.core.door import op
from hornbeam.keras.losses.functional.arrays import working_dtype

__all__ = ["ctc"]

_NEVER = -1e5  # log probability of what cannot happen; -inf would make the gradient NaN
_BLANK = 0


@op
def ctc(y_true: Any, y_pred: Any) -> Any:
    """Minus the log probability of the label sequence, summed over all alignments with the frames.

    Args:
        y_true: class numbers, (batch, labels); 0 is the blank and fills the end.
        y_pred: logits, (batch, frames, classes).

    Returns:
        (batch,), float32 at least.

    Raises:
        ShapeError: the ranks are not 2 and 3.

    References: Keras ``losses.ctc``; Graves et al. 2006, section 4.1.
    """
    labels, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    if labels.ndim != 2:
        raise ShapeError(
            "Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in integer format. "
            f"Received: y_true.shape={labels.shape}"
        )
    if y_pred.ndim != 3:
        raise ShapeError(
            "Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. "
            f"Received: y_pred.shape={y_pred.shape}"
        )
    lengths = jnp.sum(labels != _BLANK, axis=-1, dtype=jnp.int32)
    return _negative_log_likelihood(labels.astype(jnp.int32), y_pred.astype(working_dtype(y_pred.dtype)), lengths)


def _negative_log_likelihood(labels: Any, logits: Any, lengths: Any) -> Any:
    """Forward recursion. ``blank[n]``: n labels said and a blank last; ``said[n]``: label n the last thing said."""
    batch, width = labels.shape
    log_p = jax.nn.log_softmax(logits)
    frames = log_p.transpose(1, 0, 2)
    blank_p = frames[..., _BLANK : _BLANK + 1]
    said_p = jnp.take_along_axis(frames, jnp.broadcast_to(labels, (frames.shape[0], batch, width)), axis=2)
    twins = jnp.pad(labels[:, :-1] == labels[:, 1:], ((0, 0), (0, 1)))
    # Equal neighbours need a blank between them, so the short way over is closed to them.
    no_blank = jnp.where(twins, _NEVER, 0.0).astype(log_p.dtype)
    with_blank = jnp.where(twins, 0.0, _NEVER).astype(log_p.dtype)

    def joined(blank: Any, arriving: Any) -> Any:
        return jnp.concatenate([blank[:, :1], jnp.logaddexp(blank[:, 1:], arriving)], axis=1)

    def step(state: tuple, now: tuple) -> tuple:
        blank, said = state
        p_said, p_blank = now
        before = joined(blank, said + no_blank)
        next_said = p_said + jnp.logaddexp(before[:, :-1], said)
        return (joined(before + p_blank, said + p_blank + with_blank), next_said), None

    blank = jnp.full((batch, width + 1), _NEVER, log_p.dtype).at[:, 0].set(0.0)
    said = jnp.full((batch, width), _NEVER, log_p.dtype)
    (blank, said), _ = jax.lax.scan(step, (blank, said), (said_p, blank_p))
    return -jnp.take_along_axis(joined(blank, said), lengths[:, None], axis=1)[:, 0]
