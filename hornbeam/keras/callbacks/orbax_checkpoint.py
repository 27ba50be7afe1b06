"""``OrbaxCheckpoint``: saves the state of the model with Orbax, while training goes on."""

from __future__ import annotations

import os
from typing import Any

import jax
import numpy as np

from hornbeam.keras.callbacks.monitor_callback import MonitorCallback, same_metric
from hornbeam.keras.utils.terminal import print_message


class OrbaxCheckpoint(MonitorCallback):
    """Saves the variables of the model (``model.get_state_tree()``) as Orbax checkpoints, numbered by step.

    Args:
        directory: folder of the checkpoints.
        monitor: name of the metric, for ``save_best_only``.
        verbose: 1 to print what is done.
        save_best_only: save only if the metric is better than ever before.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        save_freq: ``"epoch"``, or a number of batches.
        initial_value_threshold: value of the metric to beat at the start.
        max_to_keep: checkpoints to keep; None for all.
        save_on_background: write in a thread while training goes on.
        save_weights_only: leave out the state of optimizer and metrics.

    Raises:
        ImportError: Orbax is not there (``pip install hornbeam[orbax]``).

    References: Keras ``callbacks.OrbaxCheckpoint``.
    """

    state_names = ("best", "_was_seen", "_since", "_last_batch", "_steps")

    def __init__(
        self,
        directory: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        try:
            import orbax.checkpoint as orbax
        except ImportError as error:
            raise ImportError("OrbaxCheckpoint needs Orbax: pip install hornbeam[orbax]") from error
        super().__init__(monitor, mode, initial_value_threshold)
        if save_freq != "epoch" and (not isinstance(save_freq, int) or isinstance(save_freq, bool) or save_freq < 1):
            raise ValueError(
                f"OrbaxCheckpoint: `save_freq` is 'epoch' or a number of batches. Received: save_freq={save_freq!r}"
            )
        self.directory = os.path.abspath(os.path.expanduser(os.fspath(directory)))
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_freq = save_freq
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        self._orbax = orbax
        self._manager: Any = None
        self._since, self._last_batch, self._steps = 0, -1, 0
        if save_freq == "epoch":
            self.batch_interval = 0

    @property
    def watches_logs(self) -> bool:
        """Whether the metric matters."""
        return super().watches_logs and self.save_best_only and self.save_freq == "epoch"

    def set_model(self, model: Any) -> None:
        """Take note of the model, and of the steps it was trained."""
        super().set_model(model)
        optimizer = model.optimizer
        self._steps = int(np.asarray(optimizer.iterations)) if hasattr(optimizer, "iterations") else 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._last_batch = -1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        count = max(1, batch - self._last_batch)
        self._last_batch = batch
        self._steps += count
        self._since += count
        if self._since >= int(self.save_freq):
            self._since = 0
            current = (logs or {}).get(self.monitor, (logs or {}).get(same_metric(self.monitor)))
            self._save(self._steps, current)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, self._monitored(logs) if self.save_best_only else None)

    def on_train_end(self, logs: Any = None) -> None:
        self.wait_until_finished()
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    def is_multihost_enabled(self) -> bool:
        """Whether several processes train together."""
        return jax.process_count() > 1

    def is_primary_host(self) -> bool:
        """Whether this is the process that others look to."""
        return jax.process_index() == 0

    def wait_until_finished(self) -> None:
        """Wait until everything is written."""
        if self._manager is not None:
            self._manager.wait_until_finished()

    def _save(self, step: int, current: Any) -> None:
        if self.save_best_only and current is not None:
            if not self._is_improvement(current, self.best):
                return
            self.best = current
        if self._manager is None:
            options = self._orbax.CheckpointManagerOptions(
                max_to_keep=self.max_to_keep, enable_async_checkpointing=self.save_on_background, create=True
            )
            self._manager = self._orbax.CheckpointManager(self.directory, options=options)
        tree = self.model.get_state_tree("numpy_array")
        if self.save_weights_only:
            tree = {name: tree[name] for name in ("trainable_variables", "non_trainable_variables")}
        self._manager.save(step, args=self._orbax.args.StandardSave(tree), force=True)
        if self.verbose > 0:
            print_message(f"\nOrbaxCheckpoint: saving step {step} to {self.directory}")
