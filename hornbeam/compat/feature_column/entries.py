"""The categories of a feature on the host: as many as there are in each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from hornbeam.base.errors import explain
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.keras.layers.preprocessing.encoding import is_traced
from hornbeam.ragged import rows
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.tensor import SparseTensor
from hornbeam.strings.texts import texts_of


class Entries(NamedTuple):
    """Values of all rows behind each other.

    Attributes:
        values: texts (``bytes``) or whole numbers, one axis.
        lengths: how many each row has.
        width: columns of the tensor they come from; None if that was ragged or sparse.
    """

    values: np.ndarray
    lengths: np.ndarray
    width: int | None

    def matrix(self, padding: Any) -> np.ndarray:
        """One row per row, filled up behind."""
        width = int(self.lengths.max(initial=0)) if self.width is None else self.width
        out = np.full((len(self.lengths), width), padding, self.values.dtype)
        out[np.arange(width) < self.lengths[:, None]] = self.values
        return out


def feature(features: Mapping, key: str) -> Any:
    """The feature of that name: a tensor with two axes or more, a sparse or a ragged tensor.

    Raises:
        ValueError: there is none, or it has no axis for the rows.
    """
    if key not in features:
        raise ValueError(
            explain(
                f"Feature column {key!r} has no feature to read.",
                expected=f"a dict of features with the key {key!r}",
                received=f"keys {sorted(map(str, features))}",
            )
        )
    value = features[key]
    if isinstance(value, (SparseTensor, RaggedTensor, KerasTensor)):
        return value
    if not isinstance(value, Tensor) and not hasattr(value, "aval"):
        array = np.asarray(value)
        value = HostTensor(texts_of(array)) if array.dtype.kind in "SUO" else from_host(array)
    if not len(value.shape):
        raise ValueError(f"Feature {key!r} is a single value; features have an axis for the rows.")
    return value[:, None] if len(value.shape) == 1 else value


def entries_of(value: Any, key: str, drop: bool = True) -> Entries:
    """The categories of a feature.

    Args:
        value: texts or whole numbers, as `feature` gives them.
        key: name of the feature, for messages.
        drop: leave out what says that there is no category: ``""`` and -1.

    Raises:
        ValueError: it holds other values, has more than two axes, or is not known yet.
    """
    if isinstance(value, SparseTensor):
        order = np.lexsort(value.indices.numpy().T[::-1])
        found = rows.host(value.values)[order]
        lengths = np.bincount(value.indices.numpy()[:, 0], minlength=int(value.dense_shape.numpy()[0]))
        return Entries(_kind(found, key), lengths, None)
    if isinstance(value, RaggedTensor):
        return Entries(_kind(rows.host(value.flat_values), key), np.diff(value.row_splits.numpy()), None)
    if is_traced(value):
        raise ValueError(
            f"Feature {key!r}: categories are looked up on the host, and its values are not known in a compiled step.\n"
            "  fix:      let DenseFeatures be the first layer of a functional or Sequential model, or call it in a "
            "dataset's map"
        )
    array = _kind(rows.host(value), key)
    if array.ndim != 2:
        raise ValueError(f"Feature {key!r}: expected one or two axes. Received shape {array.shape}")
    keep = np.ones(array.shape, bool) if not drop else array != (b"" if array.dtype == object else -1)
    return Entries(array[keep], keep.sum(axis=1), array.shape[1])


def _kind(array: np.ndarray, key: str) -> np.ndarray:
    if array.dtype != object and array.dtype.kind not in "iu":
        raise ValueError(f"Feature {key!r}: categories are texts or whole numbers. Received dtype {array.dtype}")
    return array if array.dtype == object else array.astype(np.int64)


def weights_of(value: Any, key: str, ids: Entries) -> np.ndarray:
    """Weights of categories: a number for each; zeros of dense tensors stand for none.

    Raises:
        InvalidArgumentError: there are more or fewer than categories.
    """
    if isinstance(value, SparseTensor):
        order = np.lexsort(value.indices.numpy().T[::-1])
        found = rows.host(value.values)[order]
        lengths = np.bincount(value.indices.numpy()[:, 0], minlength=int(value.dense_shape.numpy()[0]))
    elif isinstance(value, RaggedTensor):
        found, lengths = rows.host(value.flat_values), np.diff(value.row_splits.numpy())
    else:
        array = rows.host(value)
        keep = array != 0
        found, lengths = array[keep], keep.sum(axis=1)
    if not np.array_equal(lengths, ids.lengths):
        raise InvalidArgumentError(
            None,
            None,
            explain(
                f"Feature {key!r} does not weigh each category of its rows.",
                expected=f"{ids.lengths[:8].tolist()} weights in the rows",
                received=f"{np.asarray(lengths)[:8].tolist()}",
            ),
        )
    return found.astype(np.float32)
