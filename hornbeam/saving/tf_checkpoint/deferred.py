"""Values for variables that do not exist yet: they are given when the layer or optimizer that makes them is built."""

from __future__ import annotations

import functools
from typing import Any

from hornbeam.keras.layers import Layer
from hornbeam.keras.optimizers import Optimizer
from hornbeam.saving.tf_checkpoint.objects import reachable
from hornbeam.saving.tf_checkpoint.restore import Restoration

__all__ = ["restore_later"]


def restore_later(restoration: Restoration) -> None:
    """Let every object that is not built yet take its values as soon as it is."""
    if not restoration.has_objects and not restoration.bundle.names():
        return
    for item in reachable(restoration.root):
        if isinstance(item, Layer) and not item.built:
            _watch(item, "_build_once", restoration)
        elif isinstance(item, Optimizer) and not item.built:
            _watch(item, "build", restoration)


def _watch(item: Any, method: str, restoration: Restoration) -> None:
    """Run a method of one object as ever, and look for values afterwards; only until it has been built."""
    original = getattr(type(item), method)
    # The newest restoration wins, as an older value would be overwritten anyway.
    vars(item).pop(method, None)

    @functools.wraps(original)
    def building(*args: Any, **kwargs: Any) -> Any:
        result = original(item, *args, **kwargs)
        if vars(item).get(method) is building:
            del vars(item)[method]
        restoration.match()
        restoration.assign()
        if restoration.unused():
            restore_later(restoration)
        return result

    vars(item)[method] = building
