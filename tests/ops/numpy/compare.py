"""Table-driven comparison of shape, index and linear functions, whose arguments may be nested, with ``keras.ops``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from hornbeam.base import trees
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import Tensor, from_host
from tests.ops.numpy.oracle import check, numbers


class Case:
    """One call: a function and its arguments, with NumPy arrays where tensors go."""

    def __init__(self, function: Callable, *args: Any, **kwargs: Any) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.name = function.__name__

    def __repr__(self) -> str:
        described = [_described(arg) for arg in (*self.args, *self.kwargs.values())]
        return f"{self.name}({', '.join(described)})"


def _described(arg: Any) -> str:
    if isinstance(arg, np.ndarray):
        return f"{arg.dtype}{list(arg.shape)}".replace(" ", "")
    if isinstance(arg, (list, tuple)):
        return "[" + ",".join(_described(part) for part in arg) + "]"
    return repr(arg)


def lift(structure: Any, to: Callable) -> Any:
    """Every NumPy array in a nesting turned into something else."""
    return trees.map_structure(lambda leaf: to(leaf) if isinstance(leaf, np.ndarray) else leaf, structure)


def call(function: Callable, case: Case, to: Callable) -> Any:
    """Run with every array turned into something."""
    return function(*lift(case.args, to), **lift(case.kwargs, to))


def cast_case(case: Case, dtype: Any) -> Case:
    """The case with all float32 arrays in another dtype."""

    def other(array: np.ndarray) -> np.ndarray:
        return np.round(array).astype(dtype) if array.dtype == np.float32 else array

    return Case(case.function, *lift(case.args, other), **lift(case.kwargs, other))


def same_as_keras(case: Case, tolerance: float | None = None) -> None:
    """Values, shapes and dtypes equal those of the Keras function of that name, or both raise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = call(getattr(keras.ops, case.name), case, jnp.asarray)
        except (TypeError, ValueError) as error:
            try:
                got = call(case.function, case, from_host)
            except (TypeError, ValueError):
                return
            raise AssertionError(f"{case}: Keras raises {error!r}, here the result is {got}") from error
    check(case.name, "keras", call(case.function, case, from_host), expected, tolerance, case)


def same_as_numpy(case: Case, reference: Callable | None = None, tolerance: float | None = None) -> None:
    """On 64-bit arrays values and dtypes equal those of NumPy."""
    case = cast_case(case, np.float64)
    expected = call(reference or getattr(np, case.name), case, lambda array: array)
    if not isinstance(expected, (list, tuple)):
        expected = np.asarray(expected)
    check(case.name, "numpy", call(case.function, case, from_host), expected, tolerance, case)


def same_gradients(case: Case, tolerance: float = 1e-5) -> None:
    """The tape's gradients of all float32 arrays equal those of ``jax.grad`` through the Keras function."""
    leaves = trees.flatten((case.args, case.kwargs))
    wrt = list(
        {id(leaf): leaf for leaf in leaves if isinstance(leaf, np.ndarray) and leaf.dtype == np.float32}.values()
    )
    assert wrt, f"{case} has nothing to differentiate"
    tensors = {id(array): from_host(array) for array in wrt}

    def total(parts: Any, multiply: Callable, weights: list) -> Any:
        parts = [part for part in trees.flatten(parts) if "float" in str(part.dtype)]
        return [multiply(part, weight) for part, weight in zip(parts, weights, strict=True)]

    with GradientTape() as tape:
        tape.watch(list(tensors.values()))
        outputs = trees.flatten(call(case.function, case, lambda array: tensors.get(id(array), array)))
    outputs = [out for out in outputs if out.dtype.is_floating]
    weights = [numbers("float32", tuple(out.shape), seed=7 + i) for i, out in enumerate(outputs)]
    given = [from_host(np.asarray(weight)) for weight in weights]
    got = tape.gradient(outputs, list(tensors.values()), output_gradients=given)

    def loss(*values: Any) -> Any:
        filled = dict(zip([id(array) for array in wrt], values, strict=True))
        out = call(getattr(keras.ops, case.name), case, lambda array: filled.get(id(array), array))
        return sum(jnp.sum(part) for part in total(out, jnp.multiply, weights))

    expected = jax.grad(loss, tuple(range(len(wrt))))(*(jnp.asarray(array) for array in wrt))
    for one, other in zip(got, expected, strict=True):
        check(case.name, "keras gradient", one, other, tolerance, case)


def same_symbolic(case: Case, unknown: tuple[int, ...] = (0,)) -> None:
    """Symbolic shape and dtype agree with the eager result: equal where known, and the Keras rule knows no more.

    Args:
        unknown: axes of the tensors whose sizes are left unknown.
    """

    def symbol(array: np.ndarray) -> KerasTensor:
        return KerasTensor([None if axis in unknown else n for axis, n in enumerate(array.shape)], array.dtype.name)

    def foreign(array: np.ndarray) -> Any:
        return keras.KerasTensor(tuple(symbol(array).shape), array.dtype.name)

    got = trees.flatten(call(case.function, case, symbol))
    eager = trees.flatten(call(case.function, case, from_host))
    theirs = trees.flatten(call(getattr(keras.ops, case.name), case, foreign))
    assert len(got) == len(eager) == len(theirs), case
    for one, real, other in zip(got, eager, theirs, strict=True):
        assert isinstance(one, KerasTensor) and isinstance(real, Tensor), case
        assert one.dtype == real.dtype, case
        assert len(one.shape) == len(real.shape), case
        for size, actual, keras_size in zip(one.shape, real.shape, other.shape, strict=True):
            assert size in (None, actual), f"{case}: symbolic {one.shape}, eager {real.shape}"
            assert size is not None or keras_size is None, f"{case}: symbolic {one.shape}, Keras {other.shape}"


def same_raw(case: Case) -> None:
    """JAX arrays in, JAX arrays out."""
    for out in trees.flatten(call(case.function, case, jnp.asarray)):
        assert isinstance(out, jax.Array), case
