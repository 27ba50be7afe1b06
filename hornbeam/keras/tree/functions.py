"""The functions of ``keras.tree``: walking, mapping and comparing nested structures."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from hornbeam.keras.tree.nodes import is_container, is_mapping, parts, same_kind, with_parts

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]

_DIFFERENT = "The structures are not nested in the same way."


class MAP_TO_NONE:
    """What a function given to ``traverse`` returns to put ``None`` into the result.

    References: Keras ``keras.tree.MAP_TO_NONE``.
    """


def is_nested(structure: Any) -> bool:
    """True for a container, False for a leaf.

    References: Keras ``keras.tree.is_nested``.
    """
    return is_container(structure)


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """Pairs of path (keys and positions) and leaf, in visiting order.

    References: Keras ``keras.tree.flatten_with_path``.
    """
    if not is_container(structure):
        return [((), structure)]
    return [((key, *path), leaf) for key, part in parts(structure) for path, leaf in flatten_with_path(part)]


def flatten(structure: Any) -> list[Any]:
    """The leaves, in visiting order: dict items by sorted key, those of an ``OrderedDict`` in its order.

    References: Keras ``keras.tree.flatten``.
    """
    leaves: list[Any] = []
    _collect(structure, leaves)
    return leaves


def _collect(structure: Any, leaves: list[Any]) -> None:
    if is_container(structure):
        for _, part in parts(structure):
            _collect(part, leaves)
    else:
        leaves.append(structure)


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """Put leaves into the shape of a structure.

    Raises:
        ValueError: the number of leaves differs.

    References: Keras ``keras.tree.pack_sequence_as``.
    """
    leaves = list(flat_sequence)
    expected = len(flatten(structure))
    if len(leaves) != expected:
        raise ValueError(f"The structure has {expected} leaves, but {len(leaves)} were given.")
    queue = iter(leaves)
    return map_structure(lambda _: next(queue), structure)


def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """Apply a function to the leaves of structures that are nested in the same way.

    Args:
        func: takes one leaf of each structure.
        *structures: the structures; the result has the containers of the first.
        none_is_leaf: False leaves ``None`` as it is instead of calling ``func`` on it.

    Raises:
        ValueError: no structure is given, or they are nested differently.

    References: Keras ``keras.tree.map_structure``.
    """
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: {func!r}")
    if not structures:
        raise ValueError("Must provide at least one structure")
    return _mapped(func, structures, none_is_leaf)


def _mapped(func: Callable, structures: tuple[Any, ...], none_is_leaf: bool) -> Any:
    first, others = structures[0], structures[1:]
    if is_container(first):
        if not all(is_container(other) and same_kind(first, other) for other in others):
            raise ValueError(f"{_DIFFERENT} Received: {structures}")
        return with_parts(first, [_mapped(func, column, none_is_leaf) for column in _columns(first, others)])
    if any(is_container(other) for other in others):
        raise ValueError(f"{_DIFFERENT} Received: {structures}")
    if first is None and not none_is_leaf:
        if any(other is not None for other in others):
            raise ValueError(f"{_DIFFERENT} Expected None in all of them. Received: {structures}")
        return None
    return func(*structures)


def _columns(first: Any, others: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    if is_mapping(first):
        return [(part, *(other[key] for other in others)) for key, part in parts(first)]
    return list(zip(first, *others, strict=True))


def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """Like ``map_structure``, but goes only as deep as ``shallow_structure`` does.

    Raises:
        ValueError: a structure is nested differently down to that depth.

    References: Keras ``keras.tree.map_structure_up_to``.
    """
    if not structures:
        raise ValueError("Must provide at least one structure")
    if not is_container(shallow_structure):
        return func(*structures)
    if not all(is_container(other) and same_kind(shallow_structure, other) for other in structures):
        raise ValueError(f"{_DIFFERENT} Received: {structures}, expected the structure of {shallow_structure}")
    columns = _columns(shallow_structure, structures)
    return with_parts(shallow_structure, [map_structure_up_to(head, func, *rest) for head, *rest in columns])


def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """Call a function on every part of a structure, containers included, and put its results in their places.

    Args:
        func: gives ``None`` to keep a part (and, from the top, to go into it), ``MAP_TO_NONE`` to replace it by
            ``None``, anything else to replace it by that.
        structure: the structure.
        top_down: containers before their items, else after them.

    References: Keras ``keras.tree.traverse``.
    """

    def items_done() -> Any:
        if not is_container(structure):
            return structure
        return with_parts(structure, [traverse(func, part, top_down) for _, part in parts(structure)])

    if top_down:
        found = func(structure)
        if found is None:
            return items_done()
    else:
        done = items_done()
        found = func(done)
        if found is None:
            return done
    return None if found is MAP_TO_NONE else found


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raise unless two structures nest alike, with containers of one kind.

    Args:
        a: a structure.
        b: another one.
        check_types: has no effect and warns, as in Keras; ``assert_same_paths`` is the looser check.

    Raises:
        ValueError: they differ.

    References: Keras ``keras.tree.assert_same_structure``.
    """
    if check_types is not None:
        warnings.warn(
            "`check_types` changes nothing; leave it out. The looser check is `keras.tree.assert_same_paths()`.",
            DeprecationWarning,
            stacklevel=2,
        )
    if is_container(a) != is_container(b) or (is_container(a) and not same_kind(a, b)):
        raise ValueError(f"{_DIFFERENT} Received: {a!r} beside {b!r}")
    if is_container(a):
        for left, right in _columns(a, (b,)):
            assert_same_structure(left, right)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise unless two structures have leaves at the same paths; sequences of all kinds count as alike.

    Raises:
        ValueError: they differ.

    References: Keras ``keras.tree.assert_same_paths``.
    """
    left = {path for path, _ in flatten_with_path(a)}
    right = {path for path, _ in flatten_with_path(b)}
    if left != right:
        lines = ["`a` and `b` differ in the paths of their leaves."]
        if left - right:
            lines.append(f"Paths in `a` missing in `b`:\n{left - right}")
        if right - left:
            lines.append(f"Paths in `b` missing in `a`:\n{right - left}")
        raise ValueError("\n".join(lines))


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of lists.

    References: Keras ``keras.tree.lists_to_tuples``.
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable, structure: Any) -> Any:
    """Apply a function to every shape: a list or tuple of nothing but ints and ``None`` is one.

    References: Keras ``keras.tree.map_shape_structure``.
    """
    is_shape = isinstance(structure, (list, tuple)) and all(isinstance(size, int | None) for size in structure)
    if is_shape or not is_container(structure):
        return func(structure)
    return with_parts(structure, [map_shape_structure(func, part) for _, part in parts(structure)])
