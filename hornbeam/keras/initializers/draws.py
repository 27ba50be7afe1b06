"""Random values for weights, bit for bit those of ``jax.random``, without a compilation per shape.

``jax.random`` compiles one program per shape, a tenth of a second and more each; a network has dozens of shapes.
Here two programs per distribution serve all of them: element ``i`` of a draw depends on the key and ``i`` only
(that is what ``jax_threefry_partitionable`` means), so a draw is made in flat pieces of two fixed lengths, and cut
and shaped on the host. Uniform draws, the usual ones, need no program up to a fair size: NumPy makes the same bits.
A test holds every distribution against ``jax.random``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.base import dtypes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.engine import cache
from hornbeam.engine.jax_compat import Tracer, wide_types
from hornbeam.keras.initializers.base import numpy_dtype, placed

__all__ = ["normal", "truncated_normal", "uniform"]

_SHORT, _LONG = 1 << 12, 1 << 18
"""Lengths of a piece. Most biases and small kernels fit the short one; the long one takes some milliseconds."""

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)
_SQRT2 = np.float32(math.sqrt(2.0))


def uniform(key: Any, shape: tuple[int, ...], low: float, high: float, dtype: Any) -> Any:
    """Values spread evenly over ``[low, high)``, as ``jax.random.uniform`` draws them.

    Args:
        key: key data, ``uint32[2]``.
        shape: sizes.
        low: lower bound.
        high: upper bound.
        dtype: floating dtype.
    """
    if _in_pieces(key, dtype):
        count, bounds = math.prod(shape), (np.float32(low), np.float32(high))
        flat = _uniform_on_host(key, count, *bounds) if count <= _LONG else _flat("uniform", key, count, *bounds)
        return placed(flat.reshape(shape))
    return _directly(lambda kind: jax.random.uniform(key, shape, kind, low, high), dtype)


def normal(key: Any, shape: tuple[int, ...], mean: float, stddev: float, dtype: Any) -> Any:
    """Normally distributed values, as Keras draws them; arguments as in ``uniform``."""
    if _in_pieces(key, dtype):
        flat = _flat("normal", key, math.prod(shape), np.float32(0), np.float32(0))
        return placed(_scaled(flat, mean, stddev).reshape(shape))
    return _directly(lambda kind: jax.random.normal(key, shape, kind) * stddev + mean, dtype)


def truncated_normal(key: Any, shape: tuple[int, ...], mean: float, stddev: float, dtype: Any) -> Any:
    """Normally distributed values no further than two standard deviations from the mean."""
    if _in_pieces(key, dtype):
        flat = _flat("truncated_normal", key, math.prod(shape), np.float32(-2), np.float32(2))
        return placed(_scaled(flat, mean, stddev).reshape(shape))
    return _directly(lambda kind: jax.random.truncated_normal(key, -2.0, 2.0, shape, kind) * stddev + mean, dtype)


def _scaled(flat: np.ndarray, mean: float, stddev: float) -> np.ndarray:
    # Two roundings, as in two separate operations; a compiled program would fuse them into one.
    flat = flat * np.float32(stddev)
    flat += np.float32(mean)
    return flat


def _in_pieces(key: Any, dtype: Any) -> bool:
    """Whether the pieces give what ``jax.random`` gives: for concrete keys, float32, JAX's default generator."""
    if numpy_dtype(dtype) != np.float32 or isinstance(key, Tracer):
        return False
    return bool(jax.config.jax_threefry_partitionable)  # type: ignore[attr-defined]


def _directly(draw: Callable[[Any], Any], dtype: Any) -> Tensor:
    kind = numpy_dtype(dtype)
    with wide_types(dtypes.is_wide(kind.name)):
        return wrap(draw(kind))


def _flat(name: str, key: Any, count: int, low: Any, high: Any) -> np.ndarray:
    """The first ``count`` values of a draw, on the host."""
    key = np.asarray(key, dtype=np.uint32)
    length = _SHORT if count <= 4 * _SHORT else _LONG
    program = _program(name, length)
    starts = range(0, count, length)
    # All pieces are launched before the first one is waited for.
    pieces = [program(key, np.uint32(s >> 32), np.uint32(s & 0xFFFFFFFF), low, high) for s in starts]
    if len(pieces) == 1:
        return np.asarray(pieces[0])[:count]
    flat = np.empty(count, np.float32)
    for start, piece in zip(starts, pieces, strict=True):
        flat[start : start + length] = np.asarray(piece)[: count - start]
    return flat


