"""``BackupAndRestore``: an interrupted training run goes on where it was, as if nothing had happened."""

from __future__ import annotations

import os
import signal as signals_module
from collections.abc import Iterable
from typing import Any

from hornbeam.base import registry
from hornbeam.base.errors import CorruptFileError, ResumeError
from hornbeam.base.notices import warn
from hornbeam.keras.callbacks import run_state
from hornbeam.keras.callbacks.callback import Callback

_CHANGES = ("model", "optimizer", "batch_size", "data", "steps")


class BackupAndRestore(Callback):
    """Writes backups of a training run; the next ``fit`` with the same folder goes on from the newest one.

    A backup holds all there is: weights, optimizer and metric state, random generators, the place in the epoch and the
    order of the data, the state of all callbacks and the ``History``. The run that goes on ends with the same numbers
    as one that was never interrupted, bit for bit on a CPU, if ``fit`` gets the same arguments.

    The two newest backups are kept; if the newest one is damaged, the one before is used. Both are removed when ``fit``
    is done. A source that cannot tell its place (a plain generator) is read anew up to it; a warning says so.

    Args:
        backup_dir: folder for the backups of this run alone.
        save_freq: ``"epoch"``: at the end of each epoch. A number: after so many batches. False: on signals only.
        double_checkpoint: accepted for Keras's sake: two backups are kept always.
        delete_checkpoint: remove the backups when ``fit`` is done.
        save_before_preemption: True makes sure that SIGTERM is among the signals (it is by default).
        allow_changed: what may differ from the run that was backed up: ``"model"``, ``"optimizer"``,
            ``"batch_size"``, ``"data"``, ``"steps"``.
        signals: names of signals at which ``fit`` finishes the step, writes a backup, and ends the process with exit
            code 128 + number of the signal (143 for SIGTERM).

    Raises:
        ResumeError: there are backups, but all are damaged, or they belong to another run: it lists what differs.

    Example:
        >>> model.fit(x, y, epochs=100, callbacks=[keras.callbacks.BackupAndRestore("backup")])

    References: Keras ``callbacks.BackupAndRestore``.
    """

    state_names = ("_batches_seen", "_last_batch")

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
        allow_changed: Iterable[str] = (),
        signals: Iterable[str] = ("SIGTERM",),
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError(f"BackupAndRestore needs a folder. Received: backup_dir={backup_dir!r}")
        is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq >= 1
        if save_freq != "epoch" and save_freq is not False and not is_count:
            raise ValueError(
                "BackupAndRestore: `save_freq` is 'epoch', a number of batches of at least 1, or False. "
                f"Received: save_freq={save_freq!r}"
            )
        self.backup_dir = os.path.expanduser(os.fspath(backup_dir))
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.allow_changed = _known_changes(allow_changed)
        names = list(signals)
        if save_before_preemption and "SIGTERM" not in names:
            names.append("SIGTERM")
        self.signals = [getattr(signals_module, name) for name in names if hasattr(signals_module, name)]
        self._batches_seen = 0
        self._last_batch = -1
        if not is_count:
            self.batch_interval = 0

    # --- when ------------------------------------------------------------------------------------
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._last_batch = -1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches_seen += max(1, batch - self._last_batch)
        self._last_batch = batch

    def due_after_batch(self) -> bool:
        """Whether the training loop is to write a backup now, in the midst of an epoch."""
        if not isinstance(self.save_freq, int) or self.save_freq is False or self._batches_seen < self.save_freq:
            return False
        self._batches_seen = 0
        return True

    def due_after_epoch(self) -> bool:
        """Whether the training loop is to write a backup at the end of an epoch, after all callbacks."""
        return self.save_freq == "epoch"

    # --- what ------------------------------------------------------------------------------------
    def save(self, state: dict[str, Any]) -> None:
        """Write a backup of plain data."""
        registry.find("saving", "write_backup")(self.backup_dir, state)

    def read(self) -> dict[str, Any] | None:
        """The newest backup that is whole; None if there is none at all.

        Raises:
            ResumeError: there are some, but all are damaged.
        """
        damaged = []
        for path in registry.find("saving", "list_backups")(self.backup_dir):
            try:
                found = registry.find("saving", "read_backup")(path)
            except CorruptFileError as error:
                damaged.append((path, error))
                continue
            for _, error in damaged:
                warn(f"{error}\nTraining goes on from the backup before it, {path}.")
            return found
        if damaged:
            listing = "\n  ".join(str(error) for _, error in damaged)
            raise ResumeError(
                f"Training cannot go on: all backups in {self.backup_dir} are damaged.\n  {listing}\n"
                "  fix:      remove them to start anew, or put back a copy of one"
            )
        return None

    def on_train_end(self, logs: Any = None) -> None:
        loop = run_state.loop_of(self.model)
        if self.delete_checkpoint and (loop is None or loop.finished):
            registry.find("saving", "remove_backups")(self.backup_dir)


def _known_changes(names: Iterable[str]) -> frozenset[str]:
    found = frozenset([names] if isinstance(names, str) else names)
    unknown = sorted(found - set(_CHANGES))
    if unknown:
        raise ValueError(f"BackupAndRestore: `allow_changed` knows {list(_CHANGES)}. Received: {unknown}")
    return found
