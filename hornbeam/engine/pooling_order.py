"""Bias and activation after max-pooling instead of before.

``max(relu(y + b))`` over a window is ``relu(max(y) + b)``, to the last bit: rounding keeps the order of numbers. So
what grows with its argument and is the same all over the window (a bias, ReLU) can wait until maxima are taken, which
leaves it a quarter of the work or less. The same holds for gradients: those that pooling sends back are zero but at
the winners, so the mask of ReLU and the sum for the bias need the pooled array only. (Where two elements of a window
differ before the bias is added and not after, the gradient may go to another one of them than without the change.)

A captured program becomes values that are computed when they are asked for; what nobody asks for, now that something
smaller serves, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.engine import max_pool, onednn, platform
from hornbeam.engine.jax_compat import Literal, bind_equation

_CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr"}
_GROWING = ("add", "max", "min")
_ELEMENTWISE = (*_GROWING, "gt", "ge", "lt", "le", "eq", "ne", "select_n")


# --- values --------------------------------------------------------------------------------------
class _Value:
    """An array that is computed when it is asked for.

    Attributes:
        shape: its shape.
        parts: the values that it takes to compute it.
        is_needed: whether some operation takes the whole array.
    """

    def __init__(self, shape: Sequence[Any], make: Callable[[], Any], parts: Sequence[_Value] = ()) -> None:
        self.shape, self.parts, self.is_needed = tuple(shape), parts, False
        self.get = _once(make)

    def need(self) -> None:
        """Note that some operation takes the whole array."""
        if not self.is_needed:
            self.is_needed = True
            for part in self.parts:
                part.need()

    def at_winners(self, pooling: _Maxima) -> Callable[[], Any] | None:
        """What gives the elements at the winners' places, or an array that stretches to them; None if nothing does."""
        if self in pooling.known:
            return pooling.known[self]
        is_even = not self.shape or all(self.shape[axis] == 1 for axis in pooling.spec.window.axes)
        return self.get if is_even else None


class _Spread(_Value):
    """An array whose elements repeat along axes."""

    def __init__(self, equation: Any, source: _Value, is_zero: bool) -> None:
        super().__init__(_shape(equation), lambda: bind_equation(equation, [source.get()])[0], [source])
        self.source, self.axes, self.is_zero = source, equation.params["broadcast_dimensions"], is_zero

    def at_winners(self, pooling: _Maxima) -> Callable[[], Any] | None:
        if self.shape != pooling.spec.shape:
            return super().at_winners(pooling)
        window = pooling.spec.window.axes
        if any(axis in window and size != 1 for axis, size in zip(self.axes, self.source.shape, strict=True)):
            return None
        return lambda: lax.broadcast_in_dim(self.source.get(), pooling.spec.pooled, self.axes)


class _Elementwise(_Value):
    """What an elementwise operation makes of other values.

    Attributes:
        grown: the value that this grows with, if the others are (or may be) the same all over a window.
    """

    def __init__(self, equation: Any, parts: Sequence[_Value]) -> None:
        super().__init__(_shape(equation), lambda: bind_equation(equation, [part.get() for part in parts])[0], parts)
        self._equation = equation
        full = [part for part in parts if part.shape == self.shape and not isinstance(part, _Spread)]
        grows = equation.primitive.name in _GROWING and jnp.issubdtype(equation.outvars[0].aval.dtype, jnp.floating)
        self.grown = full[0] if grows and len(full) == 1 else None

    def at_winners(self, pooling: _Maxima) -> Callable[[], Any] | None:
        if self.shape != pooling.spec.shape:
            return super().at_winners(pooling)
        if self not in pooling.known:
            operands = [part.at_winners(pooling) for part in self.parts]
            if None in operands:
                return None
            pooling.known[self] = _once(lambda: bind_equation(self._equation, [get() for get in operands])[0])  # type: ignore[misc]
        return pooling.known[self]


