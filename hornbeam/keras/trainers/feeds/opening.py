"""Which feed serves which kind of data."""

from __future__ import annotations

from functools import partial
from typing import Any

from hornbeam.base import registry, trees
from hornbeam.base.errors import DataError, explain
from hornbeam.keras.trainers.class_weights import check_class_weight, with_class_weight
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.convert import convert
from hornbeam.keras.trainers.feeds.iterables import IterableFeed, is_iterable_source


def open_feed(
    data: tuple[Any, Any, Any],
    method: str,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: Any = False,
    class_weight: Any = None,
) -> ArrayFeed | IterableFeed:
    """The feed for data in any form.

    Args:
        data: x, y and sample weights as they were given.
        method: what they were given to, for messages.
        batch_size: samples in a batch.
        steps: batches wanted from a pass.
        shuffle: a new order each epoch.
        class_weight: weight by class, or None.

    Raises:
        DataError: the data do not fit together, or are none.
    """
    x, y, sample_weight = data
    # What gives parts of batches to several devices has the whole ones, too: steps share them out by themselves.
    x = getattr(x, "_whole_batches", x)
    if x is None or (trees.is_nested(x) and all(leaf is None for leaf in trees.flatten(x))):
        raise DataError(
            explain(
                f"{method}() got no data: argument `x` is {'None' if x is None else 'empty'}.",
                expected="arrays, a nesting of arrays, or a source of batches",
            )
        )
    if is_iterable_source(x):
        _refuse_beside_source(x, y, "y", "targets")
        _refuse_beside_source(x, sample_weight, "sample_weight", "sample weights")
        transform = None
        if class_weight:
            transform = partial(_add_class_weight, check_class_weight(class_weight))
        if hasattr(x, "element_spec") and hasattr(x, "as_numpy_iterator"):
            return registry.find("feeds", "dataset")(x, method, transform)
        return IterableFeed(x, shuffle=shuffle, transform=transform)
    if class_weight:
        sample_weight = with_class_weight(convert(y, "y"), convert(sample_weight, "sample_weight"), class_weight)
    return ArrayFeed(x, y, sample_weight, batch_size=batch_size, steps=steps, shuffle=shuffle)


def _add_class_weight(class_weight: dict[int, float], y: Any, sample_weight: Any) -> Any:
    return with_class_weight(y, sample_weight, class_weight)


def _refuse_beside_source(x: Any, given: Any, argument: str, what: str) -> None:
    if given is not None:
        raise DataError(
            explain(
                f"Argument `{argument}` cannot be given when `x` is a source of batches ({type(x).__name__}).",
                expected=f"a source that yields the {what} too: (x, y) or (x, y, sample_weight)",
                received=f"`{argument}` of type {type(given).__name__}",
                fix=f"leave out `{argument}`",
            )
        )
