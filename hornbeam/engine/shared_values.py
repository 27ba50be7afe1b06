"""Values that are computed once although several passes over memory read them.

XLA on the CPU fuses elementwise work into every pass that reads its result, and does it again in each, as it costs
next to nothing. It does cost: the sum of a residual block is read by the next block's convolution and by the next
sum, which computes it again, with the sums before it. The last of six blocks then reads seven arrays where two would
do, and so do gradients. Where a value has to be in memory anyway, because a kernel of a library takes it, it is held
there (``onednn.hold``), and whoever else needs it reads it.
"""

from __future__ import annotations

import math
from typing import Any

import jax

from hornbeam.engine import conv, conv_gradients, gradient_sums, max_pool, moments, onednn, platform
from hornbeam.engine.elementwise import ELEMENTWISE
from hornbeam.engine.flat_program import readers
from hornbeam.engine.jax_compat import Literal, Variable, inner_program

_KERNELS = frozenset(
    (
        conv.CANONICAL,
        conv_gradients.INPUT,
        conv_gradients.KERNEL,
        max_pool.LARGEST,
        moments.NAME,
        gradient_sums.NAME,
        "reduce_sum",
        "dot_general",
    )
)
"""Operations whose operands are in memory."""
_MOVES = frozenset(("broadcast_in_dim", "concatenate", "pad", "reshape", "rev", "slice", "squeeze", "transpose"))
"""Operations that become part of passes as elementwise ones do."""
_LEAST = 32768
"""Elements from which reading an array again costs more than the call that holds it."""
_MOST_SOURCES = 16


def pays(jaxpr: Any) -> bool:
    """True if a program for a single CPU has convolutions that are calls of a library."""
    return onednn.is_available() and platform.is_cpu() and jax.device_count() == 1 and _convolves(jaxpr)


def _convolves(jaxpr: Any) -> bool:
    for equation in jaxpr.eqns:
        if equation.primitive.name == conv.CANONICAL:
            return True
        # Gradients alone count, too: they are convolutions when they are written out.
        inner = inner_program(equation)
        if inner is not None and _convolves(inner.jaxpr):
            return True
    return False


def hold_shared(closed: Any) -> Any:
    """A flat program with shared values held."""
    jaxpr = closed.jaxpr
    takers = readers(jaxpr.eqns)
    sources: dict[Any, frozenset[Any]] = {}
    equations: list[Any] = []
    for equation in jaxpr.eqns:
        found = _sources(equation, sources)
        if found is not None and _is_shared(equation.outvars[0], found, takers):
            result = equation.outvars[0]
            raw = Variable(result.aval)
            equations += [equation.replace(outvars=[raw]), _holding(raw, result)]
            found = None
        else:
            equations.append(equation)
        for result in equation.outvars:
            sources[result] = frozenset((result,)) if found is None else found
    return closed.replace(jaxpr=jaxpr.replace(eqns=equations))


def _size(atom: Any) -> int:
    shape = getattr(atom.aval, "shape", ())
    return math.prod(shape) if all(isinstance(size, int) for size in shape) else 0


def _sources(equation: Any, sources: dict[Any, frozenset[Any]]) -> frozenset[Any] | None:
    """The arrays in memory that a pass reads to compute a result; None if that is in memory itself."""
    name = equation.primitive.name
    if name == "iota":
        return frozenset()
    if name not in ELEMENTWISE and name not in _MOVES:
        return None
    size = _size(equation.outvars[0])
    found: frozenset[Any] = frozenset()
    for atom in equation.invars:
        if not isinstance(atom, Literal):
            # Small ones stay in the processor's cache.
            found |= {one for one in sources.get(atom, {atom}) if 2 * _size(one) >= size}
    return found if len(found) <= _MOST_SOURCES else None


def _is_shared(value: Any, found: frozenset[Any], takers: dict[Any, list[Any]]) -> bool:
    """True if a kernel takes a value, and others would read more than one array to have it too."""
    if len(found) < 2 or _size(value) < _LEAST or value not in takers:
        return False
    by_kernel = [equation.primitive.name in _KERNELS for equation in takers[value]]
    return any(by_kernel) and not all(by_kernel)


def _holding(raw: Any, result: Any) -> Any:
    (equation,) = jax.make_jaxpr(onednn.hold)(jax.ShapeDtypeStruct(raw.aval.shape, raw.aval.dtype)).eqns
    return equation.replace(invars=[raw], outvars=[result])
