"""Losses between distributions and counts."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.losses.functional import divergence as functions
from hornbeam.keras.losses.wrapper import LossFunctionWrapper

__all__ = ["KLDivergence", "Poisson"]


class KLDivergence(LossFunctionWrapper):
    """Sum of ``y_true * log(y_true / y_pred)`` over the classes.

    References: Keras ``losses.KLDivergence``.
    """

    plain_config = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(functions.kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """Mean of ``y_pred - y_true * log(y_pred)``, for counts.

    References: Keras ``losses.Poisson``.
    """

    plain_config = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None
    ) -> None:
        super().__init__(functions.poisson, reduction, name, dtype)
