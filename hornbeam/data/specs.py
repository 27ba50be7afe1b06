"""What a function makes of the spec of elements.

A function that runs compiled says so itself: traced with two sizes for each unknown axis, what differs is unknown. One
that runs as Python (texts, files, ``py_function``) is tried on a few elements, and again with more rows and larger
pictures: sizes that stay the same are taken as known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, trees
from hornbeam.core.spec import TensorSpec
from hornbeam.data.functions import ElementFunction
from hornbeam.data.plan import Node, Run, Scope
from hornbeam.data.structure import DatasetSpec, spec_of
from hornbeam.ops.host.images import larger_pictures
from hornbeam.ragged.joining import concatenated
from hornbeam.ragged.spec import RaggedTensorSpec
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.spec import SparseTensorSpec

_SIZES = (3, 5)
"""Sizes tried for unknown axes; axes of the result that differ between both are unknown."""
_ELEMENTS = 3
"""Elements tried where a function runs as Python."""


def mapped_spec(function: ElementFunction, node: Node) -> tuple[Any, bool]:
    """Spec of a function's results for the elements of a node, and whether it is guessed from some of them."""
    spec = node.spec
    leaves = trees.flatten(spec)
    skeleton = trees.map_structure(lambda _: 0, spec)
    known = [isinstance(leaf, TensorSpec) and leaf.dtype != "string" and leaf.shape.rank is not None for leaf in leaves]
    if not all(known):
        return _tried_spec(function, node), True
    found = []
    for size in _SIZES if any(None in tuple(leaf.shape) for leaf in leaves) else _SIZES[:1]:
        structs = [
            jax.ShapeDtypeStruct(tuple(size if d is None else d for d in leaf.shape), leaf.dtype.as_numpy_dtype)
            for leaf in leaves
        ]
        program = function.captured(skeleton, structs)
        if program is None:
            return _tried_spec(function, node), True
        found.append(program)
    specs = [[_spec_of_struct(leaf) for leaf in program.spec_leaves()] for program in found]
    return trees.pack(found[0].skeleton, [_merged(parts) for parts in zip(*specs, strict=True)]), False


def is_sure(node: Node) -> bool:
    """False if a node's spec is guessed from some elements: then nothing that must be right may follow from it."""
    # Whether it is guessed is known once it has been worked out.
    return node.spec is not None and not node.guessed and all(is_sure(child) for child in node.children)


def _spec_of_struct(leaf: Any) -> Any:
    if isinstance(leaf, jax.ShapeDtypeStruct):
        return TensorSpec(leaf.shape, dtypes.from_numpy(leaf.dtype))
    return spec_of(leaf)


def merged_spec(specs: list[Any]) -> Any:
    """A spec of elements that fits several of one structure."""
    skeleton = trees.map_structure(lambda _: 0, specs[0])
    return trees.pack(skeleton, [_merged(parts) for parts in zip(*map(trees.flatten, specs), strict=True)])


def longer_elements(spec: Any, leaves: list[Any]) -> list[list[Any]]:
    """The element with one more along each unknown axis; nothing if there are no such axes.

    Args:
        spec: spec of the elements.
        leaves: an element's values.
    """
    longer = [_longer(one, leaf) for one, leaf in zip(trees.flatten(spec), leaves, strict=True)]
    return [longer] if any(new is not old for new, old in zip(longer, leaves, strict=True)) else []


def _longer(spec: Any, leaf: Any) -> Any:
    if not isinstance(spec, TensorSpec) or spec.shape.rank is None or not isinstance(leaf, np.ndarray):
        return leaf
    for axis, size in enumerate(spec.shape):
        if size is None and leaf.shape[axis]:
            leaf = np.concatenate([leaf, leaf.take([0], axis)], axis)
        elif size is None:
            filler = b"" if leaf.dtype.kind == "O" else 0
            leaf = np.full((*leaf.shape[:axis], 1, *leaf.shape[axis + 1 :]), filler, leaf.dtype)
    return leaf


