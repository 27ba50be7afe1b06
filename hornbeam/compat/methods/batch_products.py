"""``K.batch_dot`` as Keras had it before 2.3: of more than three axes a product of matrices."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.compat.configs.defaults import is_first_tensorflow
from hornbeam.keras.backend import arithmetic

__all__ = ["batch_dot"]


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Sum of products over one axis of each tensor, sample by sample.

    Programs of TensorFlow 1 (``HORNBEAM_GENERATION=tf1``) get products of matrices over the last two axes where a
    tensor has four axes or more: all axes before them are batch axes, and the tensor with fewer axes is taken with
    axes of size 1 at its end. All others get today's result, in which only the first axis is one.

    Args:
        x: (batch, ...).
        y: (batch, ...).
        axes: axis of each tensor; by default the last one of ``x`` and the last but one of ``y``.

    Raises:
        ValueError: the axes do not fit, or the old rule sums over the last two axes only, and another one is named.

    References: Keras 2.2 ``backend.batch_dot``.
    """
    first, second = len(x.shape), len(y.shape)
    if max(first, second) < 4:
        return arithmetic.batch_dot(x, y, axes)
    if not is_first_tensorflow():
        try:
            return arithmetic.batch_dot(x, y, axes)
        except ValueError as error:
            error.add_note("A program for Keras before 2.3 means another product: set HORNBEAM_GENERATION=tf1 for it.")
            raise
    left, right = (first - 1, second - 2) if axes is None else (axes, axes) if isinstance(axes, int) else axes
    left, right = left % first, right % second
    rank = max(first, second)
    if min(left, right) < rank - 2:
        raise ValueError(
            f"K.batch_dot: before Keras 2.3 it sums over one of the last two axes. Received: axes={axes} of tensors "
            f"with {first} and {second} axes. Use `tf.einsum`, or unset HORNBEAM_GENERATION for today's rule."
        )
    x, y = (_filled(one, rank) for one in (x, y))
    x = x if left == rank - 1 else ops.swapaxes(x, -1, -2)
    y = y if right == rank - 2 else ops.swapaxes(y, -1, -2)
    product = ops.matmul(x, y)
    # The added axes leave axes of size 1 behind: as rows if x had fewer, as columns if y had.
    place = first - 1 if second > first else first + second - 3
    return ops.squeeze(product, axis=tuple(range(place, place + abs(first - second)))) if first != second else product


def _filled(x: Any, rank: int) -> Any:
    """The tensor with axes of size 1 at its end."""
    for _ in range(rank - len(x.shape)):
        x = ops.expand_dims(x, -1)
    return x
