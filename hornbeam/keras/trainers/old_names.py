"""``compiled_loss`` and ``compiled_metrics``: how custom training steps of older code reach the compiled parts."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import settings, trees
from hornbeam.keras.trainers.compiled_loss import batch_size_of
from hornbeam.keras.trainers.state import TrainerState


class LossFace:
    """The compiled loss of a model as a function that also keeps count of the mean loss.

    Args:
        training: what the model remembers about ``compile``.
    """

    def __init__(self, training: TrainerState) -> None:
        self._training = training

    @property
    def metrics(self) -> list[Any]:
        """The running mean of the loss, and those of the outputs' losses."""
        training = self._training
        own = training.compiled_loss.metrics if training.compiled_loss is not None else []
        return [training.loss_tracker, *own]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None) -> Any:
        """Total loss of a batch, regularization losses included."""
        training = self._training
        total = None
        if training.compiled_loss is not None:
            total = training.compiled_loss(y_true, y_pred, sample_weight)
        for extra in regularization_losses or ():
            value = ops.sum(ops.cast(extra, settings.floatx()))
            total = value if total is None else total + value
        if total is None:
            total = ops.zeros(())
        if training.loss_tracker is not None:
            training.loss_tracker.update_state(total, sample_weight=batch_size_of(trees.flatten(y_pred)[0]))
        return total

    def reset_state(self) -> None:
        """Start the running means anew."""
        for metric in self.metrics:
            if metric is not None:
                metric.reset_state()
