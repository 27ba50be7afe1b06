"""Arguments of an op call, sorted into static values and array leaves, whatever form the caller gave them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes, settings, trees
from hornbeam.base.errors import TraceError
from hornbeam.base.shapes import TensorShape
from hornbeam.core.scopes import scopes
from hornbeam.core.symbolic import KerasTensor, from_sizes
from hornbeam.core.tensor import HostTensor, ReadValue, Tensor, WideTensor, from_host
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer

SCALARS = frozenset({float, int, bool, type(None), str, dtypes.DType})
INT_LIMIT = 2**31
_WIDE = dtypes.WIDE
GAP = "\0gap"
"""Prefix of the keys under which static values given by position are kept."""


class Inputs:
    """Arguments of one call, sorted: static values apart, array leaves with the objects they came from."""

    __slots__ = ("arrays", "has_host", "has_raw", "has_symbolic", "has_tensor", "leaves", "static", "wide")

    def __init__(self) -> None:
        self.arrays: tuple[list, dict] = ([], {})
        self.static: dict[str, Any] = {}
        self.leaves: list[Any] = []
        self.has_tensor = self.has_raw = self.has_symbolic = self.has_host = self.wide = False

    def note(self, item: Any) -> None:
        kind = type(item)
        if kind is Tensor or issubclass(kind, ReadValue):
            self.has_tensor = True
        elif kind is WideTensor:
            self.has_tensor = self.wide = True
        elif kind is HostTensor:
            self.has_host = True
        elif isinstance(item, Variable):
            self.has_tensor = True
            self.wide = self.wide or item._dtype in _WIDE
        elif isinstance(item, KerasTensor):
            self.has_symbolic = True
            self.wide = self.wide or item._dtype in _WIDE
        elif isinstance(item, (jax.Array, Tracer)):
            self.has_raw = True
            self.wide = self.wide or (item.dtype.itemsize == 8 and item.dtype.name in _WIDE)


def sort_arguments(self: Any, args: tuple, kwargs: dict[str, Any]) -> Inputs:
    """Sort the arguments of a call of the op ``self``; static ones given by position are kept under ``GAP``."""
    inputs = Inputs()
    positional, named = inputs.arrays
    parameter_names = self.parameter_names
    count = len(parameter_names)
    for position, arg in enumerate(args):
        if position < count:
            name = parameter_names[position]
            if name in self.static and from_sizes((arg,)):
                inputs.has_symbolic = True
            elif name in self.static:
                inputs.static[f"{GAP}{position}"] = static_value(arg, name)
                inputs.wide = inputs.wide or _is_wide_name(inputs.static[f"{GAP}{position}"])
            else:
                positional.append(_array_argument(self, name, arg, inputs))
        elif self.variadic:
            positional.append(_array_argument(self, self.variadic, arg, inputs))
        else:
            raise TypeError(f"{self.name}() takes {count} positional arguments but {len(args)} were given.")
    for name, arg in kwargs.items():
        if name in self.static and from_sizes((arg,)):
            inputs.has_symbolic = True
        elif name in self.static:
            inputs.static[name] = static_value(arg, name)
            inputs.wide = inputs.wide or _is_wide_name(inputs.static[name])
        else:
            named[name] = _array_argument(self, name, arg, inputs)
    if self.adapt:
        _adapt(positional, named, inputs, self.keeps_dtypes or scopes.own_dtypes)
    else:
        inputs.arrays = (
            [_device(item, inputs) for item in positional],
            {k: _device(v, inputs) for k, v in named.items()},
        )
    return inputs


def _is_wide_name(value: Any) -> bool:
    return isinstance(value, str) and value in _WIDE


def static_value(value: Any, name: str = "") -> Any:
    """A hashable Python value: lists become tuples, tensors and NumPy values become numbers."""
    kind = type(value)
    if kind in SCALARS:
        return value
    if name == "dtype" or name == "output_type" or name == "out_type":
        return dtypes.as_dtype(value)
    if kind is list or kind is tuple or isinstance(value, (list, tuple)):
        if isinstance(value, TensorShape):
            return tuple(value)
        return tuple(static_value(item, name) for item in value)
    if isinstance(value, (Tensor, Variable)):
        array = value.read_array() if isinstance(value, Variable) else value._value
        if isinstance(array, Tracer):
            raise TraceError(
                f"Argument `{name}` must be known when the function is compiled, but it is a tensor computed inside "
                "it. Use a Python value, or sizes from `x.shape`."
            )
        return _tuples(np.asarray(array).tolist())
    if isinstance(value, (np.ndarray, np.generic)):
        return _tuples(value.tolist())
    if isinstance(value, jax.Array) and not isinstance(value, Tracer):
        return _tuples(np.asarray(value).tolist())
    if isinstance(value, (KerasTensor, Tracer)):
        what = "a symbolic tensor" if isinstance(value, KerasTensor) else "a value that is not known yet"
        raise TraceError(f"Argument `{name}` must be a Python value, not {what}: {value!r}.")
    return value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


_ARRAYS = (Tensor, Variable, KerasTensor, jax.Array)


def _array_argument(self: Any, name: str, arg: Any, inputs: Inputs) -> Any:
    """One array argument as tensor, variable, array, scalar, None, or (for list parameters) a nesting of them."""
    kind = type(arg)
    if kind is Tensor or kind is float or kind is bool or arg is None:
        inputs.note(arg)
        return arg
    if kind is int:
        return arg if -INT_LIMIT <= arg < INT_LIMIT else np.asarray(arg)
    if isinstance(arg, (Tensor, Variable, KerasTensor, jax.Array, Tracer)):
        inputs.note(arg)
        return arg
    if name in self.lists:
        if isinstance(arg, (list, tuple)):
            return [_array_argument(self, name, item, inputs) for item in arg]
        if isinstance(arg, dict):
            return {key: _array_argument(self, name, item, inputs) for key, item in arg.items()}
    return _from_outside(arg, inputs)


def _from_outside(arg: Any, inputs: Inputs) -> Any:
    """NumPy form of anything else: arrays, nested lists (also of tensors), other libraries' arrays, strings."""
    if isinstance(arg, (list, tuple)):
        leaves = trees.flatten(arg)
        if any(isinstance(leaf, _ARRAYS) or hasattr(type(leaf), "__jax_array__") for leaf in leaves):
            return _stacked(arg, inputs)
        array = np.asarray(arg)
        if array.dtype == np.float64 and not any(isinstance(leaf, (np.generic, np.ndarray)) for leaf in leaves):
            array = array.astype(dtypes.as_dtype(settings.floatx()).as_numpy_dtype)
        elif array.dtype == np.int64 and (not array.size or np.abs(array).max() < INT_LIMIT):
            array = array.astype(np.int32)
    elif isinstance(arg, complex) and not isinstance(arg, np.generic):
        return arg
    elif (to_dense := getattr(arg, "todense", None)) is not None:
        dense = to_dense()
        if isinstance(dense, (Tensor, jax.Array)):
            inputs.note(dense)
            return dense
        array = np.asarray(dense)
    elif hasattr(type(arg), "__jax_array__"):
        # A size that is unknown while a program for any size is traced.
        array = jnp.asarray(arg)
        inputs.note(array)
        return array
    else:
        array = np.asarray(arg)
    if array.dtype.kind in "SUO":
        host = from_host(array)
        inputs.note(host)
        return host
    return array


