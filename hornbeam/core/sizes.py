"""Sizes put in for unknown axes, to learn shapes by running a function abstractly.

A function may refuse sizes that are drawn blindly: axes that are unknown in one operand may have to be equal to known
ones of another. ``other_ways`` proposes sizes after a refusal, the likely ones first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

__all__ = ["FIRST", "Pair", "Shape", "other_ways", "plain"]

Shape = tuple[int | None, ...]
Pair = tuple[int, int]
"""Size of an unknown axis 0 (the batch, shared by all inputs), and of any other unknown axis."""
Fill = Callable[[Pair], list[tuple[int, ...]]]

# Rich in divisors and large enough for windows, so that reshapes and strides work out; those of the second have more.
FIRST: tuple[Pair, Pair] = ((48, 288), (96, 576))
_SECOND: tuple[Pair, Pair] = ((2520, 5040), (5040, 7560))
_MOST_BATCHES = 4
"""Sizes of an error's text that are tried as the batch."""
_MOST_CANDIDATES = 8
"""Sizes that are tried for a single axis."""


def plain(shapes: Sequence[Shape], sizes: Pair) -> list[tuple[int, ...]]:
    """Shapes with equal sizes for all batches, and for all other unknown axes."""
    return [_set(shape, lambda axis: sizes[0 if axis == 0 else 1]) for shape in shapes]


def other_ways(
    shapes: Sequence[Shape], beside: Sequence[Shape], error: Exception, of_one_op: bool
) -> Iterator[tuple[tuple[Pair, Pair], Fill, bool]]:
    """Pairs of sizes and what makes shapes of them, after the ones drawn first failed.

    In turn: sizes with more divisors; for single ops those by which the shapes broadcast, if the outputs do so, too
    (the last value of three says that this is to be checked), and one unknown axis with the size of another one; those
    by which the shapes broadcast; last a batch that the error names, for functions may hold it, as in
    ``tf.random.uniform((32, 1)) * x``. The outputs are then of that batch size.

    Args:
        shapes: of the symbolic inputs.
        beside: shapes of the known inputs.
        error: what was raised.
        of_one_op: the function is quick, so that many ways may be tried.
    """
    yield _SECOND, lambda sizes: plain(shapes, sizes), False
    named = [number for number in _numbers(error) if number not in {size for pair in FIRST for size in pair}]
    if of_one_op:
        yield FIRST, lambda sizes: _broadcasting(shapes, beside, sizes), True
        known = [size for shape in (*shapes, *beside) for size in shape if size is not None]
        candidates = list(dict.fromkeys([*known, *named]))[:_MOST_CANDIDATES]
        for place in [(i, axis) for i, shape in enumerate(shapes) for axis, size in enumerate(shape) if size is None]:
            for size in (None, *candidates):
                yield FIRST, lambda sizes, place=place, size=size: _with_one(shapes, sizes, place, size), False
    yield FIRST, lambda sizes: _broadcasting(shapes, beside, sizes), False
    for batch in [number for number in named if number > 1][:_MOST_BATCHES]:
        yield ((batch, FIRST[0][1]), (batch, FIRST[1][1])), lambda sizes: plain(shapes, sizes), False


def _set(shape: Shape, size_of: Callable[[int], int]) -> tuple[int, ...]:
    return tuple(size_of(axis) if size is None else size for axis, size in enumerate(shape))


def _numbers(error: Exception) -> list[int]:
    return list(dict.fromkeys(int(number) for number in re.findall(r"\b\d{1,5}\b", str(error))))


def _broadcasting(shapes: Sequence[Shape], beside: Sequence[Shape], sizes: Pair) -> list[tuple[int, ...]]:
    """Shapes in which an unknown size is that of the others at its place, counted from the end."""
    known: dict[int, int] = {}
    for shape in (*shapes, *beside):
        for place, size in enumerate(reversed(shape)):
            if size is not None and size != 1:
                known.setdefault(place, size)
    longest = max(map(len, shapes))

    def filled(shape: Shape) -> tuple[int, ...]:
        last = len(shape) - 1
        return _set(shape, lambda axis: known.get(last - axis, sizes[0 if last - axis == longest - 1 else 1]))

    return [filled(shape) for shape in shapes]


def _with_one(shapes: Sequence[Shape], sizes: Pair, place: tuple[int, int], size: int | None) -> list[tuple[int, ...]]:
    """Shapes in which one unknown axis is of a size of its own; None is that of the batch, or for it of the others."""
    found = plain(shapes, sizes)
    index, axis = place
    own = sizes[1 if axis == 0 else 0] if size is None else size
    found[index] = (*found[index][:axis], own, *found[index][axis + 1 :])
    return found
