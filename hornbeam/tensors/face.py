"""What every ``tf`` function does besides its op: plain arrays become tensors, errors TensorFlow's, strings codes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes, names, trees
from hornbeam.base.errors import HornbeamError, ShapeError
from hornbeam.core import scopes as scopes_module
from hornbeam.core.arguments import value_of
from hornbeam.core.door import graph_call, wrap_tree
from hornbeam.core.symbolic import KerasTensor, from_sizes
from hornbeam.core.tensor import HostTensor, Tensor, from_host, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import ArrayImpl, Tracer
from hornbeam.errors import InvalidArgumentError, OpError

__all__ = [
    "concrete",
    "dtype_of",
    "face",
    "is_known",
    "kept",
    "number_of",
    "on_sizes",
    "shape_of",
    "tensor",
    "tensors",
    "unwatched",
]

_QUICK = frozenset({Tensor, int, float, bool, type(None)})


def face(function: Callable | None = None, *, strings: tuple[str, ...] = (), decode: bool = True) -> Any:
    """Make a ``tf`` function of one that calls ops.

    Args:
        function: the function.
        strings: parameters that may hold string tensors. The strings are numbered in alphabetical order, the
            function runs on the numbers, and int32 results are strings again.
        decode: False if the results are no strings (comparisons, places).
    """
    if function is None:
        return functools.partial(face, strings=strings, decode=decode)
    parameters = inspect.signature(function).parameters
    places = [(list(parameters).index(name), name) for name in strings]
    called = function.__name__

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        variable = symbolic = False
        for given in (*args, *kwargs.values()) if kwargs else args:
            if type(given) not in _QUICK:
                variable = variable or isinstance(given, Variable)
                symbolic = symbolic or isinstance(given, KerasTensor)
                ragged = _ragged_among(given)
                if ragged is not None:
                    return ragged.call_function(called, function, args, kwargs)
                if from_sizes((given,)):
                    return graph_call(call, args, kwargs, name=names.auto_name(called))
        if variable and symbolic:
            # The graph holds the variable itself, whose value may change until it runs.
            return graph_call(call, args, kwargs, name=names.auto_name(called))
        for place, name in places:
            given = args[place] if place < len(args) else kwargs.get(name)
            if type(given) not in _QUICK and _has_strings(given):
                return _on_codes(function, places, args, kwargs, decode)
        try:
            out = function(*args, **kwargs)
        except (ValueError, TypeError, IndexError) as error:
            if not _is_about_arguments(error):
                raise
            raise InvalidArgumentError(None, None, str(error)) from error
        return out if type(out) is Tensor else wrap_tree(out)

    return call


def on_sizes(function: Callable) -> Callable:
    """Make a function of a shape one node of the graph where sizes of symbolic tensors stand in the shape."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if from_sizes(args) or (kwargs and from_sizes(kwargs.values())):
            return graph_call(call, args, kwargs, name=names.auto_name(function.__name__))
        return function(*args, **kwargs)

    return call


def _is_about_arguments(error: Exception) -> bool:
    if isinstance(error, OpError):
        return False
    if isinstance(error, HornbeamError):
        return isinstance(error, ShapeError)
    if isinstance(error, TypeError):
        # JAX reports shapes that do not fit as TypeError.
        return not isinstance(error, jax.errors.JAXTypeError) and "shape" in str(error) and "argument" not in str(error)
    return True


def _ragged_among(given: Any) -> Any:
    """The ragged tensor that an argument is, or a list of tensors begins with or holds near its start; or None."""
    if type(given) is list or type(given) is tuple:
        return next((item for item in given[:8] if hasattr(item, "call_function")), None)
    return given if hasattr(given, "call_function") else None


# --- strings -------------------------------------------------------------------------------------
def _is_text(item: Any) -> bool:
    if isinstance(item, (HostTensor, str, bytes)):
        return not isinstance(item, dtypes.DType)
    return isinstance(item, (np.ndarray, np.generic)) and item.dtype.kind in "SUO"


def _has_strings(given: Any) -> bool:
    return _is_text(given) or (
        isinstance(given, (list, tuple)) and any(_is_text(leaf) for leaf in trees.flatten(given))
    )


def _bytes_of(item: Any) -> np.ndarray:
    return item._value if isinstance(item, HostTensor) else from_host(np.asarray(item))._value


def _on_codes(function: Callable, places: list, args: tuple, kwargs: dict[str, Any], decode: bool) -> Any:
    """Run the function on numbers that stand for the strings."""
    given = {name: args[place] if place < len(args) else kwargs.get(name) for place, name in places}
    texts = [_bytes_of(leaf) for item in given.values() for leaf in trees.flatten(item) if _is_text(leaf)]
    table = sorted({text for array in texts for text in array.reshape(-1).tolist()})
    codes = {text: number for number, text in enumerate(table)}
    coded = [_encoded(arg, codes) if any(place == at for at, _ in places) else arg for place, arg in enumerate(args)]
    named = {key: _encoded(value, codes) if key in given else value for key, value in kwargs.items()}
    out = wrap_tree(function(*coded, **named))
    return _decoded(out, table) if decode else out


