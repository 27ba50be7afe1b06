"""Records to tensors: the features of ``Example`` messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hornbeam.base import dtypes
from hornbeam.core.tensor import from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.io import partitions as cutting
from hornbeam.io import wire
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.tensor import SparseTensor
from hornbeam.tensors.texts import strings, text

__all__ = [
    "FixedLenFeature",
    "FixedLenSequenceFeature",
    "RaggedFeature",
    "SparseFeature",
    "VarLenFeature",
    "parse_example",
    "parse_single_example",
]


class FixedLenFeature(NamedTuple):
    """A feature with the same number of values in every record: gives a dense tensor.

    Attributes:
        shape: shape of one record's values.
        dtype: ``float32``, ``int64`` or ``string``.
        default_value: values of records without the feature; None makes them an error.
    """

    shape: Any
    dtype: Any
    default_value: Any = None


class FixedLenSequenceFeature(NamedTuple):
    """A feature with any number of values: gives a dense tensor, filled up.

    Attributes:
        shape: shape of one item of the sequence.
        dtype: ``float32``, ``int64`` or ``string``.
        allow_missing: must be True: records without the feature give no items.
        default_value: what the tensor is filled up with; zero or the empty string by default.
    """

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class VarLenFeature(NamedTuple):
    """A feature with any number of values: gives a sparse tensor.

    Attributes:
        dtype: ``float32``, ``int64`` or ``string``.
    """

    dtype: Any


class RaggedFeature(NamedTuple):
    """A feature with any number of values: gives a ragged tensor.

    Attributes:
        dtype: ``float32``, ``int64`` or ``string``.
        value_key: name of the feature in the record; by default the key in the dict of features.
        partitions: how the values are cut into rows, outermost first: ``RaggedFeature.RowLengths(key)``, ``RowSplits``,
            ``RowStarts``, ``RowLimits``, ``ValueRowIds`` (``key`` names a feature), or ``UniformRowLength(length)``.
        row_splits_dtype: dtype of the row splits.
        validate: the splits are always right.
    """

    dtype: Any
    value_key: str | None = None
    partitions: tuple = ()
    row_splits_dtype: Any = "int32"
    validate: bool = False

    RowLengths = cutting.RowLengths
    RowLimits = cutting.RowLimits
    RowSplits = cutting.RowSplits
    RowStarts = cutting.RowStarts
    UniformRowLength = cutting.UniformRowLength
    ValueRowIds = cutting.ValueRowIds


class SparseFeature(NamedTuple):
    """A sparse tensor whose places and values are features of their own.

    Attributes:
        index_key: name of the feature that holds the places; several names for several axes.
        value_key: name of the feature that holds the values.
        dtype: ``float32``, ``int64`` or ``string``.
        size: size of the axis; one per axis.
        already_sorted: the places ascend already; they are sorted otherwise.
    """

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


_KINDS = {1: "string", 2: "float32", 3: "int64"}


def _record(data: bytes) -> dict[str, bytes]:
    """The encoded features of an Example by name."""
    found: dict[str, bytes] = {}
    for number, _, features in wire.fields(data):
        if number == 1 and isinstance(features, bytes):
            found.update(named(features))
    return found


def named(features: bytes) -> dict[str, bytes]:
    """The encoded messages of a map by name."""
    found: dict[str, bytes] = {}
    for inner, _, entry in wire.fields(features):
        if inner == 1 and isinstance(entry, bytes):
            parts = {place: value for place, _, value in wire.fields(entry) if isinstance(value, bytes)}
            found[text(parts.get(1, b""))] = parts.get(2, b"")
    return found


def values_of(feature: bytes, wanted: str, name: str) -> np.ndarray | None:
    """Values of an encoded feature; None if it is empty."""
    for number, _, packed in wire.fields(feature):
        kind = _KINDS.get(number)
        if kind is None or not isinstance(packed, bytes):
            continue
        if kind != wanted:
            raise InvalidArgumentError(
                None, None, f"Key: {name}. The record holds {kind} values, the feature spec says {wanted}."
            )
        items = [(form, value) for place, form, value in wire.fields(packed) if place == 1]
        if kind == "string":
            out = np.empty(len(items), object)
            out[:] = [value for _, value in items]
            return out
        decode: Callable = wire.floats if kind == "float32" else wire.integers
        empty = np.zeros(0, kind)
        return np.concatenate([decode(form, value) for form, value in items]) if items else empty
    return None


def _rows(records: list[dict[str, bytes]], key: str, dtype: Any) -> list[np.ndarray | None]:
    wanted = dtypes.as_dtype(dtype).name
    if wanted not in _KINDS.values():
        raise ValueError(f"Feature {key!r}: `dtype` is float32, int64 or string. Received: {wanted}")
    return [values_of(record[key], wanted, key) if key in record else None for record in records]


def filled(shape: tuple, dtype: Any, value: Any = None) -> np.ndarray:
    wanted = dtypes.as_dtype(dtype)
    if wanted == "string":
        array = np.empty(shape, object)
        array[...] = b"" if value is None else value.encode() if isinstance(value, str) else value
        return array
    return np.full(shape, 0 if value is None else value, wanted.as_numpy_dtype)


def sizes(shape: Any) -> tuple[int, ...]:
    """Shape of a spec, given as a number, list or shape."""
    return tuple(int(size) for size in np.atleast_1d(np.asarray(shape, int)).tolist()) if shape != () else ()


class Records(list):
    """Encoded features by name of several records, and what the records are called in messages."""

    names: list[str] | None = None

    def called(self, number: int) -> str:
        """What a record is called."""
        return self.names[number] if self.names else "<unknown>"


def _fixed(records: Records, key: str, spec: FixedLenFeature) -> Any:
    shape = sizes(spec.shape)
    count = int(np.prod(shape)) if shape else 1
    out = filled((len(records), count), spec.dtype)
    for number, row in enumerate(_rows(records, key, spec.dtype)):
        if row is None:
            if spec.default_value is None:
                raise InvalidArgumentError(
                    None,
                    None,
                    f"Name: {records.called(number)}, Feature: {key} (data type: "
                    f"{dtypes.as_dtype(spec.dtype).name}) is required but "
                    "could not be found.",
                )
            row = _default(spec, count)
        if row.size != count:
            raise InvalidArgumentError(
                None,
                None,
                f"Key: {key}. Record {number} holds {row.size} values, which do not fill the shape {shape} "
                "of its FixedLenFeature; use VarLenFeature if the number varies.",
            )
        out[number] = row
    return from_host(out.reshape(len(records), *shape))


def _default(spec: FixedLenFeature, count: int) -> np.ndarray:
    value = spec.default_value.numpy() if hasattr(spec.default_value, "numpy") else spec.default_value
    if dtypes.as_dtype(spec.dtype) == "string":
        given = np.asarray(value, dtype=object).reshape(-1)
        given = np.array([item.encode() if isinstance(item, str) else item for item in given], dtype=object)
    else:
        given = np.asarray(value, dtypes.as_dtype(spec.dtype).as_numpy_dtype).reshape(-1)
    return np.repeat(given, count) if given.size == 1 else given


def joined(rows: list[np.ndarray], dtype: Any) -> np.ndarray:
    kind = dtypes.as_dtype(dtype)
    empty = np.zeros(0, object if kind == "string" else kind.as_numpy_dtype)
    return np.concatenate([empty, *rows])


def _sparse(records: list, key: str, spec: VarLenFeature) -> Any:
    rows = [joined([], spec.dtype) if row is None else row for row in _rows(records, key, spec.dtype)]
    lengths = [row.size for row in rows]
    places = [(number, place) for number, length in enumerate(lengths) for place in range(length)]
    indices = np.asarray(places, np.int64).reshape(-1, 2)
    return SparseTensor(indices, from_host(joined(rows, spec.dtype)), [len(rows), max(lengths, default=0)])


def _sequence(records: list, key: str, spec: FixedLenSequenceFeature) -> Any:
    if not spec.allow_missing:
        raise ValueError(f"Feature {key!r}: FixedLenSequenceFeature needs `allow_missing=True` here.")
    shape = sizes(spec.shape)
    size = int(np.prod(shape)) if shape else 1
    rows = [joined([], spec.dtype) if row is None else row for row in _rows(records, key, spec.dtype)]
    for row in rows:
        if row.size % size:
            raise InvalidArgumentError(
                None, None, f"Key: {key}. A record holds {row.size} values, no multiple of the item shape {shape}."
            )
    longest = max((row.size // size for row in rows), default=0)
    out = filled((len(rows), longest * size), spec.dtype, spec.default_value)
    for number, row in enumerate(rows):
        out[number, : row.size] = row
    return from_host(out.reshape(len(rows), longest, *shape))


def _ragged(records: list, key: str, spec: RaggedFeature) -> Any:
    rows = [joined([], spec.dtype) if row is None else row for row in _rows(records, spec.value_key or key, spec.dtype)]
    made: Any = from_host(joined(rows, spec.dtype))
    counts = [row.size for row in rows]
    for partition in reversed(spec.partitions):
        if isinstance(partition, cutting.UniformRowLength):
            counts = [count // partition.length for count in counts]
            made = RaggedTensor.from_uniform_row_length(made, partition.length, sum(counts))
            continue
        found = [np.zeros(0, np.int64) if row is None else row for row in _rows(records, partition.key, "int64")]
        parts = [cutting.lengths_of(partition, *pair) for pair in zip(found, counts, strict=True)]
        made = RaggedTensor.from_row_lengths(made, np.concatenate(parts))
        counts = [len(part) for part in parts]
    made = RaggedTensor.from_row_lengths(made, np.asarray(counts, np.int64))
    return made.with_row_splits_dtype(spec.row_splits_dtype)


def _placed(records: list, key: str, spec: SparseFeature) -> Any:
    names = [spec.index_key] if isinstance(spec.index_key, str) else list(spec.index_key)
    lengths = [int(size) for size in np.atleast_1d(spec.size)]
    if len(names) != len(lengths):
        raise ValueError(f"Feature {key!r}: SparseFeature has {len(names)} index keys and {len(lengths)} sizes.")
    empty = np.zeros(0, np.int64)
    columns = [[empty if row is None else row for row in _rows(records, name, "int64")] for name in names]
    values = [joined([], spec.dtype) if row is None else row for row in _rows(records, spec.value_key, spec.dtype)]
    indices = []
    for number, row in enumerate(values):
        axes = [column[number] for column in columns]
        if any(axis.size != row.size for axis in axes):
            raise InvalidArgumentError(
                None, None, f"Key: {key}. Record {number} holds {row.size} values and {axes[0].size} places."
            )
        places = np.stack([np.full(row.size, number, np.int64), *axes], axis=1)
        if not spec.already_sorted:
            order = np.lexsort(places.T[::-1])
            places, values[number] = places[order], row[order]
        indices.append(places)
    flat = np.concatenate([np.zeros((0, 1 + len(names)), np.int64), *indices])
    return SparseTensor(flat, from_host(joined(values, spec.dtype)), [len(records), *lengths])


_PARSERS = {
    FixedLenFeature: _fixed,
    FixedLenSequenceFeature: _sequence,
    SparseFeature: _placed,
    VarLenFeature: _sparse,
    RaggedFeature: _ragged,
}


def parse_records(records: Records, features: dict[str, Any], where: str) -> dict[str, Any]:
    """Tensors of encoded features, the records along the first axis."""
    found = {}
    for key, spec in features.items():
        parser = _PARSERS.get(type(spec))
        if parser is None:
            raise TypeError(
                f"{where}: feature {key!r}: expected FixedLenFeature, FixedLenSequenceFeature, VarLenFeature, "
                f"SparseFeature or RaggedFeature, received {type(spec).__name__}."
            )
        found[key] = parser(records, key, spec)
    return found


def _parse(data: list[bytes], features: dict[str, Any], names: Any, where: str) -> dict[str, Any]:
    try:
        records = Records(_record(item) for item in data)
        if names is not None:
            records.names = [text(item) for item in strings(names, where).reshape(-1)]
        return parse_records(records, features, where)
    except ValueError as error:
        if isinstance(error, InvalidArgumentError) or "message" not in str(error):
            raise
        raise InvalidArgumentError(None, None, f"{where}: the record is no Example: {error}.") from error


def parse_example(serialized: Any, features: dict[str, Any], example_names: Any = None, name: str | None = None) -> Any:
    """Features of a batch of serialized ``Example`` messages.

    Args:
        serialized: vector of strings; one string is taken as by ``parse_single_example``.
        features: ``FixedLenFeature``, ``VarLenFeature`` ... by name.
        example_names: names of the records, for messages.

    Returns:
        Dict of tensors, with the records along the first axis.

    Raises:
        tf.errors.InvalidArgumentError: a feature is missing, or does not fit its spec.

    References: TensorFlow `tf.io.parse_example`.
    """
    array = strings(serialized, "tf.io.parse_example")
    if not array.ndim:
        return parse_single_example(serialized, features, example_names)
    return _parse([bytes(item) for item in array.reshape(-1)], features, example_names, "tf.io.parse_example")


def parse_single_example(
    serialized: Any, features: dict[str, Any], example_names: Any = None, name: str | None = None
) -> Any:
    """Features of one serialized ``Example`` message; arguments as for ``parse_example``."""
    array = strings(serialized, "tf.io.parse_single_example")
    if array.ndim:
        raise InvalidArgumentError(
            None, None, f"tf.io.parse_single_example: expected one string, received shape {array.shape}."
        )
    found = _parse([bytes(array.item())], features, example_names, "tf.io.parse_single_example")
    return {key: first_of(value) for key, value in found.items()}


def first_of(batch: Any) -> Any:
    """The only record of a batch."""
    if isinstance(batch, SparseTensor):
        indices = np.asarray(batch.indices)[:, 1:]
        return SparseTensor(indices, batch.values, batch._sizes[1:])
    return batch.values if isinstance(batch, RaggedTensor) else batch[0]
