"""``tf.print``: tensors as TensorFlow writes them, also from inside compiled functions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbeam.base import trees
from hornbeam.core.arguments import value_of
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer

__all__ = ["format_tensor", "print"]


def format_tensor(array: Any, summarize: int = 3) -> str:
    """Text of an array: ``[1 2 ... 8 9]``, ``summarize`` entries at both ends of each axis (-1 for all)."""
    array = np.asarray(array)
    if not array.ndim:
        return _scalar(array[()], array.dtype)
    return _rows(array, summarize, 0)


def _scalar(value: Any, dtype: np.dtype) -> str:
    if isinstance(value, (bytes, str)):
        text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
        return f'"{text}"'
    if dtype.kind == "b":
        return "1" if value else "0"
    if dtype.kind in "fV":
        return _number(value)
    if dtype.kind == "c":
        return f"({_number(value.real)},{_number(value.imag)})"
    return str(value)


def _number(value: Any) -> str:
    """6 digits (15 of a float64) if they tell the number from its neighbours, else 9 (17)."""
    wide = value.dtype.itemsize == 8
    few = f"{float(value):.{15 if wide else 6}g}"
    kind = np.float64 if wide else np.float32
    return few if kind(few) == kind(value) or value != value else f"{float(value):.{17 if wide else 9}g}"


def _rows(array: np.ndarray, summarize: int, depth: int) -> str:
    count = len(array)
    if summarize >= 0 and 2 * summarize < count:
        places: list[Any] = [*range(summarize), None, *range(count - summarize, count)]
    else:
        places = list(range(count))
    if array.ndim == 1:
        parts = ["..." if place is None else _scalar(array[place], array.dtype) for place in places]
        return f"[{' '.join(parts)}]"
    parts = ["..." if place is None else _rows(array[place], summarize, depth + 1) for place in places]
    gap = "\n" * (array.ndim - 1) + " " * (depth + 1)
    return f"[{gap.join(parts)}]"


def _is_array(item: Any) -> bool:
    return isinstance(item, (Tensor, Variable, jax.Array, Tracer))


def _line(inputs: tuple, arrays: list, summarize: int, sep: str) -> str:
    """Inputs as text, with ``arrays`` in the places of their tensors."""
    queue = iter(arrays)

    def text(item: Any, nested: bool) -> str:
        if _is_array(item):
            found = next(queue)
            return format_tensor(found, summarize)
        if isinstance(item, dict):
            return "{" + ", ".join(f"{key!r}: {text(value, True)}" for key, value in item.items()) + "}"
        if isinstance(item, (list, tuple)):
            inner = ", ".join(text(part, True) for part in item)
            return f"[{inner}]" if isinstance(item, list) else f"({inner}{',' if len(item) == 1 else ''})"
        if isinstance(item, str):
            return repr(item) if nested else item
        return repr(item) if isinstance(item, (np.ndarray, np.generic)) else str(item)

    return sep.join(text(item, False) for item in inputs)


def _arrays_in(item: Any) -> list[Any]:
    """Tensors of a nesting in the order in which they are written (dicts are not sorted)."""
    if isinstance(item, dict):
        return [found for value in item.values() for found in _arrays_in(value)]
    if isinstance(item, (list, tuple)) and not hasattr(item, "is_fully_defined"):
        return [found for part in item for found in _arrays_in(part)]
    return [item] if _is_array(item) else []


def _writer(output_stream: Any, end: str) -> Callable[[str], Any]:
    if isinstance(output_stream, str) and output_stream.startswith("file://"):
        path = output_stream.removeprefix("file://")

        def append(text: str) -> None:
            with open(path, "a", encoding="utf-8") as file:
                file.write(text + end)

        return append
    if callable(output_stream):
        return output_stream
    if output_stream is not None and not hasattr(output_stream, "write"):
        raise ValueError(
            f"tf.print: `output_stream` must be a stream, a log function or 'file://PATH', received {output_stream!r}."
        )

    def write(text: str) -> None:
        # Looked up now: notebooks and tests exchange the streams.
        target: Any = sys.stderr if output_stream is None else output_stream
        target.write(text + end)
        target.flush()

    return write


def print(
    *inputs: Any,
    output_stream: Any = None,
    summarize: int = 3,
    sep: str = " ",
    end: str = "\n",
    name: str | None = None,
) -> None:
    """Write tensors and Python values; inside compiled functions at each run, not only when they are traced.

    Args:
        *inputs: tensors, nestings of them, and anything else, which is written as its ``str`` is.
        output_stream: ``sys.stderr`` (default), ``sys.stdout``, another stream, ``"file://PATH"``, or a function that
            takes the text, such as ``tf.get_logger().info``.
        summarize: first and last entries of each axis to write; -1 for all.
        sep: text between inputs.
        end: text after the last one.

    References: TensorFlow `tf.print`.
    """
    found = [item for part in inputs for item in _arrays_in(part)]
    if any(isinstance(leaf, KerasTensor) for leaf in trees.flatten(list(inputs))):
        raise TypeError("tf.print: a symbolic tensor has no value; call tf.print inside the `call` method of a layer.")
    write = _writer(output_stream, end)
    values = [item._value if isinstance(item, HostTensor) else value_of(item) for item in found]
    if not any(isinstance(value, Tracer) for value in values):
        write(_line(inputs, values, summarize, sep))
        return
    shells = _shells(inputs)
    fixed = {place: value for place, value in enumerate(values) if isinstance(value, np.ndarray)}
    traced = [value for value in values if not isinstance(value, np.ndarray)]

    def show(*arrays: Any) -> None:
        queue = iter(arrays)
        write(_line(shells, [fixed[i] if i in fixed else next(queue) for i in range(len(values))], summarize, sep))

    jax.debug.callback(show, *traced)


_SHELL = HostTensor(np.empty((), object))


def _shells(item: Any) -> Any:
    """The nesting with a stand-in for each tensor: tracers must not outlive their trace."""
    if _is_array(item):
        return _SHELL
    if isinstance(item, dict):
        return {key: _shells(value) for key, value in item.items()}
    if isinstance(item, (list, tuple)) and not hasattr(item, "_fields") and not hasattr(item, "is_fully_defined"):
        return type(item)(_shells(part) for part in item)
    return item
