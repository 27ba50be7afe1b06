"""What is changed about a program that is compiled as a whole and differentiated no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.engine import (
    biased_statistics,
    folded_padding,
    late_rounding,
    layout,
    measured_gradients,
    pooling_order,
    shared_values,
)
from hornbeam.engine.flat_program import flatten
from hornbeam.engine.jax_compat import eval_jaxpr

_REWRITTEN = (
    folded_padding.fold,
    measured_gradients.fuse,
    biased_statistics.unbias,  # after it: the sums of gradients are one operation then
    late_rounding.postpone,
    shared_values.hold_shared,  # last: what is in memory depends on all others
)


def evaluate(closed: Any, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """Results of a captured program, in the form that is fastest on this platform.

    Args:
        closed: the program.
        consts: arrays for its constants.
        args: its arguments.
    """
    if shared_values.pays(closed.jaxpr):
        closed = flatten(closed)
        for rewritten in _REWRITTEN:
            closed = rewritten(closed)
        consts = [*consts, *closed.consts[len(consts) :]]
    for one in (layout, pooling_order):
        if one.pays(closed.jaxpr):
            return one.evaluate(closed, consts, args)
    return eval_jaxpr(closed, consts, args)
