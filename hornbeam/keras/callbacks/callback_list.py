"""``CallbackList``: calls several callbacks as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hornbeam.base import trees
from hornbeam.keras.callbacks.callback import Callback, overrides
from hornbeam.keras.callbacks.history import History
from hornbeam.keras.callbacks.lambda_callback import LambdaCallback
from hornbeam.keras.callbacks.logs import LazyLogs
from hornbeam.keras.callbacks.progbar_logger import ProgbarLogger

_BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}
# The base class passes the long names on to these.
_SHORT_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class CallbackList(Callback):
    """Several callbacks behind one face.

    Args:
        callbacks: a callback, or any nesting of lists of callbacks.
        add_history: add a ``History`` unless there is one.
        add_progbar: add a ``ProgbarLogger`` unless there is one.
        model: the model that is trained.
        **params: given to the callbacks' ``set_params``.

    References: Keras ``callbacks.CallbackList``.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Any] = [] if callbacks is None else trees.flatten(callbacks)
        self._check()
        self._progbar = self._find(ProgbarLogger)
        self._history = self._find(History)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        if self._progbar is None and add_progbar:
            self._progbar = ProgbarLogger()
            self.callbacks.append(self._progbar)
        self._open_runs = 0
        self._bound: dict[str, list[Callable[..., Any]]] = {}
        self.set_model(model)
        self.set_params(params)
        self._bind()

    def _check(self) -> None:
        for callback in self.callbacks:
            if isinstance(callback, type) or not any(hasattr(callback, hook) for hook in _ALL_HOOKS):
                hint = f" Did you mean `{callback.__name__}()`?" if isinstance(callback, type) else ""
                raise ValueError(
                    "Callbacks must be `keras.callbacks.Callback` objects. "
                    f"Received: {callback!r} (of type {type(callback)}).{hint}"
                )

    def _find(self, kind: type) -> Any:
        found = [callback for callback in self.callbacks if isinstance(callback, kind)]
        return found[-1] if found else None

    @property
    def history(self) -> History | None:
        """The ``History`` among the callbacks."""
        return self._history

    def append(self, callback: Any) -> None:
        """Add a callback."""
        self.callbacks.append(callback)
        self._bind()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    def set_params(self, params: dict[str, Any] | None) -> None:
        """Give the run's parameters to all callbacks."""
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Give the model to all callbacks."""
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    # --- who wants to see what -------------------------------------------------------------------
    def wants_batches(self, mode: str) -> bool:
        """True if some callback has to see every batch: it has a per-batch hook and declares no ``batch_interval``.

        Args:
            mode: ``"train"``, ``"test"`` or ``"predict"``.
        """
        return self.needed_interval(mode) == 1

    def needed_interval(self, mode: str) -> int | None:
        """Batches after which the per-batch hooks must be called at the latest; None if it does not matter."""
        found = [_interval(callback, mode) for callback in self.callbacks if _has_batch_hook(callback, mode)]
        return min((interval for interval in found if interval), default=None)

    @property
    def run_code_of_others(self) -> bool:
        """Whether a callback runs code that is not Hornbeam's, which may change the data between two passes."""
        return any(
            isinstance(callback, LambdaCallback) or type(callback).__module__.partition(".")[0] != "hornbeam"
            for callback in self.callbacks
        )

    def _bind(self) -> None:
        """Collect the per-batch hooks that do something, so that a step nobody looks at costs next to nothing."""
        for hooks in _BATCH_HOOKS.values():
            for hook in hooks:
                self._bound[hook] = [
                    getattr(callback, hook) for callback in self.callbacks if _does_something(callback, hook)
                ]

    def _call_batch(self, hook: str, batch: int, logs: Any) -> None:
        bound = self._bound[hook]
        if bound:
            logs = LazyLogs.of(logs)
            for function in bound:
                function(batch, logs=logs)

    def _call_each(self, hook: str, *args: Any, logs: Any) -> None:
        logs = LazyLogs.of(logs)
        for callback in self.callbacks:
            function = getattr(callback, hook, None)
            if function is not None:
                function(*args, logs)

    # --- begin and end ---------------------------------------------------------------------------
    def _begin(self, hook: str, logs: Any) -> None:
        self._open_runs += 1
        # Hooks may have been set on the objects, or callbacks added, since the list was made.
        self._bind()
        self._call_each(hook, logs=logs)

    def _end(self, hook: str, logs: Any) -> None:
        """Call all, even if one of them fails: others may hold files or swapped weights."""
        self._open_runs -= 1
        if self._open_runs < 0:
            self._open_runs = 0
            raise ValueError(f"`{hook}` was called without `{hook.replace('_end', '_begin')}` before it.")
        logs = LazyLogs.of(logs)
        first: BaseException | None = None
        for callback in self.callbacks:
            try:
                getattr(callback, hook, _nothing)(logs)
            except BaseException as error:
                first = first or error
        if first is not None:
            raise first

    def on_train_begin(self, logs: Any = None) -> None:
        self._begin("on_train_begin", logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._end("on_train_end", logs)

    def on_test_begin(self, logs: Any = None) -> None:
        self._begin("on_test_begin", logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._end("on_test_end", logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._begin("on_predict_begin", logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._end("on_predict_end", logs)

    # --- epochs and batches ----------------------------------------------------------------------
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._call_each("on_epoch_begin", epoch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._call_each("on_epoch_end", epoch, logs=logs)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call_each("on_batch_begin", batch, logs=logs)

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call_each("on_batch_end", batch, logs=logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call_batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call_batch("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call_batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call_batch("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._call_batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call_batch("on_predict_batch_end", batch, logs)


_ALL_HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


def _nothing(logs: Any) -> None:
    """Stand in for a hook that an object lacks."""


def _does_something(callback: Any, hook: str) -> bool:
    if isinstance(callback, CallbackList):
        return any(_does_something(inner, hook) for inner in callback.callbacks)
    short = _SHORT_NAMES.get(hook)
    return overrides(callback, hook) or (short is not None and hasattr(callback, hook) and overrides(callback, short))


def _has_batch_hook(callback: Any, mode: str) -> bool:
    return any(_does_something(callback, hook) for hook in _BATCH_HOOKS[mode])


def _interval(callback: Any, mode: str) -> int | None:
    """Declared interval; 1 if none is; None if any will do."""
    if isinstance(callback, CallbackList):
        return callback.needed_interval(mode)
    declared = getattr(callback, "batch_interval", None)
    return 1 if declared is None else declared or None