class Stacked(list):
    """A nested list with tensors in it, given where one array is expected; ``resolved`` stacks it."""


jax.tree_util.register_pytree_node(Stacked, lambda parts: (tuple(parts), None), lambda _, parts: Stacked(parts))


def resolved(argument: Any) -> Any:
    """Nested lists of arrays that stand for one array, stacked."""
    if isinstance(argument, Stacked):
        parts = [resolved(part) for part in argument]
        common = jnp.result_type(*parts)
        return jnp.stack([jnp.asarray(part, common) for part in parts])
    if type(argument) is list:
        return [resolved(part) for part in argument]
    return argument


def _stacked(arg: Any, inputs: Inputs) -> Any:
    parts = Stacked()
    for item in arg:
        if isinstance(item, (list, tuple)):
            parts.append(_stacked(item, inputs))
        elif not isinstance(item, _ARRAYS) and hasattr(type(item), "__jax_array__"):
            parts.append(_from_outside(item, inputs))
        else:
            inputs.note(item)
            parts.append(item)
    return parts


def _device(item: Any, inputs: Inputs) -> Any:
    """NumPy leaves are given to the program as they are; only their width is noted."""
    if isinstance(item, list):
        return type(item)(_device(part, inputs) for part in item)
    if isinstance(item, dict):
        return {key: _device(part, inputs) for key, part in item.items()}
    if isinstance(item, np.ndarray):
        if item.dtype.byteorder not in "=|":
            item = item.astype(item.dtype.newbyteorder("="))
        if item.dtype.name in _WIDE:
            inputs.wide = True
    return item


