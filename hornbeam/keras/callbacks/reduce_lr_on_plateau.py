"""``ReduceLROnPlateau``: lowers the learning rate when a metric no longer improves."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import check
from hornbeam.base.notices import warn
from hornbeam.keras.callbacks.learning_rate_scheduler import log_rates, rate_of
from hornbeam.keras.callbacks.monitor_callback import MonitorCallback
from hornbeam.keras.utils.terminal import print_message


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by ``factor`` when a metric has not improved for ``patience`` epochs.

    Args:
        monitor: name of the metric.
        factor: number below 1 by which the learning rate is multiplied.
        patience: epochs without improvement after which the rate is lowered.
        verbose: 1 to print what is done.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        min_delta: smallest change that counts as an improvement (also as ``epsilon``).
        cooldown: epochs to wait after the rate was lowered.
        min_lr: smallest learning rate.

    Raises:
        ValueError: ``factor`` is 1 or more, or there is no metric of the monitored name.

    References: Keras ``callbacks.ReduceLROnPlateau``.
    """

    state_names = ("best", "_was_seen", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        min_delta = kwargs.pop("epsilon", min_delta)
        check.no_unknown(kwargs, owner="ReduceLROnPlateau", known=_KNOWN)
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: `factor` must be below 1. Received: factor={factor}")
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = {} if logs is None else logs
        log_rates(self.model.optimizer, logs)
        current = self._monitored(logs)
        if self.monitor_op is None:
            # Not before now: the metrics are made in the first epoch.
            self._set_monitor_op()
        if current is None:
            warn(
                f"ReduceLROnPlateau finds no metric `{self.monitor}` in the logs of this epoch and lets it pass. "
                f"There are: {', '.join(logs)}."
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce_all(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        """True while waiting after the rate was lowered."""
        return self.cooldown_counter > 0

    def _reduce_all(self, epoch: int) -> bool:
        optimizer = self.model.optimizer
        if hasattr(optimizer, "optimizers"):
            return any([self._reduce(inner, epoch, f" {inner.name}") for inner in optimizer.optimizers])
        return self._reduce(optimizer, epoch, "")

    def _reduce(self, optimizer: Any, epoch: int, name: str) -> bool:
        old = rate_of(optimizer)
        # The rate is a float32 number, so its bound is compared as one.
        if old <= np.float32(self.min_lr):
            return False
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing{name} learning rate to {new}.")
        return True


_KNOWN = ("monitor", "factor", "patience", "verbose", "mode", "min_delta", "cooldown", "min_lr", "epsilon")
