"""``Pure`` functions: what a gradient tape differentiates.

The forward pass of a pure function is one compiled program that also returns the pullback (which JAX makes a
pytree, so it crosses ``jit``); its backward pass is another. Nothing is traced twice for equal shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base.errors import NotSupportedError, explain

_NO_WAY_BACK = "Reverse-mode differentiation does not work for lax.while_loop"
"""How JAX begins its message."""


class Pure:
    """A pure function of arrays with its compiled forms: plain, with residuals, and backward.

    Args:
        function: takes arrays, returns a list of arrays.
        compiled: False if the function must not be compiled (user code that runs as written).
    """

    __slots__ = ("_backward", "_compiled", "_forward", "function", "out_tree", "plain")

    def __init__(self, function: Callable[..., list], compiled: bool = True) -> None:
        self.function = function
        self.out_tree: Any = None
        self._compiled = compiled
        self.plain = jax.jit(function) if compiled else function
        self._forward: dict[tuple, Callable] = {}
        self._backward: dict[tuple, Pure] = {}

    def forward(self, wrt: tuple[int, ...], traced: bool) -> Callable:
        """Function ``(*args) -> (outputs, pullback)`` that differentiates the arguments at ``wrt``."""
        made = self._forward.get((wrt, traced))
        if made is None:
            function = self.function

            def with_pullback(*args: Any) -> tuple[list, Any]:
                def of_wrt(*chosen: Any) -> tuple[list, list]:
                    filled = list(args)
                    for position, value in zip(wrt, chosen, strict=True):
                        filled[position] = value
                    outputs = function(*filled)
                    inexact = [is_inexact(out) for out in outputs]
                    return (
                        [out for out, keep in zip(outputs, inexact, strict=True) if keep],
                        [out for out, keep in zip(outputs, inexact, strict=True) if not keep]
                        + [inexact_marks(inexact)],
                    )

                floats, pullback, rest = jax.vjp(of_wrt, *(args[i] for i in wrt), has_aux=True)
                marks = rest.pop()
                floats, rest = iter(floats), iter(rest)
                return [next(floats) if keep else next(rest) for keep in marks.flags], pullback

            made = with_pullback if traced or not self._compiled else jax.jit(with_pullback)
            self._forward[(wrt, traced)] = made
        return made

    def backward(self, wrt: tuple[int, ...], present: tuple[bool, ...]) -> Pure:
        """The pure function ``(*args, *cotangents) -> gradients`` at ``wrt``, for second derivatives."""
        made = self._backward.get((wrt, present))
        if made is None:
            n_cotangents = sum(present)

            def recompute_and_pull(*values: Any) -> list:
                args = values[: len(values) - n_cotangents]
                given = iter(values[len(values) - n_cotangents :])
                outputs, pullback = self.forward(wrt, True)(*args)
                floats = [out for out in outputs if is_inexact(out)]
                cotangents = [
                    next(given) if has else jnp.zeros_like(out) for out, has in zip(floats, present, strict=True)
                ]
                return list(pull_back(pullback, cotangents))

            made = self._backward[(wrt, present)] = Pure(recompute_and_pull, self._compiled)
        return made


def pull_back(pullback: Callable, cotangents: list) -> Any:
    """Apply a pullback.

    Raises:
        NotSupportedError: the way back leads through a loop of unknown length.
    """
    try:
        return pullback(cotangents)
    except ValueError as error:
        if not str(error).startswith(_NO_WAY_BACK):
            raise
        raise NotSupportedError(
            explain(
                "A gradient is asked for through a compiled loop whose number of steps is not known before it runs.",
                expected="a loop with a bound, so that the values of every step can be kept for the way back",
                received="while_loop without `maximum_iterations`, or fori_loop with bounds that are tensors",
                fix="give while_loop a Python number as `maximum_iterations`, use fori_loop with Python numbers or "
                "scan, or run the loop eagerly (run_eagerly=True)",
            )
        ) from error


class inexact_marks:
    """Which outputs are floating; travels through a trace as structure, not as data."""

    def __init__(self, flags: Sequence[bool]) -> None:
        self.flags = tuple(flags)


jax.tree_util.register_pytree_node(
    inexact_marks, lambda marks: ((), marks.flags), lambda flags, _: inexact_marks(flags)
)


def is_inexact(array: Any) -> bool:
    """True for arrays that carry gradients: float and complex ones."""
    dtype = array.dtype
    return dtype.kind in "fc" or (dtype.kind == "V" and "float" in dtype.name)
