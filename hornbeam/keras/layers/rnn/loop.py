"""The loop over the steps of a sequence, with masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.engine import rnn as engine


def time_first(x: Any) -> Any:
    """Batch and time axes exchanged."""
    return ops.swapaxes(x, 0, 1)


def _chosen(mask: Any, new: Any, old: Any) -> Any:
    """``new`` where the (batch, 1) mask is true, else ``old``; the mask gets the axes it lacks."""
    missing = len(new.shape) - len(mask.shape)
    if missing > 0:
        mask = ops.reshape(mask, (*tuple(mask.shape), *[1] * missing))
    return ops.where(mask, new, ops.cast(old, new.dtype))


def _step_mask(mask: Any) -> Any:
    """(time, batch, 1) booleans from (batch, time) or (batch, time, ...): a step counts if any part of it does."""
    mask = ops.cast(mask, "bool")
    if len(mask.shape) > 2:
        mask = ops.any(ops.reshape(mask, (*tuple(mask.shape)[:2], -1)), axis=-1)
    return time_first(ops.expand_dims(mask, -1))


def run(
    step: Callable[[Any, Any], tuple[Any, Any]],
    sequences: Any,
    states: Any,
    *,
    mask: Any = None,
    go_backwards: bool = False,
    unroll: bool = False,
    zero_output_for_mask: bool = False,
    all_outputs: bool = True,
    outputs_state: bool = False,
) -> tuple[Any, Any, Any]:
    """Run a step function over the time axis.

    A masked step leaves the states as they are; its output is the first state, or zero if so asked (or, unrolled, the
    output before).

    Args:
        step: function ``(inputs, states) -> (output, states)``.
        sequences: (batch, time, ...) tensor, or a nesting of such.
        states: nesting of the initial states.
        mask: (batch, time), false for steps to pass over.
        go_backwards: from the last step to the first; outputs come in the order they were made.
        unroll: write the steps out instead of compiling a loop.
        zero_output_for_mask: outputs of masked steps are zero.
        all_outputs: give the outputs of all steps; otherwise only the last one is kept.
        outputs_state: a step's output is its first state, so it need not be kept beside it.

    Returns:
        Last output, all outputs (batch, time, ...) or None, last states.
    """
    xs = trees.map_structure(time_first, sequences)
    steps = trees.flatten(xs)[0].shape[0]
    masks = None if mask is None else _step_mask(mask)
    if go_backwards:
        xs = trees.map_structure(lambda x: ops.flip(x, axis=0), xs)
        masks = None if masks is None else ops.flip(masks, axis=0)
    rounds: Any = True if unroll else engine.steps_per_round(steps) if isinstance(steps, int) else 1
    if not all_outputs and outputs_state and masks is None:
        states, _ = ops.scan(lambda held, x: (step(x, held)[1], None), states, xs, unroll=rounds)
        return _first(states), None, states
    if masks is None:

        def plain(held: Any, x: Any) -> tuple[Any, Any]:
            output, new = step(x, held)
            return new, output

        states, outputs = ops.scan(plain, states, xs, unroll=rounds)
    elif unroll and not zero_output_for_mask:
        states, outputs = _carrying_outputs(step, states, xs, masks, rounds)
    else:

        def masked(held: Any, pair: Any) -> tuple[Any, Any]:
            x, keep = pair
            output, new = step(x, held)
            other = ops.zeros_like(output) if zero_output_for_mask else _previous(held, output)
            new = trees.map_structure(lambda after, before: _chosen(keep, after, before), new, held)
            return new, _chosen(keep, output, other)

        states, outputs = ops.scan(masked, states, (xs, masks), unroll=rounds)
    last = trees.map_structure(lambda x: x[-1], outputs)
    return last, trees.map_structure(time_first, outputs) if all_outputs else None, states


def _first(states: Any) -> Any:
    return trees.flatten(states)[0]


def _previous(held: Any, output: Any) -> Any:
    """The output before: the first state, of the last of several cells."""
    first = held[0]
    if isinstance(first, (list, tuple)):
        return held[-1][0]
    # Cells with one state each, one on top of the other, have their states side by side.
    return first if tuple(first.shape) == tuple(output.shape) else held[-1]


def _carrying_outputs(step: Callable, states: Any, xs: Any, masks: Any, rounds: Any) -> tuple[Any, Any]:
    """Steps whose masked output is the output before, zero at first."""
    start = trees.map_structure(lambda x: x[0], xs)
    shape = ops.zeros_like(step(start, states)[0])

    def masked(held: Any, pair: Any) -> tuple[Any, Any]:
        (x, keep), (before, inner) = pair, held
        output, new = step(x, inner)
        new = trees.map_structure(lambda after, old: _chosen(keep, after, old), new, inner)
        output = _chosen(keep, output, before)
        return (output, new), output

    (_, states), outputs = ops.scan(masked, (shape, states), (xs, masks), unroll=rounds)
    return states, outputs
