"""``EarlyStopping``: ends training when a metric no longer improves."""

from __future__ import annotations

from typing import Any

from hornbeam.base.notices import warn
from hornbeam.keras.callbacks.monitor_callback import MonitorCallback
from hornbeam.keras.utils.terminal import print_message


class EarlyStopping(MonitorCallback):
    """Ends training when a metric has not improved for ``patience`` epochs.

    Args:
        monitor: name of the metric.
        min_delta: smallest change that counts as an improvement.
        patience: epochs without improvement after which training ends.
        verbose: 1 to print what is done.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        baseline: value to beat; training ends if it is not beaten for ``patience`` epochs.
        restore_best_weights: put the weights of the best epoch back at the end (best among the epochs run, whether
            the baseline was beaten or not).
        start_from_epoch: epochs to let pass before watching.

    Raises:
        ValueError: at the end of the first epoch, if there is no metric of that name.

    References: Keras ``callbacks.EarlyStopping``.
    """

    state_names = ("best", "_was_seen", "wait", "stopped_epoch", "best_weights", "best_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.wait = 0
        self.stopped_epoch = 0
        self.restore_best_weights = restore_best_weights
        self.best_weights: Any = None
        self.best_epoch = 0
        self.start_from_epoch = start_from_epoch

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights = None
        self.best_epoch = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        current = self.get_monitor_value(logs)
        if self.monitor_op is None:
            # Not before now: the metrics are made in the first epoch.
            self._set_monitor_op()
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # No epoch may beat the baseline; then the first one watched is the best so far.
            self._keep_weights(epoch)
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self._keep_weights(epoch)
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep_weights(self, epoch: int) -> None:
        self.best_weights = self.model.get_weights()
        self.best_epoch = epoch

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print_message(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Any) -> Any:
        """Value of the metric in the logs; None, with a warning, if it is not there."""
        value = self._monitored(logs)
        if value is None:
            warn(
                f"EarlyStopping finds no metric `{self.monitor}` in the logs of this epoch and lets it pass. "
                f"There are: {', '.join(logs or {})}."
            )
        return value