def _encoded(item: Any, codes: dict[bytes, int]) -> Any:
    if isinstance(item, (list, tuple)):
        return type(item)(_encoded(part, codes) for part in item)
    if not _is_text(item):
        return item
    array = _bytes_of(item)
    return from_host(np.array([codes[t] for t in array.reshape(-1).tolist()], np.int32).reshape(array.shape))


def _decoded(item: Any, table: list[bytes]) -> Any:
    if isinstance(item, (list, tuple)):
        parts = [_decoded(part, table) for part in item]
        return type(item)(*parts) if hasattr(item, "_fields") else type(item)(parts)
    if not isinstance(item, Tensor) or item.dtype != "int32":
        return item
    numbers = item.numpy()
    words = np.empty(np.shape(numbers), dtype=object)
    words.reshape(-1)[:] = [table[number] for number in np.reshape(numbers, -1)]
    return HostTensor(words)


# --- conversions ---------------------------------------------------------------------------------
def tensor(x: Any, dtype: Any = None) -> Any:
    """Tensor (or symbolic tensor) of anything; what is neither tensor nor array gets ``dtype``."""
    if type(x) is Tensor or isinstance(x, KerasTensor):
        return x
    if isinstance(x, (jax.Array, Tracer)):
        return wrap(x)
    if isinstance(x, (Tensor, Variable, np.ndarray, np.generic)):
        return ops.convert_to_tensor(x)
    if type(x) in (list, tuple) and x and isinstance(x[0], HostTensor):
        return HostTensor(np.stack([_bytes_of(item) for item in x]))
    return _as_tensorflow_has_it(x, ops.convert_to_tensor(x)) if dtype is None else ops.convert_to_tensor(x, dtype)


def _as_tensorflow_has_it(x: Any, made: Any) -> Any:
    """Python's complex numbers are complex128; Python numbers in a list take the dtype of NumPy's beside them."""
    if made.dtype == "complex64" and all(isinstance(leaf, (complex, float, int)) for leaf in trees.flatten(x)):
        return from_host(np.asarray(x, np.complex128))
    if made.dtype in ("float64", "int64") and isinstance(x, (list, tuple)):
        kinds = {leaf.dtype for leaf in trees.flatten(x) if isinstance(leaf, (np.generic, np.ndarray))}
        if len(kinds) == 1 and np.dtype(str(made.dtype)).kind == next(iter(kinds)).kind:
            return kept(made, next(iter(kinds)))
    return made


def unwatched(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Result of an op that TensorFlow does not differentiate: a tape gives None for its arguments, not zeros."""
    with scopes_module.override(tapes=()):
        return function(*args, **kwargs)


def tensors(*items: Any) -> list[Any]:
    """Tensors of several things; what is neither tensor nor array takes the dtype of the first tensor, if it fits."""
    model = next((item for item in items if hasattr(item, "dtype") and hasattr(item, "shape")), None)
    if model is None:
        return [tensor(item) for item in items]
    kind = dtypes.as_dtype(model.dtype)
    return [tensor(item, kind if _fits(item, kind) else None) for item in items]


def _fits(item: Any, kind: dtypes.DType) -> bool:
    """Whether plain Python values can be given a dtype without losing their kind."""
    if kind.is_floating or kind.is_complex:
        return not any(isinstance(leaf, (str, bytes, complex)) for leaf in trees.flatten(item)) or kind.is_complex
    return all(isinstance(leaf, int) for leaf in trees.flatten(item))


def dtype_of(x: Any) -> dtypes.DType:
    """Dtype that a value has, or would have as a tensor."""
    return dtypes.as_dtype(x.dtype) if hasattr(x, "dtype") else tensor(x).dtype


def shape_of(x: Any) -> tuple[int | None, ...]:
    """Sizes that a value has, or would have as a tensor."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def kept(out: Any, dtype: Any) -> Any:
    """The result in a given dtype, cast only if it has another one."""
    return out if out.dtype == dtype else ops.cast(out, dtype)


def is_known(*values: Any) -> bool:
    """True if Python can use the values now: they are neither symbolic nor inside a compiled function."""
    return not any(isinstance(value_of(value), (Tracer, KerasTensor)) for value in values)


def concrete(x: Any) -> np.ndarray | None:
    """The values as NumPy if they are known and lie on the host, so that looking at them costs nothing; else None."""
    if isinstance(x, (np.ndarray, np.generic, int, float)):
        return np.asarray(x)
    array = value_of(x)
    if isinstance(array, ArrayImpl) and next(iter(array.devices())).platform == "cpu":
        return np.asarray(array)
    if isinstance(array, (list, tuple)) and is_known(*trees.flatten(array)):
        return np.asarray([np.asarray(value_of(item)) for item in array])
    return None


def number_of(x: Any) -> Any:
    """Python number (or nested list) of a value that must be known now."""
    return np.asarray(x).tolist() if hasattr(x, "shape") or isinstance(x, (list, tuple)) else x
