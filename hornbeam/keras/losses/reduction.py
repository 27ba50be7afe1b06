"""From loss values to one number: masks, sample weights, and the kinds of reduction."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.base.check import closest
from hornbeam.keras.losses.functional.arrays import divide_no_nan, squeeze_or_expand_to_same_rank, working_dtype

__all__ = ["Reduction", "apply_mask", "joined_masks", "reduce_weighted_values", "standardize_reduction"]

_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")
_ALLOWED = (*_MEANS, "sum", "none", None)


class Reduction:
    """Names of the reductions, for code that spells them as constants.

    References: Keras ``losses.Reduction``.
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All names."""
        return (cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: Any) -> None:
        """Raise ValueError unless ``key`` is one of the names."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction key: {key}. Expected one of {cls.all()}.")


def standardize_reduction(reduction: Any) -> str | None:
    """A known reduction; ``"auto"`` is the default one.

    Raises:
        ValueError: nothing of that name is known.
    """
    if reduction == Reduction.AUTO:
        return Reduction.SUM_OVER_BATCH_SIZE
    if not isinstance(reduction, str | None) or reduction not in _ALLOWED:
        raise ValueError(
            f"`reduction` is one of {_ALLOWED}{closest(reduction, [name for name in _ALLOWED if name])}. "
            f"Received: reduction={reduction!r}"
        )
    return reduction


def joined_masks(first: Any, second: Any) -> Any:
    """Mask of what both let pass; None lets everything pass."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


def apply_mask(sample_weight: Any, mask: Any, dtype: Any, reduction: str | None) -> Any:
    """Sample weights (or None) with a mask (or None) worked in.

    For a mean over all elements, the elements that count are weighted up, so that dividing by the number of all
    elements gives the mean of those that count.
    """
    if mask is None:
        return sample_weight
    mask = mask.astype(dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        mask = jnp.where(mask != 0, divide_no_nan(jnp.asarray(mask.size, dtype), jnp.sum(mask)), 0).astype(dtype)
    if sample_weight is None:
        return mask
    mask, sample_weight = squeeze_or_expand_to_same_rank(mask, sample_weight.astype(dtype))
    return sample_weight * mask


def reduce_weighted_values(values: Any, sample_weight: Any, mask: Any, reduction: str | None, dtype: Any) -> Any:
    """Weighted and reduced loss values, on arrays; 16-bit values are added up in 32 bits.

    Args:
        values: loss values, any shape.
        sample_weight: weights that broadcast against the values, or None.
        mask: True where values count, or None.
        reduction: one of the names, or None for no reduction.
        dtype: NumPy dtype of the result.
    """
    work = working_dtype(dtype)
    values = jnp.asarray(values).astype(work)
    weight = None if sample_weight is None else jnp.asarray(sample_weight).astype(work)
    weight = apply_mask(weight, mask, work, reduction)
    if weight is not None:
        values, weight = squeeze_or_expand_to_same_rank(values, weight)
        values = values * weight
    if reduction in (None, "none") or values.shape in ((), (0,)):
        return values.astype(dtype)
    total = jnp.sum(values)
    if reduction in _MEANS:
        count = jnp.asarray(values.size, work)
        if reduction == "mean_with_sample_weight" and weight is not None:
            count = jnp.sum(weight)
        total = divide_no_nan(total, count)
    return total.astype(dtype)
