"""What operations of a flat program do to arrays whose last axis holds channels."""

from __future__ import annotations

from typing import Any

from hornbeam.engine.jax_compat import Literal


def summed_lines(equation: Any) -> Any:
    """The array of which this takes the sum over all axes but the last; None if it does something else."""
    if equation.primitive.name != "reduce_sum" or isinstance(equation.invars[0], Literal):
        return None
    (array,) = equation.invars
    axes = tuple(equation.params["axes"])
    return array if axes and axes == tuple(range(array.aval.ndim - 1)) else None


def per_channel(atom: Any, shape: tuple[int, ...], makers: dict[Any, Any]) -> Any:
    """The atom that holds one number per channel, if this is such numbers made fit for an array; else None.

    Args:
        atom: of the program.
        shape: of the array.
        makers: what computes each value (``flat_program.makers``).
    """
    if isinstance(atom, Literal) or len(shape) < 2:
        return None
    maker = makers.get(atom)
    if maker is not None and _spreads(maker) and not isinstance(maker.invars[0], Literal):
        source = maker.invars[0]
        if source.aval.size == shape[-1] and source.aval.shape[-1] == shape[-1]:
            return per_channel(source, shape, makers) or source
    channels = (*[1] * (len(shape) - 1), shape[-1])
    return atom if atom.aval.shape == channels and channels != shape else None


def _spreads(equation: Any) -> bool:
    """True if the last axis of the operand becomes that of the result, or all of it."""
    result = equation.outvars[0].aval
    if equation.primitive.name == "broadcast_in_dim":
        return tuple(equation.params["broadcast_dimensions"])[-1:] == (result.ndim - 1,)
    return equation.primitive.name == "reshape" and result.shape[-1:] == equation.invars[0].aval.shape[-1:]
