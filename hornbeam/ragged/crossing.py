"""Feature crosses of ragged tensors: every combination of one value from each input, row by row."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from hornbeam.core.tensor import HostTensor, from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.host import hashes
from hornbeam.ragged import rows
from hornbeam.ragged.construct import as_ragged
from hornbeam.ragged.tensor import RaggedTensor

__all__ = ["cross", "cross_hashed", "crossed"]

_KEY = 0xDECAFCAFFE


def cross(inputs: Any, name: str | None = None) -> RaggedTensor:
    """All combinations of the inputs' values in each row, as texts joined by ``_X_``; the last input changes fastest.

    Args:
        inputs: list of ragged tensors with one ragged axis, or matrices, of texts or integers; equally many rows.
        name: ignored, as eager tensors have no names.

    Raises:
        InvalidArgumentError: inputs of another rank, or with different numbers of rows.

    Example:
        >>> cross([[["a"], ["b", "c"]], [["d"], ["e"]]]).to_list()
        [[b'a_X_d'], [b'b_X_e', b'c_X_e']]

    References: TensorFlow `tf.ragged.cross`.
    """
    return crossed(inputs, "_X_")


def crossed(inputs: Any, separator: str) -> RaggedTensor:
    """`cross` with another text between the values."""
    between = separator.encode()
    found, splits = _combined(inputs, lambda parts: between.join(parts), _as_bytes)
    return RaggedTensor(HostTensor(np.array([*found, None], object)[:-1]), splits)


def cross_hashed(inputs: Any, num_buckets: Any = 0, hash_key: Any = None, name: str | None = None) -> RaggedTensor:
    """All combinations of the inputs' values in each row, as numbers below ``num_buckets``.

    Args:
        inputs: as for `cross`.
        num_buckets: number of different results; 0 for all ``int64`` numbers from 0 on.
        hash_key: start of the hash.
        name: ignored, as eager tensors have no names.

    Raises:
        InvalidArgumentError: a negative ``num_buckets``, or inputs that `cross` refuses.

    References: TensorFlow `tf.ragged.cross_hashed`.
    """
    if int(num_buckets) < 0:
        raise InvalidArgumentError(None, None, f"tf.ragged.cross_hashed: num_buckets={num_buckets} is below 0.")
    start = np.uint64(_KEY if hash_key is None else int(hash_key))
    limit = np.uint64(int(num_buckets) or 2**63 - 1)

    def combine(parts: tuple) -> int:
        found = np.array([start])
        for part in parts:
            found = hashes.concatenate_fingerprints(found, np.array([part], np.uint64))
        return int(found[0] % limit)

    with np.errstate(over="ignore"):
        found, splits = _combined(inputs, combine, _as_fingerprints)
    return RaggedTensor(from_host(np.array(found, np.int64)), splits)


def _combined(inputs: Any, combine: Callable, values_of: Callable) -> tuple[list[Any], np.ndarray]:
    parts = [_ragged(item) for item in inputs]
    counts = {len(part) for part in parts}
    if len(counts) != 1:
        raise InvalidArgumentError(None, None, f"tf.ragged.cross: inputs of one number of rows. Received: {counts}")
    values = [values_of(rows.host(part.values)) for part in parts]
    found: list[Any] = []
    lengths = []
    for row in range(counts.pop()):
        choices = [value[part._splits[row] : part._splits[row + 1]] for value, part in zip(values, parts, strict=True)]
        made = [combine(chosen) for chosen in product(*choices)]
        found += made
        lengths.append(len(made))
    kind = np.int32 if all(part._splits.dtype == np.int32 for part in parts) else np.int64
    return found, rows.splits_of(np.array(lengths, kind))


def _ragged(item: Any) -> RaggedTensor:
    if isinstance(item, (list, tuple)):
        item = RaggedTensor.from_row_lengths([one for row in item for one in row], [len(row) for row in item])
    made = as_ragged(item if isinstance(item, RaggedTensor) else rows.as_values(item))
    if made.ndim != 2 or made.dtype.is_floating:
        raise InvalidArgumentError(
            None,
            None,
            "tf.ragged.cross: inputs are ragged tensors or matrices of texts or integers. "
            f"Received: shape {made.shape}, dtype {made.dtype.name}",
        )
    return made


def _as_bytes(values: np.ndarray) -> list[bytes]:
    return values.tolist() if values.dtype == object else [str(number).encode() for number in values.tolist()]


def _as_fingerprints(values: np.ndarray) -> np.ndarray:
    return hashes.fingerprint64(values) if values.dtype == object else values.astype(np.int64).astype(np.uint64)
