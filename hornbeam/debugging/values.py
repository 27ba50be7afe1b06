"""Assertions about values. Eagerly they raise at once; inside compiled functions when the program has run so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.core.arguments import value_of
from hornbeam.core.host_failures import remembering
from hornbeam.errors import InvalidArgumentError
from hornbeam.math.arithmetic import equal
from hornbeam.tensors.face import is_known, tensor, tensors

__all__ = [
    "Assert",
    "assert_all_finite",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "require",
]


def require(condition: Any, text: Callable[..., str], *shown: Any) -> None:
    """Raise unless a condition holds everywhere.

    Args:
        condition: tensor of bools.
        text: makes the message of the values of ``shown``.
        *shown: tensors that the message speaks of.
    """
    items = [tensor(item) for item in shown]
    flag = ops.all(condition)
    if is_known(flag):
        if not bool(flag):
            raise InvalidArgumentError(None, None, text(*(item.numpy() for item in items)))
        return

    def check(held: Any, *values: Any) -> None:
        if not held:
            raise InvalidArgumentError(None, None, text(*values))

    jax.debug.callback(remembering(check), value_of(flag), *(value_of(item) for item in items))


def _first(values: Any, summarize: int | None) -> tuple[str, np.ndarray]:
    flat = np.reshape(values, -1)
    count = 3 if summarize is None else summarize
    return f"First {min(count, flat.size)} elements" if count >= 0 else "All elements", flat[
        : count if count >= 0 else None
    ]


def _about(name: str, values: Any, summarize: int | None) -> str:
    words, part = _first(values, summarize)
    return f"{words} of {name}: {part}"


def _compare(x: Any, y: Any, holds: Callable, sign: str, message: str | None, summarize: int | None) -> None:
    def text(a: Any, b: Any) -> str:
        lines = [
            message or "",
            f"Condition x {sign} y did not hold.",
            _about("x", a, summarize),
            _about("y", b, summarize),
        ]
        return "\n".join(line for line in lines if line)

    x, y = tensors(x, y)
    require(holds(x, y), text, x, y)


def assert_equal(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless ``x == y`` everywhere.

    Args:
        x: tensor.
        y: tensor that broadcasts with ``x``.
        message: text to put in front of the error's.
        summarize: number of elements to show.

    Raises:
        tf.errors.InvalidArgumentError: the condition does not hold.
    """
    _compare(x, y, equal, "==", message, summarize)


def assert_none_equal(
    x: Any, y: Any, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> None:
    """Raise unless ``x != y`` everywhere; see ``assert_equal``."""
    _compare(x, y, lambda a, b: ops.logical_not(equal(a, b)), "!=", message, summarize)


def assert_less(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless ``x < y`` everywhere; see ``assert_equal``."""
    _compare(x, y, ops.less, "<", message, summarize)


def assert_less_equal(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless ``x <= y`` everywhere; see ``assert_equal``."""
    _compare(x, y, ops.less_equal, "<=", message, summarize)


def assert_greater(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless ``x > y`` everywhere; see ``assert_equal``."""
    _compare(x, y, ops.greater, ">", message, summarize)


def assert_greater_equal(
    x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless ``x >= y`` everywhere; see ``assert_equal``."""
    _compare(x, y, ops.greater_equal, ">=", message, summarize)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raise unless ``|x - y| <= atol + rtol * |y|`` everywhere; both are 10 times the rounding error by default."""
    x, y = tensors(x, y)
    small = 10 * float(jax.numpy.finfo(x.dtype.as_numpy_dtype).eps) if x.dtype.is_floating else 0.0
    rtol, atol = (small if value is None else value for value in (rtol, atol))

    def near(a: Any, b: Any) -> Any:
        return ops.less_equal(ops.absolute(ops.subtract(a, b)), ops.add(atol, ops.multiply(rtol, ops.absolute(b))))

    _compare(x, y, near, f"~= (rtol={rtol}, atol={atol})", message, summarize)


def _sign(x: Any, holds: Callable, sign: str, message: str | None, summarize: int | None) -> None:
    def text(values: Any) -> str:
        lines = [message or "", f"Condition x {sign} 0 did not hold element-wise:", _about("x", values, summarize)]
        return "\n".join(line for line in lines if line)

    x = tensor(x)
    require(holds(x, 0), text, x)


def assert_positive(x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raise unless all elements are above 0; see ``assert_equal``."""
    _sign(x, ops.greater, ">", message, summarize)


def assert_negative(x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> None:
    """Raise unless all elements are below 0; see ``assert_equal``."""
    _sign(x, ops.less, "<", message, summarize)


def assert_non_negative(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless no element is below 0; see ``assert_equal``."""
    _sign(x, ops.greater_equal, ">=", message, summarize)


def assert_non_positive(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless no element is above 0; see ``assert_equal``."""
    _sign(x, ops.less_equal, "<=", message, summarize)


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Any:
    """The tensor itself; raise if it holds NaN or infinity."""
    x = tensor(x)
    require(ops.isfinite(x), lambda values: f"{message} : Tensor had {_kinds(values)} values", x)
    return x


def _kinds(values: Any) -> str:
    found = [word for word, test in (("NaN", np.isnan), ("Inf", np.isinf)) if test(values).any()]
    return " and ".join(found)


def Assert(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> None:
    """Raise, showing ``data``, unless a condition holds.

    Args:
        condition: scalar or tensor of bools.
        data: list of tensors to show.
        summarize: number of elements of each to show.
    """
    items = [item for item in data if not isinstance(item, str)]

    def text(*values: Any) -> str:
        queue = iter(values)
        parts = [item if isinstance(item, str) else str(_first(next(queue), summarize)[1]) for item in data]
        return f"Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true. Summarized data: {' '.join(parts)}"

    require(ops.cast(tensor(condition), dtypes.as_dtype("bool")), text, *items)
