"""bfloat16 rounded once, after what only selects among rounded numbers.

XLA on the CPU computes in float32 and rounds the result of every operation to bfloat16, by a dozen instructions per
element, which is most of the work in a pass over memory. The larger of two rounded numbers is the rounded larger one.
So ``relu`` of a rounded result, and what a gradient keeps of it, need one rounding, not two. All numbers stay the same.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from hornbeam.engine import conv, conv_gradients, onednn
from hornbeam.engine.flat_program import makers, readers, written_as
from hornbeam.engine.jax_compat import Literal

_SELECTIONS = {"max": jnp.maximum, "min": jnp.minimum, "select_n": jax.lax.select_n}
_SUMS = ("add", "add_any", "sub", "mul")
"""Operations that XLA does in float32 and rounds."""


def postpone(closed: Any) -> Any:
    """A flat program in which selections come before rounding."""
    jaxpr = closed.jaxpr
    takers, made_by = readers(jaxpr.eqns), makers(jaxpr.eqns)
    kept = {atom for atom in jaxpr.outvars if not isinstance(atom, Literal)}
    unrounded: set[Any] = set()  # results of operations that became part of a selection
    equations: list[Any] = []
    for equation in jaxpr.eqns:
        selects = equation.primitive.name in _SELECTIONS
        sources = [_source(atom, made_by, takers, kept) if selects else None for atom in equation.invars]
        if not any(sources):
            equations.append(equation)
            continue
        unrounded.update(source.outvars[0] for source in sources if source is not None)
        written = _selected(equation, sources, made_by)
        made_by |= makers(written)  # a selection among results of this one
        equations += written
    if not unrounded:
        return closed
    equations = [equation for equation in equations if unrounded.isdisjoint(equation.outvars)]
    return closed.replace(jaxpr=jaxpr.replace(eqns=equations))


def _is_narrow(atom: Any) -> bool:
    return atom.aval.dtype == jnp.bfloat16


def _source(atom: Any, made_by: dict[Any, Any], takers: dict[Any, list[Any]], kept: set[Any]) -> Any:
    """The operation whose rounded result nobody else reads; None if this is something else."""
    if isinstance(atom, Literal) or not _is_narrow(atom) or atom in kept or len(takers[atom]) > 1:
        return None
    maker = made_by.get(atom)
    if maker is None or atom.aval.ndim == 0:
        return None
    if maker.primitive.name == "convert_element_type":
        return maker if maker.invars[0].aval.dtype == jnp.float32 else None
    return maker if maker.primitive.name in _SUMS and all(map(_is_narrow, maker.invars)) else None


def _selected(equation: Any, sources: list[Any], made_by: dict[Any, Any]) -> list[Any]:
    """A selection among results that are not rounded before."""
    select = _SELECTIONS[equation.primitive.name]
    operands: list[Any] = []
    for atom, source in zip(equation.invars, sources, strict=True):
        operands += [atom] if source is None else source.invars
    constants = [atom.val if isinstance(atom, Literal) else None for atom in operands]
    computed = [_is_computed(atom, made_by) for atom in operands]

    def run(*arrays: Array) -> Array:
        given = iter(arrays)
        values = [next(given) if constant is None else jnp.asarray(constant) for constant in constants]
        wide = iter([_widened(value, is_computed) for value, is_computed in zip(values, computed, strict=True)])
        count = [1 if source is None else len(source.invars) for source in sources]
        chosen = [_without_rounding(one, [next(wide) for _ in range(n)]) for one, n in zip(sources, count, strict=True)]
        return select(*chosen).astype(jnp.bfloat16)

    return written_as(run, [atom for atom in operands if not isinstance(atom, Literal)], equation.outvars)


def _is_computed(atom: Any, made_by: dict[Any, Any]) -> bool:
    """True for results of the program's own operations; not for arguments, nor for what a library's kernel writes."""
    maker = None if isinstance(atom, Literal) else made_by.get(atom)
    return maker is not None and not _is_kernel(maker)


def _is_kernel(equation: Any) -> bool:
    name, spec = equation.primitive.name, equation.params.get("spec")
    if name not in (conv.CANONICAL, conv_gradients.INPUT):
        return False
    left, right = (atom.aval for atom in equation.invars)
    dtypes = left.dtype, right.dtype
    if name == conv.CANONICAL:
        return onednn.takes(onednn.FORWARD, left.shape, right.shape, spec, dtypes)
    return onednn.takes(onednn.INPUT, spec.shape, right.shape, spec.geometry, dtypes)


def _widened(array: Array, is_computed: bool) -> Array:
    if array.dtype != jnp.bfloat16:
        return array
    # Left alone, XLA drops a rounding that it sees to be followed by widening; it does not see into kernels.
    wide = array.astype(jnp.float32)
    return jax.lax.reduce_precision(wide, exponent_bits=8, mantissa_bits=7) if is_computed else wide


def _without_rounding(source: Any, operands: list[Array]) -> Array:
    """What a source computes of its widened operands; of none, the operand itself."""
    if source is None or source.primitive.name == "convert_element_type":
        return operands[0]
    one, other = operands
    return {"sub": jnp.subtract, "mul": jnp.multiply}.get(source.primitive.name, jnp.add)(one, other)
