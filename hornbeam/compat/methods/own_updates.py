"""``K.variable``, ``K.update`` and their like, as the ``get_updates`` of a user's optimizer calls them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.compat.methods.own_optimizers import Update, running
from hornbeam.keras.backend import variables as backend


def _made_once(make: Callable) -> Callable:
    @functools.wraps(make)
    def made(*args: Any, **kwargs: Any) -> Any:
        description = running.get()
        if description is None:
            return make(*args, **kwargs)
        return description.variable(lambda: make(*args, **kwargs))

    return made


def _kept(change: Callable, value: Callable[..., Any]) -> Callable:
    @functools.wraps(change)
    def changed(x: Any, *args: Any, **kwargs: Any) -> Any:
        if running.get() is None:
            return change(x, *args, **kwargs)
        return Update(x, value(ops.convert_to_tensor(x), *args, **kwargs))

    return changed


def _moved(x: Any, value: Any, momentum: Any) -> Any:
    return x * momentum + ops.cast(value, x.dtype) * (1 - momentum)


variable, zeros, ones = _made_once(backend.variable), _made_once(backend.zeros), _made_once(backend.ones)
update = _kept(backend.update, lambda x, new_x: new_x)
update_add = _kept(backend.update_add, lambda x, increment: x + ops.cast(increment, x.dtype))
update_sub = _kept(backend.update_sub, lambda x, decrement: x - ops.cast(decrement, x.dtype))
moving_average_update = _kept(backend.moving_average_update, _moved)
