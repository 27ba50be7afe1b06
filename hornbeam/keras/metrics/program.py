"""Running a metric's arithmetic: one compiled program when eager, straight through inside a larger program.

Programs are kept by function and options, not by metric object, so that a hundred ``Mean`` objects share one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, settings
from hornbeam.core.frame import unwrap_tree
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable, commit_all, commit_lock
from hornbeam.engine.jax_compat import Tracer, wide_types
from hornbeam.keras.losses.inputs import is_numbers, on_host

__all__ = ["accumulate", "compute", "narrowed"]

_NARROW = {np.dtype(np.float64): np.float32, np.dtype(np.int64): np.int32, np.dtype(np.uint64): np.uint32}


def narrowed(value: Any, dtype: Any = None) -> Any:
    """Arrays on the host in ``dtype``, by default in their own one, but 32 bits at most; others as they are."""
    if value is None or isinstance(value, (Tensor, jax.Array, Variable)):
        return value
    if dtype is not None:
        return on_host(value, np.dtype(dtype.as_numpy_dtype))
    if isinstance(value, (list, tuple, dict)) and not is_numbers(value):
        return value
    array = np.asarray(value)
    return array.astype(_NARROW.get(array.dtype, array.dtype), copy=False)


def accumulate(variables: Sequence[Variable], step: Callable, inputs: Sequence[Any], **options: Any) -> None:
    """Set variables to ``step(state, *inputs, **options)``.

    Args:
        variables: the state.
        step: takes the list of the state's arrays, then arrays or None; returns the new state's arrays.
        inputs: tensors, arrays or None.
        **options: hashable Python values.
    """
    if scopes.frame is None:
        # From reading to writing in one go: threads that share a metric must not lose each other's batches.
        with commit_lock:
            _accumulate(variables, step, inputs, options)
    else:
        _accumulate(variables, step, inputs, options)


def _accumulate(variables: Sequence[Variable], step: Callable, inputs: Sequence[Any], options: dict[str, Any]) -> None:
    state = [variable.read_array() for variable in variables]
    new = _run(step, options, [state, *map(_array, inputs)])
    new = [
        value.astype(old.dtype) if value.dtype != old.dtype else value for value, old in zip(new, state, strict=True)
    ]
    if scopes.frame is None and not any(isinstance(value, Tracer) for value in new):
        commit_all(variables, new)
        return
    for variable, value in zip(variables, new, strict=True):
        variable.assign(value)


def compute(variables: Sequence[Variable], function: Callable, **options: Any) -> Any:
    """``function(*state, **options)`` as a tensor."""
    return wrap(_run(function, options, [variable.read_array() for variable in variables]))


def _array(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value._value
    if isinstance(value, Variable):
        return value.read_array()
    return unwrap_tree(value) if isinstance(value, (list, tuple, dict)) else value


def _run(function: Callable, options: dict[str, Any], args: list) -> Any:
    leaves = jax.tree_util.tree_leaves(args)
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return function(*args, **options)
    program = _program(function, tuple(options.items()), settings.epsilon(), settings.floatx())
    if any(leaf.dtype.itemsize >= 8 and dtypes.is_wide(leaf.dtype.name) for leaf in leaves):
        with wide_types(True):
            return program(*args)
    return program(*args)


@functools.lru_cache(maxsize=1024)
def _program(function: Callable, options: tuple, epsilon: float, floatx: str) -> Callable:
    """Compiled form; epsilon and floatx are part of the key because functions read them while they are traced."""
    return jax.jit(functools.partial(function, **dict(options)))
