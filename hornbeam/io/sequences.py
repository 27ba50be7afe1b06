"""Records of sequences to tensors: the parts of ``SequenceExample`` messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.tensor import from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.io import parsing, wire
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.tensor import SparseTensor
from hornbeam.tensors.texts import strings, text

__all__ = ["parse_sequence_example", "parse_single_sequence_example"]

_Steps = dict[str, list[bytes]]


def parse_single_sequence_example(
    serialized: Any,
    context_features: dict[str, Any] | None = None,
    sequence_features: dict[str, Any] | None = None,
    example_name: str | None = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Features of one serialized ``SequenceExample`` message.

    Args:
        serialized: one string.
        context_features: specs of what belongs to the whole sequence, as for ``parse_single_example``.
        sequence_features: specs of what each step has: ``FixedLenSequenceFeature`` (dense, steps along the first
            axis), ``VarLenFeature`` (sparse) or ``RaggedFeature``.
        example_name: name of the record for messages.
        name: ignored, as eager tensors have no names.

    Returns:
        Dict of the context's tensors and dict of the sequences' ones.

    Raises:
        tf.errors.InvalidArgumentError: a feature is missing, or does not fit its spec.

    References: TensorFlow `tf.io.parse_single_sequence_example`.
    """
    where = "tf.io.parse_single_sequence_example"
    array = strings(serialized, where)
    if array.ndim:
        raise InvalidArgumentError(None, None, f"{where}: expected one string, received shape {array.shape}.")
    _some_features(context_features, sequence_features, where)
    context, steps = _read(bytes(array.item()), where, text(example_name or "<unknown>"))
    found = parsing.parse_records(parsing.Records([context]), context_features or {}, where)
    sequences = {key: _one(steps, key, spec, where) for key, spec in (sequence_features or {}).items()}
    return {key: parsing.first_of(value) for key, value in found.items()}, sequences


