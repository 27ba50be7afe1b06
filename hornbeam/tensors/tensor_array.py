"""``TensorArray``: a list of tensors that loops write to and read from.

Written at places that are known, it holds the tensors one by one, and they may differ in shape. Written at a place
that only the compiled loop knows, it becomes one buffer of ``size`` equal slots.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes, shapes
from hornbeam.base.errors import NotSupportedError, TraceError
from hornbeam.core.arguments import static_value
from hornbeam.core.tensor import HostTensor
from hornbeam.errors import InvalidArgumentError
from hornbeam.tensors.face import is_known, kept, tensor

__all__ = ["TensorArray"]


class TensorArray:
    """A list of tensors of one dtype.

    Args:
        dtype: dtype of the elements.
        size: number of elements (at first, if ``dynamic_size``).
        dynamic_size: whether writing behind the end makes the list longer.
        clear_after_read: without effect on results; memory is freed when nothing refers to it.
        tensor_array_name: without effect; names belong to graphs.
        handle: must be None, it belongs to graphs.
        flow: must be None, it belongs to graphs.
        infer_shape: require elements of one shape.
        element_shape: shape of the elements, if known.
        colocate_with_first_write_call: without effect; placement is decided for whole programs.

    References: TensorFlow `tf.TensorArray`.
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        if handle is not None or flow is not None:
            raise NotSupportedError("TensorArray: `handle` and `flow` belong to TensorFlow's graphs; leave them out.")
        count = 0 if size is None else int(static_value(size, "size"))
        self._dtype = dtypes.as_dtype(dtype)
        self._dynamic = bool(dynamic_size)
        self._infer = bool(infer_shape)
        self._element_shape = shapes.TensorShape(element_shape)
        self._items: list[Any] = [None] * count
        self._buffer: Any = None

    # --- facts -----------------------------------------------------------------------------------
    @property
    def dtype(self) -> dtypes.DType:
        """Dtype of the elements."""
        return self._dtype

    @property
    def dynamic_size(self) -> bool:
        """Whether writing behind the end makes the list longer."""
        return self._dynamic

    @property
    def element_shape(self) -> shapes.TensorShape:
        """Shape of the elements, as far as it is known."""
        if self._buffer is not None:
            return shapes.TensorShape(tuple(self._buffer.shape)[1:])
        return self._element_shape

    @property
    def handle(self) -> None:
        """None: it belongs to graphs."""
        return None

    flow = handle

    @property
    def is_shapeless(self) -> bool:
        """True if nothing is known about the shape of the elements."""
        return (self._buffer is None and not self.element_shape.is_fully_defined()) or (
            self._buffer is None and self.element_shape.rank is None
        )

    def size(self, name: str | None = None) -> Any:
        """Number of elements, an int32 tensor."""
        return tensor(np.int32(self._count()))

    def _count(self) -> int:
        return len(self._items) if self._buffer is None else int(self._buffer.shape[0])

    # --- one element -----------------------------------------------------------------------------
    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with an element set; the old object must not be used any more.

        Raises:
            tf.errors.InvalidArgumentError: the place is out of range, or the dtype or shape differs.
        """
        value = tensor(value, self._dtype)
        if value.dtype != self._dtype:
            raise InvalidArgumentError(
                None,
                None,
                f"TensorArray dtype is {self._dtype.name} but the value to write has dtype {value.dtype.name}.",
            )
        self._note_shape(value)
        if self._buffer is None and is_known(index):
            return self._write_item(int(static_value(index, "index")), value)
        if self._buffer is None:
            self._to_buffer(tuple(value.shape))
        new = self._copy()
        new._buffer = ops.slice_update(
            self._buffer, [_as_index(index), *[0] * len(value.shape)], ops.expand_dims(value, 0)
        )
        return new

    def _note_shape(self, value: Any) -> None:
        if not self._infer:
            return
        known = self.element_shape
        if not known.is_compatible_with(value.shape):
            raise InvalidArgumentError(
                None, None, f"TensorArray: inconsistent shapes: {tuple(known)} before, {tuple(value.shape)} to write."
            )
        self._element_shape = shapes.TensorShape(value.shape)

    def _write_item(self, place: int, value: Any) -> TensorArray:
        if place < 0 or (place >= len(self._items) and not self._dynamic):
            raise InvalidArgumentError(
                None,
                None,
                f"TensorArray.write: index {place} is outside of {len(self._items)} elements, and the array is not "
                "resizeable; make it with dynamic_size=True to let it grow.",
            )
        # In place, as TensorFlow's eager arrays do: code that drops the result of `write` works there, too.
        self._items.extend([None] * (place + 1 - len(self._items)))
        self._items[place] = value
        return self

    def read(self, index: Any, name: str | None = None) -> Any:
        """One element."""
        if self._buffer is not None or not is_known(index):
            self._to_buffer(None)
            return ops.take(self._buffer, _as_index(index), axis=0)
        place = int(static_value(index, "index"))
        if not 0 <= place < len(self._items):
            raise InvalidArgumentError(
                None, None, f"TensorArray.read: index {place} is outside of the array's {len(self._items)} elements."
            )
        return self._item(place)

    def _item(self, place: int) -> Any:
        found = self._items[place]
        if found is None:
            if not self._element_shape.is_fully_defined() or self._element_shape.rank is None:
                raise InvalidArgumentError(
                    None, None, f"Could not read index {place} because it has not been written yet."
                )
            found = ops.zeros(tuple(self._element_shape), dtype=self._dtype)
        return found

    # --- all elements ----------------------------------------------------------------------------
    def _to_buffer(self, shape: Any) -> None:
        """Turn the list into one tensor, with zeros where nothing was written."""
        if self._buffer is not None:
            return
        if shape is not None and not (self._element_shape.rank is not None and self._element_shape.is_fully_defined()):
            self._element_shape = shapes.TensorShape(shape)
        if not self._items:
            raise TraceError(
                "TensorArray: inside a compiled loop its size cannot grow.\n"
                "  fix:      give the number of elements, TensorArray(dtype, size=n)"
            )
        if self._dtype == "string":
            raise NotSupportedError("TensorArray: strings cannot enter a compiled loop.")
        self._buffer = ops.stack([self._item(place) for place in range(len(self._items))])
        self._items = []

    def stack(self, name: str | None = None) -> Any:
        """All elements as one tensor with a new axis 0."""
        if self._buffer is not None:
            return self._buffer
        if not self._items:
            inner = [] if self._element_shape.rank is None else [size or 0 for size in self._element_shape]
            return ops.zeros((0, *inner), dtype=self._dtype)
        items = [self._item(place) for place in range(len(self._items))]
        if any(isinstance(item, HostTensor) for item in items):
            return HostTensor(np.stack([item._value for item in items]))
        return ops.stack(items)

    def concat(self, name: str | None = None) -> Any:
        """All elements joined along their axis 0."""
        if self._buffer is not None:
            return ops.reshape(self._buffer, (-1, *tuple(self._buffer.shape)[2:]))
        return ops.concatenate([self._item(place) for place in range(len(self._items))], axis=0)

    def gather(self, indices: Any, name: str | None = None) -> Any:
        """Some of the elements, stacked."""
        return ops.take(self.stack(), tensor(indices), axis=0)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """The array filled with the slices of a tensor along axis 0."""
        value = kept(tensor(value, self._dtype), self._dtype)
        new = self._copy()
        new._buffer, new._items = None, list(ops.unstack(value))
        new._element_shape = shapes.TensorShape(tuple(value.shape)[1:])
        return new

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with the slices of a tensor written to the given places."""
        array = self
        places = static_value(indices, "indices")
        for place, item in zip(places, ops.unstack(tensor(value, self._dtype)), strict=True):
            array = array.write(place, item)
        return array

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """The array filled with parts of a tensor along axis 0, of the given lengths."""
        value, sizes = tensor(value, self._dtype), static_value(lengths, "lengths")
        ends = list(np.cumsum(sizes)[:-1])
        new = self._copy()
        new._buffer, new._items = None, list(ops.split(value, [int(end) for end in ends], axis=0))
        return new

    def identity(self) -> TensorArray:
        """The array itself."""
        return self

    def close(self, name: str | None = None) -> None:
        """Forget the elements."""
        self._items, self._buffer = [], None

    # --- copies ----------------------------------------------------------------------------------
    def _copy(self) -> TensorArray:
        new = object.__new__(TensorArray)
        new.__dict__.update(self.__dict__)
        new._items = list(self._items)
        return new

    def shaped_like(self, other: TensorArray) -> TensorArray:
        """The empty array as a buffer for elements of the shape of those of another."""
        new = self._copy()
        new._element_shape = other.element_shape
        new._to_buffer(tuple(other.element_shape))
        return new

    def __len__(self) -> int:
        return self._count()

    def __repr__(self) -> str:
        return f"<tf.TensorArray dtype={self._dtype.name}, size={self._count()}>"


def _as_index(index: Any) -> Any:
    return ops.cast(tensor(index), "int32")


def _flatten(array: TensorArray) -> tuple[tuple, tuple]:
    if array._buffer is None and not array.is_shapeless and array._items and array._dtype != "string":
        array._to_buffer(None)
    facts = (array._dtype, array._dynamic, array._infer, tuple(array._element_shape), array._element_shape.rank)
    if array._buffer is not None:
        return (array._buffer,), (*facts, None)
    written = tuple(place for place, item in enumerate(array._items) if item is not None)
    return tuple(array._items[place] for place in written), (*facts, (len(array._items), written))


def _unflatten(facts: tuple, children: Any) -> TensorArray:
    array = object.__new__(TensorArray)
    array._dtype, array._dynamic, array._infer, sizes, rank, places = facts
    array._element_shape = shapes.TensorShape(None if rank is None else sizes)
    array._items, array._buffer = [], None
    if places is None:
        (array._buffer,) = children
    else:
        array._items = [None] * places[0]
        for place, child in zip(places[1], children, strict=True):
            array._items[place] = child
    return array


jax.tree_util.register_pytree_node(TensorArray, _flatten, _unflatten)
