"""Captured programs without calls of other programs, for passes that look at the whole of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax

from hornbeam.engine.jax_compat import Literal, Variable, called_program


def flatten(closed: Any) -> Any:
    """The program with those it calls written out in it, and with their constants behind its own."""
    consts: list[Any] = []
    variables: list[Any] = []
    jaxpr = closed.jaxpr
    names: dict[Any, Any] = {atom: atom for atom in (*jaxpr.constvars, *jaxpr.invars)}
    equations = list(_written_out(jaxpr, names, variables, consts))
    outvars = [_renamed(atom, names) for atom in jaxpr.outvars]
    changed = jaxpr.replace(constvars=[*jaxpr.constvars, *variables], outvars=outvars, eqns=equations)
    return closed.replace(jaxpr=changed, consts=[*closed.consts, *consts])


def _renamed(atom: Any, names: dict[Any, Any]) -> Any:
    return atom if isinstance(atom, Literal) else names[atom]


def _written_out(jaxpr: Any, names: dict[Any, Any], variables: list[Any], consts: list[Any]) -> Iterator[Any]:
    for equation in jaxpr.eqns:
        operands = [_renamed(atom, names) for atom in equation.invars]
        inner = called_program(equation)
        if inner is None:
            # A program may be called twice, so each call gets variables of its own.
            names.update((atom, Variable(atom.aval)) for atom in equation.outvars)
            yield equation.replace(invars=operands, outvars=[names[atom] for atom in equation.outvars])
            continue
        constvars = [Variable(atom.aval) for atom in inner.jaxpr.constvars]
        variables.extend(constvars)
        consts.extend(inner.consts)
        local = dict(zip((*inner.jaxpr.constvars, *inner.jaxpr.invars), (*constvars, *operands), strict=True))
        yield from _written_out(inner.jaxpr, local, variables, consts)
        results = [_renamed(atom, local) for atom in inner.jaxpr.outvars]
        names.update(zip(equation.outvars, results, strict=True))


def written_as(function: Callable, operands: Sequence[Any], results: Sequence[Any]) -> list[Any]:
    """The operations of a function of arrays, on these atoms of a program and with these variables for its results.

    Each result has to be one that the function computes, not an operand as it is.
    """
    avals = [jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype) for atom in operands]
    closed = flatten(jax.make_jaxpr(function)(*avals))
    assert not closed.consts, "constants of the function would be lost"
    names = dict(zip(closed.jaxpr.invars, operands, strict=True))
    names |= dict(zip(closed.jaxpr.outvars, results, strict=True))

    def renamed(atom: Any) -> Any:
        return atom if isinstance(atom, Literal) else names.setdefault(atom, Variable(atom.aval))

    return [
        equation.replace(
            invars=[renamed(atom) for atom in equation.invars], outvars=[renamed(atom) for atom in equation.outvars]
        )
        for equation in closed.jaxpr.eqns
    ]


def readers(equations: Sequence[Any]) -> dict[Any, list[Any]]:
    """The operations that take a value, by value."""
    found: dict[Any, list[Any]] = {}
    for equation in equations:
        for atom in equation.invars:
            if not isinstance(atom, Literal):
                found.setdefault(atom, []).append(equation)
    return found


def makers(equations: Sequence[Any]) -> dict[Any, Any]:
    """The operation that computes a value, by value."""
    return {result: equation for equation in equations for result in equation.outvars}
