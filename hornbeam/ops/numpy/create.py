"""New tensors: ``zeros``, ``full``, ``arange``, ``linspace``, ``eye``, ``meshgrid`` ...

Dtypes: ``floatx()`` where nothing else is said; ``arange`` takes the dtype of its arguments.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes, settings
from hornbeam.base.errors import ShapeError, TraceError, explain
from hornbeam.core.arguments import INT_LIMIT
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.engine.jax_compat import is_tracing
from hornbeam.ops.casting import convert_to_numpy, convert_to_tensor
from hornbeam.ops.composite import composite, is_traced
from hornbeam.ops.promotion import promote, result_dtype, to_dtype

__all__ = [
    "arange",
    "array",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tri",
    "vander",
    "zeros",
    "zeros_like",
]

_HOST_LIMIT = 65536
"""Elements up to which a range is made on the host: below, sending it costs less than compiling a program."""


def _dtype_or_floatx(dtype: Any) -> dtypes.DType:
    return dtypes.as_dtype(settings.floatx() if dtype is None else dtype)


def _numpy(dtype: Any) -> np.dtype:
    return np.dtype(dtypes.as_dtype(dtype).as_numpy_dtype)


def array(x: Any, dtype: Any = None) -> Any:
    """Tensor of anything that holds numbers; see ``convert_to_tensor``.

    References: Keras `ops.array`.
    """
    return convert_to_tensor(x, dtype)


# --- constants ---------------------------------------------------------------------------------------
@op(static=("shape", "dtype"))
def _filled(fill_value: Any, shape: Any, dtype: Any) -> Any:
    return jnp.broadcast_to(to_dtype(fill_value, dtype), shape)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Zeros.

    References: Keras `ops.zeros`.
    """
    return _filled(0, shape, _dtype_or_floatx(dtype))


def ones(shape: Any, dtype: Any = None) -> Any:
    """Ones.

    References: Keras `ops.ones`.
    """
    return _filled(1, shape, _dtype_or_floatx(dtype))


def empty(shape: Any, dtype: Any = None) -> Any:
    """A tensor whose values do not matter (zeros).

    References: Keras `ops.empty`.
    """
    return _filled(0, shape, _dtype_or_floatx(dtype))


@composite
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value everywhere.

    Args:
        fill_value: a number, or a tensor that broadcasts to ``shape``.

    References: Keras `ops.full`.
    """
    return _filled(fill_value, shape, _dtype_or_floatx(dtype))


@op(static=("dtype",))
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape (and dtype) of ``x``.

    References: Keras `ops.zeros_like`.
    """
    return _constant_like(x, 0, dtype)


@op(static=("dtype",))
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape (and dtype) of ``x``.

    References: Keras `ops.ones_like`.
    """
    return _constant_like(x, 1, dtype)


@op(static=("dtype",))
def empty_like(x: Any, dtype: Any = None) -> Any:
    """A tensor in the shape (and dtype) of ``x`` whose values do not matter (zeros).

    References: Keras `ops.empty_like`.
    """
    return _constant_like(x, 0, dtype)


@op(static=("dtype",))
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value everywhere, in the shape (and dtype) of ``x``.

    References: Keras `ops.full_like`.
    """
    return _constant_like(x, fill_value, dtype)


def _constant_like(x: Any, value: Any, dtype: Any) -> jax.Array:
    return jnp.broadcast_to(to_dtype(value, result_dtype(x) if dtype is None else dtype), jnp.shape(x))


# --- ranges ------------------------------------------------------------------------------------------
@op(static=("count", "dtype"))
def _iota(start: Any, step: Any, count: int, dtype: Any) -> Any:
    ramp = jax.lax.iota(_numpy(dtype), count)
    return to_dtype(start, dtype) + to_dtype(step, dtype) * ramp


def _number(value: Any, name: str) -> Any:
    """The value as a Python or NumPy scalar."""
    if isinstance(value, KerasTensor) or is_traced(value):
        raise TraceError(
            explain(
                f"arange(): the size of the result depends on `{name}`, whose value is not known here.",
                received=repr(value),
                fix="give a Python number, such as a size from `x.shape`",
            )
        )
    if type(value) in (int, float, bool):
        return value
    number = convert_to_numpy(value)
    if number.ndim:
        raise ShapeError(f"arange(): `{name}` must be a scalar. Received: shape {number.shape}")
    return number[()]


