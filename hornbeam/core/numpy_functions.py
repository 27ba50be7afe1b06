"""NumPy's functions on tensors: ``np.mean(tensor)`` computes in NumPy and gives what NumPy gives.

Without this, NumPy calls the tensor's method of the same name with arguments of its own (``out``, ``ddof``), or gives a
tensor where code expects an array it can write to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_NEED_NO_VALUES = frozenset({np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj})
"""Functions that look at attributes only: they work on tensors without values, within compiled code too."""


def array_function(self: Any, func: Callable, types: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """NumPy's question to an argument of one of its functions: call it with arrays in place of tensors.

    Raises:
        TraceError: a tensor has no value here: it is symbolic, or the code is being compiled.
    """
    if func in _NEED_NO_VALUES:
        return func._implementation(*args, **kwargs)  # type: ignore[attr-defined]
    return func(*_arrays(args), **_arrays(kwargs))


def _arrays(value: Any) -> Any:
    if hasattr(type(value), "__array_function__") and not isinstance(value, np.ndarray):
        return np.asarray(value) if type(value).__array_function__ is array_function else value
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_arrays(one) for one in value)
    if isinstance(value, dict):
        return {key: _arrays(one) for key, one in value.items()}
    return value
