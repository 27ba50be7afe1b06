"""Arguments of ``fit``, ``evaluate`` and ``predict`` beside the data, checked."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.base.check import closest
from hornbeam.base.errors import ArgumentError

_LOADER = ("max_queue_size", "workers", "use_multiprocessing")
"""Arguments of older versions that speed up sources of batches; results never depended on them."""


@dataclass
class FitOptions:
    """Arguments of ``fit`` beside the data."""

    batch_size: int | None
    epochs: int
    verbose: Any
    callbacks: Any
    shuffle: Any
    class_weight: Any
    initial_epoch: int
    steps_per_epoch: int | None
    validation_steps: int | None
    validation_batch_size: int | None
    validation_freq: Any
    check_numerics: bool = False

    def __post_init__(self) -> None:
        self.verbose = check_verbose(self.verbose)
        self.epochs = _limited_epochs(_whole("epochs", self.epochs))
        self.initial_epoch = _whole("initial_epoch", self.initial_epoch)
        self.steps_per_epoch = check_steps("steps_per_epoch", self.steps_per_epoch)
        self.validation_steps = check_steps("validation_steps", self.validation_steps)
        self._check_frequency()

    def _check_frequency(self) -> None:
        frequency = self.validation_freq
        listed = isinstance(frequency, (list, tuple, set, frozenset))
        if not listed and (
            isinstance(frequency, bool) or not isinstance(frequency, (int, np.integer)) or frequency < 1
        ):
            raise ValueError(
                "Expected `validation_freq` to be a list of epochs or an int of at least 1. "
                f"Received: validation_freq={frequency!r} of the type {type(frequency)}."
            )

    def validates_after(self, epoch: int) -> bool:
        """Whether a validation follows the epoch of this number (from 0)."""
        if isinstance(self.validation_freq, (list, tuple, set, frozenset)):
            return epoch + 1 in self.validation_freq
        return (epoch + 1) % int(self.validation_freq) == 0


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(f"`{name}` must be an int. Received: {name}={value!r}")
    return int(value)


def _limited_epochs(epochs: int) -> int:
    limit = settings.get("max_epochs")
    if limit and limit < epochs:
        warnings.warn(f"Limiting epochs to {limit}", stacklevel=5)
        return limit
    return epochs


def check_steps(name: str, steps: Any) -> int | None:
    """A number of batches, or None for all; ``keras.config.max_steps_per_epoch`` is a limit.

    Raises:
        ValueError: it is no number of at least 1.
    """
    if steps is not None:
        if isinstance(steps, bool) or not isinstance(steps, (int, float, np.integer, np.floating)) or not steps >= 1:
            raise ValueError(
                f"`{name}` must be an int of at least 1, or None for all batches. Received: {name}={steps!r}"
            )
        # A quotient such as `len(x) / batch_size` counts the last, short batch.
        steps = math.ceil(steps)
    limit = settings.get("max_steps_per_epoch")
    if limit and (not steps or limit < steps):
        warnings.warn(f"Limiting steps_per_epoch to {limit}", stacklevel=5)
        return limit
    return steps


def check_verbose(verbose: Any) -> Any:
    """0, 1, 2 or ``"auto"``.

    Raises:
        ValueError: anything else.
    """
    if verbose is None:
        return 0
    if isinstance(verbose, str):
        if verbose == "auto":
            return verbose
    elif verbose in (0, 1, 2):
        return int(verbose)
    raise ValueError(f"`verbose` must be 0, 1, 2 or 'auto'. Received: verbose={verbose!r}")


def refuse_unknown(method: Callable, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take the arguments that say how sources of batches are read, and return them; refuse all others.

    Args:
        method: the method that received them, for the names that it knows.
        kwargs: arguments by name.

    Raises:
        ArgumentError: (a TypeError) naming the closest known argument.
    """
    loader: dict[str, Any] = {}
    for name in _LOADER:
        if name in kwargs:
            value = loader[name] = kwargs.pop(name)
            fitting = isinstance(value, (bool, int, np.integer)) and value >= 0
            if not fitting and value is not None:
                raise ValueError(
                    f"{method.__name__}(): `{name}` must be a number of at least 0. Received: {name}={value!r}"
                )
    if kwargs:
        first = next(iter(kwargs))
        known = [name for name in inspect.signature(method).parameters if name not in ("self", "kwargs")]
        raise ArgumentError(
            f"{method.__name__}() got an unexpected keyword argument {first!r}{closest(first, known)}. "
            f"Arguments not recognized: {kwargs}"
        )
    return loader
