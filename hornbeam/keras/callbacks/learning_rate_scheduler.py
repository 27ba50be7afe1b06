"""``LearningRateScheduler``: sets the learning rate of each epoch by a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.logs import as_python
from hornbeam.keras.utils.terminal import print_message


def rate_of(optimizer: Any) -> float:
    """Learning rate of an optimizer as a float."""
    return float(np.asarray(optimizer.learning_rate))


def log_rates(optimizer: Any, logs: Any) -> None:
    """Put the learning rate, or those of all inner optimizers, into the logs."""
    if hasattr(optimizer, "optimizers"):
        for inner in optimizer.optimizers:
            logs[f"learning_rate_{inner.name}"] = rate_of(inner)
    else:
        logs["learning_rate"] = rate_of(optimizer)


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: function ``(epoch, learning_rate)``, or ``(epoch)``, that gives the new learning rate as a float.
            Epochs are counted from 0.
        verbose: 1 to print what is done.

    Example:
        >>> LearningRateScheduler(lambda epoch, rate: rate if epoch < 10 else rate * 0.9)

    References: Keras ``callbacks.LearningRateScheduler``.
    """

    state_names = ()

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "optimizers"):
            self._set(optimizer, epoch, "")
            return
        for inner in optimizer.optimizers:
            self._set(inner, epoch, f"{inner.name} ")

    def _set(self, optimizer: Any, epoch: int, name: str) -> None:
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError(f"LearningRateScheduler: {type(optimizer).__name__} has no `learning_rate` to be set.")
        rate = self._scheduled(epoch, rate_of(optimizer))
        optimizer.learning_rate = rate
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: LearningRateScheduler setting {name}learning rate to {rate}.")

    def _scheduled(self, epoch: int, rate: float) -> Any:
        found = self.schedule(epoch, rate) if _takes_two(self.schedule) else self.schedule(epoch)
        kind = getattr(found, "dtype", type(found))
        is_float = isinstance(found, (float, np.floating)) or (np.ndim(found) == 0 and "float" in str(kind))
        if not is_float:
            raise ValueError(f"LearningRateScheduler: `schedule` must return a float. Received: {found!r}")
        return found if isinstance(found, (float, np.floating)) else as_python(found)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            log_rates(self.model.optimizer, logs)


def _takes_two(function: Callable[..., Any]) -> bool:
    """True if a schedule takes the rate too; told by its signature, as a TypeError may come from inside it."""
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a built-in function without a signature
        return True
    return True
