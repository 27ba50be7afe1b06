"""Bias and activation after max-pooling instead of before.

``max(relu(y + b))`` over a window is ``relu(max(y) + b)``, to the last bit: rounding keeps the order of numbers. So
what grows with its argument and is the same all over the window (a bias, ReLU) can wait until maxima are taken, which
leaves it a quarter of the work or less. The same holds for gradients: those that pooling sends back are zero but at
the winners, so the mask of ReLU and the sum for the bias need the pooled array only. (Where two elements of a window
differ before the bias is added and not after, the gradient may go to another one of them than without the change; and
-infinity in a window does not meet a bias of +infinity, which would make NaN.)

A captured program becomes values that are computed when they are asked for; what nobody asks for, now that something
smaller serves, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.engine import max_pool, onednn, platform
from hornbeam.engine.jax_compat import Literal, bind_equation, called_program
from hornbeam.engine.lazy_values import ELEMENTWISE, Elementwise, Lazy, Spread, once, shape_of

_LONGEST = 16
"""Growing operations before a pooling; of more the rest is done before it."""


# --- poolings ------------------------------------------------------------------------------------
class _PutBack(Lazy):
    """Elements at the winners' places of a pooling, all others being zero.

    Attributes:
        spec: of the pooling.
        pooling: it, if this stands only where the pooling comes first (``otherwise`` gives the array if not).
        part: gives the elements.
    """

    def __init__(
        self,
        spec: max_pool.Pooling,
        winner: Lazy,
        part: Callable[[], Any],
        parts: Sequence[Lazy],
        pooling: _Maxima | None = None,
        otherwise: Callable[[], Any] | None = None,
    ) -> None:
        def make() -> Any:
            if otherwise is not None and not self.stands:
                return otherwise()
            return max_pool.put_back(part(), winner.get(), spec)

        super().__init__(spec.shape, make, parts)
        self.spec, self.winner, self.part, self.pooling = spec, winner, part, pooling

    @property
    def stands(self) -> bool:
        """True if ``part`` may be used."""
        return self.pooling is None or self.pooling.is_first


class _Maxima:
    """A max-pooling, and the growing operations before it.

    Attributes:
        spec: what it is.
        known: what gives the elements at the winners' places, for some values of the full shape.
    """

    def __init__(self, operand: Lazy, spec: max_pool.Pooling) -> None:
        self.spec, self._operand, self._chain, root = spec, operand, [], operand
        while isinstance(root, Elementwise) and root.grown is not None and len(self._chain) < _LONGEST:
            self._chain.append(root)
            root = root.grown
        self.known: dict[Lazy, Callable[[], Any]] = {root: lambda: self._found()[0]}
        # A window that holds padding alone has no winner to whose place the rest could be done.
        window = spec.window
        holds_some = all(max(pads) < size for pads, size in zip(window.padding, window.sizes, strict=True))
        self.may_be_first = bool(self._chain) and holds_some and self.at_winners(operand) is not None
        self._found = once(lambda: max_pool.largest((root if self.is_first else operand).get(), spec))
        parts = [root] if self.may_be_first else [operand]
        self.best = Lazy(spec.pooled, self._best, parts)
        self.winner = Lazy(spec.pooled, lambda: self._found()[1], parts)

    def at_winners(self, value: Lazy) -> Callable[[], Any] | None:
        """What gives a value at the winners' places, or an array that stretches to them; None if nothing does."""
        spec = self.spec
        window = spec.window.axes
        if value in self.known:
            return self.known[value]
        if value.shape != spec.shape:
            is_even = not value.shape or all(value.shape[axis] == 1 for axis in window)
            return value.get if is_even else None
        if isinstance(value, Spread):
            source, axes = value.source, value.axes
            if any(axis in window and size != 1 for axis, size in zip(axes, source.shape, strict=True)):
                return None
            return lambda: lax.broadcast_in_dim(source.get(), spec.pooled, axes)
        if isinstance(value, Elementwise):
            operands = [self.at_winners(part) for part in value.parts]
            if None in operands:
                return None
            self.known[value] = once(lambda: bind_equation(value.equation, [get() for get in operands])[0])  # type: ignore[misc]
            return self.known[value]
        return None

    @property
    def is_first(self) -> bool:
        """True if it comes before the growing operations; settled once the whole program is known."""
        return self.may_be_first and not any(link.is_needed for link in self._chain)

    def _best(self) -> Any:
        # Held, or a reshape that follows would become part of the loop and spoil it.
        return onednn.hold(self.known[self._operand]()) if self.is_first else self._found()[0]


# --- whether -------------------------------------------------------------------------------------
def pays(jaxpr: Any) -> bool:
    """True if a program for a single CPU takes maxima over windows, and convolutions are calls of a library.

    XLA's own would take the sparser gradients apart again: they become part of loops over the window.
    """
    return onednn.is_available() and platform.is_cpu() and jax.device_count() == 1 and _pools(jaxpr)


