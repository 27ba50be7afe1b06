"""New tensors, and facts about tensors: ``constant``, ``zeros``, ``range``, ``shape``, ``cast`` ..."""

from __future__ import annotations

import builtins
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes, names, shapes
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import graph_call, op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.core.variable import Variable
from hornbeam.errors import InvalidArgumentError, UnimplementedError
from hornbeam.ops.promotion import promote, to_dtype
from hornbeam.tensors.face import dtype_of, face, is_known, kept, shape_of, tensor, tensors

__all__ = [
    "bitcast",
    "cast",
    "complex",
    "constant",
    "convert_to_tensor",
    "eye",
    "fill",
    "get_static_value",
    "identity",
    "identity_n",
    "is_symbolic_tensor",
    "is_tensor",
    "linspace",
    "meshgrid",
    "one_hot",
    "ones",
    "ones_like",
    "range",
    "rank",
    "saturate_cast",
    "sequence_mask",
    "shape",
    "shape_n",
    "size",
    "zeros",
    "zeros_like",
]


def _no_layout(layout: Any) -> None:
    if layout is not None:
        raise NotSupportedError("`layout` belongs to DTensor, which is not offered; leave it out.")


# --- conversion ----------------------------------------------------------------------------------
@face
def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """Tensor of a Python value, NumPy array, variable or tensor.

    Python floats become float32, Python ints int32 (int64 beyond its range), NumPy arrays keep their dtype.

    Args:
        value: what to convert.
        dtype: dtype of the result.
        dtype_hint: dtype to use if the value can take it and ``dtype`` is not given.

    Raises:
        ValueError: a tensor of another dtype; use ``tf.cast``.

    References: TensorFlow `tf.convert_to_tensor`.
    """
    given = isinstance(value, (Tensor, Variable, KerasTensor, jax.Array))
    if given and dtype is not None and dtypes.as_dtype(value.dtype) != dtypes.as_dtype(dtype):
        raise ValueError(
            f"convert_to_tensor keeps the dtype of a tensor, {dtypes.as_dtype(value.dtype).name} here, and makes no "
            f"{dtypes.as_dtype(dtype).name} of it; use tf.cast. Received: {value!r}"
        )
    if dtype is None and dtype_hint is not None and not given:
        try:
            return _from_python(value, dtypes.as_dtype(dtype_hint))
        except (TypeError, ValueError):
            return tensor(value)
    return tensor(value) if dtype is None else _from_python(value, dtypes.as_dtype(dtype))


def _from_python(value: Any, dtype: dtypes.DType) -> Any:
    """Tensor of a dtype; fractions and strings are not made integers."""
    if isinstance(value, (Tensor, Variable, KerasTensor, jax.Array)) or dtype == "string":
        return ops.convert_to_tensor(value, dtype)
    if not isinstance(value, (np.ndarray, np.generic)):
        held = dtype_of(value)
        wrong = (
            (held.is_floating and (dtype.is_integer or dtype.is_bool))
            or held == "string"
            or (held.is_complex and not dtype.is_complex)
        )
        wrong = wrong and np.size(value) > 0
        if wrong or (dtype.is_bool and not held.is_bool and np.size(value)):
            raise TypeError(f"Cannot convert {value!r} to a tensor of dtype {dtype.name}.")
    return ops.convert_to_tensor(value, dtype)


@face
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = "Const") -> Any:
    """Tensor of a Python value or NumPy array; a single value fills the whole ``shape``.

    References: TensorFlow `tf.constant`.
    """
    is_tensor_already = isinstance(value, (Tensor, Variable, KerasTensor, jax.Array))
    if dtype is not None and is_tensor_already:
        made = cast(value, dtype)
    else:
        made = tensor(value) if dtype is None else _from_python(value, dtypes.as_dtype(dtype))
    if shape is None:
        return made
    sizes = _sizes(shape)
    if isinstance(made, HostTensor):
        array = made._value
        return HostTensor(np.full(sizes, array.item(), object) if array.size == 1 else array.reshape(sizes))
    if made.size == shapes.count(sizes):
        return ops.reshape(made, sizes)
    if made.size == 1:
        return ops.broadcast_to(ops.reshape(made, ()), sizes)
    raise TypeError(f"tf.constant: the value has {made.size} elements, which do not fill shape {sizes}.")


@face
def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """The tensor in another dtype; floats to integers are cut off towards zero.

    Raises:
        tf.errors.UnimplementedError: strings; use ``tf.strings.to_number``.
    """
    wanted = dtypes.as_dtype(dtype)
    if hasattr(x, "dense_shape") and hasattr(x, "with_values"):
        return x.with_values(cast(x.values, wanted))  # a sparse tensor
    x = tensor(x)
    if x.dtype == wanted:
        return x
    if isinstance(x, HostTensor) or wanted == "string":
        raise UnimplementedError(
            None,
            None,
            f"Cast {x.dtype.name} to {wanted.name} is not supported; see tf.strings.to_number and as_string.",
        )
    return ops.cast(ops.real(x) if x.dtype.is_complex and not wanted.is_complex else x, wanted)


