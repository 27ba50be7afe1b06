"""Nested structures: lists, tuples, named tuples and dicts, walked in the order TensorFlow and Keras use.

Dict keys are visited sorted, so that ``{"b": 1, "a": 2}`` flattens to ``[2, 1]``. Everything that is
not one of these containers is a leaf, ``None`` included: a tree of structure, not of values.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def is_nested(structure: Any) -> bool:
    """True for a container (also an empty one)."""
    return isinstance(structure, (list, tuple, Mapping))


def is_namedtuple(structure: Any) -> bool:
    """True for an instance of a named tuple class."""
    return isinstance(structure, tuple) and hasattr(structure, "_fields")


def sorted_keys(mapping: Mapping) -> list:
    """Keys in visiting order: sorted; keys that do not compare are sorted by type and text."""
    try:
        return sorted(mapping)
    except TypeError:
        return sorted(mapping, key=lambda key: (type(key).__name__, str(key)))


def _is_plain_leaf(structure: Any) -> bool:
    # A shape is one thing, although it is a tuple.
    return hasattr(structure, "is_fully_defined")


def flatten(structure: Any) -> list:
    """Leaves, in order."""
    leaves: list = []
    _flatten(structure, leaves)
    return leaves


def _flatten(structure: Any, leaves: list) -> None:
    if isinstance(structure, (list, tuple)) and not _is_plain_leaf(structure):
        for item in structure:
            _flatten(item, leaves)
    elif isinstance(structure, Mapping):
        for key in sorted_keys(structure):
            _flatten(structure[key], leaves)
    else:
        leaves.append(structure)


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """Pairs of path (keys and positions) and leaf, in order."""
    pairs: list[tuple[tuple, Any]] = []
    _flatten_with_path(structure, (), pairs)
    return pairs


def _flatten_with_path(part: Any, path: tuple, pairs: list[tuple[tuple, Any]]) -> None:
    if isinstance(part, (list, tuple)) and not _is_plain_leaf(part):
        keys: Iterable = part._fields if is_namedtuple(part) else range(len(part))  # type: ignore[union-attr]
        for key, item in zip(keys, part, strict=True):
            _flatten_with_path(item, (*path, key), pairs)
    elif isinstance(part, Mapping):
        for key in sorted_keys(part):
            _flatten_with_path(part[key], (*path, key), pairs)
    else:
        pairs.append((path, part))


def rebuild(like: Any, items: Iterable) -> Any:
    """A container of ``like``'s type from its direct items, given in visiting order."""
    items = list(items)
    if is_namedtuple(like):
        return type(like)(*items)
    if isinstance(like, tuple):
        return tuple(items) if type(like) is tuple else type(like)(items)
    if isinstance(like, Mapping):
        by_key = dict(zip(sorted_keys(like), items, strict=True))
        ordered = [(key, by_key[key]) for key in like]
        if isinstance(like, defaultdict):
            return defaultdict(like.default_factory, ordered)
        return (OrderedDict if isinstance(like, OrderedDict) else dict)(ordered)
    return items if type(like) is list else list(items)


def pack(structure: Any, leaves: Iterable) -> Any:
    """Put leaves into the shape of ``structure``.

    Raises:
        ValueError: the number of leaves differs.
    """
    queue = list(leaves)
    expected = len(flatten(structure))
    if len(queue) != expected:
        raise ValueError(f"The structure has {expected} leaves, but {len(queue)} were given.")
    return _pack(structure, iter(queue))


# A function that calls itself out of its own closure would keep the leaves alive until garbage is collected.
def _pack(part: Any, leaves: Iterator) -> Any:
    if isinstance(part, (list, tuple)) and not _is_plain_leaf(part):
        return rebuild(part, [_pack(item, leaves) for item in part])
    if isinstance(part, Mapping):
        return rebuild(part, [_pack(part[key], leaves) for key in sorted_keys(part)])
    return next(leaves)


def map_structure(function: Callable, *structures: Any) -> Any:
    """Apply ``function`` to the leaves of equal structures, keeping the containers of the first."""
    first = structures[0]
    if isinstance(first, (list, tuple)) and not _is_plain_leaf(first):
        for other in structures[1:]:
            if not isinstance(other, (list, tuple)) or len(other) != len(first):
                raise ValueError(f"Structures differ: {first!r} beside {other!r}.")
        return rebuild(first, [map_structure(function, *parts) for parts in zip(*structures, strict=True)])
    if isinstance(first, Mapping):
        for other in structures[1:]:
            if not isinstance(other, Mapping) or set(other) != set(first):
                raise ValueError(f"Structures differ: {first!r} beside {other!r}.")
        return rebuild(first, [map_structure(function, *(s[key] for s in structures)) for key in sorted_keys(first)])
    return function(*structures)


def map_up_to(shallow: Any, function: Callable, *structures: Any) -> Any:
    """Like ``map_structure``, but descends only as deep as ``shallow`` does."""
    if isinstance(shallow, (list, tuple)) and not _is_plain_leaf(shallow):
        for other in structures:
            if not isinstance(other, (list, tuple)) or len(other) != len(shallow):
                raise ValueError(f"Structures differ: {shallow!r} beside {other!r}.")
        columns = zip(shallow, *structures, strict=True)
        return rebuild(shallow, [map_up_to(head, function, *rest) for head, *rest in columns])
    if isinstance(shallow, Mapping):
        return rebuild(
            shallow,
            [map_up_to(shallow[key], function, *(s[key] for s in structures)) for key in sorted_keys(shallow)],
        )
    return function(*structures)


def same_structure(a: Any, b: Any) -> bool:
    """True if both nest in the same way (lists and tuples count as alike)."""
    if isinstance(a, (list, tuple)) and not _is_plain_leaf(a):
        return (
            isinstance(b, (list, tuple))
            and not _is_plain_leaf(b)
            and len(a) == len(b)
            and all(same_structure(x, y) for x, y in zip(a, b, strict=True))
        )
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and set(a) == set(b) and all(same_structure(a[key], b[key]) for key in a)
    return not (isinstance(b, (list, tuple, Mapping)) and not _is_plain_leaf(b))
