"""Lookup tables: on the host for strings, as a search in a sorted array inside compiled programs."""

from __future__ import annotations

from itertools import repeat
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import value_of
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.engine.jax_compat import Tracer
from hornbeam.errors import FailedPreconditionError, InvalidArgumentError
from hornbeam.ops.host import hashes
from hornbeam.ragged import rows
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.tensor import SparseTensor

__all__ = ["DenseHashTable", "MutableHashTable", "StaticHashTable", "StaticVocabularyTable"]


def on_parts(function: Any, keys: Any) -> Any:
    """Apply a function of a tensor to the values of a ragged or sparse one."""
    if isinstance(keys, RaggedTensor):
        return keys.with_flat_values(function(keys.flat_values))
    if isinstance(keys, SparseTensor):
        return keys.with_values(function(keys.values))
    return function(keys)


class _Table:
    """Keys and values in a dict."""

    def __init__(self, key_dtype: Any, value_dtype: Any, default_value: Any, name: str) -> None:
        self._key_dtype, self._value_dtype = dtypes.as_dtype(key_dtype), dtypes.as_dtype(value_dtype)
        self._default = self._scalar(default_value)
        self._name = name
        self._pairs: dict[Any, Any] = {}
        self._sorted: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def key_dtype(self) -> dtypes.DType:
        """Dtype of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> dtypes.DType:
        """Dtype of the values."""
        return self._value_dtype

    @property
    def default_value(self) -> Any:
        """Value of keys that are not in the table."""
        return from_host(np.asarray(self._default))

    @property
    def name(self) -> str:
        """Name of the table."""
        return self._name

    @property
    def resource_handle(self) -> Any:
        """The table itself: it is an object of Python."""
        return self

    def size(self, name: str | None = None) -> Tensor:
        """Number of keys (int64)."""
        return from_host(np.asarray(len(self._pairs), np.int64))

    def export(self, name: str | None = None) -> tuple[Any, Any]:
        """Keys and values as tensors."""
        keys, values = list(self._pairs), list(self._pairs.values())
        return self._column(keys, self._key_dtype), self._column(values, self._value_dtype)

    def _column(self, items: list[Any], dtype: dtypes.DType) -> Any:
        if dtype == "string":
            out = np.empty(len(items), object)
            out[:] = items
            return HostTensor(out)
        return from_host(np.array(items, dtype.as_numpy_dtype))

    def _scalar(self, value: Any) -> Any:
        if self._value_dtype == "string":
            return rows.host(value)[()] if not isinstance(value, str) else value.encode()
        array = np.asarray(value_of(value)).astype(self._value_dtype.as_numpy_dtype)
        return array[()] if not array.ndim else array

    def _keys(self, keys: Any) -> np.ndarray:
        array = rows.plain(rows.host(keys), keys, None)
        if (array.dtype == object) != (self._key_dtype == "string") or (
            array.dtype != object and array.dtype.kind not in "iub"
        ):
            raise TypeError(
                f"Lookup table {self._name!r}: the keys are of dtype {self._key_dtype.name}. Received keys of dtype "
                f"{'string' if array.dtype == object else array.dtype}."
            )
        return array

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """Value of each key, the default value for those that are not in the table.

        Args:
            keys: tensor of any shape, or a ragged or sparse one.
            name: ignored, as eager tensors have no names.
        """
        return on_parts(self._find, keys)

    def __getitem__(self, keys: Any) -> Any:
        return self.lookup(keys)

    def _find(self, keys: Any) -> Any:
        if isinstance(keys, KerasTensor) or isinstance(value_of(keys), Tracer):
            return self._search(keys)
        array = self._keys(keys)
        found = list(map(self._pairs.get, array.reshape(-1).tolist(), repeat(self._default)))
        return self._shaped(found, array.shape)

    def _shaped(self, found: list[Any], shape: tuple) -> Any:
        if self._value_dtype == "string":
            out = np.empty(len(found), object)
            out[:] = found
            return HostTensor(out.reshape(shape))
        values = np.array(found, self._value_dtype.as_numpy_dtype)
        return from_host(values.reshape((*shape, *np.shape(self._default))))

    def _search(self, keys: Any) -> Any:
        """Lookup in compiled programs: a search among the sorted keys."""
        if self._key_dtype == "string" or self._value_dtype == "string":
            raise NotSupportedError(
                f"Lookup table {self._name!r} holds strings, which do not enter compiled programs.\n"
                "  fix:      look them up in the data pipeline (tf.data's map), or with run_eagerly=True"
            )
        if self._sorted is None:
            names = np.array(list(self._pairs), np.int64)
            order = np.argsort(names)
            values = np.array(list(self._pairs.values()), self._value_dtype.as_numpy_dtype)
            self._sorted = (names[order], values[order])
        return search(keys, *self._sorted, self._default)


def search(keys: Any, names: np.ndarray, values: np.ndarray, default: Any) -> Any:
    """``values`` at the places where ``keys`` stand among the sorted ``names``; ``default`` elsewhere."""
    if not len(names):
        return ops.full_like(keys, default, dtype=values.dtype.name)
    fits = names.min() >= -(2**31) and names.max() < 2**31
    known = names.astype(np.int32) if fits and "64" not in str(keys.dtype) else names
    places = ops.minimum(ops.searchsorted(known, keys), len(known) - 1)
    found = ops.take(values, places, axis=0)
    return ops.where(ops.equal(ops.take(known, places), keys), found, ops.cast(default, found.dtype))


class StaticHashTable(_Table):
    """A table that does not change.

    Args:
        initializer: ``KeyValueTensorInitializer`` or ``TextFileInitializer``.
        default_value: value of keys that are not in it.
        name: name.
        experimental_is_anonymous: has no effect: every table here is an object of its own.

    Example:
        >>> init = KeyValueTensorInitializer(["a", "b"], [1, 2])
        >>> StaticHashTable(init, default_value=-1).lookup(["b", "x"]).numpy()
        array([ 2, -1], dtype=int32)

    References: TensorFlow `tf.lookup.StaticHashTable`.
    """

    def __init__(
        self, initializer: Any, default_value: Any, name: str | None = None, experimental_is_anonymous: bool = False
    ) -> None:
        super().__init__(initializer.key_dtype, initializer.value_dtype, default_value, name or "hash_table")
        initializer.initialize(self)

    def fill(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Take keys and values.

        Raises:
            FailedPreconditionError: a key occurs twice, with different values.
        """
        for key, value in zip(keys.tolist(), values.tolist(), strict=True):
            if self._pairs.setdefault(key, value) != value:
                raise FailedPreconditionError(
                    None,
                    None,
                    f"Lookup table {self._name!r}: key {key!r} has two values, {self._pairs[key]!r} and {value!r}.",
                )


