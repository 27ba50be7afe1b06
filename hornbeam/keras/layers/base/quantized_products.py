"""Products of floats with quantised kernels, and their gradients; all on JAX arrays, behind the door."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.conversion import as_array
from hornbeam.core.door import op
from hornbeam.core.tensor import wrap
from hornbeam.keras.quantizers import AbsMaxQuantizer
from hornbeam.keras.quantizers.functions import (
    abs_max_arrays,
    dequantize_by_group,
    float8_amax_history,
    float8_rounded,
    float8_scale,
    unpacked_array,
)

__all__ = [
    "EinsumLetters",
    "block_einsum",
    "block_rows",
    "dequantized_blocks",
    "float8_inputs",
    "float8_outputs",
    "integer_einsum",
    "letters",
]


@dataclass(frozen=True)
class EinsumLetters:
    """The axes of an equation ``inputs,kernel->outputs``, a letter each."""

    inputs: str
    kernel: str
    outputs: str

    @property
    def summed(self) -> tuple[int, ...]:
        """Axes of the inputs that the outputs do not have."""
        return tuple(axis for axis, letter in enumerate(self.inputs) if letter not in self.outputs)

    @property
    def summed_of_kernel(self) -> tuple[int, ...]:
        """Axes of the kernel that the outputs do not have."""
        return tuple(axis for axis, letter in enumerate(self.kernel) if letter not in self.outputs)

    def scale_shape(self, kernel_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the kernel's scale, laid out as the outputs are."""
        sizes = dict(zip(self.kernel, kernel_shape, strict=True))
        return tuple(sizes.get(letter, 1) for letter in self.outputs)

    def to_outputs(self, scale: Any, of: str) -> Any:
        """A scale that is 1 long where ``of`` is summed, laid out as the outputs are."""
        return _laid_out(scale, of, self.outputs)

    def to_kernel(self, scale: Any) -> Any:
        """A scale that is laid out as the outputs (or their last axes), laid out as the kernel."""
        scale = scale.reshape((1,) * (len(self.outputs) - scale.ndim) + scale.shape)
        return _laid_out(scale, self.outputs, self.kernel)


def _laid_out(array: Any, now: str, wanted: str) -> Any:
    dropped = tuple(axis for axis, letter in enumerate(now) if letter not in wanted)
    kept = [letter for letter in now if letter in wanted]
    order = [kept.index(letter) for letter in wanted if letter in kept]
    moved = jnp.transpose(jnp.squeeze(array, dropped), order)
    return jnp.expand_dims(moved, tuple(axis for axis, letter in enumerate(wanted) if letter not in kept))


def letters(equation: str, ndim: int) -> EinsumLetters:
    """The axes of an equation of ``EinsumDense``; an ellipsis becomes letters that are free.

    Args:
        equation: of the forms ``X,Y->Z``, ``...X,Y->...Z`` or ``X...,Y->Z...``.
        ndim: axes of the inputs.
    """
    left, outputs = equation.split("->")
    inputs, kernel = left.split(",")
    free = [letter for letter in string.ascii_letters if letter not in equation]
    elided = "".join(free[: ndim - len(inputs.replace(".", ""))])
    return EinsumLetters(inputs.replace("...", elided), kernel, outputs.replace("...", elided))


def block_rows(shape: tuple[int, ...], plan: EinsumLetters) -> tuple[int, int]:
    """Sizes of a kernel as a matrix: all summed axes together, and all others."""
    rows = columns = 1
    for axis, size in enumerate(shape):
        if axis in plan.summed_of_kernel:
            rows *= size
        else:
            columns *= size
    return rows, columns


