"""``tf.sparse``: conversions, arithmetic and rearrangements of sparse tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.core.arguments import value_of
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.sparse.tensor import SparseTensor, flat_places

__all__ = [
    "add",
    "concat",
    "expand_dims",
    "eye",
    "from_dense",
    "map_values",
    "mask",
    "maximum",
    "minimum",
    "reduce_max",
    "reduce_sum",
    "reorder",
    "reset_shape",
    "reshape",
    "retain",
    "slice",
    "softmax",
    "sparse_dense_matmul",
    "split",
    "to_dense",
    "to_indicator",
    "transpose",
]


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """Sparse tensor of the entries that are not zero (not empty, for strings)."""
    if isinstance(tensor, HostTensor) or np.asarray(value_of(tensor)).dtype.kind in "SUO":
        words = tensor._value if isinstance(tensor, HostTensor) else from_host(np.asarray(tensor))._value
        places = np.argwhere(words != b"")
        return SparseTensor(places, HostTensor(words[tuple(places.T)]), words.shape)
    tensor = tensor if isinstance(tensor, Tensor) else ops.convert_to_tensor(tensor)
    places = np.argwhere(np.asarray(tensor._value) != 0)
    return _from_places(tensor, places)


def _from_places(tensor: Any, places: np.ndarray) -> SparseTensor:
    shape = tuple(tensor.shape)
    flat = np.ravel_multi_index(tuple(places.T), shape) if shape else np.zeros(len(places), np.int64)
    values = ops.take(ops.reshape(tensor, (-1,)), flat.astype(np.int32), axis=0)
    return SparseTensor(places, values, shape)


def to_dense(
    sp_input: SparseTensor, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Any:
    """Dense tensor with ``default_value`` (0, or empty text) where there is no entry.

    Raises:
        InvalidArgumentError: entries out of order or twice, unless ``validate_indices`` is False.
    """
    flat = flat_places(sp_input)
    if validate_indices and (np.diff(flat) <= 0).any():
        raise InvalidArgumentError(
            None,
            None,
            "tf.sparse.to_dense: entries are out of order or occur twice. Use tf.sparse.reorder first, or "
            "validate_indices=False.",
        )
    sizes = tuple(sp_input._sizes.tolist())
    if isinstance(sp_input.values, HostTensor):
        words = np.empty(int(np.prod(sizes)), object)
        words[:] = b"" if default_value is None else from_host(np.asarray(default_value))._value[()]
        words[flat] = sp_input.values._value
        return HostTensor(words.reshape(sizes))
    start = ops.full((int(np.prod(sizes)),), 0 if default_value is None else default_value, dtype=sp_input.dtype)
    return ops.reshape(start.at[flat.astype(np.int32)].set(sp_input.values), sizes)


def _is_sparse(x: Any) -> bool:
    return isinstance(x, SparseTensor)


def _ordered(indices: np.ndarray, values: Any, sizes: Any) -> SparseTensor:
    """Entries in the order of their places, those of one place added up."""
    sizes = np.asarray(sizes, np.int64)
    flat = np.zeros(0, np.int64)
    if len(indices):
        flat = np.asarray(np.ravel_multi_index(tuple(indices.T), tuple(sizes)), np.int64)
    unique, where = np.unique(flat, return_inverse=True)
    if len(unique) == len(flat):
        total = _picked(values, np.argsort(flat, kind="stable"))
    else:
        total = ops.segment_sum(values, where.astype(np.int32), num_segments=len(unique))
    places = np.stack(np.unravel_index(unique, tuple(sizes)), axis=1) if len(unique) else indices[:0]
    return SparseTensor(places, total, sizes)


def _picked(values: Any, places: np.ndarray) -> Any:
    if isinstance(values, HostTensor):
        return HostTensor(values._value[places])
    return ops.take(values, places.astype(np.int32), axis=0)


def add(a: Any, b: Any, threshold: Any = 0) -> Any:
    """Sum of two tensors, at least one of them sparse; sums of two entries below ``threshold`` in size are dropped."""
    if not (_is_sparse(a) and _is_sparse(b)):
        if not (_is_sparse(a) or _is_sparse(b)):
            raise TypeError("tf.sparse.add: at least one of `a` and `b` must be a sparse tensor.")
        sparse, dense = (a, b) if _is_sparse(a) else (b, a)
        return ops.add(to_dense(reorder(sparse)), dense)
    if tuple(a._sizes) != tuple(b._sizes):
        raise InvalidArgumentError(None, None, f"tf.sparse.add: shapes differ: {a.shape} and {b.shape}.")
    total = _ordered(np.concatenate([a._indices, b._indices]), ops.concatenate([a.values, b.values]), a._sizes)
    limit = float(np.asarray(value_of(threshold)))
    if not limit:
        return total
    # Entries that only one of the two has are kept whatever their size.
    both = np.isin(flat_places(total), flat_places(a)) & np.isin(flat_places(total), flat_places(b))
    return retain(total, ~both | (np.abs(np.asarray(total.values._value)) >= limit))


def concat(axis: int, sp_inputs: Any, expand_nonconcat_dims: bool = False, name: str | None = None) -> SparseTensor:
    """Sparse tensors joined along an axis; with ``expand_nonconcat_dims`` the other axes take the largest size."""
    parts = list(sp_inputs)
    axis = axis + parts[0].ndim if axis < 0 else axis
    sizes = np.stack([part._sizes for part in parts])
    others = np.delete(sizes, axis, axis=1)
    if not expand_nonconcat_dims and (others != others[0]).any():
        raise InvalidArgumentError(None, None, f"tf.sparse.concat: shapes differ beside axis {axis}: {sizes.tolist()}.")
    shape = sizes.max(axis=0)
    shape[axis] = sizes[:, axis].sum()
    starts = np.concatenate([[0], np.cumsum(sizes[:-1, axis])])
    moved = []
    for part, start in zip(parts, starts, strict=True):
        indices = part._indices.copy()
        indices[:, axis] += start
        moved.append(indices)
    if any(isinstance(part.values, HostTensor) for part in parts):
        values: Any = HostTensor(np.concatenate([part.values._value for part in parts]))
    else:
        values = ops.concatenate([part.values for part in parts])
    return _ordered(np.concatenate(moved), values, shape)


def reorder(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """The entries in row-major order."""
    order = np.argsort(flat_places(sp_input), kind="stable")
    return SparseTensor(sp_input._indices[order], _picked(sp_input.values, order), sp_input._sizes)


def transpose(sp_input: SparseTensor, perm: Any = None, name: str | None = None) -> SparseTensor:
    """Axes in another order, reversed by default."""
    order = list(np.arange(sp_input.ndim))[::-1] if perm is None else [int(axis) for axis in np.asarray(value_of(perm))]
    return reorder(SparseTensor(sp_input._indices[:, order], sp_input.values, sp_input._sizes[order]))


def reshape(sp_input: SparseTensor, shape: Any, name: str | None = None) -> SparseTensor:
    """The same entries in another shape, one size of which may be -1."""
    wanted = np.asarray(value_of(shape), np.int64).reshape(-1)
    total = int(np.prod(sp_input._sizes))
    if (wanted == -1).any():
        wanted = np.where(wanted == -1, total // max(int(np.prod(wanted[wanted != -1])), 1), wanted)
    if int(np.prod(wanted)) != total:
        raise InvalidArgumentError(
            None, None, f"tf.sparse.reshape: shape {sp_input.shape} does not fit in {np.asarray(shape).tolist()}."
        )
    places = np.stack(np.unravel_index(flat_places(sp_input), tuple(wanted)), axis=1)
    return SparseTensor(places, sp_input.values, wanted)


def reset_shape(sp_input: SparseTensor, new_shape: Any = None) -> SparseTensor:
    """The same entries in a larger shape, or in the smallest that holds them."""
    tight = sp_input._indices.max(axis=0) + 1 if len(sp_input._indices) else np.zeros(sp_input.ndim, np.int64)
    wanted = tight if new_shape is None else np.asarray(value_of(new_shape), np.int64)
    if new_shape is not None and (wanted < sp_input._sizes).any():
        raise ValueError(f"tf.sparse.reset_shape: {wanted.tolist()} is smaller than {sp_input._sizes.tolist()}.")
    return SparseTensor(sp_input._indices, sp_input.values, wanted)


def expand_dims(sp_input: SparseTensor, axis: Any = None, name: str | None = None) -> SparseTensor:
    """A new axis of size 1, the last one by default."""
    place = -1 if axis is None else int(axis)
    place = place + sp_input.ndim + 1 if place < 0 else place
    indices = np.insert(sp_input._indices, place, 0, axis=1)
    return SparseTensor(indices, sp_input.values, np.insert(sp_input._sizes, place, 1))


def slice(sp_input: SparseTensor, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The part that begins at ``start`` and has the given size, as far as there is so much."""
    first = np.asarray(value_of(start), np.int64)
    sizes = np.clip(np.minimum(np.asarray(value_of(size), np.int64), sp_input._sizes - first), 0, None)
    kept = ((sp_input._indices >= first) & (sp_input._indices < first + sizes)).all(axis=1)
    places = np.flatnonzero(kept)
    return SparseTensor(sp_input._indices[places] - first, _picked(sp_input.values, places), sizes)


