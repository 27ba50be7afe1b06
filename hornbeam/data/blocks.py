"""Blocks: some successive elements of a data set, column by column, on the host.

An element is a nesting of values. Its containers are kept once, as a skeleton; its values are leaves. A block
holds, for each leaf, the values of several elements: one array with a first axis more where they are of one shape, else
a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import explain
from hornbeam.errors import InvalidArgumentError

Column = Any
"""``np.ndarray`` with one row per element, or a list of values."""


class RaggedRows(list):
    """A column of arrays that differ in their first size, and that ``batch`` makes a ragged tensor of."""


class Block:
    """Successive elements.

    Args:
        skeleton: the containers of an element, any value in place of each leaf.
        columns: one per leaf, in the order of ``trees.flatten``.
        count: number of elements.
    """

    __slots__ = ("columns", "count", "skeleton")

    def __init__(self, skeleton: Any, columns: list[Column], count: int) -> None:
        self.skeleton = skeleton
        self.columns = columns
        self.count = count

    @classmethod
    def of_element(cls, skeleton: Any, leaves: Sequence[Any]) -> Block:
        """A block of one element."""
        return cls(skeleton, [[leaf] for leaf in leaves], 1)

    @classmethod
    def of_elements(cls, skeleton: Any, elements: Sequence[Sequence[Any]]) -> Block:
        """A block of elements given as lists of leaves."""
        return cls(skeleton, [list(column) for column in zip(*elements, strict=True)], len(elements))

    def leaves(self, place: int) -> list[Any]:
        """Leaves of one element."""
        return [column[place] for column in self.columns]

    def take(self, places: np.ndarray) -> Block:
        """The elements at some places."""
        return Block(self.skeleton, [take(column, places) for column in self.columns], len(places))

    def cut(self, start: int, stop: int) -> Block:
        """The elements from ``start`` up to ``stop``."""
        if start == 0 and stop >= self.count:
            return self
        columns = [
            column[start:stop] if type(column) is not RaggedRows else RaggedRows(column[start:stop])
            for column in self.columns
        ]
        return Block(self.skeleton, columns, min(stop, self.count) - start)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, roughly."""
        return sum(size_of(column) for column in self.columns)


def take(column: Column, places: np.ndarray) -> Column:
    """Rows of a column."""
    if isinstance(column, np.ndarray):
        return column.take(places, axis=0) if column.flags.c_contiguous else column[places]
    return type(column)(column[place] for place in places.tolist())


def size_of(column: Column) -> int:
    """Bytes of a column, roughly."""
    if isinstance(column, np.ndarray):
        return column.nbytes if column.dtype.kind != "O" else 64 * column.size
    return sum(item.nbytes if isinstance(item, np.ndarray) else 64 for item in column)


def join(blocks: Sequence[Block]) -> Block:
    """Blocks one after another as one."""
    if len(blocks) == 1:
        return blocks[0]
    first = blocks[0]
    columns = [_join_columns(parts) for parts in zip(*(block.columns for block in blocks), strict=True)]
    return Block(first.skeleton, columns, sum(block.count for block in blocks))


def _join_columns(parts: Sequence[Column]) -> Column:
    head = parts[0]
    arrays = all(isinstance(part, np.ndarray) for part in parts)
    if arrays and all(part.shape[1:] == head.shape[1:] and part.dtype == head.dtype for part in parts):
        return np.concatenate(parts)
    kind = RaggedRows if isinstance(head, RaggedRows) else list
    return kind(item for part in parts for item in part)


def stacked(column: Column) -> np.ndarray | None:
    """The column as one array; None if its values are no arrays of one shape and dtype."""
    if isinstance(column, np.ndarray):
        return column
    if type(column) is RaggedRows or not column:
        return None
    first = column[0]
    if isinstance(first, np.ndarray):
        shape, dtype = first.shape, first.dtype
        for item in column:
            if not isinstance(item, np.ndarray) or item.shape != shape or item.dtype != dtype:
                return None
        if len(column) == 1:
            return first[None]
        return np.stack(column)
    if isinstance(first, bytes):
        if not all(isinstance(item, bytes) for item in column):
            return None
        found = np.empty(len(column), object)
        found[:] = column
        return found
    if isinstance(first, np.generic):
        kind = type(first)
        return np.array(column, first.dtype) if all(type(item) is kind for item in column) else None
    return None


def must_stack(column: Column, what: str = "batch") -> np.ndarray:
    """The column as one array.

    Raises:
        InvalidArgumentError: the values differ in shape or dtype.
    """
    found = stacked(column)
    if found is not None:
        return found
    shapes = [f"{tuple(np.shape(item))} {getattr(item, 'dtype', type(item).__name__)}" for item in column]
    odd = next((number for number, shape in enumerate(shapes) if shape != shapes[0]), 0)
    raise InvalidArgumentError(
        None,
        None,
        explain(
            f"Dataset.{what}(): the elements of one batch differ in shape.",
            expected=f"equal shapes, as element 0 of the batch with {shapes[0]}",
            received=f"element {odd} with {shapes[odd]}",
            fix="use padded_batch() or ragged_batch(), or bring the elements to one shape in a map()",
        ),
    )


def leaf_count(skeleton: Any) -> int:
    """Number of leaves of an element."""
    return len(trees.flatten(skeleton))


def skeleton_of(structure: Any) -> Any:
    """Containers of a structure, 0 for each leaf."""
    return trees.map_structure(lambda _: 0, structure)


def each(block: Block) -> Iterable[list[Any]]:
    """Leaves of one element after another."""
    return map(list, zip(*block.columns, strict=True)) if block.columns else ([] for _ in range(block.count))