# --- integers ------------------------------------------------------------------------------------
@op(static=("plan", "quantizer", "axis", "packed_shape"))
def integer_einsum(
    inputs: Any,
    kernel: Any,
    scale: Any,
    plan: EinsumLetters,
    quantizer: Any = None,
    axis: Any = None,
    packed_shape: tuple[int, ...] | None = None,
) -> Any:
    """``einsum(inputs, kernel / scale)``, with the inputs quantised on the way if there is a quantizer.

    The gradient is that of the product with the kernel as floats.

    Args:
        inputs: floats.
        kernel: int8; or 4-bit integers as a matrix of bytes, for ``packed_shape``.
        scale: laid out as the outputs; for ``packed_shape`` one for each column of the matrix.
        plan: the equation.
        quantizer: makes integers of the inputs; None leaves them floats.
        axis: axes of the inputs that share a scale.
        packed_shape: shape of a kernel that comes packed.
    """
    equation = f"{plan.inputs},{plan.kernel}->{plan.outputs}"

    def floats(kernel: Any, scale: Any) -> Any:
        if packed_shape is None:
            return kernel.astype(inputs.dtype) / plan.to_kernel(scale)
        matrix = unpacked_array(kernel, block_rows(packed_shape, plan)[1], -1)
        return (matrix.astype(inputs.dtype) / scale).reshape(packed_shape)

    def forward(inputs: Any, kernel: Any, scale: Any) -> Any:
        kind = inputs.dtype
        inputs, input_scale = _quantized(quantizer, inputs, axis)
        if packed_shape is None:
            total = scale if input_scale is None else scale * plan.to_outputs(input_scale, plan.inputs)
            return _einsum(equation, inputs, kernel).astype(kind) / total
        outputs = _einsum(equation, inputs, floats(kernel, scale)).astype(kind)
        return outputs if input_scale is None else outputs / plan.to_outputs(input_scale, plan.inputs)

    def backward(upstream: Any, kernel: Any, scale: Any) -> Any:
        return jnp.einsum(f"{plan.outputs},{plan.kernel}->{plan.inputs}", upstream, floats(kernel, scale))

    return _with_rule(forward, backward, inputs, kernel, scale)


def _quantized(quantizer: Any, inputs: Any, axis: Any) -> tuple[Any, Any]:
    if quantizer is None:
        return inputs, None
    if type(quantizer) is AbsMaxQuantizer:
        axis = quantizer.axis if axis is None else axis
        low, high = quantizer.value_range
        return abs_max_arrays(
            inputs, -1 if axis is None else axis, low, high, quantizer.output_dtype, quantizer.epsilon
        )
    found = quantizer(wrap(inputs)) if axis is None else quantizer(wrap(inputs), axis=axis)
    return as_array(found[0]), as_array(found[1])


def _einsum(equation: str, inputs: Any, kernel: Any) -> Any:
    if inputs.dtype == kernel.dtype == jnp.int8:
        return jnp.einsum(equation, inputs, kernel, preferred_element_type="int32")
    kind = kernel.dtype if inputs.dtype == jnp.int8 else inputs.dtype
    return jnp.einsum(equation, inputs.astype(kind), kernel.astype(kind))


def _with_rule(forward: Callable, backward: Callable, inputs: Any, *weights: Any) -> Any:
    """A function of inputs and weights, of which the inputs alone have a gradient."""

    @jax.custom_vjp
    def run(inputs: Any, *weights: Any) -> Any:
        return forward(inputs, *weights)

    def kept(inputs: Any, *weights: Any) -> tuple[Any, tuple]:
        return forward(inputs, *weights), weights

    def rule(weights: tuple, upstream: Any) -> tuple:
        return (backward(upstream, *weights).astype(upstream.dtype), *(None for _ in weights))

    run.defvjp(kept, rule)
    return run(inputs, *weights)


