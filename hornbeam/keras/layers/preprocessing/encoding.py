"""Category numbers as one-hot, multi-hot or count vectors."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError, TraceError
from hornbeam.core.arguments import value_of
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, from_host, wrap
from hornbeam.engine.jax_compat import Tracer
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.functions import from_dense

MODES = ("int", "one_hot", "multi_hot", "count")


def checked_mode(mode: Any, allowed: tuple[str, ...], owner: str) -> str:
    """The output mode, old spellings translated.

    Raises:
        ValueError: not among the allowed ones.
    """
    mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(mode, mode)
    if mode not in allowed:
        raise ValueError(f"{owner}: `output_mode` must be one of {allowed}. Received: output_mode={mode!r}")
    return mode


def is_traced(x: Any) -> bool:
    """True inside compiled programs, where values are not known."""
    leaves = x if isinstance(x, (list, tuple)) else (x,)
    return any(isinstance(value_of(leaf), Tracer) for leaf in leaves)


def encode(inputs: Any, mode: str, depth: int, dtype: str, count_weights: Any = None) -> Any:
    """Vectors of ``depth`` entries for tensors of category numbers, on the device.

    Args:
        inputs: category numbers; those outside ``0 ... depth - 1`` count for nothing.
        mode: ``int`` (the numbers themselves), ``one_hot``, ``multi_hot`` or ``count``.
        depth: number of categories.
        dtype: dtype of the result.
        count_weights: how much each number counts in ``count`` mode.
    """
    if mode == "int":
        return ops.cast(inputs, dtype)
    if not len(inputs.shape):
        inputs = ops.expand_dims(inputs, -1)
    if mode == "multi_hot":
        return ops.multi_hot(inputs, depth, dtype=dtype)
    if mode == "one_hot":
        shape = tuple(inputs.shape)
        if len(shape) > 1 and shape[-1] == 1:
            inputs = ops.squeeze(inputs, axis=-1)
        return ops.one_hot(inputs, depth, dtype=dtype)
    axis = 1 if len(inputs.shape) > 1 else 0
    one_hot = ops.one_hot(inputs, depth, dtype=dtype if count_weights is None else count_weights.dtype)
    if count_weights is not None:
        one_hot = ops.multiply(one_hot, ops.expand_dims(count_weights, -1))
    return ops.sum(one_hot, axis=axis)


def encode_rows(numbers: np.ndarray, mode: str, depth: int, splits: np.ndarray | None = None) -> np.ndarray:
    """The same on the host, for arrays or (with ``splits``) ragged rows of numbers; ``float32``."""
    if splits is not None:
        return _counted(numbers, np.repeat(np.arange(len(splits) - 1), np.diff(splits)), len(splits) - 1, depth, mode)
    if numbers.ndim == 0:
        numbers = numbers.reshape(1)
    if mode == "one_hot":
        if numbers.ndim > 1 and numbers.shape[-1] == 1:
            numbers = numbers[..., 0]
        inside = (numbers >= 0) & (numbers < depth)
        out = np.zeros((*numbers.shape, depth), np.float32)
        places = np.nonzero(inside)
        out[(*places, numbers[inside])] = 1
        return out
    if numbers.ndim == 1:
        return _counted(numbers, np.zeros(len(numbers), np.int64), 1, depth, mode)[0]
    # Along the second axis, as rows of several features have it.
    moved = np.moveaxis(numbers, 1, -1)
    rows = np.repeat(np.arange(int(np.prod(moved.shape[:-1]))), moved.shape[-1])
    found = _counted(moved.reshape(-1), rows, int(np.prod(moved.shape[:-1])), depth, mode)
    return found.reshape(*moved.shape[:-1], depth)


def _counted(numbers: np.ndarray, rows: np.ndarray, count: int, depth: int, mode: str) -> np.ndarray:
    inside = (numbers >= 0) & (numbers < depth)
    found = np.bincount(rows[inside] * depth + numbers[inside], minlength=count * depth).reshape(count, depth)
    return (found > 0 if mode == "multi_hot" else found).astype(np.float32)


def sparse_output(output: Any, owner: str) -> Any:
    """A dense result as a sparse tensor.

    Raises:
        NotSupportedError: inside a compiled program, where the number of entries is not known.
    """
    if is_traced(output) or isinstance(output, KerasTensor):
        raise NotSupportedError(
            f"{owner}: `sparse=True` gives sparse tensors outside of models and compiled programs only.\n"
            "  fix:      use sparse=False inside a model"
        )
    return from_dense(output)


def on_host(function: Any, inputs: list[Any], shape: tuple, dtype: str) -> Any:
    """Result of a NumPy function of tensors; from inside a compiled program, by a call back to the host."""
    if not is_traced(inputs):
        return from_host(function(*[np.asarray(value_of(item)) for item in inputs]))
    narrow = {"int64": "int32", "float64": "float32"}.get(dtype, dtype)
    struct = jax.ShapeDtypeStruct(shape, dtypes.as_dtype(narrow).as_numpy_dtype)

    def call(*arrays: Any) -> np.ndarray:
        return function(*[np.asarray(array) for array in arrays]).astype(struct.dtype)

    arrays = [jax.lax.stop_gradient(value_of(item)) for item in inputs]
    return wrap(jax.pure_callback(call, struct, *arrays, vmap_method="expand_dims"))


def need_known(x: Any, owner: str) -> None:
    """Refuse texts that are not known: inside compiled programs there are none."""
    if isinstance(x, Tensor) and is_traced(x):
        raise TraceError(
            f"{owner} works on texts, which do not enter compiled programs.\n"
            "  fix:      let it be the first layer of a functional or Sequential model, or use it in a dataset's map"
        )


def flat_of(x: Any) -> Any:
    """Values of a ragged tensor, or the tensor itself."""
    return x.flat_values if isinstance(x, RaggedTensor) else x
