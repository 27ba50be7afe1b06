"""``custom_gradient``: functions that say themselves how they are differentiated."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base.errors import NotSupportedError
from hornbeam.core import scopes as scopes_module
from hornbeam.core.backward import execute
from hornbeam.core.frame import isolated
from hornbeam.core.pure import Pure, is_inexact
from hornbeam.core.scopes import scopes
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import is_tracing
from hornbeam.ops.capture import (
    Leaves,
    capture,
    flatten_outputs,
    from_leaves,
    is_wide,
    like,
    to_tensors,
)
from hornbeam.ops.composite import composite

__all__ = ["custom_gradient"]


def custom_gradient(f: Callable) -> Callable:
    """Make a function that brings its own gradient.

    Args:
        f: takes tensors, returns ``(outputs, grad_fn)``. ``grad_fn(*upstream)`` gets one gradient per output tensor
            and returns one gradient per argument of ``f`` (None where there is none). If it takes an argument
            ``variables``, it gets the trainable variables that ``f`` read, and returns
            ``(gradients of arguments, gradients of variables)``.

    Returns:
        Function that returns the outputs only. Keyword arguments count as constants.

    Raises:
        NotSupportedError: when called, if ``f`` assigns variables.

    Example:
        >>> @custom_gradient
        ... def step(x):  # 0 or 1, with the gradient of a sigmoid
        ...     s = ops.sigmoid(x)
        ...     return ops.round(s), lambda upstream: upstream * s * (1 - s)
    """

    @composite
    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not scopes.tapes and not is_tracing():
            return to_tensors(f(*args, **kwargs)[0])
        return _Call(f, args, kwargs).run()

    return wrapped


class _Call:
    """One call of a function with its own gradient, inside a trace or under a tape."""

    def __init__(self, function: Callable, args: tuple, kwargs: dict[str, Any]) -> None:
        self.function, self.kwargs = function, kwargs
        self.given = Leaves(args)
        self.takes_variables = False
        self.tree: Any = None

    def run(self) -> Any:
        given = self.given
        # Values of the gradient are outputs too, so that variables read only in ``grad_fn`` are found.
        program = capture(self._both, given.structs()).program
        if program.writes:
            raise NotSupportedError(
                "custom_gradient: the function assigns the variable "
                f"{program.writes[0].path!r}. Return the new value and assign it outside."
            )
        self.reads = program.reads
        pure = Pure(jax.custom_gradient(self._with_rule), compiled=False)
        values = [*(variable._unlent() for variable in self.reads), *given.arrays]
        variables = [v if self.takes_variables and v.trainable else None for v in self.reads]
        wide = any(is_wide(value) for value in values)
        outputs = execute(pure, [*variables, *given.objects], values, wide)
        return from_leaves(self.tree, [out._value for out in outputs] if given.raw else outputs, given.raw)

    def _call(self, arrays: Any) -> tuple[list, Callable]:
        pair = self.function(*self.given.rebuild(arrays, self.given.raw), **self.kwargs)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not callable(pair[1]):
            raise TypeError("custom_gradient: the function must return a pair (outputs, gradient function).")
        outputs, self.tree = flatten_outputs(pair[0])
        return [like(out, out) for out in outputs], pair[1]

    def _both(self, *arrays: Any) -> list:
        outputs, grad_fn = self._call(arrays)
        gradients = self._gradients(grad_fn, [jnp.ones_like(out) for out in outputs], None)
        return outputs + [part for part in gradients if part is not None]

    def _with_rule(self, *values: Any) -> tuple[list, Callable]:
        state = dict(zip(self.reads, values[: len(self.reads)], strict=True))
        arrays = values[len(self.reads) :]
        with scopes_module.override(tapes=()):
            (outputs, grad_fn), _ = isolated(lambda: self._call(arrays), state)

        def rule(upstream: list) -> tuple:
            with scopes_module.override(tapes=()):
                gradients, _ = isolated(lambda: self._gradients(grad_fn, upstream, self.reads), state)
            return tuple(
                like(gradient, value).reshape(value.shape) if gradient is not None and is_inexact(value) else None
                for gradient, value in zip(gradients, values, strict=True)
            )

        return outputs, rule

    def _gradients(self, grad_fn: Callable, upstream: list, reads: list[Variable] | None) -> list:
        """Gradients of the variables read (if ``reads`` is given), then of the arguments."""
        raw, count = self.given.raw, len(self.given.arrays)
        tensors = from_leaves(jax.tree_util.tree_structure(list(upstream)), upstream, raw)
        parameters = inspect.signature(grad_fn).parameters
        self.takes_variables = "variables" in parameters
        if not _takes(grad_fn, len(tensors)) and _takes(grad_fn, 1):
            tensors = [tuple(tensors)]
        trainable = [v for v in reads or () if v.trainable]
        if self.takes_variables and trainable:
            gradients, of_variables = grad_fn(*tensors, variables=trainable)
            found = dict(zip(trainable, _flat(of_variables, len(trainable)), strict=True))
        elif self.takes_variables and reads is None:
            gradients, found = (), {}
            count = 0
        else:
            gradients, found = grad_fn(*tensors), {}
        return [found.get(v) for v in reads or ()] + _flat(gradients, count)


def _takes(function: Callable, count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    return True


def _flat(gradients: Any, count: int) -> list:
    """Arrays (or None) of what a gradient function returned, which must be ``count``."""
    items = list(gradients) if isinstance(gradients, (tuple, list)) else [gradients]
    items = [leaf for item in items for leaf in (_leaves(item))] if count else []
    if len(items) != count:
        raise ValueError(
            f"custom_gradient: the gradient function must return {count} gradients, received {len(items)}."
        )
    return items


def _leaves(item: Any) -> list:
    if item is None:
        return [None]
    return flatten_outputs(item)[0]