@op(static=("plan", "shape", "columns", "quantizer", "axis"))
def block_einsum(
    inputs: Any,
    packed: Any,
    scale: Any,
    zero: Any,
    groups: Any,
    plan: EinsumLetters,
    shape: tuple[int, ...],
    columns: int | None,
    quantizer: Any = None,
    axis: Any = None,
) -> Any:
    """``einsum`` with a kernel of 4-bit integers, each block of which has a scale and a zero.

    Args:
        inputs: floats.
        packed: bytes of the kernel as a matrix, ``(rows, ceil(columns / 2))``; or, without ``columns``, its integers.
        scale: ``(blocks, columns)``.
        zero: ``(blocks, columns)``.
        groups: block of each row.
        plan: the equation.
        shape: shape of the kernel.
        columns: columns of the matrix, if it is packed.
        quantizer: makes integers of the inputs; None leaves them floats.
        axis: axes of the inputs that share a scale.
    """
    integers = packed if columns is None else unpacked_array(packed, columns, -1)
    matrix = dequantize_by_group(integers, scale, zero, groups, axis=0)
    kernel = matrix.astype(inputs.dtype).reshape(shape)
    equation = f"{plan.inputs},{plan.kernel}->{plan.outputs}"

    def forward(inputs: Any, kernel: Any) -> Any:
        kind = inputs.dtype
        inputs, input_scale = _quantized(quantizer, inputs, axis)
        outputs = _einsum(equation, inputs, kernel).astype(kind)
        return outputs if input_scale is None else outputs / plan.to_outputs(input_scale, plan.inputs)

    def backward(upstream: Any, kernel: Any) -> Any:
        return jnp.einsum(f"{plan.outputs},{plan.kernel}->{plan.inputs}", upstream, kernel)

    return _with_rule(forward, backward, inputs, kernel)


@op(static=("axis",))
def dequantized_blocks(values: Any, scale: Any, zero: Any, groups: Any, axis: int) -> Any:
    """Floats of 4-bit integers with a scale and a zero for each block.

    Args:
        values: the integers.
        scale: one for each block along ``axis``.
        zero: likewise.
        groups: block of each place along ``axis``.
        axis: the axis that is cut into blocks.
    """
    return dequantize_by_group(jnp.asarray(values), scale, zero, groups, axis=axis)


# --- 8-bit floats --------------------------------------------------------------------------------
@op(static=("training",))
def float8_inputs(values: Any, scale: Any, history: Any, training: bool) -> Any:
    """Values rounded to ``float8_e4m3fn``. The "gradients" of scale and history are their next values.

    Args:
        values: inputs or kernel.
        scale: what 1 in the small dtype stands for.
        history: largest magnitudes of late.
        training: whether scale and history move on.
    """

    @jax.custom_vjp
    def run(values: Any, scale: Any, history: Any) -> Any:
        return float8_rounded(values, scale, "float8_e4m3fn", values.dtype)

    def kept(values: Any, scale: Any, history: Any) -> tuple[Any, tuple]:
        new = _moved_on(values, scale, history, "float8_e4m3fn") if training else (None, None)
        return run(values, scale, history), new

    run.defvjp(kept, lambda new, upstream: (upstream, *new))
    return run(values, scale, history)


@op
def float8_outputs(outputs: Any, scale: Any, history: Any) -> Any:
    """The outputs as they are; on the way back their gradient is rounded to ``float8_e5m2``.

    Args:
        outputs: floats.
        scale: scale of the gradient.
        history: largest magnitudes of the gradient of late.
    """

    @jax.custom_vjp
    def run(outputs: Any, scale: Any, history: Any) -> Any:
        return outputs

    def rule(saved: tuple, upstream: Any) -> tuple:
        scale, history = saved
        rounded = float8_rounded(upstream, scale, "float8_e5m2", upstream.dtype)
        return (rounded, *_moved_on(upstream, scale, history, "float8_e5m2"))

    run.defvjp(lambda outputs, scale, history: (outputs, (scale, history)), rule)
    return run(outputs, scale, history)


def _moved_on(values: Any, scale: Any, history: Any, kind: str) -> tuple[Any, Any]:
    largest = jnp.asarray(float(jnp.finfo(kind).max), "float32")
    return float8_scale(jnp.max(history, axis=0), scale, largest), float8_amax_history(values, history)
