"""Assertions about shapes and dtypes, which are always known."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.core.arguments import static_value
from hornbeam.tensors.face import dtype_of, shape_of, tensor

__all__ = [
    "assert_integer",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_shapes",
    "assert_type",
]


def _fail(message: str | None, text: str, kind: type[Exception] = ValueError) -> None:
    raise kind(f"{message} {text}".strip() if message else text)


def assert_rank(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise ``ValueError`` unless ``x`` has that many axes."""
    if len(shape_of(x)) != int(static_value(rank, "rank")):
        _fail(message, f"Tensor must have rank {rank}, but its shape {shape_of(x)} has rank {len(shape_of(x))}")


def assert_rank_at_least(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise ``ValueError`` unless ``x`` has at least that many axes."""
    if len(shape_of(x)) < int(static_value(rank, "rank")):
        _fail(
            message, f"Tensor must have rank at least {rank}, but its shape {shape_of(x)} has rank {len(shape_of(x))}"
        )


def assert_rank_in(x: Any, ranks: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise ``ValueError`` unless the number of axes of ``x`` is one of ``ranks``."""
    allowed = static_value(ranks, "ranks")
    if len(shape_of(x)) not in allowed:
        _fail(message, f"Tensor must have rank in {allowed}, but its shape {shape_of(x)} has rank {len(shape_of(x))}")


def assert_scalar(tensor: Any, message: str | None = None, name: str | None = None) -> Any:
    """The tensor itself; raise ``ValueError`` unless it has no axes."""
    if shape_of(tensor):
        _fail(message, f"Expected scalar shape, saw shape: {shape_of(tensor)}.")
    return _as_tensor(tensor)


def _as_tensor(x: Any) -> Any:
    return tensor(x)


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise ``TypeError`` unless the tensor has that dtype."""
    if dtype_of(tensor) != dtypes.as_dtype(tf_type):
        _fail(message, f"tensor must be of type {dtypes.as_dtype(tf_type)!r}; got {dtype_of(tensor)!r}", TypeError)


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise ``TypeError`` unless ``x`` holds integers."""
    if not dtype_of(x).is_integer:
        _fail(message, f"tensor must hold integers; got {dtype_of(x)!r}", TypeError)


def assert_proper_iterable(values: Any) -> None:
    """Raise ``TypeError`` for tensors, NumPy arrays, strings, and what cannot be iterated over."""
    if hasattr(values, "dtype") or isinstance(values, (str, bytes, np.ndarray)) or not hasattr(values, "__iter__"):
        raise TypeError(
            f"Expected argument `values` to be a list or another iterable, received {type(values).__name__}."
        )


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> dtypes.DType:
    """The one float dtype of all tensors (float32 if there is none).

    Raises:
        ValueError: they differ, or are not floating.
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    for item in tensors or ():
        if wanted is not None and dtype_of(item) != wanted:
            raise ValueError(f"Expected dtype {wanted.name} for all tensors, received {dtype_of(item).name}.")
        wanted = dtype_of(item)
    wanted = dtypes.float32 if wanted is None else wanted
    if not wanted.is_floating:
        raise ValueError(f"Expected floating point type, got {wanted.name}.")
    return wanted


def assert_shapes(
    shapes: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> None:
    """Raise unless tensors have shapes that fit together.

    Args:
        shapes: pairs ``(tensor, sizes)`` or a dict of them. A size is an int, a letter (the same size wherever it
            stands), ``None`` or ``"."`` for any; ``...`` in front or at the end stands for further axes.
        data: further tensors to name in the message.
        summarize: number of elements of ``data`` to show, default 3.
        message: text to put in front of the error's.

    Raises:
        ValueError: a shape does not fit.
    """
    known: dict[str, int | None] = {}
    for item, sizes in shapes.items() if isinstance(shapes, dict) else shapes:
        found, wanted = shape_of(item), _symbols(sizes)
        shown = "" if data is None else f" {[np.ravel(np.asarray(d))[: summarize or 3].tolist() for d in data]}"
        if wanted and wanted[0] in ("...", Ellipsis):
            wanted, found = wanted[1:], found[max(0, len(found) - len(wanted) + 1) :]
        elif wanted and wanted[-1] in ("...", Ellipsis):
            wanted = wanted[:-1]
            found = found[: len(wanted)]
        if len(found) != len(wanted):
            _fail(message, f"Tensor of shape {shape_of(item)} must have rank {len(wanted)}.{shown}")
        for symbol, size in zip(wanted, found, strict=True):
            if symbol in (None, "."):
                continue
            expected = known.setdefault(symbol, size) if isinstance(symbol, str) else int(symbol)
            if expected != size:
                _fail(
                    message, f"Tensor of shape {shape_of(item)}: dimension {symbol} must have size {expected}.{shown}"
                )


def _symbols(sizes: Any) -> list[Any]:
    if isinstance(sizes, str):
        text = sizes.replace("...", "…")
        return [int(c) if c.isdigit() else "..." if c == "…" else c for c in text]
    if isinstance(sizes, int):
        return [sizes]
    return [int(s) if isinstance(s, str) and s.isdigit() else s for s in sizes]
