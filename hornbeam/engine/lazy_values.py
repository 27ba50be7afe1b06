"""Programs as values that are computed when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from hornbeam.engine.jax_compat import bind_equation

GROWING = ("add", "max", "min")
"""Operations that grow with an operand."""
ELEMENTWISE = (*GROWING, "gt", "ge", "lt", "le", "eq", "ne", "select_n")
"""Operations that wait until they are asked for."""


class Lazy:
    """An array that is computed when it is asked for.

    Attributes:
        shape: its shape.
        parts: the values that it takes to compute it.
        is_needed: whether some operation takes the whole array.
        number: what it is, if it is a number of the program's text.
        get: gives the array.
    """

    def __init__(
        self, shape: Sequence[Any], make: Callable[[], Any], parts: Sequence[Lazy] = (), number: Any = None
    ) -> None:
        self.shape, self.parts, self.number = tuple(shape), parts, number
        self.is_needed = False
        self.get = once(make)

    def need(self) -> None:
        """Note that some operation takes the whole array."""
        waiting: list[Lazy] = [self]
        while waiting:
            value = waiting.pop()
            if not value.is_needed:
                value.is_needed = True
                waiting.extend(value.parts)


class Spread(Lazy):
    """An array whose elements repeat along axes.

    Attributes:
        source: what it is made of.
        axes: those of the source's axes.
    """

    def __init__(self, equation: Any, source: Lazy) -> None:
        super().__init__(shape_of(equation), lambda: bind_equation(equation, [source.get()])[0], [source])
        self.source, self.axes = source, tuple(equation.params["broadcast_dimensions"])

    @property
    def is_zero(self) -> bool:
        """True if it is known to be zero everywhere."""
        return self.source.number is not None and self.source.number == 0


class Elementwise(Lazy):
    """What an elementwise operation makes of other values.

    Attributes:
        equation: the operation.
        grown: the value that this grows with, if the others are (or may be) the same all over a window.
    """

    def __init__(self, equation: Any, parts: Sequence[Lazy]) -> None:
        super().__init__(shape_of(equation), lambda: bind_equation(equation, [part.get() for part in parts])[0], parts)
        self.equation, dtype = equation, equation.outvars[0].aval.dtype
        full = [part for part in parts if part.shape == self.shape and not isinstance(part, Spread)]
        grows = equation.primitive.name in GROWING and jnp.issubdtype(dtype, jnp.floating)
        self.grown = full[0] if grows and len(full) == 1 else None


def once(make: Callable[[], Any]) -> Callable[[], Any]:
    """``make`` with its result kept."""
    found: list[Any] = []

    def get() -> Any:
        if not found:
            found.append(make())
        return found[0]

    return get


def shape_of(equation: Any) -> tuple[Any, ...]:
    """Shape of an operation's first result."""
    return equation.outvars[0].aval.shape
