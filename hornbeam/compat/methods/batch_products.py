"""``K.batch_dot`` as Keras had it before 2.3 and TensorFlow 1 has it: of more than three axes a product of matrices."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.compat.configs.defaults import is_first_tensorflow
from hornbeam.keras.backend import arithmetic

__all__ = ["batch_dot"]


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Sum of products over one axis of each tensor, sample by sample.

    Programs of TensorFlow 1 (``HORNBEAM_GENERATION=tf1``) get, for two tensors of as many axes, four or more,
    products of
    matrices over the last two: all axes before them are batch axes. All others get today's result, in which
    only the first
    axis is one.

    Args:
        x: (batch, ...).
        y: (batch, ...).
        axes: axis of each tensor; by default the last one of ``x`` and the last but one of ``y``.

    Raises:
        ValueError: the old rule sums over the last two axes only, and another one is named.

    References: Keras 2.2 ``backend.batch_dot``.
    """
    rank = len(x.shape)
    if not is_first_tensorflow() or rank < 4 or len(y.shape) != rank:
        return arithmetic.batch_dot(x, y, axes)
    left, right = (rank - 1, rank - 2) if axes is None else (axes, axes) if isinstance(axes, int) else axes
    left, right = left % rank, right % rank
    if min(left, right) < rank - 2:
        raise ValueError(
            f"K.batch_dot: before Keras 2.3 it sums over one of the last two axes. Received: axes={axes} of "
            "tensors with "
            f"{rank} axes. Use `tf.einsum`, or unset HORNBEAM_GENERATION for today's rule."
        )
    first = x if left == rank - 1 else ops.swapaxes(x, -1, -2)
    second = y if right == rank - 2 else ops.swapaxes(y, -1, -2)
    return ops.matmul(first, second)
