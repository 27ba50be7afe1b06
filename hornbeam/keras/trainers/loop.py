"""The place of a training loop, and its backups."""

from __future__ import annotations

from typing import Any

from hornbeam.base.notices import warn
from hornbeam.keras.callbacks import run_state
from hornbeam.keras.callbacks.backup_and_restore import BackupAndRestore
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.stream import Stream
from hornbeam.keras.trainers.interrupts import Termination

BOUNDARY, BATCH = "boundary", "batch"
"""Where a run may be backed up: between two epochs, or after a batch (the last one of an epoch: validation follows)."""


class Loop:
    """One run of ``fit``: where it stands, and what goes into a backup of it.

    Args:
        model: the model.
        stream: its data.
        validation: feed of the validation data, or None.
        callbacks: its callbacks.

    Attributes:
        single_callbacks: the callbacks one by one.
        finished: True once the run has come to its end without an error.
        termination: signals that end the run after a backup.
    """

    def __init__(self, model: Any, stream: Stream, validation: Any, callbacks: Any) -> None:
        self.model, self.stream, self.validation, self.callbacks = model, stream, validation, callbacks
        self.finished = False
        self.epoch = 0
        self._logs: dict[str, Any] | None = None
        self._staged: dict[str, Any] | None = None
        self._remembered = run_state.Remembered([])
        self._sources = run_state.Remembered([])
        self._told = False
        self._done = 0
        self._validating = False
        self._before_validation: Any = None
        self.single_callbacks = _flat(callbacks)
        backups = [one for one in self.single_callbacks if isinstance(one, BackupAndRestore)]
        self.backup: BackupAndRestore | None = backups[-1] if backups else None
        self.termination = Termination(self.backup.signals if self.backup is not None else ())

    # --- going on --------------------------------------------------------------------------------
    def prepare(self) -> None:
        """Read the backup, if there is one, and let the callbacks know that the run goes on from it.

        Raises:
            ResumeError: it cannot be used.
        """
        if self.backup is None:
            return
        self._staged = self.backup.read()
        if self._staged is not None:
            lines = run_state.differences(self.model, self._staged, {"facts": self._facts()}, self.backup.allow_changed)
            if lines:
                raise run_state.refuse(self.backup.backup_dir, lines)
        for callback in self.single_callbacks:
            callback.resuming = self._staged is not None

    def begin(self, first: int) -> int:
        """Take note of what callbacks hold, and restore what lies between two epochs; returns the first epoch to run.

        Called after ``on_train_begin``, which may have reset what is restored here.
        """
        if self.backup is None:
            return first
        self._remembered = run_state.Remembered(self.single_callbacks)
        self._sources = run_state.Remembered(_sources(self.stream.feed, self.validation))
        if self._staged is None:
            return first
        place = self._staged["place"]
        if place["kind"] == BOUNDARY or self._changed_data():
            self._restore(done=0)
        return place["epoch"]

    def done_in_epoch(self) -> int:
        """Batches of this epoch that were run before the backup."""
        return 0 if self._staged is None else self._staged["place"]["batch"]

    def enter(self) -> None:
        """Restore a state in the midst of an epoch, when the callbacks and the data know that the epoch has begun."""
        if self._staged is not None:
            self._restore(self._staged["place"]["batch"])

    def resumed_logs(self) -> dict[str, Any] | None:
        """Logs of the last batch before the backup."""
        return self._logs

    def _changed_data(self) -> bool:
        """Batches are others than they were, as was allowed: the epoch in progress begins anew."""
        assert self._staged is not None
        then, now = self._staged["place"]["facts"], self._facts()
        return any(then[name]["value"] != now.get(name, {}).get("value") for name in then)

    def _restore(self, done: int) -> None:
        assert self._staged is not None
        staged, self._staged = self._staged, None
        place = staged["place"]
        if not self._is_changed(place):
            self.stream.set_state(place["stream"], done)
            if self.validation is not None and place["validation"] is not None:
                self.validation.set_state(place["validation"], False)
        self._sources.restore(place["sources"])
        run_state.apply(self.model, self._remembered, staged)
        self._logs = place["logs"]

    def _is_changed(self, place: dict[str, Any]) -> bool:
        return any(place["facts"][name] != fact for name, fact in self._facts().items() if name in place["facts"])

    # --- backups ---------------------------------------------------------------------------------
    def after_batch(self, number: int, logs: dict[str, Any]) -> None:
        """A training step is done and the callbacks have seen it."""
        if self.backup is None:
            return
        self._done = number + 1
        if self.termination.pending or self.backup.due_after_batch():
            self._save({"kind": BATCH, "epoch": self.epoch, "batch": number + 1, "logs": run_state.plain_logs(logs)})
            self.termination.leave_if_pending()

    def before_validation(self, logs: dict[str, Any]) -> None:
        """All steps of an epoch are done; the validation begins."""
        self._validating = self.backup is not None
        if self._validating:
            place = {"kind": BATCH, "epoch": self.epoch, "batch": self._done}
            self._before_validation = (place, logs, run_state.random_state(), self._data())

    def during_validation(self) -> None:
        """A validation step is done: a signal is answered with a backup that will validate anew."""
        if not self._validating or not self.termination.pending:
            return
        place, logs, randoms, data = self._before_validation
        self._save({**place, "logs": run_state.plain_logs(logs)}, randoms, data)
        self.termination.leave_if_pending()

    def after_validation(self) -> None:
        """The validation is done."""
        self._validating, self._before_validation = False, None

    def after_epoch(self) -> None:
        """An epoch is done and all callbacks have seen its end."""
        if self.backup is None:
            return
        if self.termination.pending or self.backup.due_after_epoch():
            self._save({"kind": BOUNDARY, "epoch": self.epoch + 1, "batch": 0, "logs": None})
            self.termination.leave_if_pending()

    def _save(self, place: dict[str, Any], randoms: Any = None, data: Any = None) -> None:
        assert self.backup is not None
        self._tell()
        self.termination.hold()
        place = {**place, **(data or self._data()), "facts": self._facts()}
        state = run_state.collect(self.model, self._remembered, place)
        if randoms is not None:
            state["random"].update(randoms)
        self.backup.save(state)

    def _data(self) -> dict[str, Any]:
        return {
            "stream": self.stream.get_state(),
            "validation": None if self.validation is None else self.validation.get_state(),
            "sources": self._sources.states(),
        }

    def _tell(self) -> None:
        """Say once what a backup cannot hold."""
        feed = self.stream.feed
        if self._told or isinstance(feed, ArrayFeed) or not feed.cannot_go_back():
            return
        self._told = True
        warn(
            f"The source of batches ({type(feed.source).__name__}) cannot tell its place: when this run goes on from a "
            "backup, the batches up to the place are read anew and dropped, so it must give the same ones again. "
            "Arrays, a PyDataset or a tf.data.Dataset go on at their place."
        )

    def _facts(self) -> dict[str, Any]:
        """What must be the same in the run that goes on."""
        feed = self.stream.feed
        facts = {"steps_per_epoch": {"kind": "steps", "value": self.stream.steps}}
        if isinstance(feed, ArrayFeed):
            facts["batch_size"] = {"kind": "batch_size", "value": feed.batch_size}
            facts["samples"] = {"kind": "data", "value": feed.size}
            facts["shuffle"] = {"kind": "data", "value": str(feed.shuffle)}
        elif feed.source_length() is not None:
            facts["batches"] = {"kind": "data", "value": feed.source_length()}
        return facts


def _flat(callbacks: Any) -> list[Any]:
    """Single callbacks of a list that may hold lists."""
    found = []
    for callback in callbacks:
        found += _flat(callback) if hasattr(callback, "callbacks") else [callback]
    return found


def _sources(*feeds: Any) -> list[Any]:
    """Sources written by others that keep a state of their own."""
    return [
        feed.source
        for feed in feeds
        if feed is not None and not isinstance(feed, ArrayFeed) and not hasattr(feed.source, "element_spec")
    ]
