"""Hinge losses."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.losses.functional import hinge as functions
from hornbeam.keras.losses.wrapper import LossFunctionWrapper

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge"]


class Hinge(LossFunctionWrapper):
    """Mean of ``max(1 - y_true * y_pred, 0)``, for labels -1 and 1 (or 0 and 1).

    References: Keras ``losses.Hinge``.
    """

    plain_config = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None
    ) -> None:
        super().__init__(functions.hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """Mean of ``max(1 - y_true * y_pred, 0)**2``, for labels -1 and 1 (or 0 and 1).

    References: Keras ``losses.SquaredHinge``.
    """

    plain_config = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(functions.squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """``max(1 + best wrong score - right score, 0)``, for one-hot labels.

    References: Keras ``losses.CategoricalHinge``.
    """

    plain_config = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(functions.categorical_hinge, reduction, name, dtype)
