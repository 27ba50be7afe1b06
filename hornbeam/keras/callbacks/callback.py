"""``Callback``: functions that a training loop calls at fixed points."""

from __future__ import annotations

from typing import Any


class Callback:
    """Base of all callbacks; override the hooks that matter.

    Hooks get ``logs``, a dict of metric values. Its values are read from the device when they are looked at, not
    before: a hook that does not look costs no waiting.

    Attributes:
        params: dict about the run: ``verbose``, ``epochs``, ``steps``.
        model: the model that is trained.
        batch_interval: how rarely the per-batch hooks may be called. None: every batch has to be seen (steps then run
            one at a time). A number N: once in N batches is enough. 0: as rarely as the loop likes.
        state_names: attributes that ``get_state`` gives. None: all attributes that changed since training began and
            that are plain data (numbers, text, arrays, random generators, lists and dicts of them).
        resuming: True from before ``on_train_begin`` on if the run goes on from a backup.

    Example:
        >>> class Stop(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         if logs["loss"] < 0.1:
        ...             self.model.stop_training = True

    References: Keras ``callbacks.Callback``.
    """

    batch_interval: int | None = None
    state_names: tuple[str, ...] | None = None
    resuming: bool = False

    # Class values too, for subclasses that do not call `super().__init__()`.
    params: Any = None
    _model: Any = None

    def __init__(self) -> None:
        self.params = None
        self._model = None

    def set_params(self, params: dict[str, Any] | None) -> None:
        """Take note of the run's parameters."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take note of the model."""
        self._model = model

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._model

    @model.setter
    def model(self, model: Any) -> None:
        self._model = model

    # --- state -----------------------------------------------------------------------------------
    def get_state(self) -> dict[str, Any]:
        """What the callback has to remember when training is interrupted: plain data by name."""
        return {name: getattr(self, name) for name in self.state_names or ()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take up what ``get_state`` gave, here or in another process; called after ``on_train_begin``."""
        for name, value in state.items():
            setattr(self, name, value)

    # --- training --------------------------------------------------------------------------------
    def on_train_begin(self, logs: Any = None) -> None:
        """Called when ``fit`` starts."""

    def on_train_end(self, logs: Any = None) -> None:
        """Called when ``fit`` ends; ``logs`` are those of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Called before each epoch (counted from 0)."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Called after each epoch; validation results in ``logs`` have the prefix ``val_``."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each training batch (counted from 0 in each epoch)."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each training batch; ``logs`` are the metrics of the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Short name of ``on_train_batch_begin``."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Short name of ``on_train_batch_end``."""

    # --- evaluation ------------------------------------------------------------------------------
    def on_test_begin(self, logs: Any = None) -> None:
        """Called when ``evaluate``, or the validation in ``fit``, starts."""

    def on_test_end(self, logs: Any = None) -> None:
        """Called when ``evaluate``, or the validation in ``fit``, ends."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each batch of ``evaluate`` or of the validation in ``fit``."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each batch of ``evaluate`` or of the validation in ``fit``."""

    # --- prediction ------------------------------------------------------------------------------
    def on_predict_begin(self, logs: Any = None) -> None:
        """Called when ``predict`` starts."""

    def on_predict_end(self, logs: Any = None) -> None:
        """Called when ``predict`` ends."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each batch of ``predict``."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each batch of ``predict``; ``logs["outputs"]`` are its outputs."""


def overrides(callback: Any, hook: str) -> bool:
    """True if a callback has a hook of its own: in its class, or as an attribute of the object."""
    method = getattr(callback, hook, None)
    return method is not None and getattr(method, "__func__", method) is not getattr(Callback, hook)
