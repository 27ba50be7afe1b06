"""Maxima over windows, chosen by platform.

On CPU, XLA's windowed reductions are slow, and their gradients 10 to 50 times slower than they need be. There the
largest elements and the places of the (first) winners are arithmetic on shifted slices, which joins the passes before
and after; the gradient is put back where the winners were. All three are operations of their own, so that
``engine.pooling_order`` can find them in programs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from hornbeam.engine import onednn, platform
from hornbeam.engine.jax_compat import Described, bilinear_primitive, is_exporting, selecting_primitive
from hornbeam.engine.window import Window

LARGEST, CHOSEN, PUT_BACK = "hornbeam_max_pool", "hornbeam_max_pool_chosen", "hornbeam_max_pool_put_back"
"""Names of the operations in programs: ``x`` to the largest elements and the numbers of their places in the windows;
elements at those places; elements put there, the rest being zero."""
_MOST_TAPS = 64


@dataclass(frozen=True)
class Pooling(Described):
    """What a maximum is taken of.

    Attributes:
        window: the window.
        shape: of the array that it slides over.
        dtype: of that array.
        operation: which of the operations this describes.
    """

    window: Window
    shape: tuple[Any, ...]
    dtype: Any
    operation: str = LARGEST

    @property
    def pooled(self) -> tuple[Any, ...]:
        """Shape of the result."""
        window = self.window
        counts = window.counts(self.shape)
        return tuple(counts[axis - window.first] if axis in window.axes else n for axis, n in enumerate(self.shape))

    def of(self, operation: str) -> Pooling:
        """The description of another operation."""
        return replace(self, operation=operation)

    def batched(self, size: Any) -> Pooling:
        """With a further axis in front."""
        return replace(self, window=replace(self.window, first=self.window.first + 1), shape=(size, *self.shape))

    def operands_of(self) -> list[Any]:
        """Shapes and dtypes of the operation's operands."""
        whole, part = (jax.ShapeDtypeStruct(shape, self.dtype) for shape in (self.shape, self.pooled))
        winner = jax.ShapeDtypeStruct(self.pooled, np.uint8)
        return {LARGEST: [whole], CHOSEN: [whole, winner], PUT_BACK: [part, winner]}[self.operation]

    def write_out(self, *operands: Array) -> Any:
        """The operation in others."""
        return _WRITTEN_OUT[self.operation](*operands, self)


def _lowest(dtype: np.dtype) -> object:
    return -np.inf if jnp.issubdtype(dtype, jnp.inexact) else jnp.iinfo(dtype).min


def max_pool(x: Array, window: Window) -> Array:
    """Largest element of each window; the gradient goes to the first of equal ones.

    Args:
        x: of a real dtype.
        window: the window; padding never wins.
    """
    x, window = window.settled(x, _lowest(x.dtype))
    if not platform.is_cpu() or math.prod(window.sizes) > _MOST_TAPS or 0 in window.counts(x.shape):
        return lax.reduce_window(
            x,
            _lowest(x.dtype),
            lax.max,
            window.full(x.shape, window.sizes, 1),
            window.full(x.shape, window.strides, 1),
            window.full(x.shape, window.padding, (0, 0)),
        )
    return largest(x, Pooling(window, tuple(x.shape), x.dtype))[0]


# --- written out ---------------------------------------------------------------------------------
def _parts(x: Array, window: Window, fill: object) -> list[Array]:
    """The elements at each place of all windows."""
    counts = window.counts(x.shape)
    if any(max(pads) > 0 for pads in window.padding):
        x = window.fitted(x, fill)
    return [window.elements_at(place, x, counts) for place in window.places()]


def _largest(x: Array, spec: Pooling) -> tuple[Array, Array]:
    """By arithmetic on slices, which becomes part of the passes before and after."""
    best, *rivals = _parts(x, spec.window, _lowest(x.dtype))
    winner = jnp.zeros(best.shape, jnp.uint8)
    for number, rival in enumerate(rivals, 1):
        winner = jnp.where(rival > best, jnp.uint8(number), winner)
        best = lax.max(best, rival)
    return best, winner


def _largest_apart(x: Array, spec: Pooling) -> tuple[Array, Array]:
    """By reductions over windows side by side, which are passes of their own.

    That is better before convolutions written out in XLA, which would do the work again for every element of their
    windows.
    """
    window = spec.window
    if window.sizes != window.strides:
        return _largest(x, spec)
    x, inner = window.split(window.fitted(x, _lowest(x.dtype)), window.counts(x.shape))
    best = jnp.max(x, axis=inner)
    place = lax.broadcast_in_dim(_numbers(window), x.shape, inner)
    return best, jnp.min(jnp.where(x == jnp.expand_dims(best, inner), place, jnp.uint8(255)), axis=inner)


def _numbers(window: Window) -> Array:
    """The number of each place in a window."""
    return jnp.arange(math.prod(window.sizes), dtype=jnp.uint8).reshape(window.sizes)


