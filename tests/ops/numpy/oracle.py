"""Comparison of array ops with ``keras.ops`` on JAX and with NumPy in float64."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import keras
import ml_dtypes
import numpy as np

from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import Tensor, from_host

DTYPES = ("bool", "uint8", "int8", "uint16", "int32", "uint32", "float16", "bfloat16", "float32")
"""Dtypes up to 32 bits whose result dtype every op is asked for (by tracing alone)."""
COMPUTED = ("bool", "int32", "float16", "float32")
"""Dtypes that are also computed, and compared in value."""
TOLERANCE = {
    "float16": 2e-3,
    "bfloat16": 1.6e-2,
    "float32": 2e-6,
    "complex64": 2e-6,
    "float64": 2e-14,
    "complex128": 2e-14,
}
"""Largest difference relative to ``max(1, |expected|)``: about two to ten units in the last place."""
LARGEST: dict[tuple[str, str], tuple[float, str]] = {}
"""Largest difference met so far, by (reference, dtype), with the name of the op."""


def numbers(dtype: str, shape: tuple = (3, 4), low: float = -3.0, high: float = 3.0, seed: int = 0) -> np.ndarray:
    """Random numbers of a dtype, between the bounds where the dtype has them."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    if kind.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if kind.kind in "iu":
        return rng.integers(int(max(low, 0) if kind.kind == "u" else low), int(high) + 1, shape).astype(kind)
    if kind.kind == "c":
        return (rng.uniform(low, high, shape) + 1j * rng.uniform(low, high, shape)).astype(kind)
    return np.asarray(rng.uniform(low, high, shape)).astype(kind)


def lift(value: Any, to: Any) -> Any:
    """NumPy arrays inside an argument turned into tensors or JAX arrays."""
    if isinstance(value, np.ndarray):
        return to(value)
    return value


def difference(got: Any, expected: Any) -> float:
    """Largest difference relative to ``max(1, |expected|)``; infinite where nan or infinities differ."""
    wide = np.complex128 if np.iscomplexobj(expected) else np.float64
    got, expected = np.asarray(got).astype(wide), np.asarray(expected).astype(wide)
    finite = np.isfinite(expected)
    if not np.array_equal(got[~finite], expected[~finite], equal_nan=True) or not np.isfinite(got[finite]).all():
        return np.inf
    scaled = np.abs(got[finite] - expected[finite]) / np.maximum(1.0, np.abs(expected[finite]))
    return float(scaled.max()) if scaled.size else 0.0


def check(name: str, reference: str, got: Any, expected: Any, tolerance: float | None = None, where: Any = "") -> None:
    """Assert equal shape, dtype (never weak) and close values; nestings are compared part by part."""
    if isinstance(expected, (tuple, list)):
        assert len(got) == len(expected), (name, where)
        for one, other in zip(got, expected, strict=True):
            check(name, reference, one, other, tolerance, where)
        return
    assert isinstance(got, Tensor), (name, where, type(got))
    assert not getattr(got._value, "weak_type", False), f"{name}: weak result {where}"
    dtype = np.dtype(expected.dtype).name
    assert got.dtype == dtype, f"{name}: dtype {got.dtype}, expected {dtype} {where}"
    assert tuple(got.shape) == tuple(expected.shape), f"{name}: shape {got.shape}, expected {expected.shape} {where}"
    found = difference(got.numpy(), expected)
    if found > LARGEST.get((reference, dtype), (-1.0, ""))[0]:
        LARGEST[(reference, dtype)] = (found, name)
    allowed = TOLERANCE.get(dtype, 0.0) if tolerance is None else tolerance if dtype in TOLERANCE else 0.0
    assert found <= allowed, f"{name}: differs by {found} from {reference} {where}\n{got.numpy()}\n{expected}"


def check_keras(function: Any, *args: Any, tolerance: float | None = None, mixed: bool = False, **kwargs: Any) -> None:
    """Assert that an op equals the Keras op of its name, in value, shape, dtype, or in the class of its error.

    Args:
        mixed: leave NumPy arrays after the first argument as they are, for both.
    """
    name = function.__name__
    original = getattr(keras.ops, name)
    convert = [mixed and position > 0 for position in range(len(args))]
    theirs = [arg if keep else lift(arg, jnp.asarray) for arg, keep in zip(args, convert, strict=True)]
    ours = [arg if keep else lift(arg, from_host) for arg, keep in zip(args, convert, strict=True)]
    where = f"for {[getattr(arg, 'dtype', arg) for arg in args]} {kwargs}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = original(*theirs, **{key: lift(value, jnp.asarray) for key, value in kwargs.items()})
        except (TypeError, ValueError, IndexError) as error:
            expected = error
    ours_named = {key: lift(value, from_host) for key, value in kwargs.items()}
    if isinstance(expected, Exception):
        try:
            got = function(*ours, **ours_named)
        except (TypeError, ValueError, IndexError):
            return
        raise AssertionError(f"{name}: Keras raises {expected!r}, here the result is {got} {where}")
    check(name, "keras", function(*ours, **ours_named), expected, tolerance, where)


