"""``SwapEMAWeights``: evaluates the model with the averages of its weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbeam.core.variable import commit_all, commit_lock, read_all
from hornbeam.keras.callbacks.callback import Callback


class SwapEMAWeights(Callback):
    """Puts the optimizer's averages of the weights (``use_ema=True``) into the model for evaluation, and back after it.

    Args:
        swap_on_epoch: swap at the end of each epoch and back at the start of the next one, so that callbacks after
            this one (``ModelCheckpoint``) see the averages.

    Raises:
        ValueError: the optimizer keeps no averages.

    References: Keras ``callbacks.SwapEMAWeights``.
    """

    state_names = ("_ema_weights_in_model",)

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._ema_weights_in_model = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._put_back()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch and not self._ema_weights_in_model:
            self._put_in()
            if epoch == self.params["epochs"] - 1:
                # At the end of training the averages are assigned to the weights; they must be the averages again.
                for optimizer in self._optimizers():
                    for variable, average in _pairs(optimizer):
                        average.assign(variable)

    def on_test_begin(self, logs: Any = None) -> None:
        self._put_in()

    def on_test_end(self, logs: Any = None) -> None:
        self._put_back()

    def on_predict_begin(self, logs: Any = None) -> None:
        self._put_in()

    def on_predict_end(self, logs: Any = None) -> None:
        self._put_back()

    def _put_in(self) -> None:
        if not self._ema_weights_in_model:
            self._swap()
            self._ema_weights_in_model = True

    def _put_back(self) -> None:
        if self._ema_weights_in_model:
            self._swap()
            self._ema_weights_in_model = False

    def _swap(self) -> None:
        """Exchange the arrays of weights and averages: no copies, and all or none."""
        pairs = [pair for optimizer in self._optimizers() for pair in _pairs(optimizer)]
        variables = [variable for variable, _ in pairs]
        averages = [average for _, average in pairs]
        with commit_lock:
            commit_all([*variables, *averages], read_all([*averages, *variables]))
            for variable, average in pairs:
                # An array that somebody outside holds must not be donated, whichever variable it is in now.
                variable._lent = average._lent = variable._lent or average._lent

    def _optimizers(self) -> Iterator[Any]:
        outer = self.model.optimizer
        optimizer = getattr(outer, "inner_optimizer", outer)
        if not hasattr(optimizer, "optimizers"):
            yield _with_averages(optimizer)
            return
        inner = [one for one in optimizer.optimizers if getattr(one, "use_ema", False)]
        if not inner:
            raise ValueError("SwapEMAWeights finds no averages: none of the inner optimizers has `use_ema=True`.")
        yield from map(_with_averages, inner)


def _with_averages(optimizer: Any) -> Any:
    if not getattr(optimizer, "use_ema", False):
        raise ValueError(
            "SwapEMAWeights needs averages of the weights, which the optimizer keeps with `use_ema=True` only. "
            f"Received: use_ema={getattr(optimizer, 'use_ema', None)}."
        )
    return optimizer


def _pairs(optimizer: Any) -> Iterator[tuple[Any, Any]]:
    """Variables with their averages; those that the gradient overwrites have none."""
    for variable, average in zip(optimizer._trainable_variables, optimizer._averages, strict=True):
        if average is not None:
            yield variable, average
