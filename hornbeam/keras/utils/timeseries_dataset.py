"""``timeseries_dataset_from_array``: windows of a time series as batches."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.core.spec import TensorSpec
from hornbeam.data import AUTOTUNE, Dataset
from hornbeam.data.blocks import Block
from hornbeam.data.plan import Indexed, IndexedNode, Scope
from hornbeam.data.structure import host_leaf
from hornbeam.keras.utils.dataset_utils import check_format

__all__ = ["timeseries_dataset_from_array"]

_WITHOUT_BATCHES_BUFFER = 1024


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Windows of a time series, each with a target.

    Window i begins at moment ``i * sequence_stride`` and takes every ``sampling_rate``-th moment; its target is
    ``targets`` at the moment where it begins.

    Args:
        data: series, time on the first axis.
        targets: what goes with each window; None for windows alone.
        sequence_length: moments in a window.
        sequence_stride: moments between the beginnings of two windows.
        sampling_rate: moments between two entries of a window.
        batch_size: windows in a batch; None for single ones.
        shuffle: in another order for each pass.
        seed: seed of the order.
        start_index: moments before this are not used.
        end_index: this moment and later ones are not used.
        format: only ``"tf"``.

    Returns:
        `tf.data.Dataset` of windows (batch, sequence_length, ...), or of pairs with their targets.

    Raises:
        ValueError: an index, rate or stride that does not fit the data.

    Example:
        >>> windows = timeseries_dataset_from_array(np.arange(10), None, sequence_length=4, sequence_stride=3)
        >>> next(iter(windows)).numpy()
        array([[0, 1, 2, 3],
               [3, 4, 5, 6],
               [6, 7, 8, 9]])

    References: Keras ``utils.timeseries_dataset_from_array``.
    """
    check_format(format)
    _check_range(len(data), start_index, end_index)
    for name, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if not 0 < value < len(data):
            raise ValueError(f"`{name}` is at least 1 and below the length of the data, {len(data)}. Received: {value}")
    start = start_index or 0
    stop = len(data) if end_index is None else end_index
    count = stop - start - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets))
    positions = np.arange(0, count, sequence_stride, dtype="int64")
    if shuffle:
        seed = int(np.random.randint(1_000_000)) if seed is None else seed
        np.random.RandomState(seed).shuffle(positions)
    steps = np.arange(sequence_length) * sampling_rate
    dataset = Dataset(_WindowNode(_rows(data, start, stop), _rows(targets, start, stop), positions, steps))
    if shuffle:
        dataset = dataset.shuffle(batch_size * 8 if batch_size else _WITHOUT_BATCHES_BUFFER, seed=seed)
    return (dataset if batch_size is None else dataset.batch(batch_size)).prefetch(AUTOTUNE)


def _check_range(length: int, start: int | None, end: int | None) -> None:
    if start and not 0 <= start < length:
        raise ValueError(f"`start_index` is at least 0 and below the length of the data, {length}. Received: {start}")
    if end and not (start or 0) < end < length:
        raise ValueError(
            f"`end_index` is above `start_index` ({start or 0}) and below the length of the data, {length}. "
            f"Received: {end}"
        )


def _rows(values: Any, start: int, stop: int) -> np.ndarray | None:
    return None if values is None else np.asarray(host_leaf(values))[start:stop]


class _WindowNode(IndexedNode):
    """Windows, or pairs of windows and targets: a gather for each batch."""

    def __init__(
        self, data: np.ndarray | None, targets: np.ndarray | None, positions: np.ndarray, steps: np.ndarray
    ) -> None:
        super().__init__()
        self._rows = _Windows(data, targets, positions, steps)

    def make_spec(self) -> Any:
        """Spec of a window, or of window and target."""
        specs = [TensorSpec(struct.shape, struct.dtype.name) for struct in self._rows.structs()]
        return specs[0] if len(specs) == 1 else tuple(specs)

    def size(self) -> int:
        """Number of windows."""
        return self._rows.size

    def indexed(self, scope: Scope) -> Indexed:
        """Windows by number."""
        return self._rows


class _Windows(Indexed):
    def __init__(self, data: Any, targets: Any, positions: np.ndarray, steps: np.ndarray) -> None:
        self._data, self._targets, self._positions, self._steps = data, targets, positions, steps
        self.size = len(positions)

    @property
    def skeleton(self) -> Any:
        """A window, or a pair."""
        return 0 if self._targets is None else (0, 0)

    def structs(self) -> list[Any]:
        """Shapes and dtypes."""
        found = [jax.ShapeDtypeStruct((len(self._steps), *self._data.shape[1:]), self._data.dtype)]
        if self._targets is not None:
            found.append(jax.ShapeDtypeStruct(self._targets.shape[1:], self._targets.dtype))
        return found

    def rows(self, places: np.ndarray) -> Block:
        """Windows of these numbers."""
        first = self._positions[places]
        columns = [self._data[first[:, None] + self._steps]]
        if self._targets is not None:
            columns.append(self._targets[first])
        return Block(self.skeleton, columns, len(places))
