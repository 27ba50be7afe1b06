"""Initializers written as ``function(shape, name=None)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.core.variable import Variable


class OldInitializer:
    """A function of a shape alone as an initializer; it may return an array, a tensor or a variable.

    Args:
        function: takes the shape as a tuple.
    """

    def __init__(self, function: Callable[[tuple], Any]) -> None:
        self.function = function
        self.__name__ = getattr(function, "__name__", "initializer")

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        found = self.function(tuple(shape))
        value = found.value if isinstance(found, Variable) else found
        return ops.cast(value, dtype or "float32")
