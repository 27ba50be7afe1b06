"""Losses for segmentation, embeddings and sequences."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.losses.functional import overlap, sequence, similarity
from hornbeam.keras.losses.wrapper import LossFunctionWrapper

__all__ = ["CTC", "Circle", "Dice", "Tversky"]


class CTC(LossFunctionWrapper):
    """Connectionist temporal classification: labels (batch, length), 0 the blank, and logits (batch, frames, classes).

    References: Keras ``losses.CTC``; Graves et al. 2006.
    """

    plain_config = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None
    ) -> None:
        super().__init__(sequence.ctc, reduction, name, dtype)


class Dice(LossFunctionWrapper):
    """One minus twice the overlap over the sum of both areas.

    Args:
        axis: axis or axes of the sums; default all.

    References: Keras ``losses.Dice``.
    """

    plain_config = True
    config_names = ("axis",)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(overlap.dice, reduction, name, dtype, axis=axis)
        self.axis = axis


class Tversky(LossFunctionWrapper):
    """Dice with separate weights for what is missed and what is invented.

    Args:
        alpha: weight of what is missed.
        beta: weight of what is invented.
        axis: axis or axes of the sums; default all.

    References: Keras ``losses.Tversky``; Salehi et al. 2017.
    """

    plain_config = True
    config_names = ("alpha", "beta", "axis")

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(overlap.tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis


class Circle(LossFunctionWrapper):
    """Circle loss on a batch of embeddings of length 1, labels class numbers.

    Args:
        gamma: scale.
        margin: relaxation, the radius of the decision boundary.
        remove_diagonal: do not compare an embedding with itself.

    References: Keras ``losses.Circle``; Sun et al. 2020.
    """

    plain_config = True
    config_names = ("gamma", "margin", "remove_diagonal")

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            similarity.circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal
        )
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal
