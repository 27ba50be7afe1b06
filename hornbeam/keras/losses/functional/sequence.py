"""Connectionist temporal classification."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.base.errors import ShapeError
from hornbeam.keras.losses.functional.arrays import function_op
from hornbeam.ops.ctc import ctc_loss

__all__ = ["ctc"]

_BLANK = 0


@function_op
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
            f"CTC: `y_true` has shape (batch, length) and holds class numbers. Received: y_true.shape={labels.shape}"
        )
    if y_pred.ndim != 3:
        raise ShapeError(
            f"CTC: `y_pred` has shape (batch, steps, classes) and holds logits. Received: y_pred.shape={y_pred.shape}"
        )
    lengths = jnp.sum(labels != _BLANK, axis=-1, dtype=jnp.int32)
    frames = jnp.full(y_pred.shape[:1], y_pred.shape[1], jnp.int32)
    return ctc_loss.op.function(labels, y_pred, lengths, frames, mask_index=_BLANK)
