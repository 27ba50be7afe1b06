"""``ModelCheckpoint``: saves the model, or its weights, during training."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from hornbeam.base.errors import NotSupportedError
from hornbeam.base.notices import warn
from hornbeam.keras.callbacks.monitor_callback import MonitorCallback, same_metric
from hornbeam.keras.utils.terminal import print_message


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, at the end of epochs or after a number of batches.

    Args:
        filepath: where to save. May hold ``{epoch}`` (counted from 1), ``{batch}`` and names of metrics with a format:
            ``"{epoch:02d}-{val_loss:.2f}.keras"``. The ending chooses the format, as in ``model.save`` and
            ``model.save_weights``: a checkpoint of three files, or a SavedModel folder, if there is none they know.
        monitor: name of the metric, for ``save_best_only``.
        verbose: 1 to print what is done.
        save_best_only: save only if the metric is better than ever before.
        save_weights_only: save the weights alone (with the optimizer's state if the model is compiled).
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        save_freq: ``"epoch"``, or a number of batches.
        initial_value_threshold: value of the metric to beat at the start.
        period: with ``save_freq="epoch"``, epochs between two saves.
        options: must be None: options of TensorFlow's own writers have no meaning here.

    Raises:
        ValueError: there is no metric of the monitored name.

    References: Keras ``callbacks.ModelCheckpoint``.
    """

    state_names = (
        "best",
        "_was_seen",
        "_batches_seen_since_last_saving",
        "_last_batch_seen",
        "_current_epoch",
        "_epochs_since_last_saving",
    )

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        period: int = 1,
        options: Any = None,
    ) -> None:
        if options is not None:
            raise NotSupportedError(
                "ModelCheckpoint: `options` are for TensorFlow's own writers; leave them out. "
                f"Received: options={options!r}"
            )
        super().__init__(monitor, mode, initial_value_threshold)
        self.verbose = verbose
        self.filepath = os.fspath(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.period = period
        self._batches_seen_since_last_saving = 0
        self._last_batch_seen: int | None = None
        self._current_epoch = 0
        self._epochs_since_last_saving = 0
        if save_freq != "epoch" and (not isinstance(save_freq, int) or isinstance(save_freq, bool)):
            raise ValueError(
                f"ModelCheckpoint: `save_freq` is 'epoch' or a number of batches. Received: save_freq={save_freq!r}"
            )
        if save_freq == "epoch" and type(self).on_train_batch_end is ModelCheckpoint.on_train_batch_end:
            self.batch_interval = 0

    @property
    def watches_logs(self) -> bool:
        """Whether the metric matters: it does not if every epoch is saved, or in the midst of epochs."""
        return super().watches_logs and self.save_best_only and self.save_freq == "epoch"

    # --- when ------------------------------------------------------------------------------------
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._current_epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._should_save_on_batch(batch):
            self._save_model(self._current_epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._epochs_since_last_saving += 1
        if self.save_freq == "epoch" and self._epochs_since_last_saving >= self.period:
            self._epochs_since_last_saving = 0
            self._save_model(epoch, None, logs)

    def _should_save_on_batch(self, batch: int) -> bool:
        if self.save_freq == "epoch":
            return False
        is_new_epoch = self._last_batch_seen is None or batch <= self._last_batch_seen
        self._batches_seen_since_last_saving += batch + 1 if is_new_epoch else batch - self._last_batch_seen  # type: ignore[operator]
        self._last_batch_seen = batch
        if self._batches_seen_since_last_saving < self.save_freq:  # type: ignore[operator]
            return False
        self._batches_seen_since_last_saving = 0
        return True

    # --- whether ---------------------------------------------------------------------------------
    def _should_save_model(self, epoch: int, batch: int | None, logs: Any, filepath: str) -> bool:
        if not self.save_best_only:
            self._tell(epoch, f"saving model to {filepath}")
            return True
        # The logs of a batch lack what other callbacks add at the end of the epoch, so nothing can be said of names.
        current = self._monitored(logs) if batch is None else self._in_batch_logs(logs or {})
        if current is None:
            warn(f"ModelCheckpoint finds no metric `{self.monitor}` in the logs, so it saves in any case.")
            return True
        if np.ndim(current) > 0:
            warn(
                f"ModelCheckpoint cannot tell which of several numbers is best ({self.monitor}: {current}), "
                "so it saves in any case."
            )
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._tell(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._tell(epoch, f"{self.monitor} improved from {best} to {current:.5f}, saving model to {filepath}")
        self.best = current
        return True

    def _in_batch_logs(self, logs: Any) -> Any:
        return logs[self.monitor] if self.monitor in logs else logs.get(same_metric(self.monitor))

    def _tell(self, epoch: int, what: str) -> None:
        if self.verbose > 0:
            print_message(f"\nEpoch {epoch + 1}: {what}")

    # --- saving ----------------------------------------------------------------------------------
    def _save_model(self, epoch: int, batch: int | None, logs: Any) -> None:
        filepath = self._get_file_path(epoch, batch, logs)
        if not self._should_save_model(epoch, batch, logs, filepath):
            return
        # Only a model without one of these endings is saved as a folder, which then replaces the one before.
        if os.path.isdir(filepath) and (self.save_weights_only or filepath.endswith((".keras", ".h5", ".hdf5"))):
            raise OSError(
                "ModelCheckpoint wants to write a file, but there is a folder of that name; choose another `filepath`: "
                f"{filepath}"
            )
        folder = os.path.dirname(filepath)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(filepath, overwrite=True)
        else:
            self.model.save(filepath, overwrite=True)
        self._tell(epoch, f"finished saving model to {filepath}")

    def _get_file_path(self, epoch: int, batch: int | None, logs: Any) -> str:
        """The path with its placeholders filled.

        Raises:
            KeyError: a placeholder names something that is not in the logs.
        """
        values = dict(logs or {}) if "{" in self.filepath else {}
        for name in list(values):
            values.setdefault(same_metric(name), values[name])
        if batch is not None:
            values.setdefault("batch", batch + 1)
        try:
            return self.filepath.format(**{**values, "epoch": epoch + 1})
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint cannot fill {error} in `filepath` {self.filepath!r}; "
                f"available are {sorted({*values, 'epoch'})}."
            ) from error
