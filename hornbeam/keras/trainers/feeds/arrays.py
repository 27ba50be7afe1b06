"""Arrays as training data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import DataError, explain
from hornbeam.keras.trainers.feeds.convert import convert
from hornbeam.keras.utils.data_tuples import pack_x_y_sample_weight

_NAMES = ("x", "y", "sample_weight")


class ArrayFeed:
    """Samples along the first axis of arrays; any order, any number of times.

    Args:
        x: inputs: data of any form, see ``convert``.
        y: targets, or None.
        sample_weight: weights, or None.
        batch_size: samples in a batch; by default 32, or what makes ``steps`` batches.
        steps: batches that are wanted from one pass.
        shuffle: a new order for each epoch; ``"batch"`` only within each batch. Orders are drawn from NumPy's global
            generator, one draw (for ``"batch"`` one a batch) per epoch, as Keras does.

    Raises:
        DataError: lengths differ, or there are no samples.
    """

    one_shot = False

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int | None = None,
        steps: int | None = None,
        shuffle: Any = False,
    ) -> None:
        parts = [convert(part, name) for part, name in zip((x, y, sample_weight), _NAMES, strict=True)]
        self.parts = (parts[0], parts[1], _weights_by_output(parts[1], parts[2]))
        self.arrays = pack_x_y_sample_weight(*self.parts)
        self.leaves = [leaf for leaf in trees.flatten(self.arrays) if leaf is not None]
        self.size = self._common_size()
        self.batch_size = _batch_size(batch_size, steps, self.size)
        self.shuffle = _shuffling(shuffle)
        self.full_batches, self.remainder = divmod(self.size, self.batch_size)
        self.resident: Any = None

    def _common_size(self) -> int:
        sizes = {len(leaf) for leaf in self.leaves}
        if len(sizes) > 1:
            raise DataError(_cardinality(self.parts))
        if not sizes or sizes == {0}:
            raise DataError("The data hold no samples: `x` is empty. Give at least one row.")
        return sizes.pop()

    @property
    def num_batches(self) -> int:
        """Batches in one pass, a short last one included."""
        return self.full_batches + bool(self.remainder)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(leaf.nbytes for leaf in self.leaves)

    def order(self) -> np.ndarray | None:
        """Row numbers for one pass; None for the order in which they lie."""
        if not self.shuffle:
            return None
        if self.shuffle == "batch":
            starts = range(0, self.size, self.batch_size)
            counts = [min(self.batch_size, self.size - start) for start in starts]
            pieces = [np.random.permutation(count) + start for start, count in zip(starts, counts, strict=True)]
            return np.concatenate(pieces).astype(np.int32)
        return np.random.permutation(self.size).astype(np.int32)

    def draw_order(self) -> None:
        """Draw an order and drop it."""
        self.order()

    # --- resuming --------------------------------------------------------------------------------
    def mark(self) -> Any:
        """What the order that is drawn next depends on, as plain data."""
        return np.random.get_state(legacy=True) if self.shuffle else None

    def redraw(self, mark: Any) -> np.ndarray | None:
        """The order that was drawn after ``mark``."""
        if mark is not None:
            np.random.set_state(mark)
        return self.order()

    def get_state(self) -> dict[str, Any]:
        """Nothing: NumPy's generator is kept elsewhere."""
        return {}

    def set_state(self, state: dict[str, Any], in_pass: bool) -> None:
        """Nothing to take up."""

    def batch(self, number: int, order: np.ndarray | None = None) -> Any:
        """A batch of a pass in a given order, in the form that steps receive."""
        start = number * self.batch_size
        rows: Any = slice(start, start + self.batch_size)
        if order is not None:
            rows = order[rows]
        return trees.map_structure(lambda leaf: None if leaf is None else leaf[rows], self.arrays)

    def first(self) -> Any:
        """The first rows as a batch, for its shapes."""
        return self.batch(0)

    def epoch_begins(self) -> None:
        """Nothing to tell."""

    def epoch_ends(self) -> None:
        """Nothing to tell."""


def _batch_size(batch_size: Any, steps: int | None, size: int) -> int:
    if batch_size is None:
        return math.ceil(size / steps) if steps else 32
    if isinstance(batch_size, bool) or not hasattr(batch_size, "__index__"):
        whole = isinstance(batch_size, float) and batch_size.is_integer()
        if not whole:
            raise ValueError(f"`batch_size` must be an int of at least 1. Received: batch_size={batch_size!r}")
    if int(batch_size) < 1:
        raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size!r}")
    return int(batch_size)


def _shuffling(shuffle: Any) -> Any:
    if isinstance(shuffle, str) and shuffle != "batch":
        raise ValueError(f"`shuffle` must be True, False or 'batch'. Received: shuffle={shuffle!r}")
    return shuffle if shuffle == "batch" else bool(shuffle)


def _weights_by_output(y: Any, weights: Any) -> Any:
    """One weight array for several outputs counts for each of them, if it holds a number per sample."""
    if weights is None or not trees.is_nested(y):
        return weights
    if trees.is_nested(weights):
        same = trees.same_structure(y, weights)
        if not same and not isinstance(weights, dict):
            raise DataError(
                explain(
                    "Give one `sample_weight` array per output in `y`.",
                    expected=f"the structure of `y`: {_sketch(y)}",
                    received=_sketch(weights),
                )
            )
        return weights
    if weights.ndim > 1 and weights.shape[1:] != (1,):
        raise DataError(
            explain(
                "For a model with multiple outputs, a single `sample_weight` array must hold one number per sample.",
                expected="shape (samples,)",
                received=f"shape {tuple(weights.shape)}",
                fix="pass a list (or dict) of weights, one per output",
            )
        )
    return trees.map_structure(lambda leaf: None if leaf is None else weights, y)


def _sketch(structure: Any) -> str:
    return repr(trees.map_structure(lambda leaf: None if leaf is None else tuple(leaf.shape), structure))


def _cardinality(parts: tuple[Any, Any, Any]) -> str:
    lines = ["Data cardinality is ambiguous: the arrays differ in their number of samples, which has to be one."]
    for name, part in zip(_NAMES, parts, strict=True):
        for path, leaf in trees.flatten_with_path(part):
            if leaf is not None:
                where = name + "".join(f"[{key!r}]" for key in path)
                lines.append(f"  {where}: {len(leaf)} samples, shape {tuple(leaf.shape)}")
    return "\n".join(lines)


def split_validation(parts: tuple[Any, Any, Any], fraction: float) -> tuple[Any, Any]:
    """Split all arrays: the last share is for validation, before any shuffling.

    Args:
        parts: x, y and sample weights, converted.
        fraction: share between 0 and 1.

    Raises:
        ValueError: one of the two sets would be empty.
    """
    leaves = [leaf for leaf in trees.flatten(parts) if leaf is not None]
    if len({len(leaf) for leaf in leaves}) > 1:
        raise DataError(_cardinality(parts))
    size = len(leaves[0]) if leaves else 0
    cut = math.floor(size * (1.0 - fraction))
    if cut == 0 or cut == size:
        raise DataError(
            f"`validation_split={fraction}` of {size} samples leaves one of the two parts empty.\n"
            "  fix:      give more samples, another share, or `validation_data`"
        )
    head = trees.map_structure(lambda leaf: None if leaf is None else leaf[:cut], parts)
    tail = trees.map_structure(lambda leaf: None if leaf is None else leaf[cut:], parts)
    return head, tail
