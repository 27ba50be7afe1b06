"""``tf.autograph.experimental``."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

__all__ = ["Feature", "do_not_convert", "set_loop_options"]


class Feature(enum.Enum):
    """Parts of TensorFlow's rewriting of functions, as ``tf.function`` takes them."""

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"

    @classmethod
    def all(cls) -> tuple[Feature, ...]:
        """All of them."""
        return tuple(cls)

    @classmethod
    def all_but(cls, exclude: Any) -> tuple[Feature, ...]:
        """All but one, or but those of a list."""
        left_out = tuple(exclude) if isinstance(exclude, (list, tuple, set)) else (exclude,)
        return tuple(one for one in cls if one not in left_out)


def do_not_convert(func: Callable | None = None) -> Any:
    """The function itself: no function is rewritten. Also without argument, as a decorator with brackets."""
    if func is None:
        return do_not_convert
    if not callable(func):
        raise TypeError(f"do_not_convert takes a function. Received: {func!r}")
    return func


def set_loop_options(
    parallel_iterations: Any = None,
    swap_memory: Any = None,
    maximum_iterations: Any = None,
    shape_invariants: Any = None,
) -> None:
    """Take options of the loop around the call: Python loops stay Python loops, to which none of them applies."""
