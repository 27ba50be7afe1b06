"""From Python, NumPy and other dtypes to tensors and back: ``cast``, ``convert_to_tensor``, ``shape`` ..."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from hornbeam.base import dtypes, settings, trees
from hornbeam.base.errors import NotSupportedError, ShapeError, explain
from hornbeam.core.arguments import INT_LIMIT
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.core.variable import Variable
from hornbeam.ops.composite import composite
from hornbeam.ops.promotion import promote, to_dtype

__all__ = [
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "is_tensor",
    "saturate_cast",
    "shape",
    "stop_gradient",
    "unstack",
]

_DEVICE = (Tensor, Variable, KerasTensor, jax.Array)


@op(static=("dtype",))
def cast(x: Any, dtype: Any) -> Any:
    """The tensor with its elements converted to another dtype; floats to integers are cut off towards zero.

    References: Keras `ops.cast`.
    """
    return to_dtype(x, dtype)


@op(static=("dtype",))
def saturate_cast(x: Any, dtype: Any) -> Any:
    """Cast after clipping to the limits of the target dtype, so that nothing wraps round.

    Example: ``saturate_cast([-3.0, 300.0], "uint8")`` is ``[0, 255]``.

    References: Keras `ops.saturate_cast`.
    """
    x = promote(x)[0]
    given, wanted = np.dtype(x.dtype), np.dtype(dtypes.as_dtype(dtype).as_numpy_dtype)
    if given == np.bool_ or wanted.kind == "c":
        return to_dtype(x, dtype)
    lowest, highest = _limits(wanted)
    own_lowest, own_highest = _limits(given)
    low = np.asarray(max(lowest, own_lowest)).astype(given)
    high = np.asarray(min(highest, own_highest)).astype(given)
    # Where the given dtype rounds a limit outwards (2**31 - 1 is 2**31 in float32), the inner neighbour is used.
    zero = np.zeros((), given)
    low = low if _exact(low) >= lowest else np.nextafter(low, zero)
    inner = high if _exact(high) <= highest else np.nextafter(high, zero)
    clipped = to_dtype(jnp.clip(x, low, inner), dtype)
    if inner == high or wanted.kind not in "iu":
        return clipped
    return jnp.where(x > inner, np.asarray(highest, wanted), clipped)


def _limits(kind: np.dtype) -> tuple[Any, Any]:
    if kind == np.bool_:
        return 0, 1
    if dtypes.from_numpy(kind).is_integer:
        info = ml_dtypes.iinfo(kind)
        return int(info.min), int(info.max)
    finfo = ml_dtypes.finfo(kind)
    return float(finfo.min), float(finfo.max)


def _exact(value: np.ndarray) -> Any:
    return int(value) if value.dtype.kind in "iu" else float(value)


def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """Tensor of anything that holds numbers or strings.

    Python floats become ``floatx()``, Python ints int32 (int64 where they need it); NumPy arrays and tensors
    keep their dtype, 64-bit ones included.

    Args:
        x: tensor, variable, NumPy array, Python number or string, or a nested list of these.
        dtype: dtype of the result, ``None`` to take that of ``x``.
        sparse: tensors are always dense here; sparse arrays of other libraries are filled up with zeros.
        ragged: must not be True.

    Raises:
        NotSupportedError: ``ragged=True``, or ``sparse=True`` for a sparse array.

    References: Keras `ops.convert_to_tensor`.
    """
    if ragged:
        raise NotSupportedError(
            explain(
                "convert_to_tensor(ragged=True) is not supported.",
                fix="pad the rows to one length, e.g. with keras.utils.pad_sequences",
            )
        )
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(x, _DEVICE):
        found = x.value if isinstance(x, Variable) else x
        same = wanted is None or dtypes.as_dtype(found.dtype) == wanted
        return found if same else cast(found, wanted)
    if hasattr(x, "todense") and not isinstance(x, np.ndarray):
        if sparse:
            raise NotSupportedError(
                explain(
                    "convert_to_tensor(sparse=True) is not supported: tensors are always dense.",
                    received=type(x).__name__,
                    fix="leave `sparse` out to have the array filled up with zeros",
                )
            )
        return convert_to_tensor(x.todense(), dtype)
    if isinstance(x, (list, tuple)) and any(isinstance(leaf, _DEVICE) for leaf in trees.flatten(x)):
        joined = _joined(x)
        return joined if wanted is None else convert_to_tensor(joined, wanted)
    return from_host(_host_array(x, wanted))


@op
def _joined(x: Any) -> Any:
    return promote(x)[0]


def _host_array(x: Any, wanted: dtypes.DType | None) -> np.ndarray:
    given = isinstance(x, (np.ndarray, np.generic)) or hasattr(x, "__array__")
    if not given and (wanted is None or wanted == "string") and np.asarray(x).dtype.kind == "S":
        # NumPy's own byte strings lose the zeros at their end.
        return np.array(x, dtype=object)
    if wanted is not None:
        kind = np.dtype(wanted.as_numpy_dtype)
        # NumPy refuses Python ints that do not fit, as it should; arrays are converted as `astype` does.
        if given or wanted == "string" or kind.kind == "V" or dtypes.is_wide(wanted) or wanted in dtypes.FLOATS:
            return np.asarray(x).astype(kind)
        array = np.asarray(x)
        return np.asarray(x, dtype=kind) if array.dtype.kind in "iu" else array.astype(kind)
    array = np.asarray(x)
    if given or any(isinstance(leaf, (np.ndarray, np.generic)) for leaf in trees.flatten(x)):
        return array
    if array.dtype == np.float64:
        return array.astype(dtypes.as_dtype(settings.floatx()).as_numpy_dtype)
    if array.dtype == np.int64 and (not array.size or (array.min() >= -INT_LIMIT and array.max() < INT_LIMIT)):
        return array.astype(np.int32)
    return array.astype(np.complex64) if array.dtype == np.complex128 else array


def convert_to_numpy(x: Any) -> np.ndarray:
    """Copy of a tensor as a NumPy array.

    References: Keras `ops.convert_to_numpy`.
    """
    if isinstance(x, HostTensor):
        return np.array(x._value)
    if hasattr(x, "todense") and not isinstance(x, np.ndarray):
        x = x.todense()
    return np.array(x)


def is_tensor(x: Any) -> bool:
    """True for tensors and JAX arrays; False for variables, symbolic tensors, NumPy arrays and numbers.

    References: Keras `ops.is_tensor`.
    """
    return isinstance(x, (Tensor, jax.Array))


def dtype(x: Any) -> dtypes.DType:
    """Dtype of a tensor, as a ``str`` such as ``"float32"``.

    References: Keras `ops.dtype`.
    """
    return dtypes.as_dtype(x.dtype)


def shape(x: Any) -> tuple[int | None, ...]:
    """Sizes of a tensor's axes as a tuple; ``None`` for unknown ones of a symbolic tensor.

    References: Keras `ops.shape`.
    """
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


@op
def stop_gradient(variable: Any) -> Any:
    """The value itself, through which no gradient flows.

    References: Keras `ops.stop_gradient`.
    """
    return jax.lax.stop_gradient(promote(variable)[0])


@op(static=("axis",))
def _unstacked(x: Any, axis: int) -> list:
    x = promote(x)[0]
    return [jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis])]


def _unstack_rule(x: KerasTensor, num: int | None = None, axis: int = 0) -> list | None:
    if x.shape[axis] is not None:
        return None
    if num is None:
        raise ShapeError(
            explain(
                "unstack() cannot tell how many tensors there are.",
                expected=f"a known size of axis {axis}, or `num`",
                received=f"shape {tuple(x.shape)}",
            )
        )
    axis %= len(x.shape)
    sizes = tuple(x.shape[:axis]) + tuple(x.shape[axis + 1 :])
    return [KerasTensor(sizes, x.dtype) for _ in range(num)]


@composite(rule=_unstack_rule)
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list:
    """List of the slices along an axis, which they lose.

    Args:
        num: how many there are, needed only for a symbolic tensor of unknown size.

    References: Keras `ops.unstack`.
    """
    parts = _unstacked(x, axis)
    if num is not None and num != len(parts):
        raise ShapeError(explain("unstack(): `num` does not fit.", expected=len(parts), received=num))
    return parts
