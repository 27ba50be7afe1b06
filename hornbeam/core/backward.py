"""Running and recording pure functions, and pulling cotangents back through them.

A backward step on plain arrays applies the stored pullback. While another tape is still open (second
derivatives) it runs as a taped call of its own, "recompute, then pull back", which that tape can differentiate.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.pure import Pure, is_inexact, pull_back
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.engine.jax_compat import Tracer, wide_types

_nothing = nullcontext()
sum_two = Pure(lambda a, b: [a + b])


class Node:
    """One recorded call."""

    __slots__ = ("args", "inputs", "outputs", "pullback", "pure", "traced", "wrt")

    def __init__(
        self, pure: Pure, args: Sequence, inputs: list, wrt: tuple, outputs: list, pullback: Any, traced: bool
    ):
        self.pure, self.args, self.inputs, self.wrt = pure, args, inputs, wrt
        self.outputs, self.pullback, self.traced = outputs, pullback, traced


def _seen(tapes: tuple, objects: Sequence[Any], values: Sequence[Any]) -> tuple[int, ...]:
    """Places of the floating arguments that some tape watches."""
    if len(tapes) == 1:
        sees = tapes[0]._sees
        return tuple([i for i, item in enumerate(objects) if item is not None and sees(item) and is_inexact(values[i])])
    return tuple(
        i
        for i, item in enumerate(objects)
        if item is not None and any(tape._sees(item) for tape in tapes) and is_inexact(values[i])
    )


def watched(consts: Sequence[Any]) -> list[Any]:
    """For each array that a function closed over, the tensor under a tape's watch that holds it, or None."""
    if not scopes.tapes or not consts:
        return [None] * len(consts)
    holders = {
        id(item._value): item for tape in scopes.tapes for item in tape._live.values() if isinstance(item, Tensor)
    }
    return [holders.get(id(const)) for const in consts]


def execute(pure: Pure, objects: Sequence[Any], values: Sequence[Any], wide: bool = False) -> list[Any]:
    """Run a pure function on values, recording it on every tape that watches one of the objects.

    Args:
        pure: the function.
        objects: for each argument the Tensor or Variable it came from, or None.
        values: the arrays themselves.
        wide: run with 64-bit dtypes kept.

    Returns:
        Output tensors.
    """
    tapes = scopes.tapes
    seen = _seen(tapes, objects, values)
    if not seen:
        with wide_types(True) if wide else _nothing:
            return [wrap(out) for out in pure.plain(*values)]
    traced = any(isinstance(value, Tracer) for value in values)
    if traced:
        # Outside ``jit`` Python numbers stay what they are; functions expect weak-typed arrays.
        values = [jnp.asarray(value) if type(value) in (int, float, complex) else value for value in values]
    with wide_types(True) if wide else _nothing:
        arrays, pullback = pure.forward(seen, traced)(*values)
    outputs = [wrap(out) for out in arrays]
    node = Node(pure, values, [objects[i] for i in seen], seen, outputs, pullback, traced)
    if len(tapes) == 1:
        tapes[0]._record(node)
        return outputs
    for tape in tapes:
        if any(tape._sees(item) for item in node.inputs):
            tape._record(node)
    return outputs


@jax.jit
def _pull(pullback: Any, cotangents: list, outputs: list) -> Any:
    filled = [jnp.zeros_like(out) if ct is None else ct for ct, out in zip(cotangents, outputs, strict=True)]
    return pull_back(pullback, filled)


class PlainSteps:
    """Backward steps on arrays, for when no other tape is recording."""

    def __init__(self, inside_trace: bool = False) -> None:
        self._inside_trace = inside_trace

    def lift(self, seed: Any, weight: Any = None) -> Any:
        return seed

    def add(self, found: dict[int, Any], key: int, gradient: Any) -> None:
        before = found.get(key)
        found[key] = gradient if before is None else sum_two.plain(before, gradient)[0]

    def pull(self, node: Node, cotangents: list) -> Any:
        outputs = [out._value for out in node.outputs if is_inexact(out._value)]
        wide = any(array.dtype.itemsize == 8 for array in outputs)
        with wide_types(True) if wide else _nothing:
            if node.traced or self._inside_trace or not node.pure._compiled:
                filled = [jnp.zeros_like(o) if ct is None else ct for ct, o in zip(cotangents, outputs, strict=True)]
                return pull_back(node.pullback, filled)
            return _pull(node.pullback, cotangents, outputs)


class TapedSteps:
    """Backward steps on tensors, recorded by the tapes that are still open."""

    def lift(self, seed: Any, weight: Any = None) -> Tensor:
        if isinstance(weight, Tensor) and tuple(weight.shape) == tuple(seed.shape):
            return weight
        return wrap(seed)

    def add(self, found: dict[int, Any], key: int, gradient: Tensor) -> None:
        before = found.get(key)
        if before is not None:
            gradient = execute(sum_two, [before, gradient], [before._value, gradient._value])[0]
        found[key] = gradient

    def pull(self, node: Node, cotangents: list) -> list[Tensor]:
        present = tuple(ct is not None for ct in cotangents)
        given = [ct for ct in cotangents if ct is not None]
        objects: list[Any] = [None] * len(node.args)
        for position, item in zip(node.wrt, node.inputs, strict=True):
            objects[position] = item
        values = [*node.args, *(ct._value for ct in given)]
        wide = any(getattr(value, "dtype", None) is not None and value.dtype.itemsize == 8 for value in values)
        return execute(node.pure.backward(node.wrt, present), [*objects, *given], values, wide)


def stack_taped(rows: list, shape: tuple[int, ...]) -> Any:
    """Rows of a jacobian as one tensor of shape ``shape + row.shape``, recorded; None if there is no gradient."""
    if any(row is None for row in rows):
        return None
    pure = Pure(lambda *parts: [jnp.stack(parts).reshape(shape + parts[0].shape)])
    return execute(pure, rows, [row._value for row in rows])[0]
