"""Zeros round the input of a convolution as a part of the convolution.

``ZeroPadding2D`` before a convolution writes all of its input again, in loops that look for the edge at each element.
The kernels of convolutions know padding; so does the gradient of the kernel, which reads the padded input too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hornbeam.engine import conv, conv_gradients
from hornbeam.engine.conv_geometry import Geometry, Pairs
from hornbeam.engine.flat_program import readers
from hornbeam.engine.jax_compat import Literal

_SAME_NUMBER = ("broadcast_in_dim", "convert_element_type", "copy", "reshape", "squeeze")


def fold(closed: Any) -> Any:
    """A flat program whose convolutions pad by themselves."""
    jaxpr = closed.jaxpr
    takers, results = readers(jaxpr.eqns), {atom for atom in jaxpr.outvars if not isinstance(atom, Literal)}
    numbers: dict[Any, Any] = {}
    unpadded: dict[Any, tuple[Any, Pairs]] = {}
    equations: list[Any] = []
    for equation in jaxpr.eqns:
        name, operands = equation.primitive.name, equation.invars
        if name in _SAME_NUMBER and len(operands) == 1:
            numbers[equation.outvars[0]] = _number(operands[0], numbers)
        if name == "pad":
            pads, padded = _pads(equation), equation.outvars[0]
            may_go = padded not in results and _number(operands[1], numbers) == 0
            if may_go and pads and all(_takes(taker, padded, pads) for taker in takers.get(padded, ())):
                unpadded[padded] = operands[0], pads
                continue
        equations.append(_padding_by_itself(equation, unpadded))
    return closed.replace(jaxpr=jaxpr.replace(eqns=equations)) if unpadded else closed


def _number(atom: Any, numbers: dict[Any, Any]) -> Any:
    """What an atom is if it is a number of the program's text; else None."""
    if isinstance(atom, Literal):
        return atom.val if getattr(atom.val, "ndim", 0) == 0 else None
    return numbers.get(atom)


def _pads(equation: Any) -> Pairs | None:
    """Elements before and after each axis between the first and the last, if nothing else is padded or cut off."""
    first, *space, last = ((int(low), int(high), int(gap)) for low, high, gap in equation.params["padding_config"])
    if first != (0, 0, 0) or last != (0, 0, 0) or any(min(pads) < 0 or pads[2] for pads in space):
        return None
    return tuple((low, high) for low, high, _ in space)


def _geometry(equation: Any) -> Geometry:
    spec = equation.params["spec"]
    return spec.geometry if isinstance(spec, conv_gradients.Gradient) else spec


def _takes(equation: Any, padded: Any, pads: Pairs) -> bool:
    """True if an operation takes a padded array as a convolution's input, and its window reaches beyond the padding."""
    name, operands = equation.primitive.name, equation.invars
    if name == conv.CANONICAL:
        at, window = 0, operands[1].aval.shape[:-2]
    elif name == conv_gradients.KERNEL:
        at, window = 1, equation.outvars[0].aval.shape[:-2]
    else:
        return False
    spec = _geometry(equation)
    if [atom is padded for atom in operands].count(True) != 1 or operands[at] is not padded:
        return False
    if max(spec.input_dilation) > 1 or any(min(own) < 0 for own in spec.padding):
        return False
    sums = _sum(spec.padding, pads)
    reach = [(size - 1) * gap for size, gap in zip(window, spec.kernel_dilation, strict=True)]
    return all(max(both) <= far for both, far in zip(sums, reach, strict=True))


def _sum(own: Pairs, more: Pairs) -> Pairs:
    return tuple((a + c, b + d) for (a, b), (c, d) in zip(own, more, strict=True))


def _padding_by_itself(equation: Any, unpadded: dict[Any, tuple[Any, Pairs]]) -> Any:
    """The operation on arrays without padding."""
    found = [unpadded.get(atom) if not isinstance(atom, Literal) else None for atom in equation.invars]
    if not any(found):
        return equation
    operands: Sequence[Any] = [
        atom if one is None else one[0] for atom, one in zip(equation.invars, found, strict=True)
    ]
    (pads,) = [one[1] for one in found if one is not None]
    spec = equation.params["spec"]
    if isinstance(spec, conv_gradients.Gradient):
        _, _, dtype = spec.operands
        shapes = [atom.aval.shape for atom in operands]
        geometry = replace(spec.geometry, padding=_sum(spec.geometry.padding, pads))
        changed: Any = replace(spec, geometry=geometry, operands=(*shapes, dtype))
    else:
        changed = replace(spec, padding=_sum(spec.padding, pads))
    return equation.replace(invars=list(operands), params={**equation.params, "spec": changed})
