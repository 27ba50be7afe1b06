"""``tf.nest``: nested lists, tuples and dicts, walked in the order of sorted keys.

There are no composite tensors here, so ``expand_composites`` finds nothing to expand, whatever it says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import explain

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]


def is_nested(structure: Any) -> bool:
    """True for lists, tuples and dicts (also empty ones)."""
    return trees.is_nested(structure) and not hasattr(structure, "is_fully_defined")


def flatten(structure: Any, expand_composites: bool = False) -> list:
    """Leaves of a nesting, in order; a leaf gives a list of itself."""
    return trees.flatten(structure)


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """Put leaves into the shape of ``structure``.

    Raises:
        ValueError: their number differs.
        TypeError: the leaves are no sequence.
    """
    if not isinstance(flat_sequence, (list, tuple)):
        raise TypeError(
            f"pack_sequence_as: `flat_sequence` is a list or tuple, received a {type(flat_sequence).__name__}."
        )
    return trees.pack(structure, flat_sequence)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Raise unless two nestings are of one structure.

    Raises:
        ValueError: they nest differently.
        TypeError: containers differ in type, and ``check_types`` is True.
    """
    if not trees.same_structure(nest1, nest2):
        raise ValueError(
            explain(
                "assert_same_structure(): the arguments nest differently.",
                expected=f"`nest2` of the structure of `nest1`, which is {nest1!r}",
                received=repr(nest2),
            )
        )
    if check_types:
        _check_types(nest1, nest2)


def _check_types(first: Any, second: Any) -> None:
    if not is_nested(first):
        return
    if isinstance(first, dict) != isinstance(second, dict) or (
        not isinstance(first, dict) and type(first) is not type(second)
    ):
        raise TypeError(f"The structures' containers differ: {type(first).__name__} and {type(second).__name__}.")
    pairs = ((first[k], second[k]) for k in first) if isinstance(first, dict) else zip(first, second, strict=True)
    for one, other in pairs:
        _check_types(one, other)


def map_structure(func: Callable, *structure: Any, **kwargs: Any) -> Any:
    """Apply a function to the leaves of nestings of one structure.

    Args:
        func: takes one leaf of each nesting.
        *structure: nestings.
        **kwargs: ``check_types`` (default True: containers must be of one type) and ``expand_composites``.
    """
    check_types = kwargs.pop("check_types", True)
    kwargs.pop("expand_composites", None)  # nothing is composite
    if kwargs:
        raise ValueError(
            f"map_structure: takes the keywords `check_types` and `expand_composites`. Received also: {sorted(kwargs)}"
        )
    if not callable(func):
        raise TypeError(f"map_structure: `func` is a function of one leaf per structure. Received: {func!r}")
    if not structure:
        raise ValueError("map_structure: no structure is given. Pass one or more after `func`.")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types)
    return trees.map_structure(func, *structure)
