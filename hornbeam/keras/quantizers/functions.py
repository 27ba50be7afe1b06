"""From floats to small integers and 8-bit floats, and back."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import ArgumentError
from hornbeam.core.door import op

__all__ = [
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
    "compute_float8_amax_history",
    "compute_float8_scale",
    "dequantize_by_group",
    "fake_quant_with_min_max_vars",
    "pack_int4",
    "quantize_and_dequantize",
    "unpack_int4",
]
EPSILON = 1e-7


# --- integers ------------------------------------------------------------------------------------
def abs_max_quantize(
    inputs: Any,
    axis: Any,
    value_range: tuple[int, int] = (-127, 127),
    dtype: Any = "int8",
    epsilon: float = EPSILON,
    to_numpy: bool = False,
) -> tuple[Any, Any]:
    """Round to integers, so that the largest magnitude along an axis becomes the largest integer.

    Args:
        inputs: floats.
        axis: axis or axes that share a scale.
        value_range: least and largest integer.
        dtype: dtype of the integers.
        epsilon: added to the largest magnitude, so that zeros do not divide by zero.
        to_numpy: compute on the host, which saves memory on the device.

    Returns:
        Integers of the inputs' shape, and scales with size 1 along ``axis``: ``inputs`` is about ``integers / scale``.

    References: Keras ``quantizers.abs_max_quantize``.
    """
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    low, high = value_range
    kind = dtypes.as_dtype(dtype).name
    if not to_numpy:
        return _abs_max(ops.convert_to_tensor(inputs), axis, low, high, kind, float(epsilon))
    array = np.asarray(ops.convert_to_numpy(inputs))
    # By a Python number: that of a narrow dtype would make the sums narrow too, and other integers.
    scale = np.divide(high, np.max(np.abs(array), axis=axis, keepdims=True) + float(epsilon))
    integers = np.clip(np.round(array * scale), low, high).astype(kind)
    return ops.convert_to_tensor(integers), ops.convert_to_tensor(scale.astype(array.dtype))


@op(static=("axis", "low", "high", "dtype", "epsilon"))
def _abs_max(inputs: Any, axis: Any, low: int, high: int, dtype: str, epsilon: float) -> tuple[Any, Any]:
    return abs_max_arrays(inputs, axis, low, high, dtype, epsilon)


def abs_max_arrays(inputs: Any, axis: Any, low: int, high: int, dtype: str, epsilon: float) -> tuple[Any, Any]:
    """``abs_max_quantize`` on JAX arrays."""
    scale = (high / (jnp.max(jnp.abs(inputs), axis=axis, keepdims=True) + epsilon)).astype(inputs.dtype)
    return jnp.clip(jnp.round(inputs * scale), low, high).astype(dtype), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: Any,
    block_size: int,
    value_range: tuple[int, int] = (-8, 7),
    dtype: Any = "int8",
    epsilon: float = EPSILON,
    to_numpy: bool = False,
) -> tuple[Any, Any, Any]:
    """Round a matrix to integers with a scale and a zero of its own for each block of rows of each column.

    Args:
        inputs: floats, ``(rows, columns)``.
        block_size: rows in a block.
        value_range: least and largest integer.
        dtype: dtype of the integers.
        epsilon: added to the range of a block.
        to_numpy: compute on the host.

    Returns:
        Integers ``(rows, columns)``, scales and zeros ``(blocks, columns)``: ``inputs`` is about
        ``(integers - zero) * scale``.

    References: Keras ``quantizers.abs_max_quantize_grouped_with_zero_point``.
    """
    low, high = value_range
    kind = dtypes.as_dtype(dtype).name
    if not to_numpy:
        return _grouped(ops.convert_to_tensor(inputs), block_size, low, high, kind, float(epsilon))
    array = np.asarray(ops.convert_to_numpy(inputs))
    blocks = np.pad(array, ((0, -len(array) % block_size), (0, 0))).reshape(-1, block_size, array.shape[1])
    least, largest = blocks.min(axis=1, keepdims=True), blocks.max(axis=1, keepdims=True)
    scale = (largest - least + float(epsilon)) / (high - low)
    zero = np.clip(np.round(-least / scale) + low, low, high)
    integers = np.clip(np.round(blocks / scale) + zero, low, high).astype(kind)
    integers = integers.reshape(-1, array.shape[1])[: len(array)]
    return (
        ops.convert_to_tensor(integers),
        ops.convert_to_tensor(scale[:, 0].astype(array.dtype)),
        ops.convert_to_tensor(zero[:, 0].astype("int8")),
    )


@op(static=("block_size", "low", "high", "dtype", "epsilon"))
def _grouped(inputs: Any, block_size: int, low: int, high: int, dtype: str, epsilon: float) -> tuple[Any, Any, Any]:
    rows, columns = inputs.shape
    blocks = jnp.pad(inputs, ((0, -rows % block_size), (0, 0))).reshape(-1, block_size, columns)
    # Padding counts as a value, unless there is one block alone.
    looked_at = blocks if len(blocks) > 1 else inputs[None]
    least, largest = looked_at.min(axis=1), looked_at.max(axis=1)
    flat = least == largest
    least, largest = jnp.where(flat, least - 1, least), jnp.where(flat, largest + 1, largest)
    levels = 2 ** int(math.log2(high - low + 1))
    scale = (largest - least + epsilon) / (levels - 1)
    scale = jnp.where(scale <= 0, jnp.asarray(1e-8, scale.dtype), scale)
    zero = jnp.clip(jnp.round(-least / scale) - levels // 2, -(levels // 2), levels // 2 - 1).astype("int8")
    integers = jnp.clip(jnp.round(blocks / scale[:, None]) + zero[:, None].astype(scale.dtype), low, high)
    return integers.reshape(-1, columns)[:rows].astype(dtype), scale, zero


def dequantize_by_group(values: Any, scale: Any, zero: Any, groups: Any, axis: int) -> Any:
    """``(values - zero) * scale`` on JAX arrays, with scales and zeros of groups along an axis.

    Args:
        values: integers, or floats with whole values.
        scale: one scale per group along ``axis``.
        zero: likewise.
        groups: number of the group at each place of the axis.
        axis: axis of ``scale`` and ``zero`` that counts groups.
    """
    groups = groups.astype("int32")
    scales = jnp.take(scale, groups, axis=axis)
    return (values.astype(scales.dtype) - jnp.take(zero, groups, axis=axis).astype(scales.dtype)) * scales


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple[Any, tuple[int, ...], int]:
    """Put pairs of neighbouring 4-bit integers into one byte, the first of them in the low half.

    Args:
        arr: integers from -8 to 7, of ``dtype``.
        axis: axis whose neighbours are paired; an odd one gets a zero at its end.
        dtype: "int8" or "uint8".

    Returns:
        The bytes, their shape, and the size of the axis before.

    Raises:
        ValueError: another ``dtype``.
        TypeError: ``arr`` is not of that dtype.

    References: Keras ``quantizers.pack_int4``.
    """
    _check_byte(dtype)
    if dtypes.as_dtype(arr.dtype).name != dtype:
        raise TypeError(f"pack_int4(): `arr` must be of dtype {dtype}. Received: {arr.dtype}. Cast it first.")
    array = np.moveaxis(np.asarray(ops.convert_to_numpy(arr)), axis, 0)
    size = len(array)
    if size % 2:
        array = np.concatenate([array, np.zeros_like(array[:1])])
    halves = array.view("uint8") & 0x0F
    packed = np.moveaxis((halves[::2] | (halves[1::2] << 4)).view(dtype), 0, axis)
    return ops.convert_to_tensor(np.ascontiguousarray(packed)), packed.shape, size


def unpack_int4(packed: Any, orig_len: int, axis: int = 0, dtype: str = "int8") -> Any:
    """The 4-bit integers that ``pack_int4`` put into bytes.

    Args:
        packed: bytes.
        orig_len: size of the axis before packing.
        axis: axis whose neighbours were paired.
        dtype: "int8" for integers from -8 to 7, "uint8" for 0 to 15.

    Raises:
        ValueError: another ``dtype``.
        TypeError: ``packed`` is neither int8 nor uint8.

    References: Keras ``quantizers.unpack_int4``.
    """
    _check_byte(dtype)
    if dtypes.as_dtype(packed.dtype).name not in ("int8", "uint8"):
        raise TypeError(f"unpack_int4(): `packed` must be int8 or uint8. Received: {packed.dtype}")
    return _unpacked(packed, int(orig_len), int(axis), dtype)


@op(static=("orig_len", "axis", "dtype"))
def _unpacked(packed: Any, orig_len: int, axis: int, dtype: str) -> Any:
    return unpacked_array(packed, orig_len, axis, dtype)


def unpacked_array(packed: Any, orig_len: int, axis: int, dtype: str = "int8") -> Any:
    """``unpack_int4`` on a JAX array."""
    low, high = packed & 0x0F, (packed >> 4) & 0x0F
    if dtype == "int8":
        low, high = ((half.astype("int8") ^ 8) - 8 for half in (low, high))
    axis %= packed.ndim
    pairs = jnp.stack([low, high], axis=axis + 1)
    shape = (*packed.shape[:axis], -1, *packed.shape[axis + 1 :])
    return jax.lax.slice_in_dim(pairs.reshape(shape), 0, orig_len, axis=axis).astype(dtype)


def _check_byte(dtype: str) -> None:
    if dtype not in ("int8", "uint8"):
        raise ArgumentError(f"4-bit integers are packed in 'int8' or 'uint8'. Received: dtype={dtype!r}")


# --- fake quantisation ---------------------------------------------------------------------------
def fake_quant_with_min_max_vars(
    inputs: Any, min_vals: Any, max_vals: Any, num_bits: int = 8, narrow_range: bool = False, axis: int | None = None
) -> Any:
    """Round floats to the values that integers of some bits can stand for.

    The range is moved a little, so that 0 is one of the values. Gradients pass where the input lies in the range;
    outside of it they belong to the end of the range.

    Args:
        inputs: floats.
        min_vals: least value, or one for each place along ``axis``.
        max_vals: largest value, likewise.
        num_bits: bits of the integers.
        narrow_range: leave the least integer out.
        axis: axis with ranges of its own at each place; one range for all if None.

    References: Keras ``quantizers.fake_quant_with_min_max_vars``.
    """
    axis = None if axis is None else int(axis) % len(inputs.shape)
    return _fake_quant(inputs, min_vals, max_vals, int(num_bits), bool(narrow_range), axis)


@op(static=("num_bits", "narrow_range", "axis"))
def _fake_quant(inputs: Any, low: Any, high: Any, num_bits: int, narrow_range: bool, axis: int | None) -> Any:
    @jax.custom_vjp
    def run(x: Any, low: Any, high: Any) -> Any:
        return forward(x, low, high)[0]

    def forward(x: Any, low: Any, high: Any) -> tuple[Any, Any]:
        least, largest, scale, per_step = _nudged(low, high, num_bits, narrow_range)
        zero = jnp.floor(-least * per_step + 0.5)
        shifted = jnp.clip(x.astype(least.dtype), least, largest) - least
        return (jnp.floor(shifted * per_step - zero + 0.5) * scale).astype(x.dtype), (x, low, high, least, largest)

    def backward(saved: Any, upstream: Any) -> tuple[Any, Any, Any]:
        x, low, high, least, largest = saved
        axes = tuple(one for one in range(x.ndim) if axis is None or one != axis)

        def gathered(where: Any, like: Any) -> Any:
            return jnp.where(where, upstream, 0.0).sum(axes).reshape(like.shape).astype(like.dtype)

        inside = jnp.where((x >= least) & (x <= largest), upstream, 0.0)
        return inside, gathered(x <= least, low), gathered(x >= largest, high)

    run.defvjp(forward, backward)
    return run(inputs, low, high)


def _nudged(low: Any, high: Any, num_bits: int, narrow_range: bool) -> tuple[Any, Any, Any, Any]:
    """Ends of the range, moved so that 0 is a step; the step and its inverse."""
    kind = jnp.promote_types(low.dtype, "float32")
    low, high = low.astype(kind), high.astype(kind)
    first, last = int(narrow_range), (1 << num_bits) - 1
    scale = (high - low) / (last - first)
    per_step = (last - first) / (high - low)
    zero = jnp.round(jnp.clip(first - low / scale, first, last))
    return (first - zero) * scale, (last - zero) * scale, scale, per_step


# --- 8-bit floats --------------------------------------------------------------------------------
@op(static=("margin",))
def compute_float8_scale(amax: Any, scale: Any, dtype_max: Any, margin: int = 0) -> Any:
    """The scale at which the largest magnitude of late becomes the largest number of a float8 dtype.

    Args:
        amax: largest magnitude seen.
        scale: scale so far, kept where ``amax`` is 0 or not finite.
        dtype_max: largest number of the dtype.
        margin: powers of two to stay below it.

    References: Keras ``quantizers.compute_float8_scale``.
    """
    return float8_scale(amax, scale, dtype_max, margin)


def float8_scale(amax: Any, scale: Any, dtype_max: Any, margin: int = 0) -> Any:
    """``compute_float8_scale`` on JAX arrays."""
    factor = dtype_max / amax / 2**margin
    factor = jnp.where((amax > 0.0) & jnp.isfinite(amax), factor, 1 / scale)
    return 1 / factor


@op
def compute_float8_amax_history(x: Any, amax_history: Any) -> Any:
    """The largest magnitudes of late with that of ``x`` in front, each moved by one place.

    Args:
        x: floats.
        amax_history: largest magnitudes, ``(steps,)``.

    References: Keras ``quantizers.compute_float8_amax_history``.
    """
    return float8_amax_history(x, amax_history)


def float8_amax_history(x: Any, history: Any) -> Any:
    """``compute_float8_amax_history`` on JAX arrays."""
    return jnp.roll(history, -1).at[0].set(jnp.max(jnp.abs(x)).astype(history.dtype))


@op(static=("quantized_dtype", "compute_dtype"))
def quantize_and_dequantize(inputs: Any, scale: Any, quantized_dtype: Any, compute_dtype: Any) -> Any:
    """Round floats to the values of a float8 dtype, at a scale.

    Args:
        inputs: floats.
        scale: what 1 in the small dtype stands for.
        quantized_dtype: "float8_e4m3fn" or "float8_e5m2".
        compute_dtype: dtype of the result.

    References: Keras ``quantizers.quantize_and_dequantize``.
    """
    return float8_rounded(inputs, scale, quantized_dtype, compute_dtype)


def float8_rounded(inputs: Any, scale: Any, quantized_dtype: Any, compute_dtype: Any) -> Any:
    """``quantize_and_dequantize`` on JAX arrays."""
    largest = jnp.asarray(float(jnp.finfo(quantized_dtype).max), compute_dtype)
    scale = scale.astype(compute_dtype)
    rounded = jnp.clip(inputs / scale, -largest, largest).astype(quantized_dtype)
    return rounded.astype(compute_dtype) * scale