def check_dtypes(function: Any, *args: Any, **kwargs: Any) -> None:
    """Assert that shape and dtype (never weak) are those of the Keras op; nothing is compiled or computed.

    Args:
        args: ``jax.ShapeDtypeStruct``s, Python scalars and other constants.
    """
    name = function.__name__
    chosen = [i for i, arg in enumerate(args) if isinstance(arg, jax.ShapeDtypeStruct)]

    def outcome(called: Any) -> Any:
        def run(*arrays: Any) -> Any:
            filled = list(args)
            for i, array in zip(chosen, arrays, strict=True):
                filled[i] = array
            return called(*filled, **kwargs)

        try:
            return jax.eval_shape(run, *(args[i] for i in chosen))
        except (TypeError, ValueError, IndexError) as error:
            return error

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = outcome(getattr(keras.ops, name))
    got = outcome(function)
    where = f"{name} {args} {kwargs}: {got!r}, Keras {expected!r}"
    assert isinstance(got, Exception) == isinstance(expected, Exception), where
    if not isinstance(got, Exception):
        for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
            assert (one.shape, one.dtype) == (other.shape, other.dtype), where
            assert not getattr(one, "weak_type", False), where


def struct(dtype: str, shape: tuple = (3, 4)) -> jax.ShapeDtypeStruct:
    """An array of a shape and dtype, without values, for ``check_dtypes``."""
    return jax.ShapeDtypeStruct(shape, np.dtype(getattr(ml_dtypes, dtype, dtype)))


def check_numpy(
    function: Any,
    *args: Any,
    reference: Any = None,
    dtype: str | None = None,
    tolerance: float | None = None,
    **kwargs: Any,
) -> None:
    """Assert that an op on 64-bit tensors equals NumPy, with a 64-bit result where NumPy has one.

    Args:
        reference: NumPy function, default that of the same name.
        dtype: dtype expected instead of NumPy's, e.g. int32 for positions.
    """
    reference = reference or getattr(np, function.__name__)
    expected = reference(*args, **kwargs)
    parts = [np.asarray(part) for part in expected] if isinstance(expected, tuple) else np.asarray(expected)
    if dtype is not None:
        parts = parts.astype(dtype)
    got = function(*(lift(arg, from_host) for arg in args), **{k: lift(v, from_host) for k, v in kwargs.items()})
    check(function.__name__, "numpy", got, parts, tolerance, f"for {[getattr(arg, 'dtype', arg) for arg in args]}")


def check_gradients(function: Any, *args: Any, tolerance: float = 1e-5, **kwargs: Any) -> None:
    """Assert that the tape's gradients for all float arguments equal ``jax.grad`` of the Keras op."""
    original = getattr(keras.ops, function.__name__)
    chosen = [i for i, arg in enumerate(args) if isinstance(arg, np.ndarray) and arg.dtype == np.float32]
    tensors = [lift(arg, from_host) for arg in args]
    with GradientTape() as tape:
        tape.watch([tensors[i] for i in chosen])
        out = function(*tensors, **kwargs)
    weights = numbers("float32", tuple(out.shape), seed=9)

    def loss(*values: Any) -> Any:
        filled = list(args)
        for i, value in zip(chosen, values, strict=True):
            filled[i] = value
        return jnp.sum(original(*filled, **kwargs) * weights)

    expected = jax.jit(jax.grad(loss, tuple(range(len(chosen)))))(*(jnp.asarray(args[i]) for i in chosen))
    got = tape.gradient(out, [tensors[i] for i in chosen], output_gradients=from_host(weights))
    for one, other in zip(got, expected, strict=True):
        check(function.__name__, "keras gradient", one, other, tolerance)


def check_symbolic(function: Any, *args: Any, **kwargs: Any) -> None:
    """Assert that symbolic shape and dtype, with an unknown first axis of every array, agree with the traced call.

    Sizes that change with the first axis must be unknown, the others known.
    """

    def symbol(array: np.ndarray) -> KerasTensor:
        return KerasTensor((None, *array.shape[1:]) if array.ndim else (), array.dtype.name)

    def traced(times: int) -> list:
        shapes = [struct(a.dtype.name, (a.shape[0] * times, *a.shape[1:]) if a.ndim else ()) for a in arrays]
        return jax.tree.leaves(jax.eval_shape(lambda *given: function(*fill(list(given)), **kwargs), *shapes))

    def fill(values: list) -> list:
        return [values.pop(0) if isinstance(arg, np.ndarray) else arg for arg in args]

    arrays = [arg for arg in args if isinstance(arg, np.ndarray)]
    symbols = jax.tree.leaves(function(*(lift(arg, symbol) for arg in args), **kwargs))
    for got, once, twice in zip(symbols, traced(1), traced(2), strict=True):
        assert isinstance(got, KerasTensor)
        expected = tuple(a if a == b else None for a, b in zip(once.shape, twice.shape, strict=True))
        assert (tuple(got.shape), got.dtype) == (expected, once.dtype.name), function.__name__