def _range_dtype(numbers: list[Any]) -> dtypes.DType:
    if any(type(number) is int and not -INT_LIMIT <= number < INT_LIMIT for number in numbers):
        numbers = [*numbers, np.int64(0)]
    return dtypes.result_type(*(type(n) if type(n) in (int, float, bool) else n.dtype for n in numbers))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Evenly spaced numbers from ``start`` up to, but without, ``stop``.

    Args:
        start: first number; if ``stop`` is not given, the end of a range that begins at 0.
        step: distance between two numbers, default 1; may be negative.
        dtype: default: common dtype of the arguments (int32 for Python ints, float32 for Python floats).

    Raises:
        ValueError: ``start`` is None, or ``step`` is 0.

    References: Keras `ops.arange`.
    """
    if start is None:
        raise ValueError(
            "arange(): `start` is None. If it is a size of a symbolic tensor, that size is unknown while the model is "
            "built: take `tf.range(tf.shape(x)[1])`, or count in the `call` of a layer."
        )
    given = [_number(v, n) for v, n in ((start, "start"), (stop, "stop"), (step, "step")) if v is not None]
    wanted = _range_dtype(given) if dtype is None else dtypes.as_dtype(dtype)
    first = given[0] if stop is not None else 0
    last = _number(stop, "stop") if stop is not None else given[0]
    by = 1 if step is None else _number(step, "step")
    if not by:
        raise ValueError("arange(): `step` must not be 0.")
    count = max(0, math.ceil((last - first) / by))
    if wanted.is_integer and (count > _HOST_LIMIT or is_tracing()):
        return _iota(first, by, count, wanted)
    # Half precision cannot count beyond 2048 (float16) or 256 (bfloat16): computed in float32 and rounded once.
    work = np.dtype(np.float32) if wanted.is_floating and wanted.size < 4 else _numpy(wanted)
    ramp = np.arange(count, dtype=work)
    return from_host((np.asarray(first).astype(work) + np.asarray(by).astype(work) * ramp).astype(_numpy(wanted)))


@op(static=("num", "endpoint", "dtype", "axis"))
def _linspace(start: Any, stop: Any, num: int, endpoint: bool, dtype: Any, axis: int) -> tuple:
    start, stop = promote(start, stop)
    working = dtypes.result_type(start.dtype, float)
    values, step = jnp.linspace(
        start,
        stop,
        num,
        endpoint=endpoint,
        retstep=True,
        dtype=_numpy(working if dtype is None else dtype),
        axis=axis,
    )
    return values, to_dtype(step, working)


@composite
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """``num`` evenly spaced numbers from ``start`` to ``stop``.

    Args:
        start: first number, or a tensor of them.
        stop: last number, or a tensor of them.
        endpoint: False leaves ``stop`` itself out.
        retstep: also give the distance between two numbers.
        dtype: default: the common float dtype of ``start`` and ``stop``.
        axis: axis of the result along which the numbers lie.

    References: Keras `ops.linspace`.
    """
    values, step = _linspace(start, stop, num, endpoint, dtype, axis)
    return (values, step) if retstep else values


@op(static=("num", "endpoint", "dtype", "axis"))
def _logspace(start: Any, stop: Any, base: Any, num: int, endpoint: bool, dtype: Any, axis: int) -> Any:
    start, stop, base = promote(start, stop, base, at_least=float)
    powers = jnp.logspace(start, stop, num, endpoint=endpoint, base=base, axis=axis)
    return to_dtype(powers, start.dtype.name if dtype is None else dtype)


@composite
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None, axis: int = 0
) -> Any:
    """``num`` powers of ``base``, whose exponents are evenly spaced from ``start`` to ``stop``.

    References: Keras `ops.logspace`.
    """
    return _logspace(start, stop, base, num, endpoint, dtype, axis)


@op(static=("num", "endpoint", "dtype", "axis"))
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """``num`` numbers from ``start`` to ``stop``, each a constant multiple of the one before.

    References: Keras `ops.geomspace`.
    """
    start, stop = promote(start, stop, at_least=float)
    values = jnp.geomspace(start, stop, num, endpoint=endpoint, axis=axis)
    return to_dtype(values, start.dtype.name if dtype is None else dtype)


# --- matrices and grids ------------------------------------------------------------------------------
def _is_float(value: Any) -> bool:
    return isinstance(value, float) or getattr(value, "dtype", None) in dtypes.FLOATS


@op(static=("rows", "columns", "k", "dtype"))
def _eye(rows: int, columns: int | None, k: int, dtype: Any) -> Any:
    return jnp.eye(rows, columns, k, dtype=_numpy(dtype))


def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Matrix of zeros but for diagonal ``k``, which is ones.

    Args:
        N: number of rows.
        M: number of columns, default ``N``.

    References: Keras `ops.eye`.
    """
    for name, value in (("N", N), ("M", M)):
        if _is_float(value):
            raise TypeError(f"eye(): `{name}` counts rows or columns and cannot be a float. Received: {value!r}")
    return _eye(N, M, k, _dtype_or_floatx(dtype))


def identity(n: Any, dtype: Any = None) -> Any:
    """Square matrix with ones on the diagonal.

    References: Keras `ops.identity`.
    """
    return _eye(n, None, 0, _dtype_or_floatx(dtype))


@op(static=("rows", "columns", "k", "dtype"))
def _tri(rows: int, columns: int | None, k: int, dtype: Any) -> Any:
    return jnp.tri(rows, columns, k, dtype=_numpy(dtype))


def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Matrix with ones on and below diagonal ``k`` and zeros above it.

    References: Keras `ops.tri`.
    """
    return _tri(N, M, k, _dtype_or_floatx(dtype))


@op(static=("N", "increasing"))
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Matrix whose columns are powers of a vector.

    Args:
        N: number of columns, default the length of ``x``.
        increasing: True for powers 0, 1, 2 ...; False for the reverse order.

    References: Keras `ops.vander`.
    """
    x = promote(x)[0]
    if x.ndim != 1:
        raise ShapeError(f"vander(): `x` is a vector, with one axis. Received: shape {tuple(x.shape)}")
    if N is not None and not isinstance(N, int):
        raise TypeError(f"vander(): `N` is a number of columns, an int or None. Received: {N!r}")
    if N is not None and N < 0:
        raise ValueError(f"vander(): `N` is a number of columns, 0 or more. Received: {N}")
    if not isinstance(increasing, bool):
        raise TypeError(f"vander(): `increasing` is True or False. Received: {increasing!r}")
    return to_dtype(jnp.vander(x, N, increasing), x.dtype.name)


@op(static=("indexing",))
def meshgrid(*x: Any, indexing: str = "xy") -> list:
    """Coordinate grids: one tensor for each vector, constant along the axes of the others.

    Args:
        indexing: ``"ij"`` for axes in the order of the vectors, ``"xy"`` with the first two exchanged.

    References: Keras `ops.meshgrid`.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid(): unknown indexing {indexing!r}. Choose 'xy' (first two axes exchanged) or 'ij'.")
    return list(jnp.meshgrid(*(promote(one)[0].reshape(-1) for one in x), indexing=indexing))
