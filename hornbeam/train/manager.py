"""``tf.train.CheckpointManager``: keeps the last few checkpoints of a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from hornbeam.base import registry
from hornbeam.core.variable import Variable
from hornbeam.train.options import CheckpointOptions

__all__ = ["CheckpointManager"]


class CheckpointManager:
    """Writes numbered checkpoints into a folder and deletes old ones.

    Args:
        checkpoint: the ``Checkpoint`` to save.
        directory: the folder; created when needed. What a manager before left there is taken over.
        max_to_keep: number of checkpoints to keep; None keeps all.
        keep_checkpoint_every_n_hours: besides, keep for good one checkpoint for each such time, in hours.
        checkpoint_name: first part of the file names.
        step_counter: variable whose value ``checkpoint_interval`` goes by.
        checkpoint_interval: least number of steps between two checkpoints; ``save`` does nothing in between.
        init_fn: called by ``restore_or_initialize`` if there is nothing to restore.

    Raises:
        ValueError: ``max_to_keep`` is below 1, or an interval comes without a step counter.

    References: TensorFlow ``tf.train.CheckpointManager``.
    """

    def __init__(
        self,
        checkpoint: Any,
        directory: Any,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: Variable | None = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable | None = None,
        last_checkpoint_step: int | None = None,
    ) -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"Expected max_to_keep to be None or at least 1. Received: {max_to_keep}")
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("`checkpoint_interval` counts steps: pass the variable that holds them as `step_counter`.")
        self._checkpoint = checkpoint
        self._directory = os.path.expanduser(os.fspath(directory))
        self._max_to_keep = max_to_keep
        self._keep_seconds = None if keep_checkpoint_every_n_hours is None else keep_checkpoint_every_n_hours * 3600
        self._prefix = os.path.join(self._directory, checkpoint_name)
        self._step_counter = step_counter
        self._interval = checkpoint_interval
        self._last_step = last_checkpoint_step
        self._init_fn = init_fn
        self._kept: dict[str, float] = {}
        self._latest: str | None = None
        self._preserved = time.time()
        self._take_over()

    def _take_over(self) -> None:
        state = registry.find("saving", "checkpoint state")(self._directory, None)
        if state is None:
            return
        exists = registry.find("saving", "is bundle")
        paths = state.all_model_checkpoint_paths
        stamps = state.all_model_checkpoint_timestamps
        now = time.time()
        for place, path in enumerate(paths):
            if exists(path):
                self._kept[path] = stamps[place] if len(stamps) == len(paths) else now
        self._latest = state.model_checkpoint_path if exists(state.model_checkpoint_path) else None
        self._preserved = state.last_preserved_timestamp or min(self._kept.values(), default=now)

    # --- facts -----------------------------------------------------------------------------------
    @property
    def directory(self) -> str:
        """The folder."""
        return self._directory

    @property
    def checkpoint(self) -> Any:
        """The object that is saved."""
        return self._checkpoint

    @property
    def checkpoint_interval(self) -> int | None:
        """Least number of steps between two checkpoints."""
        return self._interval

    @property
    def latest_checkpoint(self) -> str | None:
        """Prefix of the newest checkpoint, None if there is none."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """Prefixes of the checkpoints that are kept, oldest first."""
        return list(self._kept)

    # --- work ------------------------------------------------------------------------------------
    def save(
        self,
        checkpoint_number: Any = None,
        check_interval: bool = True,
        options: CheckpointOptions | None = None,
    ) -> str | None:
        """Write a checkpoint, then delete those that are too many.

        Args:
            checkpoint_number: number in its name; default the checkpoint's own counter.
            check_interval: heed ``checkpoint_interval``.
            options: see ``CheckpointOptions``.

        Returns:
            Its prefix, or None if the interval has not passed yet.
        """
        step = None if self._step_counter is None else int(self._step_counter)
        too_soon = self._last_step is not None and step is not None and step < self._last_step + (self._interval or 0)
        if self._interval is not None and check_interval and too_soon:
            return None
        if self._interval is not None:
            self._last_step = step
        counter = self._checkpoint.save_counter
        counter.assign_add(1)
        number = int(counter if checkpoint_number is None else checkpoint_number)
        try:
            path = self._checkpoint.write(f"{self._prefix}-{number}", options=options)
        except BaseException:
            counter.assign_sub(1)
            raise
        self._kept.pop(path, None)
        self._kept[path] = time.time()
        self._latest = path
        self._note()
        if self._sweep():
            self._note()
        return path

    def _note(self) -> None:
        registry.find("saving", "write checkpoint state")(
            self._directory,
            self._latest,
            list(self._kept),
            list(self._kept.values()),
            self._preserved,
        )

    def _sweep(self) -> bool:
        """Delete checkpoints above the number to keep; True if any went."""
        if self._max_to_keep is None:
            return False
        remove, changed = registry.find("saving", "remove bundle"), False
        while len(self._kept) > self._max_to_keep:
            path, stamp = next(iter(self._kept.items()))
            del self._kept[path]
            changed = True
            if self._keep_seconds is not None and stamp - self._preserved >= self._keep_seconds:
                self._preserved = stamp
                continue
            remove(path)
        return changed

    def restore_or_initialize(self) -> str | None:
        """Restore the newest checkpoint; if there is none, call ``init_fn``.

        Returns:
            The prefix of what was restored, or None.
        """
        if self._latest is not None:
            self._checkpoint.restore(self._latest)
            if self._interval is not None:
                self._last_step = int(self._step_counter)  # type: ignore[arg-type]
            return self._latest
        if self._init_fn is not None:
            self._init_fn()
        return None

    def sync(self) -> None:
        """Do nothing: checkpoints are on the disk when ``save`` returns."""
