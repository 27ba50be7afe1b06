"""Shapes, slices, gathering, building of arrays."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.saved_model.graph.constants import MOST_ELEMENTS, constant
from hornbeam.saving.saved_model.graph.table import Node, op, static


@op("Const")
def _const(node: Node) -> Any:
    return constant(node.tensor("value"))


@op("NoOp", "Assert", "CheckNumerics", "PrintV2", "Print", foldable=False)
def _nothing(node: Node, *inputs: Any) -> Any:
    # Checks and prints have no place in a compiled program; values pass through.
    return [inputs[0]] if node.op in ("CheckNumerics", "Print") else []


@op("Identity", "Snapshot", "PlaceholderWithDefault", "EnsureShape", foldable=False)
def _identity(node: Node, x: Any) -> Any:
    return x


@op("IdentityN", foldable=False)
def _identity_n(node: Node, *inputs: Any) -> Any:
    return list(inputs)


@op("StopGradient", "PreventGradient", foldable=False)
def _stop(node: Node, x: Any) -> Any:
    return x if isinstance(x, np.ndarray) else jax.lax.stop_gradient(x)


# --- shapes --------------------------------------------------------------------------------------
def _index_dtype(node: Node) -> np.dtype:
    return node.dtype("out_type", "int32")


@op("Shape", foldable=False)
def _shape(node: Node, x: Any) -> Any:
    return np.array(np.shape(x), _index_dtype(node))


@op("ShapeN", foldable=False)
def _shapes(node: Node, *inputs: Any) -> Any:
    return [np.array(np.shape(x), _index_dtype(node)) for x in inputs]


@op("Size", foldable=False)
def _size(node: Node, x: Any) -> Any:
    return np.array(math.prod(np.shape(x)), _index_dtype(node))


@op("Rank", foldable=False)
def _rank(node: Node, x: Any) -> Any:
    return np.array(np.ndim(x), np.int32)


@op("Reshape")
def _reshape(node: Node, x: Any, shape: Any) -> Any:
    return node.xp.reshape(x, tuple(int(size) for size in static(node, shape, "shape")))


@op("ExpandDims")
def _expand(node: Node, x: Any, axis: Any) -> Any:
    return node.xp.expand_dims(x, int(static(node, axis, "axis")))


@op("Squeeze")
def _squeeze(node: Node, x: Any) -> Any:
    axes = node.numbers("squeeze_dims") or node.numbers("axis")
    return node.xp.squeeze(x, tuple(axes) if axes else None)


@op("Transpose", "ConjugateTranspose")
def _transpose(node: Node, x: Any, order: Any) -> Any:
    moved = node.xp.transpose(x, tuple(int(a) for a in static(node, order, "order of axes")))
    return node.xp.conj(moved) if node.op == "ConjugateTranspose" else moved


@op("BroadcastTo")
def _broadcast(node: Node, x: Any, shape: Any) -> Any:
    return node.xp.broadcast_to(x, tuple(int(size) for size in static(node, shape, "shape")))


@op("BroadcastArgs")
def _broadcast_args(node: Node, a: Any, b: Any) -> Any:
    found = np.broadcast_shapes(tuple(static(node, a, "shape")), tuple(static(node, b, "shape")))
    return np.array(found, np.asarray(a).dtype)


# --- joining and cutting -------------------------------------------------------------------------
@op("Pack")
def _pack(node: Node, *inputs: Any) -> Any:
    return node.xp.stack(inputs, axis=node.number("axis", 0))


@op("Unpack")
def _unpack(node: Node, x: Any) -> Any:
    axis = node.number("axis", 0)
    return [node.xp.take(x, index, axis=axis) for index in range(np.shape(x)[axis])]


@op("Concat", "ConcatV2")
def _concat(node: Node, *inputs: Any) -> Any:
    axis, values = (inputs[0], inputs[1:]) if node.op == "Concat" else (inputs[-1], inputs[:-1])
    return node.xp.concatenate([node.xp.asarray(v) for v in values], axis=int(static(node, axis, "axis")))


@op("Split")
def _split(node: Node, axis: Any, x: Any) -> Any:
    return list(node.xp.split(x, node.number("num_split", 1), axis=int(static(node, axis, "axis"))))


@op("SplitV")
def _split_v(node: Node, x: Any, sizes: Any, axis: Any) -> Any:
    place, known = int(static(node, axis, "axis")), static(node, sizes, "sizes").astype(int).copy()
    if (known < 0).any():
        known[known < 0] = np.shape(x)[place] - known[known >= 0].sum()
    return list(node.xp.split(x, np.cumsum(known)[:-1].tolist(), axis=place))


@op("Slice")
def _slice(node: Node, x: Any, begin: Any, size: Any) -> Any:
    sizes = static(node, size, "size").tolist()
    if isinstance(begin, np.ndarray):
        cut = [slice(int(b), None if s < 0 else int(b) + int(s)) for b, s in zip(begin.tolist(), sizes, strict=True)]
        return x[tuple(cut)]
    return jax.lax.dynamic_slice(x, list(begin), sizes)


@op("StridedSlice")
def _strided(node: Node, x: Any, begin: Any, end: Any, strides: Any) -> Any:
    starts, stops, steps = begin, end, static(node, strides, "strides")
    masks = {name: node.number(f"{name}_mask", 0) for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    key: list[Any] = []
    for place in range(len(steps)):
        bit = 1 << place
        if masks["ellipsis"] & bit:
            key.append(Ellipsis)
        elif masks["new_axis"] & bit:
            key.append(None)
        elif masks["shrink_axis"] & bit:
            # A single index may depend on the data: the shape does not.
            key.append(int(starts[place]) if isinstance(starts, np.ndarray) else starts[place])
        else:
            low = None if masks["begin"] & bit else int(static(node, starts, "begin")[place])
            high = None if masks["end"] & bit else int(static(node, stops, "end")[place])
            key.append(slice(low, high, int(steps[place])))
    given = x if isinstance(x, np.ndarray) and not any(isinstance(k, jax.Array) for k in key) else jnp.asarray(x)
    return given[tuple(key)]


@op("Pad", "PadV2", "MirrorPad")
def _pad(node: Node, x: Any, widths: Any, value: Any = 0) -> Any:
    known = [tuple(map(int, pair)) for pair in static(node, widths, "paddings")]
    if node.op == "MirrorPad":
        return node.xp.pad(x, known, mode=node.text("mode").lower())
    return node.xp.pad(x, known, constant_values=value)


@op("Tile")
def _tile(node: Node, x: Any, multiples: Any) -> Any:
    return node.xp.tile(x, tuple(int(m) for m in static(node, multiples, "multiples")))


@op("ReverseV2")
def _reverse(node: Node, x: Any, axis: Any) -> Any:
    return node.xp.flip(x, tuple(int(a) for a in static(node, axis, "axis").ravel()))


@op("ReverseSequence")
def _reverse_sequence(node: Node, x: Any, lengths: Any) -> Any:
    axis, batch = node.number("seq_dim"), node.number("batch_dim", 0)
    size = x.shape[axis]
    places = jnp.arange(size)
    index = jnp.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)
    moved = jnp.moveaxis(x, (batch, axis), (0, 1))
    index = index.reshape(index.shape + (1,) * (moved.ndim - 2))
    return jnp.moveaxis(jnp.take_along_axis(moved, index, axis=1), (0, 1), (batch, axis))


@op("Roll")
def _roll(node: Node, x: Any, shift: Any, axis: Any) -> Any:
    return node.xp.roll(
        x, tuple(static(node, shift, "shift").ravel().tolist()), tuple(static(node, axis, "axis").ravel().tolist())
    )


# --- gathering -----------------------------------------------------------------------------------
@op("Gather", "GatherV2")
def _gather(node: Node, x: Any, indices: Any, axis: Any = 0) -> Any:
    place, batch = int(static(node, axis, "axis")), node.number("batch_dims", 0)
    xp = node.xp
    if batch:
        function = lambda one, index: jnp.take(one, index, axis=place - batch, mode="clip")  # noqa: E731
        for _ in range(batch):
            function = jax.vmap(function)
        return function(jnp.asarray(x), jnp.asarray(indices))
    if xp is np:
        return np.take(x, indices, axis=place)
    return jnp.take(jnp.asarray(x), jnp.asarray(indices), axis=place, mode="clip")


@op("GatherNd")
def _gather_nd(node: Node, x: Any, indices: Any) -> Any:
    return node.xp.asarray(x)[tuple(node.xp.moveaxis(node.xp.asarray(indices), -1, 0))]


@op("ScatterNd")
def _scatter(node: Node, indices: Any, updates: Any, shape: Any) -> Any:
    zeros = jnp.zeros(tuple(int(s) for s in static(node, shape, "shape")), jnp.asarray(updates).dtype)
    return zeros.at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))].add(updates)


@op("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMax", "TensorScatterMin")
def _tensor_scatter(node: Node, x: Any, indices: Any, updates: Any) -> Any:
    at = jnp.asarray(x).at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))]
    if node.op == "TensorScatterSub":
        return at.add(-jnp.asarray(updates))
    method = {"Update": "set", "Add": "add", "Max": "max", "Min": "min"}[node.op.removeprefix("TensorScatter")]
    return getattr(at, method)(updates)


@op("OneHot")
def _one_hot(node: Node, indices: Any, depth: Any, on: Any, off: Any) -> Any:
    axis, count = node.number("axis", -1), int(static(node, depth, "depth"))
    hot = jax.nn.one_hot(indices, count, axis=axis, dtype=jnp.bool_)
    return jnp.where(hot, on, off)


@op("Where")
def _where(node: Node, condition: Any) -> Any:
    known = static(node, condition, "number of true elements")
    return np.argwhere(known).astype(np.int64)


@op("MatrixBandPart")
def _band(node: Node, x: Any, lower: Any, upper: Any) -> Any:
    rows, columns = np.arange(np.shape(x)[-2])[:, None], np.arange(np.shape(x)[-1])[None]
    keep = ((lower < 0) | (rows - columns <= lower)) & ((upper < 0) | (columns - rows <= upper))
    return node.xp.where(keep, x, node.xp.zeros_like(x))


@op("MatrixDiag", "MatrixDiagV2", "MatrixDiagV3", "Diag")
def _diagonal(node: Node, x: Any, *rest: Any) -> Any:
    return node.xp.eye(np.shape(x)[-1], dtype=node.xp.asarray(x).dtype) * node.xp.expand_dims(x, -1)


@op("MatrixDiagPart", "MatrixDiagPartV2", "MatrixDiagPartV3", "DiagPart")
def _diagonal_part(node: Node, x: Any, *rest: Any) -> Any:
    return node.xp.diagonal(x, axis1=-2, axis2=-1)


# --- making --------------------------------------------------------------------------------------
@op("Fill")
def _fill(node: Node, shape: Any, value: Any) -> Any:
    sizes = tuple(int(s) for s in static(node, shape, "shape"))
    if math.prod(sizes) > MOST_ELEMENTS:
        raise CorruptFileError(f"Node {node.name!r} asks for an array of shape {sizes}.")
    return node.xp.full(sizes, value, node.xp.asarray(value).dtype)


@op("ZerosLike", "OnesLike", foldable=False)
def _like(node: Node, x: Any) -> Any:
    if hasattr(x, "zeros_like"):
        return x.zeros_like()
    return (jnp.zeros_like if node.op == "ZerosLike" else jnp.ones_like)(x)


@op("Range")
def _range(node: Node, start: Any, limit: Any, delta: Any) -> Any:
    known = [static(node, value, what) for value, what in ((start, "start"), (limit, "limit"), (delta, "step"))]
    return np.arange(*(value.item() for value in known)).astype(known[0].dtype)


@op("LinSpace")
def _linspace(node: Node, start: Any, stop: Any, count: Any) -> Any:
    return node.xp.linspace(start, stop, int(static(node, count, "number")), dtype=node.xp.asarray(start).dtype)


@op("InvertPermutation")
def _invert(node: Node, x: Any) -> Any:
    return node.xp.argsort(x).astype(node.xp.asarray(x).dtype)


@op("Unique", "UniqueV2", outputs=("y", "idx"))
def _unique(node: Node, x: Any, *axis: Any) -> Any:
    known = static(node, x, "number of different values")
    values, first, inverse = np.unique(known, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return [values[order], rank[inverse].astype(node.dtype("out_idx", "int32"))]


@op("ListDiff", outputs=("out", "idx"))
def _list_diff(node: Node, x: Any, y: Any) -> Any:
    known = static(node, x, "values")
    keep = ~np.isin(known, static(node, y, "values"))
    return [known[keep], np.flatnonzero(keep).astype(node.dtype("out_idx", "int32"))]


@op("LowerBound", "UpperBound")
def _bound(node: Node, edges: Any, values: Any) -> Any:
    side = "left" if node.op == "LowerBound" else "right"
    found = jax.vmap(lambda row, wanted: jnp.searchsorted(row, wanted, side=side))(
        jnp.asarray(edges), jnp.asarray(values)
    )
    return found.astype(node.dtype("out_type", "int32"))


@op("DynamicStitch", "ParallelDynamicStitch")
def _stitch(node: Node, *inputs: Any) -> Any:
    half = len(inputs) // 2
    places = [static(node, one, "places") for one in inputs[:half]]
    parts = [jnp.asarray(part) for part in inputs[half:]]
    inner = parts[0].shape[places[0].ndim :]
    order = np.concatenate([one.ravel() for one in places])
    if not len(order) or order.min() < 0 or order.max() >= MOST_ELEMENTS:
        raise CorruptFileError(f"Node {node.name!r} has no valid places for its parts.")
    # Of several values for one place the last counts.
    source = np.zeros(int(order.max()) + 1, np.int64)
    source[order] = np.arange(len(order))
    return jnp.concatenate([part.reshape(-1, *inner) for part in parts])[source]
