"""Choices, loops, and the phase: training or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.keras.layers.base import call_context
from hornbeam.ops.composite import composite
from hornbeam.tensors import control

_phase = {"value": 0}


class Phase(int):
    """0 or 1 for "not training" and "training"; ``function`` recognises it among its inputs."""


# --- the phase -----------------------------------------------------------------------------------
def learning_phase() -> Phase:
    """Whether the call in progress trains (1) or not (0); outside of calls, what ``set_learning_phase`` said.

    As an input of ``function`` it stands for the flag that is given when the function is called.
    """
    context = call_context.current()
    if context is not None and context.training is not None:
        return Phase(bool(context.training))
    return Phase(_phase["value"])


def set_learning_phase(value: Any) -> None:
    """Set the phase that ``learning_phase`` gives outside of calls.

    Layers go by the ``training`` argument of their call, which ``fit`` sets.

    Raises:
        ValueError: neither 0 nor 1.
    """
    if value not in (0, 1):
        raise ValueError(f"The phase is 0 (not training) or 1 (training). Received: {value!r}")
    _phase["value"] = int(value)


@contextmanager
def learning_phase_scope(value: Any) -> Iterator[None]:
    """Set the phase for the length of a ``with`` block."""
    before = _phase["value"]
    set_learning_phase(value)
    try:
        yield
    finally:
        _phase["value"] = before


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """``x`` in training, else ``alt``; either may be a function without arguments."""
    flag = learning_phase() if training is None else training
    if isinstance(flag, (Tensor, KerasTensor)):
        return switch(flag, x, alt)
    chosen = x if flag else alt
    return chosen() if callable(chosen) and not isinstance(chosen, Tensor) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """``x`` outside of training, else ``alt``; either may be a function without arguments."""
    return in_train_phase(alt, x, training=training)


# --- choices -------------------------------------------------------------------------------------
def _value(expression: Any) -> Any:
    return expression() if callable(expression) and not isinstance(expression, Tensor) else expression


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One of two tensors by a truth value, or element by element by a tensor of truth values.

    Args:
        condition: truth value, or tensor of them with as many axes as the expressions or fewer (counted from the
            first axis).
        then_expression: tensor, or a function that gives it.
        else_expression: tensor, or a function that gives it.
    """
    if not hasattr(condition, "shape"):
        condition = ops.convert_to_tensor(condition)
    condition = ops.cast(condition, "bool")
    if not condition.shape and isinstance(condition, KerasTensor):
        return _either(condition, _value(then_expression), _value(else_expression))
    if not condition.shape:
        return control.cond(condition, lambda: _value(then_expression), lambda: _value(else_expression))
    first, second = _value(then_expression), _value(else_expression)
    rank, wanted = len(condition.shape), len(first.shape)
    if rank > wanted:
        raise ValueError(
            f"switch(): the condition must not have more axes than the expressions. Received: {rank} axes and {wanted}."
        )
    if rank < wanted:
        condition = ops.reshape(condition, (*condition.shape, *[1] * (wanted - rank)))
    return ops.where(condition, first, second)


def _either_rule(condition: Any, first: Any, second: Any) -> Any:
    """One of two results, of which each may have a shape of its own: sizes that differ are unknown."""
    one, other = (tuple(ops.shape(part)) for part in (first, second))
    if len(one) == len(other):
        one = tuple(size if size == same else None for size, same in zip(one, other, strict=True))
    return KerasTensor(one, first.dtype)


@composite(rule=_either_rule)
def _either(condition: Any, first: Any, second: Any) -> Any:
    return control.cond(condition, lambda: first, lambda: second)


