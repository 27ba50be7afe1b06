"""Shapes: ``TensorShape`` is a tuple that also answers as TensorFlow's class does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex, overload

from hornbeam.base.errors import ShapeError

Dim = int | None


class TensorShape(tuple):
    """A tuple of sizes, ``None`` for an unknown one, with TensorFlow's methods.

    Args:
        dims: sizes; an int for a vector; ``None`` for a shape whose rank is not known.
    """

    def __new__(cls, dims: Any = ()) -> TensorShape:
        """Build from sizes, another shape, an int, or ``None`` (unknown rank)."""
        if type(dims) is TensorShape or type(dims) is UnknownRank:
            return dims
        if dims is None:
            return tuple.__new__(UnknownRank, ())
        if isinstance(dims, int):
            dims = (dims,)
        return tuple.__new__(cls, [None if d is None or d == -1 else int(d) for d in dims])

    @property
    def rank(self) -> int | None:
        """Number of axes."""
        return len(self)

    ndims = rank

    @property
    def dims(self) -> list[Dim] | None:
        """Sizes as a list."""
        return list(self)

    def as_list(self) -> list[Dim]:
        """Sizes as a list."""
        return list(self)

    def is_fully_defined(self) -> bool:
        """True if every size is known."""
        return None not in tuple(self)

    def num_elements(self) -> int | None:
        """Product of the sizes, ``None`` if one is unknown."""
        return count(self) if self.is_fully_defined() else None

    def is_compatible_with(self, other: Any) -> bool:
        """True if some concrete shape fits both."""
        return compatible(self, TensorShape(other))

    def merge_with(self, other: Any) -> TensorShape:
        """The shape that knows what either knows."""
        other = TensorShape(other)
        if other.rank is None:
            return self
        return TensorShape(merge(self, other))

    def concatenate(self, other: Any) -> TensorShape:
        """This shape's axes followed by the other's."""
        return TensorShape(tuple(self) + tuple(TensorShape(other)))

    def with_rank(self, rank: int) -> TensorShape:
        """The shape itself if it has that rank."""
        if len(self) != rank:
            raise ShapeError(f"Shape {tuple(self)} must have rank {rank}.")
        return self

    def assert_has_rank(self, rank: int) -> None:
        """Raise unless the shape has that rank."""
        self.with_rank(rank)

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise unless some concrete shape fits both."""
        if not self.is_compatible_with(other):
            raise ShapeError(f"Shapes {tuple(self)} and {tuple(TensorShape(other))} are incompatible.")

    def assert_is_fully_defined(self) -> None:
        """Raise if a size is unknown."""
        if not self.is_fully_defined():
            raise ShapeError(f"Shape {tuple(self)} is not fully defined.")

    @overload
    def __getitem__(self, key: SupportsIndex, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> TensorShape: ...
    def __getitem__(self, key: Any, /) -> Any:
        """Size of an axis, or the shape of a range of axes."""
        found = tuple.__getitem__(self, key)
        return tuple.__new__(TensorShape, found) if isinstance(key, slice) else found

    def __add__(self, other: Any) -> TensorShape:
        return TensorShape(tuple(self) + tuple(other))

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(tuple(other) + tuple(self))

    def __eq__(self, other: object) -> bool:
        return tuple.__eq__(self, tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        return not self.__eq__(other)

    __hash__ = tuple.__hash__

    def __repr__(self) -> str:
        return f"TensorShape({list(self)})"

    def __str__(self) -> str:
        return tuple.__repr__(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (TensorShape, (tuple(self),))


class UnknownRank(TensorShape):
    """The shape of which not even the rank is known."""

    @property
    def rank(self) -> int | None:
        """``None``."""
        return None

    ndims = rank

    @property
    def dims(self) -> list[Dim] | None:
        """``None``."""
        return None

    def as_list(self) -> list[Dim]:
        """Raise, as TensorFlow does: there is no list."""
        raise ValueError("as_list() is not defined on a shape of unknown rank.")

    def is_fully_defined(self) -> bool:
        """False."""
        return False

    def merge_with(self, other: Any) -> TensorShape:
        """The other shape."""
        return TensorShape(other)

    def is_compatible_with(self, other: Any) -> bool:
        """True: any shape fits."""
        return True

    def with_rank(self, rank: int) -> TensorShape:
        """A shape of that rank with unknown sizes."""
        return TensorShape((None,) * rank)

    def __repr__(self) -> str:
        return "TensorShape(None)"

    def __str__(self) -> str:
        return "<unknown>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (TensorShape, (None,))


def standardize(shape: Any) -> tuple[Dim, ...]:
    """Plain tuple of ints and ``None`` from any spelling of a shape.

    Raises:
        ShapeError: a size is negative or not a whole number.
    """
    if isinstance(shape, int):
        shape = (shape,)
    if shape is None or not isinstance(shape, Iterable):
        raise ShapeError(f"A shape must be a tuple of ints or None, received: {shape!r}.")
    sizes: list[Dim] = []
    for size in shape:
        if size is None:
            sizes.append(None)
            continue
        try:
            whole = int(size.__index__() if hasattr(size, "__index__") else size)
        except (TypeError, ValueError) as error:
            raise ShapeError(f"Shape {shape!r} holds {size!r}, expected an int or None.") from error
        if whole < 0:
            raise ShapeError(
                f"Shape {tuple(shape)!r} holds {whole}: a size is 0 or more, or None where it is not known."
            )
        sizes.append(whole)
    return tuple(sizes)


def count(shape: Sequence[Any]) -> int:
    """Number of elements of a fully known shape."""
    total = 1
    for size in shape:
        total *= size
    return total


def compatible(a: Sequence[Dim], b: Sequence[Dim]) -> bool:
    """True if some concrete shape fits both (unknown rank fits all)."""
    if isinstance(a, UnknownRank) or isinstance(b, UnknownRank):
        return True
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b, strict=True))


def merge(a: Sequence[Dim], b: Sequence[Dim]) -> tuple[Dim, ...]:
    """The shape that knows what either knows.

    Raises:
        ShapeError: they disagree.
    """
    if not compatible(a, b):
        raise ShapeError(f"Shapes {tuple(a)} and {tuple(b)} are not compatible.")
    return tuple(y if x is None else x for x, y in zip(a, b, strict=True))


def broadcast(a: Sequence[Dim], b: Sequence[Dim]) -> tuple[Dim, ...]:
    """Shape of an elementwise result of two operands; an unknown size beside a known one above 1 takes that.

    Raises:
        ShapeError: sizes differ and none of them is 1.
    """
    rank = max(len(a), len(b))
    left = (1,) * (rank - len(a)) + tuple(a)
    right = (1,) * (rank - len(b)) + tuple(b)
    out: list[Dim] = []
    for x, y in zip(left, right, strict=True):
        if x == y or y == 1:
            out.append(x)
        elif x == 1:
            out.append(y)
        elif x is None or y is None:
            out.append(y if x is None else x)
        else:
            raise ShapeError(f"Cannot broadcast shapes {tuple(a)} and {tuple(b)}.")
    return tuple(out)
