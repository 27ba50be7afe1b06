"""Elements together and apart: batch, ragged_batch, unbatch, rebatch."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import explain
from hornbeam.core.spec import TensorSpec
from hornbeam.data.blocks import Block, RaggedRows, join, must_stack, stacked
from hornbeam.data.plan import INFINITE, UNKNOWN, Carry, Cursor, Indexed, Node, Scope, Wrapped
from hornbeam.data.sparse_rows import is_sparse, sparse_batch, sparse_rows
from hornbeam.data.specs import is_sure
from hornbeam.data.structure import RowSpec, host_leaf, ragged_row_spec, spec_of, to_tensors
from hornbeam.errors import InvalidArgumentError
from hornbeam.ragged import stack
from hornbeam.ragged.spec import RaggedTensorSpec
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.spec import SparseTensorSpec

_BATCHES_AT_ONCE = 256


def batch_count(size: int, batch_size: int, drop_remainder: bool) -> int:
    """Batches that elements make."""
    if size < 0:
        return size
    return size // batch_size if drop_remainder else -(-size // batch_size)


def batched_spec(spec: Any, rows: int | None) -> Any:
    """Spec of a batch of elements."""

    def one(leaf: Any) -> Any:
        if isinstance(leaf, RowSpec):
            return leaf.batched(rows)
        if isinstance(leaf, TensorSpec):
            return TensorSpec(None if leaf.shape.rank is None else (rows, *leaf.shape), leaf.dtype)
        if isinstance(leaf, SparseTensorSpec):
            return SparseTensorSpec(None if leaf.shape.rank is None else (rows, *leaf.shape), leaf.dtype)
        if isinstance(leaf, RaggedTensorSpec) and leaf.shape.rank is not None:
            return RaggedTensorSpec((rows, *leaf.shape), leaf.dtype, leaf.ragged_rank + 1, leaf.row_splits_dtype)
        return leaf

    return trees.map_structure(one, spec)


class _BatchRows(Wrapped):
    """Batches by number, all of one size."""

    def __init__(self, inner: Indexed, batch_size: int, size: int) -> None:
        super().__init__(inner, size)
        self._batch_size = batch_size

    def structs(self) -> list[Any] | None:
        """Those of the elements, with an axis more."""
        found = self.inner.structs()
        if found is None:
            return None
        return [type(struct)((self._batch_size, *struct.shape), struct.dtype) for struct in found]

    def rows(self, places: np.ndarray) -> Block:
        """Batches of successive elements."""
        numbers = (places[:, None] * self._batch_size + np.arange(self._batch_size)).reshape(-1)
        block = self.inner.rows(numbers)
        return _cut_in_batches(block, self._batch_size)


def _cut_in_batches(block: Block, batch_size: int, splits: str = "int64") -> Block:
    """A block whose elements are batches of the elements of ``block``; their number is a multiple of the size."""
    count = block.count // batch_size
    columns: list[Any] = []
    for column in block.columns:
        if type(column) is RaggedRows:
            parts = (ragged_of(column[i * batch_size : (i + 1) * batch_size]) for i in range(count))
            columns.append([part.with_row_splits_dtype(splits) for part in parts])
            continue
        whole = stacked(column)
        if whole is not None:
            columns.append(whole.reshape(count, batch_size, *whole.shape[1:]))
        else:
            columns.append([_together(column[i * batch_size : (i + 1) * batch_size]) for i in range(count)])
    return Block(block.skeleton, columns, count)


def _together(items: list[Any]) -> Any:
    if any(hasattr(item, "row_splits") for item in items):
        return ragged_of(items)
    if all(item is None for item in items):
        return None
    if is_sparse(items[0]):
        return sparse_batch(items)
    return must_stack(items)


def ragged_of(items: list[Any]) -> Any:
    """A ragged tensor of values that differ in their sizes."""
    plain = all(isinstance(item, np.ndarray) for item in items)
    if plain and all(item.shape[1:] == items[0].shape[1:] for item in items):
        lengths = np.array([len(item) for item in items], np.int64)
        return RaggedTensor.from_row_lengths(to_tensors([np.concatenate(items)])[0], lengths)
    return stack(to_tensors(items))


class Batch(Node):
    """``batch``, ``ragged_batch`` and ``rebatch``.

    Args:
        child: elements.
        batch_size: elements in a batch.
        drop_remainder: leave out a short last batch.
        ragged: elements may differ in shape; batches are ragged tensors.
        splits: dtype of the row splits of those.
    """

    def __init__(
        self, child: Node, batch_size: int, drop_remainder: bool, ragged: bool = False, splits: str = "int64"
    ) -> None:
        super().__init__(child)
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}")
        self.batch_size, self.drop_remainder, self.ragged, self.splits = batch_size, drop_remainder, ragged, splits

    def make_spec(self) -> Any:
        """Elements with an axis more."""
        if self.ragged:
            return trees.map_structure(self._ragged_spec, self.children[0].spec)
        return batched_spec(self.children[0].spec, self.batch_size if self.drop_remainder else None)

    def _ragged_spec(self, leaf: Any) -> Any:
        rows = self.batch_size if self.drop_remainder else None
        if not _is_uneven(leaf) or leaf.shape.rank is None:
            return batched_spec(leaf, rows)
        ragged_rank = len(leaf.shape) - tuple(leaf.shape)[::-1].index(None)
        return RaggedTensorSpec((rows, *leaf.shape), leaf.dtype, ragged_rank, self.splits)

    def size(self) -> int:
        """Number of batches."""
        return batch_count(self.children[0].size(), self.batch_size, self.drop_remainder)

    def indexed(self, scope: Scope) -> Indexed | None:
        """Batches by number, where they are all of one size and cheap."""
        if self.ragged:
            return None
        size = self.children[0].size()
        if (size < 0 and size != INFINITE) or (size >= 0 and size % self.batch_size and not self.drop_remainder):
            return None
        rows = self.children[0].indexed(scope.at(0))
        if rows is None or not rows.cheap:
            return None
        return _BatchRows(rows, self.batch_size, rows.size // self.batch_size)

    def stream(self, scope: Scope) -> Cursor:
        """Batches in order."""
        child = self.children[0]
        uneven = [_is_uneven(leaf) for leaf in trees.flatten(child.spec)] if self.ragged else []
        return BatchCursor(child.open(scope.at(0)), self.batch_size, self.drop_remainder, self.splits, uneven)


def _is_uneven(leaf: Any) -> bool:
    """Whether values of a spec may differ in their sizes."""
    return isinstance(leaf, TensorSpec) and (leaf.shape.rank is None or None in tuple(leaf.shape))


def _to_be_ragged(column: Any, uneven: bool) -> bool:
    if isinstance(column, np.ndarray):
        return uneven and column.ndim > 1
    # Specs of functions that run as Python are tried on a few elements only, so the sizes themselves count too.
    shapes = {item.shape if isinstance(item, np.ndarray) else None for item in column}
    return None not in shapes and (uneven or len(shapes) > 1)


class BatchCursor(Cursor):
    """Batches of the elements of a cursor; many at once where the elements come many at once."""

    def __init__(
        self, child: Cursor, batch_size: int, drop_remainder: bool, splits: str = "int64", uneven: Sequence[bool] = ()
    ) -> None:
        """``uneven`` says of each leaf whether its batches are ragged; ``splits`` is the dtype of their row splits."""
        self._child, self._size, self._drop, self._splits = child, batch_size, drop_remainder, splits
        self._uneven = uneven
        self._rest: Block | None = None
        self._ready: deque[Block] = deque()
        self._many = 1

    def block(self, limit: int) -> Block | None:
        """The next batches."""
        if self._ready:
            return self._from_ready(limit)
        parts = [self._rest] if self._rest is not None else []
        self._rest = None
        have = sum(part.count for part in parts)
        wanted = self._size * max(1, min(limit, self._many))
        while have < self._size:
            part = self._child.block(wanted - have)
            if part is None:
                return None if self._drop or not have else self._batches(join(parts), have)
            parts.append(part)
            have += part.count
        self._many = min(_BATCHES_AT_ONCE, self._many * 16)
        # A batch that several parts share is joined by itself: the bulk of a large part is not copied.
        if len(parts) > 1 and have > self._size:
            head = self._size - sum(part.count for part in parts[:-1])
            last = parts[-1]
            self._ready.append(self._batches(join([*parts[:-1], last.cut(0, head)]), self._size))
            parts, have = [last.cut(head, last.count)], last.count - head
        whole = join(parts)
        cut = have - have % self._size
        if cut < have:
            self._rest = whole.cut(cut, have)
        if cut:
            self._ready.append(self._batches(whole.cut(0, cut), self._size))
        return self._from_ready(limit)

    def _from_ready(self, limit: int) -> Block:
        block = self._ready.popleft()
        if block.count > limit:
            self._ready.appendleft(block.cut(limit, block.count))
            return block.cut(0, limit)
        return block

    def _batches(self, block: Block, size: int) -> Block:
        if self._uneven:
            pairs = zip(block.columns, self._uneven, strict=True)
            columns = [RaggedRows(column) if _to_be_ragged(column, uneven) else column for column, uneven in pairs]
            block = Block(block.skeleton, columns, block.count)
        return _cut_in_batches(block, size, self._splits)

    def skip(self, count: int) -> int:
        """Pass over batches without making them."""
        done = 0
        while self._ready and done < count:
            done += self._from_ready(count - done).count
        if done == count:
            return done
        have = self._rest.count if self._rest is not None else 0
        self._rest = None
        passed = have + self._child.skip((count - done) * self._size - have)
        return done + batch_count(passed, self._size, self._drop)

    def close(self) -> None:
        """Close the child."""
        self._child.close()


# --- apart ---------------------------------------------------------------------------------------
class Unbatch(Node):
    """``unbatch``: rows of the elements as elements."""

    def make_spec(self) -> Any:
        """Elements with an axis less."""

        def one(leaf: Any) -> Any:
            if isinstance(leaf, TensorSpec):
                return TensorSpec(None if leaf.shape.rank is None else leaf.shape[1:], leaf.dtype)
            if isinstance(leaf, SparseTensorSpec):
                return SparseTensorSpec(None if leaf.shape.rank is None else leaf.shape[1:], leaf.dtype)
            if isinstance(leaf, RaggedTensorSpec) and leaf.shape.rank is not None:
                return ragged_row_spec(leaf)
            return leaf

        return trees.map_structure(one, self.children[0].spec)

    def size(self) -> int:
        """Known where the spec says how many rows an element has."""
        size = self.children[0].size()
        if size == 0 or size == INFINITE:
            return size
        child = self.children[0]
        if size == UNKNOWN or not is_sure(child):
            return UNKNOWN
        rows = [leaf.shape[0] for leaf in trees.flatten(child.spec) if isinstance(leaf, TensorSpec) and leaf.shape.rank]
        return size * rows[0] if rows and rows[0] is not None else UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Rows in order."""
        return _UnbatchCursor(self.children[0].open(scope.at(0)))


