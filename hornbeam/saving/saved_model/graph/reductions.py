"""Reductions, cumulative sums, sorting, segments."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.saving.saved_model.graph.table import Node, op, static


def _axes(node: Node, axis: Any) -> tuple[int, ...]:
    return tuple(int(a) for a in static(node, axis, "axis").ravel())


_REDUCTIONS = {"Sum": "sum", "Mean": "mean", "Max": "max", "Min": "min", "Prod": "prod", "All": "all", "Any": "any"}


@op(*_REDUCTIONS)
def _reduce(node: Node, x: Any, axis: Any) -> Any:
    given = node.xp.asarray(x)
    result = getattr(node.xp, _REDUCTIONS[node.op])(
        given, axis=_axes(node, axis), keepdims=bool(node.number("keep_dims", False))
    )
    return result.astype(given.dtype)


@op("EuclideanNorm")
def _norm(node: Node, x: Any, axis: Any) -> Any:
    return jnp.sqrt(jnp.sum(jnp.square(x), axis=_axes(node, axis), keepdims=bool(node.number("keep_dims", False))))


@op("ArgMax", "ArgMin")
def _arg(node: Node, x: Any, axis: Any) -> Any:
    function = node.xp.argmax if node.op == "ArgMax" else node.xp.argmin
    return function(x, axis=int(static(node, axis, "axis"))).astype(node.dtype("output_type", "int64"))


@op("Cumsum", "Cumprod")
def _cumulative(node: Node, x: Any, axis: Any) -> Any:
    place = int(static(node, axis, "axis"))
    function, start = (jnp.cumsum, 0) if node.op == "Cumsum" else (jnp.cumprod, 1)
    values = jnp.flip(x, place) if node.number("reverse", False) else jnp.asarray(x)
    dtype = values.dtype
    if node.number("exclusive", False):
        shifted = jax.lax.slice_in_dim(values, 0, values.shape[place] - 1, axis=place)
        first = jnp.full_like(jax.lax.slice_in_dim(values, 0, 1, axis=place), start)
        values = jnp.concatenate([first, shifted], axis=place)
    result = function(values, axis=place).astype(dtype)
    return jnp.flip(result, place) if node.number("reverse", False) else result


@op("TopK", "TopKV2", outputs=("values", "indices"))
def _top_k(node: Node, x: Any, k: Any = None) -> Any:
    count = int(static(node, k, "number of elements")) if k is not None else node.number("k")
    values, indices = jax.lax.top_k(x, count)
    return [values, indices.astype(node.dtype("index_type", "int32"))]


@op("InTopKV2", "InTopK")
def _in_top_k(node: Node, predictions: Any, targets: Any, k: Any = None) -> Any:
    count = k if k is not None else node.number("k")
    wanted = jnp.take_along_axis(predictions, targets[:, None].astype(jnp.int32), axis=1)
    return jnp.sum(predictions > wanted, axis=1) < count


@op("Bincount", "DenseBincount")
def _bincount(node: Node, values: Any, size: Any, weights: Any) -> Any:
    length = int(static(node, size, "size"))
    weighted = np.size(weights) > 0
    binary = node.number("binary_output", False)
    dtype = jnp.asarray(weights).dtype

    def count(row: Any, weight: Any) -> Any:
        ones = jnp.ones(row.shape, dtype) if weight is None else weight
        found = jnp.zeros((length,), dtype).at[row].add(jnp.where(row < length, ones, 0), mode="drop")
        return (found > 0).astype(dtype) if binary else found

    given = jnp.asarray(values)
    if given.ndim < 2:
        return count(given.ravel(), jnp.ravel(weights) if weighted else None)
    return jax.vmap(lambda r: count(r, None))(given) if not weighted else jax.vmap(count)(given, weights)


@op("UnsortedSegmentSum", "UnsortedSegmentMax", "UnsortedSegmentMin", "UnsortedSegmentProd")
def _segments(node: Node, data: Any, ids: Any, count: Any) -> Any:
    function = getattr(jax.ops, "segment_" + node.op.removeprefix("UnsortedSegment").lower())
    number = int(static(node, count, "number of segments"))
    rest = jnp.ndim(ids)
    flat = jnp.reshape(data, (-1, *jnp.shape(data)[rest:]))
    return function(flat, jnp.ravel(ids), number)


@op("SegmentSum", "SegmentMean", "SegmentMax", "SegmentMin", foldable=True)
def _sorted_segments(node: Node, data: Any, ids: Any) -> Any:
    known = static(node, ids, "segment numbers")
    count = int(known.max()) + 1 if known.size else 0
    if node.op == "SegmentMean":
        total = jax.ops.segment_sum(data, known, count)
        sizes = np.maximum(np.bincount(known, minlength=count), 1).reshape((-1,) + (1,) * (np.ndim(data) - 1))
        return total / sizes.astype(np.asarray(total).dtype)
    return getattr(jax.ops, "segment_" + node.op.removeprefix("Segment").lower())(data, known, count)
