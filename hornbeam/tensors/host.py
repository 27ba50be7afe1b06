"""Python functions among ops: ``py_function`` and ``numpy_function``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.experimental import io_callback

from hornbeam.base import dtypes, trees
from hornbeam.base.errors import TraceError
from hornbeam.core.arguments import value_of
from hornbeam.core.door import wrap_tree
from hornbeam.core.host_failures import remembering
from hornbeam.core.spec import TensorSpec
from hornbeam.core.tensor import HostTensor, from_host
from hornbeam.engine.jax_compat import Tracer
from hornbeam.tensors.face import kept, tensor

__all__ = ["numpy_function", "py_function"]


def py_function(func: Callable | None = None, inp: Any = None, Tout: Any = None, name: str | None = None) -> Any:
    """Call a Python function with tensors, and give its results the dtypes ``Tout``.

    Eagerly this is a plain call, which a tape sees like any other code. Inside a compiled function the result's shape
    must be known: give ``TensorSpec`` for ``Tout``. With dtypes only, a ``tf.function`` runs eagerly as a whole.

    Args:
        func: function of tensors. Without it, a decorator for such a function is given back: the decorated function
            takes the arguments one by one.
        inp: list of its arguments.
        Tout: dtype (or spec) of the result, list of them for several results, empty for none.

    References: TensorFlow `tf.py_function`.
    """
    if func is None and inp is None:
        return _decorator(py_function, Tout=Tout, name=name)
    return _call("tf.py_function", func, inp, Tout, from_host, tensor)


def numpy_function(
    func: Callable | None = None, inp: Any = None, Tout: Any = None, stateful: bool = True, name: str | None = None
) -> Any:
    """Call a Python function with NumPy arrays, and give its results the dtypes ``Tout``; no gradient flows through.

    Args:
        func: function of NumPy arrays. Without it, a decorator is given back; see ``py_function``.
        inp: list of its arguments.
        Tout: dtype or ``TensorSpec`` of the result, or a list of them; see ``py_function``.
        stateful: False allows compiled functions to leave out or repeat calls.

    References: TensorFlow `tf.numpy_function`.
    """
    if func is None and inp is None:
        return _decorator(numpy_function, Tout=Tout, stateful=stateful, name=name)
    return _call("tf.numpy_function", func, inp, Tout, np.asarray, _as_numpy, stateful)


def _decorator(caller: Callable, **options: Any) -> Callable:
    def decorated(func: Callable) -> Callable:
        return functools.wraps(func)(lambda *args: caller(func, args, **options))

    return decorated


def _as_numpy(item: Any) -> Any:
    return tensor(item).numpy()


def _call(
    where: str,
    func: Callable | None,
    inp: Any,
    Tout: Any,
    from_array: Callable,
    prepare: Callable,
    stateful: bool = True,
) -> Any:
    if func is None or not callable(func):
        raise ValueError(f"{where}: `func` must be a function, received {func!r}.")
    many = isinstance(Tout, (list, tuple))
    given = list(inp or ())
    wanted = list(Tout) if many else [] if Tout is None else [Tout]
    if not any(isinstance(value_of(item), Tracer) for item in given):
        results = func(*(prepare(item) for item in given))
        return _fitted(where, results, wanted, many)
    specs = [_struct(where, kind) for kind in wanted]

    def call(*arrays: Any) -> list[np.ndarray]:
        results = func(*(from_array(np.asarray(array)) for array in arrays))
        # NumPy only from here on: a computation must not wait for another one that it is part of.
        found = _listed(where, results, wanted, many)
        return [np.asarray(out).astype(spec.dtype) for out, spec in zip(found, specs, strict=True)]

    call = remembering(call)
    arrays = [jax.lax.stop_gradient(value_of(tensor(item))) for item in given]
    outputs = io_callback(call, specs, *arrays, ordered=False) if stateful else jax.pure_callback(call, specs, *arrays)
    outputs = wrap_tree(list(outputs))
    return outputs if many else outputs[0] if outputs else None


def _struct(where: str, kind: Any) -> jax.ShapeDtypeStruct:
    if not isinstance(kind, TensorSpec) or kind.shape.rank is None or not kind.shape.is_fully_defined():
        raise TraceError(
            f"{where} inside a compiled function must know the shape of its result.\n"
            f"  received: Tout={kind!r}\n"
            "  fix:      give tf.TensorSpec(shape, dtype) with all sizes for Tout, or run eagerly "
            "(run_eagerly=True in compile())"
        )
    return jax.ShapeDtypeStruct(tuple(kind.shape), kind.dtype.as_numpy_dtype)


def _fitted(where: str, results: Any, wanted: list, many: bool) -> Any:
    """Results as tensors of the dtypes wanted."""
    if not wanted:
        return None if not many else []
    found = _listed(where, results, wanted, many)
    fitted = [_of_dtype(item, kind) for item, kind in zip(found, wanted, strict=True)]
    return fitted if many else fitted[0]


def _listed(where: str, results: Any, wanted: list, many: bool) -> list[Any]:
    """Results as a list as long as the dtypes wanted."""
    if not wanted:
        return []
    found = list(results) if many and isinstance(results, (list, tuple)) else [results]
    if len(found) != len(wanted):
        raise ValueError(f"{where}: the function returned {len(found)} values, but Tout names {len(wanted)}.")
    return found


def _of_dtype(item: Any, kind: Any) -> Any:
    dtype = dtypes.as_dtype(kind.dtype if isinstance(kind, TensorSpec) else kind)
    made = (
        trees.map_structure(lambda leaf: tensor(leaf, dtype), item) if isinstance(item, dict) else tensor(item, dtype)
    )
    return made if isinstance(made, HostTensor) else kept(made, dtype)
