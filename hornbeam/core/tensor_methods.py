"""Operators and methods of tensors, variables and symbolic tensors, filled in from the ops.

The classes live below the ops, so ``hornbeam.ops`` hands its functions in when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hornbeam.core.numpy_functions import array_function
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Reference, Tensor
from hornbeam.core.variable import Variable

_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "left_shift",
    "rshift": "right_shift",
}
_COMPARE = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
_UNARY = {"neg": "negative", "abs": "absolute", "invert": "bitwise_invert"}
# Methods of NumPy and JAX arrays that Keras code calls on tensors.
_METHODS = {
    "sum": "sum",
    "mean": "mean",
    "prod": "prod",
    "std": "std",
    "var": "var",
    "any": "any",
    "all": "all",
    "max": "max",
    "min": "min",
    "argmax": "argmax",
    "argmin": "argmin",
    "argsort": "argsort",
    "clip": "clip",
    "cumsum": "cumsum",
    "cumprod": "cumprod",
    "dot": "matmul",
    "flatten": "ravel",
    "ravel": "ravel",
    "squeeze": "squeeze",
    "swapaxes": "swapaxes",
    "take": "take",
    "conj": "conjugate",
    "round": "round",
    "diagonal": "diagonal",
    "trace": "trace",
    "repeat": "repeat",
}


def install(ops: Mapping[str, Callable]) -> None:
    """Put operators and methods on the three tensor classes."""
    for kind in (Tensor, Variable, KerasTensor):
        for name, function in _members(ops).items():
            setattr(kind, name, function)
        kind.__array_function__ = array_function  # type: ignore[attr-defined]
    for kind in (Tensor, KerasTensor):
        kind.__eq__ = _equality(ops["equal"], True)  # type: ignore[method-assign]
        kind.__ne__ = _equality(ops["not_equal"], False)  # type: ignore[method-assign]
    # Variables compare by value too, yet stay hashable, as in TensorFlow.
    Variable.__eq__ = _equality(ops["equal"], True)  # type: ignore[method-assign]
    Variable.__ne__ = _equality(ops["not_equal"], False)  # type: ignore[method-assign]


def _members(ops: Mapping[str, Callable]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, op_name in _BINARY.items():
        function = ops[op_name]
        found[f"__{name}__"] = _forward(function)
        found[f"__r{name}__"] = _reflected(function)
    for name, op_name in _COMPARE.items():
        found[f"__{name}__"] = _forward(ops[op_name])
    for name, op_name in _UNARY.items():
        found[f"__{name}__"] = _one(ops[op_name])
    for name, op_name in _METHODS.items():
        found[name] = _method(ops[op_name])
    found["__pos__"] = lambda self: self
    get_item, reshape, transpose, cast = ops["get_item"], ops["reshape"], ops["transpose"], ops["cast"]
    found["__getitem__"] = lambda self, key: get_item(self, key)
    found["reshape"] = lambda self, *shape: reshape(self, shape[0] if len(shape) == 1 else shape)
    found["transpose"] = lambda self, *axes: transpose(self, axes[0] if len(axes) == 1 else axes or None)
    found["T"] = property(lambda self: transpose(self))
    found["astype"] = lambda self, dtype: cast(self, dtype)
    found["at"] = property(lambda self: _At(self, ops))
    return found


def _forward(function: Callable) -> Callable:
    def operator(self: Any, other: Any) -> Any:
        return function(self, other) if _can_take(other) else NotImplemented

    return operator


def _reflected(function: Callable) -> Callable:
    def operator(self: Any, other: Any) -> Any:
        return function(other, self) if _can_take(other) else NotImplemented

    return operator


def _one(function: Callable) -> Callable:
    def operator(self: Any) -> Any:
        return function(self)

    return operator


def _method(function: Callable) -> Callable:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__doc__ = f"Same as ``keras.ops.{function.__name__}`` on this tensor."
    return method


def _can_take(other: Any) -> bool:
    return other is not None and not isinstance(other, (dict, Reference))


def _equality(function: Callable, same: bool) -> Callable:
    def operator(self: Any, other: Any) -> Any:
        if self is other and isinstance(self, KerasTensor):
            return same
        if other is None or isinstance(other, (dict, type)):
            return not same
        if isinstance(self, KerasTensor) or isinstance(other, KerasTensor):
            return function(self, other) if hasattr(other, "shape") else not same
        try:
            return function(self, other)
        except (TypeError, ValueError):
            # Shapes that do not broadcast are simply not equal, as in TensorFlow.
            return not same

    return operator


class _At:
    """``x.at[index].set(values)`` and its kin, as JAX arrays have them."""

    def __init__(self, tensor: Any, ops: Mapping[str, Callable]) -> None:
        self._tensor, self._ops = tensor, ops

    def __getitem__(self, key: Any) -> _AtIndex:
        return _AtIndex(self._tensor, key, self._ops)


class _AtIndex:
    def __init__(self, tensor: Any, key: Any, ops: Mapping[str, Callable]) -> None:
        self._tensor, self._key, self._update = tensor, key, ops["update_at"]

    def set(self, values: Any) -> Any:
        """Copy with the entries replaced."""
        return self._update(self._tensor, values, self._key, "set")

    def add(self, values: Any) -> Any:
        """Copy with the entries increased."""
        return self._update(self._tensor, values, self._key, "add")

    def multiply(self, values: Any) -> Any:
        """Copy with the entries multiplied."""
        return self._update(self._tensor, values, self._key, "multiply")

    def min(self, values: Any) -> Any:
        """Copy with the entries bounded from above."""
        return self._update(self._tensor, values, self._key, "min")

    def max(self, values: Any) -> Any:
        """Copy with the entries bounded from below."""
        return self._update(self._tensor, values, self._key, "max")
