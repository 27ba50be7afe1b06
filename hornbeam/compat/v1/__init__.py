"""``tf.compat.v1``: names of TensorFlow 1 that programs with Keras use; all other names are those of ``tf``.

There are no sessions and no graphs: what was built first and run later is computed at once.
"""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.base import registry
from hornbeam.compat.loading import load
from hornbeam.compat.names.tensorflow import V1

__all__ = sorted(V1)


def __getattr__(name: str) -> Any:
    if name in V1:
        found = load(V1[name])
    elif name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    else:
        try:
            found = getattr(importlib.import_module("hornbeam"), name)
        except AttributeError:
            raise registry.missing("hornbeam.compat.v1", name, V1) from None
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__]