class _PutBack(_Value):
    """Elements at the winners' places of a pooling, all others being zero.

    Attributes:
        spec: of the pooling.
        pooling: it, if this stands only where the pooling comes first (``otherwise`` gives the array if not).
        part: gives the elements.
    """

    def __init__(
        self,
        spec: max_pool.Pooling,
        winner: _Value,
        part: Callable[[], Any],
        parts: Sequence[_Value],
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

    def __init__(self, operand: _Value, spec: max_pool.Pooling) -> None:
        self.spec, self._operand, self._chain, root = spec, operand, [], operand
        while isinstance(root, _Elementwise) and root.grown is not None:
            self._chain.append(root)
            root = root.grown
        self.known: dict[_Value, Callable[[], Any]] = {root: lambda: self._found()[0]}
        self.may_be_first = bool(self._chain) and operand.at_winners(self) is not None
        self._found = _once(lambda: max_pool.largest((root if self.is_first else operand).get(), spec))
        parts = [root] if self.may_be_first else [operand]
        self.best = _Value(spec.pooled, self._best, parts)
        self.winner = _Value(spec.pooled, lambda: self._found()[1], parts)

    @property
    def is_first(self) -> bool:
        """True if it comes before the growing operations; settled once the whole program is known."""
        return self.may_be_first and not any(link.is_needed for link in self._chain)

    def _best(self) -> Any:
        # Held, or a reshape that follows would become part of the loop and spoil it.
        return onednn.hold(self.known[self._operand]()) if self.is_first else self._found()[0]


def _once(make: Callable[[], Any]) -> Callable[[], Any]:
    found: list[Any] = []

    def get() -> Any:
        if not found:
            found.append(make())
        return found[0]

    return get


def _shape(equation: Any) -> tuple[Any, ...]:
    return equation.outvars[0].aval.shape


# --- whether -------------------------------------------------------------------------------------
def pays(jaxpr: Any) -> bool:
    """True if a program for a single CPU takes maxima over windows, and convolutions are calls of a library.

    XLA's own would take the sparser gradients apart again: they become part of loops over the window.
    """
    return onednn.is_available() and platform.is_cpu() and jax.device_count() == 1 and any(_poolings(jaxpr))


def _poolings(jaxpr: Any) -> Iterator[bool]:
    for equation in jaxpr.eqns:
        if equation.primitive.name == max_pool.LARGEST:
            yield True
        inner = _inner(equation)
        if inner is not None:
            yield from _poolings(inner.jaxpr)


def _inner(equation: Any) -> Any:
    """The program of an equation that does no more than call it."""
    key = _CALLS.get(equation.primitive.name)
    return equation.params.get(key) if key else None


# --- running -------------------------------------------------------------------------------------
def evaluate(closed: Any, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """Results of a captured program."""
    in_order: list[_Value] = []
    known = [_Value(jnp.shape(array), lambda array=array: array) for array in (*consts, *args)]
    results = _build(closed.jaxpr, known, {}, in_order)
    for result in results:
        result.need()
    for value in in_order:
        value.get()
    return [result.get() for result in results]


def _build(jaxpr: Any, inputs: Sequence[_Value], poolings: dict[_Value, _Maxima], in_order: list[_Value]) -> list:
    """Values of a program's results; ``in_order`` gets what must be computed, ``poolings`` whose the winners are."""
    values: dict[Any, _Value] = dict(zip((*jaxpr.constvars, *jaxpr.invars), inputs, strict=True))

    def read(atom: Any) -> _Value:
        return _Value((), lambda: atom.val) if isinstance(atom, Literal) else values[atom]

    for equation in jaxpr.eqns:
        parts, inner = [read(atom) for atom in equation.invars], _inner(equation)
        if inner is not None:
            consts = [_Value(jnp.shape(const), lambda const=const: const) for const in inner.consts]
            results = _build(inner.jaxpr, [*consts, *parts], poolings, in_order)
        else:
            results = _results(equation, parts, poolings) or _whole(equation, parts, in_order)
        values.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _whole(equation: Any, parts: Sequence[_Value], in_order: list[_Value]) -> list[_Value]:
    """Results of an operation that takes its operands as they are."""
    found = _once(lambda: bind_equation(equation, [part.get() for part in parts]))
    for part in parts:
        part.need()
    results = [
        _Value(getattr(variable.aval, "shape", ()), lambda number=number: found()[number])
        for number, variable in enumerate(equation.outvars)
    ]
    in_order.append(results[0] if results else _Value((), found))
    return results


def _results(equation: Any, parts: Sequence[_Value], poolings: dict[_Value, _Maxima]) -> list[_Value] | None:
    name = equation.primitive.name
    if name == "broadcast_in_dim" and len(parts) == 1:
        (atom,) = equation.invars
        return [_Spread(equation, parts[0], isinstance(atom, Literal) and atom.val == 0)]
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
    return [_Elementwise(equation, parts)] if name in _ELEMENTWISE else None


def _masked(equation: Any, parts: Sequence[_Value], poolings: dict[_Value, _Maxima]) -> _Value | None:
    """Elements put back where a mask holds, which is known at the winners' places."""
    sent = [part for part in parts[1:] if isinstance(part, _PutBack)]
    zeros = [part for part in parts[1:] if isinstance(part, _Spread) and part.is_zero]
    if len(parts) != 3 or len(sent) != 1 or len(zeros) != 1:
        return None
    back, pooling = sent[0], poolings.get(sent[0].winner)
    mask = parts[0].at_winners(pooling) if pooling is not None and pooling.may_be_first else None
    if pooling is None or mask is None:
        return None

    def part() -> Any:
        elements = back.part()
        cases = [elements if one is back else jnp.zeros_like(elements) for one in parts[1:]]
        return bind_equation(equation, [mask(), *cases])[0]

    return _PutBack(
        back.spec,
        back.winner,
        _once(part),
        [back],
        pooling,
        lambda: bind_equation(equation, [one.get() for one in parts])[0],
    )


def _summed(equation: Any, back: _PutBack) -> list[_Value] | None:
    """The sum of elements put back, which is the sum of the elements."""
    if not set(back.spec.window.axes) <= set(equation.params["axes"]):
        return None

    def make() -> Any:
        return bind_equation(equation, [back.part() if back.stands else back.get()])[0]

    return [_Value(_shape(equation), make, [back])]
