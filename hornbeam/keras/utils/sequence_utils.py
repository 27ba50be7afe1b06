"""``pad_sequences``: lists of several lengths in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.base.errors import explain

__all__ = ["pad_sequences"]


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Put sequences of several lengths into one array, filled up or cut to one length.

    Args:
        sequences: lists or arrays; all but their first axis must agree.
        maxlen: the length; default: that of the longest.
        dtype: of the array; ``object`` for texts of several lengths.
        padding: fill up at the beginning (``"pre"``) or at the end (``"post"``).
        truncating: cut at the beginning or at the end.
        value: what is filled in.

    Returns:
        Array (sequences, ``maxlen``, ...).

    Raises:
        ValueError: an entry is no sequence or of another shape, an unknown mode, or a value that does not fit.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)

    References: Keras ``utils.pad_sequences``.
    """
    for name, mode in (("padding", padding), ("truncating", truncating)):
        if mode not in ("pre", "post"):
            raise ValueError(f"`{name}` is 'pre' or 'post'. Received: {name}={mode!r}")
    lengths = _lengths(sequences)
    first = next((sequence for sequence, length in zip(sequences, lengths, strict=True) if length), ())
    shape = np.asarray(first).shape[1:]
    if maxlen is None:
        maxlen = max(lengths, default=0)
    is_text = np.issubdtype(dtype, np.str_) or np.issubdtype(dtype, np.bytes_)
    if isinstance(value, str) and dtype is not object and not is_text:
        raise ValueError(
            f"The value {value!r} does not fit dtype={dtype}; for texts of several lengths give dtype=object."
        )
    found = np.full((len(lengths), maxlen, *shape), value, dtype=dtype)
    for number, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        # `-0:` would be all of it.
        kept = sequence[max(length - maxlen, 0) :] if truncating == "pre" else sequence[:maxlen]
        if not len(kept):
            continue
        kept = np.asarray(kept, dtype=dtype)
        if kept.shape[1:] != shape:
            raise ValueError(
                explain(
                    f"Sequence {number} is of another kind than the first.",
                    expected=f"entries of shape {shape}",
                    received=f"entries of shape {kept.shape[1:]}",
                )
            )
        found[number, slice(maxlen - len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return found


def _lengths(sequences: Any) -> list[int]:
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences() takes a list of sequences. Received: {type(sequences).__name__}")
    for number, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"pad_sequences() takes a list of sequences; entry {number} is none. Received: {sequence!r}"
            )
    return [len(sequence) for sequence in sequences]
