"""Checks of the arguments that all optimizers take."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from hornbeam.base.check import closest
from hornbeam.base.errors import explain

_RENAMED = {
    "lr": "use `learning_rate`",
    "decay": "pass `learning_rate=keras.optimizers.schedules.InverseTimeDecay(learning_rate, 1, decay)`",
}


class UnknownArgumentError(TypeError, ValueError):
    """An argument that an optimizer does not take: Python's error for it and Keras's in one."""


def refuse_unknown(owner: type, kwargs: Mapping[str, Any]) -> None:
    """Raise for keyword arguments that nobody took, naming the closest one."""
    # No decay is what `decay=0` and `decay=None` ask for.
    unknown = {name: value for name, value in kwargs.items() if name != "decay" or value}
    if not unknown:
        return
    first = next(iter(unknown))
    known = [name for kind in owner.__mro__[:-1] for name in inspect.signature(kind.__init__).parameters]
    raise UnknownArgumentError(
        f"Argument(s) not recognized by {owner.__name__}: {unknown}"
        + (f"; {_RENAMED[first]} instead." if first in _RENAMED else f"{closest(first, known)}.")
    )


def is_number(value: Any) -> bool:
    """True for Python and NumPy numbers."""
    return isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool)


def check_clipping(clipnorm: Any, clipvalue: Any, global_clipnorm: Any) -> None:
    """At most one kind of gradient clipping."""
    if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
        raise ValueError(
            "Only one of `clipnorm`, `clipvalue`, `global_clipnorm` may limit the gradients. "
            f"Received: clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
        )


def check_average(momentum: Any, overwrite_frequency: Any) -> None:
    """Arguments of the moving average of the weights."""
    if not 0 <= momentum <= 1:
        raise ValueError(f"`ema_momentum` lies between 0 and 1. Received: ema_momentum={momentum}")
    if overwrite_frequency and (not isinstance(overwrite_frequency, int) or overwrite_frequency < 1):
        raise ValueError(
            "`ema_overwrite_frequency` takes None or an int of at least 1. "
            f"Received: ema_overwrite_frequency={overwrite_frequency}"
        )


def check_accumulation(steps: Any) -> None:
    """Number of batches whose gradients make one update."""
    if steps and not steps >= 2:
        raise ValueError(
            f"`gradient_accumulation_steps` is None or an integer >= 2. Received: gradient_accumulation_steps={steps}"
        )


def bad_learning_rate(owner: str, value: Any) -> ValueError:
    """The error for a learning rate of a kind that cannot be one."""
    return ValueError(
        explain(
            f"{owner}: argument `learning_rate` cannot be used.",
            expected="a number, a LearningRateSchedule, or a callable without arguments that returns the rate",
            received=f"learning_rate={value!r}",
        )
    )
