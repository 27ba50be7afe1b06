"""Where elements come from: arrays, ranges, generators, random numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, trees
from hornbeam.base.errors import explain
from hornbeam.core.spec import TensorSpec
from hornbeam.data.blocks import Block
from hornbeam.data.plan import ENDLESS, INFINITE, UNKNOWN, Cursor, Indexed, IndexedNode, Node, Scope, mix
from hornbeam.data.sparse_rows import is_sparse, sparse_rows
from hornbeam.data.structure import column_struct, fitted, ragged_row_spec, ragged_rows, spec_of, struct_of, to_host
from hornbeam.sparse.spec import SparseTensorSpec

RANDOM_CHUNK = 1024


class ArrayRows(Indexed):
    """Rows of columns."""

    def __init__(self, block: Block, structs: list[Any] | None) -> None:
        self._block = block
        self._structs = structs
        self.size = block.count

    @property
    def block(self) -> Block:
        """All rows."""
        return self._block

    def structs(self) -> list[Any] | None:
        """Shape and dtype of a row."""
        return self._structs

    @property
    def cheap(self) -> bool:
        """Rows of texts are cheap too, though no program takes them."""
        return True

    @property
    def skeleton(self) -> Any:
        """Containers of an element."""
        return self._block.skeleton

    def rows(self, places: np.ndarray) -> Block:
        """The rows at some places; neighbours are cut out, not copied."""
        count = len(places)
        if count and places[-1] - places[0] == count - 1 and (count < 3 or bool((np.diff(places) == 1).all())):
            return self._block.cut(int(places[0]), int(places[0]) + count)
        return self._block.take(places)


class Slices(IndexedNode):
    """``from_tensor_slices``: the rows of arrays."""

    def __init__(self, tensors: Any) -> None:
        super().__init__()
        skeleton, leaves = to_host(tensors)
        if not leaves:
            raise ValueError("from_tensor_slices() got a structure without any array. Give at least one.")
        # None is no array: it stays None in every element.
        sizes = [_rows_of(leaf, place) for place, leaf in enumerate(leaves) if leaf is not None]
        if not sizes:
            raise ValueError("from_tensor_slices() got a structure of None. Give at least one array.")
        if len(set(sizes)) > 1:
            paths = ["".join(f"[{key!r}]" for key in path) or "x" for path, _ in trees.flatten_with_path(skeleton)]
            pairs = ", ".join(
                f"{path}: {len(leaf)}" for path, leaf in zip(paths, leaves, strict=True) if leaf is not None
            )
            raise ValueError(
                explain(
                    "from_tensor_slices() cuts all arrays along their first axis, which must be of one size.",
                    expected="equal first sizes",
                    received=pairs,
                )
            )
        columns = [_column_of(leaf, sizes[0]) for leaf in leaves]
        self._given = leaves
        self._block = Block(skeleton, columns, sizes[0])
        structs = [column_struct(column) for column in columns]
        self._structs = None if any(struct is None for struct in structs) else structs

    def make_spec(self) -> Any:
        """Spec of a row."""
        found = []
        for leaf in self._given:
            whole = spec_of(leaf)
            cut = TensorSpec(whole.shape[1:], whole.dtype) if isinstance(whole, TensorSpec) else None
            found.append(cut if cut is not None or leaf is None else _row_spec(leaf))
        return trees.pack(self._block.skeleton, found)

    def size(self) -> int:
        """Number of rows."""
        return self._block.count

    def indexed(self, scope: Scope) -> Indexed:
        """The rows."""
        return ArrayRows(self._block, self._structs)


def _column_of(leaf: Any, size: int) -> Any:
    if leaf is None:
        return [None] * size
    if is_sparse(leaf):
        return sparse_rows(leaf)
    return ragged_rows(leaf) if hasattr(leaf, "row_splits") else leaf


def _rows_of(leaf: Any, place: int) -> int:
    if hasattr(leaf, "row_splits"):
        return len(leaf.row_splits) - 1
    if is_sparse(leaf):
        return int(leaf.dense_shape[0])
    if not np.ndim(leaf):
        raise ValueError(
            explain(
                "from_tensor_slices() cuts arrays along their first axis.",
                expected="arrays with at least one axis",
                received=f"a scalar (leaf {place}): {leaf!r}",
                fix="use from_tensors() for a single element, or wrap the value in a list",
            )
        )
    return len(leaf)


def _row_spec(leaf: Any) -> Any:
    if is_sparse(leaf):
        return SparseTensorSpec(leaf.shape[1:], leaf.dtype)
    return ragged_row_spec(spec_of(leaf))


class Single(IndexedNode):
    """``from_tensors``: one element."""

    def __init__(self, tensors: Any) -> None:
        super().__init__()
        self._skeleton, self._leaves = to_host(tensors)

    def make_spec(self) -> Any:
        """Spec of the element."""
        return trees.pack(self._skeleton, [spec_of(leaf) for leaf in self._leaves])

    def size(self) -> int:
        """One."""
        return 1

    def indexed(self, scope: Scope) -> Indexed:
        """The element."""
        structs = [struct_of(leaf) for leaf in self._leaves]
        columns = [
            np.asarray(leaf)[None] if struct is not None else [leaf]
            for leaf, struct in zip(self._leaves, structs, strict=True)
        ]
        known = None if any(struct is None for struct in structs) else structs
        return ArrayRows(Block(self._skeleton, columns, 1), known)


class _Steps(Indexed):
    def __init__(self, start: int, step: int, size: int, dtype: np.dtype) -> None:
        self._start, self._step, self.size, self._dtype = start, step, size, dtype

    def structs(self) -> list[Any]:
        """A scalar."""
        return [jax.ShapeDtypeStruct((), self._dtype)]

    def rows(self, places: np.ndarray) -> Block:
        """The numbers at some places."""
        return Block(0, [(places * self._step + self._start).astype(self._dtype)], len(places))


class Range(IndexedNode):
    """``range`` and ``counter``: numbers in even steps."""

    def __init__(self, start: int, stop: int | None, step: int, dtype: Any) -> None:
        super().__init__()
        if step == 0:
            raise ValueError("Dataset.range(): the step must not be 0.")
        self._start, self._step = start, step
        self._size = ENDLESS if stop is None else max(0, -(-(stop - start) // step))
        self._dtype = dtypes.as_dtype(dtype)

    def make_spec(self) -> Any:
        """A scalar."""
        return TensorSpec((), self._dtype)

    def size(self) -> int:
        """How many numbers."""
        return INFINITE if self._size == ENDLESS else self._size

    def indexed(self, scope: Scope) -> Indexed:
        """The numbers."""
        return _Steps(self._start, self._step, self._size, np.dtype(self._dtype.as_numpy_dtype))


class Random(Node):
    """``random``: uniform int64 numbers in [0, 2**32)."""

    def __init__(self, seed: int | None, rerandomize: bool | None) -> None:
        super().__init__()
        self._seed = seed
        self._rerandomize = rerandomize if rerandomize is not None else False

    def make_spec(self) -> Any:
        """A scalar."""
        return TensorSpec((), dtypes.int64)

    def size(self) -> int:
        """No end."""
        return INFINITE

    def stream(self, scope: Scope) -> Cursor:
        """Numbers of one pass."""
        number = scope.number(self) if self._rerandomize or self._seed is None else 0
        seed = mix(self._seed, number) if self._seed is not None else scope.seed(number)
        return _RandomCursor(np.random.default_rng(seed))


class _RandomCursor(Cursor):
    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._chunk = np.empty(0, np.int64)

    def block(self, limit: int) -> Block:
        """The next numbers, drawn in chunks of fixed size, whatever is asked for at a time."""
        if not len(self._chunk):
            self._chunk = self._generator.integers(0, 2**32, RANDOM_CHUNK, dtype=np.int64)
        found, self._chunk = self._chunk[:limit], self._chunk[limit:]
        return Block(0, [found], len(found))


class Generated(Node):
    """``from_generator``: what a Python generator yields."""

    def __init__(self, generator: Callable, args: tuple, signature: Any) -> None:
        super().__init__()
        if not callable(generator):
            raise TypeError(
                explain(
                    "from_generator() calls `generator` anew for each pass.",
                    expected="a function that returns an iterator",
                    received=repr(generator),
                    fix="pass the generator function itself, or `lambda: iter(...)`",
                )
            )
        self._generator, self._args = generator, args
        self._signature = signature
        self._skeleton = trees.map_structure(lambda _: 0, signature)

    def make_spec(self) -> Any:
        """The signature given."""
        return self._signature

    def size(self) -> int:
        """Not known."""
        return UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """A new generator."""
        return _GeneratorCursor(iter(self._generator(*self._args)), self._signature, self._skeleton)


class _GeneratorCursor(Cursor):
    def __init__(self, iterator: Iterator, signature: Any, skeleton: Any) -> None:
        self._iterator = iterator
        self._specs = trees.flatten(signature)
        self._skeleton = skeleton
        self._lock = threading.Lock()
        self._nested = trees.is_nested(signature)

    def block(self, limit: int) -> Block | None:
        """The next element: a generator is never asked for more than is wanted."""
        with self._lock:
            try:
                value = next(self._iterator)
            except StopIteration:
                return None
        return Block.of_element(self._skeleton, self._leaves(value))

    def _leaves(self, value: Any) -> list[Any]:
        if self._nested and isinstance(value, list):
            value = tuple(value)
        parts: list[Any] = []
        try:
            trees.map_up_to(self._skeleton, lambda _, part: parts.append(part), self._skeleton, value)
        except (ValueError, TypeError, KeyError) as error:
            raise TypeError(
                explain(
                    "The generator of from_generator() yielded an element of another structure.",
                    expected=repr(trees.pack(self._skeleton, self._specs)),
                    received=f"{type(value).__name__}: {_brief(value)}",
                )
            ) from error
        where = "The generator of from_generator()"
        return [_fit(part, spec, where) for part, spec in zip(parts, self._specs, strict=True)]

    def close(self) -> None:
        """End the generator, so that its `finally` blocks run."""
        close = getattr(self._iterator, "close", None)
        if close is not None and self._lock.acquire(blocking=False):
            try:
                close()
            finally:
                self._lock.release()


def _fit(part: Any, spec: Any, where: str) -> Any:
    if isinstance(part, tuple) and isinstance(spec, TensorSpec):
        part = list(part)
    _, leaves = to_host(part)
    leaf = leaves[0] if len(leaves) == 1 else part
    if hasattr(leaf, "row_splits") or is_sparse(leaf) or spec is None:
        return _composite(leaf, spec, where)
    return fitted(leaf, spec, where)


def _composite(leaf: Any, spec: Any, where: str) -> Any:
    if spec is not None and not spec.is_compatible_with(leaf):
        raise TypeError(
            explain(f"{where} gave a value of another kind.", expected=repr(spec), received=repr(leaf)[:200])
        )
    return leaf


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]} ..."


def signature_of(output_types: Any, output_shapes: Any, output_signature: Any) -> Any:
    """Signature of ``from_generator`` from either way to give it.

    Raises:
        TypeError: none or both ways were used.
    """
    if output_signature is not None:
        if output_types is not None or output_shapes is not None:
            raise TypeError(
                "from_generator(): give `output_signature`, or `output_types` and `output_shapes`, not both."
            )
        return _tuples(output_signature)
    if output_types is None:
        raise TypeError("from_generator() must be told what is yielded: give `output_signature` (or `output_types`).")
    output_types = _tuples(output_types)
    if output_shapes is None:
        return trees.map_structure(lambda dtype: TensorSpec(None, dtype), output_types)
    return trees.map_up_to(output_types, lambda dtype, shape: TensorSpec(shape, dtype), output_types, output_shapes)


def _tuples(structure: Any) -> Any:
    """Lists of specs read as tuples."""
    if isinstance(structure, list):
        return tuple(_tuples(item) for item in structure)
    if type(structure) is tuple:
        return tuple(_tuples(item) for item in structure)
    if isinstance(structure, dict):
        return {key: _tuples(item) for key, item in structure.items()}
    return structure