# --- loops ---------------------------------------------------------------------------------------
def map_fn(fn: Callable, elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """A function applied to each slice along the first axis; the results along a first axis."""
    return control.map_fn(fn, elems, dtype=dtype)


def foldl(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """A function of (result so far, element) applied from the first element on."""
    return control.foldl(fn, elems, initializer)


def foldr(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """A function of (result so far, element) applied from the last element on."""
    return control.foldr(fn, elems, initializer)


def rnn(
    step_function: Callable,
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Any = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, list[Any]]:
    """A function run over the time steps of a batch.

    Args:
        step_function: ``(inputs of a step, states) -> (output, new states)``; constants follow the states.
        inputs: (batch, time, ...), or a nesting of such tensors.
        initial_states: list of tensors (batch, ...).
        go_backwards: run from the last step to the first; outputs come in that order.
        mask: (batch, time), False where a step is to be left out: states stay, the output is the one before.
        constants: tensors that every step gets.
        unroll: write the steps out in the program instead of looping.
        input_length: number of steps, checked against the inputs.
        time_major: inputs and outputs are (time, batch, ...).
        zero_output_for_mask: the output of a step that is left out is 0.
        return_all_outputs: False gives the last output alone, with a time axis of size 1.

    Returns:
        The last output, all outputs (batch, time, ...), the last states.
    """
    swap = (lambda tensor: tensor) if time_major else (lambda tensor: ops.swapaxes(tensor, 0, 1))
    steps = trees.map_structure(swap, inputs)
    first: Any = trees.flatten(steps)[0]
    count: Any = first.shape[0]
    if unroll and count is None:
        raise ValueError("rnn(unroll=True): expected a known number of time steps. Received: None. Set unroll=False.")
    if isinstance(input_length, int) and count not in (None, input_length):
        raise ValueError(f"rnn(): `input_length` is {input_length}, but the inputs have {count} time steps.")
    kept = None
    if mask is not None:
        kept = ops.cast(mask, "bool")
        kept = kept if time_major else ops.swapaxes(kept, 0, 1)
        kept = ops.squeeze(kept, -1) if len(kept.shape) == 3 else kept
    if go_backwards:
        steps = trees.map_structure(lambda tensor: ops.flip(tensor, axis=0), steps)
        kept = None if kept is None else ops.flip(kept, axis=0)
    extra = list(constants or ())
    states = list(initial_states)
    body = _step(step_function, extra, zero_output_for_mask)
    before = _first_output(step_function, steps, states, extra) if kept is not None else None
    xs = {"inputs": steps, "mask": kept} if kept is not None else {"inputs": steps}
    carry = {"states": states, "output": before} if kept is not None else {"states": states}
    if unroll:
        outputs = []
        for index in range(int(first.shape[0])):
            carry, output = body(carry, trees.map_structure(lambda tensor, at=index: tensor[at], xs))
            outputs.append(output)
        stacked = trees.map_structure(lambda *each: ops.stack(each, axis=0), *outputs)
    else:
        carry, stacked = ops.scan(body, carry, xs)
    last = trees.map_structure(lambda tensor: tensor[-1], stacked)
    if not return_all_outputs:
        stacked = trees.map_structure(lambda tensor: tensor[-1:], stacked)
    return last, trees.map_structure(swap, stacked), list(carry["states"])


def _first_output(step_function: Callable, steps: Any, states: list[Any], extra: list[Any]) -> Any:
    """Zeros of the shape of an output: what stands before the first step."""
    first = trees.map_structure(lambda tensor: tensor[0], steps)
    output, _ = step_function(first, (*states, *extra))
    return trees.map_structure(ops.zeros_like, output)


def _step(step_function: Callable, extra: list[Any], zero_output: bool) -> Callable:
    def body(carry: dict[str, Any], x: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        states = carry["states"]
        output, new = step_function(x["inputs"], (*states, *extra))
        new = list(new)
        if "mask" not in x:
            return {"states": new}, output

        def chosen(fresh: Any, old: Any) -> Any:
            return ops.where(ops.reshape(x["mask"], (-1, *[1] * (len(fresh.shape) - 1))), fresh, old)

        shown = trees.map_structure(chosen, output, carry["output"])
        if zero_output:
            shown = trees.map_structure(chosen, output, trees.map_structure(ops.zeros_like, output))
        new = [chosen(fresh, old) for fresh, old in zip(new, states, strict=True)]
        return {"states": new, "output": shown}, shown

    return body
