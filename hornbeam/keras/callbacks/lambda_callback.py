"""``LambdaCallback``: a callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.base import check
from hornbeam.keras.callbacks.callback import Callback


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: function ``(epoch, logs)``.
        on_epoch_end: function ``(epoch, logs)``.
        on_train_begin: function ``(logs)``.
        on_train_end: function ``(logs)``.
        on_train_batch_begin: function ``(batch, logs)``.
        on_train_batch_end: function ``(batch, logs)``.
        **kwargs: functions for any other hook of ``Callback``, and ``batch_interval``.

    Raises:
        ArgumentError: a keyword is no hook.

    Example:
        >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))

    References: Keras ``callbacks.LambdaCallback``.
    """

    state_names = ()

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        known = [name for name in dir(Callback) if not name.startswith("__")]
        check.no_unknown(
            {name: value for name, value in kwargs.items() if name not in known}, owner="LambdaCallback", known=known
        )
        hooks = {
            **kwargs,
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name, function in hooks.items():
            if function is not None:
                setattr(self, name, function)
