"""What an old program is told when it asks the backend for its name and its settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hornbeam.base import settings
from hornbeam.core.variable import Variable

__all__ = ["as_written", "backend", "config_backend", "is_variable"]

_OWN = "jax"
_FORMER = "tensorflow"
"""Programs that ask `keras.backend.backend()` know "tensorflow", "theano" and "cntk". Here `import tensorflow` works,
so its branch is the one that runs; with any other answer they stop, or miss the names that this branch defines."""


def config_backend() -> str:
    """``"jax"``; or the name of the backend that the program asked for, where that is one of PlaidML's."""
    asked = os.environ.get("KERAS_BACKEND", "")
    return asked if asked.startswith("plaidml.") else _OWN


def backend() -> str:
    """``"tensorflow"``, unless ``KERAS_BACKEND`` names JAX or one of PlaidML's backends."""
    asked = os.environ.get("KERAS_BACKEND", "")
    return asked if asked == _OWN or asked.startswith("plaidml.") else _FORMER


def is_variable(x: Any) -> bool:
    """Whether something is a variable."""
    return isinstance(x, Variable)


def as_written(function: Callable) -> Callable:
    """The function itself: `symbolic` and `eager` chose the kind of graph that it ran in."""
    return function


_SETTINGS: dict[str, Callable[[], Any]] = {
    "_BACKEND": backend,
    "_EPSILON": settings.epsilon,
    "_FLOATX": settings.floatx,
    "_IMAGE_DATA_FORMAT": settings.image_data_format,
    "_IMAGE_DIM_ORDERING": lambda: "th" if settings.image_data_format() == "channels_first" else "tf",
}
"""Settings that were variables of the backend's module."""


def __getattr__(name: str) -> Any:
    if name in _SETTINGS:
        return _SETTINGS[name]()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
