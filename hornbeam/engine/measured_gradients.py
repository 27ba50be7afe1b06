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
        self.places = {result: place for place, one in enumerate(equations) for result in one.outvars}
        found = [equation for equation in equations if equation.primitive.name == moments.NAME]
        self.means = {equation.invars[0]: equation.outvars[0] for equation in found}
        """Measured arrays, as they lie in memory, to their means."""
        self.sums: dict[Any, list[Any]] = {}
        """Gradients, as they lie in memory, to what is to hold their sums."""
        self.known: dict[Any, Any] = {}
        """Gradients to such a sum, as far as the new program has computed them."""
        for equation in equations:
            operand = summed_lines(equation)
            if operand is not None and equation.outvars[0].aval.dtype == jnp.float32:
                self.sums.setdefault(self.stored(operand), []).append(equation.outvars[0])

    def made_by(self, atom: Any) -> tuple[str, list[Any]]:
        """Name and operands of the operation that computes a value; nothing if the program is given it."""
        maker = None if isinstance(atom, Literal) else self.makers.get(atom)
        return ("", []) if maker is None else (maker.primitive.name, maker.invars)

    def stored(self, atom: Any) -> Any:
        """The bfloat16 array that this is in float32; otherwise the array itself."""
        name, operands = self.made_by(atom)
        if name != "convert_element_type" or isinstance(operands[0], Literal):
            return atom
        is_widened = (operands[0].aval.dtype, atom.aval.dtype) == (jnp.bfloat16, jnp.float32)
        return operands[0] if is_widened else atom

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
                    self.known[operands[0]] = results[0]
                    yield from written_as(gradient_sums, operands, results)
                continue
            yield from self._passed_on(equation) or [equation]
            operand = summed_lines(equation)
            if operand is not None and equation.outvars[0].aval.dtype == jnp.float32:
                self.known[self.stored(operand)] = equation.outvars[0]

    def _pairs(self) -> dict[Any, tuple[list[Any], list[Any]]]:
        """Results of sums to the operands and results of the operation that gives them."""
        pairs: dict[Any, tuple[list[Any], list[Any]]] = {}
        for equation in self.equations:
            operand = summed_lines(equation)
            if operand is None:
                continue
            (name, factors), result = self.made_by(operand), equation.outvars[0]
            if name != "mul" or result.aval.dtype != jnp.float32 or result in pairs:
                continue
            for one, other in (factors, factors[::-1]):
                x, gradient = self.stored(one), self.stored(other)
                if _is_array(x, operand) and _is_array(gradient, operand) and x in self.means:
                    total = self._sum_after(x, gradient, pairs) or Variable(result.aval)
                    results = [total, result]
                    pairs |= dict.fromkeys(results, ([gradient, x], results))
                    break
        return pairs

    def _sum_after(self, x: Any, gradient: Any, taken: Any) -> Any:
        """The result of a sum of the gradient that is computed when the array is there, and is not taken; or None."""
        first = self.places.get(x, -1)
        sums = self.sums.get(gradient, [])
        return next((one for one in sums if self.places[one] > first and one not in taken), None)

    def _passed_on(self, equation: Any) -> list[Any]:
        """The sum of the gradient of a measured array in terms of other sums; none if this is something else."""
        operand = summed_lines(equation)
        if operand is None or operand.aval.dtype not in (jnp.float32, jnp.bfloat16):
            return []
        total: list[tuple[Any, Any]] = []  # factors and sums
        offsets: list[Any] = []
        distances: list[tuple[Any, Any]] = []  # factors and means
        for term in self._terms(operand):
            offset = per_channel(term, operand.aval.shape, self.makers)
            if offset is not None:
                offsets.append(offset)
                continue
            factor, array = self._scaled(term)
            if factor is None:
                return []
            mean = self._mean_taken_from(array)
            if mean is not None:
                distances.append((factor, mean))
            elif self.stored(array) in self.known:
                total.append((factor, self.known[self.stored(array)]))
            else:
                return []
        if not distances:
            return []
        lines, result = math.prod(operand.aval.shape[:-1]), equation.outvars[0].aval
        # Distances add up to zero, unless something is not finite: then the mean is not, either.
        groups = [[one for one, _ in total], [one for _, one in total], [one for one, _ in distances]]
        groups += [[one for _, one in distances], offsets]

        def combined(*numbers: Array) -> Array:
            flat = iter([number.reshape(-1).astype(jnp.float32) for number in numbers])
            factors, sums, weights, means, shifts = ([next(flat) for _ in group] for group in groups)
            found = jnp.zeros(result.shape)
            for factor, known in zip(factors, sums, strict=True):
                found = found + factor * known
            for weight, mean in zip(weights, means, strict=True):
                found = found + 0 * (weight * mean)
            for shift in shifts:
                found = found + lines * shift
            return found.astype(result.dtype)

        return written_as(combined, [one for group in groups for one in group], equation.outvars)

    def _terms(self, atom: Any) -> Iterator[Any]:
        """What is added up to an array, before it is rounded."""
        name, operands = self.made_by(atom)
        is_rounded = name == "convert_element_type" and (
            (operands[0].aval.dtype, atom.aval.dtype) == (jnp.float32, jnp.bfloat16)
        )
        if is_rounded or name in ("add", "add_any"):
            for operand in operands:
                yield from self._terms(operand)
        else:
            yield atom

    def _scaled(self, atom: Any) -> tuple[Any, Any]:
        """Numbers per channel and the array that they multiply; (None, None) if it is something else."""
        name, operands = self.made_by(atom)
        for array, factor in (operands, operands[::-1]) if name == "mul" else ():
            numbers = per_channel(factor, atom.aval.shape, self.makers)
            if numbers is not None and _is_array(array, atom):
                return numbers, array
        return None, None

    def _mean_taken_from(self, atom: Any) -> Any:
        """The mean of a measured array, if this is that array minus it; else None."""
        name, operands = self.made_by(atom)
        if name != "sub" or isinstance(operands[0], Literal):
            return None
        mean = self.means.get(self.stored(operands[0]))
        return mean if mean is not None and per_channel(operands[1], atom.aval.shape, self.makers) is mean else None


def _is_array(atom: Any, like: Any) -> bool:
    """True unless one number, or one per channel, is spread when both meet."""
    return getattr(atom.aval, "shape", None) == like.aval.shape