def split(sp_input: SparseTensor, num_split: Any, axis: int, name: str | None = None) -> list[SparseTensor]:
    """Equal parts along an axis; the first ones are larger by 1 if it does not divide."""
    axis = int(axis) + sp_input.ndim if axis < 0 else int(axis)
    parts = np.array_split(np.arange(sp_input._sizes[axis]), int(num_split))
    found = []
    for part in parts:
        start, size = np.zeros(sp_input.ndim, np.int64), sp_input._sizes.copy()
        start[axis], size[axis] = (part[0] if len(part) else 0), len(part)
        found.append(slice(sp_input, start, size))
    return found


def retain(sp_input: SparseTensor, to_retain: Any) -> SparseTensor:
    """The entries for which ``to_retain`` is true."""
    places = np.flatnonzero(np.asarray(value_of(to_retain)))
    return SparseTensor(sp_input._indices[places], _picked(sp_input.values, places), sp_input._sizes)


def mask(a: SparseTensor, mask_indices: Any, name: str | None = None) -> SparseTensor:
    """The entries whose row number is not among ``mask_indices``."""
    return retain(a, ~np.isin(a._indices[:, 0], np.asarray(value_of(mask_indices))))


def map_values(op: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a function on the entries of sparse arguments; the result has entries at the same places."""
    given = [*args, *kwargs.values()]
    sparse = [item for item in given if _is_sparse(item)]
    if not sparse:
        return op(*args, **kwargs)
    like = sparse[0]
    if any(not np.array_equal(item._indices, like._indices) for item in sparse):
        raise InvalidArgumentError(None, None, "tf.sparse.map_values: the arguments have entries at different places.")
    inner = [item.values if _is_sparse(item) else item for item in args]
    named = {key: item.values if _is_sparse(item) else item for key, item in kwargs.items()}
    return like.with_values(op(*inner, **named))


# --- sums and products ---------------------------------------------------------------------------
def _reduced(x: SparseTensor, axis: Any, keepdims: Any, function: Callable, sparse: bool) -> Any:
    axes = range(x.ndim) if axis is None else np.atleast_1d(np.asarray(value_of(axis))).tolist()
    dropped = {a + x.ndim if a < 0 else a for a in axes}
    kept = [a for a in range(x.ndim) if a not in dropped]
    sizes = x._sizes[kept]
    flat = np.ravel_multi_index(tuple(x._indices[:, kept].T), tuple(sizes)) if kept else np.zeros(len(x._indices), int)
    places, where = np.unique(flat, return_inverse=True)
    values = function(x.values, where.reshape(-1).astype(np.int32), num_segments=max(len(places), 1))
    indices = np.stack(np.unravel_index(places, tuple(sizes)), axis=1) if kept else np.zeros((len(places), 0), int)
    if keepdims:
        full = np.zeros((len(places), x.ndim), np.int64)
        full[:, kept] = indices
        indices, sizes = full, np.array([1 if a in dropped else size for a, size in enumerate(x._sizes)], np.int64)
    if sparse:
        return SparseTensor(indices, values, sizes)
    shape = tuple(sizes.tolist())
    start = ops.zeros((int(np.prod(shape)),), dtype=x.dtype)
    if len(places):
        start = start.at[places.astype(np.int32)].set(values)
    return ops.reshape(start, shape)


def reduce_sum(
    sp_input: SparseTensor,
    axis: Any = None,
    keepdims: Any = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """Sum along axes, all by default."""
    return _reduced(sp_input, axis, keepdims, ops.segment_sum, output_is_sparse)


def reduce_max(
    sp_input: SparseTensor,
    axis: Any = None,
    keepdims: Any = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """Largest of the entries along axes; 0 where there are none."""
    return _reduced(sp_input, axis, keepdims, ops.segment_max, output_is_sparse)


def sparse_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Any:
    """Matrix product of a sparse and a dense matrix, in either order."""
    if _is_sparse(b):
        return ops.transpose(sparse_dense_matmul(b, sp_a, not adjoint_b, not adjoint_a))
    if not _is_sparse(sp_a):
        raise TypeError("tf.sparse.sparse_dense_matmul: one of `sp_a` and `b` must be a sparse tensor.")
    dense = b if isinstance(b, Tensor) else ops.convert_to_tensor(b, sp_a.dtype)
    if adjoint_b:
        dense = ops.conjugate(ops.transpose(dense))
    values = ops.conjugate(sp_a.values) if adjoint_a else sp_a.values
    row, column = (1, 0) if adjoint_a else (0, 1)
    if int(sp_a._sizes[column]) != int(dense.shape[0]):
        raise InvalidArgumentError(None, None, f"Inner sizes differ: {sp_a.shape} times {tuple(dense.shape)}.")
    taken = ops.take(dense, sp_a._indices[:, column].astype(np.int32), axis=0)
    products = ops.multiply(ops.expand_dims(values, -1), taken)
    places = sp_a._indices[:, row].astype(np.int32)
    return ops.segment_sum(products, places, num_segments=int(sp_a._sizes[row]))


def softmax(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """Softmax over the entries of each row (last axis); places without entry stay so."""
    lead = tuple(sp_input._sizes[:-1].tolist())
    rows = np.ravel_multi_index(tuple(sp_input._indices[:, :-1].T), lead).astype(np.int32)
    count = int(np.prod(lead))
    top = ops.take(ops.segment_max(sp_input.values, rows, num_segments=count), rows, axis=0)
    powers = ops.exp(ops.subtract(sp_input.values, top))
    total = ops.take(ops.segment_sum(powers, rows, num_segments=count), rows, axis=0)
    return sp_input.with_values(ops.true_divide(powers, total))


def _together(a: SparseTensor, b: SparseTensor, function: Callable) -> SparseTensor:
    both = np.concatenate([a._indices, b._indices])
    flat = np.unique(np.ravel_multi_index(tuple(both.T), tuple(a._sizes)))
    places = np.stack(np.unravel_index(flat, tuple(a._sizes)), axis=1)
    left, right = (ops.take(ops.reshape(to_dense(reorder(x)), (-1,)), flat.astype(np.int32)) for x in (a, b))
    return SparseTensor(places, function(left, right), a._sizes)


def maximum(sp_a: SparseTensor, sp_b: SparseTensor, name: str | None = None) -> SparseTensor:
    """The larger entry of each place; a missing entry counts as 0."""
    return _together(sp_a, sp_b, ops.maximum)


def minimum(sp_a: SparseTensor, sp_b: SparseTensor, name: str | None = None) -> SparseTensor:
    """The smaller entry of each place; a missing entry counts as 0."""
    return _together(sp_a, sp_b, ops.minimum)


def eye(num_rows: Any, num_columns: Any = None, dtype: Any = "float32", name: str | None = None) -> SparseTensor:
    """Matrix with ones on the diagonal."""
    height = int(num_rows)
    width = height if num_columns is None else int(num_columns)
    places = np.arange(min(height, width))
    ones = np.ones(len(places), dtypes.as_dtype(dtype).as_numpy_dtype)
    return SparseTensor(np.stack([places, places], axis=1), from_host(ones), (height, width))


def to_indicator(sp_input: SparseTensor, vocab_size: Any, name: str | None = None) -> Tensor:
    """Dense booleans: true at ``[..., v]`` if the value ``v`` is among the row's entries."""
    numbers = np.asarray(sp_input.values._value)
    out = np.zeros((*sp_input._sizes[:-1].tolist(), int(vocab_size)), bool)
    out[(*sp_input._indices[:, :-1].T, numbers)] = True
    return from_host(out)