def _largest_on_cpu(x: Array, spec: Pooling) -> tuple[Array, Array]:
    if not onednn.is_available() or is_exporting():
        return _largest_apart(x, spec)
    best, winner = _largest(x, spec)
    return best, onednn.hold(winner)


def _chosen(x: Array, winner: Array, spec: Pooling) -> Array:
    zero = jnp.zeros((), x.dtype)
    found = zero
    for number, part in enumerate(_parts(x, spec.window, zero)):
        found = found + jnp.where(winner == number, part, zero)
    return found


def _put_back(part: Array, winner: Array, spec: Pooling) -> Array:
    if spec.window.sizes != spec.window.strides:
        (whole,) = jax.linear_transpose(
            lambda x: _chosen(x, winner, spec), jax.ShapeDtypeStruct(spec.shape, part.dtype)
        )(part)
        return whole
    # Windows side by side: every element belongs to one window at most.
    window = spec.window
    inner = tuple(window.first + 2 * number + 1 for number in range(len(window.sizes)))
    part, winner = jnp.expand_dims(part, inner), jnp.expand_dims(winner, inner)
    shape = list(part.shape)
    for axis, size in zip(inner, window.sizes, strict=True):
        shape[axis] = size
    place = lax.broadcast_in_dim(_numbers(window), shape, inner)
    covered = jnp.where(place == winner, part, jnp.zeros((), part.dtype))
    counts = window.counts(spec.shape)
    reach = window.full(spec.shape, [n * size for n, size in zip(counts, window.sizes, strict=True)], None)
    covered = covered.reshape([whole if n is None else n for n, whole in zip(reach, spec.shape, strict=True)])
    pads = window.full(spec.shape, [before for before, _ in window.padding], 0)
    config = [
        (0, 0, 0) if n is None else (-before, whole - n + before, 0)
        for n, before, whole in zip(reach, pads, spec.shape, strict=True)
    ]
    return lax.pad(covered, jnp.zeros((), part.dtype), config) if any(map(any, config)) else covered


def _put_back_on_cpu(part: Array, winner: Array, spec: Pooling) -> Array:
    if onednn.takes_put_back(spec.shape, spec.window, part.dtype):
        return onednn.put_back(part, winner, spec.shape, spec.window)
    return _put_back(part, winner, spec)


_WRITTEN_OUT: dict[str, Callable] = {LARGEST: _largest_apart, CHOSEN: _chosen, PUT_BACK: _put_back}


# --- operations ----------------------------------------------------------------------------------
def _batch_of(operation: Callable) -> Callable:
    """The rule of ``vmap``: its axis goes in front of both operands."""

    def batch(one: Array, winner: Array, axes: Sequence[int | None], spec: Pooling) -> tuple[Array, int]:
        pairs = list(zip((one, winner), axes, strict=True))
        size = next(array.shape[axis] for array, axis in pairs if axis is not None)
        joined = [
            jnp.broadcast_to(array, (size, *array.shape)) if axis is None else jnp.moveaxis(array, axis, 0)
            for array, axis in pairs
        ]
        return operation(*joined, spec.batched(size)), 0

    return batch


def largest(x: Array, spec: Pooling) -> tuple[Array, Array]:
    """The largest elements, and the numbers of their places in the windows (uint8)."""
    best, winner = _largest_of(x, spec=spec.of(LARGEST))
    return best, winner


def chosen(x: Array, winner: Array, spec: Pooling) -> Array:
    """The elements of ``x`` at the winners' places."""
    return _chosen_of(x, winner, spec.of(CHOSEN))


def put_back(part: Array, winner: Array, spec: Pooling) -> Array:
    """An array of the full shape with ``part`` at the winners' places, added up where windows share elements."""
    return _put_back_of(part, winner, spec.of(PUT_BACK))


def _no_slope(*_: Any) -> Any:
    raise TypeError("numbers of places have no gradient")


_largest_of = selecting_primitive(
    LARGEST,
    results=lambda x, spec: [(spec.pooled, x.dtype), (spec.pooled, np.dtype(np.uint8))],
    lowerings={None: _largest_apart, "cpu": _largest_on_cpu},
    tangent=lambda slope, winner, spec: chosen(slope, winner, spec),
    batch=lambda x, spec: largest(x, spec.batched(x.shape[0])),
)
_chosen_of = bilinear_primitive(
    CHOSEN,
    shape=lambda _, winner, spec: winner,
    lowerings={None: _chosen},
    left=lambda slope, _, winner, spec: put_back(slope, winner, spec),
    right=_no_slope,
    batch=_batch_of(chosen),
)
_put_back_of = bilinear_primitive(
    PUT_BACK,
    shape=lambda _, __, spec: spec.shape,
    lowerings={None: _put_back, "cpu": _put_back_on_cpu},
    left=lambda slope, _, winner, spec: chosen(slope, winner, spec),
    right=_no_slope,
    batch=_batch_of(put_back),
)