def parse_sequence_example(
    serialized: Any,
    context_features: dict[str, Any] | None = None,
    sequence_features: dict[str, Any] | None = None,
    example_names: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Features of a batch of serialized ``SequenceExample`` messages.

    Args:
        serialized: vector of strings.
        context_features: as for ``parse_single_sequence_example``.
        sequence_features: likewise; dense sequences shorter than the longest of the batch are filled up with zeros.
        example_names: names of the records for messages.
        name: ignored, as eager tensors have no names.

    Returns:
        Dict of the context's tensors, dict of the sequences' ones, and the lengths of the dense sequences.

    References: TensorFlow `tf.io.parse_sequence_example`.
    """
    where = "tf.io.parse_sequence_example"
    array = strings(serialized, where).reshape(-1)
    _some_features(context_features, sequence_features, where)
    names = [None] * len(array) if example_names is None else strings(example_names, where).reshape(-1).tolist()
    read = [_read(bytes(item), where, text(label or "<unknown>")) for item, label in zip(array, names, strict=True)]
    context = parsing.parse_records(parsing.Records(record for record, _ in read), context_features or {}, where)
    sequences, lengths = {}, {}
    for key, spec in (sequence_features or {}).items():
        parts = [_one(steps, key, spec, where) for _, steps in read]
        if isinstance(spec, parsing.FixedLenSequenceFeature):
            sequences[key], lengths[key] = _padded(parts, spec)
        elif isinstance(spec, parsing.VarLenFeature):
            sequences[key] = _joined_sparse(parts)
        else:
            sequences[key] = _joined_ragged(parts)
    return context, sequences, lengths


def _some_features(context: Any, sequences: Any, where: str) -> None:
    if not context and not sequences:
        raise ValueError(f"{where}: give `context_features` or `sequence_features`; without them nothing is read.")


def _read(data: bytes, where: str, label: str) -> tuple[dict[str, bytes], _Steps]:
    """Encoded features of the context, and of each step by name."""
    context: dict[str, bytes] = {}
    steps: _Steps = {}
    try:
        for number, _, part in wire.fields(data):
            if not isinstance(part, bytes):
                continue
            if number == 1:
                context.update(parsing.named(part))
            elif number == 2:
                for key, features in parsing.named(part).items():
                    steps[key] = [
                        item for inner, _, item in wire.fields(features) if inner == 1 and type(item) is bytes
                    ]
    except ValueError as error:
        raise InvalidArgumentError(
            None, None, f"{where}: the record {label} is no SequenceExample: {error}."
        ) from error
    return context, steps


def _one(steps: _Steps, key: str, spec: Any, where: str) -> Any:
    """Values of one sequence of one record."""
    kinds = (parsing.FixedLenSequenceFeature, parsing.VarLenFeature, parsing.RaggedFeature)
    if not isinstance(spec, kinds):
        raise TypeError(
            f"{where}: sequence feature {key!r}: expected FixedLenSequenceFeature, VarLenFeature or RaggedFeature, "
            f"received {type(spec).__name__}."
        )
    if isinstance(spec, parsing.RaggedFeature) and spec.partitions:
        raise NotSupportedError(
            f"{where}: sequence feature {key!r}: `partitions` of RaggedFeature go with parse_example; leave them out "
            "and cut the values afterwards."
        )
    name = spec.value_key or key if isinstance(spec, parsing.RaggedFeature) else key
    given = steps.get(name)
    if given is None and isinstance(spec, parsing.FixedLenSequenceFeature) and not spec.allow_missing:
        raise InvalidArgumentError(
            None, None, f"{where}: the record has no sequence feature {key!r}; set `allow_missing=True` if it need not."
        )
    wanted = dtypes.as_dtype(spec.dtype).name
    rows = [parsing.values_of(step, wanted, key) for step in given or []]
    rows = [parsing.joined([], spec.dtype) if row is None else row for row in rows]
    if isinstance(spec, parsing.FixedLenSequenceFeature):
        return _dense(rows, spec, key, where)
    lengths = [row.size for row in rows]
    flat = from_host(parsing.joined(rows, spec.dtype))
    if isinstance(spec, parsing.RaggedFeature):
        return RaggedTensor.from_row_lengths(flat, np.asarray(lengths, np.int64))
    places = [(step, place) for step, length in enumerate(lengths) for place in range(length)]
    return SparseTensor(np.asarray(places, np.int64).reshape(-1, 2), flat, [len(rows), max(lengths, default=0)])


def _dense(rows: list[np.ndarray], spec: Any, key: str, where: str) -> Any:
    shape = parsing.sizes(spec.shape)
    size = int(np.prod(shape)) if shape else 1
    for step, row in enumerate(rows):
        if row.size != size:
            raise InvalidArgumentError(
                None, None, f"{where}: {key!r}: step {step} holds {row.size} values, shape {shape} needs {size}."
            )
    return from_host(parsing.joined(rows, spec.dtype).reshape(len(rows), *shape))


def _padded(parts: list[Any], spec: Any) -> tuple[Any, Any]:
    lengths = [int(part.shape[0]) for part in parts]
    out = parsing.filled((len(parts), max(lengths, default=0), *parsing.sizes(spec.shape)), spec.dtype)
    for number, part in enumerate(parts):
        out[number, : lengths[number]] = part.numpy()
    return from_host(out), from_host(np.asarray(lengths, np.int64))


def _joined_sparse(parts: list[SparseTensor]) -> SparseTensor:
    sizes = np.max([part._sizes for part in parts], axis=0)
    indices = [
        np.concatenate([np.full((len(part._indices), 1), number, np.int64), part._indices], axis=1)
        for number, part in enumerate(parts)
    ]
    values = np.concatenate([part.values.numpy() for part in parts])
    return SparseTensor(np.concatenate(indices), from_host(values), [len(parts), *sizes.tolist()])


def _joined_ragged(parts: list[RaggedTensor]) -> RaggedTensor:
    flat = np.concatenate([part.values.numpy() for part in parts])
    inner = RaggedTensor.from_row_lengths(
        from_host(flat), np.concatenate([part.row_lengths().numpy() for part in parts])
    )
    return RaggedTensor.from_row_lengths(inner, [len(part) for part in parts])