_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}


def _adapt(positional: list, named: dict[str, Any], inputs: Inputs, keeps_dtypes: bool) -> None:
    """Binary ops: NumPy operands take the dtype of the tensor beside them, unless that would lose their kind.

    With ``keeps_dtypes`` they only become 32-bit, unless an operand is a 64-bit tensor.
    """
    given = trees.flatten((positional, named))
    tensor = next((item for item in given if isinstance(item, (Tensor, Variable, KerasTensor, jax.Array))), None)
    wanted = None if tensor is None or isinstance(tensor, HostTensor) else np.dtype(_np_dtype(tensor))
    inputs.arrays = (
        [_adapted(item, wanted, inputs, keeps_dtypes) for item in positional],
        {name: _adapted(item, wanted, inputs, keeps_dtypes) for name, item in named.items()},
    )


def _adapted(item: Any, wanted: np.dtype | None, inputs: Inputs, keeps_dtypes: bool) -> Any:
    if isinstance(item, list):
        return type(item)(_adapted(part, wanted, inputs, keeps_dtypes) for part in item)
    if isinstance(item, np.ndarray) and wanted is not None and keeps_dtypes:
        return _device(item if inputs.wide else _narrowed(item), inputs)
    if isinstance(item, np.ndarray) and wanted is not None:
        if _KINDS.get(item.dtype.kind, 9) <= _KINDS.get(wanted.kind, 2) and _fits(item, wanted):
            return item.astype(wanted)
        if item.dtype == np.float64 and not inputs.wide:
            return item.astype(np.float32)
    return _device(item, inputs)


_NARROW = {"float64": np.float32, "int64": np.int32, "uint64": np.uint32, "complex128": np.complex64}


def _narrowed(array: np.ndarray) -> np.ndarray:
    """The array in 32-bit numbers, unless integers would wrap around."""
    narrow = _NARROW.get(array.dtype.name)
    return array if narrow is None or not _fits(array, np.dtype(narrow)) else array.astype(narrow)


def _fits(array: np.ndarray, wanted: np.dtype) -> bool:
    """False if integers would wrap around; the data is on the host, so looking at it is cheap."""
    if wanted.kind not in "iu" or array.dtype.kind not in "iu" or not array.size:
        return True
    limits = np.iinfo(wanted)
    return limits.min <= int(array.min()) and int(array.max()) <= limits.max


def _np_dtype(item: Any) -> Any:
    if isinstance(item, jax.Array):
        return item.dtype
    return item.dtype.as_numpy_dtype


def value_of(item: Any) -> Any:
    """Arrays in place of tensors and variables, in any nesting."""
    if isinstance(item, Tensor):
        return item._value
    if isinstance(item, Variable):
        return item.read_array()
    if isinstance(item, list):
        return type(item)(value_of(part) for part in item)
    if isinstance(item, dict):
        return {key: value_of(part) for key, part in item.items()}
    return item


def filled(values: list, static: dict[str, Any]) -> list:
    """Static values given by position put back between the arrays."""
    gaps = {int(key[len(GAP) :]): value for key, value in static.items() if key.startswith(GAP)}
    if not gaps:
        return list(values)
    arrays = iter(values)
    total = len(values) + len(gaps)
    return [gaps[position] if position in gaps else next(arrays) for position in range(total)]


def keywords(static: dict[str, Any]) -> dict[str, Any]:
    """The static values given by name."""
    return {key: value for key, value in static.items() if not key.startswith(GAP)}
