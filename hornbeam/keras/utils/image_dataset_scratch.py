"""Scratch arrays that each thread keeps: fresh memory costs as much as the arithmetic on it."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

_held = threading.local()


def buffer(name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Scratch of this thread, holding anything; a larger one replaces it, a smaller one is part of it.

    Args:
        name: what it is for.
        shape: of the array.
        dtype: of its elements.
    """
    count = math.prod(shape)
    held = vars(_held).get(name)
    if held is None or held.size < count or held.dtype != dtype:
        held = np.empty(count, dtype)
        setattr(_held, name, held)
    return held[:count].reshape(shape)
