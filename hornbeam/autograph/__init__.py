"""``tf.autograph``: Python functions are traced as they are, so there is little to steer here.

What TensorFlow's AutoGraph would rewrite (``if`` and ``while`` on tensors) makes a ``tf.function`` run eagerly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from hornbeam.autograph import experimental
from hornbeam.base.errors import NotSupportedError

__all__ = ["experimental", "set_verbosity", "to_code", "to_graph", "trace"]


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """Set how much is told about functions that are rewritten: as none are, every level tells all there is.

    Args:
        level: 0 or more.
        alsologtostdout: where it would be told.
    """
    if int(level) < 0:
        raise ValueError(f"tf.autograph.set_verbosity: `level` is 0 or more. Received: level={level}")


def trace(*args: Any) -> None:
    """Print values while a function is traced, once per trace."""
    print(*args)


def _refuse(name: str) -> NoReturn:
    raise NotSupportedError(
        f"tf.autograph.{name}: there is no rewritten form of a Python function.\n"
        "  fix:      call the function itself, or compile it with tf.function; use tf.cond and tf.while_loop where a "
        "branch or a loop depends on tensors"
    )


def to_graph(entity: Callable, recursive: bool = True, experimental_optional_features: Any = None) -> NoReturn:
    """Refuse: functions are not rewritten.

    Raises:
        NotSupportedError: always.
    """
    _refuse("to_graph")


def to_code(entity: Callable, recursive: bool = True, experimental_optional_features: Any = None) -> NoReturn:
    """Refuse: functions are not rewritten.

    Raises:
        NotSupportedError: always.
    """
    _refuse("to_code")
