"""What ``tf.strings`` functions do with their arguments: texts in, string tensors out, ragged rows kept."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import TraceError
from hornbeam.core.arguments import value_of
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.engine.jax_compat import Tracer
from hornbeam.ragged.tensor import RaggedTensor


def texts_of(x: Any, where: str = "tf.strings") -> np.ndarray:
    """Object array of ``bytes`` of a string tensor, text, list or array.

    Raises:
        TypeError: it holds no texts.
    """
    if isinstance(x, HostTensor):
        return x._value
    if isinstance(x, KerasTensor) or isinstance(value_of(x), Tracer):
        raise TraceError(
            f"{where}: texts are worked on where their values are known, not in symbolic tensors or compiled "
            "programs.\n"
            "  fix:      call it in tf.data's map, or in a layer's `call` on string tensors"
        )
    if isinstance(x, (list, tuple)):
        array = _list_of(x) if x else np.empty(0, object)
    else:
        array = np.asarray(value_of(x))
    if array.dtype.kind not in "SUOT":
        raise TypeError(f"{where} takes texts (dtype string). Received: dtype {array.dtype}")
    return from_host(array.astype(object) if array.dtype.kind == "T" else array)._value


def _list_of(items: Any) -> np.ndarray:
    """Array of a list of texts, or of string tensors of one shape."""
    if any(isinstance(leaf, HostTensor) for leaf in trees.flatten(items)):
        return np.stack([texts_of(item) for item in items])
    return np.asarray([value_of(item) for item in items])


def number_of(x: Any) -> np.ndarray:
    """NumPy form of numbers."""
    return np.asarray(value_of(x))


def text(x: Any) -> bytes:
    """One text as bytes."""
    return x.encode() if isinstance(x, str) else x if isinstance(x, bytes) else bytes(texts_of(x)[()])


def strings(array: np.ndarray) -> HostTensor:
    """String tensor of an object array."""
    return HostTensor(array if isinstance(array, np.ndarray) else np.array(array, object))


def made(result: Any) -> Tensor:
    """Tensor of a NumPy result, of texts or numbers."""
    return strings(result) if result.dtype == object else from_host(result)


def elementwise(function: Callable) -> Callable:
    """Let a function of one tensor (its first argument) take ragged tensors too."""

    @functools.wraps(function)
    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(input, RaggedTensor):
            return input.with_flat_values(function(input.flat_values, *args, **kwargs))
        return function(input, *args, **kwargs)

    return call


def fold(parts: np.ndarray, lengths: np.ndarray, shape: tuple) -> Any:
    """Parts of each text as a ragged tensor behind the axes of the texts; a plain tensor for one text."""
    if not shape:
        return made(parts)
    splits = np.concatenate([[0], np.cumsum(lengths)])
    ragged = RaggedTensor(made(parts), splits)
    for size in reversed(shape[1:]):
        ragged = RaggedTensor.from_uniform_row_length(ragged, size, nrows=len(ragged) // size if size else shape[0])
    return ragged
