"""Several arrays to one: the formulas of the merging layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.ops.promotion import promote

__all__ = ["batch_dot", "fold", "masked_extreme", "masked_product"]

_FOLDS: dict[str, Callable] = {
    "add": jnp.add,
    "subtract": jnp.subtract,
    "maximum": jnp.maximum,
    "minimum": jnp.minimum,
}


def same_rank(arrays: list[Any]) -> list[jax.Array]:
    """Arrays with axes of size 1 put in behind the batch axis, until all have the same number of axes."""
    rank = max(jnp.ndim(array) for array in arrays)
    return [jnp.expand_dims(array, tuple(range(1, rank - jnp.ndim(array) + 1))) for array in arrays]


@op(static=("how",), lists=("arrays",))
def fold(arrays: Any, how: str) -> jax.Array:
    """One array after the other, elementwise.

    Args:
        arrays: list of arrays of the same rank, or with axes missing behind the batch axis.
        how: "add", "subtract" or "average".
    """
    first, *others = same_rank(arrays)
    total = promote(first)[0]
    combine = _FOLDS["add" if how == "average" else how]
    for other in others:
        total = combine(*promote(total, other))
    if how == "average":
        total = jnp.true_divide(*promote(total, len(arrays), at_least=float))
    return total


def _spread(mask: Any, array: jax.Array) -> jax.Array | None:
    return None if mask is None else jnp.broadcast_to(mask.astype(bool)[..., None], array.shape)


@op(static=("how",), lists=("arrays", "masks"))
def masked_extreme(arrays: Any, masks: Any, how: str) -> Any:
    """Elementwise maximum or minimum; a masked element never wins over one that counts.

    Args:
        arrays: list of arrays.
        masks: list of boolean masks without the last axis, or None.
        how: "maximum" or "minimum".

    Returns:
        (result, mask of the result without the last axis, or None).
    """
    pairs = [(array, _spread(mask, array)) for array, mask in zip(same_rank(arrays), masks, strict=True)]
    total, counts = pairs[0]
    total = promote(total)[0]
    for array, mask in pairs[1:]:
        total, array = promote(total, array)
        if mask is not None:
            array = jnp.where(mask, array, total)
        if counts is not None:
            total = jnp.where(counts, total, array)
        counts = counts | mask if counts is not None and mask is not None else None
        total = _FOLDS[how](total, array)
    return total, None if counts is None else jnp.any(counts, axis=-1)


@op(lists=("arrays", "masks"))
def masked_product(arrays: Any, masks: Any) -> Any:
    """Elementwise product in which masked elements count as 1.

    Args:
        arrays: list of arrays.
        masks: list of boolean masks without the last axis, or None.

    Returns:
        (result, mask of the result without the last axis, or None); where nothing counts, the result is 0.
    """
    total: Any = None
    counts: Any = None
    all_masked = all(mask is not None for mask in masks)
    for array, mask in zip(same_rank(arrays), masks, strict=True):
        array = promote(array)[0]
        if mask is not None:
            spread: Any = _spread(mask, array)
            array = jnp.where(spread, array, jnp.ones((), array.dtype))
            counts = spread if counts is None else counts | spread
        total = array if total is None else jnp.multiply(*promote(total, array))
    if not all_masked:
        return total, None
    return jnp.where(counts, total, jnp.zeros((), total.dtype)), jnp.any(counts, axis=-1)


@op(static=("axes",))
def batch_dot(x: Any, y: Any, axes: tuple[int, int]) -> jax.Array:
    """Sum of products over one axis of each array, sample by sample.

    Args:
        x: (batch, ...).
        y: (batch, ...).
        axes: the axis of ``x`` and the axis of ``y`` that are summed over, neither of them 0.

    Returns:
        (batch, other axes of x, other axes of y); (batch, 1) if there are no others.
    """
    x, y = promote(x, y)
    out = jax.lax.dot_general(x, y, (((axes[0],), (axes[1],)), ((0,), (0,))))
    return out[:, None] if out.ndim == 1 else out
