"""``x[key]``: ``get_item``.

A key is turned into a short text, which is part of the program, and into numbers and arrays, which are not: so
``x[0]``, ``x[1]`` ... and ``x[i : i + 32]`` for all ``i`` run one program each. The text has one word per axis:

    ``:``        all of it                     ``n``          a new axis of size 1
    ``i``        one index, the next number    ``w32``        32 elements from the next number on
    ``s1,9,2``   a slice with a fixed step     ``a``          an array of indices, the next one

Inside compiled functions, where there is one program anyway, numbers go into the text (``w`` becomes ``s``),
because XLA makes better gradients of slices whose place is fixed.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import TraceError, explain
from hornbeam.core.arguments import static_value
from hornbeam.core.conversion import as_array
from hornbeam.core.door import op
from hornbeam.core.scopes import scopes
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host, wrap
from hornbeam.core.variable import Variable
from hornbeam.ops.composite import composite, is_traced
from hornbeam.ops.promotion import promote, to_dtype

__all__ = ["get_item", "get_item_of"]

_NUMBERS = 4
"""Numbers that the quick op takes; a key with more of them puts all of them into the text."""


# --- the ops -----------------------------------------------------------------------------------------
@op(static=("text",))
def _basic_item(x: Any, a: Any, b: Any, c: Any, d: Any, text: str) -> Any:
    """Item of a key without arrays."""
    x = promote(x)[0]
    words = text.split(";")
    numbers = iter([a, b, c, d])
    starts, sizes, rest = [], [], []
    axis = 0
    for word in words:
        if word == "n":
            rest.append(None)
            continue
        size = x.shape[axis]
        axis += 1
        if word == "i" or word[0] == "w":
            start = to_dtype(next(numbers), "int32")
            starts.append(jnp.where(start < 0, start + size, start))
            sizes.append(1 if word == "i" else int(word[1:]))
            rest.append(0 if word == "i" else slice(None))
        else:
            starts.append(np.int32(0))
            sizes.append(size)
            rest.append(_fixed(word))
    if any(word == "i" or word[0] == "w" for word in words):
        x = jax.lax.dynamic_slice(x, starts, sizes)
    return x[tuple(rest)]


@op(static=("text",), lists=("arrays",))
def _array_item(x: Any, arrays: Any, text: str) -> Any:
    """Item of a key with arrays of indices (or index tensors) in it."""
    given = iter(arrays)
    key = []
    for word in text.split(";"):
        key.append(promote(next(given))[0] if word == "a" else None if word == "n" else _fixed(word))
    return promote(x)[0][tuple(key)]


def _fixed(word: str) -> Any:
    """Slice or index that stands in the text."""
    if word == ":":
        return slice(None)
    if word[0] == "I":
        return int(word[1:])
    return slice(*(None if part == "" else int(part) for part in word[1:].split(",")))


# --- from key to text --------------------------------------------------------------------------------
def _entries(key: Any, rank: int) -> list[Any]:
    """One entry for each axis, and ``None`` for new axes; bool arrays as index arrays."""
    if isinstance(key, list) and any(item is None or item is Ellipsis or isinstance(item, slice) for item in key):
        key = tuple(key)
    entries = [_entry(item) for item in (key if isinstance(key, tuple) else (key,))]
    entries = [part for entry in entries for part in (entry if type(entry) is list else [entry])]
    gaps = [place for place, entry in enumerate(entries) if entry is Ellipsis]
    used = sum(entry is not None and entry is not Ellipsis for entry in entries)
    if len(gaps) > 1 or used > rank:
        raise IndexError(
            explain(
                "Too many indices." if used > rank else "An index may hold only one Ellipsis.",
                expected=f"at most {rank} indices, for {rank} axes",
                received=repr(key),
            )
        )
    place = gaps[0] if gaps else len(entries)
    return [*entries[:place], *[slice(None)] * (rank - used), *entries[place + 1 :]]


def _entry(item: Any) -> Any:
    """The item as ``None``, Ellipsis, int, slice, or array; a bool array becomes a list of index arrays."""
    if item is None or item is Ellipsis or type(item) is int or isinstance(item, slice):
        return item
    if isinstance(item, (bool, np.bool_)):
        raise IndexError(explain("A bool is not an index.", received=repr(item), fix="use an int or a bool array"))
    if isinstance(item, np.integer):
        return int(item)
    if isinstance(item, str | float):
        raise TypeError(explain("Not an index.", expected="ints, slices, None, ..., int or bool arrays", received=item))
    if not hasattr(item, "dtype"):
        item = np.asarray(item) if not hasattr(item, "__index__") else int(item)
        if isinstance(item, int):
            return item
        item = item.astype(np.int32) if not item.size else item
    kind = str(item.dtype)
    if kind == "bool":
        return _where_true(item)
    if not kind.startswith(("int", "uint")):
        raise TypeError(explain("Not an index.", expected="a tensor of integers or bools", received=f"dtype {kind}"))
    return item


def _where_true(mask: Any) -> list[Any]:
    if isinstance(mask, KerasTensor) or is_traced(mask):
        raise TraceError(
            explain(
                "Indexing by a bool tensor gives as many elements as are True, which is not known here.",
                received=repr(mask),
                fix="use where(mask, x, 0), which keeps the shape, or compute it eagerly",
            )
        )
    return [places.astype(np.int32) for places in np.nonzero(np.asarray(mask))]


def _index(number: int, size: int, axis: int) -> int:
    if scopes.symbolic:  # sizes are stand-ins
        return max(-size, min(number, size - 1))
    if not -size <= number < size:
        raise IndexError(
            f"Index {number} is out of bounds: axis {axis} has {size} elements, numbered from 0, or from -{size}."
        )
    return number


def _bounds(key: slice) -> slice:
    parts = []
    for part in (key.start, key.stop, key.step):
        number = part if part is None or type(part) is int else static_value(part, "slice")
        parts.append(number if number is None else number.__index__())
    return slice(*parts)


def _words(entries: list[Any], shape: tuple, fixed: bool) -> tuple[str, list[int]]:
    """The text, and the numbers that it does not hold."""
    words, numbers = [], []
    axis = 0
    for entry in entries:
        if entry is None:
            words.append("n")
            continue
        size = shape[axis]
        if isinstance(entry, slice):
            start, stop, step = _bounds(entry).indices(size)
            length = len(range(start, stop, step))
            if length == size and step == 1:
                words.append(":")
            elif step == 1 and not fixed:
                words.append(f"w{length}")
                numbers.append(start if length else 0)
            else:
                end = "" if step < 0 and stop < 0 else stop
                words.append(f"s{start},{end},{step}")
        elif type(entry) is int:
            entry = _index(entry, size, axis)
            words.append(f"I{entry}" if fixed else "i")
            numbers.append(entry)
        else:
            words.append("a")
        axis += 1
    return ";".join(words), [] if fixed else numbers


# --- symbolic tensors --------------------------------------------------------------------------------
def _item_rule(x: KerasTensor, key: Any) -> KerasTensor | None:
    """Of an axis of unknown size a slice has an unknown size too; all else follows from running the function."""
    if not isinstance(x, KerasTensor) or None not in tuple(x.shape):
        return None
    entries = _entries(key, len(x.shape))
    if any(entry is not None and not isinstance(entry, (int, slice)) for entry in entries):
        return None
    sizes: list = []
    given = iter(x.shape)
    for axis, entry in enumerate(entries):
        if entry is None:
            sizes.append(1)
            continue
        size = next(given)
        if isinstance(entry, slice):
            sizes.append(None if size is None else len(range(*_bounds(entry).indices(size))))
        elif size is not None:
            _index(entry, size, axis)
    return KerasTensor(sizes, x.dtype)


def _has_sizes(entry: Any) -> bool:
    return isinstance(entry, slice) and any(isinstance(part, KerasTensor) for part in _parts(entry))


def _parts(entry: slice) -> tuple:
    return entry.start, entry.stop, entry.step


def _item_instead(x: Any, key: Any) -> Any:
    """Another function where sizes of symbolic tensors are bounds of slices, in which the graph would not see them."""
    return _item_by_sizes if any(_has_sizes(entry) for entry in (key if isinstance(key, tuple) else (key,))) else None


def _item_by_sizes(x: Any, key: Any) -> Any:
    entries = key if isinstance(key, tuple) else (key,)
    is_slice = [isinstance(entry, slice) for entry in entries]
    return get_item_of(x, [_parts(entry) if isinstance(entry, slice) else entry for entry in entries], is_slice)


@composite
def get_item_of(x: Any, entries: Any, is_slice: Any) -> Any:
    """``get_item`` with the bounds of slices as tuples.

    Args:
        entries: of the key.
        is_slice: for each entry whether it is the bounds of a slice.
    """
    key = [slice(*entry) if bounds else entry for entry, bounds in zip(entries, is_slice, strict=True)]
    return get_item(x, tuple(key))


@composite(rule=_item_rule, instead=_item_instead)
def get_item(x: Any, key: Any) -> Any:
    """``x[key]``.

    Args:
        key: int, slice, ``None`` (new axis), ``...``, array or list of ints or bools, or a tuple of these.
            An int out of range is an error; indices in a tensor are moved inside, as JAX does.

    Raises:
        IndexError: an int is out of range, or there are more indices than axes.
        TraceError: a bool tensor whose values are not known.

    References: Keras `ops.get_item`; indexing of `tf.Tensor`.
    """
    if isinstance(x, HostTensor):
        return from_host(np.asarray(x._value[_host_key(key)], dtype=object))
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    entries = _entries(key, len(shape))
    plain = [entry for entry in entries if entry is not None and not isinstance(entry, (int, slice))]
    if not plain and not all(type(size) is int for size in shape):
        # A program traced for any batch size has axes whose size is an expression; JAX slices those by itself.
        return wrap(as_array(x)[tuple(entries)])
    if not plain:
        text, numbers = _words(entries, shape, fixed=is_traced(x))
        if len(numbers) > _NUMBERS:
            text, numbers = _words(entries, shape, fixed=True)
        return _basic_item(x, *numbers, *[0] * (_NUMBERS - len(numbers)), text)
    # Ints beside arrays are arrays of one element, to NumPy and here.
    axis = 0
    for place, entry in enumerate(entries):
        if type(entry) is int:
            entries[place] = np.int32(_index(entry, shape[axis], axis))
        axis += entry is not None
    arrays = [entry for entry in entries if entry is not None and not isinstance(entry, slice)]
    return _array_item(x, arrays, _words(entries, shape, fixed=True)[0])


def _host_key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_host_key(item) for item in key)
    return np.asarray(key) if isinstance(key, (Tensor, Variable, jax.Array)) else key