class StaticVocabularyTable:
    """Numbers of known words, and hash buckets after them for unknown ones.

    Args:
        initializer: gives the words their numbers (int64); None for hash buckets only.
        num_oov_buckets: number of buckets.
        lookup_key_dtype: dtype of the keys looked up; that of the initializer by default.
        name: name.
        experimental_is_anonymous: has no effect: every table here is an object of its own.

    References: TensorFlow `tf.lookup.StaticVocabularyTable`.
    """

    def __init__(
        self,
        initializer: Any,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: str | None = None,
        experimental_is_anonymous: bool = False,
    ) -> None:
        if num_oov_buckets <= 0:
            raise ValueError(
                f"tf.lookup.StaticVocabularyTable: `num_oov_buckets` must be at least 1. Received: {num_oov_buckets}"
            )
        if initializer is None and lookup_key_dtype is None:
            raise ValueError("tf.lookup.StaticVocabularyTable: without `initializer`, give `lookup_key_dtype`.")
        if initializer is not None and initializer.value_dtype != "int64":
            raise TypeError(f"The words must get int64 numbers. Received: value_dtype={initializer.value_dtype}")
        self._table = None if initializer is None else StaticHashTable(initializer, -1)
        self._buckets = int(num_oov_buckets)
        self._key_dtype = dtypes.as_dtype(lookup_key_dtype or getattr(initializer, "key_dtype", None))
        self._name = name or "string_to_index"

    @property
    def key_dtype(self) -> dtypes.DType:
        """Dtype of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> dtypes.DType:
        """Dtype of the values, ``int64``."""
        return dtypes.int64

    @property
    def name(self) -> str:
        """Name of the table."""
        return self._name

    @property
    def resource_handle(self) -> Any:
        """The table itself: it is an object of Python."""
        return self

    def size(self, name: str | None = None) -> Tensor:
        """Number of words and buckets."""
        known = 0 if self._table is None else int(self._table.size())
        return from_host(np.asarray(known + self._buckets, np.int64))

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """Number of each key: its own if it is known, else that of its bucket."""
        return on_parts(self._find, keys)

    def __getitem__(self, keys: Any) -> Any:
        return self.lookup(keys)

    def _find(self, keys: Any) -> Any:
        array = rows.plain(rows.host(keys), keys, None)
        words = array if array.dtype == object else as_words(array)
        if (array.dtype == object) != (self._key_dtype == "string"):
            raise TypeError(f"The keys of table {self._name!r} are of dtype {self._key_dtype.name}, not {array.dtype}.")
        known = 0 if self._table is None else int(self._table.size())
        buckets = (hashes.fingerprint64(words) % np.uint64(self._buckets)).astype(np.int64) + known
        if self._table is None:
            return from_host(buckets)
        found = np.asarray(self._table.lookup(array)._value)
        return from_host(np.where(found < 0, buckets, found))


def as_words(array: np.ndarray) -> np.ndarray:
    """Whole numbers as texts."""
    out = np.empty(array.shape, object)
    out.reshape(-1)[:] = [str(number).encode() for number in array.reshape(-1).tolist()]
    return out


class MutableHashTable(_Table):
    """A table that keys can be put into and removed from.

    Args:
        key_dtype: dtype of the keys.
        value_dtype: dtype of the values.
        default_value: value of keys that are not in it.
        name: name.
        checkpoint: has no effect: tables are not part of weights files; export and store the pairs instead.
        experimental_is_anonymous: has no effect: every table here is an object of its own.

    References: TensorFlow `tf.lookup.experimental.MutableHashTable`.
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        name: str = "MutableHashTable",
        checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:
        super().__init__(key_dtype, value_dtype, default_value, name)

    def insert(self, keys: Any, values: Any, name: str | None = None) -> None:
        """Put keys in, in place of those there."""
        array = self._keys(keys)
        entries = rows.plain(rows.host(values), values, None)
        if entries.shape[: array.ndim] != array.shape:
            raise InvalidArgumentError(None, None, f"{entries.shape} values for keys of shape {array.shape}.")
        if entries.dtype != object:
            entries = entries.astype(self._value_dtype.as_numpy_dtype)
        flat = entries.reshape(array.size, *entries.shape[array.ndim :])
        self._pairs.update(zip(array.reshape(-1).tolist(), list(flat), strict=True))
        self._sorted = None

    def remove(self, keys: Any, name: str | None = None) -> None:
        """Take keys out; those that are not there are passed over."""
        for key in self._keys(keys).reshape(-1).tolist():
            self._pairs.pop(key, None)
        self._sorted = None


