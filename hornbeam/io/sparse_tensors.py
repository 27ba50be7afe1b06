"""Sparse tensors as strings: those of their places, values and shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base.errors import explain
from hornbeam.core.tensor import from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.io.tensors import parse_tensor, serialize_tensor
from hornbeam.sparse.functions import split
from hornbeam.sparse.tensor import SparseTensor
from hornbeam.tensors.texts import strings

__all__ = ["deserialize_many_sparse", "serialize_many_sparse", "serialize_sparse"]


def _check_type(out_type: Any, where: str) -> None:
    if getattr(out_type, "name", out_type) != "string":
        raise ValueError(f"tf.io.{where}: `out_type` is tf.string. Received: out_type={out_type!r}")


def serialize_sparse(sp_input: SparseTensor, out_type: Any = "string", name: str | None = None) -> Any:
    """A sparse tensor as three strings: serialized places, values and shape.

    References: TensorFlow `tf.io.serialize_sparse`.
    """
    _check_type(out_type, "serialize_sparse")
    return from_host(np.array(_parts(sp_input), object))


def _parts(x: SparseTensor) -> list[bytes]:
    return [serialize_tensor(part).numpy() for part in (x.indices, x.values, x.dense_shape)]


def serialize_many_sparse(sp_input: SparseTensor, out_type: Any = "string", name: str | None = None) -> Any:
    """The parts of a sparse tensor along its first axis, each as three strings.

    References: TensorFlow `tf.io.serialize_many_sparse`.
    """
    _check_type(out_type, "serialize_many_sparse")
    count = int(sp_input.dense_shape.numpy()[0])
    if count == 0:
        return from_host(np.empty((0, 3), object))
    rows = [
        SparseTensor(part.indices.numpy()[:, 1:], part.values, part.dense_shape.numpy()[1:])
        for part in split(sp_input, num_split=count, axis=0)
    ]
    return from_host(np.array([_parts(row) for row in rows], object))


def deserialize_many_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """Sparse tensors of ``serialize_sparse`` as one, along a new first axis; the largest sizes count.

    Args:
        serialized_sparse: strings (tensors, 3), one tensor at least.
        dtype: dtype of the values.
        rank: number of axes of each; None to take what is stored.

    Raises:
        tf.errors.InvalidArgumentError: the strings are others, or the tensors differ in rank.

    References: TensorFlow `tf.io.deserialize_many_sparse`.
    """
    where = "tf.io.deserialize_many_sparse"
    given = serialized_sparse
    listed = isinstance(given, (list, tuple)) and len(given) > 0
    texts = np.stack([strings(row, where) for row in given]) if listed else strings(given, where)
    if texts.ndim != 2 or texts.shape[1] != 3 or not len(texts):
        raise InvalidArgumentError(None, None, f"{where}: expected strings (tensors, 3). Received: shape {texts.shape}")
    found = [
        SparseTensor(parse_tensor(places, "int64"), parse_tensor(values, dtype), parse_tensor(sizes, "int64"))
        for places, values, sizes in texts
    ]
    shapes = [item.dense_shape.numpy() for item in found]
    ranks = {len(shape) for shape in shapes} | ({rank} if rank is not None else set())
    if len(ranks) > 1:
        raise InvalidArgumentError(
            None,
            None,
            explain(f"{where}: the tensors differ in rank.", received=f"ranks {sorted(ranks)}"),
        )
    indices = [
        np.concatenate([np.full((len(item.indices.numpy()), 1), place, np.int64), item.indices.numpy()], axis=1)
        for place, item in enumerate(found)
    ]
    values = np.concatenate([np.asarray(item.values.numpy()) for item in found])
    return SparseTensor(np.concatenate(indices), from_host(values), [len(found), *np.max(shapes, axis=0).tolist()])
