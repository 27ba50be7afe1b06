"""Gradients of arrays whose mean and variance are measured, with fewer passes over memory.

What BatchNormalization gets back is summed up twice per channel, as it is and times the array: one operation does both
(``engine.gradient_sums``). What it passes on is summed up for a bias before it, although that sum follows from the
others: the distances from the mean add up to zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
from jax import Array

from hornbeam.engine import moments
from hornbeam.engine.channel_patterns import per_channel, summed_lines
from hornbeam.engine.flat_program import makers, written_as
from hornbeam.engine.gradient_sums import gradient_sums
from hornbeam.engine.jax_compat import Literal, Variable


def fuse(closed: Any) -> Any:
    """A flat program in which those sums are taken together, or follow from others."""
    program = _Program(closed.jaxpr.eqns)
    if not program.means:
        return closed
    return closed.replace(jaxpr=closed.jaxpr.replace(eqns=list(program.rewritten())))


class _Program:
    def __init__(self, equations: Any) -> None:
        self.equations = equations
        self.makers = makers(equations)
        found = [equation for equation in equations if equation.primitive.name == moments.NAME]
        self.means = {equation.invars[0]: equation.outvars[0] for equation in found}
        """Measured arrays, as they lie in memory, to their means."""
        self.sums: dict[Any, list[Any]] = {}
        """Gradients, as they lie in memory, to what is to hold their sums."""
        self.known: dict[Any, Any] = {}
        """Gradients to the first such sum."""
        for equation in equations:
            operand = summed_lines(equation)
            if operand is not None and equation.outvars[0].aval.dtype == jnp.float32:
                self.sums.setdefault(self.stored(operand), []).append(equation.outvars[0])
        self.known = {gradient: results[0] for gradient, results in self.sums.items()}

    def stored(self, atom: Any) -> Any:
        """The half-precision array that this is in float32; otherwise the array itself."""
        maker = None if isinstance(atom, Literal) else self.makers.get(atom)
        if maker is None or maker.primitive.name != "convert_element_type" or isinstance(maker.invars[0], Literal):
            return atom
        source = maker.invars[0]
        return source if atom.aval.dtype == jnp.float32 and source.aval.dtype == jnp.bfloat16 else atom

    def rewritten(self) -> Iterator[Any]:
        """The operations of the new program."""
        pairs = self._pairs()
        done: set[Any] = set()
        for equation in self.equations:
            result = equation.outvars[0] if equation.outvars else None
            if result in pairs:
                operands, results = pairs[result]
                # Whichever of both sums comes first stands for both.
                if results[0] not in done:
                    done.add(results[0])
                    yield from written_as(gradient_sums, operands, results)
                continue
            yield from self._passed_on(equation) or [equation]

    def _pairs(self) -> dict[Any, tuple[list[Any], list[Any]]]:
        """Results of sums to the operands and results of the operation that gives them."""
        pairs: dict[Any, tuple[list[Any], list[Any]]] = {}
        for equation in self.equations:
            operand = summed_lines(equation)
            maker = self.makers.get(operand)
            if maker is None or maker.primitive.name != "mul" or equation.outvars[0].aval.dtype != jnp.float32:
                continue
            for one, other in (maker.invars, maker.invars[::-1]):
                x, gradient = self.stored(one), self.stored(other)
                if _is_array(x, operand) and _is_array(gradient, operand) and x in self.means:
                    sums = self.sums.get(gradient, [])
                    total = sums.pop(0) if sums else Variable(equation.outvars[0].aval)
                    results = [total, equation.outvars[0]]
                    pairs |= dict.fromkeys(results, ([gradient, x], results))
                    break
        return pairs

    def _passed_on(self, equation: Any) -> list[Any]:
        """The sum of the gradient of a measured array in terms of other sums; none if this is something else."""
        operand = summed_lines(equation)
        if operand is None:
            return []
        total: list[tuple[Any, Any]] = []  # factors and sums
        offsets: list[Any] = []
        distances = 0
        for term in self._terms(operand):
            offset = per_channel(term, operand.aval.shape, self.makers)
            if offset is not None:
                offsets.append(offset)
                continue
            factor, array = self._scaled(term)
            if factor is None:
                return []
            if self._is_distance(array):
                distances += 1
            elif self.stored(array) in self.known:
                total.append((factor, self.known[self.stored(array)]))
            else:
                return []
        if not distances:
            return []
        lines, count = math.prod(operand.aval.shape[:-1]), len(total)
        result = equation.outvars[0]

        def combined(*numbers: Array) -> Array:
            flat = [number.reshape(-1).astype(jnp.float32) for number in numbers]
            scaled = [factor * found for factor, found in zip(flat[:count], flat[count : 2 * count], strict=True)]
            return sum([*scaled, *(lines * one for one in flat[2 * count :])], start=jnp.zeros(result.aval.shape)).astype(
                result.aval.dtype
            )

        return written_as(combined, [*(one for one, _ in total), *(one for _, one in total), *offsets], [result])

    def _terms(self, atom: Any) -> Iterator[Any]:
        """What is added up to an array, before it is rounded."""
        maker = None if isinstance(atom, Literal) else self.makers.get(atom)
        name = None if maker is None else maker.primitive.name
        if name in ("add", "add_any"):
            for operand in maker.invars:
                yield from self._terms(operand)
        elif name == "convert_element_type" and maker.invars[0].aval.dtype == jnp.float32:
            yield from self._terms(maker.invars[0])
        else:
            yield atom

    def _scaled(self, atom: Any) -> tuple[Any, Any]:
        """Numbers per channel and the array that they multiply; (None, None) if it is something else."""
        maker = None if isinstance(atom, Literal) else self.makers.get(atom)
        if maker is None or maker.primitive.name != "mul":
            return None, None
        for array, factor in (maker.invars, maker.invars[::-1]):
            numbers = per_channel(factor, atom.aval.shape, self.makers)
            if numbers is not None and _is_array(array, atom):
                return numbers, array
        return None, None

    def _is_distance(self, atom: Any) -> bool:
        """True for a measured array minus its mean."""
        maker = self.makers.get(atom)
        if maker is None or maker.primitive.name != "sub":
            return False
        array, mean = maker.invars
        expected = self.means.get(self.stored(array)) if _is_array(array, atom) else None
        return expected is not None and per_channel(mean, atom.aval.shape, self.makers) is expected


def _is_array(atom: Any, like: Any) -> bool:
    return not isinstance(atom, Literal) and atom.aval.shape == like.aval.shape
