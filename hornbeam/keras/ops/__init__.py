"""``keras.ops``: the ops under Keras's names. References: Keras ``keras.ops``.

They differ from those of ``hornbeam.ops`` in one thing: NumPy arrays and lists beside a tensor take part with their own
dtypes in the choice of the result's, as they do in Keras. In ``tf`` functions and operators they take the tensor's.
"""

import importlib
from typing import Any

from hornbeam import ops as _ops
from hornbeam.core import door as _door
from hornbeam.ops import *  # noqa: F403 - the list is that of hornbeam.ops
from hornbeam.ops import composite as _composite

_OF_SEVERAL = ("concatenate", "dstack", "einsum", "hstack", "select", "stack", "vstack", "where")
for _name in _ops.__all__:
    _keeping = _composite.keeping_dtypes if _name in _OF_SEVERAL else _door.keeping_dtypes
    globals()[_name] = _keeping(getattr(_ops, _name))
hard_swish = _ops.hard_silu
swish = _ops.silu

_FOLDERS = ("image", "linalg", "nn", "numpy")
__all__ = [*_ops.__all__, "hard_swish", "swish", *_FOLDERS]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return importlib.import_module(f"hornbeam.keras.ops.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