@face
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Any:
    """``cast`` after clipping to the limits of the dtype."""
    return ops.saturate_cast(tensor(value), dtypes.as_dtype(dtype))


@op(static=("dtype",))
def _bitcast(x: Any, dtype: Any) -> Any:
    return jax.lax.bitcast_convert_type(promote(x)[0], dtypes.as_dtype(dtype).as_numpy_dtype)


@face
def bitcast(input: Any, type: Any, name: str | None = None) -> Any:
    """The same bits read as another dtype; a size ratio other than 1 removes or adds a last axis."""
    return _bitcast(tensor(input), dtypes.as_dtype(type))


@op
def _complex(real: Any, imag: Any) -> Any:
    return jax.lax.complex(*promote(real, imag, at_least="float32"))


@face
def complex(real: Any, imag: Any, name: str | None = None) -> Any:
    """Complex numbers of real and imaginary parts: complex64 of float32, complex128 of float64."""
    return _complex(*tensors(real, imag))


@face(strings=("input",))
def identity(input: Any, name: str | None = None) -> Any:
    """The tensor itself; of a variable its present value."""
    return ops.copy(input) if isinstance(input, (Tensor, KerasTensor)) else tensor(input)


def identity_n(input: Any, name: str | None = None) -> list:
    """A list of tensors, each through ``identity``."""
    return [identity(item) for item in input]


def is_tensor(x: Any) -> bool:
    """True for tensors, symbolic tensors, variables and JAX arrays; False for NumPy arrays and numbers.

    References: TensorFlow `tf.is_tensor`.
    """
    return isinstance(x, (Tensor, Variable, KerasTensor, jax.Array))


def is_symbolic_tensor(tensor: Any) -> bool:
    """True for tensors without values: those of the functional API, and those inside of compiled functions.

    References: TensorFlow `tf.is_symbolic_tensor`.
    """
    return isinstance(tensor, KerasTensor) or (isinstance(tensor, Tensor) and not is_known(tensor))


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The values as NumPy if they are known now, else None; ``partial`` changes nothing for whole tensors."""
    if isinstance(tensor, KerasTensor) or not is_known(tensor):
        return None
    return np.asarray(tensor) if not isinstance(tensor, HostTensor) else tensor.numpy()


# --- facts ---------------------------------------------------------------------------------------
def _int_type(out_type: Any) -> np.dtype:
    return np.dtype(dtypes.as_dtype("int32" if out_type is None else out_type).as_numpy_dtype)


def shape(input: Any, out_type: Any = None, name: str | None = None) -> Any:
    """Sizes of the axes as an int32 (or ``out_type``) tensor, which is known also inside compiled functions.

    Of a symbolic tensor with unknown sizes the result is symbolic too; it may be the shape in ``tf.reshape``,
    ``tf.zeros`` and the like.
    """
    if hasattr(input, "dynamic_shape"):
        return input.dynamic_shape(_int_type(out_type))
    sizes = shape_of(input)
    if None in sizes:
        found = graph_call(shape, (input, out_type), {}, name=names.auto_name("shape"))
        found._from_sizes = True
        return found
    with jax.ensure_compile_time_eval():
        return from_host(np.asarray(sizes, _int_type(out_type)))


def shape_n(input: Any, out_type: Any = "int32", name: str | None = None) -> list:
    """``shape`` of each tensor of a list."""
    return [shape(item, out_type) for item in input]


def rank(input: Any, name: str | None = None) -> Any:
    """Number of axes, an int32 tensor."""
    with jax.ensure_compile_time_eval():
        return from_host(np.asarray(len(shape_of(input)), np.int32))


def size(input: Any, out_type: Any = None, name: str | None = None) -> Any:
    """Number of elements, an int32 (or ``out_type``) tensor; symbolic for a symbolic one with unknown sizes."""
    input = getattr(input, "flat_values", input)
    if None in shape_of(input):
        return graph_call(size, (input, out_type), {}, name=names.auto_name("size"))
    with jax.ensure_compile_time_eval():
        return from_host(np.asarray(shapes.count(shape_of(input)), _int_type(out_type)))


# --- constants -----------------------------------------------------------------------------------
def _sizes(shape: Any) -> tuple[Any, ...]:
    found = static_value(list(shape) if isinstance(shape, (list, tuple)) else shape, "shape")
    return shapes.standardize(found)


def _filled(value: Any, shape: Any, dtype: Any) -> Any:
    wanted = dtypes.as_dtype(dtype)
    if wanted == "string":
        return HostTensor(np.full(_sizes(shape), b"" if not isinstance(value, bytes) else value, object))
    return ops.full(_sizes(shape), value, wanted)


@face
def zeros(shape: Any, dtype: Any = "float32", name: str | None = None, layout: Any = None) -> Any:
    """Zeros (empty strings for ``tf.string``)."""
    _no_layout(layout)
    return _filled(0, shape, dtype)


@face
def ones(shape: Any, dtype: Any = "float32", name: str | None = None, layout: Any = None) -> Any:
    """Ones."""
    _no_layout(layout)
    return _filled(1, shape, dtype)


@face(strings=("value",))
def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Any:
    """One value everywhere, in its own dtype."""
    _no_layout(layout)
    value = tensor(value)
    return ops.full(_sizes(dims), value, value.dtype)


@face
def zeros_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Any:
    """Zeros in the shape (and dtype) of a tensor."""
    _no_layout(layout)
    if dtype_of(input) == "string" and dtype in (None, "string"):
        return _filled(b"", shape_of(input), "string")
    return ops.zeros_like(tensor(input), dtype=None if dtype is None else dtypes.as_dtype(dtype))


@face
def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Any:
    """Ones in the shape (and dtype) of a tensor."""
    _no_layout(layout)
    return ops.ones_like(tensor(input), dtype=None if dtype is None else dtypes.as_dtype(dtype))


# --- ranges and grids ----------------------------------------------------------------------------
@face
def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = "range") -> Any:
    """Numbers from ``start`` up to, but without, ``limit``, in steps of ``delta``; ``range(n)`` starts at 0.

    Ints give int32, floats float32, tensors their common dtype. The values must be known now, because they decide
    the shape.
    """
    if limit is None:
        start, limit = 0, start
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    return ops.arange(start, limit, delta, dtype=wanted)


@face
def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> Any:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, both included; ints become float64."""
    start, stop = tensors(start, stop)
    if start.dtype.is_integer and stop.dtype.is_integer:
        start, stop = ops.cast(start, "float64"), ops.cast(stop, "float64")
    return ops.linspace(start, stop, int(static_value(num, "num")), axis=axis)