class _UnbatchCursor(Cursor):
    def __init__(self, child: Cursor) -> None:
        self._child = Carry(child, 1)
        self._rows: Block | None = None

    def block(self, limit: int) -> Block | None:
        """The next rows."""
        while self._rows is None or not self._rows.count:
            found = self._child.element()
            if found is None:
                return None
            self._rows = rows_of_element(*found)
        rows = self._rows
        cut = min(limit, rows.count)
        self._rows = rows.cut(cut, rows.count) if cut < rows.count else None
        return rows.cut(0, cut)

    def close(self) -> None:
        """Close the child."""
        self._child.close()


def rows_of_element(skeleton: Any, leaves: list[Any]) -> Block:
    """A block of the rows of one element.

    Raises:
        InvalidArgumentError: the leaves have no rows, or different numbers of them.
    """
    columns: list[Any] = [
        RaggedRows(host_leaf(leaf[i]) for i in range(len(leaf.row_splits) - 1))
        if hasattr(leaf, "row_splits")
        else sparse_rows(leaf)
        if is_sparse(leaf)
        else leaf
        for leaf in leaves
    ]
    sizes = {len(column) if isinstance(column, list) or np.ndim(column) else -1 for column in columns}
    if len(sizes) != 1 or -1 in sizes:
        described = ", ".join(str(spec_of(leaf)) for leaf in leaves)
        raise InvalidArgumentError(
            None,
            None,
            explain(
                "Dataset.unbatch() needs elements whose parts have the same number of rows.",
                expected="equal first sizes",
                received=described,
            ),
        )
    return Block(skeleton, columns, sizes.pop())


