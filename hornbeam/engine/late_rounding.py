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
        written = _selected(equation, sources)
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


def _selected(equation: Any, sources: list[Any]) -> list[Any]:
    """A selection among results that are not rounded before."""
    select = _SELECTIONS[equation.primitive.name]
    operands: list[Any] = []
    for atom, source in zip(equation.invars, sources, strict=True):
        operands += [atom] if source is None else source.invars
    constants = [atom.val if isinstance(atom, Literal) else None for atom in operands]

    def run(*arrays: Array) -> Array:
        given = iter(arrays)
        values = iter([next(given) if constant is None else jnp.asarray(constant) for constant in constants])
        wide = []
        for source in sources:
            count = 1 if source is None else len(source.invars)
            wide.append(_computed(source, [_widened(next(values)) for _ in range(count)]))
        return select(*wide).astype(jnp.bfloat16)

    return written_as(run, [atom for atom in operands if not isinstance(atom, Literal)], equation.outvars)


def _widened(array: Array) -> Array:
    return array.astype(jnp.float32) if array.dtype == jnp.bfloat16 else array


def _computed(source: Any, operands: list[Array]) -> Array:
    if source is None or source.primitive.name == "convert_element_type":
        return operands[0]
    one, other = operands
    return {"sub": jnp.subtract, "mul": jnp.multiply}.get(source.primitive.name, jnp.add)(one, other)