def _pools(jaxpr: Any) -> bool:
    for equation in jaxpr.eqns:
        inner = called_program(equation)
        if equation.primitive.name == max_pool.LARGEST or (inner is not None and _pools(inner.jaxpr)):
            return True
    return False


# --- running -------------------------------------------------------------------------------------
def evaluate(closed: Any, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """Results of a captured program."""
    in_order: list[Lazy] = []
    known = [Lazy(jnp.shape(array), lambda array=array: array) for array in (*consts, *args)]
    results = _build(closed.jaxpr, known, {}, in_order)
    for result in results:
        result.need()
    for value in in_order:
        # In the order of the program, so that long chains do not become deep calls.
        if value.is_needed:
            value.get()
    return [result.get() for result in results]


def _build(jaxpr: Any, inputs: Sequence[Lazy], poolings: dict[Lazy, _Maxima], in_order: list[Lazy]) -> list[Lazy]:
    """Values of a program's results; ``in_order`` gets what must be computed, ``poolings`` whose the winners are."""
    values: dict[Any, Lazy] = dict(zip((*jaxpr.constvars, *jaxpr.invars), inputs, strict=True))

    def read(atom: Any) -> Lazy:
        return Lazy((), lambda: atom.val, number=atom.val) if isinstance(atom, Literal) else values[atom]

    for equation in jaxpr.eqns:
        parts, inner = [read(atom) for atom in equation.invars], called_program(equation)
        if inner is not None:
            consts = [Lazy(jnp.shape(const), lambda const=const: const) for const in inner.consts]
            results = _build(inner.jaxpr, [*consts, *parts], poolings, in_order)
        else:
            results = _results(equation, parts, poolings) or _whole(equation, parts)
            # An operation without results is there for its effect: it has its place in the order, too.
            in_order.extend(results or [_effect(equation, parts)])
        values.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _whole(equation: Any, parts: Sequence[Lazy]) -> list[Lazy]:
    """Results of an operation that takes its operands as they are."""
    found = once(lambda: bind_equation(equation, [part.get() for part in parts]))
    results = [
        Lazy(getattr(variable.aval, "shape", ()), lambda number=number: found()[number], parts)
        for number, variable in enumerate(equation.outvars)
    ]
    for result in results:
        result.need()
    return results


def _effect(equation: Any, parts: Sequence[Lazy]) -> Lazy:
    effect = Lazy((), lambda: bind_equation(equation, [part.get() for part in parts]), parts)
    effect.need()
    return effect


def _results(equation: Any, parts: Sequence[Lazy], poolings: dict[Lazy, _Maxima]) -> list[Lazy] | None:
    name = equation.primitive.name
    if name == "broadcast_in_dim" and len(parts) == 1:
        return [Spread(equation, parts[0])]
    if name == max_pool.LARGEST:
        pooling = _Maxima(parts[0], equation.params["spec"])
        poolings[pooling.winner] = pooling
        return [pooling.best, pooling.winner]
    if name == max_pool.PUT_BACK:
        return [_PutBack(equation.params["spec"], parts[1], parts[0].get, parts)]
    if name == "select_n":
        masked = _masked(equation, parts, poolings)
        if masked is not None:
            return [masked]
    if name == "reduce_sum" and isinstance(parts[0], _PutBack):
        return _summed(equation, parts[0])
    return [Elementwise(equation, parts)] if name in ELEMENTWISE else None


def _masked(equation: Any, parts: Sequence[Lazy], poolings: dict[Lazy, _Maxima]) -> Lazy | None:
    """Elements put back where a mask holds, which is known at the winners' places."""
    sent = [part for part in parts[1:] if isinstance(part, _PutBack)]
    zeros = [part for part in parts[1:] if isinstance(part, Spread) and part.is_zero]
    if len(parts) != 3 or len(sent) != 1 or len(zeros) != 1:
        return None
    back, pooling = sent[0], poolings.get(sent[0].winner)
    mask = pooling.at_winners(parts[0]) if pooling is not None and pooling.may_be_first else None
    if pooling is None or mask is None:
        return None

    def part() -> Any:
        elements = back.part()
        cases = [elements if one is back else jnp.zeros_like(elements) for one in parts[1:]]
        return bind_equation(equation, [mask(), *cases])[0]

    return _PutBack(
        back.spec,
        back.winner,
        once(part),
        back.parts,
        pooling,
        lambda: bind_equation(equation, [one.get() for one in parts])[0],
    )


def _summed(equation: Any, back: _PutBack) -> list[Lazy] | None:
    """The sum of elements put back, which is the sum of the elements."""
    if not set(back.spec.window.axes) <= set(equation.params["axes"]):
        return None

    def make() -> Any:
        return bind_equation(equation, [back.part() if back.stands else back.get()])[0]

    return [Lazy(shape_of(equation), make, back.parts)]
