"""Which Python objects are containers, what they hold, and how one is put together again.

Containers are exactly ``list``, ``tuple``, ``deque``, named tuples, ``dict``, ``defaultdict`` (visited in the order of
their sorted keys) and ``OrderedDict`` (visited in its own order). Anything else is a leaf, ``None`` too.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable
from typing import Any

from hornbeam.base import trees

__all__ = ["is_container", "is_mapping", "parts", "same_kind", "with_parts"]

_SEQUENCES = (list, tuple, deque)
_MAPPINGS = (dict, defaultdict, OrderedDict)


def is_mapping(structure: Any) -> bool:
    """True for dicts of the three known kinds."""
    return type(structure) in _MAPPINGS


def is_container(structure: Any) -> bool:
    """True for a container, an empty one too."""
    return type(structure) in _SEQUENCES or is_mapping(structure) or trees.is_namedtuple(structure)


def parts(structure: Any) -> list[tuple[Any, Any]]:
    """Keys (or positions) and direct items of a container, in visiting order."""
    if type(structure) is OrderedDict:
        return list(structure.items())
    if is_mapping(structure):
        return [(key, structure[key]) for key in trees.sorted_keys(structure)]
    return list(enumerate(structure))


def with_parts(like: Any, items: Iterable[Any]) -> Any:
    """A container like another one, from new direct items in visiting order."""
    items = list(items)
    if trees.is_namedtuple(like):
        return type(like)(*items)
    if type(like) is deque:
        return deque(items, maxlen=like.maxlen)
    if not is_mapping(like):
        return type(like)(items)
    by_key = dict(zip((key for key, _ in parts(like)), items, strict=True))
    ordered = [(key, by_key[key]) for key in like]
    return defaultdict(like.default_factory, ordered) if type(like) is defaultdict else type(like)(ordered)


def same_kind(a: Any, b: Any) -> bool:
    """True if two containers have equal keys and are of one kind (all dicts count as one)."""
    if is_mapping(a):
        return is_mapping(b) and set(a) == set(b)
    return type(a) is type(b) and len(a) == len(b)