class DenseHashTable(MutableHashTable):
    """A table that changes; see ``MutableHashTable``.

    Args:
        key_dtype: dtype of the keys.
        value_dtype: dtype of the values.
        default_value: value of keys that are not in it.
        empty_key: a key that is never put in.
        deleted_key: another one.
        initial_num_buckets: has no effect: the table grows by itself.
        name: name.
        checkpoint: see ``MutableHashTable``.
        experimental_is_anonymous: see ``MutableHashTable``.

    References: TensorFlow `tf.lookup.experimental.DenseHashTable`.
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        deleted_key: Any,
        initial_num_buckets: int | None = None,
        name: str = "MutableDenseHashTable",
        checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:
        super().__init__(key_dtype, value_dtype, default_value, name)
        self._reserved = set(self._keys([empty_key, deleted_key]).tolist())

    def insert(self, keys: Any, values: Any, name: str | None = None) -> None:
        """Put keys in, in place of those there.

        Raises:
            InvalidArgumentError: one of the two reserved keys.
        """
        taken = self._reserved & set(self._keys(keys).reshape(-1).tolist())
        if taken:
            raise InvalidArgumentError(None, None, f"Lookup table {self._name!r}: {taken} are the reserved keys.")
        super().insert(keys, values)

    erase = MutableHashTable.remove