@face
def eye(
    num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = "float32", name: str | None = None
) -> Any:
    """Matrix with ones on the diagonal, repeated over ``batch_shape``."""
    rows = int(static_value(num_rows, "num_rows"))
    columns = rows if num_columns is None else int(static_value(num_columns, "num_columns"))
    matrix = ops.eye(rows, columns, dtype=dtypes.as_dtype(dtype))
    return matrix if batch_shape is None else ops.broadcast_to(matrix, (*_sizes(batch_shape), rows, columns))


@face
def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """``on_value`` at the place that each integer names on a new axis of size ``depth``, ``off_value`` elsewhere.

    Integers outside ``[0, depth)`` give ``off_value`` everywhere. The values are 1 and 0 by default, of float32.
    """
    values = [value for value in (on_value, off_value) if value is not None]
    if dtype is None:
        dtype = dtypes.result_type(*(dtype_of(value) for value in values)) if values else "float32"
    depth, axis = int(static_value(depth, "depth")), -1 if axis is None else axis
    if not values:
        return ops.one_hot(tensor(indices), depth, axis=axis, dtype=dtypes.as_dtype(dtype))
    hot = ops.one_hot(tensor(indices), depth, axis=axis, dtype="bool")
    return kept(ops.where(hot, 1 if on_value is None else on_value, 0 if off_value is None else off_value), dtype)


@face(strings=())
def meshgrid(*args: Any, indexing: str = "xy", name: str | None = None) -> list:
    """Coordinate grids of vectors; ``indexing="ij"`` keeps the order of axes, ``"xy"`` exchanges the first two."""
    return ops.meshgrid(*(tensor(arg) for arg in args), indexing=indexing)


@op(static=("maxlen", "dtype"))
def _sequence_mask(lengths: Any, maxlen: int, dtype: Any) -> Any:
    lengths = promote(lengths)[0]
    return to_dtype(jnp.arange(maxlen, dtype=lengths.dtype) < lengths[..., None], dtype)


@face
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: str | None = None) -> Any:
    """For each length a row of ``maxlen`` places, true for the first ``length`` of them.

    ``maxlen`` is the largest length by default, which must then be known now.
    """
    lengths = tensor(lengths)
    if maxlen is None:
        if not is_known(lengths):
            raise InvalidArgumentError(None, None, "tf.sequence_mask: give `maxlen` inside compiled functions.")
        found = np.asarray(lengths)
        maxlen = builtins.max(0, int(found.max())) if found.size else 0
    return _sequence_mask(lengths, int(static_value(maxlen, "maxlen")), dtypes.as_dtype(dtype))
