"""Elementwise functions, reductions, products and reshaping."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.core.conversion import as_array
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.ops.merging import batch_dot as _batch_dot
from hornbeam.tensors import indexing

_range, _tuple = builtins.range, builtins.tuple

abs = ops.absolute
cos = ops.cos
exp = ops.exp
log = ops.log
round = ops.round
sign = ops.sign
sin = ops.sin
square = ops.square
tanh = ops.tanh


def equal(x: Any, y: Any) -> Any:
    """True where both are equal."""
    return ops.equal(x, y)


def not_equal(x: Any, y: Any) -> Any:
    """True where they differ."""
    return ops.not_equal(x, y)


def greater(x: Any, y: Any) -> Any:
    """True where the first is larger."""
    return ops.greater(x, y)


def greater_equal(x: Any, y: Any) -> Any:
    """True where the first is larger or equal."""
    return ops.greater_equal(x, y)


def less(x: Any, y: Any) -> Any:
    """True where the first is smaller."""
    return ops.less(x, y)


def less_equal(x: Any, y: Any) -> Any:
    """True where the first is smaller or equal."""
    return ops.less_equal(x, y)


def maximum(x: Any, y: Any) -> Any:
    """The larger one, element by element."""
    return ops.maximum(x, y)


def minimum(x: Any, y: Any) -> Any:
    """The smaller one, element by element."""
    return ops.minimum(x, y)


def pow(x: Any, a: Any) -> Any:
    """Power, element by element."""
    return ops.power(x, a)


def sqrt(x: Any) -> Any:
    """Square root; of negative numbers 0."""
    return ops.sqrt(ops.maximum(x, ops.zeros_like(x)))


def clip(x: Any, min_value: Any = None, max_value: Any = None) -> Any:
    """The tensor with its elements between two numbers; an upper limit below the lower one counts as that."""
    if isinstance(min_value, (int, float)) and isinstance(max_value, (int, float)) and max_value < min_value:
        max_value = min_value
    if min_value is None and max_value is None:
        raise ValueError("clip() needs a number as `min_value`, as `max_value`, or as both. Received none.")
    found = ops.convert_to_tensor(x) if not isinstance(x, KerasTensor) else x
    if min_value is not None:
        found = ops.maximum(found, ops.cast(min_value, found.dtype))
    return found if max_value is None else ops.minimum(found, ops.cast(max_value, found.dtype))


# --- reductions ----------------------------------------------------------------------------------
def _numbers(x: Any) -> Any:
    """Truth values as numbers."""
    x = x if hasattr(x, "dtype") else ops.convert_to_tensor(x)
    return ops.cast(x, settings.floatx()) if str(x.dtype) == "bool" else x


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over axes."""
    return ops.sum(x, axis=axis, keepdims=keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Product over axes."""
    return ops.prod(x, axis=axis, keepdims=keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean over axes."""
    return ops.mean(_numbers(x), axis=axis, keepdims=keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance over axes."""
    return ops.var(_numbers(x), axis=axis, keepdims=keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Standard deviation over axes."""
    return ops.std(_numbers(x), axis=axis, keepdims=keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest element over axes."""
    return ops.max(x, axis=axis, keepdims=keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest element over axes."""
    return ops.min(x, axis=axis, keepdims=keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all elements are true."""
    return ops.all(ops.cast(x, "bool"), axis=axis, keepdims=keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether an element is true."""
    return ops.any(ops.cast(x, "bool"), axis=axis, keepdims=keepdims)


def argmax(x: Any, axis: int = -1) -> Any:
    """Place of the largest element along an axis."""
    return ops.argmax(x, axis=axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """Place of the smallest element along an axis."""
    return ops.argmin(x, axis=axis)


def cumsum(x: Any, axis: int = 0) -> Any:
    """Running sum along an axis."""
    return ops.cumsum(x, axis=axis)


def cumprod(x: Any, axis: int = 0) -> Any:
    """Running product along an axis."""
    return ops.cumprod(x, axis=axis)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Logarithm of the sum of exponentials over axes."""
    return ops.logsumexp(x, axis=axis, keepdims=keepdims)


def l2_normalize(x: Any, axis: Any = None) -> Any:
    """The tensor divided by its Euclidean norm over axes (at least 1e-6)."""
    total = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(total, ops.cast(1e-12, total.dtype)))


# --- products ------------------------------------------------------------------------------------
def dot(x: Any, y: Any) -> Any:
    """Products of ``x`` and ``y``, summed along the last axis of ``x`` and the last but one of ``y``.

    All pairs of the other axes are formed: those of ``x`` come first in the result.
    """
    if len(x.shape) <= 2 and len(y.shape) <= 2:
        return ops.matmul(x, y)
    return ops.tensordot(x, y, axes=[[len(x.shape) - 1], [builtins.max(len(y.shape) - 2, 0)]])


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Sum of products over one axis of each tensor, sample by sample.

    Args:
        x: (batch, ...).
        y: (batch, ...).
        axes: axis of each tensor; by default the last one of ``x`` and the last but one of ``y`` (the last, if ``y``
            has two axes).

    Returns:
        (batch, other axes of x, other axes of y), with (batch, 1) if there are none.
    """
    first, second = len(x.shape), len(y.shape)
    if first < 2 or second < 2:
        raise ValueError(
            f"batch_dot() takes tensors of two axes or more. Received: shapes {_tuple(x.shape)} and {_tuple(y.shape)}."
        )
    if axes is None:
        axes = (first - 1, second - 1 if second == 2 else second - 2)
    left, right = (axes, axes) if isinstance(axes, int) else axes
    left, right = left % first, right % second
    if left == 0 or right == 0:
        raise ValueError(f"batch_dot() cannot sum over the batch axis. Received: axes={axes}.")
    if None not in (x.shape[left], y.shape[right]) and x.shape[left] != y.shape[right]:
        raise ValueError(
            f"batch_dot() sums over axes of one size. Received: sizes {x.shape[left]} (axis {left} of "
            f"{_tuple(x.shape)}) "
            f"and {y.shape[right]} (axis {right} of {_tuple(y.shape)})."
        )
    return _batch_dot(x, y, axes=(left, right))


# --- shapes --------------------------------------------------------------------------------------
def reshape(x: Any, shape: Any) -> Any:
    """The elements in another shape."""
    return ops.reshape(x, _sizes(shape))


def _sizes(shape: Any) -> Any:
    if isinstance(shape, (Tensor, Variable)):
        return _tuple(int(size) for size in as_array(shape))
    return _tuple(int(size) if isinstance(size, Tensor) else size for size in shape)


def flatten(x: Any) -> Any:
    """All elements along one axis."""
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> Any:
    """All elements of each sample along one axis."""
    size = 1
    for one in x.shape[1:]:
        size *= one
    return ops.reshape(x, (-1, size))


def expand_dims(x: Any, axis: int = -1) -> Any:
    """The tensor with a new axis of size 1."""
    return ops.expand_dims(x, axis)


def squeeze(x: Any, axis: int) -> Any:
    """The tensor without an axis of size 1."""
    return ops.squeeze(x, axis)


def transpose(x: Any) -> Any:
    """The axes in reverse order."""
    return ops.transpose(x)


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Any:
    """The axes in another order."""
    return ops.transpose(x, pattern)


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Any:
    """Tensors joined along an axis."""
    return ops.concatenate(tensors, axis=axis)


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Tensors of one shape along a new axis."""
    return ops.stack(x, axis=axis)


def repeat(x: Any, n: int) -> Any:
    """(batch, size) repeated along a new axis in the middle: (batch, n, size)."""
    if len(x.shape) != 2:
        raise ValueError(f"repeat() takes a tensor of two axes. Received: shape {_tuple(x.shape)}.")
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Each element repeated along an axis, as ``numpy.repeat`` does."""
    return ops.repeat(x, rep, axis=axis)


def tile(x: Any, n: Any) -> Any:
    """The tensor repeated as a whole along its axes."""
    repeats = [n] if isinstance(n, int) else list(n)
    return ops.tile(x, _tuple(repeats))


def reverse(x: Any, axes: Any) -> Any:
    """The tensor turned round along axes."""
    return ops.flip(x, axis=axes if isinstance(axes, int) else _tuple(axes))


def slice(x: Any, start: Any, size: Any) -> Any:
    """A part that begins at ``start``, ``size`` elements long along each axis (-1: to the end)."""
    return indexing.slice(x, start, size)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str = "int32") -> Any:
    """Numbers at equal steps; an end below 0 gives none."""
    if stop is None and start < 0:
        start = 0
    return ops.arange(start, stop, step, dtype=dtype)


def gather(reference: Any, indices: Any) -> Any:
    """Rows of a tensor by their numbers."""
    return ops.take(reference, ops.cast(indices, "int32"), axis=0)


def one_hot(indices: Any, num_classes: int) -> Any:
    """Class numbers as rows with a single 1."""
    return ops.one_hot(ops.cast(indices, "int32"), num_classes)


def stop_gradient(variables: Any) -> Any:
    """The same values, through which no gradient flows; lists element by element."""
    if isinstance(variables, (list, _tuple)):
        return [ops.stop_gradient(one) for one in variables]
    return ops.stop_gradient(variables)
