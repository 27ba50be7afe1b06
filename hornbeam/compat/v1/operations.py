"""Operations that TensorFlow 1 called otherwise."""

from __future__ import annotations

from typing import Any

from hornbeam import linalg, math, random
from hornbeam.tensors import creation

matrix_inverse = linalg.inv
matrix_determinant = linalg.det
matrix_transpose = linalg.matrix_transpose
diag = linalg.diag
diag_part = linalg.diag_part
random_normal = random.normal
random_uniform = random.uniform
truncated_normal = random.truncated_normal
random_shuffle = random.shuffle
multinomial = random.categorical
arg_max = math.argmax
arg_min = math.argmin
div = math.divide
mod = math.floormod
ceil = math.ceil
is_nan = math.is_nan
is_inf = math.is_inf
log = math.log
log1p = math.log1p
expm1 = math.expm1
erf = math.erf
lgamma = math.lgamma
rsqrt = math.rsqrt
global_norm = math.global_norm


def to_float(x: Any, name: str | None = None) -> Any:
    """The tensor as float32."""
    return creation.cast(x, "float32")


def to_double(x: Any, name: str | None = None) -> Any:
    """The tensor as float64."""
    return creation.cast(x, "float64")


def to_int32(x: Any, name: str | None = None) -> Any:
    """The tensor as int32."""
    return creation.cast(x, "int32")


def to_int64(x: Any, name: str | None = None) -> Any:
    """The tensor as int64."""
    return creation.cast(x, "int64")


def log_sigmoid(x: Any, name: str | None = None) -> Any:
    """Logarithm of the sigmoid."""
    return -math.softplus(-x)


def assign(ref: Any, value: Any, **options: Any) -> Any:
    """Set a variable."""
    return ref.assign(value)


def assign_add(ref: Any, value: Any, **options: Any) -> Any:
    """Add to a variable."""
    return ref.assign_add(value)


def assign_sub(ref: Any, value: Any, **options: Any) -> Any:
    """Subtract from a variable."""
    return ref.assign_sub(value)


def dimension(value: Any) -> Any:
    """A size: a number, or None."""
    return value


def _reduction(name: str) -> Any:
    today = getattr(math, name)

    def reduce(
        input_tensor: Any,
        axis: Any = None,
        keepdims: Any = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: Any = None,
    ) -> Any:
        axis = reduction_indices if axis is None else axis
        return today(input_tensor, axis=axis, keepdims=bool(keep_dims if keepdims is None else keepdims))

    reduce.__name__ = name
    reduce.__doc__ = f"``tf.{name}``, with ``reduction_indices`` for ``axis`` and ``keep_dims`` for ``keepdims`` too."
    return reduce


reduce_sum = _reduction("reduce_sum")
reduce_mean = _reduction("reduce_mean")
reduce_max = _reduction("reduce_max")
reduce_min = _reduction("reduce_min")
reduce_prod = _reduction("reduce_prod")
reduce_all = _reduction("reduce_all")
reduce_any = _reduction("reduce_any")
