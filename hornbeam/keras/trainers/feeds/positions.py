"""Places in sources of batches: those that can tell theirs, and those that can only be counted."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

from hornbeam.base.plain_state import is_plain

# Names under which libraries offer it: our own and Grain's iterators, PyTorch's loaders.
_PAIRS = (("get_state", "set_state"), ("state_dict", "load_state_dict"))

_read: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
"""Batches read so far from sources that can be read once only."""


def position_of(item: Any) -> Any:
    """The place that an iterator or source tells of itself, as plain data; None if it tells none."""
    for tell, take in _PAIRS:
        if callable(getattr(item, tell, None)) and callable(getattr(item, take, None)):
            found = getattr(item, tell)()
            return found if is_plain(found) else None
    return None


def go_to(item: Any, position: Any) -> bool:
    """Let an iterator or source go on from a place; False if it cannot."""
    for tell, take in _PAIRS:
        if callable(getattr(item, tell, None)) and callable(getattr(item, take, None)):
            getattr(item, take)(position)
            return True
    return False


def read_from(source: Any) -> int:
    """How many batches were read so far from a source that can be read once only."""
    try:
        return _read.get(source, 0)
    except TypeError:  # it takes no weak references
        return 0


def noted(source: Any) -> Iterator[Any]:
    """Batches of a source; how many there were is remembered."""
    for batch in source:
        try:
            _read[source] = _read.get(source, 0) + 1
        except TypeError:
            yield batch
            continue
        yield batch
