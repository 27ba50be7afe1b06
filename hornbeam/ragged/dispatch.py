"""What the functions of ``tf`` do with ragged tensors: on their values where rows do not matter, else row by row.

`hornbeam.tensors.face` hands a call over to `call_function` when one of its arguments is a ragged tensor. The plain
function then runs on tensors, so each function has one meaning and one gradient.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError
from hornbeam.ragged import joining, reducing, rows
from hornbeam.ragged.construct import boolean_mask
from hornbeam.ragged.operators import map_flat_values
from hornbeam.ragged.tensor import RaggedTensor

__all__ = ["call_function"]

ON_VALUES = frozenset(
    [
        "abs",
        "acos",
        "acosh",
        "add",
        "angle",
        "asin",
        "asinh",
        "as_string",
        "atan",
        "atan2",
        "atanh",
        "bitcast",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "cast",
        "ceil",
        "check_numerics",
        "clip_by_value",
        "complex",
        "conj",
        "cos",
        "cosh",
        "digamma",
        "div_no_nan",
        "divide",
        "divide_no_nan",
        "dropout",
        "elu",
        "equal",
        "erf",
        "erfc",
        "erfcinv",
        "erfinv",
        "exp",
        "expm1",
        "floor",
        "floor_div",
        "floordiv",
        "floormod",
        "gelu",
        "greater",
        "greater_equal",
        "identity",
        "imag",
        "invert",
        "is_finite",
        "is_inf",
        "is_nan",
        "leaky_relu",
        "left_shift",
        "less",
        "less_equal",
        "lgamma",
        "log",
        "log1p",
        "log_sigmoid",
        "logical_and",
        "logical_not",
        "logical_or",
        "logical_xor",
        "maximum",
        "minimum",
        "mod",
        "multiply",
        "multiply_no_nan",
        "ndtri",
        "neg",
        "negative",
        "not_equal",
        "one_hot",
        "ones_like",
        "pow",
        "real",
        "reciprocal",
        "reciprocal_no_nan",
        "relu",
        "relu6",
        "right_shift",
        "rint",
        "round",
        "rsqrt",
        "saturate_cast",
        "scalar_mul",
        "selu",
        "sigmoid",
        "sign",
        "silu",
        "sin",
        "sinh",
        "softplus",
        "softsign",
        "sqrt",
        "square",
        "squared_difference",
        "stop_gradient",
        "subtract",
        "swish",
        "tan",
        "tanh",
        "to_bfloat16",
        "to_double",
        "to_float",
        "to_int32",
        "to_int64",
        "truediv",
        "truncatediv",
        "truncatemod",
        "xdivy",
        "xlog1py",
        "xlogy",
        "zeros_like",
    ]
)
"""Functions that give a value for each value (or for each several ones of the same rows)."""


def call_function(name: str, function: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Result of a function with ragged arguments.

    Args:
        name: name of the function.
        function: the function on tensors.
        args: arguments, ragged tensors among them.
        kwargs: keyword arguments.

    Raises:
        NotSupportedError: the function has no meaning for rows of unequal length here.
    """
    if name in ON_VALUES:
        return map_flat_values(function, *args, **kwargs)
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    given = dict(bound.arguments)
    if name in reducing.REDUCTIONS:
        return reducing.reduced(name, given["input_tensor"], given["axis"], bool(given["keepdims"]), function)
    handler = _HANDLERS.get(name)
    if handler is None:
        raise NotSupportedError(
            f"tf.{name} takes no ragged tensors.\n"
            "  fix:      call x.to_tensor() first, or tf.ragged.map_flat_values for a function of each value"
        )
    return handler(function, given)


def _where(function: Callable, given: dict[str, Any]) -> Any:
    condition, x, y = given["condition"], given["x"], given["y"]
    if x is None and y is None:
        return joining.places_of(condition)
    return map_flat_values(function, condition, x, y)


def _gather(function: Callable, given: dict[str, Any]) -> Any:
    params, indices = given["params"], given["indices"]
    axis, batch_dims = given.get("axis"), int(given.get("batch_dims") or 0)
    if isinstance(params, RaggedTensor):
        return joining.gathered(params, indices, int(axis if axis is not None else batch_dims), batch_dims)
    if batch_dims or axis not in (None, 0):
        raise NotSupportedError("tf.gather with ragged `indices` takes axis=0 and batch_dims=0.")
    return indices.with_flat_values(function(params, indices.flat_values))


def _squeeze(function: Callable, given: dict[str, Any]) -> Any:
    x, axis = given["input"], given["axis"]
    if not isinstance(axis, int):
        if not isinstance(axis, (list, tuple)) or len(axis) != 1:
            raise NotSupportedError("tf.squeeze of a ragged tensor takes one `axis`.")
        axis = axis[0]
    return joining.squeezed(x, axis + x.ndim if axis < 0 else axis)


def _tile(_: Callable, given: dict[str, Any]) -> Any:
    x = given["input"]
    for axis, count in enumerate(rows.whole_numbers(given["multiples"]).tolist()):
        x = joining.concatenated([x] * count, axis) if count != 1 else x
    return x


def _embedded(function: Callable, given: dict[str, Any]) -> Any:
    rest = {key: value for key, value in given.items() if key not in ("params", "ids")}
    return given["ids"].with_flat_values(function(given["params"], given["ids"].flat_values, **rest))


def _softmax(_: Callable, given: dict[str, Any]) -> Any:
    x = given["logits"]
    axis = -1 if given["axis"] is None else given["axis"]
    return reducing.softmax(x, axis + x.ndim if axis < 0 else axis)


_HANDLERS: dict[str, Callable] = {
    "boolean_mask": lambda _, given: boolean_mask(given["tensor"], given["mask"]),
    "concat": lambda _, given: joining.concatenated(list(given["values"]), int(given["axis"])),
    "embedding_lookup": _embedded,
    "expand_dims": lambda _, given: joining.expanded(given["input"], int(given["axis"])),
    "gather": _gather,
    "reverse": lambda _, given: joining.reversed_along(given["tensor"], rows.whole_numbers(given["axis"]).tolist()),
    "softmax": _softmax,
    "squeeze": _squeeze,
    "stack": lambda _, given: joining.stacked(list(given["values"]), int(given["axis"])),
    "tile": _tile,
    "where": _where,
}


def _call(self: RaggedTensor, name: str, function: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    return call_function(name, function, args, kwargs)


def mapped_rows(fn: Callable, elems: Any, ragged_result: bool) -> Any:
    """Results of a function for each row (of each of several ragged or dense tensors), as rows of a tensor."""
    leaves = trees.flatten(elems)
    count = len(next(leaf for leaf in leaves if isinstance(leaf, RaggedTensor)))
    results = [fn(trees.pack(elems, [leaf[place] for leaf in leaves])) for place in range(count)]
    parts = zip(*(trees.flatten(result) for result in results), strict=True)
    return trees.pack(results[0], [joining.stacked(list(part), 0, ragged_result) for part in parts])


RaggedTensor.call_function = _call
RaggedTensor.dynamic_shape = lambda self, dtype: joining.RaggedShape(self, dtype)
RaggedTensor.map_rows = staticmethod(mapped_rows)