@functools.cache
def _program(name: str, length: int) -> Callable:
    cache.enable()
    shape_values = _DISTRIBUTIONS[name]

    def piece(key: Any, start_high: Any, start_low: Any, low: Any, high: Any) -> Any:
        return shape_values(_bits(key, start_high, start_low, length), low, high)

    word, number = jax.ShapeDtypeStruct((), np.uint32), jax.ShapeDtypeStruct((), np.float32)
    key = jax.ShapeDtypeStruct((2,), np.uint32)
    # Compiled ahead of its calls, it runs at once also where a function is being traced.
    return jax.jit(piece).lower(key, word, word, number, number).compile()


def _bits(key: Any, start_high: Any, start_low: Any, length: int) -> Any:
    """Random bits of the elements from a 64-bit start on: the Threefry cipher applied to their numbers.

    References: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Threefry-2x32, 20 rounds).
    """
    keys = (key[0], key[1], key[0] ^ key[1] ^ _PARITY)
    # A piece starts at a multiple of its length, so counting inside it never carries.
    left = jnp.full((length,), start_high) + keys[0]
    right = start_low + lax.iota(np.uint32, length) + keys[1]
    for group in range(5):
        for bits in _ROTATIONS[group % 2]:
            left = left + right
            right = left ^ ((right << np.uint32(bits)) | (right >> np.uint32(32 - bits)))
        left = left + keys[(group + 1) % 3]
        right = right + keys[(group + 2) % 3] + np.uint32(group + 1)
    return left ^ right


def _bits_on_host(key: np.ndarray, count: int) -> np.ndarray:
    """The bits of the first elements, less than 2**32 of them, by NumPy."""
    first, second = (int(word) for word in key)
    keys = (first, second, first ^ second ^ int(_PARITY))
    left = np.full(count, np.uint32(first))
    right = np.arange(count, dtype=np.uint32) + np.uint32(second)
    carried = np.empty_like(right)
    for group in range(5):
        for bits in _ROTATIONS[group % 2]:
            left += right
            np.right_shift(right, np.uint32(32 - bits), out=carried)
            right <<= np.uint32(bits)
            right |= carried
            right ^= left
        left += np.uint32(keys[(group + 1) % 3])
        right += np.uint32((keys[(group + 2) % 3] + group + 1) & 0xFFFFFFFF)
    left ^= right
    return left


def _uniform_on_host(key: Any, count: int, low: np.float32, high: np.float32) -> np.ndarray:
    """``_uniform`` of the first elements, by NumPy."""
    bits = _bits_on_host(np.asarray(key, dtype=np.uint32), count)
    bits >>= np.uint32(9)
    bits |= np.uint32(0x3F800000)
    # One rounding after product and sum, as where XLA fuses them: 64 bits hold the product exactly.
    values = (bits.view(np.float32) - np.float32(1)).astype(np.float64)
    values *= np.float64(high - low)
    values += np.float64(low)
    return np.maximum(low, values.astype(np.float32))


def _uniform(bits: Any, low: Any, high: Any) -> Any:
    # 23 random bits as the fraction of a float in [1, 2).
    unit = lax.bitcast_convert_type((bits >> np.uint32(9)) | np.uint32(0x3F800000), np.float32) - np.float32(1)
    return lax.max(low, unit * (high - low) + low)


def _normal(bits: Any, low: Any, high: Any) -> Any:
    return _SQRT2 * lax.erf_inv(_uniform(bits, np.nextafter(np.float32(-1), np.float32(0)), np.float32(1)))


def _truncated_normal(bits: Any, low: Any, high: Any) -> Any:
    values = _SQRT2 * lax.erf_inv(_uniform(bits, lax.erf(low / _SQRT2), lax.erf(high / _SQRT2)))
    inside = (lax.nextafter(low, np.float32(np.inf)), lax.nextafter(high, np.float32(-np.inf)))
    return lax.clamp(inside[0], values, inside[1])


_DISTRIBUTIONS: dict[str, Callable] = {
    "uniform": _uniform,
    "normal": _normal,
    "truncated_normal": _truncated_normal,
}