class Rebatch(Node):
    """``rebatch``: the rows of batches in batches of other sizes.

    Args:
        child: batches.
        sizes: sizes of the new batches, taken in turn.
        drop_remainder: leave out a short last batch.
    """

    def __init__(self, child: Node, sizes: list[int], drop_remainder: bool) -> None:
        super().__init__(child)
        if not sizes or min(sizes) < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: {sizes}")
        self._sizes, self._drop = sizes, drop_remainder

    def make_spec(self) -> Any:
        """Batches of the new size."""
        rows = self._sizes[0] if self._drop and len(set(self._sizes)) == 1 else None
        return batched_spec(Unbatch(self.children[0]).spec, rows)

    def size(self) -> int:
        """Known for equal sizes and a known number of rows."""
        rows = Unbatch(self.children[0]).size()
        if rows == INFINITE or rows == 0:
            return rows
        return batch_count(rows, self._sizes[0], self._drop) if len(set(self._sizes)) == 1 else UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """New batches."""
        return _RebatchCursor(_UnbatchCursor(self.children[0].open(scope.at(0))), self._sizes, self._drop)


class _RebatchCursor(Cursor):
    def __init__(self, rows: Cursor, sizes: list[int], drop: bool) -> None:
        self._rows, self._sizes, self._drop = Carry(rows), sizes, drop
        self._turn = 0

    def block(self, limit: int) -> Block | None:
        """The next batch."""
        size = self._sizes[self._turn % len(self._sizes)]
        self._turn += 1
        parts = collected(self._rows, size)
        have = sum(part.count for part in parts)
        if not have or (self._drop and have < size):
            return None
        return _cut_in_batches(join(parts), have)

    def close(self) -> None:
        """Close the child."""
        self._rows.close()


def collected(child: Carry, count: int) -> list[Block]:
    """Blocks that hold the next ``count`` elements together, or all that are left."""
    parts: list[Block] = []
    have = 0
    while have < count:
        part = child.next(count - have)
        if part is None:
            break
        parts.append(part)
        have += part.count
    return parts
