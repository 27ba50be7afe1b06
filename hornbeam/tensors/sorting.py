"""Order, sets and bins: ``sort``, ``searchsorted``, ``unique``, ``dynamic_partition``, ``histogram_fixed_width`` ..."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import TraceError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.promotion import promote, to_dtype
from hornbeam.tensors.face import face, is_known, tensor, tensors

__all__ = [
    "argsort",
    "dynamic_partition",
    "dynamic_stitch",
    "histogram_fixed_width",
    "histogram_fixed_width_bins",
    "searchsorted",
    "sort",
    "unique",
    "unique_with_counts",
]


class Unique(NamedTuple):
    """Result of ``unique``."""

    y: Any
    idx: Any


class UniqueWithCounts(NamedTuple):
    """Result of ``unique_with_counts``."""

    y: Any
    idx: Any
    count: Any


# --- order ---------------------------------------------------------------------------------------
def _is_descending(direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"`direction` must be 'ASCENDING' or 'DESCENDING', received {direction!r}.")
    return direction == "DESCENDING"


@face(strings=("values",))
def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """The elements in order along an axis."""
    ordered = ops.sort(tensor(values), axis=axis)
    return ops.flip(ordered, axis) if _is_descending(direction) else ordered


@op(static=("axis", "descending"))
def _argsort(values: Any, axis: int, descending: bool) -> Any:
    return jnp.argsort(promote(values)[0], axis=axis, stable=True, descending=descending).astype(jnp.int32)


@face(strings=("values",), decode=False)
def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Any:
    """Places (int32) of the elements in order along an axis; equal elements always keep their order."""
    return _argsort(tensor(values), axis, _is_descending(direction))


@op(static=("side", "out_type"))
def _searchsorted(sorted_sequence: Any, values: Any, side: str, out_type: Any) -> Any:
    sequence, values = promote(sorted_sequence, values)

    def search(row: Any, wanted: Any) -> Any:
        return jnp.searchsorted(row, wanted, side=side)

    for _ in range(sequence.ndim - 1):
        search = jax.vmap(search)
    return to_dtype(search(sequence, values), out_type)


@face
def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = "int32", name: str | None = None
) -> Any:
    """Where each value would have to be put into a sorted sequence (along the last axis) to keep it sorted."""
    return _searchsorted(*tensors(sorted_sequence, values), side, dtypes.as_dtype(out_type))


# --- sets ----------------------------------------------------------------------------------------
def _first_seen(x: Any, out_idx: Any) -> tuple[Any, Any, Any]:
    """Distinct elements in the order of their first places, for each element the place of its like, and counts."""
    x = tensor(x)
    if not is_known(x):
        raise TraceError("tf.unique: the number of results is not known inside compiled functions; compute it eagerly.")
    if len(x.shape) != 1:
        raise InvalidArgumentError(None, None, f"tf.unique expects a 1D vector, received shape {tuple(x.shape)}.")
    _, first, inverse, counts = np.unique(np.asarray(x), return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    places = np.empty_like(order)
    places[order] = np.arange(order.size)
    kind = dtypes.as_dtype(out_idx).as_numpy_dtype
    return ops.take(x, first[order].astype(np.int32), axis=0), places[inverse].astype(kind), counts[order].astype(kind)


def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> Unique:
    """Distinct elements of a vector in the order of their first places, and for each element the place of its like."""
    y, idx, _ = unique_with_counts(x, out_idx)
    return Unique(y, idx)


def unique_with_counts(x: Any, out_idx: Any = "int32", name: str | None = None) -> UniqueWithCounts:
    """``unique``, and how often each distinct element occurs."""
    places = []

    @face(strings=("x",))
    def elements(x: Any) -> Any:
        y, *rest = _first_seen(x, out_idx)
        places.extend(tensor(item) for item in rest)
        return y

    y = elements(x)
    return UniqueWithCounts(y, *places)


@face(strings=("data",))
def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list:
    """The slices of ``data`` sorted into lists by number; the numbers must be known now."""
    if not is_known(partitions):
        raise TraceError("tf.dynamic_partition: sizes of the parts are not known inside compiled functions.")
    data, numbers = tensor(data), np.asarray(partitions)
    flat = ops.reshape(data, (numbers.size, *tuple(data.shape)[numbers.ndim :]))
    numbers = numbers.reshape(-1)
    return [ops.take(flat, np.flatnonzero(numbers == n).astype(np.int32), axis=0) for n in range(num_partitions)]


@face
def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Any:
    """One tensor of the slices of several, each put at its index; of equal indices the last one counts."""
    flat_indices = [np.asarray(item).reshape(-1) for item in indices]
    parts = tensors(*data)
    inner = tuple(parts[0].shape)[np.ndim(indices[0]) :]
    joined = ops.concatenate([ops.reshape(part, (-1, *inner)) for part in parts], axis=0)
    places = np.concatenate(flat_indices)
    count = int(places.max()) + 1 if places.size else 0
    source = np.full(count, -1, np.int32)
    source[places] = np.arange(places.size, dtype=np.int32)
    return ops.get_item(joined, source)


@op(static=("nbins", "dtype"))
def _bins(values: Any, value_range: Any, nbins: int, dtype: Any) -> Any:
    values, value_range = promote(values, value_range, at_least=float)
    low, high = value_range[0], value_range[1]
    places = jnp.floor((values - low) / (high - low) * nbins)
    return to_dtype(jnp.clip(places, 0, nbins - 1), dtype)


@face
def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: str | None = None
) -> Any:
    """Number of the bin of each value, of ``nbins`` equal ones; values outside the range count to the outer bins."""
    return _bins(*tensors(values, value_range), int(static_value(nbins, "nbins")), dtypes.as_dtype(dtype))


@face
def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: str | None = None
) -> Any:
    """Number of values in each of ``nbins`` equal bins; values outside the range count to the outer bins."""
    nbins = int(static_value(nbins, "nbins"))
    bins = ops.reshape(_bins(*tensors(values, value_range), nbins, dtypes.as_dtype("int32")), (-1,))
    return ops.cast(ops.segment_sum(ops.ones_like(bins), bins, nbins), dtypes.as_dtype(dtype))