def _merged(parts: Any) -> Any:
    """A spec that fits several ones."""
    first = parts[0]
    if isinstance(first, DatasetSpec) and all(isinstance(part, DatasetSpec) for part in parts):
        return DatasetSpec(merged_spec([part.element_spec for part in parts]))
    if isinstance(first, SparseTensorSpec) and all(isinstance(part, SparseTensorSpec) for part in parts):
        shapes = [part.shape for part in parts]
        if None in (ranks := {shape.rank for shape in shapes}) or len(ranks) > 1:
            return SparseTensorSpec(None, first.dtype)
        sizes = [size if all(shape[axis] == size for shape in shapes) else None for axis, size in enumerate(shapes[0])]
        return SparseTensorSpec(sizes, first.dtype)
    if not isinstance(first, (TensorSpec, RaggedTensorSpec)):
        return first
    ragged = isinstance(first, RaggedTensorSpec)
    ranks = {part.shape.rank if isinstance(part, type(first)) else None for part in parts}
    if None in ranks or len(ranks) > 1:
        return first if ragged else TensorSpec(None, first.dtype)
    sizes = [None if any(part.shape[axis] != size for part in parts) else size for axis, size in enumerate(first.shape)]
    if ragged:
        return RaggedTensorSpec(sizes, first.dtype, first.ragged_rank, first.row_splits_dtype)
    return type(first)(sizes, first.dtype)


def _tried_spec(function: ElementFunction, node: Node) -> Any:
    """Spec of a function that runs as Python."""
    skeleton, specs = None, []
    for given, leaves in _elements(node):
        made, results = function.element(given, leaves, 0)
        if not specs:
            skeleton = made
            specs += [[spec_of(leaf) for leaf in found] for found in _varied(function, node, given, leaves)]
        specs.append([spec_of(leaf) for leaf in results])
    if skeleton is None:
        return node.spec
    if len(specs) == 1:
        return trees.pack(skeleton, [_loose(spec) for spec in specs[0]])
    return trees.pack(skeleton, [_merged(parts) for parts in zip(*specs, strict=True)])


def _loose(spec: Any) -> Any:
    """A spec without sizes: one element says nothing of others."""
    if isinstance(spec, SparseTensorSpec):
        return SparseTensorSpec([None for _ in spec.shape], spec.dtype)
    return TensorSpec([None] * len(spec.shape), spec.dtype) if isinstance(spec, TensorSpec) else spec


def _elements(node: Node) -> Iterator[tuple[Any, list[Any]]]:
    cursor = node.open(Scope(Run()))
    try:
        for _ in range(_ELEMENTS):
            block = cursor.block(1)
            if block is None:
                return
            yield block.skeleton, block.leaves(0)
    finally:
        cursor.close()


def _varied(function: ElementFunction, node: Node, skeleton: Any, leaves: list[Any]) -> Iterator[list[Any]]:
    """Results for one element with a row more where the number of rows is unknown, and with larger pictures."""
    free = [
        isinstance(spec, TensorSpec) and spec.shape.rank not in (None, 0) and spec.shape[0] is None
        for spec in trees.flatten(node.spec)
    ]
    sizes = {len(leaf) for leaf, is_free in zip(leaves, free, strict=True) if is_free}
    if len(sizes) == 1 and sizes != {0}:
        longer = [_one_more(leaf) if is_free else leaf for leaf, is_free in zip(leaves, free, strict=True)]
        yield from _attempt(function, skeleton, longer)
    with larger_pictures() as used:
        found = list(_attempt(function, skeleton, leaves))
    if used():
        yield from found


def _one_more(rows: Any) -> Any:
    return concatenated([rows, rows[:1]], 0) if isinstance(rows, RaggedTensor) else np.concatenate([rows, rows[:1]])


def _attempt(function: ElementFunction, skeleton: Any, leaves: list[Any]) -> Iterator[list[Any]]:
    try:
        yield function.element(skeleton, leaves, 0)[1]
    except Exception:
        # Made-up elements need not be good ones: what cannot be tried tells nothing.
        return
